//! What takes long: a stream of events.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use super::{CLIENT, PASSWORD, Stand, USERNAME};
use crate::Result;
use crate::peers::redfish::Client;
use crate::peers::report::Report;
use crate::process::{Background, command};

/// How long an event may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs the checks.
///
/// # Errors
/// Where nobody can log in.
pub(super) fn run(stand: &Stand, report: &mut Report) -> Result {
    let folder = &stand.folder;
    let mut client = stand.client();
    client.log_in(USERNAME, PASSWORD)?;
    for version in ["--http2", "--http1.1"] {
        report.check(
            &format!("{version}: events come as they happen"),
            events(stand, &client, folder, version),
        );
    }
    Ok(())
}

/// Two events, the second one caused after the first has come: nothing on the way waits for more.
fn events(stand: &Stand, client: &Client, folder: &Path, version: &str) -> Result {
    let service = client.get("/redfish/v1/EventService")?;
    let uri = service["ServerSentEventUri"]
        .as_str()
        .ok_or("no ServerSentEventUri")?;
    let said = folder.join("events");
    let mut curl = command("curl");
    curl.args([
        "--silent",
        "--insecure",
        "--no-buffer",
        "--ipv4",
        "--interface",
        CLIENT,
        version,
    ]);
    curl.args(["--user", &format!("{USERNAME}:{PASSWORD}")]);
    curl.args(["--header", "Accept: text/event-stream"]);
    curl.arg(format!("{}{uri}", stand.url()));
    curl.stdout(fs::File::create(&said)?).stderr(Stdio::null());
    let mut stream = Background::start(curl)?;
    let text = || fs::read_to_string(&said).unwrap_or_default();
    stream.wait_until(PATIENCE, "open stream", || {
        (!text().is_empty()).then_some(())
    })?;
    let path = "/redfish/v1/EventService/Actions/EventService.SubmitTestEvent";
    for number in ["first", "second"] {
        let id = format!("through-{}-{number}", stand.kind.name());
        let event =
            json!({"MessageId": "ResourceEvent.1.3.TestMessage", "MessageArgs": [], "EventId": id});
        client
            .request("POST", path, Some(&event))?
            .expect_success(path)?;
        stream.wait_until(PATIENCE, &format!("{number} event"), || {
            text().contains(&id).then_some(())
        })?;
    }
    Ok(())
}
