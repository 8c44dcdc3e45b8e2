//! FRUs of a modular system: activation, LEDs, power and fan levels, links (PICMG 3.0, VITA 46.11).

use std::collections::BTreeMap;

use ipmi::command::picmg::{ClockSetting, LedBehaviour};
use ipmi::number::{FruLedFunction, HotSwapState, LampState, LedColor};

/// FRUs of a module: the board, a mezzanine, a fan tray.
pub const FRUS: usize = 3;
/// LEDs of each: the blue one, and LED 1 and 2.
pub const LEDS: usize = 3;
/// Links and clocks that are remembered, at most.
pub const LINKS_REMEMBERED: usize = 64;

/// A LED.
#[derive(Clone, Copy, Debug, Default)]
struct Led {
    overriding: Option<LedBehaviour>,
    lamp_test_until_s: u64,
}

/// One FRU.
#[derive(Clone, Debug)]
pub struct Fru {
    /// Its state.
    pub state: HotSwapState,
    /// Locks: activation, deactivation, and VITA's.
    pub policy: u8,
    /// Power level that is allowed.
    pub power_level: u8,
    /// Power level that it wants.
    pub desired_level: u8,
    /// Fan level that is set; FFh local control.
    pub fan_level: u8,
    /// Mode of its payload (VITA).
    pub payload_mode: u8,
    leds: [Led; LEDS],
}

impl Default for Fru {
    fn default() -> Self {
        Self {
            state: HotSwapState::M4,
            policy: 0,
            power_level: 1,
            desired_level: 1,
            fan_level: 0xff,
            payload_mode: 0,
            leds: [Led::default(); LEDS],
        }
    }
}

impl Fru {
    /// What the FRU itself makes a LED do: the blue one is lit when it may be taken out, the red one never, the green one
    /// while it works.
    fn local(&self, led: u8) -> LedBehaviour {
        let is_on = match led {
            0 => self.state == HotSwapState::M1,
            1 => false,
            _ => self.state == HotSwapState::M4,
        };
        LedBehaviour {
            function: if is_on {
                FruLedFunction::ON
            } else {
                FruLedFunction::OFF
            },
            on_10ms: 0,
            color: color(led),
        }
    }

    /// Overrides a LED, or all (FFh). False where there is no such LED or it can't do that.
    pub fn set_led(&mut self, now_s: u64, led: u8, behaviour: LedBehaviour) -> bool {
        let numbers = match led {
            0xff => 0..LEDS,
            led if usize::from(led) < LEDS => led.into()..usize::from(led) + 1,
            _ => return false,
        };
        for number in numbers {
            let led = &mut self.leds[number];
            match behaviour.function {
                FruLedFunction::LOCAL_CONTROL => *led = Led::default(),
                FruLedFunction::LAMP_TEST => {
                    led.lamp_test_until_s = now_s + u64::from(behaviour.on_10ms).div_ceil(10);
                }
                _ => led.overriding = Some(behaviour),
            }
        }
        true
    }

    /// Who rules a LED, what it does by itself, what it is overridden with, and how long its lamp test still takes in
    /// 100 ms. `None` where there is no such LED.
    #[must_use]
    pub fn led(
        &self,
        now_s: u64,
        led: u8,
    ) -> Option<(LampState, LedBehaviour, Option<LedBehaviour>, Option<u8>)> {
        let found = self.leds.get(usize::from(led))?;
        let local = self.local(led);
        let testing = found.lamp_test_until_s > now_s;
        let mut state = LampState::LOCAL_CONTROL;
        if found.overriding.is_some() {
            state = state | LampState::OVERRIDE;
        }
        if !testing {
            return Some((state, local, found.overriding, None));
        }
        let left = (found.lamp_test_until_s - now_s) * 10;
        let overriding = found.overriding.unwrap_or(local);
        Some((
            state | LampState::LAMP_TEST,
            local,
            Some(overriding),
            Some(u8::try_from(left).unwrap_or(0x7f)),
        ))
    }
}

/// The colour of a LED.
#[must_use]
pub const fn color(led: u8) -> LedColor {
    match led {
        0 => LedColor::BLUE,
        1 => LedColor::RED,
        _ => LedColor::GREEN,
    }
}

/// All FRUs, links and texts of a module.
#[derive(Clone, Debug, Default)]
pub struct Modular {
    /// The FRUs.
    pub frus: [Fru; FRUS],
    /// Links that were switched: their description and whether they are on.
    pub links: BTreeMap<u32, u8>,
    /// Links of mezzanines: channel and description, and whether they are on.
    pub amc_links: BTreeMap<(u8, u32), u8>,
    /// Clocks, by number.
    pub clocks: BTreeMap<u8, ClockSetting>,
    /// Signalling classes, by channel and interface.
    pub signaling: BTreeMap<u8, u8>,
    /// Shared buses that this board has, bit n for bus n.
    pub buses: u8,
    /// The chassis' identifier where it was set: kind and length, text.
    pub chassis_id: Option<Vec<u8>>,
    /// Lock of the shelf's FRU information: its number, and what was written under it.
    pub lock: Option<(u16, Vec<u8>)>,
    /// Locks so far.
    pub locks: u16,
    /// When the shelf's FRU information last changed, in seconds since 1970.
    pub shelf_changed_s: u32,
    /// The carrier manager counts as dead from this second on (`MicroTCA`).
    pub heartbeat_until_s: Option<u64>,
    /// Power channels that are on, bit n for channel n + 1.
    pub power_channels: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLINKING: LedBehaviour = LedBehaviour {
        function: FruLedFunction(50),
        on_10ms: 50,
        color: LedColor::RED,
    };

    #[test]
    fn a_led_is_overridden_tested_and_given_back() {
        let mut fru = Fru::default();
        assert!(fru.set_led(0, 1, BLINKING));
        let (state, _, overriding, test) = fru.led(1, 1).unwrap();
        assert!(state.contains(LampState::OVERRIDE) && test.is_none());
        assert_eq!(overriding, Some(BLINKING));
        let test = LedBehaviour {
            function: FruLedFunction::LAMP_TEST,
            on_10ms: 30,
            ..BLINKING
        };
        assert!(fru.set_led(10, 0xff, test));
        assert_eq!(fru.led(11, 0).unwrap().3, Some(20));
        assert_eq!(fru.led(13, 0).unwrap().3, None);
        let back = LedBehaviour {
            function: FruLedFunction::LOCAL_CONTROL,
            ..BLINKING
        };
        assert!(fru.set_led(14, 1, back));
        assert_eq!(fru.led(15, 1).unwrap().2, None);
        assert!(!fru.set_led(15, 3, back) && fru.led(15, 3).is_none());
    }

    #[test]
    fn the_blue_led_says_that_the_module_may_be_taken_out() {
        let mut fru = Fru::default();
        assert_eq!(fru.led(0, 0).unwrap().1.function, FruLedFunction::OFF);
        fru.state = HotSwapState::M1;
        assert_eq!(fru.led(0, 0).unwrap().1.function, FruLedFunction::ON);
    }
}
