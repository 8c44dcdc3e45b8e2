//! `Chassis` and its collection: racks, blocks, sleds and power bays, and the nodes themselves.

use std::sync::Arc;

use hardware::{Asset, Enclosure, EnclosureKind, Hardware, Location, Node, NodeKind, Severity};
use redfish_schema::chassis::{COLLECTION, Chassis, ChassisType, IndicatorLED, Links};
use redfish_schema::resource::{self, Placement, RackUnits, State, Status};
use redfish_schema::{Collection, Nullable, Reference};

use crate::tree::Tree;
use crate::{status, system, uri};

pub(crate) fn collection(tree: &Tree) -> Collection {
    let members = tree
        .chassis
        .iter()
        .map(|id| Reference::to(uri::chassis(id)))
        .collect();
    Collection::new(&COLLECTION, uri::CHASSIS, "Chassis", members)
}

/// The chassis of a node.
pub(crate) fn of_node(tree: &Tree, node: &Node) -> Chassis {
    let id = node.id.as_str();
    let is_computer = node.kind == NodeKind::Computer;
    let chassis_type = match (is_computer, &node.enclosure) {
        (true, Some(_)) => ChassisType::Module,
        (true, None) => ChassisType::RackMount,
        (false, _) => ChassisType::Enclosure,
    };
    let health = status::node_health(node).map(status::health);
    let inventory = &node.inventory;
    // A machine whose case has no nameplate of its own is known by the machine's.
    let asset = inventory.chassis().or(inventory.product());
    let container = node
        .enclosure
        .as_ref()
        .filter(|e| tree.enclosure(e.as_str()).is_some());
    let own = Chassis::new(uri::chassis(id), id, id, chassis_type);
    let system = is_computer.then(|| Reference::to(uri::system(id)));
    let systems = system.into_iter().collect();
    let links = Links {
        computer_systems: Some(systems),
        managed_by: Some(vec![Reference::to(uri::manager(id))]),
        managers_in_chassis: Some(vec![Reference::to(uri::manager(id))]),
        contained_by: container.map(|e| Reference::to(uri::chassis(e.as_str()))),
        ..Links::default()
    };
    Chassis {
        uuid: node.identity.uuid.map(|uuid| uuid.to_string().into()),
        location_indicator_active: Some(system::indicator(node)),
        indicator_led: Some(indicator_led(node)),
        power_state: Some(system::power_state(node)),
        location: location(&node.labels.location, &node.labels.others),
        status: Some(status::rolled_up(status::link_state(node), health)),
        links: Some(links),
        ..with_subsystems(with_asset(own, asset), id)
    }
}

fn indicator_led(node: &Node) -> Nullable<IndicatorLED> {
    system::indicator_led(node, IndicatorLED::Lit, IndicatorLED::Off)
}

/// The chassis of an enclosure, whose sensors are those of its controller.
pub(crate) fn of_enclosure(
    hardware: &dyn Hardware,
    tree: &Tree,
    enclosure: &Enclosure,
    controller: Option<&Node>,
) -> Chassis {
    let id = enclosure.id.as_str();
    let chassis_type = match enclosure.kind {
        EnclosureKind::Rack => ChassisType::Rack,
        EnclosureKind::Block => ChassisType::Enclosure,
        EnclosureKind::Sled => ChassisType::Sled,
        EnclosureKind::PowerBay => ChassisType::Shelf,
    };
    let contents = tree
        .contents(id)
        .iter()
        .map(|child| Reference::to(uri::chassis(child)));
    let manager = controller.map(|node| Reference::to(uri::manager(node.id.as_str())));
    let managers: Vec<_> = manager.into_iter().collect();
    let own = Chassis::new(uri::chassis(id), id, id, chassis_type);
    let own = match controller {
        Some(node) => Chassis {
            location_indicator_active: Some(system::indicator(node)),
            indicator_led: Some(indicator_led(node)),
            ..with_subsystems(own, id)
        },
        None => own,
    };
    let asset = match controller {
        Some(node) => {
            let own = node.inventory.chassis().or(node.inventory.product());
            enclosure.asset.as_deref().or(own)
        }
        None => enclosure.asset.as_deref(),
    };
    Chassis {
        location: location(&enclosure.location, &[]),
        // Nobody measures whether a rack has power.
        power_state: Some(controller.map_or(Nullable::Null, system::power_state)),
        status: Some(enclosure_status(hardware, tree, id, controller)),
        links: Some(Links {
            // Systems are in the chassis of their nodes, and in an enclosure only through those.
            computer_systems: Some(Vec::new()),
            managed_by: Some(managers.clone()),
            managers_in_chassis: Some(managers),
            contains: Some(contents.collect()),
            contained_by: enclosure
                .parent
                .as_ref()
                .map(|p| Reference::to(uri::chassis(p.as_str()))),
            ..Links::default()
        }),
        ..with_asset(own, asset)
    }
}

fn with_asset(chassis: Chassis, asset: Asset<&str>) -> Chassis {
    Chassis {
        manufacturer: asset.manufacturer.map(Into::into),
        model: asset.model.map(Into::into),
        serial_number: asset.serial_number.map(Into::into),
        part_number: asset.part_number.map(Into::into),
        version: asset.version.map(Into::into),
        asset_tag: asset.asset_tag.map(Into::into),
        ..chassis
    }
}

/// Adds the links that only a chassis with sensors has.
fn with_subsystems(chassis: Chassis, id: &str) -> Chassis {
    let path = uri::chassis(id);
    let below = |name: &str| Some(Reference::to(format!("{path}/{name}")));
    Chassis {
        sensors: below("Sensors"),
        thermal_subsystem: below("ThermalSubsystem"),
        power_subsystem: below("PowerSubsystem"),
        environment_metrics: below("EnvironmentMetrics"),
        thermal: below("Thermal"),
        power: below("Power"),
        ..chassis
    }
}

/// Labels of the operator's own stand behind the site: `Ulm; owner=a; tenant=b`.
fn location(location: &Location, labels: &[(Arc<str>, Arc<str>)]) -> Option<resource::Location> {
    let text = |value: &Option<Arc<str>>| value.as_deref().map(Into::into);
    let labels = labels.iter().map(|(name, value)| format!("{name}={value}"));
    let site = location.site.as_deref().map(ToOwned::to_owned);
    let info: Vec<String> = site.into_iter().chain(labels).collect();
    let placement = Placement {
        row: text(&location.row),
        rack: text(&location.rack),
        rack_offset_units: location.unit.map(|_| RackUnits::EIA310.into()),
        rack_offset: location.unit.map(|unit| i64::from(unit).into()),
        additional_info: (!info.is_empty()).then(|| info.join("; ").as_str().into()),
    };
    let is_known = placement != Placement::default();
    is_known.then(|| resource::Location {
        placement: Some(placement),
        ..Default::default()
    })
}

/// Health of the enclosure's own controller, and of everything inside rolled up.
fn enclosure_status(
    hardware: &dyn Hardware,
    tree: &Tree,
    id: &str,
    controller: Option<&Node>,
) -> Status {
    let own = match controller {
        Some(node) => status::node_health(node),
        None => Some(Severity::Ok),
    };
    let inside = tree
        .contents(id)
        .iter()
        .filter_map(|child| worst_inside(hardware, tree, child));
    let here = controller.and_then(status::rolled_up_health);
    let worst = inside.chain(here).chain(own).max();
    let state = controller.map_or(State::Enabled, status::link_state);
    Status {
        health_rollup: Some(worst.map(status::health).into()),
        ..status::plain(state, own.map(status::health))
    }
}

/// The worst health in a chassis and all that it contains; machines that don't answer are critical. The tree is a
/// forest by construction: a source lists parents before children.
fn worst_inside(hardware: &dyn Hardware, tree: &Tree, id: &str) -> Option<Severity> {
    let node = match tree.enclosure(id) {
        Some(enclosure) => enclosure
            .controller
            .as_ref()
            .and_then(|c| hardware.node(c.as_str())),
        None => hardware.node(id),
    };
    let own = node.and_then(|node| status::rolled_up_health(&node));
    tree.contents(id)
        .iter()
        .filter_map(|child| worst_inside(hardware, tree, child))
        .chain(own)
        .max()
}
