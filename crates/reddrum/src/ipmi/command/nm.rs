//! `nm`: Intel's Node Manager (Node Manager 3.0 External Interface Specification §3). Its requests carry Intel's number, so that
//! no other maker's controller takes them for something else.

use ipmi::command::Command;
use ipmi::command::oem::node_manager::{GetNmPolicy, GetNmStatistics, GetNmVersion};
use ipmi::number::{CompletionCode, NmDomain, NmStatisticsMode};

use super::{ADMINISTRATOR, Start, start};
use crate::ipmi::args::NmCommand;
use crate::ipmi::failure::Failure;
use crate::ipmi::report::Sheet;
use crate::ipmi::talk::{CallError, Line, Outcome};

/// Width of the names in the reports.
const WIDTH: usize = 20;

/// Completion code of Get Policy: there is no such policy.
const NO_POLICY: CompletionCode = CompletionCode(0x80);

/// How to begin it.
pub(super) fn begin(command: NmCommand) -> Start {
    match command {
        NmCommand::Version => start(ADMINISTRATOR, version),
        NmCommand::Power { domain } => start(ADMINISTRATOR, move |line| power(line, domain.into())),
        NmCommand::Policy { policy, domain } => start(ADMINISTRATOR, move |line| {
            read_policy(line, domain.into(), policy)
        }),
    }
}

/// Asks Node Manager. A BMC without one does not know the command: then the operator learns where else it may be.
async fn ask<C: Command>(line: &Line, command: &C) -> Result<C::Response, Failure> {
    line.call(command).await.map_err(|error| match error.completion() {
        Some(CompletionCode::INVALID_COMMAND | CompletionCode::INVALID_FOR_LUN) => Failure::Unfit {
            kind: "no_node_manager",
            cause: "this controller has no Node Manager".to_owned(),
            remedy: "on most of Intel's boards it is a controller behind the BMC: add '-t 0x2c -b 6'"
                .to_owned(),
        },
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
