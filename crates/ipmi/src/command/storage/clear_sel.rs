//! Clear SEL (§31.9).

use crate::command::{Command, Message};
use crate::number::{EraseAction, EraseProgress, NetFn};
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
    pub action: EraseAction,
}

/// The answer to [`ClearSel`]: how far it is (§31.9, table 31-9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelErasure(pub EraseProgress);

impl Command for ClearSel {
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x47;
    const NAME: &'static str = "Clear SEL";
    const IDEMPOTENT: bool = false;
    type Response = SelErasure;

    /// Asking how far it is, is.
    fn is_idempotent(&self) -> bool {
        self.action == EraseAction::GET_STATUS
    }

    fn encode(&self, w: &mut Writer<'_>) {
        w.u16(self.reservation.0);
        w.bytes(b"CLR");
        w.u8(self.action.0);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let reservation = ReservationId(r.u16("reservation ID")?);
        let invalid = r.error("the letters CLR", WireFault::Invalid);
        if r.array("the letters CLR")? != *b"CLR" {
            return Err(invalid);
        }
        let invalid = r.error("erase action", WireFault::Invalid);
        let action = EraseAction(r.u8("erase action")?);
        if action.name().is_none() {
            return Err(invalid);
        }
        Ok(Self {
            reservation,
            action,
        })
    }
}

impl Message for SelErasure {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.0.0 & 0x0f);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let progress = r.u8("erasure progress")?;
        Ok(Self(EraseProgress(progress & 0x0f)))
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
        assert!(!clear(EraseAction::INITIATE).is_idempotent());
        assert!(clear(EraseAction::GET_STATUS).is_idempotent());
    }

    #[test]
    fn clearing_spells_clr() {
        let reservation = ReservationId(0x0102);
        let clear = ClearSel {
            reservation,
            action: EraseAction::INITIATE,
        };
        check::request(&clear, &[2, 1, b'C', b'L', b'R', 0xaa], 6);
        let status = ClearSel {
            reservation,
            action: EraseAction::GET_STATUS,
        };
        check::request(&status, &[2, 1, b'C', b'L', b'R', 0x00], 6);
        check::response(&SelErasure(EraseProgress::IN_PROGRESS), &[0], 1);
        check::response(&SelErasure(EraseProgress::COMPLETED), &[1], 1);
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
