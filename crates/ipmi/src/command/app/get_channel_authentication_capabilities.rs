//! Get Channel Authentication Capabilities (§22.13): what a console may use to log in.

use crate::command::{Command, Message};
use crate::number::{NetFn, PrivilegeLevel};
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
    /// IPMI 1.5 authentication types: bit n for type n (none, MD2, MD5, -, password, OEM).
    pub v15_auth_types: u8,
    /// Whether the rest of the answer is in IPMI 2.0 form.
    pub extended: bool,
    /// A `K_g` is set, so that log-in needs it besides the password.
    pub kg_required: bool,
    /// Packets after log-in are not authenticated one by one (IPMI 1.5).
    pub per_message_auth_disabled: bool,
    /// User-level commands need no authentication (IPMI 1.5).
    pub user_level_auth_disabled: bool,
    /// Users with a name exist.
    pub named_users: bool,
    /// A user without name but with a password exists.
    pub null_users: bool,
    /// A user without name and without password exists.
    pub anonymous_login: bool,
    /// The channel takes IPMI 1.5 sessions.
    pub v15_sessions: bool,
    /// The channel takes RMCP+ sessions.
    pub rmcp_plus_sessions: bool,
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
        w.u8(flag(self.extended, 7) | (self.v15_auth_types & 0x3f));
        w.u8(flag(self.kg_required, 5)
            | flag(self.per_message_auth_disabled, 4)
            | flag(self.user_level_auth_disabled, 3)
            | flag(self.named_users, 2)
            | flag(self.null_users, 1)
            | flag(self.anonymous_login, 0));
        w.u8(flag(self.rmcp_plus_sessions, 1) | flag(self.v15_sessions, 0));
        w.u24(self.oem_enterprise);
        w.u8(self.oem_data);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let [channel, types, status, extended] = r.array("authentication capabilities")?;
        let bit = |byte: u8, bit: u8| byte & (1 << bit) != 0;
        let is_extended = bit(types, 7);
        Ok(Self {
            channel: channel & 0x0f,
            v15_auth_types: types & 0x3f,
            extended: is_extended,
            kg_required: bit(status, 5),
            per_message_auth_disabled: bit(status, 4),
            user_level_auth_disabled: bit(status, 3),
            named_users: bit(status, 2),
            null_users: bit(status, 1),
            anonymous_login: bit(status, 0),
            // Without the extended form the byte is reserved, and only IPMI 1.5 is spoken.
            v15_sessions: !is_extended || bit(extended, 0),
            rmcp_plus_sessions: is_extended && bit(extended, 1),
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
        assert!(!read.rmcp_plus_sessions && read.v15_sessions && !read.extended);
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
