//! `[events]`: where events are sent.

use std::path::{Path, PathBuf};

use redfish::Network;
use toml::de::DeTable;

use super::keys;
use super::section::{Problems, Section};

/// `[events]`.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventsConfig {
    /// Networks that may be sent to although such addresses are refused.
    pub(crate) allow_destinations: Vec<Network>,
    /// Whether `http://` destinations are taken.
    pub(crate) allow_clear_text: bool,
    /// The certificate authorities of destinations, a PEM file; without it, those that the machine trusts.
    pub(crate) ca_file: Option<PathBuf>,
}

/// Reads the section; paths start at `base`.
pub(super) fn read(
    root: &Section<'_, '_>,
    base: &Path,
    problems: &mut Problems<'_>,
) -> EventsConfig {
    let empty = DeTable::new();
    let (table, span) = root
        .table(problems, "events")
        .unwrap_or_else(|| (&empty, root.span().clone()));
    let section = Section::open(&keys::EVENTS, "[events]".into(), table, span, problems);
    let mut allow_destinations = Vec::new();
    for text in section.strings(problems, "allow_destinations") {
        match text.parse() {
            Ok(network) => allow_destinations.push(network),
            Err(error) => {
                section.problem(problems, "allow_destinations", format!("'{text}': {error}"));
            }
        }
    }
    EventsConfig {
        allow_destinations,
        allow_clear_text: section.flag(problems, "allow_clear_text"),
        ca_file: section
            .string(problems, "ca_file")
            .map(|file| base.join(file)),
    }
}
