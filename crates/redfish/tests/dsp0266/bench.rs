//! The test bench: a small backend in memory, and a client that calls the service directly.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use redfish::{
    Account, ActionCall, Backend, BackendFuture, CertificateOwner, Chain, DEFAULT_TIMEOUT_S,
    DestinationSettings, Document, EventSink, Failure, Host, Installed, NotDone, Outcome, Path,
    Role, RootLink, Service, Settings, StaticFile, StaticFiles, Store, Template, Tls, UnknownHost,
    Update, Updater,
};
use redfish_schema::chassis::{self, Chassis, ChassisType};
use redfish_schema::computer_system::{
    self, Actions, Boot, BootSource, ComputerSystem, ResetAction,
};
use redfish_schema::manager::{self, Manager};
use redfish_schema::metric_report::{self, MetricReport};
use redfish_schema::metric_report_definition::{self, MetricReportDefinition};
use redfish_schema::resource::{PowerState, ResetType};
use redfish_schema::sensor::{self, Sensor};
use redfish_schema::{CheckedPatch, Collection, OperationApplyTimeSupport, Reference};
use rustls::pki_types::PrivateKeyDer;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::Semaphore;

pub(crate) const UUID: &str = "92384634-2938-2342-8820-489239905423";
pub(crate) const PASSWORD: &str = "correct horse";

/// Two systems that can be reset and patched, and one manager that can't.
#[derive(Debug, Default)]
pub(crate) struct Rack {
    /// What the backend was asked to change, in order.
    pub(crate) log: Mutex<Vec<String>>,
    /// What the next change fails with.
    pub(crate) failure: Mutex<Option<Failure>>,
    /// What the next patch doesn't do, while it does the rest.
    pub(crate) not_done: Mutex<Vec<NotDone>>,
    indicator: Mutex<bool>,
    /// How many chassis there are; every third is off.
    pub(crate) chassis: AtomicUsize,
    /// What the sensors of some chassis read; the others read 20 and their number.
    pub(crate) readings: Mutex<BTreeMap<usize, f64>>,
    /// Changes wait while it is taken.
    gate: Gate,
    /// Who hears of events.
    pub(crate) sink: OnceLock<Sink>,
}

/// The service's end of [`Backend::watch`].
pub(crate) struct Sink(pub(crate) Arc<dyn EventSink>);

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sink")
    }
}

/// One permit, that a change takes and gives back.
#[derive(Debug)]
struct Gate(Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(1))
    }
}

const ROOTS: &[RootLink] = &[
    RootLink {
        name: "Systems",
        uri: "/redfish/v1/Systems",
    },
    RootLink {
        name: "Managers",
        uri: "/redfish/v1/Managers",
    },
];

const TEMPLATES: &[Template] = &[
    Template::new("/redfish/v1/Systems", "ComputerSystemCollection"),
    Template::new("/redfish/v1/Systems/{ComputerSystemId}", "ComputerSystem")
        .changeable()
        .actions(&["ComputerSystem.Reset"]),
    Template::new(
        "/redfish/v1/Systems/{ComputerSystemId}/Settings",
        "ComputerSystem",
    )
    .changeable()
    .deletable(),
    Template::new("/redfish/v1/Managers", "ManagerCollection"),
    Template::new("/redfish/v1/Managers/{ManagerId}", "Manager"),
];

impl Rack {
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Lets no change through until [`release`](Self::release).
    pub(crate) fn hold(&self) {
        assert_eq!(self.gate.0.forget_permits(1), 1);
    }

    pub(crate) fn release(&self) {
        self.gate.0.add_permits(1);
    }

    pub(crate) fn fail_next(&self, failure: Failure) {
        *self.failure.lock().unwrap() = Some(failure);
    }

    fn change(&self, entry: String) -> Result<Outcome, Failure> {
        match self.failure.lock().unwrap().take() {
            Some(failure) => Err(failure),
            None => {
                self.log.lock().unwrap().push(entry);
                Ok(Outcome::Done)
            }
        }
    }

    fn system(&self, id: &str) -> Result<Document, Failure> {
        let path = format!("/redfish/v1/Systems/{id}");
        let mut system = ComputerSystem::new(&*path, id, format!("System {id}"));
        system.power_state = Some(PowerState::On.into());
        system.location_indicator_active = Some((*self.indicator.lock().unwrap()).into());
        system.boot = Some(Boot {
            boot_source_override_target: Some(BootSource::None.into()),
            boot_source_override_target_allowable_values: Some(vec![
                BootSource::None,
                BootSource::Pxe,
            ]),
            ..Boot::default()
        });
        system.links = Some(computer_system::Links {
            managed_by: Some(vec![Reference::to("/redfish/v1/Managers/bmc")]),
            ..computer_system::Links::default()
        });
        let mut reset = ResetAction::new(format!("{path}/Actions/ComputerSystem.Reset"));
        let resets = [ResetType::On, ResetType::ForceOff, ResetType::ForceRestart];
        reset.reset_type_allowable_values = Some(resets.to_vec());
        let in_window = OperationApplyTimeSupport::in_window_of("/redfish/v1/TaskService");
        reset.operation_apply_time_support = Some(in_window);
        system.actions = Some(Actions { reset: Some(reset) });
        let document = Document::of(&system).map(Document::changeable)?;
        Ok(document.settable_later(&path))
    }

    /// `/redfish/v1/Chassis` and below: unlinked, as large as a test wants it, with a sensor in each chassis.
    fn chassis(&self, path: &Path, below: &[&str]) -> Result<Document, Failure> {
        let count = self.chassis.load(Ordering::Relaxed);
        let list = |kind, ids: Vec<String>| {
            let link = |id: String| Reference::to(format!("{path}/{id}"));
            let members = ids.into_iter().map(link).collect();
            Document::of(&Collection::new(kind, path.as_str(), "Members", members))
        };
        let number = |id: &str| {
            let number = id.parse::<usize>().ok().filter(|n| *n < count);
            number.ok_or(Failure::NotFound)
        };
        match *below {
            [] => list(
                &chassis::COLLECTION,
                (0..count).map(|n| n.to_string()).collect(),
            ),
            [id] => {
                let kind = ChassisType::RackMount;
                let mut chassis = Chassis::new(path.as_str(), id, format!("Chassis {id}"), kind);
                let state = if number(id)? % 3 == 0 {
                    PowerState::Off
                } else {
                    PowerState::On
                };
                chassis.power_state = Some(state.into());
                chassis.sensors = Some(Reference::to(format!("{path}/Sensors")));
                Document::of(&chassis)
            }
            [id, "Sensors"] => number(id).and_then(|_| list(&sensor::COLLECTION, vec!["T".into()])),
            [id, "Sensors", "T"] => {
                let mut sensor = Sensor::new(path.as_str(), "T", "Inlet");
                let number = number(id)?;
                let reading = self.readings.lock().unwrap().get(&number).copied();
                sensor.reading = Some(reading.unwrap_or(20.0 + number as f64).into());
                sensor.reading_units = Some("Cel".into());
                Document::of(&sensor)
            }
            _ => Err(Failure::NotFound),
        }
    }

    fn read(&self, path: &Path) -> Result<Document, Failure> {
        match *path.segments() {
            ["Systems"] => {
                let members =
                    ["1", "2"].map(|id| Reference::to(format!("/redfish/v1/Systems/{id}")));
                let kind = &computer_system::COLLECTION;
                Document::of(&Collection::new(
                    kind,
                    path.as_str(),
                    "Systems",
                    members.to_vec(),
                ))
            }
            ["Systems", id @ ("1" | "2")] => self.system(id),
            ["Managers"] => {
                let members = vec![Reference::to("/redfish/v1/Managers/bmc")];
                let kind = &manager::COLLECTION;
                Document::of(&Collection::new(kind, path.as_str(), "Managers", members))
            }
            ["Managers", "bmc"] => Document::of(&Manager::new(path.as_str(), "bmc", "BMC")),
            ["Chassis", ref below @ ..] => self.chassis(path, below),
            ["TelemetryService", ref below @ ..] => telemetry(path, below),
            _ => Err(Failure::NotFound),
        }
    }
}

/// A report of the backend's own, `Rack`.
fn telemetry(path: &Path, below: &[&str]) -> Result<Document, Failure> {
    let list = |kind| {
        let members = vec![Reference::to(format!("{path}/Rack"))];
        Document::of(&Collection::new(kind, path.as_str(), "Members", members))
    };
    match *below {
        ["MetricReportDefinitions"] => list(&metric_report_definition::COLLECTION),
        ["MetricReports"] => list(&metric_report::COLLECTION),
        ["MetricReportDefinitions", "Rack"] => Document::of(&MetricReportDefinition::new(
            path.as_str(),
            "Rack",
            "The rack",
        )),
        ["MetricReports", "Rack"] => {
            Document::of(&MetricReport::new(path.as_str(), "Rack", "The rack"))
        }
        _ => Err(Failure::NotFound),
    }
}

impl Backend for Rack {
    fn roots(&self) -> &[RootLink] {
        ROOTS
    }

    fn templates(&self) -> &'static [Template] {
        TEMPLATES
    }

    fn watch(&self, sink: Arc<dyn EventSink>) {
        assert!(self.sink.set(Sink(sink)).is_ok(), "watched twice");
    }

    fn get<'a>(&'a self, path: &'a Path) -> BackendFuture<'a, Document> {
        Box::pin(async move { self.read(path) })
    }

    fn patch<'a>(&'a self, path: &'a Path, patch: &'a CheckedPatch) -> BackendFuture<'a, Outcome> {
        Box::pin(async move {
            let _open = self.gate.0.acquire().await.unwrap();
            let leaves: Vec<_> = patch
                .leaves()
                .iter()
                .map(|(pointer, value)| format!("{pointer}={value}"))
                .collect();
            let outcome = self.change(format!("PATCH {path} {}", leaves.join(" ")))?;
            if let Some(Value::Bool(on)) = patch.get("/LocationIndicatorActive") {
                *self.indicator.lock().unwrap() = *on;
            }
            let not_done = std::mem::take(&mut *self.not_done.lock().unwrap());
            Ok(if not_done.is_empty() {
                outcome
            } else {
                Outcome::Partly(not_done)
            })
        })
    }

    /// No rack has host names, nor a tag with an exclamation mark.
    fn check(&self, _: &Path, patch: &CheckedPatch) -> Result<(), Failure> {
        if patch.get("/HostName").is_some() {
            return Err(Failure::PropertyNotWritable {
                pointer: "/HostName".to_owned(),
            });
        }
        let tag = patch.get("/AssetTag").and_then(Value::as_str);
        match tag.filter(|tag| tag.contains('!')) {
            Some(tag) => Err(Failure::PropertyValueUnavailable {
                pointer: "/AssetTag".to_owned(),
                value: tag.to_owned(),
                remedy: "Speak softly.".to_owned(),
            }),
            None => Ok(()),
        }
    }

    fn updater(&self) -> Option<&dyn Updater> {
        Some(self)
    }

    fn action<'a>(&'a self, path: &'a Path, call: &'a ActionCall) -> BackendFuture<'a, Outcome> {
        Box::pin(async move {
            let _open = self.gate.0.acquire().await.unwrap();
            let reset_type = call.parameters.text("ResetType").unwrap_or("-");
            self.change(format!("POST {path} {} {reset_type}", call.action.name))
        })
    }
}

/// The longest image that the rack takes, in bytes.
pub(crate) const LONGEST_IMAGE: u64 = 1024 * 1024;

/// Managers can be updated.
impl Updater for Rack {
    fn longest_image(&self) -> u64 {
        LONGEST_IMAGE
    }

    fn check(&self, targets: &[Path]) -> Result<(), Failure> {
        let is_manager = |path: &Path| matches!(*path.segments(), ["Managers", _]);
        match targets.iter().find(|path| !is_manager(path)) {
            Some(_) => Err(Failure::PropertyNotWritable {
                pointer: "/Targets".to_owned(),
            }),
            None => Ok(()),
        }
    }

    fn all(&self) -> Vec<Path> {
        let all = ["bmc", "other"].map(|id| format!("/redfish/v1/Managers/{id}"));
        all.iter().map(|path| Path::parse(path).unwrap()).collect()
    }

    fn machine(&self, target: &Path) -> String {
        let name = target.last();
        name.split_once('.')
            .map_or(name, |(machine, _)| machine)
            .to_owned()
    }

    fn update<'a>(&'a self, update: &'a Update) -> BackendFuture<'a, Installed> {
        Box::pin(async move {
            update.progress().tell(25);
            let _open = self.gate.0.acquire().await.unwrap();
            let mut bytes = vec![0; usize::try_from(update.image.length()).unwrap()];
            let read = update.image.read_at(&mut bytes, 0).unwrap();
            assert_eq!(read, bytes.len());
            let sum: u64 = bytes.iter().map(|&b| u64::from(b)).sum();
            let target = update.target.last();
            if bytes.starts_with(b"only for other") && target != "other" {
                return Ok(Installed::NotForIt("it is another one".to_owned()));
            }
            if bytes.starts_with(b"no image") {
                return Ok(Installed::NotForIt("the file is no image".to_owned()));
            }
            if bytes.starts_with(b"runs already") && !update.force {
                return Ok(Installed::UpToDate);
            }
            if bytes.starts_with(b"stops") && update.progress().is_cancelled() {
                return Ok(Installed::Stopped);
            }
            assert_eq!(*update.image.bytes().await.unwrap(), *bytes);
            self.change(format!(
                "UPDATE {target} {} bytes {sum} {}",
                bytes.len(),
                update.force
            ))?;
            Ok(Installed::Done)
        })
    }
}

/// A service in front of a [`Rack`], and a client of it.
pub(crate) struct Bench {
    pub(crate) rack: Arc<Rack>,
    pub(crate) service: Arc<Service>,
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Keys of the messages, `PropertyUnknown`. Checks the form of an error body on the way.
    pub(crate) fn messages(&self) -> Vec<String> {
        let json = self.json();
        let error = &json["error"];
        assert!(
            error["code"]
                .as_str()
                .is_some_and(|code| code.starts_with("Base.")),
            "{json}"
        );
        assert!(error["message"].is_string(), "{json}");
        let keys = error["@Message.ExtendedInfo"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| {
                let id = message["MessageId"].as_str().unwrap();
                id.rsplit('.').next().unwrap().to_owned()
            });
        keys.collect()
    }

    #[track_caller]
    pub(crate) fn assert_error(&self, status: u16, messages: &[&str]) {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.messages(), messages);
    }

    #[track_caller]
    pub(crate) fn assert_valid(&self) {
        let problems = redfish_schema::validate(&self.json());
        assert!(problems.is_empty(), "{problems:?} in {}", self.json());
    }
}

/// A self-signed certificate for `localhost`.
pub(crate) fn chain() -> Chain {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    Chain::new(vec![made.cert.der().clone()], key).unwrap()
}

fn tls() -> Arc<Tls> {
    Arc::new(Tls::new(chain(), &[]).unwrap())
}

/// Settings without accounts and files.
pub(crate) fn settings(store: Store) -> Settings {
    Settings {
        uuid: UUID.to_owned(),
        product: "Test bench".to_owned(),
        vendor: "Nobody".to_owned(),
        accounts: Vec::new(),
        privileges: redfish::PrivilegeMap::default(),
        session_timeout_s: DEFAULT_TIMEOUT_S,
        static_files: StaticFiles::default(),
        store,
        events: DestinationSettings::default(),
        images: DestinationSettings::default(),
        version: "1.2.3".to_owned(),
        host: Arc::new(UnknownHost),
        aggregator: None,
        tls: None,
    }
}

impl Bench {
    /// With the accounts `root`, `operator` and `reader`, whose password is [`PASSWORD`].
    pub(crate) fn new() -> Self {
        Self::with(Store::in_memory().unwrap())
    }

    /// The same, with what `store` keeps.
    pub(crate) fn with(store: Store) -> Self {
        Self::with_events(store, DestinationSettings::default())
    }

    /// The same, with other destinations of events.
    pub(crate) fn with_events(store: Store, events: DestinationSettings) -> Self {
        let privileges = redfish::PrivilegeMap::default();
        Self::with_all(seeds(), store, privileges, events)
    }

    /// With these accounts for the start, this state, and these needs of operations.
    pub(crate) fn of(
        accounts: Vec<Account>,
        store: Store,
        privileges: redfish::PrivilegeMap,
    ) -> Self {
        Self::with_all(accounts, store, privileges, DestinationSettings::default())
    }

    /// One that may fetch images from these servers.
    pub(crate) fn with_images(images: DestinationSettings) -> Self {
        Self::made_of(Settings {
            accounts: seeds(),
            images,
            ..settings(Store::in_memory().unwrap())
        })
    }

    /// With what `store` keeps, on this host.
    pub(crate) fn on(store: Store, host: Arc<dyn Host>) -> Self {
        Self::made_of(Settings {
            accounts: seeds(),
            host,
            ..settings(store)
        })
    }

    /// With what `store` keeps, and somebody who takes up machines that clients name.
    pub(crate) fn aggregating(store: Store, aggregator: Arc<dyn redfish::Aggregator>) -> Self {
        Self::made_of(Settings {
            accounts: seeds(),
            aggregator: Some(aggregator),
            ..settings(store)
        })
    }

    fn with_all(
        accounts: Vec<Account>,
        store: Store,
        privileges: redfish::PrivilegeMap,
        events: DestinationSettings,
    ) -> Self {
        let page = StaticFile {
            path: "/",
            content_type: "text/html; charset=utf-8",
            bytes: Bytes::from_static(b"<!doctype html>"),
        };
        let settings = Settings {
            accounts,
            privileges,
            static_files: [page].into_iter().collect(),
            events,
            tls: Some((tls(), CertificateOwner::Service)),
            ..settings(store)
        };
        Self::made_of(settings)
    }

    fn made_of(settings: Settings) -> Self {
        let rack = Arc::new(Rack::default());
        let service = Service::new(settings, Arc::clone(&rack) as Arc<dyn Backend>).unwrap();
        let service = Arc::new(service);
        Self { rack, service }
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let response = self
            .service
            .handle(request, Some([127, 0, 0, 1].into()))
            .await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        assert_eq!(parts.headers["odata-version"], "4.0");
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// A request with these headers, `name: value`.
    pub(crate) async fn call(
        &self,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "localhost");
        }
        if !body.is_empty() && !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/json");
        }
        self.send(request.uri(uri).body(Full::from(body.to_owned())).unwrap())
            .await
    }

    /// Logs in and gives the token.
    pub(crate) async fn token(&self, user: &str) -> String {
        let answer = self.log_in(user, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.header("x-auth-token").unwrap().to_owned()
    }

    pub(crate) async fn log_in(&self, user: &str, password: &str) -> Answer {
        let body = serde_json::json!({"UserName": user, "Password": password}).to_string();
        self.call("POST", "/redfish/v1/SessionService/Sessions", &[], &body)
            .await
    }

    /// A client that is logged in with another password.
    pub(crate) async fn client_with(&self, user: &str, password: &str) -> Client<'_> {
        let answer = self.log_in(user, password).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        Client {
            bench: self,
            credentials: (
                "x-auth-token",
                answer.header("x-auth-token").unwrap().to_owned(),
            ),
        }
    }

    /// A client that is logged in.
    pub(crate) async fn client(&self, user: &str) -> Client<'_> {
        Client {
            bench: self,
            credentials: ("x-auth-token", self.token(user).await),
        }
    }
}

/// The accounts `root`, `operator` and `reader`, whose password is [`PASSWORD`].
pub(crate) fn seeds() -> Vec<Account> {
    let account = |name, role| Account::new(name, PASSWORD, role).unwrap();
    vec![
        account("root", Role::Administrator),
        account("operator", Role::Operator),
        account("reader", Role::ReadOnly),
    ]
}

/// A file for the state of one service after the other. It goes with the test.
pub(crate) struct StateFile {
    path: PathBuf,
    _folder: TempDir,
}

impl StateFile {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            path: folder.path().join("state.redb"),
            _folder: folder,
        }
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// A service with what the one before has left.
    pub(crate) fn bench(&self) -> Bench {
        self.bench_with(seeds())
    }

    pub(crate) fn bench_with(&self, accounts: Vec<Account>) -> Bench {
        self.bench_of(accounts, redfish::PrivilegeMap::default())
    }

    pub(crate) fn bench_of(
        &self,
        accounts: Vec<Account>,
        privileges: redfish::PrivilegeMap,
    ) -> Bench {
        // The writer of the one before lets go of the file a moment after its service.
        loop {
            match Store::open(&self.path) {
                Ok(store) => return Bench::of(accounts, store, privileges),
                Err(redfish::StoreError::InUse) => std::thread::yield_now(),
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Sends credentials with every request: usually the token of a session.
pub(crate) struct Client<'a> {
    pub(crate) bench: &'a Bench,
    /// The header that has them.
    pub(crate) credentials: (&'static str, String),
}

impl Client<'_> {
    pub(crate) async fn call(
        &self,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let (name, value) = &self.credentials;
        let mut all = vec![(*name, value.as_str())];
        all.extend_from_slice(headers);
        self.bench.call(method, uri, &all, body).await
    }

    pub(crate) async fn get(&self, uri: &str) -> Answer {
        self.call("GET", uri, &[], "").await
    }

    pub(crate) async fn patch(&self, uri: &str, body: &str) -> Answer {
        self.call("PATCH", uri, &[], body).await
    }

    pub(crate) async fn post(&self, uri: &str, body: &str) -> Answer {
        self.call("POST", uri, &[], body).await
    }
}
