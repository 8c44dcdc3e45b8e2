//! Whatever fails, as an HTTP response: the only place that decides on status codes of failures.

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;

use crate::Failure;
use crate::message::{self, Message};
use crate::update::{MIN_UPLOAD_BYTES_PER_S, MultipartError, UPLOAD_IDLE_S};

/// The most messages that one error body holds.
pub const MAX_MESSAGES: usize = 32;

/// Why a request gets no success.
#[derive(Debug)]
pub(crate) enum Error {
    /// No credentials, wrong ones or an expired session. Which of them, only the log says.
    Unauthenticated,
    /// The credentials that came with a request for this URI open nothing. Why, only the log says.
    WrongCredentials(String),
    /// The password of the account at this URI has to be changed first.
    PasswordChangeRequired(String),
    /// The account's role lacks the privilege.
    Forbidden,
    /// No resource has this URI.
    UnknownUri(String),
    /// The resource is there and has no such action.
    UnknownAction(String),
    /// The resource hasn't this method; it has those.
    Method(&'static str),
    /// No resource has this method.
    UnknownMethod,
    /// The client accepts none of the media types that we have.
    NotAcceptable,
    /// The client takes no content coding in which the service could answer, not even none.
    NoCodingAccepted,
    /// `OData-Version` is another than 4.0.
    ODataVersion,
    /// `If-Match` doesn't match.
    Precondition,
    /// The body is in a media type that we don't read.
    MediaType,
    /// The body is longer than `MAX_BODY_BYTES`.
    BodyTooLarge,
    /// The body took longer than `BODY_TIMEOUT_S`.
    BodyTimeout,
    /// An image took longer than `UPLOAD_IDLE_S` and `MIN_UPLOAD_BYTES_PER_S` allow.
    UploadTimeout,
    /// The connection broke inside of the body.
    BodyBroken,
    /// The body is no JSON object; the text says where.
    Json(String),
    /// The body is no `multipart/form-data` that two readers would understand alike.
    Multipart(MultipartError),
    /// A property of the body stands twice.
    DuplicateProperty(String),
    /// What the request asks doesn't fit; the messages say why.
    Faults(Vec<Message>),
    /// A `$` query parameter that we don't have.
    UnknownQuery(String),
    /// The answer would be larger than we make.
    AnswerTooLarge,
    /// All memory for large answers, or every place in the queue for a login, is taken.
    Crowded,
    /// A page of another site asks, with credentials that the browser added by itself.
    ForeignOrigin,
    /// The request came in clear text, and carries or asks for something that nobody else may see.
    ClearText,
    /// A header stands twice that may stand once.
    RepeatedHeader(&'static str),
    /// `Transfer-Encoding` and `Content-Length` say two lengths of one body.
    TwoLengths,
    /// As many sessions as we keep are open.
    SessionLimit,
    /// As many streams of events as we keep are open.
    StreamLimit,
    /// Somebody has disabled the service at this path.
    ServiceDisabled(&'static str),
    /// The backend failed, at this URI.
    Backend(Failure, String),
}

impl From<Message> for Error {
    fn from(message: Message) -> Self {
        Self::Faults(vec![message])
    }
}

/// When to come back while too much is going on, in seconds.
const CROWDED_RETRY_S: u32 = 2;

/// `Allow` of a resource that can only be read.
pub(crate) const READ_ONLY: &str = "GET, HEAD";

/// What an error becomes in HTTP.
struct Answer {
    status: StatusCode,
    messages: Vec<Message>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Answer {
    fn new(status: StatusCode, message: Message) -> Self {
        Self {
            status,
            messages: vec![message],
            header: None,
        }
    }

    /// Says that Basic authentication would do.
    fn with_basic(self) -> Self {
        let scheme = HeaderValue::from_static("Basic realm=\"Redfish\", charset=\"UTF-8\"");
        self.with_header(header::WWW_AUTHENTICATE, scheme)
    }

    fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }
}

impl Error {
    /// The response, with the body of DSP0266 "Error responses".
    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        let answer = self.answer();
        let body = Bytes::from(error_body(&answer.messages));
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = answer.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some((name, value)) = answer.header {
            headers.insert(name, value);
        }
        response
    }

    fn answer(self) -> Answer {
        match self {
            Self::UnknownUri(uri) => Answer::new(StatusCode::NOT_FOUND, message::invalid_uri(uri)),
            Self::UnknownAction(action) => {
                Answer::new(StatusCode::NOT_FOUND, message::action_not_supported(action))
            }
            Self::Method(allow) => Answer::new(
                StatusCode::METHOD_NOT_ALLOWED,
                message::operation_not_allowed(),
            )
            .with_header(header::ALLOW, HeaderValue::from_static(allow)),
            Self::UnknownMethod => Answer::new(
                StatusCode::NOT_IMPLEMENTED,
                message::operation_not_allowed(),
            ),
            Self::NotAcceptable => Answer::new(
                StatusCode::NOT_ACCEPTABLE,
                message::header_invalid("Accept"),
            ),
            Self::NoCodingAccepted => Answer::new(
                StatusCode::NOT_ACCEPTABLE,
                message::header_invalid("Accept-Encoding"),
            ),
            Self::ODataVersion => Answer::new(
                StatusCode::PRECONDITION_FAILED,
                message::header_invalid("OData-Version"),
            ),
            Self::Precondition => Answer::new(
                StatusCode::PRECONDITION_FAILED,
                message::precondition_failed(),
            ),
            Self::UnknownQuery(name) => Answer::new(
                StatusCode::NOT_IMPLEMENTED,
                message::query_parameter_unsupported(name),
            ),
            Self::AnswerTooLarge => {
                let message = message::insufficient_storage().with_resolution(
                    "Ask for less: fewer $levels, a $top, or one part of the tree at a time.",
                );
                Answer::new(StatusCode::INSUFFICIENT_STORAGE, message)
            }
            Self::Faults(messages) => Answer {
                status: StatusCode::BAD_REQUEST,
                messages,
                header: None,
            },
            Self::Backend(failure, uri) => failure_answer(failure, &uri),
            Self::Unauthenticated
            | Self::WrongCredentials(_)
            | Self::PasswordChangeRequired(_)
            | Self::Forbidden
            | Self::ForeignOrigin
            | Self::ClearText
            | Self::TwoLengths
            | Self::RepeatedHeader(_)
            | Self::Crowded
            | Self::StreamLimit
            | Self::ServiceDisabled(_)
            | Self::SessionLimit => self.caller_answer(),
            body => body.body_answer(),
        }
    }

    /// Errors that have to do with who asks and how many do.
    fn caller_answer(self) -> Answer {
        match self {
            Self::Crowded => {
                let seconds = CROWDED_RETRY_S.to_string();
                later(
                    message::service_temporarily_unavailable(seconds),
                    CROWDED_RETRY_S,
                )
            }
            Self::PasswordChangeRequired(account) => {
                let message = message::password_change_required(account);
                Answer::new(StatusCode::FORBIDDEN, message)
            }
            Self::ForeignOrigin => {
                let message = message::insufficient_privilege().with_resolution(
                    "The header Origin names another site. Change nothing from there, or log in for a token.",
                );
                Answer::new(StatusCode::FORBIDDEN, message)
            }
            Self::ClearText => {
                let message = message::general_error().with_resolution(
                    "This connection isn't encrypted. Use https. A password or token that was sent over it can have \
                     been read on its way: change it.",
                );
                Answer::new(StatusCode::FORBIDDEN, message)
            }
            Self::TwoLengths => Self::RepeatedHeader("Content-Length").caller_answer(),
            Self::RepeatedHeader(name) => {
                Answer::new(StatusCode::BAD_REQUEST, message::header_invalid(name))
            }
            Self::SessionLimit => Answer::new(
                StatusCode::SERVICE_UNAVAILABLE,
                message::session_limit_exceeded(),
            ),
            Self::StreamLimit => Answer::new(
                StatusCode::SERVICE_UNAVAILABLE,
                message::event_subscription_limit_exceeded(),
            ),
            Self::ServiceDisabled(service) => Answer::new(
                StatusCode::SERVICE_UNAVAILABLE,
                message::service_disabled(service),
            ),
            Self::Forbidden => {
                Answer::new(StatusCode::FORBIDDEN, message::insufficient_privilege())
            }
            Self::WrongCredentials(uri) => {
                let why = "invalid user name or password";
                let message = message::resource_at_uri_unauthorized(uri, why).with_resolution(
                    "Send the name and the password of an account that is enabled and not locked.",
                );
                Answer::new(StatusCode::UNAUTHORIZED, message).with_basic()
            }
            _ => Answer::new(StatusCode::UNAUTHORIZED, message::no_valid_session()).with_basic(),
        }
    }

    /// Errors of the body itself.
    fn body_answer(self) -> Answer {
        match self {
            Self::MediaType => Answer::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                message::header_invalid("Content-Type"),
            ),
            Self::BodyTooLarge => {
                Answer::new(StatusCode::PAYLOAD_TOO_LARGE, message::payload_too_large())
            }
            Self::BodyTimeout => {
                let message = message::malformed_json().with_resolution(
                    "Send the whole body at once: the service waits 10 seconds for it.",
                );
                Answer::new(StatusCode::REQUEST_TIMEOUT, message)
            }
            Self::UploadTimeout => {
                let message = message::unrecognized_request_body().with_resolution(format!(
                    "Send the image without pauses of more than {UPLOAD_IDLE_S} seconds and with at least \
                     {MIN_UPLOAD_BYTES_PER_S} bytes per second."
                ));
                Answer::new(StatusCode::REQUEST_TIMEOUT, message)
            }
            Self::Multipart(error) => {
                let message = message::unrecognized_request_body()
                    .with_resolution(format!("Send multipart/form-data (RFC 7578): {error}."));
                Answer::new(StatusCode::BAD_REQUEST, message)
            }
            Self::DuplicateProperty(name) => {
                Answer::new(StatusCode::BAD_REQUEST, message::property_duplicate(name))
            }
            Self::Json(why) => {
                let resolution = format!("Send a JSON object (RFC 8259). The parser says: {why}.");
                let message = message::malformed_json().with_resolution(resolution);
                Answer::new(StatusCode::BAD_REQUEST, message)
            }
            _ => Answer::new(StatusCode::BAD_REQUEST, message::malformed_json()),
        }
    }
}

/// The messages about a failure, where something else succeeded.
pub(crate) fn messages_of(failure: Failure, uri: &str) -> Vec<Message> {
    failure_answer(failure, uri).messages
}

/// What a backend's failure becomes. 4xx says that the request can't be had as it is, 502 and 504 that the
/// machine behind the service is at fault, 503 that the same request may succeed later.
fn failure_answer(failure: Failure, uri: &str) -> Answer {
    match failure {
        Failure::NotFound => Answer::new(StatusCode::NOT_FOUND, message::invalid_uri(uri)),
        Failure::NotChangeable => Error::Method(READ_ONLY).answer(),
        Failure::PropertyNotWritable { .. }
        | Failure::PropertyValueUnavailable { .. }
        | Failure::ParameterNotSupported { .. }
        | Failure::ParameterValueUnavailable { .. } => value_answer(failure, uri),
        Failure::Busy { retry_after_s } => later(message::resource_in_use(), retry_after_s),
        Failure::Unavailable { retry_after_s } => {
            let seconds = retry_after_s.to_string();
            later(
                message::service_temporarily_unavailable(seconds),
                retry_after_s,
            )
        }
        Failure::WrongState { .. }
        | Failure::Refused { .. }
        | Failure::Unreachable { .. }
        | Failure::Unconfirmed { .. } => machine_answer(failure),
        Failure::NotStored { reason } => {
            tracing::error!(uri, reason, "state not written");
            let message = message::insufficient_storage().with_resolution(format!(
                "Nothing was changed: {reason}. Mend that on the machine that the service runs on, then \
                 resubmit the request."
            ));
            Answer::new(StatusCode::INSUFFICIENT_STORAGE, message)
        }
        Failure::AlreadyExists {
            resource,
            property,
            value,
        } => Answer::new(
            StatusCode::CONFLICT,
            message::resource_already_exists(resource, property, value)
                .about(format!("/{property}")),
        ),
        Failure::InUse { reason } => {
            let message = message::resource_in_use().with_resolution(reason);
            Answer::new(StatusCode::CONFLICT, message)
        }
        Failure::LimitReached => Answer::new(
            StatusCode::CONFLICT,
            message::create_limit_reached_for_resource(),
        ),
        Failure::Disabled { service } => Error::ServiceDisabled(service).answer(),
        Failure::Forbidden => Error::Forbidden.answer(),
        Failure::Messages(messages) => Answer {
            status: StatusCode::BAD_REQUEST,
            messages,
            header: None,
        },
        Failure::NotFetched(message) => Answer::new(StatusCode::BAD_GATEWAY, *message),
        Failure::Internal(cause) => {
            tracing::error!(uri, cause, "internal error");
            Answer::new(StatusCode::INTERNAL_SERVER_ERROR, message::internal_error())
        }
    }
}

/// Failures that have to do with one property or parameter.
fn value_answer(failure: Failure, uri: &str) -> Answer {
    match failure {
        Failure::PropertyNotWritable { pointer } => Answer::new(
            StatusCode::BAD_REQUEST,
            message::property_not_writable(last_segment(&pointer)).about(&pointer),
        ),
        Failure::PropertyValueUnavailable {
            pointer,
            value,
            remedy,
        } => Answer::new(
            StatusCode::CONFLICT,
            message::property_value_external_conflict(last_segment(&pointer), value)
                .about(&pointer)
                .with_resolution(remedy),
        ),
        Failure::ParameterNotSupported { parameter } => Answer::new(
            StatusCode::BAD_REQUEST,
            message::action_parameter_not_supported(&parameter, last_segment(uri))
                .about(format!("/{parameter}")),
        ),
        Failure::ParameterValueUnavailable {
            parameter,
            value,
            remedy,
        } => Answer::new(
            StatusCode::CONFLICT,
            message::action_parameter_value_conflict(&parameter, value)
                .about(format!("/{parameter}"))
                .with_resolution(remedy),
        ),
        other => failure_answer(other, uri),
    }
}

/// Failures that have to do with the machine behind the service.
fn machine_answer(failure: Failure) -> Answer {
    match failure {
        Failure::WrongState { reason } => {
            let message = message::operation_failed()
                .with_resolution(format!("Not possible now: {reason}. Nothing was changed."));
            Answer::new(StatusCode::CONFLICT, message)
        }
        Failure::Refused { reason } => {
            let message = message::operation_failed().with_resolution(format!(
                "The machine refused: {reason}. Nothing was changed."
            ));
            Answer::new(StatusCode::BAD_GATEWAY, message)
        }
        Failure::Unreachable { reason } => {
            let message = message::operation_failed().with_resolution(format!(
                "The machine can't be reached: {reason}. Nothing was changed. Check its management \
                 controller and the network to it, then resubmit the request."
            ));
            Answer::new(StatusCode::BAD_GATEWAY, message)
        }
        Failure::Unconfirmed { reason } => {
            let message = message::operation_timeout().with_resolution(format!(
                "The machine didn't confirm: {reason}. The operation may have been carried out. Read the \
                 resource before resubmitting the request."
            ));
            Answer::new(StatusCode::GATEWAY_TIMEOUT, message)
        }
        other => failure_answer(other, ""),
    }
}

fn later(message: Message, retry_after_s: u32) -> Answer {
    Answer::new(StatusCode::SERVICE_UNAVAILABLE, message)
        .with_header(header::RETRY_AFTER, HeaderValue::from(retry_after_s))
}

/// The last segment of a JSON pointer or of an action's URI: the name of the property or the action.
fn last_segment(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorObject<'a>,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    code: String,
    message: String,
    #[serde(rename = "@Message.ExtendedInfo")]
    extended_info: &'a [Message],
}

fn error_body(messages: &[Message]) -> Vec<u8> {
    let messages = &messages[..messages.len().min(MAX_MESSAGES)];
    let general = message::general_error();
    let headline = match messages {
        [only] => only,
        _ => &general,
    };
    let error = ErrorObject {
        code: headline.id(),
        message: headline.text(),
        extended_info: messages,
    };
    serde_json::to_vec(&ErrorBody { error }).unwrap_or_default()
}
