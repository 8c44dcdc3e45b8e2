//! The request in flight.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroize;

use super::bridge::Bridge;
use crate::number::NetFn;

/// Where a raw request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestTarget {
    /// Network function (even).
    pub netfn: NetFn,
    /// Command number.
    pub cmd: u8,
    /// Logical unit of the BMC, 0-3.
    pub lun: u8,
}

/// Get Device ID, the question of a keep-alive (§20.1).
pub(super) const KEEPALIVE: RequestTarget = RequestTarget {
    netfn: NetFn::APP,
    cmd: 0x01,
    lun: 0,
};

/// The request in flight, or the last one. Its data may be a new password: never printed, zeroized.
pub(super) struct Request {
    pub(super) origin: Origin,
    pub(super) target: RequestTarget,
    /// The way to the target, where that is not the BMC.
    pub(super) bridge: Option<Bridge>,
    pub(super) idempotent: bool,
    pub(super) rq_seq: u8,
    pub(super) data: Vec<u8>,
}

impl Request {
    /// No request.
    pub(super) const NONE: Self = Self {
        origin: Origin::Nobody,
        target: KEEPALIVE,
        bridge: None,
        idempotent: true,
        rq_seq: 0,
        data: Vec::new(),
    };

    /// Takes the place of the request before.
    pub(super) fn set(
        &mut self,
        origin: Origin,
        target: RequestTarget,
        data: &[u8],
        idempotent: bool,
        rq_seq: u8,
    ) {
        // Only what changes something carries secrets, such as a new password.
        if !self.idempotent {
            self.data.zeroize();
        }
        self.data.clear();
        self.data.extend_from_slice(data);
        (self.origin, self.target, self.bridge) = (origin, target, None);
        (self.idempotent, self.rq_seq) = (idempotent, rq_seq);
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("origin", &self.origin)
            .field("target", &self.target)
            .field("rq_seq", &self.rq_seq)
            .finish_non_exhaustive()
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.data.zeroize();
    }
}

/// Who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// No request is in flight.
    Nobody,
    /// The driver.
    Driver,
    /// The session itself: log-in, keep-alive, log-out.
    Session,
}
