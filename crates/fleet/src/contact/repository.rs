//! Reads all sensor data records of a BMC (§33.11, §33.12; device SDRs §35.3, §35.4).
//!
//! What the field's BMCs do wrong is handled here: records that can't be read whole, chunk sizes that are refused,
//! reservations that are cancelled midway, lists that never end, counts that are wrong.

use std::collections::HashSet;
use std::sync::Arc;

use ipmi::command::sensor::{DeviceSdrInfo, GetDeviceSdrInfo};
use ipmi::command::storage::{
    GetDeviceSdr, GetSdr, GetSdrRepositoryInfo, ReserveDeviceSdrRepository, ReserveSdrRepository,
    SdrData, SdrPart, SdrRepositoryInfo,
};
use ipmi::number::CompletionCode;
use ipmi::quirk::Quirk;
use ipmi::record::{RecordId, ReservationId};

use super::records::{Gathered, Gathering, Records};
use crate::call::CallError;
use crate::script::Line;

/// The most records that are read of one repository; what is beyond is ignored.
pub(crate) const RECORDS_MAX: usize = 8_192;

/// How often the repository is reserved anew because the reservation was cancelled, in one reading of it.
const RESERVATIONS_MAX: u32 = 32;

/// How often the whole reading begins again because the repository changed meanwhile.
const READINGS_MAX: u32 = 4;

/// Length of a record's header: ID, version, type, length of the rest (§43).
const HEADER_LEN: usize = 5;

/// How many bytes are asked for at once, in turn, where a record can't be read whole. 16 is what every BMC must be able
/// to return; 8 is for those that can't.
const CHUNKS: [u8; 5] = [64, 32, 22, 16, 8];

/// Where the records are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The SDR repository.
    Repository,
    /// The device SDRs of a BMC without a repository.
    Device,
}

/// Tells whether a repository changed: equal stamps, equal records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// Count of records, last addition, last erase.
    Repository(u16, u32, u32),
    /// Count of sensors, population change indicator.
    Device(u8, u32),
}

/// All records, as the BMC stores them.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    pub(crate) stamp: Option<Stamp>,
    /// In the BMC's order; each at least a header.
    pub(crate) records: Gathered,
    /// The list did not end by itself: it looped or was longer than [`RECORDS_MAX`].
    pub(crate) cut: bool,
}

impl Stamp {
    pub(crate) const fn of_repository(info: &SdrRepositoryInfo) -> Self {
        Self::Repository(info.record_count, info.last_addition.0, info.last_erase.0)
    }

    pub(crate) fn of_device(info: &DeviceSdrInfo) -> Self {
        Self::Device(info.count, info.population_change.unwrap_or(0))
    }
}

/// Asks for the stamp.
pub(crate) async fn stamp(line: &Line, source: Source) -> Result<Stamp, CallError> {
    Ok(match source {
        Source::Repository => Stamp::of_repository(&line.call(&GetSdrRepositoryInfo).await?),
        Source::Device => {
            Stamp::of_device(&line.call(&GetDeviceSdrInfo { count_sdrs: None }).await?)
        }
    })
}

/// Reads the whole repository, whose stamp was `before`; again where it changed meanwhile. Its records are perhaps as those
/// that it is `like`.
pub(crate) async fn read(
    line: &Line,
    source: Source,
    mut before: Option<Stamp>,
    like: Option<Arc<Records>>,
) -> Result<Repository, CallError> {
    let mut readings = 0;
    loop {
        readings += 1;
        let mut reader = Reader {
            line,
            source,
            reservation: ReservationId::NONE,
            reservations: 0,
            chunk: None,
        };
        let mut records = Gathering::new(like.clone());
        let cut = reader.all(&mut records).await?;
        let after = told_stamp(line, source).await?;
        if after == before || readings == READINGS_MAX {
            return Ok(Repository {
                stamp: after,
                records: records.finish(),
                cut,
            });
        }
        before = after;
    }
}

struct Reader<'a> {
    line: &'a Line,
    source: Source,
    reservation: ReservationId,
    reservations: u32,
    /// Index into [`CHUNKS`]; `None` while records can be read whole.
    chunk: Option<usize>,
}

impl Reader<'_> {
    /// Reads all; whether the list did not end by itself.
    async fn all(&mut self, records: &mut Gathering) -> Result<bool, CallError> {
        let mut seen = HashSet::new();
        let mut id = RecordId::FIRST;
        while id != RecordId::LAST {
            if !seen.insert(id) || records.len() == RECORDS_MAX {
                return Ok(true);
            }
            let (next, record) = match self.record(id).await {
                // Some BMCs end their list by an error and not by FFFFh.
                Err(error) if error.completion() == Some(CompletionCode::NOT_PRESENT) => break,
                Err(error) if is_timeout(error) && records.len() > 0 => {
                    self.line.note(Quirk::SdrLastRefused);
                    break;
                }
                read => read?,
            };
            if record.len() >= HEADER_LEN {
                let own = RecordId(u16::from_le_bytes([record[0], record[1]]));
                // The first record is asked for by 0000h; a list that leads back to it names its own number.
                if id == RecordId::FIRST && own != next {
                    seen.insert(own);
                } else if own != id && id != RecordId::FIRST {
                    self.line.note(Quirk::SdrIdDiffers);
                }
                records.push(record);
            }
            if next != RecordId::LAST && (next == RecordId::FIRST || seen.contains(&next)) {
                self.line.note(Quirk::SdrListEndless);
                return Ok(true);
            }
            id = next;
        }
        Ok(false)
    }

    /// One record, and the number of the next.
    async fn record(&mut self, id: RecordId) -> Result<(RecordId, Vec<u8>), CallError> {
        if self.chunk.is_none() {
            match self.part(id, 0, SdrPart::ALL).await {
                Ok(part) if part.data.len() >= len_of(&part.data) => {
                    let len = len_of(&part.data);
                    return Ok((part.next, part.data[..len].to_vec()));
                }
                // Shorter than its header says, or not at all: in chunks then.
                Ok(part) => {
                    if !part.data.is_empty() {
                        self.line.note(Quirk::SdrWholeReadShort);
                    }
                    self.chunk = Some(0);
                }
                Err(error) if asks_for_less(error) => {
                    self.note_refusal(error);
                    self.chunk = Some(0);
                }
                Err(error) => return Err(error),
            }
        }
        'again: loop {
            let mut record = Vec::new();
            let mut next = RecordId::LAST;
            // How much could be had of this record at once.
            let mut had = 0;
            while record.len() < len_of(&record) {
                let chunk = CHUNKS[self.chunk.unwrap_or(0)];
                let left = u8::try_from(len_of(&record) - record.len()).unwrap_or(u8::MAX);
                let offset = u8::try_from(record.len()).unwrap_or(u8::MAX);
                match self.part(id, offset, chunk.min(left)).await {
                    Ok(part) if !part.data.is_empty() => {
                        next = part.next;
                        had = had.max(chunk.min(left));
                        record.extend_from_slice(&part.data);
                    }
                    // Nothing more to be had: the record is shorter than it says, and is kept so.
                    Ok(_) => break,
                    Err(error) if is_cancelled(error) && self.reservations < RESERVATIONS_MAX => {
                        self.line.note(Quirk::SdrReservationLost);
                        self.reserve().await?;
                        continue 'again;
                    }
                    // As much as this was had before: the record ends here, whatever its length says.
                    Err(error)
                        if asks_for_less(error)
                            && record.len() > HEADER_LEN
                            && chunk.min(left) <= had =>
                    {
                        self.line.note(Quirk::SdrLengthTooBig);
                        break;
                    }
                    Err(error) if asks_for_less(error) && self.smaller_chunk() => {
                        self.note_refusal(error);
                    }
                    Err(error) => return Err(error),
                }
            }
            let len = len_of(&record).min(record.len());
            record.truncate(len);
            return Ok((next, record));
        }
    }

    /// Remembers why less is to be asked for.
    fn note_refusal(&self, error: CallError) {
        match error.completion() {
            Some(CompletionCode::RESERVATION_CANCELLED) | None => {}
            Some(_) => self.line.note(Quirk::SdrReadLimited),
        }
    }

    /// Goes on to the next smaller chunk; whether there is one.
    fn smaller_chunk(&mut self) -> bool {
        let smaller = self.chunk.map_or(0, |chunk| chunk + 1);
        let exists = smaller < CHUNKS.len();
        if exists {
            self.chunk = Some(smaller);
        }
        exists
    }

    async fn part(
        &mut self,
        record: RecordId,
        offset: u8,
        count: u8,
    ) -> Result<SdrData, CallError> {
        if self.chunk.is_some() && self.reservations == 0 {
            self.reserve().await?;
        }
        let part = SdrPart {
            reservation: self.reservation,
            record,
            offset,
            count,
        };
        match self.source {
            Source::Repository => self.line.call(&GetSdr(part)).await,
            Source::Device => self.line.call(&GetDeviceSdr(part)).await,
        }
    }

    async fn reserve(&mut self) -> Result<(), CallError> {
        self.reservations += 1;
        let reserved = match self.source {
            Source::Repository => self.line.call(&ReserveSdrRepository).await,
            Source::Device => self.line.call(&ReserveDeviceSdrRepository).await,
        };
        match reserved {
            Ok(reservation) => self.reservation = reservation,
            // BMCs without reservations take the number 0.
            Err(error) if error.completion().is_some() => {
                self.line.note(Quirk::SdrReserveMissing);
                self.reservation = ReservationId::NONE;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// How long the record is as its header says; a header's length while that is not complete.
fn len_of(record: &[u8]) -> usize {
    record
        .get(HEADER_LEN - 1)
        .map_or(HEADER_LEN, |rest| HEADER_LEN + usize::from(*rest))
}

/// The stamp of a BMC that tells one.
async fn told_stamp(line: &Line, source: Source) -> Result<Option<Stamp>, CallError> {
    match stamp(line, source).await {
        Ok(stamp) => Ok(Some(stamp)),
        // Most likely there is no repository at all; the records tell.
        Err(CallError::Refused { .. } | CallError::Garbled { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_timeout(error: CallError) -> bool {
    error.completion() == Some(CompletionCode::TIMEOUT)
}

fn is_cancelled(error: CallError) -> bool {
    error.completion() == Some(CompletionCode::RESERVATION_CANCELLED)
}

/// Whether the BMC may answer a request for fewer bytes: it says so in one of several ways.
fn asks_for_less(error: CallError) -> bool {
    matches!(
        error.completion(),
        Some(
            CompletionCode::CANNOT_RETURN_BYTES
                | CompletionCode::REQUEST_FIELD_LENGTH_EXCEEDED
                | CompletionCode::REQUEST_LENGTH_INVALID
                | CompletionCode::PARAMETER_OUT_OF_RANGE
                | CompletionCode::INVALID_DATA_FIELD
                | CompletionCode::NO_RESPONSE
                | CompletionCode::RESERVATION_CANCELLED
                | CompletionCode::UNSPECIFIED
        )
    )
}

#[cfg(test)]
mod tests {
    use ipmi::command::{Command, Message};
    use ipmi::wire;

    use super::*;
    use crate::call::Call;
    use crate::script::{Script, play};

    const CANNOT: CompletionCode = CompletionCode::CANNOT_RETURN_BYTES;

    /// A repository of records with their links, as a BMC would serve it.
    struct Played {
        records: Vec<(u16, Vec<u8>, u16)>,
        chunk_max: usize,
        whole: bool,
        cancel_every: u32,
        reservation: u16,
        calls: u32,
        additions: u32,
        changes: u32,
    }

    fn record(id: u16, len: u8) -> Vec<u8> {
        let mut bytes = vec![id.to_le_bytes()[0], id.to_le_bytes()[1], 0x51, 0xc0, len];
        bytes.extend((0..len).map(|i| i ^ id.to_le_bytes()[0]));
        bytes
    }

    impl Played {
        fn new(count: u16) -> Self {
            let next = |id| if id == count { 0xffff } else { id + 1 };
            Self {
                records: (1..=count)
                    .map(|id| (id, record(id, 40 + id as u8 % 20), next(id)))
                    .collect(),
                chunk_max: 300,
                whole: true,
                cancel_every: u32::MAX,
                reservation: 0,
                calls: 0,
                additions: 7,
                changes: 0,
            }
        }

        fn read(&mut self) -> Result<Repository, CallError> {
            let script = Script::new(|line| async move {
                let before = told_stamp(&line, Source::Repository).await?;
                read(&line, Source::Repository, before, None).await
            });
            play::run(script, |call| Some(self.answer(call)))
        }

        fn answer(&mut self, call: &Call) -> (CompletionCode, Vec<u8>) {
            self.calls += 1;
            let data = call.data();
            match call.cmd {
                GetSdrRepositoryInfo::CMD => {
                    let mut info = vec![0x51, self.records.len() as u8, 0, 0xff, 0xff];
                    info.extend(self.additions.to_le_bytes());
                    info.extend([0; 4]);
                    info.push(2);
                    (CompletionCode::OK, info)
                }
                ReserveSdrRepository::CMD => {
                    self.reservation += 1;
                    (CompletionCode::OK, self.reservation.to_le_bytes().to_vec())
                }
                _ => self.part(data),
            }
        }

        fn part(&mut self, data: &[u8]) -> (CompletionCode, Vec<u8>) {
            if self.changes > 0 && self.calls.is_multiple_of(10) {
                self.changes -= 1;
                self.additions += 1;
            }
            if self.calls.is_multiple_of(self.cancel_every) {
                self.reservation += 1;
            }
            let id = u16::from_le_bytes([data[2], data[3]]);
            let (offset, count) = (usize::from(data[4]), usize::from(data[5]));
            let found = self.records.iter().find(|(own, ..)| *own == id || id == 0);
            let Some((_, bytes, next)) = found else {
                return (CompletionCode::NOT_PRESENT, vec![]);
            };
            if offset != 0 && data[..2] != self.reservation.to_le_bytes() {
                return (CompletionCode::RESERVATION_CANCELLED, vec![]);
            }
            if count == 0xff && !self.whole || count != 0xff && count > self.chunk_max {
                return (CANNOT, vec![]);
            }
            let end = bytes.len().min(offset + count);
            let mut answer = next.to_le_bytes().to_vec();
            answer.extend(&bytes[offset..end]);
            (CompletionCode::OK, answer)
        }

        fn bytes(&self) -> Vec<Vec<u8>> {
            self.records
                .iter()
                .map(|(_, bytes, _)| bytes.clone())
                .collect()
        }
    }

    #[test]
    fn a_good_repository_takes_one_call_a_record() {
        let mut bmc = Played::new(30);
        let got = bmc.read().unwrap();
        assert_eq!(got.records.all(), bmc.bytes());
        assert!(!got.cut);
        assert_eq!(bmc.calls, 30 + 2);
    }

    #[test]
    fn chunks_shrink_until_the_bmc_can_return_them_and_stay_so() {
        for chunk_max in [64, 32, 22, 16, 8] {
            let mut bmc = Played::new(12);
            (bmc.whole, bmc.chunk_max) = (false, chunk_max);
            assert_eq!(
                bmc.read().unwrap().records.all(),
                bmc.bytes(),
                "{chunk_max}"
            );
            // One refusal of the whole record, at most four of a chunk; two calls more than the pieces need.
            assert!(
                bmc.calls <= 12 * 66_u32.div_ceil(chunk_max as u32) + 12 + 10,
                "{}",
                bmc.calls
            );
        }
    }

    #[test]
    fn a_bmc_that_can_return_no_chunk_at_all_is_an_error_and_no_loop() {
        let mut bmc = Played::new(3);
        (bmc.whole, bmc.chunk_max) = (false, 4);
        assert_eq!(bmc.read().unwrap_err().completion(), Some(CANNOT));
    }

    #[test]
    fn a_cancelled_reservation_is_renewed_and_no_record_is_a_mix() {
        let mut bmc = Played::new(12);
        (bmc.whole, bmc.chunk_max, bmc.cancel_every) = (false, 16, 9);
        assert_eq!(bmc.read().unwrap().records.all(), bmc.bytes());
    }

    #[test]
    fn a_reservation_that_never_holds_ends_the_reading() {
        let mut bmc = Played::new(3);
        (bmc.whole, bmc.chunk_max, bmc.cancel_every) = (false, 16, 1);
        assert!(bmc.read().is_err());
        assert!(bmc.calls < 300);
    }

    #[test]
    fn a_list_that_leads_back_ends_and_is_marked_cut() {
        for back_to in [0, 1, 5, 9] {
            let mut bmc = Played::new(9);
            bmc.records[8].2 = back_to;
            let got = bmc.read().unwrap();
            assert_eq!(
                (got.records.all().len(), got.cut),
                (9, true),
                "back to {back_to}"
            );
        }
    }

    #[test]
    fn a_list_that_ends_by_an_error_is_whole() {
        let mut bmc = Played::new(9);
        bmc.records[8].2 = 77;
        let got = bmc.read().unwrap();
        assert_eq!((got.records.all().len(), got.cut), (9, false));
    }

    #[test]
    fn a_repository_that_changes_meanwhile_is_read_again() {
        let mut bmc = Played::new(20);
        bmc.changes = 1;
        let got = bmc.read().unwrap();
        assert_eq!(got.stamp, Some(Stamp::Repository(20, 8, 0)));
        assert_eq!(bmc.calls, 20 * 2 + 3);
    }

    #[test]
    fn a_record_shorter_than_its_header_says_is_kept_as_far_as_it_goes() {
        let mut bmc = Played::new(3);
        bmc.records[1].1.truncate(20);
        let got = bmc.read().unwrap();
        assert_eq!(got.records.all(), bmc.bytes());
    }

    #[test]
    fn the_played_answers_are_what_the_decoder_expects() {
        let (_, data) = Played::new(1).part(&[0, 0, 1, 0, 0, 0xff]);
        let decoded = <GetSdr as Command>::Response::decode(&mut wire::Reader::new(&data));
        assert_eq!(decoded.map(|part| part.next), Ok(RecordId::LAST));
    }
}
