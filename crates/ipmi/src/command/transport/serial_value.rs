//! The values of parameters of a serial channel (§25.2, table 25-4).

use crate::command::Bytes;
use crate::command::layout::{Field, layout};
use crate::command::transport::SERIAL_PARAMETER_MAX;
use crate::number::{
    SerialBitRate, SerialConnectionMode, SerialFlowControl, SerialParameter, SetInProgress,
};
use crate::wire::{Reader, Writer};

layout! {
    /// How the BMC drives the port for IPMI messaging (7).
    pub struct SerialCommunication {
        u8 {
            /// Flow control.
            pub flow: SerialFlowControl [7:6],
            /// Dropping DTR hangs up.
            pub dtr_hang_up: bool [5],
        }
        u8 {
            /// Bit rate.
            pub rate: SerialBitRate [3:0],
        }
    }
}

/// The value of a parameter, for the parameters that we give a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SerialValue {
    /// Guards a change of several parameters (0).
    SetInProgress(SetInProgress),
    /// Direct or modem; basic, PPP or terminal mode (3).
    ConnectionMode(SerialConnectionMode),
    /// Flow control and bit rate (7).
    Communication(SerialCommunication),
    /// Another parameter, or data of another length.
    Raw(Bytes<SERIAL_PARAMETER_MAX>),
}

impl SerialValue {
    /// Reads the data of a parameter.
    #[must_use]
    pub fn from_data(parameter: SerialParameter, data: &Bytes<SERIAL_PARAMETER_MAX>) -> Self {
        match (parameter, data.as_slice()) {
            (SerialParameter::SET_IN_PROGRESS, &[state]) => {
                Self::SetInProgress(SetInProgress(state & 0x03))
            }
            (SerialParameter::CONNECTION_MODE, &[mode]) => {
                Self::ConnectionMode(SerialConnectionMode(mode))
            }
            (SerialParameter::COMMUNICATION, bytes @ [_, _]) => {
                Field::get(&mut Reader::new(bytes), "communication settings")
                    .map_or(Self::Raw(*data), Self::Communication)
            }
            _ => Self::Raw(*data),
        }
    }

    /// The data of the parameter.
    #[must_use]
    pub fn to_data(&self) -> Bytes<SERIAL_PARAMETER_MAX> {
        let mut buffer = [0; SERIAL_PARAMETER_MAX];
        let mut w = Writer::new(&mut buffer);
        match self {
            Self::SetInProgress(state) => w.u8(state.0 & 0x03),
            Self::ConnectionMode(mode) => w.u8(mode.0),
            Self::Communication(settings) => settings.put(&mut w),
            Self::Raw(data) => w.bytes(data),
        }
        Bytes::new(w.written()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flow_control_and_rate_are_in_one_parameter() {
        let data = Bytes::from([0x60, 0x0a]);
        let value = SerialValue::from_data(SerialParameter::COMMUNICATION, &data);
        let SerialValue::Communication(settings) = value else {
            panic!("{value:?}");
        };
        assert_eq!(settings.flow, SerialFlowControl::RTS_CTS);
        assert!(settings.dtr_hang_up);
        assert_eq!(value.to_data(), data);
    }

    #[test]
    fn every_parameter_of_every_length_reads_and_comes_back() {
        for parameter in 0..=255 {
            for len in 0..=SERIAL_PARAMETER_MAX {
                let bytes = [0x81; SERIAL_PARAMETER_MAX];
                let data = Bytes::new(&bytes[..len]).unwrap();
                let value = SerialValue::from_data(SerialParameter(parameter), &data);
                let again = SerialValue::from_data(SerialParameter(parameter), &value.to_data());
                assert_eq!(again, value);
            }
        }
    }
}
