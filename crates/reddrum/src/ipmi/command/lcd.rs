//! `lcd`: the text panel at the front of a Dell machine (system information parameters of Dell's own, §22.14a).

use std::rc::Rc;

use ipmi::command::Bytes;
use ipmi::command::app::{
    GetSystemInfoParameters, SYSTEM_INFO_MAX, SetSystemInfoParameters, SystemText,
};
use ipmi::command::oem::dell::{LCD_MODE, LCD_TEXT, LCD_TEXT_MAX, LcdMode};
use ipmi::number::{DellLcdMode, StringEncoding, SystemInfoParameter};

use super::{ADMINISTRATOR, Start, USER, maker, start};
use crate::error::ProgramError;
use crate::ipmi::args::{LcdCommand, Maker, OfMaker};
use crate::ipmi::failure::Failure;
use crate::ipmi::report::Sheet;
use crate::ipmi::talk::{CallError, Line, Outcome};

/// Width of the names in the report.
const WIDTH: usize = 12;

/// Blocks of the longest text: two bytes and 62 characters, 16 in each.
const BLOCKS_MAX: u8 = 4;

/// How to begin it.
///
/// # Errors
/// The text can't be shown.
pub(super) fn begin(command: LcdCommand, of: OfMaker) -> Result<Start, ProgramError> {
    Ok(match command {
        LcdCommand::Get => start(USER, move |line| get(line, of)),
        LcdCommand::Set { text } => {
            let text = Rc::new(latin_1(&text)?);
            start(ADMINISTRATOR, move |line| set(line, of, Rc::clone(&text)))
        }
        LcdCommand::Mode { mode } => start(ADMINISTRATOR, move |line| show(line, of, mode.into())),
    })
}

/// The text as the panel has it.
fn latin_1(text: &str) -> Result<SystemText, ProgramError> {
    let byte = |c: char| u8::try_from(c).ok().filter(|_| !c.is_control());
    let bytes: Option<Vec<u8>> = text.chars().map(byte).collect();
    match bytes {
        Some(bytes) if bytes.len() <= LCD_TEXT_MAX => Ok(SystemText {
            encoding: StringEncoding::LATIN_1,
            bytes,
        }),
        Some(bytes) => Err(ProgramError::Usage(format!(
            "the text has {} characters; the panel takes at most {LCD_TEXT_MAX}",
            bytes.len()
        ))),
        None => Err(ProgramError::Usage(
            "the panel shows characters of Latin-1 only, and no control characters".to_owned(),
        )),
    }
}

/// Only Dell's panel has commands here.
async fn check(line: &Line, of: OfMaker) -> Result<(), Failure> {
    let maker = maker::find(line, of).await?;
    if maker == Maker::Dell {
        return Ok(());
    }
    Err(Failure::Unfit {
        kind: "no_lcd",
        cause: format!("no commands of {} for a text panel are known", maker.name()),
        remedy: "'lcd' is for Dell's machines; 'raw' sends any command".to_owned(),
    })
}

async fn get(line: Line, of: OfMaker) -> Outcome {
    check(&line, of).await?;
    report(&line).await
}

async fn set(line: Line, of: OfMaker, text: Rc<SystemText>) -> Outcome {
    check(&line, of).await?;
    for number in 0..BLOCKS_MAX {
        let Some(block) = text.block(number) else {
            break;
        };
        write(&line, LCD_TEXT, &[&[number], &block[..]].concat()).await?;
    }
    set_mode(&line, DellLcdMode::USER_TEXT).await?;
    report(&line).await
}

async fn show(line: Line, of: OfMaker, mode: DellLcdMode) -> Outcome {
    check(&line, of).await?;
    set_mode(&line, mode).await?;
    report(&line).await
}

/// Sets what is shown. What stands behind it in the parameter (units, how errors show) stays as it is.
async fn set_mode(line: &Line, mode: DellLcdMode) -> Result<(), CallError> {
    let mut data = read(line, LCD_MODE, 0).await?;
    let new = LcdMode { mode }.to_data();
    data.splice(..new.len().min(data.len()), new.iter().copied());
    write(line, LCD_MODE, &data).await
}

async fn report(line: &Line) -> Outcome {
    let data = read(line, LCD_MODE, 0).await?;
    let mode = LcdMode::from_data(&data).map_err(CallError::garbled::<GetSystemInfoParameters>)?;
    let mut blocks = read_block(line, 0).await?;
    let count = SystemText::block_count(&blocks).min(BLOCKS_MAX);
    for number in 1..count {
        blocks.extend(read_block(line, number).await?);
    }
    let mut sheet = Sheet::new(WIDTH);
    sheet.put("LCD Shows", "mode", mode.mode.to_string());
    sheet.put("LCD Text", "text", SystemText::from_blocks(&blocks).text());
    Ok(sheet.report())
}

/// A block of the text, without its number.
async fn read_block(line: &Line, number: u8) -> Result<Vec<u8>, CallError> {
    let data = read(line, LCD_TEXT, number).await?;
    Ok(data.get(1..).unwrap_or_default().to_vec())
}

async fn read(line: &Line, parameter: SystemInfoParameter, set: u8) -> Result<Vec<u8>, CallError> {
    let question = GetSystemInfoParameters {
        revision_only: false,
        parameter,
        set,
        block: 0,
    };
    Ok(line.call(&question).await?.data.to_vec())
}

async fn write(line: &Line, parameter: SystemInfoParameter, data: &[u8]) -> Result<(), CallError> {
    let data = Bytes::<SYSTEM_INFO_MAX>::new(data).unwrap_or_default();
    line.call(&SetSystemInfoParameters { parameter, data })
        .await?;
    Ok(())
}
