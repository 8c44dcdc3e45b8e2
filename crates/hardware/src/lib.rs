//! What a managed machine is, as plain data, and the seam that every source of machines implements.
//!
//! ```text
//!   fleet (IPMI) ─┐                                    ┌─► redfish-hardware ─► Redfish
//!   vbmc          ├─► trait Hardware: snapshots out ───┤
//!   openbmc       ┘                   changes in  ◄────┘
//!                                     updates out ───────► events, metrics
//! ```
//!
//! A [`Node`] is one managed machine (or an enclosure's controller) as known at one moment: an immutable
//! snapshot behind an `Arc`. Reading one never waits for a machine. What changes rarely
//! ([`Inventory`]) is shared between snapshots; what changes each second ([`Readings`]) lies beside it, indexed
//! alike. Wishes travel the other way as a [`Change`].
//!
//! **Invariant:** this crate knows no IPMI, D-Bus, Redfish, HTTP, clock or runtime; it is `no_std`.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod change;
mod firmware;
mod inventory;
mod journal;
mod log;
mod network;
mod node;
mod power_limit;
mod reading;
mod readings;
mod sensor;
mod sensor_class;
mod source;
mod topology;
mod uuid;

pub use change::{
    ApplyError, BootChange, BootMode, BootOverride, BootPersistence, BootTarget, Change,
    OWNER_TEXT_LEN_MAX, PowerAction, check_owner_text,
};
pub use firmware::{FirmwareComponent, Installation, InstallationWatch, MAX_IMAGE_BYTES};
pub use inventory::{Asset, Capacity, Inventory, MAX_SENSORS, Nameplates, Part, Parts};
pub use journal::{LogEvent, LogJournal, LogNews};
pub use log::{Log, LogEntry, LogEntryKind, LogText, MAX_LOG_ENTRIES, Severity};
pub use network::{AddressOrigin, Ipv4, Network, NetworkChange, Vlan};
pub use node::{Identity, Indicator, Link, Node, NodeId, NodeKind, Power};
pub use power_limit::{LimitAction, PowerLimit};
pub use reading::{Availability, Reading, ThresholdState};
pub use readings::{PackedReading, Readings, ReadingsIter, Scale, Scales};
pub use sensor::{Context, Quantity, Sensor, Threshold, Thresholds, Unit};
pub use sensor_class::{SensorClass, SensorIntervals};
pub use source::{ApplyFuture, Hardware, Observer, Update};
pub use topology::{Enclosure, EnclosureId, EnclosureKind, Labels, Location, Topology};
pub use uuid::{NoUuid, Uuid};
