//! Bytes ⇄ values. Decoders read borrowed bytes and never panic; encoders write into the caller's buffer.

pub mod asf;
pub mod message;
pub mod rakp;
mod reader;
pub mod rmcp;
pub mod session;
pub mod sol;
mod writer;

pub use reader::Reader;
pub use writer::{BufferFull, Writer};

use core::fmt;

/// Longest datagram that either end sends, in bytes; a receiver's buffer has at least this room.
///
/// The largest message of the specification fits several times; it stays under every Ethernet MTU.
pub const DATAGRAM_MAX: usize = 1024;

/// The bytes don't parse: which field, at which offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireError {
    /// The field that was being read.
    pub field: &'static str,
    /// Offset of that field from the start of what was being decoded, in bytes.
    pub at: usize,
    /// What is wrong with it.
    pub fault: WireFault,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireFault {
    /// The bytes end before the field does.
    Truncated,
    /// The field holds a value that its section of the specification does not allow.
    Invalid,
    /// A checksum does not match.
    Checksum,
    /// Bytes follow where the value should end.
    TrailingBytes,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = match self.fault {
            WireFault::Truncated => "the bytes end before",
            WireFault::Invalid => "invalid value in",
            WireFault::Checksum => "checksum mismatch in",
            WireFault::TrailingBytes => "unexpected bytes after",
        };
        write!(f, "{fault} {} at byte {}", self.field, self.at)
    }
}

impl core::error::Error for WireError {}
