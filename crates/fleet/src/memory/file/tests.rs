//! What becomes of what is remembered where the disk fails.

use std::sync::atomic::AtomicU32;
use std::sync::mpsc::{TryRecvError, channel};

use hardware::LogJournal as _;
use ipmi::console::Login;
use redb::StorageBackend;
use redb::backends::FileBackend;
use tempfile::TempDir;

use super::*;
use crate::contact::log::{LogPosition, LogRead, Newest};
use crate::memory::{Memory, codec};
use crate::plan::Plans;
use crate::target::Target;

/// A file on a disk of which some writes fail.
#[derive(Debug)]
struct Disk {
    file: FileBackend,
    /// How many of the next writes fail.
    failing: Arc<AtomicU32>,
    kind: io::ErrorKind,
}

impl Disk {
    fn check(&self) -> io::Result<()> {
        let fails = |left: u32| left.checked_sub(1);
        let order = Ordering::Relaxed;
        match self.failing.fetch_update(order, order, fails) {
            Ok(_) => Err(self.kind.into()),
            Err(_) => Ok(()),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check()?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.check()?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.check()?;
        self.file.write(offset, data)
    }
}

/// A folder that goes with the test.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("fleet.redb")
    }

    /// The file in it, on a disk of which as many writes fail as the counter says. Opened again, it is on a sound one.
    fn file(&self, kind: io::ErrorKind) -> (File, Arc<AtomicU32>) {
        let path = self.path();
        let mut options = fs::File::options();
        let file = options.create(true).truncate(false).read(true).write(true);
        let failing = Arc::new(AtomicU32::new(0));
        let disk = Disk {
            file: FileBackend::new(file.open(&path).unwrap()).unwrap(),
            failing: Arc::clone(&failing),
            kind,
        };
        let database = Builder::new().create_with_backend(disk).unwrap();
        (File::new(Some(path), prepare(database).unwrap()), failing)
    }
}

fn id(name: &str) -> NodeId {
    NodeId::new(name).unwrap()
}

fn target(name: &str) -> Target {
    let login = Arc::new(Login::new("admin", b"secret").unwrap());
    Target::new(id(name), "[fe80::7]:623".parse().ok(), &login)
}

/// All about a BMC, and its log with one new record of this number.
fn remember(memory: &Memory, name: &str, record: u8) {
    let bytes = crate::contact::empty_key();
    let repository = crate::memory::fingerprint(&bytes);
    memory.keep(repository, bytes);
    let contact = crate::memory::Contact {
        repository,
        ..codec::tests::contact()
    };
    memory.remember(&id(name), &contact);
    memory.remember_log_if(&id(name), &read_to(record), || true);
}

fn read_to(record: u8) -> LogRead {
    let records = vec![[record; 16]];
    LogRead {
        news: 1,
        position: LogPosition {
            newest: Newest::of(records.iter().copied()),
            ..LogPosition::default()
        },
        records,
        ..LogRead::default()
    }
}

/// The node's log position in the file, where its contact is there too.
fn position(memory: &Memory, name: &str) -> Option<LogPosition> {
    let known = memory.recall(&[target(name)], &Plans::default()).remove(0);
    known?.log
}

/// Numbers of news behind this one (0 = it has none), and of the records.
fn news(memory: &Memory, after: u64) -> Vec<(u64, u8)> {
    let news = memory.after(after, usize::MAX).into_iter();
    news.map(|news| match news.event {
        LogEvent::Entry { raw, .. } => (news.number.map_or(0, NonZeroU64::get), raw[0]),
        LogEvent::Loss => (news.number.map_or(0, NonZeroU64::get), 0),
    })
    .collect()
}

#[test]
fn a_disk_that_failed_once_costs_nothing_that_is_remembered() {
    for (kind, fails) in [
        (io::ErrorKind::StorageFull, 1),
        (io::ErrorKind::Other, 1),
        (io::ErrorKind::Other, 3),
    ] {
        let folder = Folder::new();
        let (file, failing) = folder.file(kind);
        let memory = Memory::over(file);
        remember(&memory, "n1", 1);
        memory.flush();
        assert_eq!(news(&memory, 0), [(1, 1)]);
        failing.store(fails, Ordering::Relaxed);
        remember(&memory, "n2", 2);
        memory.flush();
        assert!(memory.shared.file.is_failing(), "{kind}");
        // It is told without delay, and what was written before is there.
        assert!(news(&memory, 1).contains(&(0, 2)));
        remember(&memory, "n1", 3);
        memory.flush();
        assert!(!memory.shared.file.is_failing(), "{kind}");
        memory.close();
        let memory = Memory::open(&folder.path()).unwrap();
        assert_eq!(position(&memory, "n1"), Some(read_to(3).position));
        assert_eq!(position(&memory, "n2"), Some(read_to(2).position));
        let kept = news(&memory, 0);
        assert_eq!((kept.first(), kept.last()), (Some(&(1, 1)), Some(&(2, 3))));
    }
}

#[test]
fn what_can_not_be_written_at_first_at_the_end_of_a_run_is_not_lost() {
    let folder = Folder::new();
    let (file, failing) = folder.file(io::ErrorKind::StorageFull);
    // Without the thread, which would write as well, at a moment of its own.
    let memory = Memory::over(file);
    remember(&memory, "n1", 1);
    memory.flush();
    // News that nobody has fetched when the run ends, from before and from now.
    failing.store(1, Ordering::Relaxed);
    remember(&memory, "n2", 2);
    memory.flush();
    assert!(memory.shared.file.is_failing());
    let (again, failing) = folder.file(io::ErrorKind::StorageFull);
    *memory.shared.file.lock() = again.lock().take();
    failing.store(1, Ordering::Relaxed);
    memory.start_writer().unwrap();
    remember(&memory, "n3", 3);
    memory.close();
    let memory = Memory::open(&folder.path()).unwrap();
    for (name, record) in [("n1", 1), ("n2", 2), ("n3", 3)] {
        let known = position(&memory, name);
        assert_eq!(known, Some(read_to(record).position), "{name}");
    }
    assert_eq!(news(&memory, 0), [(1, 1), (2, 2), (3, 3)]);
}

#[test]
fn an_older_state_never_takes_the_place_of_a_newer_one_whoever_writes_and_however_often_that_fails()
{
    const LAST: u8 = 200;
    const AT_ONCE: usize = 8;
    let folder = Folder::new();
    let memory = Memory::over(folder.file(io::ErrorKind::Other).0);
    remember(&memory, "n1", 0);
    thread::scope(|scope| {
        // In here, that the threads end where this one fails.
        let (go_on, goes_on) = channel();
        let (_until, over) = channel::<()>();
        let shared = &memory;
        scope.spawn(move || {
            for record in 1..=LAST {
                if usize::from(record).is_multiple_of(AT_ONCE) {
                    goes_on.recv().unwrap();
                }
                shared.remember_log_if(&id("n1"), &read_to(record), || true);
            }
        });
        scope.spawn(move || {
            while over.try_recv() == Err(TryRecvError::Empty) {
                shared.flush();
                thread::yield_now();
            }
        });
        let (mut newest, mut failures) = (0, 0);
        while newest < LAST {
            {
                let alone = memory.shared.writing.lock();
                memory.shared.file.lock().take();
                let (disk, failing) = folder.file(io::ErrorKind::Other);
                *memory.shared.file.lock() = disk.lock().take();
                failing.store(1, Ordering::Relaxed);
                drop(alone);
            }
            let _ = go_on.send(());
            // Writes what is pending first, where the other one doesn't.
            failures += 1;
            // Nothing is known while the disk fails for the other one, between its writing and our reading.
            let Some(at) = position(&memory, "n1") else {
                continue;
            };
            let number = |record: &u8| at == read_to(*record).position;
            let now = (0..=LAST).find(number).expect("it was written");
            assert!(now >= newest, "{now} after {newest}");
            newest = now;
        }
        assert!(failures > 5, "{failures}");
    });
    memory.close();
    let memory = Memory::open(&folder.path()).unwrap();
    assert_eq!(position(&memory, "n1"), Some(read_to(LAST).position));
}

#[test]
fn who_left_while_nobody_was_there_to_see_it_is_forgotten_a_day_after_that_was_noticed() {
    let folder = Folder::new();
    let memory = Memory::open(&folder.path()).unwrap();
    for name in ["n1", "n2", "n3"] {
        remember(&memory, name, 1);
    }
    memory.close();
    let memory = Memory::open(&folder.path()).unwrap();
    memory.forget_others(|id| id == "n1");
    memory.flush();
    let view = || memory.shared.file.view().unwrap();
    assert_eq!(view().staying().unwrap(), [id("n1")]);
    let noticed_ms = view().parted("n2").unwrap().unwrap();
    // One that comes back within the day is as it was.
    assert!(position(&memory, "n3").is_some());
    memory.flush();
    assert_eq!(view().staying().unwrap(), [id("n1"), id("n3")]);
    // Noticed again, it is no longer there for it.
    memory.forget_others(|id| id != "n2");
    memory.flush();
    assert_eq!(view().parted("n2").unwrap(), Some(noticed_ms));
    let day_ms = 24 * 3_600 * 1_000;
    memory.part(&id("n2"), noticed_ms - day_ms);
    memory.flush();
    assert!(view().contact("n2").unwrap().is_none() && view().log("n2").unwrap().is_none());
    assert!(position(&memory, "n1").is_some());
}

#[test]
fn who_only_stands_aside_is_not_forgotten_whether_he_left_now_or_before_the_start() {
    let folder = Folder::new();
    let memory = Memory::open(&folder.path()).unwrap();
    for name in ["n1", "n2", "n3", "n4"] {
        remember(&memory, name, 1);
    }
    memory.close();
    let login = Arc::new(Login::new("admin", b"secret").unwrap());
    let targets = ["n1", "n2"].map(|name| Target::new(id(name), None, &login));
    let config = crate::Config {
        memory: Some(folder.path()),
        ..crate::Config::new(targets.to_vec())
    };
    let fleet = crate::Fleet::start(&config).unwrap();
    let changes = crate::Changes {
        remove: vec![id("n1"), id("n2")],
        resting: vec![id("n1")],
        ..crate::Changes::default()
    };
    fleet.change(changes).unwrap();
    fleet.forget_others(|id| matches!(id, "n1" | "n3"));
    fleet.close();
    let memory = Memory::open(&folder.path()).unwrap();
    let view = memory.shared.file.view().unwrap();
    assert_eq!(view.staying().unwrap(), [id("n1"), id("n3")]);
    assert!(view.parted("n2").unwrap().is_some() && view.parted("n4").unwrap().is_some());
}
