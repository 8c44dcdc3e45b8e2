//! What a maker's own commands have set: fans, cooling, power policies.

use std::collections::BTreeMap;

use ipmi::command::oem::fans::{ASROCK_FANS, ASROCK_SMART_FAN};
use ipmi::command::oem::node_manager::SetNmPolicy;
use ipmi::number::{DellFanMode, NmDomain, NmTrigger, SupermicroFanMode};

/// Fans that are driven one by one.
pub const DRIVEN_FANS: usize = 4;
/// Fan zones of a Supermicro board.
pub const ZONES: usize = 2;
/// Fan banks of a System x.
pub const BANKS: usize = 2;
/// Policies of Node Manager, at most.
pub const POLICIES_MAX: usize = 16;

/// Whose commands a BMC has besides the standard's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OemFamily {
    /// Nobody's.
    #[default]
    None,
    /// Supermicro's: fan mode and zones.
    Supermicro,
    /// Dell's: fans, cooling, power, LCD.
    Dell,
    /// `ASRock` Rack's: fan headers.
    Asrock,
    /// System x's: fan banks.
    SystemX,
    /// Intel's: Node Manager.
    NodeManager,
    /// Arm SBMR's: boot progress codes.
    Sbmr,
}

impl OemFamily {
    /// Every family with its name in configurations.
    pub const ALL: [(&'static str, Self); 7] = [
        ("none", Self::None),
        ("supermicro", Self::Supermicro),
        ("dell", Self::Dell),
        ("asrock", Self::Asrock),
        ("system-x", Self::SystemX),
        ("node-manager", Self::NodeManager),
        ("sbmr", Self::Sbmr),
    ];

    /// The family of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, family)| *family)
    }
}

/// What was set.
#[derive(Clone, Debug)]
pub struct Oem {
    /// Whose commands there are.
    pub family: OemFamily,
    /// Supermicro: how the fans are driven.
    pub fan_mode: SupermicroFanMode,
    /// Supermicro: duty of each zone, in percent.
    pub zones_percent: [u8; ZONES],
    /// Dell: who drives the fans.
    pub dell_mode: DellFanMode,
    /// Dell: duty of each fan, in percent.
    pub dell_percent: [u8; DRIVEN_FANS],
    /// Dell: fans don't turn faster for unknown cards.
    pub cooling_disabled: bool,
    /// `ASRock`: duty of each header, in percent; 1 is the board's own.
    pub headers_percent: [u8; ASROCK_FANS],
    /// System x: duty of each bank of 255 and whether it overrides, as set.
    pub banks: [(u8, bool); BANKS],
    /// System x: the same, as applied.
    pub applied_banks: [(u8, bool); BANKS],
    /// Node Manager: it works.
    pub policies_off: bool,
    /// Node Manager: policies by number.
    pub policies: BTreeMap<u8, SetNmPolicy>,
    /// SBMR: the last code.
    pub boot_progress: [u8; 9],
}

impl Default for Oem {
    fn default() -> Self {
        Self {
            family: OemFamily::None,
            fan_mode: SupermicroFanMode::OPTIMAL,
            zones_percent: [100; ZONES],
            dell_mode: DellFanMode::AUTOMATIC,
            dell_percent: [100; DRIVEN_FANS],
            cooling_disabled: false,
            headers_percent: [ASROCK_SMART_FAN; ASROCK_FANS],
            banks: [(0xff, false); BANKS],
            applied_banks: [(0xff, false); BANKS],
            policies_off: false,
            policies: BTreeMap::new(),
            boot_progress: [0; 9],
        }
    }
}

/// What consoles make the machine do besides what it wants itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Drive {
    /// Duty of each fan, 0 to 1; none where the machine drives it.
    pub fans: [Option<f32>; DRIVEN_FANS],
    /// The most power to take, in watts.
    pub cap_w: Option<u16>,
}

impl Oem {
    /// What the machine is to do.
    #[must_use]
    pub fn drive(&self) -> Drive {
        let percent = |percent: u8| Some(f32::from(percent.min(100)) / 100.0);
        let mut drive = Drive::default();
        match self.family {
            OemFamily::Supermicro if self.fan_mode == SupermicroFanMode::FULL => {
                // The first zone has the system's fans.
                drive.fans = [percent(self.zones_percent[0]); DRIVEN_FANS];
            }
            OemFamily::Dell if self.dell_mode == DellFanMode::MANUAL => {
                drive.fans = self.dell_percent.map(percent);
            }
            OemFamily::Asrock => {
                for (fan, duty) in drive.fans.iter_mut().zip(self.headers_percent) {
                    *fan = percent(duty).filter(|_| duty != ASROCK_SMART_FAN);
                }
            }
            OemFamily::SystemX => {
                let per_bank = DRIVEN_FANS / BANKS;
                for (index, fan) in drive.fans.iter_mut().enumerate() {
                    let (duty, overriding) = self.applied_banks[index / per_bank];
                    *fan = overriding.then_some(f32::from(duty) / 255.0);
                }
            }
            OemFamily::NodeManager => drive.cap_w = self.cap_w(),
            _ => {}
        }
        drive
    }

    /// The lowest limit of the policies for the whole platform that hold.
    fn cap_w(&self) -> Option<u16> {
        let holding = self.policies.values().filter(|policy| {
            let always = policy.trigger == NmTrigger::NONE;
            policy.enabled && always && policy.domain == NmDomain::PLATFORM
        });
        let cap_w = holding.map(|policy| policy.limit_w).min();
        cap_w.filter(|_| !self.policies_off)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duty_counts_only_where_its_maker_lets_it() {
        let mut oem = Oem {
            family: OemFamily::Supermicro,
            zones_percent: [30, 100],
            ..Oem::default()
        };
        assert_eq!(oem.drive(), Drive::default());
        oem.fan_mode = SupermicroFanMode::FULL;
        assert_eq!(oem.drive().fans, [Some(0.3); 4]);
        oem.family = OemFamily::Dell;
        assert_eq!(oem.drive(), Drive::default());
        oem.family = OemFamily::Asrock;
        oem.headers_percent[1] = 50;
        assert_eq!(oem.drive().fans, [None, Some(0.5), None, None]);
        oem.family = OemFamily::SystemX;
        oem.applied_banks[1] = (255, true);
        assert_eq!(oem.drive().fans, [None, None, Some(1.0), Some(1.0)]);
    }

    #[test]
    fn every_family_has_a_name() {
        for (name, family) in OemFamily::ALL {
            assert_eq!(OemFamily::of_name(name), Some(family));
        }
        assert_eq!(OemFamily::of_name("acme"), None);
    }
}
