//! IPMI 2.0 and RMCP+ as pure functions and state machines: both ends, no socket, no clock, no randomness.
//!
//! ```text
//!        datagrams in                                             datagrams out
//!   ───────────────────►  console::Session   /   bmc::Bmc  ───────────────────►
//!        now: Instant      │ wire     bytes ⇄ values          entropy: &mut dyn Entropy
//!                          │ crypto   suites, keys, RAKP
//!                          │ command  one file a command
//!                          │ record   SDR, SEL, FRU, conversion
//!                          └ walk     reading them, whatever the BMC does
//! ```
//!
//! Section numbers in the docs (`§35.14`) are those of the *IPMI Specification Second Generation v2.0, rev. 1.1*.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod bmc;
pub mod command;
pub mod console;
pub mod crypto;
pub mod entropy;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod memory;
pub mod number;
pub mod print;
pub mod quirk;
pub mod record;
pub mod sequence;
pub mod sol;
pub mod time;
pub mod upgrade;
pub mod walk;
pub mod wire;
