//! `quirks`: the table of how BMCs deviate from IPMI.

use std::io::{self, Write};

use ipmi::quirk::{Row, rows};
use serde_json::{Value, json};

use crate::error::ProgramError;

/// Prints the table.
///
/// # Errors
/// Standard output can't be written.
pub(crate) fn run(as_json: bool) -> Result<(), ProgramError> {
    let mut out = io::stdout().lock();
    let written = if as_json {
        let table: Vec<Value> = rows().map(value).collect();
        writeln!(out, "{}", json!({ "quirks": table }))
    } else {
        rows().try_for_each(|row| write(&mut out, row))
    };
    match written.and_then(|()| out.flush()) {
        // Output into a pipe that was closed (`| head`) is no failure.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|e| ProgramError::system("standard output", e)),
    }
}

fn write(out: &mut impl Write, row: &Row) -> io::Result<()> {
    writeln!(
        out,
        "{} ({}, {})",
        row.quirk,
        row.area.name(),
        row.handling.name()
    )?;
    writeln!(out, "  BMC      {} ({})", row.deviates, row.section)?;
    writeln!(out, "  console  {}", row.remedy)?;
    if !row.seen_on.is_empty() {
        writeln!(out, "  seen on  {}", row.seen_on)?;
    }
    if let Some(flag) = row.freeipmi {
        writeln!(out, "  FreeIPMI -W {flag}")?;
    }
    Ok(())
}

fn value(row: &Row) -> Value {
    json!({
        "name": row.quirk.name(),
        "area": row.area.name(),
        "handling": row.handling.name(),
        "deviates": row.deviates,
        "section": row.section,
        "remedy": row.remedy,
        "seen_on": row.seen_on,
        "freeipmi": row.freeipmi,
    })
}

#[cfg(test)]
mod tests {
    use ipmi::quirk::Quirk;

    use super::*;

    #[test]
    fn every_quirk_is_in_the_table_with_its_remedy() {
        let mut text = Vec::new();
        rows().for_each(|row| write(&mut text, row).unwrap());
        let text = String::from_utf8(text).unwrap();
        for quirk in Quirk::ALL {
            assert!(text.contains(&format!("{quirk} (")), "{quirk}");
        }
        assert!(text.contains("FreeIPMI -W opensesspriv"));
        let row = value(Quirk::OftenBusy.row());
        assert_eq!(row["name"], "often-busy");
        assert_eq!(row["handling"], "tolerated");
    }
}
