//! Application commands: the device itself, sessions, channels (NetFn 06h).
//!
//! ```
//! use ipmi::command::Message;
//! use ipmi::command::app::DeviceId;
//! use ipmi::wire::Reader;
//!
//! // What a BMC answers to Get Device ID, behind the completion code.
//! let data = [0x20, 0x01, 0x02, 0x14, 0x02, 0xbf, 0xd9, 0x7e, 0x00, 0x00, 0x22];
//! let device = DeviceId::decode(&mut Reader::new(&data))?;
//! assert_eq!((device.manufacturer.0, device.product), (32_473, 0x2200));
//! # Ok::<(), ipmi::wire::WireError>(())
//! ```

pub mod activate_session;
pub mod close_session;
mod firewall;
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
mod messaging;
pub mod payload;
mod reset;
mod set_acpi_power_state;
pub mod set_channel;
pub mod set_session_privilege_level;
pub mod set_user;
mod system_info;
mod user;
mod watchdog;

pub use activate_session::{ActivateSession, ActivatedSession};
pub use close_session::CloseSession;
pub use firewall::{
    CommandBlock, CommandEnables, CommandMask, CommandSupport, DEFINER_MAX, GetCommandEnables,
    GetCommandSubfunctionEnables, GetCommandSubfunctionSupport, GetCommandSupport,
    GetConfigurableCommandSubfunctions, GetConfigurableCommands, GetNetFnSupport,
    GetOemNetFnIanaSupport, NetFnSupport, OemNetFnIana, OneCommand, SetCommandEnables,
    SetCommandSubfunctionEnables, SubfunctionEnables, SubfunctionSupport,
};
pub use get_acpi_power_state::{AcpiPowerState, GetAcpiPowerState};
pub use get_bmc_global_enables::GetBmcGlobalEnables;
pub use get_channel_access::{ChannelAccess, GetChannelAccess, SettingsCopy};
pub use get_channel_authentication_capabilities::{
    ChannelAuthenticationCapabilities, GetChannelAuthenticationCapabilities,
};
pub use get_channel_cipher_suites::{CipherSuitesChunk, GetChannelCipherSuites};
pub use get_channel_info::{ChannelInfo, GetChannelInfo};
pub use get_device_guid::{GetDeviceGuid, GetSystemGuid, Guid, GuidFormat};
pub use get_device_id::{DeviceId, GetDeviceId, IpmiVersion};
pub use get_self_test_results::{GetSelfTestResults, SelfTestResults};
pub use get_session_challenge::{GetSessionChallenge, SessionChallenge};
pub use get_session_info::{GetSessionInfo, SessionInfo, SessionSelector};
pub use messaging::{
    BtInterfaceCapabilities, BufferedEvent, ClearMessageFlags, EMBEDDED_MAX,
    EnableMessageChannelReceive, GetBtInterfaceCapabilities, GetMessage, GetMessageFlags,
    GetSystemInterfaceCapabilities, I2C_MAX, I2cData, MasterWriteRead, MessageChannelReceive,
    ReadEventMessageBuffer, ReceivedMessage, SendMessage, SentMessage, SetBmcGlobalEnables,
    SystemInterfaceCapabilities, WaitingMessages,
};
pub use payload::{
    ActivatePayload, ActivatedPayload, ChannelPayloadSupport, DeactivatePayload,
    GetChannelOemPayloadInfo, GetChannelPayloadSupport, GetChannelPayloadVersion,
    GetPayloadActivationStatus, GetPayloadInstanceInfo, GetUserPayloadAccess, OemPayloadInfo,
    PayloadActivationStatus, PayloadInstanceInfo, PayloadVersion, SetUserPayloadAccess,
    SolActivation, SuspendResumePayloadEncryption, UserPayloadAccess,
};
pub use reset::{ColdReset, WarmReset};
pub use set_acpi_power_state::{
    ManufacturingTest, ManufacturingTestOn, SetAcpiPowerState, TEST_DATA_MAX,
};
pub use set_channel::{
    AuthCode, ChannelSecurityKey, GetAuthCode, SECURITY_KEY_LEN, SetChannelAccess,
    SetChannelSecurityKeys,
};
pub use set_session_privilege_level::{SessionPrivilegeLevel, SetSessionPrivilegeLevel};
pub use set_user::{SetUserAccess, SetUserName, SetUserPassword};
pub use system_info::{
    GetSystemInfoParameters, SYSTEM_INFO_MAX, SetSystemInfoParameters, SystemInfoParameters,
    SystemText,
};
pub use user::{GetUserAccess, GetUserName, UserAccess, UserName};
pub use watchdog::{
    GetWatchdogTimer, ResetWatchdogTimer, SetWatchdogTimer, WatchdogSettings, WatchdogTimer,
};
