//! Looking for BMCs by ASF ping (§13.2.3): for `reddrum ipmi discover`, and again and again for the service.
//!
//! ```text
//!   sweep.rs    one scan without socket and clock: whom to ping when, who has answered; of both
//!   ask.rs      a scan of the service: names looked up, the sweep on its socket
//!   scans.rs    the service's entries: what is due, what became of it, who joins the fleet
//!   found.rs    who was found and when, kept in the state folder
//!   figures.rs  counters for Prometheus
//! ```

mod ask;
mod figures;
mod found;
mod scans;
mod sweep;

pub(crate) use figures::{Figures, OfScan};
pub(crate) use scans::{Ended, Present, Report, Scans};
pub(crate) use sweep::{
    PINGS_PER_S_DEFAULT, PINGS_PER_S_LIMITS, PONG_MAX, Pace, ROUNDS_DEFAULT, Step, Sweep,
};
