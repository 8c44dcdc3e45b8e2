//! `/redfish/v1/Registries`: the messages that the service sends and the privileges that it asks for, served by itself
//! (DSP0266 "Registries"). Both are written from the tables that the service works with, so they can't differ.

use std::sync::Arc;

use redfish_schema::message_registry_file::{self, Location, MessageRegistryFile};
use redfish_schema::privilege_registry::{
    Mapping, OperationMap, OperationPrivilege, PrivilegeRegistry, TargetPrivilegeMap,
};
use redfish_schema::privileges::PrivilegeType;
use redfish_schema::{Collection, Reference, message_registry};
use serde_json::{Map, Value, json};

use crate::message::{self, REGISTRIES};
use crate::part::Part;
use crate::privilege::map::{self as privilege, Operations, Override};
use crate::privilege::{Operation, PrivilegeMap, Privileges};
use crate::{Document, Failure};

/// Path of the collection.
pub(crate) const PATH: &str = "/redfish/v1/Registries";
/// The version of our privilege registry. A change of the table is a new version.
const PRIVILEGES_VERSION: &str = "1.1.0";

/// One registry.
struct Registry {
    /// Name and version, `Base.1.16.0`.
    id: String,
    name: &'static str,
    /// Name, major and minor version, `Base.1.16`.
    registry: String,
    /// Where everybody finds it.
    publication_uri: Option<String>,
    content: Content,
}

/// What a registry's document is written from.
enum Content {
    Messages(&'static message::Registry),
    Privileges,
}

fn all() -> Vec<Registry> {
    REGISTRIES
        .iter()
        .map(|registry| of_messages(registry))
        .chain([of_privileges()])
        .collect()
}

fn of_messages(registry: &'static message::Registry) -> Registry {
    let id = format!("{}.{}", registry.prefix, registry.full_version);
    Registry {
        name: registry.name,
        registry: format!("{}.{}", registry.prefix, registry.version),
        publication_uri: Some(format!("https://redfish.dmtf.org/registries/{id}.json")),
        content: Content::Messages(registry),
        id,
    }
}

fn of_privileges() -> Registry {
    let (version, _) = PRIVILEGES_VERSION
        .rsplit_once('.')
        .unwrap_or((PRIVILEGES_VERSION, ""));
    Registry {
        id: format!("PrivilegeRegistry.{PRIVILEGES_VERSION}"),
        name: "Privilege Registry",
        registry: format!("PrivilegeRegistry.{version}"),
        publication_uri: None,
        content: Content::Privileges,
    }
}

/// The part of the tree below [`PATH`].
pub(crate) struct Registries {
    pub(crate) privileges: Arc<PrivilegeMap>,
}

impl Part for Registries {
    fn get(&self, rest: &[&str]) -> Result<Document, Failure> {
        get(rest)
    }
}

fn get(rest: &[&str]) -> Result<Document, Failure> {
    match *rest {
        [] => {
            let link = |registry: &Registry| Reference::to(format!("{PATH}/{}", registry.id));
            let members = all().iter().map(link).collect();
            let kind = &message_registry_file::COLLECTION;
            Document::of(&Collection::new(kind, PATH, "Registries", members))
        }
        [id] => file(find(id).ok_or(Failure::NotFound)?),
        _ => Err(Failure::NotFound),
    }
}

impl Registries {
    /// The registry with this `Id` by the name of its file.
    pub(crate) fn document(&self, id: &str, file: &str) -> Option<Vec<u8>> {
        let registry = find(id).filter(|_| file.strip_suffix(".json") == Some(id))?;
        let document = match registry.content {
            Content::Messages(messages) => message_map(messages, id),
            Content::Privileges => privilege_map(&self.privileges, id),
        };
        serde_json::to_vec(&document).ok()
    }
}

/// Where the privilege registry is.
pub(crate) fn privileges_uri() -> String {
    document_uri(&of_privileges().id)
}

fn document_uri(id: &str) -> String {
    format!("{PATH}/{id}/{id}.json")
}

fn find(id: &str) -> Option<Registry> {
    all().into_iter().find(|registry| registry.id == id)
}

fn file(registry: Registry) -> Result<Document, Failure> {
    let english = Location {
        language: Some("en".to_owned()),
        uri: Some(document_uri(&registry.id)),
        publication_uri: registry.publication_uri,
        ..Location::default()
    };
    Document::of(&MessageRegistryFile::new(
        format!("{PATH}/{}", registry.id),
        registry.id,
        registry.name,
        registry.registry,
        vec!["en".to_owned()],
        vec![english],
    ))
}

/// The messages of one of DMTF's registries that are sent. Their texts are DMTF's.
fn message_map(registry: &message::Registry, id: &str) -> Value {
    let messages: Map<String, Value> = registry
        .entries
        .iter()
        .map(|entry| {
            let message = json!({
                "Description": entry.description,
                "Message": entry.text,
                "Severity": entry.severity,
                "MessageSeverity": entry.severity,
                "NumberOfArgs": entry.args.len(),
                "ParamTypes": entry.arg_types,
                "ArgDescriptions": entry.args,
                "Resolution": entry.resolution,
            });
            (entry.key.to_owned(), message)
        })
        .collect();
    json!({
        "@odata.type": message_registry::TYPE.odata_type,
        "Id": id,
        "Name": registry.name,
        "Description": format!("The messages of DMTF's {} registry that this service sends.", registry.prefix),
        "Language": "en",
        "RegistryPrefix": registry.prefix,
        "RegistryVersion": registry.full_version,
        "OwningEntity": "DMTF",
        "Messages": messages,
    })
}

/// What every operation needs, by type of resource.
fn privilege_map(map: &PrivilegeMap, id: &str) -> Value {
    let mut registry = PrivilegeRegistry::new(id, "Privilege Registry");
    let description =
        "The privileges that an operation on a resource needs. One of the sets is enough.";
    registry.description = Some(description.into());
    let used = map.used();
    let words = used.names().filter_map(PrivilegeType::from_word);
    registry.privileges_used = Some(words.chain([PrivilegeType::NoAuth]).collect());
    registry.oem_privileges_used = Some(map.oem_names(used).map(str::to_owned).collect());
    let mappings = map
        .iter()
        .map(|(entity, needs)| mapping(map, entity, needs));
    registry.mappings = Some(mappings.collect());
    let mut document = serde_json::to_value(registry).unwrap_or_default();
    // The link from the account service makes it a resource, which has a path.
    document["@odata.id"] = document_uri(id).into();
    document
}

fn mapping(map: &PrivilegeMap, entity: &str, mapping: &privilege::Mapping) -> Mapping {
    let overrides = |overrides: &[Override]| -> Option<Vec<TargetPrivilegeMap>> {
        let overrides = overrides.iter().map(|other| TargetPrivilegeMap {
            targets: Some(other.targets.clone()),
            operation_map: Some(operation_map(map, &other.operations)),
        });
        Some(overrides.collect::<Vec<_>>()).filter(|overrides| !overrides.is_empty())
    };
    Mapping {
        entity: Some(entity.to_owned()),
        operation_map: Some(operation_map(map, &mapping.operations)),
        property_overrides: overrides(&mapping.properties),
        subordinate_overrides: overrides(&mapping.subordinates),
        resource_uri_overrides: overrides(&mapping.uris),
    }
}

fn operation_map(map: &PrivilegeMap, operations: &Operations) -> OperationMap {
    let sets = |operation: Operation| {
        let sets = operations.of(operation).iter();
        Some(sets.map(|&set| one_set(map, set)).collect())
    };
    OperationMap {
        get: sets(Operation::Get),
        head: sets(Operation::Head),
        patch: sets(Operation::Patch),
        post: sets(Operation::Post),
        put: sets(Operation::Put),
        delete: sets(Operation::Delete),
    }
}

/// Privileges that are needed together.
fn one_set(map: &PrivilegeMap, privileges: Privileges) -> OperationPrivilege {
    let mut names: Vec<_> = map
        .names(privileges)
        .into_iter()
        .map(str::to_owned)
        .collect();
    if names.is_empty() {
        names.push(PrivilegeType::NoAuth.as_str().to_owned());
    }
    OperationPrivilege {
        privilege: Some(names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(index: usize) -> Value {
        let registry = &all()[index];
        let file = format!("{}.json", registry.id);
        let registries = Registries {
            privileges: Arc::default(),
        };
        serde_json::from_slice(&registries.document(&registry.id, &file).unwrap()).unwrap()
    }

    #[test]
    fn every_registry_fits_its_schema() {
        for index in 0..all().len() {
            let problems = redfish_schema::validate(&written(index));
            assert!(problems.is_empty(), "{problems:?}");
        }
    }

    #[test]
    fn a_message_that_is_sent_is_in_the_registry_with_its_arguments() {
        let of = |prefix: &str| REGISTRIES.iter().position(|r| r.prefix == prefix).unwrap();
        let percent = &written(of("TaskEvent"))["Messages"]["TaskProgressChanged"];
        assert_eq!(percent["ParamTypes"], json!(["string", "number"]));
        let registry = written(of("Base"));
        let sent = message::property_value_not_in_list("a", "B");
        let entry = &registry["Messages"][sent.key()];
        assert_eq!(entry["NumberOfArgs"], 2);
        assert_eq!(entry["ArgDescriptions"], json!(["value", "property"]));
        let text = entry["Message"].as_str().unwrap();
        assert_eq!(text.replace("%1", "a").replace("%2", "B"), sent.text());
        assert_eq!(
            registry["Messages"].as_object().unwrap().len(),
            REGISTRIES[0].entries.len()
        );
    }

    #[test]
    fn the_privilege_registry_says_what_the_service_does() {
        let registry = written(REGISTRIES.len());
        let mappings = registry["Mappings"].as_array().unwrap();
        let of = |entity: &str| {
            let mapping = mappings.iter().find(|mapping| mapping["Entity"] == entity);
            mapping.unwrap()["OperationMap"].clone()
        };
        assert_eq!(of("ServiceRoot")["GET"], json!([{"Privilege": ["NoAuth"]}]));
        assert_eq!(
            of("SessionCollection")["POST"],
            json!([{"Privilege": ["NoAuth"]}])
        );
        assert_eq!(
            of("Session")["DELETE"],
            json!([{"Privilege": ["ConfigureManager"]}, {"Privilege": ["ConfigureSelf"]}])
        );
        assert_eq!(
            of("ComputerSystem")["PATCH"],
            json!([{"Privilege": ["ConfigureComponents"]}])
        );
        assert_eq!(mappings.len(), redfish_schema::all().len());
    }
}
