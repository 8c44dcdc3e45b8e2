//! The file: five tables and a version, in one redb database.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::num::{NonZeroU32, NonZeroU64};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hardware::{LogEvent, LogNews, NodeId};
use redb::backends::{FileBackend, InMemoryBackend};
use redb::{
    Builder, Database, DatabaseError, ReadTransaction, ReadableDatabase, ReadableTable,
    ReadableTableMetadata, TableDefinition, WriteTransaction,
};

use super::journal::event_of;
use super::{Fingerprint, OpenSession, PARTED_MAX, Pending, is_over};
use crate::drive::unix_ms;

/// Memory for pages of the file, in bytes: it is read once, and written in batches.
const CACHE_BYTES: usize = 4 << 20;

/// How long to wait for a process that is about to end and has the file open.
const OPEN_ATTEMPTS: u32 = 50;
const OPEN_PAUSE: Duration = Duration::from_millis(100);

/// The form of the entries that this program writes.
const SCHEMA_VERSION: u64 = 1;
const SCHEMA_KEY: &str = "schema";
/// Which journal of event logs the file has: when it was made, in milliseconds since 1970.
const JOURNAL_KEY: &str = "journal";
/// The number of the next news in it.
const NEXT_NEWS_KEY: &str = "next-news";

/// News that nobody reads beyond this many makes room for newer: about 100 MB.
const NEWS_MAX: u64 = 1 << 20;

/// Brings a file from the version at its place in the list, counted from 1, to the next.
type Migration = fn(&WriteTransaction) -> Result<(), redb::Error>;

/// One for each version before [`SCHEMA_VERSION`].
const MIGRATIONS: [Migration; SCHEMA_VERSION as usize - 1] = [];

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// By name of the node: what its first contact found.
const CONTACTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("contacts");
/// By name of the node: how far its event log was read.
const LOGS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("logs");
/// By name of the node: the session that is open, by the BMC's ID of it and our port.
const SESSIONS: TableDefinition<'_, &str, (u32, u16)> = TableDefinition::new("open-sessions");
/// By name of the node: when it left, in milliseconds since 1970, where it is no longer part of the fleet.
const PARTED: TableDefinition<'_, &str, u64> = TableDefinition::new("parted");
/// By fingerprint: what sensors are made from.
const REPOSITORIES: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("repositories");
/// By number: the name of the node and the record that is new in its event log; no record where entries were lost.
const NEWS: TableDefinition<'_, u64, (&str, &[u8])> = TableDefinition::new("log-news");

/// The file, or memory that stands in for it.
pub(super) struct File {
    /// `None` = memory.
    path: Option<PathBuf>,
    /// `None` after it failed, until it can be opened again: only that brings back what was committed last.
    database: Mutex<Option<Arc<Database>>>,
    is_failing: AtomicBool,
    is_closed: AtomicBool,
}

impl File {
    fn new(path: Option<PathBuf>, database: Database) -> Self {
        Self {
            path,
            database: Mutex::new(Some(Arc::new(database))),
            is_failing: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
        }
    }

    /// Lets go of it for good.
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        self.lock().take();
    }

    /// Whether it could not be used the last time.
    pub(super) fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    /// Works on the database.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, redb::Error> {
        let done = self.database().and_then(|database| work(&database));
        self.is_failing.store(done.is_err(), Ordering::Relaxed);
        if done.is_err() && self.path.is_some() {
            self.lock().take();
        }
        done
    }

    /// What the file says now.
    pub(super) fn view(&self) -> Result<View, redb::Error> {
        Ok(View(self.database()?.begin_read()?))
    }

    /// Which journal of event logs it has.
    pub(super) fn journal_id(&self) -> u64 {
        let read = || -> Result<u64, redb::Error> {
            let meta = self.database()?.begin_read()?.open_table(META)?;
            Ok(meta.get(JOURNAL_KEY)?.map_or(0, |id| id.value()))
        };
        // It was written when the file was opened, just before.
        read().unwrap_or(0)
    }

    /// The number of the news that was written last; 0 where none was, or that can't be told.
    pub(super) fn last_news(&self) -> u64 {
        let read = || -> Result<u64, redb::Error> {
            let meta = self.database()?.begin_read()?.open_table(META)?;
            let next = meta.get(NEXT_NEWS_KEY)?;
            Ok(next.map_or(0, |next| next.value().saturating_sub(1)))
        };
        read().unwrap_or(0)
    }

    fn database(&self) -> Result<Arc<Database>, redb::Error> {
        let mut database = self.lock();
        match (&*database, &self.path) {
            (Some(database), _) => Ok(Arc::clone(database)),
            (None, Some(path)) if !self.is_closed.load(Ordering::Relaxed) => {
                let opened = Arc::new(open_once(path)?);
                *database = Some(Arc::clone(&opened));
                Ok(opened)
            }
            (None, _) => Err(io::Error::from(io::ErrorKind::NotFound).into()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Database>>> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens or creates the file. One that can't be used is moved aside, so that the next run begins anew; where no file can be had at
/// all, memory stands in for it. The log says which.
pub(super) fn open(path: &Path) -> File {
    for attempt in 0..2 {
        match try_open(path) {
            Ok(database) => return File::new(Some(path.to_owned()), database),
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
pub(super) fn volatile() -> File {
    let database = Builder::new()
        .create_with_backend(InMemoryBackend::new())
        .and_then(|database| prepare(database).map_err(|_| DatabaseError::UpgradeRequired(0)))
        .expect("a database in memory needs nothing that could be missing");
    File::new(None, database)
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
        match open_once(path) {
            Err(redb::Error::DatabaseAlreadyOpen) if attempt < OPEN_ATTEMPTS => {
                attempt += 1;
                thread::sleep(OPEN_PAUSE);
            }
            opened => return opened,
        }
    }
}

fn open_once(path: &Path) -> Result<Database, redb::Error> {
    // Its owner's alone: it has open sessions, and what stands where.
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600);
    let file = options.truncate(false).open(path)?;
    let backend = FileBackend::new(file)?;
    let mut builder = Builder::new();
    match builder
        .set_cache_size(CACHE_BYTES)
        .create_with_backend(backend)
    {
        // What is no database at all.
        Err(DatabaseError::Storage(redb::StorageError::Io(error)))
            if error.kind() == io::ErrorKind::InvalidData =>
        {
            Err(redb::Error::Corrupted(error.to_string()))
        }
        opened => prepare(opened?),
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
        if meta.get(JOURNAL_KEY)?.is_none() {
            meta.insert(JOURNAL_KEY, unix_ms())?;
        }
        transaction.open_table(NEWS)?;
        transaction.open_table(CONTACTS)?;
        transaction.open_table(LOGS)?;
        transaction.open_table(SESSIONS)?;
        transaction.open_table(PARTED)?;
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

impl Writer {
    /// Waits for its end; whether it has come. The thread doesn't wait for itself: it ends by and by.
    pub(super) fn join(mut self) -> bool {
        self.wait()
    }

    fn wait(&mut self) -> bool {
        let is_other = |thread: &mut JoinHandle<()>| thread.thread().id() != thread::current().id();
        match self.0.take_if(is_other) {
            Some(thread) => {
                // It ends by a panic only where the database has; what was written stays good.
                let _ = thread.join();
                true
            }
            None => self.0.is_none(),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.wait();
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
        write_news(&transaction, batch)?;
        let mut parted = transaction.open_table(PARTED)?;
        for (id, at_ms) in &batch.parted {
            match at_ms {
                Some(at_ms) => parted.insert(id.as_str(), at_ms)?,
                None => parted.remove(id.as_str())?,
            };
        }
    }
    if batch.parted.values().any(Option::is_some) {
        sweep(&transaction, unix_ms())?;
    }
    transaction.commit()?;
    Ok(())
}

/// Numbers what is new, and forgets what was read. A number is given once, and none that the reader has had already, be it from
/// a file that this one is an old copy of.
fn write_news(transaction: &WriteTransaction, batch: &Pending) -> Result<(), redb::Error> {
    if batch.news.is_empty() && batch.read_to == 0 {
        return Ok(());
    }
    let mut meta = transaction.open_table(META)?;
    let mut news = transaction.open_table(NEWS)?;
    let next = meta.get(NEXT_NEWS_KEY)?.map_or(1, |next| next.value());
    let mut next = next.max(batch.read_to + 1);
    news.retain_in(..=batch.read_to, |_, _| false)?;
    for (id, event) in &batch.news {
        let record: &[u8] = match event {
            LogEvent::Entry { raw, .. } => raw,
            LogEvent::Loss => &[],
        };
        news.insert(next, (id.as_str(), record))?;
        next += 1;
    }
    let excess = news.len()?.saturating_sub(NEWS_MAX);
    for _ in 0..excess {
        news.pop_first()?;
    }
    if excess > 0 {
        tracing::warn!(excess, "news of event logs is lost: nobody reads it");
    }
    meta.insert(NEXT_NEWS_KEY, next)?;
    Ok(())
}

/// Forgets BMCs that left long ago, or before too many others.
fn sweep(transaction: &WriteTransaction, now_ms: u64) -> Result<(), redb::Error> {
    let mut parted = transaction.open_table(PARTED)?;
    let mut all = Vec::new();
    for entry in parted.iter()? {
        let (id, at_ms) = entry?;
        all.push((at_ms.value(), id.value().to_owned()));
    }
    all.sort_unstable();
    let too_many = all.len().saturating_sub(PARTED_MAX);
    let mut contacts = transaction.open_table(CONTACTS)?;
    let mut logs = transaction.open_table(LOGS)?;
    let mut sessions = transaction.open_table(SESSIONS)?;
    for (place, (at_ms, id)) in all.iter().enumerate() {
        if place < too_many || is_over(*at_ms, now_ms) {
            contacts.remove(id.as_str())?;
            logs.remove(id.as_str())?;
            sessions.remove(id.as_str())?;
            parted.remove(id.as_str())?;
        }
    }
    Ok(())
}

/// Forgets BMCs that left long ago.
pub(super) fn sweep_now(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    sweep(&transaction, unix_ms())?;
    transaction.commit()?;
    Ok(())
}

/// Waits for so long.
pub(super) fn pause(span: Duration) {
    thread::sleep(span);
}

/// Removes BMCs that left long ago, and repositories that no BMC has any more.
pub(super) fn tidy(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    sweep(&transaction, unix_ms())?;
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

    /// All of whom anything is remembered, but those that have left.
    pub(super) fn staying(&self) -> Result<Vec<NodeId>, redb::Error> {
        fn names<V: redb::Value + 'static>(
            table: &impl ReadableTable<&'static str, V>,
            all: &mut BTreeSet<String>,
        ) -> Result<(), redb::Error> {
            for entry in table.iter()? {
                all.insert(entry?.0.value().to_owned());
            }
            Ok(())
        }
        let mut all = BTreeSet::new();
        names(&self.0.open_table(CONTACTS)?, &mut all)?;
        names(&self.0.open_table(LOGS)?, &mut all)?;
        names(&self.0.open_table(SESSIONS)?, &mut all)?;
        let parted = self.0.open_table(PARTED)?;
        for entry in parted.iter()? {
            all.remove(entry?.0.value());
        }
        Ok(all.iter().filter_map(|id| NodeId::new(id)).collect())
    }

    /// When it left, where it did.
    pub(super) fn parted(&self, id: &str) -> Result<Option<u64>, redb::Error> {
        let table = self.0.open_table(PARTED)?;
        Ok(table.get(id)?.map(|at_ms| at_ms.value()))
    }

    pub(super) fn repository(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<Option<Vec<u8>>, redb::Error> {
        let table = self.0.open_table(REPOSITORIES)?;
        Ok(table.get(fingerprint)?.map(|bytes| bytes.value().to_vec()))
    }

    /// News of event logs behind this number, at most so many.
    pub(super) fn news(&self, number: u64, most: usize) -> Result<Vec<LogNews>, redb::Error> {
        let table = self.0.open_table(NEWS)?;
        let mut found = Vec::new();
        for entry in table.range(number.saturating_add(1)..)?.take(most) {
            let (number, news) = entry?;
            let (id, record) = news.value();
            let event = record.try_into().map_or(LogEvent::Loss, event_of);
            if let Some(node) = NodeId::new(id) {
                found.push(LogNews {
                    number: NonZeroU64::new(number.value()),
                    node,
                    event,
                });
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
