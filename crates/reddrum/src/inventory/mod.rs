//! Lists of BMCs outside of the configuration file: read, followed, and read again when they change.

mod entry;
mod merge;
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
pub(crate) use merge::{Gathered, gather, merged};

/// The longest list, in bytes.
pub(crate) const LIST_BYTES_MAX: usize = 16 << 20;

/// How long a server may take for a list.
const FETCH_MAX: Duration = Duration::from_secs(30);

/// How often files are looked at.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(2);

/// One list, as it was when it was last good.
#[derive(Debug)]
pub(crate) struct Inventory {
    pub(crate) config: InventoryConfig,
    /// What it says; empty before it was ever read.
    pub(crate) targets: Vec<TargetConfig>,
    /// What it says now doesn't go together with the rest, and may do so once the rest has changed.
    pub(crate) is_refused: bool,
    /// By what a file is known not to have changed.
    stamp: Option<Stamp>,
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
            stamp: None,
            ask_at: Instant::now(),
        }
    }

    /// Whether it has to be read now: its file has changed, or it is time to ask the server.
    pub(crate) fn is_due(&self) -> bool {
        match &self.config.source {
            Source::File(path) => stamp(path) != self.stamp,
            Source::Url(_) => self.ask_at <= Instant::now(),
        }
    }

    /// Reads it. What it says is for the caller to check against the rest before it takes the place of `targets`.
    ///
    /// # Errors
    /// What is wrong with it. It isn't read again before it changes, or its server is to be asked again.
    pub(crate) async fn read(&mut self) -> Result<Vec<TargetConfig>, String> {
        let config = &self.config;
        let text = match &config.source {
            Source::File(path) => {
                let path = path.clone();
                // Before the text: what is written meanwhile is noticed.
                self.stamp = stamp(&path);
                let read = spawn_blocking(move || read_file(&path)).await;
                read.unwrap_or_else(|_| Err("it can't be read".to_owned()))
            }
            Source::Url(url) => {
                self.ask_at = Instant::now() + Duration::from_secs(config.refresh_s.into());
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
        };
        let read = text
            .and_then(|text| tree::read(config.format, &text))
            .and_then(|list| entry::targets(list, &config.treatment));
        read.map_err(|text| format!("{}: {text}", config.source))
    }
}

fn bearer(token: &Secret) -> Secret {
    Secret::new([b"Bearer ", token.expose()].concat())
}

fn stamp(path: &Path) -> Option<Stamp> {
    let found = fs::metadata(path).ok()?;
    Some((found.ino(), found.mtime(), found.mtime_nsec(), found.len()))
}

fn read_file(path: &Path) -> Result<String, String> {
    let length = fs::metadata(path).map_err(|e| e.to_string())?.len();
    if length > LIST_BYTES_MAX as u64 {
        return Err(format!("longer than {LIST_BYTES_MAX} bytes"));
    }
    fs::read_to_string(path).map_err(|e| e.to_string())
}
