//! What the fleet, the service and the process say of themselves.

use std::fs;

use ::fleet::{Counters, Figures, Places, ShardFigures};
use redfish::ServiceFigures;

use super::text::{Family, Kind, Text};
use crate::config::Source;

pub(super) const fn gauge(name: &'static str, help: &'static str) -> Family {
    let kind = Kind::Gauge;
    Family { name, kind, help }
}

pub(super) const fn counter(name: &'static str, help: &'static str) -> Family {
    let kind = Kind::Counter;
    Family { name, kind, help }
}

/// Which of the engine's counters a sample is, and the label that tells it from the others of its metric.
type Part = (&'static str, Option<(&'static str, &'static str)>);

/// Counters of the engine, each a metric of one sample or more for each shard.
const COUNTED: &[(Family, &[Part])] = &[
    (
        counter(
            "bmc_readings",
            "Sensor readings that brought a value or states.",
        ),
        &[("readings", None)],
    ),
    (
        counter(
            "bmc_readings_unavailable",
            "Sensor readings that brought none: the sensor has none now (part absent, host off, not scanned).",
        ),
        &[("readings_unavailable", None)],
    ),
    (
        counter(
            "bmc_readings_failed",
            "Sensor readings that the BMC refused or did not answer.",
        ),
        &[("readings_failed", None)],
    ),
    (
        counter(
            "bmc_rounds",
            "Rounds over the sensors of a BMC, and over classes of them with intervals of their own; skipped: left out because there was no time for them.",
        ),
        &[
            ("rounds", Some(("result", "done"))),
            ("rounds_skipped", Some(("result", "skipped"))),
        ],
    ),
    (
        counter(
            "bmc_shard_restarts",
            "How often each thread began anew with all its BMCs, because the program failed while it dealt with one.",
        ),
        &[("restarts", None)],
    ),
    (
        counter("bmc_snapshots", "Snapshots of nodes published."),
        &[("snapshots", None)],
    ),
    (
        counter("bmc_requests", "Commands sent, without retransmissions."),
        &[("commands", None)],
    ),
    (
        counter(
            "bmc_retransmits",
            "Datagrams sent again because no answer came in time.",
        ),
        &[("retransmits", None)],
    ),
    (
        counter("bmc_timeouts", "Commands given up without an answer."),
        &[("timeouts", None)],
    ),
    (
        counter("bmc_session_opens", "Attempts to open a session."),
        &[
            ("sessions_opened", Some(("result", "opened"))),
            ("connects_unanswered", Some(("result", "unanswered"))),
            ("connects_unfinished", Some(("result", "unfinished"))),
            ("connects_refused", Some(("result", "refused"))),
        ],
    ),
    (
        counter("bmc_session_ends", "Sessions that ended."),
        &[
            ("sessions_lost", Some(("reason", "lost"))),
            ("sessions_left", Some(("reason", "left"))),
            ("sessions_closed", Some(("reason", "closed"))),
        ],
    ),
    (
        counter("bmc_contacts", "First contacts, which read the inventory."),
        &[
            ("contacts", Some(("result", "done"))),
            ("contacts_failed", Some(("result", "failed"))),
        ],
    ),
    (
        counter(
            "bmc_sensor_records_ignored",
            "Sensor data records of no use.",
        ),
        &[("records_ignored", None)],
    ),
    (
        counter(
            "bmc_repositories_cut",
            "Sensor data repositories without an end.",
        ),
        &[("repositories_cut", None)],
    ),
    (
        counter("bmc_log_entries", "Event log entries received."),
        &[("log_entries", None)],
    ),
    (
        counter(
            "bmc_log_entries_unreadable",
            "Event log entries that the BMC has and can't give: stepped over.",
        ),
        &[("log_entries_unreadable", None)],
    ),
    (
        counter(
            "bmc_log_failures",
            "Readings of an event log that failed and are tried again.",
        ),
        &[("logs_failed", None)],
    ),
    (
        counter(
            "bmc_jobs",
            "Operator commands; refused: not begun, because too many wait or firmware is being installed.",
        ),
        &[
            ("jobs_done", Some(("result", "done"))),
            ("jobs_failed", Some(("result", "failed"))),
            ("jobs_refused", Some(("result", "refused"))),
        ],
    ),
    (
        counter("bmc_datagrams_received", "Datagrams received."),
        &[("datagrams_received", None)],
    ),
    (
        counter(
            "bmc_datagrams_sent",
            "Datagrams handed to the system to be sent.",
        ),
        &[("datagrams_sent", None)],
    ),
    (
        counter(
            "bmc_sends_refused",
            "Datagrams that the system refused to send, or that were dropped because the socket failed.",
        ),
        &[("sends_refused", None)],
    ),
    (
        counter(
            "bmc_datagrams_dropped",
            "Datagrams received and dropped, by reason.",
        ),
        &[
            ("dropped_by_kernel", Some(("reason", "by_kernel"))),
            ("dropped_truncated", Some(("reason", "truncated"))),
            ("dropped_unparsable", Some(("reason", "unparsable"))),
            (
                "dropped_unknown_session",
                Some(("reason", "unknown_session")),
            ),
            ("dropped_wrong_peer", Some(("reason", "wrong_peer"))),
            ("dropped_bad_integrity", Some(("reason", "bad_integrity"))),
            ("dropped_duplicate", Some(("reason", "duplicate"))),
            ("dropped_out_of_window", Some(("reason", "out_of_window"))),
            ("dropped_late", Some(("reason", "late"))),
            ("dropped_unexpected", Some(("reason", "unexpected"))),
        ],
    ),
];

const TARGETS: Family = gauge(
    "bmc_targets",
    "BMCs, by whether they answer; connecting: not reached yet.",
);
const OLDEST: Family = gauge(
    "bmc_oldest_reading_age_seconds",
    "Seconds since the last round began that brought readings (or since the BMC began to answer), of the BMC among those that answer, and its class of sensors, for which it is longest; absent where none has sensors.",
);
const LATE: Family = gauge(
    "bmc_late_targets",
    "BMCs that answer of whose sensors some class was not read for twice its interval; one that does not answer while others do is none.",
);
const SESSIONS: Family = gauge("bmc_sessions_open", "Sessions with BMCs that are open.");
const PLACES: Family = gauge(
    "bmc_places",
    "BMCs dealt with at a time, by stage: the limit, those taken, those that wait.",
);
const UP: Family = gauge(
    "bmc_shard_up",
    "1 while the thread asks its BMCs; 0 where it has failed too often, and the service ends.",
);
const RUNNING: Family = counter("bmc_shard_running_seconds", "How long each thread runs.");
const BUSY: Family = counter(
    "bmc_shard_busy_seconds",
    "How long each thread worked and did not sleep; its rate is the thread's utilisation.",
);
const ROUND_TRIPS: Family = Family {
    name: "bmc_round_trip_seconds",
    kind: Kind::Histogram,
    help: "How long answers took, commands that had to be repeated left out.",
};

const ANSWERED: Family = counter(
    "reddrum_http_requests",
    "Requests of Redfish clients, by class of the answer's status.",
);
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
const CLIENT_SESSIONS: Family = gauge(
    "reddrum_sessions_open",
    "Sessions of Redfish clients that are open.",
);
const SUBSCRIPTIONS: Family = gauge("reddrum_event_subscriptions", "Subscriptions to events.");
const STREAMS: Family = gauge(
    "reddrum_event_streams",
    "Streams of server-sent events that are open.",
);
const EVENTS: Family = counter("reddrum_events", "Events and metric reports published.");
const EVENTS_LOST: Family = counter(
    "reddrum_event_losses",
    "How often a reader of events fell so far behind that events may be lost to it.",
);
const TASKS: Family = gauge("reddrum_tasks", "Tasks that are kept, by state.");
const BUILD: Family = gauge("reddrum_build_info", "The program's version; always 1.");

const LOG_DROPPED: Family = counter(
    "reddrum_log_lines_dropped",
    "Lines of the log that were dropped because standard error did not take them.",
);
const LISTS: Family = gauge(
    "reddrum_list_up",
    "1 where a list of BMCs was good when it was read last, and can be read; otherwise 0, and what it said before holds.",
);
const RESIDENT: Family = gauge(
    "process_resident_memory_bytes",
    "Memory of the process that is resident.",
);
const DESCRIPTORS: Family = gauge(
    "process_open_fds",
    "File descriptors that the process has open.",
);

/// Writes the fleet's figures.
pub(super) fn fleet(figures: &Figures, text: &mut Text) {
    let connecting = figures
        .nodes
        .saturating_sub(figures.nodes_up + figures.nodes_down);
    text.begin(&TARGETS);
    for (state, count) in [
        ("up", figures.nodes_up),
        ("down", figures.nodes_down),
        ("connecting", connecting),
    ] {
        text.count(&TARGETS, &[("state", state)], count.into());
    }
    text.begin(&LATE);
    text.count(&LATE, &[], figures.total().late.into());
    if let Some(oldest_ms) = figures.oldest_ms {
        text.begin(&OLDEST);
        text.sample(&OLDEST, &[], oldest_ms as f64 / 1_000.0);
    }
    let shards: Vec<(String, &ShardFigures)> = (0_u32..)
        .map(|number| number.to_string())
        .zip(&figures.shards)
        .collect();
    for (family, parts) in COUNTED {
        text.begin(family);
        for (number, shard) in &shards {
            for (name, label) in *parts {
                let labels = [("shard", number.as_str())].into_iter().chain(*label);
                let labels: Vec<_> = labels.collect();
                text.count(family, &labels, counted(&shard.counters, name));
            }
        }
    }
    text.begin(&SESSIONS);
    for (number, shard) in &shards {
        text.count(&SESSIONS, &[("shard", number)], shard.sessions());
    }
    text.begin(&PLACES);
    for (number, shard) in &shards {
        places(number, "connect", shard.connects, text);
        places(number, "contact", shard.contacts, text);
        places(number, "round", shard.rounds, text);
    }
    text.begin(&UP);
    for (number, shard) in &shards {
        text.count(&UP, &[("shard", number)], u64::from(!shard.has_failed));
    }
    text.begin(&RUNNING);
    for (number, shard) in &shards {
        let seconds = shard.running_ms as f64 / 1_000.0;
        text.sample(&RUNNING, &[("shard", number)], seconds);
    }
    text.begin(&BUSY);
    for (number, shard) in &shards {
        let seconds = shard.busy_ms as f64 / 1_000.0;
        text.sample(&BUSY, &[("shard", number)], seconds);
    }
    let trips = figures.total().round_trips;
    text.begin(&ROUND_TRIPS);
    text.histogram(
        &ROUND_TRIPS,
        trips.cumulative(),
        (trips.count(), trips.sum_s()),
    );
}

fn places(shard: &str, stage: &'static str, places: Places, text: &mut Text) {
    for (state, count) in [
        ("limit", places.limit),
        ("taken", places.taken),
        ("waiting", places.waiting),
    ] {
        let labels = [("shard", shard), ("stage", stage), ("state", state)];
        text.count(&PLACES, &labels, count.into());
    }
}

fn counted(counters: &Counters, name: &str) -> u64 {
    counters
        .iter()
        .find(|(known, _)| *known == name)
        .map_or(0, |(_, value)| value)
}

/// Writes the service's figures.
pub(super) fn service(figures: &ServiceFigures, text: &mut Text) {
    text.begin(&BUILD);
    text.count(&BUILD, &[("version", env!("CARGO_PKG_VERSION"))], 1);
    text.begin(&ANSWERED);
    for (class, count) in CLASSES.iter().zip(figures.answered) {
        text.count(&ANSWERED, &[("code", class)], count);
    }
    for (family, value) in [
        (&CLIENT_SESSIONS, figures.sessions),
        (&SUBSCRIPTIONS, figures.subscriptions),
        (&STREAMS, figures.streams),
        (&EVENTS, figures.events),
        (&EVENTS_LOST, figures.events_lost),
    ] {
        text.begin(family);
        text.count(family, &[], value);
    }
    text.begin(&TASKS);
    for (state, count) in &figures.tasks {
        text.count(&TASKS, &[("state", state)], *count);
    }
}

/// Writes what became of lists of BMCs.
pub(super) fn lists(lists: &[(Source, bool)], text: &mut Text) {
    if lists.is_empty() {
        return;
    }
    text.begin(&LISTS);
    for (source, is_good) in lists {
        let labels = [("list", &*source.to_string())];
        text.count(&LISTS, &labels, u64::from(*is_good));
    }
}

/// Writes what became of the log, and what Linux says of the process.
pub(super) fn process(text: &mut Text) {
    text.begin(&LOG_DROPPED);
    text.count(&LOG_DROPPED, &[], crate::log::dropped());
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(kib) = resident_kib(&status) {
        text.begin(&RESIDENT);
        text.count(&RESIDENT, &[], kib * 1_024);
    }
    if let Ok(entries) = fs::read_dir("/proc/self/fd") {
        text.begin(&DESCRIPTORS);
        text.count(&DESCRIPTORS, &[], entries.count() as u64);
    }
}

/// `VmRSS` of `/proc/self/status`, proc_pid_status(5).
fn resident_kib(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::text::Format;

    #[test]
    fn every_counter_of_the_engine_is_shown_once() {
        let mut shown: Vec<_> = COUNTED
            .iter()
            .flat_map(|(_, parts)| parts.iter().map(|(name, _)| *name))
            .collect();
        shown.sort_unstable();
        let mut counters: Vec<_> = Counters::default().iter().map(|(name, _)| name).collect();
        counters.sort_unstable();
        assert_eq!(shown, counters);
    }

    #[test]
    fn a_list_that_fails_is_0_and_its_url_shows_no_token() {
        let file = Source::File("/etc/bmcs.csv".into());
        let url = Source::Url(http::Uri::from_static(
            "https://sd.example/bmcs?token=geheim",
        ));
        let mut text = Text::new(Format::Prometheus);
        lists(&[(file, true), (url, false)], &mut text);
        let out = text.take();
        assert!(
            out.contains("reddrum_list_up{list=\"/etc/bmcs.csv\"} 1\n"),
            "{out}"
        );
        assert!(
            out.contains("reddrum_list_up{list=\"https://sd.example/bmcs?…\"} 0\n"),
            "{out}"
        );
    }

    #[test]
    fn figures_are_those_of_each_shard() {
        let mut figures = Figures {
            nodes: 10,
            nodes_up: 7,
            nodes_down: 1,
            oldest_ms: Some(1_500),
            shards: vec![::fleet::ShardFigures::default(); 2],
        };
        figures.shards[1].counters.dropped_late = 3;
        figures.shards[1].busy_ms = 250;
        (figures.shards[0].late, figures.shards[1].late) = (1, 4);
        figures.shards[0].has_failed = true;
        let mut text = Text::new(Format::Prometheus);
        fleet(&figures, &mut text);
        let out = text.take();
        for line in [
            "bmc_targets{state=\"connecting\"} 2",
            "bmc_oldest_reading_age_seconds 1.5",
            "bmc_late_targets 5",
            "bmc_datagrams_dropped_total{shard=\"0\",reason=\"late\"} 0",
            "bmc_datagrams_dropped_total{shard=\"1\",reason=\"late\"} 3",
            "bmc_shard_busy_seconds_total{shard=\"1\"} 0.25",
            "bmc_round_trip_seconds_bucket{le=\"+Inf\"} 0",
            "bmc_shard_up{shard=\"0\"} 0",
            "bmc_shard_up{shard=\"1\"} 1",
            "bmc_shard_restarts_total{shard=\"0\"} 0",
        ] {
            assert!(out.lines().any(|l| l == line), "{line}\n{out}");
        }
    }

    #[test]
    fn resident_memory_is_found_in_what_the_kernel_says() {
        let status = "Name:\treddrum\nVmSize:\t  999 kB\nVmRSS:\t   12345 kB\nThreads:\t4\n";
        assert_eq!(resident_kib(status), Some(12_345));
        assert_eq!(resident_kib(""), None);
    }
}
