//! Roles that clients make, and privileges that an operator's registry asks for (DSP0266 "Privilege model").

use redfish::PrivilegeMap;

use crate::bench::{Bench, StateFile, seeds};

const ROLES: &str = "/redfish/v1/AccountService/Roles";
const OPERATOR: &str = "/redfish/v1/AccountService/Accounts/operator";
const SYSTEM: &str = "/redfish/v1/Systems/1";
const LIGHT: &str = r#"{"LocationIndicatorActive":true}"#;

/// Who may light a system: those with the privilege `Lights`.
const REGISTRY: &str = r##"{
    "@odata.type": "#PrivilegeRegistry.v1_1_4.PrivilegeRegistry",
    "Id": "Ours", "Name": "Ours",
    "OEMPrivilegesUsed": ["Lights"],
    "Mappings": [{
        "Entity": "ComputerSystem",
        "PropertyOverrides": [{
            "Targets": ["LocationIndicatorActive"],
            "OperationMap": {"PATCH": [{"Privilege": ["Lights"]}]}
        }, {
            "Targets": ["PowerState"],
            "OperationMap": {"GET": [{"Privilege": ["ConfigureManager"]}]}
        }]
    }]
}"##;

#[tokio::test]
async fn a_role_is_made_changed_used_and_removed() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    let body = r#"{"RoleId":"Lamp","AssignedPrivileges":["Login"]}"#;
    let created = root.post(ROLES, body).await;
    assert_eq!(created.status, 201, "{created:?}");
    created.assert_valid();
    let uri = format!("{ROLES}/Lamp");
    assert_eq!(created.header("location"), Some(&*uri));
    assert_eq!(created.json()["IsPredefined"], false);
    root.post(ROLES, body)
        .await
        .assert_error(409, &["ResourceAlreadyExists"]);
    root.patch(OPERATOR, r#"{"RoleId":"Lamp"}"#).await;
    let operator = bench.client("operator").await;
    operator
        .patch(SYSTEM, LIGHT)
        .await
        .assert_error(403, &["InsufficientPrivilege"]);
    let more = r#"{"AssignedPrivileges":["Login","ConfigureComponents"]}"#;
    let changed = root.patch(&uri, more).await;
    assert_eq!(
        changed.json()["AssignedPrivileges"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(operator.patch(SYSTEM, LIGHT).await.status, 200, "at once");
    let delete = || root.call("DELETE", &uri, &[], "");
    delete().await.assert_error(409, &["ResourceInUse"]);
    root.patch(&uri, r#"{"AssignedPrivileges":["ConfigureComponents"]}"#)
        .await;
    assert_eq!(
        operator.get(SYSTEM).await.status,
        401,
        "who may not log in is out"
    );
    root.patch(OPERATOR, r#"{"RoleId":"ReadOnly"}"#).await;
    assert_eq!(delete().await.status, 204);
    root.get(&uri).await.assert_error(404, &["InvalidURI"]);
}

#[tokio::test]
async fn a_role_that_can_not_be_is_refused_and_a_predefined_one_stays() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    for (body, message) in [
        (
            r#"{"RoleId":"a/b","AssignedPrivileges":["Login"]}"#,
            "PropertyValueFormatError",
        ),
        (
            r#"{"RoleId":"A","AssignedPrivileges":["Fly"]}"#,
            "PropertyValueNotInList",
        ),
        (
            r#"{"RoleId":"A","AssignedPrivileges":["NoAuth"]}"#,
            "PropertyValueNotInList",
        ),
        (
            r#"{"RoleId":"A","AssignedPrivileges":["AdministrateStorage"]}"#,
            "PropertyValueNotInList",
        ),
        (
            r#"{"RoleId":"A","AssignedPrivileges":["Login","Login"]}"#,
            "PropertyValueError",
        ),
        (
            r#"{"RoleId":"A","OemPrivileges":["Lights"]}"#,
            "PropertyValueNotInList",
        ),
        (
            r#"{"AssignedPrivileges":["Login"]}"#,
            "CreateFailedMissingReqProperties",
        ),
    ] {
        root.post(ROLES, body).await.assert_error(400, &[message]);
    }
    let uri = format!("{ROLES}/ReadOnly");
    let change = root
        .patch(&uri, r#"{"AssignedPrivileges":["Login"]}"#)
        .await;
    change.assert_error(405, &["OperationNotAllowed"]);
    let delete = root.call("DELETE", &uri, &[], "").await;
    delete.assert_error(405, &["OperationNotAllowed"]);
    assert_eq!(delete.header("allow"), Some("GET, HEAD"));
    let operator = bench.client("operator").await;
    let refused = operator
        .post(ROLES, r#"{"RoleId":"A","AssignedPrivileges":["Login"]}"#)
        .await;
    refused.assert_error(403, &["InsufficientPrivilege"]);
}

#[tokio::test]
async fn an_operators_registry_decides_is_shown_and_its_roles_outlive_a_restart() {
    let file = StateFile::new();
    let bench = file.bench_of(seeds(), PrivilegeMap::parse(REGISTRY).unwrap());
    let root = bench.client("root").await;
    root.patch(SYSTEM, LIGHT)
        .await
        .assert_error(403, &["InsufficientPrivilege"]);
    let role = r#"{"RoleId":"Lamp","AssignedPrivileges":["Login"],"OemPrivileges":["Lights"]}"#;
    let created = root.post(ROLES, role).await;
    assert_eq!(created.status, 201, "{created:?}");
    assert_eq!(created.json()["OemPrivileges"][0], "Lights");
    root.patch(OPERATOR, r#"{"RoleId":"Lamp"}"#).await;
    let operator = bench.client("operator").await;
    let lit = operator.patch(SYSTEM, LIGHT).await;
    assert_eq!(lit.status, 200, "{lit:?}");
    assert!(
        lit.json().get("PowerState").is_none(),
        "what he may not read isn't shown"
    );
    let expanded = operator.get("/redfish/v1/Systems?$expand=.").await.json();
    assert!(expanded["Members"][0].get("PowerState").is_none());
    let filtered = operator
        .get("/redfish/v1/Systems?$filter=PowerState%20eq%20'On'")
        .await;
    assert_eq!(filtered.json()["Members"].as_array().map(Vec::len), Some(0));
    assert_eq!(root.get(SYSTEM).await.json()["PowerState"], "On");
    let map =
        root.get("/redfish/v1/AccountService").await.json()["PrivilegeMap"]["@odata.id"].clone();
    let registry = root.get(map.as_str().unwrap()).await.json();
    assert_eq!(registry["OEMPrivilegesUsed"][0], "Lights");
    let mappings = registry["Mappings"].as_array().unwrap();
    let system = mappings
        .iter()
        .find(|m| m["Entity"] == "ComputerSystem")
        .unwrap();
    assert_eq!(
        system["PropertyOverrides"][0]["Targets"][0],
        "LocationIndicatorActive"
    );
    drop((root, operator));
    drop(bench);
    let bench = file.bench_of(seeds(), PrivilegeMap::parse(REGISTRY).unwrap());
    assert_eq!(
        bench
            .client("operator")
            .await
            .patch(SYSTEM, LIGHT)
            .await
            .status,
        200
    );
    drop(bench);
    let bench = file.bench();
    let root = bench.client("root").await;
    let role = root.get(&format!("{ROLES}/Lamp")).await.json();
    assert_eq!(
        role["OemPrivileges"].as_array().map(Vec::len),
        Some(0),
        "nobody names it any more"
    );
}
