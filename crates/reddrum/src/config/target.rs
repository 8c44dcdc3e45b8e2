//! `[[target]]`: the BMCs that the file itself names; and how BMCs are treated, wherever they are named.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fleet::{Quirk, Quirks};
use hardware::{NodeId, SensorIntervals};

use super::section::{self, Problems, Section};
use super::{Reach, TARGETS_MAX, hosts, intervals, keys};
use crate::place;

/// One BMC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TargetConfig {
    /// Name of the machine in Redfish.
    pub(crate) id: NodeId,
    /// Address or host name of its BMC.
    pub(crate) host: String,
    /// How it is treated; shared by all of a section or entry.
    pub(crate) treatment: Arc<Treatment>,
    /// Where it is named: the line of the configuration file, or the number of the entry in its list.
    pub(crate) at: usize,
}

/// How BMCs are treated, and what is said of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Treatment {
    /// UDP port of the BMC.
    pub(crate) port: u16,
    /// Name of the credentials.
    pub(crate) credentials: String,
    /// Where it stands.
    pub(crate) place: Place,
    /// Labels of the operator's own.
    pub(crate) labels: BTreeMap<String, String>,
    /// What it does in its own way.
    pub(crate) quirks: Quirks,
    /// Its own poll interval; `None` = the fleet's.
    pub(crate) poll_interval_ms: Option<u32>,
    /// Its own intervals for classes of sensors.
    pub(crate) sensor_intervals: SensorIntervals,
    /// For so many milliseconds it is left alone after each answer; 0 = as its quirks say.
    pub(crate) gap_ms: u16,
    /// Where its name may lead.
    pub(crate) reach: Reach,
}

impl Treatment {
    /// How the fleet is to poll it.
    pub(crate) const fn polling(&self) -> fleet::Treatment {
        fleet::Treatment {
            quirks: self.quirks,
            poll_interval_ms: self.poll_interval_ms,
            sensor_intervals: self.sensor_intervals,
            gap_ms: self.gap_ms,
        }
    }
}

/// Where a machine stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Site or building.
    pub(crate) site: Option<String>,
    /// Row.
    pub(crate) row: Option<String>,
    /// Rack.
    pub(crate) rack: Option<String>,
    /// Block.
    pub(crate) block: Option<String>,
    /// Sled.
    pub(crate) sled: Option<String>,
    /// Rack unit.
    pub(crate) unit: Option<u16>,
}

/// What `unit` may be: no rack is higher.
pub(crate) const UNIT_LIMITS: std::ops::RangeInclusive<u32> = 1..=99;

/// What `gap_ms` may be.
pub(crate) const GAP_LIMITS_MS: std::ops::RangeInclusive<u32> =
    0..=fleet::Config::GAP_MS_MAX as u32;

pub(super) fn read_targets(
    root: &Section<'_, '_>,
    problems: &mut Problems<'_>,
) -> Vec<TargetConfig> {
    let mut seen = BTreeMap::new();
    let (mut line, mut counted) = (1, 0);
    let mut taken = Taken::default();
    let mut targets = Vec::new();
    for (table, span) in root.tables(problems, "target") {
        let section = Section::open(&keys::TARGET, "[[target]]".into(), table, span, problems);
        let treatment = Arc::new(read_treatment(root, &section, problems));
        let first = targets.len();
        // There may be very many sections: each line is counted once.
        let begins = section.span().start;
        line += problems.line_ends(counted..begins);
        counted = begins;
        for mut target in read_target(&section, &treatment, problems) {
            if targets.len() == TARGETS_MAX {
                section.problem(
                    problems,
                    "hosts",
                    format!("more than {TARGETS_MAX} targets"),
                );
                return targets;
            }
            target.at = line;
            if let Some(before) = seen.insert(target.id.clone(), line) {
                let text = format!(
                    "'{}' is there twice: in the [[target]] of line {before} too",
                    target.id
                );
                section.problem(problems, "hosts", text);
            }
            targets.push(target);
        }
        refuse_shared_names(&section, &targets[first..], &mut taken, problems);
    }
    targets
}

/// Names of chassis that the sections before have taken.
#[derive(Default)]
struct Taken {
    machines: BTreeSet<String>,
    places: BTreeSet<String>,
}

/// A machine and what it stands in are both a chassis in Redfish: they can't have one name.
fn refuse_shared_names(
    section: &Section<'_, '_>,
    targets: &[TargetConfig],
    taken: &mut Taken,
    problems: &mut Problems<'_>,
) {
    let machines = targets.iter().map(|target| target.id.as_str().to_owned());
    taken.machines.extend(machines);
    let Some(target) = targets.first() else {
        return;
    };
    let names = place::names(&target.treatment.place);
    let of_machine = names.into_iter().find(|name| {
        taken.places.insert(name.clone());
        taken.machines.contains(name)
    });
    let mut ids = targets.iter().map(|target| target.id.as_str());
    let shared =
        of_machine.or_else(|| ids.find(|id| taken.places.contains(*id)).map(str::to_owned));
    if let Some(shared) = shared {
        let text = format!("'{shared}' is the name of a machine too");
        section.problem(problems, "rack", text);
    }
}

fn read_target(
    section: &Section<'_, '_>,
    treatment: &Arc<Treatment>,
    problems: &mut Problems<'_>,
) -> Vec<TargetConfig> {
    let Some(range) = section.required(problems, "hosts") else {
        return Vec::new();
    };
    let names = section
        .string(problems, "names")
        .unwrap_or_else(|| range.clone());
    match expand(&range, &names, treatment) {
        Ok(targets) => targets,
        Err((key, text)) => {
            section.problem(problems, key, text);
            Vec::new()
        }
    }
}

/// The BMCs of a range of hosts and a range of names; where they are named, the caller knows.
///
/// # Errors
/// Which of the two is wrong, and what with it.
pub(crate) fn expand(
    range: &str,
    names: &str,
    treatment: &Arc<Treatment>,
) -> Result<Vec<TargetConfig>, (&'static str, String)> {
    let hosts = hosts::expand(range).map_err(|text| ("hosts", text))?;
    let names = hosts::expand(names).map_err(|text| ("names", text))?;
    if hosts.len() != names.len() {
        let text = format!("{} names for {} hosts", names.len(), hosts.len());
        return Err(("names", text));
    }
    let target = |(host, name): (String, String)| {
        let id = NodeId::new(&name).ok_or_else(|| {
            let text = format!("'{name}' can't name a machine: letters, digits, '.', '_', '-'");
            ("names", text)
        })?;
        Ok(TargetConfig {
            id,
            host,
            treatment: Arc::clone(treatment),
            at: 0,
        })
    };
    hosts.into_iter().zip(names).map(target).collect()
}

/// How the BMCs of a section are treated.
pub(super) fn read_treatment(
    root: &Section<'_, '_>,
    section: &Section<'_, '_>,
    problems: &mut Problems<'_>,
) -> Treatment {
    let credentials = section
        .string(problems, "credentials")
        .unwrap_or_else(|| "default".to_owned());
    let known: Vec<&str> = root
        .table(problems, "credentials")
        .map(|(tables, _)| tables.iter().map(|(name, _)| &**name.get_ref()).collect())
        .unwrap_or_default();
    if !known.contains(&&*credentials) {
        let meant = section::nearest(&credentials, known.into_iter());
        let meant = meant.map_or_else(String::new, |name| format!("; did you mean '{name}'?"));
        let text = format!("there is no [credentials.{credentials}]{meant}");
        section.problem(problems, "credentials", text);
    }
    let port = section.integer(problems, "port", 1..=65_535, 623);
    let unit = section.integer(problems, "unit", UNIT_LIMITS, 0);
    let interval = section.integer(
        problems,
        "poll_interval_ms",
        super::POLL_INTERVAL_LIMITS_MS,
        0,
    );
    let gap_ms = section.integer(problems, "gap_ms", GAP_LIMITS_MS, 0);
    let quirks = section.strings(problems, "quirks");
    let mut text = |key: &str| section.string(problems, key);
    let place = Place {
        site: text("site"),
        row: text("row"),
        rack: text("rack"),
        block: text("block"),
        sled: text("sled"),
        unit: u16::try_from(unit).ok().filter(|unit| *unit > 0),
    };
    if let Err((key, text)) = check_place(&place) {
        section.problem(problems, key, text);
    }
    let quirks = read_quirks(quirks.iter().map(String::as_str)).unwrap_or_else(|text| {
        section.problem(problems, "quirks", text);
        Quirks::default()
    });
    Treatment {
        port: u16::try_from(port).unwrap_or(u16::MAX),
        credentials,
        place,
        labels: read_labels(section, problems),
        quirks,
        poll_interval_ms: (interval > 0).then_some(interval),
        sensor_intervals: intervals::read(section, problems),
        gap_ms: u16::try_from(gap_ms).unwrap_or(u16::MAX),
        reach: Reach::default(),
    }
}

fn read_labels(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> BTreeMap<String, String> {
    let Some((table, _)) = section.table(problems, "labels") else {
        return BTreeMap::new();
    };
    let mut labels = BTreeMap::new();
    for (name, value) in table {
        let name = name.get_ref().as_ref();
        match (check_label(name), value.get_ref().as_str()) {
            (Ok(()), Some(value)) => {
                labels.insert(name.to_owned(), value.to_owned());
            }
            (Ok(()), None) => section.problem(problems, "labels", format!("'{name}' is no string")),
            (Err(text), _) => section.problem(problems, "labels", text),
        }
    }
    labels
}

/// Whether a label may be named so: as labels of Prometheus are.
pub(crate) fn check_label(name: &str) -> Result<(), String> {
    let fits = name.bytes().enumerate().all(|(place, byte)| {
        byte.is_ascii_alphabetic() || byte == b'_' || place > 0 && byte.is_ascii_digit()
    });
    if fits && !name.is_empty() {
        return Ok(());
    }
    Err(format!(
        "'{name}' can't name a label: letters, digits and '_'"
    ))
}

/// The quirks of these names.
pub(crate) fn read_quirks<'a>(names: impl Iterator<Item = &'a str>) -> Result<Quirks, String> {
    names
        .into_iter()
        .try_fold(Quirks::default(), |quirks, name| {
            let quirk: Quirk = name
                .parse()
                .map_err(|e: fleet::UnknownQuirk| e.to_string())?;
            Ok(quirks.with(quirk))
        })
}

/// Whether the names in a place can stand in URIs, and nothing stands in the air.
pub(crate) fn check_place(place: &Place) -> Result<(), (&'static str, String)> {
    let named = [
        ("rack", &place.rack),
        ("block", &place.block),
        ("sled", &place.sled),
    ];
    for (key, name) in named {
        if name
            .as_deref()
            .is_some_and(|name| NodeId::new(name).is_none())
        {
            let text = "only letters, digits, '.', '_' and '-' may be used".to_owned();
            return Err((key, text));
        }
    }
    if place.rack.is_none() && (place.block.is_some() || place.sled.is_some()) {
        let text = "is missing: a block or sled stands in a rack".to_owned();
        return Err(("rack", text));
    }
    Ok(())
}
