//! `lan print`: Get LAN Configuration Parameters (§23.2, table 23-4).
//!
//! The SNMP community string is left out: it works as a password.

use ipmi::command::transport::{GetLanConfigurationParameters, LanValue};
use ipmi::number::{ArpControl, ChannelNumber, LanParameter, PrivilegeLevel};
use serde_json::{Map, Value};

use crate::ipmi::report::{Report, pair};
use crate::ipmi::talk::{CallError, Line, Outcome};

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

/// Tells how a LAN channel is set up. What a BMC does not have is left out.
pub(super) async fn print(line: Line, channel: ChannelNumber) -> Outcome {
    let mut lines = Vec::new();
    let mut value = Map::new();
    let mut refused = None;
    for (parameter, name, key) in PARAMETERS {
        match get(&line, channel, parameter).await {
            Ok(found) => {
                let (text, json) = show(parameter, &found);
                lines.push(pair(name, WIDTH, text));
                value.insert(key.to_owned(), json);
            }
            Err(error) if error.completion().is_some() => refused = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    if let (Some(error), true) = (refused, lines.is_empty()) {
        return Err(error.into());
    }
    if let Some((text, json)) = suites(&line, channel).await? {
        lines.push(pair("RMCP+ Cipher Suites", WIDTH, text));
        value.insert("cipher_suites".to_owned(), json);
    }
    Ok(Report::of(lines, Value::Object(value)))
}

async fn get(
    line: &Line,
    channel: ChannelNumber,
    parameter: LanParameter,
) -> Result<LanValue, CallError> {
    let answer = line
        .call(&GetLanConfigurationParameters::new(channel, parameter))
        .await?;
    Ok(LanValue::from_data(parameter, &answer.data))
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
async fn suites(line: &Line, channel: ChannelNumber) -> Result<Option<(String, Value)>, CallError> {
    let mut data = Vec::new();
    for parameter in [
        LanParameter::CIPHER_SUITE_COUNT,
        LanParameter::CIPHER_SUITE_ENTRIES,
        LanParameter::CIPHER_SUITE_PRIVILEGES,
    ] {
        match line
            .call(&GetLanConfigurationParameters::new(channel, parameter))
            .await
        {
            Ok(answer) => data.push(answer.data),
            Err(error) if error.completion().is_some() => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    let [count, entries, levels] = data.as_slice() else {
        return Ok(None);
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
    Ok(Some((text.join(", "), value.collect())))
}

#[cfg(test)]
mod tests {
    use ipmi::command::Bytes;

    use super::*;

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
