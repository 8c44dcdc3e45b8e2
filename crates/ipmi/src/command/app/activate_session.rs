//! Activate Session (§22.17): the second half of an IPMI 1.5 log-in.

use crate::command::{Command, Message};
use crate::number::{AuthType, CompletionCode, NetFn, PrivilegeLevel};
use crate::wire::{Reader, WireError, Writer};

/// All sessions are taken.
pub const NO_SLOT: CompletionCode = CompletionCode(0x81);
/// All sessions of this user are taken.
pub const NO_SLOT_FOR_USER: CompletionCode = CompletionCode(0x82);
/// All sessions of this privilege level are taken.
pub const NO_SLOT_FOR_LEVEL: CompletionCode = CompletionCode(0x83);
/// The initial sequence number may not be this one.
pub const SEQUENCE_OUT_OF_RANGE: CompletionCode = CompletionCode(0x84);
/// The packet's session ID is none that Get Session Challenge gave.
pub const INVALID_SESSION_ID: CompletionCode = CompletionCode(0x85);
/// The user, or the channel, may not have this privilege level.
pub const ABOVE_LIMIT: CompletionCode = CompletionCode(0x86);

/// Proves the password and opens the session. Sent with the temporary session ID, and authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActivateSession {
    /// How packets are authenticated, as in Get Session Challenge; 4 bits.
    pub auth_type: AuthType,
    /// The highest level that the session may ask for; 4 bits.
    pub privilege: PrivilegeLevel,
    /// What Get Session Challenge answered.
    pub challenge: [u8; 16],
    /// Sequence number of the first packet that the BMC sends; not 0.
    pub outbound_sequence: u32,
}

/// The answer to [`ActivateSession`] (§22.17, table 22-21).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActivatedSession {
    /// How the session's packets are authenticated; "none" where the BMC checks log-in only. 4 bits.
    pub auth_type: AuthType,
    /// The ID that packets of the session carry, both ways.
    pub session_id: u32,
    /// Sequence number of the first packet that the console sends.
    pub inbound_sequence: u32,
    /// The highest level that the session may ask for; 4 bits.
    pub privilege: PrivilegeLevel,
}

impl Command for ActivateSession {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x3a;
    const NAME: &'static str = "Activate Session";
    const IDEMPOTENT: bool = false;
    type Response = ActivatedSession;

    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.auth_type.0 & 0x0f, self.privilege.0 & 0x0f]);
        w.bytes(&self.challenge);
        w.u32(self.outbound_sequence);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let [auth_type, privilege] = r.array("authentication type and privilege")?;
        Ok(Self {
            auth_type: AuthType(auth_type & 0x0f),
            privilege: PrivilegeLevel(privilege & 0x0f),
            challenge: r.array("challenge")?,
            outbound_sequence: r.u32("initial outbound sequence number")?,
        })
    }
}

impl Message for ActivatedSession {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.auth_type.0 & 0x0f);
        w.u32(self.session_id);
        w.u32(self.inbound_sequence);
        w.u8(self.privilege.0 & 0x0f);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            auth_type: AuthType(r.u8("authentication type")? & 0x0f),
            session_id: r.u32("session ID")?,
            inbound_sequence: r.u32("initial inbound sequence number")?,
            privilege: PrivilegeLevel(r.u8("privilege")? & 0x0f),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn the_challenge_comes_back_between_the_level_and_the_first_sequence_number() {
        let request = ActivateSession {
            auth_type: AuthType::MD5,
            privilege: PrivilegeLevel::ADMINISTRATOR,
            challenge: [7; 16],
            outbound_sequence: 0x0403_0201,
        };
        check::request(
            &request,
            &[&[2, 4][..], &[7; 16], &[1, 2, 3, 4]].concat(),
            22,
        );
        let answer = ActivatedSession {
            auth_type: AuthType::MD5,
            session_id: 0x0403_0201,
            inbound_sequence: 0x0807_0605,
            privilege: PrivilegeLevel::ADMINISTRATOR,
        };
        check::response(&answer, &[2, 1, 2, 3, 4, 5, 6, 7, 8, 4], 10);
    }
}
