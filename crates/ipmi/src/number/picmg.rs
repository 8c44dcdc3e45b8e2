//! Numbers of PICMG (`AdvancedTCA`, `AdvancedMC`, `MicroTCA`), HPM.1 and VITA 46.11.

use super::{protocol_flags, protocol_number};

protocol_number! {
    /// What a FRU does on command (PICMG 3.0 table 3-25).
    pub struct FruControlAction(u8) {
        /// Cold reset.
        COLD_RESET = 0x00 => "Cold Reset",
        /// Warm reset.
        WARM_RESET = 0x01 => "Warm Reset",
        /// Graceful reboot.
        GRACEFUL_REBOOT = 0x02 => "Graceful Reboot",
        /// Diagnostic interrupt.
        DIAGNOSTIC_INTERRUPT = 0x03 => "Issue Diagnostic Interrupt",
        /// Quiesce (`AdvancedMC`).
        QUIESCE = 0x04 => "Quiesce",
    }
}

protocol_flags! {
    /// Which of these a FRU can (PICMG 3.0 table 3-26).
    pub struct FruControlSupport(u8) {
        /// Warm reset.
        WARM_RESET = 0x02 => "warm reset",
        /// Graceful reboot.
        GRACEFUL_REBOOT = 0x04 => "graceful reboot",
        /// Diagnostic interrupt.
        DIAGNOSTIC_INTERRUPT = 0x08 => "diagnostic interrupt",
    }
}

protocol_number! {
    /// Colour of a LED, 4 bits (PICMG 3.0 table 3-29).
    pub struct LedColor(u8) {
        /// Blue.
        BLUE = 0x1 => "BLUE",
        /// Red.
        RED = 0x2 => "RED",
        /// Green.
        GREEN = 0x3 => "GREEN",
        /// Amber.
        AMBER = 0x4 => "AMBER",
        /// Orange.
        ORANGE = 0x5 => "ORANGE",
        /// White.
        WHITE = 0x6 => "WHITE",
        /// As it is.
        UNCHANGED = 0xe => "do not change",
        /// Its default.
        DEFAULT = 0xf => "use default color",
    }
}

protocol_flags! {
    /// Which colours a LED has (PICMG 3.0 table 3-30).
    pub struct LedColors(u8) {
        /// Blue.
        BLUE = 0x02 => "BLUE",
        /// Red.
        RED = 0x04 => "RED",
        /// Green.
        GREEN = 0x08 => "GREEN",
        /// Amber.
        AMBER = 0x10 => "AMBER",
        /// Orange.
        ORANGE = 0x20 => "ORANGE",
        /// White.
        WHITE = 0x40 => "WHITE",
    }
}

protocol_number! {
    /// What a LED does; 01h to FAh: off for so many 10 ms of each blink (PICMG 3.0 table 3-31).
    pub struct FruLedFunction(u8) {
        /// Dark.
        OFF = 0x00 => "off",
        /// Lamp test.
        LAMP_TEST = 0xfb => "lamp test",
        /// What the FRU itself makes it do.
        LOCAL_CONTROL = 0xfc => "local control",
        /// Lit.
        ON = 0xff => "on",
    }
}

protocol_flags! {
    /// Who rules a LED (PICMG 3.0 table 3-32).
    pub struct LampState(u8) {
        /// The FRU may.
        LOCAL_CONTROL = 0x01 => "local control",
        /// Somebody overrides it.
        OVERRIDE = 0x02 => "override",
        /// A lamp test runs.
        LAMP_TEST = 0x04 => "lamp test",
        /// The hardware restricts it (VITA 46.11).
        HARDWARE_RESTRICTED = 0x08 => "hardware restriction",
    }
}

protocol_number! {
    /// State of a FRU that can be swapped while the shelf runs (PICMG 3.0 §3.2.4.2).
    pub struct HotSwapState(u8) {
        /// Not there.
        M0 = 0 => "M0 Not Installed",
        /// Off.
        M1 = 1 => "M1 Inactive",
        /// Wants to be activated.
        M2 = 2 => "M2 Activation Request",
        /// Being activated.
        M3 = 3 => "M3 Activation in Progress",
        /// On.
        M4 = 4 => "M4 Active",
        /// Wants to be deactivated.
        M5 = 5 => "M5 Deactivation Request",
        /// Being deactivated.
        M6 = 6 => "M6 Deactivation in Progress",
        /// Doesn't answer.
        M7 = 7 => "M7 Communication Lost",
    }
}

protocol_flags! {
    /// What keeps a FRU from changing by itself (PICMG 3.0 table 3-20).
    pub struct ActivationPolicy(u8) {
        /// It stays off.
        ACTIVATION_LOCKED = 0x01 => "activation locked",
        /// It stays on.
        DEACTIVATION_LOCKED = 0x02 => "deactivation locked",
    }
}

protocol_flags! {
    /// The same for VITA 46.11.
    pub struct VitaPolicy(u8) {
        /// It stays off.
        ACTIVATION_LOCKED = 0x01 => "activation locked",
        /// It stays on.
        DEACTIVATION_LOCKED = 0x02 => "deactivation locked",
        /// Commands to deactivate are ignored.
        COMMANDED_DEACTIVATION_IGNORED = 0x04 => "commanded deactivation ignored",
        /// Locked from the start.
        DEFAULT_ACTIVATION_LOCKED = 0x08 => "default activation locked",
    }
}

protocol_number! {
    /// Which power level is asked for (PICMG 3.0 table 3-83).
    pub struct PowerLevelType(u8) {
        /// Steady state.
        STEADY = 0 => "steady state powerdraw levels",
        /// Desired steady state.
        DESIRED_STEADY = 1 => "desired steady state draw levels",
        /// Early.
        EARLY = 2 => "early power draw levels",
        /// Desired early.
        DESIRED_EARLY = 3 => "desired early levels",
    }
}

protocol_number! {
    /// Where a FRU is (PICMG 3.0 table 3-4).
    pub struct PicmgSiteType(u8) {
        /// Board.
        BOARD = 0x00 => "AdvancedTCA Board",
        /// Power entry module.
        POWER_ENTRY = 0x01 => "Power Entry",
        /// Shelf FRU information.
        SHELF_FRU = 0x02 => "Shelf FRU Information",
        /// Dedicated shelf manager.
        SHELF_MANAGER = 0x03 => "Dedicated ShMC",
        /// Fan tray.
        FAN_TRAY = 0x04 => "Fan Tray",
        /// Fan filter tray.
        FAN_FILTER = 0x05 => "Fan Filter Tray",
        /// Alarm.
        ALARM = 0x06 => "Alarm",
        /// `AdvancedMC` module.
        AMC = 0x07 => "AdvancedMC Module",
        /// PMC.
        PMC = 0x08 => "PMC",
        /// Rear transition module.
        RTM = 0x09 => "Rear Transition Module",
        /// `MicroTCA` carrier hub.
        MCH = 0x0a => "MicroTCA Carrier Hub",
        /// Power module.
        POWER_MODULE = 0x0b => "Power Module",
    }
}

protocol_number! {
    /// Interface of a link, 2 bits (PICMG 3.0 table 3-44).
    pub struct LinkInterface(u8) {
        /// Base interface.
        BASE = 0 => "Base Interface",
        /// Fabric interface.
        FABRIC = 1 => "Fabric Interface",
        /// Update channel.
        UPDATE_CHANNEL = 2 => "Update Channel Interface",
    }
}

protocol_number! {
    /// What a link carries (PICMG 3.0 table 3-44).
    pub struct LinkType(u8) {
        /// 10/100/1000BASE-T.
        BASE = 0x01 => "Base Interface 10/100/1000 BASE-T",
        /// PICMG 3.1.
        ETHERNET = 0x02 => "Ethernet Fabric Interface",
        /// PICMG 3.2.
        INFINIBAND = 0x03 => "InfiniBand Fabric Interface",
        /// PICMG 3.3.
        STARFABRIC = 0x04 => "StarFabric Fabric Interface",
        /// PICMG 3.4.
        PCI_EXPRESS = 0x05 => "PCI Express Fabric Interface",
    }
}

protocol_number! {
    /// What is done about a shared bus (PICMG 3.0 §3.7.3).
    pub struct BusedResourceAction(u8) {
        /// Asks whose it is.
        QUERY = 0x00 => "query",
        /// Asks that it is let go.
        RELEASE = 0x01 => "release",
        /// Takes it.
        FORCE = 0x02 => "force",
        /// Says that it is free.
        BUS_FREE = 0x03 => "bus free",
    }
}

protocol_number! {
    /// A shared bus (PICMG 3.0 table 3-46).
    pub struct BusedResource(u8) {
        /// Metallic test bus 1.
        TEST_BUS_1 = 0x00 => "Metallic Test Bus pair #1",
        /// Metallic test bus 2.
        TEST_BUS_2 = 0x01 => "Metallic Test Bus pair #2",
        /// Synchronization clock group 1.
        CLOCK_1 = 0x02 => "Synch clock group 1",
        /// Synchronization clock group 2.
        CLOCK_2 = 0x03 => "Synch clock group 2",
        /// Synchronization clock group 3.
        CLOCK_3 = 0x04 => "Synch clock group 3",
    }
}

protocol_number! {
    /// What is done with an IPMB-0 link (PICMG 3.0 §3.8.4).
    pub struct Ipmb0Override(u8) {
        /// Isolated.
        ISOLATE = 0 => "override state, isolate",
        /// Left to the controller.
        LOCAL_CONTROL = 1 => "local control state",
    }
}

protocol_number! {
    /// Direction of a clock (AMC.0 §3.9.2).
    pub struct ClockDirection(u8) {
        /// Into the module.
        RECEIVER = 0 => "clock receiver",
        /// Out of the module.
        SOURCE = 1 => "clock source",
    }
}

protocol_flags! {
    /// Telco alarms (PICMG `MicroTCA` §3.14).
    pub struct AlarmSeverity(u8) {
        /// Critical.
        CRITICAL = 0x01 => "critical",
        /// Major.
        MAJOR = 0x02 => "major",
        /// Minor.
        MINOR = 0x04 => "minor",
        /// Power.
        POWER = 0x08 => "power",
    }
}

protocol_flags! {
    /// What the firmware upgrade of a controller can (HPM.1 table 3-3).
    pub struct HpmCapabilities(u8) {
        /// It tests itself.
        SELF_TEST = 0x01 => "self test",
        /// It goes back by itself when the new firmware doesn't start.
        AUTOMATIC_ROLLBACK = 0x02 => "automatic rollback",
        /// It goes back on command.
        MANUAL_ROLLBACK = 0x04 => "manual rollback",
        /// The payload is affected.
        SERVICES_AFFECTED = 0x08 => "services affected during upgrade",
        /// New firmware may wait for its activation.
        DEFERRED_ACTIVATION = 0x10 => "deferred activation",
        /// The controller does less meanwhile.
        DEGRADED = 0x20 => "IPMC degraded during upgrade",
        /// Automatic rollback may be overridden.
        ROLLBACK_OVERRIDE = 0x40 => "automatic rollback may be overridden",
        /// An upgrade is not wanted now.
        UNDESIRABLE = 0x80 => "upgrade not desirable",
    }
}

protocol_number! {
    /// What Initiate Upgrade Action starts (HPM.1 table 3-8).
    pub struct HpmAction(u8) {
        /// Back up the present firmware.
        BACKUP = 0x00 => "backup components",
        /// Get ready.
        PREPARE = 0x01 => "prepare components",
        /// Take an image.
        UPLOAD = 0x02 => "upload for upgrade",
        /// Take an image and compare it.
        COMPARE = 0x03 => "upload for compare",
    }
}

protocol_number! {
    /// What Get Component Properties asks for (HPM.1 table 3-5).
    pub struct HpmProperty(u8) {
        /// General properties.
        GENERAL = 0 => "general properties",
        /// Version that runs.
        CURRENT_VERSION = 1 => "current version",
        /// Name, at most 12 bytes.
        DESCRIPTION = 2 => "description string",
        /// Version to go back to.
        ROLLBACK_VERSION = 3 => "rollback version",
        /// Version that waits for its activation.
        DEFERRED_VERSION = 4 => "deferred version",
    }
}

protocol_flags! {
    /// Which components a rollback concerned, or how it ended (HPM.1 table 3-19).
    pub struct HpmRollback(u8) {
        /// Component 0.
        COMPONENT_0 = 0x01 => "component 0",
        /// Component 1.
        COMPONENT_1 = 0x02 => "component 1",
        /// Component 2.
        COMPONENT_2 = 0x04 => "component 2",
        /// Component 3.
        COMPONENT_3 = 0x08 => "component 3",
        /// Component 4.
        COMPONENT_4 = 0x10 => "component 4",
        /// Component 5.
        COMPONENT_5 = 0x20 => "component 5",
        /// Component 6.
        COMPONENT_6 = 0x40 => "component 6",
        /// Component 7.
        COMPONENT_7 = 0x80 => "component 7",
    }
}

protocol_flags! {
    /// What a FRU can do on command (VITA 46.11).
    pub struct VitaFruControlSupport(u8) {
        /// Cold reset.
        COLD_RESET = 0x01 => "cold reset",
        /// Warm reset.
        WARM_RESET = 0x02 => "warm reset",
        /// Graceful reboot.
        GRACEFUL_REBOOT = 0x04 => "graceful reboot",
        /// Diagnostic interrupt.
        DIAGNOSTIC_INTERRUPT = 0x08 => "diagnostic interrupt",
        /// Payload power.
        PAYLOAD_POWER = 0x10 => "controlling payload power",
    }
}

protocol_number! {
    /// Where a FRU is (VITA 46.11).
    pub struct VitaSiteType(u8) {
        /// Front-loading VPX plug-in module.
        FRONT_VPX = 0x00 => "Front Loading VPX Plug-In Module",
        /// Power entry.
        POWER_ENTRY = 0x01 => "Power Entry",
        /// Chassis FRU information.
        CHASSIS_FRU = 0x02 => "Chassis FRU Information",
        /// Dedicated chassis manager.
        CHASSIS_MANAGER = 0x03 => "Dedicated Chassis Manager",
        /// Fan tray.
        FAN_TRAY = 0x04 => "Fan Tray",
        /// Fan tray filter.
        FAN_FILTER = 0x05 => "Fan Tray Filter",
        /// Alarm panel.
        ALARM_PANEL = 0x06 => "Alarm Panel",
        /// XMC.
        XMC = 0x07 => "XMC",
        /// VPX rear transition module.
        RTM = 0x09 => "VPX Rear Transition Module",
        /// Front-loading VME plug-in module.
        FRONT_VME = 0x0a => "Front Loading VME Plug-In Module",
        /// Front-loading VXS plug-in module.
        FRONT_VXS = 0x0b => "Front Loading VXS Plug-In Module",
        /// Power supply.
        POWER_SUPPLY = 0x0c => "Power Supply",
        /// Front-loading VITA 62 module.
        VITA_62 = 0x0d => "Front Loading VITA 62 Module",
        /// VITA 71 module.
        VITA_71 = 0x0e => "VITA 71 Module",
        /// FMC.
        FMC = 0x0f => "FMC",
    }
}
