//! The service's own state on disk: accounts, roles, subscriptions, settings, certificates, tasks.
//!
//! One file, one writer thread. A change is a [`Batch`]; [`Store::commit`] answers when it is on the disk and applied
//! to memory, so what a client was told is still true after a power cut. Batches that wait together are written
//! together. Reading never touches the file: each part of the service loads its tables once, at the start.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Builder, Database, ReadOnlyDatabase, ReadableDatabase, TableDefinition};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

/// How many batches wait for the disk. One more is refused with 503.
pub const MAX_BATCHES_WAITING: usize = 1024;
/// How many of them become one transaction.
const MAX_BATCHES_TOGETHER: usize = 128;
/// Memory for pages of the file, in bytes: the state is small and read once.
const CACHE_BYTES: usize = 1024 * 1024;
/// The form of the state that this program writes.
const SCHEMA_VERSION: u64 = 1;
const SCHEMA_KEY: &str = "schema";

/// (table, key) -> JSON.
const ENTRIES: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("entries");
/// Facts about the file itself.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// One kind of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Table(pub(crate) &'static str);

/// Brings a file from the version at its place in the list, counted from 1, to the next.
type Migration = fn(&redb::WriteTransaction) -> Result<(), redb::Error>;

/// One for each version before [`SCHEMA_VERSION`].
const MIGRATIONS: [Migration; SCHEMA_VERSION as usize - 1] = [];

/// Where the state is kept. Clones share it.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    queue: SyncSender<Job>,
}

struct Shared {
    file: Option<PathBuf>,
    /// `None` after the disk failed, until it can be opened again.
    database: Mutex<Option<Database>>,
}

/// Changes that are made together or not at all.
#[derive(Default)]
pub(crate) struct Batch(Vec<Write>);

struct Write {
    table: Table,
    key: String,
    /// `None` removes the entry.
    value: Option<Vec<u8>>,
}

struct Job {
    batch: Batch,
    apply: Box<dyn FnOnce() + Send>,
    done: oneshot::Sender<Result<(), StoreError>>,
}

/// Why the state can't be read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// The file system has no room left. Nothing was changed.
    Full,
    /// The file can't be opened, read or written. Nothing was changed.
    File(String),
    /// Another process has the file open.
    InUse,
    /// The file was written by a later version of this program, with this form.
    Newer(u64),
    /// An entry can't be understood.
    Entry(String),
    /// Too many changes wait for the disk.
    Busy,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the file system that holds the state is full"),
            Self::File(cause) => write!(f, "the state can't be read or written: {cause}"),
            Self::InUse => f.write_str("another process has the state open"),
            Self::Newer(version) => write!(
                f,
                "the state has form {version}, and this program knows up to {SCHEMA_VERSION}: run the program that wrote it, or a later one"
            ),
            Self::Entry(cause) => write!(f, "the state holds what can't be understood: {cause}"),
            Self::Busy => f.write_str("too many changes wait for the disk"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<redb::Error> for StoreError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Io(error) if error.kind() == io::ErrorKind::StorageFull => Self::Full,
            redb::Error::Io(error) if error.kind() == io::ErrorKind::QuotaExceeded => Self::Full,
            redb::Error::DatabaseAlreadyOpen => Self::InUse,
            other => Self::File(other.to_string()),
        }
    }
}

impl Batch {
    /// Writes `value` as the entry `key`, in place of what was there.
    pub(crate) fn put(
        &mut self,
        table: Table,
        key: impl Into<String>,
        value: &impl Serialize,
    ) -> Result<(), StoreError> {
        let value = serde_json::to_vec(value).map_err(|e| StoreError::Entry(e.to_string()))?;
        self.0.push(Write {
            table,
            key: key.into(),
            value: Some(value),
        });
        Ok(())
    }

    /// Nothing changes.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes the entry `key`; there may be none.
    pub(crate) fn remove(&mut self, table: Table, key: impl Into<String>) {
        self.0.push(Write {
            table,
            key: key.into(),
            value: None,
        });
    }
}

impl Store {
    /// State that ends with the process.
    ///
    /// # Errors
    /// [`StoreError::File`] if no thread can be started.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::start(None)
    }

    /// State in the file at `path`, which is made if there is none, for its owner only.
    ///
    /// # Errors
    /// [`StoreError`] says why the file can't be used.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::start(Some(path.to_owned()))
    }

    fn start(file: Option<PathBuf>) -> Result<Self, StoreError> {
        let database = open(file.as_deref(), &MIGRATIONS)?;
        let shared = Arc::new(Shared {
            file,
            database: Mutex::new(Some(database)),
        });
        let (queue, jobs) = sync_channel(MAX_BATCHES_WAITING);
        let writer = Arc::clone(&shared);
        thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || writer.run(&jobs))
            .map_err(|e| StoreError::File(e.to_string()))?;
        Ok(Self { shared, queue })
    }

    /// The folder that the state is in; that of temporary files for state in memory.
    pub(crate) fn folder(&self) -> PathBuf {
        let folder = self.shared.file.as_deref().and_then(Path::parent);
        folder
            .filter(|folder| !folder.as_os_str().is_empty())
            .map_or_else(std::env::temp_dir, Path::to_path_buf)
    }

    /// Every entry of a table, by key.
    pub(crate) fn load<T: DeserializeOwned>(
        &self,
        table: Table,
    ) -> Result<Vec<(String, T)>, StoreError> {
        let entries = self.shared.with(|database| read(database, table))?;
        entries
            .into_iter()
            .map(|(key, value)| match serde_json::from_slice(&value) {
                Ok(value) => Ok((key, value)),
                Err(error) => Err(StoreError::Entry(format!("{}/{key}: {error}", table.0))),
            })
            .collect()
    }

    /// Writes `batch`, then runs `apply`, then answers. `apply` puts the change into memory; it runs on the writer's
    /// thread, in the order of the writes, also if nobody waits for the answer any more. It must not block.
    ///
    /// # Errors
    /// [`StoreError`] if it isn't written; `apply` hasn't run then.
    pub(crate) async fn commit(
        &self,
        batch: Batch,
        apply: impl FnOnce() + Send + 'static,
    ) -> Result<(), StoreError> {
        let (done, written) = oneshot::channel();
        let apply = Box::new(apply);
        self.enqueue(Job { batch, apply, done })?;
        written
            .await
            .unwrap_or_else(|_| Err(StoreError::File("the writer has ended".to_owned())))
    }

    /// Writes `batch` some time soon, after what was handed in before it. A failure is in the program's log only.
    ///
    /// # Errors
    /// [`StoreError`] if it can't even wait its turn.
    pub(crate) fn write_behind(&self, batch: Batch) -> Result<(), StoreError> {
        let (done, _) = oneshot::channel();
        self.enqueue(Job {
            batch,
            apply: Box::new(|| ()),
            done,
        })
    }

    fn enqueue(&self, job: Job) -> Result<(), StoreError> {
        self.queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Disconnected(_) => StoreError::File("the writer has ended".to_owned()),
        })
    }

    /// Writes `batch` at the start, when nobody can be waited for.
    ///
    /// # Errors
    /// [`StoreError`] if it isn't written.
    pub(crate) fn commit_at_start(&self, batch: &Batch) -> Result<(), StoreError> {
        self.shared
            .with(|database| write(database, std::slice::from_ref(&batch)))
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("file", &self.shared.file)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Writes until the last [`Store`] is gone.
    fn run(&self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut together = vec![first];
            while together.len() < MAX_BATCHES_TOGETHER
                && let Ok(job) = jobs.try_recv()
            {
                together.push(job);
            }
            let batches: Vec<&Batch> = together.iter().map(|job| &job.batch).collect();
            let result = self.with(|database| write(database, &batches));
            if let Err(error) = &result {
                tracing::error!(%error, "state not written");
            }
            for job in together {
                if result.is_ok() {
                    (job.apply)();
                }
                // Whoever asked may have gone.
                let _ = job.done.send(result.clone());
            }
        }
    }

    /// Works on the file. One that failed is closed, and opened again next time: only that brings back what was
    /// committed last.
    fn with<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let mut database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        let open_database = match database.take() {
            Some(database) => database,
            None => open(self.file.as_deref(), &MIGRATIONS)?,
        };
        match work(&open_database) {
            Ok(done) => {
                *database = Some(open_database);
                Ok(done)
            }
            Err(error) => {
                if self.file.is_none() {
                    // Memory has nothing to be opened again.
                    *database = Some(open_database);
                }
                Err(error.into())
            }
        }
    }
}

fn open(file: Option<&Path>, migrations: &[Migration]) -> Result<Database, StoreError> {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    let database = match file {
        Some(path) => {
            let backend = FileBackend::new(private_file(path)?).map_err(redb::Error::from)?;
            builder.create_with_backend(backend)
        }
        None => builder.create_with_backend(InMemoryBackend::new()),
    };
    let database = database.map_err(redb::Error::from)?;
    migrate(&database, migrations)?;
    Ok(database)
}

/// Readable and writable by its owner, and nobody else: it holds hashes and keys.
fn private_file(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600);
    options.truncate(false);
    options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::StorageFull => StoreError::Full,
        _ => StoreError::File(format!("{}: {error}", path.display())),
    })
}

/// Brings a file to the newest form; a new one is made in it.
fn migrate(database: &Database, migrations: &[Migration]) -> Result<(), StoreError> {
    let newest = migrations.len() as u64 + 1;
    let found = schema(database)?;
    match found {
        Some(version) if version == newest => return Ok(()),
        Some(version) if version > newest => return Err(StoreError::Newer(version)),
        _ => {}
    }
    let step = || -> Result<(), redb::Error> {
        let transaction = database.begin_write()?;
        let from = found.map_or(migrations.len(), |version| {
            usize::try_from(version).map_or(0, |v| v.saturating_sub(1))
        });
        for migration in migrations.get(from..).unwrap_or_default() {
            migration(&transaction)?;
        }
        transaction.open_table(META)?.insert(SCHEMA_KEY, newest)?;
        transaction.open_table(ENTRIES)?;
        transaction.commit()?;
        Ok(())
    };
    Ok(step()?)
}

/// The form of a file; `None` of one that was made just now.
fn schema(database: &Database) -> Result<Option<u64>, StoreError> {
    let read = || -> Result<Option<u64>, redb::Error> {
        let transaction = database.begin_read()?;
        match transaction.open_table(META) {
            Ok(table) => Ok(table.get(SCHEMA_KEY)?.map(|version| version.value())),
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    };
    Ok(read()?)
}

/// Whether the state in a file is known to have no entry of a table. The file stays as it is.
pub(crate) fn is_known_without(path: &Path, table: Table) -> bool {
    let found = ReadOnlyDatabase::open(path).map_err(redb::Error::from);
    let found = found.and_then(|database| read(&database, table));
    found.is_ok_and(|entries| entries.is_empty())
}

fn read(
    database: &impl ReadableDatabase,
    table: Table,
) -> Result<Vec<(String, Vec<u8>)>, redb::Error> {
    let transaction = database.begin_read()?;
    let entries = transaction.open_table(ENTRIES)?;
    let mut found = Vec::new();
    for entry in entries.range((table.0, "")..)? {
        let (key, value) = entry?;
        let (name, key) = key.value();
        if name != table.0 {
            break;
        }
        found.push((key.to_owned(), value.value().to_vec()));
    }
    Ok(found)
}

fn write(database: &Database, batches: &[&Batch]) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut entries = transaction.open_table(ENTRIES)?;
        for write in batches.iter().flat_map(|batch| &batch.0) {
            let key = (write.table.0, write.key.as_str());
            match &write.value {
                Some(value) => entries.insert(key, value.as_slice())?,
                None => entries.remove(key)?,
            };
        }
    }
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::atomic::{AtomicU32, Ordering};

    use redb::ReadableTable as _;
    use tempfile::TempDir;

    use super::*;

    const COLOURS: Table = Table("colours");
    const SHAPES: Table = Table("shapes");

    /// A folder that goes with the test.
    struct Folder(TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn file(&self) -> PathBuf {
            self.0.path().join("state.redb")
        }
    }

    fn one(table: Table, key: &str, value: u32) -> Batch {
        let mut batch = Batch::default();
        batch.put(table, key, &value).unwrap();
        batch
    }

    #[tokio::test]
    async fn what_was_committed_is_there_after_a_restart_and_each_table_has_its_own() {
        let folder = Folder::new();
        let store = Store::open(&folder.file()).unwrap();
        let applied = Arc::new(AtomicU32::new(0));
        for (table, key, value) in [
            (COLOURS, "red", 1),
            (COLOURS, "blue", 2),
            (SHAPES, "red", 3),
        ] {
            let applied = Arc::clone(&applied);
            let apply = move || {
                applied.fetch_add(value, Ordering::Relaxed);
            };
            store.commit(one(table, key, value), apply).await.unwrap();
        }
        let mut removal = Batch::default();
        removal.remove(COLOURS, "red");
        store.commit(removal, || ()).await.unwrap();
        assert_eq!(applied.load(Ordering::Relaxed), 6);
        assert_eq!(Store::open(&folder.file()).err(), Some(StoreError::InUse));
        drop(store);
        let store = reopened(&folder);
        let colours: Vec<(String, u32)> = store.load(COLOURS).unwrap();
        assert_eq!(colours, [("blue".to_owned(), 2)]);
        let wrong: Result<Vec<(String, String)>, _> = store.load(SHAPES);
        assert!(matches!(wrong, Err(StoreError::Entry(_))));
    }

    /// The writer's thread lets go of the file a moment after the last `Store`.
    fn reopened(folder: &Folder) -> Store {
        loop {
            match Store::open(&folder.file()) {
                Ok(store) => return store,
                Err(StoreError::InUse) => thread::yield_now(),
                Err(error) => panic!("{error}"),
            }
        }
    }

    #[tokio::test]
    async fn a_commit_that_nobody_waits_for_is_applied_all_the_same() {
        let store = Store::in_memory().unwrap();
        let (tell, told) = oneshot::channel();
        let mut commit = Box::pin(store.commit(one(COLOURS, "red", 1), move || {
            let _ = tell.send(());
        }));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let _ = commit.as_mut().poll(&mut context);
        drop(commit);
        told.await.unwrap();
        let colours: Vec<(String, u32)> = store.load(COLOURS).unwrap();
        assert_eq!(colours, [("red".to_owned(), 1)]);
    }

    #[test]
    fn a_file_is_known_to_lack_entries_only_where_it_can_be_read_and_has_none() {
        let folder = Folder::new();
        let file = folder.file();
        assert!(!is_known_without(&file, COLOURS), "there is no file");
        assert!(!file.exists());
        let database = open(Some(&file), &MIGRATIONS).unwrap();
        write(&database, &[&one(SHAPES, "square", 1)]).unwrap();
        assert!(!is_known_without(&file, COLOURS), "somebody has it");
        drop(database);
        assert!(is_known_without(&file, COLOURS));
        assert!(!is_known_without(&file, SHAPES));
    }

    #[test]
    fn the_file_is_its_owners_alone() {
        let folder = Folder::new();
        let _store = Store::open(&folder.file()).unwrap();
        let mode = std::fs::metadata(folder.file())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn an_older_file_is_migrated_once_and_a_newer_one_refused() {
        fn double(transaction: &redb::WriteTransaction) -> Result<(), redb::Error> {
            let mut entries = transaction.open_table(ENTRIES)?;
            let old = entries.get((COLOURS.0, "red"))?.map(|v| v.value().to_vec());
            let doubled = [old.unwrap_or_default(), b"0".to_vec()].concat();
            entries.insert((COLOURS.0, "red"), doubled.as_slice())?;
            Ok(())
        }
        let folder = Folder::new();
        let file = folder.file();
        let database = open(Some(&file), &[]).unwrap();
        write(&database, &[&one(COLOURS, "red", 7)]).unwrap();
        drop(database);
        for _ in 0..2 {
            let database = open(Some(&file), &[double]).unwrap();
            assert_eq!(read(&database, COLOURS).unwrap()[0].1, b"70");
        }
        assert_eq!(open(Some(&file), &[]).err(), Some(StoreError::Newer(2)));
    }

    #[test]
    fn a_file_that_is_no_state_is_refused_and_left_alone() {
        let folder = Folder::new();
        std::fs::write(folder.file(), "hello").unwrap();
        assert!(matches!(
            Store::open(&folder.file()),
            Err(StoreError::File(_))
        ));
        assert_eq!(std::fs::read(folder.file()).unwrap(), b"hello");
    }
}
