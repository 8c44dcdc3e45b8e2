//! What scans for BMCs have done, by the ranges of their entry.

use super::own::{counter, gauge};
use super::text::{Family, Text};
use crate::scan::{Figures, OfScan};

/// A figure of an entry.
type Figure = (Family, &'static [Part]);
/// A sample of it: the label that tells it from others, and its value.
type Part = (Option<(&'static str, &'static str)>, fn(&OfScan) -> u64);

const FIGURES: &[Figure] = &[
    (
        counter(
            "reddrum_scans",
            "Scans for BMCs; failed: the system had no socket for one.",
        ),
        &[
            (Some(("result", "done")), |of| of.done),
            (Some(("result", "failed")), |of| of.failed),
        ],
    ),
    (
        counter("reddrum_scan_pings", "Pings that scans for BMCs have sent."),
        &[(None, |of| of.pings)],
    ),
    (
        gauge(
            "reddrum_scan_answering",
            "BMCs that answered in the last scan.",
        ),
        &[(None, |of| of.answering)],
    ),
    (
        gauge(
            "reddrum_scan_found",
            "BMCs that scans have found, silent ones that are not forgotten yet too, those that are named elsewhere not.",
        ),
        &[(None, |of| of.known)],
    ),
    (
        counter("reddrum_scan_new", "BMCs that scans have found first."),
        &[(None, |of| of.new)],
    ),
    (
        counter(
            "reddrum_scan_gone",
            "BMCs that were forgotten because they were silent for too long.",
        ),
        &[(None, |of| of.gone)],
    ),
];

/// Writes them, where there is any scan.
pub(super) fn scans(figures: &Figures, text: &mut Text) {
    let all = figures.all();
    if all.is_empty() {
        return;
    }
    for (family, parts) in FIGURES {
        text.begin(family);
        for (title, of) in &all {
            for (label, value) in *parts {
                let labels = [("inventory", title.as_str())].into_iter().chain(*label);
                let labels: Vec<_> = labels.collect();
                text.count(family, &labels, value(of));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::text::Format;

    #[test]
    fn each_entry_has_its_figures_and_without_entries_there_are_none() {
        let figures = Figures::default();
        let told = |figures: &Figures| {
            let mut text = Text::new(Format::Prometheus);
            scans(figures, &mut text);
            text.take()
        };
        assert!(told(&figures).is_empty());
        figures.of("10.20.0.0/22", |of| (of.done, of.known) = (3, 7));
        figures.of("bmc[1-9]", |of| of.gone = 1);
        let told = told(&figures);
        for line in [
            "reddrum_scans_total{inventory=\"10.20.0.0/22\",result=\"done\"} 3",
            "reddrum_scans_total{inventory=\"10.20.0.0/22\",result=\"failed\"} 0",
            "reddrum_scan_found{inventory=\"10.20.0.0/22\"} 7",
            "reddrum_scan_gone_total{inventory=\"bmc[1-9]\"} 1",
        ] {
            assert!(told.lines().any(|l| l == line), "{line}\n{told}");
        }
    }
}
