//! Hardware from very many IPMI BMCs: a sans-IO polling engine and its driver.
//!
//! ```text
//!   drive.rs      the only IO: a thread a shard; socket ⇄ Engine; reads the clock once a turn
//!   engine.rs     Engine: one slot a BMC; handle_datagram, handle_timeouts, submit, poll_transmit
//!     ├ schedule.rs  timer.rs    when what is due
//!     ├ slot/                    a BMC: its session, its round over the sensors, passes over classes of them
//!     ├ gate.rs                  how many BMCs are dealt with at a time
//!     ├ script.rs  call.rs       conversations of many commands as straight lines
//!     ├ contact/                 first contact: who are you, which sensors, which parts, which events
//!     ├ job.rs                   operator commands
//!     ├ figures.rs  report.rs    what it did and how well
//!     └ publish.rs               a round's readings ─► one Arc<hardware::Node>, one Update
//!   hardware.rs   impl hardware::Hardware for Fleet: snapshots out, changes in; BMCs come and go
//!   crew.rs       which shard has which BMC
//!   failure.rs    what becomes of a shard whose engine panics
//!   memory/       what outlives a restart, in a file
//! ```
//!
//! **Invariant:** only `drive.rs` knows a socket or a clock, and only `memory/file.rs` a file. Everything else is a function of its
//! arguments: the same datagrams at the same times make the same fleet.

mod call;
mod classes;
mod contact;
mod convert;
mod counters;
mod crew;
mod drive;
mod engine;
mod failure;
mod figures;
mod flow;
mod gate;
mod hardware;
mod job;
mod memory;
mod news;
mod order;
mod outcome;
mod peers;
mod plan;
mod publish;
mod report;
mod round_trip;
mod schedule;
mod script;
mod share;
mod shared;
mod slot;
mod talk;
mod target;
mod timer;
mod work;

pub use counters::Counters;
pub use drive::StartError;
pub use engine::{Coming, Engine, EngineConfig};
pub use figures::{Figures, Places, ShardFigures};
pub use hardware::{Changes, Fleet};
pub use ipmi::quirk::{Quirk, Quirks, UnknownQuirk};
pub use memory::Memory;
pub use news::MAX_STATE_LINES;
pub use outcome::{Outcome, OutcomeSender, outcome};
pub use publish::Moves;
pub use round_trip::RoundTrips;
pub use shared::Shared;
pub use target::{Config, ConfigError, Target, Treatment};
pub use work::Job;
