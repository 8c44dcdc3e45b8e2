//! `MicroTCA`: location, power modules, alarms (PICMG MTCA.0 §3).

use super::PicmgDone;
use crate::command::Bytes;
use crate::command::layout::{message, request};
use crate::number::{AlarmSeverity, PicmgSiteType};

request! {
    /// Asks where in the shelf a module is.
    pub struct GetLocationInformation: PICMG 0x23 "Get Location Information", repeatable => LocationInformation {
        u8 {
            /// What identifies the carrier.
            pub selector: u8 [7:6],
            /// Carrier.
            pub carrier: u8 [4:0],
        }
        /// Site number.
        pub site_number: u8,
        /// Site type.
        pub site_type: PicmgSiteType,
    }

    /// Switches a channel of a power module.
    pub struct PowerChannelControl: PICMG 0x24 "Power Channel Control", once => PicmgDone {
        /// Channel.
        pub channel: u8,
        /// What to do.
        pub control: u8,
        /// Current limit, in 100 mA.
        pub limit_100ma: u8,
        /// Primary power module.
        pub primary: u8,
        /// Backup power module.
        pub backup: u8,
    }

    /// Asks for the state of a power module's channels.
    pub struct GetPowerChannelStatus: PICMG 0x25 "Get Power Channel Status", repeatable => PowerChannelStatus {
        /// From which channel on.
        pub start: u8,
        /// How many.
        pub count: u8,
    }

    /// Tells a power module that the carrier manager lives.
    pub struct PmHeartbeat: PICMG 0x28 "PM Heartbeat", repeatable => PicmgDone {
        /// When it may count as dead, in 100 ms.
        pub timeout_100ms: u8,
        u8 {
            /// Hub 2 is in charge.
            pub hub_2: bool [1],
            /// Hub 1 is in charge.
            pub hub_1: bool [0],
        }
    }

    /// Asks which alarms a FRU has.
    pub struct GetTelcoAlarmCapability: PICMG 0x29 "Get Telco Alarm Capability", repeatable => TelcoAlarmCapability {
        /// FRU.
        pub fru_id: u8,
    }
}

message! {
    /// The answer to [`GetLocationInformation`].
    pub struct LocationInformation in PICMG {
        /// Slot.
        pub slot: u8,
        /// Tier.
        pub tier: u8,
        u8 {
            /// `slot` is valid.
            pub has_slot: bool [7],
            /// `tier` is valid.
            pub has_tier: bool [6],
            /// Orientation of the carrier.
            pub orientation: bool [5],
        }
        /// Origin, horizontally.
        pub x: u16,
        /// Origin, vertically.
        pub y: u16,
    }

    /// The answer to [`GetPowerChannelStatus`].
    pub struct PowerChannelStatus in PICMG {
        /// Highest channel.
        pub max: u8,
        u8 {
            /// There is a fault that is not one channel's.
            pub fault: bool [3],
            /// Payload power is good.
            pub payload_good: bool [2],
            /// Management power is good.
            pub management_good: bool [1],
            /// Primary, not redundant.
            pub primary: bool [0],
        }
        /// A byte for each channel.
        pub channels: Bytes<16>,
    }

    /// The answer to [`GetTelcoAlarmCapability`].
    pub struct TelcoAlarmCapability in PICMG {
        u8 {
            /// Resets major alarms by itself.
            pub major_reset: bool [7],
            /// Resets minor alarms by itself.
            pub minor_reset: bool [6],
            /// Silences itself.
            pub cutoff: bool [5],
            /// Can be tested.
            pub test: bool [4],
            /// Its alarms.
            pub alarms: AlarmSeverity [3:0],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn a_modules_place_and_power() {
        let get = GetLocationInformation {
            selector: 0,
            carrier: 1,
            site_number: 2,
            site_type: PicmgSiteType::AMC,
        };
        check::request(&get, &[0, 1, 2, 7], 4);
        let location = LocationInformation {
            slot: 3,
            tier: 1,
            has_slot: true,
            has_tier: true,
            orientation: false,
            x: 0x0102,
            y: 0x0304,
        };
        check::response(&location, &[0, 3, 1, 0xc0, 2, 1, 4, 3], 8);
        let control = PowerChannelControl {
            channel: 5,
            control: 2,
            limit_100ma: 60,
            primary: 1,
            backup: 2,
        };
        check::request(&control, &[0, 5, 2, 60, 1, 2], 6);
        check::request(&GetPowerChannelStatus { start: 1, count: 2 }, &[0, 1, 2], 3);
        let status = PowerChannelStatus {
            max: 16,
            fault: false,
            payload_good: true,
            management_good: true,
            primary: true,
            channels: Bytes::from([0x4f, 0]),
        };
        check::response(&status, &[0, 16, 7, 0x4f, 0], 3);
        let beat = PmHeartbeat {
            timeout_100ms: 10,
            hub_2: false,
            hub_1: true,
        };
        check::request(&beat, &[0, 10, 1], 3);
        check::request(&GetTelcoAlarmCapability { fru_id: 3 }, &[0, 3], 2);
        let alarms = TelcoAlarmCapability {
            major_reset: false,
            minor_reset: false,
            cutoff: true,
            test: true,
            alarms: AlarmSeverity::CRITICAL | AlarmSeverity::MAJOR,
        };
        check::response(&alarms, &[0, 0x33], 2);
    }
}
