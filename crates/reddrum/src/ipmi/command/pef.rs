//! `pef`: what platform event filtering is set to (§30.1, §30.4, §30.6).

use ipmi::command::event::{
    AlertPolicy, EventFilter, GetLastProcessedEventId, GetPefCapabilities,
    GetPefConfigurationParameters,
};
use ipmi::number::{PefActions, PefControl, PefParameter, SensorType};
use serde_json::{Value, json};

use super::{ADMINISTRATOR, OPERATOR, Start, start};
use crate::ipmi::args::PefCommand;
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
        PefCommand::Filters => start(OPERATOR, filters),
        PefCommand::Policies => start(OPERATOR, policies),
    }
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
    use super::*;

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
