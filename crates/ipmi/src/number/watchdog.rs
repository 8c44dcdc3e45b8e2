//! Numbers of the watchdog timer (§27).

use super::{protocol_flags, protocol_number};

protocol_number! {
    /// Who uses the watchdog timer, 3 bits (§27.6, table 27-3).
    pub struct WatchdogUse(u8) {
        /// Firmware, fault resilient boot phase 2.
        BIOS_FRB2 = 1 => "BIOS FRB2",
        /// Firmware, power-on self test.
        BIOS_POST = 2 => "BIOS/POST",
        /// The operating system loads.
        OS_LOAD = 3 => "OS Load",
        /// Operating system or management software.
        SMS_OS = 4 => "SMS/OS",
        /// Maker's own.
        OEM = 5 => "OEM",
    }
}

protocol_number! {
    /// What happens when the watchdog timer runs out, 3 bits (§27.6, table 27-3).
    pub struct WatchdogAction(u8) {
        /// Nothing; the expiration flag and the log tell.
        NONE = 0 => "No action",
        /// The machine is reset.
        HARD_RESET = 1 => "Hard Reset",
        /// The machine goes off.
        POWER_DOWN = 2 => "Power Down",
        /// The machine goes off and on again.
        POWER_CYCLE = 3 => "Power Cycle",
    }
}

protocol_number! {
    /// Interrupt before the watchdog timer runs out, 3 bits (§27.6, table 27-3).
    pub struct PreTimeoutInterrupt(u8) {
        /// None.
        NONE = 0 => "None",
        /// System management interrupt.
        SMI = 1 => "SMI",
        /// Non-maskable or diagnostic interrupt.
        NMI = 2 => "NMI / Diagnostic",
        /// Interrupt of the messaging interface.
        MESSAGING = 3 => "Messaging",
    }
}

protocol_flags! {
    /// For which uses the watchdog timer has run out: bit n is use n (§27.6, table 27-3).
    pub struct WatchdogExpirations(u8) {
        /// Firmware, fault resilient boot phase 2.
        BIOS_FRB2 = 0x02 => "BIOS FRB2",
        /// Firmware, power-on self test.
        BIOS_POST = 0x04 => "BIOS/POST",
        /// The operating system loads.
        OS_LOAD = 0x08 => "OS Load",
        /// Operating system or management software.
        SMS_OS = 0x10 => "SMS/OS",
        /// Maker's own.
        OEM = 0x20 => "OEM",
    }
}
