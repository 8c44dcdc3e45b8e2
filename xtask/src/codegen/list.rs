//! The list of what we serve, `crates/redfish-schema/schemas.toml`.

use std::collections::BTreeMap;

use toml::{Table, Value};

/// The parsed list.
pub(crate) struct List {
    /// Served resources by name.
    pub resources: BTreeMap<String, Selected>,
    /// Members to type of objects, by schema family and object name.
    pub objects: BTreeMap<(String, String), Vec<String>>,
}

/// What of a resource is typed.
pub(crate) struct Selected {
    /// Whether `{name}Collection` is served too.
    pub collection: bool,
    /// Properties that the typed structure has.
    pub properties: Vec<String>,
    /// Short names of actions that the typed structure has.
    pub actions: Vec<String>,
    /// Properties that a client may give when it adds an instance, though it can't change them later.
    pub on_create: Vec<String>,
}

impl List {
    /// Reads the list; an unknown key is an error.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let document: Table = text.parse().map_err(|e| format!("schemas.toml: {e}"))?;
        let mut list = Self {
            resources: BTreeMap::new(),
            objects: BTreeMap::new(),
        };
        for (section, entries) in &document {
            for (family, entry) in table(entries, section)? {
                let place = format!("{section}.{family}");
                let entry = table(entry, &place)?;
                match section.as_str() {
                    "resource" => {
                        list.resources
                            .insert(family.clone(), selected(entry, &place)?);
                    }
                    "object" => {
                        for (object, names) in entry {
                            let key = (family.clone(), object.clone());
                            list.objects
                                .insert(key, strings(names, &format!("{place}.{object}"))?);
                        }
                    }
                    _ => return Err(format!("schemas.toml: unknown section [{section}]")),
                }
            }
        }
        Ok(list)
    }
}

fn selected(entry: &Table, place: &str) -> Result<Selected, String> {
    let mut selected = Selected {
        collection: false,
        properties: Vec::new(),
        actions: Vec::new(),
        on_create: Vec::new(),
    };
    for (key, value) in entry {
        let place = format!("{place}.{key}");
        match key.as_str() {
            "collection" => {
                selected.collection = value
                    .as_bool()
                    .ok_or_else(|| format!("schemas.toml: {place}: not a bool"))?;
            }
            "properties" => selected.properties = strings(value, &place)?,
            "actions" => selected.actions = strings(value, &place)?,
            "on_create" => selected.on_create = strings(value, &place)?,
            _ => return Err(format!("schemas.toml: unknown key {place}")),
        }
    }
    Ok(selected)
}

fn table<'a>(value: &'a Value, place: &str) -> Result<&'a Table, String> {
    value
        .as_table()
        .ok_or_else(|| format!("schemas.toml: {place}: not a table"))
}

fn strings(value: &Value, place: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("schemas.toml: {place}: not a list of strings");
    let items = value.as_array().ok_or_else(wrong)?;
    items
        .iter()
        .map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_what_is_served_and_what_of_it_is_typed() {
        let text = "[resource.Fan]\ncollection = true\nproperties = [\"Id\"]\n\
                    [object.Fan]\nLinks = [\"CoolingChassis\"]\n";
        let list = List::parse(text).unwrap();
        assert!(list.resources["Fan"].collection);
        assert_eq!(list.resources["Fan"].properties, ["Id"]);
        assert_eq!(
            list.objects[&("Fan".into(), "Links".into())],
            ["CoolingChassis"]
        );
    }

    #[test]
    fn a_wrong_key_or_type_is_an_error_that_names_its_place() {
        for (text, place) in [
            ("[resources.Fan]", "[resources]"),
            ("[resource.Fan]\nproperty = []", "resource.Fan.property"),
            ("[resource.Fan]\ncollection = 1", "resource.Fan.collection"),
            ("[object.Fan]\nLinks = [1]", "object.Fan.Links"),
        ] {
            let error = List::parse(text).err().unwrap();
            assert!(error.contains(place), "{error}");
        }
    }
}
