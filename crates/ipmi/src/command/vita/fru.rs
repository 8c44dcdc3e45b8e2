//! FRUs: control, activation, LEDs, addresses, sensors, payload modes (VITA 46.11; group extension
//! 03h, §5.1).

use super::VitaDone;
use crate::command::Bytes;
use crate::command::layout::{message, request};
use crate::command::picmg::LedBehaviour;
use crate::number::{
    FruActivation, FruLedId, IpmbAddress, LampState, LedColor, LedColors, VitaFruControlAction,
    VitaFruControlSupport, VitaPolicy, VitaSiteType,
};
use crate::record::RecordId;

request! {
    /// Resets or reboots a FRU's payload.
    pub struct VitaFruControl: VSO 0x04 "FRU Control", once => VitaDone {
        /// FRU.
        pub fru_id: u8,
        /// What to do.
        pub action: VitaFruControlAction,
    }

    /// Asks what of this the FRU can.
    pub struct GetVitaFruControlCapabilities: VSO 0x1e "FRU Control Capabilities", repeatable => VitaFruControlCapabilities {
        /// FRU.
        pub fru_id: u8,
    }

    /// Asks which LEDs a FRU has.
    pub struct GetVitaFruLedProperties: VSO 0x05 "Get FRU LED Properties", repeatable => VitaFruLedProperties {
        /// FRU.
        pub fru_id: u8,
    }

    /// Asks which colours a LED has.
    pub struct GetVitaLedColors: VSO 0x06 "Get LED Color Capabilities", repeatable => VitaLedColors {
        /// FRU.
        pub fru_id: u8,
        /// LED.
        pub led_id: FruLedId,
    }

    /// Overrides what a LED does, or gives it back.
    pub struct SetVitaFruLedState: VSO 0x07 "Set FRU LED State", repeatable => VitaDone {
        /// FRU.
        pub fru_id: u8,
        /// LED; FFh for all.
        pub led_id: FruLedId,
        /// What it is to do.
        pub behaviour: LedBehaviour,
    }

    /// Asks what a LED does.
    pub struct GetVitaFruLedState: VSO 0x08 "Get FRU LED State", repeatable => VitaFruLedState {
        /// FRU.
        pub fru_id: u8,
        /// LED.
        pub led_id: FruLedId,
    }

    /// Locks a FRU in its state.
    pub struct SetVitaFruPolicy: VSO 0x0a "Set FRU State Policy Bits", repeatable => VitaDone {
        /// FRU.
        pub fru_id: u8,
        /// Bits that are to change.
        pub mask: VitaPolicy,
        /// What they are to be.
        pub set: VitaPolicy,
    }

    /// Asks for a FRU's locks.
    pub struct GetVitaFruPolicy: VSO 0x0b "Get FRU State Policy Bits", repeatable => VitaFruPolicy {
        /// FRU.
        pub fru_id: u8,
    }

    /// Activates a FRU, or deactivates it.
    pub struct SetVitaFruActivation: VSO 0x0c "Set FRU Activation", repeatable => VitaDone {
        /// FRU.
        pub fru_id: u8,
        /// Which of it.
        pub activation: FruActivation,
    }

    /// Asks for the number of a FRU's locator record.
    pub struct GetVitaLocatorRecordId: VSO 0x0d "Get Device Locator Record ID", repeatable => VitaLocatorRecordId {
        /// FRU.
        pub fru_id: u8,
    }

    /// Asks for the addresses of a FRU.
    pub struct GetVitaFruAddressInfo: VSO 0x40 "Get FRU Address Info", repeatable => VitaFruAddressInfo {
        /// FRU; left out for the controller itself.
        pub fru_id: Option<u8>,
    }

    /// Asks for the sensors that each FRU must have.
    pub struct GetVitaMandatorySensors: VSO 0x44 "Get Mandatory Sensor Numbers", repeatable => VitaMandatorySensors {
        /// FRU.
        pub fru_id: u8,
    }

    /// Asks for a number that changes with the FRU's inventory.
    pub struct GetVitaFruHash: VSO 0x45 "Get FRU Hash", repeatable => VitaFruHash {
        /// FRU.
        pub fru_id: u8,
    }

    /// Asks which modes a payload has.
    pub struct GetVitaPayloadModes: VSO 0x46 "Get Payload Mode Capabilities", repeatable => VitaPayloadModes {
        /// FRU.
        pub fru_id: u8,
    }

    /// Sets the mode of a payload.
    pub struct SetVitaPayloadMode: VSO 0x47 "Set Payload Mode", repeatable => VitaPayloadModeSet {
        /// FRU.
        pub fru_id: u8,
        /// Mode.
        pub mode: u8,
    }
}

message! {
    /// The answer to [`GetVitaFruControlCapabilities`].
    pub struct VitaFruControlCapabilities in VSO {
        /// What it can.
        pub support: VitaFruControlSupport,
    }

    /// The answer to [`GetVitaFruLedProperties`].
    pub struct VitaFruLedProperties in VSO {
        reserved 1;
        /// How many LEDs.
        pub count: u8,
    }

    /// The answer to [`GetVitaLedColors`].
    pub struct VitaLedColors in VSO {
        /// Its colours.
        pub colors: LedColors,
        u8 {
            /// Its colour under local control.
            pub default_local: LedColor [3:0],
        }
        u8 {
            /// Its colour when overridden.
            pub default_override: LedColor [3:0],
        }
        /// More about it; optional.
        pub flags: Option<u8>,
    }

    /// The answer to [`GetVitaFruLedState`].
    pub struct VitaFruLedState in VSO {
        /// Who rules it.
        pub state: LampState,
        /// What the FRU makes it do.
        pub local: LedBehaviour,
        /// What it is overridden with; there while it is, or a lamp test runs.
        pub overriding: Option<LedBehaviour>,
        /// What is left of the lamp test, in 100 ms; there while it runs.
        pub lamp_test_100ms: Option<u8>,
    }

    /// The answer to [`GetVitaFruPolicy`].
    pub struct VitaFruPolicy in VSO {
        /// Its locks.
        pub policy: VitaPolicy,
    }

    /// The answer to [`GetVitaLocatorRecordId`].
    pub struct VitaLocatorRecordId in VSO {
        /// Record.
        pub record: RecordId,
    }

    /// The answer to [`GetVitaFruAddressInfo`].
    pub struct VitaFruAddressInfo in VSO {
        /// Hardware address.
        pub hardware_address: u8,
        /// Address on bus 0.
        pub ipmb_0_address: IpmbAddress,
        reserved 1;
        /// FRU.
        pub fru_id: u8,
        /// Site number.
        pub site_number: u8,
        /// Site type.
        pub site_type: VitaSiteType,
        /// Reserved byte and address on channel 7; optional.
        pub channel_7: Option<[u8; 2]>,
    }

    /// The answer to [`GetVitaMandatorySensors`].
    pub struct VitaMandatorySensors in VSO {
        /// FRU state.
        pub state: u8,
        /// FRU health.
        pub health: u8,
        /// FRU voltage.
        pub voltage: u8,
        /// FRU temperature.
        pub temperature: u8,
        /// Payload test results.
        pub test_results: u8,
        /// Payload test status.
        pub test_status: u8,
        reserved 1;
        /// Payload mode.
        pub payload_mode: u8,
    }

    /// The answer to [`GetVitaFruHash`].
    pub struct VitaFruHash in VSO {
        /// The number.
        pub hash: u32,
    }

    /// The answer to [`GetVitaPayloadModes`].
    pub struct VitaPayloadModes in VSO {
        /// Modes 0 to 7, bit n for mode n.
        pub low: u8,
        /// Modes 8 to 15; optional.
        pub high: Option<u8>,
    }

    /// The answer to [`SetVitaPayloadMode`].
    pub struct VitaPayloadModeSet in VSO {
        /// The maker's own.
        pub data: Bytes<8>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;
    use crate::number::FruLedFunction;

    #[test]
    fn control_and_policies() {
        let control = VitaFruControl {
            fru_id: 1,
            action: VitaFruControlAction::COLD_RESET,
        };
        check::request(&control, &[3, 1, 0], 3);
        check::request(&GetVitaFruControlCapabilities { fru_id: 1 }, &[3, 1], 2);
        let support = VitaFruControlSupport(0x1f);
        check::response(&VitaFruControlCapabilities { support }, &[3, 0x1f], 2);
        let set = SetVitaFruPolicy {
            fru_id: 1,
            mask: VitaPolicy::DEFAULT_ACTIVATION_LOCKED,
            set: VitaPolicy::NONE,
        };
        check::request(&set, &[3, 1, 8, 0], 4);
        check::request(&GetVitaFruPolicy { fru_id: 1 }, &[3, 1], 2);
        let policy = VitaPolicy::ACTIVATION_LOCKED;
        check::response(&VitaFruPolicy { policy }, &[3, 1], 2);
        let activate = SetVitaFruActivation {
            fru_id: 1,
            activation: FruActivation::DEACTIVATE,
        };
        check::request(&activate, &[3, 1, 0], 3);
    }

    #[test]
    fn leds() {
        check::request(&GetVitaFruLedProperties { fru_id: 0 }, &[3, 0], 2);
        check::response(&VitaFruLedProperties { count: 4 }, &[3, 0, 4], 3);
        check::request(
            &GetVitaLedColors {
                fru_id: 0,
                led_id: FruLedId(1),
            },
            &[3, 0, 1],
            3,
        );
        let colors = VitaLedColors {
            colors: LedColors::GREEN,
            default_local: LedColor::GREEN,
            default_override: LedColor::GREEN,
            flags: None,
        };
        check::response(&colors, &[3, 8, 3, 3], 4);
        let local = LedBehaviour {
            function: FruLedFunction::ON,
            on_10ms: 0,
            color: LedColor::GREEN,
        };
        let set = SetVitaFruLedState {
            fru_id: 0,
            led_id: FruLedId(1),
            behaviour: local,
        };
        check::request(&set, &[3, 0, 1, 0xff, 0, 3], 6);
        check::request(
            &GetVitaFruLedState {
                fru_id: 0,
                led_id: FruLedId(1),
            },
            &[3, 0, 1],
            3,
        );
        let state = VitaFruLedState {
            state: LampState::LOCAL_CONTROL,
            local,
            overriding: None,
            lamp_test_100ms: None,
        };
        check::response(&state, &[3, 1, 0xff, 0, 3], 5);
    }

    #[test]
    fn addresses_sensors_and_modes() {
        check::request(&GetVitaFruAddressInfo { fru_id: Some(1) }, &[3, 1], 1);
        let info = VitaFruAddressInfo {
            hardware_address: 0x41,
            ipmb_0_address: IpmbAddress::from_byte(0x82),
            fru_id: 1,
            site_number: 1,
            site_type: VitaSiteType::XMC,
            channel_7: None,
        };
        check::response(&info, &[3, 0x41, 0x82, 0, 1, 1, 7], 7);
        check::request(&GetVitaMandatorySensors { fru_id: 1 }, &[3, 1], 2);
        let sensors = VitaMandatorySensors {
            state: 1,
            health: 2,
            voltage: 3,
            temperature: 4,
            test_results: 5,
            test_status: 6,
            payload_mode: 7,
        };
        check::response(&sensors, &[3, 1, 2, 3, 4, 5, 6, 0, 7], 9);
        check::request(&GetVitaFruHash { fru_id: 1 }, &[3, 1], 2);
        check::response(&VitaFruHash { hash: 0x0403_0201 }, &[3, 1, 2, 3, 4], 5);
        check::request(&GetVitaPayloadModes { fru_id: 1 }, &[3, 1], 2);
        check::response(&VitaPayloadModes { low: 3, high: None }, &[3, 3], 2);
        check::request(&SetVitaPayloadMode { fru_id: 1, mode: 1 }, &[3, 1, 1], 3);
        check::response(&VitaPayloadModeSet { data: Bytes::EMPTY }, &[3], 1);
        check::request(&GetVitaLocatorRecordId { fru_id: 1 }, &[3, 1], 2);
        let record = RecordId(2);
        check::response(&VitaLocatorRecordId { record }, &[3, 2, 0], 3);
    }
}
