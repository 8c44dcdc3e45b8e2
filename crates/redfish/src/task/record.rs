//! What is kept of a task: the form in the store and, with it, what a GET shows.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body::Body as _;
use http_body_util::Full;
use redfish_schema::DateTime;
use redfish_schema::resource::Health;
use redfish_schema::task::TaskState;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::caller::Owner;
use crate::message::{Message, Severity};

/// How many messages a task keeps; the oldest go.
pub(crate) const MAX_TASK_MESSAGES: usize = 32;

/// Headers of an operation's answer that its monitor repeats. The others are made anew, or belong to a resource.
const KEPT_HEADERS: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::RETRY_AFTER];

/// Parts of names whose values nobody but the client may see.
const SECRET_NAMES: [&str; 7] = [
    "password",
    "passphrase",
    "secret",
    "token",
    "credential",
    "privatekey",
    "encryptionkey",
];

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    /// It waits for the maintenance window, or to be started.
    Pending,
    /// It runs.
    Running,
    /// It runs, and stops as soon as it can.
    Cancelling,
    /// It has ended well, or with what `status` says.
    Completed,
    /// It was called off.
    Cancelled,
    /// It has failed, or the service ended before it.
    Exception,
}

impl State {
    /// Whether nothing more will become of it.
    pub(crate) const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Exception)
    }

    /// Every state.
    pub(crate) const ALL: [Self; 6] = [
        Self::Pending,
        Self::Running,
        Self::Cancelling,
        Self::Completed,
        Self::Cancelled,
        Self::Exception,
    ];

    /// The schema's word for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Cancelling => "Cancelling",
            Self::Completed => "Completed",
            Self::Cancelled => "Cancelled",
            Self::Exception => "Exception",
        }
    }

    /// As `TaskState`.
    pub(crate) const fn word(self) -> TaskState {
        match self {
            Self::Pending => TaskState::Pending,
            Self::Running => TaskState::Running,
            Self::Cancelling => TaskState::Cancelling,
            Self::Completed => TaskState::Completed,
            Self::Cancelled => TaskState::Cancelled,
            Self::Exception => TaskState::Exception,
        }
    }
}

/// One task.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    /// What it does, for people.
    pub(crate) name: String,
    /// Who asked for it.
    pub(crate) owner: Owner,
    pub(crate) state: State,
    /// Milliseconds since 1970.
    pub(crate) started_ms: i64,
    pub(crate) ended_ms: Option<i64>,
    pub(crate) percent: Option<u8>,
    pub(crate) messages: Vec<Note>,
    pub(crate) request: Request,
    /// What its monitor answers in the end.
    pub(crate) answer: Option<Answer>,
    /// What is to be done when the time comes.
    pub(crate) deferred: Option<Deferred>,
    /// The task that this one is a part of.
    pub(crate) parent: Option<u64>,
}

impl Record {
    /// The worst of what its messages say.
    pub(crate) fn status(&self) -> Health {
        let worst = self.messages.iter().map(|note| note.severity).max();
        match (self.state, worst) {
            (State::Exception, _) | (_, Some(Level::Critical)) => Health::Critical,
            (_, Some(Level::Warning)) => Health::Warning,
            _ => Health::OK,
        }
    }

    /// A part of this task, whose number is `id`.
    pub(crate) fn part(&self, id: u64, name: String) -> Self {
        Self {
            name,
            owner: self.owner.clone(),
            state: State::Running,
            started_ms: now_ms(),
            ended_ms: None,
            percent: None,
            messages: Vec::new(),
            request: self.request.clone(),
            answer: None,
            deferred: None,
            parent: Some(id),
        }
    }

    /// Adds a message.
    pub(crate) fn note(&mut self, note: Note) {
        if self.messages.len() >= MAX_TASK_MESSAGES {
            self.messages.remove(0);
        }
        self.messages.push(note);
    }
}

/// Now, as records have it.
pub(crate) fn now_ms() -> i64 {
    DateTime::from(SystemTime::now()).unix_ms()
}

/// The request behind a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    /// The JSON body. `None` hides it: it has, or could have, what only the client may see.
    pub(crate) body: Option<String>,
}

impl Request {
    /// A request with this body, which is left out if it has a secret.
    pub(crate) fn new(method: &str, target: impl Into<String>, body: &Value) -> Self {
        Self {
            method: method.to_owned(),
            target: target.into(),
            body: (!has_secret(body)).then(|| body.to_string()),
        }
    }
}

fn has_secret(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.iter().any(|(name, value)| {
            let name = name.to_ascii_lowercase();
            SECRET_NAMES.iter().any(|secret| name.contains(secret)) || has_secret(value)
        }),
        Value::Array(items) => items.iter().any(has_secret),
        _ => false,
    }
}

/// An action that waits for the maintenance window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deferred {
    pub(crate) path: String,
    pub(crate) action: String,
    pub(crate) parameters: Map<String, Value>,
}

/// A message as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    #[serde(rename = "MessageId")]
    pub(crate) id: String,
    #[serde(rename = "Message", default)]
    pub(crate) text: String,
    #[serde(rename = "MessageArgs", default)]
    pub(crate) args: Vec<String>,
    #[serde(rename = "MessageSeverity", default)]
    pub(crate) severity: Level,
    #[serde(rename = "Resolution", default)]
    pub(crate) resolution: String,
}

/// How bad a message is, in rising order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Level {
    #[default]
    #[serde(rename = "OK")]
    Ok,
    Warning,
    Critical,
}

impl From<&Message> for Note {
    fn from(message: &Message) -> Self {
        Self {
            id: message.id(),
            text: message.text(),
            args: message.args().to_vec(),
            severity: match message.severity() {
                Severity::Ok => Level::Ok,
                Severity::Warning => Level::Warning,
                Severity::Critical => Level::Critical,
            },
            resolution: message.resolution().to_owned(),
        }
    }
}

impl Note {
    /// As the schema has it.
    pub(crate) fn to_message(&self) -> redfish_schema::message::Message {
        let mut message = redfish_schema::message::Message::new(self.id.clone());
        message.message = Some(self.text.clone());
        message.message_args = Some(self.args.clone());
        message.message_severity = Some(match self.severity {
            Level::Ok => Health::OK,
            Level::Warning => Health::Warning,
            Level::Critical => Health::Critical,
        });
        message.resolution = Some(self.resolution.clone());
        message
    }
}

/// The answer of an operation, as its client would have got it at once (DSP0266 "Asynchronous operations").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    /// Keeps a response.
    pub(crate) fn of(response: Response<Full<Bytes>>) -> Self {
        let (parts, mut body) = response.into_parts();
        // All of it is there: nothing to wait for.
        let mut context = Context::from_waker(Waker::noop());
        let bytes = match Pin::new(&mut body).poll_frame(&mut context) {
            Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            _ => Bytes::new(),
        };
        let headers = KEPT_HEADERS.iter().filter_map(|name| {
            let value = parts.headers.get(name)?.to_str().ok()?;
            Some((name.as_str().to_owned(), value.to_owned()))
        });
        Self {
            status: parts.status.as_u16(),
            headers: headers.collect(),
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// Whether the operation has succeeded.
    pub(crate) const fn is_success(&self) -> bool {
        self.status < 400
    }

    /// Where the operation has added a resource, if it has.
    pub(crate) fn created(&self) -> Option<&str> {
        let location = self.headers.iter().find(|(name, _)| name == "location");
        location
            .filter(|_| self.status == StatusCode::CREATED.as_u16())
            .map(|(_, path)| path.as_str())
    }

    /// The messages of an error.
    pub(crate) fn notes(&self) -> Vec<Note> {
        #[derive(Deserialize)]
        struct Body {
            error: Inner,
        }
        #[derive(Deserialize)]
        struct Inner {
            #[serde(rename = "@Message.ExtendedInfo")]
            messages: Vec<Note>,
        }
        if self.is_success() {
            return Vec::new();
        }
        serde_json::from_str::<Body>(&self.body).map_or_else(|_| Vec::new(), |b| b.error.messages)
    }

    /// The response.
    pub(crate) fn to_response(&self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.body.clone())));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name.as_str());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value.as_str())) {
                headers.insert(name, value);
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Failure, error::Error};

    #[test]
    fn a_body_with_a_secret_is_not_kept() {
        let open = json!({"ResetType": "On"});
        let kept = Request::new("POST", "/redfish/v1/x", &open).body;
        assert_eq!(kept.as_deref(), Some(r#"{"ResetType":"On"}"#));
        for secret in [
            json!({"Password": "x"}),
            json!({"A": [{"BindPassword": "x"}]}),
            json!({"A": {"AuthToken": "x"}}),
        ] {
            assert_eq!(Request::new("POST", "/redfish/v1/x", &secret).body, None);
        }
    }

    #[test]
    fn an_error_is_kept_with_its_messages_through_the_store() {
        let failure = Failure::Refused {
            reason: "node1 says no".to_owned(),
        };
        let response = Error::Backend(failure, "/redfish/v1/x".to_owned()).into_response();
        let kept = Answer::of(response);
        let json = serde_json::to_string(&kept).unwrap();
        let kept: Answer = serde_json::from_str(&json).unwrap();
        assert!(!kept.is_success());
        assert_eq!(kept.notes()[0].id, "Base.1.16.OperationFailed");
        assert!(kept.notes()[0].resolution.contains("node1 says no"));
        let response = kept.to_response();
        assert_eq!(response.status(), 502);
        assert_eq!(response.headers()["content-type"], "application/json");
    }
}
