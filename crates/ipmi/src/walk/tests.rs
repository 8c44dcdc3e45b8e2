//! Laws of walks: what odd BMCs say, and what no BMC would.

use std::vec;
use std::vec::Vec;

use super::*;
use crate::command::app::{DeviceId, IpmiVersion};
use crate::command::sensor::GetDeviceSdrInfo;
use crate::command::storage::{
    GetDeviceSdr, GetFruInventoryAreaInfo, GetSdr, GetSdrRepositoryInfo, GetSelEntry, GetSelInfo,
    ReadFruData, ReserveSdrRepository, SDR_MAX,
};
use crate::number::{DeviceAvailability, DeviceSupport, EnterpriseNumber};
use crate::quirk::Quirk;
use crate::record::sdr::HEADER_LEN;
use crate::record::{Spd, Timestamp};

const OK: CompletionCode = CompletionCode::OK;
const CANNOT: CompletionCode = CompletionCode::CANNOT_RETURN_BYTES;
const CANCELLED: CompletionCode = CompletionCode::RESERVATION_CANCELLED;

/// More requests than any walk makes.
const REQUESTS_MAX: u32 = 1_000_000;

type Answer = (CompletionCode, Vec<u8>);

/// How a walk went.
struct Went<W> {
    walk: W,
    end: Result<(), Fault>,
    records: Vec<Vec<u8>>,
    requests: u32,
    waits: u32,
    restarts: u32,
}

impl<W> Went<W> {
    fn noticed(&self) -> Quirks
    where
        W: Walk,
    {
        self.walk.noticed()
    }
}

fn go<W: Walk>(
    mut walk: W,
    record: impl Fn(&W) -> Vec<u8>,
    mut bmc: impl FnMut(&Request) -> Answer,
) -> Went<W> {
    let (mut records, mut requests, mut waits, mut restarts) = (Vec::new(), 0, 0, 0);
    let end = loop {
        match walk.next() {
            Ok(Step::Send(request)) => {
                assert_eq!(walk.next(), Ok(Step::Send(request)), "asked twice");
                requests += 1;
                assert!(requests < REQUESTS_MAX, "the walk does not end");
                let (code, data) = bmc(&request);
                walk.answer(code, &data);
            }
            Ok(Step::Wait(_)) => waits += 1,
            Ok(Step::Found(Found::Record)) => records.push(record(&walk)),
            Ok(Step::Found(Found::Restart)) => {
                restarts += 1;
                records.clear();
            }
            Ok(Step::Found(Found::End)) => break Ok(()),
            Err(fault) => break Err(fault),
        }
    };
    Went {
        walk,
        end,
        records,
        requests,
        waits,
        restarts,
    }
}

fn sdrs(bmc: impl FnMut(&Request) -> Answer) -> Went<SdrWalk> {
    let walk = SdrWalk::new(SdrSource::Repository);
    go(walk, |walk| walk.record().to_vec(), bmc)
}

fn sels(walk: SelWalk, bmc: impl FnMut(&Request) -> Answer) -> Went<SelWalk> {
    go(walk, |walk| walk.record().to_vec(), bmc)
}

fn fru(extent: FruExtent, bmc: impl FnMut(&Request) -> Answer) -> Went<FruWalk> {
    go(
        FruWalk::new(3, extent, FruChunk::default()),
        |_| Vec::new(),
        bmc,
    )
}

/// Numbers that are as good as their seed.
struct Seeded(u32);

impl Seeded {
    fn byte(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0.to_be_bytes()[0]
    }
}

/// What no BMC would say, but some could: mostly well-formed beginnings, any length, all codes.
fn hostile(random: &mut Seeded) -> Answer {
    const CODES: [u8; 12] = [
        0xc3, 0xc5, 0xc7, 0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xce, 0xff, 0x81, 0xc1,
    ];
    let kind = random.byte();
    if kind < 40 {
        return (CompletionCode(CODES[usize::from(kind) % 12]), Vec::new());
    }
    let len = usize::from(match kind % 4 {
        0 => random.byte() % 4,
        1 => 18,
        2 => random.byte() % 64,
        _ => random.byte(),
    }) + usize::from(kind == 255) * 200;
    let mut data: Vec<u8> = (0..len).map(|_| random.byte()).collect();
    if kind.is_multiple_of(3) && len > 1 {
        // Few numbers: lists lead back soon.
        data[..2].copy_from_slice(&[random.byte() % 32, 0]);
    }
    if kind.is_multiple_of(5) && len > 0 {
        data[0] = (len - 1) as u8;
    }
    (OK, data)
}

#[test]
fn a_walk_ends_whatever_is_answered_and_lends_records_as_they_can_be() {
    for seed in 0..4_000 {
        let mut random = Seeded(seed);
        for source in [SdrSource::Repository, SdrSource::Device] {
            let walk = SdrWalk::new(source);
            let went = go(walk, |w| w.record().to_vec(), |_| hostile(&mut random));
            let len = |record: &Vec<u8>| (HEADER_LEN..=SDR_MAX).contains(&record.len());
            assert!(went.records.iter().all(len));
            assert_eq!(went.waits, 0);
        }
        let behind = SelWalk::behind([7; 16], 0, Timestamp(0));
        for walk in [SelWalk::new(), behind] {
            sels(walk, |_| hostile(&mut random));
        }
        for extent in [FruExtent::All, FruExtent::Nameplate, FruExtent::Module] {
            let went = fru(extent, |_| hostile(&mut random));
            assert!(went.waits <= 8);
            if extent == FruExtent::All {
                assert!(went.walk.data().len() <= went.walk.size());
            }
        }
    }
}

#[test]
fn patience_has_its_bounds() {
    // Each record leads to another one, and their stamp is another one each time.
    let mut stamp = 0_u8;
    let went = sdrs(|request| {
        if request.cmd == GetSdrRepositoryInfo::CMD {
            stamp = stamp.wrapping_add(1);
            return (OK, vec![stamp; 14]);
        }
        let id = u16::from_le_bytes([request.data()[2], request.data()[3]]) + 1;
        let [low, high] = id.to_le_bytes();
        (OK, vec![low, high, low, high, 0x51, 0xc0, 0])
    });
    assert_eq!(went.end, Ok(()));
    assert!(went.walk.is_cut());
    assert_eq!(went.records.len(), RECORDS_MAX);
    assert_eq!(went.restarts, READINGS_MAX - 1);
    assert_eq!(
        went.requests as usize,
        READINGS_MAX as usize * (RECORDS_MAX + 1) + 1
    );

    // The log is cleared all the time.
    let mut erased = 0_u32;
    let went = sels(SelWalk::new(), |request| {
        if request.cmd == GetSelInfo::CMD {
            erased += 1;
            let mut info = vec![0x51, 1, 0, 0, 0, 0, 0, 0, 0];
            info.extend(erased.to_le_bytes());
            info.push(0);
            return (OK, info);
        }
        let id = u16::from_le_bytes([request.data()[2], request.data()[3]]) + 1;
        let mut entry = vec![0; 18];
        entry[..2].copy_from_slice(&id.to_le_bytes());
        entry[2..4].copy_from_slice(&request.data()[2..4]);
        (OK, entry)
    });
    assert_eq!(went.records.len(), ENTRIES_MAX);
    assert_eq!(went.restarts, 2);

    // A byte at a time.
    let went = fru(FruExtent::All, |request| match request.cmd {
        GetFruInventoryAreaInfo::CMD => (OK, vec![0xff, 0xff, 0]),
        _ => (OK, vec![1, 7]),
    });
    assert_eq!(went.walk.data().len(), 0xffff);
    assert_eq!(went.requests, 1 + 0xffff);
}

/// A repository as a BMC would serve it.
struct Sdrs {
    records: Vec<Vec<u8>>,
    /// The most bytes at once, and what is said to more.
    chunk_max: usize,
    too_long: Option<CompletionCode>,
    /// A part that reaches beyond the end of a record is refused, instead of cut.
    strict: bool,
    /// The reservation without which nothing is read, not even from its beginning.
    reserved: Option<u16>,
    /// Whole records are refused as if the reservation were lost.
    whole_cancelled: bool,
}

impl Sdrs {
    fn new(records: Vec<Vec<u8>>) -> Self {
        Self {
            records,
            chunk_max: 300,
            too_long: Some(CANNOT),
            strict: false,
            reserved: None,
            whole_cancelled: false,
        }
    }

    fn answer(&mut self, request: &Request) -> Answer {
        match request.cmd {
            GetSdrRepositoryInfo::CMD => (OK, vec![0x51; 14]),
            ReserveSdrRepository::CMD => {
                self.reserved = self.reserved.map(|_| 9);
                (OK, vec![9, 0])
            }
            GetSdr::CMD => self.part(request.data()),
            _ => (CompletionCode::INVALID_COMMAND, vec![]),
        }
    }

    fn part(&self, data: &[u8]) -> Answer {
        let word = |at: usize| u16::from_le_bytes([data[at], data[at + 1]]);
        let (offset, count) = (usize::from(data[4]), usize::from(data[5]));
        let index = usize::from(word(2));
        if self.reserved.is_some_and(|reserved| word(0) != reserved) {
            return (CANCELLED, vec![]);
        }
        if self.whole_cancelled && count == 255 {
            return (CANCELLED, vec![]);
        }
        let Some(record) = self.records.get(index) else {
            return (CompletionCode::NOT_PRESENT, vec![]);
        };
        let next = match index + 1 == self.records.len() {
            true => 0xffff_u16,
            false => index as u16 + 1,
        };
        let mut answer = next.to_le_bytes().to_vec();
        let left = record.len() - offset.min(record.len());
        let is_beyond = self.strict && count != 255 && count > left;
        match self.too_long {
            Some(code) if count.min(left) > self.chunk_max || is_beyond => return (code, vec![]),
            None if count.min(left) > self.chunk_max => return (OK, answer),
            _ => answer.extend(&record[offset..][..count.min(left)]),
        }
        (OK, answer)
    }
}

/// Records of a type that is kept raw, of different lengths.
fn records() -> Vec<Vec<u8>> {
    let record = |id: u8| {
        let len = 30 + 9 * usize::from(id);
        let mut record = vec![id, 0, 0x51, 0xc0, len as u8 - 5];
        record.resize(len, id);
        record
    };
    (0..5).map(record).collect()
}

#[test]
fn records_are_read_by_whoever_returns_as_much_as_a_header_and_however_less_is_asked_for() {
    let codes = [0xc7, 0xc8, 0xc9, 0xca, 0xcc, 0xce, 0xff].map(|code| Some(CompletionCode(code)));
    for too_long in codes.into_iter().chain([None]) {
        for chunk_max in [300, 66, 64, 40, 22, 16, 8, 5] {
            let mut bmc = Sdrs::new(records());
            (bmc.chunk_max, bmc.too_long) = (chunk_max, too_long);
            let went = sdrs(|request| bmc.answer(request));
            assert_eq!(went.records, records(), "{too_long:?} {chunk_max}");
            let noticed = went.noticed();
            let is_limited = too_long.is_some() && chunk_max < 66;
            assert_eq!(noticed.has(Quirk::SdrReadLimited), is_limited, "{noticed}");
            assert!(!noticed.has(Quirk::SdrLengthTooBig), "{noticed}");
        }
    }
}

#[test]
fn a_record_that_claims_more_than_there_is_is_read_to_its_end() {
    for (strict, missing) in [(true, 6), (false, 6), (true, 3), (true, 30), (false, 30)] {
        for chunk_max in [300, 22, 16, 8] {
            let mut bmc = Sdrs::new(records());
            bmc.records[3][4] += missing;
            (bmc.strict, bmc.chunk_max) = (strict, chunk_max);
            let expected = bmc.records.clone();
            let went = sdrs(|request| bmc.answer(request));
            assert_eq!(went.end, Ok(()));
            for (at, (read, there)) in went.records.iter().zip(&expected).enumerate() {
                // Where a part beyond the end is refused, less than the smallest part can't be told from nothing.
                let least = there.len() - usize::from(strict && at == 3) * (HEADER_LEN - 1);
                assert!(
                    read.len() >= least && there.starts_with(read),
                    "{strict} {chunk_max}"
                );
            }
            assert_eq!(went.records.len(), 5);
            assert!(went.noticed().has(Quirk::SdrLengthTooBig));
            assert_eq!(went.noticed().has(Quirk::SdrReadLimited), chunk_max < 300);
        }
    }
}

#[test]
fn a_record_that_is_nothing_but_its_header_costs_no_other() {
    for too_long in [Some(CANNOT), None] {
        let mut bmc = Sdrs::new(records());
        (bmc.chunk_max, bmc.strict, bmc.too_long) = (16, true, too_long);
        bmc.records[2].truncate(HEADER_LEN);
        let expected = bmc.records.clone();
        let went = sdrs(|request| bmc.answer(request));
        assert_eq!(went.records, expected);
    }
}

#[test]
fn who_wants_a_reservation_for_whole_records_gets_one_and_who_takes_it_for_none_reads_parts() {
    let mut bmc = Sdrs::new(records());
    bmc.reserved = Some(1);
    let went = sdrs(|request| bmc.answer(request));
    assert_eq!(went.records, records());
    assert_eq!(
        went.requests,
        2 + 5 + 1 + 1,
        "one in vain, and a reservation"
    );
    assert!(went.noticed().is_empty());

    let mut bmc = Sdrs::new(records());
    (bmc.reserved, bmc.whole_cancelled) = (Some(1), true);
    let went = sdrs(|request| bmc.answer(request));
    assert_eq!(went.records, records());

    let went = sdrs(|request| match request.cmd {
        GetSdr::CMD => (CANCELLED, vec![]),
        _ => (OK, vec![0; 14]),
    });
    assert_eq!(went.end.unwrap_err().completion(), Some(CANCELLED));
    assert!(went.requests < 2 * RESERVATIONS_MAX + 8);
}

#[test]
fn get_device_id_says_where_records_are_and_to_be_a_sensor_device_says_nothing() {
    const SENSOR: DeviceSupport = DeviceSupport::SENSOR;
    const REPOSITORY: DeviceSupport = DeviceSupport::SDR_REPOSITORY;
    for (has_device_sdrs, support, source) in [
        (false, DeviceSupport::NONE, SdrSource::Repository),
        (false, SENSOR, SdrSource::Repository),
        (false, REPOSITORY, SdrSource::Repository),
        (true, SENSOR | REPOSITORY, SdrSource::Repository),
        (true, SENSOR, SdrSource::Device),
        (true, DeviceSupport::NONE, SdrSource::Device),
    ] {
        let device = DeviceId {
            device_id: 0x20,
            has_device_sdrs,
            device_revision: 1,
            availability: DeviceAvailability::NORMAL,
            firmware_major: 1,
            firmware_minor: 0,
            ipmi_version: IpmiVersion::V2_0,
            support,
            manufacturer: EnterpriseNumber(0),
            product: 0,
            auxiliary_firmware: None,
        };
        let found = SdrSource::of(&device);
        assert_eq!(found, source, "{has_device_sdrs} {support:?}");
    }
}

/// A BMC with its records in this place, and no commands for the other one.
fn with_records_in(place: SdrSource, bmc: &mut Sdrs, request: &Request) -> Answer {
    let asked = match request.netfn {
        NetFn::SENSOR_EVENT => SdrSource::Device,
        _ => SdrSource::Repository,
    };
    match (asked, request.cmd) {
        (asked, _) if asked != place => (CompletionCode::INVALID_COMMAND, vec![]),
        (SdrSource::Device, GetDeviceSdrInfo::CMD) => (OK, vec![5, 1]),
        (SdrSource::Device, GetDeviceSdr::CMD) => bmc.part(request.data()),
        // Reservations have one number in both places.
        _ => bmc.answer(request),
    }
}

#[test]
fn records_that_are_not_where_they_are_said_to_be_are_read_where_they_are() {
    let (repository, device) = (SdrSource::Repository, SdrSource::Device);
    for (said, place) in [(repository, device), (device, repository)] {
        for (chunk_max, is_stamped) in [(300, false), (300, true), (22, false), (22, true)] {
            let mut bmc = Sdrs::new(records());
            bmc.chunk_max = chunk_max;
            let walk = match is_stamped {
                true => SdrWalk::new(said).stamped(None),
                false => SdrWalk::new(said),
            };
            let went = go(
                walk,
                |walk| walk.record().to_vec(),
                |request| with_records_in(place, &mut bmc, request),
            );
            assert_eq!((went.end, went.restarts), (Ok(()), 0));
            assert_eq!(went.records, records());
            // The stamp is that of the place where they are.
            assert_eq!(went.walk.stamp().map(SdrStamp::source), Some(place));
            let in_vain = 1 + u32::from(!is_stamped);
            assert!(chunk_max < 300 || went.requests == in_vain + 1 + 5 + 1);
        }
    }
}

#[test]
fn records_that_are_in_neither_place_are_refused_by_the_one_where_they_should_be() {
    let refused = Reason::Refused(CompletionCode::INVALID_COMMAND);
    for (said, fault) in [
        (SdrSource::Repository, Fault::of::<GetSdr>(refused)),
        (SdrSource::Device, Fault::of::<GetDeviceSdr>(refused)),
    ] {
        let walk = SdrWalk::new(said);
        let nothing = |_: &Request| (CompletionCode::INVALID_COMMAND, vec![]);
        let went = go(walk, |walk| walk.record().to_vec(), nothing);
        assert_eq!(went.end, Err(fault));
        assert_eq!(went.requests, 4);
    }
    // What is refused in the middle is elsewhere neither.
    let mut bmc = Sdrs::new(records());
    let went = sdrs(|request| match request.cmd {
        GetSdr::CMD if request.data()[2] == 3 => (CompletionCode::INVALID_COMMAND, vec![]),
        _ => bmc.answer(request),
    });
    assert_eq!(went.end, Err(Fault::of::<GetSdr>(refused)));
}

#[test]
fn a_record_in_which_nothing_is_leads_on_to_the_next() {
    let mut bmc = Sdrs::new(records());
    bmc.records[2].clear();
    let mut expected = records();
    expected.remove(2);
    assert_eq!(sdrs(|request| bmc.answer(request)).records, expected);
}

#[test]
fn numbers_within_records_prove_nothing_but_the_first_record_is_known_again() {
    // The first one has the number by which another one is asked for.
    let mut bmc = Sdrs::new(records());
    bmc.records[0][0] = 3;
    let expected = bmc.records.clone();
    let went = sdrs(|request| bmc.answer(request));
    assert_eq!(went.records, expected);
    assert!(!went.walk.is_cut());
    // The last one leads back to the first by its own number.
    let went = sdrs(|request| {
        let mut request = *request;
        if request.cmd == GetSdr::CMD && request.data()[2] == 9 {
            request = Request::of(&GetSdr(crate::command::storage::SdrPart::whole(
                crate::record::RecordId::FIRST,
            )));
        }
        let (code, mut data) = bmc.answer(&request);
        if data.starts_with(&[0xff, 0xff]) {
            data[..2].copy_from_slice(&[9, 0]);
        }
        (code, data)
    });
    assert_eq!(went.records, expected);
    assert!(went.walk.is_cut() && went.noticed().has(Quirk::SdrListEndless));
}

/// How a BMC is read that has five records, says so, or something else, and refuses the record `refused` so often.
fn with_refusals(told: u16, refused: u16, code: CompletionCode, times: u32) -> Went<SdrWalk> {
    let mut bmc = Sdrs::new(records());
    let mut left = times;
    sdrs(|request| {
        let data = request.data();
        if request.cmd == GetSdrRepositoryInfo::CMD {
            let mut info = vec![0x51; 14];
            info[1..3].copy_from_slice(&told.to_le_bytes());
            return (OK, info);
        }
        if left > 0 && request.cmd == GetSdr::CMD && data[2..4] == refused.to_le_bytes() {
            left -= 1;
            return (code, vec![]);
        }
        bmc.answer(request)
    })
}

#[test]
fn a_record_in_the_middle_that_is_refused_for_a_moment_is_no_end() {
    for code in [CompletionCode::TIMEOUT, CompletionCode::NOT_PRESENT] {
        let went = with_refusals(5, 2, code, 3);
        assert_eq!(went.records, records(), "{code:?}");
        assert!(!went.walk.ends_early() && went.noticed().is_empty());
        // For good: that there are more is told, and the list is not taken for whole.
        let went = with_refusals(5, 2, code, u32::MAX);
        assert_eq!(went.records, records()[..2], "{code:?}");
        assert!(went.walk.ends_early() && !went.walk.is_cut());
        assert_eq!((went.requests, went.restarts), (2 + 2 + 4, 0));
        assert!(went.noticed().is_empty(), "{}", went.noticed());
        // As many as were told: then it is the end.
        let went = with_refusals(2, 2, code, u32::MAX);
        assert_eq!((went.records.len(), went.walk.ends_early()), (2, false));
        assert_eq!(went.requests, 2 + 2 + 1);
    }
    // A list that ended by FFFFh is whole, whatever is counted.
    for told in [0, 3, 5, 200] {
        let went = with_refusals(told, 0, CompletionCode::TIMEOUT, 0);
        assert_eq!(went.records, records());
        assert!(!went.walk.ends_early(), "{told}");
    }
}

/// A log of so many entries, numbered from 1.
struct Sels {
    entries: u16,
    last_leads_to: u16,
    has_info: bool,
    /// How often it is said that the log is being erased.
    erasing: u32,
}

impl Sels {
    const fn new(entries: u16) -> Self {
        Self {
            entries,
            last_leads_to: 0xffff,
            has_info: true,
            erasing: 0,
        }
    }

    fn record(id: u16) -> Vec<u8> {
        let mut record = vec![0x11; 16];
        record[..2].copy_from_slice(&id.to_le_bytes());
        record
    }

    fn answer(&mut self, request: &Request) -> Answer {
        if self.erasing > 0 {
            self.erasing -= 1;
            return (CompletionCode(0x81), vec![]);
        }
        if request.cmd == GetSelInfo::CMD {
            let [low, high] = self.entries.to_le_bytes();
            let info = vec![0x51, low, high, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0];
            return match self.has_info {
                true => (OK, info),
                false => (CompletionCode::INVALID_COMMAND, vec![]),
            };
        }
        assert_eq!(request.cmd, GetSelEntry::CMD);
        let id = u16::from_le_bytes([request.data()[2], request.data()[3]]).max(1);
        if id > self.entries {
            return (CompletionCode::NOT_PRESENT, vec![]);
        }
        let next = match id == self.entries {
            true => self.last_leads_to,
            false => id + 1,
        };
        let mut entry = next.to_le_bytes().to_vec();
        entry.extend(Self::record(id));
        (OK, entry)
    }
}

fn behind(last: u16) -> SelWalk {
    let record = Sels::record(last).try_into().unwrap();
    SelWalk::behind(record, last, Timestamp(5))
}

fn all(entries: u16) -> Vec<Vec<u8>> {
    (1..=entries).map(Sels::record).collect()
}

#[test]
fn a_log_is_gone_on_with_where_it_was_left() {
    let mut bmc = Sels::new(9);
    let went = sels(behind(6), |request| bmc.answer(request));
    assert_eq!(went.records, all(9)[6..]);
    assert!(went.walk.continues() && went.walk.is_complete());
    assert_eq!(went.requests, 1 + 1 + 3 + 1);
    // Its last entry is another one, or gone.
    for last in [[9; 16], [0xee; 16]] {
        let walk = SelWalk::behind(last, 3, Timestamp(5));
        let went = sels(walk, |request| bmc.answer(request));
        assert_eq!(went.records, all(9));
        assert!(!went.walk.continues() && went.walk.is_complete());
    }
}

#[test]
fn a_log_that_leads_back_is_not_gone_on_with_so_that_no_entry_is_taken_for_new() {
    for last_leads_to in [0, 1, 4, 6] {
        let mut bmc = Sels::new(8);
        bmc.last_leads_to = last_leads_to;
        let went = sels(behind(6), |request| bmc.answer(request));
        assert_eq!(went.records, all(8), "{last_leads_to}");
        assert_eq!(went.restarts, 1);
        assert!(!went.walk.continues() && !went.walk.is_complete());
        assert!(went.noticed().has(Quirk::SelListEndless));
        // The entry itself leads to the beginning.
        let went = sels(behind(8), |request| bmc.answer(request));
        assert_eq!(went.records, all(8), "{last_leads_to}");
        assert!(!went.walk.continues() && !went.walk.is_complete());
    }
}

#[test]
fn a_log_that_tells_nothing_of_itself_is_read_and_one_that_is_erased_is_waited_for() {
    let mut bmc = Sels::new(3);
    bmc.has_info = false;
    let went = sels(SelWalk::new(), |request| bmc.answer(request));
    assert_eq!((went.records, went.walk.info()), (all(3), None));
    for (erasing, read) in [(3, true), (8, true), (100, false)] {
        let mut bmc = Sels::new(3);
        bmc.erasing = erasing;
        let went = sels(SelWalk::new(), |request| bmc.answer(request));
        assert_eq!(went.end.is_ok(), read);
        assert_eq!(went.waits, erasing.min(8));
    }
}

/// How a log of nine entries is read of which these can't be, for this reason or because the answer is garbled.
fn with_unreadable(walk: SelWalk, bad: &[u16], code: Option<CompletionCode>) -> Went<SelWalk> {
    let mut bmc = Sels::new(9);
    sels(walk, |request| {
        let id = request.data().get(2).copied().unwrap_or(0).max(1);
        if request.cmd == GetSelEntry::CMD && bad.contains(&id.into()) {
            return match code {
                Some(code) => (code, vec![]),
                None => (OK, vec![1]),
            };
        }
        bmc.answer(request)
    })
}

#[test]
fn an_entry_that_can_not_be_read_is_stepped_over_and_told_whatever_the_bmc_says_instead() {
    let reasons = [0xc3, 0xc9, 0xca, 0xcc, 0xce, 0xd5, 0xff].map(|code| Some(CompletionCode(code)));
    for code in reasons.into_iter().chain([None]) {
        for bad in [&[4][..], &[1], &[3, 4, 5], &[2, 7]] {
            let readable = |from: u16| -> Vec<_> {
                let ids = (from..=9).filter(|id| !bad.contains(id));
                ids.map(Sels::record).collect()
            };
            let went = with_unreadable(SelWalk::new(), bad, code);
            assert_eq!(went.end, Ok(()), "{code:?}");
            assert_eq!(went.records, readable(1), "{code:?} {bad:?}");
            let told = (went.walk.unreadable(), went.walk.last_unreadable());
            let last = bad.last().copied().map(crate::record::RecordId);
            assert_eq!(told, (bad.len() as u32, last), "{code:?} {bad:?}");
            assert!(went.walk.is_complete());
            assert!(went.noticed().has(Quirk::SelEntryUnreadable));
            assert!(went.requests < 2 + 9 + 4 * 4, "{}", went.requests);
        }
        // What is new behind it is found, too.
        let went = with_unreadable(behind(6), &[7], code);
        assert_eq!(went.records, all(9)[7..]);
        assert!(went.walk.continues() && went.walk.unreadable() == 1);
        // The newest one.
        let went = with_unreadable(SelWalk::new(), &[9], code);
        assert_eq!(went.records, all(8));
        assert_eq!(
            (went.walk.is_complete(), went.walk.unreadable()),
            (false, 1)
        );
        assert!(went.requests < 2 + 9 + 4 + 16);
    }
}

#[test]
fn a_log_of_which_nothing_can_be_had_is_refused_and_no_list_of_bad_entries() {
    let all_bad: Vec<u16> = (0..10).collect();
    let unspecified = CompletionCode::UNSPECIFIED;
    let went = with_unreadable(SelWalk::new(), &all_bad, Some(unspecified));
    assert_eq!(went.end.unwrap_err().completion(), Some(unspecified));
    assert!(went.requests < 10 * 4 + 16 + 2);
    // It is the command that is refused: one asking tells.
    for code in [0xc1, 0xd1, 0xd2, 0xd4] {
        let went = with_unreadable(SelWalk::new(), &[4], Some(CompletionCode(code)));
        assert_eq!(
            went.end.unwrap_err().completion(),
            Some(CompletionCode(code))
        );
        assert_eq!(went.requests, 1 + 4);
    }
}

/// The inventory of a device, of which the BMC returns so much at once.
fn inventory(bytes: &[u8], by_words: bool, chunk_max: usize) -> impl FnMut(&Request) -> Answer {
    move |request| {
        let data = request.data();
        if request.cmd == GetFruInventoryAreaInfo::CMD {
            let [low, high] = (bytes.len() as u16).to_le_bytes();
            return (OK, vec![low, high, by_words.into()]);
        }
        let scale = 1 + usize::from(by_words);
        let start = usize::from(u16::from_le_bytes([data[1], data[2]])) * scale;
        let count = usize::from(data[3]) * scale;
        if count > chunk_max {
            return (CANNOT, vec![]);
        }
        // What a device that counts in words has behind an odd end.
        let mut part = bytes[start..(start + count).min(bytes.len())].to_vec();
        part.resize(part.len().next_multiple_of(scale), 0xee);
        let mut answer = vec![(part.len() / scale) as u8];
        answer.extend(part);
        (OK, answer)
    }
}

#[test]
fn an_inventory_is_read_whole_in_bytes_and_in_words_and_what_is_learnt_is_kept() {
    for len in [1, 7, 8, 63, 64, 65, 200, 1_001, 65_535] {
        let bytes: Vec<u8> = (0..len).map(|i: u32| i as u8 ^ (i >> 8) as u8).collect();
        for (by_words, chunk_max) in [(false, 255), (true, 255), (false, 8), (true, 9), (true, 24)]
        {
            let went = fru(FruExtent::All, inventory(&bytes, by_words, chunk_max));
            assert_eq!(went.walk.data(), bytes, "{len} {by_words} {chunk_max}");
            let is_limited = went.noticed().has(Quirk::FruReadLimited);
            assert_eq!(is_limited, bytes.len().min(64) > chunk_max);
            let walk = FruWalk::new(4, FruExtent::All, went.walk.chunk());
            let again = go(walk, |_| Vec::new(), inventory(&bytes, by_words, chunk_max));
            assert!(again.noticed().is_empty(), "{len} {by_words} {chunk_max}");
            assert!(again.requests <= went.requests);
        }
    }
}

#[test]
fn of_an_inventory_that_names_too_large_a_size_what_there_is_is_kept() {
    let bytes: Vec<u8> = (0..200).collect();
    for code in [
        CompletionCode::NOT_PRESENT,
        CANNOT,
        CompletionCode::NO_RESPONSE,
    ] {
        let mut there = inventory(&bytes, false, 255);
        let went = fru(FruExtent::All, |request| {
            if request.cmd == GetFruInventoryAreaInfo::CMD {
                return (OK, vec![0, 1, 0]);
            }
            let reaches = usize::from(request.data()[1]) + usize::from(request.data()[3]);
            match reaches > 200 {
                true => (code, vec![]),
                false => there(request),
            }
        });
        assert_eq!(went.end, Ok(()));
        assert_eq!(
            went.walk.refusal().and_then(|fault| fault.completion()),
            Some(code)
        );
        let to_the_end = code != CompletionCode::NOT_PRESENT;
        assert_eq!(
            went.walk.data(),
            &bytes[..if to_the_end { 200 } else { 192 }]
        );
        assert_eq!(
            (went.walk.size(), went.walk.chunk()),
            (256, FruChunk::default())
        );
        assert!(!went.noticed().has(Quirk::FruReadLimited));
    }
}

#[test]
fn an_answer_that_is_garbled_is_asked_for_once_more_and_is_not_the_end_of_an_inventory() {
    let bytes: Vec<u8> = (0..200).collect();
    // So many answers from the third on say that there are more bytes than come.
    for (garbled, is_read) in [(1, true), (2, false)] {
        let mut there = inventory(&bytes, false, 255);
        let mut parts = 0;
        let went = fru(FruExtent::All, |request| {
            let (code, mut data) = there(request);
            parts += i32::from(request.cmd == ReadFruData::CMD);
            if (3..3 + garbled).contains(&parts) {
                data.truncate(9);
            }
            (code, data)
        });
        match is_read {
            true => assert_eq!((went.end, went.walk.data()), (Ok(()), bytes.as_slice())),
            false => {
                let reason = went.end.unwrap_err().reason;
                assert!(matches!(reason, Reason::Garbled(_)), "{reason:?}");
            }
        }
        assert_eq!(went.walk.refusal(), None);
        assert_eq!(parts, 4 + i32::from(is_read));
    }
}

#[test]
fn of_a_memory_module_size_and_nameplate_are_read_and_nothing_of_what_is_unknown() {
    let module = Spd::encode_ddr4(16_384, "M-16", 7).unwrap();
    for by_words in [false, true] {
        for chunk_max in [255, 8] {
            let went = fru(FruExtent::Module, inventory(&module, by_words, chunk_max));
            assert_eq!(Spd::decode(went.walk.data()), Spd::decode(&module));
            assert!(chunk_max == 8 || went.requests == 3);
        }
        let unknown = [0x77; 512];
        let went = fru(FruExtent::Module, inventory(&unknown, by_words, 255));
        assert_eq!(went.walk.data(), &unknown[..16]);
    }
}
