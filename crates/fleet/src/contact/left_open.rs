//! Closes the session that an earlier run left open because it was killed: some BMCs have room for few.
//!
//! A courtesy: whatever the BMC says to it, or that it says nothing, the contact goes on.

use hardware::NodeId;
use ipmi::command::app::get_session_info::ActiveSession;
use ipmi::command::app::{CloseSession, GetSessionInfo, SessionInfo, SessionSelector};

use crate::memory::OpenSession;
use crate::script::Line;

/// What an earlier run left open.
#[derive(Clone, Debug)]
pub(crate) struct LeftOpen {
    pub(crate) node: NodeId,
    pub(crate) earlier: OpenSession,
    /// The one that asks: it is remembered in the earlier one's place when that is seen to.
    pub(crate) own: Option<OpenSession>,
}

/// Closes a session that an earlier run had, if the BMC still has it and says whose it is: the same user's as the one that
/// asks, from the same address, and from the port that the earlier run had. BMCs give IDs again: without that it could be
/// anybody's by now.
pub(super) async fn close(line: &Line, earlier: OpenSession) {
    let id = earlier.id.get();
    let Some((other, session)) = ask(line, SessionSelector::Id(id)).await else {
        return;
    };
    let Some((own, asking)) = ask(line, SessionSelector::Current).await else {
        return;
    };
    if own.handle != other.handle && is_same(&session, &asking, earlier.port) {
        let _ = line.call_once(&CloseSession::by_id(id)).await;
    }
}

async fn ask(line: &Line, selector: SessionSelector) -> Option<(SessionInfo, ActiveSession)> {
    let info = line.call_once(&GetSessionInfo { selector }).await.ok()?;
    Some((info, info.session?))
}

/// Whether the session is that of our earlier run, which had this port. An address that the BMC doesn't tell proves nothing:
/// it is missing, or zero where the console's is none of IPv4.
fn is_same(session: &ActiveSession, asking: &ActiveSession, port: u16) -> bool {
    let (Some(console), Some(own)) = (session.console, asking.console) else {
        return false;
    };
    let is_told = console.ip != [0; 4] && port != 0;
    is_told && (session.user_id, console.ip) == (asking.user_id, own.ip) && console.port == port
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use ipmi::command::{Command, Message};
    use ipmi::number::{CompletionCode, PrivilegeLevel, SessionProtocol};
    use ipmi::wire::{Reader, Writer};

    use super::*;
    use crate::script::{Script, play};

    const EARLIER: OpenSession = OpenSession {
        id: NonZeroU32::new(77).unwrap(),
        port: 40_000,
    };
    const OURS: [u8; 4] = [10, 0, 0, 1];

    fn info(handle: u8, user_id: u8, console: Option<([u8; 4], u16)>) -> Vec<u8> {
        use ipmi::command::app::get_session_info::ConsoleAddress;
        let session = ActiveSession {
            user_id,
            privilege: PrivilegeLevel::ADMINISTRATOR,
            protocol: SessionProtocol::V2_0,
            channel: 1,
            console: console.map(|(ip, port)| ConsoleAddress {
                ip,
                mac: [0; 6],
                port,
            }),
        };
        let info = SessionInfo {
            handle,
            max: 4,
            active: 2,
            session: Some(session),
        };
        let mut buffer = [0; 32];
        let mut w = Writer::new(&mut buffer);
        info.encode(&mut w);
        w.written().to_vec()
    }

    /// Whether the session is closed, where the BMC answers these about it and about the one that asks.
    fn closes(about_it: play::Reply, about_own: play::Reply) -> bool {
        let mut closed = false;
        let script = Script::new(|line| async move { close(&line, EARLIER).await });
        play::run(script, |call| {
            assert!(call.once, "nothing of it is asked twice");
            if call.cmd == CloseSession::CMD {
                closed = true;
                return Some((CompletionCode::OK, Vec::new()));
            }
            assert_eq!(call.cmd, GetSessionInfo::CMD);
            match GetSessionInfo::decode(&mut Reader::new(call.data()))
                .unwrap()
                .selector
            {
                SessionSelector::Current => about_own.clone(),
                SessionSelector::Id(77) => about_it.clone(),
                other => panic!("{other:?}"),
            }
        });
        closed
    }

    #[test]
    fn only_a_session_that_the_bmc_says_is_the_earlier_runs_is_closed() {
        let ok = |data| Some((CompletionCode::OK, data));
        let own = || ok(info(2, 3, Some((OURS, 50_000))));
        assert!(closes(ok(info(1, 3, Some((OURS, 40_000)))), own()));
        let others = [
            ("the one that asks", info(2, 3, Some((OURS, 40_000)))),
            ("another user", info(1, 4, Some((OURS, 40_000)))),
            ("another port", info(1, 3, Some((OURS, 40_001)))),
            (
                "another computer",
                info(1, 3, Some(([10, 0, 0, 2], 40_000))),
            ),
            ("no address", info(1, 3, None)),
            ("no session", vec![0, 4, 1]),
            ("garbage", vec![1, 4, 2, 3]),
        ];
        for (what, about_it) in others {
            assert!(!closes(ok(about_it), own()), "{what}");
        }
        // Over IPv6 both are told as 0.0.0.0.
        let unknown = |handle, port| ok(info(handle, 3, Some(([0; 4], port))));
        assert!(!closes(unknown(1, 40_000), unknown(2, 50_000)));
        assert!(!closes(None, own()), "silence");
        assert!(!closes(ok(info(1, 3, Some((OURS, 40_000)))), None));
        let refused = Some((CompletionCode::INVALID_COMMAND, Vec::new()));
        assert!(!closes(refused, own()));
    }
}
