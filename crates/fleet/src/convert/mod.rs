//! What a BMC stores becomes what `hardware` knows: records to sensors, inventories to nameplates, events to log
//! entries.

mod log;
mod nameplate;
mod network;
mod power_limit;
mod sensor;
mod severity;
mod unit;

pub(crate) use log::log;
pub(crate) use nameplate::{module, nameplate, part};
pub(crate) use network::{LanSettings, network};
pub(crate) use power_limit::power_limit;
pub(crate) use sensor::{Described, describe, plan};
