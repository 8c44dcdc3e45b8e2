//! Transport commands: configuration of LAN channels (NetFn 0Ch, §23).

mod lan_parameters;

pub use lan_parameters::{
    GetLanConfigurationParameters, LAN_PARAMETER_MAX, LanConfigurationParameters, LanValue,
    SetLanConfigurationParameters,
};
