//! What can be wrong with a JSON document.

use std::fmt;

use crate::table::EnumType;

/// What is wrong with a value.
#[derive(Clone, Debug)]
pub enum Problem {
    /// The schema has no such property or parameter here.
    Unknown,
    /// A required property or parameter isn't there.
    Missing,
    /// A client can't write it.
    ReadOnly,
    /// `null`, but the schema doesn't allow that.
    Null,
    /// Another JSON type.
    WrongType {
        /// What it has to be, "a string".
        expected: &'static str,
    },
    /// A word that the enumeration doesn't have.
    NotInList(&'static EnumType),
    /// A number outside of its range.
    OutOfRange {
        /// Smallest value allowed.
        minimum: Option<i64>,
        /// Largest value allowed.
        maximum: Option<i64>,
    },
    /// Text that isn't written as it has to be.
    BadFormat {
        /// What it has to look like: words, or a regular expression.
        expected: &'static str,
    },
    /// A request that asks for no change: an empty object, or OData annotations only.
    NoChange,
    /// An `@odata.type` that we have no table for, or of a newer version than ours.
    UnknownType,
    /// An `@odata.id` where the schema has no such resource.
    WrongAddress,
    /// An annotation that contradicts what it annotates.
    WrongAnnotation(&'static str),
    /// A value that a client may only write, in a response.
    Secret,
}

impl Problem {
    /// Whether it says that the property can never be updated, whatever the value. Such properties
    /// don't spoil the rest of a PATCH (DSP0266 "PATCH (update)").
    #[must_use]
    pub const fn is_never_updatable(&self) -> bool {
        matches!(self, Self::Unknown | Self::ReadOnly)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("the schema has nothing of this name here"),
            Self::Missing => f.write_str("required, but absent"),
            Self::ReadOnly => f.write_str("read only"),
            Self::Null => f.write_str("must not be null"),
            Self::WrongType { expected } => write!(f, "must be {expected}"),
            Self::NotInList(list) => write!(f, "isn't one of the words of {}", list.name),
            Self::OutOfRange { minimum, maximum } => match (minimum, maximum) {
                (Some(minimum), Some(maximum)) => write!(f, "must be {minimum} to {maximum}"),
                (Some(minimum), None) => write!(f, "must be at least {minimum}"),
                (None, Some(maximum)) => write!(f, "must be at most {maximum}"),
                (None, None) => f.write_str("out of range"),
            },
            Self::BadFormat { expected } => write!(f, "must be written as {expected}"),
            Self::NoChange => f.write_str("asks for no change"),
            Self::UnknownType => f.write_str("no such type, or a newer version than ours"),
            Self::WrongAddress => f.write_str("the schema has no such resource at this path"),
            Self::WrongAnnotation(reason) => f.write_str(reason),
            Self::Secret => f.write_str("a write-only property must be null in a response"),
        }
    }
}

/// Something wrong in a document of ours, found by [`crate::validate`].
#[derive(Clone, Debug)]
pub struct Violation {
    /// Where, as a JSON pointer (RFC 6901); empty for the whole document.
    pub pointer: String,
    /// What.
    pub problem: Problem,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.pointer, self.problem)
    }
}

/// Something wrong in a client's request. It doesn't have the value, which may be a secret.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Where, as a JSON pointer (RFC 6901); empty for the whole body.
    pub pointer: String,
    /// Name of the property or parameter; empty for the whole body.
    pub property: String,
    /// What.
    pub problem: Problem,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.pointer, self.problem)
    }
}

/// `pointer/token`, with the token escaped (RFC 6901 §3).
pub(crate) fn below(pointer: &str, token: &str) -> String {
    format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1"))
}
