//! What outlives a restart: who each BMC is, its parts and sensors, and how far its event log was told.
//!
//! Engines [`remember`](Memory::remember): that puts bytes into a table in memory and never waits. A thread of its own writes what came
//! together, a few times a second. When a fleet takes BMCs up, what is known of them is [recalled](Memory::recall):
//! clients see machines with parts and sensors before the first contact, the readings pending. A contact that then finds the same
//! firmware, GUID and time stamps does not read records and parts again.
//!
//! Which session is open is remembered, too, one of each BMC: a run that was killed leaves it open, and the next one closes it,
//! where the BMC was got acquainted with and says that the session is that run's (user, IPv4 address and UDP port). Until that is seen
//! to, the session of the new run is not remembered: killed before it, that one is left to the BMC's inactivity timeout.
//!
//! What is told of event logs is written after it was told: a crash in between tells it once more, and loses nothing.

mod codec;
mod file;

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hardware::{Identity, Inventory, NodeId};
use ipmi::number::CipherSuiteId;
use redb::Database;
use sha2::{Digest, Sha256};

pub(crate) use codec::{Contact, Decoder, Encoder};

use crate::contact::log::LogPosition;
use crate::contact::{Known, plan_of};
use crate::plan::{Plan, Plans};
use crate::share::Texts;
use crate::target::Target;

/// How long changes are gathered before they are written together.
const BATCH_EVERY: Duration = Duration::from_millis(500);

/// Records that take more bytes are not remembered: such a BMC is asked anew after a restart.
const REPOSITORY_BYTES_MAX: usize = 4 << 20;

/// Names records by what is in them (SHA-256).
pub(crate) type Fingerprint = [u8; 32];

/// The name of these records.
pub(crate) fn fingerprint(repository: &[u8]) -> Fingerprint {
    Sha256::digest(repository).into()
}

/// What is not written yet: at most one entry for each node in each table, and one for each kind of machine.
#[derive(Debug, Default)]
struct Pending {
    /// `None` = forgotten.
    contacts: HashMap<NodeId, Option<Vec<u8>>>,
    logs: HashMap<NodeId, Option<Vec<u8>>>,
    sessions: HashMap<NodeId, Option<OpenSession>>,
    repositories: HashMap<Fingerprint, Vec<u8>>,
    closing: bool,
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.contacts.is_empty()
            && self.logs.is_empty()
            && self.sessions.is_empty()
            && self.repositories.is_empty()
    }
}

struct Shared {
    database: Database,
    pending: Mutex<Pending>,
    more: Condvar,
}

/// What outlives a restart. Dropped, it writes what is left.
pub struct Memory {
    shared: Arc<Shared>,
    /// Ends when nothing is pending and `closing` is set.
    writer: Option<file::Writer>,
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

/// A session, as a later run knows it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenSession {
    /// The BMC's ID of it.
    pub(crate) id: NonZeroU32,
    /// Our UDP port.
    pub(crate) port: u16,
}

/// What is known of a BMC from an earlier run.
#[derive(Clone, Debug)]
pub(crate) struct Remembered {
    pub(crate) known: Known,
    pub(crate) suite: Option<CipherSuiteId>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) inventory: Arc<Inventory>,
    pub(crate) log: Option<LogPosition>,
    /// The session that was open last, where that was not closed.
    pub(crate) session: Option<OpenSession>,
}

impl Memory {
    /// Opens or creates the file. One that can't be used is moved aside and said so in the log; where there can be none, what is
    /// remembered ends with this run.
    #[must_use]
    pub fn open(path: &Path) -> Self {
        let mut memory = Self::over(file::open(path));
        let shared = Arc::clone(&memory.shared);
        match file::Writer::start(move || shared.run()) {
            Ok(writer) => memory.writer = Some(writer),
            Err(error) => tracing::warn!(%error, "no thread: nothing is remembered of BMCs"),
        }
        memory
    }

    /// Without a file and without a thread: [`Self::flush`] does its work.
    #[must_use]
    pub fn volatile() -> Self {
        Self::over(file::volatile())
    }

    fn over(database: Database) -> Self {
        Self {
            shared: Arc::new(Shared {
                database,
                pending: Mutex::default(),
                more: Condvar::new(),
            }),
            writer: None,
        }
    }

    /// Writes what is pending, now.
    pub fn flush(&self) {
        let mut pending = self.shared.pending();
        let batch = Pending {
            closing: pending.closing,
            ..std::mem::take(&mut *pending)
        };
        pending.closing = batch.closing;
        drop(pending);
        self.shared.write(&batch);
    }

    /// Remembers records by their name.
    pub(crate) fn keep(&self, name: Fingerprint, repository: Vec<u8>) {
        if repository.len() <= REPOSITORY_BYTES_MAX {
            let mut pending = self.shared.pending();
            pending.repositories.entry(name).or_insert(repository);
            self.shared.more.notify_one();
        }
    }

    /// Remembers what was found out about a BMC.
    pub(crate) fn remember(&self, id: &NodeId, contact: &Contact) {
        let bytes = contact.encode();
        self.shared
            .pending()
            .contacts
            .insert(id.clone(), Some(bytes));
        self.shared.more.notify_one();
    }

    /// Remembers how far an event log was told.
    pub(crate) fn remember_log(&self, id: &NodeId, position: &LogPosition) {
        let bytes = codec::encode_position(position);
        self.shared.pending().logs.insert(id.clone(), Some(bytes));
        self.shared.more.notify_one();
    }

    /// Remembers which session is open; `None` = none is.
    pub(crate) fn remember_session(&self, id: &NodeId, session: Option<OpenSession>) {
        let mut pending = self.shared.pending();
        pending.sessions.insert(id.clone(), session);
        self.shared.more.notify_one();
    }

    /// Forgets a BMC.
    pub(crate) fn forget(&self, id: &NodeId) {
        let mut pending = self.shared.pending();
        pending.contacts.insert(id.clone(), None);
        pending.logs.insert(id.clone(), None);
        pending.sessions.insert(id.clone(), None);
        self.shared.more.notify_one();
    }

    /// What is known of each of these BMCs from earlier.
    pub(crate) fn recall(&self, targets: &[Target], plans: &Plans) -> Vec<Option<Remembered>> {
        self.flush();
        let view = file::View::of(&self.shared.database);
        let view =
            view.inspect_err(|error| tracing::warn!(%error, "nothing can be recalled of BMCs"));
        let Ok(view) = view else {
            return targets.iter().map(|_| None).collect();
        };
        let mut recall = Recall {
            view,
            plans,
            made: HashMap::new(),
            texts: Texts::default(),
        };
        targets.iter().map(|target| recall.target(target)).collect()
    }
}

struct Recall<'a> {
    view: file::View,
    plans: &'a Plans,
    /// Plans of the repositories that were looked at.
    made: HashMap<Fingerprint, Option<Arc<Plan>>>,
    texts: Texts,
}

impl Recall<'_> {
    /// What can't be read, or is of another BMC or was read with other quirks, is as good as not known.
    fn target(&mut self, target: &Target) -> Option<Remembered> {
        let bytes = self.view.contact(target.id.as_str()).ok()??;
        let contact = Contact::decode(&bytes)?;
        if target
            .address
            .is_some_and(|address| address != contact.address)
        {
            return None;
        }
        let plan = self.plan(&contact.repository)?;
        if plan.quirks != target.quirks {
            return None;
        }
        let (mut identity, mut inventory) = (contact.identity, contact.inventory);
        if let (Some(identity), Some(inventory)) =
            (Arc::get_mut(&mut identity), Arc::get_mut(&mut inventory))
        {
            self.texts.identity(identity);
            self.texts.inventory(inventory);
            inventory.sensors = Arc::clone(&plan.sensors);
        }
        let log = self.view.log(target.id.as_str()).ok()?;
        let session = self.view.session(target.id.as_str()).ok()?;
        Some(Remembered {
            known: contact.known,
            suite: contact.suite,
            plan,
            identity,
            inventory,
            log: log.and_then(|bytes| codec::decode_position(&bytes)),
            session,
        })
    }

    fn plan(&mut self, fingerprint: &Fingerprint) -> Option<Arc<Plan>> {
        let Self {
            view, plans, made, ..
        } = self;
        let plan = made.entry(*fingerprint).or_insert_with(|| {
            let bytes = view.repository(fingerprint).ok()??;
            let plan = plan_of(bytes, plans)?;
            plan.repository.get_or_init(|| *fingerprint);
            Some(plan)
        });
        plan.clone()
    }
}

impl Shared {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes batches until the end.
    fn run(&self) {
        if let Err(error) = file::tidy(&self.database) {
            tracing::warn!(%error, "what is remembered of BMCs can't be tidied");
        }
        let mut closing = false;
        while !closing {
            let pending = self.pending();
            let idle = |pending: &mut Pending| pending.is_empty() && !pending.closing;
            let waited = self.more.wait_while(pending, idle);
            let pending = waited.unwrap_or_else(PoisonError::into_inner);
            // Others come along.
            let gathering = |pending: &mut Pending| !pending.closing;
            let waited = self
                .more
                .wait_timeout_while(pending, BATCH_EVERY, gathering);
            let (mut pending, _) = waited.unwrap_or_else(PoisonError::into_inner);
            closing = pending.closing;
            let batch = Pending {
                closing,
                ..std::mem::take(&mut *pending)
            };
            pending.closing = closing;
            drop(pending);
            self.write(&batch);
        }
    }

    fn write(&self, batch: &Pending) {
        if batch.is_empty() {
            return;
        }
        if let Err(error) = file::write(&self.database, batch) {
            let entries = batch.contacts.len() + batch.logs.len();
            tracing::warn!(%error, entries, "what was found out about BMCs can't be written");
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.shared.pending().closing = true;
        self.shared.more.notify_all();
        self.writer.take();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ipmi::console::Login;

    use super::*;

    fn target(id: &str) -> Target {
        let login = Arc::new(Login::new("admin", b"secret").unwrap());
        let address = "[fe80::7]:623".parse().ok();
        Target::new(NodeId::new(id).unwrap(), address, &login)
    }

    /// Remembers node `n1` with an empty repository.
    fn fill(memory: &Memory) {
        let bytes = crate::contact::empty_key();
        let repository = fingerprint(&bytes);
        memory.keep(repository, bytes);
        let contact = Contact {
            repository,
            ..codec::tests::contact()
        };
        memory.remember(&target("n1").id, &contact);
        memory.remember_log(&target("n1").id, &LogPosition::default());
    }

    fn recalled(memory: &Memory, target: &Target) -> Option<Remembered> {
        memory
            .recall(std::slice::from_ref(target), &Plans::default())
            .remove(0)
    }

    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("memory-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn what_was_remembered_is_there_in_the_next_run() {
        let folder = folder("next");
        let path = folder.join("fleet.redb");
        fill(&Memory::open(&path));
        let memory = Memory::open(&path);
        let found = recalled(&memory, &target("n1")).unwrap();
        assert_eq!(found.known, codec::tests::contact().known);
        assert_eq!(found.inventory.parts().len(), 3);
        assert_eq!(found.log, Some(LogPosition::default()));
        assert!(recalled(&memory, &target("n2")).is_none());
        let moved = Target {
            address: "10.0.0.1:623".parse().ok(),
            ..target("n1")
        };
        assert!(recalled(&memory, &moved).is_none(), "another BMC");
        memory.forget(&target("n1").id);
        assert!(recalled(&memory, &target("n1")).is_none());
        drop(memory);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_that_can_not_be_used_is_moved_aside_and_all_begins_anew() {
        let folder = folder("corrupt");
        let path = folder.join("fleet.redb");
        fill(&Memory::open(&path));
        let good = fs::read(&path).unwrap();
        for damaged in [
            b"no database at all, but some text".to_vec(),
            good[..good.len() / 3].to_vec(),
        ] {
            fs::write(&path, damaged).unwrap();
            let memory = Memory::open(&path);
            assert!(recalled(&memory, &target("n1")).is_none());
            fill(&memory);
            drop(memory);
            assert!(recalled(&Memory::open(&path), &target("n1")).is_some());
        }
        let aside = fs::read_dir(&folder).unwrap().filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().contains(".unusable-")
        });
        assert_eq!(aside.count(), 2);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn repositories_that_nobody_has_are_removed_at_the_next_start() {
        let memory = Memory::volatile();
        fill(&memory);
        let unused = [7; 32];
        memory.keep(unused, b"of nobody".to_vec());
        memory.flush();
        file::tidy(&memory.shared.database).unwrap();
        let view = file::View::of(&memory.shared.database).unwrap();
        assert!(view.repository(&unused).unwrap().is_none());
        assert!(recalled(&memory, &target("n1")).is_some());
    }
}
