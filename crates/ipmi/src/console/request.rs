//! The request in flight.

use alloc::boxed::Box;
use core::fmt;

use zeroize::{Zeroize, Zeroizing};

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
///
/// Any of them may be a secret: long ones are zeroized wherever they are dropped, short ones as they are taken the place of.
pub(super) enum Data {
    /// This many of these bytes; zeros follow.
    Short(u8, [u8; SHORT_MAX]),
    /// All of these bytes.
    Long(Zeroizing<Box<[u8]>>),
}

impl Data {
    const NONE: Self = Self::Short(0, [0; SHORT_MAX]);

    /// Takes the place of the data before, of which nothing stays.
    fn set(&mut self, data: &[u8]) {
        if data.len() > SHORT_MAX {
            self.zeroize();
            *self = Self::Long(Zeroizing::new(data.into()));
            return;
        }
        if matches!(self, Self::Long(_)) {
            *self = Self::NONE;
        }
        // In place and over all bytes: nothing is left on the stack, and nothing of longer data before.
        if let Self::Short(len, bytes) = self {
            *bytes = [0; SHORT_MAX];
            bytes[..data.len()].copy_from_slice(data);
            *len = data.len() as u8;
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
            // Dropped below.
            Self::Long(_) => {}
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
        self.data.set(data);
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
            let mut data = Data::NONE;
            data.set(&bytes[..len]);
            assert_eq!(data.as_slice(), &bytes[..len]);
            assert_eq!(matches!(data, Data::Short(..)), len <= SHORT_MAX);
            data.zeroize();
            assert!(data.as_slice().is_empty());
        }
    }

    #[test]
    fn nothing_stays_of_data_before_whatever_its_length_and_that_of_the_next() {
        fn is_zeroized_where_dropped<T: zeroize::ZeroizeOnDrop>(_: &T) {}
        for before in [SHORT_MAX, SHORT_MAX + 1, 255] {
            let mut request = Request::NONE;
            // Idempotent, as setting a password is.
            request.set(Origin::Driver, KEEPALIVE, &[0xa5; 255][..before], true, 1);
            if let Data::Long(bytes) = &request.data {
                is_zeroized_where_dropped(bytes);
            }
            request.set(Origin::Driver, KEEPALIVE, &[1, 2], true, 2);
            let Data::Short(2, bytes) = &request.data else {
                panic!("two bytes are short");
            };
            assert_eq!((bytes[..2] == [1, 2], bytes[2..] == [0; 20]), (true, true));
        }
    }

    #[test]
    fn short_data_takes_no_more_room_than_a_pointer_to_long_ones_with_its_bounds() {
        assert_eq!(size_of::<Data>(), 24);
    }
}
