//! Why the program ends early, and the exit code that says so to scripts.

use std::fmt;
use std::process::ExitCode;

use crate::config::ConfigError;

/// Why the program ends early.
#[derive(Debug)]
pub(crate) enum ProgramError {
    /// What the operator gave can't be used: exit code 2.
    Usage(String),
    /// The configuration can't be used: exit code 2.
    Config(ConfigError),
    /// The machine the program runs on refuses something: exit code 1.
    System(String),
    /// Some BMC did not do what was asked: exit code 1.
    Hosts(String),
    /// The program itself failed, by a defect of its own: exit code 70, `EX_SOFTWARE` of sysexits(3).
    Defect(String),
}

/// The exit code of [`ProgramError::Defect`].
const EX_SOFTWARE: u8 = 70;

impl ProgramError {
    /// A failure of the system under us, with what was attempted.
    pub(crate) fn system(attempted: &str, error: impl fmt::Display) -> Self {
        Self::System(format!("{attempted}: {error}"))
    }

    /// A thread that asks BMCs has ended by failures of its own.
    pub(crate) fn fleet_failed() -> Self {
        let text = "a thread that asks BMCs failed too often; the log has the causes. Please report them, and start the service anew";
        Self::Defect(text.to_owned())
    }

    /// For scripts: in the shape of a host's error, without the host.
    pub(crate) fn json(&self) -> serde_json::Value {
        let (kind, remedy) = match self {
            Self::Usage(_) => ("usage", "see 'reddrum ipmi --help'"),
            Self::Config(_) => ("configuration", "see 'reddrum config keys'"),
            Self::System(_) => ("system", "see to what the operating system says"),
            Self::Hosts(_) => ("hosts_failed", "each of them is told with its error"),
            Self::Defect(_) => ("defect", "report it"),
        };
        let cause = self.to_string();
        serde_json::json!({
            "ok": false,
            "error": { "kind": kind, "cause": cause, "remedy": remedy },
        })
    }

    /// The exit code.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) | Self::Config(_) => ExitCode::from(2),
            Self::System(_) | Self::Hosts(_) => ExitCode::FAILURE,
            Self::Defect(_) => ExitCode::from(EX_SOFTWARE),
        }
    }
}

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::System(text) | Self::Hosts(text) | Self::Defect(text) => {
                f.write_str(text)
            }
            Self::Config(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ProgramError {}

impl From<ConfigError> for ProgramError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<crate::web::WebError> for ProgramError {
    fn from(error: crate::web::WebError) -> Self {
        match error {
            crate::web::WebError::NoAccount => Self::Usage(error.to_string()),
            other => Self::System(other.to_string()),
        }
    }
}
