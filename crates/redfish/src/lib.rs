//! The Redfish service: DSP0266 over HTTP, without any knowledge of hardware.
//!
//! ```text
//!   socket ─► server ─► Service::handle ─┬─► its own resources (root, sessions, accounts, roles)
//!             TLS, HTTP  who may?        ├─► trait Backend: everything else
//!             limits     what fits?      └─► static files (a dashboard)
//! ```
//!
//! One request runs top to bottom through [`Service::handle`]: authenticate, route, authorise, check, ask
//! the [`Backend`], respond. It needs no socket, so tests call it directly.
//!
//! **Invariant:** this crate knows no machine, sensor or IPMI. What a resource *may* hold comes from
//! `redfish-schema`; what it *does* hold comes from the backend. Whatever fails is turned into a status code
//! in `error.rs` and nowhere else.

#![forbid(unsafe_code)]

mod backend;
mod document;
mod failure;
pub mod message;
mod path;

pub use backend::{ActionCall, Backend, BackendFuture, Outcome, RootLink};
pub use document::Document;
pub use failure::Failure;
pub use message::{Message, Severity};
pub use path::{MAX_DEPTH, MAX_LENGTH, Path, PathError, ROOT, Segments};
