//! What a management controller remembers besides its machine: all that consoles have set.
//!
//! Most controllers of a site are never changed. They share one state as it comes from the factory, and get their own
//! with the first change.

mod dcmi;
mod firmware;
mod firmware_image;
mod modular;
mod oem;
mod parameter;
mod pef;
mod sdr_changes;
mod sensor_settings;
mod user_settings;
mod watchdog;

use std::collections::BTreeMap;

use ipmi::number::{
    ArpSuspend, ChassisCapabilities, CompletionCode, FrontPanelButtons, GlobalEnables,
    PrivilegeLevel, UserAccessFlags,
};

pub use dcmi::{Dcmi, ThermalLimits};
pub use firmware::{APPLICATION, BOOT, COMPONENTS, Component, Firmware, IMAGE_MAX, STEP_5S};
pub use firmware_image::{MAGIC, firmware, upgrade_image};
pub use modular::{FRUS, LEDS, LINKS_REMEMBERED, Modular, color};
pub use oem::{BANKS, DRIVEN_FANS, Drive, Oem, OemFamily, POLICIES_MAX, ZONES};
pub use parameter::{
    Access, PARAMETERS_MAX, ParameterSpec, Parameters, WRITING_S, read_parameter, write_parameter,
};
pub use pef::{ALERTS_MAX, Alert, FILTERS, POLICIES, Pef, STRINGS};
pub use sdr_changes::{SDR_RECORDS_MAX, SdrChanges};
pub use sensor_settings::SensorSettings;
pub use user_settings::{ChannelAccessSettings, ChannelSettings, UserSettings};
pub use watchdog::{Expired, Watchdog};

/// Logs beside the SEL (§31.12).
pub const AUXILIARY_LOGS: usize = 3;
/// Network functions on one LUN whose commands can be switched off one by one; at most so many are remembered.
pub const SWITCHED_OFF_MAX: usize = 256;

/// What consoles have set.
#[derive(Clone, Debug, Default)]
pub struct Controller {
    /// Boot options that the host itself doesn't know (§28.13).
    pub boot: Parameters,
    /// LAN configuration (§23.2).
    pub lan: Parameters,
    /// SOL configuration (§26.3).
    pub sol: Parameters,
    /// Serial configuration (§25.2).
    pub serial: Parameters,
    /// System information (§22.14b).
    pub system_info: Parameters,
    /// DCMI configuration (DCMI 1.5 §6.1.3).
    pub dcmi_configuration: Parameters,
    /// Watchdog timer (§27).
    pub watchdog: Watchdog,
    /// Platform event filters (§30).
    pub pef: Pef,
    /// Users beyond name, password and level.
    pub users: BTreeMap<u8, UserSettings>,
    /// The LAN channel.
    pub channel: ChannelSettings,
    /// The serial channel, which nobody comes in by: what is set is kept.
    pub serial_channel: ChannelSettings,
    /// What users may do on the serial channel, and up to which level, where that was set.
    pub serial_users: BTreeMap<u8, (UserAccessFlags, PrivilegeLevel)>,
    /// Sensors, by number.
    pub sensors: BTreeMap<u8, SensorSettings>,
    /// What was written to FRU inventories, by device.
    pub frus: BTreeMap<u8, Vec<u8>>,
    /// Changes of the sensor data repository.
    pub sdr: Option<SdrChanges>,
    /// Log entry that comes in parts: what is there so far (§31.7).
    pub partial_entry: Option<(u16, Vec<u8>)>,
    /// Time stamp and status of the logs beside the SEL.
    pub auxiliary_logs: [Option<(u32, Vec<u8>)>; AUXILIARY_LOGS],
    /// What the chassis says it offers, and where its devices are, where that was set (§28.7).
    pub chassis: Option<(ChassisCapabilities, [u8; 5])>,
    /// Front-panel buttons that are disabled.
    pub buttons: FrontPanelButtons,
    /// How long a power cycle stays off, where that was set, in seconds (§28.9).
    pub cycle_s: Option<u8>,
    /// What the system told about its power state (§20.6): system, device.
    pub acpi: (Option<u8>, Option<u8>),
    /// What is on, on the system interface (§22.1).
    pub enables: Option<GlobalEnables>,
    /// Channels from which messages are received, bit n for channel n (§22.5).
    pub receives: u16,
    /// Where events go on the bus: address, LUN (§29.1).
    pub event_receiver: Option<(u8, u8)>,
    /// The BMC's own ARP activity that rests (§23.3).
    pub arp_suspended: ArpSuspend,
    /// Commands that are switched off: network function, group byte or FFh, command (§21.7).
    pub switched_off: Vec<(u8, u8, u8)>,
    /// DCMI's own.
    pub dcmi: Dcmi,
    /// Firmware components (HPM.1).
    pub firmware: Firmware,
    /// FRUs of a modular system (PICMG, VITA 46.11).
    pub modular: Modular,
    /// Its maker's own.
    pub oem: Oem,
    /// The PPP proxy's transmit buffer (§25.5).
    pub ppp: Vec<u8>,
    /// The serial multiplexer: to the BMC, system blocked, BMC blocked (§25.3).
    pub mux: (bool, bool, bool),
}

impl Controller {
    /// Whether a command is switched off.
    #[must_use]
    pub fn is_off(&self, netfn: u8, group: u8, cmd: u8) -> bool {
        self.switched_off.contains(&(netfn, group, cmd))
    }

    /// Switches a command on or off.
    ///
    /// # Errors
    /// [`CompletionCode::OUT_OF_SPACE`] where [`SWITCHED_OFF_MAX`] are off already.
    pub fn switch(&mut self, command: (u8, u8, u8), on: bool) -> Result<(), CompletionCode> {
        self.switched_off.retain(|off| *off != command);
        if !on {
            if self.switched_off.len() >= SWITCHED_OFF_MAX {
                return Err(CompletionCode::OUT_OF_SPACE);
            }
            self.switched_off.push(command);
        }
        Ok(())
    }
}
