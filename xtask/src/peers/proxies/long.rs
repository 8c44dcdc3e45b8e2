//! What takes long: a stream of events, and an upload that is larger than any buffer on the way.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use super::{CLIENT, PASSWORD, Stand, USERNAME};
use crate::Result;
use crate::peers::ipmitool;
use crate::peers::program::eventually;
use crate::peers::redfish::Client;
use crate::peers::report::{Report, same};
use crate::process::{Background, command, run as run_program};

/// How long an event may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long an upgrade may take: some minutes on a busy machine.
const UPDATE_LIMIT: Duration = Duration::from_secs(300);
/// Size of the image that is pushed, in KiB: more than a web server or the service takes for an ordinary body.
const IMAGE_KIB: u32 = 4_000;
/// The suite that ipmitool is to use.
const SUITE: u8 = 17;

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
    report.check("a large image reaches the machine", push(stand, &client));
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

/// Firmware with another version than the one that runs, pushed through the web server: the task completes, and the
/// inventory and ipmitool say the new version.
fn push(stand: &Stand, client: &Client) -> Result {
    let target = format!(
        "/redfish/v1/UpdateService/FirmwareInventory/{}-BMC",
        stand.machine
    );
    let before = client.get(&target)?;
    same("Updateable", &before["Updateable"], &json!(true))?;
    let runs = before["Version"].as_str().ok_or("no Version")?;
    let major: u8 = runs.split('.').next().unwrap_or_default().parse()?;
    let version = format!("{}.10", major + 1);
    let image = stand.folder.join("image.hpm");
    let mut make = command(&stand.binary);
    make.args(["vbmc", "firmware", "--component", "bmc"]);
    make.args(["--version", &version, "--size-kib", &IMAGE_KIB.to_string()]);
    make.arg("--output").arg(&image);
    run_program(make, PATIENCE)?.expect_success()?;

    let service = client.get("/redfish/v1/UpdateService")?;
    let uri = service["MultipartHttpPushUri"].as_str();
    let uri = uri.ok_or("no MultipartHttpPushUri")?;
    let file = format!(
        "UpdateFile=@{};type=application/octet-stream",
        image.display()
    );
    let parameters = format!(
        "UpdateParameters={};type=application/json",
        json!({"Targets": [target]})
    );
    let pusher = client.clone().with_options(&[
        "--form",
        &parameters,
        "--form",
        &file,
        "--expect100-timeout",
        "10",
    ]);
    let answer = pusher.request("POST", uri, None)?;
    same("accepted", &answer.status, &202)?;
    let task = answer.body["@odata.id"].as_str().ok_or("no task")?;
    let ended = eventually(UPDATE_LIMIT, "end of the update", || {
        let task = client.get(task)?;
        Ok(task["EndTime"].is_string().then_some(task))
    })?;
    same("TaskState", &ended["TaskState"], &json!("Completed"))
        .map_err(|error| format!("{error}: {ended}"))?;
    same("Version", &client.get(&target)?["Version"], &json!(version))?;
    let said = ipmitool::call(&stand.bmc, SUITE, &["mc", "info"])?.expect_success()?;
    let told = said
        .lines()
        .find_map(|line| line.strip_prefix("Firmware Revision"))
        .map(|told| told.trim_start_matches([' ', ':']));
    same("ipmitool mc info", &told, &Some(version.as_str()))
}
