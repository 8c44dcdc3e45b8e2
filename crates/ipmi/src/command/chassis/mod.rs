//! Chassis commands: power, identification, boot options (NetFn 00h, §28).
//!
//! ```
//! use ipmi::command::Command;
//! use ipmi::command::chassis::ChassisControl;
//! use ipmi::number::ChassisControlAction;
//! use ipmi::wire::Writer;
//!
//! let cycle = ChassisControl { action: ChassisControlAction::POWER_CYCLE };
//! let mut buffer = [0; 4];
//! let mut w = Writer::new(&mut buffer);
//! cycle.encode(&mut w);
//! assert_eq!(w.written(), [2]);
//! // It changes something: a console doesn't repeat it by itself.
//! assert!(!cycle.is_idempotent());
//! ```

mod boot_parameter;
mod chassis_control;
mod chassis_identify;
mod get_chassis_capabilities;
mod get_chassis_status;
mod get_poh_counter;
mod get_system_restart_cause;
mod set_power_restore_policy;
mod settings;
mod system_boot_options;

pub use boot_parameter::{BOOT_PARAMETER_MAX, BootFlags, BootParameter};
pub use chassis_control::ChassisControl;
pub use chassis_identify::ChassisIdentify;
pub use get_chassis_capabilities::{ChassisCapabilitiesResponse, GetChassisCapabilities};
pub use get_chassis_status::{ChassisStatus, GetChassisStatus};
pub use get_poh_counter::{GetPohCounter, PohCounter};
pub use get_system_restart_cause::{GetSystemRestartCause, SystemRestartCause};
pub use set_power_restore_policy::{PowerRestorePolicySupport, SetPowerRestorePolicy};
pub use settings::{
    ChassisReset, SetChassisCapabilities, SetFrontPanelEnables, SetPowerCycleInterval,
};
pub use system_boot_options::{GetSystemBootOptions, SetSystemBootOptions, SystemBootOptions};
