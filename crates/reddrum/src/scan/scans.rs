//! The entries of the configuration that scan: when each is due, what becomes of what it finds, and who joins the fleet.
//!
//! What is named comes first: a BMC that was found stands aside where the configuration, a list or a client names its host or its
//! name, or where the fleet has a machine at its address. One that is silent stays until it was neither heard of nor up for
//! `forget_after_s`: it may be switched off, or start anew.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hardware::NodeId;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use super::ask::{Answers, ask};
use super::figures::Figures;
use super::found::{Found, Seen};
use crate::config::{ScanConfig, TARGETS_MAX, TargetConfig};
use crate::inventory::{Named, Pushed};
use crate::place;

/// How many scans of a run have to miss a BMC before it is forgotten, however long ago it was heard of: the service may have been
/// down for long, and clocks jump.
const MISSED_MIN: u32 = 3;
/// When a scan is tried again that the system did not let us make.
const AGAIN_AFTER: Duration = Duration::from_secs(60);
/// How long the first scan waits for the names of BMCs to have addresses, by which it is not to find them a second time.
const FIRST_WITHIN: Duration = Duration::from_secs(30);
/// How many BMCs a line of the log names.
const NAMED_MAX: usize = 20;

/// All entries, and what they have found.
#[derive(Debug)]
pub(crate) struct Scans {
    entries: Vec<Entry>,
    found: Found,
    running: JoinSet<(u64, io::Result<Answers>)>,
    /// The number of the next scan.
    next: u64,
    /// Until when the first scans wait.
    first_until: Instant,
    /// Who stands aside, as the log was told.
    aside: BTreeMap<NodeId, Aside>,
    /// What they wait for.
    awaited: Awaited,
    figures: Arc<Figures>,
}

/// Machines for which those stand aside who were found.
#[derive(Debug, Default)]
struct Awaited {
    ids: BTreeSet<NodeId>,
    /// Whichever leaves may make room.
    is_any: bool,
}

impl Awaited {
    fn by(aside: &BTreeMap<NodeId, Aside>) -> Self {
        let mut awaited = Self::default();
        for (id, why) in aside {
            match why {
                Aside::Same(other) => drop(awaited.ids.insert(other.clone())),
                Aside::Name => drop(awaited.ids.insert(id.clone())),
                Aside::Place | Aside::Full => awaited.is_any = true,
            }
        }
        awaited
    }
}

#[derive(Debug)]
struct Entry {
    config: Arc<ScanConfig>,
    /// When it scans next.
    due: Instant,
    /// The scan that runs.
    running: Option<(u64, AbortHandle)>,
}

impl Entry {
    fn new(config: Arc<ScanConfig>) -> Self {
        Self {
            config,
            due: Instant::now(),
            running: None,
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some((_, scan)) = &self.running {
            scan.abort();
        }
    }
}

/// A scan that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    number: u64,
    result: io::Result<Answers>,
}

/// What the fleet has while a scan is taken.
pub(crate) struct Present<'a> {
    /// Which machine is at an address.
    pub(crate) at: &'a HashMap<SocketAddr, NodeId>,
    /// Whether a machine is up.
    pub(crate) is_up: &'a dyn Fn(&NodeId) -> bool,
    /// The time, in seconds since the Unix epoch.
    pub(crate) now_s: u64,
}

/// What a scan has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Which entry, how many were asked, how many are there: for the log.
    pub(crate) what: String,
    /// Those found for the first time.
    pub(crate) new: Vec<NodeId>,
    /// Those forgotten.
    pub(crate) gone: Vec<NodeId>,
}

/// Why a BMC that was found is not in the fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Aside {
    /// It is this machine, which is named.
    Same(NodeId),
    /// Another machine has its name.
    Name,
    /// A rack, block or sled has its name, or a machine that of its rack.
    Place,
    /// The fleet is full.
    Full,
}

impl fmt::Display for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same(other) => write!(f, "is named elsewhere, as {other}"),
            Self::Name => f.write_str("is another machine's name: give names"),
            Self::Place => f.write_str("and its rack, block or sled share a name with others"),
            Self::Full => write!(f, "is one too many: {TARGETS_MAX} are possible"),
        }
    }
}

impl Scans {
    /// Those of a configuration, with what an earlier run has found.
    pub(crate) fn new(state_dir: Option<&Path>, configs: Vec<ScanConfig>) -> Self {
        // Who doesn't scan has nothing to read, and keeps nothing.
        let state_dir = state_dir.filter(|_| !configs.is_empty());
        let mut scans = Self {
            entries: Vec::new(),
            found: Found::load(state_dir),
            running: JoinSet::new(),
            next: 0,
            first_until: Instant::now() + FIRST_WITHIN,
            aside: BTreeMap::new(),
            awaited: Awaited::default(),
            figures: Arc::default(),
        };
        scans.adopt(state_dir, configs.into_iter().map(Arc::new).collect());
        scans
    }

    /// Their figures, now and later.
    pub(crate) fn figures(&self) -> Arc<Figures> {
        Arc::clone(&self.figures)
    }

    /// From now on these are the entries. What goes on as before keeps its time, and its scan where one runs.
    pub(crate) fn adopt(&mut self, state_dir: Option<&Path>, configs: Vec<Arc<ScanConfig>>) {
        let mut before = std::mem::take(&mut self.entries);
        let mut stays = HashSet::new();
        for config in configs {
            let same = before.iter().position(|was| was.config.asks_as(&config));
            let entry = match same.map(|index| before.swap_remove(index)) {
                None => Entry::new(config),
                Some(mut entry) => {
                    // It may be due sooner than it was.
                    let soon = Instant::now() + Duration::from_secs(config.every_s.into());
                    entry.due = entry.due.min(soon);
                    entry.config = config;
                    entry
                }
            };
            for target in &entry.config.candidates {
                stays.insert((target.host.clone(), target.treatment.port));
            }
            self.entries.push(entry);
        }
        if !self.entries.is_empty() {
            self.found.keep_in(state_dir);
        }
        self.found.keep(|place| stays.contains(place));
        let titles: BTreeSet<&str> = self.entries.iter().map(|e| &*e.config.title).collect();
        self.figures.keep(|title| titles.contains(title));
        for entry in &self.entries {
            self.count_known(&entry.config);
        }
    }

    /// The configurations of the entries.
    pub(crate) fn configs(&self) -> Vec<Arc<ScanConfig>> {
        let configs = self.entries.iter().map(|entry| &entry.config);
        configs.map(Arc::clone).collect()
    }

    /// Whether somebody who was found may join when a client lets go of a machine of this name, or of its host.
    pub(crate) fn wait_for(&self, id: &str) -> bool {
        self.awaited.is_any || self.awaited.ids.contains(id)
    }

    /// Whether it was a scan that has brought this one into the fleet.
    pub(crate) fn have_found(&self, target: &TargetConfig) -> bool {
        // Those of an entry share their treatment.
        self.entries.iter().any(|entry| {
            let first = entry.config.candidates.first();
            first.is_some_and(|first| Arc::ptr_eq(&first.treatment, &target.treatment))
        })
    }

    /// Begins the scans that are due. The first ones wait for a moment until `are_names_known`.
    pub(crate) fn begin(&mut self, are_names_known: bool) {
        let now = Instant::now();
        if self.next == 0 && !are_names_known && now < self.first_until {
            return;
        }
        for entry in &mut self.entries {
            if entry.running.is_some() || entry.due > now {
                continue;
            }
            entry.due = now + Duration::from_secs(entry.config.every_s.into());
            let (number, config) = (self.next, Arc::clone(&entry.config));
            self.next += 1;
            let scan = async move { (number, ask(config).await) };
            entry.running = Some((number, self.running.spawn(scan)));
        }
    }

    /// Waits for a scan to end; `None` where none runs.
    pub(crate) async fn ended(&mut self) -> Option<Ended> {
        loop {
            match self.running.join_next().await? {
                Ok((number, result)) => return Some(Ended { number, result }),
                // It was called off, or has panicked, which was reported then: it is due again as after any other.
                Err(error) if error.is_cancelled() => {}
                Err(error) => {
                    for entry in &mut self.entries {
                        entry.running.take_if(|(_, scan)| scan.id() == error.id());
                    }
                }
            }
        }
    }

    /// Takes what a scan has found; `None` where nobody wants it any more, or there is nothing.
    pub(crate) fn take(&mut self, ended: Ended, present: &Present<'_>) -> Option<Report> {
        let is_it = |entry: &&mut Entry| {
            let running = entry.running.as_ref();
            running.is_some_and(|(number, _)| *number == ended.number)
        };
        let entry = self.entries.iter_mut().find(is_it)?;
        entry.running = None;
        let config = Arc::clone(&entry.config);
        let answers = match ended.result {
            Ok(answers) => answers,
            Err(error) => {
                entry.due = entry.due.min(Instant::now() + AGAIN_AFTER);
                self.figures.of(&config.title, |of| of.failed += 1);
                let inventory = &config.title;
                tracing::warn!(
                    target: "config",
                    inventory, %error,
                    "a scan for BMCs was not possible: it is tried again"
                );
                return None;
            }
        };
        let mut report = self.learn(&config, &answers, present);
        let Answers {
            asked,
            nameless,
            pings,
            unsent,
            ..
        } = &answers;
        let answering = answers.found.len() as u64;
        self.figures.of(&config.title, |of| {
            of.done += 1;
            of.pings += *pings;
            of.answering = answering;
            of.new += report.new.len() as u64;
            of.gone += report.gone.len() as u64;
        });
        self.count_known(&config);
        let title = &config.title;
        report.what = format!("{title}: {asked} addresses asked, {answering} BMCs answer");
        if unsent.pings > 0 {
            let (pings, why) = (unsent.pings, &unsent.why);
            report.what += &format!(", {pings} pings not taken by the system ({why})");
        }
        if *nameless > 0 {
            report.what += &format!(", {nameless} names without an address");
        }
        Some(report)
    }

    /// Takes note of who has answered and who has not.
    fn learn(&mut self, config: &ScanConfig, answers: &Answers, present: &Present<'_>) -> Report {
        let mut report = Report::default();
        let found: HashMap<usize, SocketAddr> = answers.found.iter().copied().collect();
        for index in &answers.refused {
            let target = &config.candidates[*index];
            let was = self.found.remove(&target.host, target.treatment.port);
            report.gone.extend(was.map(|_| target.id.clone()));
        }
        for (index, target) in config.candidates.iter().enumerate() {
            let (id, host, port) = (&target.id, &target.host, target.treatment.port);
            if let Some(address) = found.get(&index) {
                let other = present.at.get(address).filter(|other| *other != id);
                let is_new = other.is_none();
                let seen = Seen {
                    at_s: present.now_s,
                    missed: 0,
                    same_as: other.cloned(),
                };
                let before = self.found.put(host, port, seen);
                if before.is_none() && is_new {
                    report.new.push(id.clone());
                }
                continue;
            }
            let Some(seen) = self.found.get_mut(host, port) else {
                continue;
            };
            // A clock that was set back must not keep it for good.
            seen.at_s = seen.at_s.min(present.now_s);
            if seen.same_as.is_none() && (present.is_up)(id) {
                (seen.at_s, seen.missed) = (present.now_s, 0);
                continue;
            }
            seen.missed = seen.missed.saturating_add(1);
            let silent_s = present.now_s - seen.at_s;
            if seen.missed >= MISSED_MIN && silent_s > config.forget_after_s.into() {
                self.found.remove(host, port);
                report.gone.push(id.clone());
            }
        }
        report
    }

    fn count_known(&self, config: &ScanConfig) {
        let known = config.candidates.iter().filter(|target| {
            let seen = self.found.get(&target.host, target.treatment.port);
            seen.is_some_and(|seen| seen.same_as.is_none())
        });
        let known = known.count() as u64;
        self.figures.of(&config.title, |of| of.known = known);
    }

    /// What has to be done to keep what was found.
    pub(crate) fn saving(&self) -> Option<impl FnOnce() + Send + use<>> {
        self.found.saving()
    }

    /// Adds those to the operator's that these entries have found and that can be with them. The log is told of the others, once.
    pub(crate) fn join(&mut self, configs: &[Arc<ScanConfig>], named: &mut Named, pushed: &Pushed) {
        if configs.is_empty() {
            return;
        }
        let mut taken = Taken::by(&named.targets, pushed);
        let mut aside = BTreeMap::new();
        let (mut joined, mut origins) = (Vec::new(), Vec::new());
        for config in configs {
            taken.add_place_of(config);
            for target in &config.candidates {
                let Some(seen) = self.found.get(&target.host, target.treatment.port) else {
                    continue;
                };
                match taken.clash(target, seen) {
                    Some(clash) => {
                        aside.insert(target.id.clone(), clash);
                    }
                    None => {
                        taken.add(target);
                        joined.push(target.clone());
                    }
                }
            }
            let end = named.targets.len() + joined.len();
            origins.push((end, format!("the scan of {}", config.title)));
        }
        drop(taken);
        named.targets.append(&mut joined);
        named.origins.append(&mut origins);
        self.tell(aside);
    }

    fn tell(&mut self, aside: BTreeMap<NodeId, Aside>) {
        let is_new = |(id, why): &(&NodeId, &Aside)| self.aside.get(*id) != Some(*why);
        let new: Vec<_> = aside.iter().filter(is_new).collect();
        let named: Vec<String> = new
            .iter()
            .take(NAMED_MAX)
            .map(|(id, why)| format!("{id} {why}"))
            .collect();
        if !new.is_empty() {
            let more = match new.len().saturating_sub(NAMED_MAX) {
                0 => String::new(),
                more => format!("; and {more} others"),
            };
            tracing::info!(
                target: "config",
                "{} BMCs that scans have found don't join the fleet by them: {}{more}",
                new.len(),
                named.join("; ")
            );
        }
        self.awaited = Awaited::by(&aside);
        self.aside = aside;
    }
}

/// What is taken already.
struct Taken<'a> {
    names: HashSet<&'a str>,
    hosts: HashMap<(&'a str, u16), &'a NodeId>,
    places: BTreeSet<String>,
    /// Names of clients' that can't be used as they are.
    unusable: &'a BTreeMap<String, String>,
    /// The place of the entry at hand has the name of a machine.
    is_out_of_place: bool,
}

impl<'a> Taken<'a> {
    fn by(targets: &'a [TargetConfig], pushed: &'a Pushed) -> Self {
        let mut taken = Self {
            names: HashSet::with_capacity(targets.len()),
            hosts: HashMap::with_capacity(targets.len()),
            places: BTreeSet::new(),
            unusable: pushed.unusable(),
            is_out_of_place: false,
        };
        let mut last = None;
        for target in targets.iter().chain(pushed.targets()) {
            taken.add(target);
            // Those of one section share it.
            let treatment = Arc::as_ptr(&target.treatment);
            if last.replace(treatment) != Some(treatment) {
                taken.places.extend(place::names(&target.treatment.place));
            }
        }
        taken
    }

    fn add(&mut self, target: &'a TargetConfig) {
        self.names.insert(target.id.as_str());
        let host = (&*target.host, target.treatment.port);
        self.hosts.entry(host).or_insert(&target.id);
    }

    /// From now on those of this entry are looked at.
    fn add_place_of(&mut self, config: &ScanConfig) {
        let Some(first) = config.candidates.first() else {
            return;
        };
        let names: Vec<String> = place::names(&first.treatment.place).collect();
        self.is_out_of_place = names.iter().any(|name| self.names.contains(name.as_str()));
        self.places.extend(names);
    }

    fn clash(&self, target: &TargetConfig, seen: &Seen) -> Option<Aside> {
        let same = seen
            .same_as
            .as_ref()
            .filter(|same| self.names.contains(same.as_str()));
        let host = self.hosts.get(&(&*target.host, target.treatment.port));
        if let Some(other) = same.or_else(|| host.copied()) {
            return Some(Aside::Same(other.clone()));
        }
        let id = target.id.as_str();
        if self.names.contains(id) || self.unusable.contains_key(id) {
            return Some(Aside::Name);
        }
        if self.is_out_of_place || self.places.contains(id) {
            return Some(Aside::Place);
        }
        (self.names.len() >= TARGETS_MAX).then_some(Aside::Full)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use redfish::{Source, SourceLogin};

    use super::super::ask::Unsent;
    use super::*;
    use crate::config::{AggregationConfig, Config};
    use crate::inventory;

    /// A configuration with these sections.
    fn config(rest: &str) -> Config {
        let text = format!(
            "[service]\nstate_dir = \"s\"\n[credentials.default]\nusername = \"u\"\n\
             password_command = [\"echo\", \"one\"]\n{rest}"
        );
        Config::parse(&text, Path::new("/")).unwrap()
    }

    fn entry(rest: &str) -> String {
        format!("[[inventory]]\ncredentials = \"default\"\nforget_after_s = 1000\n{rest}\n")
    }

    fn scans(rest: &str) -> Scans {
        Scans::new(None, config(&entry(rest)).scans)
    }

    fn id(name: &str) -> NodeId {
        NodeId::new(name).unwrap()
    }

    /// Has the first entry learn that these answer, at a time, while those are up and at these addresses.
    fn learn(
        scans: &mut Scans,
        answering: &[usize],
        now_s: u64,
        up: &[&str],
        at: &[(&str, &str)],
    ) -> Report {
        let config = scans.configs().remove(0);
        let address = |index: usize| {
            let target = &config.candidates[index];
            let host = target.host.parse().unwrap();
            (index, SocketAddr::new(host, target.treatment.port))
        };
        let answers = Answers {
            found: answering.iter().map(|index| address(*index)).collect(),
            ..Answers::default()
        };
        let at = at.iter().map(|(at, name)| (at.parse().unwrap(), id(name)));
        let present = Present {
            at: &at.collect(),
            is_up: &|id| up.contains(&id.as_str()),
            now_s,
        };
        scans.learn(&config, &answers, &present)
    }

    /// Who joins a configuration.
    fn joined(scans: &mut Scans, config: &Config, pushed: &Pushed) -> Vec<String> {
        let mut named = inventory::merged(config, &[]).unwrap();
        let before = named.targets.len();
        let configs = scans.configs();
        scans.join(&configs, &mut named, pushed);
        assert_eq!(named.origins.last().unwrap().0, named.targets.len());
        let ids = named.targets[before..].iter().map(|target| &target.id);
        ids.map(ToString::to_string).collect()
    }

    #[test]
    fn a_silent_bmc_stays_until_it_was_neither_heard_of_nor_up_for_long_and_by_several_scans() {
        let mut scans = scans("scan = [\"10.0.0.0/29\"]\nnames = \"n[1-6]\"");
        let report = learn(&mut scans, &[0, 1, 2], 5_000, &[], &[]);
        assert_eq!(report.new, ["n1", "n2", "n3"].map(id));
        assert!(learn(&mut scans, &[0], 5_900, &["n2"], &[]).gone.is_empty());
        // A thousand seconds are over for the third one, but one scan may be mistaken.
        assert!(learn(&mut scans, &[0], 6_100, &[], &[]).gone.is_empty());
        let report = learn(&mut scans, &[0], 6_200, &[], &[]);
        assert_eq!(report.gone, ["n3"].map(id));
        assert!(report.new.is_empty());
        // The second one was up when it was looked last.
        assert!(learn(&mut scans, &[0], 6_900, &[], &[]).gone.is_empty());
        assert_eq!(
            learn(&mut scans, &[0], 6_901, &[], &[]).gone,
            ["n2"].map(id)
        );
        assert_eq!(learn(&mut scans, &[1], 6_902, &[], &[]).new, ["n2"].map(id));
        // The clock goes back, and later on by a year.
        learn(&mut scans, &[], 100, &[], &[]);
        assert!(learn(&mut scans, &[], 1_100, &[], &[]).gone.is_empty());
        assert_eq!(learn(&mut scans, &[], 9_999_999, &[], &[]).gone.len(), 2);
    }

    #[test]
    fn who_is_named_elsewhere_does_not_join_and_joins_when_that_is_over() {
        let mut scans = scans("scan = [\"10.0.0.0/28\"]\nnames = \"n[1-14]\"\nrack = \"R1\"");
        let at = [("10.0.0.3:623", "byname"), ("10.0.0.1:623", "n1")];
        let report = learn(&mut scans, &[0, 1, 2, 3, 4, 5, 6], 1, &[], &at);
        assert_eq!(report.new.len(), 6, "one is known by its name");
        let all = ["n1", "n2", "n3", "n4", "n5", "n6", "n7"];
        let none = Pushed::default();
        assert_eq!(joined(&mut scans, &config(""), &none), all);
        let named = config(
            "[[target]]\nhosts = \"10.0.0.2\"\nnames = \"other\"\n\
             [[target]]\nhosts = \"bmc3\"\nnames = \"byname\"\n\
             [[target]]\nhosts = \"10.9.9.9\"\nnames = \"n4\"\nrack = \"n5\"\n",
        );
        let source = Source {
            id: "pushed".to_owned(),
            name: "pushed".to_owned(),
            host_name: "10.0.0.6".to_owned(),
            port: None,
            method: "IPMI20".to_owned(),
            login: Some(SourceLogin {
                user_name: "admin".to_owned(),
                password: "secret".to_owned().into(),
            }),
        };
        let pushed = Pushed::of(&[source], AggregationConfig::default());
        assert_eq!(joined(&mut scans, &named, &pushed), ["n1", "n7"]);
        let why = |name: &str| scans.aside.get(&id(name)).cloned();
        for (name, wanted) in [
            ("n2", Aside::Same(id("other"))),
            ("n3", Aside::Same(id("byname"))),
            ("n4", Aside::Name),
            ("n5", Aside::Place),
            ("n6", Aside::Same(id("pushed"))),
        ] {
            assert_eq!(why(name), Some(wanted), "{name}");
        }
        // A machine that is named as their rack keeps all of them out.
        let rack = config("[[target]]\nhosts = \"10.9.9.9\"\nnames = \"R1\"\n");
        assert!(joined(&mut scans, &rack, &none).is_empty());
        assert_eq!(joined(&mut scans, &config(""), &none), all);
    }

    #[test]
    fn other_ranges_keep_who_was_found_in_both_and_excluded_ones_leave_at_once() {
        let mut scans = scans("scan = [\"10.0.0.0/29\"]");
        learn(&mut scans, &[0, 1, 2], 1, &[], &[]);
        let adopt = |scans: &mut Scans, rest: &str| {
            let configs = config(&entry(rest)).scans;
            scans.adopt(None, configs.into_iter().map(Arc::new).collect());
            joined(scans, &config(""), &Pushed::default())
        };
        let wider = "scan = [\"10.0.0.0/28\"]\nexclude = [\"10.0.0.2\"]";
        assert_eq!(adopt(&mut scans, wider), ["10.0.0.1", "10.0.0.3"]);
        let port = format!("{wider}\nport = 7");
        assert!(
            adopt(&mut scans, &port).is_empty(),
            "nobody was asked there"
        );
        assert!(adopt(&mut scans, wider).is_empty(), "they are forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn a_scan_begins_at_once_and_again_after_its_time_and_a_reload_begins_none_that_asks_the_same()
     {
        // Names that RFC 6761 reserves: nobody is asked.
        let text = "scan = [\"bmc1.invalid\"]\nevery_s = 100";
        let mut scans = scans(text);
        let running = |scans: &Scans| scans.entries.iter().filter(|e| e.running.is_some()).count();
        scans.begin(false);
        assert_eq!(running(&scans), 0, "names are being looked up");
        tokio::time::advance(FIRST_WITHIN).await;
        scans.begin(false);
        assert_eq!(running(&scans), 1);
        let adopt = |scans: &mut Scans, rest: &str| {
            let configs = config(&entry(rest)).scans;
            scans.adopt(None, configs.into_iter().map(Arc::new).collect());
        };
        adopt(&mut scans, &format!("{text}\nrack = \"R1\""));
        assert_eq!(running(&scans), 1, "it goes on");
        let number = scans.entries[0].running.as_ref().unwrap().0;
        let present = Present {
            at: &HashMap::new(),
            is_up: &|_| false,
            now_s: 1,
        };
        let ended = |number| Ended {
            number,
            result: Ok(Answers {
                asked: 1,
                pings: 2,
                unsent: Unsent {
                    pings: 7,
                    why: "no buffer".to_owned(),
                },
                ..Answers::default()
            }),
        };
        assert!(
            scans.take(ended(number + 1), &present).is_none(),
            "a stranger"
        );
        let report = scans.take(ended(number), &present).unwrap();
        assert_eq!(
            report.what,
            "bmc1.invalid: 1 addresses asked, 0 BMCs answer, 7 pings not taken by the system (no buffer)"
        );
        assert_eq!(scans.figures().all()["bmc1.invalid"].pings, 2);
        scans.begin(true);
        assert_eq!(running(&scans), 0, "it is not due");
        adopt(&mut scans, text);
        scans.begin(true);
        assert_eq!(running(&scans), 0, "it asks the same");
        tokio::time::advance(Duration::from_secs(100)).await;
        scans.begin(true);
        assert_eq!(running(&scans), 1);
        adopt(&mut scans, "scan = [\"bmc2.invalid\"]\nevery_s = 100");
        assert_eq!(running(&scans), 0);
        scans.begin(true);
        assert_eq!(running(&scans), 1, "other ranges");
        assert_eq!(scans.figures().all().len(), 1);
        let failed = Ended {
            number: scans.entries[0].running.as_ref().unwrap().0,
            result: Err(io::Error::other("no socket")),
        };
        assert!(scans.take(failed, &present).is_none());
        assert_eq!(scans.figures().all()["bmc2.invalid"].failed, 1);
        tokio::time::advance(AGAIN_AFTER).await;
        scans.begin(true);
        assert_eq!(running(&scans), 1, "tried again");
    }

    #[test]
    fn a_restart_has_what_was_found_and_where_nobody_scans_nothing_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().to_owned();
        let text = entry("scan = [\"10.0.0.0/29\"]");
        let of = |text: &str, folder: &PathBuf| Scans::new(Some(folder), config(text).scans);
        let mut first = of(&text, &folder);
        learn(&mut first, &[0, 3], 1, &[], &[]);
        first.saving().unwrap()();
        let mut second = of(&text, &folder);
        let there = joined(&mut second, &config(""), &Pushed::default());
        assert_eq!(there, ["10.0.0.1", "10.0.0.4"]);
        assert_eq!(second.figures().all()["10.0.0.0/29"].known, 2);
        assert!(of("", &folder).saving().is_none());
    }
}
