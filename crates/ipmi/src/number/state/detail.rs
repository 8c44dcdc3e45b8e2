//! What event data 2 and 3 add to an event (§42.2, table 42-3; PICMG 3.0).

use super::super::numbers;

numbers! {
    /// What is wrong with a power supply's configuration: event data 3, 4 bits (§42.2, table 42-3, type 08h).
    pub struct PowerSupplyConfiguration(u8) {
        VENDOR_MISMATCH = 0x00 => "Vendor mismatch",
        REVISION_MISMATCH = 0x01 => "Revision mismatch",
        PROCESSOR_MISSING = 0x02 => "Processor missing",
        POWER_SUPPLY_RATING_MISMATCH = 0x03 => "Power Supply rating mismatch",
        VOLTAGE_RATING_MISMATCH = 0x04 => "Voltage rating mismatch",
    }

    /// What firmware found wrong: event data 2 (§42.2, table 42-3, type 0Fh).
    pub struct FirmwareErrorCode(u8) {
        UNSPECIFIED = 0x00 => "Unspecified",
        NO_SYSTEM_MEMORY_IS_PHYSICALLY_INSTALLED = 0x01 => "No system memory is physically installed",
        NO_USABLE_SYSTEM_MEMORY = 0x02 => "No usable system memory",
        UNRECOVERABLE_HARD_DISK_ATAPI_IDE_DEVICE = 0x03 => "Unrecoverable hard-disk/ATAPI/IDE device failure",
        UNRECOVERABLE_SYSTEM_BOARD_FAILURE = 0x04 => "Unrecoverable system-board failure",
        UNRECOVERABLE_DISKETTE_SUBSYSTEM_FAILURE = 0x05 => "Unrecoverable diskette subsystem failure",
        UNRECOVERABLE_HARD_DISK_CONTROLLER_FAILURE = 0x06 => "Unrecoverable hard-disk controller failure",
        UNRECOVERABLE_PS_2_OR_USB_KEYBOARD_FAILURE = 0x07 => "Unrecoverable PS/2 or USB keyboard failure",
        REMOVABLE_BOOT_MEDIA_NOT_FOUND = 0x08 => "Removable boot media not found",
        UNRECOVERABLE_VIDEO_CONTROLLER_FAILURE = 0x09 => "Unrecoverable video controller failure",
        NO_VIDEO_DEVICE_DETECTED = 0x0a => "No video device detected",
        FIRMWARE_BIOS_ROM_CORRUPTION_DETECTED = 0x0b => "Firmware (BIOS) ROM corruption detected",
        CPU_VOLTAGE_MISMATCH = 0x0c => "CPU voltage mismatch",
        CPU_SPEED_MATCHING_FAILURE = 0x0d => "CPU speed matching failure",
    }

    /// How far firmware is, or where it hangs: event data 2 (§42.2, table 42-3, type 0Fh).
    pub struct FirmwareProgressCode(u8) {
        UNSPECIFIED = 0x00 => "Unspecified",
        MEMORY_INITIALIZATION = 0x01 => "Memory initialization",
        HARD_DISK_INITIALIZATION = 0x02 => "Hard-disk initialization",
        SECONDARY_PROCESSOR_S_INITIALIZATION = 0x03 => "Secondary processor(s) initialization",
        USER_AUTHENTICATION = 0x04 => "User authentication",
        USER_INITIATED_SYSTEM_SETUP = 0x05 => "User-initiated system setup",
        USB_RESOURCE_CONFIGURATION = 0x06 => "USB resource configuration",
        PCI_RESOURCE_CONFIGURATION = 0x07 => "PCI resource configuration",
        OPTION_ROM_INITIALIZATION = 0x08 => "Option ROM initialization",
        VIDEO_INITIALIZATION = 0x09 => "Video initialization",
        CACHE_INITIALIZATION = 0x0a => "Cache initialization",
        SMBUS_INITIALIZATION = 0x0b => "SMBus initialization",
        KEYBOARD_CONTROLLER_INITIALIZATION = 0x0c => "Keyboard controller initialization",
        MANAGEMENT_CONTROLLER_INITIALIZATION = 0x0d => "Management controller initialization",
        DOCKING_STATION_ATTACHMENT = 0x0e => "Docking station attachment",
        ENABLING_DOCKING_STATION = 0x0f => "Enabling docking station",
        DOCKING_STATION_EJECTION = 0x10 => "Docking station ejection",
        DISABLING_DOCKING_STATION = 0x11 => "Disabling docking station",
        CALLING_OPERATING_SYSTEM_WAKE_UP_VECTOR = 0x12 => "Calling operating system wake-up vector",
        STARTING_OPERATING_SYSTEM_BOOT_PROCESS = 0x13 => "Starting operating system boot process",
        BASEBOARD_OR_MOTHERBOARD_INITIALIZATION = 0x14 => "Baseboard or motherboard initialization",
        FLOPPY_INITIALIZATION = 0x16 => "Floppy initialization",
        KEYBOARD_TEST = 0x17 => "Keyboard test",
        POINTING_DEVICE_TEST = 0x18 => "Pointing device test",
        PRIMARY_PROCESSOR_INITIALIZATION = 0x19 => "Primary processor initialization",
    }

    /// Kind of a slot: event data 2, 7 bits (§42.2, table 42-3, type 21h).
    pub struct SlotType(u8) {
        PCI = 0x00 => "PCI",
        DRIVE_ARRAY = 0x01 => "Drive Array",
        EXTERNAL_PERIPHERAL_CONNECTOR = 0x02 => "External Peripheral Connector",
        DOCKING = 0x03 => "Docking",
        OTHER_STANDARD_INTERNAL_EXPANSION_SLOT = 0x04 => "Other standard internal expansion slot",
        SLOT_ASSOCIATED_WITH_THE_SENSOR_S_ENTITY = 0x05 => "Slot associated with the sensor's entity",
        ADVANCEDTCA = 0x06 => "AdvancedTCA",
        DIMM_MEMORY_DEVICE = 0x07 => "DIMM/memory device",
        FAN = 0x08 => "FAN",
        PCI_EXPRESS = 0x09 => "PCI Express",
        SCSI_PARALLEL = 0x0a => "SCSI (parallel)",
        SATA_SAS = 0x0b => "SATA/SAS",
        USB = 0x0c => "USB",
    }

    /// What changed its version: event data 2 (§42.2, table 42-3, type 2Bh).
    pub struct VersionChangeKind(u8) {
        UNSPECIFIED = 0x00 => "Unspecified",
        MANAGEMENT_CONTROLLER_DEVICE_ID = 0x01 => "Management controller device ID",
        MANAGEMENT_CONTROLLER_FIRMWARE_REVISION = 0x02 => "Management controller firmware revision",
        MANAGEMENT_CONTROLLER_DEVICE_REVISION = 0x03 => "Management controller device revision",
        MANAGEMENT_CONTROLLER_MANUFACTURER_ID = 0x04 => "Management controller manufacturer ID",
        MANAGEMENT_CONTROLLER_IPMI_VERSION = 0x05 => "Management controller IPMI version",
        MANAGEMENT_CONTROLLER_AUXILIARY_FIRMWARE_ID = 0x06 => "Management controller auxiliary firmware ID",
        MANAGEMENT_CONTROLLER_FIRMWARE_BOOT_BLOCK = 0x07 => "Management controller firmware boot block",
        OTHER_MANAGEMENT_CONTROLLER_FIRMWARE = 0x08 => "Other management controller firmware",
        SYSTEM_FIRMWARE_EFI_BIOS_CHANGE = 0x09 => "System firmware (EFI/BIOS) change",
        SMBIOS_CHANGE = 0x0a => "SMBIOS change",
        OPERATING_SYSTEM_CHANGE = 0x0b => "Operating system change",
        OPERATING_SYSTEM_LOADER_CHANGE = 0x0c => "Operating system loader change",
        SERVICE_OR_DIAGNOSTIC_PARTITION_CHANGE = 0x0d => "Service or diagnostic partition change",
        MANAGEMENT_SOFTWARE_AGENT_CHANGE = 0x0e => "Management software agent change",
        MANAGEMENT_SOFTWARE_APPLICATION_CHANGE = 0x0f => "Management software application change",
        MANAGEMENT_SOFTWARE_MIDDLEWARE_CHANGE = 0x10 => "Management software middleware change",
        PROGRAMMABLE_HARDWARE_CHANGE = 0x11 => "Programmable hardware change",
        BOARD_FRU_MODULE_CHANGE = 0x12 => "Board/FRU module change",
        BOARD_FRU_COMPONENT_CHANGE = 0x13 => "Board/FRU component change",
        BOARD_FRU_REPLACED_WITH_EQUIVALENT_VERSION = 0x14 => "Board/FRU replaced with equivalent version",
        BOARD_FRU_REPLACED_WITH_NEWER_VERSION = 0x15 => "Board/FRU replaced with newer version",
        BOARD_FRU_REPLACED_WITH_OLDER_VERSION = 0x16 => "Board/FRU replaced with older version",
        BOARD_FRU_HARDWARE_CONFIGURATION_CHANGE = 0x17 => "Board/FRU hardware configuration change",
    }

    /// Power state that was asked for or is: event data 2 and 3 (§42.2, table 42-3, type 19h).
    pub struct ChipSetPowerState(u8) {
        S0_G0 = 0x00 => "S0/G0",
        S1 = 0x01 => "S1",
        S2 = 0x02 => "S2",
        S3 = 0x03 => "S3",
        S4 = 0x04 => "S4",
        S5_G2 = 0x05 => "S5/G2",
        S4_S5 = 0x06 => "S4/S5",
        G3 = 0x07 => "G3",
        S1_S2_OR_S3 = 0x08 => "S1, S2 or S3",
        G1 = 0x09 => "G1",
        S5_ENTERED_BY_OVERRIDE = 0x0a => "S5 entered by override",
        LEGACY_ON = 0x0b => "Legacy ON",
        LEGACY_OFF = 0x0c => "Legacy OFF",
        UNKNOWN = 0x0d => "Unknown",
    }

    /// What happened to an auxiliary log: event data 2, 4 bits (§42.2, table 42-3, type 12h).
    pub struct AuxiliaryLogAction(u8) {
        ENTRY_ADDED = 0x00 => "Entry added",
        ENTRY_ADDED_BECAUSE_EVENT_DID_NOT_MAP_TO = 0x01 => "Entry added because event did not map to standard IPMI event",
        ENTRY_ADDED_ALONG_WITH_SEL_ENTRIES = 0x02 => "Entry added along with SEL entries",
        LOG_CLEARED = 0x03 => "Log cleared",
        LOG_DISABLED = 0x04 => "Log disabled",
        LOG_ENABLED = 0x05 => "Log enabled",
    }

    /// Which of the two events around a change of clock: event data 2, bit 7 (§42.2, table 42-3, type 12h).
    pub struct ClockSync(u8) {
        FIRST = 0x00 => "First",
        SECOND = 0x01 => "Second",
    }

    /// Which clock was set: event data 2, 4 bits (§42.2, table 42-3, type 12h).
    pub struct ClockKind(u8) {
        SEL = 0x00 => "SEL",
        SDR = 0x01 => "SDR",
    }

    /// Interrupt of the watchdog: event data 2, bits 7:4 (§42.2, table 42-3, type 23h).
    pub struct WatchdogInterrupt(u8) {
        NONE = 0x00 => "none",
        SMI = 0x01 => "SMI",
        NMI = 0x02 => "NMI",
        MESSAGING_INTERRUPT = 0x03 => "Messaging Interrupt",
    }

    /// Who used the watchdog: event data 2, bits 3:0 (§42.2, table 42-3, type 23h).
    pub struct WatchdogTimerUse(u8) {
        BIOS_FRB2 = 0x01 => "BIOS FRB2",
        BIOS_POST = 0x02 => "BIOS/POST",
        OS_LOAD = 0x03 => "OS Load",
        SMS_OS = 0x04 => "SMS/OS",
        OEM = 0x05 => "OEM",
    }

    /// Why a session ended: event data 3, bits 5:4 (§42.2, table 42-3, type 2Ah).
    pub struct SessionEndCause(u8) {
        CLOSE_SESSION_COMMAND = 0x01 => "Close Session command",
        TIMEOUT = 0x02 => "timeout",
        CONFIGURATION_CHANGE = 0x03 => "configuration change",
    }

    /// Why a FRU changed its state: event data 2, bits 7:4 (§42.2, table 42-3, type 2Ch).
    pub struct FruStateCause(u8) {
        NORMAL_STATE_CHANGE = 0x00 => "Normal State Change",
        CHANGE_COMMANDED_BY_SOFTWARE_EXTERNAL_TO_FRU = 0x01 => "Change Commanded by software external to FRU",
        HANDLE_LATCH_CHANGED = 0x02 => "Handle latch changed",
        HOT_SWAP_PUSH_BUTTON_PRESSED = 0x03 => "Hot swap push button pressed",
        FRU_PROGRAMMATIC_ACTION = 0x04 => "FRU programmatic action",
        COMMUNICATION_LOST = 0x05 => "Communication Lost",
        COMMUNICATION_LOST_DUE_TO_LOCAL_FAILURE = 0x06 => "Communication Lost due to local failure",
        UNEXPECTED_EXTRACTION = 0x07 => "Unexpected extraction",
        OPERATOR_INTERVENTION_UPDATE = 0x08 => "Operator intervention/update",
        UNABLE_TO_COMPUTE_IPMB_ADDRESS = 0x09 => "Unable to compute IPMB address",
        UNEXPECTED_DEACTIVATION = 0x0a => "Unexpected Deactivation",
        CAUSE_UNKNOWN = 0x0f => "Cause Unknown",
    }

    /// Why a FRU changed its hot-swap state: event data 2, bits 7:4 (PICMG 3.0).
    pub struct HotSwapCause(u8) {
        NORMAL_STATE_CHANGE = 0x00 => "Normal state change",
        COMMANDED_BY_SHELF_MANAGER = 0x01 => "Commanded by shelf manager",
        OPERATOR_CHANGED_THE_HANDLE_SWITCH = 0x02 => "Operator changed the handle switch",
        STATE_CHANGE_BY_FRU = 0x03 => "State change by FRU",
        COMMUNICATION_LOST_OR_REGAINED = 0x04 => "Communication lost or regained",
        LOCAL_COMMUNICATION_LOST = 0x05 => "Communication lost: local failure",
        SURPRISE_STATE_CHANGE_DUE_TO_EXTRACTION = 0x06 => "Surprise state change due to extraction",
        DUE_TO_PROVIDED_INFORMATION = 0x07 => "Due to provided information",
        INVALID_HARDWARE_ADDRESS = 0x08 => "Invalid hardware address",
        UNEXPECTED_DEACTIVATION = 0x09 => "Unexpected deactivation",
        SURPRISE_STATE_CHANGE_DUE_TO_POWER_FAILURE = 0x0a => "Surprise state change due to power failure",
        CAUSE_UNKNOWN = 0x0f => "Cause unknown",
    }

    /// State of one bus of IPMB-0: event data 3, 3 bits for each bus (PICMG 3.0).
    pub struct Ipmb0LinkStatus(u8) {
        NO_FAILURE = 0x00 => "No failure",
        UNABLE_TO_DRIVE_CLOCK_HIGH = 0x01 => "Unable to drive clock high",
        UNABLE_TO_DRIVE_DATA_HIGH = 0x02 => "Unable to drive data high",
        UNABLE_TO_DRIVE_CLOCK_LOW = 0x03 => "Unable to drive clock low",
        UNABLE_TO_DRIVE_DATA_LOW = 0x04 => "Unable to drive data low",
        CLOCK_LOW_TIMEOUT = 0x05 => "Clock low timeout",
        UNDER_TEST = 0x06 => "Under test",
        UNDIAGNOSED_COMMUNICATIONS_FAILURE = 0x07 => "Undiagnosed communications failure",
    }
}
