//! What is made of a command that stays unanswered: is the BMC silent, or is it silent to that command only?
//!
//! After each such command Get Device ID is asked, which every BMC answers (§20.1). Only where that stays unanswered, too, is the session
//! lost. Otherwise the command is what the BMC has no answer for: a conversation goes on without one after some tries, and a sensor
//! that stayed silent in round after round is asked in every slow round only, so that it doesn't hold up those behind it.

use ipmi::command::app::GetDeviceId;
use ipmi::time::Instant;

use super::{Context, InFlight, Slot};
use crate::call::Call;

/// So many rounds in a row a sensor stays silent before it is asked seldom. Where three tenths are lost each way, that happens by chance
/// to one reading in 200,000.
const SILENT_ROUNDS: u8 = 3;

/// The most silent sensors of a BMC that are asked seldom; others are asked in every round.
const SILENT_SENSORS_MAX: usize = 32;

/// A sensor that stayed silent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mute {
    /// Index in the plan's items.
    item: u16,
    /// In how many rounds in a row.
    rounds: u8,
}

impl Slot {
    /// A command stayed unanswered, and the session goes on.
    pub(super) fn doubt(&mut self) {
        // Jobs have their own ways: some make their BMC restart, and reopen the session.
        self.doubts = self.in_flight != InFlight::Job;
        if let InFlight::Sensor(item) = self.in_flight {
            self.sensor_is_silent(item);
        }
    }

    /// Asks whether the BMC is there, where that is in doubt.
    pub(super) fn probe_turn(&mut self, cx: &mut Context, now: Instant) -> bool {
        if self.doubts {
            self.send(cx, now, &Call::of(&GetDeviceId), InFlight::Probe);
        }
        self.doubts
    }

    fn sensor_is_silent(&mut self, item: u16) {
        let mutes = &mut self.rare.mutes;
        if let Some(mute) = mutes.iter_mut().find(|mute| mute.item == item) {
            mute.rounds = mute.rounds.saturating_add(1);
        } else if mutes.len() < SILENT_SENSORS_MAX {
            mutes.push(Mute { item, rounds: 1 });
        }
        self.lacks.sensors = true;
    }

    /// It answers: whatever it says, it is asked in every round.
    pub(super) fn sensor_answers(&mut self, item: u16) {
        if self.lacks.sensors {
            self.rare.mutes.retain(|mute| mute.item != item);
            self.lacks.sensors = !self.rare.mutes.is_empty();
        }
    }

    /// Whether this sensor is left out of a round that is not slow.
    pub(super) fn is_mute(&self, item: u16) -> bool {
        let is_this = |mute: &Mute| mute.item == item && mute.rounds >= SILENT_ROUNDS;
        self.lacks.sensors && self.rare.mutes.iter().any(is_this)
    }

    /// The sensors are others, or the session is.
    pub(super) fn forget_mutes(&mut self) {
        self.rare.mutes = Vec::new();
        self.lacks.sensors = false;
    }
}
