//! What a session tells its driver.

use core::fmt;

use crate::command::{Command, Message};
use crate::crypto::{OpenError, SuiteSet};
use crate::number::{CipherSuiteId, CompletionCode, NetFn, PayloadType, RakpStatus};
use crate::sequence::SequenceRefused;
use crate::wire::{Reader, WireError};

/// What a datagram or a timer led to.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'d> {
    /// Nothing that concerns the driver.
    None,
    /// Logged in: requests may be sent.
    Established,
    /// The answer to the request in flight.
    Response(Response<'d>),
    /// The request in flight stays without answer; the session goes on.
    RequestTimedOut(TimedOut),
    /// Log-in failed; the session is idle again.
    LoginFailed(LoginFailure),
    /// The BMC answers no more; the session is idle again.
    SessionLost(SessionLost),
    /// Closed as asked; the session is idle again.
    Closed,
    /// A payload of another kind than IPMI messages, such as a SOL packet (§15.9).
    Payload(PayloadType, &'d [u8]),
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response<'d> {
    /// Network function of the request (even).
    pub netfn: NetFn,
    /// Command number; Send Message's where a bridged request came no further than that.
    pub cmd: u8,
    /// How it went.
    pub completion: CompletionCode,
    /// Data after the completion code.
    pub data: &'d [u8],
}

impl Response<'_> {
    /// The answer as that of command `C`, which must be the command that was asked.
    ///
    /// # Errors
    /// A completion code other than 00h, or data that is not `C`'s.
    pub fn decode<C: Command>(&self) -> Result<C::Response, CommandError> {
        if self.completion != CompletionCode::OK {
            return Err(CommandError::Completion(self.completion));
        }
        C::Response::decode(&mut Reader::new(self.data)).map_err(CommandError::Wire)
    }
}

/// Why a command has no typed answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// The BMC refused it.
    Completion(CompletionCode),
    /// The BMC's answer doesn't parse.
    Wire(WireError),
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completion(code) => write!(f, "the BMC refused the command: {code}"),
            Self::Wire(error) => write!(f, "the BMC's answer is malformed: {error}"),
        }
    }
}

impl core::error::Error for CommandError {}

/// A request without answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut {
    /// Network function of the request.
    pub netfn: NetFn,
    /// Command number.
    pub cmd: u8,
    /// The request is not idempotent and was sent: the BMC may have executed it. Look at the machine's state
    /// before asking again.
    pub maybe_executed: bool,
}

/// The BMC stopped answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLost {
    /// The driver's request that was in flight.
    pub request: Option<TimedOut>,
}

/// Why log-in failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginFailure {
    /// No answer, or none that leads on: nothing listens there, or packets are lost.
    NoAnswer,
    /// The BMC speaks IPMI 1.5 only.
    NotRmcpPlus,
    /// The BMC takes no IPMI 1.5 sessions, or none that are authenticated as ours would be.
    NotV15,
    /// The BMC answers, but not to the proof of the password (IPMI 1.5): most likely the password is wrong, since a
    /// BMC drops what it can't authenticate.
    NotActivated,
    /// The password is wrong: the BMC's proof doesn't match ours, or the BMC says that ours doesn't match.
    WrongPassword,
    /// The BMC knows no such user, or it is disabled.
    UnknownUser,
    /// The BMC takes none of our cipher suites.
    NoCommonSuite {
        /// What it offers; `None` where it didn't say.
        offered: Option<SuiteSet>,
    },
    /// The BMC had a better cipher suite before than any that it takes now.
    Downgrade {
        /// The suite that it had.
        had: CipherSuiteId,
        /// What it offers now; `None` where it didn't say.
        offered: Option<SuiteSet>,
    },
    /// The user may not work at the privilege level asked for.
    PrivilegeRefused,
    /// The BMC has no free session.
    Resources,
    /// The BMC did not confirm the session key: `K_g` differs, or somebody else answered.
    NotAuthentic,
    /// The BMC chose other algorithms than we proposed.
    AlgorithmsChanged,
    /// The BMC refused for another reason.
    Rejected(RakpStatus),
    /// The BMC refused a command that log-in needs.
    CommandRejected(CompletionCode),
}

impl fmt::Display for LoginFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer => {
                f.write_str("the BMC does not answer; check address, port and network")
            }
            Self::NotRmcpPlus => f.write_str("the BMC offers no IPMI 2.0 (RMCP+) sessions"),
            Self::NotV15 => f.write_str("the BMC offers no IPMI 1.5 sessions that are authenticated in a way that may be used"),
            Self::NotActivated => f.write_str(
                "the BMC does not answer Activate Session; most likely the password is wrong",
            ),
            Self::WrongPassword => f.write_str("the password is wrong"),
            Self::UnknownUser => f.write_str("the BMC knows no such user, or it is disabled"),
            Self::NoCommonSuite {
                offered: Some(offered),
            } => {
                write!(f, "no common cipher suite: the BMC offers {offered}")
            }
            Self::NoCommonSuite { offered: None } => {
                f.write_str("the BMC refused every cipher suite that we proposed")
            }
            Self::Downgrade { had, offered } => {
                write!(
                    f,
                    "the BMC no longer takes cipher suite {had}, which it had before"
                )?;
                match offered {
                    Some(offered) => write!(f, "; it offers {offered}"),
                    None => Ok(()),
                }
            }
            Self::PrivilegeRefused => {
                f.write_str("the user may not have this privilege level; ask for a lower one")
            }
            Self::Resources => f.write_str("the BMC has no free session; close others or wait"),
            Self::NotAuthentic => f.write_str("the BMC did not confirm the session key; check K_g"),
            Self::AlgorithmsChanged => {
                f.write_str("the BMC chose other algorithms than were proposed")
            }
            Self::Rejected(status) => write!(f, "the BMC refused the session: {status}"),
            Self::CommandRejected(code) => write!(f, "the BMC refused a log-in command: {code}"),
        }
    }
}

impl core::error::Error for LoginFailure {}

/// Why a datagram was ignored. It changed nothing; count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// The bytes are no packet, or no message.
    Unparsable(WireError),
    /// It names another session, or we have none.
    NotForUs,
    /// It lacks the protection that was agreed.
    Unprotected,
    /// Its integrity code does not match.
    BadIntegrity,
    /// Its sequence number was taken before.
    Duplicate,
    /// Its sequence number is outside the window.
    OutOfWindow,
    /// Its padding is wrong though its integrity holds: the BMC encrypts wrongly.
    BadPadding,
    /// It goes on in a key stream of which we missed the beginning, or too much.
    KeyStreamLost,
    /// It answers a request that is not in flight any more, or a log-in step that is past.
    Late,
    /// It carries a payload that no request asked for, such as SOL.
    OtherPayload,
}

impl From<WireError> for Ignored {
    fn from(error: WireError) -> Self {
        Self::Unparsable(error)
    }
}

impl From<OpenError> for Ignored {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Wire(error) => Self::Unparsable(error),
            OpenError::OtherSession => Self::NotForUs,
            OpenError::Unprotected => Self::Unprotected,
            OpenError::BadIntegrity => Self::BadIntegrity,
            OpenError::Sequence(SequenceRefused::Duplicate) => Self::Duplicate,
            OpenError::Sequence(SequenceRefused::OutOfWindow) => Self::OutOfWindow,
            OpenError::BadPadding => Self::BadPadding,
            OpenError::KeyStreamLost => Self::KeyStreamLost,
        }
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unparsable(error) => write!(f, "unparsable: {error}"),
            Self::NotForUs => f.write_str("for another session"),
            Self::Unprotected => f.write_str("without the agreed protection"),
            Self::BadIntegrity => f.write_str("integrity code mismatch"),
            Self::Duplicate => f.write_str("duplicate"),
            Self::OutOfWindow => f.write_str("sequence number outside the window"),
            Self::BadPadding => f.write_str("padding of the encrypted payload is wrong"),
            Self::KeyStreamLost => f.write_str("its place in the key stream is lost"),
            Self::Late => f.write_str("answer to a request that is not in flight"),
            Self::OtherPayload => f.write_str("payload that nobody asked for"),
        }
    }
}

/// Why a request was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestRefused {
    /// Another request is in flight.
    Busy,
    /// The session is not established.
    NotEstablished,
    /// The request does not fit a datagram.
    TooLong,
}

impl fmt::Display for RequestRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "another request is in flight in this session",
            Self::NotEstablished => "the session is not established",
            Self::TooLong => "the request does not fit a datagram",
        })
    }
}

impl core::error::Error for RequestRefused {}
