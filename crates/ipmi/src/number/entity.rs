//! Entity identifiers (§43.14).

use super::protocol_number;

protocol_number! {
    /// What kind of thing a sensor or FRU belongs to (§43.14, table 43-13).
    ///
    /// 90h to AFh are the chassis maker's, B0h to CFh the board set's, D0h to FFh the system integrator's.
    pub struct EntityId(u8) {
        /// Not specified.
        UNSPECIFIED = 0x00 => "Unspecified",
        /// Other.
        OTHER = 0x01 => "Other",
        /// Unknown.
        UNKNOWN = 0x02 => "Unknown",
        /// Processor.
        PROCESSOR = 0x03 => "Processor",
        /// Disk or disk bay.
        DISK = 0x04 => "Disk or Disk Bay",
        /// Peripheral bay.
        PERIPHERAL_BAY = 0x05 => "Peripheral Bay",
        /// System management module.
        MANAGEMENT_MODULE = 0x06 => "System Management Module",
        /// System board.
        SYSTEM_BOARD = 0x07 => "System Board",
        /// Memory module.
        MEMORY_MODULE = 0x08 => "Memory Module",
        /// Processor module.
        PROCESSOR_MODULE = 0x09 => "Processor Module",
        /// Power supply.
        POWER_SUPPLY = 0x0a => "Power Supply",
        /// Add-in card.
        ADD_IN_CARD = 0x0b => "Add-in Card",
        /// Front panel board.
        FRONT_PANEL = 0x0c => "Front Panel Board",
        /// Back panel board.
        BACK_PANEL = 0x0d => "Back Panel Board",
        /// Power system board.
        POWER_SYSTEM_BOARD = 0x0e => "Power System Board",
        /// Drive backplane.
        DRIVE_BACKPLANE = 0x0f => "Drive Backplane",
        /// Internal expansion board.
        EXPANSION_BOARD = 0x10 => "System Internal Expansion Board",
        /// Other system board.
        OTHER_SYSTEM_BOARD = 0x11 => "Other System Board",
        /// Processor board.
        PROCESSOR_BOARD = 0x12 => "Processor Board",
        /// Power unit: a group of power supplies.
        POWER_UNIT = 0x13 => "Power Unit",
        /// Power module or DC-to-DC converter.
        POWER_MODULE = 0x14 => "Power Module",
        /// Power management or distribution board.
        POWER_MANAGEMENT = 0x15 => "Power Management",
        /// Chassis back panel board.
        CHASSIS_BACK_PANEL = 0x16 => "Chassis Back Panel Board",
        /// System chassis.
        SYSTEM_CHASSIS = 0x17 => "System Chassis",
        /// Sub-chassis.
        SUB_CHASSIS = 0x18 => "Sub-Chassis",
        /// Other chassis board.
        OTHER_CHASSIS_BOARD = 0x19 => "Other Chassis Board",
        /// Disk drive bay.
        DISK_DRIVE_BAY = 0x1a => "Disk Drive Bay",
        /// Peripheral bay.
        PERIPHERAL_BAY_2 = 0x1b => "Peripheral Bay",
        /// Device bay.
        DEVICE_BAY = 0x1c => "Device Bay",
        /// Fan or cooling device.
        FAN = 0x1d => "Fan Device",
        /// Cooling unit: a group of fans.
        COOLING_UNIT = 0x1e => "Cooling Unit",
        /// Cable or interconnect.
        CABLE = 0x1f => "Cable/Interconnect",
        /// Memory device.
        MEMORY_DEVICE = 0x20 => "Memory Device",
        /// System management software.
        MANAGEMENT_SOFTWARE = 0x21 => "System Management Software",
        /// System firmware (BIOS, UEFI).
        SYSTEM_FIRMWARE = 0x22 => "BIOS",
        /// Operating system.
        OPERATING_SYSTEM = 0x23 => "Operating System",
        /// System bus.
        SYSTEM_BUS = 0x24 => "System Bus",
        /// Group: a logical collection.
        GROUP = 0x25 => "Group",
        /// Remote management communication device.
        REMOTE_MANAGEMENT = 0x26 => "Remote Management Device",
        /// External environment.
        EXTERNAL_ENVIRONMENT = 0x27 => "External Environment",
        /// Battery.
        BATTERY = 0x28 => "Battery",
        /// Processing blade.
        PROCESSING_BLADE = 0x29 => "Processing Blade",
        /// Connectivity switch.
        CONNECTIVITY_SWITCH = 0x2a => "Connectivity Switch",
        /// Processor and memory module.
        PROCESSOR_MEMORY_MODULE = 0x2b => "Processor/Memory Module",
        /// I/O module.
        IO_MODULE = 0x2c => "I/O Module",
        /// Processor and I/O module.
        PROCESSOR_IO_MODULE = 0x2d => "Processor/IO Module",
        /// Management controller firmware.
        MANAGEMENT_CONTROLLER_FIRMWARE = 0x2e => "Management Controller Firmware",
        /// IPMI channel.
        IPMI_CHANNEL = 0x2f => "IPMI Channel",
        /// PCI bus.
        PCI_BUS = 0x30 => "PCI Bus",
        /// PCI Express bus.
        PCI_EXPRESS_BUS = 0x31 => "PCI Express Bus",
        /// SCSI bus.
        SCSI_BUS = 0x32 => "SCSI Bus",
        /// SATA or SAS bus.
        SATA_SAS_BUS = 0x33 => "SATA/SAS Bus",
        /// Processor front-side bus.
        FRONT_SIDE_BUS = 0x34 => "Processor/Front-Side Bus",
        /// Real-time clock.
        REAL_TIME_CLOCK = 0x35 => "Real Time Clock (RTC)",
        /// Air inlet.
        AIR_INLET = 0x37 => "Air Inlet",
        /// Air inlet, as DCMI numbers it (DCMI 1.5, table 6-14).
        AIR_INLET_DCMI = 0x40 => "Air Inlet",
        /// Processor, as DCMI numbers it.
        PROCESSOR_DCMI = 0x41 => "Processor",
        /// Baseboard, as DCMI numbers it.
        BASEBOARD_DCMI = 0x42 => "Baseboard/Main System Board",
    }
}
