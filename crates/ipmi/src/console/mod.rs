//! The managing side: logs in to a BMC and runs one request after the other.
//!
//! A [`Session`] is a state machine without clock and socket. Its driver tells it what arrived and what time it is,
//! and after every call asks for datagrams to send until there is none.
//!
//! ```text
//! connect ─► Get Channel Authentication Capabilities ─► Get Channel Cipher Suites ─► Open Session ─► RAKP 1, 2
//!        ─► RAKP 3, 4 ─► Set Session Privilege Level ─► Established ─► request … response ─► Close Session
//! ```
//!
//! By IPMI 1.5, where the [`Login`] says so, Get Session Challenge and Activate Session stand in the place of the suites,
//! Open Session and RAKP.
//!
//! - [`Login`]: credentials and acceptable suites. [`Policy`]: when to repeat, when to give up.
//! - [`Bridge`]: the way to a controller behind the BMC.
//! - [`addressee`]: which session a datagram is for, where one socket serves many.

mod addressee;
mod bridge;
mod event;
mod handshake;
mod login;
mod request;
mod retry;
mod session;

pub use addressee::{Addressee, addressee};
pub use bridge::{Bridge, Hop, HopError};
pub use event::{
    CommandError, Event, Ignored, LoginFailure, RequestRefused, Response, SessionLost, TimedOut,
};
pub use login::{DEFAULT_SUITES, Login, LoginError};
pub use request::RequestTarget;
pub use retry::Policy;
pub use session::{Session, State};
