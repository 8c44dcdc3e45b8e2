//! An operator's privilege registry: a document of the type `PrivilegeRegistry` that changes parts of the service's own.

use std::fmt;

use redfish_schema::{is_entity, resource_type};
use serde::Deserialize;

use super::map::{Enough, Mapping, Operations, Override, PrivilegeMap};
use super::{MAX_OEM_PRIVILEGES, Operation, Privileges};

/// The longest document, in bytes. DMTF's own has about 200,000.
pub const MAX_PRIVILEGE_REGISTRY_BYTES: usize = 1024 * 1024;
/// How many overrides of each kind one mapping may have, and how many targets one of them.
pub const MAX_OVERRIDES: usize = 64;

/// Properties that every resource shows to everybody who may read it.
const ALWAYS_SHOWN: [&str; 4] = ["@odata.id", "@odata.type", "Id", "Name"];

/// What is wrong with a privilege registry, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivilegeRegistryError {
    place: String,
    problem: String,
}

impl PrivilegeRegistryError {
    fn at(place: &str, problem: impl Into<String>) -> Self {
        Self {
            place: place.to_owned(),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for PrivilegeRegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            f.write_str(&self.problem)
        } else {
            write!(f, "{}: {}", self.place, self.problem)
        }
    }
}

impl std::error::Error for PrivilegeRegistryError {}

type Parsed<T> = Result<T, PrivilegeRegistryError>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RegistryText {
    #[serde(rename = "@odata.type")]
    odata_type: String,
    #[serde(default)]
    privileges_used: Vec<String>,
    #[serde(rename = "OEMPrivilegesUsed", default)]
    oem_privileges_used: Vec<String>,
    mappings: Vec<MappingText>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct MappingText {
    entity: String,
    #[serde(default)]
    operation_map: OperationsText,
    /// Those that are there already stay, if there are no others.
    property_overrides: Option<Vec<OverrideText>>,
    #[serde(default)]
    subordinate_overrides: Vec<OverrideText>,
    #[serde(rename = "ResourceURIOverrides", default)]
    resource_uri_overrides: Vec<OverrideText>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OverrideText {
    targets: Vec<String>,
    operation_map: OperationsText,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "UPPERCASE", deny_unknown_fields)]
struct OperationsText {
    get: Option<Vec<SetText>>,
    head: Option<Vec<SetText>>,
    patch: Option<Vec<SetText>>,
    post: Option<Vec<SetText>>,
    put: Option<Vec<SetText>>,
    delete: Option<Vec<SetText>>,
}

impl OperationsText {
    const fn of(&self, operation: Operation) -> Option<&Vec<SetText>> {
        match operation {
            Operation::Get => self.get.as_ref(),
            // What may be read may be asked for.
            Operation::Head => match &self.head {
                Some(head) => Some(head),
                None => self.get.as_ref(),
            },
            Operation::Patch => self.patch.as_ref(),
            Operation::Post => self.post.as_ref(),
            Operation::Put => self.put.as_ref(),
            Operation::Delete => self.delete.as_ref(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SetText {
    privilege: Vec<String>,
}

impl PrivilegeMap {
    /// The service's own map with what a registry of the operator says in its place: the JSON of a
    /// `PrivilegeRegistry`. A mapping replaces that of its entity; an operation that it leaves out stays as it was.
    ///
    /// # Errors
    /// [`PrivilegeRegistryError`] names the place and the problem: no such document, an entity or a privilege that
    /// doesn't exist, or more than the bounds above.
    pub fn parse(json: &str) -> Result<Self, PrivilegeRegistryError> {
        let whole = |problem: String| PrivilegeRegistryError::at("", problem);
        if json.len() > MAX_PRIVILEGE_REGISTRY_BYTES {
            return Err(whole(format!(
                "it is longer than {MAX_PRIVILEGE_REGISTRY_BYTES} bytes"
            )));
        }
        let text: RegistryText = serde_json::from_str(json).map_err(|e| whole(e.to_string()))?;
        if !text.odata_type.starts_with("#PrivilegeRegistry.") {
            let found = &text.odata_type;
            return Err(whole(format!(
                "its @odata.type is '{found}', not that of a PrivilegeRegistry"
            )));
        }
        let mut map = Self::default();
        map.name_oem(text.oem_privileges_used)?;
        let unknown = text
            .privileges_used
            .iter()
            .find(|name| Privileges::from_name(name).is_none() && *name != NO_AUTH);
        if let Some(name) = unknown {
            return Err(unknown_privilege("PrivilegesUsed", name));
        }
        let entities = text.mappings.iter().map(|mapping| mapping.entity.as_str());
        let (unserved, unknown): (Vec<&str>, Vec<&str>) = entities
            .filter(|entity| resource_type(entity).is_none())
            .partition(|entity| is_entity(entity));
        if !unknown.is_empty() {
            let problem = format!("Redfish has no entity {}; leave it out", unknown.join(", "));
            return Err(PrivilegeRegistryError::at("Mappings", problem));
        }
        if !unserved.is_empty() {
            // DMTF's own registry names everything there is.
            let entities = unserved.join(", ");
            tracing::warn!(%entities, "the privilege registry is about entities that the service doesn't have");
        }
        let mut seen = Vec::new();
        for mapping in &text.mappings {
            let place = format!("Mappings/{}", mapping.entity);
            if seen.contains(&&mapping.entity) {
                return Err(PrivilegeRegistryError::at(&place, "it is there twice"));
            }
            seen.push(&mapping.entity);
            map.read_mapping(&place, mapping)?;
        }
        Ok(map)
    }

    fn name_oem(&mut self, names: Vec<String>) -> Parsed<()> {
        let at = |problem: String| PrivilegeRegistryError::at("OEMPrivilegesUsed", problem);
        if names.len() > MAX_OEM_PRIVILEGES {
            return Err(at(format!("there are more than {MAX_OEM_PRIVILEGES}")));
        }
        for (index, name) in names.iter().enumerate() {
            let is_word = !name.is_empty()
                && name.len() <= 64
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
            if !is_word || Privileges::from_name(name).is_some() || name == NO_AUTH {
                return Err(at(format!(
                    "'{name}' can't be the name of a privilege: take up to 64 letters, digits, '_', '-' and '.', and no \
                     name of Redfish's own"
                )));
            }
            if names[..index].contains(name) {
                return Err(at(format!("'{name}' is there twice")));
            }
        }
        self.oem = names;
        Ok(())
    }

    fn read_mapping(&mut self, place: &str, text: &MappingText) -> Parsed<()> {
        let Some(kind) = resource_type(&text.entity) else {
            return Ok(());
        };
        let before = self.mapping(kind.name);
        let operations =
            self.read_operations(place, &text.entity, &text.operation_map, &before.operations)?;
        let overrides = |name: &str, texts: &[OverrideText]| -> Parsed<Vec<Override>> {
            let place = format!("{place}/{name}");
            if texts.len() > MAX_OVERRIDES || texts.iter().any(|o| o.targets.len() > MAX_OVERRIDES)
            {
                let problem = format!("there are more than {MAX_OVERRIDES}");
                return Err(PrivilegeRegistryError::at(&place, problem));
            }
            let read = |text: &OverrideText| {
                let map = &text.operation_map;
                Ok(Override {
                    targets: text.targets.clone(),
                    operations: self.read_operations(&place, "", map, &operations)?,
                })
            };
            texts.iter().map(read).collect()
        };
        let mut mapping = Mapping {
            properties: match &text.property_overrides {
                Some(texts) => overrides("PropertyOverrides", texts)?,
                None => before.properties.clone(),
            },
            subordinates: overrides("SubordinateOverrides", &text.subordinate_overrides)?,
            uris: overrides("ResourceURIOverrides", &text.resource_uri_overrides)?,
            operations,
        };
        let at = |name: &str, problem: String| {
            PrivilegeRegistryError::at(&format!("{place}/{name}"), problem)
        };
        let targets = |overrides: &[Override]| -> Vec<String> {
            overrides.iter().flat_map(|o| o.targets.clone()).collect()
        };
        for name in targets(&mapping.properties) {
            if kind.property(&name).is_none() || ALWAYS_SHOWN.contains(&name.as_str()) {
                let problem = format!("'{name}' is no property of it that can have its own needs");
                return Err(at("PropertyOverrides", problem));
            }
        }
        for name in targets(&mapping.subordinates) {
            // One that isn't served is never above anything: its override never holds.
            if !is_entity(&name) {
                let problem = format!("Redfish has no entity {name}");
                return Err(at("SubordinateOverrides", problem));
            }
        }
        for other in &mut mapping.uris {
            for uri in &mut other.targets {
                match crate::Path::parse(uri) {
                    Ok(path) => *uri = path.to_string(),
                    Err(_) => {
                        let problem = format!("'{uri}' is no path below {}", crate::ROOT);
                        return Err(at("ResourceURIOverrides", problem));
                    }
                }
            }
        }
        self.set_mapping(kind.name, mapping);
        Ok(())
    }

    /// What a map says, and where it says nothing, what `before` does.
    fn read_operations(
        &self,
        place: &str,
        entity: &str,
        text: &OperationsText,
        before: &Operations,
    ) -> Parsed<Operations> {
        let mut operations = before.clone();
        for operation in Operation::ALL {
            let Some(sets) = text.of(operation) else {
                continue;
            };
            let read = |set: &SetText| self.read_set(place, set);
            let enough: Enough = sets.iter().map(read).collect::<Parsed<_>>()?;
            // Whoever isn't logged in reaches the root and the login and nothing else, whatever a map says.
            let is_open = matches!(
                (entity, operation),
                ("ServiceRoot", Operation::Get | Operation::Head)
                    | ("SessionCollection", Operation::Post)
            );
            if is_open != enough.contains(&Privileges::NONE) {
                let problem = if is_open {
                    format!("reading the root and logging in are {NO_AUTH}, and stay so")
                } else {
                    format!("{NO_AUTH} is for reading the root and for logging in only")
                };
                return Err(PrivilegeRegistryError::at(place, problem));
            }
            operations.set(operation, enough);
        }
        Ok(operations)
    }

    /// Privileges that are needed together.
    fn read_set(&self, place: &str, set: &SetText) -> Parsed<Privileges> {
        if set.privilege.is_empty() {
            let problem = "a set without any privilege; leave the set out to let nobody in";
            return Err(PrivilegeRegistryError::at(place, problem));
        }
        let mut needed = Privileges::NONE;
        for name in &set.privilege {
            if name == NO_AUTH {
                if set.privilege.len() == 1 {
                    continue;
                }
                let problem = format!("{NO_AUTH} can't be needed together with others");
                return Err(PrivilegeRegistryError::at(place, problem));
            }
            let one = self.privilege(name);
            needed = needed.and(one.ok_or_else(|| unknown_privilege(place, name))?);
        }
        Ok(needed)
    }
}

/// The privilege that isn't needed.
const NO_AUTH: &str = "NoAuth";

fn unknown_privilege(place: &str, name: &str) -> PrivilegeRegistryError {
    let problem = format!(
        "there is no privilege '{name}'; a privilege that isn't Redfish's own stands in OEMPrivilegesUsed"
    );
    PrivilegeRegistryError::at(place, problem)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::map::Holder;
    use super::*;

    fn document(oem: Value, mappings: Value) -> String {
        json!({
            "@odata.type": "#PrivilegeRegistry.v1_1_4.PrivilegeRegistry",
            "Id": "Ours",
            "Name": "Ours",
            "PrivilegesUsed": ["Login", "ConfigureManager", "NoAuth"],
            "OEMPrivilegesUsed": oem,
            "Mappings": mappings,
        })
        .to_string()
    }

    fn parse(mappings: Value) -> Result<PrivilegeMap, PrivilegeRegistryError> {
        PrivilegeMap::parse(&document(json!(["Lights"]), mappings))
    }

    fn holder(has: Privileges) -> Holder {
        Holder { has, owns: false }
    }

    #[test]
    fn a_mapping_replaces_what_it_names_and_leaves_the_rest() {
        let map = parse(json!([{
            "Entity": "Chassis",
            "OperationMap": {"PATCH": [{"Privilege": ["Lights", "Login"]}]},
        }]))
        .unwrap();
        let lights = map.privilege("Lights").unwrap();
        let may = |has, operation| {
            map.permits(holder(has), "Chassis", "/redfish/v1/Chassis/1", operation)
        };
        assert!(may(lights.and(Privileges::LOGIN), Operation::Patch));
        assert!(!may(lights, Operation::Patch), "both are needed together");
        assert!(!may(Privileges::ALL, Operation::Patch));
        assert!(may(Privileges::LOGIN, Operation::Get), "as it was");
        let system = holder(Privileges::CONFIGURE_COMPONENTS);
        assert!(map.permits(system, "ComputerSystem", "", Operation::Patch));
    }

    #[test]
    fn entities_that_are_not_served_are_passed_over_with_everything_about_them() {
        let map = parse(json!([
            {"Entity": "Volume", "OperationMap": {"PATCH": [{"Privilege": ["Lights"]}]}},
            {"Entity": "Chassis", "OperationMap": {"PATCH": [{"Privilege": ["Lights"]}]}},
            {
                "Entity": "LogService",
                "SubordinateOverrides": [{
                    "Targets": ["Fabric", "LogServiceCollection"],
                    "OperationMap": {"PATCH": [{"Privilege": ["Lights"]}]},
                }],
            },
        ]))
        .unwrap();
        let lights = holder(map.privilege("Lights").unwrap());
        let patch = Operation::Patch;
        assert!(map.permits(lights, "Chassis", "/redfish/v1/Chassis/1", patch));
        let log = "/redfish/v1/Managers/1/LogServices/SEL";
        assert!(!map.permits(lights, "LogService", log, patch));
    }

    #[test]
    fn overrides_hold_for_their_properties_places_and_uris() {
        let needs = |name: &str| json!({"PATCH": [{"Privilege": [name]}]});
        let map = parse(json!([
            {
                "Entity": "ComputerSystem",
                "PropertyOverrides": [{"Targets": ["AssetTag"], "OperationMap": needs("ConfigureUsers")}],
                "ResourceURIOverrides": [
                    {"Targets": ["/redfish/v1/Systems/7/"], "OperationMap": needs("ConfigureManager")},
                ],
            },
            {
                "Entity": "LogService",
                "SubordinateOverrides": [
                    {"Targets": ["ComputerSystem", "LogServiceCollection"], "OperationMap": needs("ConfigureComponents")},
                ],
            },
        ]))
        .unwrap();
        let (users, manager, components) = (
            holder(Privileges::CONFIGURE_USERS),
            holder(Privileges::CONFIGURE_MANAGER),
            holder(Privileges::CONFIGURE_COMPONENTS),
        );
        let patch = Operation::Patch;
        let system = |who, id| {
            map.permits(
                who,
                "ComputerSystem",
                &format!("/redfish/v1/Systems/{id}"),
                patch,
            )
        };
        assert!(system(components, 1) && !system(manager, 1));
        assert!(system(manager, 7) && !system(components, 7));
        let tag = |who| map.permits_property(who, "ComputerSystem", "", patch, "AssetTag");
        assert!(tag(users) && !tag(components));
        let log = |who, path: &str| map.permits(who, "LogService", path, patch);
        assert!(log(components, "/redfish/v1/Systems/1/LogServices/SEL"));
        assert!(!log(components, "/redfish/v1/Managers/1/LogServices/SEL"));
        assert!(log(manager, "/redfish/v1/Managers/1/LogServices/SEL"));
    }

    #[test]
    fn ones_own_password_stays_ones_own_unless_the_registry_says_otherwise() {
        let own = Holder {
            has: Privileges::CONFIGURE_SELF,
            owns: true,
        };
        let may = |mapping: Value| {
            let map = parse(json!([mapping])).unwrap();
            map.permits_property(own, "ManagerAccount", "", Operation::Patch, "Password")
        };
        assert!(may(json!({"Entity": "ManagerAccount"})));
        assert!(!may(
            json!({"Entity": "ManagerAccount", "PropertyOverrides": []})
        ));
    }

    #[test]
    fn what_can_not_be_understood_is_refused_with_its_place() {
        let map = |needs: Value| json!([{"Entity": "Chassis", "OperationMap": needs}]);
        for (mappings, words) in [
            (json!([{"Entity": "Volum"}]), "Volum"),
            (
                json!([{"Entity": "Chassis"}, {"Entity": "Chassis"}]),
                "twice",
            ),
            (map(json!({"PATCH": [{"Privilege": ["Fly"]}]})), "'Fly'"),
            (map(json!({"PATCH": [{"Privilege": []}]})), "without any"),
            (map(json!({"PATCH": [{"Privilege": ["NoAuth"]}]})), "NoAuth"),
            (map(json!({"PUSH": []})), "PUSH"),
            (
                json!([{"Entity": "Chassis", "PropertyOverrides": [{"Targets": ["Colour"], "OperationMap": {}}]}]),
                "'Colour'",
            ),
            (
                json!([{"Entity": "Chassis", "ResourceURIOverrides": [{"Targets": ["/etc"], "OperationMap": {}}]}]),
                "'/etc'",
            ),
            (
                json!([{"Entity": "Chassis", "SubordinateOverrides": [{"Targets": ["Rack"], "OperationMap": {}}]}]),
                "Rack",
            ),
        ] {
            let error = parse(mappings).unwrap_err().to_string();
            assert!(error.contains(words), "{words}: {error}");
        }
        assert!(PrivilegeMap::parse("{}").is_err());
        assert!(PrivilegeMap::parse(&document(json!(["Login"]), json!([]))).is_err());
        assert!(PrivilegeMap::parse(&document(json!(["A", "A"]), json!([]))).is_err());
        let many: Vec<String> = (0..=MAX_OEM_PRIVILEGES).map(|n| format!("P{n}")).collect();
        assert!(PrivilegeMap::parse(&document(json!(many), json!([]))).is_err());
    }
}
