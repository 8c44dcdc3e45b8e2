//! `bootparam`: the parameters of the system boot options by their numbers (§28.12, §28.13).

use ipmi::command::Bytes;
use ipmi::command::chassis::{BootParameter, GetSystemBootOptions, SetSystemBootOptions};
use ipmi::number::BootOptionParameter;
use serde_json::json;

use super::{OPERATOR, Start, start};
use crate::error::ProgramError;
use crate::ipmi::args::BootparamCommand;
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
        BootparamCommand::Set { parameter, data } => {
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
    let parameter = options.parameter;
    let text = match &parameter {
        BootParameter::Raw { data, .. } => {
            let bytes: Vec<_> = data.iter().map(|byte| format!("{byte:02x}")).collect();
            bytes.join(" ")
        }
        BootParameter::Flags(flags) => flags
            .to_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<Vec<_>>()
            .join(" "),
        other => format!("{other:?}"),
    };
    let name = parameter.number().to_string();
    Ok(Report::line(
        format!("Boot parameter {number} ({name}): {text}"),
        json!({ "parameter": number, "name": name, "data": text }),
    ))
}
