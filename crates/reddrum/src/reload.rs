//! A running service follows its configuration: at SIGHUP the whole file is read again, and lists of BMCs whenever they change.
//!
//! What is wrong changes nothing: a file with a mistake leaves all as it was, a list with one leaves that list as it was.

use std::path::PathBuf;
use std::sync::{Arc, Weak};

use fleet::Fleet;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use crate::config::{Config, Source, TargetConfig};
use crate::error::ProgramError;
use crate::inventory::{Inventory, LOOK_EVERY};
use crate::resolve::Names;
use crate::{serve, targets};

/// What was read last.
pub(crate) struct Reload {
    file: PathBuf,
    config: Config,
    /// The lists that the configuration names.
    lists: Vec<Inventory>,
    /// All BMCs as the fleet knows them.
    targets: Vec<TargetConfig>,
}

impl Reload {
    /// Reads the lists of a configuration for the first time. A server that doesn't answer is asked again later; a file must be
    /// good.
    ///
    /// # Errors
    /// What is wrong with a list.
    pub(crate) async fn new(file: PathBuf, mut config: Config) -> Result<Self, ProgramError> {
        let mut lists = Vec::new();
        for of_list in std::mem::take(&mut config.inventories) {
            let mut list = Inventory::new(of_list);
            match list.read().await {
                Ok(targets) => list.targets = targets,
                Err(error) => match list.config.source {
                    Source::File(_) => return Err(ProgramError::Usage(error)),
                    Source::Url(_) => tracing::warn!("no list of BMCs yet: {error}"),
                },
            }
            lists.push(list);
        }
        let all = lists.iter().map(|list| &*list.targets);
        let targets = targets::merged(&config, all).map_err(ProgramError::Usage)?;
        Ok(Self {
            file,
            config,
            lists,
            targets,
        })
    }

    /// The configuration, as it was read last.
    pub(crate) const fn config(&self) -> &Config {
        &self.config
    }

    /// Every BMC.
    pub(crate) fn targets(&self) -> &[TargetConfig] {
        &self.targets
    }

    /// Follows the files for as long as it is polled.
    pub(crate) async fn run(mut self, mut hang_up: Signal, fleet: Weak<Fleet>, names: Arc<Names>) {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                heard = hang_up.recv() => match heard {
                    Some(()) => self.read_all(&fleet, &names).await,
                    None => return,
                },
                _ = look.tick() => self.look(&fleet, &names).await,
            }
        }
    }

    /// Reads the lists that changed. One may give what another takes: which of them is read first must not matter.
    async fn look(&mut self, fleet: &Weak<Fleet>, names: &Names) {
        let mut has_changed = false;
        for index in 0..self.lists.len() {
            if self.lists[index].is_due() {
                has_changed |= self.read_list(index, fleet, names).await;
            }
        }
        // Each turn takes one that was refused, so that this ends.
        while std::mem::take(&mut has_changed) {
            for index in 0..self.lists.len() {
                if self.lists[index].is_refused {
                    has_changed |= self.read_list(index, fleet, names).await;
                }
            }
        }
    }

    /// Reads one list. Whether it says something else than before, and that holds now.
    async fn read_list(&mut self, index: usize, fleet: &Weak<Fleet>, names: &Names) -> bool {
        let list = &mut self.lists[index];
        list.is_refused = false;
        let targets = match list.read().await {
            Ok(targets) if targets == list.targets => return false,
            Ok(targets) => targets,
            Err(error) => {
                tracing::error!("this list of BMCs stays as it was: {error}");
                return false;
            }
        };
        let before = std::mem::replace(&mut list.targets, targets);
        let source = list.config.source.to_string();
        let all = self.lists.iter().map(|list| &*list.targets);
        let taken = targets::merged(&self.config, all)
            .and_then(|merged| self.take(merged, None, fleet, names));
        if let Err(error) = taken {
            tracing::error!("this list of BMCs stays as it was: {source}: {error}");
            let list = &mut self.lists[index];
            (list.targets, list.is_refused) = (before, true);
            return false;
        }
        true
    }

    /// Reads the configuration, its secrets and its lists.
    async fn read_all(&mut self, fleet: &Weak<Fleet>, names: &Names) {
        let file = self.file.clone();
        // Files and their secrets may lie on slow disks.
        let read = spawn_blocking(move || Config::load(&file)).await;
        let taken = match read {
            Ok(Ok(config)) => self.take_all(config, fleet, names).await,
            Ok(Err(error)) => Err(error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = taken {
            tracing::error!("the configuration stays as it was: {error}");
        }
    }

    async fn take_all(
        &mut self,
        mut config: Config,
        fleet: &Weak<Fleet>,
        names: &Names,
    ) -> Result<(), String> {
        let mut lists = Vec::new();
        for of_list in std::mem::take(&mut config.inventories) {
            let mut list = Inventory::new(of_list);
            match list.read().await {
                Ok(targets) => list.targets = targets,
                Err(error) if matches!(list.config.source, Source::File(_)) => return Err(error),
                Err(error) => {
                    tracing::warn!("what this server said last goes on to hold: {error}");
                    let same = |known: &&Inventory| known.config.source == list.config.source;
                    if let Some(known) = self.lists.iter().find(same) {
                        list.targets.clone_from(&known.targets);
                    }
                }
            }
            lists.push(list);
        }
        let merged = targets::merged(&config, lists.iter().map(|list| &*list.targets))?;
        self.take(merged, Some(config), fleet, names)?;
        self.lists = lists;
        Ok(())
    }

    /// Brings the fleet to where it has these BMCs, with the logins of this configuration or of the present one.
    fn take(
        &mut self,
        merged: Vec<TargetConfig>,
        config: Option<Config>,
        fleet: &Weak<Fleet>,
        names: &Names,
    ) -> Result<(), String> {
        let Some(fleet) = fleet.upgrade() else {
            return Ok(());
        };
        let new = config.as_ref().unwrap_or(&self.config);
        let logins = serve::logins(new).map_err(|error| error.to_string())?;
        let before = (&*self.targets, &self.config.credentials);
        let plan = targets::plan(before, (&merged, &new.credentials), &logins);
        let (removed, added) = (plan.changes.remove.len(), plan.changes.add.len());
        let (labelled, renewed) = (plan.changes.labels.len(), plan.logins.len());
        names.forget(&plan.changes.remove);
        fleet
            .change(plan.changes)
            .map_err(|error| error.to_string())?;
        names.want(plan.names);
        for (id, login) in &plan.logins {
            fleet.set_login(id, login);
        }
        tracing::info!(
            target: "config",
            machines = merged.len(),
            removed,
            added,
            labelled,
            logins = renewed,
            "the configuration was read again; what changed holds from now on"
        );
        self.targets = merged;
        if let Some(config) = config {
            self.config = config;
        }
        Ok(())
    }
}

/// Hears SIGHUP from now on.
///
/// # Errors
/// The system doesn't let us.
pub(crate) fn hang_up() -> Result<Signal, ProgramError> {
    signal(SignalKind::hangup()).map_err(|e| ProgramError::system("waiting for SIGHUP", e))
}
