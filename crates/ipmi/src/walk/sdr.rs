//! Sensor data records: those of the repository, or of a sensor device without one (§33.9 to §33.12, §35.2 to §35.4).

use alloc::vec::Vec;

use super::seen::Seen;
use super::{Chunk, Fault, Found, Reason, Request, Step, Walk, asks_for_less, read};
use crate::command::app::DeviceId;
use crate::command::sensor::{DeviceSdrInfo, GetDeviceSdrInfo};
use crate::command::storage::{
    GetDeviceSdr, GetSdr, GetSdrRepositoryInfo, ReserveDeviceSdrRepository, ReserveSdrRepository,
    SDR_MAX, SdrPart, SdrRepositoryInfo,
};
use crate::number::{CompletionCode, DeviceSupport};
use crate::quirk::{Quirk, Quirks};
use crate::record::sdr::HEADER_LEN;
use crate::record::{RecordId, ReservationId};
use crate::wire::{Reader, WireError};

/// The most records that are asked for in one reading; what is beyond is ignored.
pub const RECORDS_MAX: usize = 8_192;

/// How often records are reserved in one reading of them, because reservations are lost.
pub const RESERVATIONS_MAX: u32 = 32;

/// How often all records are read, because they change meanwhile.
pub const READINGS_MAX: u32 = 4;

/// How often a record is asked for that is refused as if it were behind the last one, though fewer came than were told.
const ASKINGS_MAX: u32 = 4;

/// How many bytes are asked for at once, in turn, where a BMC can't return as many. 16 is what every BMC must be able to
/// return; 8 is for those that can't. The last one is what a record's header takes: who returned that, and refuses as little
/// behind it, has no more.
const CHUNKS: [u8; 7] = [SdrPart::ALL, 64, 32, 22, 16, 8, HEADER_LEN as u8];

/// Where the records are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SdrSource {
    /// In the SDR repository (§33).
    Repository,
    /// With the sensors, of a BMC without a repository (§35).
    Device,
}

impl SdrSource {
    /// Where Get Device ID says that they are (§20.1, table 20-2): with the sensors where it provides such records and names
    /// no repository, else in the repository. That a BMC is a sensor device, too, says nothing about records.
    #[must_use]
    pub const fn of(device: &DeviceId) -> Self {
        let has_repository = device.support.contains(DeviceSupport::SDR_REPOSITORY);
        if device.has_device_sdrs && !has_repository {
            Self::Device
        } else {
            Self::Repository
        }
    }

    /// The other one.
    const fn other(self) -> Self {
        match self {
            Self::Repository => Self::Device,
            Self::Device => Self::Repository,
        }
    }
}

/// Tells whether records changed: equal stamps, equal records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SdrStamp {
    /// Of a repository: count of records, last addition, last erase (§33.9).
    Repository(u16, u32, u32),
    /// Of a sensor device: count of sensors, population change indicator (§35.2).
    Device(u8, u32),
}

impl SdrStamp {
    /// That of a repository.
    #[must_use]
    pub const fn of_repository(info: &SdrRepositoryInfo) -> Self {
        Self::Repository(info.record_count, info.last_addition.0, info.last_erase.0)
    }

    /// Where the records are.
    #[must_use]
    pub const fn source(self) -> SdrSource {
        match self {
            Self::Repository(..) => SdrSource::Repository,
            Self::Device(..) => SdrSource::Device,
        }
    }

    /// That of a sensor device.
    #[must_use]
    pub fn of_device(info: &DeviceSdrInfo) -> Self {
        Self::Device(info.count, info.population_change.unwrap_or(0))
    }
}

/// What the walk waits for, or has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The stamp before reading.
    Before,
    /// A part of the record.
    Part,
    /// A reservation.
    Reserve,
    /// The record is to be handed out.
    Whole,
    /// It was, and the caller looks at it.
    Lent,
    /// The stamp after reading.
    After,
    /// They changed meanwhile.
    Changed,
    End,
    Failed(Fault),
}

/// Reads all sensor data records of a BMC, in its order: where they are said to be, or else, where the BMC has no command to
/// read them there, in the other place.
#[derive(Clone, Debug)]
pub struct SdrWalk {
    source: SdrSource,
    /// They were not where they were said to be.
    is_elsewhere: bool,
    phase: Phase,
    stamp: Option<SdrStamp>,
    readings: u32,
    reservation: ReservationId,
    reservations: u32,
    /// Nothing was read under the reservation.
    is_fresh: bool,
    chunk: Chunk,
    /// By which numbers records were asked for.
    seen: Seen,
    /// How many were found.
    count: usize,
    /// The list did not end by itself.
    is_cut: bool,
    /// It ended by an error before as many came as were told.
    ends_early: bool,
    /// How often the record was refused as if there were none.
    refusals: u32,
    /// The first record, by which it is known again.
    first: Vec<u8>,
    part: Part,
    noticed: Quirks,
}

/// The record being read.
#[derive(Clone, Debug)]
struct Part {
    /// By which number it is asked for, and the one that the BMC names as the next.
    id: RecordId,
    next: RecordId,
    bytes: Vec<u8>,
    /// The most that was asked for at once and not in vain, and what was to be asked for at once then.
    had: u8,
    chunk: Chunk,
    /// Bytes that came when it was asked for whole, and were too few.
    whole: usize,
    /// Some of it was refused because it was too much at once, or because the record ends before.
    is_limited: bool,
}

impl Part {
    fn begin(&mut self, id: RecordId, chunk: Chunk) {
        self.id = id;
        self.next = RecordId::LAST;
        self.whole = 0;
        self.is_limited = false;
        self.begin_anew(chunk);
    }

    fn begin_anew(&mut self, chunk: Chunk) {
        self.bytes.clear();
        self.had = 0;
        self.chunk = chunk;
    }

    /// How long it is as its header says; a header's length while that is not complete.
    fn len(&self) -> usize {
        let rest = self.bytes.get(HEADER_LEN - 1).copied().unwrap_or(0);
        HEADER_LEN + usize::from(rest)
    }

    fn is_complete(&self) -> bool {
        self.bytes.len() >= self.len()
    }

    /// Where the next part begins; `None` where that can't be asked for.
    fn offset(&self) -> Option<u8> {
        u8::try_from(self.bytes.len()).ok()
    }
}

impl SdrWalk {
    /// Of the records that are there.
    #[must_use]
    pub const fn new(source: SdrSource) -> Self {
        let chunk = Chunk::largest(&CHUNKS);
        Self {
            source,
            is_elsewhere: false,
            phase: Phase::Before,
            stamp: None,
            readings: 1,
            reservation: ReservationId::NONE,
            reservations: 0,
            is_fresh: false,
            chunk,
            seen: Seen::new(),
            count: 0,
            is_cut: false,
            ends_early: false,
            refusals: 0,
            first: Vec::new(),
            part: Part {
                id: RecordId::FIRST,
                next: RecordId::LAST,
                bytes: Vec::new(),
                had: 0,
                chunk,
                whole: 0,
                is_limited: false,
            },
            noticed: Quirks::NONE,
        }
    }

    /// The same by one who has just asked for the stamp; `None` where the BMC told none.
    #[must_use]
    pub fn stamped(mut self, stamp: Option<SdrStamp>) -> Self {
        self.stamp = stamp;
        self.begin();
        self
    }

    /// The record that was found: as long as its header says, or as far as there is one, but for its header at least.
    #[must_use]
    pub fn record(&self) -> &[u8] {
        &self.part.bytes
    }

    /// The stamp of the records, at the end, of the place where they are; `None` where the BMC tells none.
    #[must_use]
    pub const fn stamp(&self) -> Option<SdrStamp> {
        self.stamp
    }

    /// Whether the list did not end by itself: it led back, or had more than [`RECORDS_MAX`].
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Whether the list ended by an error, and fewer records came than the BMC has by its own account (§33.9): there are more,
    /// and another reading may find them. A list that ended by FFFFh is whole, whatever the BMC counts.
    #[must_use]
    pub const fn ends_early(&self) -> bool {
        self.ends_early
    }

    /// Begins to read. How much the BMC can return at once is known from earlier readings.
    fn begin(&mut self) {
        self.reservation = ReservationId::NONE;
        self.reservations = 0;
        self.is_fresh = false;
        self.seen.clear();
        self.count = 0;
        self.is_cut = false;
        self.ends_early = false;
        self.first.clear();
        self.ask_for(RecordId::FIRST);
    }

    fn ask_for(&mut self, id: RecordId) {
        self.seen.insert(id);
        self.refusals = 0;
        self.part.begin(id, self.chunk);
        self.phase = self.part_phase();
    }

    /// A part of a record needs a reservation.
    fn part_phase(&self) -> Phase {
        if self.chunk.size() != SdrPart::ALL && self.reservations == 0 {
            Phase::Reserve
        } else {
            Phase::Part
        }
    }

    /// How much is asked for now.
    fn asked(&self) -> u8 {
        match self.chunk.size() {
            SdrPart::ALL => SdrPart::ALL,
            chunk => {
                let left = self.part.len() - self.part.bytes.len();
                chunk.min(u8::try_from(left).unwrap_or(u8::MAX))
            }
        }
    }

    fn info_request(&self) -> Request {
        match self.source {
            SdrSource::Repository => Request::of(&GetSdrRepositoryInfo),
            SdrSource::Device => Request::of(&GetDeviceSdrInfo { count_sdrs: None }),
        }
    }

    fn reserve_request(&self) -> Request {
        match self.source {
            SdrSource::Repository => Request::of(&ReserveSdrRepository),
            SdrSource::Device => Request::of(&ReserveDeviceSdrRepository),
        }
    }

    fn part_request(&self) -> Request {
        let part = SdrPart {
            reservation: self.reservation,
            record: self.part.id,
            offset: self.part.offset().unwrap_or(u8::MAX),
            count: self.asked(),
        };
        match self.source {
            SdrSource::Repository => Request::of(&GetSdr(part)),
            SdrSource::Device => Request::of(&GetDeviceSdr(part)),
        }
    }

    fn note(&mut self, quirk: Quirk) {
        self.noticed = self.noticed.with(quirk);
    }

    fn fail(&mut self, reason: Reason) {
        self.phase = Phase::Failed(match self.source {
            SdrSource::Repository => Fault::of::<GetSdr>(reason),
            SdrSource::Device => Fault::of::<GetDeviceSdr>(reason),
        });
    }

    /// What the BMC tells as the stamp. One that tells none has no repository most likely: the records tell.
    fn stamp_of(&self, completion: CompletionCode, data: &[u8]) -> Option<SdrStamp> {
        match self.source {
            SdrSource::Repository => {
                let info = read::<GetSdrRepositoryInfo>(completion, data).ok()?;
                Some(SdrStamp::of_repository(&info))
            }
            SdrSource::Device => {
                let info = read::<GetDeviceSdrInfo>(completion, data).ok()?;
                Some(SdrStamp::of_device(&info))
            }
        }
    }

    fn reserved(&mut self, completion: CompletionCode, data: &[u8]) {
        self.reservations += 1;
        self.is_fresh = true;
        self.reservation = read::<ReserveSdrRepository>(completion, data).unwrap_or_else(|_| {
            // BMCs without reservations take the number 0.
            self.noticed = self.noticed.with(Quirk::SdrReserveMissing);
            ReservationId::NONE
        });
        self.phase = Phase::Part;
    }

    fn part_came(&mut self, data: &[u8]) -> Result<(), WireError> {
        let mut r = Reader::new(data);
        self.part.next = RecordId(r.u16("next record ID")?);
        let bytes = r.rest();
        let asked = self.asked();
        if bytes.is_empty() {
            if asked <= self.part.had || !self.smaller(asked) {
                self.end_short();
            }
            return Ok(());
        }
        self.is_fresh = false;
        let room = SDR_MAX - self.part.bytes.len();
        self.part
            .bytes
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
        if asked != SdrPart::ALL && asked > self.part.had {
            self.part.had = asked;
            self.part.chunk = self.chunk;
        }
        if self.part.is_complete() || self.part.offset().is_none() {
            self.complete();
        } else if asked == SdrPart::ALL {
            // In parts then, from its beginning: they belong together by a reservation.
            self.part.whole = self.part.bytes.len();
            self.smaller(asked);
            self.part.begin_anew(self.chunk);
        }
        Ok(())
    }

    fn refused(&mut self, code: CompletionCode) {
        let asked = self.asked();
        match code {
            CompletionCode::NOT_PRESENT => self.ends_by(code),
            CompletionCode::TIMEOUT if self.count > 0 => self.ends_by(code),
            CompletionCode::RESERVATION_CANCELLED => self.cancelled(asked),
            CompletionCode::INVALID_COMMAND if self.has_nothing() => self.try_elsewhere(),
            code if asks_for_less(code) && self.smaller(asked) => self.part.is_limited = true,
            // Not even as little as its header was: it ends here, whatever its length says.
            code if asks_for_less(code) && self.part.had > 0 => self.end_short(),
            code => self.fail(Reason::Refused(code)),
        }
    }

    /// Some BMCs end their list by an error and not by FFFFh. Others are only too busy for a record in the middle: where fewer
    /// came than were told, it is asked for again.
    fn ends_by(&mut self, code: CompletionCode) {
        let told = match self.stamp {
            Some(SdrStamp::Repository(told, ..)) => Some(usize::from(told)),
            // What a sensor device counts are sensors.
            Some(SdrStamp::Device(..)) | None => None,
        };
        let lacks = told.is_some_and(|told| self.count < told);
        let may_lack = lacks || told.is_none() && code == CompletionCode::TIMEOUT;
        self.refusals += 1;
        if may_lack && self.refusals < ASKINGS_MAX {
            return self.part.begin_anew(self.chunk);
        }
        if code == CompletionCode::TIMEOUT && !lacks {
            self.note(Quirk::SdrLastRefused);
        }
        self.ends_early = lacks;
        self.phase = Phase::After;
    }

    /// The first record was asked for, and nothing has come of any.
    fn has_nothing(&self) -> bool {
        self.readings == 1 && self.part.id == RecordId::FIRST && self.part.had == 0
    }

    /// The BMC has no command to read records here: they are in the other place, or nowhere.
    fn try_elsewhere(&mut self) {
        self.source = self.source.other();
        if self.is_elsewhere {
            // What is told is the refusal of the place where they should be.
            return self.fail(Reason::Refused(CompletionCode::INVALID_COMMAND));
        }
        self.is_elsewhere = true;
        self.phase = Phase::Before;
    }

    /// The reservation was lost, or is asked for where none is needed.
    fn cancelled(&mut self, asked: u8) {
        // A whole record can't be read under a new reservation either.
        if asked == SdrPart::ALL && self.is_fresh && self.smaller(asked) {
            return;
        }
        if self.reservations > 0 {
            self.note(Quirk::SdrReservationLost);
        }
        if self.reservations == RESERVATIONS_MAX {
            return self.fail(Reason::Refused(CompletionCode::RESERVATION_CANCELLED));
        }
        // What was read of it may be of another record by now.
        self.part.begin_anew(self.chunk);
        self.phase = Phase::Reserve;
    }

    /// Goes on to ask for less; whether less can be asked for.
    fn smaller(&mut self, asked: u8) -> bool {
        let Some(chunk) = self.chunk.smaller_than(asked) else {
            return false;
        };
        self.chunk = chunk;
        self.phase = self.part_phase();
        true
    }

    /// The record is shorter than it says, however it is asked for: that says nothing about how much can be had of others.
    fn end_short(&mut self) {
        self.chunk = self.part.chunk;
        if self.part.bytes.len() >= HEADER_LEN {
            self.note(Quirk::SdrLengthTooBig);
        }
        self.complete();
    }

    /// There is no more of the record.
    fn complete(&mut self) {
        let len = self.part.len();
        self.part.bytes.truncate(len);
        let read = self.part.bytes.len();
        if self.part.is_limited && read == len {
            self.note(Quirk::SdrReadLimited);
        }
        if self.part.whole > 0 && read > self.part.whole {
            self.note(Quirk::SdrWholeReadShort);
        }
        if read < HEADER_LEN {
            return self.follow_link();
        }
        // The first record is asked for by 0000h, and a list that leads back to it does so by its own number. The numbers
        // within records prove nothing: some BMCs have others there.
        if self.first.is_empty() {
            self.first.clone_from(&self.part.bytes);
        } else if self.first == self.part.bytes {
            return self.cut(Quirk::SdrListEndless);
        }
        let own = RecordId(u16::from_le_bytes([self.part.bytes[0], self.part.bytes[1]]));
        if own != self.part.id && self.part.id != RecordId::FIRST {
            self.note(Quirk::SdrIdDiffers);
        }
        self.count += 1;
        self.phase = Phase::Whole;
    }

    fn follow_link(&mut self) {
        let next = self.part.next;
        if next == RecordId::LAST {
            self.phase = Phase::After;
        } else if self.seen.contains(next) {
            self.cut(Quirk::SdrListEndless);
        } else if self.seen.len() >= RECORDS_MAX {
            self.is_cut = true;
            self.phase = Phase::After;
        } else {
            self.ask_for(next);
        }
    }

    /// The list has no end.
    fn cut(&mut self, quirk: Quirk) {
        self.note(quirk);
        self.is_cut = true;
        self.phase = Phase::After;
    }

    /// All were read, and this is their stamp now.
    fn read_all(&mut self, stamp: Option<SdrStamp>) {
        let has_changed = stamp != self.stamp;
        self.stamp = stamp;
        self.phase = if has_changed && self.readings < READINGS_MAX {
            self.readings += 1;
            Phase::Changed
        } else {
            Phase::End
        };
    }
}

impl Walk for SdrWalk {
    fn next(&mut self) -> Result<Step, Fault> {
        if self.phase == Phase::Lent {
            self.follow_link();
        }
        Ok(match self.phase {
            Phase::Before | Phase::After => Step::Send(self.info_request()),
            Phase::Reserve => Step::Send(self.reserve_request()),
            Phase::Part => Step::Send(self.part_request()),
            Phase::Whole | Phase::Lent => {
                self.phase = Phase::Lent;
                Step::Found(Found::Record)
            }
            Phase::Changed => {
                self.begin();
                Step::Found(Found::Restart)
            }
            Phase::End => Step::Found(Found::End),
            Phase::Failed(fault) => return Err(fault),
        })
    }

    fn answer(&mut self, completion: CompletionCode, data: &[u8]) {
        match self.phase {
            Phase::Before => {
                self.stamp = self.stamp_of(completion, data);
                self.begin();
            }
            Phase::Reserve => self.reserved(completion, data),
            Phase::Part if completion == CompletionCode::OK => {
                if let Err(error) = self.part_came(data) {
                    self.fail(Reason::Garbled(error));
                }
            }
            Phase::Part => self.refused(completion),
            Phase::After => {
                let stamp = self.stamp_of(completion, data);
                self.read_all(stamp);
            }
            Phase::Whole | Phase::Lent | Phase::Changed | Phase::End | Phase::Failed(_) => {}
        }
    }

    fn noticed(&self) -> Quirks {
        self.noticed
    }
}
