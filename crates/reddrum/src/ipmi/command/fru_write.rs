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
pub(super) mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;
    use std::sync::atomic::{AtomicU32, Ordering};

    use ipmi::command::Command;
    use ipmi::command::storage::ReadFruData;
    use ipmi::record::fru::{FruField, Language, ProductArea};

    use super::*;
    use crate::ipmi::talk::{Call, Talk, play};

    /// A FRU device of which so many bytes can be read, and that refuses to be written from some request on.
    pub(in crate::ipmi::command) struct Eeprom {
        pub(in crate::ipmi::command) bytes: Vec<u8>,
        pub(in crate::ipmi::command) readable: usize,
        /// It counts in words of two bytes.
        pub(in crate::ipmi::command) by_words: bool,
        /// How many bytes it takes at once, however many it is sent.
        pub(in crate::ipmi::command) takes: usize,
        pub(in crate::ipmi::command) writes: u32,
        pub(in crate::ipmi::command) writes_max: u32,
        /// What it says to writes beyond.
        pub(in crate::ipmi::command) refusal: CompletionCode,
    }

    impl Eeprom {
        pub(in crate::ipmi::command) fn new(bytes: Vec<u8>) -> Self {
            Self {
                readable: bytes.len(),
                bytes,
                by_words: false,
                takes: usize::MAX,
                writes: 0,
                writes_max: u32::MAX,
                refusal: CompletionCode::UNSPECIFIED,
            }
        }

        pub(in crate::ipmi::command) fn answer(&mut self, call: &Call) -> play::Reply {
            let unit = 1 + usize::from(self.by_words);
            let offset =
                |call: &Call| usize::from(u16::from_le_bytes([call.data[1], call.data[2]])) * unit;
            match call.target.cmd {
                GetFruInventoryAreaInfo::CMD => {
                    let [low, high] = (self.bytes.len() as u16).to_le_bytes();
                    Some((CompletionCode::OK, vec![low, high, self.by_words.into()]))
                }
                ReadFruData::CMD => {
                    let start = offset(call);
                    let end = self.readable.min(start + usize::from(call.data[3]) * unit);
                    if start >= end {
                        return Some((CompletionCode::PARAMETER_OUT_OF_RANGE, vec![]));
                    }
                    let mut answer = vec![((end - start) / unit) as u8];
                    answer.extend(&self.bytes[start..end]);
                    Some((CompletionCode::OK, answer))
                }
                WriteFruData::CMD if self.writes == self.writes_max => Some((self.refusal, vec![])),
                WriteFruData::CMD => {
                    self.writes += 1;
                    let (start, data) = (offset(call), &call.data[3..]);
                    assert_eq!(data.len() % unit, 0, "half a word");
                    let data = &data[..self.takes.min(data.len())];
                    self.bytes[start..start + data.len()].copy_from_slice(data);
                    Some((CompletionCode::OK, vec![(data.len() / unit) as u8]))
                }
                other => panic!("command {other:02x}h"),
            }
        }
    }

    /// A folder for backups, empty.
    pub(in crate::ipmi::command) fn folder(name: &str) -> PathBuf {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = format!("reddrum-fru-{name}-{process}-{number}");
        let folder = std::env::temp_dir().join(folder);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn inventory(serial: &str) -> Vec<u8> {
        let text = |text| FruField::from_text(text, Language::ENGLISH).unwrap();
        let product = ProductArea {
            language: Language::ENGLISH,
            name: text("A machine with a name"),
            version: text("A version of it"),
            serial_number: text(serial),
            ..ProductArea::default()
        };
        let fru = Fru {
            product: Some(product),
            ..Fru::default()
        };
        fru.encode().unwrap()
    }

    fn write(eeprom: &mut Eeprom, bytes: &[u8], backup: &BackupArgs) -> Outcome {
        talk(wanted(bytes, backup), |call| eeprom.answer(call))
    }

    fn force(eeprom: &mut Eeprom, bytes: &[u8], backup: &BackupArgs) -> Outcome {
        let wanted = Wanted {
            force: true,
            ..wanted(bytes, backup)
        };
        talk(wanted, |call| eeprom.answer(call))
    }

    fn wanted(bytes: &[u8], backup: &BackupArgs) -> Wanted {
        Wanted {
            id: 3,
            bytes: bytes.into(),
            force: false,
            backup: backup.clone(),
        }
    }

    fn talk(wanted: Wanted, bmc: impl FnMut(&Call) -> play::Reply) -> Outcome {
        play::run(Talk::new(|line| run(line, wanted)), bmc)
    }

    fn args(folder: &Path) -> BackupArgs {
        BackupArgs {
            backup_dir: folder.to_owned(),
            keep_backup: false,
        }
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn only_what_differs_is_written_and_the_backup_goes() {
        let folder = folder("differs");
        let mut eeprom = Eeprom::new(inventory("S1"));
        let after = inventory("S2");
        write(&mut eeprom, &after, &args(&folder)).unwrap();
        assert_eq!(eeprom.bytes, after);
        // One chunk with the serial number, one with the checksum.
        assert!((1..=2).contains(&eeprom.writes), "{}", eeprom.writes);
        assert_eq!(files(&folder), [] as [PathBuf; 0]);
        write(&mut eeprom, &after, &args(&folder)).unwrap();
        assert!(eeprom.writes <= 2, "the same again writes nothing");
        let keep = BackupArgs {
            keep_backup: true,
            ..args(&folder)
        };
        write(&mut eeprom, &inventory("S3"), &keep).unwrap();
        assert_eq!(fs::read(&files(&folder)[0]).unwrap(), after);
    }

    #[test]
    fn a_write_that_fails_midway_says_what_is_new_and_leaves_the_old_content_in_a_file() {
        let folder = folder("midway");
        let before = vec![0xff; 128];
        let mut eeprom = Eeprom::new(before.clone());
        eeprom.writes_max = 2;
        let failure = write(&mut eeprom, &inventory("S1"), &args(&folder)).unwrap_err();
        assert_eq!(failure.kind(), "partly_written");
        let cause = failure.cause();
        assert!(cause.contains("new are: bytes 0 to 31; "), "{cause}");
        assert!(
            cause.contains("new are: bytes 32 to 47; all others"),
            "{cause}"
        );
        let [backup] = files(&folder).try_into().unwrap();
        let expected = format!(
            "put it back with: reddrum ipmi fru write 3 {} --force",
            backup.display()
        );
        assert!(failure.remedy().contains(&expected), "{failure}");
        assert_eq!(fs::read(&backup).unwrap(), before);
        let mode = fs::metadata(&backup).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // The mixture does not take the place of what was there at first, which can be put back.
        eeprom.writes_max = 3;
        let failure = write(&mut eeprom, &inventory("S2"), &args(&folder)).unwrap_err();
        assert_eq!(failure.kind(), "partly_written");
        assert!(failure.remedy().contains(".before.2"), "{failure}");
        assert_eq!(fs::read(&backup).unwrap(), before);
        eeprom.writes_max = u32::MAX;
        force(&mut eeprom, &before, &args(&folder)).unwrap();
        assert_eq!(eeprom.bytes, before);
        assert_eq!(files(&folder).len(), 2);
    }

    #[test]
    fn a_device_that_proves_to_have_taken_nothing_leaves_no_file() {
        let folder = folder("protected");
        let mut eeprom = Eeprom::new(inventory("S1"));
        eeprom.writes_max = 0;
        for (refusal, kind) in [
            (WRITE_PROTECTED, "write_protected"),
            (FRU_BUSY, "refused"),
            (CompletionCode::INVALID_COMMAND, "refused"),
            (CompletionCode::REQUEST_LENGTH_INVALID, "refused"),
            (CompletionCode::PARAMETER_OUT_OF_RANGE, "refused"),
            (CompletionCode::INSUFFICIENT_PRIVILEGE, "refused"),
        ] {
            eeprom.refusal = refusal;
            let failure = write(&mut eeprom, &inventory("S2"), &args(&folder)).unwrap_err();
            assert_eq!(failure.kind(), kind, "{failure}");
            assert_eq!(files(&folder), [] as [PathBuf; 0]);
        }
    }

    #[test]
    fn a_refusal_that_proves_nothing_leaves_the_old_content_in_a_file() {
        for refusal in [
            CompletionCode::TIMEOUT,
            CompletionCode::REQUEST_TRUNCATED,
            CompletionCode::NO_RESPONSE,
            CompletionCode::DUPLICATE_REQUEST,
            CompletionCode::UNSPECIFIED,
        ] {
            let folder = folder("unclear");
            let mut eeprom = Eeprom::new(vec![0xff; 128]);
            (eeprom.writes_max, eeprom.refusal) = (0, refusal);
            let failure = write(&mut eeprom, &inventory("S1"), &args(&folder)).unwrap_err();
            assert_eq!(failure.kind(), "partly_written");
            let cause = failure.cause();
            assert!(
                cause.contains("new are: none; not or only in part new are: bytes 0 to 15;"),
                "{cause}"
            );
            assert_eq!(fs::read(&files(&folder)[0]).unwrap(), [0xff_u8; 128]);
        }
    }

    #[test]
    fn a_first_request_of_which_half_was_taken_is_a_partial_write() {
        let refusals = [
            (WRITE_PROTECTED, "new are: bytes 0 to 7; all others are"),
            (
                CompletionCode::UNSPECIFIED,
                "new are: bytes 0 to 7; not or only in part new are: bytes 8 to 15; all others are",
            ),
        ];
        for (refusal, expected) in refusals {
            let folder = folder("half");
            let before = vec![0xff; 128];
            let mut eeprom = Eeprom::new(before.clone());
            (eeprom.takes, eeprom.writes_max, eeprom.refusal) = (8, 1, refusal);
            let after = inventory("S1");
            let failure = write(&mut eeprom, &after, &args(&folder)).unwrap_err();
            assert_eq!(eeprom.bytes[..8], after[..8]);
            assert_eq!(failure.kind(), "partly_written");
            let cause = failure.cause();
            assert!(cause.contains(expected), "{cause}");
            assert_eq!(fs::read(&files(&folder)[0]).unwrap(), before);
        }
    }

    #[test]
    fn bytes_that_can_not_be_saved_are_replaced_by_force_only() {
        let folder = folder("cut");
        let after = inventory("S1");
        let mut eeprom = Eeprom::new(vec![0xff; 128]);
        eeprom.readable = 32;
        let failure = write(&mut eeprom, &after, &args(&folder)).unwrap_err();
        assert_eq!((failure.kind(), eeprom.writes), ("unsaved", 0));
        let cause = failure.cause();
        assert!(cause.contains("only 32 of 128 bytes were read"), "{cause}");
        assert!(failure.remedy().contains("--force"), "{failure}");
        assert_eq!(files(&folder), [] as [PathBuf; 0]);
        // By force; what can't be read can't be compared, either.
        let failure = force(&mut eeprom, &after, &args(&folder)).unwrap_err();
        assert_eq!(failure.kind(), "unverified");
        assert!(eeprom.bytes.starts_with(&after));
        let remedy = failure.remedy();
        assert!(
            remedy.contains("of the old content only bytes 0 to 31 could be read"),
            "{remedy}"
        );
        assert_eq!(fs::read(&files(&folder)[0]).unwrap(), [0xff_u8; 32]);
    }

    #[test]
    fn a_device_that_names_a_size_beyond_what_it_has_is_written_without_force() {
        let folder = folder("size");
        let mut bytes = inventory("S1");
        let readable = bytes.len();
        bytes.resize(256, 0xff);
        let mut eeprom = Eeprom::new(bytes);
        eeprom.readable = readable;
        let after = inventory("S2");
        assert_eq!(after.len(), readable);
        write(&mut eeprom, &after, &args(&folder)).unwrap();
        assert!(eeprom.bytes.starts_with(&after));
        assert_eq!(files(&folder), [] as [PathBuf; 0]);
    }

    #[test]
    fn a_write_that_can_not_be_read_back_says_what_is_new_and_where_the_old_content_is() {
        let folder = folder("unverified");
        let before = vec![0xff; 128];
        let mut eeprom = Eeprom::new(before.clone());
        let after = inventory("S1");
        let failure = talk(wanted(&after, &args(&folder)), |call| {
            if eeprom.writes > 0 && call.target.cmd == ReadFruData::CMD {
                return Some((CompletionCode::NODE_BUSY, vec![]));
            }
            eeprom.answer(call)
        })
        .unwrap_err();
        assert!(eeprom.bytes.starts_with(&after));
        assert_eq!(failure.kind(), "unverified");
        let (cause, last) = (failure.cause(), after.len() - 1);
        let new = format!("new are: bytes 0 to {last}; all others are as before");
        assert!(
            cause.contains("Read FRU Data") && cause.contains(&new),
            "{cause}"
        );
        let [backup] = files(&folder).try_into().unwrap();
        let expected = format!("the old content is in {}", backup.display());
        assert!(failure.remedy().contains(&expected), "{failure}");
        assert_eq!(fs::read(&backup).unwrap(), before);
    }

    #[test]
    fn of_a_device_that_can_not_be_read_there_is_no_file() {
        let folder = folder("unreadable");
        let after = inventory("S1");
        let mut eeprom = Eeprom::new(vec![0xff; 128]);
        eeprom.readable = 0;
        let failure = write(&mut eeprom, &after, &args(&folder)).unwrap_err();
        assert_eq!((failure.kind(), eeprom.writes), ("unsaved", 0));
        // A second time as the first: nothing is in the way.
        for _ in 0..2 {
            let failure = force(&mut eeprom, &after, &args(&folder)).unwrap_err();
            assert_eq!(failure.kind(), "unverified");
            assert!(failure.remedy().contains("saved nowhere"), "{failure}");
            assert!(eeprom.bytes.starts_with(&after));
            assert_eq!(files(&folder), [] as [PathBuf; 0]);
        }
    }

    #[test]
    fn a_device_that_counts_in_words_gets_whole_words() {
        let folder = folder("words");
        let mut eeprom = Eeprom::new(vec![7; 64]);
        eeprom.by_words = true;
        let after = [1; 21];
        write(&mut eeprom, &after, &args(&folder)).unwrap();
        // What is stored behind the last byte stays.
        assert_eq!(eeprom.bytes, [vec![1; 21], vec![7; 43]].concat());
        assert_eq!(eeprom.writes, 2);
    }

    #[test]
    fn what_does_not_fit_or_can_not_be_saved_is_not_written() {
        let folder = folder("unfit");
        let mut eeprom = Eeprom::new(inventory("S1"));
        let long = inventory("a serial number that makes the area larger");
        let failure = write(&mut eeprom, &long, &args(&folder)).unwrap_err();
        assert_eq!(failure.kind(), "too_long");
        let nowhere = args(&folder.join("none"));
        let failure = write(&mut eeprom, &inventory("S2"), &nowhere).unwrap_err();
        assert_eq!(failure.kind(), "no_backup");
        assert_eq!(eeprom.writes, 0);
    }

    #[test]
    fn faults_of_a_file_are_found() {
        assert_eq!(fault(&inventory("S1")), None);
        let mut damaged = inventory("S1");
        damaged[12] ^= 1;
        let told = fault(&damaged).unwrap();
        assert!(
            told.contains("the product area has a wrong checksum"),
            "{told}"
        );
        damaged = inventory("S1");
        damaged.truncate(40);
        assert!(fault(&damaged).unwrap().contains("goes beyond the end"));
        assert!(fault(b"no inventory").unwrap().contains("no common header"));
        assert!(fault(&[]).is_some());
    }
}
