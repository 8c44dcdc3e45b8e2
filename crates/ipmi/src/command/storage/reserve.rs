//! Reserve SDR Repository, Reserve Device SDR Repository and Reserve SEL (§33.11, §35.4, §31.4).

use crate::command::{Command, Message};
use crate::number::NetFn;
use crate::record::ReservationId;
use crate::wire::{Reader, WireError, Writer};

/// Reserves the SDR repository for partial reads and for changes (§33.11).
///
/// A repeat cancels the reservation before it, which is what a console that lost the answer wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReserveSdrRepository;

/// Reserves the device SDRs of the addressed LUN of a sensor device (§35.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReserveDeviceSdrRepository;

/// Reserves the SEL for partial reads, deletes and Clear SEL (§31.4). Completion code 81h: erase in progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReserveSel;

macro_rules! reserve {
    ($command:ident, $netfn:expr, $cmd:expr, $name:expr) => {
        impl Command for $command {
            const NETFN: NetFn = $netfn;
            const CMD: u8 = $cmd;
            const NAME: &'static str = $name;
            const IDEMPOTENT: bool = true;
            type Response = ReservationId;

            fn encode(&self, _: &mut Writer<'_>) {}

            fn decode(_: &mut Reader<'_>) -> Result<Self, WireError> {
                Ok(Self)
            }
        }
    };
}
reserve!(
    ReserveSdrRepository,
    NetFn::STORAGE,
    0x22,
    "Reserve SDR Repository"
);
reserve!(
    ReserveDeviceSdrRepository,
    NetFn::SENSOR_EVENT,
    0x22,
    "Reserve Device SDR Repository"
);
reserve!(ReserveSel, NetFn::STORAGE, 0x42, "Reserve SEL");

impl Message for ReservationId {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u16(self.0);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        r.u16("reservation ID").map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn a_reservation_is_two_bytes() {
        check::request(&ReserveSdrRepository, &[], 0);
        check::request(&ReserveDeviceSdrRepository, &[], 0);
        check::request(&ReserveSel, &[], 0);
        check::response(&ReservationId(0x1234), &[0x34, 0x12], 2);
    }
}
