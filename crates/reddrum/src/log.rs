//! The log of a service, on its way to standard error: nobody who writes a line waits until it is taken.
//!
//! ```text
//!   tracing ─► Line ─► queue, bounded ─► a thread of its own ─► standard error
//! ```
//!
//! What standard error leads to may stand still: a pipe that nobody reads, a journal whose disk is full. Threads that ask BMCs and
//! answer clients must not stand still with it. So lines wait in a queue, those for which there is no room are dropped and counted, and the log tells how many
//! as soon as it is taken again. Commands that end by themselves write at once, see `main`.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

/// The most that waits to be written, in bytes: some ten thousand lines, more than a start of fifty thousand BMCs writes.
const WAITING_MAX: usize = 4 << 20;

/// What waits besides of defects of this program, in bytes: some hundred lines.
const DEFECTS_MAX: usize = 64 << 10;

/// How long a thread that panics waits for that to be written.
const DEFECT_FLUSH_MAX: Duration = Duration::from_millis(250);

/// How long the end of the program is put off for lines that are not taken.
const FLUSH_MAX: Duration = Duration::from_secs(2);

/// The log of this process, where it is a service.
static LOG: OnceLock<Log> = OnceLock::new();

/// What waits, and where it goes.
#[derive(Clone, Debug)]
pub(crate) struct Log(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// There is something to write, or everything is written.
    changed: Condvar,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Queue {
    lines: VecDeque<Vec<u8>>,
    /// All of them together.
    bytes: usize,
    /// A line is on its way out.
    is_writing: bool,
    /// How many dropped ones the log has told.
    told: u64,
}

impl Log {
    /// The log to standard error, for the rest of this process. Panics are told there, too, whatever the log is to leave out.
    ///
    /// # Errors
    /// The system has no thread or file descriptor left.
    pub(crate) fn of_process() -> io::Result<Self> {
        if let Some(log) = LOG.get() {
            return Ok(log.clone());
        }
        // Not the one that others lock: who holds that may wait for good.
        let file = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        let log = Self::to(file)?;
        let log = LOG.get_or_init(|| log);
        panic::set_hook(Box::new(|panic| {
            log.put_defect(&defect(panic));
            // The process may end before the thread that writes comes to it.
            log.flush(DEFECT_FLUSH_MAX);
        }));
        Ok(log.clone())
    }

    /// A log that is written to `out` by a thread of its own.
    fn to(out: impl Write + Send + 'static) -> io::Result<Self> {
        let log = Self(Arc::default());
        let shared = Arc::clone(&log.0);
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || shared.run(out))?;
        Ok(log)
    }

    /// Puts a line in, or drops it where there is no room.
    fn put(&self, line: &[u8]) {
        self.put_within(WAITING_MAX, line);
    }

    /// The same of a defect of this program, for which there is room where there is none for others.
    fn put_defect(&self, line: &str) {
        self.put_within(WAITING_MAX + DEFECTS_MAX, line.as_bytes());
    }

    fn put_within(&self, most: usize, line: &[u8]) {
        let Self(shared) = self;
        let queue = shared.queue();
        if queue.bytes + line.len() > most {
            shared.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.put_into(queue, line);
    }

    /// Puts the last line in, for which there is always room.
    fn put_last(&self, line: &[u8]) {
        self.put_into(self.0.queue(), line);
    }

    fn put_into(&self, mut queue: MutexGuard<'_, Queue>, line: &[u8]) {
        queue.bytes += line.len();
        queue.lines.push_back(line.to_owned());
        drop(queue);
        self.0.changed.notify_all();
    }

    /// Waits until everything is written, for at most this long; whether it is.
    fn flush(&self, at_most: Duration) -> bool {
        let Self(shared) = self;
        let begun = Instant::now();
        let mut queue = shared.queue();
        while queue.is_writing || !queue.lines.is_empty() {
            let Some(left) = at_most.checked_sub(begun.elapsed()) else {
                return false;
            };
            let waited = shared.changed.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes line by line, for as long as the process lives.
    fn run(&self, mut out: impl Write) {
        loop {
            let line = self.next();
            // Where standard error is closed, there is nobody to tell.
            if out.write_all(&line).and_then(|()| out.flush()).is_err() {
                self.dropped.fetch_add(1, Ordering::Relaxed);
                self.queue().told += 1;
            }
        }
    }

    /// Waits for the next line. Once all that waited is written, it is one about those that were dropped meanwhile.
    fn next(&self) -> Vec<u8> {
        let mut queue = self.queue();
        queue.is_writing = false;
        loop {
            if let Some(line) = queue.lines.pop_front() {
                queue.bytes -= line.len();
                queue.is_writing = true;
                return line;
            }
            let dropped = self.dropped.load(Ordering::Relaxed);
            let untold = dropped - queue.told;
            if untold > 0 {
                queue.told = dropped;
                queue.is_writing = true;
                let text = format!(
                    "reddrum: {untold} lines of the log were dropped here: standard error did not take them\n"
                );
                return text.into_bytes();
            }
            self.changed.notify_all();
            let waited = self.changed.wait(queue);
            queue = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// What is said of a panic: a line with its thread, its place and its message, and behind it its trace where `RUST_BACKTRACE` asks for
/// that.
fn defect(panic: &PanicHookInfo<'_>) -> String {
    let thread = thread::current();
    let thread = thread.name().unwrap_or("without a name");
    let said = panic.payload_as_str().unwrap_or("a panic without words");
    let said = said.replace(char::is_control, " ");
    let mut line = format!("reddrum: a defect of this program: thread {thread}");
    if let Some(at) = panic.location() {
        line += &format!(", {at}");
    }
    line += &format!(": {said}\n");
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        line += &format!("{trace}\n");
    }
    line
}

/// How many lines of the log were dropped because standard error did not take them.
pub(crate) fn dropped() -> u64 {
    let log = LOG.get();
    log.map_or(0, |Log(shared)| shared.dropped.load(Ordering::Relaxed))
}

/// Says why the program ends on standard error: behind all lines of the log, where there is one.
pub(crate) fn say(text: &str) {
    match LOG.get() {
        Some(log) => log.put_last(text.as_bytes()),
        None => {
            // Where it can't be said there is still the exit code.
            let _ = io::stderr().write_all(text.as_bytes());
        }
    }
}

/// Sees to it that the last lines are written before the process ends, unless they are not taken.
pub(crate) fn finish() {
    if let Some(log) = LOG.get() {
        log.flush(FLUSH_MAX);
    }
}

/// One line, being written.
pub(crate) struct Line<'a>(&'a Log);

impl Write for Line<'_> {
    /// Takes it whole: a line comes in one piece.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.put(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Takes a line whenever the test lets it.
    struct Valve {
        open: Receiver<()>,
        taken: Sender<Vec<u8>>,
    }

    impl Write for Valve {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let closed = |_| io::Error::from(io::ErrorKind::BrokenPipe);
            self.open.recv().map_err(closed)?;
            self.taken.send(bytes.to_owned()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn valve() -> (Log, Sender<()>, Receiver<Vec<u8>>) {
        let ((open, opened), (taken, takes)) = (channel(), channel());
        let valve = Valve {
            open: opened,
            taken,
        };
        (Log::to(valve).unwrap(), open, takes)
    }

    #[test]
    fn who_writes_a_line_never_waits_and_what_is_dropped_is_counted_and_told_once() {
        let (log, open, taken) = valve();
        let long = vec![b'x'; WAITING_MAX / 4];
        // Nothing is taken: the first is on its way out, four more wait.
        log.put(b"first\n");
        while !log.0.queue().is_writing {
            thread::yield_now();
        }
        (0..7).for_each(|_| log.put(&long));
        assert_eq!(log.0.dropped.load(Ordering::Relaxed), 3);
        assert!(!log.flush(Duration::from_millis(1)), "it has its limit");
        (0..20).for_each(|_| open.send(()).unwrap());
        assert!(log.flush(Duration::MAX));
        log.put(b"last\n");
        assert!(log.flush(Duration::MAX));
        let taken: Vec<Vec<u8>> = taken.try_iter().collect();
        assert_eq!(taken.len(), 7);
        assert_eq!(taken[0], b"first\n");
        assert!(taken[1..5].iter().all(|line| *line == long));
        let told = String::from_utf8_lossy(&taken[5]);
        assert!(
            told.starts_with("reddrum: 3 lines of the log were dropped"),
            "{told}"
        );
        assert_eq!(taken[6], b"last\n");
    }

    #[test]
    fn a_full_log_has_room_for_defects_of_the_program_and_for_so_many_only() {
        let (log, open, taken) = valve();
        log.put(b"first\n");
        while !log.0.queue().is_writing {
            thread::yield_now();
        }
        log.put(&vec![b'x'; WAITING_MAX]);
        log.put(b"no room for this\n");
        let long = "d".repeat(DEFECTS_MAX / 2);
        (0..3).for_each(|_| log.put_defect(&long));
        assert_eq!(log.0.dropped.load(Ordering::Relaxed), 2);
        (0..5).for_each(|_| open.send(()).unwrap());
        assert!(log.flush(Duration::MAX));
        let taken: Vec<usize> = taken.try_iter().map(|line| line.len()).collect();
        assert_eq!(taken[..4], [6, WAITING_MAX, long.len(), long.len()]);
    }

    /// By which the test below finds itself in a process of its own.
    const ALONE: &str = "REDDRUM_TEST_PANICS";

    #[test]
    fn a_panic_is_told_where_the_log_is_off() {
        if std::env::var_os(ALONE).is_none() {
            let mut command = std::process::Command::new(std::env::current_exe().unwrap());
            let name = "log::tests::a_panic_is_told_where_the_log_is_off";
            command
                .args(["--exact", name, "--nocapture"])
                .env(ALONE, "1");
            let ended = command.env_remove("RUST_BACKTRACE").output().unwrap();
            let said = String::from_utf8(ended.stderr).unwrap();
            let told = said.lines().filter(|line| line.starts_with("reddrum: "));
            let told: Vec<&str> = told.collect();
            assert_eq!(told.len(), 1, "{said}");
            let begin = "reddrum: a defect of this program: thread number-7, ";
            assert!(told[0].starts_with(begin), "{said}");
            assert!(told[0].contains("log.rs:"), "{said}");
            assert!(told[0].ends_with(": out of luck, twice"), "{said}");
            return;
        }
        let log = Log::of_process().unwrap();
        let off = tracing_subscriber::EnvFilter::new("off");
        let off = tracing_subscriber::fmt().with_env_filter(off);
        off.with_writer(log).init();
        let panics = thread::Builder::new().name("number-7".to_owned());
        let panics = panics.spawn(|| panic!("out of luck,\ntwice")).unwrap();
        assert!(panics.join().is_err());
    }

    #[test]
    fn a_closed_standard_error_holds_nothing_up() {
        let (log, open, _taken) = valve();
        drop(open);
        for _ in 0..3 {
            log.put(b"nobody reads this\n");
        }
        assert!(log.flush(Duration::MAX));
        assert_eq!(log.0.dropped.load(Ordering::Relaxed), 3);
    }
}
