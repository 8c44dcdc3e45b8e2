//! Numbers of the chassis commands (§28).

use super::{protocol_flags, protocol_number};

protocol_flags! {
    /// What a chassis offers (§28.1, table 28-2).
    pub struct ChassisCapabilities(u8) {
        /// Tells when the chassis is opened.
        INTRUSION_SENSOR = 0x01 => "intrusion sensor",
        /// Front-panel buttons can be locked.
        FRONT_PANEL_LOCKOUT = 0x02 => "front panel lockout",
        /// Has a diagnostic interrupt (front-panel NMI).
        DIAGNOSTIC_INTERRUPT = 0x04 => "diagnostic interrupt",
        /// Refuses power-up while an interlock is open.
        POWER_INTERLOCK = 0x08 => "power interlock",
    }
}

protocol_flags! {
    /// Present state of the main power, bits 4:0 of the first byte of Get Chassis Status (§28.2, table 28-3).
    pub struct PowerState(u8) {
        /// System power is on (S0 to S3).
        ON = 0x01 => "on",
        /// Shut down because of a power overload.
        OVERLOAD = 0x02 => "overload",
        /// Off because an interlock is open.
        INTERLOCK = 0x04 => "interlock",
        /// Fault in the main power subsystem.
        FAULT = 0x08 => "fault",
        /// The controller could not switch power.
        CONTROL_FAULT = 0x10 => "control fault",
    }
}

protocol_number! {
    /// What the machine does when mains power comes back (§28.2, table 28-3; §28.8, table 28-9).
    pub struct PowerRestorePolicy(u8) {
        /// Stays off.
        ALWAYS_OFF = 0x00 => "always-off",
        /// Goes back to the state in which power was lost.
        PREVIOUS = 0x01 => "previous",
        /// Powers up.
        ALWAYS_ON = 0x02 => "always-on",
        /// Unknown in a status; "change nothing, tell what is supported" in Set Power Restore Policy.
        UNKNOWN = 0x03 => "unknown",
    }
}

protocol_flags! {
    /// Why power last changed (§28.2, table 28-3).
    pub struct LastPowerEvent(u8) {
        /// Mains power failed.
        AC_FAILED = 0x01 => "ac-failed",
        /// Power overload.
        OVERLOAD = 0x02 => "overload",
        /// Interlock opened.
        INTERLOCK = 0x04 => "interlock",
        /// Power fault.
        FAULT = 0x08 => "fault",
        /// Switched on by an IPMI command.
        COMMAND = 0x10 => "command",
    }
}

protocol_flags! {
    /// Other chassis state, bits 3:0 of the third byte of Get Chassis Status (§28.2, table 28-3).
    pub struct ChassisState(u8) {
        /// The chassis is open.
        INTRUSION = 0x01 => "intrusion",
        /// Front-panel power and reset buttons are locked.
        FRONT_PANEL_LOCKOUT = 0x02 => "front panel lockout",
        /// Drive fault.
        DRIVE_FAULT = 0x04 => "drive fault",
        /// Cooling or fan fault.
        COOLING_FAULT = 0x08 => "cooling fault",
    }
}

protocol_number! {
    /// State of the identify light (§28.2, table 28-3).
    pub struct IdentifyState(u8) {
        /// Dark.
        OFF = 0x00 => "off",
        /// On until its interval ends.
        TEMPORARY = 0x01 => "temporary",
        /// On until told otherwise.
        INDEFINITE = 0x02 => "indefinite",
    }
}

protocol_flags! {
    /// Which front-panel buttons are disabled, and which can be (§28.2, table 28-3).
    pub struct FrontPanelButtons(u8) {
        /// Power-off button is disabled.
        POWER_OFF_DISABLED = 0x01 => "power off disabled",
        /// Reset button is disabled.
        RESET_DISABLED = 0x02 => "reset disabled",
        /// Diagnostic interrupt button is disabled.
        DIAGNOSTIC_DISABLED = 0x04 => "diagnostic interrupt disabled",
        /// Standby (sleep) button is disabled.
        STANDBY_DISABLED = 0x08 => "standby disabled",
        /// Power-off button can be disabled.
        POWER_OFF_DISABLE_ALLOWED = 0x10 => "power off disable allowed",
        /// Reset button can be disabled.
        RESET_DISABLE_ALLOWED = 0x20 => "reset disable allowed",
        /// Diagnostic interrupt button can be disabled.
        DIAGNOSTIC_DISABLE_ALLOWED = 0x40 => "diagnostic interrupt disable allowed",
        /// Standby (sleep) button can be disabled.
        STANDBY_DISABLE_ALLOWED = 0x80 => "standby disable allowed",
    }
}

protocol_number! {
    /// What Chassis Control does (§28.3, table 28-4).
    pub struct ChassisControlAction(u8) {
        /// Forces the machine off at once.
        POWER_DOWN = 0x00 => "power down",
        /// Switches it on.
        POWER_UP = 0x01 => "power up",
        /// Off for at least a second, then on.
        POWER_CYCLE = 0x02 => "power cycle",
        /// Pulses the reset line.
        HARD_RESET = 0x03 => "hard reset",
        /// Pulses the diagnostic interrupt (NMI).
        DIAGNOSTIC_INTERRUPT = 0x04 => "diagnostic interrupt",
        /// Asks the operating system to shut down by emulating a fatal overtemperature.
        SOFT_SHUTDOWN = 0x05 => "soft shutdown",
    }
}

protocol_number! {
    /// Why the system last restarted (§28.11, table 28-11).
    pub struct RestartCause(u8) {
        /// Not known.
        UNKNOWN = 0x00 => "unknown",
        /// Chassis Control.
        CHASSIS_CONTROL = 0x01 => "chassis control command",
        /// Reset button.
        RESET_BUTTON = 0x02 => "reset via pushbutton",
        /// Power button.
        POWER_BUTTON = 0x03 => "power-up via pushbutton",
        /// Watchdog timer ran out.
        WATCHDOG = 0x04 => "watchdog expired",
        /// Maker's own.
        OEM = 0x05 => "OEM",
        /// Power came back and the policy is always-on.
        POLICY_ALWAYS_ON = 0x06 => "power-up due to always-restore power policy",
        /// Power came back and the policy is previous.
        POLICY_PREVIOUS = 0x07 => "power-up due to restore-previous power policy",
        /// Platform event filter: reset.
        PEF_RESET = 0x08 => "reset via PEF",
        /// Platform event filter: power cycle.
        PEF_POWER_CYCLE = 0x09 => "power-cycle via PEF",
        /// Soft reset (Ctrl-Alt-Del).
        SOFT_RESET = 0x0a => "soft reset",
        /// Real-time clock alarm.
        RTC = 0x0b => "power-up via RTC wakeup",
    }
}

protocol_number! {
    /// Parameter of the system boot options (§28.13, table 28-14).
    pub struct BootOptionParameter(u8) {
        /// Guards a change of several parameters.
        SET_IN_PROGRESS = 0 => "set in progress",
        /// Service partition to boot.
        SERVICE_PARTITION_SELECTOR = 1 => "service partition selector",
        /// Service partition scan.
        SERVICE_PARTITION_SCAN = 2 => "service partition scan",
        /// Which restarts do not clear the boot-flags-valid bit.
        VALID_BIT_CLEARING = 3 => "BMC boot flag valid bit clearing",
        /// Who has handled the boot information.
        INFO_ACKNOWLEDGE = 4 => "boot info acknowledge",
        /// Boot flags.
        BOOT_FLAGS = 5 => "boot flags",
        /// Who asked for the boot.
        INITIATOR_INFO = 6 => "boot initiator info",
        /// Mailbox in blocks of 16 bytes.
        INITIATOR_MAILBOX = 7 => "boot initiator mailbox",
    }
}

protocol_number! {
    /// Boot device selector of the boot flags, 4 bits (§28.13, table 28-14).
    pub struct BootDevice(u8) {
        /// The order that firmware set-up has.
        NO_OVERRIDE = 0x0 => "no override",
        /// Network.
        PXE = 0x1 => "PXE",
        /// Default hard drive.
        DISK = 0x2 => "hard drive",
        /// Default hard drive, safe mode.
        DISK_SAFE_MODE = 0x3 => "hard drive, safe mode",
        /// Diagnostic partition.
        DIAGNOSTIC_PARTITION = 0x4 => "diagnostic partition",
        /// Default CD or DVD.
        CD_DVD = 0x5 => "CD/DVD",
        /// Firmware set-up.
        BIOS_SETUP = 0x6 => "BIOS setup",
        /// Removable media connected from afar.
        REMOTE_REMOVABLE = 0x7 => "remote removable media",
        /// CD or DVD connected from afar.
        REMOTE_CD_DVD = 0x8 => "remote CD/DVD",
        /// Primary remote media.
        PRIMARY_REMOTE_MEDIA = 0x9 => "primary remote media",
        /// Hard drive connected from afar.
        REMOTE_DISK = 0xb => "remote hard drive",
        /// Floppy or primary removable media.
        PRIMARY_REMOVABLE = 0xf => "floppy or primary removable media",
    }
}

protocol_number! {
    /// How much firmware prints while it boots, 2 bits of the boot flags (§28.13, table 28-14).
    pub struct BiosVerbosity(u8) {
        /// As set up.
        DEFAULT = 0 => "system default",
        /// Little.
        QUIET = 1 => "quiet",
        /// All.
        VERBOSE = 2 => "verbose",
    }
}

protocol_number! {
    /// Firmware console redirection, 2 bits of the boot flags (§28.13, table 28-14).
    pub struct ConsoleRedirection(u8) {
        /// As set up.
        DEFAULT = 0 => "as set up",
        /// Off.
        SUPPRESS = 1 => "suppressed",
        /// On.
        REQUEST = 2 => "requested",
    }
}

protocol_number! {
    /// Where firmware sets the serial multiplexer at the end of POST, 3 bits of the boot flags (§28.13, table 28-14).
    pub struct BiosMuxOverride(u8) {
        /// As recommended.
        RECOMMENDED = 0 => "recommended setting",
        /// To the BMC.
        BMC = 1 => "to BMC",
        /// To the system.
        SYSTEM = 2 => "to system",
    }
}

protocol_number! {
    /// Shape of a chassis, as SMBIOS numbers it (FRU 1.0 §14; SMBIOS table "System Enclosure or Chassis Types").
    pub struct ChassisType(u8) {
        /// Other.
        OTHER = 0x01 => "Other",
        /// Unknown.
        UNKNOWN = 0x02 => "Unknown",
        /// Desktop.
        DESKTOP = 0x03 => "Desktop",
        /// Low Profile Desktop.
        LOW_PROFILE_DESKTOP = 0x04 => "Low Profile Desktop",
        /// Pizza Box.
        PIZZA_BOX = 0x05 => "Pizza Box",
        /// Mini Tower.
        MINI_TOWER = 0x06 => "Mini Tower",
        /// Tower.
        TOWER = 0x07 => "Tower",
        /// Portable.
        PORTABLE = 0x08 => "Portable",
        /// Laptop.
        LAPTOP = 0x09 => "Laptop",
        /// Notebook.
        NOTEBOOK = 0x0a => "Notebook",
        /// Hand Held.
        HAND_HELD = 0x0b => "Hand Held",
        /// Docking Station.
        DOCKING_STATION = 0x0c => "Docking Station",
        /// All in One.
        ALL_IN_ONE = 0x0d => "All in One",
        /// Sub Notebook.
        SUB_NOTEBOOK = 0x0e => "Sub Notebook",
        /// Space-saving.
        SPACE_SAVING = 0x0f => "Space-saving",
        /// Lunch Box.
        LUNCH_BOX = 0x10 => "Lunch Box",
        /// Main Server Chassis.
        MAIN_SERVER_CHASSIS = 0x11 => "Main Server Chassis",
        /// Expansion Chassis.
        EXPANSION_CHASSIS = 0x12 => "Expansion Chassis",
        /// Sub Chassis.
        SUB_CHASSIS = 0x13 => "Sub Chassis",
        /// Bus Expansion Chassis.
        BUS_EXPANSION_CHASSIS = 0x14 => "Bus Expansion Chassis",
        /// Peripheral Chassis.
        PERIPHERAL_CHASSIS = 0x15 => "Peripheral Chassis",
        /// RAID Chassis.
        RAID_CHASSIS = 0x16 => "RAID Chassis",
        /// Rack Mount Chassis.
        RACK_MOUNT_CHASSIS = 0x17 => "Rack Mount Chassis",
        /// Sealed-case PC.
        SEALED_CASE_PC = 0x18 => "Sealed-case PC",
        /// Multi-system Chassis.
        MULTI_SYSTEM_CHASSIS = 0x19 => "Multi-system Chassis",
        /// Compact PCI.
        COMPACT_PCI = 0x1a => "Compact PCI",
        /// Advanced TCA.
        ADVANCED_TCA = 0x1b => "Advanced TCA",
        /// Blade.
        BLADE = 0x1c => "Blade",
        /// Blade Enclosure.
        BLADE_ENCLOSURE = 0x1d => "Blade Enclosure",
        /// Tablet.
        TABLET = 0x1e => "Tablet",
        /// Convertible.
        CONVERTIBLE = 0x1f => "Convertible",
        /// Detachable.
        DETACHABLE = 0x20 => "Detachable",
        /// IoT Gateway.
        IOT_GATEWAY = 0x21 => "IoT Gateway",
        /// Embedded PC.
        EMBEDDED_PC = 0x22 => "Embedded PC",
        /// Mini PC.
        MINI_PC = 0x23 => "Mini PC",
        /// Stick PC.
        STICK_PC = 0x24 => "Stick PC",
    }
}
