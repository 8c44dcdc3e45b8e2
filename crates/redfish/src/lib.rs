//! The Redfish service: DSP0266 over HTTP, without any knowledge of hardware.
//!
//! ```text
//!   socket ─► server ─► Service::handle ─┬─► its own resources (root, sessions, accounts, schemas)
//!             TLS, HTTP  who may?        ├─► trait Backend: everything else
//!             limits     what fits?      └─► static files (a dashboard)
//! ```
//!
//! One request runs top to bottom through [`Service::handle`]: authenticate, route, authorise, check, ask
//! the [`Backend`], answer the query, finish (conditions, content coding, HEAD). It needs no socket, so tests call
//! it directly. Every table, queue, body and loop that a client can fill has a named bound among the constants below.
//!
//! **Invariant:** this crate knows no machine, sensor or IPMI. What a resource *may* hold comes from
//! `redfish-schema`; what it *does* hold comes from the backend. Whatever fails is turned into a status code
//! in `error.rs` and nowhere else.

#![forbid(unsafe_code)]

mod account;
mod action;
mod action_info;
mod aggregation;
mod audit;
mod authenticate;
mod backend;
mod body;
mod caller;
mod certificate;
mod change;
mod coding;
mod document;
mod error;
mod etag;
mod event;
mod event_stream;
mod failure;
mod fault;
mod figures;
mod finish;
mod fixed;
mod head;
mod host;
mod import;
mod json_schema;
mod login;
pub mod message;
mod odata;
mod openapi;
mod outgoing;
mod part;
mod patch;
mod path;
mod path_lock;
mod permit;
mod privilege;
mod proxy;
mod query;
mod resource;
mod respond;
mod server;
mod service;
mod session;
mod settings;
mod settings_resource;
mod ssdp;
mod static_files;
mod store;
mod task;
mod telemetry;
mod template;
mod tls;
mod trust;
mod turn;
mod update;

pub use account::{
    Account, AccountError, MAX_ACCOUNTS, MAX_PASSWORD, MAX_REMEMBERED, MAX_ROLES, MAX_USER_NAME,
    PASSWORD_MEMORY_KIB, PASSWORD_PASSES, is_known_without_accounts,
};
pub use aggregation::{
    Aggregator, ConfiguredSource, ConnectionMethod, MAX_AGGREGATION_SOURCES, MAX_SOURCE_TEXT,
    Source, SourceChange, SourceLogin, SourceState, Standing, aggregation_sources,
};
pub use audit::MAX_AUDIT_RECORDS;
pub use backend::{ActionCall, Backend, BackendFuture, NotDone, Outcome, RootLink};
pub use body::{BODY_TIMEOUT_S, MAX_BODY_BYTES, MAX_BODY_DEPTH, MAX_LOGIN_BYTES};
pub use coding::MIN_CODED_BYTES;
pub use document::Document;
pub use error::MAX_MESSAGES;
pub use event::{
    DestinationSettings, Event, EventSink, LONGEST_BACKOFF_S, MAX_BUFFERED_EVENTS,
    MAX_BUFFERED_REPORT_BYTES, MAX_BUFFERED_REPORTS, MAX_DELIVERIES_AT_ONCE, MAX_EVENT_STREAMS,
    MAX_EVENT_STREAMS_OF_ACCOUNT, MAX_EVENTS_TOGETHER, MAX_FILTER_ITEMS, MAX_HEADERS_BYTES,
    MAX_SUBSCRIPTIONS, Mark, STREAM_COMMENT_INTERVAL_S, STREAM_PATIENCE_S, is_refused_destination,
};
pub use failure::Failure;
pub use figures::ServiceFigures;
pub use redfish_schema::connection_method::ConnectionMethodType;
pub use redfish_schema::ip_addresses::AddressState;

pub use host::{Host, HostFacts, Interface, InterfaceAddress, UnknownHost};
pub use import::{AccountRules, EventRules, Import, ImportError, NewSubscription};
pub use message::{Message, Severity};
pub use outgoing::Outgoing;
pub use path::{MAX_DEPTH, MAX_LENGTH, Path, PathError, ROOT, Segments};
pub use privilege::{
    MAX_OEM_PRIVILEGES, MAX_OVERRIDES, MAX_PRIVILEGE_REGISTRY_BYTES, PrivilegeMap,
    PrivilegeRegistryError, Privileges, Role,
};
pub use proxy::{
    ForwardedBy, MAX_PROXY_HOPS, MAX_TRUSTED_PROXIES, Network, NetworkError, TooManyProxies,
    TrustedProxies,
};
pub use query::{
    MAX_EXPAND_LEVELS, MAX_EXPANDED_BYTES, MAX_EXPANDED_RESOURCES, MAX_FILTER_BYTES,
    MAX_FILTER_DEPTH, MAX_PAGE_MEMBERS, MAX_SELECTED,
};
pub use resource::task_service::PATH as TASK_SERVICE;
pub use respond::{MAX_EXPANDED_AT_ONCE_MIB, MAX_FILTERED_MEMBERS};
pub use server::{
    Front, HANDSHAKE_TIMEOUT_S, HEAD_TIMEOUT_S, HSTS_MAX_AGE_S, IDLE_TIMEOUT_S, MAX_CONNECTIONS,
    MAX_FORGOTTEN_BYTES, MAX_HEAD_BYTES, MAX_REDIRECT_CONNECTIONS, MAX_STREAMS, MAX_UNREAD_BYTES,
    SHUTDOWN_GRACE_S, serve,
};
pub use service::Service;
pub use session::{
    DEFAULT_TIMEOUT_S, MAX_CONTEXT, MAX_SESSIONS, MAX_SESSIONS_OF_ACCOUNT, MAX_TIMEOUT_S,
    MIN_TIMEOUT_S,
};
pub use settings::{Settings, SettingsError, is_uuid};
pub use settings_resource::{
    MAX_APPLICATIONS_AT_ONCE, MAX_APPLY_ATTEMPTS, MAX_SETTINGS, MAX_SETTINGS_BYTES,
};
pub use ssdp::{
    MAX_SSDP_ANSWERS_PER_S, MAX_SSDP_DATAGRAM, MAX_SSDP_NOTIFY_INTERVAL_S, MAX_SSDP_WAITING,
    MIN_SSDP_NOTIFY_INTERVAL_S, SSDP_GROUP, SSDP_MAX_AGE_S, SSDP_NOTIFY_INTERVAL_S, SSDP_PORT,
    SSDP_TTL, Ssdp, SsdpDatagram, SsdpScope, SsdpSettings,
};
pub use static_files::{StaticFile, StaticFiles};
pub use store::{MAX_BATCHES_WAITING, Store, StoreError};
pub use task::{
    ANSWER_WITHIN_S, DEFAULT_AUTO_DELETE_MINUTES, MAX_AUTO_DELETE_MINUTES, MAX_CHANGES_AT_ONCE,
    MAX_DEFERRED, MAX_ENDED_TASKS,
};
pub use telemetry::{
    MAX_DISCRETE_TRIGGERS, MAX_KEPT_VALUES, MAX_METRIC_ID_BYTES, MAX_METRIC_PROPERTIES,
    MAX_METRIC_PROPERTY_BYTES, MAX_METRICS, MAX_NEW_REPORTS, MAX_REPORT_DEFINITIONS,
    MAX_REPORT_VALUES, MAX_RESOLVE_STEPS, MAX_TRIGGER_EVENTS, MAX_TRIGGERED_REPORTS, MAX_TRIGGERS,
    MAX_WILDCARD_VALUES, MAX_WILDCARDS, MIN_COLLECTION_INTERVAL_MS, RESOLVE_INTERVAL_MS,
};
pub use template::Template;
pub use tls::{
    CertificateOwner, Chain, ChainError, MAX_CHAIN, MAX_PEM_BYTES, Tls, TlsConfig, authorities,
};
pub use trust::MAX_CLIENT_AUTHORITIES;
pub use turn::{MAX_CHECKS_AT_ONCE, MAX_CHECKS_WAITING, MAX_CHECKS_WAITING_OF_CLIENT};
pub use update::{
    FETCH_ANSWER_S, FETCH_IDLE_S, Image, Installed, MAX_FETCH_S, MAX_FETCHES_AT_ONCE,
    MAX_IMAGE_BYTES, MAX_IMAGES, MAX_STAGED_S, MAX_TARGETS, MAX_UPDATES_AT_ONCE,
    MIN_UPLOAD_BYTES_PER_S, Progress, UPLOAD_IDLE_S, Update, Updater,
};
