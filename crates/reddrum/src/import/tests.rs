use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use super::*;
use crate::config::Config;

/// SHA-512-crypt of `Hello world!` with the salt `saltstring`, from the specification of SHA-crypt.
const HASH: &str = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1";

/// A folder in RedDrum's form; it goes with the test.
struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(folder.path("rf/db")).unwrap();
        for (file, text) in files {
            fs::write(folder.path("rf").join(file), text).unwrap();
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn args(&self, check: bool) -> ImportArgs {
        ImportArgs {
            dir: self.path("rf"),
            conf: None,
            state_dir: (!check).then(|| self.path("state")),
            output: None,
            force: false,
            check,
        }
    }
}

fn imported(args: &ImportArgs) -> Result<(String, String), ProgramError> {
    let (mut out, mut log) = (Vec::new(), Vec::new());
    run(args, &mut out, &mut log)?.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ok((text(out), text(log)))
}

fn accounts() -> String {
    format!(
        r#"{{
"root": {{"UserName": "root", "Password": "password", "RoleId": "Administrator", "Enabled": true, "Deletable": false}},
"a1": {{"UserName": "ann", "Password": "{HASH}", "RoleId": "ReadOnlyUser", "Enabled": true, "Deletable": true}},
"b1": {{"UserName": "bob", "Password": "in the clear", "RoleId": "Fixer", "Enabled": false, "Deletable": true}},
"c1": {{"UserName": "cat", "Password": "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc8", "RoleId": "Operator"}},
"d1": {{"UserName": "dan", "Password": "hidden words", "RoleId": "Nobody"}},
"e1": {{"UserName": "eve", "Password": ["hidden words"], "RoleId": "Operator"}}
}}"#
    )
}

const ROLES: &str = r#"{
"Administrator": {"IsPredefined": true,
  "AssignedPrivileges": ["Login", "ConfigureManager", "ConfigureUsers", "ConfigureSelf", "ConfigureComponents"]},
"ReadOnlyUser": {"IsPredefined": true, "AssignedPrivileges": ["Login", "ConfigureSelf"]},
"Fixer": {"IsPredefined": false, "AssignedPrivileges": ["Login", "ConfigureComponents", "Hammer"]},
"No Path": {"AssignedPrivileges": ["Login"]}
}"#;

const SUBSCRIPTIONS: &str = r#"{
"E1": {"Context": "rack", "EventDestination": "https://events.example.org/in", "Protocol": "Redfish", "EventTypes": ["Alert"]},
"E2": {"Context": "", "EventDestination": "http://events.example.org/in", "Protocol": "Redfish", "EventTypes": ["Alert"]},
"E3": {"Context": "", "EventDestination": "https://169.254.169.254/", "Protocol": "Redfish", "EventTypes": []}
}"#;

fn whole() -> Folder {
    Folder::new(&[
        (
            "RedDrum.conf",
            "[Auth Section]\nRedfishAllowBasicAuthOverHttp=true\n",
        ),
        ("db/AccountsDb.json", &accounts()),
        ("db/RolesDb.json", ROLES),
        (
            "db/AccountServiceDb.json",
            r#"{"MinPasswordLength": 6, "AccountLockoutThreshold": 4, "AccountLockoutDuration": 60}"#,
        ),
        ("db/SessionServiceDb.json", r#"{"SessionTimeout": 120}"#),
        (
            "db/EventServiceDb.json",
            r#"{"DeliveryRetryAttempts": 2, "DeliveryRetryIntervalSeconds": 10}"#,
        ),
        ("db/EventsDb.json", SUBSCRIPTIONS),
        (
            "db/ServiceRootUuidDb.json",
            r#"{"UUID": "92384634-2938-2342-8820-489239905423"}"#,
        ),
    ])
}

#[test]
fn everything_is_taken_over_or_named_with_the_reason() {
    let folder = whole();
    let (config, report) = imported(&folder.args(false)).unwrap();
    let (taken, rest) = report.split_once("Not taken over:").unwrap();
    let (left, look_at) = rest.split_once("Look at this:").unwrap();
    for (part, line) in [
        (taken, "Account root: role Administrator"),
        (taken, "Account ann: role ReadOnly"),
        (taken, "Account bob: role Fixer, disabled"),
        (taken, "Role ReadOnlyUser: is ReadOnly here"),
        (taken, "Role Fixer: with Login, ConfigureComponents"),
        (taken, "AccountService.AccountLockoutThreshold: 4"),
        (
            taken,
            "Subscription E1: https://events.example.org/in, belongs to root",
        ),
        (taken, "EventService: 2 more attempts, every 10 s"),
        (taken, "SessionTimeout: sessions end after 120 s"),
        (left, "Account root, Deletable"),
        (left, "Account cat: its password is a SHA-256-crypt hash"),
        (left, "Account dan: there is no role Nobody"),
        (left, "e1: no entry of AccountsDb.json has this form"),
        (left, "Role Fixer: no privileges of Redfish: Hammer"),
        (left, "Role No Path: a role's id has"),
        (left, "Subscription E2: http://events.example.org/in: "),
        (
            left,
            "Subscription E3: https://169.254.169.254/: The service sends nothing",
        ),
        (
            left,
            "RedfishAllowBasicAuthOverHttp: plain HTTP takes no password",
        ),
        (look_at, "Account root: everybody knows its password"),
        (
            look_at,
            "Account bob: RedDrum's file has its password in plain text",
        ),
        (look_at, "EventDestinationCollectionDb.json"),
    ] {
        assert!(part.contains(line), "{line}: {report}");
    }
    assert!(
        !report.contains("hidden words") && !report.contains("in the clear"),
        "{report}"
    );

    let parsed = Config::parse(&config, Path::new("/")).unwrap();
    assert_eq!(parsed.service.session_timeout_s, 120);
    let state = parsed.service.state_dir.unwrap();
    assert_eq!(state, fs::canonicalize(folder.path("state")).unwrap());
    let uuid = fs::read_to_string(state.join(UUID_FILE)).unwrap();
    assert_eq!(uuid, "92384634-2938-2342-8820-489239905423");
    let file = state.join(STATE_FILE);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&state), mode(&file)), (0o700, 0o600));
    let bytes = fs::read(file).unwrap();
    let has = |text: &str| {
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    assert!(has(HASH) && !has("in the clear"));
}

#[test]
fn a_check_says_the_same_and_writes_nothing() {
    let folder = whole();
    let (said, _) = imported(&folder.args(true)).unwrap();
    assert!(!folder.path("state").exists());
    let (_, report) = imported(&folder.args(false)).unwrap();
    assert_eq!(said, report);
}

#[test]
fn what_is_there_is_never_overwritten_unasked() {
    let folder = whole();
    let output = folder.path("reddrum.toml");
    fs::write(&output, "mine").unwrap();
    let mut args = ImportArgs {
        output: Some(output.clone()),
        ..folder.args(false)
    };
    let refused = imported(&args).unwrap_err().to_string();
    assert!(refused.contains("--force"), "{refused}");
    assert!(!folder.path("state").exists(), "a refusal changes nothing");
    args.force = true;
    imported(&args).unwrap();
    assert!(fs::read_to_string(&output).unwrap().contains("state_dir"));
    let again = loop {
        let error = imported(&args).unwrap_err().to_string();
        // The thread that wrote the state lets go of the file a moment later.
        if !error.contains(&redfish::StoreError::InUse.to_string()) {
            break error;
        }
        std::thread::yield_now();
    };
    assert!(
        again.contains("accounts, roles or subscriptions already"),
        "{again}"
    );
}

#[test]
fn files_of_another_form_and_none_at_all_are_errors_that_show_no_password() {
    let empty = Folder::new(&[]);
    let error = imported(&empty.args(true)).unwrap_err().to_string();
    assert!(error.contains("none of RedDrum's files"), "{error}");
    let broken = Folder::new(&[("db/AccountsDb.json", "{\"root\": {\"Password\": \"hidden\"")]);
    let error = imported(&broken.args(true)).unwrap_err().to_string();
    assert!(
        error.contains("AccountsDb.json") && !error.contains("hidden"),
        "{error}"
    );
}

#[test]
fn names_in_files_reach_no_terminal_as_control_characters() {
    let folder = Folder::new(&[(
        "db/RolesDb.json",
        "{\"\\u001b[2Jx\": {\"AssignedPrivileges\": []}}",
    )]);
    let (report, _) = imported(&folder.args(true)).unwrap();
    assert!(
        report.contains("?[2Jx") && !report.contains('\u{1b}'),
        "{report}"
    );
}
