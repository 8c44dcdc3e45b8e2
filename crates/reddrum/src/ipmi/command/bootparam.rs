//! `bootparam`: the parameters of the system boot options by their numbers (§28.12, §28.13).

use ipmi::command::chassis::{
    BOOT_PARAMETER_MAX, BootParameter, GetSystemBootOptions, SetSystemBootOptions,
    SystemBootOptions,
};
use ipmi::command::{Bytes, Message as _};
use ipmi::number::BootOptionParameter;
use ipmi::wire::Writer;
use serde_json::json;

use super::{OPERATOR, Start, boot, start};
use crate::error::ProgramError;
use crate::ipmi::args::{BootparamCommand, BootparamSetArgs, BootparamWords};
use crate::ipmi::report::Report;
use crate::ipmi::talk::{Line, Outcome};

/// How to begin it.
///
/// # Errors
/// There are more bytes than a parameter has.
pub(super) fn begin(command: BootparamCommand) -> Result<Start, ProgramError> {
    Ok(match command {
        BootparamCommand::Get {
            parameter,
            set,
            block,
        } => start(OPERATOR, move |line| get(line, parameter, (set, block))),
        BootparamCommand::Set(BootparamSetArgs {
            words: Some(BootparamWords::Bootflag { device, clearing }),
            ..
        }) => {
            let clearing = clearing.unwrap_or_default();
            start(OPERATOR, move |line| {
                boot::set_bootflag(line, device, clearing)
            })
        }
        BootparamCommand::Set(BootparamSetArgs {
            parameter, data, ..
        }) => {
            // The command line has no numbers only where it has words.
            let parameter = parameter.ok_or_else(|| {
                ProgramError::Usage("which parameter? its number, or bootflag".to_owned())
            })?;
            let data = Bytes::new(&data)
                .ok_or_else(|| ProgramError::Usage(format!("{} bytes are too many", data.len())))?;
            let parameter = BootParameter::Raw {
                number: BootOptionParameter(parameter),
                data,
            };
            start(OPERATOR, move |line| async move {
                let command = SetSystemBootOptions {
                    invalid: false,
                    parameter,
                };
                line.call(&command).await?;
                get(line, parameter.number().0, (0, 0)).await
            })
        }
    })
}

async fn get(line: Line, number: u8, (set, block): (u8, u8)) -> Outcome {
    let question = GetSystemBootOptions {
        set,
        block,
        ..GetSystemBootOptions::new(BootOptionParameter(number))
    };
    let options = line.call(&question).await?;
    let data: Vec<_> = data(&options).iter().map(|b| format!("{b:02x}")).collect();
    let data = data.join(" ");
    let name = options.parameter.number().to_string();
    let locked = if options.invalid {
        ", invalid or locked"
    } else {
        ""
    };
    let meaning = meaning(&options.parameter);
    let value = json!({
        "parameter": number,
        "name": name,
        "version": options.version,
        "locked": options.invalid,
        "data": data,
        "meaning": meaning,
    });
    let first = format!("Boot parameter {number} ({name}): {data}{locked}");
    let rest = meaning.iter().map(|line| format!("  {line}"));
    Ok(Report::of(
        std::iter::once(first).chain(rest).collect(),
        value,
    ))
}

/// The bytes of a parameter: what is behind its version and number.
fn data(options: &SystemBootOptions) -> Vec<u8> {
    let mut buffer = [0; 2 + BOOT_PARAMETER_MAX];
    let mut w = Writer::new(&mut buffer);
    options.encode(&mut w);
    w.written().get(2..).unwrap_or_default().to_vec()
}

/// What a parameter says, in words; nothing of those that are somebody's own.
fn meaning(parameter: &BootParameter) -> Vec<String> {
    let named = |what: &str, names: Vec<&str>| match names.as_slice() {
        [] => format!("{what}: none"),
        names => format!("{what}: {}", names.join(", ")),
    };
    match parameter {
        BootParameter::SetInProgress(state) => vec![state.to_string()],
        BootParameter::ServicePartitionScan(scan) => {
            vec![named("flags", scan.names().collect())]
        }
        BootParameter::ValidBitClearing(keep) => vec![boot::clearing_text(*keep)],
        BootParameter::InfoAcknowledge { parties, .. } => {
            vec![named("not yet handled by", parties.names().collect())]
        }
        BootParameter::Flags(flags) => {
            let mut lines = vec![boot::text(flags)];
            let overrides: Vec<_> = flags.overrides.names().collect();
            if !overrides.is_empty() {
                lines.push(named("overrides", overrides));
            }
            lines.push(format!("firmware verbosity: {}", flags.verbosity));
            lines.push(format!("console redirection: {}", flags.redirection));
            lines
        }
        BootParameter::Raw { .. } => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use ipmi::number::CompletionCode;

    use super::*;
    use crate::ipmi::talk::{Talk, play};

    #[test]
    fn a_parameter_is_told_with_its_bytes_and_what_they_mean() {
        for (number, data, first, meaning) in [
            (
                0x83,
                &[0x08][..],
                "08, invalid or locked",
                "not cleared by: no Chassis Control",
            ),
            (
                5,
                &[0x80, 0x04, 0, 0, 0],
                "80 04 00 00 00",
                "Boot device: PXE",
            ),
            (
                4,
                &[0, 0x03],
                "00 03",
                "not yet handled by: BIOS/POST, OS loader",
            ),
            (0, &[1], "01", "set in progress"),
        ] {
            let talk = Talk::new(|line| get(line, number & 0x7f, (0, 0)));
            let outcome = play::run(talk, |_| {
                Some((CompletionCode::OK, [&[1, number], data].concat()))
            });
            let lines = outcome.unwrap().lines;
            assert!(lines[0].ends_with(first), "{lines:?}");
            assert!(lines[1].contains(meaning), "{lines:?}");
        }
    }
}
