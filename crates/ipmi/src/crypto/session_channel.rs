//! A session's channel, of either protocol.

use alloc::boxed::Box;

use super::channel::{Channel, OpenError, Opened};
use super::v15::V15Channel;
use crate::entropy::Entropy;
use crate::number::PayloadType;
use crate::wire::{BufferFull, Writer};

/// What seals and opens a session's packets. That of IPMI 1.5 is rare, and takes no room in other sessions.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "the common one lies in the session so that a packet touches no further cache lines"
)]
pub(crate) enum SessionChannel {
    RmcpPlus(Channel),
    V15(Box<V15Channel>),
}

impl SessionChannel {
    /// Writes a whole datagram with an IPMI message.
    pub(crate) fn seal(
        &mut self,
        entropy: &mut dyn Entropy,
        out: &mut [u8],
        message: impl FnOnce(&mut Writer<'_>),
    ) -> Result<usize, BufferFull> {
        match self {
            Self::RmcpPlus(channel) => channel.seal(PayloadType::IPMI, entropy, out, message),
            Self::V15(channel) => channel.seal(out, message),
        }
    }

    pub(crate) fn open<'d>(&mut self, datagram: &'d mut [u8]) -> Result<Opened<'d>, OpenError> {
        match self {
            Self::RmcpPlus(channel) => channel.open(datagram),
            Self::V15(channel) => channel.open(datagram),
        }
    }

    /// Leaves out the next packet's number.
    pub(crate) const fn skip_number(&mut self) {
        if let Self::RmcpPlus(channel) = self {
            channel.skip_number();
        }
    }

    /// The BMC's session ID, at the console.
    pub(crate) const fn peer_session_id(&self) -> u32 {
        match self {
            Self::RmcpPlus(channel) => channel.peer_session_id(),
            Self::V15(channel) => channel.session_id(),
        }
    }

    pub(crate) const fn payload_max(&self, datagram_len: usize) -> usize {
        match self {
            Self::RmcpPlus(channel) => channel.payload_max(datagram_len),
            Self::V15(channel) => channel.payload_max(datagram_len),
        }
    }

    /// Whether packets have a code over their payload that only the peer can make.
    pub(crate) const fn authenticates(&self) -> bool {
        match self {
            Self::RmcpPlus(channel) => channel.is_authenticated(),
            Self::V15(channel) => channel.had_digest(),
        }
    }

    pub(crate) const fn is_v15(&self) -> bool {
        matches!(self, Self::V15(_))
    }
}
