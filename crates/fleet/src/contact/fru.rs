//! Reads the inventories of a BMC, as far as their nameplates go. What BMCs do wrong about that is [`ipmi::walk`]'s business.

use ipmi::walk::{Found, FruChunk, FruExtent, FruWalk};

use crate::call::CallError;
use crate::script::Line;

/// Length of the common header, which is no nameplate (FRU 1.0 §8).
const HEADER_LEN: usize = 8;

/// The inventories of one BMC: how much it returns of one at once holds for the next, too.
pub(crate) struct Inventories<'a> {
    line: &'a Line,
    chunk: FruChunk,
}

impl<'a> Inventories<'a> {
    pub(crate) fn new(line: &'a Line) -> Self {
        Self {
            line,
            chunk: FruChunk::default(),
        }
    }

    /// Reads the inventory of a FRU device from its beginning to the end of its product, board and chassis areas, and of
    /// the record of a power supply where it has one. What was read may hold a nameplate although the rest is refused.
    pub(crate) async fn nameplate(&mut self, fru_device_id: u8) -> Result<Vec<u8>, CallError> {
        let walk = self.walk(fru_device_id, FruExtent::Nameplate).await?;
        match walk.refusal() {
            Some(fault) if walk.data().len() <= HEADER_LEN => Err(fault.into()),
            _ => Ok(walk.into_data()),
        }
    }

    /// Reads the EEPROM of a memory module: its first bytes, which tell the size, and its nameplate.
    pub(crate) async fn module(&mut self, fru_device_id: u8) -> Result<Vec<u8>, CallError> {
        let walk = self.walk(fru_device_id, FruExtent::Module).await?;
        Ok(walk.into_data())
    }

    async fn walk(&mut self, device: u8, extent: FruExtent) -> Result<FruWalk, CallError> {
        let mut walk = FruWalk::new(device, extent, self.chunk);
        while self.line.walk(&mut walk).await? != Found::End {}
        self.chunk = walk.chunk();
        Ok(walk)
    }
}

#[cfg(test)]
mod tests {
    use ipmi::command::Command;
    use ipmi::command::storage::GetFruInventoryAreaInfo;
    use ipmi::number::{CompletionCode, RecordCompletion};
    use ipmi::record::Spd;

    use super::*;
    use crate::script::{Script, play};

    const FRU_BUSY: CompletionCode = CompletionCode(RecordCompletion::BUSY.0);

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
        let script = Script::new(|line| async move { Inventories::new(&line).nameplate(3).await });
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
            let script = Script::new(|line| async move { Inventories::new(&line).module(3).await });
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
