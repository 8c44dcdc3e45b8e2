//! `lan set`: Set LAN Configuration Parameters (§23.1).

use ipmi::command::Bytes;
use ipmi::command::transport::{
    GetLanConfigurationParameters, LanValue, SetLanConfigurationParameters,
};
use ipmi::number::{ArpControl, ChannelNumber, IpSource, LanParameter};
use serde_json::json;

use crate::ipmi::args::{AddressSource, ArpPart, LanSetting};
use crate::ipmi::failure::Failure;
use crate::ipmi::report::Report;
use crate::ipmi::talk::{CallError, CallFault, Line, Outcome};

/// Values of "set in progress" (§23.1, parameter 0).
const SET_COMPLETE: u8 = 0;
const SET_IN_PROGRESS: u8 = 1;

/// Bits of the ARP control that mean anything (§23.2, parameter 10).
const ARP_KNOWN: u8 = ArpControl::RESPONSES.0 | ArpControl::GRATUITOUS.0;

/// The parameters that a setting is.
async fn parameters(
    line: &Line,
    channel: ChannelNumber,
    setting: LanSetting,
) -> Result<Vec<(LanParameter, LanValue)>, CallError> {
    let address = |parameter, address: std::net::Ipv4Addr| {
        vec![(parameter, LanValue::Ipv4(address.octets()))]
    };
    let byte = |byte: u8| LanValue::Raw(Bytes::from([byte]));
    Ok(match setting {
        LanSetting::Ipaddr { address: ip } => address(LanParameter::IP_ADDRESS, ip),
        LanSetting::Netmask { mask } => address(LanParameter::SUBNET_MASK, mask),
        LanSetting::Gateway { address: ip, .. } => {
            address(LanParameter::DEFAULT_GATEWAY_ADDRESS, ip)
        }
        LanSetting::BackupGateway { address: ip, .. } => {
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
        LanSetting::Vlan { id, priority, .. } => {
            let vlan = LanValue::Vlan {
                id: id.0.unwrap_or(0),
                enabled: id.0.is_some(),
            };
            let priority = priority.map(|priority| (LanParameter::VLAN_PRIORITY, byte(priority)));
            // The VLAN last: the BMC may be gone from here with it.
            let vlan = (LanParameter::VLAN_ID, vlan);
            priority.into_iter().chain([vlan]).collect()
        }
        LanSetting::Arp { part, on } => {
            let bit = match part {
                ArpPart::Respond => ArpControl::RESPONSES.0,
                ArpPart::Generate => ArpControl::GRATUITOUS.0,
            };
            let question = GetLanConfigurationParameters::new(channel, LanParameter::ARP_CONTROL);
            let before = super::lan::ask(line, &question).await?;
            let others = before.first().copied().unwrap_or(0) & !bit & ARP_KNOWN;
            let new = if on { others | bit } else { others };
            vec![(LanParameter::ARP_CONTROL, byte(new))]
        }
    })
}

/// Where a BMC is that answers no more because it was set so; `None` for settings that leave it where it is.
fn moved_to(setting: LanSetting) -> Option<String> {
    match setting {
        LanSetting::Ipaddr { address } => Some(format!("at {address}")),
        LanSetting::Source { .. } => Some("at its new address".to_owned()),
        LanSetting::Netmask { .. } => Some("from its new subnet".to_owned()),
        LanSetting::Vlan { .. } => Some("in its new VLAN".to_owned()),
        LanSetting::Gateway { .. } | LanSetting::BackupGateway { .. } | LanSetting::Arp { .. } => {
            None
        }
    }
}

/// What the BMC took.
#[derive(Default)]
struct Written {
    /// And says so.
    kept: Vec<String>,
    /// And has not answered since.
    unconfirmed: Option<String>,
}

/// Sets it, and reads it back.
pub(super) async fn run(line: Line, channel: ChannelNumber, setting: LanSetting) -> Outcome {
    let guarded = guard(&line, channel, SET_IN_PROGRESS).await?;
    let written = write(&line, channel, setting).await;
    let mut is_gone = matches!(&written, Ok(written) if written.unconfirmed.is_some());
    if guarded {
        // Whatever became of it, others must get their turn.
        let completed = guard(&line, channel, SET_COMPLETE).await;
        match completed {
            // Some BMCs move only now.
            Err(error) if is_unanswered(&error) && moved_to(setting).is_some() => is_gone = true,
            completed if written.is_ok() => {
                completed?;
            }
            _ => {}
        }
    }
    let Written { kept, unconfirmed } = written?;
    let mut value = json!({ "kept": kept });
    let text = match moved_to(setting).filter(|_| is_gone) {
        None => format!("Set, and kept: {}", kept.join(", ")),
        Some(place) => {
            let note = format!("it no longer answers here; reach it {place}");
            value["unconfirmed"] = unconfirmed.iter().cloned().collect();
            value["note"] = note.as_str().into();
            let all: Vec<_> = kept.into_iter().chain(unconfirmed).collect();
            format!("Set: {}; {note}", all.join(", "))
        }
    };
    Ok(Report::line(text, value))
}

const fn is_unanswered(error: &CallError) -> bool {
    matches!(error.fault, CallFault::Unanswered { .. })
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
) -> Result<Written, Failure> {
    let mut written = Written::default();
    for (parameter, value) in parameters(line, channel, setting).await? {
        let data = value.to_data();
        let command = SetLanConfigurationParameters {
            channel,
            parameter,
            data,
        };
        let moves = parameter != LanParameter::VLAN_PRIORITY;
        let place = moved_to(setting).filter(|_| moves);
        match (line.call(&command).await, &place) {
            (Err(error), Some(place)) if is_unanswered(&error) => {
                return Err(Failure::Unfit {
                    kind: "unanswered",
                    cause: format!(
                        "{}: no answer; the BMC may have carried it out",
                        error.request()
                    ),
                    remedy: format!("look whether it answers {place}, and where it was"),
                });
            }
            (answer, _) => answer?,
        };
        let question = GetLanConfigurationParameters::new(channel, parameter);
        let kept = match super::lan::ask(line, &question).await {
            // It took the setting, and is no more where it was asked.
            Err(error) if is_unanswered(&error) && place.is_some() => {
                let text = super::lan::show(parameter, &value).0;
                written.unconfirmed = Some(format!("{parameter} {text}"));
                return Ok(written);
            }
            kept => kept?,
        };
        let text = super::lan::show(parameter, &LanValue::from_data(parameter, &kept)).0;
        if !is_kept(parameter, &data, &kept) {
            return Err(Failure::Unfit {
                kind: "not_kept",
                cause: format!("the BMC took the command, but now says: {parameter} {text}"),
                remedy: "with DHCP, addresses can't be set: 'lan set source static' first"
                    .to_owned(),
            });
        }
        written.kept.push(format!("{parameter} {text}"));
    }
    Ok(written)
}

/// A VLAN that is off may keep its number; of the ARP control, reserved bits say nothing.
fn is_kept(parameter: LanParameter, set: &[u8], kept: &[u8]) -> bool {
    match (parameter, set, kept) {
        (LanParameter::VLAN_ID, [_, set], [_, kept]) if set & 0x80 == 0 => kept & 0x80 == 0,
        (LanParameter::ARP_CONTROL, [set], [kept]) => (set ^ kept) & ARP_KNOWN == 0,
        _ => set == kept,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use ipmi::command::Command;
    use ipmi::number::CompletionCode;

    use super::*;
    use crate::ipmi::talk::{Talk, play};

    const MOVE: LanSetting = LanSetting::Ipaddr {
        address: Ipv4Addr::new(10, 0, 0, 9),
    };

    /// What becomes of a setting with a BMC that answers so many requests and is gone then; which parameters it was
    /// told to set.
    fn gone_after(answers: usize, setting: LanSetting) -> (Outcome, Vec<u8>) {
        let (mut asked, mut set, mut kept) = (0, Vec::new(), Vec::new());
        let talk = Talk::new(|line| run(line, ChannelNumber(1), setting));
        let outcome = play::run(talk, |call| {
            asked += 1;
            if asked > answers {
                return None;
            }
            if call.target.cmd == SetLanConfigurationParameters::CMD {
                set.push(call.data[1]);
                kept = call.data[2..].to_vec();
                return Some((CompletionCode::OK, vec![]));
            }
            let mut answer = vec![0x11];
            answer.extend(&kept);
            Some((CompletionCode::OK, answer))
        });
        (outcome, set)
    }

    #[test]
    fn a_bmc_that_is_gone_to_its_new_address_was_set() {
        // It answers "set in progress" and the address, then nothing; or all but "set complete".
        for (answers, unconfirmed) in [(2, 1), (3, 0)] {
            let report = gone_after(answers, MOVE).0.unwrap();
            let line = &report.lines[0];
            assert!(line.starts_with("Set: "), "{line}");
            assert!(
                line.ends_with("10.0.0.9; it no longer answers here; reach it at 10.0.0.9"),
                "{line}"
            );
            let list = report.value["unconfirmed"].as_array().unwrap();
            assert_eq!(list.len(), unconfirmed, "{}", report.value);
            assert_eq!(
                report.value["kept"].as_array().unwrap().len(),
                1 - unconfirmed
            );
        }
    }

    #[test]
    fn a_bmc_that_stays_has_no_other_place() {
        let report = gone_after(4, MOVE).0.unwrap();
        assert!(report.lines[0].starts_with("Set, and kept: "));
        assert_eq!(report.value["note"], serde_json::Value::Null);
    }

    #[test]
    fn a_new_address_that_is_not_acknowledged_is_a_failure_that_names_both_places() {
        let failure = gone_after(1, MOVE).0.unwrap_err();
        assert_eq!(failure.kind(), "unanswered");
        assert!(failure.cause().contains("may have carried it out"));
        assert!(failure.remedy().contains("10.0.0.9"), "{failure}");
    }

    #[test]
    fn a_setting_that_moves_nothing_is_unanswered_where_it_is_not_read_back() {
        let address = Ipv4Addr::new(10, 0, 0, 1);
        let failure = gone_after(
            2,
            LanSetting::Gateway {
                word: None,
                address,
            },
        )
        .0
        .unwrap_err();
        assert_eq!(failure.kind(), "unanswered");
    }

    #[test]
    fn the_vlan_is_set_behind_its_priority() {
        /// The command line behind `lan set`.
        #[derive(clap::Parser)]
        struct Words {
            #[command(subcommand)]
            setting: LanSetting,
        }
        let words = ["lan set", "vlan", "7", "--priority", "3"];
        let Words { setting } = clap::Parser::parse_from(words);
        // Set in progress, priority, VLAN; each of the two is read back, the last without an answer.
        let (outcome, set) = gone_after(4, setting);
        assert_eq!(set, [0, 21, 20]);
        let report = outcome.unwrap();
        assert_eq!(report.value["kept"].as_array().unwrap().len(), 1);
        assert_eq!(report.value["unconfirmed"].as_array().unwrap().len(), 1);
        assert!(report.lines[0].ends_with("in its new VLAN"));
    }

    #[test]
    fn of_arp_only_what_was_named_changes() {
        for (before, part, on, after) in [
            (0b01, ArpPart::Respond, true, 0b11),
            (0b11, ArpPart::Respond, false, 0b01),
            (0b10, ArpPart::Generate, true, 0b11),
            (0b11, ArpPart::Generate, false, 0b10),
        ] {
            let mut control = before;
            let setting = LanSetting::Arp { part, on };
            let talk = Talk::new(|line| run(line, ChannelNumber(1), setting));
            let outcome = play::run(talk, |call| {
                let parameter = LanParameter(call.data[1]);
                if call.target.cmd == GetLanConfigurationParameters::CMD {
                    return Some((CompletionCode::OK, vec![0x11, control]));
                }
                if parameter == LanParameter::ARP_CONTROL {
                    control = call.data[2];
                }
                Some((CompletionCode::OK, vec![]))
            });
            outcome.unwrap();
            assert_eq!(control, after, "{before:02b} {part:?} {on}");
        }
    }
}
