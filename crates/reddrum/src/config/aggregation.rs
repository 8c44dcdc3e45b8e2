//! `[aggregation]`: which BMCs clients may push, and what they get of the operator's.

use std::sync::Arc;

use redfish::Network;
use toml::de::DeTable;

use super::destinations::networks;
use super::keys::AGGREGATION;
use super::section::{Problems, Section};

/// `[aggregation]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AggregationConfig {
    /// Networks where pushed BMCs may be although such addresses are refused.
    pub(crate) allow_destinations: Arc<[Network]>,
    /// Whether those without a login get that of `[credentials.default]`.
    pub(crate) default_login: bool,
}

/// Reads the section.
pub(super) fn read(root: &Section<'_, '_>, problems: &mut Problems<'_>) -> AggregationConfig {
    let empty = DeTable::new();
    let (table, span) = root
        .table(problems, "aggregation")
        .unwrap_or_else(|| (&empty, root.span().clone()));
    let section = Section::open(&AGGREGATION, "[aggregation]".into(), table, span, problems);
    AggregationConfig {
        allow_destinations: networks(&section, problems).into(),
        default_login: section.flag(problems, "default_login"),
    }
}
