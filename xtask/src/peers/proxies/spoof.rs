//! Clients that say they are somebody else: nothing that a client writes reaches a decision.

use serde_json::json;

use super::web_server::Kind;
use super::{CLIENT, PASSWORD, Stand, USERNAME};
use crate::Result;
use crate::peers::redfish::Client;
use crate::peers::report::{Report, same};

const SESSIONS: &str = "/redfish/v1/SessionService/Sessions";
/// The address that attackers would like to have.
const STOLEN: &str = "203.0.113.9";

/// Every way to claim an address that a service or a proxy has fallen for.
fn claims() -> Vec<Vec<String>> {
    let one = |line: &str| vec![line.to_owned()];
    vec![
        one("X-Forwarded-For: 203.0.113.9"),
        one("X-Forwarded-For: 203.0.113.9, 127.0.0.1"),
        vec![
            "X-Forwarded-For: 203.0.113.9".into(),
            "X-Forwarded-For: 127.0.0.1".into(),
        ],
        one("x-forwarded-for: 203.0.113.9:80"),
        one("Forwarded: for=203.0.113.9;proto=https;host=evil.example"),
        one("X-Real-IP: 203.0.113.9"),
        one("X-Client-IP: 203.0.113.9"),
        one("X-Server-Addr: 203.0.113.9"),
        one("X-Forwarded-Host: evil.example"),
        one("X-Forwarded-Server: evil.example"),
        one("X-Original-URL: /redfish/v1/odata"),
        // Asks the proxy to drop its own headers as those of one hop.
        vec![
            "Connection: X-Forwarded-For".into(),
            "X-Forwarded-For: 203.0.113.9".into(),
        ],
        one("Connection: close, X-Forwarded-For, X-Forwarded-Host"),
    ]
}

/// Runs the checks.
///
/// # Errors
/// Where curl can't be run.
pub(super) fn run(stand: &Stand, report: &mut Report) -> Result {
    report.check(
        "a session's client is who connected to the web server, whatever it claims",
        claims()
            .iter()
            .try_for_each(|headers| claim(stand, headers)),
    );
    report.check(
        "past the web server, claims count for nothing either",
        past_the_web_server(stand),
    );
    report.check(
        "a page of the service's own name may change things, another may not, whatever host it claims",
        origins(stand),
    );
    report.check(
        "X-Forwarded-Proto of a client opens no clear text",
        plain(stand),
    );
    Ok(())
}

/// Logs in with these headers, checks who the service takes the client for, and logs out.
fn claim(stand: &Stand, headers: &[String]) -> Result {
    let client = stand.client().with_options(&["--http1.1"]);
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    let found = origin_of_login(&client, &headers)?;
    same(
        &format!("client of a login with {headers:?}"),
        &found.as_str(),
        &CLIENT,
    )
}

/// `ClientOriginIPAddress` of a login with these headers.
fn origin_of_login(client: &Client, headers: &[&str]) -> Result<String> {
    let body = json!({"UserName": USERNAME, "Password": PASSWORD});
    let answer = client.request_with("POST", SESSIONS, headers, Some(&body))?;
    let token = answer
        .header("X-Auth-Token")
        .map(|token| format!("X-Auth-Token: {token}"));
    let session = answer.expect_success(&format!("login with {headers:?}"))?;
    let token = token.ok_or("login: no X-Auth-Token header")?;
    let path = session["@odata.id"]
        .as_str()
        .ok_or("a session without @odata.id")?;
    client
        .request_with("DELETE", path, &[&token], None)?
        .expect_success(path)?;
    Ok(session["ClientOriginIPAddress"]
        .as_str()
        .unwrap_or("null")
        .to_owned())
}

fn past_the_web_server(stand: &Stand) -> Result {
    let client = Client::new(&stand.program.url).with_options(&["--interface", CLIENT]);
    let claim = format!("X-Forwarded-For: {STOLEN}");
    same(
        "client",
        &origin_of_login(&client, &[&claim])?.as_str(),
        &CLIENT,
    )
}

/// Basic credentials that a browser adds by itself change things only for pages of the service's own name.
fn origins(stand: &Stand) -> Result {
    let client =
        stand
            .client()
            .with_options(&["--http1.1", "--user", &format!("{USERNAME}:{PASSWORD}")]);
    let path = "/redfish/v1/SessionService";
    let change = json!({"SessionTimeout": 1800});
    let own = format!("Origin: {}", stand.url());
    client
        .request_with("PATCH", path, &[&own], Some(&change))?
        .expect_success("own page")?;
    let evil = "Origin: https://evil.example";
    for claim in [
        "Accept: */*",
        "X-Forwarded-Host: evil.example",
        "Forwarded: host=evil.example",
    ] {
        let answer = client.request_with("PATCH", path, &[evil, claim], Some(&change))?;
        same(&format!("another page with {claim}"), &answer.status, &403)?;
    }
    Ok(())
}

fn plain(stand: &Stand) -> Result {
    let client = Client::new(&stand.plain_url()).with_options(&["--interface", CLIENT, "--ipv4"]);
    let body = json!({"UserName": USERNAME, "Password": PASSWORD});
    for claim in [
        "Accept: */*",
        "X-Forwarded-Proto: https",
        "Connection: X-Forwarded-Proto",
    ] {
        let answer = client.request_with("GET", "/redfish/v1/Systems?$top=1", &[claim], None)?;
        let location = answer.header("Location").unwrap_or_default();
        same(&format!("GET with {claim}"), &answer.status, &308)?;
        same(
            "location",
            &location.ends_with("/redfish/v1/Systems?$top=1"),
            &true,
        )?;
        same(
            "location",
            &location.starts_with("https://localhost"),
            &true,
        )?;
        let answer = client.request_with("POST", SESSIONS, &[claim], Some(&body))?;
        // Caddy redirects everything by itself and hands nothing on.
        let refused = if stand.kind == Kind::Caddy { 308 } else { 403 };
        same(&format!("login with {claim}"), &answer.status, &refused)?;
        same("token", &answer.header("X-Auth-Token"), &None)?;
    }
    Ok(())
}
