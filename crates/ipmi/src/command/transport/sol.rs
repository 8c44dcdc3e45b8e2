//! SOL Activating and the SOL configuration (§26). Starting SOL is Activate Payload; its packets are
//! [`wire::sol`](crate::wire::sol).

use crate::command::layout::{message, request};
use crate::command::{Bytes, Empty};
use crate::number::{
    ChannelNumber, PrivilegeLevel, SerialBitRate, SerialConnectionState, SolParameter,
};

/// Room for the data of one parameter; the longest of the specification has two bytes.
pub const SOL_PARAMETER_MAX: usize = 16;

request! {
    /// Sent by the BMC on a serial channel when SOL takes the port over (§26.1).
    pub struct SolActivating: TRANSPORT 0x20 "SOL Activating", repeatable => Empty {
        u8 {
            /// What becomes of the line; for SOL 2 says that it starts.
            pub state: SerialConnectionState [3:0],
        }
        u8 {
            /// Payload instance.
            pub instance: u8 [3:0],
        }
        /// Major version of the format.
        pub major: u8,
        /// Minor version of the format.
        pub minor: u8,
    }

    /// Sets one parameter of a channel's SOL (§26.2).
    ///
    /// Completion codes 80h: no such parameter; 81h: another party has a set in progress; 82h: read-only; 83h: write-only.
    pub struct SetSolConfigurationParameters: TRANSPORT 0x21 "Set SOL Configuration Parameters", repeatable => Empty {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        /// Which parameter.
        pub parameter: SolParameter,
        /// Its data; see [`SolValue`].
        pub data: Bytes<SOL_PARAMETER_MAX>,
    }

    /// Asks for one parameter of a channel's SOL (§26.3). Completion code 80h: no such parameter.
    pub struct GetSolConfigurationParameters: TRANSPORT 0x22 "Get SOL Configuration Parameters", repeatable => SolConfigurationParameters {
        u8 {
            /// Asks for the revision only.
            pub revision_only: bool [7],
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        /// Which parameter.
        pub parameter: SolParameter,
        /// Set selector; 0.
        pub set: u8,
        /// Block selector; 0.
        pub block: u8,
    }
}

message! {
    /// The answer to [`GetSolConfigurationParameters`] (§26.3).
    pub struct SolConfigurationParameters {
        /// Parameter revision: 11h.
        pub revision: u8,
        /// The data; empty where only the revision was asked for. See [`SolValue`].
        pub data: Bytes<SOL_PARAMETER_MAX>,
    }
}

/// The value of a SOL parameter (§26.3, table 26-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SolValue {
    /// SOL may be activated (1).
    Enable(bool),
    /// Who may, and how packets are protected (2).
    Authentication {
        /// Packets must be encrypted.
        force_encryption: bool,
        /// Packets must be authenticated.
        force_authentication: bool,
        /// Least privilege level.
        privilege: PrivilegeLevel,
    },
    /// When characters are sent (3).
    Accumulate {
        /// After this time, in 5 ms.
        interval_5ms: u8,
        /// Or as soon as there are so many.
        threshold: u8,
    },
    /// When a packet is sent again (4).
    Retry {
        /// So many times.
        count: u8,
        /// After this time, in 10 ms.
        interval_10ms: u8,
    },
    /// Bit rate, after power-up (5) or now (6).
    BitRate(SerialBitRate),
    /// UDP port of the payload (8).
    Port(u16),
    /// Another parameter, or data of another length.
    Raw(Bytes<SOL_PARAMETER_MAX>),
}

impl SolValue {
    /// Reads the data of a parameter.
    #[must_use]
    pub fn from_data(parameter: SolParameter, data: &Bytes<SOL_PARAMETER_MAX>) -> Self {
        match (parameter, data.as_slice()) {
            (SolParameter::ENABLE, [on]) => Self::Enable(on & 1 == 1),
            (SolParameter::AUTHENTICATION, [flags]) => Self::Authentication {
                force_encryption: flags & 0x80 != 0,
                force_authentication: flags & 0x40 != 0,
                privilege: PrivilegeLevel(flags & 0x0f),
            },
            (SolParameter::ACCUMULATE, &[interval_5ms, threshold]) => Self::Accumulate {
                interval_5ms,
                threshold,
            },
            (SolParameter::RETRY, [count, interval_10ms]) => Self::Retry {
                count: count & 0x07,
                interval_10ms: *interval_10ms,
            },
            (SolParameter::NON_VOLATILE_BIT_RATE | SolParameter::VOLATILE_BIT_RATE, [rate]) => {
                Self::BitRate(SerialBitRate(rate & 0x0f))
            }
            (SolParameter::PORT, &[low, high]) => Self::Port(u16::from_le_bytes([low, high])),
            _ => Self::Raw(*data),
        }
    }

    /// The data of the parameter.
    #[must_use]
    pub fn to_data(&self) -> Bytes<SOL_PARAMETER_MAX> {
        match *self {
            Self::Enable(on) => Bytes::from([on.into()]),
            Self::Authentication {
                force_encryption,
                force_authentication,
                privilege,
            } => Bytes::from([u8::from(force_encryption) << 7
                | u8::from(force_authentication) << 6
                | privilege.0 & 0x0f]),
            Self::Accumulate {
                interval_5ms,
                threshold,
            } => Bytes::from([interval_5ms, threshold]),
            Self::Retry {
                count,
                interval_10ms,
            } => Bytes::from([count & 0x07, interval_10ms]),
            Self::BitRate(rate) => Bytes::from([rate.0 & 0x0f]),
            Self::Port(port) => Bytes::from(port.to_le_bytes()),
            Self::Raw(data) => data,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn parameters_as_ipmitool_sets_and_gets_them() {
        let set = SetSolConfigurationParameters {
            channel: ChannelNumber::PRESENT,
            parameter: SolParameter::ENABLE,
            data: SolValue::Enable(true).to_data(),
        };
        check::request(&set, &[0x0e, 1, 1], 2);
        let get = GetSolConfigurationParameters {
            revision_only: false,
            channel: ChannelNumber::PRESENT,
            parameter: SolParameter::RETRY,
            set: 0,
            block: 0,
        };
        check::request(&get, &[0x0e, 4, 0, 0], 4);
        let answer = SolConfigurationParameters {
            revision: 0x11,
            data: Bytes::from([7, 50]),
        };
        check::response(&answer, &[0x11, 7, 50], 1);
        let activating = SolActivating {
            state: SerialConnectionState::TO_SYSTEM,
            instance: 1,
            major: 1,
            minor: 0,
        };
        check::request(&activating, &[2, 1, 1, 0], 4);
    }

    #[test]
    fn every_value_survives_its_bytes() {
        for (parameter, bytes) in [
            (SolParameter::ENABLE, &[1][..]),
            (SolParameter::AUTHENTICATION, &[0xc3]),
            (SolParameter::ACCUMULATE, &[12, 96]),
            (SolParameter::RETRY, &[7, 50]),
            (SolParameter::VOLATILE_BIT_RATE, &[0x0a]),
            (SolParameter::PORT, &[0x6f, 0x02]),
            (SolParameter::CHANNEL, &[1]),
            (SolParameter::ENABLE, &[1, 2, 3]),
        ] {
            let data = Bytes::new(bytes).unwrap();
            let value = SolValue::from_data(parameter, &data);
            assert_eq!(value.to_data(), data, "{value:?}");
        }
    }
}
