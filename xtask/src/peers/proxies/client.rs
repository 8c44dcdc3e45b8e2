//! A whole client through a web server: what it does directly must come out the same.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{PASSWORD, Stand, USERNAME};
use crate::Result;
use crate::peers::redfish::{Answer, Client};
use crate::peers::report::{Report, none_of, same};

/// How many resources of the tree are read.
const WALK_MAX: usize = 120;
/// Larger than any body that the service reads, in bytes.
const TOO_LARGE: usize = 100_000;

/// Runs the checks.
///
/// # Errors
/// Where nobody can log in.
pub(super) fn run(stand: &Stand, report: &mut Report) -> Result {
    for (version, option) in [("HTTP/2", "--http2"), ("HTTP/1.1", "--http1.1")] {
        let mut client = stand.client().with_options(&[option]);
        report.check(&format!("{version}: what needs no login"), open(&client));
        report.check(
            &format!("{version}: a wrong password is refused"),
            wrong_password(&client),
        );
        client.log_in(USERNAME, PASSWORD)?;
        let walked = walk(&client, &stand.direct()?);
        if let Ok(count) = &walked {
            report.note(&format!("{count} resources read"));
        }
        report.check(
            &format!("{version}: the tree is the same as without the web server"),
            walked.map(drop),
        );
        report.check(
            &format!("{version}: ETags and PATCH"),
            patch(&client, &stand.machine),
        );
        report.check(
            &format!("{version}: an action"),
            action(&client, &stand.machine),
        );
        report.check(&format!("{version}: compression"), compression(&client));
        report.check(
            &format!("{version}: errors keep their status and body"),
            errors(&client),
        );
        report.check(&format!("{version}: logout"), log_out(&client));
    }
    Ok(())
}

fn open(client: &Client) -> Result {
    let answer = client.request("GET", "/redfish/v1/", None)?;
    same("status", &answer.status, &200)?;
    for (name, value) in [
        ("OData-Version", "4.0"),
        ("X-Content-Type-Options", "nosniff"),
        ("Strict-Transport-Security", "max-age=31536000"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ] {
        same(name, &answer.header(name), &Some(value))?;
    }
    let head = client.request("HEAD", "/redfish/v1/", None)?;
    same(
        "HEAD",
        &(head.status, head.header("ETag")),
        &(200, answer.header("ETag")),
    )?;
    let hidden = client.request("GET", "/redfish/v1/Systems", None)?;
    same("without login", &hidden.status, &401)?;
    same("realm", &hidden.header("WWW-Authenticate").is_some(), &true)
}

fn wrong_password(client: &Client) -> Result {
    let body = json!({"UserName": USERNAME, "Password": "wrong"});
    let answer = client.request("POST", "/redfish/v1/SessionService/Sessions", Some(&body))?;
    same("status", &answer.status, &401)?;
    is_error(&answer)
}

fn is_error(answer: &Answer) -> Result {
    let messages = answer.body["error"]["@Message.ExtendedInfo"].as_array();
    same(
        "messages",
        &messages.is_some_and(|list| !list.is_empty()),
        &true,
    )
    .map_err(|error| format!("{error}: {answer:?}").into())
}

/// Reads resource after resource, and compares types and identities with what the service says itself.
fn walk(client: &Client, direct: &Client) -> Result<usize> {
    let mut seen = BTreeSet::from(["/redfish/v1/".to_owned()]);
    let mut todo = vec!["/redfish/v1/".to_owned()];
    let (mut read, mut differences) = (0, Vec::new());
    while let Some(path) = todo.pop().filter(|_| read < WALK_MAX) {
        let (ours, theirs) = (
            direct.request("GET", &path, None)?,
            client.request("GET", &path, None)?,
        );
        read += 1;
        let key = |answer: &Answer| {
            let kind = answer.body["@odata.type"].as_str().map(str::to_owned);
            (
                answer.status,
                kind,
                answer.header("Content-Type").map(str::to_owned),
            )
        };
        if key(&ours) != key(&theirs) || ours.status != 200 {
            differences.push(format!("{path}: {:?} {:?}", key(&ours), key(&theirs)));
        }
        let mut links = Vec::new();
        gather_links(&theirs.body, &mut links);
        links.retain(|link| link.starts_with("/redfish/v1/") && !link.contains('#'));
        for link in links {
            if seen.insert(link.clone()) {
                todo.push(link);
            }
        }
    }
    none_of(&differences)?;
    if read < 30 {
        Err(format!("only {read} resources found").into())
    } else {
        Ok(read)
    }
}

fn gather_links(value: &Value, links: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            links.extend(
                fields
                    .get("@odata.id")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
            fields.values().for_each(|value| gather_links(value, links));
        }
        Value::Array(elements) => elements.iter().for_each(|value| gather_links(value, links)),
        _ => {}
    }
}

fn etag(answer: &Answer) -> Result<String> {
    let tag = answer.header("ETag").ok_or("no ETag")?;
    if tag.starts_with("W/") {
        return Err(format!("a weak ETag: {tag}").into());
    }
    Ok(tag.to_owned())
}

fn patch(client: &Client, machine: &str) -> Result {
    let path = format!("/redfish/v1/Systems/{machine}");
    let before = client.request("GET", &path, None)?;
    let known = format!("If-None-Match: {}", etag(&before)?);
    let again = client.request_with("GET", &path, &[&known], None)?;
    same("If-None-Match", &again.status, &304)?;
    let lit = before.body["LocationIndicatorActive"] == true;
    let change = json!({"LocationIndicatorActive": !lit});
    let other = client.request_with("PATCH", &path, &["If-Match: \"0\""], Some(&change))?;
    same("If-Match of another state", &other.status, &412)?;
    let current = etag(&client.request("GET", &path, None)?)?;
    let matching = format!("If-Match: {current}");
    let done = client.request_with("PATCH", &path, &[&matching], Some(&change))?;
    done.expect_success("PATCH")?;
    let after = client.get(&path)?;
    same(
        "LocationIndicatorActive",
        &after["LocationIndicatorActive"],
        &json!(!lit),
    )?;
    let late = client.request_with("PATCH", &path, &[&matching], Some(&change))?;
    same("the old tag again", &late.status, &412)
}

fn action(client: &Client, machine: &str) -> Result {
    let path = format!("/redfish/v1/Systems/{machine}/Actions/ComputerSystem.Reset");
    let wrong = client.request("POST", &path, Some(&json!({"ResetType": "Explode"})))?;
    same("an unknown ResetType", &wrong.status, &400)?;
    is_error(&wrong)?;
    for reset in ["ForceOff", "On"] {
        let done = client.request("POST", &path, Some(&json!({"ResetType": reset})))?;
        done.expect_success(&path)?;
    }
    Ok(())
}

fn compression(client: &Client) -> Result {
    let path = "/redfish/v1/JsonSchemas";
    let client = client.clone().with_options(&["--compressed"]);
    let coded = client.request_with("GET", path, &["Accept-Encoding: gzip"], None)?;
    same("coding", &coded.header("Content-Encoding"), &Some("gzip"))?;
    same("body", &coded.body["@odata.id"], &json!(path))?;
    let known = format!("If-None-Match: {}", etag(&coded)?);
    let again = client.request_with("GET", path, &["Accept-Encoding: gzip", &known], None)?;
    same("If-None-Match", &again.status, &304)?;
    let plain = client.request_with("GET", path, &["Accept-Encoding: identity"], None)?;
    same("without", &plain.header("Content-Encoding"), &None)
}

fn errors(client: &Client) -> Result {
    for (method, path, status) in [
        ("GET", "/redfish/v1/Systems/nothing", 404),
        ("GET", "/redfish/v1/Systems/a%2Fb", 404),
        ("GET", "/redfish/v1/Systems/%2e%2e/%2e%2e", 404),
        ("GET", "/redfish/v1//Systems", 404),
        ("DELETE", "/redfish/v1/Systems", 405),
    ] {
        let answer = client.request(method, path, None)?;
        same(&format!("{method} {path}"), &answer.status, &status)?;
        is_error(&answer)?;
    }
    let large = json!({"Oem": "x".repeat(TOO_LARGE)});
    let answer = client.request("PATCH", "/redfish/v1/SessionService", Some(&large))?;
    same("a body that is too large", &answer.status, &413)?;
    is_error(&answer)
}

fn log_out(client: &Client) -> Result {
    let body = json!({"UserName": USERNAME, "Password": PASSWORD});
    let login = client.request("POST", "/redfish/v1/SessionService/Sessions", Some(&body))?;
    let location = login.header("Location").ok_or("login: no Location")?;
    same(
        "location",
        &Some(location),
        &login.body["@odata.id"].as_str(),
    )?;
    let token = login
        .header("X-Auth-Token")
        .ok_or("login: no X-Auth-Token")?;
    let stranger = Client::new(&client.url).with_options(&["--ipv4"]);
    let token = format!("X-Auth-Token: {token}");
    for (method, status) in [("GET", 200), ("DELETE", 204), ("GET", 401)] {
        let answer = stranger.request_with(method, location, &[&token], None)?;
        same(method, &answer.status, &status)?;
    }
    Ok(())
}
