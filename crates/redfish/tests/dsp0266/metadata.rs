//! `/redfish`, the OData service document and `$metadata` (DSP0266 "Redfish-defined URIs and relative reference rules", "OData $metadata", "OData service document").

use redfish::Template;

use crate::bench::Bench;

#[tokio::test]
async fn the_way_in_needs_no_login() {
    let bench = Bench::new();
    for uri in [
        "/redfish",
        "/redfish/",
        "/redfish/v1",
        "/redfish/v1/",
        "/redfish/v1/odata",
        "/redfish/v1/odata/",
        "/redfish/v1/$metadata",
        "/redfish/v1/openapi.yaml",
    ] {
        assert_eq!(bench.call("GET", uri, &[], "").await.status, 200, "{uri}");
        let wrong = [("x-auth-token", "wrong"), ("authorization", "Basic wrong")];
        assert_eq!(
            bench.call("GET", uri, &wrong, "").await.status,
            200,
            "{uri}"
        );
    }
    assert_eq!(
        bench.call("GET", "/redfish", &[], "").await.body,
        "{\"v1\":\"/redfish/v1/\"}"
    );
}

#[tokio::test]
async fn the_service_document_names_the_root_and_its_links() {
    let bench = Bench::new();
    let answer = bench.call("GET", "/redfish/v1/odata", &[], "").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let json = answer.json();
    assert_eq!(json["@odata.context"], "/redfish/v1/$metadata");
    let value = json["value"].as_array().unwrap();
    for (name, url) in [
        ("Service", "/redfish/v1/"),
        ("Systems", "/redfish/v1/Systems"),
    ] {
        assert!(
            value
                .iter()
                .any(|v| v["name"] == name && v["url"] == url && v["kind"] == "Singleton"),
            "{json}"
        );
    }
}

#[tokio::test]
async fn the_metadata_is_xml_with_an_entity_container() {
    let bench = Bench::new();
    let answer = bench.call("GET", "/redfish/v1/$metadata", &[], "").await;
    assert_eq!(answer.header("content-type"), Some("application/xml"));
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(text.contains("<edmx:Include Namespace=\"ComputerSystem\"/>"));
    assert!(text.contains(
        "<EntityContainer Name=\"Service\" Extends=\"ServiceRoot.v1_0_0.ServiceContainer\"/>"
    ));
}

#[tokio::test]
async fn the_openapi_document_has_every_place_with_its_methods_and_schemas() {
    let bench = Bench::new();
    let uri = "/redfish/v1/openapi.yaml";
    let answer = bench.call("GET", uri, &[], "").await;
    assert_eq!(answer.header("content-type"), Some("application/yaml"));
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    for line in [
        "\"openapi\": \"3.1.1\"",
        "  \"/redfish/v1/Systems/{ComputerSystemId}\":",
        "  \"/redfish/v1/Systems/{ComputerSystemId}/Actions/ComputerSystem.Reset\":",
        "  \"/redfish/v1/Systems/{ComputerSystemId}/ResetActionInfo\":",
        "  \"/redfish/v1/EventService/SSE\":",
        "  \"/redfish/v1/UpdateService/update-multipart\":",
        "  \"/redfish/v1/TaskService/TaskMonitors/{TaskId}\":",
        "  \"/redfish/v1/Registries/{MessageRegistryFileId}/{File}\":",
        "  \"/redfish/v1/JsonSchemas/{JsonSchemaFileId}/{File}\":",
        "  \"/redfish/v1/$metadata\":",
    ] {
        assert!(text.lines().any(|other| other == line), "{line}");
    }
    for template in bench.service.templates() {
        let line = format!("  {:?}:", template.uri);
        assert!(text.lines().any(|other| other == line), "{line}");
    }
    let root = bench.client("root").await;
    let account_service = root.get("/redfish/v1/AccountService").await.json();
    let map = account_service["PrivilegeMap"]["@odata.id"].as_str();
    let line = format!("  {:?}:", map.unwrap());
    assert!(text.lines().any(|other| other == line), "{line}");
    let tag = answer.header("etag").unwrap();
    let again = bench.call("GET", uri, &[("if-none-match", tag)], "").await;
    assert_eq!(again.status, 304);
    let gzip = bench
        .call("GET", uri, &[("accept-encoding", "gzip")], "")
        .await;
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    assert!(gzip.body.len() * 5 < answer.body.len());
    let post = bench.call("POST", uri, &[], "").await;
    assert_eq!(post.header("allow"), Some("GET, HEAD"));
}

#[tokio::test]
async fn every_resource_is_at_a_place_that_is_announced_and_can_what_is_said_there() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let window = r#"{"@Redfish.MaintenanceWindow":{"MaintenanceWindowStartTime":"2099-01-01T00:00:00Z","MaintenanceWindowDurationInSeconds":60}}"#;
    assert_eq!(
        client.patch("/redfish/v1/TaskService", window).await.status,
        200
    );
    let later = r#"{"ResetType":"On","@Redfish.OperationApplyTime":"AtMaintenanceWindowStart"}"#;
    let reset = "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset";
    assert_eq!(client.post(reset, later).await.status, 202);
    let subscription =
        r#"{"Destination":"https://203.0.113.1/","Protocol":"Redfish","Context":"x"}"#;
    let subscriptions = "/redfish/v1/EventService/Subscriptions";
    assert_eq!(client.post(subscriptions, subscription).await.status, 201);
    let authority = serde_json::json!({"CertificateString": authority(), "CertificateType": "PEM"});
    let authorities = "/redfish/v1/AccountService/MultiFactorAuth/ClientCertificate/Certificates";
    let added = client.post(authorities, &authority.to_string()).await;
    assert_eq!(added.status, 201, "{added:?}");

    let all: Vec<Template> = bench.service.templates().collect();
    let mut empty = all.clone();
    for uri in crate::get::walk(&bench).await {
        let answer = client.get(&uri).await;
        let resource = answer.json();
        let kind = resource["@odata.type"].as_str().unwrap();
        let kind = redfish_schema::by_odata_type(kind).unwrap();
        // A file, which no place of resources has.
        if kind.name == "PrivilegeRegistry" {
            continue;
        }
        // The description of an action is beside the resource that has the action.
        let (place, name) = match kind.name {
            "ActionInfo" => {
                let (place, name) = uri.rsplit_once('/').unwrap();
                (place, name.strip_suffix("ActionInfo").unwrap())
            }
            _ => (uri.as_str(), ""),
        };
        let here: Vec<&Template> = all.iter().filter(|one| one.is_at(place)).collect();
        assert!(!here.is_empty(), "{uri} is nowhere");
        if kind.name == "ActionInfo" {
            let named = |one: &&Template| one.actions.iter().any(|action| action.ends_with(name));
            assert!(here.iter().any(named), "{uri}");
            continue;
        }
        assert!(here.iter().all(|one| one.kind == kind.name), "{uri}");
        let any = |can: fn(&Template) -> bool| here.iter().any(|one| can(one));
        let allow = answer.header("allow").unwrap();
        assert!(
            any(|one| one.is_changeable) || !allow.contains("PATCH"),
            "{uri}"
        );
        assert!(
            any(|one| one.is_insertable) || !allow.contains("POST"),
            "{uri}"
        );
        assert!(
            any(|one| one.is_deletable) || !allow.contains("DELETE"),
            "{uri}"
        );
        for (action, _) in resource["Actions"].as_object().into_iter().flatten() {
            let name = action.trim_start_matches('#');
            assert!(
                here.iter().any(|one| one.actions.contains(&name)),
                "{uri}: {name}"
            );
        }
        empty.retain(|other| here.iter().all(|one| one.uri != other.uri));
    }
    // No task here has parts, the machine of the bench has no interfaces, and nobody has defined a report.
    let not_here = ["/SubTasks", "{EthernetInterfaceId}", "/TelemetryService/"];
    empty.retain(|place| !not_here.iter().any(|part| place.uri.contains(part)));
    assert!(empty.is_empty(), "nothing is at {empty:?}");
}

/// The certificate of somebody who may vouch for others, as PEM.
fn authority() -> String {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().pem()
}
