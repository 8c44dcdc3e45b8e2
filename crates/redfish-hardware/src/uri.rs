//! Where each resource lies. Paths are made here and nowhere else; `backend.rs` takes them apart.

use hardware::{Node, NodeKind, Sensor};

use crate::ethernet_interface::LAN;

pub(crate) const SYSTEMS: &str = "/redfish/v1/Systems";
pub(crate) const CHASSIS: &str = "/redfish/v1/Chassis";
pub(crate) const MANAGERS: &str = "/redfish/v1/Managers";
pub(crate) const FIRMWARE: &str = "/redfish/v1/UpdateService/FirmwareInventory";
pub(crate) const METRIC_REPORTS: &str = "/redfish/v1/TelemetryService/MetricReports";
pub(crate) const METRIC_REPORT_DEFINITIONS: &str =
    "/redfish/v1/TelemetryService/MetricReportDefinitions";
pub(crate) const METRIC_DEFINITIONS: &str = "/redfish/v1/TelemetryService/MetricDefinitions";

/// Paths of the resources that a machine is at the top of the tree: what goes with it.
#[must_use]
pub fn resources_of(node: &Node) -> Vec<String> {
    let id = node.id.as_str();
    match node.kind {
        NodeKind::Computer => vec![system(id), chassis(id), manager(id)],
        NodeKind::EnclosureController => vec![manager(id)],
    }
}

pub(crate) fn system(id: &str) -> String {
    format!("{SYSTEMS}/{id}")
}

pub(crate) fn chassis(id: &str) -> String {
    format!("{CHASSIS}/{id}")
}

pub(crate) fn manager(id: &str) -> String {
    format!("{MANAGERS}/{id}")
}

pub(crate) fn sensors(chassis_id: &str) -> String {
    format!("{CHASSIS}/{chassis_id}/Sensors")
}

pub(crate) fn sensor(chassis_id: &str, sensor: &Sensor) -> String {
    format!("{CHASSIS}/{chassis_id}/Sensors/{}", sensor.id)
}

pub(crate) fn fans(chassis_id: &str) -> String {
    format!("{CHASSIS}/{chassis_id}/ThermalSubsystem/Fans")
}

pub(crate) fn fan(chassis_id: &str, fan_id: &str) -> String {
    format!("{CHASSIS}/{chassis_id}/ThermalSubsystem/Fans/{fan_id}")
}

pub(crate) fn power_supplies(chassis_id: &str) -> String {
    format!("{CHASSIS}/{chassis_id}/PowerSubsystem/PowerSupplies")
}

pub(crate) fn power_supply(chassis_id: &str, supply_id: &str) -> String {
    format!("{CHASSIS}/{chassis_id}/PowerSubsystem/PowerSupplies/{supply_id}")
}

pub(crate) fn network_protocol(manager_id: &str) -> String {
    format!("{MANAGERS}/{manager_id}/NetworkProtocol")
}

pub(crate) fn ethernet_interfaces(manager_id: &str) -> String {
    format!("{MANAGERS}/{manager_id}/EthernetInterfaces")
}

pub(crate) fn ethernet_interface(manager_id: &str) -> String {
    format!("{MANAGERS}/{manager_id}/EthernetInterfaces/{LAN}")
}

pub(crate) fn processors(system_id: &str) -> String {
    format!("{SYSTEMS}/{system_id}/Processors")
}

pub(crate) fn processor(system_id: &str, processor_id: &str) -> String {
    format!("{SYSTEMS}/{system_id}/Processors/{processor_id}")
}

pub(crate) fn memory(system_id: &str) -> String {
    format!("{SYSTEMS}/{system_id}/Memory")
}

pub(crate) fn memory_module(system_id: &str, module_id: &str) -> String {
    format!("{SYSTEMS}/{system_id}/Memory/{module_id}")
}

pub(crate) fn log_entry(manager_id: &str, entry_id: u32) -> String {
    format!("{MANAGERS}/{manager_id}/LogServices/SEL/Entries/{entry_id}")
}

pub(crate) fn log(manager_id: &str) -> String {
    format!("{MANAGERS}/{manager_id}/LogServices/SEL")
}
