//! The configuration file: TOML, checked whole before anything starts.
//!
//! Everything wrong with a file is reported at once, each with its line, its key and what to do. Nothing is guessed.

mod aggregation;
mod destinations;
mod front;
pub(crate) mod hosts;
pub(crate) mod intervals;
mod inventory;
mod keys;
mod metrics;
mod reach;
mod restart;
mod scan;
pub(crate) mod secret;
mod section;
mod target;
mod target_keys;
mod vault;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use hardware::SensorIntervals;
use toml::de::DeTable;

use crate::inventory::OWN_CREDENTIALS;
use crate::metrics::MetricsConfig;
pub(crate) use aggregation::AggregationConfig;
pub(crate) use destinations::DestinationsConfig;
pub(crate) use front::{FrontConfig, ProxyAddress, SSDP_INTERFACES_MAX};
pub(crate) use inventory::{Format, InventoryConfig, Source};
pub(crate) use keys::SECTIONS;
pub(crate) use reach::Reach;
pub(crate) use scan::{SCANNED_MAX, ScanConfig};
pub(crate) use secret::Secret;
use secret::Sources;
use section::{Problem, Problems, Section, line_of};
pub(crate) use target::{
    GAP_LIMITS_MS, Place, TargetConfig, Treatment, UNIT_LIMITS, check_label, check_place, expand,
    read_quirks,
};

/// The most targets one process takes.
pub(crate) const TARGETS_MAX: usize = 65_536;

/// What `session_timeout_s` may be, in seconds.
pub(crate) const SESSION_TIMEOUT_LIMITS_S: RangeInclusive<u32> = 30..=86_400;
/// What it is when absent.
pub(crate) const SESSION_TIMEOUT_DEFAULT_S: u32 = 1800;

/// What `poll_interval_ms` may be.
pub(crate) const POLL_INTERVAL_LIMITS_MS: RangeInclusive<u32> = 100..=3_600_000;

/// What is wrong with a configuration file.
#[derive(Debug)]
pub(crate) enum ConfigError {
    /// The file can't be read.
    Unreadable(PathBuf, std::io::Error),
    /// The file can be read, but not used.
    Invalid(PathBuf, Vec<Problem>),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Invalid(path, problems) => {
                for (i, problem) in problems.iter().enumerate() {
                    let newline = if i == 0 { "" } else { "\n" };
                    write!(f, "{newline}{}: {problem}", path.display())?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for ConfigError {}

/// A whole, checked configuration.
#[derive(Debug)]
pub(crate) struct Config {
    /// The Redfish service.
    pub(crate) service: ServiceConfig,
    /// Who may log in.
    pub(crate) accounts: Vec<AccountConfig>,
    /// Where events are sent.
    pub(crate) events: DestinationsConfig,
    /// Where images of firmware are fetched from.
    pub(crate) update: DestinationsConfig,
    /// Which BMCs clients may push.
    pub(crate) aggregation: AggregationConfig,
    /// Where figures for Prometheus are had, if at all.
    pub(crate) metrics: Option<MetricsConfig>,
    /// How BMCs are polled.
    pub(crate) fleet: FleetConfig,
    /// Logins for BMCs, by name.
    pub(crate) credentials: Credentials,
    /// The BMCs that the file itself names, ranges expanded; at most [`TARGETS_MAX`].
    pub(crate) targets: Vec<TargetConfig>,
    /// Where others are listed.
    pub(crate) inventories: Vec<InventoryConfig>,
    /// Where others are looked for.
    pub(crate) scans: Vec<ScanConfig>,
}

/// `[service]`.
#[derive(Debug)]
pub(crate) struct ServiceConfig {
    /// Where HTTPS listens.
    pub(crate) listen: SocketAddr,
    /// Folder for what outlives a restart.
    pub(crate) state_dir: Option<PathBuf>,
    /// Certificate chain and private key, both PEM files.
    pub(crate) certificate: Option<(PathBuf, PathBuf)>,
    /// A PEM file with the authorities whose certificates clients may show in place of a password.
    pub(crate) client_authorities: Option<PathBuf>,
    /// A `PrivilegeRegistry` that changes which privileges operations need.
    pub(crate) privilege_registry: Option<PathBuf>,
    /// Idle sessions end after this many seconds.
    pub(crate) session_timeout_s: u32,
    /// How requests come in beside HTTPS.
    pub(crate) front: FrontConfig,
}

/// `[[account]]`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AccountConfig {
    /// Name to log in with.
    pub(crate) username: String,
    /// `Administrator`, `Operator` or `ReadOnly`.
    pub(crate) role: String,
    /// Password.
    pub(crate) password: Secret,
}

/// `[fleet]`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FleetConfig {
    /// Each sensor is read once in this time.
    pub(crate) poll_interval_ms: u32,
    /// But those of these classes in times of their own.
    pub(crate) sensor_intervals: SensorIntervals,
    /// Wait for the first answer.
    pub(crate) request_timeout_ms: u32,
    /// How often a request is sent before the BMC counts as silent.
    pub(crate) request_attempts: u32,
    /// How many threads poll.
    pub(crate) threads: usize,
}

/// Logins for BMCs, by name.
pub(crate) type Credentials = BTreeMap<String, CredentialsConfig>;

/// `[credentials.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CredentialsConfig {
    /// User name.
    pub(crate) username: String,
    /// Password.
    pub(crate) password: Secret,
    /// BMC key.
    pub(crate) kg: Option<Secret>,
    /// Cipher suites to try, best first; `None` = the library's own order.
    pub(crate) cipher_suites: Option<Vec<u8>>,
    /// Privilege to ask for.
    pub(crate) privilege: ipmi::number::PrivilegeLevel,
}

impl Config {
    /// Reads and checks a file. Paths in it are relative to its folder.
    pub(crate) fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable(path.to_owned(), error))?;
        let base = path.parent().unwrap_or_else(|| Path::new("."));
        Self::parse(&text, base).map_err(|found| ConfigError::Invalid(path.to_owned(), found))
    }

    /// Checks the text of a file whose relative paths start at `base`.
    pub(crate) fn parse(text: &str, base: &Path) -> Result<Self, Vec<Problem>> {
        let document = DeTable::parse(text).map_err(|error| {
            let line = line_of(text, error.span().map_or(0, |s| s.start));
            vec![Problem {
                line,
                key: "syntax".to_owned(),
                text: error.message().to_owned(),
            }]
        })?;
        let mut problems = Problems::new(text);
        let root = Section::open(
            &keys::ROOT,
            "(top level)".into(),
            document.get_ref(),
            document.span(),
            &mut problems,
        );
        let mut sources = Sources { base, vault: None };
        sources.vault = vault::read(&root, &sources, &mut problems);
        let service = read_service(&root, base, &mut problems);
        let keeps_state = service.as_ref().is_none_or(|s| s.state_dir.is_some());
        let accounts = read_accounts(&root, &sources, keeps_state, &mut problems);
        let events = destinations::read(&root, "events", &keys::EVENTS, base, &mut problems);
        let update = destinations::read(&root, "update", &keys::UPDATE, base, &mut problems);
        let aggregation = aggregation::read(&root, &mut problems);
        let metrics = metrics::read(&root, &mut problems);
        let fleet = read_fleet(&root, &mut problems);
        let credentials = read_all_credentials(&root, &sources, &mut problems);
        let targets = target::read_targets(&root, &mut problems);
        let (inventories, scans) = inventory::read_inventories(&root, &sources, &mut problems);
        let found = problems.finish();
        match service {
            Some(service) if found.is_empty() => Ok(Self {
                service,
                accounts,
                events,
                update,
                aggregation,
                metrics,
                fleet,
                credentials,
                targets,
                inventories,
                scans,
            }),
            _ => Err(found),
        }
    }
}

fn read_service(
    root: &Section<'_, '_>,
    base: &Path,
    problems: &mut Problems<'_>,
) -> Option<ServiceConfig> {
    let empty = DeTable::new();
    let (table, span) = root
        .table(problems, "service")
        .unwrap_or_else(|| (&empty, root.span().clone()));
    let section = Section::open(&keys::SERVICE, "[service]".into(), table, span, problems);
    let listen = section
        .string(problems, "listen")
        .unwrap_or_else(|| "127.0.0.1:8443".to_owned());
    let listen = listen
        .parse()
        .inspect_err(|_| {
            section.problem(
                problems,
                "listen",
                "expected ADDRESS:PORT, such as 127.0.0.1:8443",
            );
        })
        .ok();
    let certificate = section.string(problems, "certificate");
    let private_key = section.string(problems, "private_key");
    let certificate = match (certificate, private_key) {
        (Some(certificate), Some(key)) => Some((base.join(certificate), base.join(key))),
        (None, None) => None,
        (Some(_), None) => {
            section.problem(problems, "certificate", "needs private_key beside it");
            None
        }
        (None, Some(_)) => {
            section.problem(problems, "private_key", "needs certificate beside it");
            None
        }
    };
    let state_dir = section
        .string(problems, "state_dir")
        .map(|dir| base.join(dir));
    let session_timeout_s = section.integer(
        problems,
        "session_timeout_s",
        SESSION_TIMEOUT_LIMITS_S,
        SESSION_TIMEOUT_DEFAULT_S,
    );
    let front = front::read(&section, base, problems);
    let listen: SocketAddr = listen?;
    front.check_reachable(listen, &section, problems);
    Some(ServiceConfig {
        listen,
        state_dir,
        certificate,
        client_authorities: section
            .string(problems, "client_authorities")
            .map(|file| base.join(file)),
        privilege_registry: section
            .string(problems, "privilege_registry")
            .map(|file| base.join(file)),
        session_timeout_s,
        front,
    })
}

fn read_accounts(
    root: &Section<'_, '_>,
    sources: &Sources<'_>,
    keeps_state: bool,
    problems: &mut Problems<'_>,
) -> Vec<AccountConfig> {
    let tables = root.tables(problems, "account");
    // Accounts that clients made or an import took over are in the state.
    if tables.is_empty() && !keeps_state {
        root.problem(
            problems,
            "account",
            "at least one [[account]] is needed to log in with, or a state_dir that has some",
        );
    }
    let mut accounts: Vec<AccountConfig> = Vec::new();
    for (table, span) in tables {
        let section = Section::open(&keys::ACCOUNT, "[[account]]".into(), table, span, problems);
        let username = section.required(problems, "username");
        let role = section
            .string(problems, "role")
            .unwrap_or_else(|| "ReadOnly".to_owned());
        let roles = ["Administrator", "Operator", "ReadOnly"];
        if !roles.contains(&role.as_str()) {
            let meant = section::nearest(&role, roles.into_iter());
            let meant = meant.map_or_else(String::new, |role| format!("; did you mean '{role}'?"));
            let text = format!("expected Administrator, Operator or ReadOnly{meant}");
            section.problem(problems, "role", text);
        }
        let password = read_password(&section, sources, problems);
        let (Some(username), Some(password)) = (username, password) else {
            continue;
        };
        if accounts.iter().any(|a| a.username == username) {
            section.problem(problems, "username", format!("'{username}' is there twice"));
        }
        accounts.push(AccountConfig {
            username,
            role,
            password,
        });
    }
    accounts
}

/// A password that must be there; its absence is reported.
fn read_password(
    section: &Section<'_, '_>,
    sources: &Sources<'_>,
    problems: &mut Problems<'_>,
) -> Option<Secret> {
    let before = problems.count();
    let password = secret::read(section, problems, sources, "password");
    if password.is_none() && problems.count() == before {
        let text = "is missing (or password_env, password_command, password_vault)";
        section.problem(problems, "password_file", text);
    }
    password
}

fn read_fleet(root: &Section<'_, '_>, problems: &mut Problems<'_>) -> FleetConfig {
    let empty = DeTable::new();
    let (table, span) = root
        .table(problems, "fleet")
        .unwrap_or_else(|| (&empty, root.span().clone()));
    let section = Section::open(&keys::FLEET, "[fleet]".into(), table, span, problems);
    FleetConfig {
        poll_interval_ms: section.integer(
            problems,
            "poll_interval_ms",
            POLL_INTERVAL_LIMITS_MS,
            1000,
        ),
        sensor_intervals: intervals::read(&section, problems),
        request_timeout_ms: section.integer(problems, "request_timeout_ms", 50..=60_000, 500),
        request_attempts: section.integer(problems, "request_attempts", 1..=10, 6),
        threads: section.integer(problems, "threads", 1..=64_u32, 1) as usize,
    }
}

fn read_all_credentials(
    root: &Section<'_, '_>,
    sources: &Sources<'_>,
    problems: &mut Problems<'_>,
) -> Credentials {
    let Some((tables, _)) = root.table(problems, "credentials") else {
        return BTreeMap::new();
    };
    let mut all = BTreeMap::new();
    for (name, value) in tables {
        let heading = format!("[credentials.{}]", name.get_ref());
        if name.get_ref().starts_with(OWN_CREDENTIALS) {
            let text = "logins that Redfish clients give are named so; choose another name";
            problems.add(&value.span(), &heading, text);
        }
        let Some(table) = value.get_ref().as_table() else {
            problems.add(&value.span(), &heading, "expected a table");
            continue;
        };
        let section = Section::open(
            &keys::CREDENTIALS,
            heading.into(),
            table,
            value.span(),
            problems,
        );
        if let Some(credentials) = read_credentials(&section, sources, problems) {
            all.insert(name.get_ref().clone().into_owned(), credentials);
        }
    }
    all
}

fn read_credentials(
    section: &Section<'_, '_>,
    sources: &Sources<'_>,
    problems: &mut Problems<'_>,
) -> Option<CredentialsConfig> {
    use ipmi::number::PrivilegeLevel;
    let username = section.required(problems, "username");
    let password = read_password(section, sources, problems);
    let kg = secret::read(section, problems, sources, "kg").and_then(|text| {
        let bytes = decode_hex(text.expose());
        if bytes.is_none() {
            section.problem(
                problems,
                "kg_file",
                "expected hexadecimal digits, two a byte",
            );
        }
        bytes.map(Secret::new)
    });
    let cipher_suites = section.bytes(problems, "cipher_suites");
    if cipher_suites
        .as_ref()
        .is_some_and(|suites| suites.contains(&0))
    {
        let text = "suite 0 checks no password and protects nothing; it is not used here";
        section.problem(problems, "cipher_suites", text);
    }
    let privilege = match section.string(problems, "privilege").as_deref() {
        None | Some("administrator") => PrivilegeLevel::ADMINISTRATOR,
        Some("operator") => PrivilegeLevel::OPERATOR,
        Some("user") => PrivilegeLevel::USER,
        Some(_) => {
            section.problem(
                problems,
                "privilege",
                "expected user, operator or administrator",
            );
            PrivilegeLevel::USER
        }
    };
    Some(CredentialsConfig {
        username: username?,
        password: password?,
        kg,
        cipher_suites,
        privilege,
    })
}

/// Hexadecimal digits, two a byte; `None` for other text and for none.
pub(crate) fn decode_hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |b: &u8| {
        char::from(*b)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let digits: Vec<u8> = text.iter().map(digit).collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    (!pairs.is_empty()).then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests;
