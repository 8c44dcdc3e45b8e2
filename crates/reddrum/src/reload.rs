//! A running service follows its configuration: at SIGHUP the whole file is read again, and lists of BMCs whenever they change;
//! and it does what clients want of the `AggregationService`. All BMCs are here, and one change comes after the other.
//!
//! What is wrong changes nothing: a file with a mistake leaves all as it was, a list with one leaves that list as it was, or
//! out where it was never good. Keys that take a restart are named.

mod found;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use fleet::Fleet;
use hardware::NodeId;
use redfish::{BackendFuture, Failure, SourceChange};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval};

use crate::aggregate::{Order, View, Views};
use crate::config::{Config, ConfigError, Credentials, InventoryConfig, Source, TargetConfig};
use crate::error::ProgramError;
use crate::inventory::{
    self, Bmc, Clash, Files, Found, Gathering, Inventory, Kept, LOOK_EVERY, Look, Looked, Named,
    Operators, Pushed, Roll, Step,
};
use crate::resolve::Names;
use crate::scan::{Figures, Scans};
use crate::targets::Plan;
use crate::{serve, targets};

/// How many machines that come or go a line of the log names.
const NAMED_MAX: usize = 20;

/// What was read last.
pub(crate) struct Reload {
    file: PathBuf,
    /// As the service was started with it, but for credentials and targets: these are as they were read last.
    config: Config,
    /// The lists that the configuration names.
    lists: Vec<Inventory>,
    /// The BMCs that are found where the configuration has them looked for.
    scans: Scans,
    /// All BMCs as the fleet knows them.
    roll: Roll,
    /// What clients want.
    orders: mpsc::Receiver<Order>,
    /// What clients see.
    views: Views,
    /// Where lists of servers are kept.
    kept: Option<Kept>,
    /// Who asks file systems for lists.
    files: Files,
    /// The configuration that is being read, at most once.
    loading: JoinSet<Result<Config, ConfigError>>,
    /// One that was read, and its lists that are being read with it, at most once.
    gathering: JoinSet<(Config, Gathering)>,
    /// Somebody has asked for it once more meanwhile.
    is_asked_again: bool,
    /// Lists that are being looked at and read, each at most once: a server or a file system that takes its time holds nothing up.
    looking: JoinSet<(Source, Looked)>,
    reading: JoinSet<(InventoryConfig, Found)>,
    /// The fleet was told that it has all BMCs.
    is_complete: bool,
}

/// Who has changed the BMCs: what of it, and in which words the log says so.
struct Told<'a> {
    what: &'a str,
    /// How many machines a list names, where it is one.
    of_list: Option<usize>,
    text: &'static str,
}

impl Reload {
    /// Reads the lists of a configuration for the first time. One with a mistake is left out, and taken up once it is good. What
    /// a server told an earlier run holds until it answers. `pushed` is what clients have named, from whom `orders` come.
    ///
    /// # Errors
    /// The configuration names BMCs that can't be together.
    pub(crate) async fn new(
        file: PathBuf,
        mut config: Config,
        pushed: Pushed,
        orders: mpsc::Receiver<Order>,
    ) -> Result<Self, ProgramError> {
        let inventories = std::mem::take(&mut config.inventories);
        let state_dir = config.service.state_dir.as_deref();
        let mut scans = Scans::new(state_dir, std::mem::take(&mut config.scans));
        let kept = state_dir.map(Kept::new);
        if let Some(kept) = &kept {
            kept.tidy(&inventories);
        }
        let files = Files::default();
        let gathered = inventory::gather(&config, inventories, &[], kept.as_ref(), &files).await;
        let mut gathered = gathered.map_err(ProgramError::Usage)?;
        Kept::keep(kept.as_ref(), &mut gathered.lists).await;
        for mistake in &gathered.mistakes {
            mistake.log();
        }
        let mut named = gathered.named;
        let looked_for = scans.configs();
        scans.join(&looked_for, &mut named, &pushed);
        let operators = Operators::new(named);
        let reload = Self {
            file,
            lists: gathered.lists,
            scans,
            roll: Roll::new(operators, pushed, &config.credentials),
            orders,
            views: Views::default(),
            kept,
            files,
            loading: JoinSet::new(),
            gathering: JoinSet::new(),
            is_asked_again: false,
            looking: JoinSet::new(),
            reading: JoinSet::new(),
            is_complete: false,
            config,
        };
        tell_aside(reload.roll.aside().iter());
        reload.views.with(|view| *view = View::new(&reload.roll));
        Ok(reload)
    }

    /// The configuration.
    pub(crate) const fn config(&self) -> &Config {
        &self.config
    }

    /// Every BMC.
    pub(crate) fn targets(&self) -> Vec<TargetConfig> {
        self.roll.targets()
    }

    /// How to log in to them.
    pub(crate) fn credentials(&self) -> Credentials {
        self.roll.pushed().with_own(&self.config.credentials)
    }

    /// What clients see of the BMCs, now and later.
    pub(crate) fn views(&self) -> Views {
        self.views.clone()
    }

    /// What scans have done, now and later.
    pub(crate) fn scan_figures(&self) -> Arc<Figures> {
        self.scans.figures()
    }

    /// Follows the files for as long as it is polled, and until nobody can hang up any more.
    pub(crate) async fn run(
        mut self,
        mut hang_up: mpsc::Receiver<()>,
        fleet: Weak<Fleet>,
        names: Arc<Names>,
    ) {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.complete(&fleet).await;
            inventory::show(&self.lists);
            tokio::select! {
                heard = hang_up.recv() => match heard {
                    Some(()) => self.load(),
                    None => return,
                },
                Some(read) = self.loading.join_next() => self.loaded(read),
                // One that panicked was reported, and changes nothing.
                Some(gathered) = self.gathering.join_next() => {
                    if let Ok((config, gathering)) = gathered {
                        self.gathered(config, gathering, &fleet, &names).await;
                    }
                }
                _ = look.tick() => {
                    self.scans.begin(names.are_known());
                    self.look();
                }
                Some(ended) = self.scans.ended() => self.take_scan(ended, &fleet, &names).await,
                Some(Order { change, keep, begin, answer }) = self.orders.recv() => {
                    // Who has waited too long was told that nothing becomes of it.
                    if begin.send(()).is_ok() {
                        let done = self.change(change, keep, &fleet, &names).await;
                        let _ = answer.send(done);
                    }
                }
                // The list of one that panicked was reported, and is read no more.
                Some(looked) = self.looking.join_next() => {
                    if let Ok((source, looked)) = looked {
                        self.looked(&source, looked);
                    }
                }
                Some(read) = self.reading.join_next() => {
                    if let Ok((config, found)) = read {
                        self.take_list(&config, found, &fleet, &names).await;
                    }
                }
            }
        }
    }

    /// Has what is remembered of others forgotten, once every list was read: before that, who is missing may be in one that
    /// could not be.
    async fn complete(&mut self, fleet: &Weak<Fleet>) {
        let is_complete = self.lists.iter().all(Inventory::is_complete);
        if self.is_complete || !is_complete {
            return;
        }
        self.is_complete = true;
        if let Some(fleet) = fleet.upgrade() {
            // Who stands aside comes back, be it after weeks.
            let resting: BTreeSet<String> = self.roll.pushed().names().collect();
            // It fails only where it panicked, which has been reported then.
            let _ = spawn_blocking(move || fleet.forget_others(|id| resting.contains(id))).await;
        }
    }

    /// Begins to read the lists that are due, and to look at the files of others.
    fn look(&mut self) {
        for index in 0..self.lists.len() {
            let list = &mut self.lists[index];
            match list.look(&self.files) {
                Look::Nothing => {}
                Look::Read => self.begin(index),
                Look::Ask(asked) => {
                    let source = list.config.source.clone();
                    self.looking.spawn(async move { (source, asked.await) });
                }
            }
        }
    }

    /// Reads a list whose file has changed.
    fn looked(&mut self, source: &Source, looked: Looked) {
        let is_it = |list: &Inventory| list.config.source == *source;
        if let Some(index) = self.lists.iter().position(is_it)
            && self.lists[index].looked(looked)
        {
            self.begin(index);
        }
    }

    fn begin(&mut self, index: usize) {
        let list = &mut self.lists[index];
        if list.is_read {
            return;
        }
        let (config, reads) = (list.config.clone(), list.begin(&self.files));
        self.reading.spawn(async move { (config, reads.await) });
    }

    /// Takes what a list says, where it says something else than before.
    async fn take_list(
        &mut self,
        config: &InventoryConfig,
        found: Found,
        fleet: &Weak<Fleet>,
        names: &Names,
    ) {
        let is_it = |list: &Inventory| list.is_read && list.config == *config;
        let Some(index) = self.lists.iter().position(is_it) else {
            return;
        };
        let (source, list) = (&config.source, &mut self.lists[index]);
        let was = std::mem::take(&mut list.targets);
        let found = list.found(&was, found);
        list.targets = was;
        let targets = match found {
            Ok(targets) if targets == list.targets => {
                list.is_taken();
                return Kept::keep(self.kept.as_ref(), &mut self.lists).await;
            }
            Ok(targets) => targets,
            Err(error) => {
                if let Some(error) = error {
                    tracing::error!("this list of BMCs stays as it was: {error}");
                }
                return;
            }
        };
        let before = std::mem::replace(&mut list.targets, targets);
        let taken = match self.merged() {
            Ok(named) => {
                let told = Told {
                    what: &source.to_string(),
                    of_list: Some(self.lists[index].targets.len()),
                    text: "a list of BMCs was read again; its BMCs and their logins hold from now on",
                };
                self.take(told, named, None, fleet, names).await
            }
            Err(clash) => Err(clash.text),
        };
        if let Err(error) = taken {
            if self.lists[index].put_back(before, &error) {
                tracing::error!("this list of BMCs stays as it was: {source}: {error}");
            }
            return;
        }
        self.lists[index].is_taken();
        Kept::keep(self.kept.as_ref(), &mut self.lists).await;
        // It may have given what another one takes: which of them is read first must not matter. Each turn takes one that was
        // refused, so that this ends.
        for index in 0..self.lists.len() {
            if self.lists[index].is_refused {
                self.begin(index);
            }
        }
    }

    /// Begins to read the configuration and its secrets. These may lie on slow disks, and programs that say passwords take their
    /// time: clients' changes go on meanwhile.
    fn load(&mut self) {
        self.is_asked_again = !(self.loading.is_empty() && self.gathering.is_empty());
        if !self.is_asked_again {
            let file = self.file.clone();
            self.loading.spawn_blocking(move || Config::load(&file));
        }
    }

    /// Begins to read the lists of a configuration that was read.
    fn loaded(&mut self, read: Result<Result<Config, ConfigError>, JoinError>) {
        // What was read may be older than what is meant.
        if std::mem::take(&mut self.is_asked_again) {
            return self.load();
        }
        let error = match read {
            Ok(Ok(mut config)) => {
                let inventories = std::mem::take(&mut config.inventories);
                let kept = self.kept.as_ref();
                let reads = inventory::read_all(inventories, &self.lists, kept, &self.files);
                self.gathering.spawn(async move { (config, reads.await) });
                return;
            }
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::error!("the configuration stays as it was: {error}");
    }

    /// Takes a configuration whose lists were read, or were waited for long enough.
    async fn gathered(
        &mut self,
        config: Config,
        gathering: Gathering,
        fleet: &Weak<Fleet>,
        names: &Names,
    ) {
        if let Err(error) = self.take_all(config, gathering, fleet, names).await {
            tracing::error!("the configuration stays as it was: {error}");
        }
        if std::mem::take(&mut self.is_asked_again) {
            self.load();
        }
    }

    async fn take_all(
        &mut self,
        mut config: Config,
        gathering: Gathering,
        fleet: &Weak<Fleet>,
        names: &Names,
    ) -> Result<(), String> {
        let scans: Vec<_> = std::mem::take(&mut config.scans);
        let scans: Vec<_> = scans.into_iter().map(Arc::new).collect();
        let mut gathered = inventory::settle(&config, gathering, &self.lists)?;
        self.scans
            .join(&scans, &mut gathered.named, self.roll.pushed());
        let restart = self.config.takes_restart(&config);
        let told = Told {
            what: &self.file.display().to_string(),
            of_list: None,
            text: "the configuration was read again; its BMCs and their logins hold from now on",
        };
        self.take(told, gathered.named, Some(config), fleet, names)
            .await?;
        self.lists = gathered.lists;
        Kept::keep(self.kept.as_ref(), &mut self.lists).await;
        let state_dir = self.config.service.state_dir.as_deref();
        self.scans.adopt(state_dir, scans);
        for mistake in &gathered.mistakes {
            mistake.log();
        }
        if !restart.is_empty() {
            tracing::warn!(
                target: "config",
                "these keys changed, but hold only after a restart: {}",
                restart.join("; ")
            );
        }
        Ok(())
    }

    /// Has kept what a client wants, and does it; or does nothing.
    async fn change(
        &mut self,
        change: SourceChange,
        keep: BackendFuture<'static, ()>,
        fleet: &Weak<Fleet>,
        names: &Names,
    ) -> Result<(), Failure> {
        let id = change.id().to_owned();
        let bmc = match change {
            SourceChange::Add(source) | SourceChange::Replace(source) => {
                let pushed = self.roll.pushed();
                let bmc = Bmc::of(&source, pushed.rules())?;
                let before = pushed.get(&id);
                let stays = before.is_some_and(|was| was.is_at_place_of(&bmc));
                let clash = self.roll.clash(&bmc);
                if let Some(clash) = clash.filter(|_| !stays) {
                    return Err(clash.failure(&source));
                }
                Some(bmc)
            }
            SourceChange::Remove(_) => None,
        };
        // Nobody hears of what a crash could take back.
        keep.await?;
        let step = self.roll.set(&id, bmc);
        if let Err(error) = self.take_step(&step, fleet, names).await {
            self.roll.undo(step);
            return Err(Failure::Internal(error));
        }
        self.plan_found(&step, fleet, names).await;
        let aside = self.roll.aside();
        let looked_at = step.looked_at.iter();
        tell_aside(
            looked_at
                .filter_map(|id| aside.get_key_value(id))
                .filter(|(id, _)| step.is_new_aside(id)),
        );
        self.views.with(|view| view.step(&self.roll, &step));
        Ok(())
    }

    /// Brings the fleet to where it has what a client has changed.
    async fn take_step(
        &self,
        step: &Step,
        fleet: &Weak<Fleet>,
        names: &Names,
    ) -> Result<(), String> {
        let targets = |bmcs: &[Bmc]| -> Vec<TargetConfig> {
            bmcs.iter().map(|bmc| bmc.target().clone()).collect()
        };
        let credentials = |bmcs: &[Bmc]| {
            let pushed = self.roll.pushed();
            pushed.credentials_of(bmcs, &self.config.credentials)
        };
        let (old, new) = (credentials(&step.was), credentials(&step.is));
        let logins = serve::logins(&new).map_err(|error| error.to_string())?;
        let (was, is) = (targets(&step.was), targets(&step.is));
        let mut plan = targets::plan((&was, &old), (&is, &new), &logins);
        // Clients say nothing of where their machines stand.
        plan.changes.topology = None;
        plan.changes.remove.extend(step.gone.clone());
        let told = Told {
            what: step.id(),
            of_list: None,
            text: "a client has changed the BMCs of the AggregationService",
        };
        self.apply(told, plan, self.roll.count(), fleet, names)
            .await
    }

    /// Brings the fleet to where it has these BMCs and those of clients, with the logins of this configuration or of the present
    /// one.
    async fn take(
        &mut self,
        told: Told<'_>,
        base: Named,
        config: Option<Config>,
        fleet: &Weak<Fleet>,
        names: &Names,
    ) -> Result<(), String> {
        let new = config.as_ref().unwrap_or(&self.config);
        let pushed = self.roll.pushed();
        let old = pushed.with_own(&self.config.credentials);
        let credentials = pushed.with_own(&new.credentials);
        let logins = serve::logins(&credentials).map_err(|error| error.to_string())?;
        let settled = self.roll.settle(Operators::new(base), &new.credentials);
        let (before, after) = (self.roll.targets(), self.roll.targets_of(&settled));
        let plan = targets::plan((&before, &old), (&after, &credentials), &logins);
        self.apply(told, plan, after.len(), fleet, names).await?;
        if let Some(config) = config {
            self.config.credentials = config.credentials;
            self.config.targets = config.targets;
        }
        let before = self.roll.aside();
        let new = settled.aside().iter();
        tell_aside(new.filter(|(id, _)| !before.contains_key(*id)));
        self.roll.hold(settled);
        self.views.with(|view| *view = View::new(&self.roll));
        Ok(())
    }

    /// Has the fleet do what is planned, after which it has so many machines.
    async fn apply(
        &self,
        told: Told<'_>,
        mut plan: Plan,
        machines: usize,
        fleet: &Weak<Fleet>,
        names: &Names,
    ) -> Result<(), String> {
        let Some(fleet) = fleet.upgrade() else {
            return Ok(());
        };
        let removed = named(plan.changes.remove.iter());
        let added = named(plan.changes.add.iter().map(|target| &target.id));
        let (labelled, renewed) = (plan.changes.labels.len(), plan.logins.len());
        let treated = plan.changes.treatments.len();
        // Who stands aside is the client's until he takes it away.
        let pushed = self.roll.pushed();
        let leaving = plan.changes.remove.iter();
        let resting = leaving.filter(|id| pushed.get(id.as_str()).is_some());
        plan.changes.resting = resting.cloned().collect();
        names.change(&fleet, plan.changes, plan.names).await?;
        for (id, login) in &plan.logins {
            fleet.set_login(id, login);
        }
        tracing::info!(
            target: "config",
            file = told.what,
            of_list = told.of_list,
            all_machines = machines,
            %removed,
            %added,
            labelled,
            treated,
            logins = renewed,
            "{}", told.text,
        );
        Ok(())
    }
}

/// Says in the log who stands aside, and why.
fn tell_aside<'a>(new: impl Iterator<Item = (&'a NodeId, &'a Clash)>) {
    for (id, clash) in new.take(NAMED_MAX) {
        tracing::error!("{id} of the AggregationService stands aside: {clash}");
    }
}

/// How many machines, and the names of the first [`NAMED_MAX`].
fn named<'a>(ids: impl ExactSizeIterator<Item = &'a NodeId>) -> String {
    let count = ids.len();
    let names: Vec<&str> = ids.take(NAMED_MAX).map(NodeId::as_str).collect();
    match count.saturating_sub(NAMED_MAX) {
        _ if count == 0 => "0".to_owned(),
        0 => format!("{count} ({})", names.join(", ")),
        others => format!("{count} ({} and {others} others)", names.join(", ")),
    }
}

/// Hears SIGHUP from now on: once, however often it comes before it is heeded.
///
/// # Errors
/// The system doesn't let us.
pub(crate) fn hang_up() -> Result<mpsc::Receiver<()>, ProgramError> {
    let signal = signal(SignalKind::hangup());
    let mut signal = signal.map_err(|e| ProgramError::system("waiting for SIGHUP", e))?;
    let (tell, told) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                heard = signal.recv() => match heard {
                    // Where one waits already, it stands for this one, too.
                    Some(()) => drop(tell.try_send(())),
                    None => return,
                },
                () = tell.closed() => return,
            }
        }
    });
    Ok(told)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicU32, Ordering};

    use hardware::{Hardware, Observer, Update};
    use tempfile::TempDir;

    use super::*;
    use crate::aggregate;

    /// Counts machines that come and go.
    #[derive(Default)]
    struct Seen(AtomicU32);

    impl Observer for Seen {
        fn updated(&self, _: &Update) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn add(id: &str) -> SourceChange {
        SourceChange::Add(redfish::Source {
            id: id.to_owned(),
            name: id.to_owned(),
            host_name: format!("{id}.invalid"),
            port: None,
            method: "IPMI20".to_owned(),
            login: Some(redfish::SourceLogin {
                user_name: "admin".to_owned(),
                password: "secret".to_owned().into(),
            }),
        })
    }

    #[tokio::test]
    async fn nothing_is_in_force_before_it_is_kept_nor_what_can_not_be_kept() {
        let text = "[service]\nstate_dir = \"s\"\n";
        let config = Config::parse(text, std::path::Path::new("/nowhere")).unwrap();
        let (_orders, ordered) = aggregate::orders();
        let file = PathBuf::from("/nowhere/reddrum.toml");
        let mut reload = Reload::new(file, config, Pushed::default(), ordered)
            .await
            .unwrap();
        let fleet = Arc::new(Fleet::start(&fleet::Config::new(Vec::new())).unwrap());
        let seen = Arc::new(Seen::default());
        fleet.observe(Arc::clone(&seen) as Arc<dyn Observer>);
        let (weak, names) = (Arc::downgrade(&fleet), Names::default());
        let is_there = |fleet: &Fleet| fleet.node("n1").is_some();

        let full = Failure::Internal("the disk is full".to_owned());
        let refused: BackendFuture<'static, ()> = Box::pin(std::future::ready(Err(full)));
        let changed = reload.change(add("n1"), refused, &weak, &names).await;
        assert!(changed.is_err() && !is_there(&fleet));
        assert_eq!(seen.0.load(Ordering::SeqCst), 0, "nobody heard of it");
        assert!(reload.roll.pushed().get("n1").is_none());

        let during = Arc::clone(&fleet);
        let keep: BackendFuture<'static, ()> = Box::pin(async move {
            assert!(!is_there(&during));
            Ok(())
        });
        let changed = reload.change(add("n1"), keep, &weak, &names).await;
        assert!(changed.is_ok() && is_there(&fleet), "{changed:?}");

        // What the fleet doesn't take is not in force, though it is kept: who keeps it takes it back.
        fleet.close();
        let keep: BackendFuture<'static, ()> = Box::pin(std::future::ready(Ok(())));
        let changed = reload.change(add("n2"), keep, &weak, &names).await;
        assert!(changed.is_err());
        assert!(
            reload.roll.pushed().get("n2").is_none() && reload.roll.pushed().get("n1").is_some()
        );
    }

    fn kept() -> BackendFuture<'static, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    #[tokio::test]
    async fn what_a_push_costs_does_not_grow_with_the_fleet() {
        let text = "[service]\nstate_dir = \"s\"\n[credentials.default]\nusername = \"u\"\n\
                    password_command = [\"echo\", \"one\"]\n\
                    [[target]]\nhosts = \"10.0.[0-7].[1-250]\"\n";
        let config = Config::parse(text, std::path::Path::new("/")).unwrap();
        let (_orders, ordered) = aggregate::orders();
        let file = PathBuf::from("/nowhere/reddrum.toml");
        let mut reload = Reload::new(file, config, Pushed::default(), ordered)
            .await
            .unwrap();
        let fleet = Arc::new(Fleet::start(&fleet::Config::new(Vec::new())).unwrap());
        let seen = Arc::new(Seen::default());
        fleet.observe(Arc::clone(&seen) as Arc<dyn Observer>);
        let (weak, names) = (Arc::downgrade(&fleet), Names::default());
        let looks = reload.roll.looks();
        let ids: Vec<String> = (0..1_000).map(|n| format!("p{n}")).collect();
        for id in &ids {
            reload.change(add(id), kept(), &weak, &names).await.unwrap();
        }
        for id in &ids[..100] {
            let gone = SourceChange::Remove(id.clone());
            reload.change(gone, kept(), &weak, &names).await.unwrap();
        }
        // One look at each that comes, and nobody else is told anything.
        assert_eq!(reload.roll.looks() - looks, 1_000);
        assert_eq!(seen.0.load(Ordering::SeqCst), 1_100);
        assert_eq!(reload.roll.count(), 2_000 + 900);
    }

    /// A folder with files that name `text` each, and what reads them.
    async fn following(lists: &[(&str, &str)]) -> (TempDir, Reload) {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path();
        let mut text = "[service]\nstate_dir = \"s\"\n[credentials.default]\nusername = \"u\"\n\
                        password_command = [\"echo\", \"one\"]\n"
            .to_owned();
        for (name, list) in lists {
            fs::write(folder.join(name), list).unwrap();
            text += &format!("[[inventory]]\nfile = \"{name}\"\n");
        }
        let file = folder.join("reddrum.toml");
        fs::write(&file, &text).unwrap();
        let config = Config::parse(&text, folder).unwrap();
        let (_orders, ordered) = aggregate::orders();
        let reload = Reload::new(file, config, Pushed::default(), ordered);
        let reload = reload.await.unwrap();
        (around, reload)
    }

    fn ids(reload: &Reload) -> Vec<String> {
        let targets = reload.targets();
        targets.iter().map(|target| target.id.to_string()).collect()
    }

    /// Looks at all files, until they are quiet, and takes the list that is read first.
    async fn follow(reload: &mut Reload, weak: &Weak<Fleet>, names: &Names) {
        for _ in 0..2 {
            reload.look();
            while let Some(looked) = reload.looking.join_next().await {
                let (source, looked) = looked.unwrap();
                reload.looked(&source, looked);
            }
        }
        let (config, found) = reload.reading.join_next().await.unwrap().unwrap();
        reload.take_list(&config, found, weak, names).await;
    }

    #[tokio::test]
    async fn a_list_that_hangs_holds_up_nobody_and_what_is_pushed_during_a_reload_is_there_once() {
        let lists = [
            ("a.csv", "hosts,names\n10.0.0.1,a1\n"),
            ("b.csv", "hosts,names\n10.0.1.1,b1\n"),
        ];
        let (folder, mut reload) = following(&lists).await;
        let fleet = Arc::new(Fleet::start(&fleet::Config::new(Vec::new())).unwrap());
        let (weak, names) = (Arc::downgrade(&fleet), Names::default());
        reload
            .change(add("p1"), kept(), &weak, &names)
            .await
            .unwrap();
        // Who reads a pipe waits until somebody writes to it.
        fs::remove_file(folder.path().join("a.csv")).unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(folder.path().join("a.csv"))
            .status();
        assert!(made.unwrap().success());

        reload.load();
        reload.load();
        let read = reload.loading.join_next().await.unwrap();
        reload.loaded(read);
        let read = reload.loading.join_next().await.unwrap();
        reload.loaded(read);
        assert_eq!(reload.gathering.len(), 1, "its lists are being read");
        reload
            .change(add("p2"), kept(), &weak, &names)
            .await
            .unwrap();
        let gone = SourceChange::Remove("p1".to_owned());
        reload.change(gone, kept(), &weak, &names).await.unwrap();
        fs::write(folder.path().join("b.csv"), "hosts,names\n10.0.1.2,b2\n").unwrap();
        follow(&mut reload, &weak, &names).await;
        let wanted = ["a1", "b2", "p2"];
        assert_eq!(ids(&reload), wanted, "nobody waits for it");

        // Nothing but the pipe is waited for from here on.
        tokio::time::pause();
        let (config, gathering) = reload.gathering.join_next().await.unwrap().unwrap();
        reload.gathered(config, gathering, &weak, &names).await;
        assert_eq!(ids(&reload), wanted, "what is newer stays");
        assert!(fleet.node("p1").is_none() && fleet.node("p2").is_some());
        let good: Vec<bool> = reload.lists.iter().map(Inventory::is_good).collect();
        assert_eq!(good, [false, true]);
        // The file system never answers: that is told, and the list stays.
        reload.begin(0);
        let (config, found) = reload.reading.join_next().await.unwrap().unwrap();
        reload.take_list(&config, found, &weak, &names).await;
        assert_eq!(ids(&reload), wanted);
        assert!(!reload.lists[0].is_good());
        // Whoever still waits for it ends.
        let pipe = fs::OpenOptions::new()
            .write(true)
            .open(folder.path().join("a.csv"));
        drop(pipe.unwrap());
    }

    #[tokio::test]
    async fn a_list_that_was_refused_is_not_kept_and_pushes_out_nobody_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        fs::write(folder.join("b.csv"), "hosts,names\n10.0.0.1,b1\n").unwrap();
        // Nobody answers there.
        let text = "[service]\nstate_dir = \"s\"\n[credentials.default]\nusername = \"u\"\n\
                    password_command = [\"echo\", \"one\"]\n\
                    [[inventory]]\nurl = \"http://127.0.0.1:1/\"\n[[inventory]]\nfile = \"b.csv\"\n";
        let start = async || {
            let config = Config::parse(text, folder).unwrap();
            let (_orders, ordered) = aggregate::orders();
            let reload = Reload::new(folder.join("x"), config, Pushed::default(), ordered);
            reload.await.unwrap()
        };
        let mut reload = start().await;
        let fleet = Arc::new(Fleet::start(&fleet::Config::new(Vec::new())).unwrap());
        let (weak, names) = (Arc::downgrade(&fleet), Names::default());
        let config = reload.lists[0].config.clone();
        let good = "[{\"host\": \"10.0.0.2\", \"name\": \"a1\"}]";
        let clashes = "[{\"host\": \"10.0.0.1\", \"name\": \"a1\"}]";
        for told in [good, clashes] {
            drop(reload.lists[0].begin(&reload.files));
            let found = Found::told(&config, Ok(told.to_owned()));
            reload.take_list(&config, found, &weak, &names).await;
            assert_eq!(ids(&reload), ["a1", "b1"], "after {told}");
            let Source::Url(url) = &config.source else {
                unreachable!("it has a server");
            };
            let kept = reload.kept.as_ref().unwrap().get(url);
            assert_eq!(kept.as_deref(), Some(good));
        }
        assert!(reload.lists[0].is_refused);
        drop(reload);
        assert_eq!(ids(&start().await), ["a1", "b1"]);
    }

    #[test]
    fn the_log_names_machines_up_to_a_bound() {
        let ids: Vec<NodeId> = (0..1000)
            .map(|n| NodeId::new(&format!("n{n}")).unwrap())
            .collect();
        assert_eq!(named(ids[..0].iter()), "0");
        assert_eq!(named(ids[..2].iter()), "2 (n0, n1)");
        let many = named(ids.iter());
        assert!(many.starts_with("1000 (n0, n1, "), "{many}");
        assert!(many.ends_with(", n19 and 980 others)"), "{many}");
    }
}
