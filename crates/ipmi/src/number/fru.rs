//! Numbers of an inventory's multirecords (FRU 1.0 §16 to §18; PICMG 3.0, AMC.0, MTCA.0).

use super::{flags, numbers};

numbers! {
    /// What a record of the multirecord area is about (FRU 1.0 table 16-2). C0h and above are the maker's.
    pub struct MultiRecordType(u8) {
        POWER_SUPPLY = 0x00 => "Power Supply",
        DC_OUTPUT = 0x01 => "DC Output",
        DC_LOAD = 0x02 => "DC Load",
        MANAGEMENT_ACCESS = 0x03 => "Management Access",
        BASE_COMPATIBILITY = 0x04 => "Base Compatibility",
        EXTENDED_COMPATIBILITY = 0x05 => "Extended Compatibility",
        ASF_FIXED_SMBUS = 0x06 => "ASF Fixed SMBus Device",
        ASF_LEGACY_ALERTS = 0x07 => "ASF Legacy-Device Alerts",
        ASF_REMOTE_CONTROL = 0x08 => "ASF Remote Control",
        EXTENDED_DC_OUTPUT = 0x09 => "Extended DC Output",
        EXTENDED_DC_LOAD = 0x0a => "Extended DC Load",
        NVME = 0x0b => "NVMe",
        NVME_PCIE_PORT = 0x0c => "NVMe PCIe Port",
        NVME_TOPOLOGY = 0x0d => "NVMe Topology",
        NVME_RESERVED_0E = 0x0e => "NVMe, reserved 0Eh",
        NVME_RESERVED_0F = 0x0f => "NVMe, reserved 0Fh",
    }

    /// What a management access record tells (FRU 1.0 table 18-6).
    pub struct ManagementAccessType(u8) {
        SYSTEM_URL = 0x01 => "System Management URL",
        SYSTEM_NAME = 0x02 => "System Name",
        SYSTEM_PING_ADDRESS = 0x03 => "System Ping Address",
        COMPONENT_URL = 0x04 => "Component Management URL",
        COMPONENT_NAME = 0x05 => "Component Name",
        COMPONENT_PING_ADDRESS = 0x06 => "Component Ping Address",
        SYSTEM_UNIQUE_ID = 0x07 => "System Unique ID",
    }

    /// A voltage whose outputs share their power, 4 bits (FRU 1.0 table 18-1).
    pub struct CombinedVoltage(u8) {
        V12 = 0x00 => "12 V",
        MINUS_V12 = 0x01 => "-12 V",
        V5 = 0x02 => "5 V",
        V3_3 = 0x03 => "3.3 V",
    }

    /// Unit of currents in an extended record, 3 bits (FRU 1.0 tables 18-3 and 18-5).
    pub struct CurrentUnit(u8) {
        MA_10 = 0x00 => "10 mA",
        MA_100 = 0x01 => "100 mA",
    }

    /// What a record of PICMG is about (PICMG 3.0, AMC.0, MTCA.0).
    pub struct PicmgRecordType(u8) {
        BACKPLANE_P2P = 0x04 => "Backplane Point-to-Point Connectivity",
        ADDRESS_TABLE = 0x10 => "Address Table",
        SHELF_POWER_DISTRIBUTION = 0x11 => "Shelf Power Distribution",
        SHELF_ACTIVATION_POWER = 0x12 => "Shelf Activation and Power Management",
        SHELF_MANAGER_IP = 0x13 => "Shelf Manager IP Connection",
        BOARD_P2P = 0x14 => "Board Point-to-Point Connectivity",
        RADIAL_IPMB_0 = 0x15 => "Radial IPMB-0 Link Mapping",
        AMC_CURRENT = 0x16 => "Module Current Requirements",
        CARRIER_ACTIVATION = 0x17 => "Carrier Activation and Current Management",
        CARRIER_P2P = 0x18 => "Carrier Point-to-Point Connectivity",
        AMC_P2P = 0x19 => "AdvancedMC Point-to-Point Connectivity",
        CARRIER_INFORMATION = 0x1a => "Carrier Information Table",
        SHELF_FAN_GEOGRAPHY = 0x1b => "Shelf Fan Geography",
        UTCA_FRU_TABLE = 0x20 => "MicroTCA FRU Information Partition",
        UTCA_CARRIER_IP = 0x21 => "MicroTCA Carrier Manager IP Link",
        UTCA_CARRIER_INFORMATION = 0x22 => "MicroTCA Carrier Information",
        UTCA_SHELF_INFORMATION = 0x23 => "MicroTCA Shelf Information",
        UTCA_SHELF_MANAGER_IP = 0x24 => "MicroTCA Shelf Manager IP Link",
        UTCA_POWER_POLICY = 0x25 => "MicroTCA Carrier Power Policy",
        UTCA_ACTIVATION_POWER = 0x26 => "MicroTCA Carrier Activation and Power Management",
        UTCA_POWER_MODULE = 0x27 => "MicroTCA Power Module Capability",
        UTCA_FAN_GEOGRAPHY = 0x28 => "MicroTCA Fan Geography",
        UTCA_CLOCK_MAPPING = 0x29 => "MicroTCA Clock Mapping",
        UTCA_MESSAGE_BRIDGE = 0x2a => "MicroTCA Message Bridge Policy",
        UTCA_OEM_MODULE = 0x2b => "MicroTCA OEM Module Descriptor",
        CLOCK_P2P = 0x2c => "Carrier Clock Point-to-Point Connectivity",
        CLOCK_CONFIGURATION = 0x2d => "Clock Configuration",
    }
}

flags! {
    /// What a power supply can (FRU 1.0 table 18-1).
    pub struct PowerSupplyFlags(u8) {
        PREDICTIVE_FAIL = 0x01 => "predictive fail",
        POWER_FACTOR_CORRECTION = 0x02 => "power factor correction",
        AUTOSWITCH = 0x04 => "autoswitch",
        HOT_SWAP = 0x08 => "hot swap",
        TACHOMETER = 0x10 => "predictive fail by tachometer, or asserted when failing",
    }
}
