//! Which BMCs scans have found, and when each was heard of last: kept in the state folder, so that a restart has them at once.
//!
//! The file has a line for each: host, port, the second of the Unix epoch, and the machine that it is where that has another name.
//! The configuration decides: a line counts only while an entry scans that host.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hardware::NodeId;

use crate::certificate;
use crate::config::SCANNED_MAX;

/// Name of the file in the state folder.
const FILE: &str = "found";
/// How it begins: its form.
const HEAD: &str = "reddrum found 1";
/// The longest file that is read, in bytes: [`SCANNED_MAX`] lines with long names.
const BYTES_MAX: u64 = 64 << 20;

/// A BMC that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// When it answered or was up last, in seconds since the Unix epoch.
    pub(super) at_s: u64,
    /// How many scans of this run in a row have not heard of it.
    pub(super) missed: u32,
    /// It is this machine's, which is named by its host name, say, and was found by its address.
    pub(super) same_as: Option<NodeId>,
}

/// All of them, by host and port. At most [`SCANNED_MAX`]: no more are scanned.
#[derive(Debug, Default)]
pub(super) struct Found {
    bmcs: BTreeMap<(String, u16), Seen>,
    file: Option<PathBuf>,
}

impl Found {
    /// What an earlier run has found, where there is a state folder.
    pub(super) fn load(state_dir: Option<&Path>) -> Self {
        let Some(folder) = state_dir else {
            return Self::default();
        };
        let file = folder.join(FILE);
        let bmcs = match read(&file) {
            Ok(text) => parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => {
                let file = file.display();
                tracing::warn!(%file, %error, "what earlier scans have found can't be read: the next ones find it again");
                BTreeMap::new()
            }
        };
        Self {
            bmcs,
            file: Some(file),
        }
    }

    /// From now on it is kept in this state folder.
    pub(super) fn keep_in(&mut self, state_dir: Option<&Path>) {
        self.file = state_dir.map(|folder| folder.join(FILE));
    }

    /// What was found at a host.
    pub(super) fn get(&self, host: &str, port: u16) -> Option<&Seen> {
        self.bmcs.get(&(host.to_owned(), port))
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, host: &str, port: u16) -> Option<&mut Seen> {
        self.bmcs.get_mut(&(host.to_owned(), port))
    }

    /// Somebody was found; returns what was known of him.
    pub(super) fn put(&mut self, host: &str, port: u16, seen: Seen) -> Option<Seen> {
        self.bmcs.insert((host.to_owned(), port), seen)
    }

    /// He is forgotten.
    pub(super) fn remove(&mut self, host: &str, port: u16) -> Option<Seen> {
        self.bmcs.remove(&(host.to_owned(), port))
    }

    /// Forgets all that nobody scans any more.
    pub(super) fn keep(&mut self, is_scanned: impl Fn(&(String, u16)) -> bool) {
        self.bmcs.retain(|place, _| is_scanned(place));
    }

    /// What has to be done to keep it all; it takes as long as the disk does.
    pub(super) fn saving(&self) -> Option<impl FnOnce() + Send + use<>> {
        let file = self.file.clone()?;
        let text = self.text();
        Some(move || {
            if let Err(error) = write(&file, &text) {
                let file = file.display();
                tracing::warn!(%file, %error, "what scans have found can't be kept: the next run has to find it again");
            }
        })
    }

    fn text(&self) -> String {
        let mut text = format!("{HEAD}\n");
        for ((host, port), seen) in &self.bmcs {
            text += &format!("{host} {port} {}", seen.at_s);
            if let Some(same) = &seen.same_as {
                text += &format!(" {same}");
            }
            text.push('\n');
        }
        text
    }
}

fn read(file: &Path) -> io::Result<String> {
    if fs::metadata(file)?.len() > BYTES_MAX {
        return Err(io::Error::other(format!("longer than {BYTES_MAX} bytes")));
    }
    fs::read_to_string(file)
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        certificate::private_folder(folder)?;
    }
    certificate::write_new(file, 0o600, text.as_bytes())
}

/// What a file says; lines that say nothing are left out, and so is all of a file of another form.
fn parse(text: &str) -> BTreeMap<(String, u16), Seen> {
    let mut lines = text.lines();
    if lines.next() != Some(HEAD) {
        return BTreeMap::new();
    }
    let line = |line: &str| {
        let mut words = line.split(' ');
        let host = words.next().filter(|host| !host.is_empty())?;
        let port = words.next()?.parse().ok()?;
        let at_s = words.next()?.parse().ok()?;
        let same_as = match words.next() {
            None => None,
            Some(id) => Some(NodeId::new(id)?),
        };
        let seen = Seen {
            at_s,
            missed: 0,
            same_as,
        };
        Some(((host.to_owned(), port), seen))
    };
    lines.filter_map(line).take(SCANNED_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_there_again_and_damaged_lines_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let mut found = Found::load(Some(folder));
        let seen = |at_s, same: Option<&str>| Seen {
            at_s,
            missed: 0,
            same_as: same.map(|id| NodeId::new(id).unwrap()),
        };
        found.put("10.0.0.1", 623, seen(7, None));
        found.put("bmc1", 6230, seen(8, Some("n1")));
        found.saving().unwrap()();
        let again = Found::load(Some(folder));
        assert_eq!(again.bmcs, found.bmcs);
        assert_eq!(again.get("bmc1", 6230), Some(&seen(8, Some("n1"))));
        let text = found.text() + "10.0.0.2\n10.0.0.3 x 7\n10.0.0.4 623 7 a/b\n\n10.0.0.5 623 9\n";
        fs::write(folder.join(FILE), text).unwrap();
        let damaged = Found::load(Some(folder));
        assert_eq!(damaged.bmcs.len(), 3);
        fs::write(folder.join(FILE), "something else\n10.0.0.5 623 9\n").unwrap();
        assert!(Found::load(Some(folder)).bmcs.is_empty());
        assert!(Found::load(None).saving().is_none());
    }
}
