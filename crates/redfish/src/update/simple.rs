//! An image that the service fetches itself: `UpdateService.SimpleUpdate` (DSP0268 "UpdateService").
//!
//! Its task begins before the first byte is there. An image that shall wait for `StartUpdate` is fetched at once, too:
//! its task is `Pending` meanwhile.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use redfish_schema::{CheckedParameters, OperationApplyTime};
use tokio::sync::OwnedSemaphorePermit;
use zeroize::Zeroizing;

use super::fetch::{FetchError, Source, fetch, refused};
use super::{Asked, Installer, Intake, MAX_TARGETS, Origin, Staged, Updates};
use crate::error::Error;
use crate::event::{Connector, Destination, DestinationError};
use crate::fault::shorten;
use crate::message::{self, Message, update as messages};
use crate::resource::update_service;
use crate::task::{Answer, Handle, Note, Order, State};
use crate::{ActionCall, Failure, Path};

/// How many images are fetched at once: fewer than are kept, so that slow servers leave places for images that are
/// pushed. One more is refused with 503.
pub const MAX_FETCHES_AT_ONCE: usize = 2;

/// How much of a task is done when its image is there, in percent.
const FETCHED_PERCENT: u8 = 50;
/// When to try again, in seconds.
const RETRY_AFTER_S: u32 = 60;
const URI: &str = "ImageURI";
const ACTION: &str = update_service::SIMPLE_UPDATE;

impl Updates {
    /// Begins to fetch an image and to install it. The number of the task is the answer.
    pub(crate) async fn fetch(&self, call: &ActionCall, order: &Order) -> Result<u64, Failure> {
        let source = source(&call.parameters, &self.connector)?;
        let asked = asked(call, &source)?;
        self.check(&asked)?;
        self.sweep();
        let turn = Arc::clone(&self.fetches).try_acquire_owned();
        let turn = turn.map_err(|_| Failure::Unavailable {
            retry_after_s: RETRY_AFTER_S,
        })?;
        let name = asked.origin.name();
        let intake = self.intake(name)?;
        let state = if asked.is_staged {
            State::Pending
        } else {
            State::Running
        };
        let mut record = order.record(state);
        if source.destination.uri().query().is_some() {
            // Queries of links to images may be what authorises them.
            record.request.body = None;
        }
        let stops = self.can_stop(&asked);
        let task = self.tasks.begin(record, true).await;
        let coming = messages::transferring_to_component(name, update_service::PATH);
        task.note(Note::from(&coming));
        let id = task.id();
        let fetching = Fetching {
            source,
            intake,
            stops,
            connector: Arc::clone(&self.connector),
            installer: self.installer(),
            staged: self.staged.clone(),
            turn,
        };
        tokio::spawn(fetching.run(task, asked));
        Ok(id)
    }
}

/// An image that is on its way.
struct Fetching {
    source: Source,
    intake: Intake,
    /// Whether its installation can be called off.
    stops: bool,
    connector: Arc<Connector>,
    installer: Installer,
    staged: super::Waiting,
    turn: OwnedSemaphorePermit,
}

impl Fetching {
    async fn run(self, task: Handle, asked: Asked) {
        let tell = |percent: u8| task.progress(percent / (100 / FETCHED_PERCENT));
        let fetched = tokio::select! {
            biased;
            // The next process tells that it was interrupted.
            () = task.closing() => return,
            () = task.cancelled() => return task.stopped().await,
            fetched = fetch(&self.connector, &self.source, self.intake, tell) => fetched,
        };
        drop(self.turn);
        let image = match fetched {
            Ok(image) => image,
            Err(error) => {
                let failure = failure(&error, asked.origin.name());
                tracing::warn!(task = task.id(), %error, "image not fetched");
                let error = Error::Backend(failure, update_service::PATH.to_owned());
                return task.finish(Answer::of(error.into_response())).await;
            }
        };
        let can_go_on = if self.stops {
            !task.is_cancelled()
        } else {
            task.keep()
        };
        if !can_go_on {
            return task.stopped().await;
        }
        let staged = Staged {
            task,
            asked,
            image,
            percent: FETCHED_PERCENT,
        };
        if staged.asked.is_staged {
            self.staged.push(staged);
        } else {
            self.installer.run(staged).await;
        }
    }
}

/// What the update has come to without its image.
fn failure(error: &FetchError, name: &str) -> Failure {
    let message =
        messages::transfer_failed(name, update_service::PATH).with_resolution(error.to_string());
    match error {
        FetchError::File(error) => Failure::NotStored {
            reason: format!("the image can't be written: {error}"),
        },
        error if error.is_refusal() => Failure::Messages(vec![message.about(format!("/{URI}"))]),
        _ => Failure::NotFetched(Box::new(message)),
    }
}

/// From where, and as whom. The value itself isn't repeated: it may have a secret in it.
fn source(parameters: &CheckedParameters, connector: &Connector) -> Result<Source, Failure> {
    let uri = parameters.text(URI).unwrap_or_default();
    // What has a scheme needs no protocol; what has neither is fetched by HTTP (DSP0268).
    let uri = if uri.contains("://") {
        uri.to_owned()
    } else {
        let word = parameters.text("TransferProtocol").unwrap_or("HTTP");
        let rest = uri.strip_prefix("//").unwrap_or(uri);
        format!("{}://{rest}", word.to_ascii_lowercase())
    };
    let destination = Destination::parse(&uri, connector.settings()).map_err(|error| {
        let message = match error {
            DestinationError::Form => {
                message::action_parameter_value_format_error("(not repeated)", URI, ACTION)
            }
            _ => message::action_parameter_value_error(URI, ACTION),
        };
        wrong(message, URI, refused(error))
    })?;
    Ok(Source {
        destination,
        authorization: authorization(parameters)?,
    })
}

/// Basic authentication (RFC 7617).
fn authorization(parameters: &CheckedParameters) -> Result<Option<HeaderValue>, Failure> {
    let (name, password) = (parameters.text("Username"), parameters.text("Password"));
    let Some(name) = name else {
        if password.is_none() {
            return Ok(None);
        }
        let missing = message::action_parameter_missing(ACTION, "Username");
        let remedy = "Give the user name that the password is of.";
        return Err(wrong(missing, "Username", remedy.to_owned()));
    };
    let password = password.unwrap_or_default();
    for (text, parameter) in [(name, "Username"), (password, "Password")] {
        if text.contains(char::is_control) || (parameter == "Username" && text.contains(':')) {
            let message = message::action_parameter_value_error(parameter, ACTION);
            let remedy = "HTTP takes no control characters here, and no colon in a user name.";
            return Err(wrong(message, parameter, remedy.to_owned()));
        }
    }
    let plain = Zeroizing::new(format!("{name}:{password}"));
    let coded = Zeroizing::new(format!("Basic {}", STANDARD.encode(plain.as_bytes())));
    let value = HeaderValue::from_str(&coded);
    let mut value = value.map_err(|error| Failure::Internal(error.to_string()))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// What the client wants of the image.
fn asked(call: &ActionCall, source: &Source) -> Result<Asked, Failure> {
    let parameters = &call.parameters;
    let mut asked = Asked {
        origin: Origin::fetched(source.destination.uri()),
        force: parameters
            .get("ForceUpdate")
            .is_some_and(|force| force == true),
        is_staged: call.apply_time == Some(OperationApplyTime::OnStartUpdateRequest),
        ..Asked::default()
    };
    let targets = parameters
        .get("Targets")
        .and_then(|targets| targets.as_array());
    let targets = targets.map(Vec::as_slice).unwrap_or_default();
    if targets.len() > MAX_TARGETS {
        let message = message::action_parameter_value_error("Targets", ACTION);
        let remedy = format!("Name at most {MAX_TARGETS} targets.");
        return Err(wrong(message, "Targets", remedy));
    }
    let mut faults = Vec::new();
    for target in targets {
        match target.as_str().map(Path::parse) {
            Some(Ok(path)) if !asked.targets.contains(&path) => asked.targets.push(path),
            Some(Ok(_)) => {}
            _ => {
                let shown = shorten(target.to_string());
                let message =
                    message::action_parameter_value_format_error(shown, "Targets", ACTION);
                faults.push(message.about("/Targets"));
            }
        }
    }
    if faults.is_empty() {
        Ok(asked)
    } else {
        Err(Failure::Messages(faults))
    }
}

fn wrong(message: Message, parameter: &str, remedy: String) -> Failure {
    let message = message.about(format!("/{parameter}"));
    Failure::Messages(vec![message.with_resolution(remedy)])
}
