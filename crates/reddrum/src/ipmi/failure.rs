//! Why a host did not do what was asked: whose fault, the cause, the remedy.

mod call;

use std::fmt;

use call::{call_cause, call_remedy};

use ipmi::console::{DEFAULT_SUITES, LoginFailure};
use ipmi::crypto::SuiteSet;
use ipmi::number::{CipherSuiteId, PrivilegeLevel};

use super::talk::{CallError, CallFault};

/// Why a host did not do what was asked.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Failure {
    /// The name has no address.
    NoAddress(String),
    /// Another host of the list has the same address.
    SameAddress { other: String },
    /// Log-in failed.
    Login { failure: LoginFailure, asked: Asked },
    /// A request brought no usable answer.
    Call(CallError),
    /// The same, and the command knows better what to do about it.
    Explained { error: CallError, remedy: String },
    /// Several things failed. The cause names them; kind, remedy and numbers are those of the first.
    Several { cause: String, first: Box<Self> },
    /// The operator ended the program.
    Interrupted {
        maybe_executed: bool,
        /// What is left to do, where the command knows.
        unfinished: Option<String>,
    },
    /// The machine has nothing of the kind that was asked for, or did not keep what it was told.
    Unfit {
        kind: &'static str,
        cause: String,
        remedy: String,
    },
}

/// What the log-in asked for: error texts name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) username: String,
    pub(super) privilege: PrivilegeLevel,
    pub(super) suites: Vec<CipherSuiteId>,
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl Failure {
    /// One word for scripts; it does not change between versions.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::NoAddress(_) => "no_address",
            Self::SameAddress { .. } => "same_address",
            Self::Login { failure, .. } => match failure {
                LoginFailure::NoAnswer => "no_answer",
                LoginFailure::NotRmcpPlus => "not_rmcp_plus",
                LoginFailure::NotV15 => "not_v15",
                LoginFailure::NotActivated => "not_activated",
                LoginFailure::WrongPassword => "wrong_password",
                LoginFailure::UnknownUser => "unknown_user",
                LoginFailure::NoCommonSuite { .. } => "no_common_suite",
                LoginFailure::PrivilegeRefused => "privilege_refused",
                LoginFailure::Resources => "no_free_session",
                LoginFailure::NotAuthentic => "not_authentic",
                _ => "login_rejected",
            },
            Self::Call(error) | Self::Explained { error, .. } => match error.fault {
                CallFault::Refused(_) => "refused",
                CallFault::NotPassedOn(_) => "not_passed_on",
                CallFault::Garbled(_) => "malformed_answer",
                CallFault::Unanswered { .. } => "unanswered",
                CallFault::TooLong => "too_long",
            },
            Self::Several { first, .. } => first.kind(),
            Self::Interrupted { .. } => "interrupted",
            Self::Unfit { kind, .. } => kind,
        }
    }

    /// What happened.
    pub(super) fn cause(&self) -> String {
        match self {
            Self::NoAddress(reason) => format!("the name has no address ({reason})"),
            Self::SameAddress { other } => format!("has the same address and port as {other}"),
            Self::Login { failure, asked } => login_cause(*failure, asked),
            Self::Call(error) | Self::Explained { error, .. } => call_cause(error),
            Self::Interrupted {
                maybe_executed: true,
                ..
            } => "interrupted; the BMC may have carried it out".to_owned(),
            Self::Interrupted {
                maybe_executed: false,
                ..
            } => "interrupted before the BMC was asked for it".to_owned(),
            Self::Unfit { cause, .. } | Self::Several { cause, .. } => cause.clone(),
        }
    }

    /// What the operator can do about it.
    pub(super) fn remedy(&self) -> String {
        match self {
            Self::NoAddress(_) => "check the name, or give the address".to_owned(),
            Self::SameAddress { .. } => {
                "name each BMC once; it was asked under that name".to_owned()
            }
            Self::Login { failure, asked } => login_remedy(*failure, asked),
            Self::Call(error) => call_remedy(error).to_owned(),
            Self::Several { first, .. } => first.remedy(),
            Self::Interrupted {
                maybe_executed: true,
                unfinished: None,
            } => "look at the machine's state before asking again".to_owned(),
            Self::Interrupted {
                unfinished: None, ..
            } => "run the command again".to_owned(),
            Self::Interrupted {
                unfinished: Some(remedy),
                ..
            }
            | Self::Explained { remedy, .. }
            | Self::Unfit { remedy, .. } => remedy.clone(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.cause(), self.remedy())
    }
}

fn login_cause(failure: LoginFailure, asked: &Asked) -> String {
    let user = &asked.username;
    match failure {
        LoginFailure::NoAnswer => "no answer".to_owned(),
        LoginFailure::WrongPassword => format!("the password of user '{user}' is wrong"),
        LoginFailure::UnknownUser => format!("the BMC knows no user '{user}', or it is disabled"),
        LoginFailure::PrivilegeRefused => {
            format!(
                "user '{user}' may not work as {}, or nobody may over this channel",
                asked.privilege
            )
        }
        LoginFailure::NoCommonSuite { offered } => {
            let proposed = list(asked.suites.iter().copied());
            match offered {
                None => format!("no common cipher suite: the BMC refused {proposed}"),
                Some(offered) if asked.suites.iter().any(|suite| offered.contains(*suite)) => {
                    format!("the BMC offers cipher suites {offered}, but refused {proposed}")
                }
                Some(offered) => {
                    format!("no common cipher suite: the BMC offers {offered}; proposed {proposed}")
                }
            }
        }
        LoginFailure::Resources => "the BMC has no free session".to_owned(),
        LoginFailure::NotAuthentic => "the BMC did not confirm the session key".to_owned(),
        other => other.to_string(),
    }
}

fn login_remedy(failure: LoginFailure, asked: &Asked) -> String {
    let text = match failure {
        LoginFailure::NoAnswer => {
            "check address, port and network; raise --attempts or --timeout-ms if packets get lost"
        }
        LoginFailure::NotRmcpPlus => {
            "switch on IPMI 2.0 over LAN in the BMC's settings; where it has none, log in with --v15 md5, which protects little"
        }
        LoginFailure::NotV15 => {
            "leave --v15 out, or name a way to authenticate that the BMC takes (md5, md2, password)"
        }
        LoginFailure::NotActivated | LoginFailure::WrongPassword => {
            "check --password-file or the environment variable"
        }
        LoginFailure::UnknownUser => {
            "check --username, and that the user is enabled for the BMC's LAN channel"
        }
        LoginFailure::PrivilegeRefused => {
            "ask for a lower level with --privilege, or raise the user's limit, or the channel's limit and access mode, on the BMC"
        }
        LoginFailure::NoCommonSuite { offered } => return suite_remedy(offered, &asked.suites),
        LoginFailure::Resources => "try again when idle sessions have ended (about a minute)",
        LoginFailure::NotAuthentic => "check the BMC key (IPMI_KGKEY)",
        _ => "check the BMC's channel and user settings; restart the BMC if others log in",
    };
    text.to_owned()
}

/// Only suites that the default list has, and that were not refused, are ever suggested.
fn suite_remedy(offered: Option<SuiteSet>, refused: &[CipherSuiteId]) -> String {
    let is_good = |suite: &CipherSuiteId| {
        offered.is_some_and(|offered| offered.contains(*suite)) && !refused.contains(suite)
    };
    let good: Vec<_> = DEFAULT_SUITES.into_iter().filter(is_good).collect();
    if good.is_empty() {
        "enable cipher suite 17 or 3 for the BMC's LAN channel".to_owned()
    } else {
        format!("propose it: --suite {}", list(good.into_iter()))
    }
}

fn list(suites: impl Iterator<Item = CipherSuiteId>) -> String {
    let numbers: Vec<_> = suites.map(|suite| suite.0.to_string()).collect();
    numbers.join(",")
}
