//! FRU LEDs (PICMG 3.0 §3.2.5.6).

use super::PicmgDone;
use crate::command::layout::{layout, message, request};
use crate::number::{FruLedFunction, FruLedId, LampState, LedColor, LedColors};

layout! {
    /// What a LED does.
    pub struct LedBehaviour {
        /// On, off, or how long it is off of each blink.
        pub function: FruLedFunction,
        /// How long it is on of each blink, in 10 ms; with a lamp test how long that takes, in 100 ms.
        pub on_10ms: u8,
        u8 {
            /// Its colour.
            pub color: LedColor [3:0],
        }
    }
}

request! {
    /// Asks which LEDs a FRU has.
    pub struct GetFruLedProperties: PICMG 0x05 "Get FRU LED Properties", repeatable => FruLedProperties {
        /// FRU.
        pub fru_id: u8,
    }

    /// Asks which colours a LED has.
    pub struct GetLedColorCapabilities: PICMG 0x06 "Get LED Color Capabilities", repeatable => LedColorCapabilities {
        /// FRU.
        pub fru_id: u8,
        /// LED: 0 the blue one, 1-3, from 4 on the application's.
        pub led_id: FruLedId,
    }

    /// Overrides what a LED does, or gives it back.
    pub struct SetFruLedState: PICMG 0x07 "Set FRU LED State", repeatable => PicmgDone {
        /// FRU.
        pub fru_id: u8,
        /// LED; FFh for all.
        pub led_id: FruLedId,
        /// What it is to do.
        pub behaviour: LedBehaviour,
    }

    /// Asks what a LED does.
    pub struct GetFruLedState: PICMG 0x08 "Get FRU LED State", repeatable => FruLedState {
        /// FRU.
        pub fru_id: u8,
        /// LED.
        pub led_id: FruLedId,
    }
}

message! {
    /// The answer to [`GetFruLedProperties`].
    pub struct FruLedProperties in PICMG {
        u8 {
            /// LED 3.
            pub led_3: bool [3],
            /// LED 2.
            pub led_2: bool [2],
            /// LED 1.
            pub led_1: bool [1],
            /// The blue LED.
            pub blue: bool [0],
        }
        /// LEDs of the application.
        pub application: u8,
    }

    /// The answer to [`GetLedColorCapabilities`].
    pub struct LedColorCapabilities in PICMG {
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
    }

    /// The answer to [`GetFruLedState`].
    pub struct FruLedState in PICMG {
        /// Who rules it.
        pub state: LampState,
        /// What the FRU makes it do.
        pub local: LedBehaviour,
        /// What it is overridden with; there while it is, or a lamp test runs.
        pub overriding: Option<LedBehaviour>,
        /// What is left of the lamp test, in 100 ms; there while it runs.
        pub lamp_test_100ms: Option<u8>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, Message, check};
    use crate::wire::{Reader, WireFault};

    const BLINKING: LedBehaviour = LedBehaviour {
        function: FruLedFunction(50),
        on_10ms: 50,
        color: LedColor::AMBER,
    };

    #[test]
    fn leds_and_their_colours() {
        check::request(&GetFruLedProperties { fru_id: 0 }, &[0, 0], 2);
        let properties = FruLedProperties {
            led_3: false,
            led_2: true,
            led_1: true,
            blue: true,
            application: 4,
        };
        check::response(&properties, &[0, 7, 4], 3);
        let get = GetLedColorCapabilities {
            fru_id: 0,
            led_id: FruLedId::LED_1,
        };
        check::request(&get, &[0, 0, 1], 3);
        let colors = LedColorCapabilities {
            colors: LedColors::RED | LedColors::AMBER,
            default_local: LedColor::RED,
            default_override: LedColor::AMBER,
        };
        check::response(&colors, &[0, 0x14, 2, 4], 4);
    }

    #[test]
    fn a_led_blinks_when_it_is_told_to() {
        let set = SetFruLedState {
            fru_id: 0,
            led_id: FruLedId::LED_1,
            behaviour: BLINKING,
        };
        check::request(&set, &[0, 0, 1, 50, 50, 4], 6);
        check::request(
            &GetFruLedState {
                fru_id: 0,
                led_id: FruLedId::LED_1,
            },
            &[0, 0, 1],
            3,
        );
        let local = LedBehaviour {
            function: FruLedFunction::OFF,
            on_10ms: 0,
            color: LedColor::RED,
        };
        let state = FruLedState {
            state: LampState::LOCAL_CONTROL,
            local,
            overriding: None,
            lamp_test_100ms: None,
        };
        check::response(&state, &[0, 1, 0, 0, 2], 5);
        let bytes = [0, 7, 0, 0, 2, 50, 50, 4, 30];
        let decoded = FruLedState::decode(&mut Reader::new(&bytes)).unwrap();
        assert_eq!(decoded.overriding, Some(BLINKING));
        assert_eq!(decoded.lamp_test_100ms, Some(30));
        let short = FruLedState::decode(&mut Reader::new(&bytes[..7]));
        assert_eq!(short.map_err(|e| e.fault), Err(WireFault::Truncated));
        const { assert!(SetFruLedState::IDEMPOTENT) };
    }
}
