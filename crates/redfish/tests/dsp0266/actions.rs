//! Actions (DSP0266 "POST (Action)").

use redfish::Failure;
use serde_json::json;

use crate::bench::Bench;

const RESET: &str = "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset";

#[tokio::test]
async fn an_action_reaches_the_backend_once() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let answer = client.post(RESET, r#"{"ResetType":"ForceOff"}"#).await;
    assert_eq!(answer.status, 204);
    assert!(answer.body.is_empty());
    assert_eq!(
        bench.rack.log(),
        ["POST /redfish/v1/Systems/1 ComputerSystem.Reset ForceOff"]
    );
}

#[tokio::test]
async fn a_reset_without_a_type_is_asked_for_one() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let answer = client.call("POST", RESET, &[], "").await;
    answer.assert_error(400, &["ActionParameterMissing"]);
    let message = &answer.json()["error"]["@Message.ExtendedInfo"][0];
    assert_eq!(
        message["Resolution"],
        "Choose one of: On, ForceOff, ForceRestart."
    );
    assert!(bench.rack.log().is_empty());
}

#[tokio::test]
async fn an_action_links_to_what_it_takes_here() {
    let bench = Bench::new();
    let client = bench.client("reader").await;
    let system = client.get("/redfish/v1/Systems/1").await.json();
    let reset = &system["Actions"]["#ComputerSystem.Reset"];
    let uri = reset["@Redfish.ActionInfo"].as_str().unwrap();
    assert_eq!(uri, "/redfish/v1/Systems/1/ResetActionInfo");
    let answer = client.get(uri).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.assert_valid();
    let info = answer.json();
    assert_eq!(info["@odata.id"], uri);
    assert_eq!(info["@odata.type"], "#ActionInfo.v1_6_0.ActionInfo");
    assert_eq!(
        info["Parameters"],
        json!([{
            "Name": "ResetType",
            "Required": true,
            "DataType": "String",
            // Those of this resource, not all of the schema's.
            "AllowableValues": reset["ResetType@Redfish.AllowableValues"],
        }])
    );
    assert_eq!(answer.header("allow"), Some("GET, HEAD"));
    let etag = answer.header("etag").unwrap();
    let again = client
        .call("GET", uri, &[("if-none-match", etag)], "")
        .await;
    assert_eq!(again.status, 304);
    for nowhere in [
        "/redfish/v1/Systems/1/FlyActionInfo",
        "/redfish/v1/Systems/3/ResetActionInfo",
        "/redfish/v1/Systems/ResetActionInfo",
        "/redfish/v1/ResetActionInfo",
    ] {
        let answer = client.get(nowhere).await;
        assert_eq!(answer.status, 404, "{nowhere}");
    }
}

/// Every action that the service shows has an `ActionInfo`, if its type has parameters; and the parameters in it are
/// those that a call may have: an unknown one is told from one that isn't supported.
#[tokio::test]
async fn every_action_that_takes_parameters_says_which() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let mut described = 0;
    for uri in crate::get::walk(&bench).await {
        let resource = client.get(&uri).await.json();
        let kind = redfish_schema::by_odata_type(resource["@odata.type"].as_str().unwrap());
        for (name, offered) in resource["Actions"].as_object().into_iter().flatten() {
            let action = kind.unwrap().action(name.trim_start_matches('#')).unwrap();
            let info = &offered["@Redfish.ActionInfo"];
            assert_eq!(info.is_string(), !action.parameters.is_empty(), "{name}");
            let Some(info) = info.as_str() else { continue };
            let info = client.get(info).await.json();
            let announced: Vec<&str> = info["Parameters"]
                .as_array()
                .unwrap()
                .iter()
                .map(|parameter| parameter["Name"].as_str().unwrap())
                .collect();
            for parameter in action.parameters {
                if announced.contains(&parameter.name) {
                    continue;
                }
                let body = json!({ parameter.name: "x" }).to_string();
                let target = offered["target"].as_str().unwrap();
                let answer = client.post(target, &body).await;
                assert_eq!(answer.status, 400, "{name} {}", parameter.name);
            }
            described += 1;
        }
    }
    assert!(described > 8, "{described}");
}

#[tokio::test]
async fn an_action_on_another_state_than_the_one_seen_is_refused() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let body = r#"{"ResetType":"ForceOff"}"#;
    let stale = client
        .call("POST", RESET, &[("if-match", "\"wrong\"")], body)
        .await;
    stale.assert_error(412, &["PreconditionFailed"]);
    assert!(bench.rack.log().is_empty());
}

#[tokio::test]
async fn a_parameter_that_does_not_fit_is_named_and_nothing_happens() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for (body, message) in [
        (
            r#"{"ResetType":"Explode"}"#,
            "ActionParameterValueNotInList",
        ),
        // In the schema, and not among the values that this resource allows.
        (
            r#"{"ResetType":"PowerCycle"}"#,
            "ActionParameterValueNotInList",
        ),
        (
            r#"{"ResetType":"forceoff"}"#,
            "ActionParameterValueNotInList",
        ),
        (r#"{"ResetType":1}"#, "ActionParameterValueTypeError"),
        (r#"{"resettype":"On"}"#, "ActionParameterUnknown"),
        (
            r#"{"ResetType":"On","ResetType":"ForceOff"}"#,
            "PropertyDuplicate",
        ),
    ] {
        let answer = client.post(RESET, body).await;
        answer.assert_error(400, &[message]);
        if message == "ActionParameterValueNotInList" {
            let info = answer.json()["error"]["@Message.ExtendedInfo"][0].clone();
            let hint = info["Resolution"].as_str().unwrap();
            assert!(hint.starts_with("Choose one of: On, ForceOff"), "{hint}");
            // In the schema, and not offered here.
            assert!(!hint.contains("Suspend"), "{hint}");
        }
    }
    assert!(bench.rack.log().is_empty());
}

#[tokio::test]
async fn an_action_that_the_resource_does_not_show_is_not_found() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for (uri, message) in [
        (
            "/redfish/v1/Systems/1/Actions/ComputerSystem.Explode",
            "ActionNotSupported",
        ),
        // In the schema; the resource doesn't show it.
        (
            "/redfish/v1/Systems/1/Actions/ComputerSystem.SetDefaultBootOrder",
            "ActionNotSupported",
        ),
        (
            "/redfish/v1/Managers/bmc/Actions/Manager.Reset",
            "ActionNotSupported",
        ),
        (
            "/redfish/v1/Systems/3/Actions/ComputerSystem.Reset",
            "InvalidURI",
        ),
    ] {
        client.post(uri, "{}").await.assert_error(404, &[message]);
    }
    assert!(bench.rack.log().is_empty());
}

#[tokio::test]
async fn a_failure_behind_the_service_says_whose_fault_it_is() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let reason = || "node1: no answer".to_owned();
    let cases = [
        (Failure::Busy { retry_after_s: 7 }, 503, "ResourceInUse"),
        (
            Failure::Unavailable { retry_after_s: 3 },
            503,
            "ServiceTemporarilyUnavailable",
        ),
        (
            Failure::Refused { reason: reason() },
            502,
            "OperationFailed",
        ),
        (
            Failure::Unreachable { reason: reason() },
            502,
            "OperationFailed",
        ),
        (
            Failure::Unconfirmed { reason: reason() },
            504,
            "OperationTimeout",
        ),
        (
            Failure::ParameterNotSupported {
                parameter: "ResetType".to_owned(),
            },
            400,
            "ActionParameterNotSupported",
        ),
        (
            Failure::ParameterValueUnavailable {
                parameter: "ResetType".to_owned(),
                value: "On".to_owned(),
                remedy: "Wait.".to_owned(),
            },
            409,
            "ActionParameterValueConflict",
        ),
        (
            Failure::Internal("secret detail".to_owned()),
            500,
            "InternalError",
        ),
    ];
    for (failure, status, message) in cases {
        let retry_after = match &failure {
            Failure::Busy { retry_after_s } | Failure::Unavailable { retry_after_s } => {
                Some(retry_after_s.to_string())
            }
            _ => None,
        };
        let says_why = matches!(
            failure,
            Failure::Refused { .. } | Failure::Unreachable { .. } | Failure::Unconfirmed { .. }
        );
        bench.rack.fail_next(failure);
        let answer = client.post(RESET, r#"{"ResetType":"On"}"#).await;
        answer.assert_error(status, &[message]);
        assert_eq!(answer.header("retry-after").map(str::to_owned), retry_after);
        let text = String::from_utf8_lossy(&answer.body);
        assert_eq!(text.contains("node1: no answer"), says_why, "{text}");
        assert!(!text.contains("secret detail"));
    }
    assert!(bench.rack.log().is_empty());
}
