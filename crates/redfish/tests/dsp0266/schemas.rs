//! Schemas and registries, served by the service itself (DSP0266 "Schema definition", "Registries").

use std::collections::HashMap;

use regex_lite::Regex;
use serde_json::Value;

use crate::bench::Bench;
use crate::get::walk;

/// As much of JSON Schema 2020-12 as our documents use. A key word that it doesn't know is an error.
struct Schema<'a> {
    document: &'a Value,
    patterns: HashMap<String, Regex>,
}

/// Key words without influence on whether a value fits.
const NOTES: [&str; 18] = [
    "$schema",
    "$id",
    "$defs",
    "title",
    "format",
    "readOnly",
    "writeOnly",
    "deprecated",
    "enumDeprecated",
    "excerpt",
    "units",
    "requiredOnCreate",
    "requiredParameter",
    "parameters",
    // Checked with the key words that they belong to.
    "patternProperties",
    "additionalProperties",
    "properties",
    "items",
];

impl<'a> Schema<'a> {
    fn new(document: &'a Value) -> Self {
        Self {
            document,
            patterns: HashMap::new(),
        }
    }

    fn accepts(&mut self, value: &Value) -> bool {
        self.fits(self.document, value)
    }

    fn fits(&mut self, schema: &Value, value: &Value) -> bool {
        let schema = schema.as_object().unwrap();
        for (word, operand) in schema {
            let fits = match word.as_str() {
                "$ref" => {
                    let pointer = operand.as_str().unwrap().strip_prefix('#').unwrap();
                    let target = self.document.pointer(pointer);
                    self.fits(
                        target.unwrap_or_else(|| panic!("{pointer} leads nowhere")),
                        value,
                    )
                }
                "anyOf" => {
                    let any = operand.as_array().unwrap();
                    any.iter().any(|schema| self.fits(schema, value))
                }
                "type" => match operand {
                    Value::Array(any) => any.iter().any(|name| is_of_type(name, value)),
                    name => is_of_type(name, value),
                },
                "enum" => operand.as_array().unwrap().contains(value),
                "minimum" => value
                    .as_f64()
                    .is_none_or(|v| v >= operand.as_f64().unwrap()),
                "maximum" => value
                    .as_f64()
                    .is_none_or(|v| v <= operand.as_f64().unwrap()),
                "pattern" => value
                    .as_str()
                    .is_none_or(|text| self.matches(operand.as_str().unwrap(), text)),
                "required" => value.as_object().is_none_or(|object| {
                    let names = operand.as_array().unwrap().iter();
                    names
                        .map(|name| name.as_str().unwrap())
                        .all(|name| object.contains_key(name))
                }),
                note => {
                    assert!(NOTES.contains(&note), "{note} is no key word that we use");
                    true
                }
            };
            if !fits {
                return false;
            }
        }
        match value {
            Value::Array(items) => schema
                .get("items")
                .is_none_or(|schema| items.iter().all(|item| self.fits(schema, item))),
            Value::Object(members) => members
                .iter()
                .all(|(name, value)| self.member_fits(schema, name, value)),
            _ => true,
        }
    }

    fn member_fits(
        &mut self,
        schema: &serde_json::Map<String, Value>,
        name: &str,
        value: &Value,
    ) -> bool {
        let mut known = false;
        if let Some(property) = schema.get("properties").and_then(|all| all.get(name)) {
            known = true;
            if !self.fits(property, value) {
                return false;
            }
        }
        if let Some(Value::Object(patterns)) = schema.get("patternProperties") {
            for (pattern, property) in patterns {
                if self.matches(pattern, name) {
                    known = true;
                    if !self.fits(property, value) {
                        return false;
                    }
                }
            }
        }
        known || schema.get("additionalProperties") != Some(&Value::Bool(false))
    }

    fn matches(&mut self, pattern: &str, text: &str) -> bool {
        let compiled = || Regex::new(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        self.patterns
            .entry(pattern.to_owned())
            .or_insert_with(compiled)
            .is_match(text)
    }
}

fn is_of_type(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("JSON Schema has no type {other}"),
    }
}

#[tokio::test]
async fn every_resource_fits_the_schema_that_its_link_header_names() {
    let bench = Bench::new();
    let client = bench.client("reader").await;
    let mut schemas: HashMap<String, Value> = HashMap::new();
    for path in walk(&bench).await {
        let answer = client.get(&path).await;
        if answer.status == 403 {
            continue;
        }
        let Some(link) = answer.header("link") else {
            assert!(
                path.starts_with("/redfish/v1/Registries/Privilege"),
                "{path}"
            );
            continue;
        };
        let uri = link
            .strip_prefix('<')
            .unwrap()
            .split_once('>')
            .unwrap()
            .0
            .to_owned();
        if !schemas.contains_key(&uri) {
            let schema = client.get(&uri).await;
            assert_eq!(schema.header("content-type"), Some("application/json"));
            schemas.insert(uri.clone(), schema.json());
        }
        let (schema, mut document) = (&schemas[&uri], answer.json());
        assert_eq!(schema["$id"], *uri);
        assert!(Schema::new(schema).accepts(&document), "{path}");
        document["Nonsense"] = 1.into();
        assert!(
            !Schema::new(schema).accepts(&document),
            "{path}: nothing is added"
        );
        document.as_object_mut().unwrap().remove("Nonsense");
        document["Name"] = 1.into();
        assert!(
            !Schema::new(schema).accepts(&document),
            "{path}: a name is text"
        );
        document.as_object_mut().unwrap().remove("Name");
        assert!(
            !Schema::new(schema).accepts(&document),
            "{path}: a name is required"
        );
    }
    assert!(schemas.len() > 10, "{:?}", schemas.keys());
}

#[tokio::test]
async fn the_schema_of_every_type_is_whole_and_tells_what_a_client_needs() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let list = client.get("/redfish/v1/JsonSchemas").await.json();
    assert_eq!(list["Members@odata.count"], redfish_schema::all().len());
    for member in list["Members"].as_array().unwrap() {
        let file = client
            .get(member["@odata.id"].as_str().unwrap())
            .await
            .json();
        let uri = file["Location"][0]["Uri"].as_str().unwrap();
        let schema = client.get(uri).await.json();
        assert_eq!(schema["title"], file["Schema"], "{uri}");
        // Going through an empty document follows the reference to the type, and through its parts each other one.
        for definition in schema["$defs"].as_object().unwrap().values() {
            Schema::new(&schema).fits(definition, &serde_json::json!({}));
        }
        assert!(
            !Schema::new(&schema).accepts(&serde_json::json!({})),
            "{uri}"
        );
    }
    let system = client.get("/redfish/v1/Systems/1").await;
    let link = system.header("link").unwrap();
    let uri = link.strip_prefix('<').unwrap().split_once('>').unwrap().0;
    let schema = client.get(uri).await.json();
    let top = &schema["$defs"]["ComputerSystem"];
    assert_eq!(top["properties"]["Id"]["readOnly"], true);
    assert_eq!(top["properties"]["AssetTag"].get("readOnly"), None);
    let reset = &schema["$defs"]["Actions"]["properties"]["#ComputerSystem.Reset"];
    let kinds = reset["parameters"]["ResetType"]["$ref"].as_str().unwrap();
    let words = schema.pointer(kinds.strip_prefix('#').unwrap()).unwrap();
    assert!(
        words["enum"]
            .as_array()
            .unwrap()
            .contains(&"ForceOff".into())
    );
}

#[tokio::test]
async fn the_registries_are_listed_and_lie_where_the_list_says() {
    let bench = Bench::new();
    let client = bench.client("reader").await;
    let list = client.get("/redfish/v1/Registries").await.json();
    let mut prefixes = Vec::new();
    for member in list["Members"].as_array().unwrap() {
        let file = client
            .get(member["@odata.id"].as_str().unwrap())
            .await
            .json();
        let registry = client
            .get(file["Location"][0]["Uri"].as_str().unwrap())
            .await;
        registry.assert_valid();
        assert_eq!(registry.json()["Id"], file["Id"]);
        prefixes.push(file["Registry"].as_str().unwrap().to_owned());
    }
    let expected = [
        "Base.1.16",
        "HeartbeatEvent.1.0",
        "ResourceEvent.1.3",
        "SensorEvent.1.0",
        "TaskEvent.1.0",
        "Telemetry.1.0",
        "Update.1.0",
        "PrivilegeRegistry.1.1",
    ];
    assert_eq!(prefixes, expected);
    // What an error says is in the registry that its identifier names.
    let error = client.get("/redfish/v1/Nothing").await.json();
    let message = &error["error"]["@Message.ExtendedInfo"][0];
    let (registry, key) = message["MessageId"]
        .as_str()
        .unwrap()
        .rsplit_once('.')
        .unwrap();
    let uri = format!("/redfish/v1/Registries/{registry}.0/{registry}.0.json");
    let entry = &client.get(&uri).await.json()["Messages"][key];
    assert_eq!(entry["Resolution"], message["Resolution"]);
    let text = entry["Message"]
        .as_str()
        .unwrap()
        .replace("%1", "/redfish/v1/Nothing");
    assert_eq!(text, message["Message"]);
}

#[tokio::test]
async fn schema_documents_are_read_by_name_after_a_login_and_cached_by_tag() {
    let bench = Bench::new();
    let client = bench.client("reader").await;
    let uri = "/redfish/v1/JsonSchemas/RoleCollection/RoleCollection.json";
    assert_eq!(bench.call("GET", uri, &[], "").await.status, 401);
    let tag = client.get(uri).await.header("etag").unwrap().to_owned();
    let again = client
        .call("GET", uri, &[("if-none-match", &tag)], "")
        .await;
    assert_eq!(again.status, 304);
    client
        .call("DELETE", uri, &[], "")
        .await
        .assert_error(405, &["OperationNotAllowed"]);
    for missing in [
        "/redfish/v1/JsonSchemas/RoleCollection/Role.json",
        "/redfish/v1/JsonSchemas/RoleCollection/RoleCollection.json/x",
        "/redfish/v1/JsonSchemas/Role.v0_0_0",
        "/redfish/v1/Registries/Base.1.15.0/Base.1.15.0.json",
        "/redfish/v1/Registries/Base.1.16.0/Base.json",
    ] {
        client.get(missing).await.assert_error(404, &["InvalidURI"]);
    }
}
