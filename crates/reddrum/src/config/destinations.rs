//! `[events]` and `[update]`: which servers that clients name may be connected to.

use std::path::{Path, PathBuf};

use redfish::Network;
use toml::de::DeTable;

use super::keys::SectionKeys;
use super::section::{Problems, Section};

/// One of the two sections.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DestinationsConfig {
    /// Networks that may be connected to although such addresses are refused.
    pub(crate) allow_destinations: Vec<Network>,
    /// Whether `http://` is taken.
    pub(crate) allow_clear_text: bool,
    /// The certificate authorities of the servers, a PEM file; without it, those that the machine trusts.
    pub(crate) ca_file: Option<PathBuf>,
}

/// Reads the section `name`; paths start at `base`.
pub(super) fn read(
    root: &Section<'_, '_>,
    name: &str,
    keys: &'static SectionKeys,
    base: &Path,
    problems: &mut Problems<'_>,
) -> DestinationsConfig {
    let empty = DeTable::new();
    let (table, span) = root
        .table(problems, name)
        .unwrap_or_else(|| (&empty, root.span().clone()));
    let section = Section::open(keys, keys.heading.into(), table, span, problems);
    DestinationsConfig {
        allow_destinations: networks(&section, problems),
        allow_clear_text: section.flag(problems, "allow_clear_text"),
        ca_file: section
            .string(problems, "ca_file")
            .map(|file| base.join(file)),
    }
}

/// `allow_destinations` of a section.
pub(super) fn networks(section: &Section<'_, '_>, problems: &mut Problems<'_>) -> Vec<Network> {
    let mut networks = Vec::new();
    for text in section.strings(problems, "allow_destinations") {
        match text.parse() {
            Ok(network) => networks.push(network),
            Err(error) => {
                section.problem(problems, "allow_destinations", format!("'{text}': {error}"));
            }
        }
    }
    networks
}
