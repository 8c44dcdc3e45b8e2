//! Get Chassis Status (§28.2).

use crate::command::{Command, Message};
use crate::number::{
    ChassisState, FrontPanelButtons, IdentifyState, LastPowerEvent, NetFn, PowerRestorePolicy,
    PowerState,
};
use crate::wire::{Reader, WireError, Writer};

/// Asks for the state of power and of the chassis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetChassisStatus;

/// The answer to [`GetChassisStatus`] (§28.2, table 28-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChassisStatus {
    /// Main power now.
    pub power: PowerState,
    /// What happens when mains power comes back.
    pub restore_policy: PowerRestorePolicy,
    /// Why power last changed.
    pub last_event: LastPowerEvent,
    /// Intrusion, lock and faults.
    pub state: ChassisState,
    /// Identify light; `None` where the BMC doesn't tell.
    pub identify: Option<IdentifyState>,
    /// Front-panel buttons; the byte is optional.
    pub front_panel: Option<FrontPanelButtons>,
}

impl ChassisStatus {
    /// Whether main power is on.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.power.contains(PowerState::ON)
    }
}

impl Command for GetChassisStatus {
    const NETFN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x01;
    const NAME: &'static str = "Get Chassis Status";
    const IDEMPOTENT: bool = true;
    type Response = ChassisStatus;

    fn encode(&self, _: &mut Writer<'_>) {}

    fn decode(_: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self)
    }
}

/// Bit 6 of the third byte: bits 5:4 hold the identify state.
const IDENTIFY_SUPPORTED: u8 = 0x40;

impl Message for ChassisStatus {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.power.0 & 0x1f | (self.restore_policy.0 & 0x03) << 5);
        w.u8(self.last_event.0);
        let identify = self
            .identify
            .map_or(0, |state| IDENTIFY_SUPPORTED | (state.0 & 0x03) << 4);
        w.u8(self.state.0 & 0x0f | identify);
        if let Some(buttons) = self.front_panel {
            w.u8(buttons.0);
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let power = r.u8("current power state")?;
        let last_event = LastPowerEvent(r.u8("last power event")?);
        let state = r.u8("miscellaneous chassis state")?;
        Ok(Self {
            power: PowerState(power & 0x1f),
            restore_policy: PowerRestorePolicy(power >> 5 & 0x03),
            last_event,
            state: ChassisState(state & 0x0f),
            identify: (state & IDENTIFY_SUPPORTED != 0).then_some(IdentifyState(state >> 4 & 0x03)),
            front_panel: r.u8("front panel buttons").ok().map(FrontPanelButtons),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn power_policy_event_and_identify_state_share_bytes() {
        check::request(&GetChassisStatus, &[], 0);
        let status = ChassisStatus {
            power: PowerState::ON | PowerState::FAULT,
            restore_policy: PowerRestorePolicy::PREVIOUS,
            last_event: LastPowerEvent::COMMAND,
            state: ChassisState::COOLING_FAULT,
            identify: Some(IdentifyState::INDEFINITE),
            front_panel: Some(FrontPanelButtons::RESET_DISABLED),
        };
        assert!(status.is_on());
        check::response(&status, &[0x29, 0x10, 0x68, 0x02], 3);
    }

    #[test]
    fn an_older_bmc_answers_three_bytes_and_no_identify_state() {
        let status = ChassisStatus {
            power: PowerState::NONE,
            restore_policy: PowerRestorePolicy::UNKNOWN,
            last_event: LastPowerEvent::NONE,
            state: ChassisState::INTRUSION,
            identify: None,
            front_panel: None,
        };
        assert!(!status.is_on());
        check::response(&status, &[0x60, 0x00, 0x01], 3);
    }
}
