//! Which resource lies where: paths taken apart.

use std::sync::{Arc, OnceLock};

use hardware::{Enclosure, Hardware, Node, NodeKind};
use redfish::{
    ActionCall, Backend, BackendFuture, Document, EventSink, Failure, NotDone, Outcome, Path,
    RootLink, Template, Updater,
};
use redfish_schema::{CheckedPatch, Resource};

use crate::change::{self, Wish};
use crate::event::Watch;
use crate::kept::KeptDocuments;
use crate::template::TEMPLATES;
use crate::tree::{Collections, Tree, TreeCache};
use crate::update::TakesFirmware;
use crate::{
    chassis, environment_metrics, ethernet_interface, inventory, log, manager, memory,
    network_protocol, power, power_subsystem, processor, sensor, system, telemetry, thermal,
    thermal_subsystem, uri,
};

const ROOTS: [RootLink; 3] = [
    RootLink {
        name: "Systems",
        uri: uri::SYSTEMS,
    },
    RootLink {
        name: "Chassis",
        uri: uri::CHASSIS,
    },
    RootLink {
        name: "Managers",
        uri: uri::MANAGERS,
    },
];

/// A source of machines as a Redfish backend.
///
/// | Hardware                         | Redfish                                             |
/// |----------------------------------|-----------------------------------------------------|
/// | node that is a computer          | `Systems/{id}`, `Chassis/{id}`, `Managers/{id}`     |
/// | node that controls an enclosure  | `Managers/{id}`; sensors in the enclosure's chassis |
/// | enclosure                        | `Chassis/{id}`                                      |
///
/// Every GET is answered from the newest snapshot in memory and never waits for a machine. A change waits for the
/// machine's acknowledgement, within the time limit of the source.
pub struct HardwareBackend {
    hardware: Arc<dyn Hardware>,
    tree: Arc<TreeCache>,
    kept: KeptDocuments,
    takes_firmware: Arc<TakesFirmware>,
}

impl std::fmt::Debug for HardwareBackend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HardwareBackend").finish_non_exhaustive()
    }
}

/// What a chassis path leads to.
enum Place<'a> {
    /// An enclosure and, where it has one, the controller that lends it sensors.
    Enclosure(&'a Enclosure, Option<Arc<Node>>),
    /// A node that is a chassis of its own.
    Node(Arc<Node>),
}

impl HardwareBackend {
    /// A backend that shows and changes these machines.
    #[must_use]
    pub fn new(hardware: Arc<dyn Hardware>) -> Self {
        Self {
            hardware,
            tree: Arc::default(),
            kept: KeptDocuments::default(),
            takes_firmware: Arc::default(),
        }
    }

    /// The machines behind it.
    pub(crate) fn hardware(&self) -> &dyn Hardware {
        &*self.hardware
    }

    fn tree(&self) -> Arc<Tree> {
        self.tree.current(&*self.hardware)
    }

    fn node(&self, id: &str) -> Result<Arc<Node>, Failure> {
        self.hardware.node(id).ok_or(Failure::NotFound)
    }

    fn computer(&self, id: &str) -> Result<Arc<Node>, Failure> {
        self.node(id)
            .ok()
            .filter(|node| node.kind == NodeKind::Computer)
            .ok_or(Failure::NotFound)
    }

    fn place<'a>(&self, tree: &'a Tree, id: &str) -> Result<Place<'a>, Failure> {
        if let Some(enclosure) = tree.enclosure(id) {
            let controller = enclosure.controller.as_ref();
            let controller = controller.and_then(|node| self.hardware.node(node.as_str()));
            return Ok(Place::Enclosure(enclosure, controller));
        }
        let node = self.node(id)?;
        if tree.has_own_chassis(&node.id, node.kind) {
            Ok(Place::Node(node))
        } else {
            Err(Failure::NotFound)
        }
    }

    /// The node whose sensors a chassis has.
    fn sensing_node(&self, id: &str) -> Result<Arc<Node>, Failure> {
        match self.place(&self.tree(), id)? {
            Place::Node(node) | Place::Enclosure(_, Some(node)) => Ok(node),
            Place::Enclosure(_, None) => Err(Failure::NotFound),
        }
    }

    fn read(&self, path: &Path) -> Result<Document, Failure> {
        match *path.segments() {
            ["Systems"] => self.of_tree(
                |kept| &kept.systems,
                |tree| document(&system::collection(&tree.computers)),
            ),
            ["Systems", id] => self.of_node(path, &self.computer(id)?, |node| {
                let system = document(&system::resource(node))?.changeable();
                Ok(system.settable_later(path.as_str()))
            }),
            ["Systems", id, ref rest @ ..] => {
                self.of_node(path, &self.computer(id)?, |node| system_part(node, rest))
            }
            ["Chassis"] => self.of_tree(
                |kept| &kept.chassis,
                |tree| document(&chassis::collection(tree)),
            ),
            ["Chassis", id] => self.chassis(id),
            ["Chassis", id, ref rest @ ..] => {
                let node = self.sensing_node(id)?;
                self.of_node(path, &node, |node| chassis_part(id, node, rest))
            }
            ["Managers"] => self.of_tree(
                |kept| &kept.managers,
                |tree| document(&manager::collection(tree.nodes())),
            ),
            ["Managers", id] => document(&manager::resource(&self.tree(), &*self.node(id)?)),
            ["Managers", id, "LogServices", ref rest @ ..] => {
                self.of_node(path, &self.node(id)?, |node| log_part(node, rest))
            }
            ["Managers", id, ref rest @ ..] => {
                self.of_node(path, &self.node(id)?, |node| manager_part(path, node, rest))
            }
            ["UpdateService", "FirmwareInventory"] => {
                document(&inventory::collection(&*self.hardware, &self.tree()))
            }
            ["UpdateService", "FirmwareInventory", id] => {
                found(inventory::resource(&*self.hardware, id))
            }
            ["TelemetryService", ref rest @ ..] => self.telemetry(rest),
            _ => Err(Failure::NotFound),
        }
    }

    /// A document that shows nothing but what there is, not how it is.
    fn of_tree(
        &self,
        place: impl FnOnce(&Collections) -> &OnceLock<Document>,
        make: impl FnOnce(&Tree) -> Result<Document, Failure>,
    ) -> Result<Document, Failure> {
        let tree = self.tree();
        let place = place(&tree.collections);
        if let Some(kept) = place.get() {
            return Ok(kept.clone());
        }
        let document = make(&tree)?.shared();
        Ok(place.get_or_init(|| document).clone())
    }

    /// A document that shows nothing but this snapshot: `make` may look at nothing else that can change.
    fn of_node(
        &self,
        path: &Path,
        node: &Arc<Node>,
        make: impl FnOnce(&Arc<Node>) -> Result<Document, Failure>,
    ) -> Result<Document, Failure> {
        self.kept.get(path, node, || make(node))
    }

    fn chassis(&self, id: &str) -> Result<Document, Failure> {
        let tree = self.tree();
        match self.place(&tree, id)? {
            Place::Node(node) => Ok(document(&chassis::of_node(&tree, &node))?.changeable()),
            Place::Enclosure(enclosure, controller) => {
                let controller = controller.as_deref();
                let chassis = chassis::of_enclosure(&*self.hardware, &tree, enclosure, controller);
                let document = document(&chassis)?;
                // Only a controller can light the light.
                Ok(if controller.is_some() {
                    document.changeable()
                } else {
                    document
                })
            }
        }
    }

    fn telemetry(&self, rest: &[&str]) -> Result<Document, Failure> {
        match *rest {
            ["MetricReports"] => document(&telemetry::reports()),
            ["MetricReports", telemetry::NODES] => {
                document(&telemetry::report(&*self.hardware, &self.tree()))
            }
            ["MetricReportDefinitions"] => document(&telemetry::report_definitions()),
            ["MetricReportDefinitions", telemetry::NODES] => {
                document(&telemetry::report_definition())
            }
            ["MetricDefinitions"] => document(&telemetry::definitions()),
            ["MetricDefinitions", id] => found(telemetry::definition(&*self.hardware, id)),
            _ => Err(Failure::NotFound),
        }
    }

    fn wishes(&self, path: &Path, patch: &CheckedPatch) -> Result<(Arc<Node>, Vec<Wish>), Failure> {
        match *path.segments() {
            ["Systems", id] => {
                let node = self.computer(id)?;
                let wishes = change::of_system(patch)?;
                Ok((node, wishes))
            }
            ["Chassis", id] => match self.place(&self.tree(), id)? {
                Place::Node(node) | Place::Enclosure(_, Some(node)) => {
                    Ok((node, change::of_chassis(patch)?))
                }
                Place::Enclosure(_, None) => Err(Failure::NotChangeable),
            },
            [
                "Managers",
                id,
                "EthernetInterfaces",
                ethernet_interface::LAN,
            ] => {
                let node = self.node(id)?;
                let wishes = change::of_interface(&node, patch)?;
                Ok((node, wishes))
            }
            _ => self.read(path).and(Err(Failure::NotChangeable)),
        }
    }

    fn called(&self, path: &Path, call: &ActionCall) -> Result<(Arc<Node>, Wish), Failure> {
        match (&*path.segments(), call.action.name) {
            (["Systems", id], "ComputerSystem.Reset") => {
                Ok((self.computer(id)?, change::of_reset(&call.parameters)?))
            }
            (["Managers", id], "Manager.Reset") => {
                Ok((self.node(id)?, change::of_manager_reset(&call.parameters)?))
            }
            (["Managers", id, "LogServices", "SEL"], "LogService.ClearLog") => {
                Ok((self.node(id)?, change::of_clear_log()))
            }
            _ => Err(Failure::NotFound),
        }
    }

    /// Applies what a patch asks for. A machine that doesn't answer isn't asked for the rest; one that refuses something
    /// is. It fails if nothing is done.
    async fn apply_each(&self, node: &Node, wishes: Vec<Wish>) -> Result<Outcome, Failure> {
        let count = wishes.len();
        let mut not_done: Vec<NotDone> = Vec::new();
        for wish in wishes {
            let pointer = wish.origin.pointer().to_owned();
            let lost = not_done.last().filter(|last| is_of_machine(&last.failure));
            let applied = match lost {
                Some(lost) => Err(lost.failure.clone()),
                None => self.apply(node, wish).await,
            };
            not_done.extend(applied.err().map(|failure| NotDone { pointer, failure }));
        }
        match not_done.first() {
            None => Ok(Outcome::Done),
            Some(first) if not_done.len() == count => Err(first.failure.clone()),
            Some(_) => Ok(Outcome::Partly(not_done)),
        }
    }

    async fn apply(&self, node: &Node, wish: Wish) -> Result<(), Failure> {
        let applied = self.hardware.apply(&node.id, wish.change).await;
        applied.map_err(|error| change::failure(error, wish.origin))
    }
}

/// Whether the next wish would fail in the same way.
const fn is_of_machine(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::NotFound
            | Failure::Unreachable { .. }
            | Failure::Unconfirmed { .. }
            | Failure::Unavailable { .. }
    )
}

/// What lies below a chassis with sensors.
fn chassis_part(id: &str, node: &Node, rest: &[&str]) -> Result<Document, Failure> {
    match *rest {
        ["Sensors"] => document(&sensor::collection(id, node)),
        ["Sensors", sensor_id] => found(sensor::resource(id, node, sensor_id)),
        ["ThermalSubsystem"] => document(&thermal_subsystem::resource(id, node)),
        ["ThermalSubsystem", "ThermalMetrics"] => document(&thermal_subsystem::metrics(id, node)),
        ["ThermalSubsystem", "Fans"] => document(&thermal_subsystem::fans(id, node)),
        ["ThermalSubsystem", "Fans", fan] => found(thermal_subsystem::fan(id, node, fan)),
        ["PowerSubsystem"] => document(&power_subsystem::resource(id, node)),
        ["PowerSubsystem", "PowerSupplies"] => document(&power_subsystem::supplies(id, node)),
        ["PowerSubsystem", "PowerSupplies", supply] => {
            found(power_subsystem::supply(id, node, supply))
        }
        ["PowerSubsystem", "PowerSupplies", supply, "Metrics"] => {
            found(power_subsystem::metrics(id, node, supply))
        }
        ["EnvironmentMetrics"] => document(&environment_metrics::resource(id, node)),
        ["Thermal"] => document(&thermal::resource(id, node)),
        ["Power"] => document(&power::resource(id, node)),
        _ => Err(Failure::NotFound),
    }
}

/// What lies below a computer system.
fn system_part(node: &Node, rest: &[&str]) -> Result<Document, Failure> {
    match *rest {
        ["Processors"] => found(processor::collection(node)),
        ["Processors", id] => found(processor::resource(node, id)),
        ["Memory"] => found(memory::collection(node)),
        ["Memory", id] => found(memory::resource(node, id)),
        _ => Err(Failure::NotFound),
    }
}

/// What lies below a manager, but for its logs.
fn manager_part(path: &Path, node: &Node, rest: &[&str]) -> Result<Document, Failure> {
    match *rest {
        ["NetworkProtocol"] => document(&network_protocol::resource(node)),
        ["EthernetInterfaces"] => document(&ethernet_interface::collection(node)),
        ["EthernetInterfaces", ethernet_interface::LAN] => {
            let interface = document(&ethernet_interface::resource(node))?.changeable();
            Ok(interface.settable_later(path.as_str()))
        }
        _ => Err(Failure::NotFound),
    }
}

fn log_part(node: &Node, rest: &[&str]) -> Result<Document, Failure> {
    match *rest {
        [] => document(&log::services(node)),
        ["SEL"] => document(&log::service(node)),
        ["SEL", "Entries"] => document(&log::entries(node)),
        ["SEL", "Entries", entry] => found(log::entry(node, entry)),
        _ => Err(Failure::NotFound),
    }
}

fn document(resource: &impl Resource) -> Result<Document, Failure> {
    Document::of(resource)
}

fn found(resource: Option<impl Resource>) -> Result<Document, Failure> {
    resource.map_or(Err(Failure::NotFound), |resource| document(&resource))
}

impl Backend for HardwareBackend {
    fn roots(&self) -> &[RootLink] {
        &ROOTS
    }

    fn templates(&self) -> &'static [Template] {
        TEMPLATES
    }

    fn get<'a>(&'a self, path: &'a Path) -> BackendFuture<'a, Document> {
        Box::pin(std::future::ready(self.read(path)))
    }

    /// A patch with several wishes asks for one after the other. What can be refused without asking the machine is refused
    /// before the first.
    fn patch<'a>(&'a self, path: &'a Path, patch: &'a CheckedPatch) -> BackendFuture<'a, Outcome> {
        Box::pin(async move {
            let (node, wishes) = self.wishes(path, patch)?;
            self.apply_each(&node, wishes).await
        })
    }

    fn check(&self, path: &Path, patch: &CheckedPatch) -> Result<(), Failure> {
        let (_, wishes) = self.wishes(path, patch)?;
        wishes.into_iter().try_for_each(|wish| {
            let checked = wish.change.check();
            checked.map_err(|error| change::failure(error, wish.origin))
        })
    }

    fn has_firmware_inventory(&self) -> bool {
        true
    }

    /// Where no machine takes firmware, there is nothing to announce.
    fn updater(&self) -> Option<&dyn Updater> {
        let does = self.takes_firmware.does_any(&*self.hardware);
        does.then_some(self as &dyn Updater)
    }

    fn watch(&self, sink: Arc<dyn EventSink>) {
        self.takes_firmware.watch(&*self.hardware);
        Watch::begin(&self.hardware, &self.tree, sink);
    }

    fn action<'a>(&'a self, path: &'a Path, call: &'a ActionCall) -> BackendFuture<'a, Outcome> {
        Box::pin(async move {
            let (node, wish) = self.called(path, call)?;
            self.apply(&node, wish).await?;
            Ok(Outcome::Done)
        })
    }
}
