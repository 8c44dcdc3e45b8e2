//! Get Channel Info (§22.24).

use crate::command::{Command, Message};
use crate::number::{ChannelMedium, ChannelNumber, ChannelProtocol, NetFn, SessionSupport};
use crate::wire::{Reader, WireError, Writer};

/// Asks what a channel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetChannelInfo {
    /// Which channel; 4 bits.
    pub channel: ChannelNumber,
}

/// The answer to [`GetChannelInfo`] (§22.24, table 22-29).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelInfo {
    /// The actual number of the channel; 4 bits.
    pub channel: ChannelNumber,
    /// What it runs over; 7 bits.
    pub medium: ChannelMedium,
    /// Message format; 5 bits.
    pub protocol: ChannelProtocol,
    /// How many sessions it has; 2 bits.
    pub session_support: SessionSupport,
    /// Sessions that are active; 6 bits.
    pub active_sessions: u8,
    /// IANA enterprise number of who defined the protocol, 24 bits; 7154 for IPMI's own.
    pub vendor: u32,
    /// For the system interface, the interrupts of SMS and event message buffer; else the vendor's.
    pub auxiliary: [u8; 2],
}

impl ChannelInfo {
    /// The enterprise number of the IPMI forum, in [`ChannelInfo::vendor`] of every standard protocol.
    pub const IPMI_FORUM: u32 = 7154;
}

impl Command for GetChannelInfo {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x42;
    const NAME: &'static str = "Get Channel Info";
    const IDEMPOTENT: bool = true;
    type Response = ChannelInfo;

    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.channel.0 & 0x0f);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            channel: ChannelNumber(r.u8("channel number")? & 0x0f),
        })
    }
}

impl Message for ChannelInfo {
    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[
            self.channel.0 & 0x0f,
            self.medium.0 & 0x7f,
            self.protocol.0 & 0x1f,
            (self.session_support.0 & 0x03) << 6 | self.active_sessions & 0x3f,
        ]);
        w.u24(self.vendor);
        w.bytes(&self.auxiliary);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let channel = ChannelNumber(r.u8("actual channel number")? & 0x0f);
        let medium = ChannelMedium(r.u8("channel medium type")? & 0x7f);
        let protocol = ChannelProtocol(r.u8("channel protocol type")? & 0x1f);
        let sessions = r.u8("session support")?;
        Ok(Self {
            channel,
            medium,
            protocol,
            session_support: SessionSupport(sessions >> 6),
            active_sessions: sessions & 0x3f,
            vendor: r.u24("vendor ID")?,
            auxiliary: r.array("auxiliary channel info")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn a_lan_channel_tells_medium_protocol_and_sessions() {
        check::request(
            &GetChannelInfo {
                channel: ChannelNumber(1),
            },
            &[1],
            1,
        );
        let info = ChannelInfo {
            channel: ChannelNumber(1),
            medium: ChannelMedium::LAN_802_3,
            protocol: ChannelProtocol::IPMB,
            session_support: SessionSupport::MULTI,
            active_sessions: 3,
            vendor: ChannelInfo::IPMI_FORUM,
            auxiliary: [0; 2],
        };
        check::response(
            &info,
            &[0x01, 0x04, 0x01, 0x83, 0xf2, 0x1b, 0x00, 0x00, 0x00],
            9,
        );
    }
}
