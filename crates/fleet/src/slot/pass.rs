//! Sensors that are read at intervals of their own, beside the round over all others.
//!
//! Classes of sensors with one interval make a pass, which has its own pace: its phase is spread over the fleet as the round's is, so
//! that the readings of every class come in an even stream. Round and passes may be under way at the same time. Whose turn it is, is
//! decided before each command: his that is to be through first (earliest deadline first; the deadline is when the next one of the
//! kind is due). So a slow class doesn't hold up a quick one, and in the end each comes to its turn even where there is too much to do.

use std::time::Duration;

use hardware::{Availability, Link, SensorClass};
use ipmi::time::Instant;

use super::{Context, Slot};
use crate::classes::Classes;
use crate::gate::Stage;
use crate::schedule::Pace;

/// No item: the pass is not under way. There are [`hardware::MAX_SENSORS`] at most.
const BETWEEN: u16 = u16::MAX;

/// After so many intervals without a reading those that there are count as late: one round was left out.
const LATE_AFTER: u32 = 2;

/// After so many passes in a row in which none of their sensors answered, classes are out of service: they are shown so, and don't
/// make their BMC late as long as others bring readings.
const SILENT_PASSES: u8 = 2;

/// How classes of sensors that are read together have answered lately.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answering {
    /// When the last pass began that brought readings, or when the BMC began to answer.
    read_since: Instant,
    /// How much later the first pass began of those that have brought none since, in milliseconds: each BMC has one of these.
    silent_after_ms: u32,
    /// How many there were of those.
    silent: u8,
}

impl Answering {
    /// The BMC begins to answer.
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            read_since: now,
            silent_after_ms: 0,
            silent: 0,
        }
    }

    /// A pass is through that began then, and brought readings or none.
    pub(super) fn finish(&mut self, began_at: Instant, brought: bool) {
        if brought {
            *self = Self::new(began_at);
            return;
        }
        if self.silent == 0 {
            let after = began_at.since(self.read_since).as_millis();
            self.silent_after_ms = u32::try_from(after).unwrap_or(u32::MAX);
        }
        self.silent = self.silent.saturating_add(1);
    }

    /// None of the sensors answers any more, while others, read last then, do.
    fn is_out_of_service(&self, others_read: Option<Instant>) -> bool {
        let silent_since = self.read_since + Duration::from_millis(self.silent_after_ms.into());
        self.silent >= SILENT_PASSES && others_read.is_some_and(|read| read > silent_since)
    }
}

/// Sensors of some classes that are read at an interval of their own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass {
    pace: Pace,
    /// When the present one began.
    began_at: Instant,
    answering: Answering,
    /// Index in the plan's items of what is looked at next.
    next: u16,
    /// How many there were.
    number: u16,
    classes: Classes,
    /// The next one does not wait for its pace.
    at_once: bool,
    /// Some reading was had in it.
    brought: bool,
}

impl Pass {
    const fn is_under_way(&self) -> bool {
        self.next != BETWEEN
    }

    /// Gives up the present one.
    pub(super) const fn stop(&mut self) {
        self.next = BETWEEN;
    }

    /// The sensors were not read in this session: they are read at once.
    pub(super) const fn hurry(&mut self) {
        self.at_once = true;
        self.number = 0;
    }

    /// When it is to be through; `None` where nothing is to be done now.
    fn deadline(&self, now: Instant, interval: Duration) -> Option<Instant> {
        deadline(self.pace, self.is_under_way(), self.at_once, now, interval)
    }
}

/// When what keeps this pace is to be through, where it is under way or due.
fn deadline(
    pace: Pace,
    is_under_way: bool,
    at_once: bool,
    now: Instant,
    interval: Duration,
) -> Option<Instant> {
    match (is_under_way || at_once, pace.due() <= now) {
        (true, _) => Some(pace.due()),
        (false, true) => Some(pace.due() + interval),
        (false, false) => None,
    }
}

impl Slot {
    /// The interval at which sensors of these classes are read. They have one in common.
    fn interval_of(&self, classes: Classes) -> Duration {
        let ms = classes
            .first()
            .and_then(|class| self.rare.pacing.intervals.get(class));
        let ms = ms.unwrap_or(self.rare.pacing.poll_interval_ms);
        Duration::from_millis(ms.into())
    }

    /// Decides which classes of sensors have passes, by what intervals and sensors there are. A pass over the same classes as
    /// before goes on.
    pub(super) fn set_passes(&mut self, cx: &mut Context, now: Instant) {
        let Some(plan) = &self.plan else { return };
        let pacing = self.rare.pacing.clone();
        let interval = |class| pacing.intervals.get(class);
        let in_round = |class: &SensorClass| interval(*class) == Some(pacing.poll_interval_ms);
        let has_pass = |class: &SensorClass| !in_round(class) && plan.classes.has(*class);
        let mut left: Classes = SensorClass::ALL.into_iter().filter(has_pass).collect();
        let before = self.round.classes;
        self.round.classes = Classes::ALL.without(left);
        let mut passes = Vec::new();
        while let Some(first) = left.first() {
            let alike =
                |class: &SensorClass| left.has(*class) && interval(*class) == interval(first);
            let classes: Classes = SensorClass::ALL.into_iter().filter(alike).collect();
            left = left.without(classes);
            passes.push(self.pass(cx, now, classes, before));
        }
        self.rare.passes = passes.into();
        if !self.is_in_round() {
            self.leave(cx, Stage::Round);
        }
        self.page.node_mut(&mut cx.spares).intervals = Some(pacing.intervals);
        self.weigh_age();
    }

    /// A pass over these classes, where the round was over those of `before`.
    fn pass(&self, cx: &Context, now: Instant, classes: Classes, before: Classes) -> Pass {
        let pace = Pace::new(now, self.interval_of(classes), self.index, cx.slots);
        let same = |pass: &&Pass| pass.classes.meets(classes);
        match self.rare.passes.iter().find(same) {
            Some(pass) if pass.classes == classes => Pass {
                // The interval may be another.
                pace,
                ..*pass
            },
            other => Pass {
                pace,
                began_at: now,
                answering: match other {
                    Some(other) => other.answering,
                    None if before.meets(classes) => self.rare.round_answering,
                    None => Answering::new(now),
                },
                next: BETWEEN,
                number: 0,
                classes,
                at_once: false,
                brought: false,
            },
        }
    }

    /// Whether the round or a pass is under way.
    pub(super) fn is_in_round(&self) -> bool {
        let has_passes = self.round.classes != Classes::ALL;
        self.round.step.is_some() || has_passes && self.rare.passes.iter().any(Pass::is_under_way)
    }

    /// The pass whose turn it is; `None` where it is the round's, or nobody's.
    pub(super) fn pass_in_turn(&self, now: Instant) -> Option<usize> {
        if self.round.classes == Classes::ALL {
            return None;
        }
        let is_under_way = self.round.step.is_some();
        let (at_once, interval) = (self.round.at_once, self.poll_interval());
        let of_round = deadline(self.pace, is_under_way, at_once, now, interval);
        let of_passes = self
            .rare
            .passes
            .iter()
            .enumerate()
            .filter_map(|(index, pass)| {
                let deadline = pass.deadline(now, self.interval_of(pass.classes));
                deadline.map(|deadline| (deadline, index))
            });
        let (deadline, index) = of_passes.min()?;
        of_round
            .is_none_or(|of_round| deadline < of_round)
            .then_some(index)
    }

    /// Between rounds: when the next pass is due.
    pub(super) fn wake_by_passes(&mut self) {
        if self.round.classes != Classes::ALL {
            let due = self.rare.passes.iter().map(|pass| pass.pace.due()).min();
            if let Some(due) = due {
                self.wake_by(due);
            }
        }
    }

    /// Takes the next step of a pass, or begins it.
    pub(super) fn pass_turn(&mut self, cx: &mut Context, now: Instant, index: usize) -> bool {
        let pass = self.rare.passes[index];
        if !pass.is_under_way() {
            if !self.enter(cx, Stage::Round) {
                return false;
            }
            let interval = self.interval_of(pass.classes);
            let pass = &mut self.rare.passes[index];
            if !std::mem::take(&mut pass.at_once) {
                cx.counters.rounds_skipped += pass.pace.advance(now, interval);
                pass.number = pass.number.wrapping_add(1);
            }
            (pass.next, pass.brought, pass.began_at) = (0, false, now);
            return true;
        }
        let Some(plan) = &self.plan else { return false };
        self.talked = false;
        let place = plan.next_of(pass.classes, pass.next);
        let Some(item) = plan.items.get(usize::from(place)).copied() else {
            self.finish_pass(cx, now, index);
            return true;
        };
        self.rare.passes[index].next = place + 1;
        // As in rounds: each slot has its own turn for what is slow.
        let turn = u32::from(pass.number).wrapping_add(self.index);
        let slow = pass.number == 0 || turn.is_multiple_of(cx.slow_rounds);
        if slow || !self.is_mute(place) {
            self.ask_sensor(cx, now, place, item);
        }
        true
    }

    fn finish_pass(&mut self, cx: &mut Context, now: Instant, index: usize) {
        let pass = &mut self.rare.passes[index];
        pass.stop();
        cx.counters.rounds += 1;
        let (classes, brought) = (pass.classes, pass.brought);
        pass.answering.finish(pass.began_at, brought);
        if brought {
            self.note_read(cx, now, classes);
        }
        self.end_of_round(cx);
    }

    /// A sensor of this class has a value, or none now.
    pub(super) fn brought(&mut self, class: SensorClass) {
        if self.round.classes.has(class) {
            self.round.brought = true;
        } else if let Some(pass) = self
            .rare
            .passes
            .iter_mut()
            .find(|pass| pass.classes.has(class))
        {
            pass.brought = true;
        }
    }

    /// Readings of these classes are of now.
    pub(super) fn note_read(&mut self, cx: &mut Context, now: Instant, classes: Classes) {
        let at_ms = cx.unix_ms(self.session.rests_since(now));
        let node = self.page.node_mut(&mut cx.spares);
        node.note_read(at_ms, |class| classes.has(class));
    }

    /// The round or a pass is through: what it brought is shown.
    pub(super) fn end_of_round(&mut self, cx: &mut Context) {
        if !self.is_in_round() {
            self.leave(cx, Stage::Round);
        }
        self.weigh_age();
        self.show_out_of_service(cx);
        self.publish(cx);
    }

    /// The BMC begins to answer: readings are to come.
    pub(super) fn readings_begin(&mut self, now: Instant) {
        let answering = Answering::new(now);
        self.rare.round_answering = answering;
        self.rare
            .passes
            .iter_mut()
            .for_each(|pass| pass.answering = answering);
        self.read_since = now;
        self.late_from = now + self.poll_interval() * LATE_AFTER;
    }

    /// The classes of sensors that are read together: how they answered, and at what interval.
    fn together(&self) -> impl Iterator<Item = (Classes, Answering, Duration)> {
        let in_round = self.round.classes;
        let has_any = self
            .plan
            .as_ref()
            .is_some_and(|plan| plan.classes.meets(in_round));
        let of_round = has_any.then(|| (in_round, self.rare.round_answering, self.poll_interval()));
        let passes = match in_round == Classes::ALL {
            true => &[][..],
            false => &self.rare.passes[..],
        };
        let of_pass = |pass: &Pass| (pass.classes, pass.answering, self.interval_of(pass.classes));
        of_round.into_iter().chain(passes.iter().map(of_pass))
    }

    /// The classes none of whose sensors answers while others do.
    fn out_of_service(&self) -> Classes {
        // Nearly always none: then nothing is compared.
        if self
            .together()
            .all(|(_, answering, _)| answering.silent < SILENT_PASSES)
        {
            return Classes::default();
        }
        let read = self
            .together()
            .map(|(_, answering, _)| answering.read_since);
        let read = read.max();
        let out = self
            .together()
            .filter(|(_, answering, _)| answering.is_out_of_service(read));
        out.fold(Classes::default(), |all, (classes, ..)| all.and(classes))
    }

    /// Finds out how old the oldest readings are, and from when on some are late, each class by its own interval. Those out of service
    /// are not waited for.
    pub(super) fn weigh_age(&mut self) {
        let answers = self.page.node().link == Link::Up;
        if self.plan.is_none() || !answers {
            self.read_since = Instant::ORIGIN;
            return;
        }
        let out = self.out_of_service();
        let (mut since, mut late_from) = (None, None);
        for (_, answering, interval) in self.together().filter(|(classes, ..)| !out.meets(*classes))
        {
            let from = answering.read_since;
            let late = from + interval * LATE_AFTER;
            since = Some(since.map_or(from, |since: Instant| since.min(from)));
            late_from = Some(late_from.map_or(late, |before: Instant| before.min(late)));
        }
        self.read_since = since.unwrap_or(Instant::ORIGIN);
        self.late_from = late_from.unwrap_or(Instant::ORIGIN);
    }

    /// Shows sensors of classes that are out of service as such: they are not old, they are not there.
    fn show_out_of_service(&mut self, cx: &mut Context) {
        let out = self.out_of_service();
        let Some(plan) = self.plan.as_ref().filter(|_| out != Classes::default()) else {
            return;
        };
        let readings = self.page.readings_mut(&mut cx.spares);
        for item in plan.items.iter().filter(|item| out.has(item.class)) {
            if let Some(reading) = readings.get_mut(usize::from(item.place)) {
                *reading = reading.with(Availability::Unavailable);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_out_of_service_when_none_of_their_sensors_answered_twice_and_others_did() {
        let at = |s: u64| Instant::ORIGIN + Duration::from_secs(s);
        let mut fans = Answering::new(at(0));
        fans.finish(at(1), false);
        assert!(!fans.is_out_of_service(Some(at(9))), "once is not enough");
        fans.finish(at(2), false);
        assert!(fans.is_out_of_service(Some(at(2))));
        assert!(
            !fans.is_out_of_service(Some(at(1))),
            "nobody else answered since"
        );
        assert!(!fans.is_out_of_service(None));
        fans.finish(at(3), true);
        fans.finish(at(4), false);
        assert!(!fans.is_out_of_service(Some(at(9))), "it has answered");
        assert_eq!(fans.read_since, at(3));
    }
}
