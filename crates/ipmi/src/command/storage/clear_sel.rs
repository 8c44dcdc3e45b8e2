//! Clear SEL (§31.9).

use crate::command::{Command, Message};
use crate::number::NetFn;
use crate::record::ReservationId;
use crate::wire::{Reader, WireError, WireFault, Writer};

/// Erases the SEL, or asks how far that is.
///
/// Erasing is not repeatable: a repeat erases entries that came after the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClearSel {
    /// Reservation.
    pub reservation: ReservationId,
    /// What to do.
    pub action: ClearSelAction,
}

/// What [`ClearSel`] does (§31.9, table 31-9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClearSelAction {
    /// Starts to erase.
    Initiate,
    /// Asks for the progress.
    GetStatus,
}

/// The answer to [`ClearSel`] (§31.9, table 31-9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErasureProgress {
    /// Still erasing.
    InProgress,
    /// Erased.
    Completed,
}

impl Command for ClearSel {
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x47;
    const NAME: &'static str = "Clear SEL";
    const IDEMPOTENT: bool = false;
    type Response = ErasureProgress;

    /// Asking how far it is, is.
    fn is_idempotent(&self) -> bool {
        self.action == ClearSelAction::GetStatus
    }

    fn encode(&self, w: &mut Writer<'_>) {
        w.u16(self.reservation.0);
        w.bytes(b"CLR");
        w.u8(match self.action {
            ClearSelAction::Initiate => 0xaa,
            ClearSelAction::GetStatus => 0x00,
        });
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let reservation = ReservationId(r.u16("reservation ID")?);
        let invalid = r.error("the letters CLR", WireFault::Invalid);
        if r.array("the letters CLR")? != *b"CLR" {
            return Err(invalid);
        }
        let invalid = r.error("erase action", WireFault::Invalid);
        let action = match r.u8("erase action")? {
            0xaa => ClearSelAction::Initiate,
            0x00 => ClearSelAction::GetStatus,
            _ => return Err(invalid),
        };
        Ok(Self {
            reservation,
            action,
        })
    }
}

impl Message for ErasureProgress {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(match self {
            Self::InProgress => 0x00,
            Self::Completed => 0x01,
        });
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let progress = r.u8("erasure progress")? & 0x0f;
        Ok(if progress == 0 {
            Self::InProgress
        } else {
            Self::Completed
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn erasing_is_not_repeated_and_asking_how_far_it_is_may_be() {
        let clear = |action| ClearSel {
            reservation: ReservationId(1),
            action,
        };
        assert!(!clear(ClearSelAction::Initiate).is_idempotent());
        assert!(clear(ClearSelAction::GetStatus).is_idempotent());
    }

    #[test]
    fn clearing_spells_clr() {
        let reservation = ReservationId(0x0102);
        let clear = ClearSel {
            reservation,
            action: ClearSelAction::Initiate,
        };
        check::request(&clear, &[2, 1, b'C', b'L', b'R', 0xaa], 6);
        let status = ClearSel {
            reservation,
            action: ClearSelAction::GetStatus,
        };
        check::request(&status, &[2, 1, b'C', b'L', b'R', 0x00], 6);
        check::response(&ErasureProgress::InProgress, &[0], 1);
        check::response(&ErasureProgress::Completed, &[1], 1);
    }

    #[test]
    fn without_the_letters_or_with_another_action_nothing_is_cleared() {
        let decode = |bytes: &[u8]| ClearSel::decode(&mut Reader::new(bytes)).map_err(|e| e.field);
        assert_eq!(
            decode(&[2, 1, b'C', b'L', b'S', 0xaa]),
            Err("the letters CLR")
        );
        assert_eq!(decode(&[2, 1, b'C', b'L', b'R', 0xab]), Err("erase action"));
    }
}
