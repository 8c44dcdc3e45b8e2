//! Close Session (§22.19).

use crate::command::{Command, Empty};
use crate::number::{CompletionCode, NetFn, SessionCompletion};
use crate::wire::{Reader, WireError, Writer};

/// No session has this ID.
pub const INVALID_SESSION_ID: CompletionCode =
    CompletionCode(SessionCompletion::UNKNOWN_SESSION_ID.0);
/// No session has this handle.
pub const INVALID_SESSION_HANDLE: CompletionCode =
    CompletionCode(SessionCompletion::UNKNOWN_SESSION_HANDLE.0);

/// Ends a session at once, so that the BMC has its slot free for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseSession {
    /// The BMC's session ID; 0 means that `handle` tells which.
    pub session_id: u32,
    /// The session's handle; used, and sent, only where `session_id` is 0.
    pub handle: Option<u8>,
}

impl CloseSession {
    /// Closes the session that the BMC knows by `session_id`.
    #[must_use]
    pub const fn by_id(session_id: u32) -> Self {
        Self {
            session_id,
            handle: None,
        }
    }
}

impl Command for CloseSession {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x3c;
    const NAME: &'static str = "Close Session";
    const IDEMPOTENT: bool = true;
    type Response = Empty;

    fn encode(&self, w: &mut Writer<'_>) {
        w.u32(self.session_id);
        if let (0, Some(handle)) = (self.session_id, self.handle) {
            w.u8(handle);
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let session_id = r.u32("session ID")?;
        let handle = if session_id == 0 && !r.is_empty() {
            Some(r.u8("session handle")?)
        } else {
            None
        };
        Ok(Self { session_id, handle })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handle_travels_only_with_session_id_0() {
        for (command, bytes) in [
            (CloseSession::by_id(0x0403_0201), &[1, 2, 3, 4][..]),
            (
                CloseSession {
                    session_id: 0,
                    handle: Some(7),
                },
                &[0, 0, 0, 0, 7],
            ),
        ] {
            let mut buffer = [0xa5; 8];
            let mut w = Writer::new(&mut buffer);
            command.encode(&mut w);
            assert_eq!(w.written(), bytes);
            assert_eq!(CloseSession::decode(&mut Reader::new(bytes)), Ok(command));
        }
        assert!(CloseSession::decode(&mut Reader::new(&[1, 2, 3])).is_err());
    }
}
