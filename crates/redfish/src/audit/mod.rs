//! Who did what, from where: one line for every login, refusal and change.

mod log;

use std::fmt;
use std::net::IpAddr;

use crate::caller::Caller;
pub use log::MAX_AUDIT_RECORDS;
pub(crate) use log::{AuditLog, Record};

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The name that was given; it is nobody's word until a login has succeeded.
    pub(crate) user: Option<String>,
    /// Where the request came from.
    pub(crate) client: Option<IpAddr>,
    pub(crate) deed: Deed,
}

/// What was done or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    /// A session was opened; its id.
    LoggedIn(String),
    /// Credentials opened nothing, or no place was left to check them.
    LoginRefused,
    /// TLS let a client in no further because of its certificate; the cause.
    CertificateRefused(String),
    /// Wrong passwords have locked the account.
    Locked,
    /// A session was ended; its id.
    LoggedOut(String),
    /// The account's role lacks the privilege for this method at this path.
    Denied { method: String, path: String },
    /// Properties were changed; never their values, which may be secret.
    Changed {
        path: String,
        properties: Vec<String>,
    },
    /// Pending settings of a resource were applied: these properties were changed.
    Applied {
        path: String,
        properties: Vec<String>,
    },
    /// A resource was added.
    Created { path: String },
    /// A resource was removed.
    Deleted { path: String },
    /// An action was invoked. Its parameters are names with values where those are words of the schema.
    Invoked {
        path: String,
        action: String,
        parameters: Vec<String>,
    },
    /// A change or an action of somebody who may do it came to nothing.
    Failed {
        method: String,
        path: String,
        cause: String,
    },
}

impl Entry {
    /// A deed of somebody who is logged in.
    pub(crate) fn of(caller: &Caller, deed: Deed) -> Self {
        Self {
            user: Some(caller.user_name().to_owned()),
            client: caller.client(),
            deed,
        }
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoggedIn(session) => write!(f, "logged in, session {session}"),
            Self::LoginRefused => f.write_str("login refused"),
            Self::CertificateRefused(cause) => write!(f, "client certificate refused: {cause}"),
            Self::Locked => f.write_str("locked after too many wrong passwords"),
            Self::LoggedOut(session) => write!(f, "logged out, session {session}"),
            Self::Denied { method, path } => write!(f, "denied {method} {path}"),
            Self::Changed { path, properties } => {
                write!(f, "changed {path}: {}", properties.join(", "))
            }
            Self::Applied { path, properties } => {
                let properties = properties.join(", ");
                write!(f, "applied pending settings of {path}: {properties}")
            }
            Self::Created { path } => write!(f, "created {path}"),
            Self::Deleted { path } => write!(f, "deleted {path}"),
            Self::Invoked {
                path,
                action,
                parameters,
            } if parameters.is_empty() => write!(f, "invoked {action} of {path}"),
            Self::Invoked {
                path,
                action,
                parameters,
            } => write!(f, "invoked {action} of {path}: {}", parameters.join(", ")),
            Self::Failed {
                method,
                path,
                cause,
            } => write!(f, "failed {method} {path}: {cause}"),
        }
    }
}

impl Deed {
    const fn is_warning(&self) -> bool {
        matches!(
            self,
            Self::LoginRefused
                | Self::CertificateRefused(_)
                | Self::Locked
                | Self::Denied { .. }
                | Self::Failed { .. }
        )
    }
}

/// A text as the log has it: on one line, and with nothing that a terminal takes for a command.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            // They would be escaped, too, and need not be.
            '\'' | '"' => plain.push(character),
            other => plain.extend(other.escape_debug()),
        }
    }
    plain
}

/// Writes an entry to the program's log. Names come from outside: control characters are escaped.
fn print(entry: &Entry) {
    let user = plain(entry.user.as_deref().unwrap_or("-"));
    let client = entry.client.map(|address| address.to_string());
    let client = client.as_deref().unwrap_or("-");
    let deed = plain(&entry.deed.to_string());
    if entry.deed.is_warning() {
        tracing::warn!(target: "audit", "{user} from {client}: {deed}");
    } else {
        tracing::info!(target: "audit", "{user} from {client}: {deed}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_is_one_line_and_reads_as_it_was_meant() {
        let text = "in use: it can't be had: \"busy\"\n\u{1b}[2Jend";
        assert_eq!(
            plain(text),
            "in use: it can't be had: \"busy\"\\n\\u{1b}[2Jend"
        );
    }
}
