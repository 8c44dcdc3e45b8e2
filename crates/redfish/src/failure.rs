//! Why a backend couldn't do what it was asked, in terms of the machine and without HTTP.

use crate::message::Message;

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
        /// What to do about it.
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
        /// What to do about it.
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
    /// The request doesn't fit, for reasons that these messages say.
    Messages(Vec<Message>),
    /// A fault of the service. The text goes to the log, not to the client.
    Internal(String),
}
