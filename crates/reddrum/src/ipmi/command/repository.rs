//! Reads the sensor data records of a BMC. What BMCs do wrong about that is [`ipmi::walk`]'s business.

use ipmi::command::Message;
use ipmi::command::app::{DeviceId, GetDeviceGuid, GetDeviceId, Guid};
use ipmi::command::storage::{GetSdrRepositoryInfo, SdrRepositoryInfo};
use ipmi::record::sdr::SdrRecord;
use ipmi::walk::{Found, SdrSource, SdrStamp, SdrWalk};
use ipmi::wire::Writer;

use crate::ipmi::sdr_cache;
use crate::ipmi::talk::{CallError, Line};

/// Room for the answers of Get Device ID, Get SDR Repository Info and Get Device GUID, in bytes.
const STAMP_LEN_MAX: usize = 64;

/// All records, in the BMC's order: those remembered from an earlier run if the BMC says that they have not changed, or else
/// read. One that is shorter than it says is kept raw, as far as it goes; one without a header is left out.
pub(super) async fn read(line: &Line) -> Result<Vec<SdrRecord>, CallError> {
    read_or_recall(line, true).await
}

/// The same, but read from the BMC in any case; they are remembered then.
pub(super) async fn read_anew(line: &Line) -> Result<Vec<SdrRecord>, CallError> {
    read_or_recall(line, false).await
}

/// All records as the BMC has them, read from it now.
pub(super) async fn read_bytes(line: &Line) -> Result<Vec<Vec<u8>>, CallError> {
    let source = SdrSource::of(&line.call(&GetDeviceId).await?);
    let mut walk = SdrWalk::new(source);
    let mut records = Vec::new();
    loop {
        match line.walk(&mut walk).await? {
            Found::Record => records.push(walk.record().to_vec()),
            Found::Restart => records.clear(),
            Found::End => return Ok(records),
        }
    }
}

async fn read_or_recall(line: &Line, recalls: bool) -> Result<Vec<SdrRecord>, CallError> {
    let device = line.call(&GetDeviceId).await?;
    let source = SdrSource::of(&device);
    if source != SdrSource::Repository {
        return walk(line, &mut SdrWalk::new(source), None).await;
    }
    let info = match line.call(&GetSdrRepositoryInfo).await {
        // Some have records and no information about them.
        Err(error) if error.completion().is_some() => None,
        info => Some(info?),
    };
    let is_told = |info: &SdrRepositoryInfo| info.last_addition.unix_seconds().is_some();
    let stamp = match info.filter(|info| line.remembers() && is_told(info)) {
        // Nothing would tell a change: the seconds since its start say the same after each start.
        None => None,
        Some(info) => Some(stamp(&device, guid(line).await?, &info)),
    };
    if let Some(stamp) = stamp.as_ref().filter(|_| recalls)
        && let Some(kept) = line.recall(stamp).await
    {
        return Ok(sdr_cache::records(&kept)
            .flat_map(SdrRecord::decode)
            .collect());
    }
    let began = info.as_ref().map(SdrStamp::of_repository);
    let mut records = SdrWalk::new(source).stamped(began);
    let mut kept = Vec::new();
    let keeps = stamp.is_some().then_some(&mut kept);
    let found = walk(line, &mut records, keeps).await?;
    // Not what is cut short, nor what changed meanwhile.
    let is_whole = info.is_some_and(|info| usize::from(info.record_count) == found.len());
    if let Some(stamp) = stamp
        && is_whole
        && records.stamp() == began
    {
        line.keep(&stamp, kept).await;
    }
    Ok(found)
}

/// The records, and in `kept`, where that is wanted, the same as they are remembered.
async fn walk(
    line: &Line,
    walk: &mut SdrWalk,
    mut kept: Option<&mut Vec<u8>>,
) -> Result<Vec<SdrRecord>, CallError> {
    let mut records = Vec::new();
    loop {
        match line.walk(walk).await? {
            Found::Record => {
                records.extend(SdrRecord::decode(walk.record()));
                if let Some(kept) = &mut kept {
                    sdr_cache::append(kept, walk.record());
                }
            }
            Found::Restart => {
                records.clear();
                if let Some(kept) = &mut kept {
                    kept.clear();
                }
            }
            Found::End => return Ok(records),
        }
    }
}

/// By which a BMC of the same kind at the same address is told from it; `None` where it says nothing.
async fn guid(line: &Line) -> Result<Option<Guid>, CallError> {
    match line.call(&GetDeviceGuid).await {
        Err(error) if error.completion().is_some() => Ok(None),
        guid => guid.map(Some),
    }
}

/// Under which the records are remembered.
fn stamp(device: &DeviceId, guid: Option<Guid>, info: &SdrRepositoryInfo) -> Vec<u8> {
    let mut buffer = [0; STAMP_LEN_MAX];
    let mut w = Writer::new(&mut buffer);
    device.encode(&mut w);
    info.encode(&mut w);
    if let Some(guid) = guid {
        guid.encode(&mut w);
    }
    w.written().to_vec()
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

    /// A time by the calendar.
    const ADDED: u32 = 1_700_000_000;

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
        /// Each byte of its GUID.
        guid: Option<u8>,
        /// When a record was added last.
        added: u32,
        /// How many more records there are said to be than there are.
        missing: u16,
        /// So often records were asked for.
        asked: u32,
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
                guid: None,
                added: ADDED,
                missing: 0,
                asked: 0,
            }
        }

        fn answer(&mut self, call: &Call) -> Reply {
            let ok = |data: Vec<u8>| Some((CompletionCode::OK, data));
            let refuse = |code| Some((code, Vec::new()));
            match call.target.cmd {
                // Commands of two network functions have this number.
                GetDeviceGuid::CMD if call.target.netfn == GetDeviceGuid::NETFN => {
                    self.guid.map_or_else(
                        || refuse(CompletionCode::INVALID_COMMAND),
                        |guid| ok(vec![guid; 16]),
                    )
                }
                GetDeviceId::CMD => ok(vec![0x20, 1, 1, 0, 2, 0x02, 0, 0, 0, 0, 0]),
                GetSdrRepositoryInfo::CMD => {
                    let count = self.records.len() as u16 + self.missing;
                    let mut info = vec![0x51];
                    info.extend(count.to_le_bytes());
                    info.extend([0xff; 2]);
                    info.extend(self.added.to_le_bytes());
                    info.extend([0; 4]);
                    info.push(0x22);
                    ok(info)
                }
                ReserveSdrRepository::CMD => {
                    self.reservation += 1;
                    ok(self.reservation.to_le_bytes().to_vec())
                }
                _ => {
                    self.asked += 1;
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
        again(&play::Kept::default(), &mut repository, true)
    }

    /// Reads once more with what is remembered.
    fn again(kept: &play::Kept, repository: &mut Repository, recalls: bool) -> Vec<Vec<u8>> {
        let talk = Talk::new(|line| async move {
            let records = read_or_recall(&line, recalls).await?;
            let bytes: Value = records.iter().map(|r| Value::from(r.to_vec())).collect();
            Ok(Report::line("", bytes))
        });
        let report = play::run_with(kept, talk, |call| repository.answer(call)).unwrap();
        serde_json::from_value(report.value).unwrap()
    }

    #[test]
    fn records_that_have_not_changed_are_not_read_again() {
        let (kept, mut bmc) = (play::Kept::default(), Repository::new(records(), 255));
        assert_eq!(again(&kept, &mut bmc, true), records());
        let asked = bmc.asked;
        assert!(asked > 0);
        assert_eq!(again(&kept, &mut bmc, true), records());
        assert_eq!(bmc.asked, asked);
        // Unless they are to be.
        assert_eq!(again(&kept, &mut bmc, false), records());
        assert_eq!(bmc.asked, 2 * asked);
    }

    #[test]
    fn records_of_another_bmc_at_the_same_address_are_read() {
        let (kept, mut bmc) = (play::Kept::default(), Repository::new(records(), 255));
        bmc.guid = Some(7);
        again(&kept, &mut bmc, true);
        let asked = bmc.asked;
        again(&kept, &mut bmc, true);
        assert_eq!(bmc.asked, asked);
        bmc.guid = Some(8);
        bmc.records.swap(0, 1);
        let others = bmc.records.clone();
        assert_eq!(again(&kept, &mut bmc, true), others);
    }

    #[test]
    fn records_that_have_changed_are_read_again() {
        let (kept, mut bmc) = (play::Kept::default(), Repository::new(records(), 255));
        again(&kept, &mut bmc, true);
        bmc.records[1][7] ^= 1;
        bmc.added += 1;
        let changed = bmc.records.clone();
        assert_eq!(again(&kept, &mut bmc, true), changed);
        let asked = bmc.asked;
        assert_eq!(again(&kept, &mut bmc, true), changed);
        assert_eq!(bmc.asked, asked);
    }

    #[test]
    fn records_are_not_remembered_where_nothing_would_tell_a_change_or_some_are_missing() {
        // Since the start of the BMC; unspecified; fewer than it says.
        for (added, missing) in [(93, 0), (u32::MAX, 0), (ADDED, 1)] {
            let (kept, mut bmc) = (play::Kept::default(), Repository::new(records(), 255));
            (bmc.added, bmc.missing) = (added, missing);
            again(&kept, &mut bmc, true);
            let asked = bmc.asked;
            assert_eq!(again(&kept, &mut bmc, true), records());
            assert_eq!(bmc.asked, 2 * asked, "{added} {missing}");
        }
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
