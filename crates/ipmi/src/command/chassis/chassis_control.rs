//! Chassis Control (§28.3).

use crate::command::{Command, Empty};
use crate::number::{ChassisControlAction, NetFn};
use crate::wire::{Reader, WireError, Writer};

/// Switches, cycles or resets the machine.
///
/// Not repeatable blindly: a second power cycle or reset hits a machine that has just started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChassisControl {
    /// What to do; 4 bits.
    pub action: ChassisControlAction,
}

impl Command for ChassisControl {
    const NETFN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x02;
    const NAME: &'static str = "Chassis Control";
    const IDEMPOTENT: bool = false;
    type Response = Empty;

    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.action.0 & 0x0f);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            action: ChassisControlAction(r.u8("chassis control")? & 0x0f),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn every_action_is_one_byte_and_an_unknown_action_keeps_its_number() {
        for (byte, action) in (0u8..).zip(ChassisControlAction::NAMED) {
            check::request(&ChassisControl { action: *action }, &[byte], 1);
        }
        check::request(
            &ChassisControl {
                action: ChassisControlAction(0x0e),
            },
            &[0x0e],
            1,
        );
    }
}
