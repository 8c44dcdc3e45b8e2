//! `lan set`: Set LAN Configuration Parameters (§23.1).

use ipmi::command::Bytes;
use ipmi::command::transport::{
    GetLanConfigurationParameters, LanValue, SetLanConfigurationParameters,
};
use ipmi::number::{ChannelNumber, IpSource, LanParameter};
use serde_json::json;

use crate::ipmi::args::{AddressSource, LanSetting};
use crate::ipmi::failure::Failure;
use crate::ipmi::report::Report;
use crate::ipmi::talk::{CallError, Line, Outcome};

/// Values of "set in progress" (§23.1, parameter 0).
const SET_COMPLETE: u8 = 0;
const SET_IN_PROGRESS: u8 = 1;

/// The parameters that a setting is.
fn parameters(setting: LanSetting) -> Vec<(LanParameter, LanValue)> {
    let address = |parameter, address: std::net::Ipv4Addr| {
        vec![(parameter, LanValue::Ipv4(address.octets()))]
    };
    let byte = |byte: u8| LanValue::Raw(Bytes::from([byte]));
    match setting {
        LanSetting::Ipaddr { address: ip } => address(LanParameter::IP_ADDRESS, ip),
        LanSetting::Netmask { mask } => address(LanParameter::SUBNET_MASK, mask),
        LanSetting::Gateway { address: ip } => address(LanParameter::DEFAULT_GATEWAY_ADDRESS, ip),
        LanSetting::BackupGateway { address: ip } => {
            address(LanParameter::BACKUP_GATEWAY_ADDRESS, ip)
        }
        LanSetting::Source { source } => {
            let source = match source {
                AddressSource::Static => IpSource::STATIC,
                AddressSource::Dhcp => IpSource::DHCP,
                AddressSource::Bios => IpSource::BIOS,
                AddressSource::Other => IpSource::OTHER,
            };
            vec![(LanParameter::IP_ADDRESS_SOURCE, LanValue::Source(source))]
        }
        LanSetting::Vlan { id, priority } => {
            let vlan = LanValue::Vlan {
                id: id.0.unwrap_or(0),
                enabled: id.0.is_some(),
            };
            let priority = priority.map(|priority| (LanParameter::VLAN_PRIORITY, byte(priority)));
            let vlan = (LanParameter::VLAN_ID, vlan);
            std::iter::once(vlan).chain(priority).collect()
        }
        // Bit 1 answers; bit 0 sends unasked, which only BMCs without ARP of their own need.
        LanSetting::Arp { answer } => {
            vec![(LanParameter::ARP_CONTROL, byte(u8::from(answer) << 1))]
        }
    }
}

/// Sets it, and reads it back.
pub(super) async fn run(line: Line, channel: ChannelNumber, setting: LanSetting) -> Outcome {
    let guarded = guard(&line, channel, SET_IN_PROGRESS).await?;
    let written = write(&line, channel, setting).await;
    if guarded {
        // Whatever became of it, others must get their turn.
        let completed = guard(&line, channel, SET_COMPLETE).await;
        if written.is_ok() {
            completed?;
        }
    }
    let told = written?;
    Ok(Report::line(
        format!("Set, and kept: {}", told.join(", ")),
        json!({ "kept": told }),
    ))
}

/// Says that a change begins or is complete; whether the BMC knows that.
async fn guard(line: &Line, channel: ChannelNumber, state: u8) -> Result<bool, CallError> {
    let command = SetLanConfigurationParameters {
        channel,
        parameter: LanParameter::SET_IN_PROGRESS,
        data: Bytes::from([state]),
    };
    match line.call(&command).await {
        Ok(_) => Ok(true),
        // BMCs without the parameter refuse it as unknown (80h); 81h says that somebody else is changing.
        Err(error) if error.completion().is_some_and(|code| code.0 != 0x81) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn write(
    line: &Line,
    channel: ChannelNumber,
    setting: LanSetting,
) -> Result<Vec<String>, Failure> {
    let mut told = Vec::new();
    for (parameter, value) in parameters(setting) {
        let data = value.to_data();
        let command = SetLanConfigurationParameters {
            channel,
            parameter,
            data,
        };
        line.call(&command).await?;
        let question = GetLanConfigurationParameters::new(channel, parameter);
        let kept = line.call(&question).await?.data;
        let text = super::lan::show(parameter, &LanValue::from_data(parameter, &kept)).0;
        if !is_kept(parameter, &data, &kept) {
            return Err(Failure::Unfit {
                kind: "not_kept",
                cause: format!("the BMC took the command, but now says: {parameter} {text}"),
                remedy: "with DHCP, addresses can't be set: 'lan set source static' first"
                    .to_owned(),
            });
        }
        told.push(format!("{parameter} {text}"));
    }
    Ok(told)
}

/// A VLAN that is off may keep its number.
fn is_kept(parameter: LanParameter, set: &[u8], kept: &[u8]) -> bool {
    match (parameter, set, kept) {
        (LanParameter::VLAN_ID, [_, set], [_, kept]) if set & 0x80 == 0 => kept & 0x80 == 0,
        _ => set == kept,
    }
}
