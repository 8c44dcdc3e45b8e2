//! Application commands: the device itself, sessions, channels (NetFn 06h).

pub mod activate_session;
pub mod close_session;
mod get_acpi_power_state;
mod get_bmc_global_enables;
mod get_channel_access;
pub mod get_channel_authentication_capabilities;
pub mod get_channel_cipher_suites;
mod get_channel_info;
mod get_device_guid;
mod get_device_id;
mod get_self_test_results;
pub mod get_session_challenge;
pub mod get_session_info;
mod reset;
pub mod set_session_privilege_level;
mod system_info;
mod user;

pub use activate_session::{ActivateSession, ActivatedSession};
pub use close_session::CloseSession;
pub use get_acpi_power_state::{AcpiPowerState, GetAcpiPowerState};
pub use get_bmc_global_enables::GetBmcGlobalEnables;
pub use get_channel_access::{ChannelAccess, GetChannelAccess, SettingsCopy};
pub use get_channel_authentication_capabilities::{
    ChannelAuthenticationCapabilities, GetChannelAuthenticationCapabilities,
};
pub use get_channel_cipher_suites::{CipherSuitesChunk, GetChannelCipherSuites};
pub use get_channel_info::{ChannelInfo, GetChannelInfo};
pub use get_device_guid::{GetDeviceGuid, GetSystemGuid, Guid};
pub use get_device_id::{DeviceId, GetDeviceId, IpmiVersion};
pub use get_self_test_results::{GetSelfTestResults, SelfTestResults};
pub use get_session_challenge::{GetSessionChallenge, SessionChallenge};
pub use get_session_info::{GetSessionInfo, SessionInfo};
pub use reset::{ColdReset, WarmReset};
pub use set_session_privilege_level::{SessionPrivilegeLevel, SetSessionPrivilegeLevel};
pub use system_info::{
    GetSystemInfoParameters, SYSTEM_INFO_MAX, SetSystemInfoParameters, SystemInfoParameters,
    SystemText,
};
pub use user::{GetUserAccess, GetUserName, UserAccess, UserName};
