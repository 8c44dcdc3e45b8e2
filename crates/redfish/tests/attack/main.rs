//! Attacks on a running service: in each, another client's requests stay answered, memory stays bounded, nothing leaks.
//!
//! The service under attack is a process of its own (this very binary, see `target`), so that its memory and its sockets
//! can be told from those of the attackers. Nothing here depends on how fast the machine is: a limit of time only keeps a
//! broken service from hanging the test.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]
#![expect(clippy::panic, reason = "the helpers of tests fail as tests do")]
#![expect(clippy::print_stdout, reason = "the figures are for people to see")]

#[path = "../dsp0266/bench.rs"]
#[expect(
    dead_code,
    reason = "the bench of another test, of which only the backend is used here"
)]
mod bench;
mod bodies;
mod connections;
mod frames;
mod heads;
mod logins;
mod queries;
mod talk;
mod target;
