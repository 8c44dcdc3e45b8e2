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

/// Reads all records, in the BMC's order. One that is shorter than it says is kept raw, as far as it goes; one without a
/// header is left out.
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
    let mut first = Vec::new();
    let mut id = RecordId::FIRST;
    // Some lists lead back to their beginning, and some end by an error and not by FFFFh.
    while id != RecordId::LAST && seen.insert(id) && seen.len() <= RECORDS_MAX {
        let (next, bytes) = match walk.record(id).await {
            Err(error) if error.completion() == Some(CompletionCode::NOT_PRESENT) => break,
            // The last record of some leads to one that they can't read.
            Err(error)
                if error.completion() == Some(CompletionCode::TIMEOUT) && !records.is_empty() =>
            {
                break;
            }
            read => read?,
        };
        // The first record is asked for by 0000h, and a list that leads back to it does so by its own number. The numbers
        // within records prove nothing: some BMCs have others there.
        if first.is_empty() {
            first.clone_from(&bytes);
        } else if bytes == first {
            break;
        }
        if let Ok(record) = SdrRecord::decode(&bytes) {
            records.push(record);
        }
        id = next;
    }
    Ok(records)
}

/// What an attempt to read a record brought; in both cases with the number of the next.
enum Attempt {
    /// The record, or all that there is of it.
    Read(RecordId, Vec<u8>),
    /// Less than the record says; fewer bytes at once may bring more.
    Less(RecordId, Vec<u8>),
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
    /// One record, as far as there is one, and the number of the next.
    async fn record(&mut self, id: RecordId) -> Result<(RecordId, Vec<u8>), CallError> {
        let chunk_before = self.chunk;
        loop {
            match self.attempt(id).await {
                Ok(Attempt::Read(next, record)) => return Ok((next, record)),
                Err(error)
                    if error.completion() == Some(CompletionCode::RESERVATION_CANCELLED)
                        && self.reservations < RESERVATIONS_MAX =>
                {
                    self.reserve().await?;
                }
                Ok(Attempt::Less(..)) if self.chunk + 1 < CHUNKS.len() => self.chunk += 1,
                Err(error) if error.asks_for_less() && self.chunk + 1 < CHUNKS.len() => {
                    self.chunk += 1;
                }
                // It is shorter than it says, however it is asked for: that says nothing about the others.
                Ok(Attempt::Less(next, record)) => {
                    self.chunk = chunk_before;
                    return Ok((next, record));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads a record with the present chunk.
    async fn attempt(&mut self, id: RecordId) -> Result<Attempt, CallError> {
        let mut record = Vec::new();
        let mut next = RecordId::LAST;
        // How many bytes of this record could be had at once.
        let mut had = 0;
        while record.len() < len_of(&record) {
            let count = match CHUNKS[self.chunk] {
                SdrPart::ALL => SdrPart::ALL,
                chunk => chunk.min(u8::try_from(len_of(&record) - record.len()).unwrap_or(chunk)),
            };
            // A record has at most 260 bytes, and a part that begins behind 255 can't be asked for.
            let Ok(offset) = u8::try_from(record.len()) else {
                break;
            };
            let part = match self.part(id, offset, count).await {
                // As much as this was had before: the record ends here, whatever its length says.
                Err(error) if error.asks_for_less() && count <= had => break,
                part => part?,
            };
            next = part.next;
            record.extend_from_slice(&part.data);
            if part.data.is_empty() && count <= had {
                break;
            }
            if part.data.is_empty() || count == SdrPart::ALL && record.len() < len_of(&record) {
                return Ok(Attempt::Less(next, record));
            }
            had = had.max(count);
        }
        record.truncate(len_of(&record));
        Ok(Attempt::Read(next, record))
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
        /// It leads to one that there is not.
        leads_on: bool,
        /// What is said where there is no record, and behind the end of one; `OK` for no bytes.
        nothing: [CompletionCode; 2],
        reservation: u16,
    }

    impl Repository {
        fn new(records: Vec<Vec<u8>>, chunk_max: usize) -> Self {
            Self {
                records,
                chunk_max,
                cancellations: 0,
                loops: false,
                leads_on: false,
                nothing: [CompletionCode::NOT_PRESENT, CompletionCode::OK],
                reservation: 0,
            }
        }

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
                        return refuse(self.nothing[0]);
                    };
                    if offset != 0 && (self.cancellations > 0 || word(0) != self.reservation) {
                        self.cancellations = self.cancellations.saturating_sub(1);
                        return refuse(CompletionCode::RESERVATION_CANCELLED);
                    }
                    if count.min(record.len()) > self.chunk_max {
                        return refuse(CompletionCode::CANNOT_RETURN_BYTES);
                    }
                    if offset >= record.len() && self.nothing[1] != CompletionCode::OK {
                        return refuse(self.nothing[1]);
                    }
                    let next = match index + 1 == self.records.len() {
                        true if self.loops => 0,
                        true if self.leads_on => index as u16 + 1,
                        true => 0xffff,
                        false => index as u16 + 1,
                    };
                    let mut data = next.to_le_bytes().to_vec();
                    let start = offset.min(record.len());
                    data.extend(&record[start..(offset + count).min(record.len())]);
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
                    cancellations,
                    loops,
                    ..Repository::new(records(), chunk_max)
                };
                assert_eq!(read_back(repository), records(), "{chunk_max}");
            }
        }
    }

    #[test]
    fn a_record_that_is_shorter_than_it_says_costs_no_other() {
        for behind_it in [CompletionCode::OK, CompletionCode::PARAMETER_OUT_OF_RANGE] {
            for (chunk_max, left) in [(255, 12), (64, 40), (22, 27), (16, 6), (8, 16)] {
                let mut repository = Repository::new(records(), chunk_max);
                repository.records[2].truncate(left);
                repository.nothing[1] = behind_it;
                let mut expected = records();
                expected[2].truncate(left);
                // Kept as far as it goes, with the length that it has.
                expected[2][4] = left as u8 - 5;
                assert_eq!(read_back(repository), expected, "{chunk_max} {left}");
            }
        }
    }

    #[test]
    fn a_record_of_which_there_is_nothing_but_its_header_costs_no_other() {
        let mut repository = Repository::new(records(), 16);
        repository.records[2].truncate(5);
        let mut expected = records();
        expected[2] = vec![2, 0, 0x51, 0xc0, 0];
        assert_eq!(read_back(repository), expected);
    }

    #[test]
    fn a_list_whose_last_record_leads_to_one_that_is_refused_ends_there() {
        for refusal in [CompletionCode::NOT_PRESENT, CompletionCode::TIMEOUT] {
            let mut repository = Repository::new(records(), 64);
            repository.leads_on = true;
            repository.nothing[0] = refusal;
            assert_eq!(read_back(repository), records());
        }
    }

    #[test]
    fn a_bmc_that_refuses_its_first_record_has_no_empty_list() {
        let mut repository = Repository::new(Vec::new(), 64);
        repository.nothing[0] = CompletionCode::TIMEOUT;
        let talk = Talk::new(|line| async move {
            read(&line).await?;
            Ok(Report::line("", Value::Null))
        });
        let failure = play::run(talk, |call| repository.answer(call)).unwrap_err();
        assert_eq!(failure.kind(), "refused");
    }
}
