//! Lists of BMCs outside of the configuration file: read, followed, and read again when they change.

mod entry;
mod kept;
mod merge;
mod pushed;
mod roll;
mod tree;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use http::header::AUTHORIZATION;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::config::{InventoryConfig, Secret, Source, TargetConfig};
use crate::fetch::{Fetch, fetch};
pub(crate) use kept::Kept;
pub(crate) use merge::{Clash as ListClash, Gathered, Named, gather, merged};
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
    /// It was read and taken at least once in this run.
    pub(crate) is_known: bool,
    /// By what a file is known not to have changed since it was read.
    stamp: Option<Stamp>,
    /// The same at the last look.
    seen: Option<Stamp>,
    /// When the server is asked again.
    ask_at: Instant,
}

/// Of a file: which, when written, how long.
type Stamp = (u64, i64, i64, u64);

impl Inventory {
    /// A list that was not read yet.
    pub(crate) fn new(config: InventoryConfig) -> Self {
        Self {
            config,
            targets: Vec::new(),
            is_refused: false,
            is_read: false,
            is_known: false,
            stamp: None,
            seen: None,
            ask_at: Instant::now(),
        }
    }

    /// Whether a BMC that is not in it has left. One that names nobody may be a mistake, unless that is allowed.
    pub(crate) const fn is_complete(&self) -> bool {
        self.is_known && (!self.targets.is_empty() || self.config.allow_empty)
    }

    /// Looks whether it has to be read now: its file has changed, and not since the last look, so that nobody is in the middle of
    /// writing it; or it is time to ask the server.
    pub(crate) fn is_due(&mut self) -> bool {
        if self.is_read {
            return false;
        }
        match &self.config.source {
            Source::File(path) => {
                let now = stamp(path);
                let is_quiet = std::mem::replace(&mut self.seen, now) == now;
                is_quiet && now != self.stamp
            }
            Source::Url(_) => self.ask_at <= Instant::now(),
        }
    }

    /// Sees to it that it is due, though it was read just now.
    pub(crate) fn ask_again(&mut self) {
        self.stamp = None;
        self.ask_at = Instant::now();
    }

    /// Begins to read it: what the future says is to be [checked](Self::checked). It isn't due again before it changes, or its
    /// server is to be asked again.
    pub(crate) fn begin(&mut self, kept: Option<&Kept>) -> impl Future<Output = Read> + use<> {
        let (config, kept) = (self.config.clone(), kept.cloned());
        match &config.source {
            // Before the text: what is written meanwhile is noticed.
            Source::File(path) => self.stamp = stamp(path),
            Source::Url(_) => {
                self.ask_at = Instant::now() + Duration::from_secs(config.refresh_s.into());
            }
        }
        read(config, self.stamp, kept)
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

async fn read(config: InventoryConfig, stamp: Option<Stamp>, kept: Option<Kept>) -> Read {
    let source = config.source.to_string();
    let fetched = match &config.source {
        Source::File(_) => Ok(None),
        Source::Url(url) => ask(url, &config).await.map(Some),
    };
    // Long lists take a while, and disks may be slow.
    let read = spawn_blocking(move || match &config.source {
        Source::File(path) => understood(&config, &read_file(path, stamp)?),
        Source::Url(url) => {
            let text = fetched?.unwrap_or_default();
            let targets = understood(&config, &text)?;
            if let Some(kept) = kept.filter(|_| !targets.is_empty() || config.allow_empty) {
                kept.put(url, &text);
            }
            Ok(targets)
        }
    });
    let read = read.await;
    let read = read.unwrap_or_else(|_| Err("it can't be read".to_owned()));
    read.map_err(|text| format!("{source}: {text}"))
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
    let length = fs::metadata(path).map_err(|e| e.to_string())?.len();
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
        let folder = std::env::temp_dir().join(format!("list-looks-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("bmcs.json");
        let mut list = list(Source::File(path.clone()));
        assert!(!list.is_due(), "there is none, as when it began");
        // Somebody writes it bit by bit.
        let mut text = String::new();
        for piece in ["[", "{\"host\": \"10.0.0.1\", ", "\"name\": \"n1\"}", "]"] {
            text.push_str(piece);
            fs::write(&path, &text).unwrap();
            assert!(!list.is_due(), "{text}");
        }
        assert!(list.is_due());
        let read = list.begin(None).await.unwrap();
        assert_eq!(read[0].id.as_str(), "n1");
        assert!(!list.is_due());
        list.ask_again();
        assert!(list.is_due());
        // Written between the look and the reading.
        let reading = list.begin(None);
        fs::write(&path, "[]\n\n").unwrap();
        assert!(reading.await.unwrap_err().contains("read again"));
        assert!(!list.is_due(), "not while it is being written");
        assert!(list.is_due());
        fs::remove_dir_all(folder).unwrap();
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
        let folder = std::env::temp_dir().join(format!("list-kept-{}", std::process::id()));
        let kept = Kept::new(&folder);
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
        fs::remove_dir_all(folder).unwrap();
    }
}
