//! An image that a client sends: `MultipartHttpPushUri` (DSP0266 "Multipart HTTP push updates").

use std::time::Duration;

use bytes::Bytes;
use http::header;
use http::request::Parts as Head;
use http::{Method, Response};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};

use super::multipart::{Event, Field, Multipart, MultipartError};
use super::{Asked, Image, Intake, IntakeError, Updates};
use crate::audit::Deed;
use crate::body::parse_object;
use crate::caller::Caller;
use crate::error::Error;
use crate::fixed::options;
use crate::privilege::Operation;
use crate::resource::update_service;
use crate::{Failure, Service, message};

/// How long a client may pause while it sends an image, in seconds.
pub const UPLOAD_IDLE_S: u64 = 30;
/// How fast a client sends an image at least, on average, in bytes per second; beside that it has [`UPLOAD_IDLE_S`]
/// once. Slow clients would keep the few places for images from others: the longest image takes under 2½ hours.
pub const MIN_UPLOAD_BYTES_PER_S: u64 = 64 * 1024;
/// How long `UpdateParameters` may be, in bytes.
const MAX_PARAMETERS_BYTES: usize = 64 * 1024;
/// What a body may have beside the image: parameters, headers, boundaries.
const MAX_BESIDE_BYTES: u64 = 256 * 1024;
const PARAMETERS: &str = "UpdateParameters";
pub(super) const FILE: &str = "UpdateFile";
const ALLOW: &str = "POST";

impl Service {
    /// The target of multipart pushes.
    pub(crate) async fn push_update<B>(
        &self,
        parts: &Head,
        body: B,
        caller: &Caller,
    ) -> Result<Response<Full<Bytes>>, Error>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let updates = &self.parts.updates;
        let failed = |failure| Error::Backend(failure, update_service::PUSH.to_owned());
        if updates.updater().is_none() {
            return Err(failed(Failure::NotFound));
        }
        match parts.method {
            Method::POST => {}
            Method::OPTIONS => return Ok(options(ALLOW)),
            _ => return Err(Error::Method(ALLOW)),
        }
        if !self.may_beside(
            caller,
            "UpdateService",
            update_service::PUSH,
            Operation::Post,
        ) {
            return Err(Error::Forbidden);
        }
        crate::query::Query::refuse(parts.uri.query())?;
        let kind = parts.headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let multipart = Multipart::of(kind).ok_or(Error::MediaType)?;
        let form = Form {
            multipart: multipart.map_err(refused)?,
            part: None,
            parameters: None,
            parsed: None,
            intake: None,
            image: None,
        };
        updates.sweep();
        let (parameters, asked, image) = form.take(body, updates).await?;
        let order = super::order(caller, update_service::PUSH, &parameters);
        let id = updates.accept(order, asked, image).await;
        self.record(
            caller,
            Deed::Invoked {
                path: update_service::PATH.to_owned(),
                action: "multipart push".to_owned(),
                parameters: parameters.keys().cloned().collect(),
            },
        );
        self.accepted(id)
    }
}

fn refused(error: MultipartError) -> Error {
    Error::Multipart(error)
}

/// Which part is coming in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Parameters,
    File,
}

/// A body while it comes in.
struct Form {
    multipart: Multipart,
    part: Option<Part>,
    parameters: Option<Vec<u8>>,
    parsed: Option<(Map<String, Value>, Asked)>,
    intake: Option<Intake>,
    image: Option<Image>,
}

impl Form {
    /// Reads the body to its end.
    async fn take<B>(
        mut self,
        body: B,
        updates: &Updates,
    ) -> Result<(Map<String, Value>, Asked, Image), Error>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut left = updates.longest_image() + MAX_BESIDE_BYTES;
        if body.size_hint().lower() > left {
            return Err(Error::BodyTooLarge);
        }
        let mut body = std::pin::pin!(body);
        let start = Instant::now();
        let mut got = 0_u64;
        loop {
            let frame = timeout_at(latest(start, got), body.frame()).await;
            let frame = match frame {
                Ok(None) => break,
                Ok(Some(frame)) => frame.map_err(|_| Error::BodyBroken)?,
                Err(_) => return Err(Error::UploadTimeout),
            };
            let Ok(data) = frame.into_data() else {
                continue;
            };
            got += data.len() as u64;
            left = left
                .checked_sub(data.len() as u64)
                .ok_or(Error::BodyTooLarge)?;
            for event in self.multipart.push(&data).map_err(refused)? {
                self.event(event, updates).await?;
            }
        }
        self.multipart.finish().map_err(refused)?;
        let missing =
            |name: &str| Error::from(message::property_missing(name).about(format!("/{name}")));
        let (parameters, asked) = self.parsed.ok_or_else(|| missing(PARAMETERS))?;
        let image = self.image.ok_or_else(|| missing(FILE))?;
        Ok((parameters, asked, image))
    }

    async fn event(&mut self, event: Event, updates: &Updates) -> Result<(), Error> {
        match (event, self.part) {
            (Event::Part(field), _) => self.begin(&field, updates),
            (Event::Data(data), Some(Part::File)) => match &mut self.intake {
                Some(intake) => intake.push(&data).await.map_err(not_taken),
                None => Ok(()),
            },
            (Event::Data(data), _) => {
                let parameters = self.parameters.get_or_insert_default();
                if parameters.len() + data.len() > MAX_PARAMETERS_BYTES {
                    return Err(Error::BodyTooLarge);
                }
                parameters.extend(data);
                Ok(())
            }
            (Event::PartEnd, Some(Part::File)) => {
                if let Some(intake) = self.intake.take() {
                    self.image = Some(intake.finish().await.map_err(not_taken)?);
                }
                Ok(())
            }
            (Event::PartEnd, _) => {
                let text = self.parameters.take().unwrap_or_default();
                let parameters = parse_object(&text)?;
                let asked = Asked::parse(&parameters)?;
                // What can't be done anyhow needn't be sent: the file usually comes after this.
                updates
                    .check(&asked)
                    .map_err(|failure| Error::Backend(failure, update_service::PUSH.to_owned()))?;
                self.parsed = Some((parameters, asked));
                Ok(())
            }
        }
    }

    fn begin(&mut self, field: &Field, updates: &Updates) -> Result<(), Error> {
        let twice = || Error::DuplicateProperty(field.name.clone());
        self.part = Some(match field.name.as_str() {
            PARAMETERS if self.parsed.is_some() => return Err(twice()),
            PARAMETERS => Part::Parameters,
            FILE if self.image.is_some() => return Err(twice()),
            FILE => {
                let intake = updates
                    .intake(field.file_name.as_deref().unwrap_or(FILE))
                    .map_err(|failure| Error::Backend(failure, update_service::PUSH.to_owned()))?;
                self.intake = Some(intake);
                Part::File
            }
            other => {
                let name = crate::fault::shorten(other.to_owned());
                return Err(message::property_unknown(name).into());
            }
        });
        Ok(())
    }
}

/// When more has to be there of an upload that began at `start` and of which there are `got` bytes.
fn latest(start: Instant, got: u64) -> Instant {
    let pause = Duration::from_secs(UPLOAD_IDLE_S);
    let earned = Duration::from_millis(got.saturating_mul(1000) / MIN_UPLOAD_BYTES_PER_S);
    (Instant::now() + pause).min(start + pause + earned)
}

fn not_taken(error: IntakeError) -> Error {
    match error {
        IntakeError::TooLong(_) => Error::BodyTooLarge,
        IntakeError::File(error) => {
            let failure = Failure::NotStored {
                reason: format!("the image can't be written: {error}"),
            };
            Error::Backend(failure, update_service::PUSH.to_owned())
        }
    }
}
