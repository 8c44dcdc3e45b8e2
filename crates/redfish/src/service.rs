//! One request from top to bottom: who asks, for what, may he, does it fit, what does the backend say.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts as Head;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use redfish_schema::account_service::BasicAuthState;

use crate::account::Accounts;
use crate::aggregation::Sources;
use crate::audit::{AuditLog, Deed, Entry};
use crate::caller::Caller;
use crate::certificate::Certificates;
use crate::error::{Error, READ_ONLY};
use crate::event::Events;
use crate::event_stream::{Streaming, is_stream};
use crate::figures::Answered;
use crate::finish::finish;
use crate::fixed::{Fixed, options};
use crate::head::check_routing;
use crate::outgoing::Outgoing;
use crate::path_lock::PathLocks;
use crate::privilege::Operation;
use crate::resource::certificate_service::CertificateService;
use crate::resource::manager::{self, OwnManager};
use crate::resource::telemetry_service::TelemetryService;
use crate::resource::{
    self, account_service, aggregation_service, event_service, registries, service_root,
    session_service, update_service,
};
use crate::respond::LargeAnswers;
use crate::session::Sessions;
use crate::settings::{Settings, SettingsError};
use crate::settings_resource::FutureSettings;
use crate::static_files::StaticFiles;
use crate::task::Tasks;
use crate::trust::Trust;
use crate::update::Updates;
use crate::{Backend, Document, EventSink, Failure, Path, action_info, odata, openapi, template};

const ODATA_VERSION: HeaderName = HeaderName::from_static("odata-version");
pub(crate) const X_AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

/// The service. [`handle`](Self::handle) answers one request; any number may run at once.
pub struct Service {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) sessions: Arc<Sessions>,
    events: Arc<Events>,
    audit: Arc<AuditLog>,
    pub(crate) parts: Parts,
    static_files: StaticFiles,
    pub(crate) locks: PathLocks,
    pub(crate) large_answers: LargeAnswers,
    pub(crate) answered: Answered,
    root: Document,
    versions: Fixed,
    odata: Fixed,
    metadata: Fixed,
    openapi: Fixed,
}

/// The parts of the tree that are the service's own and have state.
pub(crate) struct Parts {
    pub(crate) accounts: account_service::AccountService,
    pub(crate) registries: registries::Registries,
    pub(crate) sessions: session_service::SessionService,
    pub(crate) event_service: event_service::EventService,
    pub(crate) manager: OwnManager,
    pub(crate) tasks: Tasks,
    pub(crate) certificates: Option<CertificateService>,
    pub(crate) updates: Updates,
    pub(crate) telemetry: TelemetryService,
    pub(crate) settings: FutureSettings,
    pub(crate) sources: Option<Sources>,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

impl Service {
    /// Makes a service in front of `backend`.
    ///
    /// # Errors
    /// [`SettingsError`] names the setting that can't be used.
    pub fn new(mut settings: Settings, backend: Arc<dyn Backend>) -> Result<Self, SettingsError> {
        settings.check()?;
        let audit = Arc::new(AuditLog::load(settings.store.clone())?);
        let sessions = Arc::new(Sessions::new(settings.session_timeout_s));
        let events = Events::open(settings.events.clone(), settings.store.clone())?;
        let sink = Arc::clone(&events.hub) as Arc<dyn EventSink>;
        let tasks = Tasks::load(
            settings.store.clone(),
            Arc::clone(&sink),
            Arc::clone(&audit),
        )?;
        let future = FutureSettings::load(&settings.store, backend, &tasks, &audit, &sink)?;
        let backend = future.backend(sink);
        tasks.resume(&backend);
        let certificates = Certificates::of(&settings)?;
        let trust = Trust::load(&settings)?;
        let manager = OwnManager::load(&settings, Arc::clone(&audit), certificates.clone())?;
        let privileges = Arc::new(std::mem::take(&mut settings.privileges));
        let accounts = Arc::new(Accounts::load(
            settings.store.clone(),
            std::mem::take(&mut settings.accounts),
            Arc::clone(&privileges),
            Arc::clone(&sessions),
            Arc::clone(&audit),
        )?);
        let parts = Parts {
            sources: Sources::load(&settings)?,
            telemetry: TelemetryService::load(&backend, &events.hub, &privileges, &settings.store)?,
            updates: Updates::new(&tasks, &backend, &settings.store, settings.images.clone())?,
            tasks,
            settings: future.clone(),
            event_service: event_service::EventService::new(Arc::clone(&events)),
            accounts: account_service::AccountService {
                accounts: Arc::clone(&accounts),
                trust: trust.clone(),
            },
            registries: registries::Registries { privileges },
            sessions: session_service::SessionService::load(
                Arc::clone(&sessions),
                Arc::clone(&accounts),
                settings.store.clone(),
            )?,
            certificates: certificates.map(|certificates| {
                CertificateService::new(certificates, manager.https_certificates(), trust)
            }),
            manager,
        };
        let has_sources = parts.sources.is_some();
        let roots = aggregation_service::roots(backend.roots(), has_sources);
        let root = service_root::document(&settings, &roots, &parts.manager)
            .map_err(|failure| SettingsError::Root(format!("{failure:?}")))?;
        let places = [template::of_aggregation(has_sources), backend.templates()].concat();
        let openapi = openapi::document(&settings.product, &settings.version, &places);
        Ok(Self {
            root: root.shared(),
            versions: Fixed::new(odata::VERSIONS, "application/json"),
            odata: Fixed::new(odata::service_document(&roots), "application/json"),
            metadata: Fixed::new(odata::metadata(), "application/xml"),
            openapi: Fixed::new(openapi, "application/yaml"),
            locks: future.locks(),
            large_answers: LargeAnswers::default(),
            answered: Answered::default(),
            accounts,
            sessions,
            events,
            audit,
            parts,
            static_files: settings.static_files,
            backend,
        })
    }

    /// Answers one request of the client at `client`. Never fails: whatever goes wrong is a response.
    /// A change that has begun comes to its end although the answer is awaited no more.
    pub async fn handle<B>(
        self: &Arc<Self>,
        request: Request<B>,
        client: Option<IpAddr>,
    ) -> Response<Outgoing>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let answer = self.answer(&parts, body, client).await;
        let mut response = answer.unwrap_or_else(|error| refuse(&parts, error));
        if response.status() == StatusCode::UNAUTHORIZED
            && self.accounts.policy().basic_auth != BasicAuthState::Enabled
        {
            response.headers_mut().remove(header::WWW_AUTHENTICATE);
        }
        let mut response = finish(&parts, response).await;
        self.answered.count(response.status());
        let headers = response.headers_mut();
        headers.insert(ODATA_VERSION, HeaderValue::from_static("4.0"));
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        Streaming::unpack(response)
    }

    async fn answer<B>(
        self: &Arc<Self>,
        parts: &Head,
        body: B,
        client: Option<IpAddr>,
    ) -> Result<Response<Full<Bytes>>, Error>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        check_routing(parts)?;
        let uri = parts.uri.path();
        if !(uri == "/redfish" || uri.starts_with("/redfish/")) {
            return self.static_files.respond(&parts.method, uri);
        }
        if parts
            .headers
            .get(ODATA_VERSION)
            .is_some_and(|version| version != "4.0")
        {
            return Err(Error::ODataVersion);
        }
        if let Some(open) = self.open(parts) {
            return open;
        }
        let path = Path::parse(uri).map_err(|_| Error::UnknownUri(uri.to_owned()))?;
        if parts.method == Method::POST && is_sessions(&path) {
            return self.log_in(parts, body, client).await;
        }
        let caller = self.caller(parts, client).await?;
        if caller.account().must_change_password()
            && !self.is_open_before_change(&caller, &parts.method, &path)
        {
            return Err(Error::password_change_required(&caller));
        }
        let answer = self.answer_to(&caller, &path, parts, body).await;
        if let Err(error) = &answer {
            audit_refusal(self.audit(), &caller, parts, error);
        }
        let mut response = answer.unwrap_or_else(|error| refuse(parts, error));
        response.extensions_mut().insert(LoggedIn);
        Ok(response)
    }

    async fn answer_to<B>(
        self: &Arc<Self>,
        caller: &Caller,
        path: &Path,
        parts: &Head,
        body: B,
    ) -> Result<Response<Full<Bytes>>, Error>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if is_stream(path) {
            return self.stream(parts, caller);
        }
        if let Some((kind, file)) = resource::file(self, path) {
            return if self.may_beside(caller, kind, path.as_str(), Operation::Get) {
                file.respond(parts)
            } else {
                Err(Error::Forbidden)
            };
        }
        if let ["TaskService", "TaskMonitors", id] = *path.segments() {
            return self.monitor(id, parts, caller).await;
        }
        if path.as_str() == update_service::PUSH {
            return self.push_update(parts, body, caller).await;
        }
        match parts.method {
            Method::GET | Method::HEAD => self.read(path, parts, caller).await,
            Method::PATCH => self.patch(path, parts, body, caller).await,
            Method::POST => self.post(path, parts, body, caller).await,
            Method::DELETE => self.delete(path, parts, caller).await,
            Method::OPTIONS => Ok(options(self.document(path).await?.allow())),
            Method::PUT | Method::TRACE | Method::CONNECT => {
                Err(Error::Method(self.document(path).await?.allow()))
            }
            _ => Err(Error::UnknownMethod),
        }
    }

    /// What needs no login (DSP0266 "Resource and operation authentication requirements"): the way in and the description of the service.
    fn open(&self, parts: &Head) -> Option<Result<Response<Full<Bytes>>, Error>> {
        let path = parts.uri.path();
        let read = matches!(parts.method, Method::GET | Method::HEAD);
        let document = match path.strip_suffix('/').unwrap_or(path) {
            "/redfish/v1" if read => return self.read_root(parts),
            "/redfish/v1" if parts.method == Method::OPTIONS => {
                return Some(Ok(options(READ_ONLY)));
            }
            "/redfish" => &self.versions,
            "/redfish/v1/odata" => &self.odata,
            "/redfish/v1/$metadata" => &self.metadata,
            "/redfish/v1/openapi.yaml" => &self.openapi,
            _ => return None,
        };
        Some(document.respond(parts))
    }

    /// The document at `path`, of the service or its backend.
    pub(crate) async fn document(&self, path: &Path) -> Result<Document, Error> {
        let document = self.resource(path).await;
        let (Err(Failure::NotFound), Some(resource)) = (
            &document,
            path.parent().filter(|_| action_info::is_one(path)),
        ) else {
            return document.map_err(|failure| Error::Backend(failure, path.to_string()));
        };
        let resource = self.resource(&resource).await;
        let info = resource.and_then(|resource| action_info::document(path, &resource));
        info.map_err(|failure| Error::Backend(failure, path.to_string()))
    }

    async fn resource(&self, path: &Path) -> Result<Document, Failure> {
        match resource::part(self, &path.segments()) {
            _ if path.segments().is_empty() => Ok(self.root().clone()),
            Some((part, rest)) => match part.get_with(rest, path, &*self.backend) {
                Some(document) => document.await,
                None => part.get(rest),
            },
            None if *path.segments() == ["Managers"] => {
                manager::with_own(self.backend.get(path).await, &self.parts.manager)
            }
            None => self.backend.get(path).await,
        }
    }

    pub(crate) const fn root(&self) -> &Document {
        &self.root
    }

    pub(crate) const fn accounts(&self) -> &Arc<Accounts> {
        &self.accounts
    }

    pub(crate) const fn audit(&self) -> &Arc<AuditLog> {
        &self.audit
    }

    pub(crate) fn sessions(&self) -> Arc<Sessions> {
        Arc::clone(&self.sessions)
    }

    pub(crate) fn events(&self) -> &Events {
        &self.events
    }

    /// What the service does without being asked: it delivers events to their subscribers, collects telemetry and applies
    /// settings whose time has come, for as long as this is polled. [`Front::serve`](crate::Front::serve) does that.
    pub async fn work(&self) {
        let (telemetry, settings) = (&self.parts.telemetry.telemetry, &self.parts.settings);
        tokio::join!(self.events.work(), telemetry.work(), settings.work());
    }

    /// Whether there is any account; without one, nobody can ever log in.
    pub fn has_accounts(&self) -> bool {
        !self.accounts.is_empty()
    }

    /// Ends every stream of events, and opens no more: the service is about to end.
    pub fn end_streams(&self) {
        self.events.streams.close_all();
    }

    /// Ends tasks that wait, which the next process takes up again, and writes what nobody waits for: call it last, when
    /// [`work`](Self::work) isn't polled any more. What is with a machine comes to its end by itself.
    pub async fn close(&self) {
        self.tasks().close();
        self.events.save().await;
    }

    pub(crate) const fn tasks(&self) -> &Tasks {
        &self.parts.tasks
    }
}

/// Says on a response that the request came from somebody who is logged in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoggedIn;

fn refuse(parts: &Head, error: Error) -> Response<Full<Bytes>> {
    tracing::debug!(method = %parts.method, path = parts.uri.path(), ?error, "refused");
    error.into_response()
}

/// Keeps a record of a change that somebody may not make, or that came to nothing.
fn audit_refusal(audit: &AuditLog, caller: &Caller, parts: &Head, error: &Error) {
    let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
    let deed = match error {
        Error::Forbidden => Deed::Denied { method, path },
        Error::Backend(failure, _) if !parts.method.is_safe() => Deed::Failed {
            method,
            path,
            cause: failure.to_string(),
        },
        _ => return,
    };
    audit.record(&Entry::of(caller, deed));
}

fn is_sessions(path: &Path) -> bool {
    matches!(
        *path.segments(),
        ["SessionService", "Sessions"] | ["SessionService", "Sessions", "Members"]
    )
}
