//! Numbers of the boot options (§28.13, table 28-14).

use super::{flags, numbers};

numbers! {
    /// How firmware boots, 1 bit of the boot flags (§28.13, table 28-14).
    pub struct BootType(u8) {
        PC_COMPATIBLE = 0x00 => "PC compatible",
        EFI = 0x01 => "EFI",
    }

    /// For how long the boot flags hold, 1 bit of the boot flags (§28.13, table 28-14).
    pub struct BootPersistence(u8) {
        NEXT_BOOT = 0x00 => "next boot only",
        ALL_BOOTS = 0x01 => "all future boots",
    }
}

flags! {
    /// What else the boot flags say: data bytes 2 and 3, low byte first (§28.13, table 28-14).
    pub struct BootOverrides(u16) {
        LOCK_RESET_BUTTON = 0x0001 => "lock out reset button",
        BLANK_SCREEN = 0x0002 => "screen blank",
        LOCK_KEYBOARD = 0x0040 => "lock keyboard",
        CLEAR_CMOS = 0x0080 => "clear CMOS",
        LOCK_SLEEP_BUTTON = 0x0400 => "lock out sleep button",
        BYPASS_PASSWORD = 0x0800 => "user password bypass",
        PROGRESS_TRAPS = 0x1000 => "force progress event traps",
        LOCK_POWER_BUTTON = 0x8000 => "lock out power button",
    }

    /// Who has handled the boot information (§28.13, table 28-14).
    pub struct BootParties(u8) {
        BIOS = 0x01 => "BIOS/POST",
        OS_LOADER = 0x02 => "OS loader",
        SERVICE_PARTITION = 0x04 => "OS/service partition",
        SMS = 0x08 => "SMS",
        OEM = 0x10 => "OEM",
    }

    /// Whether firmware looks for a service partition (§28.13, table 28-14).
    pub struct ServicePartitionScan(u8) {
        DISCOVERED = 0x01 => "service partition discovered",
        REQUESTED = 0x02 => "scan requested",
    }
}

numbers! {
    /// Whether several parameters are being changed together, 2 bits (§23.2, table 23-4; §28.13, table 28-14).
    pub struct SetInProgress(u8) {
        COMPLETE = 0x00 => "set complete",
        IN_PROGRESS = 0x01 => "set in progress",
        COMMIT = 0x02 => "commit write",
    }
}

flags! {
    /// Which restarts do *not* clear the boot-flags-valid bit: data of parameter 3 (§28.13, table 28-14).
    pub struct BootFlagKeep(u8) {
        POWER_BUTTON = 0x01 => "power-up by power button or wake event",
        RESET_BUTTON = 0x02 => "reset by button or soft reset",
        WATCHDOG = 0x04 => "restart by watchdog",
        TIMEOUT = 0x08 => "no Chassis Control within 60 seconds",
        PEF = 0x10 => "restart by platform event filter",
    }
}
