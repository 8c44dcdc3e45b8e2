//! A BMC that drops what comes too soon after its last answer.

use std::time::Duration;

use fleet::Treatment;
use hardware::{Availability, Change, Indicator, Link};
use ipmi::quirk::{Quirk, Quirks};
use vbmc::net::Quality;

use crate::stand::{By, Stand, Time};

const ALONE: Quirks = Quirks::NONE.with(Quirk::NeedsGap);

/// An interval in which all is read although the BMC is left alone after each answer.
const TREATMENT: Treatment = Treatment {
    quirks: Quirks::NONE,
    poll_interval_ms: Some(10_000),
    sensor_intervals: hardware::SensorIntervals::all(0),
    gap_ms: 0,
};

/// Long enough for first contact and some rounds.
const SPAN: Duration = Duration::from_secs(180);

fn stand(treatment: Treatment) -> Stand {
    let mut stand = Stand::new(By::Default, Time::Passes, ALONE);
    stand.poll_treated(treatment);
    stand.run_for(SPAN);
    stand
}

fn too_soon(stand: &Stand) -> u64 {
    stand.bmcs.bmc_counters(0).unwrap().too_soon
}

/// All of it is known, and was read lately.
fn check(stand: &Stand) {
    let node = stand.node();
    assert_eq!(node.link, Link::Up);
    let fresh = node
        .readings
        .iter()
        .filter(|reading| reading.availability == Availability::Available);
    assert!(fresh.count() > 10 && node.log.complete);
    assert!(node.inventory.product().serial_number.is_some());
}

#[test]
fn with_the_quirk_nothing_comes_too_soon_and_everything_is_read() {
    let mut stand = stand(Treatment {
        quirks: ALONE,
        ..TREATMENT
    });
    check(&stand);
    assert_eq!(stand.apply(Change::Indicator(true)), Ok(()));
    assert_eq!(stand.node().indicator, Indicator::On);
    assert_eq!(too_soon(&stand), 0);
    let counters = stand.counters();
    assert_eq!((counters.retransmits, counters.timeouts), (0, 0));
    assert_eq!(counters.rounds_skipped, 0);
    assert_eq!(*stand.node().identity.deviations, ["needs-gap".into()]);
}

#[test]
fn without_it_what_comes_is_dropped_and_no_log_in_comes_to_its_end() {
    let stand = stand(TREATMENT);
    let counters = stand.counters();
    assert!(too_soon(&stand) > 100, "{}", too_soon(&stand));
    assert_eq!((counters.sessions_opened, counters.readings), (0, 0));
    assert!(matches!(stand.node().link, Link::Down { .. }));
}

#[test]
fn a_gap_that_the_operator_names_holds_in_place_of_the_quirk_from_the_moment_that_he_does() {
    let mut stand = stand(TREATMENT);
    for (gap_ms, is_enough) in [(250, true), (50, false), (100, true)] {
        stand.treat(Treatment {
            gap_ms,
            ..TREATMENT
        });
        // A log-in that fails without a gap is tried again within half a minute.
        stand.run_for(Duration::from_secs(60));
        let (before, counters) = (too_soon(&stand), stand.counters());
        stand.run_for(SPAN);
        assert_eq!(too_soon(&stand) == before, is_enough, "{gap_ms} ms");
        let grown = stand.counters().since(&counters);
        assert_eq!(grown.retransmits == 0, is_enough, "{gap_ms} ms");
    }
    check(&stand);
    assert_eq!(stand.counters().sessions_opened, 1, "the session stays");
}

#[test]
fn what_is_repeated_keeps_the_gap_too_and_so_does_a_log_in_that_begins_anew() {
    let lossy = Quality {
        loss_permille: 100,
        ..Quality::PERFECT
    };
    let mut stand = Stand::new(By::Default, Time::Passes, ALONE).over(lossy);
    stand.poll_treated(Treatment {
        quirks: ALONE,
        ..TREATMENT
    });
    stand.run_for(2 * SPAN);
    stand.bmcs.reset(0);
    stand.run_for(2 * SPAN);
    check(&stand);
    let counters = stand.counters();
    assert!(
        counters.retransmits > 20 && counters.sessions_opened > 1,
        "{counters:?}"
    );
    assert_eq!(too_soon(&stand), 0);
}

#[test]
fn five_seconds_after_each_answer_take_long_and_make_nobody_believe_that_the_bmc_is_down() {
    let mut stand = Stand::new(By::Default, Time::Passes, ALONE);
    stand.poll_treated(Treatment {
        gap_ms: 5_000,
        ..TREATMENT
    });
    // First contact asks a few hundred times.
    let mut seen = Link::Connecting;
    for _ in 0..300 {
        stand.run_for(Duration::from_secs(10));
        let link = stand.node().link.clone();
        assert!(matches!(link, Link::Connecting | Link::Up), "{link:?}");
        seen = link;
    }
    assert_eq!(seen, Link::Up);
    let counters = stand.counters();
    assert_eq!((counters.sessions_opened, counters.sessions_lost), (1, 0));
    assert_eq!((too_soon(&stand), counters.retransmits), (0, 0));
}

#[test]
fn rounds_for_which_the_gap_leaves_no_time_are_left_out_and_counted() {
    let stand = stand(Treatment {
        quirks: ALONE,
        poll_interval_ms: Some(1_000),
        ..TREATMENT
    });
    check(&stand);
    let counters = stand.counters();
    assert!(counters.rounds_skipped > 20, "{counters:?}");
    assert_eq!(too_soon(&stand), 0);
}
