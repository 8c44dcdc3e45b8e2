//! `sol info`, `sol set`, `sol deactivate`: the configuration of serial over LAN (§26.2, §26.3) and Deactivate Payload
//! (§24.2). The console itself is `ipmi/sol/`.

use ipmi::command::app::DeactivatePayload;
use ipmi::command::transport::{
    GetSolConfigurationParameters, SetSolConfigurationParameters, SolValue,
};
use ipmi::number::{ChannelNumber, PayloadType, PrivilegeLevel, SerialBitRate, SolParameter};
use serde_json::{Map, Value, json};

use crate::error::ProgramError;
use crate::ipmi::args::{SolCommand, SolSetting};
use crate::ipmi::report::{Report, pair, plain};
use crate::ipmi::talk::{CallError, Line, Outcome};

/// Width of the names in the report.
const WIDTH: usize = 32;

/// The parameters, in their order.
const PARAMETERS: [SolParameter; 8] = [
    SolParameter::ENABLE,
    SolParameter::AUTHENTICATION,
    SolParameter::ACCUMULATE,
    SolParameter::RETRY,
    SolParameter::NON_VOLATILE_BIT_RATE,
    SolParameter::VOLATILE_BIT_RATE,
    SolParameter::CHANNEL,
    SolParameter::PORT,
];

/// What to do, with a value that makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Info(ChannelNumber),
    Set(SolSetting, Wanted, ChannelNumber),
    Deactivate,
}

/// A value to be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Switch(bool),
    Level(PrivilegeLevel),
    Number(u8),
    Rate(SerialBitRate),
}

impl Action {
    /// What the command line asks for.
    ///
    /// # Errors
    /// The value does not fit the setting.
    pub(super) fn new(command: SolCommand) -> Result<Self, ProgramError> {
        let channel = |channel: Option<u8>| channel.map_or(ChannelNumber::PRESENT, ChannelNumber);
        Ok(match command {
            SolCommand::Activate => {
                return Err(ProgramError::Usage("'sol' is no request".to_owned()));
            }
            SolCommand::Info { channel: number } => Self::Info(channel(number)),
            SolCommand::Deactivate => Self::Deactivate,
            SolCommand::Set {
                setting,
                value,
                channel: number,
            } => {
                let wanted = wanted(setting, &value).map_err(|expected| {
                    ProgramError::Usage(format!("sol set: '{value}': expected {expected}"))
                })?;
                Self::Set(setting, wanted, channel(number))
            }
        })
    }

    /// Whether it changes the configuration.
    pub(super) const fn changes(self) -> bool {
        matches!(self, Self::Set(..))
    }
}

fn wanted(setting: SolSetting, value: &str) -> Result<Wanted, &'static str> {
    let number = |most: u8| {
        let number = value.parse().ok().filter(|number: &u8| *number <= most);
        number.map(Wanted::Number)
    };
    match setting {
        SolSetting::Enabled | SolSetting::ForceEncryption | SolSetting::ForceAuthentication => {
            match value {
                "true" | "on" => Ok(Wanted::Switch(true)),
                "false" | "off" => Ok(Wanted::Switch(false)),
                _ => Err("true or false"),
            }
        }
        SolSetting::PrivilegeLevel => match value.to_ascii_lowercase().as_str() {
            "user" => Ok(PrivilegeLevel::USER),
            "operator" => Ok(PrivilegeLevel::OPERATOR),
            "admin" | "administrator" => Ok(PrivilegeLevel::ADMINISTRATOR),
            "oem" => Ok(PrivilegeLevel::OEM),
            _ => Err("user, operator, administrator or oem"),
        }
        .map(Wanted::Level),
        SolSetting::RetryCount => number(7).ok_or("0 to 7"),
        SolSetting::CharacterAccumulateLevel
        | SolSetting::CharacterSendThreshold
        | SolSetting::RetryInterval => number(u8::MAX).ok_or("0 to 255"),
        SolSetting::NonVolatileBitRate | SolSetting::VolatileBitRate => {
            let rates = [
                SerialBitRate::B9600,
                SerialBitRate::B19200,
                SerialBitRate::B38400,
                SerialBitRate::B57600,
                SerialBitRate::B115200,
            ];
            let rate = rates.into_iter().find(|rate| rate.name() == Some(value));
            rate.map(Wanted::Rate)
                .ok_or("9.6, 19.2, 38.4, 57.6 or 115.2")
        }
    }
}

/// Does it.
pub(super) async fn run(line: Line, action: Action) -> Outcome {
    match action {
        Action::Info(channel) => info(&line, channel).await,
        Action::Set(setting, wanted, channel) => set(&line, setting, wanted, channel).await,
        Action::Deactivate => {
            let command = DeactivatePayload {
                payload_type: PayloadType::SOL,
                instance: 1,
                auxiliary: [0; 4],
            };
            line.call(&command).await?;
            let value = json!({ "console": "deactivated" });
            Ok(Report::line("The console is free", value))
        }
    }
}

async fn get(
    line: &Line,
    channel: ChannelNumber,
    parameter: SolParameter,
) -> Result<SolValue, CallError> {
    let question = GetSolConfigurationParameters {
        revision_only: false,
        channel,
        parameter,
        set: 0,
        block: 0,
    };
    let answer = line.call(&question).await?;
    Ok(SolValue::from_data(parameter, &answer.data))
}

async fn info(line: &Line, channel: ChannelNumber) -> Outcome {
    let (mut lines, mut value) = (Vec::new(), Map::new());
    let mut refused = None;
    for parameter in PARAMETERS {
        match get(line, channel, parameter).await {
            Ok(found) => {
                for (name, key, told) in show(parameter, found) {
                    lines.push(pair(name, WIDTH, plain(&told)));
                    value.insert(key.to_owned(), told);
                }
            }
            Err(error) if error.completion().is_some() => refused = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    match refused {
        Some(error) if lines.is_empty() => Err(error.into()),
        _ => Ok(Report::of(lines, Value::Object(value))),
    }
}

/// A parameter as name for people, name for scripts, value.
#[expect(clippy::too_many_lines, reason = "a table")]
fn show(parameter: SolParameter, value: SolValue) -> Vec<(&'static str, &'static str, Value)> {
    let rate = |rate: SerialBitRate| {
        let name = rate.name().map(Value::from);
        name.unwrap_or_else(|| rate.0.into())
    };
    match value {
        SolValue::Enable(on) => vec![("Enabled", "enabled", on.into())],
        SolValue::Authentication {
            force_encryption,
            force_authentication,
            privilege,
        } => vec![
            (
                "Force Encryption",
                "force_encryption",
                force_encryption.into(),
            ),
            (
                "Force Authentication",
                "force_authentication",
                force_authentication.into(),
            ),
            (
                "Privilege Level",
                "privilege_level",
                privilege.to_string().into(),
            ),
        ],
        SolValue::Accumulate {
            interval_5ms,
            threshold,
        } => vec![
            (
                "Character Accumulate Level (ms)",
                "character_accumulate_ms",
                (u32::from(interval_5ms) * 5).into(),
            ),
            (
                "Character Send Threshold",
                "character_send_threshold",
                threshold.into(),
            ),
        ],
        SolValue::Retry {
            count,
            interval_10ms,
        } => vec![
            ("Retry Count", "retry_count", count.into()),
            (
                "Retry Interval (ms)",
                "retry_interval_ms",
                (u32::from(interval_10ms) * 10).into(),
            ),
        ],
        SolValue::BitRate(found) if parameter == SolParameter::VOLATILE_BIT_RATE => {
            vec![(
                "Volatile Bit Rate (kbps)",
                "volatile_bit_rate_kbps",
                rate(found),
            )]
        }
        SolValue::BitRate(found) => vec![(
            "Non-Volatile Bit Rate (kbps)",
            "non_volatile_bit_rate_kbps",
            rate(found),
        )],
        SolValue::Port(port) => vec![("Payload Port", "payload_port", port.into())],
        SolValue::Raw(data) => match (parameter, data.as_slice()) {
            (SolParameter::CHANNEL, [channel]) => {
                vec![(
                    "Payload Channel",
                    "payload_channel",
                    (channel & 0x0f).into(),
                )]
            }
            _ => Vec::new(),
        },
    }
}

async fn set(line: &Line, setting: SolSetting, wanted: Wanted, channel: ChannelNumber) -> Outcome {
    let parameter = match setting {
        SolSetting::Enabled => SolParameter::ENABLE,
        SolSetting::ForceEncryption
        | SolSetting::ForceAuthentication
        | SolSetting::PrivilegeLevel => SolParameter::AUTHENTICATION,
        SolSetting::CharacterAccumulateLevel | SolSetting::CharacterSendThreshold => {
            SolParameter::ACCUMULATE
        }
        SolSetting::RetryCount | SolSetting::RetryInterval => SolParameter::RETRY,
        SolSetting::NonVolatileBitRate => SolParameter::NON_VOLATILE_BIT_RATE,
        SolSetting::VolatileBitRate => SolParameter::VOLATILE_BIT_RATE,
    };
    // Several settings share a parameter: what is not named stays.
    let mut value = get(line, channel, parameter).await?;
    change(&mut value, setting, wanted);
    let command = SetSolConfigurationParameters {
        channel,
        parameter,
        data: value.to_data(),
    };
    line.call(&command).await?;
    let told = show(parameter, get(line, channel, parameter).await?);
    let lines = told
        .iter()
        .map(|(name, _, value)| pair(name, WIDTH, plain(value)));
    Ok(Report::of(
        lines.collect(),
        told.iter()
            .map(|(_, key, value)| ((*key).to_owned(), value.clone()))
            .collect(),
    ))
}

fn change(value: &mut SolValue, setting: SolSetting, wanted: Wanted) {
    match (value, setting, wanted) {
        (SolValue::Enable(enabled), _, Wanted::Switch(on)) => *enabled = on,
        (
            SolValue::Authentication {
                force_encryption, ..
            },
            SolSetting::ForceEncryption,
            Wanted::Switch(on),
        ) => *force_encryption = on,
        (
            SolValue::Authentication {
                force_authentication,
                ..
            },
            _,
            Wanted::Switch(on),
        ) => *force_authentication = on,
        (SolValue::Authentication { privilege, .. }, _, Wanted::Level(level)) => *privilege = level,
        (
            SolValue::Accumulate { interval_5ms, .. },
            SolSetting::CharacterAccumulateLevel,
            Wanted::Number(number),
        ) => *interval_5ms = number,
        (SolValue::Accumulate { threshold, .. }, _, Wanted::Number(number)) => *threshold = number,
        (SolValue::Retry { count, .. }, SolSetting::RetryCount, Wanted::Number(number)) => {
            *count = number;
        }
        (SolValue::Retry { interval_10ms, .. }, _, Wanted::Number(number)) => {
            *interval_10ms = number;
        }
        (SolValue::BitRate(rate), _, Wanted::Rate(wanted)) => *rate = wanted,
        // The value is of the setting's kind; a BMC that answers with another length keeps what it has.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use ipmi::command::Command;
    use ipmi::number::CompletionCode;

    use super::*;
    use crate::ipmi::talk::{Talk, play};

    #[test]
    fn a_bit_rate_that_was_set_is_told_without_quotes() {
        let action = Action::Set(
            SolSetting::VolatileBitRate,
            Wanted::Rate(SerialBitRate::B115200),
            ChannelNumber::PRESENT,
        );
        let report = play::run(Talk::new(|line| run(line, action)), |call| {
            let answer = match call.target.cmd {
                // Its revision, and the rate.
                GetSolConfigurationParameters::CMD => vec![0x11, SerialBitRate::B115200.0],
                _ => vec![],
            };
            Some((CompletionCode::OK, answer))
        })
        .unwrap();
        assert_eq!(report.lines, ["Volatile Bit Rate (kbps)        : 115.2"]);
        assert_eq!(report.value["volatile_bit_rate_kbps"], "115.2");
    }

    #[test]
    fn values_that_fit_no_setting_are_refused() {
        for (setting, value, fits) in [
            (SolSetting::Enabled, "true", true),
            (SolSetting::Enabled, "1", false),
            (SolSetting::RetryCount, "7", true),
            (SolSetting::RetryCount, "8", false),
            (SolSetting::VolatileBitRate, "115.2", true),
            (SolSetting::VolatileBitRate, "115200", false),
            (SolSetting::PrivilegeLevel, "Operator", true),
        ] {
            assert_eq!(wanted(setting, value).is_ok(), fits, "{setting:?} {value}");
        }
    }

    #[test]
    fn what_shares_a_parameter_with_a_setting_stays() {
        let mut value = SolValue::Retry {
            count: 7,
            interval_10ms: 50,
        };
        change(&mut value, SolSetting::RetryInterval, Wanted::Number(2));
        assert_eq!(
            value,
            SolValue::Retry {
                count: 7,
                interval_10ms: 2
            }
        );
        let mut value = SolValue::Authentication {
            force_encryption: true,
            force_authentication: true,
            privilege: PrivilegeLevel::USER,
        };
        change(
            &mut value,
            SolSetting::ForceEncryption,
            Wanted::Switch(false),
        );
        let expected = SolValue::Authentication {
            force_encryption: false,
            force_authentication: true,
            privilege: PrivilegeLevel::USER,
        };
        assert_eq!(value, expected);
    }
}
