//! Changing the SDR repository: Add SDR, Partial Add SDR, Delete SDR, Clear SDR Repository, Set SDR Repository Time,
//! update mode, initialization agent (§33.13 to §33.21); and Partial Add SEL Entry (§31.7).

use crate::command::layout::{message, request};
use crate::command::{Bytes, Empty};
use crate::number::{EraseAction, EraseProgress, InitializationRequest, UploadProgress};
use crate::record::{RecordId, ReservationId, Timestamp};

/// Room for a record, or part of one, in a request.
pub const SDR_PART_MAX: usize = 255;

/// The letters that guard an erasure (§33.16).
pub const CLEAR_GUARD: [u8; 3] = *b"CLR";

request! {
    /// Adds a whole record (§33.13).
    pub struct AddSdr: STORAGE 0x24 "Add SDR", once => SdrRecordId {
        /// The record; its number is given by the BMC.
        pub record: Bytes<SDR_PART_MAX>,
    }

    /// Adds a record in parts (§33.14). Completion code 80h: the record's length doesn't fit what was written.
    pub struct PartialAddSdr: STORAGE 0x25 "Partial Add SDR", once => SdrRecordId {
        /// Reservation; needed from the second part on.
        pub reservation: ReservationId,
        /// 0 with the first part, then the number that the first answer gave.
        pub record: RecordId,
        /// Where in the record the part goes.
        pub offset: u8,
        u8 {
            /// Whether more parts follow.
            pub progress: UploadProgress [3:0],
        }
        /// The part.
        pub data: Bytes<SDR_PART_MAX>,
    }

    /// Erases one record (§33.15).
    pub struct DeleteSdr: STORAGE 0x26 "Delete SDR", once => SdrRecordId {
        /// Reservation.
        pub reservation: ReservationId,
        /// Which record.
        pub record: RecordId,
    }

    /// Erases all records, or tells how far that is (§33.16).
    pub struct ClearSdrRepository: STORAGE 0x27 "Clear SDR Repository", repeatable => SdrErasure {
        /// Reservation.
        pub reservation: ReservationId,
        /// [`CLEAR_GUARD`].
        pub guard: [u8; 3],
        /// What to do.
        pub action: EraseAction,
    }

    /// Sets the repository's clock (§33.18).
    pub struct SetSdrRepositoryTime: STORAGE 0x29 "Set SDR Repository Time", repeatable => Empty {
        /// Time.
        pub time: Timestamp,
    }

    /// Has the repository take changes only (§33.19).
    pub struct EnterSdrUpdateMode: STORAGE 0x2a "Enter SDR Repository Update Mode", repeatable => Empty {}

    /// Ends that (§33.20).
    pub struct ExitSdrUpdateMode: STORAGE 0x2b "Exit SDR Repository Update Mode", repeatable => Empty {}

    /// Has the BMC initialize the sensors from the records again, or tells whether it is done (§33.21).
    pub struct RunInitializationAgent: STORAGE 0x2c "Run Initialization Agent", repeatable => InitializationAgent {
        u8 {
            /// Run it, or only tell.
            pub request: InitializationRequest [0],
        }
    }

    /// Adds a log entry in parts (§31.7). Completion code 80h: the record's length doesn't fit what was written.
    pub struct PartialAddSelEntry: STORAGE 0x45 "Partial Add SEL Entry", once => SdrRecordId {
        /// Reservation; needed from the second part on.
        pub reservation: ReservationId,
        /// 0 with the first part, then the number that the first answer gave.
        pub record: RecordId,
        /// Where in the entry the part goes.
        pub offset: u8,
        u8 {
            /// Whether more parts follow.
            pub progress: UploadProgress [3:0],
        }
        /// The part.
        pub data: Bytes<16>,
    }
}

message! {
    /// The answer to commands that change one record: its number.
    pub struct SdrRecordId {
        /// Number.
        pub record: RecordId,
    }

    /// The answer to [`ClearSdrRepository`] (§33.16).
    pub struct SdrErasure {
        u8 {
            /// How far it is.
            pub progress: EraseProgress [3:0],
        }
    }

    /// The answer to [`RunInitializationAgent`] (§33.21).
    pub struct InitializationAgent {
        u8 {
            /// It has run.
            pub done: bool [0],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn a_record_is_added_whole_or_in_parts() {
        let record = Bytes::from([0, 0, 0x51, 0xc0, 3, 1, 2, 3]);
        check::request(&AddSdr { record }, &[0, 0, 0x51, 0xc0, 3, 1, 2, 3], 0);
        let part = PartialAddSdr {
            reservation: ReservationId(0x0102),
            record: RecordId(0x0304),
            offset: 5,
            progress: UploadProgress(1),
            data: Bytes::from([9]),
        };
        check::request(&part, &[2, 1, 4, 3, 5, 1, 9], 6);
        let entry = PartialAddSelEntry {
            reservation: ReservationId(0x0102),
            record: RecordId(0),
            offset: 0,
            progress: UploadProgress(0),
            data: Bytes::from([9]),
        };
        check::request(&entry, &[2, 1, 0, 0, 0, 0, 9], 6);
        check::response(
            &SdrRecordId {
                record: RecordId(7),
            },
            &[7, 0],
            2,
        );
    }

    #[test]
    fn erasing_takes_a_reservation_and_three_letters() {
        let delete = DeleteSdr {
            reservation: ReservationId(1),
            record: RecordId(2),
        };
        check::request(&delete, &[1, 0, 2, 0], 4);
        let clear = ClearSdrRepository {
            reservation: ReservationId(1),
            guard: CLEAR_GUARD,
            action: EraseAction::INITIATE,
        };
        check::request(&clear, &[1, 0, b'C', b'L', b'R', 0xaa], 6);
        check::response(
            &SdrErasure {
                progress: EraseProgress(1),
            },
            &[1],
            1,
        );
    }

    #[test]
    fn clock_update_mode_and_agent() {
        let time = Timestamp(0x0403_0201);
        check::request(&SetSdrRepositoryTime { time }, &[1, 2, 3, 4], 4);
        check::request(&EnterSdrUpdateMode, &[], 0);
        check::request(&ExitSdrUpdateMode, &[], 0);
        check::request(
            &RunInitializationAgent {
                request: InitializationRequest::RUN,
            },
            &[1],
            1,
        );
        check::response(&InitializationAgent { done: true }, &[1], 1);
    }
}
