//! Writing inventories, for `fru write` and `fru edit` (§34.3): what is checked before, and what is left where it fails
//! midway.

use std::borrow::Cow;
use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use ipmi::command::Bytes;
use ipmi::command::storage::{GetFruInventoryAreaInfo, WriteFruData};
use ipmi::number::{CompletionCode, FruAccessMode, MessageCompletion, RecordCompletion};
use ipmi::record::fru::Fru;
use serde_json::json;

use super::fru::{Stored, read};
use super::fru_backup::Backup;
use crate::ipmi::args::BackupArgs;
use crate::ipmi::failure::Failure;
use crate::ipmi::report::Report;
use crate::ipmi::talk::{CallError, CallFault, Line, Outcome};

/// How many bytes are written at once: BMCs with small buffers take them, and an even number fits words.
const WRITE_CHUNK: usize = 16;

/// "The FRU device is busy": completion code of Write FRU Data.
const FRU_BUSY: CompletionCode = CompletionCode(RecordCompletion::BUSY.0);

/// The bytes are write-protected: completion code of Write FRU Data.
const WRITE_PROTECTED: CompletionCode = CompletionCode(RecordCompletion::LENGTH_MISMATCH.0);

/// How often a busy FRU device is asked again, and the pause before each.
const BUSY_MAX: u32 = 8;
const BUSY_PAUSE: Duration = Duration::from_millis(100);

/// What `fru write` is to do.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) id: u8,
    pub(super) bytes: Rc<[u8]>,
    /// Write also where not all bytes that it replaces can be saved.
    pub(super) force: bool,
    pub(super) backup: BackupArgs,
}

/// What keeps bytes from being an inventory in IPMI's format; `None` where nothing does.
pub(super) fn fault(bytes: &[u8]) -> Option<String> {
    match Fru::decode(bytes) {
        Err(error) => Some(format!("it has no common header of version 1 ({error})")),
        Ok(fru) => fru.faults.first().map(ToString::to_string),
    }
}

/// `fru write`: replaces a whole inventory.
pub(super) async fn run(line: Line, wanted: Wanted) -> Outcome {
    let Wanted {
        id, bytes, force, ..
    } = &wanted;
    let (device, backup) = (Device::of(&line, *id).await?, &wanted.backup);
    let before = match read(&line, *id).await {
        Ok(stored) => stored,
        Err(error) if error.completion().is_some() => Stored::unread(device.size, error),
        Err(error) => return Err(error.into()),
    };
    // What is not read and stays as it is needs no copy: some devices name a size beyond what they have.
    if !force
        && before.bytes.len() < bytes.len()
        && let Some(cut) = before.cut()
    {
        return Err(Failure::Unfit {
            kind: "unsaved",
            cause: format!(
                "the old content of FRU device {id} can't be saved: {cut}; nothing was written"
            ),
            remedy: "try again; --force writes all the same, and what can't be read is lost"
                .to_owned(),
        });
    }
    let written = device.replace(&line, &before, bytes, backup).await?;
    let text = format!("{} bytes of FRU device {id} written", bytes.len());
    Ok(written.report(text, json!({ "id": id, "bytes": bytes.len() })))
}

/// A FRU device that is written to.
pub(super) struct Device {
    id: u8,
    size: usize,
    by_words: bool,
}

/// An inventory that was written, and is what it should be.
pub(super) struct Written {
    /// Where the old content is kept, if it is.
    backup: Option<PathBuf>,
}

impl Written {
    /// What to tell about it.
    pub(super) fn report(self, text: String, mut value: serde_json::Value) -> Report {
        let mut lines = vec![text];
        if let Some(backup) = self.backup {
            let backup = backup.display().to_string();
            lines.push(format!("The old content is in {backup}"));
            value["backup"] = backup.into();
        }
        Report::of(lines, value)
    }
}

impl Device {
    /// Asks how large it is, and how it counts.
    pub(super) async fn of(line: &Line, id: u8) -> Result<Self, CallError> {
        let question = GetFruInventoryAreaInfo { fru_device_id: id };
        let info = line.call(&question).await?;
        Ok(Self {
            id,
            size: info.size.into(),
            by_words: info.access == FruAccessMode::WORDS,
        })
    }

    /// Makes `after` of what begins with `before`: writes the bytes that differ, and reads all back. Until that is done
    /// a file has the old ones.
    pub(super) async fn replace(
        &self,
        line: &Line,
        before: &Stored,
        after: &[u8],
        backup: &BackupArgs,
    ) -> Result<Written, Failure> {
        if after.len() > self.size {
            return Err(self.too_long(after.len()));
        }
        let old = before.bytes.as_slice();
        let differs = |range: &Range<usize>| old.get(range.clone()) != Some(&after[range.clone()]);
        let parts: Vec<_> = (0..after.len())
            .step_by(WRITE_CHUNK)
            .map(|start| start..after.len().min(start + WRITE_CHUNK))
            .filter(differs)
            .collect();
        if parts.is_empty() {
            return Ok(Written { backup: None });
        }
        let saved = Backup::write(line, self.id, before, &backup.backup_dir)?;
        line.leaves_unfinished(saved.remedy());
        let units = self.whole_units(after, old);
        let mut progress = Progress::default();
        for part in parts {
            let end = part.end.next_multiple_of(self.unit());
            let (count, done) = self.put(line, part.start, &units[part.start..end]).await;
            let taken = part.end.min(part.start + count);
            progress.new.push(part.start..taken);
            if !done.is_err_and(|error| executed_nothing(&error)) {
                progress.unsure.push(taken..part.end);
            }
            if let Err(error) = done {
                return Err(self.stopped(error, &progress, saved));
            }
        }
        self.verify(line, after, &progress, &saved).await?;
        if backup.keep_backup {
            return Ok(Written {
                backup: saved.keep(),
            });
        }
        saved.remove();
        Ok(Written { backup: None })
    }

    /// How many bytes it counts as one.
    fn unit(&self) -> usize {
        1 + usize::from(self.by_words)
    }

    /// These bytes in whole units: half a word is filled up with what is stored behind it.
    fn whole_units<'a>(&self, after: &'a [u8], old: &[u8]) -> Cow<'a, [u8]> {
        if after.len().is_multiple_of(self.unit()) {
            return after.into();
        }
        let mut units = after.to_vec();
        units.push(old.get(after.len()).copied().unwrap_or(0));
        units.into()
    }

    fn too_long(&self, len: usize) -> Failure {
        Failure::Unfit {
            kind: "too_long",
            cause: format!(
                "{len} bytes don't fit into FRU device {}, which has {}; nothing was written",
                self.id, self.size
            ),
            remedy: "write less".to_owned(),
        }
    }

    /// A request failed: the copy of the old content goes only where that is still what the device has.
    fn stopped(&self, error: CallError, progress: &Progress, saved: Backup) -> Failure {
        if progress.is_none() {
            saved.remove();
            return self.refused(error);
        }
        let unsure = match error.fault {
            CallFault::Refused(_) => "not or only in part",
            _ => "perhaps",
        };
        let told = Failure::Call(error).cause();
        Failure::Unfit {
            kind: "partly_written",
            cause: format!("{told}; {}", progress.told(unsure)),
            remedy: saved.remedy(),
        }
    }

    /// The device took nothing.
    fn refused(&self, error: CallError) -> Failure {
        if error.completion() != Some(WRITE_PROTECTED) {
            return error.into();
        }
        Failure::Unfit {
            kind: "write_protected",
            cause: format!("FRU device {} is write-protected", self.id),
            remedy: "nothing was written; see the maker's manual for how to lift the protection"
                .to_owned(),
        }
    }

    /// Reads back what should be there now.
    async fn verify(
        &self,
        line: &Line,
        after: &[u8],
        progress: &Progress,
        saved: &Backup,
    ) -> Result<(), Failure> {
        let why = match read(line, self.id).await {
            Ok(back) if back.bytes.starts_with(after) => return Ok(()),
            Ok(back) if after.starts_with(&back.bytes) => {
                let no_more = || format!("only {} bytes were read", back.bytes.len());
                back.cut().unwrap_or_else(no_more)
            }
            Ok(_) => {
                return Err(Failure::Unfit {
                    kind: "not_kept",
                    cause: "the BMC took the bytes, but has others now".to_owned(),
                    remedy: format!("some devices are write-protected; {}", saved.remedy()),
                });
            }
            Err(error) => Failure::Call(error).cause(),
        };
        Err(Failure::Unfit {
            kind: "unverified",
            cause: format!(
                "all was sent, but can't be read back: {why}; {}",
                progress.told("perhaps")
            ),
            remedy: format!(
                "look at FRU device {} with 'fru read' before writing again; {}",
                self.id,
                saved.remedy()
            ),
        })
    }

    /// Writes some bytes; how many of them the BMC took, and what it said to the others.
    async fn put(&self, line: &Line, start: usize, data: &[u8]) -> (usize, Result<(), CallError>) {
        let (mut taken, mut busy) = (0, 0);
        while taken < data.len() {
            let rest = &data[taken..];
            let command = WriteFruData {
                fru_device_id: self.id,
                offset: u16::try_from((start + taken) / self.unit()).unwrap_or(u16::MAX),
                data: Bytes::new(rest).unwrap_or(Bytes::EMPTY),
            };
            match line.call(&command).await {
                // A BMC that takes nothing keeps nothing: what is read back tells.
                Ok(done) if done.count == 0 => break,
                Ok(done) => taken += (usize::from(done.count) * self.unit()).min(rest.len()),
                Err(error) if error.completion() == Some(FRU_BUSY) && busy < BUSY_MAX => {
                    busy += 1;
                    line.pause(BUSY_PAUSE).await;
                }
                Err(error) => return (taken, Err(error)),
            }
        }
        (taken, Ok(()))
    }
}

/// Whether the answer to a request to write proves that none of its bytes was written. Codes that tell only that no proper
/// answer could be given, or that the bytes ran out on the way, prove nothing.
fn executed_nothing(error: &CallError) -> bool {
    let (CallFault::Refused(code) | CallFault::NotPassedOn(code)) = error.fault else {
        return error.fault == CallFault::TooLong;
    };
    let is_unheard = matches!(error.fault, CallFault::NotPassedOn(_))
        && code.0 == MessageCompletion::NO_ACKNOWLEDGE.0;
    is_unheard
        || matches!(
            code,
            WRITE_PROTECTED
                | FRU_BUSY
                | CompletionCode::NODE_BUSY
                | CompletionCode::INVALID_COMMAND
                | CompletionCode::INVALID_FOR_LUN
                | CompletionCode::REQUEST_LENGTH_INVALID
                | CompletionCode::REQUEST_FIELD_LENGTH_EXCEEDED
                | CompletionCode::PARAMETER_OUT_OF_RANGE
                | CompletionCode::NOT_PRESENT
                | CompletionCode::INVALID_DATA_FIELD
                | CompletionCode::ILLEGAL_FOR_TYPE
                | CompletionCode::DESTINATION_UNAVAILABLE
                | CompletionCode::INSUFFICIENT_PRIVILEGE
                | CompletionCode::NOT_SUPPORTED_IN_STATE
                | CompletionCode::DISABLED
        )
}

/// How far a write came. Ranges may be empty.
#[derive(Default)]
struct Progress {
    /// What the BMC took.
    new: Vec<Range<usize>>,
    /// What it was sent besides, and may have taken.
    unsure: Vec<Range<usize>>,
}

impl Progress {
    /// The old content is what the device has.
    fn is_none(&self) -> bool {
        self.new.iter().chain(&self.unsure).all(Range::is_empty)
    }

    /// What is new, and what is so in the sense of this word.
    fn told(&self, unsure: &str) -> String {
        let mut told = format!("new are: {}", list(&self.new));
        if !self.unsure.iter().all(Range::is_empty) {
            told += &format!("; {unsure} new are: {}", list(&self.unsure));
        }
        told + "; all others are as before"
    }
}

/// Ranges in their order, those that touch as one.
fn list(ranges: &[Range<usize>]) -> String {
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges.iter().filter(|range| !range.is_empty()) {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range.clone()),
        }
    }
    if joined.is_empty() {
        return "none".to_owned();
    }
    let joined: Vec<_> = joined.iter().map(bytes).collect();
    joined.join(", ")
}

/// Bytes of an inventory, by their numbers.
pub(super) fn bytes(range: &Range<usize>) -> String {
    format!("bytes {} to {}", range.start, range.end - 1)
}

#[cfg(test)]
pub(super) mod tests;
