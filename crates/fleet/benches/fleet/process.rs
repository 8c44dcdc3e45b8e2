//! The processes of a measurement: this program again, in another role, pinned to a core.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};

use super::{LIMIT_PORT, PORT, engine, limit, number, steady};

/// What a process does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    LimitServer,
    LimitClient,
    Bmcs,
    Engine,
    LogIns,
    Telltales,
    Steady,
}

impl Role {
    const ALL: [(Self, &'static str); 7] = [
        (Self::LimitServer, "limit-server"),
        (Self::LimitClient, "limit-client"),
        (Self::Bmcs, "bmcs"),
        (Self::Engine, "engine"),
        (Self::LogIns, "log-ins"),
        (Self::Telltales, "telltales"),
        (Self::Steady, "steady"),
    ];

    fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(role, _)| *role as u8 == self as u8)
            .map_or("", |(_, name)| name)
    }
}

/// Plays the role named first, with the arguments after it. Ends with its parent in any case, also where it is held and couldn't
/// notice.
pub(crate) fn play(args: &[String]) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let (name, rest) = args
        .split_first()
        .ok_or_else(|| super::bad("--role needs a name"))?;
    let role = Role::ALL
        .iter()
        .find(|(_, known)| known == name)
        .map(|(role, _)| *role);
    let argument = |i: usize| number(rest.get(i).map_or("", String::as_str));
    match role {
        Some(Role::LimitServer) => limit::serve(LIMIT_PORT, argument(0)?),
        Some(Role::LimitClient) => {
            let mut client = limit::Client::new(LIMIT_PORT, argument(0)?)?;
            say("ready")?;
            for span in spans() {
                say(&client.rate(span?)?.to_string())?;
            }
            Ok(())
        }
        Some(Role::Bmcs) => engine::serve(PORT, argument(0)?),
        Some(Role::Engine) => {
            let suite = u8::try_from(argument(2)?).map_err(io::Error::other)?;
            let found = engine::measure(PORT, argument(0)?, argument(1)?, suite)?;
            say(&serde_json::to_string(&found)?)
        }
        Some(Role::Telltales) => steady::serve(argument(0)?, argument(1)?),
        Some(Role::Steady) => steady::measure(&steady::Task {
            nodes: argument(0)?,
            seconds: argument(1)?,
            interval_ms: argument(2)?,
            suite: u8::try_from(argument(3)?).map_err(io::Error::other)?,
            epoch_s: argument(4)?,
            has_faults: argument(5)? > 0,
            rack_off: argument(6)? > 0,
        }),
        Some(Role::LogIns) => say(&engine::log_ins(PORT, argument(0)?)?.to_string()),
        None => Err(super::bad(&format!("unknown role {name}"))),
    }
}

/// The times, each in milliseconds on a line, that the parent asks for until it asks for no more.
pub(crate) fn spans() -> impl Iterator<Item = io::Result<Duration>> {
    let lines = io::stdin().lines();
    lines.map(|line| number(line?.trim()).map(Duration::from_millis))
}

/// Prints one line for the parent.
pub(crate) fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// A child process; killed when dropped.
pub(crate) struct Process {
    child: Child,
    /// Until it is asked for no more.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// Starts this program in `role` on core number `core`, or on the only one where there is just one.
pub(crate) fn spawn(core: usize, role: Role, args: &[String]) -> io::Result<Process> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut child = Command::new("taskset")
        .args(["-c", &core.min(cores - 1).to_string()])
        .arg(std::env::current_exe()?)
        .args(["--role", role.name()])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let pipes = child.stdin.take().zip(child.stdout.take());
    let (input, output) = pipes.ok_or_else(|| io::Error::other("no pipe"))?;
    Ok(Process {
        child,
        input: Some(input),
        output: BufReader::new(output),
    })
}

impl Process {
    /// Waits for the line that says that it serves.
    pub(crate) fn until_ready(mut self) -> io::Result<Self> {
        if self.line()? == "ready" {
            Ok(self)
        } else {
            Err(io::Error::other("a server did not start"))
        }
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    /// Gives it a line to read.
    pub(crate) fn tell(&mut self, line: &str) -> io::Result<()> {
        let input = self.input.as_mut();
        let input =
            input.ok_or_else(|| io::Error::other("a measuring process is asked too late"))?;
        writeln!(input, "{line}")?;
        input.flush()
    }

    /// Asks it for a measurement of this time; what it answers.
    pub(crate) fn ask(&mut self, span: Duration) -> io::Result<String> {
        self.tell(&span.as_millis().to_string())?;
        let answer = self.line()?;
        match answer.is_empty() {
            true => Err(io::Error::other("a measuring process ended")),
            false => Ok(answer),
        }
    }

    /// Holds it where it is, until it [goes on](Self::go_on).
    pub(crate) fn hold(&self) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), Signal::STOP)?)
    }

    /// Lets it go on.
    pub(crate) fn go_on(&self) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), Signal::CONT)?)
    }

    /// Asks it for no more, waits for its end and returns the last line that it printed.
    pub(crate) fn last_line(mut self) -> io::Result<String> {
        drop(self.input.take());
        let lines: io::Result<Vec<String>> = self.output.by_ref().lines().collect();
        let status = self.child.wait()?;
        if !status.success() {
            return Err(io::Error::other(format!(
                "a measuring process ended with {status}"
            )));
        }
        lines?
            .pop()
            .ok_or_else(|| io::Error::other("a measuring process printed nothing"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
