//! Application commands: the device itself, sessions, channels (NetFn 06h).

mod get_device_guid;

pub use get_device_guid::{GetDeviceGuid, GetSystemGuid, Guid};
