//! Get SEL Entry, Add SEL Entry and Delete SEL Entry (§31.5, §31.6, §31.8).

use crate::command::{Bytes, Command, Message};
use crate::number::NetFn;
use crate::record::{RecordId, ReservationId};
use crate::wire::{Reader, WireError, Writer};

/// Length of every SEL record (§32.1).
pub const SEL_RECORD_LEN: usize = 16;

/// Asks for an entry of the SEL (§31.5). Completion code 81h: erase in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetSelEntry {
    /// Reservation; needed where `offset` is not 0.
    pub reservation: ReservationId,
    /// Which entry.
    pub record: RecordId,
    /// Where to start in the record, in bytes.
    pub offset: u8,
    /// How many bytes; FFh for all of the record.
    pub count: u8,
}

impl GetSelEntry {
    /// A whole entry.
    #[must_use]
    pub const fn whole(record: RecordId) -> Self {
        Self {
            reservation: ReservationId::NONE,
            record,
            offset: 0,
            count: 0xff,
        }
    }
}

/// The answer to [`GetSelEntry`] (§31.5, table 31-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelEntryData {
    /// Entry that comes next; [`RecordId::LAST`] where none does.
    pub next: RecordId,
    /// The bytes that were asked for. Bytes that a BMC sends after 16 are dropped.
    pub data: Bytes<SEL_RECORD_LEN>,
}

/// Adds an entry to the SEL (§31.6). Not repeatable: a repeat adds a second entry.
///
/// Completion code 80h: not supported for this record type; 81h: erase in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddSelEntry {
    /// The record; the BMC sets its record ID, and its timestamp where its type has one.
    pub record: [u8; SEL_RECORD_LEN],
}

/// The answer to [`AddSelEntry`] and [`DeleteSelEntry`]: the ID of the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelEntryId {
    /// The entry.
    pub record: RecordId,
}

/// Deletes an entry of the SEL (§31.8).
///
/// Not repeatable: [`RecordId::LAST`] would delete another entry the second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeleteSelEntry {
    /// Reservation.
    pub reservation: ReservationId,
    /// Which entry.
    pub record: RecordId,
}

impl Command for GetSelEntry {
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x43;
    const NAME: &'static str = "Get SEL Entry";
    const IDEMPOTENT: bool = true;
    type Response = SelEntryData;

    fn encode(&self, w: &mut Writer<'_>) {
        w.u16(self.reservation.0);
        w.u16(self.record.0);
        w.bytes(&[self.offset, self.count]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            reservation: ReservationId(r.u16("reservation ID")?),
            record: RecordId(r.u16("SEL record ID")?),
            offset: r.u8("offset into record")?,
            count: r.u8("bytes to read")?,
        })
    }
}

impl Command for AddSelEntry {
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x44;
    const NAME: &'static str = "Add SEL Entry";
    const IDEMPOTENT: bool = false;
    type Response = SelEntryId;

    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&self.record);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            record: r.array("record data")?,
        })
    }
}

impl Command for DeleteSelEntry {
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x46;
    const NAME: &'static str = "Delete SEL Entry";
    const IDEMPOTENT: bool = false;
    type Response = SelEntryId;

    fn encode(&self, w: &mut Writer<'_>) {
        w.u16(self.reservation.0);
        w.u16(self.record.0);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            reservation: ReservationId(r.u16("reservation ID")?),
            record: RecordId(r.u16("SEL record ID")?),
        })
    }
}

impl Message for SelEntryData {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u16(self.next.0);
        self.data.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let next = RecordId(r.u16("next SEL record ID")?);
        let data = r.take("record data", r.remaining().min(SEL_RECORD_LEN))?;
        Ok(Self {
            next,
            data: Bytes::new(data).unwrap_or_default(),
        })
    }
}

impl Message for SelEntryId {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u16(self.record.0);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            record: RecordId(r.u16("record ID")?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn an_entry_is_asked_for_by_its_record_id() {
        check::request(
            &GetSelEntry::whole(RecordId::LAST),
            &[0, 0, 0xff, 0xff, 0, 0xff],
            6,
        );
        let record: [u8; 16] = core::array::from_fn(|i| i.to_le_bytes()[0]);
        let mut bytes = [0; 18];
        bytes[..2].copy_from_slice(&[0x05, 0x00]);
        bytes[2..].copy_from_slice(&record);
        let entry = SelEntryData {
            next: RecordId(5),
            data: Bytes::from(record),
        };
        check::response(&entry, &bytes, 2);
    }

    #[test]
    fn bytes_after_the_sixteen_of_a_record_are_dropped() {
        let decoded = SelEntryData::decode(&mut Reader::new(&[7; 25]));
        assert_eq!(decoded.map(|entry| entry.data.len()), Ok(16));
    }

    #[test]
    fn adding_and_deleting_name_the_entry_in_the_answer() {
        check::request(&AddSelEntry { record: [3; 16] }, &[3; 16], 16);
        let delete = DeleteSelEntry {
            reservation: ReservationId(0x0201),
            record: RecordId(0x0403),
        };
        check::request(&delete, &[1, 2, 3, 4], 4);
        check::response(
            &SelEntryId {
                record: RecordId(0x0403),
            },
            &[3, 4],
            2,
        );
    }
}
