//! Virtual machines whose BMCs deviate from IPMI: which, and how (`--defect`).

use std::str::FromStr;

use ipmi::quirk::{Quirk, Quirks, UnknownQuirk, rows};
use ipmi::time::Instant;
use vbmc::bmcs::Bmcs;

use crate::error::ProgramError;
use crate::pattern::fits;

/// What stands before the words of a maker or a model, in place of a defect's name.
const SEEN_ON: &str = "seen-on:";
/// How many arguments are taken. Each is compared with the name of each machine; `*` names many machines by one, so that
/// some a known quirk are room enough.
const DEFECTS_MAX: usize = 256;

/// `[MACHINE=]NAME`, an argument of `--defect`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Defect {
    /// A machine's name in which `*` stands for any characters; `None` for every node.
    machines: Option<String>,
    quirks: Quirks,
}

impl FromStr for Defect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (machines, name) = match text.split_once('=') {
            Some(("", _)) => return Err("write MACHINE=NAME, or NAME for every node".to_owned()),
            Some((machines, name)) => (Some(machines.to_owned()), name),
            None => (None, text),
        };
        let quirks = match name.strip_prefix(SEEN_ON) {
            Some(words) => seen_on(words)?,
            None => Quirks::NONE.with(
                name.parse::<Quirk>()
                    .map_err(|error: UnknownQuirk| error.to_string())?,
            ),
        };
        Ok(Self { machines, quirks })
    }
}

/// All that was met on BMCs of this maker or model.
fn seen_on(words: &str) -> Result<Quirks, String> {
    let wanted = words.trim().to_lowercase();
    let found: Quirks = rows()
        .filter(|row| !wanted.is_empty() && row.seen_on.to_lowercase().contains(&wanted))
        .map(|row| row.quirk)
        .collect();
    if found.is_empty() {
        return Err(format!(
            "no defect was seen on '{words}'; --list-defects tells where each was"
        ));
    }
    Ok(found)
}

/// Makes the machines deviate.
///
/// # Errors
/// Too many defects, or one for a machine that there is not.
pub(crate) fn apply(defects: &[Defect], bmcs: &Bmcs) -> Result<(), ProgramError> {
    if defects.len() > DEFECTS_MAX {
        return Err(ProgramError::Usage(format!(
            "--defect: {} are too many, {DEFECTS_MAX} are taken",
            defects.len()
        )));
    }
    let site = bmcs.site();
    let mut used = vec![false; defects.len()];
    for index in (0..site.len()).filter(|_| !defects.is_empty()) {
        let name = site
            .machine(index, Instant::ORIGIN)
            .identity()
            .id
            .to_string();
        let mut quirks = Quirks::NONE;
        for (defect, used) in defects.iter().zip(&mut used) {
            let is_meant = match &defect.machines {
                None => index < site.nodes(),
                Some(pattern) => fits(pattern, &name),
            };
            if is_meant {
                quirks = quirks.and(defect.quirks);
                *used = true;
            }
        }
        if !quirks.is_empty() {
            bmcs.set_defects(index, quirks);
        }
    }
    let unused = defects.iter().zip(used).find(|(_, used)| !used);
    match unused.and_then(|(defect, _)| defect.machines.as_deref()) {
        None => Ok(()),
        Some(name) => Err(ProgramError::Usage(format!(
            "--defect: no machine '{name}'; --json prints their names, and * stands for any characters"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ipmi::bmc::Config;
    use ipmi::command::app::Guid;
    use vbmc::site::{Site, SiteOptions};

    use super::*;

    fn read(text: &str) -> Result<Defect, String> {
        text.parse()
    }

    #[test]
    fn a_defect_is_for_every_node_or_for_the_machines_that_it_names() {
        let everywhere = read("often-busy").unwrap();
        assert_eq!(everywhere.machines, None);
        assert!(everywhere.quirks.has(Quirk::OftenBusy));
        let one = read("Rack1-*-Node2=often-busy").unwrap();
        assert_eq!(one.machines.as_deref(), Some("Rack1-*-Node2"));
        assert!(read("=often-busy").is_err());
        assert!(read("often-buzy").unwrap_err().contains("often-buzy"));
    }

    #[test]
    fn a_maker_stands_for_all_that_was_met_on_its_bmcs() {
        let sun = read("seen-on:sun").unwrap().quirks;
        assert!(sun.has(Quirk::SequenceByteSwapped) && sun.has(Quirk::Rakp4CodeWhole));
        assert!(!sun.has(Quirk::RakpNamePadded), "only Intel's");
        for nobody in ["seen-on:", "seen-on: ", "seen-on:nobody"] {
            assert!(read(nobody).is_err(), "{nobody:?}");
        }
    }

    #[test]
    fn a_machine_that_there_is_not_is_an_error() {
        let options = SiteOptions {
            nodes: 4,
            seed: 1,
            epoch_s: 0,
        };
        let site = Arc::new(Site::new(options).unwrap());
        let name = site.ids()[0].to_string();
        let bmcs = Bmcs::new(site, &Config::new(Vec::new(), Guid::default()));
        let given = |texts: &[&str]| -> Vec<Defect> {
            texts.iter().map(|text| read(text).unwrap()).collect()
        };
        apply(
            &given(&["often-busy", &format!("{name}=seen-on:sun")]),
            &bmcs,
        )
        .unwrap();
        let refused = apply(&given(&["often-busy", "Rack9*=often-busy"]), &bmcs).unwrap_err();
        assert!(refused.to_string().contains("Rack9*"), "{refused}");
    }
}
