//! `nm`: Intel's Node Manager (Node Manager 3.0 External Interface Specification §3). Its requests carry Intel's number, so that
//! no other maker's controller takes them for something else.

use ipmi::command::Command;
use ipmi::command::oem::node_manager::{GetNmPolicy, GetNmStatistics, GetNmVersion};
use ipmi::console::{Bridge, Hop};
use ipmi::number::{CompletionCode, NmDomain, NmStatisticsMode};
use ipmi::record::sdr::NodeManagerDiscovery;

use super::{ADMINISTRATOR, Start, repository, start};
use crate::ipmi::args::NmCommand;
use crate::ipmi::failure::Failure;
use crate::ipmi::report::Sheet;
use crate::ipmi::talk::{CallError, CallFault, Line, Outcome};

/// Width of the names in the reports.
const WIDTH: usize = 20;

/// Completion code of Get Policy: there is no such policy.
const NO_POLICY: CompletionCode = CompletionCode(0x80);

/// Where Node Manager is on nearly all boards: a controller behind the BMC.
const USUAL_ADDRESS: u8 = 0x2c;
const USUAL_CHANNEL: u8 = 6;

/// How to begin it. It is looked for, unless the operator says by a `target` where it is.
pub(super) fn begin(command: NmCommand, target: Option<u8>) -> Start {
    let is_found = target.is_some();
    start(ADMINISTRATOR, move |line| async move {
        if !is_found {
            find(&line).await?;
        }
        match command {
            NmCommand::Version => version(line).await,
            NmCommand::Power { domain } => power(line, domain.into()).await,
            NmCommand::Policy { policy, domain } => read_policy(line, domain.into(), policy).await,
        }
    })
}

/// Finds it, and asks there from now on: the BMC itself, the usual place, and where a record of the BMC says that it is.
async fn find(line: &Line) -> Result<(), Failure> {
    let usual = way(USUAL_CHANNEL, USUAL_ADDRESS);
    for way in [None, usual] {
        if answers(line, way).await? {
            return Ok(());
        }
    }
    line.go_over(None);
    let records = repository::read(line).await?;
    if let Some(found) = records.iter().find_map(NodeManagerDiscovery::of) {
        let way = way(found.channel.0, found.address);
        if way != usual && answers(line, way).await? {
            return Ok(());
        }
    }
    Err(absent(
        "neither the BMC nor the controller 0x2c on its channel 6 has a Node Manager",
    ))
}

fn way(channel: u8, address: u8) -> Option<Bridge> {
    Hop::new(channel, address).ok().map(Bridge::to)
}

/// Whether Node Manager answers there.
async fn answers(line: &Line, way: Option<Bridge>) -> Result<bool, CallError> {
    line.go_over(way);
    match line.call(&GetNmVersion).await {
        Ok(_) => Ok(true),
        Err(error) => match error.fault {
            CallFault::Refused(CompletionCode::INSUFFICIENT_PRIVILEGE)
            | CallFault::NotPassedOn(CompletionCode::INSUFFICIENT_PRIVILEGE)
            | CallFault::TooLong => Err(error),
            _ => Ok(false),
        },
    }
}

fn absent(cause: &str) -> Failure {
    Failure::Unfit {
        kind: "no_node_manager",
        cause: cause.to_owned(),
        remedy: "Intel's boards have one; if it is elsewhere, say where by '-t ADDRESS -b CHANNEL'"
            .to_owned(),
    }
}

/// Asks Node Manager. A controller without one does not know the command.
async fn ask<C: Command>(line: &Line, command: &C) -> Result<C::Response, Failure> {
    line.call(command)
        .await
        .map_err(|error| match error.completion() {
            Some(CompletionCode::INVALID_COMMAND | CompletionCode::INVALID_FOR_LUN) => {
                absent("this controller has no Node Manager")
            }
            _ => error.into(),
        })
}

async fn version(line: Line) -> Outcome {
    let found = ask(&line, &GetNmVersion).await?;
    let mut sheet = Sheet::new(WIDTH);
    sheet.put("Version (coded)", "version", found.version);
    sheet.put("Interface (coded)", "interface", found.interface);
    sheet.put("Patch", "patch", found.patch);
    let firmware = format!("{}.{}", found.major, found.minor);
    sheet.put("Firmware", "firmware", firmware);
    Ok(sheet.report())
}

async fn power(line: Line, domain: NmDomain) -> Outcome {
    let question = GetNmStatistics {
        mode: NmStatisticsMode::GLOBAL_POWER,
        domain,
        policy: 0,
    };
    let found = ask(&line, &question).await?;
    let mut sheet = Sheet::new(WIDTH);
    sheet.put("Domain", "domain", domain.to_string());
    sheet.put("Power Now (W)", "current_w", found.current);
    sheet.put("Minimum (W)", "minimum_w", found.minimum);
    sheet.put("Maximum (W)", "maximum_w", found.maximum);
    sheet.put("Average (W)", "average_w", found.average);
    sheet.put("At", "at", found.at.to_string());
    sheet.put("Period (s)", "period_s", found.period_s);
    sheet.put("Measuring", "measuring", found.measuring);
    sheet.put("Limited Now", "limiting", found.limiting);
    Ok(sheet.report())
}

async fn read_policy(line: Line, domain: NmDomain, policy: u8) -> Outcome {
    let question = GetNmPolicy { domain, policy };
    let absent = |failure: Failure| match failure {
        Failure::Call(error) if is_absent(&error) => Failure::Unfit {
            kind: "no_such_policy",
            cause: format!("there is no policy {policy} for the {domain}"),
            remedy: "ask for another number or --domain".to_owned(),
        },
        failure => failure,
    };
    let found = ask(&line, &question).await.map_err(absent)?;
    let mut sheet = Sheet::new(WIDTH);
    sheet.put("Policy", "policy", policy);
    sheet.put("Domain", "domain", found.domain.to_string());
    sheet.put("Enabled", "enabled", found.enabled);
    let works = found.globally_enabled && found.domain_enabled;
    sheet.put("Node Manager Works", "works", works);
    sheet.put("Trigger", "trigger", found.trigger.to_string());
    sheet.put("Power Limit (W)", "limit_w", found.limit_w);
    sheet.put("Correction Time (ms)", "correction_ms", found.correction_ms);
    sheet.put("Statistics (s)", "period_s", found.period_s);
    let exceptions: Vec<_> = found.exceptions.names().collect();
    sheet.put("If Not Kept", "exceptions", exceptions);
    Ok(sheet.report())
}

fn is_absent(error: &CallError) -> bool {
    error.completion() == Some(NO_POLICY)
}

#[cfg(test)]
mod tests {
    use ipmi::command::app::GetDeviceId;
    use ipmi::command::storage::GetSdr;

    use super::*;
    use crate::ipmi::talk::{Call, play};

    /// The version as asked from a BMC whose Node Manager is at the end of `place`, and whose only record says so.
    fn version_from(place: Option<Bridge>) -> Outcome {
        let (_, begin) = begin(NmCommand::Version, None);
        let hop = place.map_or(0, |way| way.target.channel() << 4);
        let address = place.map_or(0, |way| way.target.address());
        let record = [
            1, 0, 0x51, 0xc0, 0x0b, 0x57, 1, 0, 0x0d, 1, address, hop, 1, 2, 3, 4,
        ];
        play::run(begin(), |call: &Call| {
            Some(match (call.target.cmd, call.way == place) {
                (GetNmVersion::CMD, true) => (CompletionCode::OK, vec![0x57, 1, 0, 5, 3, 0, 4, 1]),
                (GetDeviceId::CMD, _) if call.way.is_none() => (
                    CompletionCode::OK,
                    vec![0x20, 1, 1, 0, 2, 0x02, 0, 0, 0, 0, 0],
                ),
                (GetSdr::CMD, _) if call.way.is_none() => {
                    (CompletionCode::OK, [&[0xff, 0xff][..], &record].concat())
                }
                _ => (CompletionCode::INVALID_COMMAND, Vec::new()),
            })
        })
    }

    #[test]
    fn node_manager_is_found_at_the_bmc_behind_it_and_where_a_record_says() {
        for place in [None, way(6, 0x2c), way(0, 0x88)] {
            let report = version_from(place).unwrap();
            assert_eq!(report.value["firmware"], "4.1", "{place:?}");
        }
    }

    #[test]
    fn a_place_that_the_operator_names_is_the_only_one_asked() {
        let (_, begin) = begin(NmCommand::Version, Some(0x88));
        let mut calls = 0;
        let outcome = play::run(begin(), |call| {
            assert_eq!((call.way, call.target.cmd), (None, GetNmVersion::CMD));
            calls += 1;
            Some((CompletionCode::INVALID_COMMAND, Vec::new()))
        });
        assert_eq!(outcome.unwrap_err().kind(), "no_node_manager");
        assert_eq!(calls, 1);
    }
}
