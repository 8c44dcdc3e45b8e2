//! `/redfish`, the OData service document and `$metadata` (DSP0266 "Redfish-defined URIs and relative reference rules", "OData $metadata", "OData service document").

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
