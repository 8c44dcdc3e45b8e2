//! Application commands: the device itself, sessions, channels (NetFn 06h).

pub mod close_session;
pub mod get_channel_authentication_capabilities;
pub mod get_channel_cipher_suites;
mod get_device_guid;
mod get_device_id;
pub mod get_session_info;
pub mod set_session_privilege_level;

pub use close_session::CloseSession;
pub use get_channel_authentication_capabilities::{
    ChannelAuthenticationCapabilities, GetChannelAuthenticationCapabilities,
};
pub use get_channel_cipher_suites::{CipherSuitesChunk, GetChannelCipherSuites};
pub use get_device_guid::{GetDeviceGuid, GetSystemGuid, Guid};
pub use get_device_id::{DeviceId, GetDeviceId, IpmiVersion};
pub use get_session_info::{GetSessionInfo, SessionInfo};
pub use set_session_privilege_level::{SessionPrivilegeLevel, SetSessionPrivilegeLevel};
