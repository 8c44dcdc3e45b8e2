//! A resource, serialised once.

use bytes::Bytes;
use redfish_schema::ResourceType;
use serde::Serialize;

use crate::Failure;

/// The JSON of one resource together with its type.
///
/// A plain GET sends these bytes as they are. Only `$expand`, `$select` and PATCH look inside.
#[derive(Debug, Clone)]
pub struct Document {
    resource: &'static ResourceType,
    json: Bytes,
}

impl Document {
    /// Serialises `body`, which must be a JSON object with the `@odata.type` of `resource`.
    ///
    /// # Errors
    /// [`Failure::Internal`] if `body` can't be serialised: a map with keys that are no strings, say.
    pub fn of(resource: &'static ResourceType, body: &impl Serialize) -> Result<Self, Failure> {
        let mut json = Vec::with_capacity(2048);
        match serde_json::to_writer(&mut json, body) {
            Ok(()) => Ok(Self { resource, json: Bytes::from(json) }),
            Err(error) => Err(Failure::Internal(format!("{}: {error}", resource.name))),
        }
    }

    /// Takes bytes that are already the JSON of such a resource. Cloning the document then shares them.
    #[must_use]
    pub const fn from_json(resource: &'static ResourceType, json: Bytes) -> Self {
        Self { resource, json }
    }

    /// The resource's type.
    #[must_use]
    pub const fn resource(&self) -> &'static ResourceType {
        self.resource
    }

    /// The JSON text, UTF-8 without insignificant white space.
    #[must_use]
    pub const fn json(&self) -> &Bytes {
        &self.json
    }
}
