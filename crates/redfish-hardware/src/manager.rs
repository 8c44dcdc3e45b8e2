//! `Manager` and its collection: the management controller of every node.

use hardware::{Node, NodeId, NodeKind};
use redfish::TASK_SERVICE;
use redfish_schema::manager::{
    Actions, COLLECTION, Links, Manager, ManagerType, ResetAction, SerialConnectTypesSupported,
    SerialConsole,
};
use redfish_schema::resource::ResetType;
use redfish_schema::{Collection, OperationApplyTimeSupport, Reference};

use crate::tree::Tree;
use crate::{status, uri};

/// The one way to restart a controller.
pub(crate) const RESET: ResetType = ResetType::ForceRestart;

pub(crate) fn collection(nodes: &[NodeId]) -> Collection {
    let members = nodes
        .iter()
        .map(|id| Reference::to(uri::manager(id.as_str())))
        .collect();
    Collection::new(&COLLECTION, uri::MANAGERS, "Managers", members)
}

pub(crate) fn resource(tree: &Tree, node: &Node) -> Manager {
    let id = node.id.as_str();
    let path = uri::manager(id);
    let identity = &node.identity;
    let is_computer = node.kind == NodeKind::Computer;
    let manager_type = if is_computer {
        ManagerType::BMC
    } else {
        ManagerType::EnclosureManager
    };
    let enclosure = tree.controlled_by(&node.id).map(|e| e.id.as_str());
    let own_chassis = tree.has_own_chassis(&node.id, node.kind).then_some(id);
    let chassis: Vec<_> = enclosure
        .into_iter()
        .chain(own_chassis)
        .map(|id| Reference::to(uri::chassis(id)))
        .collect();
    let description = match (&identity.protocol, &node.address) {
        (Some(protocol), Some(address)) => Some(format!("{protocol} controller at {address}")),
        (None, Some(address)) => Some(format!("Controller at {address}")),
        (Some(protocol), None) => Some(format!("{protocol} controller")),
        (None, None) => None,
    };
    Manager {
        description: description.map(Into::into),
        manager_type: Some(manager_type),
        uuid: Some(identity.controller_uuid.map(|uuid| uuid.to_string()).into()),
        model: identity.controller_model.as_deref().map(Into::into),
        firmware_version: identity.controller_firmware.as_deref().map(Into::into),
        status: Some(status::of_controller(node)),
        network_protocol: Some(Reference::to(uri::network_protocol(id))),
        ethernet_interfaces: Some(Reference::to(uri::ethernet_interfaces(id))),
        serial_console: Some(serial_console(identity.serial_console)),
        log_services: Some(Reference::to(format!("{path}/LogServices"))),
        links: Some(Links {
            manager_for_servers: is_computer.then(|| vec![Reference::to(uri::system(id))]),
            manager_in_chassis: chassis.first().cloned(),
            manager_for_chassis: Some(chassis),
        }),
        actions: Some(Actions {
            reset: Some(ResetAction {
                reset_type_allowable_values: Some(vec![RESET]),
                operation_apply_time_support: Some(OperationApplyTimeSupport::in_window_of(
                    TASK_SERVICE,
                )),
                ..ResetAction::new(format!("{path}/Actions/Manager.Reset"))
            }),
        }),
        ..Manager::new(path.as_str(), id, id)
    }
}

/// A host's console by serial-over-LAN: one session at a time (IPMI 2.0 §15.1).
fn serial_console(enabled: Option<bool>) -> SerialConsole {
    SerialConsole {
        service_enabled: Some(enabled == Some(true)),
        max_concurrent_sessions: enabled.map(|_| 1),
        connect_types_supported: Some(match enabled {
            Some(_) => vec![SerialConnectTypesSupported::IPMI],
            None => Vec::new(),
        }),
    }
}
