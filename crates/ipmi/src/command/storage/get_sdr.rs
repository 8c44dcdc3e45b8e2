//! Get SDR and Get Device SDR (§33.12, §35.3).

use crate::command::{Bytes, Command, Message};
use crate::number::NetFn;
use crate::record::{RecordId, ReservationId};
use crate::wire::{Reader, WireError, Writer};

/// The longest record: a header of 5 bytes and 255 more.
pub const SDR_MAX: usize = 260;

/// Asks for a part of a record of the SDR repository (§33.12).
///
/// Completion code C5h: the reservation was cancelled. C8h or CAh: ask for fewer bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetSdr(pub SdrPart);

/// Asks for a part of a device SDR of the addressed LUN of a sensor device (§35.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetDeviceSdr(pub SdrPart);

/// Which part of which record (§33.12, table 33-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SdrPart {
    /// Reservation; needed where `offset` is not 0.
    pub reservation: ReservationId,
    /// Which record.
    pub record: RecordId,
    /// Where to start in the record, in bytes.
    pub offset: u8,
    /// How many bytes; FFh for all of the record.
    pub count: u8,
}

impl SdrPart {
    /// As a count: all of the record.
    pub const ALL: u8 = 0xff;

    /// A whole record in one answer.
    #[must_use]
    pub const fn whole(record: RecordId) -> Self {
        Self {
            reservation: ReservationId::NONE,
            record,
            offset: 0,
            count: Self::ALL,
        }
    }
}

/// The answer to [`GetSdr`] and [`GetDeviceSdr`] (§33.12, table 33-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SdrData {
    /// Record that comes next; [`RecordId::LAST`] where none does.
    pub next: RecordId,
    /// The bytes that were asked for.
    pub data: Bytes<SDR_MAX>,
}

impl SdrPart {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u16(self.reservation.0);
        w.u16(self.record.0);
        w.bytes(&[self.offset, self.count]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            reservation: ReservationId(r.u16("reservation ID")?),
            record: RecordId(r.u16("record ID")?),
            offset: r.u8("offset into record")?,
            count: r.u8("bytes to read")?,
        })
    }
}

impl Command for GetSdr {
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x23;
    const NAME: &'static str = "Get SDR";
    const IDEMPOTENT: bool = true;
    type Response = SdrData;

    fn encode(&self, w: &mut Writer<'_>) {
        self.0.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        SdrPart::decode(r).map(Self)
    }
}

impl Command for GetDeviceSdr {
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x21;
    const NAME: &'static str = "Get Device SDR";
    const IDEMPOTENT: bool = true;
    type Response = SdrData;

    fn encode(&self, w: &mut Writer<'_>) {
        self.0.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        SdrPart::decode(r).map(Self)
    }
}

impl Message for SdrData {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u16(self.next.0);
        self.data.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            next: RecordId(r.u16("next record ID")?),
            data: Bytes::decode(r, "record data")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn a_part_of_a_record_needs_a_reservation() {
        let part = SdrPart {
            reservation: ReservationId(0x0102),
            record: RecordId(0x0304),
            offset: 5,
            count: 16,
        };
        check::request(&GetSdr(part), &[2, 1, 4, 3, 5, 16], 6);
        check::request(&GetDeviceSdr(part), &[2, 1, 4, 3, 5, 16], 6);
        check::request(
            &GetSdr(SdrPart::whole(RecordId::FIRST)),
            &[0, 0, 0, 0, 0, 0xff],
            6,
        );
    }

    #[test]
    fn the_answer_says_which_record_comes_next() {
        let data = SdrData {
            next: RecordId::LAST,
            data: Bytes::from([9, 8, 7]),
        };
        check::response(&data, &[0xff, 0xff, 9, 8, 7], 2);
    }
}
