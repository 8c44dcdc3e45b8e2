//! Reads a BMC's system event log, whole at first and then what is new. What BMCs do wrong about that is [`ipmi::walk`]'s
//! business; which entries are news, and to whom, is decided here.

use ipmi::command::storage::{GetSelTime, SEL_RECORD_LEN, SelInfo, SelOperations};
use ipmi::record::{RecordId, Timestamp};
use ipmi::time::Instant;
use ipmi::walk::{Found, SelWalk};

use crate::call::CallError;
use crate::script::Line;

/// A clock that is so far off, in seconds, is only late by the way to the BMC and back.
const CLOCK_SLACK_S: i64 = 5;

/// A record as the BMC stores it.
pub(crate) type Record = [u8; SEL_RECORD_LEN];

/// What tells whether the log changed since it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogStamp {
    pub(crate) entries: u16,
    pub(crate) last_addition: u32,
    pub(crate) last_erase: u32,
    /// The BMC had no room for entries.
    pub(crate) overflowed: bool,
}

impl LogStamp {
    pub(crate) const fn of(info: &SelInfo) -> Self {
        Self {
            entries: info.entry_count,
            last_addition: info.last_addition.0,
            last_erase: info.last_erase.0,
            overflowed: info.operations.contains(SelOperations::OVERFLOW),
        }
    }
}

/// Whether a time stamp of a log's information says when: FFFFFFFFh says that it is not known (§37), and 0 is what logs say that were never
/// touched, or aren't ready yet.
const fn says_when(stamp: u32) -> bool {
    stamp != 0 && stamp != u32::MAX
}

/// How many of the newest records are kept, to find the place again though some of them are deleted.
const NEWEST_MAX: usize = 4;

/// The newest records that were read of a log, oldest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Newest {
    records: [Record; NEWEST_MAX],
    count: u8,
}

impl Newest {
    /// The newest of these, which are oldest first.
    pub(crate) fn of(records: impl DoubleEndedIterator<Item = Record>) -> Self {
        let mut newest = Self::default();
        for record in records.rev().take(NEWEST_MAX) {
            newest.records.rotate_right(1);
            newest.records[0] = record;
            newest.count += 1;
        }
        newest
    }

    /// Those of a log to which these were added.
    fn and(self, records: &[Record]) -> Self {
        let before = self.all().iter().copied();
        Self::of(before.chain(records.iter().copied()))
    }

    /// Oldest first.
    pub(crate) fn all(&self) -> &[Record] {
        &self.records[..self.count.into()]
    }

    /// `None` = the log was empty.
    pub(crate) fn last(&self) -> Option<Record> {
        self.all().last().copied()
    }
}

/// How far a log was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogPosition {
    pub(crate) stamp: LogStamp,
    /// The newest records read, whole, by which the place is found again.
    pub(crate) newest: Newest,
    /// The list has no end: what comes behind a record may be old.
    pub(crate) endless: bool,
    /// The second of the last addition was not over yet: another one in it changes no stamp where the log is full. Not
    /// remembered: who begins anew reads all.
    pub(crate) unsettled: bool,
    /// The last entry that could not be read: told already.
    pub(crate) last_unreadable: Option<RecordId>,
}

/// What is known of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Since {
    /// Nothing: all that is found is history.
    #[default]
    Never,
    /// It was followed up to here, by an earlier run or this one. The entries are not at hand now.
    Earlier(LogPosition),
    /// It was read up to here.
    Read(LogPosition),
}

impl Since {
    /// How far it was followed.
    pub(crate) const fn position(&self) -> Option<&LogPosition> {
        match self {
            Self::Never => None,
            Self::Earlier(position) | Self::Read(position) => Some(position),
        }
    }

    /// What is known when the whole log is to be read anew, of the same machine or of another one.
    pub(crate) const fn to_be_read_anew(self, same: bool) -> Self {
        match self {
            Self::Earlier(position) | Self::Read(position) if same => Self::Earlier(position),
            _ => Self::Never,
        }
    }

    /// Whether a log of this stamp has to be read.
    pub(crate) fn is_outdated(&self, stamp: LogStamp) -> bool {
        !matches!(self, Self::Read(position) if position.stamp == stamp && !position.unsettled)
    }

    /// Whether a look behind the last entry takes few commands: it may find what no stamp tells.
    pub(crate) const fn is_looked_behind_easily(&self) -> bool {
        matches!(self, Self::Read(position) if !position.endless)
    }
}

/// What a reading of the log brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogRead {
    pub(crate) position: LogPosition,
    /// The records, oldest first.
    pub(crate) records: Vec<Record>,
    /// `records` follow what was read before; else they replace it.
    pub(crate) continues: bool,
    /// So many records at the end are news: they came after what was read before, in this run or an earlier one.
    pub(crate) news: usize,
    /// Entries were lost before they could be read, or can't be read.
    pub(crate) lost: bool,
    /// So many entries can't be read, and were not told as such before.
    pub(crate) unreadable: u32,
    /// What the clock of the log said.
    pub(crate) clock: Clock,
    /// How many entries the log has room for, used ones included; `None` where the BMC doesn't tell.
    pub(crate) capacity: Option<u32>,
    /// The list was read to its end.
    pub(crate) complete: bool,
}

impl LogRead {
    /// Whether anything is to be told.
    pub(crate) const fn has_news(&self) -> bool {
        self.news > 0 || self.lost
    }
}

/// What the clock says by which a BMC dates its entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Clock {
    /// It was not asked for.
    #[default]
    NotAsked,
    /// The BMC has none, or one that was never set.
    Unset,
    /// So many seconds since 1970, in the answer that came at this moment: reading a long log takes minutes, so that no
    /// other moment will do.
    Said { unix_s: u32, at: Instant },
}

impl Clock {
    /// Whether it says that this second is over.
    const fn is_after(self, second: u32) -> bool {
        matches!(self, Self::Said { unix_s, .. } if unix_s > second)
    }

    /// How far it is ahead of ours, in seconds; `None` where it was not asked for. `unix_s` says what ours was at a moment.
    pub(crate) fn ahead_s(self, unix_s: impl FnOnce(Instant) -> u64) -> Option<i64> {
        let ahead = match self {
            Self::NotAsked => return None,
            Self::Unset => 0,
            Self::Said { unix_s: said, at } => i64::from(said) - unix_s(at).cast_signed(),
        };
        Some(match ahead.abs() > CLOCK_SLACK_S {
            true => ahead,
            false => 0,
        })
    }
}

/// Reads what is new, or everything where that can't be told, and then the clock where there are entries that it may have
/// dated.
pub(crate) async fn follow(line: &Line, since: Since) -> Result<LogRead, CallError> {
    let mut read = read(line, since).await?;
    let stamp = read.position.stamp;
    if stamp.entries > 0 {
        read.clock = clock(line).await?;
        // Looked at once more and nothing found, it is settled: a clock may stand still.
        let is_same = matches!(since, Since::Read(old) if old.stamp == stamp) && read.news == 0;
        read.position.unsettled = !is_same && !read.clock.is_after(stamp.last_addition);
    }
    Ok(read)
}

async fn clock(line: &Line) -> Result<Clock, CallError> {
    match line.call_timed(&GetSelTime).await {
        Ok((time, at)) => Ok(time
            .unix_seconds()
            .map_or(Clock::Unset, |unix_s| Clock::Said { unix_s, at })),
        Err(error) if error.completion().is_some() => Ok(Clock::Unset),
        Err(error) => Err(error),
    }
}

/// Reads what is new, or everything where that can't be told.
///
/// A log that is cleared while it is read is read again. What had been read of it by then is gone at the BMC and is kept.
pub(crate) async fn read(line: &Line, since: Since) -> Result<LogRead, CallError> {
    let mut walk = walk_of(since);
    let mut records: Vec<Record> = Vec::new();
    let mut rescued: Vec<Record> = Vec::new();
    loop {
        match line.walk(&mut walk).await? {
            Found::Record => {
                records.push(*walk.record());
                // Only the newest are kept in any case; older ones need not lie in memory meanwhile.
                if records.len() > 2 * hardware::MAX_LOG_ENTRIES {
                    records.drain(..hardware::MAX_LOG_ENTRIES);
                }
            }
            Found::Restart => {
                let news = match since {
                    Since::Never => 0,
                    _ if walk.continues() => records.len(),
                    _ => news_of(&records, since, None).0,
                };
                rescued.extend(&records[records.len() - news..]);
                records.clear();
            }
            Found::End => break,
        }
    }
    let mut read = brought(&walk, records, since);
    rescued.retain(|record| !read.records.contains(record));
    if !rescued.is_empty() {
        if !matches!(since, Since::Never) {
            read.news += rescued.len();
        }
        rescued.append(&mut read.records);
        read.records = rescued;
        read.continues = false;
    }
    Ok(read)
}

/// Over what follows the last record that was read; over everything where its records are not at hand, or nothing follows for
/// sure.
fn walk_of(since: Since) -> SelWalk {
    if let Since::Read(position) = since
        && !position.endless
        // Told as empty, it is shown as empty.
        && position.stamp.entries > 0
        && let Some(last) = position.newest.last()
    {
        let stamp = position.stamp;
        return SelWalk::behind(last, stamp.entries, Timestamp(stamp.last_erase));
    }
    SelWalk::new()
}

/// What a walk that has ended brought.
fn brought(walk: &SelWalk, records: Vec<Record>, since: Since) -> LogRead {
    let stamp = walk.info().map_or_else(LogStamp::default, LogStamp::of);
    let (complete, continues) = (walk.is_complete(), walk.continues());
    let old = since.position();
    // A log that is empty for a moment and was not erased, as far as it says, may be back with what was in it.
    let is_away = |old: &LogPosition| {
        let erased = old.stamp.last_erase != stamp.last_erase && says_when(stamp.last_erase);
        stamp.entries == 0 && !erased
    };
    let before = old.filter(|old| continues || is_away(old));
    let newest = before.map_or_else(Newest::default, |position| position.newest);
    let (news, gap) = match continues {
        true => (records.len(), false),
        false => news_of(&records, since, Some(stamp)),
    };
    let overflows = stamp.overflowed && old.is_some_and(|old| !old.stamp.overflowed);
    let erased = old.is_some_and(|old| old.stamp.last_erase != stamp.last_erase);
    let told = old.and_then(|old| old.last_unreadable);
    let kept = told.filter(|_| continues);
    let last_unreadable = walk.last_unreadable().or(kept);
    let unreadable = match last_unreadable == told {
        true => 0,
        false => walk.unreadable(),
    };
    LogRead {
        position: LogPosition {
            stamp,
            newest: newest.and(&records),
            endless: !complete,
            unsettled: false,
            last_unreadable,
        },
        records,
        continues,
        news,
        lost: overflows || gap && !erased || unreadable > 0 && old.is_some(),
        unreadable,
        clock: Clock::NotAsked,
        capacity: walk.info().and_then(capacity),
        complete,
    }
}

/// How many of all records of a log are new, and whether some may have come and gone unseen: none of those that were read last is
/// among them although there were some. Where `now` says that none was added since, and there are fewer, none is new: somebody
/// has deleted the newest.
fn news_of(records: &[Record], since: Since, now: Option<LogStamp>) -> (usize, bool) {
    let Some(position) = since.position() else {
        return (0, false);
    };
    let (known, before) = (position.newest.all(), position.stamp);
    if known.is_empty() {
        // It was empty, or an earlier version of this program did not read it to its end: then all of it is history.
        let was_empty = before.entries == 0;
        return (if was_empty { records.len() } else { 0 }, false);
    }
    let only_shrank = |now: LogStamp| {
        let is_same = now.last_addition == before.last_addition && says_when(now.last_addition);
        is_same && now.entries < before.entries
    };
    match records.iter().rposition(|record| known.contains(record)) {
        Some(place) => (records.len() - place - 1, false),
        None if now.is_some_and(only_shrank) && !position.unsettled => (0, false),
        None => (records.len(), !records.is_empty() && before.entries > 0),
    }
}

/// Entries that are there and those that fit into the free bytes; FFFFh stands for 64 KiB or more (§31.2).
fn capacity(info: &SelInfo) -> Option<u32> {
    let free = u32::from(info.free_bytes) / SEL_RECORD_LEN as u32;
    (info.free_bytes != u16::MAX).then(|| u32::from(info.entry_count) + free)
}

#[cfg(test)]
mod tests {
    use ipmi::command::Command;
    use ipmi::command::storage::GetSelInfo;
    use ipmi::number::CompletionCode;

    use super::*;
    use crate::script::{Script, play};

    #[derive(Default)]
    struct Played {
        records: Vec<[u8; 16]>,
        erased: u32,
        calls: u32,
        loops: bool,
        /// How far its clock is ahead, where it does not stand still.
        clock_ahead_s: i32,
        clock_stands_at: Option<u32>,
        /// The entry with this number can't be read.
        bad: Option<usize>,
        /// What it says of the last addition, in place of what its entries make.
        added_at: Option<u32>,
        /// It is cleared before this call, and has two entries then.
        clear_at: Option<u32>,
    }

    /// The last entry came so many seconds after that as there are entries.
    const ADDED_FROM_S: u32 = 1_600_000_000;

    /// Our time when a reading begins.
    const NOW_S: u64 = 1_700_000_000;

    /// Our time so long after that.
    fn unix_s(at: Instant) -> u64 {
        NOW_S + at.since(Instant::ORIGIN).as_secs()
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

        fn read(&mut self, since: Since) -> LogRead {
            self.calls = 0;
            let script = Script::new(move |line| async move { follow(&line, since).await });
            play::run(script, |call| {
                self.calls += 1;
                if call.cmd == GetSelTime::CMD {
                    // Each answer takes its time.
                    let now_s = unix_s(Instant::ORIGIN + play::ANSWER_TIME * self.calls);
                    let clock = (now_s as u32).wrapping_add_signed(self.clock_ahead_s);
                    let clock = self.clock_stands_at.unwrap_or(clock);
                    return Some((CompletionCode::OK, clock.to_le_bytes().to_vec()));
                }
                if self.clear_at == Some(self.calls) {
                    self.records.clear();
                    self.erased += 1;
                    self.add(2);
                }
                if call.cmd == GetSelInfo::CMD {
                    let count = self.records.len() as u16;
                    let mut info = vec![0x51];
                    info.extend(count.to_le_bytes());
                    info.extend([0xff, 0xff]);
                    let added_at = self.added_at;
                    let added_at = added_at.unwrap_or_else(|| ADDED_FROM_S + u32::from(count));
                    info.extend(added_at.to_le_bytes());
                    info.extend(self.erased.to_le_bytes());
                    info.push(if self.records.len() >= 20 { 0x80 } else { 0 });
                    return Some((CompletionCode::OK, info));
                }
                let id = usize::from(u16::from_le_bytes([call.data()[2], call.data()[3]])).max(1);
                if self.bad == Some(id) {
                    return Some((CompletionCode::UNSPECIFIED, vec![]));
                }
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
        let all = bmc.read(Since::Never);
        assert_eq!(
            (all.records.len(), all.continues, all.complete),
            (20, false, true)
        );
        assert!(all.position.stamp.overflowed);
        bmc.add(3);
        let new = bmc.read(Since::Read(all.position));
        assert_eq!(new.records, bmc.records[20..]);
        assert!(new.continues);
        assert_eq!(bmc.calls, 1 + 1 + 1 + 3 + 1);
        let nothing = bmc.read(Since::Read(new.position));
        assert_eq!((nothing.records.len(), nothing.continues), (0, true));
        assert_eq!(nothing.position, new.position);
    }

    #[test]
    fn a_log_that_was_cleared_replaces_what_was_read_even_where_it_grew_again() {
        let mut bmc = Played::default();
        bmc.add(5);
        let before = bmc.read(Since::Never);
        bmc.records.clear();
        bmc.erased = 9;
        bmc.add(8);
        let after = bmc.read(Since::Read(before.position));
        assert_eq!((after.records.len(), after.continues), (8, false));
    }

    #[test]
    fn an_erase_that_no_timestamp_tells_is_noticed_by_the_last_record() {
        let mut bmc = Played::default();
        bmc.add(5);
        let mut before = bmc.read(Since::Never);
        bmc.records.clear();
        bmc.erased = 9;
        bmc.add(8);
        before.position.stamp.last_erase = 9;
        assert!(!bmc.read(Since::Read(before.position)).continues);
    }

    #[test]
    fn an_empty_log_takes_one_call() {
        let mut bmc = Played::default();
        let empty = bmc.read(Since::Never);
        assert_eq!(
            (empty.records.len(), empty.complete, bmc.calls),
            (0, true, 1)
        );
        bmc.add(2);
        assert_eq!(bmc.read(Since::Read(empty.position)).records.len(), 2);
    }

    #[test]
    fn a_log_that_leads_back_to_its_beginning_ends() {
        let mut bmc = Played {
            loops: true,
            ..Played::default()
        };
        bmc.add(6);
        let got = bmc.read(Since::Never);
        assert_eq!((got.records.len(), got.complete), (6, false));
    }

    #[test]
    fn new_entries_of_a_log_without_an_end_are_told_once_in_this_run_and_in_the_next() {
        let mut bmc = Played {
            loops: true,
            ..Played::default()
        };
        bmc.add(6);
        let first = bmc.read(Since::Never);
        assert_eq!((first.news, first.complete), (0, false));
        bmc.add(2);
        for since in [Since::Read(first.position), Since::Earlier(first.position)] {
            let more = bmc.read(since);
            assert_eq!((more.records.len(), more.news, more.lost), (8, 2, false));
            assert!(bmc.calls < 8 + 5, "{since:?}");
            let same = bmc.read(Since::Earlier(more.position));
            assert_eq!((same.records.len(), same.news), (8, 0));
        }
    }

    #[test]
    fn deleting_the_newest_entries_makes_no_other_one_news() {
        let mut bmc = Played::default();
        bmc.add(9);
        let before = bmc.read(Since::Never).position;
        bmc.records.truncate(7);
        for since in [Since::Read(before), Since::Earlier(before)] {
            let read = bmc.read(since);
            assert_eq!((read.records.len(), read.news, read.lost), (7, 0, false));
        }
        // Others came meanwhile.
        bmc.records.push([0xee; 16]);
        let read = bmc.read(Since::Earlier(before));
        assert_eq!((read.records.len(), read.news, read.lost), (8, 1, false));
    }

    #[test]
    fn deleting_more_of_the_newest_entries_than_are_remembered_makes_no_other_one_news() {
        let mut bmc = Played::default();
        bmc.add(12);
        let before = bmc.read(Since::Never).position;
        bmc.added_at = Some(ADDED_FROM_S + 12);
        bmc.records.truncate(12 - NEWEST_MAX - 1);
        // Deleting is erasing, as stamps go.
        bmc.erased += 1;
        for since in [Since::Read(before), Since::Earlier(before)] {
            let read = bmc.read(since);
            assert_eq!((read.records.len(), read.news, read.lost), (7, 0, false));
            assert_eq!(bmc.read(Since::Read(read.position)).news, 0);
        }
    }

    #[test]
    fn a_log_that_is_said_to_be_empty_for_a_moment_comes_back_without_news() {
        for erased in [0, u32::MAX] {
            let mut bmc = Played {
                erased: 5,
                ..Played::default()
            };
            bmc.add(6);
            let before = bmc.read(Since::Never).position;
            for since in [Since::Read(before), Since::Earlier(before)] {
                let all = std::mem::take(&mut bmc.records);
                let was_erased = std::mem::replace(&mut bmc.erased, erased);
                let empty = bmc.read(since);
                assert_eq!((empty.records.len(), empty.news), (0, 0));
                (bmc.records, bmc.erased) = (all, was_erased);
                let back = bmc.read(Since::Read(empty.position));
                assert!(!back.continues, "all of it is to be shown again");
                assert_eq!((back.records.len(), back.news, back.lost), (6, 0, false));
            }
            // With one that came meanwhile.
            let all = std::mem::take(&mut bmc.records);
            let empty = bmc.read(Since::Read(before)).position;
            bmc.records = all;
            bmc.add(1);
            let back = bmc.read(Since::Read(empty));
            assert_eq!((back.records.len(), back.news, back.lost), (7, 1, false));
        }
    }

    #[test]
    fn what_comes_after_a_clear_that_no_stamp_tells_is_news_and_nothing_is_lost() {
        let mut bmc = Played::default();
        bmc.add(6);
        let before = bmc.read(Since::Never).position;
        bmc.records.clear();
        let empty = bmc.read(Since::Read(before)).position;
        bmc.add(2);
        for record in &mut bmc.records {
            record[9] = 7;
        }
        let read = bmc.read(Since::Read(empty));
        assert_eq!((read.records.len(), read.news, read.lost), (2, 2, false));
    }

    #[test]
    fn an_entry_that_can_not_be_read_hides_no_other_and_is_told_once() {
        let mut bmc = Played::default();
        bmc.add(5);
        let before = bmc.read(Since::Never).position;
        bmc.add(4);
        bmc.bad = Some(7);
        for since in [Since::Read(before), Since::Earlier(before)] {
            let read = bmc.read(since);
            assert_eq!((read.news, read.unreadable, read.lost), (3, 1, true));
            for since in [Since::Read(read.position), Since::Earlier(read.position)] {
                let again = bmc.read(since);
                assert_eq!((again.news, again.unreadable), (0, 0), "{since:?}");
                assert!(!again.lost && again.complete);
            }
        }
    }

    #[test]
    fn an_entry_of_the_same_second_is_looked_for_once_more_and_a_clock_that_stands_still_is_no_reason_to_look_for_ever()
     {
        let mut bmc = Played::default();
        bmc.add(3);
        bmc.clock_stands_at = Some(ADDED_FROM_S + 3);
        let first = bmc.read(Since::Never).position;
        assert!(first.unsettled && Since::Read(first).is_outdated(first.stamp));
        let again = bmc.read(Since::Read(first)).position;
        assert!(!again.unsettled && !Since::Read(again).is_outdated(again.stamp));
        bmc.add(1);
        bmc.clock_stands_at = Some(ADDED_FROM_S + 5);
        let more = bmc.read(Since::Read(again)).position;
        assert!(!more.unsettled, "the second is over");
    }

    #[test]
    fn an_earlier_run_is_told_exactly_what_came_since_also_after_a_clear() {
        let mut bmc = Played::default();
        bmc.add(5);
        let before = Since::Earlier(bmc.read(Since::Never).position);
        let same = bmc.read(before);
        assert_eq!((same.records.len(), same.news, same.lost), (5, 0, false));
        bmc.add(3);
        let more = bmc.read(before);
        assert_eq!((more.records.len(), more.news, more.lost), (8, 3, false));
        bmc.records.clear();
        bmc.erased = 9;
        bmc.add(2);
        let cleared = bmc.read(before);
        assert_eq!(
            (cleared.records.len(), cleared.news, cleared.lost),
            (2, 2, false)
        );
        bmc.records.clear();
        let empty = bmc.read(before);
        assert_eq!((empty.records.len(), empty.news, empty.lost), (0, 0, false));
    }

    #[test]
    fn entries_that_were_overwritten_or_had_no_room_are_told_as_lost_once() {
        let mut bmc = Played::default();
        bmc.add(8);
        let before = bmc.read(Since::Never).position;
        // A ring: the ones that were known are gone, and nothing was erased.
        bmc.records.clear();
        bmc.add(3);
        for record in &mut bmc.records {
            record[15] = 7;
        }
        let ring = bmc.read(Since::Earlier(before));
        assert_eq!((ring.news, ring.lost), (3, true));
        bmc.add(17);
        let full = bmc.read(Since::Read(ring.position));
        assert!(full.lost, "the log overflowed");
        let still = bmc.read(Since::Read(full.position));
        assert!(!still.lost, "told already");
    }

    #[test]
    fn a_log_that_is_cleared_while_it_is_read_loses_nothing_that_was_read() {
        for since in [true, false] {
            let mut bmc = Played::default();
            bmc.add(2);
            let position = bmc.read(Since::Never).position;
            bmc.add(4);
            // Information, two known entries or the last of them, two new ones; then it is cleared.
            let (since, clear_at) = match since {
                true => (Since::Earlier(position), 6),
                false => (Since::Read(position), 5),
            };
            bmc.clear_at = Some(clear_at);
            let new: Vec<_> = bmc.records[2..4].to_vec();
            let read = bmc.read(since);
            assert_eq!(read.records[..2], new, "{since:?}");
            assert_eq!(read.records[2..], bmc.records, "{since:?}");
            assert!(!read.continues && read.complete && !read.lost);
            bmc.clear_at = None;
            let again = bmc.read(Since::Read(read.position));
            assert!(again.continues && again.records.is_empty());
        }
    }

    #[test]
    fn a_clock_that_is_off_is_noticed_and_one_that_is_late_by_the_way_is_not() {
        let mut bmc = Played::default();
        bmc.add(1);
        for (ahead, noticed) in [(3_600, 3_600), (-86_400, -86_400), (3, 0), (0, 0)] {
            bmc.clock_ahead_s = ahead;
            let clock = bmc.read(Since::Never).clock;
            assert_eq!(clock.ahead_s(unix_s), Some(noticed));
        }
    }

    #[test]
    fn how_far_a_clock_is_off_does_not_depend_on_how_long_the_log_is() {
        let mut bmc = Played::default();
        bmc.add(2_000);
        for ahead in [0, 3_600] {
            bmc.clock_ahead_s = ahead;
            let read = bmc.read(Since::Never);
            assert_eq!(read.records.len(), 2_000);
            let took_s = (play::ANSWER_TIME * bmc.calls).as_secs();
            assert!(took_s.cast_signed() > 5 * CLOCK_SLACK_S);
            assert_eq!(read.clock.ahead_s(unix_s), Some(i64::from(ahead)));
        }
    }

    #[test]
    fn a_clock_that_was_never_set_is_not_ahead_and_one_that_was_not_asked_for_says_nothing() {
        assert_eq!(Clock::Unset.ahead_s(unix_s), Some(0));
        assert_eq!(Clock::NotAsked.ahead_s(unix_s), None);
    }
}
