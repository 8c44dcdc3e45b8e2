//! Reads the inventory area of a FRU device (§34.1, §34.2), as far as its nameplate goes.

use ipmi::command::storage::{FruData, GetFruInventoryAreaInfo, ReadFruData};
use ipmi::number::{CompletionCode, FruAccessMode};
use ipmi::quirk::Quirk;
use ipmi::record::fru::MultiRecord;
use ipmi::record::{SPD_HEAD_LEN, Spd};

use crate::call::CallError;
use crate::script::Line;

/// The most bytes that are read of one inventory: the areas of a nameplate take some hundred.
pub(crate) const FRU_LEN_MAX: usize = 4_096;

/// How many bytes are asked for at once, in turn, until the BMC can return them.
const CHUNKS: [u8; 5] = [64, 32, 24, 16, 8];

/// How much is read of what has a length that is not known yet.
const AT_ONCE: usize = CHUNKS[0] as usize;

/// Length of the common header, and the offsets in it of the three areas that are read: chassis, board, product
/// (FRU Information Storage Definition 1.3 §8).
const HEADER_LEN: usize = 8;
const AREAS: std::ops::Range<usize> = 2..5;
/// Offset in the header of the offset of the records, length of a record's header, and the flag in its second byte that
/// none follows.
const RECORDS: usize = 5;
const RECORD_HEADER_LEN: usize = 5;
const END_OF_RECORDS: u8 = 0x80;

/// "The FRU device is busy": completion code of Read FRU Data.
const FRU_BUSY: CompletionCode = CompletionCode(0x81);

/// How often a busy FRU device is asked again, and the pause before each.
const BUSY_MAX: u32 = 8;
const BUSY_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// Reads the inventory of a FRU device from its beginning to the end of its product, board and chassis areas, and of
/// the record of a power supply where it has one.
pub(crate) async fn read(line: &Line, fru_device_id: u8) -> Result<Vec<u8>, CallError> {
    let mut device = Device::open(line, fru_device_id).await?;
    let mut data = Vec::new();
    loop {
        let end = needed(&data).min(device.size);
        if data.len() >= end {
            // The last part may hold more than an area whose length was not known.
            data.truncate(end);
            return Ok(data);
        }
        match device.read(data.len(), end).await {
            Ok(part) if part.is_empty() => return Ok(data),
            Ok(part) => data.extend(part),
            // What was read may hold a nameplate already.
            Err(error) if error.completion().is_some() && data.len() > HEADER_LEN => {
                return Ok(data);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Reads the EEPROM of a memory module: its first bytes, which tell the size, and its nameplate. What lies between
/// (timings) is left zero.
pub(crate) async fn read_spd(line: &Line, fru_device_id: u8) -> Result<Vec<u8>, CallError> {
    let mut device = Device::open(line, fru_device_id).await?;
    let mut data = device.read_all(0, SPD_HEAD_LEN).await?;
    let memory_type = Spd::decode(&data).memory_type;
    let plate = Spd::nameplate_range(memory_type);
    let organization = (memory_type == Spd::DDR5).then_some(Spd::DDR5_ORGANIZATION);
    for (start, len) in [organization, plate].into_iter().flatten() {
        // Reading begins at even offsets, for devices that count in words.
        let start = start & !1;
        if start < device.size {
            let part = device.read_all(start, start + len + 1).await?;
            data.resize(start.max(data.len()), 0);
            data.extend(part);
        }
    }
    Ok(data)
}

/// A FRU device being read.
struct Device<'a> {
    line: &'a Line,
    id: u8,
    size: usize,
    by_words: bool,
    /// Index in [`CHUNKS`] of how much it can return.
    chunk: usize,
    busy: u32,
}

impl<'a> Device<'a> {
    async fn open(line: &'a Line, id: u8) -> Result<Self, CallError> {
        let get = GetFruInventoryAreaInfo { fru_device_id: id };
        let info = line.call(&get).await?;
        Ok(Self {
            line,
            id,
            size: usize::from(info.size).min(FRU_LEN_MAX),
            by_words: info.access == FruAccessMode::WORDS,
            chunk: 0,
            busy: 0,
        })
    }

    /// Some bytes from `start` on, at most up to `end`; empty at the device's end.
    async fn read(&mut self, start: usize, end: usize) -> Result<Vec<u8>, CallError> {
        let end = end.min(self.size);
        let words = usize::from(self.by_words);
        loop {
            // In words of two bytes nothing odd can be asked for; every chunk is even, and so is every offset.
            let left = end.saturating_sub(start).next_multiple_of(2);
            let most = self.size.saturating_sub(start);
            let bytes = usize::from(CHUNKS[self.chunk]).min(left).min(most);
            let read = ReadFruData {
                fru_device_id: self.id,
                offset: u16::try_from(start >> words).unwrap_or(u16::MAX),
                count: u8::try_from(bytes.max(1 + words) >> words).unwrap_or(u8::MAX),
            };
            match self.line.call(&read).await {
                Ok(part) => return Ok(FruData::bytes(&part, self.by_words).to_vec()),
                Err(error) if error.completion() == Some(FRU_BUSY) && self.busy < BUSY_MAX => {
                    self.busy += 1;
                    self.line.pause(BUSY_PAUSE).await;
                }
                Err(error) if asks_for_less(error) && self.chunk + 1 < CHUNKS.len() => {
                    self.line.note(Quirk::FruReadLimited);
                    self.chunk += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The bytes from `start` to `end`, or to the device's end.
    async fn read_all(&mut self, start: usize, end: usize) -> Result<Vec<u8>, CallError> {
        let mut data = Vec::new();
        while start + data.len() < end.min(self.size) {
            let part = self.read(start + data.len(), end).await?;
            if part.is_empty() {
                break;
            }
            data.extend(part);
        }
        Ok(data)
    }
}

/// How much of the inventory must be read, as far as what was read tells: the areas that the header names, each as
/// long as its second byte says in units of 8 bytes, and the records up to a power supply's. Where a length is not known
/// yet, as much more as is asked for at once: a request less, and mostly all of it.
fn needed(data: &[u8]) -> usize {
    let Some(header) = data.get(..HEADER_LEN) else {
        return AT_ONCE;
    };
    let ends = header[AREAS]
        .iter()
        .filter(|offset| **offset != 0)
        .map(|offset| {
            let start = usize::from(*offset) * 8;
            data.get(start + 1)
                .map_or(start + AT_ONCE, |len| start + usize::from(*len) * 8)
        });
    let records = match header[RECORDS] {
        0 => HEADER_LEN,
        offset => records_needed(data, usize::from(offset) * 8),
    };
    ends.max().unwrap_or(HEADER_LEN).max(records)
}

/// How much must be read of the records that begin at `start` (FRU 1.0 §16): up to the one of a power supply, or the
/// last.
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

fn asks_for_less(error: CallError) -> bool {
    matches!(
        error.completion(),
        Some(
            CompletionCode::CANNOT_RETURN_BYTES
                | CompletionCode::REQUEST_FIELD_LENGTH_EXCEEDED
                | CompletionCode::REQUEST_LENGTH_INVALID
                | CompletionCode::PARAMETER_OUT_OF_RANGE
                | CompletionCode::INVALID_DATA_FIELD
                | CompletionCode::UNSPECIFIED
        )
    )
}

#[cfg(test)]
mod tests {
    use ipmi::command::Command;

    use super::*;
    use crate::script::{Script, play};

    /// A header with a board area of `units` × 8 bytes, then filler up to `size`.
    fn inventory(units: u8, size: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..size).map(|i| i as u8).collect();
        bytes[..8].copy_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0xfe]);
        bytes[8..10].copy_from_slice(&[1, units]);
        bytes
    }

    fn read_played(
        bytes: &[u8],
        by_words: bool,
        chunk_max: usize,
        busy: u32,
    ) -> (Result<Vec<u8>, CallError>, u32) {
        let mut busy = busy;
        let mut calls = 0;
        let script = Script::new(|line| async move { read(&line, 3).await });
        let got = play::run(script, |call| {
            calls += 1;
            let data = call.data();
            assert_eq!(data[0], 3);
            if call.cmd == GetFruInventoryAreaInfo::CMD {
                let size = (bytes.len() as u16).to_le_bytes();
                return Some((CompletionCode::OK, vec![size[0], size[1], by_words.into()]));
            }
            if busy > 0 {
                busy -= 1;
                return Some((FRU_BUSY, vec![]));
            }
            let scale = 1 + usize::from(by_words);
            let start = usize::from(u16::from_le_bytes([data[1], data[2]])) * scale;
            let count = usize::from(data[3]) * scale;
            if count > chunk_max {
                return Some((CompletionCode::CANNOT_RETURN_BYTES, vec![]));
            }
            let part = &bytes[start..(start + count).min(bytes.len())];
            let mut answer = vec![(part.len() / scale) as u8];
            answer.extend(part);
            Some((CompletionCode::OK, answer))
        });
        (got, calls)
    }

    #[test]
    fn of_a_memory_module_only_size_and_nameplate_are_read() {
        let bytes = Spd::encode_ddr4(16_384, "M-16", 7).unwrap();
        for by_words in [false, true] {
            let mut calls = 0;
            let script = Script::new(|line| async move { read_spd(&line, 3).await });
            let got = play::run(script, |call| {
                calls += 1;
                let data = call.data();
                if call.cmd == GetFruInventoryAreaInfo::CMD {
                    let size = (bytes.len() as u16).to_le_bytes();
                    return Some((CompletionCode::OK, vec![size[0], size[1], by_words.into()]));
                }
                let scale = 1 + usize::from(by_words);
                let start = usize::from(u16::from_le_bytes([data[1], data[2]])) * scale;
                let count = usize::from(data[3]) * scale;
                let part = &bytes[start..(start + count).min(bytes.len())];
                let mut answer = vec![(part.len() / scale) as u8];
                answer.extend(part);
                Some((CompletionCode::OK, answer))
            });
            assert_eq!(Spd::decode(&got.unwrap()), Spd::decode(&bytes));
            assert_eq!(calls, 3, "one for each range and one for the length");
        }
    }

    #[test]
    fn only_the_areas_of_the_nameplate_are_read() {
        for by_words in [false, true] {
            let bytes = inventory(12, 2_000);
            let (got, calls) = read_played(&bytes, by_words, 255, 0);
            assert_eq!(got.unwrap(), bytes[..8 + 96]);
            assert!(calls <= 5, "{calls} calls");
        }
    }

    #[test]
    fn small_buffers_and_busy_devices_take_longer_but_yield_the_same() {
        let bytes = inventory(12, 2_000);
        for chunk_max in [8, 16, 24, 63] {
            for by_words in [false, true] {
                assert_eq!(
                    read_played(&bytes, by_words, chunk_max, 3).0.unwrap(),
                    bytes[..104]
                );
            }
        }
    }

    #[test]
    fn an_area_that_reaches_beyond_the_inventory_ends_with_it() {
        let bytes = inventory(200, 64);
        assert_eq!(read_played(&bytes, false, 255, 0).0.unwrap(), bytes);
    }

    #[test]
    fn a_device_that_stays_busy_or_refuses_every_size_is_an_error() {
        let bytes = inventory(2, 64);
        assert_eq!(
            read_played(&bytes, false, 255, 1_000)
                .0
                .unwrap_err()
                .completion(),
            Some(FRU_BUSY)
        );
        assert!(read_played(&bytes, false, 4, 0).0.is_err());
    }

    #[test]
    fn an_inventory_without_any_area_is_its_header() {
        let (got, calls) = read_played(&[1, 0, 0, 0, 0, 0, 0, 0xff], false, 255, 0);
        assert_eq!((got.unwrap().len(), calls), (8, 2));
    }
}
