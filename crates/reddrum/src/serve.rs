//! `reddrum serve`: the BMCs of a configuration file as Redfish.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fleet::{Fleet, Target};
use ipmi::console::{Login, Policy};
use ipmi::number::CipherSuiteId;
use redfish::{
    Account, MAX_PRIVILEGE_REGISTRY_BYTES, PrivilegeMap, Role, SsdpSettings, Store, StoreError,
    aggregation_sources,
};
use tokio::time::sleep;

use crate::aggregate::{self, Aggregation};
use crate::announce::Announcement;
use crate::args::ServeArgs;
use crate::authorities::destination_settings;
use crate::certificate::{self, Certificate};
use crate::config::{
    AccountConfig, Config, Credentials, CredentialsConfig, FleetConfig, ServiceConfig,
};
use crate::error::ProgramError;
use crate::host::LocalHost;
use crate::inventory::Pushed;
use crate::reload::{Reload, hang_up};
use crate::resolve::{Name, Names};
use crate::targets::{self, Logins, Maker};
use crate::web::{End, Web, close, random_uuid, stops_or_restarts};

/// Name of the file in the state folder that keeps the service's UUID.
pub(crate) const UUID_FILE: &str = "uuid";
/// Name of the file in the state folder that keeps what clients change.
pub(crate) const STATE_FILE: &str = "state.redb";
/// Name of the file in the state folder in which BMCs are remembered.
const MEMORY_FILE: &str = "fleet.redb";
/// How often to try to open it while another process has it.
const STATE_ATTEMPTS: u32 = 100;
/// How long to wait in between.
const STATE_PAUSE: Duration = Duration::from_millis(50);

/// Serves until asked to end, or to start anew.
pub(crate) async fn run(args: &ServeArgs) -> Result<End, ProgramError> {
    // Lists of BMCs may take long to get: who asks for a reload meanwhile must not end the process.
    let hang_up = hang_up()?;
    let config = Config::load(&args.config)?;
    let store = store(config.service.state_dir.as_deref()).await?;
    let pushed = aggregation_sources(&store).map_err(|e| ProgramError::System(e.to_string()))?;
    let (orders, ordered) = aggregate::orders();
    let pushed = Pushed::of(&pushed, config.aggregation.clone());
    let reload = Reload::new(args.config.clone(), config, pushed, ordered).await?;
    let config = reload.config();
    let (targets, names) = taken(&reload)?;
    let topology = targets::topology(&reload.targets());
    let fleet_config = fleet::Config {
        topology: Arc::new(topology),
        memory: memory(config.service.state_dir.as_deref())?,
        ..fleet_config(&config.fleet, targets)
    };
    let host = Arc::new(LocalHost::new(SsdpSettings {
        is_enabled: !config.service.front.ssdp.is_empty(),
        ..SsdpSettings::default()
    }));
    let mut web = Web {
        listen: config.service.listen,
        certificate: certificate(&config.service)?,
        uuid: uuid(config.service.state_dir.as_deref())?,
        accounts: accounts(&config.accounts)?,
        privileges: privileges(config.service.privilege_registry.as_deref())?,
        session_timeout_s: config.service.session_timeout_s,
        front: config.service.front.clone(),
        events: destination_settings(&config.events, "[events]")?,
        images: destination_settings(&config.update, "[update]")?,
        store,
        host: Arc::clone(&host),
        aggregator: None,
        metrics: config.metrics.clone(),
        scans: reload.scan_figures(),
    };
    let fleet = Fleet::start(&fleet_config).map_err(|e| ProgramError::Usage(e.to_string()))?;
    let fleet = Arc::new(fleet);
    web.aggregator = Some(Arc::new(Aggregation {
        fleet: Arc::clone(&fleet),
        orders,
        views: reload.views(),
    }));
    let wanted = Arc::new(Names::default());
    wanted.want(names);
    tokio::spawn(Arc::clone(&wanted).resolve(Arc::downgrade(&fleet)));
    let bound = web.bind(fleet.clone()).await?;
    let announcement = Announcement {
        url: bound.url(),
        metrics: bound.metrics_url(),
        username: None,
        password: None,
        bmcs: Vec::new(),
        controllers: Vec::new(),
    };
    announcement
        .print(args.json)
        .map_err(|e| ProgramError::system("standard output", e))?;
    let mut ended = Ok(End::Stop);
    let following = reload.run(hang_up, Arc::downgrade(&fleet), wanted);
    let reloading = tokio::spawn(following);
    let end = async { ended = stops_or_restarts(&host, &fleet).await };
    bound.serve(end).await;
    reloading.abort();
    close(fleet).await;
    match ended {
        Ok(End::Failed) => Err(ProgramError::fleet_failed()),
        ended => ended.map_err(|e| ProgramError::system("waiting for a signal", e)),
    }
}

/// What the configuration says of asking BMCs.
fn fleet_config(config: &FleetConfig, targets: Vec<Target>) -> fleet::Config {
    fleet::Config {
        poll_interval_ms: config.poll_interval_ms,
        sensor_intervals: config.sensor_intervals,
        policy: Arc::new(policy(config)),
        shards: config.threads,
        ..fleet::Config::new(targets)
    }
}

fn policy(config: &FleetConfig) -> Policy {
    let attempts = u8::try_from(config.request_attempts).unwrap_or(u8::MAX);
    Policy {
        first_retry_ms: config.request_timeout_ms,
        attempts,
        longest_retry_ms: config.request_timeout_ms.max(1_000),
        ..fleet::Config::policy()
    }
}

/// Every BMC, and the names of those that are given by name: these are looked up when all runs already.
pub(crate) fn taken(reload: &Reload) -> Result<(Vec<Target>, Vec<Name>), ProgramError> {
    let (logins, mut maker) = (logins(&reload.credentials())?, Maker::default());
    let targets = reload.targets();
    let names = targets.iter().filter_map(targets::name).collect();
    let targets = targets
        .iter()
        .filter_map(|target| maker.target(target, &logins))
        .collect();
    Ok((targets, names))
}

/// What each of the credentials becomes, by name.
pub(crate) fn logins(credentials: &Credentials) -> Result<Logins, ProgramError> {
    let mut logins = Logins::new();
    for (name, credentials) in credentials {
        let login = login(credentials)
            .map_err(|e| ProgramError::Usage(format!("[credentials.{name}]: {e}")))?;
        logins.insert(name.clone(), Arc::new(login));
    }
    Ok(logins)
}

fn login(config: &CredentialsConfig) -> Result<Login, ipmi::console::LoginError> {
    let mut login = Login::new(&config.username, config.password.expose())?;
    if let Some(kg) = &config.kg {
        login = login.with_kg(kg.expose())?;
    }
    if let Some(suites) = &config.cipher_suites {
        let suites: Vec<_> = suites.iter().map(|&id| CipherSuiteId(id)).collect();
        login = login.with_suites(&suites)?;
    }
    login.with_privilege(config.privilege)
}

/// Which privileges operations need: the service's own map, or what the operator's registry makes of it.
pub(crate) fn privileges(registry: Option<&Path>) -> Result<PrivilegeMap, ProgramError> {
    let Some(file) = registry else {
        return Ok(PrivilegeMap::default());
    };
    let failed = |what: String| {
        ProgramError::Usage(format!("privilege_registry {}: {what}", file.display()))
    };
    let length = fs::metadata(file).map_err(|e| failed(e.to_string()))?.len();
    if length > MAX_PRIVILEGE_REGISTRY_BYTES as u64 {
        return Err(failed(format!(
            "longer than {MAX_PRIVILEGE_REGISTRY_BYTES} bytes"
        )));
    }
    let text = fs::read_to_string(file).map_err(|e| failed(e.to_string()))?;
    PrivilegeMap::parse(&text).map_err(|e| failed(e.to_string()))
}

/// The accounts of the service.
pub(crate) fn accounts(config: &[AccountConfig]) -> Result<Vec<Account>, ProgramError> {
    let account = |config: &AccountConfig| {
        let bad =
            |what: &str| ProgramError::Usage(format!("[[account]] {}: {what}", config.username));
        let password = str::from_utf8(config.password.expose())
            .map_err(|_| bad("the password is not UTF-8"))?;
        let role = Role::ALL
            .into_iter()
            .find(|role| role.name() == config.role);
        let role = role.ok_or_else(|| bad("unknown role"))?;
        Account::new(&config.username, password, role).map_err(|e| bad(&e.to_string()))
    };
    config.iter().map(account).collect()
}

fn certificate(config: &ServiceConfig) -> Result<Certificate, ProgramError> {
    let host = config.listen.ip();
    let certificate = match (&config.certificate, &config.state_dir) {
        (Some((chain, key)), _) => Certificate::load(chain, key),
        (None, Some(folder)) => Certificate::load_or_create(folder, host),
        (None, None) => Certificate::self_signed(host),
    };
    let certificate = match &config.client_authorities {
        Some(file) => certificate.and_then(|found| found.with_client_authorities(file)),
        None => certificate,
    };
    certificate.map_err(|e| ProgramError::Usage(e.to_string()))
}

/// What clients change of the service: kept in the state folder, or for this run only.
async fn store(state_dir: Option<&Path>) -> Result<Store, ProgramError> {
    let Some(folder) = state_dir else {
        tracing::warn!(
            "no state_dir: accounts, subscriptions and settings that clients make end with this run"
        );
        return Store::in_memory().map_err(|e| ProgramError::System(e.to_string()));
    };
    let path = folder.join(STATE_FILE);
    let failed =
        |e: &dyn std::fmt::Display| ProgramError::System(format!("{}: {e}", path.display()));
    certificate::private_folder(folder).map_err(|e| no_folder(folder, &e))?;
    if let Some(text) = certificate::open_to_others(folder) {
        tracing::warn!("[service] state_dir: {text}");
    }
    // Before a restart, the last run may need a moment to let go of the file.
    for _ in 0..STATE_ATTEMPTS {
        match Store::open(&path) {
            Err(StoreError::InUse) => sleep(STATE_PAUSE).await,
            opened => return opened.map_err(|e| failed(&e)),
        }
    }
    Err(failed(&StoreError::InUse))
}

/// The state folder can't be made.
fn no_folder(folder: &Path, error: &std::io::Error) -> ProgramError {
    let folder = folder.display();
    ProgramError::Usage(format!(
        "[service] state_dir: {folder} can't be made: {error}; name a folder in which this user may write"
    ))
}

/// Where BMCs are remembered: in the state folder, or not at all.
fn memory(state_dir: Option<&Path>) -> Result<Option<PathBuf>, ProgramError> {
    let Some(folder) = state_dir else {
        return Ok(None);
    };
    certificate::private_folder(folder)
        .map_err(|e| ProgramError::system(&folder.display().to_string(), e))?;
    Ok(Some(folder.join(MEMORY_FILE)))
}

/// The service's UUID: made once and kept in the state folder, or made for this run.
fn uuid(state_dir: Option<&Path>) -> Result<String, ProgramError> {
    let fresh = || random_uuid().map_err(|e| ProgramError::system("random numbers", e));
    let Some(folder) = state_dir else {
        return fresh();
    };
    let path = folder.join(UUID_FILE);
    let failed = |e: std::io::Error| ProgramError::system(&path.display().to_string(), e);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let uuid = fresh()?;
            certificate::private_folder(folder).map_err(failed)?;
            certificate::write_new(&path, 0o600, uuid.as_bytes()).map_err(failed)?;
            Ok(uuid)
        }
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_state_folder_that_can_not_be_made_is_told_with_its_key_and_the_remedy() {
        let folder = Path::new("/dev/null/reddrum");
        let error = store(Some(folder)).await.err().unwrap().to_string();
        for part in ["[service] state_dir: /dev/null/reddrum", "name a folder"] {
            assert!(error.contains(part), "{error}");
        }
    }
}
