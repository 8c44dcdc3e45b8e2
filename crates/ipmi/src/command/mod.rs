//! Commands: one file each, request and response, both directions.
//!
//! A command is a plain struct whose fields are the request; [`Command::Response`] is the plain struct of the answer's
//! data after the completion code. Each knows how to write itself and how to read itself, so that the console and
//! the BMC use the same code.

pub mod app;
mod bytes;
pub mod chassis;
#[cfg(test)]
pub(crate) mod check;
pub mod dcmi;
pub mod event;
pub(crate) mod layout;
pub mod oem;
pub mod picmg;
mod secret;
pub mod sensor;
pub mod storage;
pub mod table;
pub mod transport;
pub mod vita;

pub use bytes::Bytes;
pub use layout::U24;
pub use secret::Secret;

use crate::number::NetFn;
use crate::wire::{Reader, WireError, Writer};

/// One command of one network function.
pub trait Command: Sized {
    /// Network function of the request.
    const NETFN: NetFn;
    /// Command number.
    const CMD: u8;
    /// The first bytes of each request and answer: the group's, of a group extension. Empty for all others.
    const PREFIX: &'static [u8] = &[];
    /// Name as in the specification's section title.
    const NAME: &'static str;
    /// Whether doing it twice equals doing it once, so that a console may repeat it when the answer is lost
    /// without looking first. Where that depends on the values, see [`is_idempotent`](Self::is_idempotent).
    const IDEMPOTENT: bool;
    /// The answer.
    type Response: Message;

    /// Writes the request's data bytes.
    fn encode(&self, w: &mut Writer<'_>);

    /// Whether doing this very request twice equals doing it once.
    fn is_idempotent(&self) -> bool {
        Self::IDEMPOTENT
    }

    /// Reads the request's data bytes.
    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError>;
}

/// The data bytes of an answer, after its completion code.
pub trait Message: Sized {
    /// Writes them.
    fn encode(&self, w: &mut Writer<'_>);

    /// Reads them. Bytes that follow what the specification defines are ignored: newer BMCs append.
    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError>;
}

/// An answer without data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Empty;

impl Message for Empty {
    fn encode(&self, _: &mut Writer<'_>) {}

    fn decode(_: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self)
    }
}
