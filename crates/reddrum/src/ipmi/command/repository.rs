//! Reads the sensor data records of a BMC (§33.11, §33.12; device SDRs §35.3, §35.4).

use std::collections::HashSet;

use ipmi::command::app::GetDeviceId;
use ipmi::command::storage::{
    GetDeviceSdr, GetSdr, ReserveDeviceSdrRepository, ReserveSdrRepository, SdrData, SdrPart,
};
use ipmi::number::{CompletionCode, DeviceSupport};
use ipmi::record::sdr::{HEADER_LEN, SdrRecord};
use ipmi::record::{RecordId, ReservationId};

use crate::ipmi::talk::{CallError, Line};

/// The most records that are read.
const RECORDS_MAX: usize = 8_192;

/// How often the repository is reserved anew because the reservation was cancelled.
const RESERVATIONS_MAX: u32 = 32;

/// How many bytes are asked for at once, in turn, as long as the BMC refuses: all, what the field's BMCs can return,
/// and less.
const CHUNKS: [u8; 6] = [SdrPart::ALL, 64, 32, 22, 16, 8];

/// Reads all records, in the BMC's order. One that can't be understood is left out.
pub(super) async fn read(line: &Line) -> Result<Vec<SdrRecord>, CallError> {
    let device = line.call(&GetDeviceId).await?;
    let mut walk = Walk {
        line,
        device_sdrs: !device.support.contains(DeviceSupport::SDR_REPOSITORY),
        reservation: ReservationId::NONE,
        reservations: 0,
        chunk: 0,
    };
    let mut records = Vec::new();
    let mut seen = HashSet::new();
    let mut id = RecordId::FIRST;
    // Some lists lead back to their beginning, and some end by an error and not by FFFFh.
    while id != RecordId::LAST && seen.insert(id) && seen.len() <= RECORDS_MAX {
        let (next, bytes) = match walk.record(id).await {
            Err(error) if error.completion() == Some(CompletionCode::NOT_PRESENT) => break,
            read => read?,
        };
        if let Ok(record) = SdrRecord::decode(&bytes) {
            // The first record is asked for by 0000h, whatever its own number.
            if record.id != id && !seen.insert(record.id) {
                break;
            }
            records.push(record);
        }
        id = next;
    }
    Ok(records)
}

struct Walk<'a> {
    line: &'a Line,
    device_sdrs: bool,
    reservation: ReservationId,
    reservations: u32,
    /// Index into [`CHUNKS`].
    chunk: usize,
}

impl Walk<'_> {
    /// One record, and the number of the next.
    async fn record(&mut self, id: RecordId) -> Result<(RecordId, Vec<u8>), CallError> {
        loop {
            match self.attempt(id).await {
                Ok(Some(read)) => return Ok(read),
                Err(error)
                    if error.completion() == Some(CompletionCode::RESERVATION_CANCELLED)
                        && self.reservations < RESERVATIONS_MAX =>
                {
                    self.reserve().await?;
                }
                Ok(None) if self.chunk + 1 < CHUNKS.len() => self.chunk += 1,
                Err(error) if error.asks_for_less() && self.chunk + 1 < CHUNKS.len() => {
                    self.chunk += 1;
                }
                // It is shorter than it says, however it is asked for.
                Ok(None) => return Ok((RecordId::LAST, Vec::new())),
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads a record with the present chunk; `None` where the BMC returned less than there must be.
    async fn attempt(&mut self, id: RecordId) -> Result<Option<(RecordId, Vec<u8>)>, CallError> {
        let mut record = Vec::new();
        let mut next = RecordId::LAST;
        while record.len() < len_of(&record) {
            let count = match CHUNKS[self.chunk] {
                SdrPart::ALL => SdrPart::ALL,
                chunk => chunk.min(u8::try_from(len_of(&record) - record.len()).unwrap_or(chunk)),
            };
            // A record has at most 260 bytes, and a part that begins behind 255 can't be asked for.
            let Ok(offset) = u8::try_from(record.len()) else {
                break;
            };
            let part = self.part(id, offset, count).await?;
            if part.data.is_empty() || count == SdrPart::ALL && part.data.len() < len_of(&part.data)
            {
                return Ok(None);
            }
            next = part.next;
            record.extend_from_slice(&part.data);
        }
        record.truncate(len_of(&record));
        Ok(Some((next, record)))
    }

    async fn part(
        &mut self,
        record: RecordId,
        offset: u8,
        count: u8,
    ) -> Result<SdrData, CallError> {
        if offset != 0 && self.reservations == 0 {
            self.reserve().await?;
        }
        let reservation = self.reservation;
        let part = SdrPart {
            reservation,
            record,
            offset,
            count,
        };
        if self.device_sdrs {
            self.line.call(&GetDeviceSdr(part)).await
        } else {
            self.line.call(&GetSdr(part)).await
        }
    }

    async fn reserve(&mut self) -> Result<(), CallError> {
        self.reservations += 1;
        let reserved = if self.device_sdrs {
            self.line.call(&ReserveDeviceSdrRepository).await
        } else {
            self.line.call(&ReserveSdrRepository).await
        };
        self.reservation = match reserved {
            Ok(reservation) => reservation,
            // BMCs without reservations take the number 0.
            Err(error) if error.completion().is_some() => ReservationId::NONE,
            Err(error) => return Err(error),
        };
        Ok(())
    }
}

/// How long the record is as its header says; a header's length while that is not complete.
fn len_of(record: &[u8]) -> usize {
    let rest = record
        .get(HEADER_LEN - 1)
        .map_or(0, |rest| usize::from(*rest));
    HEADER_LEN + rest
}

#[cfg(test)]
mod tests {
    use ipmi::command::Command;
    use serde_json::Value;

    use super::*;
    use crate::ipmi::report::Report;
    use crate::ipmi::talk::play::{self, Reply};
    use crate::ipmi::talk::{Call, Talk};

    /// A BMC that stores these records and returns at most `chunk_max` bytes at once.
    struct Repository {
        records: Vec<Vec<u8>>,
        chunk_max: usize,
        /// The reservation is cancelled before so many more partial reads.
        cancellations: u32,
        /// The last record leads back to the first.
        loops: bool,
        reservation: u16,
    }

    impl Repository {
        fn answer(&mut self, call: &Call) -> Reply {
            let ok = |data: Vec<u8>| Some((CompletionCode::OK, data));
            let refuse = |code| Some((code, Vec::new()));
            match call.target.cmd {
                GetDeviceId::CMD => ok(vec![0x20, 1, 1, 0, 2, 0x02, 0, 0, 0, 0, 0]),
                ReserveSdrRepository::CMD => {
                    self.reservation += 1;
                    ok(self.reservation.to_le_bytes().to_vec())
                }
                _ => {
                    let word = |at: usize| u16::from_le_bytes([call.data[at], call.data[at + 1]]);
                    let (offset, count) = (usize::from(call.data[4]), usize::from(call.data[5]));
                    let index = usize::from(word(2));
                    let Some(record) = self.records.get(index) else {
                        return refuse(CompletionCode::NOT_PRESENT);
                    };
                    if offset != 0 && (self.cancellations > 0 || word(0) != self.reservation) {
                        self.cancellations = self.cancellations.saturating_sub(1);
                        return refuse(CompletionCode::RESERVATION_CANCELLED);
                    }
                    if count.min(record.len()) > self.chunk_max {
                        return refuse(CompletionCode::CANNOT_RETURN_BYTES);
                    }
                    let next = match index + 1 == self.records.len() {
                        true if self.loops => 0,
                        true => 0xffff,
                        false => index as u16 + 1,
                    };
                    let mut data = next.to_le_bytes().to_vec();
                    data.extend(&record[offset..(offset + count).min(record.len())]);
                    ok(data)
                }
            }
        }
    }

    /// Records of a type that is kept raw, each longer than the one before.
    fn records() -> Vec<Vec<u8>> {
        let record = |id: u8| {
            let mut record = vec![id, 0, 0x51, 0xc0, 20 * id];
            record.resize(5 + 20 * usize::from(id), id);
            record
        };
        (0..5).map(record).collect()
    }

    fn read_back(mut repository: Repository) -> Vec<Vec<u8>> {
        let talk = Talk::new(|line| async move {
            let records = read(&line).await?;
            let bytes: Value = records.iter().map(|r| Value::from(r.to_vec())).collect();
            Ok(Report::line("", bytes))
        });
        let report = play::run(talk, |call| repository.answer(call)).unwrap();
        serde_json::from_value(report.value).unwrap()
    }

    #[test]
    fn records_are_read_whole_or_in_parts_whatever_the_bmc_can_return() {
        for chunk_max in [255, 64, 40, 22, 16, 8] {
            for (cancellations, loops) in [(0, false), (3, true)] {
                let repository = Repository {
                    records: records(),
                    chunk_max,
                    cancellations,
                    loops,
                    reservation: 0,
                };
                assert_eq!(read_back(repository), records(), "{chunk_max}");
            }
        }
    }
}
