//! Accounts that clients make, change and remove (DSP0266 "Account service overview").

use redfish::{Account, Role};
use serde_json::json;

use crate::bench::{Answer, Bench, Client, PASSWORD, StateFile};

pub(crate) const ACCOUNTS: &str = "/redfish/v1/AccountService/Accounts";
const SYSTEM: &str = "/redfish/v1/Systems/1";
const NEW: &str = r#"{"UserName":"anna","Password":"anna's own horse","RoleId":"Operator"}"#;
const ANNAS: &str = "anna's own horse";

pub(crate) fn uri(id: &str) -> String {
    format!("{ACCOUNTS}/{id}")
}

async fn delete(client: &Client<'_>, uri: &str) -> Answer {
    client.call("DELETE", uri, &[], "").await
}

/// Whether the token of `client` still opens something.
async fn is_alive(client: &Client<'_>) -> bool {
    client.get(SYSTEM).await.status == 200
}

async fn basic(bench: &Bench, user: &str, password: &str) -> u16 {
    let header = crate::authentication::basic(user, password);
    let headers = [("authorization", header.as_str())];
    bench
        .call("GET", SYSTEM, &headers, "")
        .await
        .status
        .as_u16()
}

#[tokio::test]
async fn an_account_is_added_with_post_to_the_collection_and_to_its_members() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    for (collection, name) in [
        (ACCOUNTS.to_owned(), "anna"),
        (format!("{ACCOUNTS}/"), "bert"),
        (format!("{ACCOUNTS}/Members"), "carl"),
    ] {
        let created = root
            .post(&collection, &NEW.replace("anna\",", &format!("{name}\",")))
            .await;
        assert_eq!(created.status, 201, "{created:?}");
        created.assert_valid();
        assert_eq!(created.header("location"), Some(&*uri(name)));
        assert!(created.header("etag").is_some());
        let json = created.json();
        assert_eq!(
            (&json["UserName"], &json["RoleId"]),
            (&name.into(), &"Operator".into())
        );
        assert_eq!(
            (&json["Enabled"], &json["Locked"]),
            (&true.into(), &false.into())
        );
        assert!(json["Password"].is_null(), "a password is never shown");
        assert_eq!(bench.log_in(name, ANNAS).await.status, 201);
    }
    let list = root.get(ACCOUNTS).await;
    assert_eq!(list.json()["Members@odata.count"], 6);
    assert_eq!(list.header("allow"), Some("GET, HEAD, POST"));
}

/// What is replaced in [`NEW`] by what, and what comes of it.
const REFUSED: [(&str, &str, u16, &str, &str); 13] = [
    (
        r#"anna""#,
        r#"root""#,
        409,
        "ResourceAlreadyExists",
        "UserName",
    ),
    (
        r#"anna""#,
        r#"a:b""#,
        400,
        "PropertyValueFormatError",
        "UserName",
    ),
    (
        r#"anna""#,
        r#"""#,
        400,
        "PropertyValueFormatError",
        "UserName",
    ),
    (ANNAS, "short", 400, "PropertyValueFormatError", "Password"),
    (
        ANNAS,
        "a\\ttab inside",
        400,
        "PropertyValueFormatError",
        "Password",
    ),
    (
        r#"anna","#,
        r#"anna's OWN horse","#,
        400,
        "PropertyValueFormatError",
        "UserName",
    ),
    ("Operator", "King", 400, "PropertyValueNotInList", "RoleId"),
    (
        "}",
        r#","Locked":true}"#,
        400,
        "PropertyValueError",
        "Locked",
    ),
    (
        "}",
        r#","AccountTypes":["Redfish","IPMI"]}"#,
        400,
        "PropertyValueNotInList",
        "AccountTypes",
    ),
    (
        "}",
        r#","AccountTypes":[]}"#,
        400,
        "PropertyValueError",
        "AccountTypes",
    ),
    (
        "}",
        r#","OEMAccountTypes":["x"]}"#,
        400,
        "PropertyNotWritable",
        "OEMAccountTypes",
    ),
    ("}", r#","Id":"x"}"#, 400, "PropertyNotWritable", "Id"),
    (
        r#""UserName":"anna","#,
        "",
        400,
        "CreateFailedMissingReqProperties",
        "UserName",
    ),
];

#[tokio::test]
async fn an_account_that_can_not_be_is_refused_with_the_property() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    for (from, to, status, message, property) in REFUSED {
        let body = NEW.replace(from, to);
        let refused = root.post(ACCOUNTS, &body).await;
        refused.assert_error(status, &[message]);
        let info = &refused.json()["error"]["@Message.ExtendedInfo"][0];
        assert_eq!(
            info["RelatedProperties"][0],
            format!("#/{property}"),
            "{body}"
        );
        assert!(
            !refused.body.windows(5).any(|w| w == b"short"),
            "{refused:?}"
        );
    }
    for password in ["x".repeat(257), "Anna-Maria".to_owned()] {
        let body = NEW
            .replace(ANNAS, &password)
            .replace("anna\"", "anna-maria\"");
        let refused = root.post(ACCOUNTS, &body).await;
        refused.assert_error(400, &["PropertyValueFormatError"]);
    }
    assert_eq!(root.get(ACCOUNTS).await.json()["Members@odata.count"], 3);
}

#[tokio::test]
async fn a_name_that_a_path_can_not_carry_gets_another_id() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    for (name, id) in [
        ("..", ".._"),
        ("a&b", "a_b"),
        ("a+b", "a_b-2"),
        ("Members", "Members_"),
    ] {
        let created = root
            .post(ACCOUNTS, &NEW.replace("anna\",", &format!("{name}\",")))
            .await;
        assert_eq!(created.status, 201);
        assert_eq!(created.header("location"), Some(&*uri(id)));
        assert_eq!(root.get(&uri(id)).await.json()["UserName"], name);
    }
}

#[tokio::test]
async fn every_property_that_may_be_changed_is_changed_and_kept() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    root.post(ACCOUNTS, NEW).await;
    for (property, value) in [
        ("RoleId", r#""ReadOnly""#),
        ("Enabled", "false"),
        ("Locked", "false"),
        ("PasswordChangeRequired", "true"),
        ("PasswordExpiration", r#""2099-01-01T00:00:00Z""#),
        ("PasswordExpiration", "null"),
        ("AccountExpiration", r#""2099-01-01T00:00:00Z""#),
        ("StrictAccountTypes", "true"),
        ("AccountTypes", r#"["Redfish"]"#),
        ("UserName", r#""annika""#),
    ] {
        let changed = root
            .patch(&uri("anna"), &format!("{{\"{property}\":{value}}}"))
            .await;
        assert_eq!(changed.status, 200, "{property}: {changed:?}");
        changed.assert_valid();
        let expected: serde_json::Value = serde_json::from_str(value).unwrap();
        assert_eq!(changed.json()[property], expected, "{property}");
        assert_eq!(root.get(&uri("anna")).await.json()[property], expected);
    }
    root.patch(&uri("anna"), r#"{"OEMAccountTypes":["x"]}"#)
        .await
        .assert_error(400, &["PropertyNotWritable"]);
    root.patch(&uri("anna"), r#"{"UserName":"root"}"#)
        .await
        .assert_error(409, &["ResourceAlreadyExists"]);
}

#[tokio::test]
async fn of_two_changes_with_one_tag_one_is_made() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    let etag = root
        .post(ACCOUNTS, NEW)
        .await
        .header("etag")
        .unwrap()
        .to_owned();
    let headers = [("if-match", etag.as_str())];
    let change = |body| root.call("PATCH", ACCOUNTS_ANNA, &headers, body);
    let (one, two) = tokio::join!(
        change(r#"{"RoleId":"ReadOnly"}"#),
        change(r#"{"Enabled":false}"#)
    );
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
}

const ACCOUNTS_ANNA: &str = "/redfish/v1/AccountService/Accounts/anna";

/// What ends what: each change, who made it, and what it leaves of the account's sessions and Basic credentials.
#[tokio::test]
async fn what_an_account_has_opened_ends_with_its_credentials() {
    for (body, sessions_live) in [
        (Some(r#"{"Enabled":false}"#), false),
        (Some(r#"{"Password":"another horse"}"#), false),
        (Some(r#"{"UserName":"annika"}"#), false),
        (
            Some(r#"{"AccountExpiration":"2001-01-01T00:00:00Z"}"#),
            false,
        ),
        (None, false),
        (Some(r#"{"RoleId":"ReadOnly"}"#), true),
        (Some(r#"{"Locked":false}"#), true),
    ] {
        let bench = Bench::new();
        let root = bench.client("root").await;
        root.post(ACCOUNTS, NEW).await;
        let (one, two) = (
            bench.client_with("anna", ANNAS).await,
            bench.client_with("anna", ANNAS).await,
        );
        assert_eq!(basic(&bench, "anna", ANNAS).await, 200);
        assert!(is_alive(&one).await && is_alive(&two).await);
        let done = match body {
            Some(body) => root.patch(&uri("anna"), body).await.status,
            None => delete(&root, &uri("anna")).await.status,
        };
        assert!(done.is_success(), "{body:?}");
        assert_eq!(is_alive(&one).await, sessions_live, "{body:?}");
        assert_eq!(is_alive(&two).await, sessions_live, "{body:?}");
        let expected = if sessions_live { 200 } else { 401 };
        assert_eq!(basic(&bench, "anna", ANNAS).await, expected, "{body:?}");
        let listed = root.get("/redfish/v1/SessionService/Sessions").await;
        let alive = if sessions_live { 3 } else { 1 };
        if body != Some(r#"{"AccountExpiration":"2001-01-01T00:00:00Z"}"#) {
            assert_eq!(listed.json()["Members@odata.count"], alive, "{body:?}");
        }
        if body == Some(r#"{"Enabled":false}"#) {
            root.patch(&uri("anna"), r#"{"Enabled":true}"#).await;
            assert!(!is_alive(&one).await, "what has ended doesn't come back");
        }
    }
}

#[tokio::test]
async fn the_session_that_changes_its_password_goes_on_and_the_others_end() {
    let bench = Bench::new();
    let (one, two) = (bench.client("reader").await, bench.client("reader").await);
    assert_eq!(basic(&bench, "reader", PASSWORD).await, 200);
    let changed = one
        .patch(&uri("reader"), r#"{"Password":"battery staple"}"#)
        .await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert!(is_alive(&one).await && !is_alive(&two).await);
    assert_eq!(basic(&bench, "reader", PASSWORD).await, 401);
    assert_eq!(bench.log_in("reader", PASSWORD).await.status, 401);
    assert_eq!(bench.log_in("reader", "battery staple").await.status, 201);
}

#[tokio::test]
async fn a_role_that_is_changed_holds_at_once_for_sessions_that_are_open() {
    let bench = Bench::new();
    let (root, operator) = (bench.client("root").await, bench.client("operator").await);
    let change = r#"{"LocationIndicatorActive":true}"#;
    assert_eq!(operator.patch(SYSTEM, change).await.status, 200);
    root.patch(&uri("operator"), r#"{"RoleId":"ReadOnly"}"#)
        .await;
    assert_eq!(operator.get(SYSTEM).await.status, 200);
    operator
        .patch(SYSTEM, change)
        .await
        .assert_error(403, &["InsufficientPrivilege"]);
}

#[tokio::test]
async fn of_ones_own_account_nothing_but_the_password_may_be_changed() {
    let bench = Bench::new();
    let reader = bench.client("reader").await;
    for body in [
        r#"{"RoleId":"Administrator"}"#,
        r#"{"Password":"battery staple","RoleId":"Administrator"}"#,
        r#"{"Password":"battery staple","Enabled":true}"#,
        r#"{"Password":"battery staple","PasswordChangeRequired":false}"#,
        r#"{"Password":"battery staple","Nonsense":1}"#,
        r#"{"UserName":"reader"}"#,
        r#"{"Locked":false}"#,
    ] {
        let refused = reader.patch(&uri("reader"), body).await;
        refused.assert_error(403, &["InsufficientPrivilege"]);
    }
    let another = reader
        .patch(&uri("operator"), r#"{"Password":"battery staple"}"#)
        .await;
    another.assert_error(403, &["InsufficientPrivilege"]);
    let new = reader.post(ACCOUNTS, NEW).await;
    new.assert_error(403, &["InsufficientPrivilege"]);
    let gone = delete(&reader, &uri("reader")).await;
    gone.assert_error(403, &["InsufficientPrivilege"]);
    assert_eq!(
        bench.log_in("reader", PASSWORD).await.status,
        201,
        "nothing was changed"
    );
    assert_eq!(
        reader.get(&uri("reader")).await.json()["RoleId"],
        "ReadOnly"
    );
}

#[tokio::test]
async fn the_last_account_that_may_manage_accounts_stays() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    let all = async || {
        for body in [
            r#"{"Enabled":false}"#,
            r#"{"RoleId":"Operator"}"#,
            r#"{"AccountExpiration":"2099-01-01T00:00:00Z"}"#,
        ] {
            let refused = root.patch(&uri("root"), body).await;
            refused.assert_error(409, &["ResourceInUse"]);
        }
        delete(&root, &uri("root"))
            .await
            .assert_error(409, &["ResourceInUse"]);
    };
    all().await;
    let second = NEW.replace("Operator", "Administrator");
    assert_eq!(root.post(ACCOUNTS, &second).await.status, 201);
    root.patch(&uri("anna"), r#"{"Enabled":false}"#).await;
    all().await;
    root.patch(&uri("anna"), r#"{"Enabled":true}"#).await;
    // Two administrators who demote each other at the same time: one of them stays.
    let anna = bench.client_with("anna", ANNAS).await;
    let (of_root, of_anna) = (uri("root"), uri("anna"));
    let demote = r#"{"RoleId":"Operator"}"#;
    let (one, two) = tokio::join!(root.patch(&of_anna, demote), anna.patch(&of_root, demote));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert!(
        statuses == [200, 409] || statuses == [200, 403],
        "{statuses:?}"
    );
}

#[tokio::test]
async fn before_the_password_is_changed_nothing_else_is_done() {
    for body in [
        r#"{"PasswordChangeRequired":true}"#,
        r#"{"PasswordExpiration":"2001-01-01T00:00:00Z"}"#,
    ] {
        let bench = Bench::new();
        let root = bench.client("root").await;
        let before = bench.client("operator").await;
        root.patch(&uri("operator"), body).await;
        let login = bench.log_in("operator", PASSWORD).await;
        assert_eq!(login.status, 201);
        login.assert_valid();
        let info = &login.json()["@Message.ExtendedInfo"][0];
        assert_eq!(info["MessageId"], "Base.1.16.PasswordChangeRequired");
        assert_eq!(info["MessageArgs"][0], uri("operator"));
        let location = login.header("location").unwrap().to_owned();
        let operator = bench.client("operator").await;
        let pcr = |answer: Answer| answer.assert_error(403, &["PasswordChangeRequired"]);
        for uri in [
            SYSTEM,
            ACCOUNTS,
            &uri("root"),
            "/redfish/v1/SessionService/Sessions",
            &location,
        ] {
            pcr(operator.get(uri).await);
        }
        pcr(before.get(SYSTEM).await);
        pcr(operator
            .patch(SYSTEM, r#"{"LocationIndicatorActive":true}"#)
            .await);
        pcr(operator
            .post("/redfish/v1/Systems/1/Actions/ComputerSystem.Reset", "{}")
            .await);
        let both = r#"{"Password":"battery staple","PasswordChangeRequired":false}"#;
        pcr(operator.patch(&uri("operator"), both).await);
        pcr(delete(&operator, &uri("operator")).await);
        assert_eq!(basic(&bench, "operator", PASSWORD).await, 403);
        let own = operator.get(&uri("operator")).await;
        assert_eq!(
            (own.status.as_u16(), &own.json()["PasswordChangeRequired"]),
            (200, &true.into())
        );
        assert_eq!(
            delete(&operator, &location).await.status,
            204,
            "a session can be ended"
        );
        let same = format!("{{\"Password\":\"{PASSWORD}\"}}");
        operator
            .patch(&uri("operator"), &same)
            .await
            .assert_error(400, &["PropertyValueError"]);
        let changed = operator
            .patch(&uri("operator"), r#"{"Password":"battery staple"}"#)
            .await;
        assert_eq!(changed.status, 200, "{changed:?}");
        assert_eq!(changed.json()["PasswordChangeRequired"], false);
        assert_eq!(operator.get(SYSTEM).await.status, 200);
        let login = bench.log_in("operator", "battery staple").await;
        assert!(login.json().get("@Message.ExtendedInfo").is_none());
    }
}

#[tokio::test]
async fn an_administrator_who_has_to_change_his_password_is_no_exception() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    root.patch(&uri("root"), r#"{"PasswordChangeRequired":true}"#)
        .await;
    for body in [
        r#"{"PasswordChangeRequired":false}"#,
        r#"{"Password":"battery staple","RoleId":"Administrator"}"#,
    ] {
        let refused = root.patch(&uri("root"), body).await;
        refused.assert_error(403, &["PasswordChangeRequired"]);
    }
    let changed = root
        .patch(&uri("root"), r#"{"Password":"battery staple"}"#)
        .await;
    assert_eq!(changed.json()["PasswordChangeRequired"], false);
}

const CHANGE: &str = "Actions/ManagerAccount.ChangePassword";

#[tokio::test]
async fn a_password_is_changed_with_the_action_by_who_shows_his_own() {
    let bench = Bench::new();
    let (root, reader) = (bench.client("root").await, bench.client("reader").await);
    let target = format!("{}/{CHANGE}", uri("reader"));
    assert_eq!(
        reader.get(&uri("reader")).await.json()["Actions"]["#ManagerAccount.ChangePassword"]["target"],
        target
    );
    let body = |own: &str, new: &str| {
        serde_json::json!({"SessionAccountPassword": own, "NewPassword": new}).to_string()
    };
    let wrong = reader.post(&target, &body("wrong", "battery staple")).await;
    wrong.assert_error(400, &["ActionParameterValueError"]);
    let short = reader.post(&target, &body(PASSWORD, "x")).await;
    short.assert_error(400, &["ActionParameterValueFormatError"]);
    let missing = reader
        .post(&target, r#"{"NewPassword":"battery staple"}"#)
        .await;
    missing.assert_error(400, &["ActionParameterMissing"]);
    let of_root = format!("{}/{CHANGE}", uri("root"));
    let foreign = reader
        .post(&of_root, &body(PASSWORD, "battery staple"))
        .await;
    foreign.assert_error(403, &["InsufficientPrivilege"]);
    assert_eq!(
        reader
            .post(&target, &body(PASSWORD, "battery staple"))
            .await
            .status,
        204
    );
    assert!(is_alive(&reader).await);
    assert_eq!(bench.log_in("reader", "battery staple").await.status, 201);
    assert_eq!(
        root.post(&target, &body(PASSWORD, "third horse"))
            .await
            .status,
        204
    );
    assert!(!is_alive(&reader).await);
    assert_eq!(bench.log_in("reader", "third horse").await.status, 201);
}

#[tokio::test]
async fn where_the_action_is_required_patch_changes_no_password() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    root.patch(
        "/redfish/v1/AccountService",
        r#"{"RequireChangePasswordAction":true}"#,
    )
    .await;
    let patch = root
        .patch(&uri("reader"), r#"{"Password":"battery staple"}"#)
        .await;
    patch.assert_error(400, &["PropertyNotWritable"]);
    let body =
        serde_json::json!({"SessionAccountPassword": PASSWORD, "NewPassword": "battery staple"});
    let target = format!("{}/{CHANGE}", uri("reader"));
    assert_eq!(root.post(&target, &body.to_string()).await.status, 204);
    assert_eq!(
        root.post(ACCOUNTS, NEW).await.status,
        201,
        "a new account has a password"
    );
}

#[tokio::test]
async fn the_rules_for_passwords_can_be_changed_and_hold_from_then_on() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    let service = "/redfish/v1/AccountService";
    let rules = r#"{"MinPasswordLength":12,"MaxPasswordLength":20,"PasswordExpirationDays":30}"#;
    let changed = root.patch(service, rules).await;
    assert_eq!(changed.status, 200);
    changed.assert_valid();
    assert_eq!(changed.json()["MinPasswordLength"], 12);
    let create = |password: &str| NEW.replace(ANNAS, password);
    for wrong in ["eleven char", "twenty-one characters"] {
        root.post(ACCOUNTS, &create(wrong))
            .await
            .assert_error(400, &["PropertyValueFormatError"]);
    }
    let created = root.post(ACCOUNTS, &create("twelve chars")).await;
    assert_eq!(created.status, 201);
    assert!(created.json()["PasswordExpiration"].is_string());
    for (body, message) in [
        (r#"{"MinPasswordLength":21}"#, "PropertyValueError"),
        (r#"{"MinPasswordLength":0}"#, "PropertyValueOutOfRange"),
        (r#"{"MaxPasswordLength":257}"#, "PropertyValueOutOfRange"),
        (r#"{"PasswordExpirationDays":0}"#, "PropertyValueOutOfRange"),
        (
            r#"{"AccountLockoutDuration":10,"AccountLockoutCounterResetAfter":20}"#,
            "PropertyValueError",
        ),
        (
            r#"{"LocalAccountAuth":"Disabled"}"#,
            "PropertyValueNotInList",
        ),
        (r#"{"HTTPBasicAuth":"Sometimes"}"#, "PropertyValueNotInList"),
        (r#"{"ServiceEnabled":false}"#, "PropertyNotWritable"),
    ] {
        root.patch(service, body)
            .await
            .assert_error(400, &[message]);
    }
    assert_eq!(root.get(service).await.json()["MinPasswordLength"], 12);
}

#[tokio::test]
async fn basic_authentication_can_be_kept_quiet_and_switched_off() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    let service = "/redfish/v1/AccountService";
    let challenge = async || {
        let answer = bench.call("GET", SYSTEM, &[], "").await;
        answer.header("www-authenticate").is_some()
    };
    for (word, works, is_said) in [
        ("Unadvertised", 200, false),
        ("Disabled", 401, false),
        ("Enabled", 200, true),
    ] {
        let body = format!("{{\"HTTPBasicAuth\":\"{word}\"}}");
        assert_eq!(
            root.patch(service, &body).await.json()["HTTPBasicAuth"],
            word
        );
        assert_eq!(basic(&bench, "root", PASSWORD).await, works, "{word}");
        assert_eq!(challenge().await, is_said, "{word}");
        assert_eq!(
            bench.log_in("root", PASSWORD).await.status,
            201,
            "sessions work always"
        );
    }
}

#[tokio::test]
async fn what_clients_have_changed_outlives_a_restart_and_wins_over_the_configuration() {
    let file = StateFile::new();
    let bench = file.bench();
    let root = bench.client("root").await;
    assert_eq!(root.post(ACCOUNTS, NEW).await.status, 201);
    let expiry = r#"{"PasswordExpiration":"2099-01-01T00:00:00Z","StrictAccountTypes":true}"#;
    root.patch(&uri("anna"), expiry).await;
    root.patch(
        &uri("reader"),
        r#"{"Password":"battery staple","Enabled":false}"#,
    )
    .await;
    root.patch(
        "/redfish/v1/AccountService",
        r#"{"AccountLockoutThreshold":7}"#,
    )
    .await;
    assert_eq!(delete(&root, &uri("operator")).await.status, 204);
    let anna = root.get(&uri("anna")).await.json();
    drop(root);
    drop(bench);
    let bench = file.bench();
    assert_eq!(bench.log_in("reader", PASSWORD).await.status, 401);
    assert_eq!(
        bench.log_in("operator", PASSWORD).await.status,
        401,
        "it isn't added again"
    );
    let root = bench.client("root").await;
    assert_eq!(root.get(&uri("anna")).await.json(), anna);
    assert_eq!(root.get(&uri("reader")).await.json()["Enabled"], false);
    assert_eq!(
        root.get("/redfish/v1/AccountService").await.json()["AccountLockoutThreshold"],
        7
    );
    assert_eq!(bench.log_in("anna", ANNAS).await.status, 201);
    root.patch(&uri("reader"), r#"{"Enabled":true}"#).await;
    assert_eq!(bench.log_in("reader", "battery staple").await.status, 201);
    let text = std::fs::read(file.path()).unwrap();
    for secret in [ANNAS, "battery staple", PASSWORD] {
        let found = text.windows(secret.len()).any(|w| w == secret.as_bytes());
        assert!(!found, "no password lies in the file");
    }
}

#[tokio::test]
async fn a_hash_from_elsewhere_opens_and_is_kept_in_our_own_form() {
    const HELLO: &str = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1";
    let file = StateFile::new();
    let seeds = || {
        vec![
            Account::new("root", PASSWORD, Role::Administrator).unwrap(),
            Account::with_hash("old", HELLO, "Operator").unwrap(),
        ]
    };
    let bench = file.bench_with(seeds());
    assert_eq!(bench.log_in("old", "Hello world").await.status, 401);
    assert_eq!(bench.log_in("old", "Hello world!").await.status, 201);
    drop(bench);
    let bench = file.bench_with(seeds());
    assert_eq!(bench.log_in("old", "Hello world!").await.status, 201);
    assert_eq!(
        bench
            .client_with("old", "Hello world!")
            .await
            .get(SYSTEM)
            .await
            .status,
        200
    );
    assert!(Account::with_hash("old", "plain text", "Operator").is_err());
}

#[tokio::test]
async fn every_mistake_in_an_account_is_named_with_its_property() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let body =
        json!({"UserName": "a b", "Password": "x", "RoleId": "administrater", "Locked": true});
    let refused = client.post(ACCOUNTS, &body.to_string()).await;
    assert_eq!(refused.status, 400);
    let json = refused.json();
    let messages = json["error"]["@Message.ExtendedInfo"].as_array().unwrap();
    let mut about: Vec<_> = messages
        .iter()
        .map(|message| message["RelatedProperties"][0].as_str().unwrap())
        .collect();
    about.sort_unstable();
    assert_eq!(about, ["#/Locked", "#/Password", "#/RoleId", "#/UserName"]);
    let role = messages
        .iter()
        .find(|message| message["RelatedProperties"][0] == "#/RoleId");
    let remedy = role.unwrap()["Resolution"].as_str().unwrap();
    assert!(
        remedy.starts_with("Did you mean 'Administrator'?"),
        "{remedy}"
    );
    // Of a PATCH, too; and nothing was changed.
    let body = json!({"Password": "x", "RoleId": "nobody", "Enabled": false});
    let uri = format!("{ACCOUNTS}/reader");
    let refused = client.patch(&uri, &body.to_string()).await;
    refused.assert_error(400, &["PropertyValueFormatError", "PropertyValueNotInList"]);
    assert_eq!(client.get(&uri).await.json()["Enabled"], true);
}

const SUBSCRIPTIONS: &str = "/redfish/v1/EventService/Subscriptions";

#[tokio::test]
async fn with_an_account_go_its_subscriptions_and_nobody_elses() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    let new =
        json!({"UserName": "leaver", "Password": "correct horse 2", "RoleId": "Administrator"});
    assert_eq!(root.post(ACCOUNTS, &new.to_string()).await.status, 201);
    let leaver = bench.client_with("leaver", "correct horse 2").await;
    let subscription = |context: &str| {
        json!({"Destination": "https://203.0.113.1/", "Protocol": "Redfish", "Context": context})
            .to_string()
    };
    assert_eq!(
        leaver.post(SUBSCRIPTIONS, &subscription("a")).await.status,
        201
    );
    assert_eq!(
        leaver.post(SUBSCRIPTIONS, &subscription("b")).await.status,
        201
    );
    let stays = root.post(SUBSCRIPTIONS, &subscription("c")).await;
    let stays = stays.header("location").unwrap().to_owned();
    assert_eq!(
        delete(&root, &format!("{ACCOUNTS}/leaver")).await.status,
        204
    );
    let left = root.get(SUBSCRIPTIONS).await.json();
    assert_eq!(left["Members"], json!([{"@odata.id": stays}]));
    let log = "/redfish/v1/Managers/Testbench/LogServices/Audit/Entries";
    let log = root.get(log).await;
    let text = String::from_utf8(log.body.to_vec()).unwrap();
    assert_eq!(
        text.matches("deleted /redfish/v1/EventService/Subscriptions/")
            .count(),
        2
    );
}
