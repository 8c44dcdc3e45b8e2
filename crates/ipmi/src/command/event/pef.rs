//! PEF capabilities, configuration and the last processed event (§30.1 to §30.6).

use crate::command::layout::{message, request};
use crate::command::{Bytes, Empty};
use crate::number::{PefActions, PefParameter};
use crate::record::{RecordId, Timestamp};

/// Room for the data of one parameter; the longest is an event filter with 21 bytes.
pub const PEF_PARAMETER_MAX: usize = 40;

request! {
    /// Asks what the filters can do (§30.1).
    pub struct GetPefCapabilities: SENSOR_EVENT 0x10 "Get PEF Capabilities", repeatable => PefCapabilities {}

    /// Has the filters rest while software handles events; software re-arms the timer as long as it lives (§30.2).
    pub struct ArmPefPostponeTimer: SENSOR_EVENT 0x11 "Arm PEF Postpone Timer", repeatable => PostponeTimer {
        /// Seconds, 1-FDh; 0 disarms, FEh rests until further notice, FFh only asks.
        pub seconds: u8,
    }

    /// Sets one parameter (§30.3).
    ///
    /// Completion codes 80h: no such parameter; 81h: another party has a set in progress; 82h: read-only.
    pub struct SetPefConfigurationParameters: SENSOR_EVENT 0x12 "Set PEF Configuration Parameters", repeatable => Empty {
        u8 {
            /// Which parameter.
            pub parameter: PefParameter [6:0],
        }
        /// Its data; where it is one of several, its number first.
        pub data: Bytes<PEF_PARAMETER_MAX>,
    }

    /// Asks for one parameter (§30.4). Completion code 80h: no such parameter.
    pub struct GetPefConfigurationParameters: SENSOR_EVENT 0x13 "Get PEF Configuration Parameters", repeatable => PefConfigurationParameters {
        u8 {
            /// Asks for the revision only.
            pub revision_only: bool [7],
            /// Which parameter.
            pub parameter: PefParameter [6:0],
        }
        /// Set selector; 0 where the parameter has none.
        pub set: u8,
        /// Block selector; 0 where the parameter has none.
        pub block: u8,
    }

    /// Tells the BMC which event was handled last (§30.5).
    pub struct SetLastProcessedEventId: SENSOR_EVENT 0x14 "Set Last Processed Event ID", repeatable => Empty {
        u8 {
            /// The BMC's own number is set; otherwise that of software.
            pub by_bmc: bool [0],
        }
        /// Number of the event.
        pub record: RecordId,
    }

    /// Asks which events were logged and handled last (§30.6). Completion code 81h: the log is being erased.
    pub struct GetLastProcessedEventId: SENSOR_EVENT 0x15 "Get Last Processed Event ID", repeatable => LastProcessedEventId {}
}

message! {
    /// The answer to [`GetPefCapabilities`] (§30.1).
    pub struct PefCapabilities {
        /// Version of PEF, BCD with the digits swapped: 51h.
        pub version: u8,
        /// Actions that there are.
        pub actions: PefActions,
        /// How many filters there are.
        pub filters: u8,
    }

    /// The answer to [`ArmPefPostponeTimer`] (§30.2).
    pub struct PostponeTimer {
        /// What is left, in seconds.
        pub present: u8,
    }

    /// The answer to [`GetPefConfigurationParameters`] (§30.4).
    pub struct PefConfigurationParameters {
        /// Parameter revision: 11h.
        pub revision: u8,
        /// The data; empty where only the revision was asked for.
        pub data: Bytes<PEF_PARAMETER_MAX>,
    }

    /// The answer to [`GetLastProcessedEventId`] (§30.6).
    pub struct LastProcessedEventId {
        /// When an event was last added to the log.
        pub added: Timestamp,
        /// The newest record of the log; FFFFh where it is empty.
        pub last: RecordId,
        /// The last that software handled; FFFFh for none.
        pub by_software: RecordId,
        /// The last that the BMC handled; 0 or FFFFh for none.
        pub by_bmc: RecordId,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn capabilities_and_the_timer() {
        check::request(&GetPefCapabilities, &[], 0);
        let capabilities = PefCapabilities {
            version: 0x51,
            actions: PefActions(0x2f),
            filters: 16,
        };
        check::response(&capabilities, &[0x51, 0x2f, 16], 3);
        check::request(&ArmPefPostponeTimer { seconds: 30 }, &[30], 1);
        check::response(&PostponeTimer { present: 29 }, &[29], 1);
    }

    #[test]
    fn one_filters_first_byte_is_set_under_its_number() {
        let set = SetPefConfigurationParameters {
            parameter: PefParameter::FILTER_DATA_1,
            data: Bytes::from([3, 0x80]),
        };
        check::request(&set, &[7, 3, 0x80], 1);
        let get = GetPefConfigurationParameters {
            revision_only: false,
            parameter: PefParameter::STRINGS,
            set: 2,
            block: 1,
        };
        check::request(&get, &[13, 2, 1], 3);
        let answer = PefConfigurationParameters {
            revision: 0x11,
            data: Bytes::from([1]),
        };
        check::response(&answer, &[0x11, 1], 1);
    }

    #[test]
    fn software_and_bmc_each_have_a_last_event() {
        let set = SetLastProcessedEventId {
            by_bmc: true,
            record: RecordId(0x0102),
        };
        check::request(&set, &[1, 2, 1], 3);
        check::request(&GetLastProcessedEventId, &[], 0);
        let last = LastProcessedEventId {
            added: Timestamp(0x0403_0201),
            last: RecordId(7),
            by_software: RecordId(6),
            by_bmc: RecordId(5),
        };
        check::response(&last, &[1, 2, 3, 4, 7, 0, 6, 0, 5, 0], 10);
    }
}
