//! The managed side: answers consoles.
//!
//! A [`Bmc`] keeps the session table and answers everything that concerns sessions itself; the device behind it is a
//! [`Handler`]. Like the console's half it has no clock and no socket: each call takes a datagram and writes at
//! most one answer.
//!
//! ```text
//! datagram ─► presence ping ─────────────────────────────► pong
//!          ├► message outside a session ─► session commands ► answer
//!          ├► Open Session, RAKP 1, RAKP 3 ─► session table ► response, RAKP 2, RAKP 4
//!          └► packet of a session ─► checks ─► privilege ─► session commands or Handler ► answer, sealed
//! ```
//!
//! Sessions of IPMI 1.5 are opened only where [`Config::v15`] says how.
//!
//! - [`Config`]: users, cipher suites, limits. [`serve`]: typed commands for a handler.
//! - [`minimum_privilege`]: who may do what, in one table.

mod commands;
mod config;
mod defect;
mod device;
mod guard;
mod handler;
mod privilege;
mod repeat;
mod session;
mod setup;
mod sol;
mod v15;

pub use config::{Config, Lockout, USERS_MAX, User, UserError, V15};
pub use device::Bmc;
pub use handler::{Handler, Request, SerialPort, serve};
pub use privilege::minimum_privilege;
pub use repeat::{REPEATED_WITHIN, REPLY_KEPT_MS};
pub use session::{Peer, SETUP_GRACE_MS, SETUP_SHARE};
