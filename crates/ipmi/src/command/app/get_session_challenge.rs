//! Get Session Challenge (§22.16): the first half of an IPMI 1.5 log-in.

use crate::command::{Command, Message};
use crate::number::{AuthType, CompletionCode, NetFn};
use crate::wire::{Reader, WireError, Writer};

/// No such user, or one who may not log in so.
pub const INVALID_USER_NAME: CompletionCode = CompletionCode(0x81);
/// The user without a name is not enabled.
pub const NULL_USER_NOT_ENABLED: CompletionCode = CompletionCode(0x82);

/// Names a user and asks for something to prove the password with. Sent outside a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetSessionChallenge {
    /// How packets will be authenticated; 4 bits.
    pub auth_type: AuthType,
    /// The user's name, filled up with zeros.
    pub user_name: [u8; 16],
}

/// The answer to [`GetSessionChallenge`] (§22.16, table 22-20).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionChallenge {
    /// The session ID for Activate Session.
    pub temporary_session_id: u32,
    /// What Activate Session must bring back, authenticated.
    pub challenge: [u8; 16],
}

impl Command for GetSessionChallenge {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x39;
    const NAME: &'static str = "Get Session Challenge";
    const IDEMPOTENT: bool = true;
    type Response = SessionChallenge;

    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.auth_type.0 & 0x0f);
        w.bytes(&self.user_name);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            auth_type: AuthType(r.u8("authentication type")? & 0x0f),
            user_name: r.array("user name")?,
        })
    }
}

impl Message for SessionChallenge {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u32(self.temporary_session_id);
        w.bytes(&self.challenge);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            temporary_session_id: r.u32("temporary session ID")?,
            challenge: r.array("challenge")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn a_user_of_sixteen_bytes_is_answered_with_a_challenge_of_sixteen() {
        let request = GetSessionChallenge {
            auth_type: AuthType::MD5,
            user_name: *b"admin\0\0\0\0\0\0\0\0\0\0\0",
        };
        check::request(&request, b"\x02admin\0\0\0\0\0\0\0\0\0\0\0", 17);
        let answer = SessionChallenge {
            temporary_session_id: 0x0403_0201,
            challenge: [7; 16],
        };
        check::response(&answer, &[&[1, 2, 3, 4][..], &[7; 16]].concat(), 20);
    }
}
