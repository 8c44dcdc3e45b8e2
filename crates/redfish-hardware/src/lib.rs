//! The one mapping from hardware facts to Redfish resources.
//!
//! ```text
//!   GET   redfish::Backend::get ─► backend.rs: path ─► Hardware::node: snapshot ─► one file a resource ─► JSON
//!   PATCH, action              ─► change.rs: wish  ─► Hardware::apply          ─► Outcome or Failure
//!   watch ─► Hardware::observe ─► event.rs: before and after compared          ─► redfish::EventSink
//! ```
//!
//! A resource is built from the snapshot of the moment and serialised once. Between two requests there are only an index
//! of what sits in what (`tree.rs`) and a bounded number of documents (`kept.rs`), each right as long as the snapshot that
//! it was made of is the newest.
//!
//! Rules that hold everywhere:
//! - What a machine doesn't tell is absent; what it tells at other times is `null`. No value is made up.
//! - A machine that doesn't answer has no readings. The last ones are history, not state.
//! - Numeric sensors are `Sensor` resources. What discrete ones say goes into the `Status` of the part concerned.
//! - Values have as many digits as the sensor can tell apart.
//!
//! **Invariant:** no other crate names both a hardware fact and a Redfish property.

#![forbid(unsafe_code)]

mod backend;
mod change;
mod chassis;
mod environment_metrics;
mod ethernet_interface;
mod event;
mod inventory;
mod kept;
mod log;
mod manager;
mod memory;
mod network_protocol;
mod number;
mod part;
mod power;
mod power_subsystem;
mod processor;
mod redundancy;
mod sensor;
mod status;
mod system;
mod telemetry;
mod template;
mod thermal;
mod thermal_subsystem;
mod tree;
mod unit;
mod update;
mod uri;

pub use backend::HardwareBackend;
pub use number::rounded;
pub use uri::resources_of;
