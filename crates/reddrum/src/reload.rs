//! SIGHUP: reads the configuration again and takes over new passwords of BMCs, without a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use fleet::Fleet;
use hardware::NodeId;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::spawn_blocking;

use crate::config::{Config, CredentialsConfig, TargetConfig};
use crate::error::ProgramError;
use crate::serve;

/// What was read last.
pub(crate) struct Reload {
    file: PathBuf,
    fleet: Weak<Fleet>,
    hang_up: Signal,
    credentials: BTreeMap<String, CredentialsConfig>,
    targets: Vec<TargetConfig>,
}

impl Reload {
    /// Listens for the signal from now on.
    ///
    /// # Errors
    /// The system doesn't let us.
    pub(crate) fn new(
        file: PathBuf,
        config: Config,
        fleet: &Arc<Fleet>,
    ) -> Result<Self, ProgramError> {
        let hang_up = signal(SignalKind::hangup());
        Ok(Self {
            file,
            fleet: Arc::downgrade(fleet),
            hang_up: hang_up.map_err(|e| ProgramError::system("waiting for SIGHUP", e))?,
            credentials: config.credentials,
            targets: config.targets,
        })
    }

    /// Reads the file at each signal. A file with a mistake changes nothing.
    pub(crate) async fn run(mut self) {
        while self.hang_up.recv().await.is_some() {
            let file = self.file.clone();
            // Files and their secrets may lie on slow disks.
            let read = spawn_blocking(move || Config::load(&file)).await;
            match read {
                Ok(Ok(config)) => self.take(config),
                Ok(Err(error)) => {
                    tracing::error!("the configuration stays as it was: {error}");
                }
                Err(_) => return,
            }
        }
    }

    /// Takes over the logins that are new.
    fn take(&mut self, config: Config) {
        let logins = match serve::logins(&config) {
            Ok(logins) => logins,
            Err(error) => {
                tracing::error!("the configuration stays as it was: {error}");
                return;
            }
        };
        let Some(fleet) = self.fleet.upgrade() else {
            return;
        };
        let renewed = renewed(
            (&self.credentials, &self.targets),
            (&config.credentials, &config.targets),
        );
        for target in &config.targets {
            if renewed.contains(&target.id)
                && let Some(login) = logins.get(target.credentials.as_str())
            {
                fleet.set_login(&target.id, login);
            }
        }
        let ids = |targets: &[TargetConfig]| -> BTreeSet<NodeId> {
            targets.iter().map(|target| target.id.clone()).collect()
        };
        if ids(&self.targets) != ids(&config.targets) {
            tracing::warn!("targets were added or removed: that takes a restart");
        }
        tracing::info!(
            machines = renewed.len(),
            "the configuration was read again; logins that changed are used from now on"
        );
        // A machine that is new stays so until the restart.
        let known = ids(&self.targets);
        self.targets = config.targets;
        self.targets.retain(|target| known.contains(&target.id));
        self.credentials = config.credentials;
    }
}

type Logins<'a> = (&'a BTreeMap<String, CredentialsConfig>, &'a [TargetConfig]);

/// Machines whose login differs from before; those that were not there before have none to differ from.
fn renewed(before: Logins<'_>, after: Logins<'_>) -> BTreeSet<NodeId> {
    let before = by_machine(before);
    by_machine(after)
        .into_iter()
        .filter(|(id, login)| before.get(id).is_some_and(|known| known != login))
        .map(|(id, _)| id.clone())
        .collect()
}

fn by_machine<'a>(
    (credentials, targets): Logins<'a>,
) -> BTreeMap<&'a NodeId, Option<&'a CredentialsConfig>> {
    let login = |target: &'a TargetConfig| (&target.id, credentials.get(&target.credentials));
    targets.iter().map(login).collect()
}
