//! All BMCs of a configuration with those of its lists: which can't be together, and what becomes of a list with a mistake.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, timeout_at};

use super::{Files, Found, Inventory, Kept};
use crate::config::{Config, InventoryConfig, Source, TARGETS_MAX, TargetConfig};
use crate::place;

/// How long lists are waited for that are read together: what comes later is taken when it comes.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Lists that were read together, and what is wrong with some of them.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// Each list with what holds of it: what it says now, or else what it said before, or else nothing.
    pub(crate) lists: Vec<Inventory>,
    /// Every BMC of the configuration and of these lists.
    pub(crate) named: Named,
    /// Why some lists are not taken as they are.
    pub(crate) mistakes: Vec<Mistake>,
}

/// A list that is not taken as it is.
#[derive(Debug)]
pub(crate) struct Mistake {
    /// Which list, where in it, and why.
    pub(crate) text: String,
    instead: Instead,
}

/// What holds in place of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instead {
    /// What it said before.
    Before,
    /// What an earlier run heard of its server.
    Kept,
    /// Nothing, until its server answers.
    NothingYet,
    /// Nothing, until it is mended.
    Nothing,
}

impl Mistake {
    fn new(list: &Inventory, was: &[TargetConfig], text: String) -> Self {
        // Servers come up later than we do; they are asked again without anybody's doing.
        let is_of_server = matches!(list.config.source, Source::Url(_));
        let instead = match (was.is_empty(), is_of_server) {
            (false, _) => Instead::Before,
            (true, true) => Instead::NothingYet,
            (true, false) => Instead::Nothing,
        };
        Self { text, instead }
    }

    /// Writes it to the log.
    pub(crate) fn log(&self) {
        let text = &self.text;
        match self.instead {
            Instead::Kept => tracing::warn!(
                "this list of BMCs is taken as its server told it to an earlier run: {text}"
            ),
            Instead::NothingYet => {
                tracing::warn!("this list of BMCs is left out for now: {text}");
            }
            Instead::Nothing => {
                tracing::error!("this list of BMCs is left out until it is mended: {text}");
            }
            Instead::Before => tracing::error!("this list of BMCs stays as it was: {text}"),
        }
    }
}

/// Lists of a configuration, as far as they were read.
#[derive(Debug)]
pub(crate) struct Gathering {
    lists: Vec<Inventory>,
    /// What each says, by its index; nothing of those that are to be asked later.
    found: HashMap<usize, Found>,
    /// What servers that aren't known told an earlier run.
    told: HashMap<usize, Vec<TargetConfig>>,
    /// How often those were taken that are known, when this began.
    takes: HashMap<usize, u64>,
}

/// Reads lists, all at once and for [`WAIT_MAX`] at most: what is not there by then comes later, see [`Inventory::look`]. One
/// with a mistake, or that doesn't go together with the rest, is as it was among those that are `known`, or as a server told
/// it to an earlier run, or empty. Servers that are known and are to be asked as before are not asked here, but at the next look.
///
/// # Errors
/// The BMCs of the configuration itself can't be together, or not with a list as it was.
pub(crate) async fn gather(
    config: &Config,
    inventories: Vec<InventoryConfig>,
    known: &[Inventory],
    kept: Option<&Kept>,
    files: &Files,
) -> Result<Gathered, String> {
    let gathering = read_all(inventories, known, kept, files).await;
    settle(config, gathering, known)
}

/// What becomes of lists that were read together, beside those that are known by now.
///
/// # Errors
/// As [`gather`].
pub(crate) fn settle(
    config: &Config,
    gathering: Gathering,
    known: &[Inventory],
) -> Result<Gathered, String> {
    let (mut lists, mut before, mut mistakes) = each(gathering, known);
    loop {
        let clash = match merged(config, &lists) {
            Ok(named) => {
                return Ok(Gathered {
                    lists,
                    named,
                    mistakes,
                });
            }
            Err(clash) => clash,
        };
        // Each turn takes one back to what it was, so that this ends: first one that was good and isn't any more, before one
        // that would be nothing.
        let differs = |index: &usize| {
            let was = before[*index].as_ref();
            was.is_some_and(|was| *was != lists[*index].targets)
        };
        let is_server = |index: &usize| matches!(lists[*index].config.source, Source::Url(_));
        let was_good = |index: &usize| before[*index].as_ref().is_some_and(|was| !was.is_empty());
        let mut able: Vec<usize> = clash.lists.iter().copied().filter(differs).collect();
        able.sort_by_key(|index| !(is_server(index) && was_good(index)));
        let step = able.first();
        let step = step.and_then(|&index| Some((index, before[index].take()?)));
        let Some((index, was)) = step else {
            return Err(clash.text);
        };
        let list = &mut lists[index];
        let text = format!("{}: {}", list.config.source, clash.text);
        mistakes.push(Mistake::new(list, &was, text));
        list.put_back(was, &clash.text);
        list.is_known = same(known, list).is_some_and(|known| known.is_known);
    }
}

/// What becomes of each list by itself: the lists, what they are taken back to where they don't go together, and what is wrong.
fn each(
    gathering: Gathering,
    known: &[Inventory],
) -> (Vec<Inventory>, Vec<Option<Vec<TargetConfig>>>, Vec<Mistake>) {
    let Gathering {
        mut lists,
        mut found,
        mut told,
        takes,
    } = gathering;
    let (mut before, mut mistakes) = (Vec::new(), Vec::new());
    for (index, list) in lists.iter_mut().enumerate() {
        let same = same(known, list);
        let mut was = same.map_or_else(Vec::new, |known| known.targets.clone());
        let kept = told.remove(&index).filter(|_| same.is_none());
        let is_kept = kept.is_some();
        was.extend(kept.into_iter().flatten());
        let mut found = found.remove(&index);
        let mut is_newer = false;
        if let Some(known) = same {
            list.follow(known);
            is_newer = takes.get(&index).is_some_and(|takes| *takes < known.takes);
            if known.config == list.config && (found.is_none() || is_newer) {
                // As it was read by itself meanwhile, or is being read.
                found = None;
                list.go_on(known);
            }
        }
        match found.map(|found| list.found(&was, found)) {
            // A server that is to be asked as before.
            None => {
                list.targets = was;
                before.push(None);
            }
            Some(Ok(targets)) if is_newer => {
                // What it has said since is newer, though its BMCs were to be treated in another way: it is read once more.
                list.targets = was;
                list.unkept = None;
                list.ask_again();
                before.push(Some(targets));
            }
            Some(Ok(targets)) => {
                list.targets = targets;
                list.is_taken();
                before.push(Some(was));
            }
            Some(Err(error)) => {
                if let Some(error) = error {
                    let mut mistake = Mistake::new(list, &was, error);
                    if is_kept {
                        mistake.instead = Instead::Kept;
                    }
                    mistakes.push(mistake);
                }
                list.targets = was;
                before.push(None);
            }
        }
    }
    (lists, before, mistakes)
}

/// The one of these lists that is the same as this one.
fn same<'a>(known: &'a [Inventory], list: &Inventory) -> Option<&'a Inventory> {
    known
        .iter()
        .find(|known| known.config.source == list.config.source)
}

/// Begins to read lists beside those that are known, and waits for them for [`WAIT_MAX`] at most.
pub(crate) fn read_all(
    inventories: Vec<InventoryConfig>,
    known: &[Inventory],
    kept: Option<&Kept>,
    files: &Files,
) -> impl Future<Output = Gathering> + Send + use<> {
    let mut lists: Vec<_> = inventories.into_iter().map(Inventory::new).collect();
    let (mut reading, mut asked, mut takes) = (JoinSet::new(), HashSet::new(), HashMap::new());
    let (mut found, mut new) = (HashMap::new(), Vec::new());
    for (index, list) in lists.iter_mut().enumerate() {
        let same = same(known, list);
        takes.extend(same.map(|known| (index, known.takes())));
        let is_as_before = same.is_some_and(|known| known.config == list.config);
        if is_as_before && matches!(list.config.source, Source::Url(_)) {
            continue;
        }
        if same.is_none() {
            new.push((index, Inventory::new(list.config.clone())));
        }
        let reads = list.begin(files);
        reading.spawn(async move { (index, reads.await) });
        asked.insert(index);
    }
    let kept = kept.cloned();
    async move {
        let told = spawn_blocking(move || {
            let told = new.iter().filter_map(|(index, list)| {
                let told = list.told_before(kept.as_ref()?)?;
                Some((*index, told))
            });
            told.collect()
        });
        let until = Instant::now() + WAIT_MAX;
        while let Ok(Some(one)) = timeout_at(until, reading.join_next()).await {
            found.extend(one);
        }
        for (index, list) in lists.iter_mut().enumerate() {
            if asked.contains(&index) && !found.contains_key(&index) {
                found.insert(index, Found::late(&list.config.source, WAIT_MAX));
                list.ask_again();
            }
        }
        Gathering {
            lists,
            found,
            // Nothing where it panicked, which was reported then.
            told: told.await.unwrap_or_default(),
            takes,
        }
    }
}

/// The BMCs that the operator names.
#[derive(Debug)]
pub(crate) struct Named {
    /// First those of the configuration file, then list by list.
    pub(crate) targets: Vec<TargetConfig>,
    /// Who has named them: up to which place, and what it is called.
    pub(crate) origins: Vec<(usize, String)>,
    /// From this place on they are found by scans rather than named.
    pub(crate) found_from: usize,
}

/// BMCs that can't be together.
#[derive(Debug)]
pub(crate) struct Clash {
    /// Which, where they are named, and why.
    pub(crate) text: String,
    /// The lists that name them, by their index, the later one first. Empty if the configuration itself does.
    lists: Vec<usize>,
}

/// Every BMC of the configuration file and of its lists.
///
/// # Errors
/// Which of them can't be together.
pub(crate) fn merged(config: &Config, lists: &[Inventory]) -> Result<Named, Clash> {
    let mut all = config.targets.clone();
    let mut ends = Vec::with_capacity(lists.len());
    for list in lists {
        all.extend_from_slice(&list.targets);
        ends.push(all.len());
    }
    let from = Origins {
        file: config.targets.len(),
        ends,
        lists,
    };
    if all.len() > TARGETS_MAX {
        let text = format!("{} BMCs; {TARGETS_MAX} are possible", all.len());
        let lists = (0..lists.len()).rev().collect();
        return Err(Clash { text, lists });
    }
    let mut names = HashMap::with_capacity(all.len());
    let mut hosts = HashMap::with_capacity(all.len());
    for (index, target) in all.iter().enumerate() {
        let (id, treatment) = (&target.id, &target.treatment);
        let clash = |text: String, first: usize| from.clash(&all, text, &[index, first]);
        if let Some(first) = names.insert(id, index) {
            return Err(clash(format!("'{id}' is there twice"), first));
        }
        if let Some(first) = hosts.insert((&target.host, treatment.port), index) {
            let (host, port, other) = (&target.host, treatment.port, &all[first].id);
            let text = format!("'{other}' and '{id}' have the same BMC {host}:{port}");
            return Err(clash(text, first));
        }
        if !config.credentials.contains_key(&treatment.credentials) {
            let credentials = &treatment.credentials;
            let text = format!("'{id}': there is no [credentials.{credentials}]");
            return Err(clash(text, index));
        }
    }
    let Some(name) = place::shared_name(&all) else {
        let origins = from.names();
        return Ok(Named {
            found_from: all.len(),
            targets: all,
            origins,
        });
    };
    let machine = all.iter().rposition(|target| target.id.as_str() == name);
    let stands = |target: &TargetConfig| place::names(&target.treatment.place).any(|n| n == name);
    let inside = all.iter().rposition(stands);
    let mut both: Vec<usize> = machine.into_iter().chain(inside).collect();
    both.sort_unstable_by(|a, b| b.cmp(a));
    let text = format!("'{name}' is the name of a machine and of what it stands in");
    Err(from.clash(&all, text, &both))
}

/// Where BMCs come from that stand one after the other: first those of the file, then list by list.
struct Origins<'a> {
    /// How many are of the file.
    file: usize,
    /// Where each list ends.
    ends: Vec<usize>,
    lists: &'a [Inventory],
}

impl Origins<'_> {
    /// The list that names the BMC with this index; `None` = the file.
    fn list(&self, index: usize) -> Option<usize> {
        (index >= self.file).then(|| self.ends.partition_point(|end| *end <= index))
    }

    /// What each is called, and where it ends.
    fn names(&self) -> Vec<(usize, String)> {
        let mut names = vec![(self.file, "the configuration file".to_owned())];
        for (list, end) in self.lists.iter().zip(&self.ends) {
            // Whoever reads this needn't know our folders.
            let name = match &list.config.source {
                Source::File(path) => path.file_name().unwrap_or_default().display().to_string(),
                source @ Source::Url(_) => source.to_string(),
            };
            names.push((*end, format!("the list {name}")));
        }
        names
    }

    /// What is wrong with BMCs, the later one first: told with the places, the earlier one first.
    fn clash(&self, all: &[TargetConfig], text: String, indices: &[usize]) -> Clash {
        let mut places: Vec<String> = Vec::new();
        for &index in indices.iter().rev() {
            let at = all[index].at;
            let place = match self.list(index) {
                None => format!("the [[target]] of line {at}"),
                Some(list) => format!("entry {at} of {}", self.lists[list].config.source),
            };
            if !places.contains(&place) {
                places.push(place);
            }
        }
        let mut lists: Vec<usize> = indices.iter().filter_map(|&i| self.list(i)).collect();
        lists.dedup();
        Clash {
            text: format!("{text}: {}", places.join(" and ")),
            lists,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::config::Format;

    /// A configuration with the targets that `text` names.
    fn config(text: &str) -> Config {
        let text = format!(
            "[service]\nstate_dir = \"s\"\n[credentials.default]\nusername = \"u\"\n\
             password_command = [\"echo\", \"one\"]\n{text}"
        );
        Config::parse(&text, Path::new("/")).unwrap()
    }

    /// A list that names the same as this part of a configuration.
    fn list(name: &str, text: &str) -> Inventory {
        let targets = config(text).targets;
        let mut list = Inventory::new(InventoryConfig {
            source: Source::File(PathBuf::from(name)),
            format: Format::Json,
            refresh_s: 60,
            allow_empty: false,
            token: None,
            ca_file: None,
            treatment: crate::config::Treatment::clone(&targets[0].treatment),
        });
        list.targets = targets;
        list
    }

    #[test]
    fn what_was_read_last_holds_until_a_list_is_read_with_what_its_entry_says_now() {
        let target = |host: &str| format!("[[target]]\nhosts = \"{host}\"\nnames = \"n1\"\n");
        let mut known = list("a.json", &target("10.0.0.2"));
        known.takes = 2;
        let changed = InventoryConfig {
            allow_empty: true,
            ..known.config.clone()
        };
        let older = config(&target("10.0.0.1")).targets;
        let stamp = Some((1, 2, 3, 4));
        let gathering = |takes: u64| Gathering {
            lists: vec![Inventory::new(changed.clone())],
            found: HashMap::from([(
                0,
                Found {
                    read: Ok(older.clone()),
                    text: None,
                    stamp,
                    is_silent: false,
                    is_late: false,
                },
            )]),
            told: HashMap::new(),
            takes: HashMap::from([(0, takes)]),
        };
        let known = [known];
        for (takes, host, is_due) in [(1, "10.0.0.2", true), (2, "10.0.0.1", false)] {
            let mut gathered = settle(&config(""), gathering(takes), &known).unwrap();
            assert!(gathered.mistakes.is_empty());
            assert_eq!(gathered.named.targets[0].host, host);
            let list = &mut gathered.lists[0];
            list.looked(Ok(stamp));
            assert_eq!(list.looked(Ok(stamp)), is_due);
        }
    }

    #[test]
    fn a_server_that_tells_what_clashes_pushes_out_no_list_while_what_it_told_before_does_not() {
        let target = |host: &str, name: &str| {
            let text = format!("[[target]]\nhosts = \"{host}\"\nnames = \"{name}\"\n");
            list("b.json", &text)
        };
        let (good, clashes, file) = (
            target("10.0.0.2", "a1").targets,
            target("10.0.0.1", "a1").targets,
            target("10.0.0.1", "b1"),
        );
        let server = InventoryConfig {
            source: Source::Url(http::Uri::from_static("http://sd.example/")),
            ..file.config.clone()
        };
        let found = |targets: &[TargetConfig]| Found {
            read: Ok(targets.to_vec()),
            text: Some("its text".to_owned()),
            stamp: None,
            is_silent: false,
            is_late: false,
        };
        let gathering = Gathering {
            lists: vec![Inventory::new(server), Inventory::new(file.config.clone())],
            found: HashMap::from([(0, found(&clashes)), (1, found(&file.targets))]),
            told: HashMap::from([(0, good)]),
            takes: HashMap::new(),
        };
        let mut gathered = settle(&config(""), gathering, &[]).unwrap();
        let hosts: Vec<_> = gathered.named.targets.iter().map(|t| &*t.host).collect();
        assert_eq!(hosts, ["10.0.0.2", "10.0.0.1"]);
        assert_eq!(gathered.mistakes.len(), 1);
        assert_eq!(gathered.lists[0].unkept(), None, "it was refused");
    }

    #[test]
    fn lists_that_do_not_go_together_are_refused_with_the_reason_and_both_places() {
        let base = config("[[target]]\nhosts = \"10.0.0.1\"\nnames = \"n1\"\nrack = \"R1\"\n");
        for (text, wanted) in [
            (
                "hosts = \"10.0.0.9\"\nnames = \"n1\"",
                "'n1' is there twice: the [[target]] of line 6 and entry 6 of b.json",
            ),
            (
                "hosts = \"10.0.0.7\"\nnames = \"n7\"",
                "'n7' is there twice: entry 6 of a.json and entry 6 of b.json",
            ),
            (
                "hosts = \"10.0.0.1\"\nnames = \"n2\"",
                "'n1' and 'n2' have the same BMC 10.0.0.1:623: the [[target]] of line 6 and entry 6 of b.json",
            ),
            (
                "hosts = \"10.0.0.2\"\nnames = \"R1\"",
                "'R1' is the name of a machine and of what it stands in: the [[target]] of line 6 and entry 6 of b.json",
            ),
        ] {
            let a = list(
                "a.json",
                "[[target]]\nhosts = \"10.0.0.7\"\nnames = \"n7\"\n",
            );
            let b = list("b.json", &format!("[[target]]\n{text}\n"));
            let clash = merged(&base, &[a, b]).unwrap_err();
            assert_eq!(clash.text, wanted);
            assert_eq!(clash.lists.first(), Some(&1));
        }
    }
}
