//! Get LAN Configuration Parameters and Set LAN Configuration Parameters (§23.1, §23.2).

use crate::command::{Bytes, Command, Empty, Message};
use crate::number::{ChannelNumber, LanParameter, NetFn};
use crate::wire::{Reader, WireError, Writer};

/// Room for the data of one parameter; the longest of the specification has 22 bytes.
pub const LAN_PARAMETER_MAX: usize = 40;

/// Sets one parameter of a LAN channel.
///
/// Completion code 80h: no such parameter; 81h: another party has a set in progress; 82h: read-only; 83h: write-only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetLanConfigurationParameters {
    /// Which channel; 4 bits.
    pub channel: ChannelNumber,
    /// Which parameter.
    pub parameter: LanParameter,
    /// Its data.
    pub data: Bytes<LAN_PARAMETER_MAX>,
}

/// Asks for one parameter of a LAN channel. Completion code 80h: no such parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetLanConfigurationParameters {
    /// Asks for the revision only.
    pub revision_only: bool,
    /// Which channel; 4 bits.
    pub channel: ChannelNumber,
    /// Which parameter.
    pub parameter: LanParameter,
    /// Set selector; 0 where the parameter has none.
    pub set: u8,
    /// Block selector; 0 where the parameter has none.
    pub block: u8,
}

impl GetLanConfigurationParameters {
    /// Asks for a parameter that has neither sets nor blocks.
    #[must_use]
    pub const fn new(channel: ChannelNumber, parameter: LanParameter) -> Self {
        Self {
            revision_only: false,
            channel,
            parameter,
            set: 0,
            block: 0,
        }
    }
}

/// The answer to [`GetLanConfigurationParameters`] (§23.2, table 23-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LanConfigurationParameters {
    /// Parameter revision: 11h.
    pub revision: u8,
    /// The data; empty where only the revision was asked for. See [`LanValue`](super::LanValue).
    pub data: Bytes<LAN_PARAMETER_MAX>,
}

impl Command for SetLanConfigurationParameters {
    const NETFN: NetFn = NetFn::TRANSPORT;
    const CMD: u8 = 0x01;
    const NAME: &'static str = "Set LAN Configuration Parameters";
    const IDEMPOTENT: bool = true;
    type Response = Empty;

    /// Beginning a set twice is not: the second is refused with 81h.
    fn is_idempotent(&self) -> bool {
        (self.parameter, self.data.as_slice()) != (LanParameter::SET_IN_PROGRESS, &[1])
    }

    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.channel.0 & 0x0f, self.parameter.0]);
        self.data.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            channel: ChannelNumber(r.u8("channel number")? & 0x0f),
            parameter: LanParameter(r.u8("parameter selector")?),
            data: Bytes::decode(r, "parameter data")?,
        })
    }
}

impl Command for GetLanConfigurationParameters {
    const NETFN: NetFn = NetFn::TRANSPORT;
    const CMD: u8 = 0x02;
    const NAME: &'static str = "Get LAN Configuration Parameters";
    const IDEMPOTENT: bool = true;
    type Response = LanConfigurationParameters;

    fn encode(&self, w: &mut Writer<'_>) {
        let first = self.channel.0 & 0x0f | u8::from(self.revision_only) << 7;
        w.bytes(&[first, self.parameter.0, self.set, self.block]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let [first, parameter, set, block] = r.array("channel and selectors")?;
        Ok(Self {
            revision_only: first & 0x80 != 0,
            channel: ChannelNumber(first & 0x0f),
            parameter: LanParameter(parameter),
            set,
            block,
        })
    }
}

impl Message for LanConfigurationParameters {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.revision);
        self.data.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            revision: r.u8("parameter revision")?,
            data: Bytes::decode_cut(r),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn a_parameter_is_asked_for_by_channel_set_and_block() {
        let get = GetLanConfigurationParameters::new(ChannelNumber(1), LanParameter::IP_ADDRESS);
        check::request(&get, &[0x01, 0x03, 0x00, 0x00], 4);
        let revision = GetLanConfigurationParameters {
            revision_only: true,
            set: 2,
            ..get
        };
        check::request(&revision, &[0x81, 0x03, 0x02, 0x00], 4);
        let data = Bytes::from([10, 0, 0, 7]);
        let answer = LanConfigurationParameters {
            revision: 0x11,
            data,
        };
        check::response(&answer, &[0x11, 10, 0, 0, 7], 1);
        let set = SetLanConfigurationParameters {
            channel: ChannelNumber(1),
            parameter: LanParameter::IP_ADDRESS,
            data,
        };
        check::request(&set, &[0x01, 0x03, 10, 0, 0, 7], 2);
        assert!(set.is_idempotent());
        let begin = SetLanConfigurationParameters {
            parameter: LanParameter::SET_IN_PROGRESS,
            data: Bytes::from([1]),
            ..set
        };
        assert!(!begin.is_idempotent());
        let long = LanConfigurationParameters::decode(&mut Reader::new(&[7; 100]));
        assert_eq!(long.map(|answer| answer.data.len()), Ok(LAN_PARAMETER_MAX));
    }
}
