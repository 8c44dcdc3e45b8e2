//! Requests to controllers behind the BMC: Send Message (§22.7), once or twice.
//!
//! ```text
//! Send Message ( channel, IPMB message to the target )
//! Send Message ( channel, IPMB message to the transit controller ( Send Message ( channel, IPMB message to the target ) ) )
//! ```
//!
//! All messages of a request carry the same sequence number. The BMC answers Send Message itself; the target's answer
//! comes inside that answer, or as a message of its own after it, as the BMC pleases.

use core::fmt;

use super::event::Ignored;
use super::request::RequestTarget;
use crate::number::{CompletionCode, NetFn};
use crate::wire::message::{BMC_ADDRESS, LanMessage, MessageHeader, REQUEST_OVERHEAD};
use crate::wire::{WireError, WireFault, Writer};

/// Send Message, by its numbers.
pub(super) const SEND_MESSAGE: RequestTarget = RequestTarget {
    netfn: NetFn::APP,
    cmd: 0x34,
    lun: 0,
};

/// Bit in Send Message's channel byte: the BMC is to pass the answer back.
const TRACK: u8 = 0x40;

/// One step over an IPMB: a controller on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    channel: u8,
    address: u8,
}

/// Why there is no such hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HopError {
    /// Channels have numbers from 0 to 15.
    Channel(u8),
    /// Addresses of controllers are even; the last bit is not part of them.
    Address(u8),
}

impl fmt::Display for HopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(channel) => write!(f, "channel {channel} is not from 0 to 15"),
            Self::Address(address) => write!(
                f,
                "address {address:#04x} is odd; a controller's address is an even number"
            ),
        }
    }
}

impl core::error::Error for HopError {}

impl Hop {
    /// The controller with slave address `address` (eight bits, even) on channel `channel` (0 is the primary IPMB).
    ///
    /// # Errors
    /// A channel beyond 15, or an odd address.
    pub const fn new(channel: u8, address: u8) -> Result<Self, HopError> {
        if channel > 0x0f {
            return Err(HopError::Channel(channel));
        }
        if address & 1 != 0 {
            return Err(HopError::Address(address));
        }
        Ok(Self { channel, address })
    }

    /// Channel, as the controller before it numbers them.
    #[must_use]
    pub const fn channel(&self) -> u8 {
        self.channel
    }

    /// Slave address.
    #[must_use]
    pub const fn address(&self) -> u8 {
        self.address
    }
}

/// The way from the BMC to a controller behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bridge {
    /// The controller that passes the request on to the target, where the BMC doesn't reach that itself.
    pub transit: Option<Hop>,
    /// The controller that the request is for, on a channel of the BMC, or of the transit controller.
    pub target: Hop,
}

impl Bridge {
    /// The way to a controller that the BMC reaches itself.
    #[must_use]
    pub const fn to(target: Hop) -> Self {
        Self {
            transit: None,
            target,
        }
    }

    /// The way over `transit` to a controller on one of its channels.
    #[must_use]
    pub const fn over(transit: Hop, target: Hop) -> Self {
        Self {
            transit: Some(transit),
            target,
        }
    }

    /// Bytes that bridging adds to a request.
    pub(super) const fn overhead(&self) -> usize {
        let hop = REQUEST_OVERHEAD + 1;
        match self.transit {
            Some(_) => 2 * hop,
            None => hop,
        }
    }

    /// Writes the data of the BMC's Send Message for a request with this sequence number.
    pub(super) fn encode(
        &self,
        target: RequestTarget,
        rq_seq: u8,
        data: &[u8],
        w: &mut Writer<'_>,
    ) {
        // The address of the controller that sends on the last bus.
        let from = self.transit.map_or(BMC_ADDRESS, |transit| transit.address);
        let last = |w: &mut Writer<'_>| {
            let header = ipmb_request(self.target.address, from, target, rq_seq);
            w.u8(TRACK | self.target.channel);
            header.encode(w, |w| w.bytes(data));
        };
        match self.transit {
            None => last(w),
            Some(transit) => {
                let header = ipmb_request(transit.address, BMC_ADDRESS, SEND_MESSAGE, rq_seq);
                w.u8(TRACK | transit.channel);
                header.encode(w, last);
            }
        }
    }
}

/// The header of a request from one controller to another.
const fn ipmb_request(to: u8, from: u8, target: RequestTarget, rq_seq: u8) -> MessageHeader {
    let header = MessageHeader::request(target.netfn, target.lun, target.cmd, rq_seq);
    MessageHeader { to, from, ..header }
}

/// What a message says to a bridged request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said<'d> {
    /// Passed on; the answer is to come.
    PassedOn,
    /// The command was answered so: the target's, or Send Message where that is as far as the request came.
    Answer(RequestTarget, CompletionCode, &'d [u8]),
}

/// Reads an answer to the bridged request `target` with this sequence number.
pub(super) fn read<'d>(
    target: RequestTarget,
    rq_seq: u8,
    mut message: LanMessage<'d>,
) -> Result<Said<'d>, Ignored> {
    // The BMC's Send Message, the transit controller's, the target's command.
    for _ in 0..3 {
        let LanMessage { header, body } = message;
        let answers = |asked: RequestTarget| {
            (header.netfn, header.cmd, header.rq_seq) == (asked.netfn.response(), asked.cmd, rq_seq)
        };
        let (completion, data) = split(body)?;
        if answers(target) {
            return Ok(Said::Answer(target, completion, data));
        }
        if !answers(SEND_MESSAGE) {
            return Err(Ignored::Late);
        }
        if completion != CompletionCode::OK {
            return Ok(Said::Answer(SEND_MESSAGE, completion, data));
        }
        if data.is_empty() {
            return Ok(Said::PassedOn);
        }
        message = LanMessage::decode(data)?;
    }
    Err(Ignored::Late)
}

/// Completion code and data of an answer.
pub(super) fn split(body: &[u8]) -> Result<(CompletionCode, &[u8]), Ignored> {
    let (code, data) = body.split_first().ok_or(Ignored::Unparsable(WireError {
        field: "completion code",
        at: 6,
        fault: WireFault::Truncated,
    }))?;
    Ok((CompletionCode(*code), data))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET_DEVICE_ID: RequestTarget = RequestTarget {
        netfn: NetFn::APP,
        cmd: 1,
        lun: 0,
    };

    fn written(bridge: Bridge) -> std::vec::Vec<u8> {
        let mut buffer = [0xa5; 64];
        let mut w = Writer::new(&mut buffer);
        bridge.encode(GET_DEVICE_ID, 9, &[], &mut w);
        w.written().to_vec()
    }

    #[test]
    fn a_request_is_wrapped_once_for_each_hop() {
        let target = Hop::new(7, 0x72).unwrap();
        let inner = [0x47, 0x72, 0x18, 0x76, 0x20, 0x24, 0x01, 0xbb];
        assert_eq!(written(Bridge::to(target)), inner);
        let transit = Hop::new(0, 0x82).unwrap();
        // The transit controller sends on the last bus.
        let inner = [0x47, 0x72, 0x18, 0x76, 0x82, 0x24, 0x01, 0x59];
        let outer = [0x40, 0x82, 0x18, 0x66, 0x20, 0x24, 0x34];
        let sum = [&outer[4..], &inner]
            .concat()
            .iter()
            .fold(0u8, |sum, byte| sum.wrapping_sub(*byte));
        let bridge = Bridge::over(transit, target);
        assert_eq!(written(bridge), [&outer[..], &inner, &[sum]].concat());
        for bridge in [bridge, Bridge::to(target)] {
            assert_eq!(bridge.overhead(), written(bridge).len());
        }
    }

    #[test]
    fn hops_are_checked() {
        assert_eq!(Hop::new(16, 0x20), Err(HopError::Channel(16)));
        assert_eq!(Hop::new(0, 0x21), Err(HopError::Address(0x21)));
        let hop = Hop::new(6, 0x2c).unwrap();
        assert_eq!((hop.channel(), hop.address()), (6, 0x2c));
    }

    /// An answer from one controller to another.
    fn answer(target: RequestTarget, rq_seq: u8, body: &[u8]) -> std::vec::Vec<u8> {
        let mut buffer = [0; 128];
        let mut w = Writer::new(&mut buffer);
        let header = ipmb_request(0x72, 0x20, target, rq_seq).response();
        header.encode(&mut w, |w| w.bytes(body));
        w.written().to_vec()
    }

    #[test]
    fn an_answer_is_found_however_deep_it_lies() {
        fn said(message: &[u8]) -> Result<Said<'_>, Ignored> {
            read(GET_DEVICE_ID, 9, LanMessage::decode(message).unwrap())
        }
        let own = answer(GET_DEVICE_ID, 9, &[0, 1, 2, 3]);
        let expected = Said::Answer(GET_DEVICE_ID, CompletionCode::OK, &[1, 2, 3]);
        let wrapped = answer(SEND_MESSAGE, 9, &[&[0][..], &own].concat());
        let twice = answer(SEND_MESSAGE, 9, &[&[0][..], &wrapped].concat());
        for message in [&own, &wrapped, &twice] {
            assert_eq!(said(message), Ok(expected));
        }
        let three = answer(SEND_MESSAGE, 9, &[&[0][..], &twice].concat());
        assert_eq!(
            said(&three),
            Err(Ignored::Late),
            "deeper than there are hops"
        );
        assert_eq!(said(&answer(SEND_MESSAGE, 9, &[0])), Ok(Said::PassedOn));
        let nak = CompletionCode(0x83);
        let refused = Said::Answer(SEND_MESSAGE, nak, &[]);
        assert_eq!(said(&answer(SEND_MESSAGE, 9, &[0x83])), Ok(refused));
        assert_eq!(said(&answer(GET_DEVICE_ID, 8, &[0])), Err(Ignored::Late));
        assert!(said(&answer(SEND_MESSAGE, 9, &[0, 1, 2, 3])).is_err());
    }
}
