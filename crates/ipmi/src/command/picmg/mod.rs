//! Commands of PICMG (group extension 00h): `AdvancedTCA`, `AdvancedMC`, `MicroTCA`, and firmware upgrade by HPM.1.
//!
//! ```
//! use ipmi::command::Command;
//! use ipmi::command::picmg::SetFruActivation;
//! use ipmi::number::FruActivation;
//! use ipmi::wire::Writer;
//!
//! let out = SetFruActivation { fru_id: 1, activation: FruActivation::DEACTIVATE };
//! let mut buffer = [0; 4];
//! let mut w = Writer::new(&mut buffer);
//! out.encode(&mut w);
//! // PICMG's group byte, the FRU, what to do.
//! assert_eq!(w.written(), [0, 1, 0]);
//! ```

mod control;
mod ekeying;
pub mod hpm;
mod led;
mod microtca;
mod power;
mod properties;
pub mod shelf;

pub use control::{
    FruActivationPolicy, FruControl, FruControlCapabilities, FruControlDone,
    GetFruActivationPolicy, GetFruControlCapabilities, SetFruActivation, SetFruActivationPolicy,
};
pub use ekeying::{
    AMC_LINKS_MAX, AmcClock, AmcLink, AmcPortStates, BusedResourceControl, BusedResourceStatus,
    ChannelSignaling, ClockResource, ClockSetting, GetAmcClockState, GetAmcPortState,
    GetChannelSignalingClass, GetPortState, LINKS_MAX, LinkDescriptor, PortStates, RunningClock,
    SetAmcClockState, SetAmcPortState, SetChannelSignalingClass, SetPortState,
};
pub use led::{
    FruLedProperties, FruLedState, GetFruLedProperties, GetFruLedState, GetLedColorCapabilities,
    LedBehaviour, LedColorCapabilities, SetFruLedState,
};
pub use microtca::{
    GetLocationInformation, GetPowerChannelStatus, GetTelcoAlarmCapability, LocationInformation,
    PmHeartbeat, PowerChannelControl, PowerChannelStatus, TelcoAlarmCapability,
};
pub use power::{
    FanLevel, FanSpeedProperties, GetFanLevel, GetFanSpeedProperties, GetPowerLevel,
    POWER_LEVELS_MAX, PowerLevels, SetFanLevel, SetPowerLevel,
};
pub use properties::{
    AddressInfo, DeviceLocatorRecordId, GetAddressInfo, GetDeviceLocatorRecordId,
    GetPicmgProperties, PicmgProperties,
};
pub use shelf::{
    FruInventoryLock, FruInventoryLockControl, FruInventoryWrite, FruInventoryWritten,
    GetShelfAddressInfo, SHELF_ADDRESS_MAX, ShelfAddressInfo,
};

use crate::command::layout::message;

message! {
    /// An answer without data of its own.
    pub struct PicmgDone in PICMG {}
}
