//! Why a backend couldn't do what it was asked, in terms of the machine and without HTTP.

use std::fmt;

use crate::message::Message;
use crate::store::StoreError;

/// Why a request that was well formed and allowed came to nothing.
///
/// The status code of each is decided in one place, `error.rs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// There is no resource at this path.
    NotFound,
    /// The resource is there and can't be changed in this way, whatever the body says.
    NotChangeable,
    /// The property is writable by schema, and this resource can't change it.
    PropertyNotWritable {
        /// JSON pointer into the body, `/Boot/BootSourceOverrideMode`.
        pointer: String,
    },
    /// The value is right by schema, and this resource can't take it.
    PropertyValueUnavailable {
        /// JSON pointer into the body.
        pointer: String,
        /// The value asked for.
        value: String,
        /// Cause and what to do about it, without the value: it is logged.
        remedy: String,
    },
    /// The parameter is right by schema, and this resource can't use it.
    ParameterNotSupported {
        /// The parameter, `ResetType`.
        parameter: String,
    },
    /// The parameter's value is right by schema, and can't be had in the resource's present state.
    ParameterValueUnavailable {
        /// The parameter, `ResetType`.
        parameter: String,
        /// The value asked for.
        value: String,
        /// Cause and what to do about it, without the value: it is logged.
        remedy: String,
    },
    /// The machine is busy with something else. Nothing was changed.
    Busy {
        /// When to try again, in seconds.
        retry_after_s: u32,
    },
    /// The service can't take the request at this moment, a queue is full for instance. Nothing was
    /// changed.
    Unavailable {
        /// When to try again, in seconds.
        retry_after_s: u32,
    },
    /// The machine can do this, but not in its present state. Nothing was changed.
    WrongState {
        /// What is in the way ("the host is off").
        reason: String,
    },
    /// The machine was asked and said no. Nothing was changed.
    Refused {
        /// What it said.
        reason: String,
    },
    /// The machine can't be reached. Nothing was changed.
    Unreachable {
        /// What was tried.
        reason: String,
    },
    /// The machine was asked and didn't answer: it may have done it or not.
    Unconfirmed {
        /// What was asked and how long the service waited.
        reason: String,
    },
    /// The service's own state can't be written, the disk is full for instance. Nothing was changed.
    NotStored {
        /// Why.
        reason: String,
    },
    /// A resource with this value of this property is there already.
    AlreadyExists {
        /// The resource's type, `ManagerAccount`.
        resource: &'static str,
        /// The property that tells resources apart, `UserName`.
        property: &'static str,
        /// Its value.
        value: String,
    },
    /// The resource is used by others, or belongs to the service, and so stays. Nothing was changed.
    InUse {
        /// By what.
        reason: String,
    },
    /// As many of them as the service keeps are there.
    LimitReached,
    /// Somebody has disabled the service that would do it.
    Disabled {
        /// Its path, `/redfish/v1/EventService`.
        service: &'static str,
    },
    /// The caller may do this in general, and not to this resource or this property.
    Forbidden,
    /// The request doesn't fit, for reasons that these messages say.
    Messages(Vec<Message>),
    /// What somebody else's server should have sent didn't come, for the reason that the message says.
    NotFetched(Box<Message>),
    /// A fault of the service. The text goes to the log, not to the client.
    Internal(String),
}

/// For logs and the audit log: what happened, without values that a client sent.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("no such resource"),
            Self::NotChangeable => f.write_str("it can't be changed in this way"),
            Self::PropertyNotWritable { pointer } => write!(f, "{pointer} can't be changed"),
            Self::PropertyValueUnavailable {
                pointer, remedy, ..
            } => write!(f, "{pointer} can't have that value: {remedy}"),
            Self::ParameterNotSupported { parameter } => write!(f, "{parameter} isn't supported"),
            Self::ParameterValueUnavailable {
                parameter, remedy, ..
            } => write!(f, "{parameter} can't have that value now: {remedy}"),
            Self::Busy { .. } => f.write_str("the machine is busy"),
            Self::Unavailable { .. } => f.write_str("the service is busy"),
            Self::WrongState { reason } => write!(f, "not possible now: {reason}"),
            Self::Refused { reason } => write!(f, "the machine refused: {reason}"),
            Self::Unreachable { reason } => write!(f, "the machine can't be reached: {reason}"),
            Self::Unconfirmed { reason } => write!(f, "the machine didn't confirm: {reason}"),
            Self::NotStored { reason } => f.write_str(reason),
            Self::AlreadyExists {
                resource, property, ..
            } => {
                let article = article(resource);
                write!(f, "{article} {resource} with this {property} exists")
            }
            Self::InUse { reason } => write!(f, "in use: {reason}"),
            Self::Disabled { service } => write!(f, "{service} is disabled"),
            Self::LimitReached => f.write_str("there are as many as the service keeps"),
            Self::Forbidden => f.write_str("not to this resource or property"),
            Self::Messages(messages) => {
                let keys: Vec<_> = messages.iter().map(Message::key).collect();
                f.write_str(&keys.join(", "))
            }
            Self::NotFetched(message) => f.write_str(message.key()),
            Self::Internal(cause) => write!(f, "internal error: {cause}"),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::Unavailable { retry_after_s: 1 },
            error => Self::NotStored {
                reason: error.to_string(),
            },
        }
    }
}

/// The article that a word takes, by its first letter.
fn article(word: &str) -> &'static str {
    match word.starts_with(['A', 'E', 'I', 'O', 'a', 'e', 'i', 'o']) {
        true => "an",
        false => "a",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_exists_has_the_article_of_its_first_letter() {
        for (resource, wanted) in [
            (
                "AggregationSource",
                "an AggregationSource with this HostName exists",
            ),
            (
                "ManagerAccount",
                "a ManagerAccount with this HostName exists",
            ),
        ] {
            let failure = Failure::AlreadyExists {
                resource,
                property: "HostName",
                value: "x".to_owned(),
            };
            assert_eq!(failure.to_string(), wanted);
        }
    }
}
