//! Get Channel Authentication Capabilities (§22.13): what a console may use to log in.

use crate::command::{Command, Message};
use crate::number::{
    AnonymousLogin, AuthTypes, ExtendedCapabilities, KgStatus, NetFn, PerMessageAuthentication,
    PrivilegeLevel, UserLevelAuthentication,
};
use crate::wire::{Reader, WireError, Writer};

/// The channel that the request arrives on (§6.3, table 6-1).
pub const CHANNEL_CURRENT: u8 = 0x0e;

/// Asks how a session may be authenticated. Sent outside a session, as the first packet of a log-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetChannelAuthenticationCapabilities {
    /// Channel number; [`CHANNEL_CURRENT`] for this one.
    pub channel: u8,
    /// Asks for the IPMI 2.0 fields; a BMC answers an IPMI 1.5 console without them.
    pub rmcp_plus: bool,
    /// The privilege level that the console is going to ask for.
    pub privilege: PrivilegeLevel,
}

/// Which authentication a channel offers (§22.13, table 22-15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelAuthenticationCapabilities {
    /// Channel number that the request arrived on.
    pub channel: u8,
    /// IPMI 1.5 authentication types.
    pub v15_auth_types: AuthTypes,
    /// Whether the rest of the answer is in IPMI 2.0 form.
    pub extended: bool,
    /// Whether a `K_g` is set, so that log-in needs it besides the password.
    pub kg: KgStatus,
    /// Whether packets after log-in are authenticated one by one (IPMI 1.5).
    pub per_message: PerMessageAuthentication,
    /// Whether user-level commands are authenticated (IPMI 1.5).
    pub user_level: UserLevelAuthentication,
    /// Which kinds of users there are.
    pub users: AnonymousLogin,
    /// Which sessions the channel takes.
    pub sessions: ExtendedCapabilities,
    /// Maker of an OEM authentication type, as IANA enterprise number; 0 without one.
    pub oem_enterprise: u32,
    /// Data of the OEM authentication type.
    pub oem_data: u8,
}

impl Command for GetChannelAuthenticationCapabilities {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x38;
    const NAME: &'static str = "Get Channel Authentication Capabilities";
    const IDEMPOTENT: bool = true;
    type Response = ChannelAuthenticationCapabilities;

    fn encode(&self, w: &mut Writer<'_>) {
        let extended = if self.rmcp_plus { 0x80 } else { 0 };
        w.bytes(&[extended | (self.channel & 0x0f), self.privilege.0 & 0x0f]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let [channel, privilege] = r.array("channel and privilege")?;
        Ok(Self {
            channel: channel & 0x0f,
            rmcp_plus: channel & 0x80 != 0,
            privilege: PrivilegeLevel(privilege & 0x0f),
        })
    }
}

const fn flag(set: bool, bit: u8) -> u8 {
    if set { 1 << bit } else { 0 }
}

impl Message for ChannelAuthenticationCapabilities {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.channel);
        w.u8(flag(self.extended, 7) | (self.v15_auth_types.0 & 0x3f));
        w.u8((self.kg.0 & 1) << 5
            | (self.per_message.0 & 1) << 4
            | (self.user_level.0 & 1) << 3
            | self.users.0 & 0x07);
        w.u8(self.sessions.0 & 0x03);
        w.u24(self.oem_enterprise);
        w.u8(self.oem_data);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let [channel, types, status, extended] = r.array("authentication capabilities")?;
        let is_extended = types & 0x80 != 0;
        Ok(Self {
            channel: channel & 0x0f,
            v15_auth_types: AuthTypes(types & 0x3f),
            extended: is_extended,
            kg: KgStatus(status >> 5 & 1),
            per_message: PerMessageAuthentication(status >> 4 & 1),
            user_level: UserLevelAuthentication(status >> 3 & 1),
            users: AnonymousLogin(status & 0x07),
            // Without the extended form the byte is reserved, and only IPMI 1.5 is spoken.
            sessions: if is_extended {
                ExtendedCapabilities(extended & 0x03)
            } else {
                ExtendedCapabilities::V1_5
            },
            oem_enterprise: r.u24("OEM enterprise number")?,
            oem_data: r.u8("OEM data")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_has_the_two_bytes_of_table_22_15() {
        let mut buffer = [0xa5; 8];
        let mut w = Writer::new(&mut buffer);
        let command = GetChannelAuthenticationCapabilities {
            channel: CHANNEL_CURRENT,
            rmcp_plus: true,
            privilege: PrivilegeLevel::ADMINISTRATOR,
        };
        command.encode(&mut w);
        assert_eq!(w.written(), [0x8e, 0x04]);
        let read = GetChannelAuthenticationCapabilities::decode(&mut Reader::new(w.written()));
        assert_eq!(read, Ok(command));
    }

    #[test]
    fn each_flag_of_the_answer_round_trips_alone() {
        for bit in 0..24 {
            let mut bytes = [1, 0x80, 0, 0, 1, 2, 3, 4];
            let [_, types, status, extended, ..] = &mut bytes;
            match bit {
                0..6 => *types |= 1 << bit,
                8..14 => *status |= 1 << (bit - 8),
                16..18 => *extended |= 1 << (bit - 16),
                _ => continue,
            }
            let read = ChannelAuthenticationCapabilities::decode(&mut Reader::new(&bytes)).unwrap();
            let mut buffer = [0xa5; 8];
            read.encode(&mut Writer::new(&mut buffer));
            assert_eq!(buffer, bytes, "bit {bit}");
        }
    }

    #[test]
    fn an_ipmi_1_5_answer_offers_no_rmcp_plus() {
        let bytes = [1, 0x15, 0x04, 0x03, 0, 0, 0, 0];
        let read = ChannelAuthenticationCapabilities::decode(&mut Reader::new(&bytes)).unwrap();
        assert_eq!(
            (read.sessions, read.extended),
            (ExtendedCapabilities::V1_5, false)
        );
    }

    #[test]
    fn a_short_answer_is_an_error() {
        for len in 0..8 {
            assert!(
                ChannelAuthenticationCapabilities::decode(&mut Reader::new(&[0; 8][..len]))
                    .is_err()
            );
        }
    }
}
