//! Inventories (§34.1, §34.2; FRU Information Storage Definition 1.0 §8, §16).

use alloc::vec::Vec;
use core::ops::Range;
use core::time::Duration;

use super::{Chunk, Fault, Found, Reason, Request, Step, Walk, asks_for_less, read};
use crate::command::storage::{FruInventoryAreaInfo, GetFruInventoryAreaInfo, ReadFruData};
use crate::number::{CompletionCode, FruAccessMode, RecordCompletion};
use crate::quirk::{Quirk, Quirks};
use crate::record::fru::MultiRecord;
use crate::record::{SPD_HEAD_LEN, Spd};

/// The most bytes that are read of one inventory for its nameplate: its areas take some hundred.
pub const NAMEPLATE_LEN_MAX: usize = 4_096;

/// How many bytes are asked for at once, in turn, where a BMC can't return as many. All are even: a device may count in
/// words.
const CHUNKS: [u8; 5] = [64, 32, 24, 16, 8];

/// How much is read of what has a length that is not known yet: a request less, and mostly all of it.
const AT_ONCE: usize = CHUNKS[0] as usize;

/// How often a busy device is asked again, and the pause before each: §34.2 has no time for it.
const BUSY_MAX: u32 = 8;
const BUSY_PAUSE: Duration = Duration::from_millis(100);

/// Length of the common header, and the offsets in it of the three areas that make a nameplate: chassis, board, product
/// (FRU 1.0 §8).
const HEADER_LEN: usize = 8;
const AREAS: Range<usize> = 2..5;
/// Offset in the header of the offset of the records, length of a record's header, and the flag in its second byte that
/// none follows (FRU 1.0 §16).
const RECORDS: usize = 5;
const RECORD_HEADER_LEN: usize = 5;
const END_OF_RECORDS: u8 = 0x80;
/// Offsets and lengths of areas are in units of so many bytes.
const UNIT: usize = 8;

/// How much of an inventory is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FruExtent {
    /// All of it.
    All,
    /// From the beginning to the end of its chassis, board and product areas, and of the record of a power supply where it
    /// has one; [`NAMEPLATE_LEN_MAX`] bytes at most.
    Nameplate,
    /// Of the EEPROM of a memory module: the first bytes, which tell its size, and its nameplate. What lies between
    /// (timings) is left zero. [`NAMEPLATE_LEN_MAX`] bytes at most.
    Module,
}

/// How much of inventories a BMC returns at once, as far as that is known; the most at first. Who reads several
/// inventories of a BMC takes it from one to the next, and is refused less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FruChunk(Chunk);

impl Default for FruChunk {
    fn default() -> Self {
        Self(Chunk::largest(&CHUNKS))
    }
}

/// What the walk waits for, or has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Size and unit of the inventory.
    Info,
    /// A part of it.
    Part,
    End,
    Failed(Fault),
}

/// Reads the inventory of one FRU device.
#[derive(Clone, Debug)]
pub struct FruWalk {
    device: u8,
    extent: FruExtent,
    phase: Phase,
    /// How many bytes the device says that there are.
    size: usize,
    by_words: bool,
    /// How much is asked for at once now, and what other inventories of this BMC may begin with.
    chunk: Chunk,
    known: Chunk,
    /// The most that was asked for at once and not in vain.
    had: u8,
    /// It was refused by more bytes than what is asked for now.
    is_limited: bool,
    /// The last answer could not be read, and is asked for once more.
    is_garbled: bool,
    is_busy: bool,
    busy: u32,
    data: Vec<u8>,
    /// What is being read, as offsets in the inventory.
    range: Range<usize>,
    /// Which range of a memory module that is.
    ranges: usize,
    refusal: Option<Fault>,
    noticed: Quirks,
}

impl FruWalk {
    /// Of this device, by one who knows how much the BMC returns at once.
    #[must_use]
    pub const fn new(device: u8, extent: FruExtent, chunk: FruChunk) -> Self {
        Self {
            device,
            extent,
            phase: Phase::Info,
            size: 0,
            by_words: false,
            chunk: chunk.0,
            known: chunk.0,
            had: 0,
            is_limited: false,
            is_garbled: false,
            is_busy: false,
            busy: 0,
            data: Vec::new(),
            range: 0..0,
            ranges: 0,
            refusal: None,
            noticed: Quirks::NONE,
        }
    }

    /// The bytes from the beginning on, as far as they could be read.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The same, to keep.
    #[must_use]
    pub fn into_data(self) -> Vec<u8> {
        self.data
    }

    /// How many bytes the device says that there are, whatever the extent.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// What the BMC said instead of the rest; `None` where it returned all, or no more without an error.
    #[must_use]
    pub const fn refusal(&self) -> Option<Fault> {
        self.refusal
    }

    /// How much the BMC returns at once, as far as this walk found out.
    #[must_use]
    pub const fn chunk(&self) -> FruChunk {
        FruChunk(self.known)
    }

    /// Where reading ends in any case.
    fn limit(&self) -> usize {
        match self.extent {
            FruExtent::All => self.size,
            FruExtent::Nameplate | FruExtent::Module => self.size.min(NAMEPLATE_LEN_MAX),
        }
    }

    fn opened(&mut self, info: FruInventoryAreaInfo) {
        self.size = usize::from(info.size);
        self.by_words = info.access == FruAccessMode::WORDS;
        self.go_on();
    }

    /// Goes on with what is needed next, and ends where nothing is.
    fn go_on(&mut self) {
        match self.extent {
            FruExtent::All => self.range.end = self.limit(),
            FruExtent::Nameplate => self.range.end = needed(&self.data).min(self.limit()),
            FruExtent::Module => {
                while self.range.is_empty() {
                    let Some((start, len)) = self.module_range() else {
                        break;
                    };
                    self.ranges += 1;
                    // Reading begins at even offsets, for devices that count in words.
                    let even = start & !1;
                    self.range = even..(start + len).min(self.limit());
                }
            }
        }
        self.phase = if self.range.is_empty() {
            self.end()
        } else {
            Phase::Part
        };
    }

    /// The next range of a memory module.
    fn module_range(&self) -> Option<(usize, usize)> {
        let memory_type = Spd::decode(&self.data).memory_type;
        match self.ranges {
            0 => Some((0, SPD_HEAD_LEN)),
            1 if memory_type == Spd::DDR5 => Some(Spd::DDR5_ORGANIZATION),
            // None to read in other types: nothing is at the beginning.
            1 => Some((0, 0)),
            2 => Spd::nameplate_range(memory_type),
            _ => None,
        }
    }

    fn end(&mut self) -> Phase {
        // The last part may hold more than was needed.
        if self.extent != FruExtent::Module {
            self.data.truncate(self.range.end);
        }
        Phase::End
    }

    /// How many bytes are asked for now: in words of two bytes nothing odd can be.
    fn asked(&self) -> u8 {
        let left = u8::try_from(self.range.len()).unwrap_or(u8::MAX);
        let bytes = self.chunk.size().min(left);
        bytes + (bytes & u8::from(self.by_words))
    }

    fn part_request(&self) -> Request {
        let words = u8::from(self.by_words);
        Request::of(&ReadFruData {
            fru_device_id: self.device,
            offset: u16::try_from(self.range.start >> words).unwrap_or(u16::MAX),
            count: self.asked() >> words,
        })
    }

    fn part_came(&mut self, bytes: &[u8]) {
        let asked = self.asked();
        self.is_garbled = false;
        if bytes.is_empty() {
            // There is no more.
            self.phase = Phase::End;
            return;
        }
        if self.is_limited {
            self.is_limited = false;
            self.noticed = self.noticed.with(Quirk::FruReadLimited);
        }
        if asked > self.had {
            self.had = asked;
            self.known = self.chunk;
        }
        let end = self.range.start + bytes.len();
        if self.data.len() < end {
            self.data.resize(end, 0);
        }
        self.data[self.range.start..end].copy_from_slice(bytes);
        self.range.start = end;
        self.go_on();
    }

    /// An answer that can't be read says nothing about the inventory, and so is not its end.
    fn garbled(&mut self, fault: Fault) {
        if core::mem::replace(&mut self.is_garbled, true) {
            self.phase = Phase::Failed(fault);
        }
    }

    fn refused(&mut self, fault: Fault, code: CompletionCode) {
        let asked = self.asked();
        match self.chunk.smaller_than(asked) {
            Some(chunk) if asks_for_less(code) => {
                self.chunk = chunk;
                // Where as much was had before, its end is near.
                self.is_limited |= asked > self.had;
            }
            // Some devices name a size beyond what they have; the areas come first.
            _ if !self.data.is_empty() => {
                self.refusal = Some(fault);
                self.phase = Phase::End;
            }
            _ => self.phase = Phase::Failed(fault),
        }
    }
}

impl Walk for FruWalk {
    fn next(&mut self) -> Result<Step, Fault> {
        if core::mem::take(&mut self.is_busy) {
            return Ok(Step::Wait(BUSY_PAUSE));
        }
        Ok(match self.phase {
            Phase::Info => Step::Send(Request::of(&GetFruInventoryAreaInfo {
                fru_device_id: self.device,
            })),
            Phase::Part => Step::Send(self.part_request()),
            Phase::End => Step::Found(Found::End),
            Phase::Failed(fault) => return Err(fault),
        })
    }

    fn answer(&mut self, completion: CompletionCode, data: &[u8]) {
        match self.phase {
            Phase::Info => match read::<GetFruInventoryAreaInfo>(completion, data) {
                Ok(info) => self.opened(info),
                Err(fault) => self.phase = Phase::Failed(fault),
            },
            Phase::Part if completion.0 == RecordCompletion::BUSY.0 && self.busy < BUSY_MAX => {
                self.busy += 1;
                self.is_busy = true;
            }
            Phase::Part => match read::<ReadFruData>(completion, data) {
                Ok(part) => self.part_came(part.bytes(self.by_words)),
                Err(fault) => match fault.reason {
                    Reason::Refused(code) => self.refused(fault, code),
                    Reason::Garbled(_) => self.garbled(fault),
                },
            },
            Phase::End | Phase::Failed(_) => {}
        }
    }

    fn noticed(&self) -> Quirks {
        self.noticed
    }
}

/// How much of an inventory must be read for its nameplate, as far as what was read tells: the areas that the header names,
/// each as long as its second byte says, and the records up to a power supply's.
fn needed(data: &[u8]) -> usize {
    let Some(header) = data.get(..HEADER_LEN) else {
        return AT_ONCE;
    };
    let ends = header[AREAS]
        .iter()
        .filter(|offset| **offset != 0)
        .map(|offset| {
            let start = usize::from(*offset) * UNIT;
            data.get(start + 1)
                .map_or(start + AT_ONCE, |len| start + usize::from(*len) * UNIT)
        });
    let records = match header[RECORDS] {
        0 => HEADER_LEN,
        offset => records_needed(data, usize::from(offset) * UNIT),
    };
    ends.max().unwrap_or(HEADER_LEN).max(records)
}

/// How much must be read of the records that begin at `start`: up to the one of a power supply, or the last.
fn records_needed(data: &[u8], mut start: usize) -> usize {
    loop {
        let Some(&[kind, flags, len, ..]) = data.get(start..start + RECORD_HEADER_LEN) else {
            return start + AT_ONCE;
        };
        start += RECORD_HEADER_LEN + usize::from(len);
        if kind == MultiRecord::POWER_SUPPLY || flags & END_OF_RECORDS != 0 {
            return start;
        }
    }
}
