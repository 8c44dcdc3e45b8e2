//! Batched UDP towards very many peers: one system call receives or sends up to [`BATCH_LEN`] datagrams.
//!
//! ```text
//!   Socket::recv ─► ReceiveBatch ─► datagrams_mut(): peer, local address asked, bytes to work on in place
//!   Socket::send ◄─ SendBatch    ◄─ push(peer, local address to answer from, |buffer| length)
//!   Socket::wait    sleeps until a datagram, room to send, a Waker or a timeout
//!   prefetch        what the peers of a batch need, fetched before it is worked on
//!   RandomBytes     what protocols over them take as an argument: the system's randomness
//! ```
//!
//! With [`Options::pktinfo`] one wildcard socket tells for each datagram which of the host's addresses it was sent to
//! and answers from there (`IP_PKTINFO`): a thousand virtual BMCs share a socket, each with an address of its own.
//!
//! Sockets never block but in [`Socket::wait`]. Linux only.
//!
//! **Invariant:** this crate knows no protocol. It is the only crate with `unsafe` code, all of it in `sys.rs` and `prefetch.rs`.

mod batch;
mod prefetch;
mod random;
mod socket;
mod sys;
mod waker;

pub use batch::{BATCH_LEN, DATAGRAM_LEN_MAX, Datagram, Datagrams, Full, ReceiveBatch, SendBatch};
pub use prefetch::prefetch;
pub use random::RandomBytes;
pub use socket::{Options, Readiness, Sent, Socket};
pub use waker::Waker;
