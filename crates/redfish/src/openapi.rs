//! `/redfish/v1/openapi.yaml`: the places, methods and bodies of this service (DSP0266 "OpenAPI"; OpenAPI 3.1).
//!
//! It is written from the [templates](Template) that are served, and refers to the schemas at
//! [`/redfish/v1/JsonSchemas`](crate::resource::json_schemas).

mod beside;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use redfish_schema::{Action, Kind, ResourceType, is_required_parameter, resource_type};
use serde_json::{Map, Value, json};

use crate::Template;
use crate::resource::json_schemas::document_uri;
use crate::template::OWN;

/// What an error is answered with.
const ERROR: &str = "#/components/responses/Error";
const COMPONENTS: &str = "#/components";

/// The document for a service of this name and version, in front of a backend with these places.
pub(crate) fn document(title: &str, version: &str, backend: &[Template]) -> String {
    let mut yaml = String::with_capacity(64 * 1024);
    write_value(&mut yaml, &model(title, version, backend), 0);
    yaml
}

/// The places of the service and of its backend; one that both have can do what either does.
fn places(backend: &[Template]) -> Vec<Place> {
    let mut places: BTreeMap<&str, Place> = BTreeMap::new();
    for template in OWN.iter().chain(backend) {
        let place = places.entry(template.uri).or_insert_with(|| Place {
            actions: Vec::new(),
            template: *template,
        });
        place.template.is_changeable |= template.is_changeable;
        place.template.is_insertable |= template.is_insertable;
        place.template.is_deletable |= template.is_deletable;
        for action in template.actions {
            if !place.actions.contains(action) {
                place.actions.push(action);
            }
        }
    }
    places.into_values().collect()
}

/// A template with everything that somebody does there.
struct Place {
    template: Template,
    actions: Vec<&'static str>,
}

fn model(title: &str, version: &str, backend: &[Template]) -> Value {
    let mut paths = Map::new();
    for place in places(backend) {
        let uri = place.template.uri;
        let Some(kind) = resource_type(place.template.kind) else {
            continue;
        };
        paths.insert(uri.to_owned(), resource(&place.template, kind));
        for action in place.actions.iter().filter_map(|name| kind.action(name)) {
            let base = uri.trim_end_matches('/');
            paths.insert(format!("{base}/{}", action.path()), invoke(uri, action));
            if !action.parameters.is_empty() {
                let short = action.name.rsplit('.').next().unwrap_or_default();
                let info = &redfish_schema::action_info::TYPE;
                let template = Template::new(uri, info.name);
                paths.insert(
                    format!("{base}/{short}ActionInfo"),
                    resource(&template, info),
                );
            }
        }
    }
    beside::add(&mut paths);
    json!({
        "openapi": "3.1.1",
        "info": {"title": title, "version": version},
        "paths": paths,
        "security": [{"Basic": []}, {"Token": []}],
        "components": {
            "securitySchemes": {
                "Basic": {"type": "http", "scheme": "basic"},
                "Token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
            },
            "responses": {
                "Error": {
                    "description": "Why nothing or not all was done",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                },
                "Accepted": {
                    "description": "It goes on as a task; Location is its monitor",
                    "content": {"application/json": {"schema": {"$ref": schema_of("Task")}}},
                },
            },
            "schemas": {"Error": error_schema()},
            "parameters": parameters(),
        },
    })
}

/// The operations on a resource or collection.
fn resource(template: &Template, kind: &'static ResourceType) -> Value {
    let schema = json!({"$ref": document_uri(kind)});
    let body = |schema: &Value| json!({"application/json": {"schema": schema}});
    let shown = |description: &str| json!({"description": description, "content": body(&schema)});
    let query = |name: &str| json!({"$ref": format!("{COMPONENTS}/parameters/{name}")});
    let queries: &[&str] = if kind.is_collection() {
        &["Expand", "Filter", "Select", "Skip", "Top"]
    } else {
        &["Expand", "Select"]
    };
    let queries: Vec<Value> = queries.iter().map(|name| query(name)).collect();
    let mut operations = path_item(template.uri);
    operations["get"] = json!({
        "parameters": queries,
        "responses": answers(&[("200", shown("The resource"))]),
    });
    if kind.name == "ServiceRoot" {
        operations["get"]["security"] = json!([]);
    }
    let accepted = || json!({"$ref": format!("{COMPONENTS}/responses/Accepted")});
    if template.is_changeable {
        operations["patch"] = json!({
            "requestBody": {"required": true, "content": body(&schema)},
            "responses": answers(&[("200", shown("The changed resource")), ("202", accepted())]),
        });
    }
    if let Some(member) = kind.member_type.filter(|_| template.is_insertable) {
        let schema = json!({"$ref": schema_of(member)});
        let created = json!({"description": "The new member", "content": body(&schema)});
        operations["post"] = json!({
            "requestBody": {"required": true, "content": body(&schema)},
            "responses": answers(&[("201", created), ("202", accepted())]),
        });
        if member == "Session" {
            operations["post"]["security"] = json!([]);
        }
    }
    if template.is_deletable {
        operations["delete"] = json!({
            "responses": answers(&[("204", json!({"description": "It is gone"})), ("202", accepted())]),
        });
    }
    operations
}

/// POST to an action's target.
fn invoke(uri: &str, action: &'static Action) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for parameter in action.parameters {
        properties.insert(parameter.name.to_owned(), parameter_schema(&parameter.kind));
        if is_required_parameter(parameter) {
            required.push(parameter.name);
        }
    }
    let schema = json!({"type": "object", "properties": properties, "required": required});
    let mut operations = path_item(uri);
    operations["post"] = json!({
        "requestBody": {
            "required": !required.is_empty(),
            "content": {"application/json": {"schema": schema}},
        },
        "responses": answers(&[
            ("200", json!({"description": "What the action answers, if anything"})),
            ("202", json!({"$ref": format!("{COMPONENTS}/responses/Accepted")})),
            ("204", json!({"description": "It is done"})),
        ]),
    });
    operations
}

/// A place with its parts that differ from resource to resource.
fn path_item(uri: &str) -> Value {
    let names = uri.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        Some(json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
    });
    let names: Vec<Value> = names.collect();
    if names.is_empty() {
        json!({})
    } else {
        json!({"parameters": names})
    }
}

fn answers(known: &[(&str, Value)]) -> Value {
    let mut answers: Map<String, Value> = known
        .iter()
        .map(|(status, answer)| ((*status).to_owned(), answer.clone()))
        .collect();
    answers.insert("default".to_owned(), json!({"$ref": ERROR}));
    Value::Object(answers)
}

fn schema_of(kind: &str) -> String {
    resource_type(kind).map(document_uri).unwrap_or_default()
}

fn parameter_schema(kind: &Kind) -> Value {
    match kind {
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Integer { minimum, maximum } => bounded("integer", *minimum, *maximum),
        Kind::Number { minimum, maximum } => bounded("number", *minimum, *maximum),
        Kind::Enumeration(list) => json!({"type": "string", "enum": list.members}),
        Kind::String {
            pattern: Some(pattern),
        } => {
            json!({"type": "string", "pattern": pattern.source()})
        }
        Kind::Primitive => json!({"type": ["string", "number", "boolean"]}),
        Kind::Object(_) | Kind::Reference(_) => json!({"type": "object"}),
        Kind::Array { item, .. } => json!({"type": "array", "items": parameter_schema(item)}),
        Kind::String { pattern: None }
        | Kind::Uri
        | Kind::DateTime
        | Kind::Duration
        | Kind::Guid => json!({"type": "string"}),
    }
}

fn bounded(name: &str, minimum: Option<i64>, maximum: Option<i64>) -> Value {
    let mut schema = json!({"type": name});
    for (key, bound) in [("minimum", minimum), ("maximum", maximum)] {
        if let Some(bound) = bound {
            schema[key] = bound.into();
        }
    }
    schema
}

/// DSP0266 "Error responses".
fn error_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "error": {
                "type": "object",
                "properties": {
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                    "@Message.ExtendedInfo": {"type": "array", "items": {"type": "object"}},
                },
                "required": ["code", "message"],
            },
        },
        "required": ["error"],
    })
}

/// DSP0266 "Query parameters".
fn parameters() -> Value {
    let query =
        |name: &str, kind: &str| json!({"name": name, "in": "query", "schema": {"type": kind}});
    json!({
        "Expand": query("$expand", "string"),
        "Filter": query("$filter", "string"),
        "Select": query("$select", "string"),
        "Skip": query("$skip", "integer"),
        "Top": query("$top", "integer"),
    })
}

/// Writes a value as YAML 1.2 in block style. Scalars and keys are written as JSON writes them, which is YAML, too.
fn write_value(yaml: &mut String, value: &Value, depth: usize) {
    // Writing to a String can't fail.
    match value {
        Value::Object(object) if !object.is_empty() => {
            for (index, (key, value)) in object.iter().enumerate() {
                if index > 0 {
                    indent(yaml, depth);
                }
                let _ = write!(yaml, "{}:", Value::from(key.as_str()));
                write_below(yaml, value, depth + 1);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    indent(yaml, depth);
                }
                yaml.push_str("- ");
                write_value(yaml, item, depth + 1);
            }
        }
        scalar => {
            let _ = writeln!(yaml, "{scalar}");
        }
    }
}

fn write_below(yaml: &mut String, value: &Value, depth: usize) {
    let is_block = match value {
        Value::Object(object) => !object.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if is_block {
        yaml.push('\n');
        indent(yaml, depth);
    } else {
        yaml.push(' ');
    }
    write_value(yaml, value, depth);
}

fn indent(yaml: &mut String, depth: usize) {
    for _ in 0..depth {
        yaml.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_in_block_style() {
        let value =
            json!({"a": {"b": [1, {"c": null, "d": "x: y"}, [true, []]]}, "e": {}, "200": "\"\n"});
        let mut yaml = String::new();
        write_value(&mut yaml, &value, 0);
        let lines = [
            r#""200": "\"\n""#,
            r#""a":"#,
            r#"  "b":"#,
            "    - 1",
            r#"    - "c": null"#,
            r#"      "d": "x: y""#,
            "    - - true",
            "      - []",
            r#""e": {}"#,
        ];
        assert_eq!(yaml, lines.join("\n") + "\n");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
            match value {
                Value::Object(object) => {
                    found.extend(object.get("$ref").and_then(Value::as_str));
                    object.values().for_each(|value| references(value, found));
                }
                Value::Array(items) => items.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let model = model("Test", "1.0", &[]);
        let mut found = Vec::new();
        references(&model, &mut found);
        assert!(found.len() > 100);
        for reference in found {
            match reference.strip_prefix('#') {
                Some(pointer) => assert!(model.pointer(pointer).is_some(), "{reference}"),
                None => {
                    let known = redfish_schema::all().iter();
                    let mut known = known.map(|kind| document_uri(kind));
                    assert!(known.any(|uri| uri == reference), "{reference}");
                }
            }
        }
    }

    #[test]
    fn what_both_sides_have_can_do_what_either_does() {
        let uri = "/redfish/v1/Managers/{ManagerId}/EthernetInterfaces/{EthernetInterfaceId}";
        let theirs = [Template::new(uri, "EthernetInterface").changeable()];
        let is_changeable =
            |backend: &[Template]| model("Test", "1.0", backend)["paths"][uri]["patch"].is_object();
        assert!(!is_changeable(&[]));
        assert!(is_changeable(&theirs));
    }
}
