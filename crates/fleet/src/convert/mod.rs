//! What a BMC stores becomes what `hardware` knows: records to sensors, inventories to nameplates, events to log
//! entries.

mod log;
mod nameplate;
mod sensor;
mod severity;
mod unit;

pub(crate) use log::log;
pub(crate) use nameplate::{nameplate, part};
pub(crate) use sensor::{Described, describe, plan};
