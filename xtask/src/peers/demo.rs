//! The demo as its README shows it: plain curl on one side, ipmitool on the other, one machine between them.

use std::time::Duration;

use serde_json::{Value, json};

use super::ipmitool;
use super::program::{self, Program, eventually};
use super::redfish::Client;
use super::report::{Report, same};
use super::target::Target;
use crate::Result;
use crate::workspace::Workspace;

/// As many nodes as the demo has without options.
const NODES: u32 = 96;
/// How long physics may take to show.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the steps.
///
/// # Errors
/// Where the demo doesn't start or a machine can't be read.
pub(crate) fn run(workspace: &Workspace, report: &mut Report) -> Result {
    let demo = program::demo(workspace, "demo", NODES)?;
    report.note(&format!(
        "serves {:.2} s after its start",
        demo.start_time.as_secs_f64()
    ));
    let client = demo.client()?;
    report.check(
        "a wrong password is refused with 401",
        refuses_wrong_password(&demo),
    );
    report.check("Systems has 96 members", {
        let systems = client.get("/redfish/v1/Systems")?;
        same(
            "members",
            &systems["Members@odata.count"].as_u64(),
            &Some(u64::from(NODES)),
        )
    });
    let [machine, neighbour, ..] = demo.bmcs.as_slice() else {
        return Err("the demo names no BMCs".into());
    };
    report.check(
        "a temperature changes between two reads",
        temperature_changes(&client, machine),
    );
    switch_off(&client, machine, neighbour, report)?;
    report.check(
        "ipmitool switches the same machine on again",
        switch_on(&client, machine),
    );
    report.check("Ctrl-C ends it", demo.interrupt());
    Ok(())
}

fn refuses_wrong_password(demo: &Program) -> Result {
    let body = json!({"UserName": demo.username, "Password": "wrong"});
    let answer = Client::new(&demo.url).request(
        "POST",
        "/redfish/v1/SessionService/Sessions",
        Some(&body),
    )?;
    same("status", &answer.status, &401)
}

fn sensors(client: &Client, machine: &Target) -> Result<Vec<Value>> {
    client.members(&format!("/redfish/v1/Chassis/{}/Sensors", machine.name))
}

/// The readings of all sensors of one type, by name.
fn readings(client: &Client, machine: &Target, kind: &str) -> Result<Vec<(String, f64)>> {
    let sensors = sensors(client, machine)?;
    let of_kind = sensors
        .iter()
        .filter(|sensor| sensor["ReadingType"] == kind);
    Ok(of_kind
        .filter_map(|sensor| {
            Some((
                sensor["Id"].as_str()?.to_owned(),
                sensor["Reading"].as_f64()?,
            ))
        })
        .collect())
}

fn temperature_changes(client: &Client, machine: &Target) -> Result {
    let before = eventually(PATIENCE, "temperature", || {
        let found = readings(client, machine, "Temperature")?;
        Ok((!found.is_empty()).then_some(found))
    })?;
    eventually(PATIENCE, "changed temperature", || {
        Ok((readings(client, machine, "Temperature")? != before).then_some(()))
    })
}

fn power_draw(client: &Client, machine: &Target) -> Result<f64> {
    let metrics = client.get(&format!(
        "/redfish/v1/Chassis/{}/EnvironmentMetrics",
        machine.name
    ))?;
    metrics["PowerWatts"]["Reading"]
        .as_f64()
        .ok_or_else(|| format!("no PowerWatts in {metrics}").into())
}

fn fan_sum(client: &Client, machine: &Target) -> Result<f64> {
    let fans = readings(client, machine, "Rotational")?;
    if fans.is_empty() {
        Err("no fan has a speed".into())
    } else {
        Ok(fans.iter().map(|(_, speed)| speed).sum())
    }
}

fn power_state(client: &Client, machine: &Target) -> Result<String> {
    let system = client.get(&format!("/redfish/v1/Systems/{}", machine.name))?;
    Ok(system["PowerState"].as_str().unwrap_or("null").to_owned())
}

fn switch_off(
    client: &Client,
    machine: &Target,
    neighbour: &Target,
    report: &mut Report,
) -> Result {
    let (watts, fans) = (power_draw(client, machine)?, fan_sum(client, machine)?);
    let (neighbour_watts, neighbour_fans) =
        (power_draw(client, neighbour)?, fan_sum(client, neighbour)?);
    let path = format!(
        "/redfish/v1/Systems/{}/Actions/ComputerSystem.Reset",
        machine.name
    );
    let answer = client.request("POST", &path, Some(&json!({"ResetType": "ForceOff"})))?;
    report.check(
        "ComputerSystem.Reset ForceOff is accepted",
        answer.expect_success(&path).map(drop),
    );
    let off = eventually(PATIENCE, "PowerState Off", || {
        Ok((power_state(client, machine)? == "Off").then_some(()))
    });
    report.check("PowerState is Off in Redfish", off);
    report.check("the same BMC says off to ipmitool with suite 17", {
        let said =
            ipmitool::call(machine, 17, &["chassis", "power", "status"])?.expect_success()?;
        same("ipmitool", &said.trim(), &"Chassis Power is off")
    });
    let falls = eventually(PATIENCE, "fall of power draw and fans", || {
        let (now_watts, now_fans) = (power_draw(client, machine)?, fan_sum(client, machine)?);
        if now_watts < watts / 2.0 && now_fans < fans / 2.0 {
            return Ok(Some(()));
        }
        Err(format!("{watts} W -> {now_watts} W, fans {fans} -> {now_fans} rpm").into())
    });
    report.check("its power draw and its fans fall", falls);
    let (now_watts, now_fans) = (power_draw(client, neighbour)?, fan_sum(client, neighbour)?);
    let kept = now_watts > neighbour_watts / 2.0 && now_fans > neighbour_fans / 2.0;
    let what =
        format!("{neighbour_watts} W -> {now_watts} W, fans {neighbour_fans} -> {now_fans} rpm");
    report.check(
        "its neighbour's don't",
        if kept { Ok(()) } else { Err(what.into()) },
    );
    let state = power_state(client, neighbour)?;
    report.check(
        "its neighbour stays on",
        same("PowerState", &state.as_str(), &"On"),
    );
    Ok(())
}

fn switch_on(client: &Client, machine: &Target) -> Result {
    ipmitool::call(machine, 17, &["chassis", "power", "on"])?.expect_success()?;
    eventually(PATIENCE, "PowerState On", || {
        Ok((power_state(client, machine)? == "On").then_some(()))
    })
}
