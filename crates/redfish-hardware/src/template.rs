//! Where this backend has resources. `backend.rs` takes such paths apart.

use redfish::Template;

pub(crate) static TEMPLATES: &[Template] = &[
    Template::new("/redfish/v1/Chassis", "ChassisCollection"),
    Template::new("/redfish/v1/Chassis/{ChassisId}", "Chassis").changeable(),
    Template::new(
        "/redfish/v1/Chassis/{ChassisId}/EnvironmentMetrics",
        "EnvironmentMetrics",
    ),
    Template::new("/redfish/v1/Chassis/{ChassisId}/Power", "Power"),
    Template::new(
        "/redfish/v1/Chassis/{ChassisId}/PowerSubsystem",
        "PowerSubsystem",
    ),
    Template::new(
        "/redfish/v1/Chassis/{ChassisId}/PowerSubsystem/PowerSupplies",
        "PowerSupplyCollection",
    ),
    Template::new(
        "/redfish/v1/Chassis/{ChassisId}/PowerSubsystem/PowerSupplies/{PowerSupplyId}",
        "PowerSupply",
    ),
    Template::new(
        "/redfish/v1/Chassis/{ChassisId}/PowerSubsystem/PowerSupplies/{PowerSupplyId}/Metrics",
        "PowerSupplyMetrics",
    ),
    Template::new(
        "/redfish/v1/Chassis/{ChassisId}/Sensors",
        "SensorCollection",
    ),
    Template::new(
        "/redfish/v1/Chassis/{ChassisId}/Sensors/{SensorId}",
        "Sensor",
    ),
    Template::new("/redfish/v1/Chassis/{ChassisId}/Thermal", "Thermal"),
    Template::new(
        "/redfish/v1/Chassis/{ChassisId}/ThermalSubsystem",
        "ThermalSubsystem",
    ),
    Template::new(
        "/redfish/v1/Chassis/{ChassisId}/ThermalSubsystem/Fans",
        "FanCollection",
    ),
    Template::new(
        "/redfish/v1/Chassis/{ChassisId}/ThermalSubsystem/Fans/{FanId}",
        "Fan",
    ),
    Template::new(
        "/redfish/v1/Chassis/{ChassisId}/ThermalSubsystem/ThermalMetrics",
        "ThermalMetrics",
    ),
    Template::new("/redfish/v1/Managers", "ManagerCollection"),
    Template::new("/redfish/v1/Managers/{ManagerId}", "Manager").actions(&["Manager.Reset"]),
    Template::new(
        "/redfish/v1/Managers/{ManagerId}/EthernetInterfaces",
        "EthernetInterfaceCollection",
    ),
    Template::new(
        "/redfish/v1/Managers/{ManagerId}/EthernetInterfaces/{EthernetInterfaceId}",
        "EthernetInterface",
    )
    .changeable(),
    Template::new(
        "/redfish/v1/Managers/{ManagerId}/LogServices",
        "LogServiceCollection",
    ),
    Template::new(
        "/redfish/v1/Managers/{ManagerId}/LogServices/{LogServiceId}",
        "LogService",
    )
    .actions(&["LogService.ClearLog"]),
    Template::new(
        "/redfish/v1/Managers/{ManagerId}/LogServices/{LogServiceId}/Entries",
        "LogEntryCollection",
    ),
    Template::new(
        "/redfish/v1/Managers/{ManagerId}/LogServices/{LogServiceId}/Entries/{LogEntryId}",
        "LogEntry",
    ),
    Template::new(
        "/redfish/v1/Managers/{ManagerId}/NetworkProtocol",
        "ManagerNetworkProtocol",
    ),
    Template::new("/redfish/v1/Systems", "ComputerSystemCollection"),
    Template::new("/redfish/v1/Systems/{ComputerSystemId}", "ComputerSystem")
        .changeable()
        .actions(&["ComputerSystem.Reset"]),
    Template::new(
        "/redfish/v1/Systems/{ComputerSystemId}/Memory",
        "MemoryCollection",
    ),
    Template::new(
        "/redfish/v1/Systems/{ComputerSystemId}/Memory/{MemoryId}",
        "Memory",
    ),
    Template::new(
        "/redfish/v1/Systems/{ComputerSystemId}/Processors",
        "ProcessorCollection",
    ),
    Template::new(
        "/redfish/v1/Systems/{ComputerSystemId}/Processors/{ProcessorId}",
        "Processor",
    ),
    Template::new(
        "/redfish/v1/TelemetryService/MetricDefinitions",
        "MetricDefinitionCollection",
    ),
    Template::new(
        "/redfish/v1/TelemetryService/MetricDefinitions/{MetricDefinitionId}",
        "MetricDefinition",
    ),
    Template::new(
        "/redfish/v1/TelemetryService/MetricReportDefinitions",
        "MetricReportDefinitionCollection",
    ),
    Template::new(
        "/redfish/v1/TelemetryService/MetricReportDefinitions/{MetricReportDefinitionId}",
        "MetricReportDefinition",
    ),
    Template::new(
        "/redfish/v1/TelemetryService/MetricReports",
        "MetricReportCollection",
    ),
    Template::new(
        "/redfish/v1/TelemetryService/MetricReports/{MetricReportId}",
        "MetricReport",
    ),
    Template::new(
        "/redfish/v1/UpdateService/FirmwareInventory",
        "SoftwareInventoryCollection",
    ),
    Template::new(
        "/redfish/v1/UpdateService/FirmwareInventory/{SoftwareInventoryId}",
        "SoftwareInventory",
    ),
];
