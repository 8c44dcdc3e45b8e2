//! Behaviour of the mapping over a small hall of machines in memory.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on should stop"
)]

mod change;
mod event;
mod fake;
mod inventory;
mod kept;
mod log_news;
mod reading;
mod state;
mod telemetry;
mod tree;
mod update;
