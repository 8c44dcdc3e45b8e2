//! Whether a user is the one that the session is logged in as, and a channel the one that it came in by: to bar them may lock the
//! operator out (§22.20, §22.22, §22.29).

use std::rc::Rc;

use ipmi::command::app::get_session_info::{ActiveSession, SessionSelector};
use ipmi::command::app::{GetChannelInfo, GetSessionInfo, GetUserName, UserName};
use ipmi::number::ChannelNumber;

use crate::ipmi::args::OwnUser;
use crate::ipmi::failure::Failure;
use crate::ipmi::talk::{CallError, CallFault, Line};

/// Keeps the operator from being locked out.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    /// The operator wants it.
    insists: bool,
    /// As whom the session is logged in.
    username: Rc<str>,
}

/// What would change for who it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// A user is barred.
    Disabled,
    /// A user gets another name.
    Renamed,
    /// A user may do less over a channel.
    Limited,
}

impl Change {
    const fn told(self) -> &'static str {
        match self {
            Self::Disabled => "could not log in again",
            Self::Renamed => "could log in by its new name only",
            Self::Limited => "might do less from then on, or not log in again",
        }
    }
}

/// Whether something is the session's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Own {
    Yes,
    No,
    /// The BMC does not tell.
    Unknown,
}

impl From<bool> for Own {
    fn from(is_own: bool) -> Self {
        if is_own { Self::Yes } else { Self::No }
    }
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
    /// It is the session's own user, or the BMC does not tell whose it is: nothing was changed.
    pub(super) async fn pass(
        &self,
        line: &Line,
        user_id: u8,
        channel: Option<ChannelNumber>,
        change: Change,
    ) -> Result<(), Failure> {
        if self.insists {
            return Ok(());
        }
        let told = change.told();
        refuse(match self.is_own_user(line, user_id, channel).await? {
            Own::No => return Ok(()),
            Own::Yes => format!("user {user_id} is the one that you are logged in as, and {told}"),
            Own::Unknown => format!(
                "the BMC does not tell whether user {user_id} is the one that you are logged in as, who {told}"
            ),
        })
    }

    /// Passes where the channel is another one than the session's, or the operator insists.
    ///
    /// # Errors
    /// The session came in by it, or the BMC does not tell: nothing was changed.
    pub(super) async fn pass_channel(
        &self,
        line: &Line,
        channel: ChannelNumber,
    ) -> Result<(), Failure> {
        if self.insists {
            return Ok(());
        }
        let told = "nobody could log in by it again, or not as administrator";
        refuse(match is_own_channel(line, channel).await? {
            Own::No => return Ok(()),
            Own::Yes => format!("the channel is the one that you came in by, and {told}"),
            Own::Unknown => format!(
                "the BMC does not tell whether channel {} is the one that you came in by; {told}",
                channel.0
            ),
        })
    }

    async fn is_own_user(
        &self,
        line: &Line,
        user_id: u8,
        channel: Option<ChannelNumber>,
    ) -> Result<Own, CallError> {
        // A controller behind the BMC has users of its own, and the session is not with it.
        if line.way().is_some() {
            return Ok(Own::No);
        }
        if let Some(session) = session(line).await? {
            let elsewhere = |channel: ChannelNumber| {
                channel != ChannelNumber::PRESENT && channel.0 != session.channel
            };
            let is_own = session.user_id == user_id && !channel.is_some_and(elsewhere);
            return Ok(is_own.into());
        }
        // It does not tell: a user of that name is taken for the one.
        let name = told(line.call(&GetUserName { user_id }).await)?;
        let is_own = |name: UserName| name.as_bytes() == self.username.as_bytes();
        Ok(name.map_or(Own::Unknown, |name| is_own(name).into()))
    }
}

async fn is_own_channel(line: &Line, channel: ChannelNumber) -> Result<Own, CallError> {
    // The session is not with a controller behind the BMC.
    if line.way().is_some() {
        return Ok(Own::No);
    }
    if channel == ChannelNumber::PRESENT {
        return Ok(Own::Yes);
    }
    if let Some(session) = session(line).await? {
        return Ok((session.channel == channel.0).into());
    }
    let present = GetChannelInfo {
        channel: ChannelNumber::PRESENT,
    };
    let info = told(line.call(&present).await)?;
    // Some give back the number that they were asked by.
    let info = info.filter(|info| info.channel != ChannelNumber::PRESENT);
    Ok(info.map_or(Own::Unknown, |info| (info.channel == channel).into()))
}

/// What the BMC says of the session, as far as it says whose it is.
async fn session(line: &Line) -> Result<Option<ActiveSession>, CallError> {
    let selector = SessionSelector::Current;
    let info = told(line.call(&GetSessionInfo { selector }).await)?;
    let session = info.and_then(|info| info.session);
    Ok(session.filter(|session| session.user_id != 0))
}

/// What a BMC tells; `None` where it refuses to, or what it says means nothing.
fn told<T>(answer: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match answer {
        Ok(told) => Ok(Some(told)),
        Err(error) => match error.fault {
            CallFault::Refused(_) | CallFault::Garbled(_) => Ok(None),
            _ => Err(error),
        },
    }
}

fn refuse(cause: String) -> Result<(), Failure> {
    Err(Failure::Unfit {
        kind: "own_user",
        cause: format!("{cause}; nothing was changed"),
        remedy: "do it as another administrator or over another channel, or insist on it with --own-user"
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use ipmi::command::Command;
    use ipmi::number::CompletionCode;
    use serde_json::Value;

    use super::*;
    use crate::ipmi::report::Report;
    use crate::ipmi::talk::play::Reply;
    use crate::ipmi::talk::{Talk, play};

    /// What a BMC says of the session: handle, sessions that may be and are; then user 3, administrator, on channel 1.
    const OWN: &[u8] = &[1, 4, 1, 3, 4, 0x11];

    /// What a BMC says that ends in the middle of the session.
    const GARBLED: &[u8] = &[1, 4, 1, 3];

    fn ok(data: &[u8]) -> Reply {
        Some((CompletionCode::OK, data.to_vec()))
    }

    const REFUSED: Reply = Some((CompletionCode::INVALID_COMMAND, vec![]));

    /// Why user 3 is refused on a channel, if it is, of a BMC that tells of the session or not, and of the user's name or not.
    fn refused_of(
        own_user: bool,
        channel: Option<u8>,
        session: Option<&[u8]>,
        name: Option<&str>,
    ) -> Option<String> {
        let guard = Guard::new(OwnUser { own_user }, Some("ops"));
        let talk = Talk::new(|line| async move {
            let channel = channel.map(ChannelNumber);
            guard.pass(&line, 3, channel, Change::Disabled).await?;
            Ok(Report::line("", Value::Null))
        });
        refusal(play::run(talk, |call| match call.target.cmd {
            GetSessionInfo::CMD => session.map_or(REFUSED, ok),
            GetUserName::CMD => name.map_or(REFUSED, |name| {
                let mut name = name.as_bytes().to_vec();
                name.resize(16, 0);
                ok(&name)
            }),
            other => panic!("command {other:02x}h"),
        }))
    }

    fn refusal(outcome: crate::ipmi::talk::Outcome) -> Option<String> {
        let failure = outcome.err()?;
        assert_eq!(failure.kind(), "own_user");
        assert!(failure.remedy().contains("--own-user"), "{failure}");
        Some(failure.cause())
    }

    fn is_refused(own_user: bool, channel: Option<u8>, session: Option<&[u8]>) -> bool {
        refused_of(own_user, channel, session, Some("ops")).is_some()
    }

    #[test]
    fn the_sessions_own_user_is_known_by_the_session_or_by_its_name() {
        assert!(is_refused(false, None, Some(OWN)));
        assert!(is_refused(false, Some(0x0e), Some(OWN)));
        assert!(is_refused(false, Some(1), Some(OWN)));
        assert!(!is_refused(false, Some(2), Some(OWN)), "that stays open");
        assert!(!is_refused(true, None, Some(OWN)));
        assert!(!is_refused(false, None, Some(&[1, 4, 1, 2, 4, 0x11])));
        assert!(is_refused(false, None, None));
        assert!(is_refused(false, None, Some(&[1, 4, 1, 0, 4, 0x11])));
    }

    #[test]
    fn what_a_bmc_says_of_the_session_that_means_nothing_leaves_the_name() {
        assert!(refused_of(false, None, Some(GARBLED), Some("ops")).is_some());
        assert_eq!(refused_of(false, None, Some(GARBLED), Some("guest")), None);
    }

    #[test]
    fn a_user_of_whom_nothing_is_known_may_be_the_own_one() {
        let cause = refused_of(false, None, None, None).unwrap();
        assert!(cause.contains("does not tell"), "{cause}");
        assert_eq!(refused_of(true, None, None, None), None);
    }

    #[test]
    fn the_sessions_channel_is_known_by_the_session_or_asked_for() {
        let refused = |channel, session: Option<&[u8]>, present: Option<u8>| {
            let guard = Guard::new(OwnUser { own_user: false }, Some("ops"));
            let talk = Talk::new(|line| async move {
                guard.pass_channel(&line, ChannelNumber(channel)).await?;
                Ok(Report::line("", Value::Null))
            });
            refusal(play::run(talk, |call| match call.target.cmd {
                GetSessionInfo::CMD => session.map_or(REFUSED, ok),
                GetChannelInfo::CMD => present.map_or(REFUSED, |number| {
                    ok(&[number, 4, 1, 0x81, 0xf2, 0x1b, 0, 0, 0])
                }),
                other => panic!("command {other:02x}h"),
            }))
        };
        for (channel, session, present, is_refused) in [
            (0x0e, None, None, true),
            (1, Some(OWN), None, true),
            (2, Some(OWN), None, false),
            (1, None, Some(1), true),
            (2, None, Some(1), false),
            (2, Some(GARBLED), Some(1), false),
            (2, None, Some(0x0e), true),
            (2, None, None, true),
        ] {
            let cause = refused(channel, session, present);
            assert_eq!(
                cause.is_some(),
                is_refused,
                "{channel} {present:?}: {cause:?}"
            );
        }
    }
}
