//! The places that a BMC needs at the gates: see [`crate::gate`].

use ipmi::time::Instant;

use super::{Context, Phase, Slot};
use crate::gate::{Lane, Stage};

impl Slot {
    /// Passes a gate, where it has room; else waits for [`Self::admitted`].
    pub(super) fn enter(&mut self, cx: &mut Context, stage: Stage) -> bool {
        if self.inside & stage.bits() != 0 {
            return true;
        }
        if self.waits & stage.bits() != 0 {
            return false;
        }
        let lane = self.lane();
        let enters = cx.gates.enter(stage, lane, self.index);
        if enters {
            self.inside |= stage.bit(lane);
        } else {
            self.waits |= stage.bit(lane);
        }
        enters
    }

    /// As [`Self::enter`], for what has begun and was interrupted by an answer that came late.
    pub(super) fn enter_again(&mut self, cx: &mut Context, stage: Stage) -> bool {
        if (self.inside | self.waits) & stage.bits() != 0 {
            return self.inside & stage.bits() != 0;
        }
        let lane = self.lane();
        let enters = cx.gates.enter_again(stage, lane, self.index);
        if enters {
            self.inside |= stage.bit(lane);
        } else {
            self.waits |= stage.bit(lane);
        }
        enters
    }

    /// What its last answers say changes the lane that it is in: it takes a place of others like it.
    pub(super) fn refile(&mut self, cx: &mut Context) {
        let lane = self.lane();
        for stage in Stage::ALL {
            let is_inside = self.inside & stage.bits() != 0;
            if is_inside && self.inside & stage.bit(lane) == 0 {
                self.inside = self.inside & !stage.bits() | stage.bit(lane);
                cx.gates.refile(stage, lane);
            }
        }
    }

    pub(super) const fn lane(&self) -> Lane {
        match self.takes_long {
            true => Lane::Slow,
            false => Lane::Quick,
        }
    }

    pub(super) fn leave(&mut self, cx: &mut Context, stage: Stage) {
        for lane in Lane::ALL {
            if self.inside & stage.bit(lane) != 0 {
                self.inside &= !stage.bit(lane);
                cx.gates.leave(stage, lane);
            }
        }
    }

    pub(super) fn leave_all(&mut self, cx: &mut Context) {
        for stage in Stage::ALL {
            self.leave(cx, stage);
        }
    }

    /// It has the place for which it waited, and gives it back where it has no use for it any more.
    pub(crate) fn admitted(&mut self, cx: &mut Context, now: Instant, stage: Stage, lane: Lane) {
        self.waits &= !stage.bits();
        self.inside |= stage.bit(lane);
        let uses = match stage {
            Stage::Connect => {
                let uses = self.phase == Phase::Queued;
                if uses {
                    self.connect(cx, now);
                }
                uses
            }
            // Where the BMC is busy with something else, it begins as soon as that is answered.
            Stage::Contact | Stage::Round => {
                self.proceed(cx, now);
                let wanted = match stage {
                    Stage::Round => self.round.contacted,
                    _ => !self.round.contacted && self.rare.contact_at <= now,
                };
                self.phase == Phase::Up && wanted
            }
        };
        if !uses {
            self.leave(cx, stage);
        }
    }
}
