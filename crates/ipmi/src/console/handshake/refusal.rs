//! What a BMC's refusals mean.

use crate::console::event::LoginFailure;
use crate::number::{CompletionCode, RakpStatus};

/// A refusal that anybody could have sent: it carries neither our session ID nor a proof.
///
/// It counts only once nothing better came in the time of its step, so that who forges one can't end a log-in that
/// the BMC itself answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Get Channel Authentication Capabilities, or another command outside a session, was refused.
    Command(CompletionCode),
    /// The BMC says that it has no sessions of the kind.
    Lacks(LoginFailure),
    /// A set-up message was refused without saying whose.
    Status(RakpStatus),
}

impl Refusal {
    /// What log-in fails with, where this is the last word.
    pub(super) const fn failure(self) -> LoginFailure {
        match self {
            Self::Command(code) => LoginFailure::CommandRejected(code),
            Self::Lacks(failure) => failure,
            Self::Status(status) => failure_of(status),
        }
    }
}

/// Whether another cipher suite may do better: some BMCs tie a suite to one privilege level.
pub(super) const fn is_about_suite(status: RakpStatus) -> bool {
    matches!(
        status,
        RakpStatus::INVALID_AUTHENTICATION_ALGORITHM
            | RakpStatus::INVALID_INTEGRITY_ALGORITHM
            | RakpStatus::NO_MATCHING_AUTHENTICATION
            | RakpStatus::NO_MATCHING_INTEGRITY
            | RakpStatus::INVALID_CONFIDENTIALITY_ALGORITHM
            | RakpStatus::NO_CIPHER_SUITE_MATCH
            | RakpStatus::ILLEGAL_PARAMETER
            | RakpStatus::INVALID_ROLE
            | RakpStatus::UNAUTHORIZED_ROLE
    ) || matches!(
        // Some answer by a completion code.
        CompletionCode(status.0),
        CompletionCode::INVALID_DATA_FIELD
            | CompletionCode::REQUEST_LENGTH_INVALID
            | CompletionCode::PARAMETER_OUT_OF_RANGE
    )
}

pub(super) const fn failure_of(status: RakpStatus) -> LoginFailure {
    match status {
        RakpStatus::INSUFFICIENT_RESOURCES | RakpStatus::INSUFFICIENT_RESOURCES_FOR_ROLE => {
            LoginFailure::Resources
        }
        RakpStatus::INVALID_ROLE | RakpStatus::UNAUTHORIZED_ROLE | RakpStatus(0xd4) => {
            LoginFailure::PrivilegeRefused
        }
        RakpStatus::UNAUTHORIZED_NAME | RakpStatus::INVALID_NAME_LENGTH => {
            LoginFailure::UnknownUser
        }
        RakpStatus::INVALID_INTEGRITY_CHECK => LoginFailure::WrongPassword,
        // Completion codes where there should be a status.
        RakpStatus(0xc0 | 0xc4 | 0xd2) => LoginFailure::Resources,
        status => LoginFailure::Rejected(status),
    }
}
