//! `lan set`: Set LAN Configuration Parameters (§23.1).

use std::path::Path;
use std::rc::Rc;

use ipmi::command::Bytes;
use ipmi::command::transport::{
    GetLanConfigurationParameters, LanValue, SetLanConfigurationParameters,
};
use ipmi::number::{ArpControl, ChannelNumber, IpSource, LanParameter};
use serde_json::json;

use super::{ADMINISTRATOR, Start, start};
use crate::config::{Secret, secret};
use crate::error::ProgramError;
use crate::ipmi::args::{AddressSource, ArpPart, LanSetting, Vlan};
use crate::ipmi::failure::Failure;
use crate::ipmi::report::Report;
use crate::ipmi::talk::{CallError, CallFault, Line, Outcome};

/// Values of "set in progress" (§23.1, parameter 0).
const SET_COMPLETE: u8 = 0;
const SET_IN_PROGRESS: u8 = 1;

/// Bytes of a community string (§23.2, table 23-4, parameter 16).
const COMMUNITY_MAX: usize = 18;

/// Bits of the ARP control that mean anything (§23.2, parameter 10).
const ARP_KNOWN: u8 = ArpControl::RESPONSES.0 | ArpControl::GRATUITOUS.0;

/// The parameters that a setting is.
async fn parameters(
    line: &Line,
    channel: ChannelNumber,
    setting: &LanSetting,
) -> Result<Vec<(LanParameter, LanValue)>, CallError> {
    let address = |parameter, address: std::net::Ipv4Addr| {
        vec![(parameter, LanValue::Ipv4(address.octets()))]
    };
    let byte = |byte: u8| LanValue::Raw(Bytes::from([byte]));
    Ok(match *setting {
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
        LanSetting::Vlan(vlan) => {
            let id = vlan.id().map(|Vlan(id)| {
                let vlan = LanValue::Vlan {
                    id: id.unwrap_or(0),
                    enabled: id.is_some(),
                };
                (LanParameter::VLAN_ID, vlan)
            });
            let priority = vlan.priority();
            let priority = priority.map(|priority| (LanParameter::VLAN_PRIORITY, byte(priority)));
            // The VLAN last: the BMC may be gone from here with it.
            priority.into_iter().chain(id).collect()
        }
        LanSetting::Snmp { ref community, .. } => {
            // The bytes behind its end are zeros.
            let mut data = [0; COMMUNITY_MAX];
            let text = community.as_ref().map_or(&[][..], Secret::expose);
            data.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
            vec![(
                LanParameter::COMMUNITY_STRING,
                LanValue::Raw(Bytes::from(data)),
            )]
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
fn moved_to(setting: &LanSetting) -> Option<String> {
    match setting {
        LanSetting::Ipaddr { address } => Some(format!("at {address}")),
        LanSetting::Source { .. } => Some("at its new address".to_owned()),
        LanSetting::Netmask { .. } => Some("from its new subnet".to_owned()),
        LanSetting::Vlan(vlan) => vlan.id().map(|_| "in its new VLAN".to_owned()),
        LanSetting::Gateway { .. }
        | LanSetting::BackupGateway { .. }
        | LanSetting::Arp { .. }
        | LanSetting::Snmp { .. } => None,
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

/// How to begin it.
///
/// # Errors
/// The community string can't be used.
pub(super) fn begin(channel: ChannelNumber, setting: LanSetting) -> Result<Start, ProgramError> {
    let setting = match setting {
        LanSetting::Snmp {
            community,
            community_file,
        } => LanSetting::Snmp {
            community: Some(usable(community, community_file.as_deref())?),
            community_file: None,
        },
        setting => setting,
    };
    let setting = Rc::new(setting);
    Ok(start(ADMINISTRATOR, move |line| {
        run(line, channel, Rc::clone(&setting))
    }))
}

/// The community string, from the command line or a file.
fn usable(typed: Option<Secret>, file: Option<&Path>) -> Result<Secret, ProgramError> {
    let community = match (typed, file) {
        (_, Some(file)) => secret::from_file(file)
            .map_err(|e| ProgramError::Usage(format!("--community-file: {e}")))?,
        (typed, None) => typed.unwrap_or_else(|| Secret::new("")),
    };
    if community.expose().len() > COMMUNITY_MAX {
        let text = format!("a community string on a BMC has at most {COMMUNITY_MAX} bytes");
        return Err(ProgramError::Usage(text));
    }
    Ok(community)
}

/// Sets it, and reads it back.
async fn run(line: Line, channel: ChannelNumber, setting: Rc<LanSetting>) -> Outcome {
    let setting = setting.as_ref();
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
    setting: &LanSetting,
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
                let text = shown(parameter, &value);
                written.unconfirmed = Some(format!("{parameter} {text}"));
                return Ok(written);
            }
            kept => kept?,
        };
        let text = shown(parameter, &LanValue::from_data(parameter, &kept));
        if !is_kept(parameter, &data, &kept) {
            return Err(Failure::Unfit {
                kind: "not_kept",
                cause: format!("the BMC took the command, but now says: {parameter} {text}"),
                remedy: match setting {
                    LanSetting::Snmp { .. } => "see the BMC's manual".to_owned(),
                    _ => "with DHCP, addresses can't be set: 'lan set source static' first"
                        .to_owned(),
                },
            });
        }
        written.kept.push(format!("{parameter} {text}"));
    }
    Ok(written)
}

/// A value for people. A community string works as a password, so that it is not one of them.
fn shown(parameter: LanParameter, value: &LanValue) -> String {
    if parameter == LanParameter::COMMUNITY_STRING {
        return "(not shown)".to_owned();
    }
    super::lan::show(parameter, value).0
}

/// A text without the zeros behind its end, which some BMCs leave out.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0);
    &bytes[..end.unwrap_or(bytes.len())]
}

/// A VLAN that is off may keep its number; of the ARP control, reserved bits say nothing.
fn is_kept(parameter: LanParameter, set: &[u8], kept: &[u8]) -> bool {
    match (parameter, set, kept) {
        (LanParameter::VLAN_ID, [_, set], [_, kept]) if set & 0x80 == 0 => kept & 0x80 == 0,
        (LanParameter::ARP_CONTROL, [set], [kept]) => (set ^ kept) & ARP_KNOWN == 0,
        (LanParameter::COMMUNITY_STRING, ..) => trimmed(set) == trimmed(kept),
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
        let setting = Rc::new(setting);
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

    /// The setting that words behind `lan set` are.
    fn setting(words: &str) -> LanSetting {
        /// The command line behind `lan set`.
        #[derive(clap::Parser)]
        struct Words {
            #[command(subcommand)]
            setting: LanSetting,
        }
        let words = std::iter::once("lan set").chain(words.split(' '));
        let Words { setting } = clap::Parser::parse_from(words);
        setting
    }

    #[test]
    fn the_vlan_is_set_behind_its_priority() {
        for words in ["vlan 7 --priority 3", "vlan id 7 --priority 3"] {
            // Set in progress, priority, VLAN; each of the two is read back, the last without an answer.
            let (outcome, set) = gone_after(4, setting(words));
            assert_eq!(set, [0, 21, 20], "{words}");
            let report = outcome.unwrap();
            assert_eq!(report.value["kept"].as_array().unwrap().len(), 1);
            assert_eq!(report.value["unconfirmed"].as_array().unwrap().len(), 1);
            assert!(report.lines[0].ends_with("in its new VLAN"));
        }
    }

    #[test]
    fn a_priority_alone_moves_the_bmc_nowhere() {
        let (outcome, set) = gone_after(9, setting("vlan priority 3"));
        assert_eq!(set, [0, 21, 0]);
        assert_eq!(outcome.unwrap().value["note"], serde_json::Value::Null);
        // Without an answer it may have been set, and is looked for in the same place.
        let failure = gone_after(1, setting("vlan priority 3")).0.unwrap_err();
        assert_eq!(failure.kind(), "unanswered");
        assert!(!failure.remedy().contains("VLAN"), "{failure}");
    }

    #[test]
    fn a_community_string_is_padded_kept_and_never_told() {
        let mut kept = vec![0; COMMUNITY_MAX];
        let words = Rc::new(setting("snmp traps-4-us"));
        assert!(!format!("{words:?}").contains("traps"));
        let talk = Talk::new(|line| run(line, ChannelNumber(1), words));
        let outcome = play::run(talk, |call| {
            let parameter = LanParameter(call.data[1]);
            if call.target.cmd == GetLanConfigurationParameters::CMD {
                return Some((CompletionCode::OK, [&[0x11], kept.as_slice()].concat()));
            }
            if parameter == LanParameter::COMMUNITY_STRING {
                kept = call.data[2..].to_vec();
            }
            Some((CompletionCode::OK, vec![]))
        });
        let report = outcome.unwrap();
        assert_eq!(kept, b"traps-4-us\0\0\0\0\0\0\0\0");
        let told = format!("{report:?}");
        assert!(
            !told.contains("traps") && told.contains("(not shown)"),
            "{told}"
        );
        assert!(usable(Some(Secret::new("nineteen-characters")), None).is_err());
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
            let setting = Rc::new(LanSetting::Arp { part, on });
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
