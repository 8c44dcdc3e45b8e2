//! The request in flight.

use alloc::boxed::Box;
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
    pub(super) data: Data,
}

/// The longest data that lies in the session itself: that of nearly all commands, Set User Password's included.
const SHORT_MAX: usize = 22;

/// The data of a request. Short ones lie in the session, so that a packet touches no further cache lines.
pub(super) enum Data {
    /// This many of these bytes.
    Short(u8, [u8; SHORT_MAX]),
    /// All of these bytes.
    Long(Box<[u8]>),
}

impl Data {
    const NONE: Self = Self::Short(0, [0; SHORT_MAX]);

    fn of(data: &[u8]) -> Self {
        let mut bytes = [0; SHORT_MAX];
        match (bytes.get_mut(..data.len()), u8::try_from(data.len())) {
            (Some(start), Ok(len)) => {
                start.copy_from_slice(data);
                Self::Short(len, bytes)
            }
            _ => Self::Long(data.into()),
        }
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Short(len, bytes) => bytes.get(..usize::from(*len)).unwrap_or(bytes),
            Self::Long(bytes) => bytes,
        }
    }
}

impl Zeroize for Data {
    /// Leaves no data.
    fn zeroize(&mut self) {
        match self {
            Self::Short(_, bytes) => bytes.zeroize(),
            Self::Long(bytes) => bytes.zeroize(),
        }
        *self = Self::NONE;
    }
}

impl Request {
    /// No request.
    pub(super) const NONE: Self = Self {
        origin: Origin::Nobody,
        target: KEEPALIVE,
        bridge: None,
        idempotent: true,
        rq_seq: 0,
        data: Data::NONE,
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
        self.data = Data::of(data);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_of_every_length_is_kept_as_it_is_and_gone_when_zeroized() {
        let bytes: std::vec::Vec<u8> = (1..=255).collect();
        for len in 0..=bytes.len() {
            let mut data = Data::of(&bytes[..len]);
            assert_eq!(data.as_slice(), &bytes[..len]);
            assert_eq!(matches!(data, Data::Short(..)), len <= SHORT_MAX);
            data.zeroize();
            assert!(data.as_slice().is_empty());
        }
    }

    #[test]
    fn short_data_takes_no_more_room_than_a_pointer_to_long_ones_with_its_bounds() {
        assert_eq!(size_of::<Data>(), 24);
    }
}
