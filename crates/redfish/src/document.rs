//! A resource, serialised once.

use bytes::Bytes;
use redfish_schema::{Resource, ResourceType};

use crate::Failure;

/// The JSON of one resource together with its type.
///
/// A plain GET sends these bytes as they are. Only `$expand`, `$select` and PATCH look inside.
#[derive(Debug, Clone)]
pub struct Document {
    resource: &'static ResourceType,
    json: Bytes,
    changeable: bool,
}

impl Document {
    /// Serialises a resource that no PATCH can change.
    ///
    /// # Errors
    /// [`Failure::Internal`] if it can't be serialised: a map with keys that are no strings, say.
    pub fn of(resource: &impl Resource) -> Result<Self, Failure> {
        let kind = resource.resource_type();
        let mut json = Vec::with_capacity(2048);
        match serde_json::to_writer(&mut json, resource) {
            Ok(()) => Ok(Self::from_json(kind, Bytes::from(json))),
            Err(error) => Err(Failure::Internal(format!("{}: {error}", kind.name))),
        }
    }

    /// Takes bytes that are already the JSON of such a resource. Cloning the document then shares them.
    #[must_use]
    pub const fn from_json(resource: &'static ResourceType, json: Bytes) -> Self {
        Self {
            resource,
            json,
            changeable: false,
        }
    }

    /// The same resource, with at least one property that PATCH can change. It then shows PATCH in its
    /// `Allow` header; without this a PATCH is answered with 405 and never reaches the backend.
    #[must_use]
    pub const fn changeable(mut self) -> Self {
        self.changeable = true;
        self
    }

    /// Whether PATCH can change something.
    #[must_use]
    pub const fn is_changeable(&self) -> bool {
        self.changeable
    }

    /// The resource's type.
    #[must_use]
    pub const fn resource(&self) -> &'static ResourceType {
        self.resource
    }

    /// The JSON text, UTF-8.
    #[must_use]
    pub const fn json(&self) -> &Bytes {
        &self.json
    }
}
