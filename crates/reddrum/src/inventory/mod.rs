//! Lists of BMCs outside of the configuration file: read, followed, and read again when they change.

mod entry;
mod files;
mod kept;
mod merge;
mod pushed;
mod roll;
mod tree;

use std::fs;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::header::AUTHORIZATION;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::config::{InventoryConfig, Secret, Source, TargetConfig};
use crate::fetch::{Fetch, fetch};
pub(crate) use files::Files;
pub(crate) use kept::Kept;
pub(crate) use merge::{
    Clash as ListClash, Gathered, Gathering, Named, gather, merged, read_all, settle,
};
pub(crate) use pushed::{Bmc, Clash, OWN_CREDENTIALS, Pushed, id_of as pushed_id};
pub(crate) use roll::{Operators, Roll, Step};

/// The longest list, in bytes.
pub(crate) const LIST_BYTES_MAX: usize = 16 << 20;

/// How long a server may take for a list.
const FETCH_MAX: Duration = Duration::from_secs(30);

/// How often files are looked at.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What a list says, or what is wrong with it.
pub(crate) type Read = Result<Vec<TargetConfig>, String>;

/// What came of reading a list.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) read: Read,
    /// What a server told, word by word, where it is worth keeping.
    text: Option<String>,
    /// Of a file: as it was before it was read.
    stamp: Option<Stamp>,
    /// Its file system didn't answer.
    is_silent: bool,
    /// It was waited for no longer: that tells nothing of its file system.
    is_late: bool,
}

impl Found {
    /// It has not come within this time.
    fn late(source: &Source, limit: Duration) -> Self {
        let seconds = limit.as_secs();
        let text = format!("{source}: not read within {seconds} s; it is tried again");
        Self {
            read: Err(text),
            text: None,
            stamp: None,
            is_silent: false,
            is_late: true,
        }
    }

    /// A server has told this, or why it tells nothing.
    pub(crate) fn told(config: &InventoryConfig, told: Result<String, String>) -> Self {
        let found = told.and_then(|text| Ok((understood(config, &text)?, text)));
        let (read, text) = match found {
            Ok((targets, text)) => {
                let is_worth = !targets.is_empty() || config.allow_empty;
                (Ok(targets), is_worth.then_some(text))
            }
            Err(error) => (Err(format!("{}: {error}", config.source)), None),
        };
        Self {
            read,
            text,
            stamp: None,
            is_silent: false,
            is_late: false,
        }
    }
}

/// What came of looking at the file of a list.
pub(crate) type Looked = Result<Option<Stamp>, String>;

/// What is to be done about a list now.
pub(crate) enum Look {
    /// Nothing.
    Nothing,
    /// It has to be read.
    Read,
    /// Whether it has changed is to be found out.
    Ask(Pin<Box<dyn Future<Output = Looked> + Send>>),
}

/// One list, as it was when it was last good.
#[derive(Debug)]
pub(crate) struct Inventory {
    pub(crate) config: InventoryConfig,
    /// What it says; empty before it was ever read.
    pub(crate) targets: Vec<TargetConfig>,
    /// What it says now doesn't go together with the rest, and may do so once the rest has changed.
    pub(crate) is_refused: bool,
    /// It is being read.
    pub(crate) is_read: bool,
    /// It is being found out whether its file has changed.
    is_looked_at: bool,
    /// It was read and taken at least once in this run.
    pub(crate) is_known: bool,
    /// How often it was read and taken.
    takes: u64,
    /// What its server told, if it is taken, and to be kept then.
    unkept: Option<String>,
    /// By what is known whether it says something else than when it was found last: of a file its stamp, else its text.
    said: u64,
    /// Why it couldn't be together with the rest, and what it said then: the log has told it.
    refusal: Option<(u64, String)>,
    /// What is wrong with it, as the log has told it.
    told: Option<String>,
    /// Its file system doesn't answer: what it was asked for first.
    silent: Option<Asked>,
    /// By what a file is known not to have changed since it was read.
    stamp: Option<Stamp>,
    /// The same at the last look.
    seen: Option<Stamp>,
    /// When the server is asked again.
    ask_at: Instant,
}

/// What a file system is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// Whether a file has changed.
    Stamp,
    /// What it says. Whether it has changed may be known all the same.
    Text,
}

/// Of a file: which, when written, how long.
pub(crate) type Stamp = (u64, i64, i64, u64);

impl Inventory {
    /// A list that was not read yet.
    pub(crate) fn new(config: InventoryConfig) -> Self {
        Self {
            config,
            targets: Vec::new(),
            is_refused: false,
            is_read: false,
            is_looked_at: false,
            is_known: false,
            takes: 0,
            unkept: None,
            said: 0,
            refusal: None,
            told: None,
            silent: None,
            stamp: None,
            seen: None,
            ask_at: Instant::now(),
        }
    }

    /// Whether a BMC that is not in it has left. One that names nobody may be a mistake, unless that is allowed.
    pub(crate) const fn is_complete(&self) -> bool {
        self.is_known && (!self.targets.is_empty() || self.config.allow_empty)
    }

    /// Goes on where the same list stands that is `known`.
    fn follow(&mut self, known: &Self) {
        self.is_known = known.is_known;
        self.takes = known.takes;
        self.told.clone_from(&known.told);
        self.refusal.clone_from(&known.refusal);
        self.silent = known.silent;
        self.is_looked_at = known.is_looked_at;
    }

    /// It is, and is read, as the same list that is `known`.
    fn go_on(&mut self, known: &Self) {
        self.is_read = known.is_read;
        self.is_refused = known.is_refused;
        (self.stamp, self.seen) = (known.stamp, known.seen);
        self.ask_at = known.ask_at;
    }

    /// How often it was read and taken.
    pub(crate) const fn takes(&self) -> u64 {
        self.takes
    }

    /// Looks what has to be done about it now.
    pub(crate) fn look(&mut self, files: &Files) -> Look {
        if self.is_read || self.is_looked_at {
            return Look::Nothing;
        }
        match &self.config.source {
            Source::File(path) => {
                self.is_looked_at = true;
                Look::Ask(Box::pin(files.ask(path, stamp)))
            }
            Source::Url(_) if self.ask_at <= Instant::now() => Look::Read,
            Source::Url(_) => Look::Nothing,
        }
    }

    /// Whether it has to be read, now that its file was looked at: it has changed, and not since the last look, so that nobody is in the
    /// middle of writing it.
    pub(crate) fn looked(&mut self, looked: Looked) -> bool {
        self.is_looked_at = false;
        match looked {
            Ok(now) => {
                if self.silent == Some(Asked::Stamp) {
                    self.speaks();
                }
                let is_quiet = std::mem::replace(&mut self.seen, now) == now;
                is_quiet && now != self.stamp && !self.is_read
            }
            Err(text) => {
                self.falls_silent(Asked::Stamp, &text);
                false
            }
        }
    }

    /// Sees to it that it is due, though it was read just now.
    pub(crate) fn ask_again(&mut self) {
        self.stamp = None;
        self.ask_at = Instant::now();
    }

    /// Begins to read it: what the future says is to be [taken](Self::found). It isn't due again before it changes, or its
    /// server is to be asked again.
    pub(crate) fn begin(&mut self, files: &Files) -> impl Future<Output = Found> + Send + use<> {
        (self.is_refused, self.is_read) = (false, true);
        let config = self.config.clone();
        if matches!(config.source, Source::Url(_)) {
            self.ask_at = Instant::now() + Duration::from_secs(config.refresh_s.into());
        }
        read(config, files.clone())
    }

    /// What was read, where it may take the place of what it was. It is for the caller to check it against the rest.
    ///
    /// # Errors
    /// What is wrong with it, where the log is to tell that.
    pub(crate) fn found(
        &mut self,
        was: &[TargetConfig],
        found: Found,
    ) -> Result<Vec<TargetConfig>, Option<String>> {
        (self.is_read, self.unkept) = (false, None);
        if found.is_silent {
            // Once it answers, it is read.
            self.stamp = None;
            let text = found.read.err().unwrap_or_default();
            self.falls_silent(Asked::Text, &text);
            return Err(None);
        }
        if found.is_late && self.silent.is_some() {
            // The log has said why.
            self.stamp = None;
            return Err(None);
        }
        self.speaks();
        self.stamp = found.stamp;
        self.said = BuildHasherDefault::<DefaultHasher>::new().hash_one((found.stamp, &found.text));
        match self.checked(was, found.read) {
            Ok(targets) => {
                (self.told, self.unkept) = (None, found.text);
                Ok(targets)
            }
            Err(text) => {
                // A server says the same again and again; of a file everybody who has written it hears.
                let is_told = self.told.as_ref() == Some(&text) && found.stamp.is_none();
                self.told = Some(text.clone());
                Err((!is_told).then_some(text))
            }
        }
    }

    /// It is taken as it was found.
    pub(crate) fn is_taken(&mut self) {
        self.is_known = true;
        self.refusal = None;
        self.takes += 1;
    }

    /// It can't be together with the rest as it was found, and is as it was before that. Returns whether the log is to tell it:
    /// a server says the same again and again.
    pub(crate) fn put_back(&mut self, was: Vec<TargetConfig>, why: &str) -> bool {
        (self.targets, self.is_refused, self.unkept) = (was, true, None);
        let refusal = Some((self.said, why.to_owned()));
        let is_new = self.refusal != refusal;
        self.refusal = refusal;
        is_new
    }

    /// What its server told, where that was taken and is to be kept: once.
    fn unkept(&mut self) -> Option<(http::Uri, String)> {
        let text = self.unkept.take()?;
        match &self.config.source {
            Source::Url(url) => Some((url.clone(), text)),
            Source::File(_) => None,
        }
    }

    /// Its file system doesn't answer: that is told once.
    fn falls_silent(&mut self, asked: Asked, text: &str) {
        if self.silent.is_none() {
            self.silent = Some(asked);
            let source = &self.config.source;
            tracing::error!("this list of BMCs stays as it was: {source}: {text}");
        }
    }

    /// Its file system answers.
    fn speaks(&mut self) {
        if self.silent.take().is_some() {
            let source = &self.config.source;
            tracing::info!("the file system of this list of BMCs answers again: {source}");
        }
    }

    /// Whether it was good when it was read last.
    pub(crate) const fn is_good(&self) -> bool {
        self.told.is_none() && self.silent.is_none() && !self.is_refused
    }

    /// What a server told an earlier run, where that was kept and still makes sense.
    fn told_before(&self, kept: &Kept) -> Option<Vec<TargetConfig>> {
        let Source::Url(url) = &self.config.source else {
            return None;
        };
        understood(&self.config, &kept.get(url)?).ok()
    }

    /// What was read of it, where that may take the place of what it was. It is for the caller to check it against the rest.
    ///
    /// # Errors
    /// What is wrong with it: it can't be read, or says suspiciously little.
    pub(crate) fn checked(&self, was: &[TargetConfig], read: Read) -> Read {
        let read = read?;
        match read.is_empty() && !was.is_empty() && !self.config.allow_empty {
            true => Err(format!(
                "{}: names no BMC any more, which would remove {}; to have that, set allow_empty = true in its [[inventory]], \
                 or take that away, and reload",
                self.config.source,
                was.len()
            )),
            false => Ok(read),
        }
    }
}

/// How it is with each list, as [`show`] was told last: there is one service in a process.
static SHOWN: Mutex<Vec<(Source, bool)>> = Mutex::new(Vec::new());

/// Has these lists shown by [`shown`] from now on.
pub(crate) fn show(lists: &[Inventory]) {
    let mut shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let now = || {
        lists
            .iter()
            .map(|list| (&list.config.source, list.is_good()))
    };
    if !now().eq(shown.iter().map(|(source, is_good)| (source, *is_good))) {
        *shown = now()
            .map(|(source, is_good)| (source.clone(), is_good))
            .collect();
    }
}

/// Each list, and whether it was good when it was read last and its file system answers.
pub(crate) fn shown() -> Vec<(Source, bool)> {
    let shown = SHOWN.lock();
    shown.unwrap_or_else(PoisonError::into_inner).clone()
}

async fn read(config: InventoryConfig, files: Files) -> Found {
    let source = config.source.to_string();
    match config.source.clone() {
        Source::File(path) => {
            let read = files.ask(&path, move |path| {
                // Before the text: what is written meanwhile is noticed.
                let before = stamp(path);
                let read = read_file(path, before).and_then(|text| understood(&config, &text));
                (read, before)
            });
            match read.await {
                Ok((read, stamp)) => Found {
                    read: read.map_err(|text| format!("{source}: {text}")),
                    text: None,
                    stamp,
                    is_silent: false,
                    is_late: false,
                },
                Err(text) => Found {
                    // The log says of which list.
                    read: Err(text),
                    text: None,
                    stamp: None,
                    is_silent: true,
                    is_late: false,
                },
            }
        }
        Source::Url(url) => {
            let fetched = ask(&url, &config).await;
            // Long lists take a while.
            let told = spawn_blocking({
                let config = config.clone();
                move || Found::told(&config, fetched)
            });
            let panicked = |_| Found::told(&config, Err("it can't be read".to_owned()));
            told.await.unwrap_or_else(panicked)
        }
    }
}

/// What a server answers.
async fn ask(url: &http::Uri, config: &InventoryConfig) -> Result<String, String> {
    let bearer = config.token.as_ref().map(bearer);
    let headers: Vec<_> = bearer
        .iter()
        .map(|bearer| (AUTHORIZATION, bearer))
        .collect();
    let wanted = Fetch {
        url,
        headers: &headers,
        ca_file: config.ca_file.as_deref(),
        section: "[[inventory]]",
        time_max: FETCH_MAX,
        bytes_max: LIST_BYTES_MAX,
    };
    fetch(&wanted).await
}

fn bearer(token: &Secret) -> Secret {
    Secret::new([b"Bearer ", token.expose()].concat())
}

fn understood(config: &InventoryConfig, text: &str) -> Read {
    let list = tree::read(config.format, text)?;
    entry::targets(list, &config.treatment)
}

fn stamp(path: &Path) -> Option<Stamp> {
    let found = fs::metadata(path).ok()?;
    Some((found.ino(), found.mtime(), found.mtime_nsec(), found.len()))
}

/// The text of a file that had this stamp before.
fn read_file(path: &Path, before: Option<Stamp>) -> Result<String, String> {
    let missing = |e: std::io::Error| format!("{e}; an [[inventory]] names it as its file");
    let length = fs::metadata(path).map_err(missing)?.len();
    if length > LIST_BYTES_MAX as u64 {
        return Err(format!("longer than {LIST_BYTES_MAX} bytes"));
    }
    let text = fs::read_to_string(path).map_err(|e| e.to_string())?;
    match stamp(path) == before {
        true => Ok(text),
        false => Err("it was written while it was read; it is read again".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Format, Treatment};

    /// What holds where a configuration says nothing.
    fn treatment() -> Treatment {
        let text = "[service]\nstate_dir = \"s\"\n[credentials.default]\nusername = \"u\"\n\
                    password_command = [\"echo\", \"one\"]\n[[target]]\nhosts = \"10.0.0.9\"\n";
        let config = Config::parse(text, Path::new("/")).unwrap();
        Treatment::clone(&config.targets[0].treatment)
    }

    fn list(source: Source) -> Inventory {
        Inventory::new(InventoryConfig {
            source,
            format: Format::Json,
            refresh_s: 60,
            allow_empty: false,
            token: None,
            ca_file: None,
            treatment: treatment(),
        })
    }

    #[tokio::test]
    async fn a_file_is_read_when_two_looks_in_a_row_find_it_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bmcs.json");
        let mut list = list(Source::File(path.clone()));
        let files = Files::default();
        let looked = |list: &mut Inventory| list.looked(Ok(stamp(&path)));
        assert!(!looked(&mut list), "there is none, as when it began");
        // Somebody writes it bit by bit.
        let mut text = String::new();
        for piece in ["[", "{\"host\": \"10.0.0.1\", ", "\"name\": \"n1\"}", "]"] {
            text.push_str(piece);
            fs::write(&path, &text).unwrap();
            assert!(!looked(&mut list), "{text}");
        }
        assert!(looked(&mut list));
        let found = list.begin(&files).await;
        assert!(!looked(&mut list), "it is being read");
        let read = list.found(&[], found).unwrap();
        assert_eq!(read[0].id.as_str(), "n1");
        assert!(!looked(&mut list));
        list.ask_again();
        assert!(looked(&mut list));
        // Written while it is read.
        let before = stamp(&path);
        fs::write(&path, "[]\n\n").unwrap();
        let written = read_file(&path, before);
        assert!(written.as_ref().unwrap_err().contains("read again"));
        let found = Found {
            read: written.map(|_| Vec::new()),
            text: None,
            stamp: before,
            is_silent: false,
            is_late: false,
        };
        assert!(list.found(&[], found).is_err());
        assert!(!looked(&mut list), "not while it is being written");
        assert!(looked(&mut list));
    }

    #[test]
    fn a_list_that_is_late_since_its_file_system_hangs_does_not_answer_again() {
        let mut list = list(Source::File("hung".into()));
        let late = |list: &Inventory| Found::late(&list.config.source, FETCH_MAX);
        let found = late(&list);
        assert!(list.found(&[], found).unwrap_err().is_some());
        assert!(!list.looked(Err("it hangs".to_owned())));
        let found = late(&list);
        assert_eq!(list.found(&[], found), Err(None), "it was told");
        assert!(list.silent.is_some());
        assert!(!list.looked(Ok(None)));
        assert_eq!(list.silent, None);
    }

    #[test]
    fn a_file_system_that_only_tells_of_a_file_answers_again_when_it_can_be_read() {
        let mut list = list(Source::File("slow".into()));
        let found = |is_silent: bool| Found {
            read: Err("it takes its time".to_owned()),
            text: None,
            stamp: None,
            is_silent,
            is_late: false,
        };
        let now = Some((1, 2, 3, 4));
        assert!(!list.looked(Ok(now)));
        for _ in 0..3 {
            assert!(list.looked(Ok(now)), "it is read again");
            assert_eq!(list.found(&[], found(true)), Err(None));
            assert!(list.looked(Ok(now)), "it is to be read again");
            assert_eq!(list.silent, Some(Asked::Text), "told once");
            assert!(!list.looked(Err("it hangs".to_owned())));
        }
        assert!(list.found(&[], found(false)).is_err());
        assert_eq!(list.silent, None);
    }

    #[test]
    fn why_a_list_is_refused_is_told_once_until_it_says_something_else_or_is_taken() {
        let mut list = list(Source::Url(http::Uri::from_static("http://sd.example/")));
        let is_told = |list: &mut Inventory, says: &str, why: &str| {
            let found = Found::told(&list.config, Ok(says.to_owned()));
            list.found(&[], found).unwrap();
            list.put_back(Vec::new(), why)
        };
        let (one, other) = ("[{\"host\": \"10.0.0.1\"}]", "[{\"host\": \"10.0.0.2\"}]");
        assert!(is_told(&mut list, one, "it is there twice"));
        for _ in 0..2 {
            assert!(!is_told(&mut list, one, "it is there twice"));
        }
        assert!(is_told(&mut list, one, "another has it"));
        assert!(is_told(&mut list, other, "another has it"));
        list.is_taken();
        assert!(is_told(&mut list, other, "another has it"));
    }

    #[test]
    fn a_list_that_names_nobody_any_more_is_refused_unless_that_is_allowed() {
        let mut list = list(Source::Url(http::Uri::from_static(
            "http://user@sd.example:8080/bmcs?token=geheim",
        )));
        let entries = tree::read(Format::Json, "[{\"host\": \"10.0.0.1\"}]").unwrap();
        let was = entry::targets(entries, &treatment()).unwrap();
        assert_eq!(list.checked(&[], Ok(Vec::new())), Ok(Vec::new()));
        let refused = list.checked(&was, Ok(Vec::new())).unwrap_err();
        let told = "http://sd.example:8080/bmcs?…: names no BMC any more, which would remove 1;";
        assert!(refused.starts_with(told), "{refused}");
        assert!(refused.contains("allow_empty = true"));
        list.config.allow_empty = true;
        assert_eq!(list.checked(&was, Ok(Vec::new())), Ok(Vec::new()));
    }

    #[test]
    fn what_a_server_told_is_kept_by_its_url_and_goes_with_its_section() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::new(folder.path());
        let url = http::Uri::from_static("https://sd.example/bmcs?token=geheim");
        assert_eq!(kept.get(&url), None);
        kept.put(&url, "[]");
        kept.put(&url, "[{\"host\": \"10.0.0.1\"}]");
        let list = list(Source::Url(url.clone()));
        assert_eq!(list.told_before(&kept).unwrap().len(), 1);
        kept.tidy(std::slice::from_ref(&list.config));
        assert!(kept.get(&url).is_some());
        kept.tidy(&[]);
        assert_eq!(kept.get(&url), None);
    }
}
