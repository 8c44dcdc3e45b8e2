//! Collections of resources. All have one shape, so there is one type for all of them.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::table::ResourceType;
use crate::value::{Reference, Resource};

/// A collection of resources (DSP0266 "Resource collections").
///
/// The members are links, or whole resources in a collection that always expands (`LogEntry`).
/// `Members@odata.count` counts all members, also those that a paged answer leaves out.
#[derive(Clone, Debug)]
pub struct Collection<M = Reference> {
    kind: &'static ResourceType,
    /// Path.
    pub odata_id: String,
    /// Name for people.
    pub name: String,
    /// What the collection holds, for people.
    pub description: Option<String>,
    /// The members, or those of this page.
    pub members: Vec<M>,
    /// Number of members in the whole collection, if more than are here.
    pub total: Option<usize>,
    /// Where the next page is (DSP0266 "Next link property").
    pub next_link: Option<String>,
}

impl<M> Collection<M> {
    /// A collection of the type `kind`, such as [`crate::fan::COLLECTION`], with all its members.
    pub fn new(
        kind: &'static ResourceType,
        odata_id: impl Into<String>,
        name: impl Into<String>,
        members: Vec<M>,
    ) -> Self {
        Self {
            kind,
            odata_id: odata_id.into(),
            name: name.into(),
            description: None,
            members,
            total: None,
            next_link: None,
        }
    }
}

impl<M: Serialize> Serialize for Collection<M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("@odata.type", self.kind.odata_type)?;
        map.serialize_entry("@odata.id", &self.odata_id)?;
        map.serialize_entry("Name", &self.name)?;
        if let Some(description) = &self.description {
            map.serialize_entry("Description", description)?;
        }
        map.serialize_entry(
            "Members@odata.count",
            &self.total.unwrap_or(self.members.len()),
        )?;
        map.serialize_entry("Members", &self.members)?;
        if let Some(next_link) = &self.next_link {
            map.serialize_entry("Members@odata.nextLink", next_link)?;
        }
        map.end()
    }
}

impl<M: Serialize> Resource for Collection<M> {
    fn resource_type(&self) -> &'static ResourceType {
        self.kind
    }

    fn odata_id(&self) -> &str {
        &self.odata_id
    }
}
