//! Get System Restart Cause (§28.11).

use crate::command::{Command, Message};
use crate::number::{ChannelNumber, NetFn, RestartCause};
use crate::wire::{Reader, WireError, Writer};

/// Asks why the system last restarted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetSystemRestartCause;

/// The answer to [`GetSystemRestartCause`] (§28.11, table 28-11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemRestartCause {
    /// The cause; 4 bits.
    pub cause: RestartCause,
    /// Channel over which the restart was asked for; unspecified (0) for local causes.
    pub channel: ChannelNumber,
}

impl Command for GetSystemRestartCause {
    const NETFN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x07;
    const NAME: &'static str = "Get System Restart Cause";
    const IDEMPOTENT: bool = true;
    type Response = SystemRestartCause;

    fn encode(&self, _: &mut Writer<'_>) {}

    fn decode(_: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self)
    }
}

impl Message for SystemRestartCause {
    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.cause.0 & 0x0f, self.channel.0]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            cause: RestartCause(r.u8("restart cause")? & 0x0f),
            channel: ChannelNumber(r.u8("channel number")?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn cause_and_channel_are_a_byte_each() {
        check::request(&GetSystemRestartCause, &[], 0);
        let response = SystemRestartCause {
            cause: RestartCause::WATCHDOG,
            channel: ChannelNumber(1),
        };
        check::response(&response, &[0x04, 0x01], 2);
    }
}
