//! Writing inventories, for `fru write` and `fru edit` (§34.3): what is checked before, the backup, what is left where it
//! fails midway.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use ipmi::command::Bytes;
use ipmi::command::storage::{GetFruInventoryAreaInfo, WriteFruData};
use ipmi::number::{CompletionCode, FruAccessMode};
use ipmi::record::fru::Fru;
use serde_json::json;

use super::fru::{Stored, read};
use crate::ipmi::args::BackupArgs;
use crate::ipmi::failure::Failure;
use crate::ipmi::report::Report;
use crate::ipmi::talk::{CallError, CallFault, Line, Outcome};

/// How many bytes are written at once: BMCs with small buffers take them, and an even number fits words.
const WRITE_CHUNK: usize = 16;

/// "The FRU device is busy": completion code of Write FRU Data.
const FRU_BUSY: CompletionCode = CompletionCode(0x81);

/// The bytes are write-protected: completion code of Write FRU Data.
const WRITE_PROTECTED: CompletionCode = CompletionCode(0x80);

/// How often a busy FRU device is asked again, and the pause before each.
const BUSY_MAX: u32 = 8;
const BUSY_PAUSE: Duration = Duration::from_millis(100);

/// What `fru write` is to do.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) id: u8,
    pub(super) bytes: Rc<[u8]>,
    /// Write also where the old content can't be saved.
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
    let before = match read(&line, *id).await {
        Ok(stored) => stored,
        Err(error) if *force && error.completion().is_some() => Stored::unread(error),
        Err(error) => return Err(error.into()),
    };
    let (device, backup) = (Device::of(&line, *id).await?, &wanted.backup);
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
            return Err(Failure::Unfit {
                kind: "too_long",
                cause: format!(
                    "{} bytes don't fit into FRU device {}, which has {}; nothing was written",
                    after.len(),
                    self.id,
                    self.size
                ),
                remedy: "write less".to_owned(),
            });
        }
        let before = &before.bytes;
        let differs =
            |range: &Range<usize>| before.get(range.clone()) != Some(&after[range.clone()]);
        let parts: Vec<_> = (0..after.len())
            .step_by(WRITE_CHUNK)
            .map(|start| start..after.len().min(start + WRITE_CHUNK))
            .filter(differs)
            .collect();
        if parts.is_empty() {
            return Ok(Written { backup: None });
        }
        let saved = Backup::write(line, self.id, before, &backup.backup_dir)?;
        for (index, part) in parts.iter().enumerate() {
            let Err(error) = self.put(line, part.start, &after[part.clone()]).await else {
                continue;
            };
            if index == 0 && error.completion().is_some() {
                saved.remove();
                return Err(self.refused(error));
            }
            return Err(saved.partly(&parts[..index], part, error));
        }
        if !read(line, self.id).await?.bytes.starts_with(after) {
            return Err(Failure::Unfit {
                kind: "not_kept",
                cause: "the BMC took the bytes, but has others now".to_owned(),
                remedy: format!("{}; some devices are write-protected", saved.remedy()),
            });
        }
        if backup.keep_backup {
            return Ok(Written {
                backup: Some(saved.path),
            });
        }
        saved.remove();
        Ok(Written { backup: None })
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

    /// Writes some bytes.
    async fn put(&self, line: &Line, mut start: usize, mut data: &[u8]) -> Result<(), CallError> {
        let words = usize::from(self.by_words);
        let mut busy = 0;
        while !data.is_empty() {
            let command = WriteFruData {
                fru_device_id: self.id,
                offset: u16::try_from(start >> words).unwrap_or(u16::MAX),
                data: Bytes::new(data).unwrap_or(Bytes::EMPTY),
            };
            match line.call(&command).await {
                // A BMC that takes nothing keeps nothing: what is read back tells.
                Ok(done) if done.count == 0 => return Ok(()),
                Ok(done) => {
                    let count = (usize::from(done.count) << words).min(data.len());
                    (start, data) = (start + count, &data[count..]);
                }
                Err(error) if error.completion() == Some(FRU_BUSY) && busy < BUSY_MAX => {
                    busy += 1;
                    line.pause(BUSY_PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The old content of a device, in a file.
struct Backup {
    path: PathBuf,
    id: u8,
    /// Whether `fru write` takes it as it is.
    is_whole: bool,
}

impl Backup {
    /// Saves it in a file that was not there before: what an earlier write left may be all that is left of the original.
    fn write(line: &Line, id: u8, bytes: &[u8], folder: &Path) -> Result<Self, Failure> {
        let peer = line.peer();
        let peer = peer.map_or_else(|| "host".to_owned(), |peer| peer.to_string());
        let peer = peer.replace([':', '[', ']', '%'], "_");
        let path = folder.join(format!("fru-{id}-{peer}.before"));
        let mut options = File::options();
        options.write(true).create_new(true).mode(0o600);
        let written = options.open(&path).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        let shown = path.display();
        match written {
            Ok(()) => Ok(Self {
                is_whole: fault(bytes).is_none(),
                path,
                id,
            }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Failure::Unfit {
                kind: "backup_exists",
                cause: format!("{shown} is there from an earlier write; nothing was written"),
                remedy: "put it back with 'fru write', or move it away".to_owned(),
            }),
            Err(error) => Err(Failure::Unfit {
                kind: "no_backup",
                cause: format!(
                    "the old content can't be saved in {shown}: {error}; nothing was written"
                ),
                remedy: "name a folder with --backup-dir".to_owned(),
            }),
        }
    }

    /// How to have the old content back.
    fn remedy(&self) -> String {
        let force = if self.is_whole { "" } else { " --force" };
        format!(
            "the old content is in {0}: 'fru write {1} {0}{force}' puts it back",
            self.path.display(),
            self.id
        )
    }

    fn remove(self) {
        // A backup too many is no harm, and its name says what it is.
        let _ = fs::remove_file(self.path);
    }

    /// The write ended within `failed`, after these parts.
    fn partly(&self, done: &[Range<usize>], failed: &Range<usize>, error: CallError) -> Failure {
        let told = Failure::Call(error).cause();
        let state = match error.fault {
            CallFault::Refused(_) => "not or only in part",
            _ => "perhaps",
        };
        let mut list = String::new();
        for range in joined(done) {
            if !list.is_empty() {
                list.push_str(", ");
            }
            list.push_str(&bytes(&range));
        }
        if list.is_empty() {
            list.push_str("none");
        }
        Failure::Unfit {
            kind: "partly_written",
            cause: format!(
                "{told}; new are: {list}; {state} new are: {}; all others are as before",
                bytes(failed)
            ),
            remedy: self.remedy(),
        }
    }
}

/// Ranges in their order, with those that touch made one.
fn joined(ranges: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range.clone()),
        }
    }
    joined
}

/// Bytes of an inventory, by their numbers.
fn bytes(range: &Range<usize>) -> String {
    format!("bytes {} to {}", range.start, range.end - 1)
}

#[cfg(test)]
pub(super) mod tests {
    use std::os::unix::fs::PermissionsExt as _;
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
                writes: 0,
                writes_max: u32::MAX,
                refusal: CompletionCode::UNSPECIFIED,
            }
        }

        pub(in crate::ipmi::command) fn answer(&mut self, call: &Call) -> play::Reply {
            let offset =
                |call: &Call| usize::from(u16::from_le_bytes([call.data[1], call.data[2]]));
            match call.target.cmd {
                GetFruInventoryAreaInfo::CMD => {
                    let [low, high] = (self.bytes.len() as u16).to_le_bytes();
                    Some((CompletionCode::OK, vec![low, high, 0]))
                }
                ReadFruData::CMD => {
                    let start = offset(call);
                    let end = self.readable.min(start + usize::from(call.data[3]));
                    if start >= end {
                        return Some((CompletionCode::PARAMETER_OUT_OF_RANGE, vec![]));
                    }
                    let mut answer = vec![(end - start) as u8];
                    answer.extend(&self.bytes[start..end]);
                    Some((CompletionCode::OK, answer))
                }
                WriteFruData::CMD if self.writes == self.writes_max => Some((self.refusal, vec![])),
                WriteFruData::CMD => {
                    self.writes += 1;
                    let (start, data) = (offset(call), &call.data[3..]);
                    self.bytes[start..start + data.len()].copy_from_slice(data);
                    Some((CompletionCode::OK, vec![data.len() as u8]))
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
        let wanted = Wanted {
            id: 3,
            bytes: bytes.into(),
            force: false,
            backup: backup.clone(),
        };
        play::run(Talk::new(|line| run(line, wanted)), |call| {
            eeprom.answer(call)
        })
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
        let expected = format!("'fru write 3 {} --force' puts it back", backup.display());
        assert!(failure.remedy().contains(&expected), "{failure}");
        assert_eq!(fs::read(&backup).unwrap(), before);
        let mode = fs::metadata(&backup).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // The mixture does not take the place of what was there at first.
        eeprom.writes_max = u32::MAX;
        let failure = write(&mut eeprom, &inventory("S1"), &args(&folder)).unwrap_err();
        assert_eq!((failure.kind(), eeprom.writes), ("backup_exists", 2));
        assert_eq!(fs::read(&backup).unwrap(), before);
    }

    #[test]
    fn a_device_that_refuses_every_write_leaves_no_file() {
        let folder = folder("protected");
        let mut eeprom = Eeprom::new(inventory("S1"));
        eeprom.writes_max = 0;
        let failure = write(&mut eeprom, &inventory("S2"), &args(&folder)).unwrap_err();
        assert_eq!(failure.kind(), "refused");
        eeprom.refusal = WRITE_PROTECTED;
        let failure = write(&mut eeprom, &inventory("S2"), &args(&folder)).unwrap_err();
        assert_eq!(failure.kind(), "write_protected");
        assert_eq!(files(&folder), [] as [PathBuf; 0]);
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
