//! Reads the sensor data records of a BMC. What BMCs do wrong about that is [`ipmi::walk`]'s business.

use ipmi::command::app::GetDeviceId;
use ipmi::record::sdr::SdrRecord;
use ipmi::walk::{Found, SdrSource, SdrWalk};

use crate::ipmi::talk::{CallError, Line};

/// Reads all records, in the BMC's order. One that is shorter than it says is kept raw, as far as it goes; one without a
/// header is left out.
pub(super) async fn read(line: &Line) -> Result<Vec<SdrRecord>, CallError> {
    let device = line.call(&GetDeviceId).await?;
    let mut walk = SdrWalk::new(SdrSource::of(&device));
    let mut records = Vec::new();
    loop {
        match line.walk(&mut walk).await? {
            Found::Record => records.extend(SdrRecord::decode(walk.record())),
            Found::Restart => records.clear(),
            Found::End => return Ok(records),
        }
    }
}

#[cfg(test)]
mod tests {
    use ipmi::command::Command;
    use ipmi::command::storage::{GetSdrRepositoryInfo, ReserveSdrRepository};
    use ipmi::number::CompletionCode;
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
                GetSdrRepositoryInfo::CMD => ok(vec![0x51; 14]),
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
