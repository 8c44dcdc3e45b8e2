//! How a machine is built, and the FRUs of a modular one: activated, deactivated, taken out (PICMG 3.0 §3.2.4).

use std::sync::{Arc, LazyLock};

use ipmi::number::{EventReadingType, FruActivation, HotSwapState, PicmgSensorType, SensorType};

use super::{Machine, Sample};
use crate::log::Event;
use crate::profile::{Model, Profile};
use crate::sensor::{Condition, Kind};

/// What a node of an `AdvancedTCA` shelf has, made once for all of them.
static ADVANCED_TCA: LazyLock<Arc<Profile>> = LazyLock::new(|| Arc::new(Profile::advanced_tca()));

/// Why a FRU changed its state: a shelf manager said so with Set FRU Activation (PICMG 3.0 table 3-20).
const BY_COMMAND: u8 = 1;
/// Event data 2 and 3 are the sensor type's own (§29.7).
const SENSOR_SPECIFIC_DATA: u8 = 0xa0;

/// How the machine is built: what its controller answers beside IPMI itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A server: DCMI and HPM.1.
    #[default]
    Server,
    /// The shelf manager of an `AdvancedTCA` shelf: PICMG, too.
    AdvancedTca,
    /// A module of a VPX chassis: VITA 46.11, too.
    Vpx,
}

impl Form {
    /// Every form with its name in configurations.
    pub const ALL: [(&'static str, Self); 3] = [
        ("server", Self::Server),
        ("advanced-tca", Self::AdvancedTca),
        ("vpx", Self::Vpx),
    ];

    /// The form of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, form)| *form)
    }
}

impl Machine {
    /// How it is built.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    /// Builds it differently, before anybody has looked at it: a node of an `AdvancedTCA` shelf has sensors of its own.
    pub fn set_form(&mut self, form: Form) {
        self.form = form;
        if form == Form::AdvancedTca && self.profile.model == Model::Node {
            self.profile = Arc::clone(&ADVANCED_TCA);
            self.samples = vec![Sample::default(); self.profile.sensors.len()].into();
            self.measure();
        }
    }

    /// The state of a FRU; M0 (not installed) where there is no such FRU.
    #[must_use]
    pub fn hot_swap(&self, fru: u8) -> HotSwapState {
        let frus = &self.controller().modular.frus;
        frus.get(usize::from(fru))
            .map_or(HotSwapState::M0, |fru| fru.state)
    }

    /// Activates or deactivates a FRU, through every state on the way; its sensor reports each to the log. Whether
    /// anything changed.
    pub fn set_hot_swap(&mut self, fru: u8, activation: FruActivation) -> bool {
        let way: &[HotSwapState] = if activation == FruActivation::DEACTIVATE {
            &[HotSwapState::M6, HotSwapState::M1]
        } else {
            &[HotSwapState::M2, HotSwapState::M3, HotSwapState::M4]
        };
        let number = usize::from(fru);
        let before = self.hot_swap(fru);
        if number >= self.controller().modular.frus.len() || way.last() == Some(&before) {
            return false;
        }
        for state in way {
            let previous = self.hot_swap(fru);
            self.controller_mut().modular.frus[number].state = *state;
            self.report_hot_swap(fru, previous, *state);
        }
        self.measure();
        true
    }

    fn report_hot_swap(&mut self, fru: u8, previous: HotSwapState, now: HotSwapState) {
        let is_its = |kind: &Kind| matches!(kind, Kind::Discrete(d) if d.condition == Condition::HotSwap(fru));
        let sensors = &self.profile.sensors;
        let Some(number) = sensors.iter().find(|s| is_its(&s.kind)).map(|s| s.number) else {
            return;
        };
        self.log_event(&Event {
            sensor_type: SensorType(PicmgSensorType::FRU_HOT_SWAP.0),
            number,
            event_type: EventReadingType::SENSOR_SPECIFIC,
            asserted: true,
            data: [
                SENSOR_SPECIFIC_DATA | now.0,
                BY_COMMAND << 4 | previous.0,
                fru,
            ],
        });
    }
}

#[cfg(test)]
mod tests {
    use ipmi::time::Instant;

    use super::*;
    use crate::site::{Site, SiteOptions};

    #[test]
    fn a_fru_that_is_taken_out_tells_every_state_on_its_way() {
        let options = SiteOptions {
            nodes: 1,
            seed: 1,
            epoch_s: 1_795_000_000,
        };
        let site = Site::new(options).unwrap();
        let mut machine = site.machine(0, Instant::ORIGIN);
        machine.set_form(Form::AdvancedTca);
        let entries = machine.log().entries().len();
        assert!(machine.set_hot_swap(1, FruActivation::DEACTIVATE));
        assert!(!machine.set_hot_swap(1, FruActivation::DEACTIVATE));
        let log: Vec<_> = machine.log().entries()[entries..]
            .iter()
            .map(|entry| (entry[10], [entry[13], entry[14], entry[15]]))
            .collect();
        // From M4 to M6 to M1, FRU 1.
        assert_eq!(log, [(0xf0, [0xa6, 0x14, 1]), (0xf0, [0xa1, 0x16, 1])]);
        assert_eq!(machine.hot_swap(1), HotSwapState::M1);
        assert_eq!(machine.states(Condition::HotSwap(1)), 1 << 1);
        assert_eq!(machine.states(Condition::Handle(1)), 1 << 1);
        assert!(machine.set_hot_swap(1, FruActivation::ACTIVATE));
        assert_eq!(machine.log().entries().len(), entries + 5);
        assert!(!machine.set_hot_swap(9, FruActivation::ACTIVATE));
    }

    #[test]
    fn a_form_is_found_by_its_name() {
        for (name, form) in Form::ALL {
            assert_eq!(Form::of_name(name), Some(form));
        }
        assert_eq!(Form::of_name("blade"), None);
    }
}
