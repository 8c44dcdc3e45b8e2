//! Clears the event log: what came since it was read is read first, under the reservation under which it is cleared.

use std::time::Duration;

use hardware::ApplyError;
use ipmi::command::storage::{ClearSel, ReserveSel, SelErasure};
use ipmi::number::{CompletionCode, EraseAction, EraseProgress};
use ipmi::record::ReservationId;

use super::{changing, preparing};
use crate::call::CallError;
use crate::contact::log::{self, LogPosition, Since};
use crate::script::Line;

/// How often the erasure of an event log is asked after, and the pause between: half a minute in all.
const ERASE_CHECKS_MAX: u32 = 60;
const ERASE_PAUSE: Duration = Duration::from_millis(500);

/// How often a log is reserved anew because the reservation was cancelled by a new entry.
const RESERVATIONS_MAX: u32 = 4;

const WHAT: &str = "clearing the event log";

/// Clears it, and shows what was in it that nobody had seen, and then what is in it. A refusal changes nothing: then there is nothing
/// to look at.
pub(super) async fn clear(line: &Line, since: Since) -> Result<(), ApplyError> {
    let mut since = since;
    let outcome = match initiate(line, &mut since).await {
        Ok((reservation, progress)) => finish(line, reservation, progress).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => since = Since::Read(LogPosition::default()),
        Err(ApplyError::Unconfirmed { .. }) => {}
        Err(_) => return outcome,
    }
    if let Ok(read) = log::follow(line, since).await {
        line.show(read);
    }
    outcome
}

/// Begins to erase the log: an entry that comes after the last one that was read cancels the reservation (§31.4), and is read
/// before the next try.
async fn initiate(
    line: &Line,
    since: &mut Since,
) -> Result<(ReservationId, SelErasure), ApplyError> {
    let mut reservations = 0;
    loop {
        reservations += 1;
        let reservation = line
            .call(&ReserveSel)
            .await
            .or_else(without_reservation)
            .map_err(|error| preparing(error, WHAT))?;
        // Of a log that was never read all is history.
        if *since != Since::Never {
            match log::follow(line, *since).await {
                Ok(read) => {
                    *since = Since::Read(read.position);
                    line.show(read);
                }
                Err(error @ CallError::Unanswered { .. }) => return Err(preparing(error, WHAT)),
                // It may be cleared because it can't be read.
                Err(_) => {}
            }
        }
        let clear = ClearSel {
            reservation,
            action: EraseAction::INITIATE,
        };
        match line.call(&clear).await {
            Ok(progress) => return Ok((reservation, progress)),
            // An entry came in between; nothing was erased.
            Err(error)
                if error.completion() == Some(CompletionCode::RESERVATION_CANCELLED)
                    && reservations < RESERVATIONS_MAX => {}
            Err(error) => return Err(changing(error, WHAT)),
        }
    }
}

/// Some BMCs have no reservations, or deny them to whoever may clear; they take the number 0.
fn without_reservation(error: CallError) -> Result<ReservationId, CallError> {
    match error.completion() {
        Some(CompletionCode::INVALID_COMMAND | CompletionCode::INSUFFICIENT_PRIVILEGE) => {
            Ok(ReservationId::NONE)
        }
        _ => Err(error),
    }
}

/// Waits until all is erased.
async fn finish(
    line: &Line,
    reservation: ReservationId,
    mut progress: SelErasure,
) -> Result<(), ApplyError> {
    let mut checks = 0;
    while progress == SelErasure(EraseProgress::IN_PROGRESS) {
        if checks == ERASE_CHECKS_MAX {
            return Err(ApplyError::Unconfirmed {
                what: WHAT.to_owned(),
            });
        }
        checks += 1;
        line.pause(ERASE_PAUSE).await;
        let check = ClearSel {
            reservation,
            action: EraseAction::GET_STATUS,
        };
        progress = match line.call(&check).await {
            Ok(progress) => progress,
            // Erasing ends the reservation on some BMCs: it was taken, so it is done.
            Err(error) if error.completion() == Some(CompletionCode::RESERVATION_CANCELLED) => {
                SelErasure(EraseProgress::COMPLETED)
            }
            Err(error) => return Err(changing(error, WHAT)),
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use hardware::Change;
    use ipmi::command::Command;
    use ipmi::command::storage::{GetSelEntry, GetSelInfo, GetSelTime};

    use super::*;
    use crate::contact::log::{LogRead, LogStamp, Newest, Record};
    use crate::job::{JobDone, run};
    use crate::script::{Script, play};

    const OK: CompletionCode = CompletionCode::OK;

    fn play(
        since: Since,
        mut answer: impl FnMut(u8, &[u8]) -> play::Reply,
    ) -> (JobDone, Vec<LogRead>, Vec<u8>) {
        let mut calls = Vec::new();
        let script = Script::new(|line| async move {
            let done = run(line.clone(), Change::ClearLog, since).await;
            (done, line.take_shown())
        });
        let (done, shown) = play::run(script, |call| {
            calls.push(call.cmd);
            answer(call.cmd, call.data())
        });
        (done, shown, calls)
    }

    /// What a BMC with an empty log says.
    fn good(cmd: u8) -> play::Reply {
        let data = match cmd {
            GetSelInfo::CMD => vec![0x51, 0, 0, 0, 1, 0, 0, 0, 0, 9, 0, 0, 0, 2],
            ReserveSel::CMD => vec![7, 0],
            ClearSel::CMD => vec![1],
            _ => vec![],
        };
        Some((OK, data))
    }

    #[test]
    fn clearing_reserves_again_when_an_entry_came_in_between_and_waits_for_the_end() {
        let (mut cancelled, mut checks) = (2, 3);
        let (done, shown, calls) = play(Since::Never, |cmd, data| match (cmd, data.last()) {
            (ClearSel::CMD, Some(0xaa)) if cancelled > 0 => {
                cancelled -= 1;
                Some((CompletionCode::RESERVATION_CANCELLED, vec![]))
            }
            (ClearSel::CMD, Some(0xaa)) => Some((OK, vec![0])),
            (ClearSel::CMD, _) => {
                checks -= 1;
                Some((OK, vec![u8::from(checks == 0)]))
            }
            _ => good(cmd),
        });
        assert_eq!(done.outcome, Ok(()));
        let [log] = &*shown else { panic!("read anew") };
        assert_eq!((log.records.len(), log.continues), (0, false));
        assert_eq!(calls.len(), 3 * 2 + 3 + 1);
    }

    #[test]
    fn an_erasure_that_never_ends_is_unconfirmed() {
        let (done, _, calls) = play(Since::Never, |cmd, _| match cmd {
            ClearSel::CMD => Some((OK, vec![0])),
            _ => good(cmd),
        });
        assert!(matches!(done.outcome, Err(ApplyError::Unconfirmed { .. })));
        assert!(calls.len() < 100);
    }

    fn record(id: u8) -> Record {
        let mut record = [id; 16];
        record[1] = 0;
        record
    }

    /// A log of so many entries, of which one was read.
    fn follows(
        entries: &mut u8,
        refusal: Option<CompletionCode>,
        cancel: &mut u8,
    ) -> (JobDone, Vec<LogRead>, Vec<u8>) {
        let position = LogPosition {
            stamp: LogStamp {
                entries: 1,
                last_erase: 9,
                ..LogStamp::default()
            },
            newest: Newest::of([record(1)].into_iter()),
            ..LogPosition::default()
        };
        play(Since::Read(position), |cmd, data| match cmd {
            GetSelInfo::CMD => {
                let erased = 9 + u8::from(*entries == 0);
                let info = vec![0x51, *entries, 0, 0, 1, 0, 0, 0, 0, erased, 0, 0, 0, 2];
                Some((OK, info))
            }
            GetSelTime::CMD => Some((OK, vec![9, 0, 0, 0])),
            GetSelEntry::CMD => {
                let id = data[2].max(1);
                let next = if id == *entries {
                    0xffff
                } else {
                    u16::from(id) + 1
                };
                let mut answer = next.to_le_bytes().to_vec();
                answer.extend(record(id));
                Some((OK, answer))
            }
            ClearSel::CMD if *cancel > 0 => {
                *cancel -= 1;
                *entries += 1;
                Some((CompletionCode::RESERVATION_CANCELLED, vec![]))
            }
            ClearSel::CMD => match refusal {
                Some(code) => Some((code, vec![])),
                None => {
                    *entries = 0;
                    Some((OK, vec![1]))
                }
            },
            _ => good(cmd),
        })
    }

    #[test]
    fn what_nobody_has_seen_is_read_before_it_is_cleared_however_late_it_comes() {
        let (mut entries, mut cancel) = (3, 2);
        let (done, shown, _) = follows(&mut entries, None, &mut cancel);
        assert_eq!(done.outcome, Ok(()));
        let read: Vec<_> = shown.iter().flat_map(|log| &log.records).collect();
        assert_eq!(read, [&record(2), &record(3), &record(4), &record(5)]);
        let last = shown.last().unwrap();
        assert!(!last.continues && last.records.is_empty() && !last.lost);
    }

    #[test]
    fn a_log_that_may_not_be_cleared_is_not_read_for_that() {
        let denied = CompletionCode::INSUFFICIENT_PRIVILEGE;
        let (mut entries, mut cancel) = (1, 0);
        let (done, shown, calls) = follows(&mut entries, Some(denied), &mut cancel);
        assert!(matches!(done.outcome, Err(ApplyError::Refused { .. })));
        assert_eq!(shown.len(), 1);
        assert_eq!(calls.last(), Some(&ClearSel::CMD), "{calls:02x?}");
        assert!(calls.len() <= 6, "{calls:02x?}");
    }
}
