//! Running other programs: with a time limit, a clean environment, and never left behind.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

/// How often a running program is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Variables that make a Python client trust another set of certificates than the one a check hands it.
///
/// `requests` lets `REQUESTS_CA_BUNDLE` win over `verify=False`, so a validator run with it set refuses our
/// self-signed certificate and reports failures that aren't there.
const FOREIGN_TRUST: [&str; 2] = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];

/// What a program did.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The command line, for messages.
    pub(crate) command: String,
    /// How it ended; `None` = the time limit ended it.
    pub(crate) status: Option<ExitStatus>,
    /// Its standard output.
    pub(crate) stdout: String,
    /// Its standard error.
    pub(crate) stderr: String,
}

impl Finished {
    /// Whether it ended by itself with exit code 0.
    pub(crate) fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    /// The standard output of a program that must have succeeded.
    ///
    /// # Errors
    /// The command line, how it ended and the end of what it said, where it failed.
    pub(crate) fn expect_success(self) -> Result<String> {
        if self.succeeded() {
            Ok(self.stdout)
        } else {
            Err(self.describe().into())
        }
    }

    /// The command line, how it ended, and the end of both outputs.
    pub(crate) fn describe(&self) -> String {
        let ending = match self.status {
            Some(status) => status.to_string(),
            None => "was ended: over its time limit".to_owned(),
        };
        let mut text = format!("`{}`: {ending}", self.command);
        for (name, output) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            let output = output.trim_end();
            if !output.is_empty() {
                let _ = write!(
                    text,
                    "\n  {name}: {}",
                    last_lines(output, 20).replace('\n', "\n    ")
                );
            }
        }
        text
    }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// Folders that hold programs and aren't in every user's path: FreeIPMI installs into `/usr/sbin`.
const MORE_FOLDERS: &str = ":/usr/sbin:/sbin";

fn search_path() -> std::ffi::OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(MORE_FOLDERS);
    path
}

/// Where the program of this name is; `None` = nowhere in the search path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = search_path();
    let mut candidates = std::env::split_paths(&path).map(|folder| folder.join(program));
    candidates.find(|candidate| candidate.is_file())
}

/// Whether a program can be started by this name.
pub(crate) fn is_installed(program: &str) -> bool {
    find(program).is_some()
}

/// A command with the environment that checks need.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    for name in FOREIGN_TRUST {
        command.env_remove(name);
    }
    command
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .env("PATH", search_path());
    command
}

/// The command line as a person would type it.
pub(crate) fn command_line(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        let arg = arg.to_string_lossy();
        let quoted = arg.is_empty() || arg.contains([' ', '"', '\'']);
        let _ = if quoted {
            write!(text, " {arg:?}")
        } else {
            write!(text, " {arg}")
        };
    }
    text
}

/// Runs to the end, gathering both outputs.
///
/// # Errors
/// Only where the program can't be started; see [`Finished`] for how it ended.
pub(crate) fn run(mut command: Command, limit: Duration) -> Result<Finished> {
    let line = command_line(&command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("can't start `{line}`: {error}"))?;
    let stdout = gather(child.stdout.take());
    let stderr = gather(child.stderr.take());
    let status = wait(&mut child, limit)?;
    let collect = |thread: thread::JoinHandle<String>| thread.join().unwrap_or_default();
    Ok(Finished {
        command: line,
        status,
        stdout: collect(stdout),
        stderr: collect(stderr),
    })
}

/// Runs to the end with the terminal's own outputs: for long steps that show their progress themselves.
///
/// # Errors
/// Where it can't be started, fails or is over the limit.
pub(crate) fn run_shown(mut command: Command, limit: Duration) -> Result {
    let line = command_line(&command);
    let mut child = command
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| format!("can't start `{line}`: {error}"))?;
    match wait(&mut child, limit)? {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(format!("`{line}`: {status}").into()),
        None => Err(format!(
            "`{line}` was ended: over its limit of {} s",
            limit.as_secs()
        )
        .into()),
    }
}

/// Runs to the end, gathering both outputs and showing them as they come.
///
/// # Errors
/// Only where the program can't be started; see [`Finished`] for how it ended.
pub(crate) fn run_copied(mut command: Command, limit: Duration) -> Result<Finished> {
    let line = command_line(&command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("can't start `{line}`: {error}"))?;
    let stdout = copy(child.stdout.take());
    let stderr = copy(child.stderr.take());
    let status = wait(&mut child, limit)?;
    let collect = |thread: thread::JoinHandle<String>| thread.join().unwrap_or_default();
    Ok(Finished {
        command: line,
        status,
        stdout: collect(stdout),
        stderr: collect(stderr),
    })
}

fn copy(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut all = String::new();
        for line in pipe
            .map(BufReader::new)
            .into_iter()
            .flat_map(BufRead::lines)
        {
            let Ok(line) = line else { break };
            println!("{line}");
            all.push_str(&line);
            all.push('\n');
        }
        all
    })
}

fn gather(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // An error here means the writer is gone; what came before it counts.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// Numbers of the programs that run beside checks.
static RUNNING: Mutex<Vec<u32>> = Mutex::new(Vec::new());

fn running() -> std::sync::MutexGuard<'static, Vec<u32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long programs may take to end after Ctrl-C.
const LAST_LIMIT: Duration = Duration::from_secs(5);

/// From now on Ctrl-C, SIGTERM and SIGHUP end this program and every [`Background`] one, each as a service manager does:
/// a web server that is killed would leave its workers behind.
///
/// # Errors
/// Where the system gives no thread or no handler.
pub(crate) fn end_with_children() -> Result {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let kinds = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ];
    let [mut interrupt, mut terminate, mut hang_up] = {
        let _entered = runtime.enter();
        let [a, b, c] = kinds.map(signal);
        [a?, b?, c?]
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let number = runtime.block_on(async {
                tokio::select! {
                    _ = interrupt.recv() => 2,
                    _ = terminate.recv() => 15,
                    _ = hang_up.recv() => 1,
                }
            });
            // Whoever drops one now waits until all is over.
            end(&running());
            // As a shell says that a signal ended a program.
            std::process::exit(128 + number);
        })?;
    Ok(())
}

/// Asks every program to end, and kills those that don't.
fn end(pids: &[u32]) {
    let limit = Instant::now() + LAST_LIMIT;
    for (signal, until) in [("-TERM", limit), ("-KILL", limit + LAST_LIMIT)] {
        for pid in pids.iter().filter(|pid| is_alive(**pid)) {
            let mut kill = command("kill");
            kill.args([signal, &pid.to_string()]);
            // It fails only where the program has ended, which is what we want.
            let _ = run(kill, LAST_LIMIT);
        }
        while pids.iter().any(|pid| is_alive(*pid)) && Instant::now() < until {
            thread::sleep(POLL_INTERVAL);
        }
    }
}

/// Whether a program runs: one that has ended and that nobody has waited for is a zombie.
fn is_alive(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = status.rsplit_once(") ").map(|(_, rest)| rest);
    state.is_some_and(|state| !state.starts_with(['Z', 'X']))
}

/// A program that runs beside a check, and ends with it.
#[derive(Debug)]
pub(crate) struct Background {
    child: Child,
    line: String,
}

impl Background {
    /// Starts it.
    ///
    /// # Errors
    /// Where it can't be started.
    pub(crate) fn start(mut command: Command) -> Result<Self> {
        let line = command_line(&command);
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .map_err(|error| format!("can't start `{line}`: {error}"))?;
        running().push(child.id());
        Ok(Self { child, line })
    }

    /// Its number in the system.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its standard output, where the command was given a pipe. Only once.
    pub(crate) fn take_stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// Waits until `ready` answers `Some`, asking every 20 ms.
    ///
    /// # Errors
    /// Where the program ends first or the limit passes.
    pub(crate) fn wait_until<T>(
        &mut self,
        limit: Duration,
        what: &str,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Result<T> {
        let end = Instant::now() + limit;
        loop {
            if let Some(value) = ready() {
                return Ok(value);
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("`{}` ended early ({status}) before {what}", self.line).into());
            }
            if Instant::now() >= end {
                return Err(
                    format!("`{}`: no {what} within {} s", self.line, limit.as_secs()).into(),
                );
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// That it runs still.
    ///
    /// # Errors
    /// How it ended, where it did.
    pub(crate) fn expect_running(&mut self) -> Result {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!("`{}` ended by itself: {status}", self.line).into()),
        }
    }

    /// Asks it to end as a service manager does and waits, so that it can end what it has started itself. Where it is
    /// still there after the limit, dropping the guard kills it.
    pub(crate) fn terminate(&mut self, limit: Duration) {
        let mut kill = command("kill");
        kill.args(["-TERM", &self.child.id().to_string()]);
        let end = Instant::now() + limit;
        if run(kill, Duration::from_secs(5)).is_ok() {
            while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < end {
                thread::sleep(POLL_INTERVAL);
            }
        }
    }

    /// Asks it to end as Ctrl-C does and waits.
    ///
    /// # Errors
    /// Where it is still there after the limit (then it is killed) or ends with an error.
    pub(crate) fn interrupt(mut self, limit: Duration) -> Result {
        self.expect_running()?;
        let pid = self.child.id().to_string();
        let mut kill = command("kill");
        kill.args(["-INT", &pid]);
        run(kill, Duration::from_secs(5))?.expect_success()?;
        match wait(&mut self.child, limit)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("`{}` after Ctrl-C: {status}", self.line).into()),
            None => Err(format!(
                "`{}` still runs {} s after Ctrl-C",
                self.line,
                limit.as_secs()
            )
            .into()),
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // Both fail only where it has ended already, which is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let id = self.child.id();
        running().retain(|pid| *pid != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = command("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failing_program_says_what_it_said() {
        let finished = run(
            shell("echo out; echo err >&2; exit 3"),
            Duration::from_secs(10),
        )
        .unwrap();
        assert!(!finished.succeeded());
        let text = finished.describe();
        assert!(
            text.contains("exit status: 3") && text.contains("out") && text.contains("err"),
            "{text}"
        );
    }

    #[test]
    fn a_program_over_its_limit_is_ended() {
        let finished = run(shell("exec sleep 60"), Duration::from_millis(50)).unwrap();
        assert_eq!(finished.status, None);
    }

    #[test]
    fn foreign_trust_is_not_handed_on() {
        let output = run(
            shell("echo \"[$REQUESTS_CA_BUNDLE$CURL_CA_BUNDLE]\""),
            Duration::from_secs(10),
        );
        assert_eq!(output.unwrap().stdout, "[]\n");
    }

    #[test]
    fn after_ctrl_c_programs_are_asked_to_end_before_they_are_killed() {
        let folder = tempfile::tempdir().unwrap();
        let [ready, ended] = ["ready", "ended"].map(|name| folder.path().join(name));
        let script = format!(
            "trap 'touch {}; exit 0' TERM; touch {}; while :; do sleep 0.01; done",
            ended.display(),
            ready.display()
        );
        let mut child = Background::start(shell(&script)).unwrap();
        let is_ready = || ready.exists().then_some(());
        child
            .wait_until(Duration::from_secs(10), "trap", is_ready)
            .unwrap();
        end(&[child.id()]);
        assert!(!is_alive(child.id()));
        assert!(ended.exists(), "it was killed and not asked");
    }

    #[test]
    fn a_background_program_ends_with_its_guard() {
        let mut child = Background::start(shell("exec sleep 60")).unwrap();
        let pid = child.child.id();
        assert!(
            child
                .wait_until(Duration::from_millis(40), "sign", || None::<()>)
                .is_err()
        );
        drop(child);
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    }
}
