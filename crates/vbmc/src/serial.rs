//! The serial port of a node's host, as serial over LAN shows it: the firmware's self test, and a login prompt.
//!
//! There is nobody who could log in, but for tests of consoles: `lines 16384` at the prompt prints so many numbered lines
//! of [`LINE_LEN`] characters.

use std::collections::VecDeque;

use crate::host::{Activity, POST_S};

/// Characters that wait for a console, at most; the oldest are lost.
pub const OUTPUT_MAX: usize = 16 << 10;
/// Characters of a numbered line, with CR and LF.
pub const LINE_LEN: usize = 64;
/// Numbered lines that are printed in one go, at most.
pub const LINES_MAX: u32 = 1 << 20;
/// The longest line that the login prompt takes.
const LINE_MAX: usize = 64;

/// What the host's login prompt is waiting for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Prompt {
    /// Firmware runs, or nothing.
    #[default]
    None,
    /// A name.
    Name,
    /// A password: not echoed.
    Password,
}

/// The port. It is there from the time that a console first looks at it.
#[derive(Clone, Debug, Default)]
pub struct Serial {
    output: VecDeque<u8>,
    line: Vec<u8>,
    prompt: Prompt,
    /// Steps of the self test that were printed.
    steps: usize,
    /// What the host did when it was last looked at.
    seen: Option<Activity>,
    /// Numbered lines that are still to be printed.
    lines: Option<Lines>,
}

/// Numbered lines under way.
#[derive(Clone, Debug)]
struct Lines {
    next: u32,
    end: u32,
    /// The host's name, for the prompt that follows.
    name: String,
}

/// A numbered line: seven digits, a blank, printable characters from another one on in each line, CR and LF.
#[must_use]
pub fn numbered_line(number: u32) -> [u8; LINE_LEN] {
    const FIRST: u8 = b' ';
    const COUNT: u32 = 95;
    let mut line = [b'\r'; LINE_LEN];
    for (place, digit) in line[..7].iter_mut().rev().enumerate() {
        let exponent = u32::try_from(place).unwrap_or(0);
        *digit = b'0' + (number / 10_u32.pow(exponent) % 10) as u8;
    }
    line[7] = b' ';
    for (at, character) in (number..).zip(&mut line[8..LINE_LEN - 2]) {
        *character = FIRST + (at % COUNT) as u8;
    }
    line[LINE_LEN - 1] = b'\n';
    line
}

/// What firmware prints, a line at a time, spread over the self test.
const POST: [&str; 9] = [
    "RDV firmware RDV 1.8.2",
    "Processor 1: 16 cores, 2.10 GHz",
    "Processor 2: 16 cores, 2.10 GHz",
    "Memory test: 65536 MB OK",
    "PCI enumeration",
    "Power supplies: 2, redundant",
    "Drives: 4",
    "Network boot agent",
    "Starting the operating system",
];

impl Serial {
    /// Moves the port to the present: prints what the host has printed meanwhile.
    pub fn advance(&mut self, name: &str, activity: Activity, at_s: u64) {
        let was = self.seen.replace(activity);
        if was == Some(activity) && !matches!(activity, Activity::Booting { .. }) {
            return;
        }
        match activity {
            Activity::Booting { until_s } => {
                if !matches!(was, Some(Activity::Booting { until_s: before }) if before == until_s)
                {
                    self.lines = None;
                    self.steps = 0;
                    self.prompt = Prompt::None;
                    self.print("\r\n");
                }
                let gone_s = POST_S.saturating_sub(until_s.saturating_sub(at_s));
                let due = POST.len() * usize::try_from(gone_s).unwrap_or(0)
                    / usize::try_from(POST_S).unwrap_or(1);
                while self.steps < (due + 1).min(POST.len()) {
                    self.print(POST[self.steps]);
                    self.print("\r\n");
                    self.steps += 1;
                }
            }
            Activity::Running => {
                while self.steps < POST.len() && matches!(was, Some(Activity::Booting { .. })) {
                    self.print(POST[self.steps]);
                    self.print("\r\n");
                    self.steps += 1;
                }
                self.greet(name);
            }
            Activity::ShuttingDown { .. } => {
                self.lines = None;
                self.prompt = Prompt::None;
                self.print("\r\nThe system is going down.\r\n");
            }
            Activity::Off | Activity::Cycling { .. } => {
                self.lines = None;
                self.prompt = Prompt::None;
                self.line.clear();
            }
        }
    }

    fn greet(&mut self, name: &str) {
        self.prompt = Prompt::Name;
        self.line.clear();
        self.print(&format!("\r\n{name} login: "));
    }

    fn print(&mut self, text: &str) {
        self.output.extend(text.bytes());
        let over = self.output.len().saturating_sub(OUTPUT_MAX);
        self.output.drain(..over);
    }

    /// What a console typed.
    pub fn write(&mut self, name: &str, characters: &[u8]) {
        for character in characters {
            match (self.prompt, character) {
                // Nobody listens.
                (Prompt::None, _) => {}
                (Prompt::Name, b'\r' | b'\n') if self.line.is_empty() => self.greet(name),
                (Prompt::Name, b'\r' | b'\n') if self.count().is_some() => {
                    let end = self.count().unwrap_or(0).min(LINES_MAX);
                    self.print("\r\n");
                    self.prompt = Prompt::None;
                    self.lines = Some(Lines {
                        next: 0,
                        end,
                        name: name.to_owned(),
                    });
                }
                (Prompt::Name, b'\r' | b'\n') => {
                    self.prompt = Prompt::Password;
                    self.line.clear();
                    self.print("\r\nPassword: ");
                }
                (Prompt::Password, b'\r' | b'\n') => {
                    // The host has no users.
                    self.print("\r\n\r\nLogin incorrect");
                    self.greet(name);
                }
                (prompt, 0x08 | 0x7f) => {
                    let had = self.line.pop().is_some();
                    if had && prompt == Prompt::Name {
                        self.print("\x08 \x08");
                    }
                }
                (prompt, 0x20..=0x7e) if self.line.len() < LINE_MAX => {
                    self.line.push(*character);
                    if prompt == Prompt::Name {
                        self.output.push_back(*character);
                    }
                }
                _ => {}
            }
        }
    }

    /// How many numbered lines the line at the prompt asks for.
    fn count(&self) -> Option<u32> {
        let line = std::str::from_utf8(&self.line).ok()?;
        line.strip_prefix("lines ")?.trim().parse().ok()
    }

    /// Prints numbered lines as far as somebody reads them: none is lost.
    fn print_lines(&mut self, wanted: usize) {
        while self.output.len() < wanted
            && let Some(lines) = &mut self.lines
        {
            if lines.next < lines.end {
                self.output.extend(numbered_line(lines.next));
                lines.next += 1;
            } else if let Some(Lines { name, .. }) = self.lines.take() {
                self.greet(&name);
            }
        }
    }

    /// Characters for the console; says how many.
    pub fn read(&mut self, characters: &mut [u8]) -> usize {
        self.print_lines(characters.len());
        let count = characters.len().min(self.output.len());
        for (to, from) in characters.iter_mut().zip(self.output.drain(..count)) {
            *to = from;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(serial: &mut Serial) -> String {
        let mut buffer = [0; OUTPUT_MAX];
        let count = serial.read(&mut buffer);
        String::from_utf8_lossy(&buffer[..count]).into_owned()
    }

    #[test]
    fn a_start_prints_the_self_test_line_by_line_and_ends_at_the_prompt() {
        let mut serial = Serial::default();
        let booting = Activity::Booting { until_s: POST_S };
        serial.advance("n1", booting, 0);
        let first = text(&mut serial);
        assert!(
            first.contains(POST[0]) && !first.contains(POST[1]),
            "{first}"
        );
        serial.advance("n1", booting, POST_S / 2);
        let half = text(&mut serial);
        assert!(half.contains(POST[1]) && !half.contains(POST[8]), "{half}");
        serial.advance("n1", Activity::Running, POST_S);
        let rest = text(&mut serial);
        assert!(
            rest.contains(POST[8]) && rest.ends_with("n1 login: "),
            "{rest}"
        );
    }

    #[test]
    fn numbered_lines_come_whole_however_slowly_they_are_read() {
        let mut serial = Serial::default();
        serial.advance("n1", Activity::Running, 0);
        text(&mut serial);
        serial.write("n1", b"lines 1000\r");
        let (mut said, mut buffer) = (Vec::new(), [0; 100]);
        loop {
            let count = serial.read(&mut buffer);
            if count == 0 {
                break;
            }
            said.extend_from_slice(&buffer[..count]);
        }
        let lines: Vec<u8> = (0..1_000).flat_map(numbered_line).collect();
        let expected = [b"lines 1000\r\n", lines.as_slice(), b"\r\nn1 login: "].concat();
        assert!(said == expected);
        assert!(lines.starts_with(b"0000000  !\"#$%"));
        assert_eq!(numbered_line(1_234_567)[..8], *b"1234567 ");
    }

    #[test]
    fn a_name_is_echoed_a_password_is_not_and_nobody_gets_in() {
        let mut serial = Serial::default();
        serial.advance("n1", Activity::Running, 0);
        text(&mut serial);
        serial.write("n1", b"roott\x7f\r");
        assert_eq!(text(&mut serial), "roott\x08 \x08\r\nPassword: ");
        serial.write("n1", b"secret\r");
        let answer = text(&mut serial);
        assert!(answer.contains("Login incorrect") && !answer.contains("secret"));
        serial.advance("n1", Activity::Off, 9);
        serial.write("n1", b"x");
        assert_eq!(text(&mut serial), "");
    }
}
