//! Reading what takes many requests: sensor data records, the event log, inventories.
//!
//! A [`Walk`] says what to send, takes the answer, and hands out what it finds; all that BMCs do in their own way is dealt
//! with here, once, for everybody who reads: reservations that are lost, reads that are too long for a BMC, records that are
//! shorter than they say, lists that lead back or nowhere, repositories and logs that change meanwhile. The caller sends
//! and waits, and ends where no answer comes. Whether and when a request is sent again is not the walk's business
//! ([`crate::console::Policy`]).
//!
//! ```text
//!   caller ── next() ─────────► walk ──► Step::Send(request)      to the BMC ...
//!          ── answer(code, data) ►                                ... and back
//!          ── next() ─────────►      ──► Step::Found(Found::Record)   look at it before going on
//!                                        Step::Found(Found::Restart)  what was found so far is void
//!                                        Step::Found(Found::End)
//! ```
//!
//! Each walk ends after a bounded number of requests, whatever is answered.

mod fru;
mod sdr;
mod seen;
mod sel;
#[cfg(test)]
mod tests;

use core::fmt;
use core::time::Duration;

use crate::command::{Bytes, Command, Message};
use crate::number::{CompletionCode, NetFn};
use crate::quirk::Quirks;
use crate::wire::{Reader, WireError, Writer};

pub use fru::{FruChunk, FruExtent, FruWalk, NAMEPLATE_LEN_MAX};
pub use sdr::{READINGS_MAX, RECORDS_MAX, RESERVATIONS_MAX, SdrSource, SdrStamp, SdrWalk};
pub use sel::{ENTRIES_MAX, SelWalk};

/// The longest request of a walk, in data bytes: Get SDR and Get SEL Entry.
const REQUEST_LEN_MAX: usize = 6;

/// A reading of many requests, of one BMC.
pub trait Walk {
    /// What is to be done now; the same again where it was to send something and no answer was given.
    ///
    /// # Errors
    /// The walk can't go on.
    fn next(&mut self) -> Result<Step, Fault>;

    /// The answer to the last request: its completion code, and the data bytes behind it. Without one asked for, nothing.
    fn answer(&mut self, completion: CompletionCode, data: &[u8]);

    /// Which deviations have shown so far.
    fn noticed(&self) -> Quirks;
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this, and come back with the answer.
    Send(Request),
    /// Come back after this time.
    Wait(Duration),
    /// See what was found.
    Found(Found),
}

/// What a walk has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A record. The walk lends it until it goes on.
    Record,
    /// What was read changed meanwhile: reading begins anew, and the records so far are not what the BMC has.
    Restart,
    /// The end.
    End,
}

/// A request to LUN 0 of the BMC. All requests of walks read only, so that each may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Network function.
    pub netfn: NetFn,
    /// Command number.
    pub cmd: u8,
    /// The command's name in the specification.
    pub name: &'static str,
    data: Bytes<REQUEST_LEN_MAX>,
}

impl Request {
    fn of<C: Command>(command: &C) -> Self {
        const { assert!(C::IDEMPOTENT, "a walk only reads") };
        let mut buffer = [0; REQUEST_LEN_MAX];
        let mut w = Writer::new(&mut buffer);
        command.encode(&mut w);
        Self {
            netfn: C::NETFN,
            cmd: C::CMD,
            name: C::NAME,
            data: Bytes::new(w.written()).unwrap_or_default(),
        }
    }

    /// Its data bytes.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }
}

/// Why a walk can't go on: what the BMC said to which request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Network function of the request.
    pub netfn: NetFn,
    /// Command number of the request.
    pub cmd: u8,
    /// Its name in the specification.
    pub name: &'static str,
    /// What was wrong.
    pub reason: Reason,
}

/// What was wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It was an error.
    Refused(CompletionCode),
    /// Its data doesn't parse.
    Garbled(WireError),
}

impl Fault {
    const fn of<C: Command>(reason: Reason) -> Self {
        Self {
            netfn: C::NETFN,
            cmd: C::CMD,
            name: C::NAME,
            reason,
        }
    }

    /// The completion code, where the BMC gave one.
    #[must_use]
    pub const fn completion(&self) -> Option<CompletionCode> {
        match self.reason {
            Reason::Refused(code) => Some(code),
            Reason::Garbled(_) => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            Reason::Refused(code) => write!(f, "{}: {code} ({:02X}h)", self.name, code.0),
            Reason::Garbled(error) => write!(f, "{}: {error}", self.name),
        }
    }
}

impl core::error::Error for Fault {}

/// Reads an answer as that of a command.
fn read<C: Command>(completion: CompletionCode, data: &[u8]) -> Result<C::Response, Fault> {
    if completion != CompletionCode::OK {
        return Err(Fault::of::<C>(Reason::Refused(completion)));
    }
    C::Response::decode(&mut Reader::new(data))
        .map_err(|error| Fault::of::<C>(Reason::Garbled(error)))
}

/// Whether a BMC that refuses a read by this may answer one of fewer bytes: BMCs say so in several ways (§33.12 and
/// §34.2 have C8h and CAh).
#[must_use]
pub const fn asks_for_less(completion: CompletionCode) -> bool {
    matches!(
        completion,
        CompletionCode::CANNOT_RETURN_BYTES
            | CompletionCode::REQUEST_FIELD_LENGTH_EXCEEDED
            | CompletionCode::REQUEST_LENGTH_INVALID
            | CompletionCode::PARAMETER_OUT_OF_RANGE
            | CompletionCode::INVALID_DATA_FIELD
            | CompletionCode::NO_RESPONSE
            | CompletionCode::UNSPECIFIED
    )
}

/// How many bytes are asked for at once: one of a fixed number of sizes, each smaller than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Chunk {
    sizes: &'static [u8],
    at: usize,
}

impl Chunk {
    /// The largest of these, of which there is at least one.
    const fn largest(sizes: &'static [u8]) -> Self {
        Self { sizes, at: 0 }
    }

    fn size(self) -> u8 {
        self.sizes.get(self.at).copied().unwrap_or(1)
    }

    /// The next one that is smaller than what was asked for in vain.
    fn smaller_than(self, asked: u8) -> Option<Self> {
        (self.at + 1..self.sizes.len())
            .map(|at| Self { at, ..self })
            .find(|chunk| chunk.size() < asked)
    }
}
