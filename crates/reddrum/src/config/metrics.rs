//! `[metrics]`: figures for Prometheus.

use std::net::SocketAddr;

use super::keys;
use super::section::{Problems, Section};
use crate::metrics::MetricsConfig;

/// Reads the section, where there is one.
pub(super) fn read(root: &Section<'_, '_>, problems: &mut Problems<'_>) -> Option<MetricsConfig> {
    let (table, span) = root.table(problems, "metrics")?;
    let section = Section::open(&keys::METRICS, "[metrics]".into(), table, span, problems);
    let anywhere = section.flag(problems, "insecure_network");
    let fleet_only = section.flag(problems, "fleet_only");
    let text = section.required(problems, "listen")?;
    let Ok(listen) = text.parse::<SocketAddr>() else {
        let text = "expected ADDRESS:PORT, such as 127.0.0.1:9290";
        section.problem(problems, "listen", text);
        return None;
    };
    if !listen.ip().is_loopback() && !anywhere {
        let text = "not a loopback address: anybody who reaches it could read every sensor. Put a web server with a \
                    login in front, or set insecure_network = true";
        section.problem(problems, "listen", text);
        return None;
    }
    Some(MetricsConfig { listen, fleet_only })
}
