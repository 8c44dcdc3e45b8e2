//! Reads all sensor data records of a BMC. What BMCs do wrong about that is [`ipmi::walk`]'s business.

use std::sync::Arc;

use ipmi::command::sensor::GetDeviceSdrInfo;
use ipmi::command::storage::GetSdrRepositoryInfo;
use ipmi::walk::{Found, SdrWalk};
pub(crate) use ipmi::walk::{SdrSource as Source, SdrStamp as Stamp};

use super::records::{Gathered, Gathering, Records};
use crate::call::CallError;
use crate::script::Line;

/// All records, as the BMC stores them.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    pub(crate) stamp: Option<Stamp>,
    /// In the BMC's order; each at least a header.
    pub(crate) records: Gathered,
    /// The list did not end by itself: it looped or was too long.
    pub(crate) cut: bool,
    /// It ended by an error before as many came as were told: there are more.
    pub(crate) ends_early: bool,
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
    before: Option<Stamp>,
    like: Option<Arc<Records>>,
) -> Result<Repository, CallError> {
    let mut walk = SdrWalk::new(source).stamped(before);
    let mut records = Gathering::new(like.clone());
    loop {
        match line.walk(&mut walk).await? {
            Found::Record => records.push(walk.record()),
            Found::Restart => records = Gathering::new(like.clone()),
            Found::End => {
                return Ok(Repository {
                    stamp: walk.stamp(),
                    records: records.finish(),
                    cut: walk.is_cut(),
                    ends_early: walk.ends_early(),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ipmi::command::storage::{GetSdr, ReserveSdrRepository};
    use ipmi::command::{Command, Message};
    use ipmi::number::CompletionCode;
    use ipmi::record::RecordId;
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
                let before = stamp(&line, Source::Repository).await.ok();
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
