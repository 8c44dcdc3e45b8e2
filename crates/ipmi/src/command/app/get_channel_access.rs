//! Get Channel Access (§22.23).

use crate::command::{Command, Message};
use crate::number::{ChannelAccessFlags, ChannelAccessMode, ChannelNumber, NetFn, PrivilegeLevel};
use crate::wire::{Reader, WireError, WireFault, Writer};

/// Asks how a channel may be used. Completion code 82h: the channel is session-less, or access is not settable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetChannelAccess {
    /// Which channel; 4 bits.
    pub channel: ChannelNumber,
    /// Which copy of the settings.
    pub copy: SettingsCopy,
}

/// Which copy of settings a command reads: 2 bits (§22.23, table 22-28).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingsCopy {
    /// The stored one, which holds after a restart.
    NonVolatile,
    /// The one in force.
    Volatile,
}

/// The answer to [`GetChannelAccess`] (§22.23, table 22-28).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelAccess {
    /// What is switched off; 3 bits.
    pub flags: ChannelAccessFlags,
    /// When the channel may be used; 3 bits.
    pub mode: ChannelAccessMode,
    /// Highest privilege level on the channel; 4 bits, 0 where none is set.
    pub privilege_limit: PrivilegeLevel,
}

impl Command for GetChannelAccess {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x41;
    const NAME: &'static str = "Get Channel Access";
    const IDEMPOTENT: bool = true;
    type Response = ChannelAccess;

    fn encode(&self, w: &mut Writer<'_>) {
        let copy = match self.copy {
            SettingsCopy::NonVolatile => 0x40,
            SettingsCopy::Volatile => 0x80,
        };
        w.bytes(&[self.channel.0 & 0x0f, copy]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let channel = ChannelNumber(r.u8("channel number")? & 0x0f);
        let invalid = r.error("which copy of the settings", WireFault::Invalid);
        let copy = match r.u8("which copy of the settings")? & 0xc0 {
            0x40 => SettingsCopy::NonVolatile,
            0x80 => SettingsCopy::Volatile,
            _ => return Err(invalid),
        };
        Ok(Self { channel, copy })
    }
}

impl Message for ChannelAccess {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8((self.flags.0 & 0x07) << 3 | self.mode.0 & 0x07);
        w.u8(self.privilege_limit.0 & 0x0f);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let access = r.u8("channel access")?;
        Ok(Self {
            flags: ChannelAccessFlags(access >> 3 & 0x07),
            mode: ChannelAccessMode(access & 0x07),
            privilege_limit: PrivilegeLevel(r.u8("channel privilege limit")? & 0x0f),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn settings_are_stored_or_in_force() {
        let channel = ChannelNumber::PRESENT;
        let stored = GetChannelAccess {
            channel,
            copy: SettingsCopy::NonVolatile,
        };
        check::request(&stored, &[0x0e, 0x40], 2);
        let present = GetChannelAccess {
            channel,
            copy: SettingsCopy::Volatile,
        };
        check::request(&present, &[0x0e, 0x80], 2);
        assert!(GetChannelAccess::decode(&mut Reader::new(&[0x0e, 0xc0])).is_err());
        let access = ChannelAccess {
            flags: ChannelAccessFlags::PEF_ALERTING_OFF
                | ChannelAccessFlags::USER_LEVEL_AUTHENTICATION_OFF,
            mode: ChannelAccessMode::ALWAYS_AVAILABLE,
            privilege_limit: PrivilegeLevel::ADMINISTRATOR,
        };
        check::response(&access, &[0x2a, 0x04], 2);
    }
}
