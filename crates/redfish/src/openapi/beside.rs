//! What is served beside resources: the documents that describe the service, files of schemas and registries, the
//! monitors of tasks, the stream of events, and the place that images are pushed to.

use serde_json::{Map, Value, json};

use super::{COMPONENTS, answers, path_item};
use crate::resource::{event_service, json_schemas, registries, task_service, update_service};

/// Adds these places to `paths`. Some answer only where there is something for them, as resources do.
pub(super) fn add(paths: &mut Map<String, Value>) {
    let open = [
        ("/redfish", "application/json", "The versions of Redfish"),
        (
            "/redfish/v1/odata",
            "application/json",
            "The OData service document",
        ),
        (
            "/redfish/v1/$metadata",
            "application/xml",
            "The OData metadata document",
        ),
        (
            "/redfish/v1/openapi.yaml",
            "application/yaml",
            "This document",
        ),
    ];
    for (uri, media_type, what) in open {
        let mut place = file(uri, media_type, what);
        place["get"]["security"] = json!([]);
        paths.insert(uri.to_owned(), place);
    }
    let files = [
        (
            format!("{}/{{JsonSchemaFileId}}/{{File}}", json_schemas::PATH),
            "The schema",
        ),
        (
            format!("{}/{{MessageRegistryFileId}}/{{File}}", registries::PATH),
            "The registry",
        ),
        (registries::privileges_uri(), "The privilege registry"),
    ];
    for (uri, what) in files {
        let place = file(&uri, "application/json", what);
        paths.insert(uri, place);
    }
    paths.insert(event_service::STREAM.to_owned(), stream());
    let monitor = task_service::monitor_path("{TaskId}");
    let place = task_monitor(&monitor);
    paths.insert(monitor, place);
    paths.insert(update_service::PUSH.to_owned(), push());
}

/// A document that is only read.
fn file(uri: &str, media_type: &str, what: &str) -> Value {
    let mut operations = path_item(uri);
    let found = json!({"description": what, "content": {media_type: {}}});
    operations["get"] = json!({"responses": answers(&[("200", found)])});
    operations
}

/// `ServerSentEventUri` (DSP0266 "Server-sent events").
fn stream() -> Value {
    let events = json!({
        "description": "Events and metric reports, for as long as the connection lasts",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    });
    json!({"get": {
        "parameters": [
            {"$ref": format!("{COMPONENTS}/parameters/Filter")},
            {
                "name": "Last-Event-ID",
                "in": "header",
                "schema": {"type": "string"},
                "description": "The last event that the client has seen",
            },
        ],
        "responses": answers(&[("200", events)]),
    }})
}

/// A task monitor (DSP0266 "Asynchronous operations").
fn task_monitor(uri: &str) -> Value {
    let mut operations = path_item(uri);
    operations["get"] = json!({"responses": answers(&[
        ("200", json!({"description": "What the operation has answered"})),
        ("201", json!({"description": "What the operation has created"})),
        ("202", json!({"$ref": format!("{COMPONENTS}/responses/Accepted")})),
        ("204", json!({"description": "The operation is done"})),
    ])});
    operations["delete"] = json!({"responses": answers(&[
        ("204", json!({"description": "The operation is called off"})),
    ])});
    operations
}

/// `MultipartHttpPushUri` (DSP0266 "Multipart HTTP push updates").
fn push() -> Value {
    let form = json!({
        "type": "object",
        "properties": {
            "UpdateParameters": {
                "type": "object",
                "properties": {
                    "Targets": {"type": "array", "items": {"type": "string"}},
                    "ForceUpdate": {"type": "boolean"},
                    "@Redfish.OperationApplyTime": {
                        "type": "string",
                        "enum": ["Immediate", "OnStartUpdateRequest"],
                    },
                },
                "additionalProperties": false,
            },
            "UpdateFile": {"type": "string", "contentMediaType": "application/octet-stream"},
        },
        "required": ["UpdateParameters", "UpdateFile"],
    });
    let body = json!({"multipart/form-data": {
        "schema": form,
        "encoding": {"UpdateParameters": {"contentType": "application/json"}},
    }});
    json!({"post": {
        "requestBody": {"required": true, "content": body},
        "responses": answers(&[("202", json!({"$ref": format!("{COMPONENTS}/responses/Accepted")}))]),
    }})
}
