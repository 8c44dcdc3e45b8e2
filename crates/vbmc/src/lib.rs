//! Virtual machines with BMCs that answer IPMI over UDP from one seeded machine state.
//!
//! ```text
//!                     ┌── physics, host, log: what happens in a second
//!   site ── Machine ──┤
//!    │      (locked)  └── profile, sdr, fru: what a kind of machine has, shared
//!    │          ▲  ▲
//!    │          │  └───────── hardware::InProcess ──► trait Hardware, no network
//!    │          │
//!    └── bmcs ──┴── handler: IPMI requests, one file a network function
//!          ▲
//!          └── serve::Server: one UDP socket for all of them   (the only IO)
//! ```
//!
//! - A [`site::Site`] is made of racks of nodes, each with a state of its own; its enclosures' controllers are machines
//!   too, and show what their nodes add up to.
//! - A machine moves along virtual time only when somebody looks at it. What it shows at a second follows from the
//!   seed and from what was done to it, so that a run can be repeated.
//! - [`telltale`] sensors have values that say whose they are and when, for proving that no reading gets mixed up.
//! - [`bmcs::Bmcs`] is the protocol half of all controllers: datagrams in, replies out, no socket. Simulations put
//!   [`net::Network`] around it, [`serve::Server`] a socket.
//! - [`fault::Faults`] spoil a BMC's network ([`held`] lets datagrams overtake each other); `ipmi::quirk` names what can be wrong with its answers, and `defect` does it.
//!
//! **Invariant:** only `serve.rs` knows a socket, a clock or a thread.

#![forbid(unsafe_code)]

pub mod bmcs;
pub mod controller;
pub mod curve;
mod defect;
mod describe;
pub mod fault;
pub mod fru;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod handler;
pub mod hardware;
pub mod held;
pub mod host;
pub mod log;
pub mod machine;
pub mod net;
pub mod physics;
pub mod profile;
pub mod rack;
pub mod scale;
pub mod sdr;
pub mod sensor;
pub mod serial;
pub mod serve;
pub mod site;
pub mod telltale;
