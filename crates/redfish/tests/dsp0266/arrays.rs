//! Arrays in a PATCH (DSP0266 "PATCH on array properties"). The laws of merging are in `redfish-schema/src/merge.rs`.

use serde_json::{Value, json};

use crate::bench::Bench;

const ROLES: &str = "/redfish/v1/AccountService/Roles";

#[tokio::test]
async fn of_an_array_an_element_stays_with_an_empty_object_and_goes_with_null() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    let body =
        r#"{"RoleId":"Some","AssignedPrivileges":["Login","ConfigureManager","ConfigureUsers"]}"#;
    let uri = format!("{ROLES}/Some");
    let made = root.post(ROLES, body).await.json()["AssignedPrivileges"].clone();
    let [first, second, third] = made.as_array().unwrap().as_slice() else {
        panic!("{made}")
    };
    let becomes = |edits: Value| {
        let (uri, root) = (&uri, &root);
        async move {
            let body = json!({"AssignedPrivileges": edits}).to_string();
            let answer = root.patch(uri, &body).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.assert_valid();
            answer.json()["AssignedPrivileges"].clone()
        }
    };
    assert_eq!(becomes(json!([{}, {}, {}])).await, made);
    assert_eq!(becomes(json!([{}, null, {}])).await, json!([first, third]));
    let added = becomes(json!([{}, {}, second])).await;
    assert_eq!(
        added.as_array().unwrap().len(),
        3,
        "one is added past the end"
    );
    assert_eq!(
        becomes(json!([{}])).await,
        json!([first]),
        "a shorter array"
    );
    assert_eq!(becomes(json!([null, {}])).await, json!([]));
}

#[tokio::test]
async fn an_account_keeps_its_type_whatever_an_array_leaves_of_it() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    let account = "/redfish/v1/AccountService/Accounts/reader";
    for body in [
        r#"{"AccountTypes":[{}]}"#,
        r#"{"AccountTypes":[{}, {}, null]}"#,
        r#"{"AccountTypes":[null, "Redfish"]}"#,
    ] {
        let answer = root.patch(account, body).await;
        assert_eq!(answer.status, 200, "{body}: {answer:?}");
        assert_eq!(answer.json()["AccountTypes"], json!(["Redfish"]), "{body}");
    }
    for body in [
        r#"{"AccountTypes":[null]}"#,
        r#"{"AccountTypes":[{}, "IPMI"]}"#,
    ] {
        assert_eq!(root.patch(account, body).await.status, 400, "{body}");
    }
}

#[tokio::test]
async fn a_wrong_element_is_named_and_nothing_changes() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    let uri = format!("{ROLES}/Lamp");
    root.post(ROLES, r#"{"RoleId":"Lamp","AssignedPrivileges":["Login"]}"#)
        .await;
    let answer = root
        .patch(&uri, r#"{"AssignedPrivileges":[null, "Fly"]}"#)
        .await;
    answer.assert_error(400, &["PropertyValueNotInList"]);
    let related = &answer.json()["error"]["@Message.ExtendedInfo"][0]["RelatedProperties"];
    assert_eq!(related, &json!(["#/AssignedPrivileges/1"]));
    let role = root.get(&uri).await.json();
    assert_eq!(role["AssignedPrivileges"], json!(["Login"]));
}
