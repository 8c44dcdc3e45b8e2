//! Get ACPI Power State (§20.7).

use crate::command::{Command, Message};
use crate::number::{AcpiDevicePowerState, AcpiSystemPowerState, NetFn};
use crate::wire::{Reader, WireError, Writer};

/// Asks which ACPI state software last told the controller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetAcpiPowerState;

/// The answer to [`GetAcpiPowerState`] (§20.7, table 20-7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcpiPowerState {
    /// State of the system; 7 bits.
    pub system: AcpiSystemPowerState,
    /// State of the device; 7 bits.
    pub device: AcpiDevicePowerState,
}

impl Command for GetAcpiPowerState {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x07;
    const NAME: &'static str = "Get ACPI Power State";
    const IDEMPOTENT: bool = true;
    type Response = AcpiPowerState;

    fn encode(&self, _: &mut Writer<'_>) {}

    fn decode(_: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self)
    }
}

impl Message for AcpiPowerState {
    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.system.0 & 0x7f, self.device.0 & 0x7f]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            system: AcpiSystemPowerState(r.u8("ACPI system power state")? & 0x7f),
            device: AcpiDevicePowerState(r.u8("ACPI device power state")? & 0x7f),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn system_and_device_states_are_a_byte_each() {
        check::request(&GetAcpiPowerState, &[], 0);
        let state = AcpiPowerState {
            system: AcpiSystemPowerState::LEGACY_ON,
            device: AcpiDevicePowerState::D3,
        };
        check::response(&state, &[0x20, 0x03], 2);
    }
}
