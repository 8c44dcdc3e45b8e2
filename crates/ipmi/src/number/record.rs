//! Numbers of records: SEL, SDR, FRU inventory (§29, §31 to §34, §43; FRU 1.0).

use super::{flags, numbers};

numbers! {
    /// Format of an event message (§29.3, table 29-5).
    pub struct EventMessageRevision(u8) {
        V1_0 = 0x03 => "IPMI 1.0",
        V1_5 = 0x04 => "IPMI 1.5 and 2.0",
    }

    /// What an entry of the SEL is; C0h to DFh and E0h to FFh are the maker's (§32.1, table 32-1).
    pub struct SelRecordType(u8) {
        SYSTEM_EVENT = 0x02 => "System Event Record",
    }

    /// How an SDR repository takes changes, 2 bits (§33.9, table 33-3).
    pub struct SdrUpdateMode(u8) {
        UNSPECIFIED = 0x00 => "unspecified",
        NON_MODAL = 0x01 => "non-modal",
        MODAL = 0x02 => "modal",
        BOTH = 0x03 => "modal and non-modal",
    }

    /// Whether more parts of a record follow, 4 bits (§33.14, table 33-8; §31.7, table 31-7).
    pub struct UploadProgress(u8) {
        MORE = 0x00 => "more parts follow",
        LAST = 0x01 => "last part",
    }

    /// What Clear SDR Repository and Clear SEL do (§31.9, table 31-9; §33.16).
    pub struct EraseAction(u8) {
        GET_STATUS = 0x00 => "get erasure status",
        INITIATE = 0xaa => "initiate erase",
    }

    /// How far an erasure is, 4 bits (§31.9, table 31-9; §33.16).
    pub struct EraseProgress(u8) {
        IN_PROGRESS = 0x00 => "erasure in progress",
        COMPLETED = 0x01 => "erase completed",
    }

    /// What Run Initialization Agent does, 1 bit (§33.21).
    pub struct InitializationRequest(u8) {
        GET_STATUS = 0x00 => "get status",
        RUN = 0x01 => "run initialization agent",
    }
}

flags! {
    /// How a sensor is initialised and comes up (§43.1, table 43-1, byte 11).
    pub struct SensorInitialization(u8) {
        SCANNING_AT_POWER_UP = 0x01 => "scanning enabled at power-up",
        EVENTS_AT_POWER_UP = 0x02 => "event generation enabled at power-up",
        INIT_TYPE = 0x04 => "init sensor type",
        INIT_HYSTERESIS = 0x08 => "init hysteresis",
        INIT_THRESHOLDS = 0x10 => "init thresholds",
        INIT_EVENTS = 0x20 => "init events",
        INIT_SCANNING = 0x40 => "init scanning",
        SETTABLE = 0x80 => "settable",
    }
}

numbers! {
    /// What of a sensor's event messages can be switched, 2 bits (§43.1, table 43-1, byte 12).
    pub struct EventMessageControl(u8) {
        PER_EVENT = 0x00 => "per threshold or state",
        ENTIRE_SENSOR = 0x01 => "entire sensor only",
        GLOBAL_DISABLE = 0x02 => "global disable only",
        NONE = 0x03 => "no events",
    }
}

flags! {
    /// Which values of a full sensor record are given (§43.1, table 43-1, byte 31).
    pub struct AnalogCharacteristics(u8) {
        NOMINAL = 0x01 => "nominal reading specified",
        NORMAL_MAXIMUM = 0x02 => "normal maximum specified",
        NORMAL_MINIMUM = 0x04 => "normal minimum specified",
    }
}

numbers! {
    /// How sensors that share a record are told apart, 2 bits (§43.2, table 43-2).
    pub struct InstanceModifier(u8) {
        NUMERIC = 0x00 => "numeric",
        ALPHA = 0x01 => "alphabetic",
    }

    /// Entity instances of sensors that share a record, 1 bit (§43.2, table 43-2).
    pub struct SharedInstance(u8) {
        SAME = 0x00 => "same for all",
        INCREMENTS = 0x01 => "increments",
    }

    /// Whether an entity is a thing or a container, 1 bit (§43.1, table 43-1, byte 10).
    pub struct EntityKind(u8) {
        PHYSICAL = 0x00 => "physical entity",
        LOGICAL = 0x01 => "logical container",
    }
}

flags! {
    /// How an entity association record lists entities (§43.4, table 43-4).
    pub struct AssociationFlags(u8) {
        PRESENCE_ACCESSIBLE = 0x20 => "presence sensors always accessible",
        LINKED = 0x40 => "more records for this container",
        RANGES = 0x80 => "ranges",
    }
}

numbers! {
    /// Kind of a device on a bus (§43.12, table 43-12). C0h and above are the maker's.
    pub struct DeviceType(u8) {
        DS1624 = 0x02 => "DS1624 temperature sensor / EEPROM",
        DS1621 = 0x03 => "DS1621 temperature sensor",
        LM75 = 0x04 => "LM75 temperature sensor",
        HECETA = 0x05 => "Heceta ASIC or similar",
        EEPROM_24C01 = 0x08 => "EEPROM, 24C01",
        EEPROM_24C02 = 0x09 => "EEPROM, 24C02",
        EEPROM_24C04 = 0x0a => "EEPROM, 24C04",
        EEPROM_24C08 = 0x0b => "EEPROM, 24C08",
        EEPROM_24C16 = 0x0c => "EEPROM, 24C16",
        EEPROM_24C17 = 0x0d => "EEPROM, 24C17",
        EEPROM_24C32 = 0x0e => "EEPROM, 24C32",
        EEPROM_24C64 = 0x0f => "EEPROM, 24C64",
        FRU_DEVICE = 0x10 => "FRU inventory device behind a management controller",
        PCF8570 = 0x14 => "PCF 8570 256-byte RAM",
        PCF8573 = 0x15 => "PCF 8573 clock/calendar",
        PCF8574A = 0x16 => "PCF 8574A I/O port",
        PCF8583 = 0x17 => "PCF 8583 clock/calendar",
        PCF8593 = 0x18 => "PCF 8593 clock/calendar",
        CLOCK = 0x19 => "clock calendar",
        PCF8591 = 0x1a => "PCF 8591 A/D and D/A converter",
        IO_PORT = 0x1b => "I/O port",
        AD_CONVERTER = 0x1c => "A/D converter",
        DA_CONVERTER = 0x1d => "D/A converter",
        AD_DA_CONVERTER = 0x1e => "A/D and D/A converter",
        LCD = 0x1f => "LCD controller/driver",
        CORE_LOGIC = 0x20 => "core logic (chip set) device",
        LMC6874 = 0x21 => "LMC6874 intelligent battery controller",
        BATTERY_CONTROLLER = 0x22 => "intelligent battery controller",
        COMBO_ASIC = 0x23 => "combo management ASIC",
        MAXIM_1617 = 0x24 => "Maxim 1617 temperature sensor",
        OTHER = 0xbf => "other",
    }

    /// What inventory a FRU device holds: modifier of device type 10h (§43.12, table 43-12).
    pub struct FruDeviceModifier(u8) {
        UNSPECIFIED = 0x00 => "unspecified",
        SPD = 0x01 => "DIMM memory ID",
        IPMI_FRU = 0x02 => "IPMI FRU inventory",
        PROCESSOR_CARTRIDGE = 0x03 => "system processor cartridge FRU",
    }
}

flags! {
    /// What a controller wants to be told and how it starts; bits 1:0 are its events at start (§43.8, table 43-8).
    pub struct McNotification(u8) {
        LOGS_INITIALIZATION_ERRORS = 0x08 => "controller logs initialization agent errors",
        LOG_ERRORS_ACCESSING = 0x10 => "log initialization agent errors accessing it",
        STATIC = 0x20 => "static controller",
        DEVICE_POWER_STATE = 0x40 => "ACPI device power state notification required",
        SYSTEM_POWER_STATE = 0x80 => "ACPI system power state notification required",
    }

    /// What holds of a reading: bits 7:5 of its second byte (§35.14, table 35-15).
    pub struct ReadingFlags(u8) {
        UNAVAILABLE = 0x20 => "reading unavailable",
        SCANNING = 0x40 => "scanning enabled",
        EVENTS = 0x80 => "event messages enabled",
    }
}

numbers! {
    /// Which events are re-armed, 1 bit (§35.12, table 35-12).
    pub struct RearmScope(u8) {
        ALL = 0x00 => "all",
        SELECTED = 0x01 => "selected",
    }

    /// Unit of FRU offsets and counts, 1 bit (§34.1, table 34-2).
    pub struct FruAccessMode(u8) {
        BYTES = 0x00 => "by bytes",
        WORDS = 0x01 => "by words",
    }
}
