//! Transport commands: configuration of LAN channels (NetFn 0Ch, §23).
//!
//! ```
//! use ipmi::command::Command;
//! use ipmi::command::transport::GetLanConfigurationParameters;
//! use ipmi::number::{ChannelNumber, LanParameter};
//! use ipmi::wire::Writer;
//!
//! let ask = GetLanConfigurationParameters::new(ChannelNumber(1), LanParameter::IP_ADDRESS);
//! let mut buffer = [0; 8];
//! let mut w = Writer::new(&mut buffer);
//! ask.encode(&mut w);
//! assert_eq!(w.written(), [1, 3, 0, 0]);
//! ```

mod lan_parameters;
mod lan_statistics;
mod lan_value;
mod serial;
mod serial_value;
mod sol;

pub use lan_parameters::{
    GetLanConfigurationParameters, LAN_PARAMETER_MAX, LanConfigurationParameters,
    SetLanConfigurationParameters,
};
pub use lan_statistics::{BmcArps, GetIpStatistics, IpStatistics, SuspendBmcArps};
pub use lan_value::{
    AUTH_TYPE_LEVELS, CIPHER_ENTRIES, Ipv6DynamicAddress, Ipv6StaticAddress, LanDestination,
    LanDestinationAddress, LanValue,
};
pub use serial::{
    Callback, CallbackOptions, GetPppReceiveData, GetPppTransmitData, GetSerialConfiguration,
    GetTapResponseCodes, GetUserCallbackOptions, PPP_BLOCK, PppBlock, SERIAL_PARAMETER_MAX,
    SendPppPacket, SerialConfiguration, SerialConnectionActive, SerialMux, SerialRouting,
    SetPppTransmitData, SetSerialConfiguration, SetSerialMux, SetSerialRoutingMux,
    SetUserCallbackOptions, TapResponseCodes, UserCallbackOptions,
};
pub use serial_value::{SerialCommunication, SerialValue};
pub use sol::{
    GetSolConfigurationParameters, SOL_PARAMETER_MAX, SetSolConfigurationParameters, SolActivating,
    SolConfigurationParameters, SolValue,
};
