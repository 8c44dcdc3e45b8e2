//! JSON Schema documents, written from the tables of `redfish-schema`.
//!
//! One document describes one resource type and all that is in it, with nothing outside: objects, enumerations and
//! the form of a link are in its `$defs`. It holds what the tables hold: types, ranges, patterns, words, what is
//! required, what is read-only or write-only, what is deprecated, units, and the parameters of actions with their
//! schemas. It has no descriptions; DMTF's own document, at the `PublicationUri`, has.

use std::collections::BTreeMap;
use std::ptr;

use redfish_schema::{Action, EnumType, Kind, ObjectType, Permission, Property, ResourceType};
use serde_json::{Map, Value, json};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Names of annotations (DSP0266 "Extending standard definitions").
const ANNOTATION: &str =
    r"^([A-Za-z_][A-Za-z0-9_]*)?@(odata|Redfish|Message)\.[A-Za-z_][A-Za-z0-9_]*$";

/// The schema of `kind`, whose own URI is `uri`.
pub(crate) fn document(kind: &'static ResourceType, uri: &str) -> Vec<u8> {
    let mut writer = Writer::default();
    let top = writer.reference(Definition::Object(kind.object));
    let mut definitions = Map::new();
    while let Some(definition) = writer.waiting.pop() {
        let schema = match definition {
            Definition::Object(object) => writer.object(object),
            Definition::Words(list) => words(list),
        };
        definitions.insert(writer.name(definition), schema);
    }
    definitions.insert("idRef".to_owned(), link());
    let document = json!({
        "$schema": DIALECT,
        "$id": uri,
        "title": kind.odata_type,
        "$ref": top,
        "required": ["@odata.type"],
        "$defs": definitions,
    });
    serde_json::to_vec(&document).unwrap_or_default()
}

/// What a document defines once and refers to by name.
#[derive(Clone, Copy)]
enum Definition {
    Object(&'static ObjectType),
    Words(&'static EnumType),
}

impl Definition {
    /// The table's address tells one from the other: names repeat, `Actions` for one.
    fn address(self) -> usize {
        match self {
            Self::Object(object) => ptr::from_ref(object).addr(),
            Self::Words(list) => ptr::from_ref(list).addr(),
        }
    }

    const fn short_name(self) -> &'static str {
        match self {
            Self::Object(object) => object.name,
            Self::Words(list) => list.name,
        }
    }
}

#[derive(Default)]
struct Writer {
    /// Names by address.
    names: BTreeMap<usize, String>,
    /// What is referred to and not yet written.
    waiting: Vec<Definition>,
}

impl Writer {
    fn name(&mut self, definition: Definition) -> String {
        if let Some(name) = self.names.get(&definition.address()) {
            return name.clone();
        }
        let short = definition.short_name();
        let mut name = short.to_owned();
        let mut number = 1;
        while self.names.values().any(|taken| *taken == name) {
            number += 1;
            name = format!("{short}{number}");
        }
        self.names.insert(definition.address(), name.clone());
        name
    }

    fn reference(&mut self, definition: Definition) -> String {
        if !self.names.contains_key(&definition.address()) {
            self.waiting.push(definition);
        }
        format!("#/$defs/{}", self.name(definition))
    }

    fn object(&mut self, object: &'static ObjectType) -> Value {
        let mut properties = Map::new();
        let mut required: Vec<&str> = Vec::new();
        let mut required_on_create: Vec<&str> = Vec::new();
        if object.is_entity {
            for name in ["@odata.id", "@odata.type", "@odata.context", "@odata.etag"] {
                properties.insert(name.to_owned(), json!({"type": "string", "readOnly": true}));
            }
            required.push("@odata.id");
        }
        for property in object.properties {
            properties.insert(property.name.to_owned(), self.property(property));
            if property.required {
                required.push(property.name);
            }
            if property.required_on_create {
                required_on_create.push(property.name);
            }
        }
        for action in object.actions {
            properties.insert(format!("#{}", action.name), self.action(action));
        }
        let mut patterns = Map::new();
        patterns.insert(ANNOTATION.to_owned(), json!({}));
        for dynamic in object.dynamic {
            let schema = self.kind(&dynamic.kind);
            patterns.insert(whole(dynamic.name.source()), schema);
        }
        let mut schema = json!({
            "type": "object",
            "properties": properties,
            "patternProperties": patterns,
            "additionalProperties": object.is_open,
        });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        if !required_on_create.is_empty() {
            schema["requiredOnCreate"] = json!(required_on_create);
        }
        schema
    }

    fn property(&mut self, property: &'static Property) -> Value {
        let mut schema = self.kind(&property.kind);
        if property.nullable {
            schema = json!({"anyOf": [schema, {"type": "null"}]});
        }
        match property.permission {
            Permission::Read => schema["readOnly"] = true.into(),
            Permission::Write | Permission::CreateOnly => {
                // A response has null for it.
                schema = json!({"anyOf": [schema, {"type": "null"}], "writeOnly": true});
            }
            Permission::ReadWrite | Permission::ByMember => {}
        }
        if property.deprecated {
            schema["deprecated"] = true.into();
        }
        if property.excerpt {
            schema["excerpt"] = true.into();
        }
        if let Some(unit) = property.unit {
            schema["units"] = unit.into();
        }
        schema
    }

    fn kind(&mut self, kind: &'static Kind) -> Value {
        match kind {
            Kind::Boolean => json!({"type": "boolean"}),
            Kind::Integer { minimum, maximum } => range("integer", *minimum, *maximum),
            Kind::Number { minimum, maximum } => range("number", *minimum, *maximum),
            Kind::String { pattern: None } => json!({"type": "string"}),
            Kind::String {
                pattern: Some(pattern),
            } => json!({"type": "string", "pattern": pattern.source()}),
            Kind::Uri => json!({"type": "string", "format": "uri-reference"}),
            Kind::DateTime => json!({"type": "string", "format": "date-time"}),
            Kind::Duration => json!({"type": "string", "format": "duration"}),
            Kind::Guid => json!({"type": "string", "format": "uuid"}),
            Kind::Primitive => json!({"type": ["string", "number", "boolean"]}),
            Kind::Enumeration(list) => json!({"$ref": self.reference(Definition::Words(list))}),
            Kind::Object(object) if object.is_entity => {
                let whole = json!({"$ref": self.reference(Definition::Object(object))});
                json!({"anyOf": [{"$ref": "#/$defs/idRef"}, whole]})
            }
            Kind::Object(object) => json!({"$ref": self.reference(Definition::Object(object))}),
            Kind::Reference(_) => json!({"$ref": "#/$defs/idRef"}),
            Kind::Array {
                item,
                nullable_items,
            } => {
                let item = self.kind(item);
                let items = if *nullable_items {
                    json!({"anyOf": [item, {"type": "null"}]})
                } else {
                    item
                };
                json!({"type": "array", "items": items})
            }
        }
    }

    /// The entry of an action, and below `parameters` the body that its target takes.
    fn action(&mut self, action: &'static Action) -> Value {
        let mut parameters = Map::new();
        for parameter in action.parameters {
            let mut schema = self.kind(&parameter.kind);
            if !parameter.nullable {
                schema["requiredParameter"] = true.into();
            }
            parameters.insert(parameter.name.to_owned(), schema);
        }
        json!({
            "type": "object",
            "properties": {
                "target": {"type": "string", "format": "uri-reference"},
                "title": {"type": "string"},
            },
            "patternProperties": {ANNOTATION: {}},
            "additionalProperties": false,
            "parameters": parameters,
        })
    }
}

fn words(list: &EnumType) -> Value {
    let mut schema = json!({"type": "string", "enum": list.members});
    if !list.deprecated.is_empty() {
        schema["enumDeprecated"] = json!(list.deprecated);
    }
    schema
}

fn link() -> Value {
    json!({
        "type": "object",
        "properties": {"@odata.id": {"type": "string", "format": "uri-reference", "readOnly": true}},
        "required": ["@odata.id"],
        "additionalProperties": false,
    })
}

fn range(name: &str, minimum: Option<i64>, maximum: Option<i64>) -> Value {
    let mut schema = json!({"type": name});
    for (key, bound) in [("minimum", minimum), ("maximum", maximum)] {
        if let Some(bound) = bound {
            schema[key] = bound.into();
        }
    }
    schema
}

/// A pattern for the whole of a name: JSON Schema looks for a match anywhere in it.
fn whole(pattern: &str) -> String {
    let inner = pattern.trim_start_matches('^').trim_end_matches('$');
    format!("^(?:{inner})$")
}
