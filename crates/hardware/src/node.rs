//! One managed machine as known at one moment.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::borrow::Borrow;
use core::fmt;
use core::net::IpAddr;

use crate::{
    BootOverride, EnclosureId, FirmwareComponent, Inventory, Labels, Log, Network, PowerLimit,
    Readings, SensorClass, SensorIntervals, Uuid,
};

/// The stable name of a node, unique in one source of hardware, fit for a URI segment
/// (`Rack1-Block1-Sled1-Node1`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(Arc<str>);

impl NodeId {
    /// The longest accepted name, in bytes.
    pub const LEN_MAX: usize = 128;

    /// Checks that `name` is 1 to [`Self::LEN_MAX`] of `A-Z a-z 0-9 . _ -` and doesn't start with a dot.
    /// `None` where it is not: such a name could not stand in a URI unescaped.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let fits = (1..=Self::LEN_MAX).contains(&name.len()) && !name.starts_with('.');
        let safe = name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        (fits && safe).then(|| Self(Arc::from(name)))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name, to be shared.
    #[must_use]
    pub const fn text(&self) -> &Arc<str> {
        &self.0
    }
}

/// Maps from names are looked up by text.
impl Borrow<str> for NodeId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Whether a node is a computer or the controller of an enclosure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// A computer with its own power state: becomes a Redfish `ComputerSystem`, `Chassis` and `Manager`.
    Computer,
    /// A controller whose sensors belong to an enclosure (a block's fans, a power bay's supplies): becomes
    /// a `Manager` and lends its sensors to the enclosure's `Chassis`.
    EnclosureController,
}

/// Power state of a node's host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Power {
    /// Not known: never heard from, or the machine doesn't say.
    #[default]
    Unknown,
    /// The host runs.
    On,
    /// The host is off; its BMC still answers.
    Off,
    /// On its way up.
    PoweringOn,
    /// On its way down.
    PoweringOff,
}

/// The identify light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Indicator {
    /// The machine doesn't tell.
    #[default]
    Unknown,
    /// Dark.
    Off,
    /// Lit or blinking for a limited time.
    Timed,
    /// Lit or blinking until switched off.
    On,
}

/// How good the connection to the machine's management controller is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// Not reached yet: first contact is under way.
    #[default]
    Connecting,
    /// Answering.
    Up,
    /// Not answering, or refusing us.
    Down {
        /// Why, in words an operator can act on: "wrong password for user 'admin'".
        reason: Arc<str>,
        /// Since when, in milliseconds since the Unix epoch.
        since_ms: u64,
    },
}

/// Who a machine says it is. Empty strings never occur: what isn't known is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The machine's UUID.
    pub uuid: Option<Uuid>,
    /// Firmware version of the management controller, as its maker writes it.
    pub controller_firmware: Option<Arc<str>>,
    /// Model or product of the management controller where it differs from the machine's.
    pub controller_model: Option<Arc<str>>,
    /// Management protocol version spoken ("IPMI 2.0").
    pub protocol: Option<Arc<str>>,
    /// The port at which the management controller speaks its management protocol.
    pub controller_port: Option<u16>,
    /// The controller's own UUID.
    pub controller_uuid: Option<Uuid>,
    /// Its network interface.
    pub network: Option<Network>,
    /// Whether the host's serial console can be had through the controller; `None` = not known.
    pub serial_console: Option<bool>,
    /// Version of the host's firmware (BIOS), as the host told the controller.
    pub bios_version: Option<Arc<str>>,
    /// The owner's tag of the machine that the controller keeps, beside the one of the nameplate.
    pub asset_tag: Option<Arc<str>>,
    /// The controller's own name.
    pub controller_name: Option<Arc<str>>,
    /// The host's name, as the host told the controller.
    pub host_name: Option<Arc<str>>,
    /// Firmware that can be replaced through the controller; none where it takes no firmware over the network.
    pub firmware: Arc<[FirmwareComponent]>,
    /// Names of the ways in which its controller deviates from its protocol, as far as was noticed.
    pub deviations: Arc<[Arc<str>]>,
}

/// One managed machine, as known at one moment; never changes once published.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name.
    pub id: NodeId,
    /// Computer or enclosure controller.
    pub kind: NodeKind,
    /// The innermost enclosure it sits in (its sled), where the source knows one.
    pub enclosure: Option<EnclosureId>,
    /// Where it stands and what else the operator says of it; equal ones may be shared.
    pub labels: Arc<Labels>,
    /// Network address of its controller, where known; also of one that never answered.
    pub address: Option<IpAddr>,
    /// Whether its controller answers.
    pub link: Link,
    /// Host power.
    pub power: Power,
    /// What the host boots from next, where the machine tells.
    pub boot: Option<BootOverride>,
    /// The identify light.
    pub indicator: Indicator,
    /// Its power limit; `None` where the machine knows none.
    pub power_limit: Option<PowerLimit>,
    /// Parts, names and the description of every sensor; equal machines may share one.
    pub inventory: Arc<Inventory>,
    /// Who this one is.
    pub identity: Arc<Identity>,
    /// One entry for each of `inventory.sensors`, in the same order.
    pub readings: Readings,
    /// The event log as followed so far.
    pub log: Arc<Log>,
    /// When any of `readings` were taken last, in milliseconds since the Unix epoch; 0 = never. Readings that could not be renewed
    /// then are [`Availability::Stale`](crate::Availability::Stale); where none could, this stays as it was.
    pub read_at_ms: u64,
    /// By how much earlier those of each class were taken, in milliseconds, in the order of [`SensorClass::ALL`]; `None` where all
    /// were taken then. See [`Self::class_read_at_ms`].
    pub read_earlier_ms: Option<Box<[u32; SensorClass::COUNT]>>,
    /// How often the readings of each class are taken; `None` where that is not known, or they are always of this moment.
    pub intervals: Option<Arc<SensorIntervals>>,
    /// Grows by at least one with each published snapshot of this node.
    pub revision: u64,
}

impl Node {
    /// When the readings of a class were taken last, in milliseconds since the Unix epoch; 0 = never.
    #[must_use]
    pub fn class_read_at_ms(&self, class: SensorClass) -> u64 {
        let earlier = self.read_earlier_ms.as_ref();
        let earlier = earlier.map_or(0, |earlier| earlier[class as usize]);
        self.read_at_ms.saturating_sub(earlier.into())
    }

    /// Readings of these classes were taken at `at_ms`.
    pub fn note_read(&mut self, at_ms: u64, classes: impl Fn(SensorClass) -> bool) {
        let later = at_ms.saturating_sub(self.read_at_ms);
        // So long ago is never in practice; what was never read has no reading that could be taken for one of then.
        let later = u32::try_from(later).unwrap_or(u32::MAX);
        self.read_at_ms = at_ms;
        if SensorClass::ALL.into_iter().all(&classes) {
            self.read_earlier_ms = None;
            return;
        }
        let earlier = self.read_earlier_ms.get_or_insert_default();
        for class in SensorClass::ALL {
            let earlier = &mut earlier[class as usize];
            *earlier = match classes(class) {
                true => 0,
                false => earlier.saturating_add(later),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_id_is_a_safe_uri_segment() {
        assert!(NodeId::new("Rack1-Block1-Sled1-Node1").is_some());
        for bad in ["", ".", "..", "a/b", "a b", "ä", "a?b", "a#b", "%41"] {
            assert!(NodeId::new(bad).is_none(), "{bad:?}");
        }
    }
}
