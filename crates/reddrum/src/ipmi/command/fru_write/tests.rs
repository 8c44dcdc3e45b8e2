//! Writing inventories of played devices.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

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
    let folder = tempfile::tempdir().unwrap();
    let mut eeprom = Eeprom::new(inventory("S1"));
    let after = inventory("S2");
    write(&mut eeprom, &after, &args(folder.path())).unwrap();
    assert_eq!(eeprom.bytes, after);
    // One chunk with the serial number, one with the checksum.
    assert!((1..=2).contains(&eeprom.writes), "{}", eeprom.writes);
    assert_eq!(files(folder.path()), [] as [PathBuf; 0]);
    write(&mut eeprom, &after, &args(folder.path())).unwrap();
    assert!(eeprom.writes <= 2, "the same again writes nothing");
    let keep = BackupArgs {
        keep_backup: true,
        ..args(folder.path())
    };
    write(&mut eeprom, &inventory("S3"), &keep).unwrap();
    assert_eq!(fs::read(&files(folder.path())[0]).unwrap(), after);
}

#[test]
fn a_write_that_fails_midway_says_what_is_new_and_leaves_the_old_content_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let before = vec![0xff; 128];
    let mut eeprom = Eeprom::new(before.clone());
    eeprom.writes_max = 2;
    let failure = write(&mut eeprom, &inventory("S1"), &args(folder.path())).unwrap_err();
    assert_eq!(failure.kind(), "partly_written");
    let cause = failure.cause();
    assert!(cause.contains("new are: bytes 0 to 31; "), "{cause}");
    assert!(
        cause.contains("new are: bytes 32 to 47; all others"),
        "{cause}"
    );
    let [backup] = files(folder.path()).try_into().unwrap();
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
    let failure = write(&mut eeprom, &inventory("S2"), &args(folder.path())).unwrap_err();
    assert_eq!(failure.kind(), "partly_written");
    assert!(failure.remedy().contains(".before.2"), "{failure}");
    assert_eq!(fs::read(&backup).unwrap(), before);
    eeprom.writes_max = u32::MAX;
    force(&mut eeprom, &before, &args(folder.path())).unwrap();
    assert_eq!(eeprom.bytes, before);
    assert_eq!(files(folder.path()).len(), 2);
}

#[test]
fn a_device_that_proves_to_have_taken_nothing_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
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
        let failure = write(&mut eeprom, &inventory("S2"), &args(folder.path())).unwrap_err();
        assert_eq!(failure.kind(), kind, "{failure}");
        assert_eq!(files(folder.path()), [] as [PathBuf; 0]);
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
        let folder = tempfile::tempdir().unwrap();
        let mut eeprom = Eeprom::new(vec![0xff; 128]);
        (eeprom.writes_max, eeprom.refusal) = (0, refusal);
        let failure = write(&mut eeprom, &inventory("S1"), &args(folder.path())).unwrap_err();
        assert_eq!(failure.kind(), "partly_written");
        let cause = failure.cause();
        assert!(
            cause.contains("new are: none; not or only in part new are: bytes 0 to 15;"),
            "{cause}"
        );
        assert_eq!(fs::read(&files(folder.path())[0]).unwrap(), [0xff_u8; 128]);
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
        let folder = tempfile::tempdir().unwrap();
        let before = vec![0xff; 128];
        let mut eeprom = Eeprom::new(before.clone());
        (eeprom.takes, eeprom.writes_max, eeprom.refusal) = (8, 1, refusal);
        let after = inventory("S1");
        let failure = write(&mut eeprom, &after, &args(folder.path())).unwrap_err();
        assert_eq!(eeprom.bytes[..8], after[..8]);
        assert_eq!(failure.kind(), "partly_written");
        let cause = failure.cause();
        assert!(cause.contains(expected), "{cause}");
        assert_eq!(fs::read(&files(folder.path())[0]).unwrap(), before);
    }
}

#[test]
fn bytes_that_can_not_be_saved_are_replaced_by_force_only() {
    let folder = tempfile::tempdir().unwrap();
    let after = inventory("S1");
    let mut eeprom = Eeprom::new(vec![0xff; 128]);
    eeprom.readable = 32;
    let failure = write(&mut eeprom, &after, &args(folder.path())).unwrap_err();
    assert_eq!((failure.kind(), eeprom.writes), ("unsaved", 0));
    let cause = failure.cause();
    assert!(cause.contains("only 32 of 128 bytes were read"), "{cause}");
    assert!(failure.remedy().contains("--force"), "{failure}");
    assert_eq!(files(folder.path()), [] as [PathBuf; 0]);
    // By force; what can't be read can't be compared, either.
    let failure = force(&mut eeprom, &after, &args(folder.path())).unwrap_err();
    assert_eq!(failure.kind(), "unverified");
    assert!(eeprom.bytes.starts_with(&after));
    let remedy = failure.remedy();
    assert!(
        remedy.contains("of the old content only bytes 0 to 31 could be read"),
        "{remedy}"
    );
    assert_eq!(fs::read(&files(folder.path())[0]).unwrap(), [0xff_u8; 32]);
}

#[test]
fn a_device_that_names_a_size_beyond_what_it_has_is_written_without_force() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = inventory("S1");
    let readable = bytes.len();
    bytes.resize(256, 0xff);
    let mut eeprom = Eeprom::new(bytes);
    eeprom.readable = readable;
    let after = inventory("S2");
    assert_eq!(after.len(), readable);
    write(&mut eeprom, &after, &args(folder.path())).unwrap();
    assert!(eeprom.bytes.starts_with(&after));
    assert_eq!(files(folder.path()), [] as [PathBuf; 0]);
}

#[test]
fn a_write_that_can_not_be_read_back_says_what_is_new_and_where_the_old_content_is() {
    let folder = tempfile::tempdir().unwrap();
    let before = vec![0xff; 128];
    let mut eeprom = Eeprom::new(before.clone());
    let after = inventory("S1");
    let failure = talk(wanted(&after, &args(folder.path())), |call| {
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
    let [backup] = files(folder.path()).try_into().unwrap();
    let expected = format!("the old content is in {}", backup.display());
    assert!(failure.remedy().contains(&expected), "{failure}");
    assert_eq!(fs::read(&backup).unwrap(), before);
}

#[test]
fn of_a_device_that_can_not_be_read_there_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let after = inventory("S1");
    let mut eeprom = Eeprom::new(vec![0xff; 128]);
    eeprom.readable = 0;
    let failure = write(&mut eeprom, &after, &args(folder.path())).unwrap_err();
    assert_eq!((failure.kind(), eeprom.writes), ("unsaved", 0));
    // A second time as the first: nothing is in the way.
    for _ in 0..2 {
        let failure = force(&mut eeprom, &after, &args(folder.path())).unwrap_err();
        assert_eq!(failure.kind(), "unverified");
        assert!(failure.remedy().contains("saved nowhere"), "{failure}");
        assert!(eeprom.bytes.starts_with(&after));
        assert_eq!(files(folder.path()), [] as [PathBuf; 0]);
    }
}

#[test]
fn a_device_that_counts_in_words_gets_whole_words() {
    let folder = tempfile::tempdir().unwrap();
    let mut eeprom = Eeprom::new(vec![7; 64]);
    eeprom.by_words = true;
    let after = [1; 21];
    write(&mut eeprom, &after, &args(folder.path())).unwrap();
    // What is stored behind the last byte stays.
    assert_eq!(eeprom.bytes, [vec![1; 21], vec![7; 43]].concat());
    assert_eq!(eeprom.writes, 2);
}

#[test]
fn what_does_not_fit_or_can_not_be_saved_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut eeprom = Eeprom::new(inventory("S1"));
    let long = inventory("a serial number that makes the area larger");
    let failure = write(&mut eeprom, &long, &args(folder.path())).unwrap_err();
    assert_eq!(failure.kind(), "too_long");
    let nowhere = args(&folder.path().join("none"));
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
