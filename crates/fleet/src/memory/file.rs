//! The file: four tables and a version, in one redb database.

use std::fs;
use std::io;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use redb::backends::InMemoryBackend;
use redb::{
    Builder, Database, DatabaseError, ReadTransaction, ReadableDatabase, ReadableTable,
    TableDefinition, WriteTransaction,
};

use super::{Fingerprint, OpenSession, Pending};
use crate::drive::unix_ms;

/// Memory for pages of the file, in bytes: it is read once, and written in batches.
const CACHE_BYTES: usize = 4 << 20;

/// How long to wait for a process that is about to end and has the file open.
const OPEN_ATTEMPTS: u32 = 50;
const OPEN_PAUSE: Duration = Duration::from_millis(100);

/// The form of the entries that this program writes.
const SCHEMA_VERSION: u64 = 1;
const SCHEMA_KEY: &str = "schema";

/// Brings a file from the version at its place in the list, counted from 1, to the next.
type Migration = fn(&WriteTransaction) -> Result<(), redb::Error>;

/// One for each version before [`SCHEMA_VERSION`].
const MIGRATIONS: [Migration; SCHEMA_VERSION as usize - 1] = [];

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// By name of the node: what its first contact found.
const CONTACTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("contacts");
/// By name of the node: how far its event log was told.
const LOGS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("logs");
/// By name of the node: the session that is open, by the BMC's ID of it and our port.
const SESSIONS: TableDefinition<'_, &str, (u32, u16)> = TableDefinition::new("open-sessions");
/// By fingerprint: what sensors are made from.
const REPOSITORIES: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("repositories");

/// Opens or creates the file. One that can't be used is moved aside, so that the next run begins anew; where no file can be had at
/// all, memory stands in for it. The log says which.
pub(super) fn open(path: &Path) -> Database {
    for attempt in 0..2 {
        match try_open(path) {
            Ok(database) => return database,
            Err(error) if attempt == 0 && is_of_the_file(&error) => {
                let aside = aside(path);
                let moved = fs::rename(path, &aside);
                tracing::warn!(
                    file = %path.display(),
                    %error,
                    moved_to = %aside.display(),
                    moved = moved.is_ok(),
                    "what was remembered of BMCs can't be used; all is asked anew"
                );
            }
            Err(error) => {
                tracing::warn!(
                    file = %path.display(),
                    %error,
                    "nothing can be remembered of BMCs; after a restart all is asked anew"
                );
                break;
            }
        }
    }
    volatile()
}

/// A database in memory.
pub(super) fn volatile() -> Database {
    Builder::new()
        .create_with_backend(InMemoryBackend::new())
        .and_then(|database| prepare(database).map_err(|_| DatabaseError::UpgradeRequired(0)))
        .expect("a database in memory needs nothing that could be missing")
}

/// A name beside the file that nothing has.
fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".unusable-{}", unix_ms()));
    name.into()
}

/// Whether another file would do.
const fn is_of_the_file(error: &redb::Error) -> bool {
    !matches!(error, redb::Error::Io(_) | redb::Error::DatabaseAlreadyOpen)
}

fn try_open(path: &Path) -> Result<Database, redb::Error> {
    let mut attempt = 0;
    loop {
        match Builder::new().set_cache_size(CACHE_BYTES).create(path) {
            Err(DatabaseError::DatabaseAlreadyOpen) if attempt < OPEN_ATTEMPTS => {
                attempt += 1;
                thread::sleep(OPEN_PAUSE);
            }
            // What is no database at all.
            Err(DatabaseError::Storage(redb::StorageError::Io(error)))
                if error.kind() == io::ErrorKind::InvalidData =>
            {
                return Err(redb::Error::Corrupted(error.to_string()));
            }
            opened => return prepare(opened?),
        }
    }
}

fn prepare(database: Database) -> Result<Database, redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut meta = transaction.open_table(META)?;
        let found = meta.get(SCHEMA_KEY)?.map(|version| version.value());
        let version = found.unwrap_or(SCHEMA_VERSION);
        let Some(to_do) = version
            .checked_sub(1)
            .and_then(|done| MIGRATIONS.get(usize::try_from(done).ok()?..))
        else {
            let text =
                format!("it has form {version}, and this program knows up to {SCHEMA_VERSION}");
            return Err(redb::Error::Corrupted(text));
        };
        for migration in to_do {
            migration(&transaction)?;
        }
        meta.insert(SCHEMA_KEY, SCHEMA_VERSION)?;
        transaction.open_table(CONTACTS)?;
        transaction.open_table(LOGS)?;
        transaction.open_table(SESSIONS)?;
        transaction.open_table(REPOSITORIES)?;
    }
    transaction.commit()?;
    Ok(database)
}

/// The thread that writes. Dropped, it is waited for.
pub(super) struct Writer(Option<JoinHandle<()>>);

impl Writer {
    /// Runs `write` on a thread of its own.
    pub(super) fn start(write: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let thread = thread::Builder::new().name("fleet-memory".to_owned());
        Ok(Self(Some(thread.spawn(write)?)))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // It ends by a panic only where the database has; what was written stays good.
            let _ = thread.join();
        }
    }
}

/// Writes a batch, whole or not at all.
pub(super) fn write(database: &Database, batch: &Pending) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut repositories = transaction.open_table(REPOSITORIES)?;
        for (fingerprint, bytes) in &batch.repositories {
            repositories.insert(fingerprint, &**bytes)?;
        }
        let mut contacts = transaction.open_table(CONTACTS)?;
        for (id, contact) in &batch.contacts {
            match contact {
                Some(bytes) => contacts.insert(id.as_str(), &**bytes)?,
                None => contacts.remove(id.as_str())?,
            };
        }
        let mut logs = transaction.open_table(LOGS)?;
        for (id, position) in &batch.logs {
            match position {
                Some(bytes) => logs.insert(id.as_str(), &**bytes)?,
                None => logs.remove(id.as_str())?,
            };
        }
        let mut sessions = transaction.open_table(SESSIONS)?;
        for (id, session) in &batch.sessions {
            match session {
                Some(open) => sessions.insert(id.as_str(), (open.id.get(), open.port))?,
                None => sessions.remove(id.as_str())?,
            };
        }
    }
    transaction.commit()?;
    Ok(())
}

/// Removes repositories that no BMC has any more.
pub(super) fn tidy(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut used = std::collections::HashSet::new();
        for entry in transaction.open_table(CONTACTS)?.iter()? {
            let (_, contact) = entry?;
            used.extend(contact.value().first_chunk::<32>().copied());
        }
        let mut repositories = transaction.open_table(REPOSITORIES)?;
        repositories.retain(|fingerprint, _| used.contains(fingerprint))?;
    }
    transaction.commit()?;
    Ok(())
}

/// What the file says, as of one moment.
pub(super) struct View(ReadTransaction);

impl View {
    pub(super) fn of(database: &Database) -> Result<Self, redb::Error> {
        Ok(Self(database.begin_read()?))
    }

    pub(super) fn contact(&self, id: &str) -> Result<Option<Vec<u8>>, redb::Error> {
        let table = self.0.open_table(CONTACTS)?;
        Ok(table.get(id)?.map(|bytes| bytes.value().to_vec()))
    }

    pub(super) fn log(&self, id: &str) -> Result<Option<Vec<u8>>, redb::Error> {
        let table = self.0.open_table(LOGS)?;
        Ok(table.get(id)?.map(|bytes| bytes.value().to_vec()))
    }

    pub(super) fn session(&self, id: &str) -> Result<Option<OpenSession>, redb::Error> {
        let table = self.0.open_table(SESSIONS)?;
        let found = table.get(id)?.map(|session| session.value());
        Ok(found.and_then(|(id, port)| {
            let id = NonZeroU32::new(id)?;
            Some(OpenSession { id, port })
        }))
    }

    pub(super) fn repository(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<Option<Vec<u8>>, redb::Error> {
        let table = self.0.open_table(REPOSITORIES)?;
        Ok(table.get(fingerprint)?.map(|bytes| bytes.value().to_vec()))
    }
}
