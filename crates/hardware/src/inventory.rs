//! What changes rarely: parts, names, and the description of every sensor.

use alloc::sync::Arc;

use crate::{Context, Sensor};

/// The most sensors one node may have; sources ignore (and count) what is beyond.
pub const MAX_SENSORS: usize = 4096;

/// A thing with a nameplate: chassis, board, product, power supply. Empty strings never occur.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asset {
    /// What the source calls it ("Builtin FRU Device", "PSU1").
    pub name: Option<Arc<str>>,
    /// Who made it.
    pub manufacturer: Option<Arc<str>>,
    /// Product name or model.
    pub model: Option<Arc<str>>,
    /// Part or model number.
    pub part_number: Option<Arc<str>>,
    /// Version of the part.
    pub version: Option<Arc<str>>,
    /// Serial number.
    pub serial_number: Option<Arc<str>>,
    /// The owner's tag.
    pub asset_tag: Option<Arc<str>>,
    /// When it was made, in seconds since the Unix epoch.
    pub manufactured_at_s: Option<u64>,
}

/// How much a part can do, where its nameplate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capacity {
    /// The most that a power supply delivers, in watts.
    Watts(u16),
    /// What a memory module holds, in MiB.
    Mebibytes(u32),
}

/// A part with a nameplate of its own: a power supply, a processor, a memory module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Its nameplate.
    pub asset: Asset,
    /// What kind of part it is.
    pub context: Context,
    /// Which of several, counted as [`Sensor::instance`]: sensors of this context and instance look at this part.
    pub instance: u16,
    /// How much it can do.
    pub capacity: Option<Capacity>,
}

/// What changes rarely; shared between snapshots of a node and, where equal, between nodes.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// The machine as sold.
    pub product: Asset,
    /// Its main board.
    pub board: Asset,
    /// Its case.
    pub chassis: Asset,
    /// Further parts with a nameplate of their own.
    pub parts: Arc<[Part]>,
    /// Every sensor, in the machine's own order; at most [`MAX_SENSORS`].
    pub sensors: Arc<[Sensor]>,
}
