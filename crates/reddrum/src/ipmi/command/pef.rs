//! `pef`: what platform event filtering is set to, and which of its entries count (§30.1, §30.3, §30.4, §30.6).

use ipmi::command::Bytes;
use ipmi::command::event::{
    AlertPolicy, EventFilter, GetLastProcessedEventId, GetPefCapabilities,
    GetPefConfigurationParameters, SetPefConfigurationParameters,
};
use ipmi::number::{PefActions, PefControl, PefParameter, SensorType};
use serde_json::{Value, json};

use super::{ADMINISTRATOR, OPERATOR, Start, start};
use crate::ipmi::args::{PefCommand, PefTable};
use crate::ipmi::failure::Failure;
use crate::ipmi::report::{Report, Sheet};
use crate::ipmi::talk::{CallError, Line, Outcome};

/// Width of the names in the reports.
const WIDTH: usize = 30;

/// A filter's sensor type or number that any event has (§17.7).
const ANY: u8 = 0xff;

/// How to begin it.
pub(super) fn begin(command: PefCommand) -> Start {
    match command {
        PefCommand::Info => start(OPERATOR, info),
        PefCommand::Status => start(ADMINISTRATOR, status),
        PefCommand::Filters | PefCommand::Filter(PefTable::List) => start(OPERATOR, filters),
        PefCommand::Policies | PefCommand::Policy(PefTable::List) => start(OPERATOR, policies),
        PefCommand::Filter(PefTable::Enable { entry }) => switching(FILTERS, entry, true),
        PefCommand::Filter(PefTable::Disable { entry }) => switching(FILTERS, entry, false),
        PefCommand::Policy(PefTable::Enable { entry }) => switching(POLICIES, entry, true),
        PefCommand::Policy(PefTable::Disable { entry }) => switching(POLICIES, entry, false),
    }
}

/// Where a table has the bit that lets an entry count.
#[derive(Clone, Copy, Debug)]
struct Switch {
    /// What an entry is.
    name: &'static str,
    parameter: PefParameter,
    bit: u8,
}

/// Byte 1 of a filter is a parameter of its own, so that the rest stays what it is (§30.3, table 30-6).
const FILTERS: Switch = Switch {
    name: "filter",
    parameter: PefParameter::FILTER_DATA_1,
    bit: 0x80,
};
const POLICIES: Switch = Switch {
    name: "policy",
    parameter: PefParameter::POLICY_TABLE,
    bit: 0x08,
};

fn switching(table: Switch, entry: u8, on: bool) -> Start {
    start(ADMINISTRATOR, move |line| switch(line, table, entry, on))
}

/// Lets an entry count or not, and reads it back.
async fn switch(line: Line, table: Switch, entry: u8, on: bool) -> Outcome {
    let is_on = |data: &[u8]| data.get(1).map(|first| first & table.bit != 0);
    let mut data = parameter(&line, table.parameter, entry).await?;
    if let [_, first, ..] = data.as_mut_slice() {
        *first = if on {
            *first | table.bit
        } else {
            *first & !table.bit
        };
    }
    let unfit = |kind, cause: String, remedy: &str| Failure::Unfit {
        kind,
        cause,
        remedy: remedy.to_owned(),
    };
    let name = table.name;
    let wanted = Bytes::new(&data).filter(|_| is_on(&data) == Some(on));
    let Some(data) = wanted else {
        let remedy = format!("'pef {name} list' tells which there are");
        return Err(unfit(
            "no_such_entry",
            format!("the BMC has no {name} {entry}"),
            &remedy,
        ));
    };
    let command = SetPefConfigurationParameters {
        parameter: table.parameter,
        data,
    };
    line.call(&command).await?;
    if is_on(&parameter(&line, table.parameter, entry).await?) != Some(on) {
        let cause = format!("the BMC took the command, and {name} {entry} is as it was");
        return Err(unfit(
            "not_kept",
            cause,
            "some entries are fixed; see the BMC's manual",
        ));
    }
    let state = if on { "on" } else { "off" };
    let value = json!({ name: entry, "enabled": on });
    Ok(Report::line(
        format!("PEF {name} {entry} is {state}"),
        value,
    ))
}

async fn parameter(line: &Line, parameter: PefParameter, set: u8) -> Result<Vec<u8>, CallError> {
    let question = GetPefConfigurationParameters {
        revision_only: false,
        parameter,
        set,
        block: 0,
    };
    Ok(line.call(&question).await?.data.to_vec())
}

async fn info(line: Line) -> Outcome {
    let capabilities = line.call(&GetPefCapabilities {}).await?;
    let mut sheet = Sheet::new(WIDTH);
    let version = capabilities.version;
    let text = format!("{}.{}", version & 0x0f, version >> 4);
    sheet.put("Version", "version", text);
    sheet.put("Filters", "filters", capabilities.filters);
    let names = |actions: PefActions| actions.names().collect::<Vec<_>>();
    let possible = names(capabilities.actions);
    sheet.put("Actions Supported", "actions_supported", possible);
    let control = parameter(&line, PefParameter::CONTROL, 0).await?;
    let control = PefControl(control.first().copied().unwrap_or(0));
    let on: Vec<_> = control.names().collect();
    sheet.put("Switched On", "switched_on", on);
    let allowed = parameter(&line, PefParameter::ACTION_CONTROL, 0).await?;
    let allowed = names(PefActions(allowed.first().copied().unwrap_or(0)));
    sheet.put("Actions Allowed", "actions_allowed", allowed);
    Ok(sheet.report())
}

async fn status(line: Line) -> Outcome {
    let last = line.call(&GetLastProcessedEventId {}).await?;
    let mut sheet = Sheet::new(WIDTH);
    sheet.put("Last SEL Addition", "last_addition", last.added.to_string());
    let id = |id: ipmi::record::RecordId| format!("0x{:04x}", id.0);
    sheet.put("Last SEL Record", "last_record", id(last.last));
    let by_software = id(last.by_software);
    sheet.put(
        "Last Processed by Software",
        "last_by_software",
        by_software,
    );
    sheet.put("Last Processed by BMC", "last_by_bmc", id(last.by_bmc));
    Ok(sheet.report())
}

/// All entries of a table: those from 1 to the number that another parameter has.
async fn table(
    line: &Line,
    count: PefParameter,
    entry: PefParameter,
) -> Result<Vec<Vec<u8>>, CallError> {
    let count = parameter(line, count, 0).await?;
    let count = count.first().copied().unwrap_or(0) & 0x7f;
    let mut entries = Vec::new();
    for set in 1..=count {
        entries.push(parameter(line, entry, set).await?);
    }
    Ok(entries)
}

/// How bad the event is; a filter may leave it open.
fn severity(filter: &EventFilter) -> String {
    filter.severity.names().collect::<Vec<_>>().join(", ")
}

/// A filter for people: every column says something.
fn filter_line(number: u8, filter: &EventFilter) -> String {
    // A slot that nobody has filled.
    if !filter.enabled && filter.actions == PefActions::NONE && filter.offsets == 0 {
        return format!("{number:>3} | off | unused");
    }
    let state = if filter.enabled { "on " } else { "off" };
    let kind = match filter.sensor_type {
        SensorType(ANY) => "any type".to_owned(),
        named => named.to_string(),
    };
    let sensor = match filter.sensor_number {
        ANY => "any sensor".to_owned(),
        number => format!("sensor {number:#04x}"),
    };
    let or_dash = |list: String| {
        if list.is_empty() {
            "-".to_owned()
        } else {
            list
        }
    };
    let severity = or_dash(severity(filter));
    let actions = or_dash(filter.actions.names().collect::<Vec<_>>().join(", "));
    let policy = filter.policy;
    format!("{number:>3} | {state} | {kind} | {sensor} | {severity} | policy {policy} | {actions}")
}

async fn filters(line: Line) -> Outcome {
    let entries = table(
        &line,
        PefParameter::FILTER_COUNT,
        PefParameter::FILTER_TABLE,
    )
    .await?;
    let read = entries.iter().map(|data| EventFilter::from_data(data));
    let filters: Vec<_> = read.filter_map(Result::ok).collect();
    let lines = filters
        .iter()
        .map(|(number, filter)| filter_line(*number, filter));
    let list: Vec<Value> = filters
        .iter()
        .map(|(number, filter)| {
            json!({
                "filter": number,
                "enabled": filter.enabled,
                "sensor_type": filter.sensor_type.to_string(),
                "sensor_number": filter.sensor_number,
                "severity": severity(filter),
                "policy": filter.policy,
                "actions": filter.actions.names().collect::<Vec<_>>(),
                "offsets": filter.offsets,
            })
        })
        .collect();
    Ok(Report::of(lines.collect(), json!({ "filters": list })))
}

async fn policies(line: Line) -> Outcome {
    let entries = table(
        &line,
        PefParameter::POLICY_COUNT,
        PefParameter::POLICY_TABLE,
    )
    .await?;
    let read = entries.iter().map(|data| AlertPolicy::from_data(data));
    let policies: Vec<_> = read.filter_map(Result::ok).collect();
    let lines = policies.iter().map(|(number, policy)| {
        let state = if policy.enabled { "on " } else { "off" };
        format!(
            "{number:>3} | {state} | policy {} | {} | channel {} | destination {}",
            policy.policy, policy.rule, policy.channel.0, policy.destination
        )
    });
    let list: Vec<Value> = policies
        .iter()
        .map(|(number, policy)| {
            json!({
                "entry": number,
                "enabled": policy.enabled,
                "policy": policy.policy,
                "rule": policy.rule.to_string(),
                "channel": policy.channel.0,
                "destination": policy.destination,
            })
        })
        .collect();
    Ok(Report::of(lines.collect(), json!({ "policies": list })))
}

#[cfg(test)]
mod tests {
    use ipmi::command::Command;
    use ipmi::number::CompletionCode;

    use super::*;
    use crate::ipmi::talk::{Talk, play};

    /// What becomes of `pef policy disable 2` with a BMC that keeps what it is told, or not.
    fn disabled(keeps: bool) -> (Outcome, Vec<u8>) {
        let (mut entry, mut set) = (vec![2, 0x18, 0x11, 0x05], Vec::new());
        let talk = Talk::new(|line| switch(line, POLICIES, 2, false));
        let outcome = play::run(talk, |call| {
            if call.target.cmd == GetPefConfigurationParameters::CMD {
                return Some((CompletionCode::OK, [&[0x11], entry.as_slice()].concat()));
            }
            set = call.data.clone();
            if keeps {
                entry = set[1..].to_vec();
            }
            Some((CompletionCode::OK, Vec::new()))
        });
        (outcome, set)
    }

    #[test]
    fn an_entry_that_is_switched_off_stays_what_it_is_and_is_read_back() {
        let (outcome, set) = disabled(true);
        assert_eq!(set, [9, 2, 0x10, 0x11, 0x05]);
        let value = outcome.unwrap().value;
        assert_eq!(value, json!({ "policy": 2, "enabled": false }));
        assert_eq!(disabled(false).0.unwrap_err().kind(), "not_kept");
    }

    #[test]
    fn every_column_of_a_filter_says_something() {
        let read = |data: [u8; 21]| EventFilter::from_data(&data).unwrap();
        let (number, unused) = read([0; 21]);
        assert_eq!(filter_line(number, &unused), "  0 | off | unused");
        let mut data = [0; 21];
        // Number 7, on, alerts by policy 1; any sensor, whatever its type, of any severity.
        data[..5].copy_from_slice(&[7, 0x80, 0x01, 0x01, 0]);
        data[5..9].copy_from_slice(&[ANY; 4]);
        let (number, filter) = read(data);
        assert_eq!(
            filter_line(number, &filter),
            "  7 | on  | any type | any sensor | - | policy 1 | Alert"
        );
    }
}
