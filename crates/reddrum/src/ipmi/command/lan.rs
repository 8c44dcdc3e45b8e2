//! `lan print`: Get LAN Configuration Parameters (§23.2, table 23-4).
//!
//! The SNMP community string is left out: it works as a password.

use std::time::Duration;

use ipmi::command::Bytes;
use ipmi::command::transport::{GetLanConfigurationParameters, LAN_PARAMETER_MAX, LanValue};
use ipmi::number::{
    ArpControl, ChannelNumber, CompletionCode, LanParameter, ParameterCompletion, PrivilegeLevel,
};
use serde_json::{Map, Value};

use crate::ipmi::failure::Failure;
use crate::ipmi::report::{Report, pair};
use crate::ipmi::talk::{CallError, CallFault, Line, Outcome};

/// The data of a parameter.
type LanData = Bytes<LAN_PARAMETER_MAX>;

/// Width of the names in the report.
const WIDTH: usize = 24;

/// What is asked for, in this order: parameter, name for people, name for scripts.
const PARAMETERS: [(LanParameter, &str, &str); 11] = [
    (
        LanParameter::IP_ADDRESS_SOURCE,
        "IP Address Source",
        "ip_address_source",
    ),
    (LanParameter::IP_ADDRESS, "IP Address", "ip_address"),
    (LanParameter::SUBNET_MASK, "Subnet Mask", "subnet_mask"),
    (LanParameter::MAC_ADDRESS, "MAC Address", "mac_address"),
    (LanParameter::ARP_CONTROL, "BMC ARP Control", "arp_control"),
    (
        LanParameter::DEFAULT_GATEWAY_ADDRESS,
        "Default Gateway IP",
        "default_gateway_ip",
    ),
    (
        LanParameter::DEFAULT_GATEWAY_MAC,
        "Default Gateway MAC",
        "default_gateway_mac",
    ),
    (
        LanParameter::BACKUP_GATEWAY_ADDRESS,
        "Backup Gateway IP",
        "backup_gateway_ip",
    ),
    (
        LanParameter::BACKUP_GATEWAY_MAC,
        "Backup Gateway MAC",
        "backup_gateway_mac",
    ),
    (LanParameter::VLAN_ID, "802.1q VLAN ID", "vlan_id"),
    (
        LanParameter::VLAN_PRIORITY,
        "802.1q VLAN Priority",
        "vlan_priority",
    ),
];

/// How often a parameter is asked for, and the pause between: some BMCs refuse now and then what they have.
const ASKINGS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(50);

/// What a channel has of a parameter.
enum Found<T> {
    Value(T),
    /// The BMC does not have it.
    Absent(CallError),
    /// It may have it, and did not tell.
    Unreadable(CallError),
}

/// Tells how a LAN channel is set up. What a BMC does not have is left out; what it has and does not tell, isn't.
pub(super) async fn print(line: Line, channel: ChannelNumber) -> Outcome {
    let mut sheet = LanSheet::default();
    let mut absent = None;
    for (parameter, name, key) in PARAMETERS {
        match get(&line, channel, parameter).await? {
            Found::Value(data) => {
                let (text, json) = show(parameter, &LanValue::from_data(parameter, &data));
                sheet.put(name, key, text, json);
            }
            Found::Absent(error) => absent = Some(error),
            Found::Unreadable(error) => sheet.unreadable(name, key, &error),
        }
    }
    if let (Some(error), true) = (absent, sheet.lines.is_empty()) {
        return Err(error.into());
    }
    let (name, key) = ("RMCP+ Cipher Suites", "cipher_suites");
    match suites(&line, channel).await? {
        Found::Value((text, json)) => sheet.put(name, key, text, json),
        Found::Absent(_) => {}
        Found::Unreadable(error) => sheet.unreadable(name, key, &error),
    }
    Ok(sheet.report())
}

/// What was found out, and what not.
#[derive(Default)]
struct LanSheet {
    lines: Vec<String>,
    value: Map<String, Value>,
    unreadable: Vec<&'static str>,
}

impl LanSheet {
    fn put(&mut self, name: &str, key: &str, text: String, json: Value) {
        self.lines.push(pair(name, WIDTH, text));
        self.value.insert(key.to_owned(), json);
    }

    fn unreadable(&mut self, name: &'static str, key: &str, error: &CallError) {
        let text = format!("unreadable ({})", Failure::from(*error).cause());
        self.put(name, key, text, Value::Null);
        self.unreadable.push(name);
    }

    fn report(self) -> Report {
        let missing = (!self.unreadable.is_empty()).then(|| Failure::Unfit {
            kind: "incomplete",
            cause: format!("could not be read: {}", self.unreadable.join(", ")),
            remedy: "try again; if it stays so, restart the BMC ('mc reset cold')".to_owned(),
        });
        Report::of(self.lines, Value::Object(self.value)).lacking(missing)
    }
}

/// Asks for a parameter, more than once where the BMC refuses it for no reason that lasts.
pub(super) async fn ask(
    line: &Line,
    question: &GetLanConfigurationParameters,
) -> Result<LanData, CallError> {
    let mut asked = 1;
    loop {
        let error = match line.call(question).await {
            Ok(answer) => return Ok(answer.data),
            Err(error) => error,
        };
        let passes = match error.fault {
            CallFault::Refused(CompletionCode::INSUFFICIENT_PRIVILEGE) => false,
            CallFault::Refused(code) => !is_lasting(code),
            CallFault::Garbled(_) => true,
            _ => false,
        };
        if !passes || asked == ASKINGS {
            return Err(error);
        }
        asked += 1;
        line.pause(PAUSE).await;
    }
}

async fn get(
    line: &Line,
    channel: ChannelNumber,
    parameter: LanParameter,
) -> Result<Found<LanData>, CallError> {
    let question = GetLanConfigurationParameters::new(channel, parameter);
    match ask(line, &question).await {
        Ok(data) => Ok(Found::Value(data)),
        Err(error) => match error.fault {
            CallFault::Refused(code) if is_lasting(code) => Ok(Found::Absent(error)),
            // So it is with all of them, and that has a remedy of its own.
            CallFault::Refused(CompletionCode::INSUFFICIENT_PRIVILEGE) => Err(error),
            CallFault::Refused(_) | CallFault::Garbled(_) => Ok(Found::Unreadable(error)),
            _ => Err(error),
        },
    }
}

/// Whether a refusal means that there is no such parameter.
fn is_lasting(code: CompletionCode) -> bool {
    // Table 23-2: parameter not supported. The others are what BMCs say in its place.
    ParameterCompletion(code.0) == ParameterCompletion::NOT_SUPPORTED
        || matches!(
            code,
            CompletionCode::INVALID_COMMAND
                | CompletionCode::INVALID_FOR_LUN
                | CompletionCode::PARAMETER_OUT_OF_RANGE
                | CompletionCode::NOT_PRESENT
                | CompletionCode::INVALID_DATA_FIELD
                | CompletionCode::ILLEGAL_FOR_TYPE
        )
}

fn hex(data: &[u8]) -> String {
    data.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A value for people and for scripts.
pub(super) fn show(parameter: LanParameter, value: &LanValue) -> (String, Value) {
    let same = |text: String| (text.clone(), Value::from(text));
    match value {
        LanValue::Ipv4([a, b, c, d]) => same(format!("{a}.{b}.{c}.{d}")),
        LanValue::Mac([a, b, c, d, e, f]) => {
            same(format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}"))
        }
        LanValue::Source(source) => same(source.to_string()),
        LanValue::Vlan { enabled: false, .. } => ("disabled".to_owned(), Value::Null),
        LanValue::Vlan { id, enabled: true } => (id.to_string(), (*id).into()),
        LanValue::ArpControl(control) => {
            let on = |flag| {
                if control.contains(flag) { "on" } else { "off" }
            };
            same(format!(
                "ARP responses {}, gratuitous ARP {}",
                on(ArpControl::RESPONSES),
                on(ArpControl::GRATUITOUS)
            ))
        }
        LanValue::Raw(data) => match (parameter, data.as_slice()) {
            (LanParameter::VLAN_PRIORITY, [priority]) => {
                let priority = priority & 0x07;
                (priority.to_string(), priority.into())
            }
            (_, data) => same(hex(data)),
        },
        other => same(hex(&other.to_data())),
    }
}

/// The cipher suites of the channel, each with the highest privilege level that it may be used for.
async fn suites(line: &Line, channel: ChannelNumber) -> Result<Found<(String, Value)>, CallError> {
    let mut data = Vec::new();
    for parameter in [
        LanParameter::CIPHER_SUITE_COUNT,
        LanParameter::CIPHER_SUITE_ENTRIES,
        LanParameter::CIPHER_SUITE_PRIVILEGES,
    ] {
        match get(line, channel, parameter).await? {
            Found::Value(found) => data.push(found),
            Found::Absent(error) => return Ok(Found::Absent(error)),
            Found::Unreadable(error) => return Ok(Found::Unreadable(error)),
        }
    }
    Ok(Found::Value(shown_suites(&data)))
}

/// Number, entries and levels as text for people and for scripts.
fn shown_suites(data: &[LanData]) -> (String, Value) {
    let [count, entries, levels] = data else {
        return (String::new(), Value::Null);
    };
    // Entries and levels have a reserved byte first; there are two levels in a byte, the first one in its low half.
    let count = usize::from(count.first().copied().unwrap_or(0) & 0x1f);
    let level = |entry: usize| {
        let byte = levels.get(1 + entry / 2)?;
        Some(PrivilegeLevel(if entry.is_multiple_of(2) {
            byte & 0x0f
        } else {
            byte >> 4
        }))
    };
    let suites: Vec<_> = entries.iter().skip(1).take(count).enumerate().collect();
    let text: Vec<_> = suites
        .iter()
        .map(|&(entry, suite)| match level(entry) {
            Some(PrivilegeLevel(0)) | None => format!("{suite} (not used)"),
            Some(level) => format!("{suite} ({level})"),
        })
        .collect();
    let value = suites.iter().map(|&(entry, suite)| {
        let level = level(entry).and_then(PrivilegeLevel::name);
        serde_json::json!({ "suite": suite, "privilege": level })
    });
    (text.join(", "), value.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipmi::talk::{Talk, play};

    /// What is printed of a BMC that has an address only, and answers for it by what `answers` says, one after the other.
    fn printed(mut answers: impl Iterator<Item = Option<CompletionCode>>) -> (Report, usize) {
        let talk = Talk::new(|line| print(line, ChannelNumber::PRESENT));
        let mut asked = 0;
        let outcome = play::run(talk, |call| {
            if call.data[1] != LanParameter::IP_ADDRESS.0 {
                return Some((
                    CompletionCode(ParameterCompletion::NOT_SUPPORTED.0),
                    Vec::new(),
                ));
            }
            asked += 1;
            Some(match answers.next().flatten() {
                Some(code) => (code, Vec::new()),
                None => (CompletionCode::OK, vec![0x11, 10, 0, 0, 7]),
            })
        });
        (outcome.unwrap(), asked)
    }

    #[test]
    fn a_parameter_that_is_refused_now_and_then_is_asked_for_again() {
        let flaky = Some(CompletionCode::UNSPECIFIED);
        let (report, asked) = printed([flaky, flaky, None].into_iter());
        assert_eq!(report.lines, ["IP Address              : 10.0.0.7"]);
        assert_eq!((report.missing, asked), (None, 3));
    }

    #[test]
    fn a_parameter_that_stays_unreadable_is_shown_with_its_cause_and_makes_the_list_incomplete() {
        let (report, asked) = printed(std::iter::repeat(Some(CompletionCode::UNSPECIFIED)));
        let [line] = report.lines.as_slice() else {
            panic!("{:?}", report.lines);
        };
        let [name, cause] = [
            "IP Address  ",
            "unreadable (Get LAN Configuration Parameters",
        ];
        assert!(line.starts_with(name) && line.contains(cause), "{line}");
        assert_eq!(report.value["ip_address"], Value::Null);
        assert_eq!(report.missing.unwrap().kind(), "incomplete");
        assert_eq!(asked, ASKINGS as usize);
    }

    #[test]
    fn values_print_as_operators_write_them() {
        let show = |parameter, data: &[u8]| {
            let data = Bytes::new(data).unwrap();
            show(parameter, &LanValue::from_data(parameter, &data))
        };
        assert_eq!(show(LanParameter::IP_ADDRESS, &[10, 0, 0, 7]).0, "10.0.0.7");
        assert_eq!(
            show(LanParameter::MAC_ADDRESS, &[2, 0x52, 0, 0, 0, 0xa]).0,
            "02:52:00:00:00:0a"
        );
        assert_eq!(
            show(LanParameter::VLAN_ID, &[0x2c, 0x81]),
            ("300".to_owned(), 300.into())
        );
        assert_eq!(
            show(LanParameter::VLAN_ID, &[0x2c, 0x01]),
            ("disabled".to_owned(), Value::Null)
        );
        assert_eq!(
            show(LanParameter::ARP_CONTROL, &[2]).0,
            "ARP responses on, gratuitous ARP off"
        );
    }
}
