//! Get Chassis Capabilities (§28.1).

use crate::command::{Command, Message};
use crate::number::{ChassisCapabilities, NetFn};
use crate::wire::{Reader, WireError, Writer};

/// Asks what the chassis offers and on which IPMB addresses its devices are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetChassisCapabilities;

/// The answer to [`GetChassisCapabilities`] (§28.1, table 28-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChassisCapabilitiesResponse {
    /// What the chassis offers.
    pub capabilities: ChassisCapabilities,
    /// IPMB address of the FRU inventory device; 00h for none.
    pub fru_address: u8,
    /// IPMB address of the SDR device; 00h for none.
    pub sdr_address: u8,
    /// IPMB address of the SEL device; 00h for none.
    pub sel_address: u8,
    /// IPMB address of the system management device; 00h for none.
    pub management_address: u8,
    /// IPMB address of the bridge device; absent means 20h, the BMC.
    pub bridge_address: Option<u8>,
}

impl Command for GetChassisCapabilities {
    const NETFN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x00;
    const NAME: &'static str = "Get Chassis Capabilities";
    const IDEMPOTENT: bool = true;
    type Response = ChassisCapabilitiesResponse;

    fn encode(&self, _: &mut Writer<'_>) {}

    fn decode(_: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self)
    }
}

impl Message for ChassisCapabilitiesResponse {
    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[
            self.capabilities.0,
            self.fru_address,
            self.sdr_address,
            self.sel_address,
            self.management_address,
        ]);
        if let Some(address) = self.bridge_address {
            w.u8(address);
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            capabilities: ChassisCapabilities(r.u8("capabilities flags")?),
            fru_address: r.u8("FRU device address")?,
            sdr_address: r.u8("SDR device address")?,
            sel_address: r.u8("SEL device address")?,
            management_address: r.u8("system management device address")?,
            bridge_address: r.u8("bridge device address").ok(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn the_bridge_address_is_optional() {
        check::request(&GetChassisCapabilities, &[], 0);
        let response = ChassisCapabilitiesResponse {
            capabilities: ChassisCapabilities::INTRUSION_SENSOR
                | ChassisCapabilities::POWER_INTERLOCK,
            fru_address: 0x20,
            sdr_address: 0x20,
            sel_address: 0x20,
            management_address: 0x22,
            bridge_address: Some(0x24),
        };
        check::response(&response, &[0x09, 0x20, 0x20, 0x20, 0x22, 0x24], 5);
        let without = ChassisCapabilitiesResponse {
            bridge_address: None,
            ..response
        };
        check::response(&without, &[0x09, 0x20, 0x20, 0x20, 0x22], 5);
    }
}
