//! PATCH (DSP0266 "PATCH (update)").

use redfish::{Failure, NotDone};
use serde_json::json;

use crate::bench::Bench;

const SYSTEM: &str = "/redfish/v1/Systems/1";

#[tokio::test]
async fn a_patch_answers_with_the_changed_resource() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let body = r#"{"LocationIndicatorActive":true,"Boot":{"BootSourceOverrideTarget":"Pxe"}}"#;
    let answer = client.patch(SYSTEM, body).await;
    assert_eq!(answer.status, 200);
    answer.assert_valid();
    assert_eq!(answer.json()["LocationIndicatorActive"], true);
    assert_eq!(
        bench.rack.log(),
        [
            "PATCH /redfish/v1/Systems/1 /Boot/BootSourceOverrideTarget=\"Pxe\" /LocationIndicatorActive=true"
        ]
    );
}

#[tokio::test]
async fn a_wrong_value_refuses_the_whole_patch_and_names_the_property() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for (body, message, pointer) in [
        (
            r#"{"LocationIndicatorActive":"on"}"#,
            "PropertyValueTypeError",
            "#/LocationIndicatorActive",
        ),
        (
            r#"{"LocationIndicatorActive":true,"Boot":{"BootSourceOverrideTarget":"Floppyy"}}"#,
            "PropertyValueNotInList",
            "#/Boot/BootSourceOverrideTarget",
        ),
        (
            // In the schema, and not among the values that this resource allows.
            r#"{"LocationIndicatorActive":true,"Boot":{"BootSourceOverrideTarget":"Cd"}}"#,
            "PropertyValueNotInList",
            "#/Boot/BootSourceOverrideTarget",
        ),
        (
            r#"{"PowerState":"Off"}"#,
            "PropertyNotWritable",
            "#/PowerState",
        ),
        (r#"{"Colour":"red"}"#, "PropertyUnknown", "#/Colour"),
        (r#"{"boot":{}}"#, "PropertyUnknown", "#/boot"),
    ] {
        let answer = client.patch(SYSTEM, body).await;
        answer.assert_error(400, &[message]);
        let info = answer.json()["error"]["@Message.ExtendedInfo"][0].clone();
        assert_eq!(info["RelatedProperties"], json!([pointer]), "{body}");
        if message == "PropertyValueNotInList" {
            // The words of this resource, not all those of the schema.
            let system = client.get(SYSTEM).await.json();
            let words = system["Boot"]["BootSourceOverrideTarget@Redfish.AllowableValues"]
                .as_array()
                .unwrap()
                .iter()
                .map(|word| word.as_str().unwrap());
            let hint = format!("Choose one of: {}.", words.collect::<Vec<_>>().join(", "));
            assert_eq!(info["Resolution"], hint, "{body}");
        }
    }
    assert!(bench.rack.log().is_empty());
}

#[tokio::test]
async fn several_faults_are_all_told() {
    let bench = Bench::new();
    let body = r#"{"Colour":"red","PowerState":"Off"}"#;
    let answer = bench.client("root").await.patch(SYSTEM, body).await;
    assert_eq!(answer.status, 400);
    let mut messages = answer.messages();
    messages.sort();
    assert_eq!(messages, ["PropertyNotWritable", "PropertyUnknown"]);
    assert!(
        answer.json()["error"]["code"]
            .as_str()
            .unwrap()
            .ends_with(".GeneralError")
    );
}

#[tokio::test]
async fn what_can_never_be_changed_is_left_out_with_a_message_and_the_rest_is_done() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let body = r#"{"LocationIndicatorActive":true,"Colour":"red","PowerState":"Off"}"#;
    let answer = client.patch(SYSTEM, body).await;
    assert_eq!(answer.status, 200);
    let json = answer.json();
    assert_eq!(json["LocationIndicatorActive"], true);
    assert_eq!(json["PowerState"], "On");
    let message =
        |property: &str| json[format!("{property}@Message.ExtendedInfo")][0]["MessageId"].clone();
    assert_eq!(message("Colour"), "Base.1.16.PropertyUnknown");
    assert_eq!(message("PowerState"), "Base.1.16.PropertyNotWritable");
    let all = json["@Message.ExtendedInfo"].as_array().unwrap();
    assert_eq!(all.len(), 2, "at the resource, too");
    assert_eq!(
        bench.rack.log(),
        ["PATCH /redfish/v1/Systems/1 /LocationIndicatorActive=true"]
    );
    assert_eq!(
        answer.header("etag"),
        client.get(SYSTEM).await.header("etag")
    );
}

#[tokio::test]
async fn a_patch_that_asks_for_nothing_changes_nothing() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for (body, message) in [
        ("{}", "EmptyJSON"),
        (r#"{"@odata.etag":"x"}"#, "NoOperation"),
    ] {
        client
            .patch(SYSTEM, body)
            .await
            .assert_error(400, &[message]);
    }
    assert!(bench.rack.log().is_empty());
}

#[tokio::test]
async fn what_this_resource_can_not_change_is_left_out_like_what_the_schema_forbids() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let strange = || Failure::PropertyNotWritable {
        pointer: "/Boot/BootSourceOverrideMode".to_owned(),
    };
    bench.rack.fail_next(strange());
    let body = r#"{"LocationIndicatorActive":true,"Boot":{"BootSourceOverrideMode":"UEFI"}}"#;
    let answer = client.patch(SYSTEM, body).await;
    assert_eq!(answer.status, 200);
    answer.assert_valid();
    let json = answer.json();
    assert_eq!(json["LocationIndicatorActive"], true);
    let beside = &json["Boot"]["BootSourceOverrideMode@Message.ExtendedInfo"][0];
    assert_eq!(beside["MessageId"], "Base.1.16.PropertyNotWritable");
    assert_eq!(
        beside["RelatedProperties"],
        json!(["#/Boot/BootSourceOverrideMode"])
    );
    assert_eq!(
        bench.rack.log(),
        ["PATCH /redfish/v1/Systems/1 /LocationIndicatorActive=true"]
    );
    bench.rack.fail_next(strange());
    let body = r#"{"PowerState":"On","Boot":{"BootSourceOverrideMode":"UEFI"}}"#;
    let answer = client.patch(SYSTEM, body).await;
    answer.assert_error(400, &["PropertyNotWritable", "PropertyNotWritable"]);
    assert_eq!(bench.rack.log().len(), 1, "nothing is left to do");
}

#[tokio::test]
async fn where_a_machine_does_a_part_only_the_answer_is_200_and_says_what_is_missing() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    *bench.rack.not_done.lock().unwrap() = vec![NotDone {
        pointer: "/AssetTag".to_owned(),
        failure: Failure::Refused {
            reason: "its store is full".to_owned(),
        },
    }];
    let body = r#"{"LocationIndicatorActive":true,"AssetTag":"a"}"#;
    let answer = client.patch(SYSTEM, body).await;
    assert_eq!(answer.status, 200);
    answer.assert_valid();
    let message = &answer.json()["AssetTag@Message.ExtendedInfo"][0];
    assert_eq!(message["MessageId"], "Base.1.16.OperationFailed");
    assert_eq!(message["RelatedProperties"], json!(["#/AssetTag"]));
    let why = message["Resolution"].as_str().unwrap();
    assert!(why.contains("its store is full"), "{why}");
    let entries = "/redfish/v1/Managers/Testbench/LogServices/Audit/Entries";
    let audit = client.get(entries).await.json();
    let newest = audit["Members"].to_string();
    assert!(newest.contains("/LocationIndicatorActive"), "{newest}");
    assert!(!newest.contains("/AssetTag"), "it isn't changed: {newest}");
}
