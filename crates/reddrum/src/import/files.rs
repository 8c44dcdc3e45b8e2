//! RedDrum's files: where they are and what form they have.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::error::ProgramError;

/// The longest file that is read, in bytes. RedDrum's own are a few kilobytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;
/// Folders below the one that the operator names in which RedDrum keeps its JSON files: the cache's root, a system's
/// root, where it was started with `--Local`, and the folder itself.
const FOLDERS: [&str; 4] = ["db", "var/www/rf/db", "isLocalData/var/www/rf/db", ""];

/// One of RedDrum's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum File {
    /// Settings of the program, with sections.
    Conf,
    /// Accounts, with their passwords or hashes of them.
    Accounts,
    /// Roles.
    Roles,
    /// Rules for accounts.
    AccountService,
    /// How long sessions live.
    SessionService,
    /// Rules for the delivery of events.
    EventService,
    /// Subscriptions, as they are read at its start.
    Subscriptions,
    /// Subscriptions, as they are written when a client makes one.
    NewSubscriptions,
    /// Names the service.
    Uuid,
}

impl File {
    /// All of them.
    pub(super) const ALL: [Self; 9] = [
        Self::Conf,
        Self::Accounts,
        Self::Roles,
        Self::AccountService,
        Self::SessionService,
        Self::EventService,
        Self::Subscriptions,
        Self::NewSubscriptions,
        Self::Uuid,
    ];

    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Conf => "RedDrum.conf",
            Self::Accounts => "AccountsDb.json",
            Self::Roles => "RolesDb.json",
            Self::AccountService => "AccountServiceDb.json",
            Self::SessionService => "SessionServiceDb.json",
            Self::EventService => "EventServiceDb.json",
            Self::Subscriptions => "EventDestinationCollectionDb.json",
            Self::NewSubscriptions => "EventsDb.json",
            Self::Uuid => "ServiceRootUuidDb.json",
        }
    }
}

/// Those that are there.
#[derive(Debug)]
pub(super) struct Files(BTreeMap<File, PathBuf>);

impl Files {
    /// Looks for them below `dir`; `conf` is elsewhere if it is given.
    pub(super) fn find(dir: &Path, conf: Option<&Path>) -> Result<Self, ProgramError> {
        let mut found = BTreeMap::new();
        for file in File::ALL {
            let mut places = FOLDERS.iter().map(|folder| dir.join(folder));
            let path = match (file, conf) {
                (File::Conf, Some(conf)) => Some(conf.to_owned()),
                (File::Conf, None) => Some(dir.join(file.name())).filter(|path| path.is_file()),
                _ => places
                    .find(|folder| folder.join(file.name()).is_file())
                    .map(|folder| folder.join(file.name())),
            };
            found.extend(path.map(|path| (file, path)));
        }
        if found.is_empty() {
            return Err(ProgramError::Usage(format!(
                "{} has none of RedDrum's files, such as db/AccountsDb.json",
                dir.display()
            )));
        }
        Ok(Self(found))
    }

    /// Whether it is there.
    pub(super) fn has(&self, file: File) -> bool {
        self.0.contains_key(&file)
    }

    /// The text of a file; `None` if it isn't there.
    pub(super) fn read(&self, file: File) -> Result<Option<Zeroizing<String>>, ProgramError> {
        let Some(path) = self.0.get(&file) else {
            return Ok(None);
        };
        let failed =
            |e: &dyn std::fmt::Display| ProgramError::Usage(format!("{}: {e}", path.display()));
        let mut text = Zeroizing::new(String::new());
        fs::File::open(path)
            .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text))
            .map_err(|e| failed(&e))?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Err(failed(&format!("longer than {MAX_FILE_BYTES} bytes")));
        }
        Ok(Some(text))
    }

    /// What a JSON file holds; `None` if it isn't there.
    pub(super) fn json<T: DeserializeOwned>(&self, file: File) -> Result<Option<T>, ProgramError> {
        let Some(text) = self.read(file)? else {
            return Ok(None);
        };
        let json = serde_json::from_str(&text)
            .map_err(|e| ProgramError::Usage(format!("{}: {e}", file.name())))?;
        Ok(Some(json))
    }

    /// The object that a JSON file holds.
    pub(super) fn object(&self, file: File) -> Result<Option<Map<String, Value>>, ProgramError> {
        self.json(file)
    }
}
