//! Actions (DSP0266 "POST (Action)").

use redfish::Failure;

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
        client.call("POST", RESET, &[], "").await.status,
        204,
        "ResetType is optional"
    );
    assert_eq!(
        bench.rack.log(),
        [
            "POST /redfish/v1/Systems/1 ComputerSystem.Reset ForceOff",
            "POST /redfish/v1/Systems/1 ComputerSystem.Reset -",
        ]
    );
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
