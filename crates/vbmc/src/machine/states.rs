//! What discrete sensors report.

use ipmi::number::HotSwapState;

use super::Machine;
use crate::host::Activity;
use crate::sensor::Condition;

impl Machine {
    /// The state bits of a discrete sensor, as the machine is.
    pub(super) fn states(&self, condition: Condition) -> u16 {
        match condition {
            Condition::Cpu(_) => 1 << 7,
            Condition::Memory => 1 << 6,
            // The handle is closed while the module is in use, opened where it may be taken out.
            Condition::Handle(fru) if self.hot_swap(fru) == HotSwapState::M1 => 1 << 1,
            Condition::Handle(_)
            | Condition::Supply(_)
            | Condition::Drive(_)
            | Condition::SupplyRedundancy
            | Condition::FanRedundancy => 1,
            Condition::PowerUnit => match self.host.activity() {
                Activity::Off => 1,
                Activity::Cycling { .. } => 1 << 1 | 1,
                _ => 0,
            },
            Condition::AcpiPower => {
                if self.host.is_on() {
                    1
                } else {
                    1 << 5
                }
            }
            Condition::EventLog if self.log.is_full() => 1 << 4,
            Condition::EventLog if self.log.is_almost_full() => 1 << 5,
            Condition::EventLog | Condition::Watchdog | Condition::Intrusion => 0,
            Condition::HotSwap(fru) => 1 << self.hot_swap(fru).0,
            // Both buses work.
            Condition::IpmbLink => 1 << 3,
        }
    }
}
