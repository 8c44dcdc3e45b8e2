//! The system event log (§31.2, §31.5).

use core::time::Duration;

use super::seen::Seen;
use super::{Fault, Found, Request, Step, Walk, read};
use crate::command::storage::{GetSelEntry, GetSelInfo, SEL_RECORD_LEN, SelEntryData, SelInfo};
use crate::number::{CompletionCode, SelCompletion};
use crate::quirk::{Quirk, Quirks};
use crate::record::{RecordId, Timestamp};

/// The most entries that one reading walks over: as many as there are record numbers.
pub const ENTRIES_MAX: usize = 65_535;

/// How often a log is read because it is cleared meanwhile.
const READINGS_MAX: u32 = 3;

/// How often an entry is asked for that leads to the beginning, or whose answer is of no use.
const ASKINGS_MAX: u32 = 4;

/// How many record numbers one reading tries behind entries that can't be read.
const STEPS_MAX: u32 = 16;

/// How often a log is asked again that is being erased, and the pause before each: §31.10 has no time for it.
const ERASE_WAITS_MAX: u32 = 8;
const ERASE_PAUSE: Duration = Duration::from_millis(250);

/// What the walk waits for, or has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// What the log tells of itself before reading.
    Before,
    /// The entry to go on behind, to see whether it is still there.
    Last,
    /// An entry.
    Entry,
    /// It is to be handed out.
    Whole,
    /// It was, and the caller looks at it.
    Lent,
    /// What the log tells of itself after reading.
    After,
    /// It changed meanwhile, or is none to go on with.
    Changed,
    End,
    Failed(Fault),
}

/// An entry up to which a log was read.
#[derive(Clone, Copy, Debug)]
struct Behind {
    last: [u8; SEL_RECORD_LEN],
    entries: u16,
    last_erase: Timestamp,
}

/// Reads an event log, oldest entry first: whole, or what came behind an entry where that is still there.
#[derive(Clone, Debug)]
pub struct SelWalk {
    behind: Option<Behind>,
    phase: Phase,
    /// It is being erased: wait before asking again.
    is_erasing: bool,
    waits: u32,
    readings: u32,
    info: Option<SelInfo>,
    continues: bool,
    is_complete: bool,
    /// By which numbers entries were asked for, and those within them.
    seen: Seen,
    id: RecordId,
    next: RecordId,
    askings: u32,
    /// Why the entry before could not be read: this one is asked for by a number that nobody named.
    steps_over: Option<Fault>,
    steps: u32,
    /// Some entry was had.
    had_any: bool,
    unreadable: u32,
    last_unreadable: Option<RecordId>,
    record: [u8; SEL_RECORD_LEN],
    noticed: Quirks,
}

impl SelWalk {
    /// From the first entry to the last.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            behind: None,
            phase: Phase::Before,
            is_erasing: false,
            waits: 0,
            readings: 1,
            info: None,
            continues: false,
            is_complete: false,
            seen: Seen::new(),
            id: RecordId::FIRST,
            next: RecordId::LAST,
            askings: 0,
            steps_over: None,
            steps: 0,
            had_any: false,
            unreadable: 0,
            last_unreadable: None,
            record: [0; SEL_RECORD_LEN],
            noticed: Quirks::NONE,
        }
    }

    /// Only what follows the entry `last`, where the log still has it; `entries` and `last_erase` are what Get SEL Info
    /// told when it was read. Where that can't be, the whole log.
    #[must_use]
    pub const fn behind(last: [u8; SEL_RECORD_LEN], entries: u16, last_erase: Timestamp) -> Self {
        let mut walk = Self::new();
        walk.behind = Some(Behind {
            last,
            entries,
            last_erase,
        });
        walk
    }

    /// The entry that was found.
    #[must_use]
    pub const fn record(&self) -> &[u8; SEL_RECORD_LEN] {
        &self.record
    }

    /// What Get SEL Info told before this reading; `None` where the BMC has no such command.
    #[must_use]
    pub const fn info(&self) -> Option<&SelInfo> {
        self.info.as_ref()
    }

    /// Whether the entries follow the one that was to be gone on behind; else they are all that there are.
    #[must_use]
    pub const fn continues(&self) -> bool {
        self.continues
    }

    /// At the end, whether the list ended by itself. One that led back is no list to go on with.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// How many entries could not be read and were stepped over. What is behind the last of them counts as one where no other
    /// was found there.
    #[must_use]
    pub const fn unreadable(&self) -> u32 {
        self.unreadable
    }

    /// By which number the last of them was asked for.
    #[must_use]
    pub const fn last_unreadable(&self) -> Option<RecordId> {
        self.last_unreadable
    }

    fn note(&mut self, quirk: Quirk) {
        self.noticed = self.noticed.with(quirk);
    }

    /// The log told of itself, or didn't: then its entries tell.
    fn told(&mut self, info: Option<SelInfo>) {
        self.info = info;
        self.continues = false;
        self.is_complete = false;
        self.seen.clear();
        self.steps_over = None;
        self.steps = 0;
        self.had_any = false;
        self.unreadable = 0;
        self.last_unreadable = None;
        if info.is_some_and(|info| info.entry_count == 0) {
            self.is_complete = true;
            self.phase = Phase::End;
            return;
        }
        let behind = self.behind.filter(|behind| {
            info.is_some_and(|info| {
                info.last_erase == behind.last_erase && info.entry_count >= behind.entries
            })
        });
        match behind {
            Some(behind) => {
                let id = own_id(&behind.last);
                self.ask_for(id);
                self.phase = Phase::Last;
            }
            None => self.ask_for(RecordId::FIRST),
        }
    }

    fn ask_for(&mut self, id: RecordId) {
        self.seen.insert(id);
        self.id = id;
        self.askings = 0;
        self.phase = Phase::Entry;
    }

    /// Whether the entry that came is to be asked for again: it leads to the beginning, which none does.
    fn is_astray(&mut self, entry: &SelEntryData) -> bool {
        self.askings += 1;
        let astray = entry.next == RecordId::FIRST && self.askings < ASKINGS_MAX;
        if astray {
            self.note(Quirk::SelNextZero);
        }
        astray
    }

    /// The answer to the question whether the last entry that was read is still there.
    fn last_came(&mut self, completion: CompletionCode, data: &[u8]) {
        let entry = read::<GetSelEntry>(completion, data);
        if entry.as_ref().is_ok_and(|entry| self.is_astray(entry)) {
            return;
        }
        match (entry, self.behind) {
            (Ok(entry), Some(behind))
                if *entry.data == behind.last && entry.next != RecordId::FIRST =>
            {
                self.continues = true;
                self.had_any = true;
                self.next = entry.next;
                self.follow_link();
            }
            // The log has another one there, or none.
            _ => {
                self.seen.clear();
                self.ask_for(RecordId::FIRST);
            }
        }
    }

    fn entry_came(&mut self, entry: &SelEntryData) {
        if self.is_astray(entry) {
            return;
        }
        self.next = entry.next;
        let Ok(record) = <[u8; SEL_RECORD_LEN]>::try_from(&*entry.data) else {
            self.is_unreadable();
            return self.follow_link();
        };
        self.steps_over = None;
        self.had_any = true;
        // The first entry is asked for by 0000h; a list that leads back names its own number.
        let own = own_id(&record);
        if own != self.id && !self.seen.insert(own) {
            return self.endless();
        }
        self.record = record;
        self.phase = Phase::Whole;
    }

    /// The entry did not come.
    fn failed(&mut self, fault: Fault) {
        match fault.completion() {
            // A number that nobody named: there may be a gap.
            Some(CompletionCode::NOT_PRESENT) if self.steps_over.is_some() => self.step_over(fault),
            // Cleared meanwhile, or a list that ends by an error.
            Some(CompletionCode::NOT_PRESENT) => self.ends(true),
            Some(code) if is_of_no_entry(code) => self.phase = Phase::Failed(fault),
            _ => {
                self.askings += 1;
                if self.askings == ASKINGS_MAX {
                    self.is_unreadable();
                    self.step_over(fault);
                }
            }
        }
    }

    fn is_unreadable(&mut self) {
        self.note(Quirk::SelEntryUnreadable);
        // The first entry has the number 1 most likely, and was asked for by 0 before.
        if self.id != RecordId(1) || self.last_unreadable != Some(RecordId::FIRST) {
            self.unreadable += 1;
        }
        self.last_unreadable = Some(self.id);
    }

    /// Without the entry nobody says which is the next one. BMCs number them one by one, so that it is tried by the next number
    /// (§31.5 asks for no order).
    fn step_over(&mut self, fault: Fault) {
        let first = *self.steps_over.get_or_insert(fault);
        self.steps += 1;
        let next = RecordId(self.id.0.saturating_add(1));
        if self.steps <= STEPS_MAX && next != RecordId::LAST && !self.seen.contains(next) {
            self.ask_for(next);
        } else if self.had_any {
            self.ends(false);
        } else {
            // Not one is to be had: it is not about entries.
            self.phase = Phase::Failed(first);
        }
    }

    fn follow_link(&mut self) {
        if self.next == RecordId::LAST {
            self.ends(true);
        } else if self.next == RecordId::FIRST
            || self.seen.contains(self.next)
            || self.seen.len() >= ENTRIES_MAX
        {
            self.endless();
        } else {
            self.ask_for(self.next);
        }
    }

    fn ends(&mut self, complete: bool) {
        self.is_complete = complete;
        self.phase = if self.info.is_some() {
            Phase::After
        } else {
            Phase::End
        };
    }

    /// The list leads back. What came behind the entry that it was to go on behind are old ones then, perhaps.
    fn endless(&mut self) {
        self.note(Quirk::SelListEndless);
        if self.continues {
            self.behind = None;
            self.phase = Phase::Changed;
        } else {
            self.ends(false);
        }
    }

    /// What the log tells of itself after it was read.
    fn told_after(&mut self, now: Option<SelInfo>) {
        let erased = |info: SelInfo| now.is_some_and(|now| now.last_erase != info.last_erase);
        self.phase = if self.info.is_some_and(erased) && self.readings < READINGS_MAX {
            self.readings += 1;
            Phase::Changed
        } else {
            Phase::End
        };
    }

    fn asks(&self) -> bool {
        matches!(
            self.phase,
            Phase::Before | Phase::Last | Phase::Entry | Phase::After
        )
    }
}

impl Default for SelWalk {
    fn default() -> Self {
        Self::new()
    }
}

impl Walk for SelWalk {
    fn next(&mut self) -> Result<Step, Fault> {
        if self.phase == Phase::Lent {
            self.follow_link();
        }
        if core::mem::take(&mut self.is_erasing) {
            return Ok(Step::Wait(ERASE_PAUSE));
        }
        Ok(match self.phase {
            Phase::Before | Phase::After => Step::Send(Request::of(&GetSelInfo)),
            Phase::Last | Phase::Entry => Step::Send(Request::of(&GetSelEntry::whole(self.id))),
            Phase::Whole | Phase::Lent => {
                self.phase = Phase::Lent;
                Step::Found(Found::Record)
            }
            Phase::Changed => {
                self.phase = Phase::Before;
                Step::Found(Found::Restart)
            }
            Phase::End => Step::Found(Found::End),
            Phase::Failed(fault) => return Err(fault),
        })
    }

    fn answer(&mut self, completion: CompletionCode, data: &[u8]) {
        let is_erasing = completion.0 == SelCompletion::ERASE_IN_PROGRESS.0;
        if is_erasing && self.asks() && self.waits < ERASE_WAITS_MAX {
            self.waits += 1;
            self.is_erasing = true;
            return;
        }
        match self.phase {
            Phase::Before => self.told(read::<GetSelInfo>(completion, data).ok()),
            Phase::Last => self.last_came(completion, data),
            Phase::Entry => match read::<GetSelEntry>(completion, data) {
                Ok(entry) => self.entry_came(&entry),
                Err(fault) => self.failed(fault),
            },
            Phase::After => self.told_after(read::<GetSelInfo>(completion, data).ok()),
            Phase::Whole | Phase::Lent | Phase::Changed | Phase::End | Phase::Failed(_) => {}
        }
    }

    fn noticed(&self) -> Quirks {
        self.noticed
    }
}

/// Whether a refusal is not about the entry that was asked for: the BMC has no such command, or not for us, or does nothing of the
/// kind for now (§5.2, table 5-2).
const fn is_of_no_entry(code: CompletionCode) -> bool {
    matches!(
        code,
        CompletionCode::NODE_BUSY
            | CompletionCode::INVALID_COMMAND
            | CompletionCode::INVALID_FOR_LUN
            | CompletionCode::SDR_IN_UPDATE
            | CompletionCode::FIRMWARE_UPDATE
            | CompletionCode::BMC_INITIALIZING
            | CompletionCode::INSUFFICIENT_PRIVILEGE
            | CompletionCode::DISABLED
    ) || code.0 == SelCompletion::ERASE_IN_PROGRESS.0
}

/// The number within a record.
const fn own_id(record: &[u8; SEL_RECORD_LEN]) -> RecordId {
    RecordId(u16::from_le_bytes([record[0], record[1]]))
}
