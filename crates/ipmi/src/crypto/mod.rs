//! Cryptography of sessions: cipher suites, the key exchange, and the protection of a session's packets.
//!
//! Digests and ciphers come from RustCrypto; the constructions that IPMI builds from them are here.
//! Whatever a session needs for every packet (HMAC states, the AES key schedule) is prepared once, when its keys
//! are known.
//!
//! - [`suite`]: which three algorithms a cipher suite ID stands for, and which of them we have.
//! - [`exchange`]: what RAKP messages 2-4 prove, and the session integrity key.
//! - [`channel`]: sealing and opening packets of an active session; [`v15`]: the same for IPMI 1.5.

mod aes_cbc;
pub mod channel;
pub mod exchange;
pub(crate) mod hmac;
mod integrity;
mod session_channel;
pub mod suite;
pub mod v15;
pub(crate) mod ways;
mod xrc4;

pub use channel::{Channel, OpenError, Opened};
pub use exchange::{Code, Exchange, SessionKey, UserKey};
pub(crate) use session_channel::SessionChannel;
pub use suite::{Algorithms, SuiteSet};
pub use v15::{V15Channel, V15Key};
