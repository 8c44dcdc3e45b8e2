//! Get Auxiliary Log Status and Set Auxiliary Log Status (§31.12, §31.13).

use crate::command::layout::{message, request};
use crate::command::{Bytes, Empty};
use crate::number::AuxiliaryLogType;
use crate::record::Timestamp;

request! {
    /// Asks whether there is something new in another log than the SEL (§31.12).
    pub struct GetAuxiliaryLogStatus: STORAGE 0x5a "Get Auxiliary Log Status", repeatable => AuxiliaryLogStatus {
        u8 {
            /// Which log.
            pub log: AuxiliaryLogType [3:0],
        }
    }

    /// Sets what Get Auxiliary Log Status tells (§31.13).
    pub struct SetAuxiliaryLogStatus: STORAGE 0x5b "Set Auxiliary Log Status", repeatable => Empty {
        u8 {
            /// Which log.
            pub log: AuxiliaryLogType [3:0],
        }
        /// When an entry was last added.
        pub added: Timestamp,
        /// As in [`AuxiliaryLogStatus::status`].
        pub status: Bytes<11>,
    }
}

message! {
    /// The answer to [`GetAuxiliaryLogStatus`] (§31.12, table 31-12).
    pub struct AuxiliaryLogStatus {
        /// When an entry was last added.
        pub added: Timestamp,
        /// Machine check log: number of entries in four bytes, all FFh for unknown. A maker's log: enterprise number in three
        /// bytes, then eight of its own.
        pub status: Bytes<11>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn a_log_tells_when_and_how_much() {
        let log = AuxiliaryLogType::MCA;
        check::request(&GetAuxiliaryLogStatus { log }, &[0], 1);
        let (added, status) = (Timestamp(0x0403_0201), Bytes::from([5, 0, 0, 0]));
        let set = SetAuxiliaryLogStatus { log, added, status };
        check::request(&set, &[0, 1, 2, 3, 4, 5, 0, 0, 0], 5);
        let answer = AuxiliaryLogStatus { added, status };
        check::response(&answer, &[1, 2, 3, 4, 5, 0, 0, 0], 4);
    }
}
