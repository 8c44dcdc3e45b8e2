//! The IO of a console: socket, keys, screen, log file, signals.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

use ipmi::console::{Login, Policy};
use ipmi::time::Instant;
use udp::{BATCH_LEN, Options, RandomBytes, ReceiveBatch, SendBatch, Socket};

use super::console::Console;
use super::escape::{Escapes, HELP, Typed, Wish};
use super::terminal::RawTerminal;
use crate::error::ProgramError;
use crate::ipmi::args::SolArgs;
use crate::ipmi::drive::Interrupt;
use crate::ipmi::failure::Failure;

/// Keys that are read at once.
const KEYS_LEN: usize = 1_024;
/// Pieces of input that wait to be sent; the reader of standard input waits for room.
const PIECES_MAX: usize = 4;
/// The longest sleep.
const WAIT_MAX: Duration = Duration::from_millis(500);
/// How long leaving may take.
const LEAVE_MAX: Duration = Duration::from_secs(3);

/// Shows the console at `address` until it ends; the inner result says why, where the operator did not end it.
///
/// # Errors
/// The operating system refuses a socket, the terminal or the log file.
pub(super) fn run(
    address: SocketAddr,
    login: Login,
    policy: Policy,
    args: &SolArgs,
) -> Result<Result<(), Failure>, ProgramError> {
    let log = match &args.log_file {
        None => None,
        Some(path) => {
            let named = |e| ProgramError::system(&format!("--log-file {}", path.display()), e);
            Some(open_log(path).map_err(named)?)
        }
    };
    let console = Console::new(login, policy, args.steal);
    let shown = Driver::new(address, console, args, log).and_then(Driver::run);
    shown.map_err(|e| ProgramError::system("showing the console", e))
}

/// A file for what a console shows, which may be secret: its owner's only. One that is there keeps its mode.
fn open_log(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.create(true).append(true).mode(0o600).open(path)
}

/// What comes from standard input.
enum Keys {
    /// There may be more.
    Open(Receiver<Vec<u8>>),
    /// It has ended.
    Ended,
}

struct Driver {
    socket: Socket,
    address: SocketAddr,
    console: Console,
    escapes: Escapes,
    terminal: Option<RawTerminal>,
    interrupt: Arc<Interrupt>,
    keys: Keys,
    /// Characters that wait for room in the line.
    typed: Vec<u8>,
    log: Option<File>,
    origin: std::time::Instant,
    random: RandomBytes,
    received: ReceiveBatch,
    sending: SendBatch,
    /// After the input has ended: end once the machine says nothing for so long.
    silence: Duration,
    last_heard: Instant,
    /// The operator was told that the console is there.
    greeted: bool,
    leave_by: Option<Instant>,
}

impl Driver {
    fn new(
        address: SocketAddr,
        console: Console,
        args: &SolArgs,
        log: Option<File>,
    ) -> io::Result<Self> {
        let any: SocketAddr = if address.is_ipv6() {
            (Ipv6Addr::UNSPECIFIED, 0).into()
        } else {
            (Ipv4Addr::UNSPECIFIED, 0).into()
        };
        let interrupt = Interrupt::listen()?;
        let terminal = RawTerminal::enter()?;
        Ok(Self {
            socket: Socket::bind(any, Options::default())?,
            address,
            console,
            escapes: Escapes::new(!args.no_escape),
            terminal,
            keys: Keys::Open(read_keys(&interrupt)?),
            interrupt,
            typed: Vec::new(),
            log,
            origin: std::time::Instant::now(),
            random: RandomBytes::new()?,
            received: ReceiveBatch::new(),
            sending: SendBatch::new(),
            silence: Duration::from_millis(u64::from(args.silence_ms)),
            last_heard: Instant::ORIGIN,
            greeted: false,
            leave_by: None,
        })
    }

    fn run(mut self) -> io::Result<Result<(), Failure>> {
        let id = NonZeroU32::new(self.random.next_u32()).unwrap_or(NonZeroU32::MIN);
        self.console.connect(self.now(), id);
        self.transmit()?;
        while !self.console.is_over() {
            let now = self.now();
            let wait = match self.console.next_deadline() {
                Some(deadline) => deadline.since(now).min(WAIT_MAX),
                None => WAIT_MAX,
            };
            self.socket
                .wait(false, Some(self.interrupt.waker()), Some(wait))?;
            self.turn()?;
            if self.leave_by.is_some_and(|by| by <= self.now()) {
                break;
            }
        }
        self.show()?;
        drop(self.terminal);
        Ok(self.console.failure().cloned().map_or(Ok(()), Err))
    }

    fn turn(&mut self) -> io::Result<()> {
        let now = self.now();
        if self.interrupt.was_asked() {
            self.leave(now);
        }
        while self.socket.recv(&mut self.received)? == BATCH_LEN {
            self.take(now);
        }
        self.take(now);
        self.console.handle_timeout(now);
        self.type_in(now)?;
        match self.show() {
            // Whoever read the output is gone.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.leave(now),
            shown => shown?,
        }
        self.tell()?;
        self.transmit()
    }

    fn now(&self) -> Instant {
        Instant::ORIGIN + self.origin.elapsed()
    }

    fn leave(&mut self, now: Instant) {
        if self.leave_by.is_none() {
            self.leave_by = Some(now + LEAVE_MAX);
            self.console.end(now);
        }
    }

    /// Gives the console the datagrams that came.
    fn take(&mut self, now: Instant) {
        for datagram in self.received.datagrams_mut() {
            if datagram.peer != self.address {
                continue;
            }
            if let Err(ignored) = self.console.handle_datagram(now, datagram.bytes) {
                tracing::debug!(%ignored, "a datagram was ignored");
            }
        }
    }

    fn transmit(&mut self) -> io::Result<()> {
        let now = self.now();
        let Self {
            console,
            random,
            sending,
            address,
            ..
        } = self;
        let mut entropy = |bytes: &mut [u8]| random.fill(bytes);
        while let Ok(true) = sending.push_with(|buffer| {
            let len = console.poll_transmit(now, &mut entropy, buffer)?;
            Some((*address, None, len))
        }) {}
        self.socket.send(&mut self.sending)?;
        Ok(())
    }

    /// Takes keys as far as there is room for them.
    fn type_in(&mut self, now: Instant) -> io::Result<()> {
        if !self.console.is_active() {
            // Until the console is there, keys are for nobody but ourselves; a pipe waits.
            if self.terminal.is_some()
                && let Keys::Open(keys) = &self.keys
                && let Ok(piece) = keys.try_recv()
            {
                self.sort(now, &piece)?;
            }
            return Ok(());
        }
        loop {
            if !self.typed.is_empty() {
                let taken = self.console.write(&self.typed);
                self.typed.drain(..taken);
                if !self.typed.is_empty() {
                    return Ok(());
                }
            }
            let Keys::Open(keys) = &self.keys else {
                break;
            };
            match keys.try_recv() {
                Ok(piece) => self.sort(now, &piece)?,
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => {
                    self.keys = Keys::Ended;
                    self.last_heard = now;
                }
            }
        }
        if self.console.is_idle() && now.since(self.last_heard) >= self.silence {
            self.leave(now);
        }
        Ok(())
    }

    /// What of it is for the machine waits for room; the rest happens now.
    fn sort(&mut self, now: Instant, piece: &[u8]) -> io::Result<()> {
        for &key in piece {
            match self.escapes.push(key) {
                Typed::Nothing => {}
                Typed::Character(character) => self.typed.push(character),
                Typed::Escaped(character) => {
                    self.typed.extend([Escapes::character(), character]);
                }
                Typed::Wish(Wish::End) => {
                    self.leave(now);
                    return Ok(());
                }
                Typed::Wish(Wish::Break) => self.console.send_break(),
                Typed::Wish(Wish::Help) => self.say(HELP)?,
                Typed::Wish(Wish::Suspend) => {
                    if let Some(terminal) = &self.terminal {
                        terminal.suspend()?;
                    }
                }
            }
        }
        if !self.console.is_active() {
            self.typed.clear();
        }
        Ok(())
    }

    /// Shows and logs what came from the machine.
    fn show(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4_096];
        let mut out = io::stdout().lock();
        loop {
            let count = self.console.read(&mut buffer);
            if count == 0 {
                return out.flush();
            }
            self.last_heard = Instant::ORIGIN + self.origin.elapsed();
            if let Some(log) = &mut self.log {
                log.write_all(&buffer[..count])?;
            }
            out.write_all(&buffer[..count])?;
        }
    }

    /// Tells the operator what the machine itself did not say.
    fn tell(&mut self) -> io::Result<()> {
        if self.console.is_active() && !self.greeted {
            self.greeted = true;
            self.last_heard = self.now();
            if self.terminal.is_some() {
                self.say("[the console is connected; ~? at the beginning of a line tells how to leave]\n")?;
            }
        }
        for notice in self.console.take_notices() {
            self.say(&format!("[{notice}]\n"))?;
        }
        Ok(())
    }

    /// A text for the operator; a raw terminal needs the carriage returns as well.
    fn say(&self, text: &str) -> io::Result<()> {
        let mut terminal = io::stderr().lock();
        let text = if self.terminal.is_some() {
            format!("\r\n{}", text.replace('\n', "\r\n"))
        } else {
            text.to_owned()
        };
        terminal.write_all(text.as_bytes())?;
        terminal.flush()
    }
}

/// Reads standard input on a thread that ends with the program.
fn read_keys(interrupt: &Arc<Interrupt>) -> io::Result<Receiver<Vec<u8>>> {
    let (sender, receiver) = sync_channel(PIECES_MAX);
    let interrupt = Arc::clone(interrupt);
    let read = move || {
        let mut buffer = [0; KEYS_LEN];
        loop {
            match io::stdin().lock().read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => break,
                Ok(count) => {
                    if sender.send(buffer[..count].to_vec()).is_err() {
                        break;
                    }
                    interrupt.waker().wake();
                }
            }
        }
        drop(sender);
        interrupt.waker().wake();
    };
    thread::Builder::new().name("keys".into()).spawn(read)?;
    Ok(receiver)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_log_file_is_for_its_owner_only_and_grows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        for _ in 0..2 {
            open_log(&path).unwrap().write_all(b"login: ").unwrap();
        }
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        let kept = std::fs::read(&path).unwrap();
        assert_eq!(
            (mode & 0o777, kept.as_slice()),
            (0o600, &b"login: login: "[..])
        );
    }
}
