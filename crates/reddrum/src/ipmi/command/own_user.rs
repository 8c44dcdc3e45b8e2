//! Whether a user is the one that the session is logged in as: to bar it may lock the operator out (§22.20, §22.29).

use std::rc::Rc;

use ipmi::command::app::get_session_info::SessionSelector;
use ipmi::command::app::{GetSessionInfo, GetUserName};
use ipmi::number::ChannelNumber;

use crate::ipmi::args::OwnUser;
use crate::ipmi::failure::Failure;
use crate::ipmi::talk::{CallError, Line};

/// Keeps the operator from being locked out.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    /// The operator wants it.
    insists: bool,
    /// As whom the session is logged in.
    username: Rc<str>,
}

impl Guard {
    /// For sessions of this user.
    pub(super) fn new(own: OwnUser, username: Option<&str>) -> Self {
        Self {
            insists: own.own_user,
            username: username.unwrap_or_default().into(),
        }
    }

    /// Passes where the user is another one, or the operator insists. `channel` is where something changes; `None` = everywhere.
    ///
    /// # Errors
    /// It is the session's own user: nothing was changed.
    pub(super) async fn pass(
        &self,
        line: &Line,
        user_id: u8,
        channel: Option<ChannelNumber>,
    ) -> Result<(), Failure> {
        if self.insists || !self.is_own(line, user_id, channel).await? {
            return Ok(());
        }
        Err(Failure::Unfit {
            kind: "own_user",
            cause: format!(
                "user {user_id} is the one that you are logged in as, and could not get in again; nothing was changed"
            ),
            remedy: "do it as another administrator, or insist on it with --own-user".to_owned(),
        })
    }

    async fn is_own(
        &self,
        line: &Line,
        user_id: u8,
        channel: Option<ChannelNumber>,
    ) -> Result<bool, CallError> {
        // A controller behind the BMC has users of its own, and the session is not with it.
        if line.way().is_some() {
            return Ok(false);
        }
        let selector = SessionSelector::Current;
        match line.call(&GetSessionInfo { selector }).await {
            Ok(info) => {
                if let Some(session) = info.session.filter(|session| session.user_id != 0) {
                    let elsewhere = |channel: ChannelNumber| {
                        channel != ChannelNumber::PRESENT && channel.0 != session.channel
                    };
                    return Ok(session.user_id == user_id && !channel.is_some_and(elsewhere));
                }
            }
            Err(error) if error.completion().is_some() => {}
            Err(error) => return Err(error),
        }
        // It does not tell: a user of that name is taken for the one.
        match line.call(&GetUserName { user_id }).await {
            Ok(name) => Ok(name.as_bytes() == self.username.as_bytes()),
            Err(error) if error.completion().is_some() => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use ipmi::command::Command;
    use ipmi::number::CompletionCode;
    use serde_json::Value;

    use super::*;
    use crate::ipmi::report::Report;
    use crate::ipmi::talk::{Talk, play};

    /// Whether user 3 is refused on a channel, of a BMC that tells of the session or not.
    fn is_refused(insists: bool, channel: Option<u8>, session: Option<[u8; 6]>) -> bool {
        let guard = Guard::new(OwnUser { own_user: insists }, Some("ops"));
        let talk = Talk::new(|line| async move {
            guard.pass(&line, 3, channel.map(ChannelNumber)).await?;
            Ok(Report::line("", Value::Null))
        });
        let outcome = play::run(talk, |call| match call.target.cmd {
            GetSessionInfo::CMD => Some(
                session.map_or((CompletionCode::INVALID_COMMAND, vec![]), |session| {
                    (CompletionCode::OK, session.to_vec())
                }),
            ),
            GetUserName::CMD => {
                let mut name = b"ops".to_vec();
                name.resize(16, 0);
                Some((CompletionCode::OK, name))
            }
            other => panic!("command {other:02x}h"),
        });
        match outcome {
            Ok(_) => false,
            Err(failure) => {
                assert!(failure.remedy().contains("--own-user"), "{failure}");
                true
            }
        }
    }

    #[test]
    fn the_sessions_own_user_is_known_by_the_session_or_by_its_name() {
        // Handle, sessions that may be and are; then user 3, administrator, on channel 1.
        let own = Some([1, 4, 1, 3, 4, 0x11]);
        assert!(is_refused(false, None, own));
        assert!(is_refused(false, Some(0x0e), own));
        assert!(is_refused(false, Some(1), own));
        assert!(!is_refused(false, Some(2), own), "that stays open");
        assert!(!is_refused(true, None, own));
        assert!(!is_refused(false, None, Some([1, 4, 1, 2, 4, 0x11])));
        assert!(is_refused(false, None, None));
        assert!(is_refused(false, None, Some([1, 4, 1, 0, 4, 0x11])));
    }
}
