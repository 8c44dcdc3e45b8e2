//! `/redfish/v1/JsonSchemas`: the schema of every type that the service can show, served by itself (DSP0266 "JSON
//! Schema overview").

use redfish_schema::json_schema_file::{self, JsonSchemaFile, Location};
use redfish_schema::{Collection, Reference, ResourceType};

use crate::part::Part;
use crate::{Document, Failure, json_schema};

/// Path of the collection.
pub(crate) const PATH: &str = "/redfish/v1/JsonSchemas";

/// The part of the tree below [`PATH`].
pub(crate) struct JsonSchemas;

impl Part for JsonSchemas {
    fn get(&self, rest: &[&str]) -> Result<Document, Failure> {
        get(rest)
    }
}

fn get(rest: &[&str]) -> Result<Document, Failure> {
    match *rest {
        [] => {
            let link = |kind: &&ResourceType| Reference::to(format!("{PATH}/{}", id(kind)));
            let members = redfish_schema::all().iter().map(link).collect();
            let kind = &json_schema_file::COLLECTION;
            Document::of(&Collection::new(kind, PATH, "JSON schemas", members))
        }
        [id] => file(find(id).ok_or(Failure::NotFound)?),
        _ => Err(Failure::NotFound),
    }
}

/// Where the schema of a type is.
pub(crate) fn document_uri(kind: &ResourceType) -> String {
    let id = id(kind);
    format!("{PATH}/{id}/{id}.json")
}

/// The schema with this `Id` by the name of its file.
pub(crate) fn document(id: &str, file: &str) -> Option<Vec<u8>> {
    let kind = find(id).filter(|_| file.strip_suffix(".json") == Some(id))?;
    Some(json_schema::document(kind, &document_uri(kind)))
}

/// Name and version: `ComputerSystem.v1_28_0`; collections have no version.
fn id(kind: &ResourceType) -> &'static str {
    let namespace = kind.odata_type.trim_start_matches('#');
    namespace.rsplit_once('.').map_or(namespace, |(id, _)| id)
}

fn find(wanted: &str) -> Option<&'static ResourceType> {
    let all = redfish_schema::all().iter().copied();
    all.into_iter().find(|kind| id(kind) == wanted)
}

fn file(kind: &'static ResourceType) -> Result<Document, Failure> {
    let id = id(kind);
    let english = Location {
        language: Some("en".to_owned()),
        uri: Some(document_uri(kind)),
        publication_uri: Some(kind.json_schema_uri()),
        ..Location::default()
    };
    Document::of(&JsonSchemaFile::new(
        format!("{PATH}/{id}"),
        id,
        format!("{} schema", kind.name),
        kind.odata_type,
        vec!["en".to_owned()],
        vec![english],
    ))
}
