//! Bytes ⇄ values. Decoders read borrowed bytes and never panic; encoders write into the caller's buffer.

mod reader;
mod writer;

pub use reader::Reader;
pub use writer::{BufferFull, Writer};

use core::fmt;

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
