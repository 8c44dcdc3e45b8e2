//! Commands of VITA 46.11, system management on VPX (group extension 03h). They are much like PICMG's.
//!
//! ```
//! use ipmi::command::Command;
//! use ipmi::command::vita::GetVsoCapabilities;
//! use ipmi::wire::Writer;
//!
//! let mut buffer = [0; 4];
//! let mut w = Writer::new(&mut buffer);
//! GetVsoCapabilities.encode(&mut w);
//! assert_eq!(w.written(), [3]);
//! ```

mod chassis;
mod fru;

pub use chassis::{
    ChassisAddressTable, ChassisIdentifier, GetChassisAddressTable, GetChassisIdentifier,
    GetVsoCapabilities, SetChassisIdentifier, SetIpmbState, VITA_TEXT_MAX, VsoCapabilities,
};
pub use fru::{
    GetVitaFruAddressInfo, GetVitaFruControlCapabilities, GetVitaFruHash, GetVitaFruLedProperties,
    GetVitaFruLedState, GetVitaFruPolicy, GetVitaLedColors, GetVitaLocatorRecordId,
    GetVitaMandatorySensors, GetVitaPayloadModes, SetVitaFruActivation, SetVitaFruLedState,
    SetVitaFruPolicy, SetVitaPayloadMode, VitaFruAddressInfo, VitaFruControl,
    VitaFruControlCapabilities, VitaFruHash, VitaFruLedProperties, VitaFruLedState, VitaFruPolicy,
    VitaLedColors, VitaLocatorRecordId, VitaMandatorySensors, VitaPayloadModeSet, VitaPayloadModes,
};

use crate::command::layout::message;

message! {
    /// An answer without data of its own.
    pub struct VitaDone in VSO {}
}
