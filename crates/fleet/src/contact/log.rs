//! Reads a BMC's system event log (§31.2, §31.5), whole at first and then what is new.

use std::collections::HashSet;

use ipmi::command::storage::{GetSelEntry, GetSelInfo, SEL_RECORD_LEN, SelInfo, SelOperations};
use ipmi::number::CompletionCode;
use ipmi::record::RecordId;

use crate::call::CallError;
use crate::script::Line;

/// The most entries that one reading walks over: as many as there are record numbers.
const WALK_MAX: usize = 65_535;

/// What tells whether the log changed since it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogStamp {
    entries: u16,
    last_addition: u32,
    last_erase: u32,
}

impl LogStamp {
    pub(crate) const fn of(info: &SelInfo) -> Self {
        Self {
            entries: info.entry_count,
            last_addition: info.last_addition.0,
            last_erase: info.last_erase.0,
        }
    }
}

/// How far a log was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogPosition {
    pub(crate) stamp: LogStamp,
    /// The last record read; `None` = the log was empty.
    pub(crate) last: Option<[u8; SEL_RECORD_LEN]>,
}

/// What a reading of the log brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogRead {
    pub(crate) position: LogPosition,
    /// The records, oldest first.
    pub(crate) records: Vec<[u8; SEL_RECORD_LEN]>,
    /// `records` follow what was read before; else they replace it.
    pub(crate) continues: bool,
    pub(crate) overflowed: bool,
    /// How many entries the log has room for, used ones included; `None` where the BMC doesn't tell.
    pub(crate) capacity: Option<u32>,
    /// The list was read to its end.
    pub(crate) complete: bool,
}

/// Reads what is new since `since`, or everything where that can't be told.
pub(crate) async fn read(line: &Line, since: Option<LogPosition>) -> Result<LogRead, CallError> {
    let info = line.call(&GetSelInfo).await?;
    let stamp = LogStamp::of(&info);
    let overflowed = info.operations.contains(SelOperations::OVERFLOW);
    let mut walk = Walk {
        line,
        records: Vec::new(),
    };
    let mut outcome = None;
    if let Some(LogPosition {
        stamp: old,
        last: Some(last),
    }) = since
        && old.last_erase == stamp.last_erase
        && stamp.entries >= old.entries
    {
        outcome = walk.on_from(last).await?.map(|complete| (complete, true));
    }
    let (complete, continues) = match outcome {
        Some(outcome) => outcome,
        None if stamp.entries == 0 => (true, false),
        None => (walk.from(RecordId::FIRST).await?, false),
    };
    let last = walk.records.last().copied();
    let last = last.or_else(|| since.filter(|_| continues).and_then(|since| since.last));
    let position = LogPosition { stamp, last };
    Ok(LogRead {
        position,
        records: walk.records,
        continues,
        overflowed,
        capacity: capacity(&info),
        complete,
    })
}

/// Entries that are there and those that fit into the free bytes; FFFFh stands for 64 KiB or more (§31.2).
fn capacity(info: &SelInfo) -> Option<u32> {
    let free = u32::from(info.free_bytes) / SEL_RECORD_LEN as u32;
    (info.free_bytes != u16::MAX).then(|| u32::from(info.entry_count) + free)
}

struct Walk<'a> {
    line: &'a Line,
    records: Vec<[u8; SEL_RECORD_LEN]>,
}

impl Walk<'_> {
    /// Walks on behind `last`. `None` where the log no longer has it: all must be read.
    async fn on_from(&mut self, last: [u8; SEL_RECORD_LEN]) -> Result<Option<bool>, CallError> {
        let id = RecordId(u16::from_le_bytes([last[0], last[1]]));
        match self.line.call(&GetSelEntry::whole(id)).await {
            Ok(entry) if *entry.data == last => match entry.next {
                RecordId::LAST => Ok(Some(true)),
                next => self.from(next).await.map(Some),
            },
            Ok(_) => Ok(None),
            Err(error) if error.completion().is_some() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Walks from `id` to the end; whether the end was found.
    async fn from(&mut self, mut id: RecordId) -> Result<bool, CallError> {
        let mut seen = HashSet::new();
        while id != RecordId::LAST {
            if !seen.insert(id) || seen.len() > WALK_MAX {
                return Ok(false);
            }
            let entry = match self.line.call(&GetSelEntry::whole(id)).await {
                // Cleared meanwhile, or a list that ends by an error.
                Err(error) if error.completion() == Some(CompletionCode::NOT_PRESENT) => {
                    return Ok(true);
                }
                entry => entry?,
            };
            if let Ok(record) = <[u8; SEL_RECORD_LEN]>::try_from(entry.data.as_slice()) {
                // The first entry is asked for by 0000h; a list that leads back names its own number.
                let own = RecordId(u16::from_le_bytes([record[0], record[1]]));
                if own != id && !seen.insert(own) {
                    return Ok(false);
                }
                self.records.push(record);
                // Only the newest are kept in any case; older ones need not lie in memory meanwhile.
                if self.records.len() > 2 * hardware::MAX_LOG_ENTRIES {
                    self.records.drain(..hardware::MAX_LOG_ENTRIES);
                }
            }
            id = entry.next;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use ipmi::command::Command;

    use super::*;
    use crate::script::{Script, play};

    #[derive(Default)]
    struct Played {
        records: Vec<[u8; 16]>,
        erased: u32,
        calls: u32,
        loops: bool,
    }

    impl Played {
        fn add(&mut self, count: usize) {
            for _ in 0..count {
                let id = self.records.len() as u16 + 1;
                let mut record = [self.erased as u8; 16];
                record[..2].copy_from_slice(&id.to_le_bytes());
                self.records.push(record);
            }
        }

        fn read(&mut self, since: Option<LogPosition>) -> LogRead {
            self.calls = 0;
            let script = Script::new(move |line| async move { read(&line, since).await });
            play::run(script, |call| {
                self.calls += 1;
                if call.cmd == GetSelInfo::CMD {
                    let count = self.records.len() as u16;
                    let mut info = vec![0x51];
                    info.extend(count.to_le_bytes());
                    info.extend([0xff, 0xff]);
                    info.extend(u32::from(count).to_le_bytes());
                    info.extend(self.erased.to_le_bytes());
                    info.push(0x80);
                    return Some((CompletionCode::OK, info));
                }
                let id = usize::from(u16::from_le_bytes([call.data()[2], call.data()[3]])).max(1);
                let Some(record) = self.records.get(id - 1) else {
                    return Some((CompletionCode::NOT_PRESENT, vec![]));
                };
                let next = match id == self.records.len() {
                    true if self.loops => 1,
                    true => 0xffff,
                    false => id as u16 + 1,
                };
                let mut answer = next.to_le_bytes().to_vec();
                answer.extend(record);
                Some((CompletionCode::OK, answer))
            })
            .unwrap()
        }
    }

    #[test]
    fn the_first_reading_takes_all_and_the_next_only_what_is_new() {
        let mut bmc = Played::default();
        bmc.add(20);
        let all = bmc.read(None);
        assert_eq!(
            (all.records.len(), all.continues, all.complete),
            (20, false, true)
        );
        assert!(all.overflowed);
        bmc.add(3);
        let new = bmc.read(Some(all.position));
        assert_eq!(new.records, bmc.records[20..]);
        assert!(new.continues);
        assert_eq!(bmc.calls, 1 + 1 + 3);
        let nothing = bmc.read(Some(new.position));
        assert_eq!((nothing.records.len(), nothing.continues), (0, true));
        assert_eq!(nothing.position, new.position);
    }

    #[test]
    fn a_log_that_was_cleared_replaces_what_was_read_even_where_it_grew_again() {
        let mut bmc = Played::default();
        bmc.add(5);
        let before = bmc.read(None);
        bmc.records.clear();
        bmc.erased = 9;
        bmc.add(8);
        let after = bmc.read(Some(before.position));
        assert_eq!((after.records.len(), after.continues), (8, false));
    }

    #[test]
    fn an_erase_that_no_timestamp_tells_is_noticed_by_the_last_record() {
        let mut bmc = Played::default();
        bmc.add(5);
        let mut before = bmc.read(None);
        bmc.records.clear();
        bmc.erased = 9;
        bmc.add(8);
        before.position.stamp.last_erase = 9;
        assert!(!bmc.read(Some(before.position)).continues);
    }

    #[test]
    fn an_empty_log_takes_one_call() {
        let mut bmc = Played::default();
        let empty = bmc.read(None);
        assert_eq!(
            (empty.records.len(), empty.complete, bmc.calls),
            (0, true, 1)
        );
        bmc.add(2);
        assert_eq!(bmc.read(Some(empty.position)).records.len(), 2);
    }

    #[test]
    fn a_log_that_leads_back_to_its_beginning_ends() {
        let mut bmc = Played {
            loops: true,
            ..Played::default()
        };
        bmc.add(6);
        let got = bmc.read(None);
        assert_eq!((got.records.len(), got.complete), (6, false));
    }
}
