//! Racks, blocks, sleds, power bays: what nodes sit in.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use crate::{Asset, NodeId};

/// The stable name of an enclosure, unique in one source (`Rack1-Block1-Sled1`); same alphabet as [`NodeId`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnclosureId(NodeId);

impl EnclosureId {
    /// Checks the name as [`NodeId::new`] does.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        NodeId::new(name).map(Self)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for EnclosureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for EnclosureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// What kind of enclosure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnclosureKind {
    /// A rack.
    Rack,
    /// A group of sleds with common cooling.
    Block,
    /// A tray with one or more nodes.
    Sled,
    /// A shelf of power supplies.
    PowerBay,
}

/// Where in the building.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// Site or building.
    pub site: Option<Arc<str>>,
    /// Row.
    pub row: Option<Arc<str>>,
    /// Rack.
    pub rack: Option<Arc<str>>,
    /// Rack unit, counted from the bottom.
    pub unit: Option<u16>,
}

/// What the operator says of a machine: where it stands, and labels of his own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// Where it stands.
    pub location: Location,
    /// Labels that mean something to the operator only: name and value, sorted by name.
    pub others: Box<[(Arc<str>, Arc<str>)]>,
}

/// Something that holds nodes or other enclosures.
#[derive(Clone, Debug)]
pub struct Enclosure {
    /// Its name.
    pub id: EnclosureId,
    /// Which kind.
    pub kind: EnclosureKind,
    /// What it sits in.
    pub parent: Option<EnclosureId>,
    /// The node of kind `EnclosureController` whose sensors and power supplies are this enclosure's.
    pub controller: Option<NodeId>,
    /// Its nameplate.
    pub asset: Asset,
    /// Where it stands.
    pub location: Location,
}

/// Every enclosure of a source, parents before children. Changes only with the configuration.
#[derive(Clone, Debug, Default)]
pub struct Topology {
    /// The enclosures.
    pub enclosures: Arc<[Enclosure]>,
}

impl Topology {
    /// The enclosure of this name.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Enclosure> {
        self.enclosures.iter().find(|e| e.id.as_str() == id)
    }

    /// The enclosures directly inside this one.
    pub fn children<'a>(&'a self, id: &'a EnclosureId) -> impl Iterator<Item = &'a Enclosure> {
        self.enclosures
            .iter()
            .filter(move |e| e.parent.as_ref() == Some(id))
    }
}
