//! A site as a source of [`Hardware`], without a network in between: for tests of what is above, and for a service that
//! needs no BMCs.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hardware::{
    AddressOrigin, ApplyError, ApplyFuture, BootMode, BootOverride, BootPersistence, BootTarget,
    Change, EnclosureId, FirmwareComponent, Hardware, Indicator, Installation, Inventory, Ipv4,
    Link, Log, Network, Node, NodeId, NodeKind, Observer, Power, PowerAction, Readings, Sensor,
    Topology, Update, Uuid, Vlan,
};
use ipmi::command::chassis::BootFlags;
use ipmi::number::{BootDevice, BootFlagKeep, BootType, ChassisControlAction, IdentifyState};
use ipmi::time::Instant;
use ipmi::upgrade::UpgradeImage;

use crate::describe;
use crate::fru::Nameplates;
use crate::handler::transport::{NETMASK, mac};
use crate::log::LOG_ENTRIES_MAX;
use crate::machine::Machine;
use crate::profile::{BIOS_VERSION, DEVICE_ID, MANUFACTURER_ID, Model};
use crate::site::Site;

/// A site as a source of machines. Snapshots are made when somebody asks; [`Self::publish`] looks at all machines and
/// tells observers what changed.
pub struct InProcess {
    site: Arc<Site>,
    clock: Box<dyn Fn() -> Instant + Send + Sync>,
    pages: Box<[Mutex<Page>]>,
    observers: Mutex<Vec<Arc<dyn Observer>>>,
}

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InProcess")
            .field("machines", &self.site.len())
            .finish_non_exhaustive()
    }
}

/// The newest snapshot of one machine, and of what it was made.
#[derive(Debug)]
struct Page {
    node: Arc<Node>,
    made_of: u64,
    log_made_of: u64,
    /// What observers know.
    told: Arc<Node>,
}

impl InProcess {
    /// The machines of `site`, at the time that `clock` gives.
    pub fn new(site: Arc<Site>, clock: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        let now = clock();
        let mut shared: [Option<Arc<[Sensor]>>; 3] = [None, None, None];
        let page = |index| {
            let machine = site.machine(index, now);
            let profile = machine.profile();
            let sensors =
                shared[profile.model as usize].get_or_insert_with(|| describe::sensors(profile));
            let node = Arc::new(first_snapshot(&site, index, &machine, Arc::clone(sensors)));
            let (made_of, log_made_of) = (machine.revision(), machine.log().generation());
            Mutex::new(Page {
                told: Arc::clone(&node),
                node,
                made_of,
                log_made_of,
            })
        };
        let pages = (0..site.len()).map(page).collect();
        Self {
            site,
            clock: Box::new(clock),
            pages,
            observers: Mutex::new(Vec::new()),
        }
    }

    /// Looks at every machine and tells observers what changed since the last time.
    pub fn publish(&self) {
        for index in 0..self.site.len() {
            self.publish_one(index);
        }
    }

    fn publish_one(&self, index: u32) {
        let after = self.snapshot(index);
        let before = {
            let mut page = lock(&self.pages[index as usize]);
            if after.revision <= page.told.revision {
                return;
            }
            std::mem::replace(&mut page.told, Arc::clone(&after))
        };
        let update = Update::Changed { before, after };
        for observer in lock(&self.observers).iter() {
            observer.updated(&update);
        }
    }

    /// The newest snapshot, made anew where the machine has moved on.
    fn snapshot(&self, index: u32) -> Arc<Node> {
        let machine = self.site.machine(index, (self.clock)());
        let mut page = lock(&self.pages[index as usize]);
        if page.made_of != machine.revision() {
            page.made_of = machine.revision();
            let log = (page.log_made_of != machine.log().generation()).then(|| {
                page.log_made_of = machine.log().generation();
                Arc::new(log(&machine))
            });
            page.node = Arc::new(next_snapshot(&page.node, &machine, log));
        }
        Arc::clone(&page.node)
    }

    fn change(&self, id: &NodeId, change: &Change) -> Result<(), ApplyError> {
        let index = self.site.index_of(id).ok_or(ApplyError::Absent)?;
        let mut machine = self.site.machine(index, (self.clock)());
        match change {
            Change::Power(action) => control(&mut machine, *action)?,
            Change::Boot(_) if machine.profile().model != Model::Node => {
                return Err(unsupported("a boot override"));
            }
            Change::Boot(change) => {
                let boot = change.on(boot_override(&machine.host().boot().flags));
                let boot =
                    boot.ok_or_else(|| wrong_state("there is no boot target to override with"))?;
                machine.set_boot_flags(flags(&boot), BootFlagKeep::TIMEOUT);
            }
            Change::Indicator(on) => machine.identify(if *on { None } else { Some(0) }),
            Change::ClearLog => machine.clear_log(),
            // Without a network there are no sessions to lose, and the state outlives a restart.
            Change::ResetController => {}
            Change::Network(_) => return Err(unsupported("other network settings")),
            Change::AssetTag(_) | Change::ControllerName(_) => {
                return Err(unsupported("texts of its owner"));
            }
            Change::Firmware(installation) => install(&mut machine, installation)?,
        }
        drop(machine);
        self.publish_one(index);
        Ok(())
    }
}

impl Hardware for InProcess {
    fn node_ids(&self) -> Arc<[NodeId]> {
        Arc::clone(self.site.ids())
    }

    fn node(&self, id: &str) -> Option<Arc<Node>> {
        let index = self.site.index_of(&NodeId::new(id)?)?;
        Some(self.snapshot(index))
    }

    fn topology(&self) -> Arc<Topology> {
        Arc::clone(self.site.topology())
    }

    fn apply(&self, id: &NodeId, change: Change) -> ApplyFuture {
        let outcome = self.change(id, &change);
        Box::pin(std::future::ready(outcome))
    }

    fn observe(&self, observer: Arc<dyn Observer>) {
        lock(&self.observers).push(observer);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is inside is consistent after each statement; a panic elsewhere while it was locked does not matter.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unsupported(what: &str) -> ApplyError {
    ApplyError::Unsupported { what: what.into() }
}

fn wrong_state(reason: &str) -> ApplyError {
    ApplyError::WrongState {
        reason: reason.into(),
    }
}

fn control(machine: &mut Machine, action: PowerAction) -> Result<(), ApplyError> {
    if machine.profile().model != Model::Node {
        return Err(unsupported("power control: it has no host"));
    }
    let action = match action {
        PowerAction::On => ChassisControlAction::POWER_UP,
        PowerAction::ForceOff => ChassisControlAction::POWER_DOWN,
        PowerAction::GracefulShutdown => ChassisControlAction::SOFT_SHUTDOWN,
        PowerAction::ForceRestart => ChassisControlAction::HARD_RESET,
        PowerAction::PowerCycle => ChassisControlAction::POWER_CYCLE,
        PowerAction::Nmi => ChassisControlAction::DIAGNOSTIC_INTERRUPT,
    };
    let refused = |_| wrong_state("the host is off");
    machine.control(action).map_err(refused)
}

/// Installs what the image has for this machine, but for what runs already. All of it is checked before any of it.
fn install(machine: &mut Machine, installation: &Installation) -> Result<(), ApplyError> {
    let wrong = |reason: String| ApplyError::WrongImage { reason };
    let profile = machine.profile();
    let (model, product) = (profile.model, profile.product_id);
    if model != Model::Node {
        return Err(unsupported("firmware upgrades"));
    }
    let image = UpgradeImage::parse(&installation.image).map_err(|e| wrong(e.to_string()))?;
    let header = image.header;
    let is_for = (header.device_id, header.manufacturer, header.product);
    if is_for != (DEVICE_ID, MANUFACTURER_ID, product) {
        return Err(wrong("the image is for another product".to_owned()));
    }
    let wanted = |number: u8| installation.component.is_none_or(|only| only == number);
    let mut uploads: Vec<_> = image.uploads().filter(|up| wanted(up.component)).collect();
    if uploads.is_empty() {
        return Err(wrong("the image has nothing for this component".to_owned()));
    }
    let components = &machine.controller().firmware.components;
    let runs = |number: u8| components.get(usize::from(number)).map(|one| one.current);
    uploads.retain(|up| installation.force || runs(up.component) != Some(up.version));
    if uploads.is_empty() {
        return Err(ApplyError::UpToDate);
    }
    if installation.watch.is_cancelled() {
        return Err(ApplyError::Cancelled);
    }
    for (number, upload) in (1..).zip(&uploads) {
        if !machine.install_firmware(upload.component, upload.data) {
            return Err(ApplyError::Refused {
                reason: "the firmware is not for this component, or damaged".to_owned(),
            });
        }
        let percent = number * 100 / uploads.len();
        installation.watch.progress(percent as u8);
    }
    Ok(())
}

/// Its firmware as its controller tells of it (HPM.1).
fn firmware(machine: &Machine) -> Arc<[FirmwareComponent]> {
    if machine.profile().model != Model::Node {
        return Arc::default();
    }
    let components = machine.controller().firmware.components;
    let numbered = (0..).zip(components);
    numbered
        .map(|(number, component)| FirmwareComponent {
            number,
            name: Some(component.name.into()),
            version: Some(component.current.to_string().into()),
        })
        .collect()
}

/// Who it is with the firmware that it has now.
fn identity(before: &Arc<hardware::Identity>, machine: &Machine) -> Arc<hardware::Identity> {
    let firmware = firmware(machine);
    let version = machine.controller().firmware.version().to_string();
    if before.controller_firmware.as_deref() == Some(&*version) && before.firmware == firmware {
        return Arc::clone(before);
    }
    Arc::new(hardware::Identity {
        controller_firmware: Some(version.into()),
        firmware,
        ..(**before).clone()
    })
}

fn flags(boot: &BootOverride) -> BootFlags {
    BootFlags {
        valid: boot.persistence != BootPersistence::Disabled,
        persistence: if boot.persistence == BootPersistence::Continuous {
            ipmi::number::BootPersistence::ALL_BOOTS
        } else {
            ipmi::number::BootPersistence::NEXT_BOOT
        },
        boot_type: if boot.mode == BootMode::Uefi {
            BootType::EFI
        } else {
            BootType::PC_COMPATIBLE
        },
        device: match boot.target {
            BootTarget::None => BootDevice::NO_OVERRIDE,
            BootTarget::Pxe => BootDevice::PXE,
            BootTarget::Disk => BootDevice::DISK,
            BootTarget::Cd => BootDevice::CD_DVD,
            BootTarget::Removable => BootDevice::PRIMARY_REMOVABLE,
            BootTarget::Setup => BootDevice::BIOS_SETUP,
            BootTarget::Diagnostics => BootDevice::DIAGNOSTIC_PARTITION,
        },
        ..BootFlags::default()
    }
}

fn boot_override(flags: &BootFlags) -> BootOverride {
    let mode = if flags.boot_type == BootType::EFI {
        BootMode::Uefi
    } else {
        BootMode::Legacy
    };
    let target = match flags.device {
        BootDevice::PXE => BootTarget::Pxe,
        BootDevice::DISK | BootDevice::DISK_SAFE_MODE | BootDevice::REMOTE_DISK => BootTarget::Disk,
        BootDevice::CD_DVD | BootDevice::REMOTE_CD_DVD => BootTarget::Cd,
        BootDevice::PRIMARY_REMOVABLE | BootDevice::REMOTE_REMOVABLE => BootTarget::Removable,
        BootDevice::BIOS_SETUP => BootTarget::Setup,
        BootDevice::DIAGNOSTIC_PARTITION => BootTarget::Diagnostics,
        _ => BootTarget::None,
    };
    match (
        flags.valid,
        flags.persistence == ipmi::number::BootPersistence::ALL_BOOTS,
    ) {
        (false, _) => BootOverride {
            mode,
            ..BootOverride::default()
        },
        (true, false) => BootOverride {
            target,
            persistence: BootPersistence::Once,
            mode,
        },
        (true, true) => BootOverride {
            target,
            persistence: BootPersistence::Continuous,
            mode,
        },
    }
}

fn first_snapshot(site: &Site, index: u32, machine: &Machine, sensors: Arc<[Sensor]>) -> Node {
    let slot = site.slot(index);
    let plates = Nameplates::of(machine);
    let is_node = machine.profile().model == Model::Node;
    let plates = hardware::Nameplates {
        product: plates.product,
        board: plates.board,
        chassis: plates.chassis,
        parts: plates.parts,
    };
    let inventory = Inventory::new(plates, sensors);
    let uuid = Uuid::from_bytes(site.uuid(index).to_be_bytes());
    let identity = hardware::Identity {
        uuid: Some(uuid),
        controller_firmware: Some(machine.controller().firmware.version().to_string().into()),
        controller_model: None,
        protocol: Some("IPMI 2.0".into()),
        // Neither port nor console can be had without a network.
        controller_port: None,
        controller_uuid: Some(uuid),
        network: Some(network(site.address(index))),
        serial_console: None,
        bios_version: is_node.then(|| BIOS_VERSION.into()),
        asset_tag: None,
        controller_name: None,
        host_name: Some(machine.identity().id.to_string().into()),
        firmware: firmware(machine),
        deviations: Arc::default(),
    };
    let blank = Node {
        id: machine.identity().id.clone(),
        kind: if is_node {
            NodeKind::Computer
        } else {
            NodeKind::EnclosureController
        },
        enclosure: slot.and_then(|slot| EnclosureId::new(&slot.enclosure())),
        labels: Arc::default(),
        address: Some(site.address(index).into()),
        link: Link::Up,
        power: Power::Unknown,
        boot: None,
        indicator: Indicator::Unknown,
        power_limit: None,
        inventory: Arc::new(inventory),
        identity: Arc::new(identity),
        readings: Readings::default(),
        log: Arc::default(),
        read_at_ms: 0,
        read_earlier_ms: None,
        intervals: None,
        revision: 0,
    };
    next_snapshot(&blank, machine, Some(Arc::new(log(machine))))
}

/// The same that LAN configuration parameters tell.
fn network(address: Ipv4Addr) -> Network {
    Network {
        mac: Some(mac(address)),
        ipv4: Some(Ipv4 {
            address,
            netmask: Some(NETMASK.into()),
            gateway: None,
            origin: AddressOrigin::Static,
        }),
        vlan: Some(Vlan::default()),
    }
}

fn next_snapshot(before: &Node, machine: &Machine, log: Option<Arc<Log>>) -> Node {
    let is_node = machine.profile().model == Model::Node;
    Node {
        power: if machine.host().is_on() {
            Power::On
        } else {
            Power::Off
        },
        boot: is_node.then(|| boot_override(&machine.host().boot().flags)),
        identity: identity(&before.identity, machine),
        indicator: match machine.identify_state() {
            IdentifyState::OFF => Indicator::Off,
            IdentifyState::TEMPORARY => Indicator::Timed,
            _ => Indicator::On,
        },
        readings: describe::readings(machine.profile(), machine.samples()),
        log: log.unwrap_or_else(|| Arc::clone(&before.log)),
        read_at_ms: 1_000 * (machine.identity().epoch_s + machine.at_s()),
        revision: before.revision + 1,
        ..before.clone()
    }
}

fn log(machine: &Machine) -> Log {
    let log = machine.log();
    let entries = log
        .entries()
        .iter()
        .map(|raw| describe::log_entry(machine.profile(), raw));
    Log {
        entries: entries.collect(),
        capacity: u32::try_from(LOG_ENTRIES_MAX).ok(),
        overflowed: log.overflowed(),
        complete: true,
        ..Log::default()
    }
}
