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
//! News of event logs is written in one transaction with how far the logs were read, and handed out after that
//! ([`journal`]): a crash before it reads the same entries again, of which nobody has heard; a crash after it finds them in the file.

mod codec;
mod file;
mod journal;

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hardware::{Identity, Inventory, LogEvent, NodeId};
use ipmi::number::CipherSuiteId;
use sha2::{Digest, Sha256};

pub(crate) use codec::{Contact, Decoder, Encoder};
use journal::Journal;

use crate::contact::log::{LogPosition, LogRead};
use crate::contact::{Known, plan_of};
use crate::drive::{StartError, unix_ms};
use crate::plan::{Plan, Plans};
use crate::publish::Board;
use crate::share::Texts;
use crate::target::Target;

/// How long changes are gathered before they are written together.
const BATCH_EVERY: Duration = Duration::from_millis(500);

/// The same where somebody waits for news of event logs among them: many at a time cost one transaction, one costs little delay.
const NEWS_EVERY: Duration = Duration::from_millis(20);

/// How long after a failure it is tried again to write what nobody waits for.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

/// Records that take more bytes are not remembered: such a BMC is asked anew after a restart.
const REPOSITORY_BYTES_MAX: usize = 4 << 20;

/// News that waits to be written beyond this much is lost: only a file system that stands still gets so far behind. 40 MB.
const PENDING_NEWS_MAX: usize = 1 << 20;

/// How long BMCs are remembered that are part of the fleet no longer: until somebody has noticed that they should be.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3_600);

/// Of how many such: more than a fleet has, so that a mistake that removes them all does no harm. The first that left are
/// forgotten first.
const PARTED_MAX: usize = 65_536;

/// How often it is looked who left long enough ago.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// How often the last batch of a run is tried to be written, where it can't be, and the pause in between. A disk that fails for a moment
/// is waited for, one that is full isn't.
const LAST_ATTEMPTS: u32 = 10;
const LAST_PAUSE: Duration = Duration::from_millis(100);

/// Whether one that left then is forgotten.
fn is_over(parted_ms: u64, now_ms: u64) -> bool {
    Duration::from_millis(now_ms.saturating_sub(parted_ms)) >= KEPT_FOR
}

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
    /// News of event logs, in their order: what was read within [`NEWS_EVERY`] and one transaction, at most [`PENDING_NEWS_MAX`].
    news: Vec<(NodeId, LogEvent)>,
    /// The reader of the journal has all news up to this number.
    read_to: u64,
    /// When nodes left, in milliseconds since 1970; `None` = it is there again.
    parted: HashMap<NodeId, Option<u64>>,
    closing: bool,
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.contacts.is_empty()
            && self.logs.is_empty()
            && self.sessions.is_empty()
            && self.repositories.is_empty()
            && self.news.is_empty()
            && self.read_to == 0
            && self.parted.is_empty()
    }

    /// All of it; what is pending from now on is something else.
    fn take(&mut self) -> Self {
        let closing = self.closing;
        let taken = std::mem::take(self);
        self.closing = closing;
        taken
    }

    /// Puts back what could not be written, but for what there is something newer of. News goes before what came meanwhile.
    fn put_back(&mut self, mut batch: Self) {
        fn keep_newer<K: Eq + Hash, V>(newer: &mut HashMap<K, V>, older: HashMap<K, V>) {
            for (key, value) in older {
                newer.entry(key).or_insert(value);
            }
        }
        keep_newer(&mut self.contacts, batch.contacts);
        keep_newer(&mut self.logs, batch.logs);
        keep_newer(&mut self.sessions, batch.sessions);
        keep_newer(&mut self.repositories, batch.repositories);
        keep_newer(&mut self.parted, batch.parted);
        batch.news.append(&mut self.news);
        self.news = batch.news;
        self.read_to = self.read_to.max(batch.read_to);
    }
}

struct Shared {
    file: file::File,
    journal: Journal,
    pending: Mutex<Pending>,
    more: Condvar,
    /// Who writes takes a batch under it, so that an older one isn't written after a newer one.
    writing: Mutex<()>,
}

/// What outlives a restart. Dropped, it writes what is left.
pub struct Memory {
    shared: Arc<Shared>,
    /// Ends when nothing is pending and `closing` is set.
    writer: Mutex<Option<file::Writer>>,
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
    pub(crate) address: IpAddr,
    pub(crate) known: Known,
    pub(crate) suite: Option<CipherSuiteId>,
    pub(crate) plan: Arc<Plan>,
    /// Its records were read with other deviations in mind: they are to be read again.
    pub(crate) read_anew: bool,
    pub(crate) identity: Arc<Identity>,
    pub(crate) inventory: Arc<Inventory>,
    pub(crate) log: Option<LogPosition>,
    /// The session that was open last, where that was not closed.
    pub(crate) session: Option<OpenSession>,
}

impl Memory {
    /// Opens or creates the file. One that can't be used is moved aside and said so in the log; where there can be none, what is
    /// remembered ends with this run.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn open(path: &Path) -> Result<Self, StartError> {
        let memory = Self::over(file::open(path));
        memory.start_writer()?;
        Ok(memory)
    }

    fn start_writer(&self) -> Result<(), StartError> {
        let shared = Arc::clone(&self.shared);
        let writer = file::Writer::start(move || {
            shared.run();
            shared.file.close();
        })?;
        *self.writer() = Some(writer);
        Ok(())
    }

    /// Without a file and without a thread: [`Self::flush`] does its work.
    #[must_use]
    pub fn volatile() -> Self {
        Self::over(file::volatile())
    }

    fn over(file: file::File) -> Self {
        Self {
            shared: Arc::new(Shared {
                journal: Journal::new(file.journal_id(), file.last_news()),
                file,
                pending: Mutex::default(),
                more: Condvar::new(),
                writing: Mutex::default(),
            }),
            writer: Mutex::default(),
        }
    }

    fn writer(&self) -> MutexGuard<'_, Option<file::Writer>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what is left and lets go of the file, for the next who wants it; nothing is remembered from then on.
    pub(crate) fn close(&self) {
        self.shared.pending().closing = true;
        self.shared.more.notify_all();
        let writer = self.writer().take();
        // The thread itself, on which observers hear of news, goes on to its end and lets go of the file then.
        if writer.is_none_or(file::Writer::join) {
            self.shared.file.close();
        }
    }

    /// Writes what is pending, now.
    pub fn flush(&self) {
        self.shared.write_pending();
    }

    /// Whether anything is to be written: for tests.
    #[doc(hidden)]
    #[must_use]
    pub fn is_pending(&self) -> bool {
        !self.shared.pending().is_empty()
    }

    /// Loses what is pending, as a process does that is killed: for tests.
    #[doc(hidden)]
    pub fn lose_pending(&self) {
        self.shared.pending().take();
    }

    /// Observers on this board are told of news from now on, and on no other.
    pub(crate) fn announce_on(&self, board: &Arc<Board>) {
        self.shared.journal.announce_on(board);
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

    /// Remembers how far an event log was read, and what news that brought; unless it is said that the log is no more that
    /// reader's business, which nobody else changes meanwhile: see [`Self::positions`].
    pub(crate) fn remember_log_if(
        &self,
        id: &NodeId,
        read: &LogRead,
        is_ours: impl FnOnce() -> bool,
    ) {
        let bytes = codec::encode_position(&read.position);
        let mut pending = self.shared.pending();
        if !is_ours() {
            return;
        }
        pending.logs.insert(id.clone(), Some(bytes));
        let room = PENDING_NEWS_MAX.saturating_sub(pending.news.len());
        let mut news = journal::news(read).map(|event| (id.clone(), event));
        pending.news.extend(news.by_ref().take(room));
        if news.next().is_some() {
            tracing::warn!(node = %id, "news of event logs is lost: it can't be written as fast as it comes");
        }
        self.shared.more.notify_one();
    }

    /// Forgets how far an event log was told: it is another machine's.
    pub(crate) fn forget_log(&self, id: &NodeId) {
        self.shared.pending().logs.insert(id.clone(), None);
        self.shared.more.notify_one();
    }

    /// Remembers which session is open; `None` = none is.
    pub(crate) fn remember_session(&self, id: &NodeId, session: Option<OpenSession>) {
        let mut pending = self.shared.pending();
        pending.sessions.insert(id.clone(), session);
        self.shared.more.notify_one();
    }

    /// A BMC is part of the fleet no longer: it is forgotten, but not for [`KEPT_FOR`], so that one that a mistake has removed
    /// comes back as it was.
    pub(crate) fn forget(&self, id: &NodeId) {
        self.part(id, unix_ms());
    }

    fn part(&self, id: &NodeId, at_ms: u64) {
        let mut pending = self.shared.pending();
        pending.sessions.insert(id.clone(), None);
        pending.parted.insert(id.clone(), Some(at_ms));
        self.shared.more.notify_one();
    }

    /// How far the event logs of these nodes were read, by whoever had the names before, and has them no more.
    pub(crate) fn positions(&self, ids: &[&NodeId]) -> Vec<Option<LogPosition>> {
        if ids.is_empty() {
            return Vec::new();
        }
        self.flush();
        let Ok(view) = self.shared.file.view() else {
            return vec![None; ids.len()];
        };
        let position = |id: &&NodeId| codec::decode_position(&view.log(id.as_str()).ok()??);
        ids.iter().map(position).collect()
    }

    /// All are part of the fleet that are to be: those that are remembered besides left while nobody was there to see it. They are
    /// forgotten as if they had left now.
    pub(crate) fn forget_others(&self, is_there: impl Fn(&str) -> bool) {
        self.flush();
        let known = self.shared.file.view().and_then(|view| view.staying());
        match known {
            Ok(known) => {
                let now_ms = unix_ms();
                let others: Vec<NodeId> = known
                    .into_iter()
                    .filter(|id| !is_there(id.as_str()))
                    .collect();
                if !others.is_empty() {
                    let count = others.len();
                    tracing::info!(count, "BMCs left while the service was down");
                }
                for id in others {
                    self.part(&id, now_ms);
                }
            }
            Err(error) => tracing::warn!(%error, "it can't be seen which BMCs left"),
        }
    }

    /// What is known of each of these BMCs from earlier.
    pub(crate) fn recall(&self, targets: &[Target], plans: &Plans) -> Vec<Option<Remembered>> {
        self.flush();
        let view = self.shared.file.view();
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
            now_ms: unix_ms(),
            back: Vec::new(),
        };
        let known = targets.iter().map(|target| recall.target(target)).collect();
        let back = recall.back.into_iter().map(|id| (id, None));
        self.shared.pending().parted.extend(back);
        self.shared.more.notify_one();
        known
    }
}

struct Recall<'a> {
    view: file::View,
    plans: &'a Plans,
    /// Plans of the repositories that were looked at.
    made: HashMap<Fingerprint, Option<Arc<Plan>>>,
    texts: Texts,
    now_ms: u64,
    /// Those that had left.
    back: Vec<NodeId>,
}

impl Recall<'_> {
    /// What can't be read, or is of another BMC, is as good as not known.
    fn target(&mut self, target: &Target) -> Option<Remembered> {
        let parted_ms = self.view.parted(target.id.as_str()).ok()?;
        if let Some(parted_ms) = parted_ms {
            self.back.push(target.id.clone());
            if is_over(parted_ms, self.now_ms) {
                return None;
            }
        }
        let bytes = self.view.contact(target.id.as_str()).ok()??;
        let contact = Contact::decode(&bytes)?;
        if target
            .address
            .is_some_and(|address| address != contact.address)
        {
            return None;
        }
        let plan = self.plan(&contact.repository)?;
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
            address: contact.address.ip(),
            known: contact.known,
            // Taking it off and on again is how an operator has it negotiated anew.
            suite: contact.suite.filter(|_| parted_ms.is_none()),
            read_anew: plan.quirks != target.treatment.quirks,
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
        if let Err(error) = self.file.with(file::tidy) {
            tracing::warn!(%error, "what is remembered of BMCs can't be tidied");
        }
        let (mut closing, mut swept_ms) = (false, unix_ms());
        while !closing {
            let pending = self.pending();
            let idle = |pending: &mut Pending| pending.is_empty() && !pending.closing;
            let waited = self.more.wait_while(pending, idle);
            let pending = waited.unwrap_or_else(PoisonError::into_inner);
            let gather = if self.file.is_failing() {
                AGAIN_AFTER
            } else {
                BATCH_EVERY
            };
            // Others come along.
            let pending = self.gather(pending, gather, |pending| pending.news.is_empty());
            let mut pending = match pending.news.is_empty() {
                true => pending,
                false => self.gather(pending, NEWS_EVERY, |_| true),
            };
            closing = pending.closing;
            if closing {
                // News that was handed out and that nobody has fetched is not to end with this run.
                let rest = self.journal.take_unwritten();
                drop(pending.news.splice(0..0, rest));
            }
            drop(pending);
            self.write_pending();
            let since_ms = unix_ms().saturating_sub(swept_ms);
            if Duration::from_millis(since_ms) >= SWEEP_EVERY && !self.file.is_failing() {
                swept_ms = unix_ms();
                if let Err(error) = self.file.with(file::sweep_now) {
                    tracing::warn!(%error, "BMCs that left can't be forgotten");
                }
            }
        }
        self.write_last();
    }

    /// Writes what could not be written at the end.
    fn write_last(&self) {
        for _ in 0..LAST_ATTEMPTS {
            if self.pending().is_empty() {
                return;
            }
            self.write_pending();
            if self.file.is_failing() {
                file::pause(LAST_PAUSE);
            }
        }
        let lost = self.pending().take();
        if !lost.is_empty() {
            let entries = lost.contacts.len() + lost.logs.len();
            tracing::error!(
                entries,
                news = lost.news.len(),
                "what was found out about BMCs last can't be written and is lost"
            );
        }
    }

    fn write_pending(&self) {
        let alone = self.writing.lock();
        let alone = alone.unwrap_or_else(PoisonError::into_inner);
        let batch = self.pending().take();
        let brings_news = !batch.news.is_empty();
        self.write(batch);
        // Who hears of news may write, too.
        drop(alone);
        if brings_news {
            self.journal.announce();
        }
    }

    /// Waits so long, or until the end, or as long as it's worth it.
    fn gather<'a>(
        &self,
        pending: MutexGuard<'a, Pending>,
        span: Duration,
        is_worth_it: impl Fn(&Pending) -> bool,
    ) -> MutexGuard<'a, Pending> {
        let goes_on = |pending: &mut Pending| !pending.closing && is_worth_it(pending);
        let waited = self.more.wait_timeout_while(pending, span, goes_on);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Writes a batch. News is handed out in any case, but at the end of a run, when nobody may fetch it any more: what could not
    /// be written with it is tried again later.
    fn write(&self, batch: Pending) {
        if batch.is_empty() {
            return;
        }
        let brings_news = !batch.news.is_empty();
        let was_failing = self.file.is_failing();
        match self.file.with(|database| file::write(database, &batch)) {
            Ok(()) => {
                if brings_news {
                    self.journal.written_to(self.file.last_news());
                }
                if was_failing {
                    tracing::info!("what is found out about BMCs is written again");
                }
            }
            Err(error) => {
                if !was_failing {
                    let entries = batch.contacts.len() + batch.logs.len();
                    tracing::warn!(%error, entries, "what was found out about BMCs can't be written");
                }
                self.not_written(batch);
            }
        }
    }

    fn not_written(&self, mut batch: Pending) {
        let mut pending = self.pending();
        if !pending.closing {
            self.journal.hand_out(std::mem::take(&mut batch.news));
        }
        pending.put_back(batch);
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::mpsc;
    use std::{fs, io};

    use hardware::{LogJournal as _, Observer};
    use ipmi::console::Login;

    use super::*;
    use crate::contact::log::Newest;
    use crate::publish::Page;
    use crate::target::Treatment;

    fn target(id: &str) -> Target {
        let login = Arc::new(Login::new("admin", b"secret").unwrap());
        let address = "[fe80::7]:623".parse().ok();
        Target::new(NodeId::new(id).unwrap(), address, &login)
    }

    /// Remembers node `n1` with an empty repository.
    fn fill(memory: &Memory) {
        let target = target("n1");
        memory.remember_any(&target.id, target.address.unwrap());
    }

    fn recalled(memory: &Memory, target: &Target) -> Option<Remembered> {
        memory
            .recall(std::slice::from_ref(target), &Plans::default())
            .remove(0)
    }

    impl Memory {
        /// Remembers a node with an empty repository.
        pub(crate) fn remember_any(&self, id: &NodeId, address: SocketAddr) {
            let bytes = crate::contact::empty_key();
            let repository = fingerprint(&bytes);
            self.keep(repository, bytes);
            let contact = Contact {
                address,
                repository,
                ..codec::tests::contact()
            };
            self.remember(id, &contact);
            self.remember_log(id, &LogRead::default());
        }

        fn remember_log(&self, id: &NodeId, read: &LogRead) {
            self.remember_log_if(id, read, || true);
        }
    }

    #[test]
    fn what_was_remembered_is_there_in_the_next_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fleet.redb");
        fill(&Memory::open(&path).unwrap());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "its owner's alone");
        let memory = Memory::open(&path).unwrap();
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
        let with_quirks = Target {
            treatment: Treatment {
                quirks: ipmi::quirk::Quirks::NONE.with(ipmi::quirk::Quirk::FruChecksumsWrong),
                ..Treatment::default()
            },
            ..target("n1")
        };
        let found = recalled(&memory, &with_quirks).unwrap();
        assert!(found.read_anew && found.log.is_some(), "only its records");
        drop(memory);
    }

    #[test]
    fn a_file_that_can_not_be_used_is_moved_aside_and_all_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fleet.redb");
        fill(&Memory::open(&path).unwrap());
        let good = fs::read(&path).unwrap();
        for damaged in [
            b"no database at all, but some text".to_vec(),
            good[..good.len() / 3].to_vec(),
        ] {
            fs::write(&path, damaged).unwrap();
            let memory = Memory::open(&path).unwrap();
            assert!(recalled(&memory, &target("n1")).is_none());
            fill(&memory);
            drop(memory);
            assert!(recalled(&Memory::open(&path).unwrap(), &target("n1")).is_some());
        }
        let aside = fs::read_dir(&folder).unwrap().filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().contains(".unusable-")
        });
        assert_eq!(aside.count(), 2);
    }

    #[test]
    fn one_that_left_is_known_for_a_day_and_forgotten_then() {
        let memory = Memory::volatile();
        let (id, day_ms) = (target("n1").id, KEPT_FOR.as_millis() as u64);
        fill(&memory);
        memory.forget(&id);
        let back = recalled(&memory, &target("n1")).unwrap();
        assert_eq!((back.log, back.suite), (Some(LogPosition::default()), None));
        // One that is back stays, whoever leaves later.
        memory.part(&id, unix_ms() - 2 * day_ms);
        memory.flush();
        fill(&memory);
        memory.forget(&target("n2").id);
        let left = |id: &str| {
            memory.flush();
            let view = memory.shared.file.view().unwrap();
            view.contact(id).unwrap().is_some() || view.log(id).unwrap().is_some()
        };
        assert!(left("n1"), "its mark went with what was known before");
        memory.part(&id, unix_ms() - day_ms - 1);
        assert!(!left("n1"));
        assert!(recalled(&memory, &target("n1")).is_none());
    }

    #[test]
    fn of_very_many_that_left_the_first_are_forgotten_first() {
        let memory = Memory::volatile();
        fill(&memory);
        let now_ms = unix_ms();
        memory.part(&target("n1").id, now_ms - 1_000);
        assert!(recalled(&memory, &target("n1")).is_some());
        memory.part(&target("n1").id, now_ms - 1_000);
        for other in 0..PARTED_MAX {
            memory.part(&target(&format!("other{other}")).id, now_ms);
        }
        assert!(recalled(&memory, &target("n1")).is_none());
    }

    #[test]
    fn repositories_that_nobody_has_are_removed_at_the_next_start() {
        let memory = Memory::volatile();
        fill(&memory);
        let unused = [7; 32];
        memory.keep(unused, b"of nobody".to_vec());
        memory.flush();
        memory.shared.file.with(file::tidy).unwrap();
        let view = memory.shared.file.view().unwrap();
        assert!(view.repository(&unused).unwrap().is_none());
        assert!(recalled(&memory, &target("n1")).is_some());
    }

    /// A reading of a log that has brought these records, all of them new.
    fn brought(numbers: std::ops::Range<u8>) -> LogRead {
        let records: Vec<_> = numbers.map(|number| [number; 16]).collect();
        LogRead {
            news: records.len(),
            position: LogPosition {
                newest: Newest::of(records.iter().copied()),
                ..LogPosition::default()
            },
            records,
            ..LogRead::default()
        }
    }

    /// Numbers of news behind this one, and of the records.
    fn news(memory: &Memory, after: u64) -> Vec<(u64, u8)> {
        let news = memory.after(after, usize::MAX).into_iter();
        news.map(|news| match news.event {
            LogEvent::Entry { raw, .. } => (news.number.unwrap().get(), raw[0]),
            LogEvent::Loss => (news.number.unwrap().get(), 0),
        })
        .collect()
    }

    #[test]
    fn news_is_handed_out_once_it_is_written_and_kept_until_its_reader_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fleet.redb");
        let id = target("n1").id;
        let memory = Memory::open(&path).unwrap();
        memory.remember_log(&id, &brought(1..4));
        memory.flush();
        assert_eq!(news(&memory, 0), [(1, 1), (2, 2), (3, 3)]);
        assert_eq!(memory.after(1, 1).len(), 1);
        memory.forget_to(2);
        assert_eq!(news(&memory, 2), [(3, 3)]);
        drop(memory);
        let memory = Memory::open(&path).unwrap();
        let lost = LogRead {
            lost: true,
            ..brought(7..8)
        };
        memory.remember_log(&id, &lost);
        memory.flush();
        assert_eq!(news(&memory, 2), [(3, 3), (4, 0), (5, 7)]);
        memory.forget_to(5);
        memory.remember_log(&id, &brought(8..9));
        memory.flush();
        assert_eq!(news(&memory, 0), [(6, 8)], "no number comes again");
        drop(memory);
    }

    #[test]
    fn news_and_how_far_a_log_was_read_are_written_together_or_not_at_all() {
        let memory = Memory::volatile();
        fill(&memory);
        memory.flush();
        let read = brought(1..3);
        memory.remember_log(&target("n1").id, &read);
        memory.lose_pending();
        let position = |memory| recalled(memory, &target("n1")).unwrap().log;
        assert_eq!(position(&memory), Some(LogPosition::default()));
        assert_eq!(news(&memory, 0), []);
        memory.remember_log(&target("n1").id, &read);
        assert_eq!(position(&memory), Some(read.position));
        assert_eq!(news(&memory, 0), [(1, 1), (2, 2)]);
    }

    #[test]
    fn what_is_read_of_a_log_while_its_node_is_replaced_is_told_once() {
        let memory = Arc::new(Memory::volatile());
        fill(&memory);
        let shared = crate::shared::Shared::with_memory(Some(Arc::clone(&memory)));
        let (id, targets) = (target("n1").id, [target("n1")]);
        shared.change(&[], &targets);
        let before = Page::new(shared.board.spot(0).unwrap());
        let is_seen = || before.is_seen(&shared.board);
        let known = memory.recall(&targets, &shared.plans);
        // The one before reads on.
        let read = brought(1..3);
        memory.remember_log_if(&id, &read, is_seen);
        let moves = shared.enter(std::slice::from_ref(&id), &targets, known);
        assert_eq!(moves.remembered[&0].log, Some(read.position));
        memory.remember_log_if(&id, &brought(3..4), is_seen);
        memory.flush();
        assert_eq!(news(&memory, 0), [(1, 1), (2, 2)]);
        assert_eq!(memory.positions(&[&id]), [Some(read.position)]);
    }

    /// Has a memory last, lets go of it when there is news, and says so.
    struct Last(Mutex<Option<Arc<Memory>>>, mpsc::Sender<()>);

    impl Observer for Last {
        fn updated(&self, _: &hardware::Update) {
            let memory = self.0.lock().unwrap().take();
            if let Some(memory) = memory {
                memory.remember_log(&target("n2").id, &brought(7..8));
                drop(memory);
                self.1.send(()).unwrap();
            }
        }
    }

    #[test]
    fn a_memory_that_is_let_go_of_on_its_own_thread_writes_all_and_lets_go_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fleet.redb");
        let memory = Arc::new(Memory::open(&path).unwrap());
        let (board, (told, hears)) = (Arc::new(Board::new(Vec::new())), mpsc::channel());
        memory.announce_on(&board);
        let shared = Arc::clone(&memory.shared);
        let last = Arc::new(Last(Mutex::new(Some(memory)), told));
        board.observe(&(Arc::clone(&last) as Arc<dyn Observer>));
        shared
            .pending()
            .news
            .push((target("n1").id, LogEvent::Loss));
        shared.more.notify_one();
        drop(shared);
        hears.recv_timeout(Duration::from_secs(60)).unwrap();
        // It waits for the file.
        let memory = Memory::open(&path).unwrap();
        assert_eq!(news(&memory, 0), [(1, 0), (2, 7)]);
        drop(memory);
    }

    #[test]
    fn what_was_read_is_forgotten_though_nothing_else_is_to_be_written() {
        let memory = Memory::volatile();
        memory.remember_log(&target("n1").id, &brought(1..3));
        memory.flush();
        memory.forget_to(1);
        assert!(!memory.shared.pending().is_empty(), "it is to be written");
        memory.flush();
        assert_eq!(news(&memory, 0), [(2, 2)]);
        memory.forget_to(1);
        assert!(memory.shared.pending().is_empty(), "said once");
    }

    #[test]
    fn news_that_can_not_be_written_keeps_its_place_and_what_has_no_room_is_told_as_lost() {
        let memory = Memory::volatile();
        let (one, two) = (target("n1").id, target("n2").id);
        let unwritten = |id: &NodeId, numbers: std::ops::Range<u8>| {
            let read = brought(numbers);
            let news = journal::news(&read).map(|event| (id.clone(), event));
            memory.shared.journal.hand_out(news.collect());
        };
        let written = |id: &NodeId, number: u8| {
            memory.remember_log(id, &brought(number..number + 1));
            memory.flush();
        };
        let told = |after, most| -> Vec<u8> {
            let news = memory.after(after, most).into_iter();
            let number = |news: hardware::LogNews| match news.event {
                LogEvent::Entry { raw, .. } => raw[0],
                LogEvent::Loss => 0,
            };
            news.map(number).collect()
        };
        written(&one, 1);
        written(&one, 2);
        unwritten(&one, 3..5);
        written(&one, 5);
        assert_eq!(told(0, 1), [1]);
        assert_eq!(told(1, 2), [2, 3]);
        assert_eq!(told(2, 9), [4, 5]);
        // Nobody fetches it for long.
        unwritten(&two, 1..2);
        for _ in 0..=journal::UNWRITTEN_MAX / 200 {
            unwritten(&one, 1..201);
        }
        let told: Vec<_> = memory.after(3, usize::MAX);
        let losses = |id: &NodeId| {
            let lost = |news: &&hardware::LogNews| news.event == LogEvent::Loss && news.node == *id;
            told.iter().filter(lost).count()
        };
        assert_eq!((losses(&one), losses(&two)), (1, 1));
        assert!(told.len() <= journal::UNWRITTEN_MAX + 2, "{}", told.len());
        assert!(told[..2].iter().all(|news| news.event == LogEvent::Loss));
    }

    #[test]
    fn a_journal_that_is_older_than_its_reader_goes_on_behind_what_he_has() {
        let memory = Memory::volatile();
        memory.forget_to(40);
        memory.remember_log(&target("n1").id, &brought(1..2));
        memory.flush();
        assert_eq!(news(&memory, 0), [(41, 1)]);
    }

    #[test]
    fn what_a_disk_that_is_full_does_not_take_is_told_all_the_same_and_written_when_there_is_room()
    {
        let memory = Memory::volatile();
        let fail = |_: &redb::Database| -> Result<(), redb::Error> {
            Err(io::Error::from(io::ErrorKind::StorageFull).into())
        };
        assert!(memory.shared.file.with(fail).is_err());
        let mut batch = Pending::default();
        batch.logs.insert(target("n1").id, Some(vec![1]));
        batch.news.push((target("n1").id, LogEvent::Loss));
        memory.shared.not_written(batch);
        let told = memory.after(0, 9);
        assert_eq!((told.len(), told[0].number), (1, None));
        assert_eq!(memory.after(0, 9), [], "once");
        assert_eq!(memory.shared.pending().logs.len(), 1);
        memory.flush();
        assert!(memory.shared.pending().is_empty());
    }
}
