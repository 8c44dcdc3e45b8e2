//! A round over all sensors of a node.

use std::time::Duration;

use ipmi::command::chassis::{GetChassisStatus, GetSystemBootOptions};
use ipmi::command::dcmi::GetPowerLimit;
use ipmi::command::storage::GetSelInfo;
use ipmi::console::RequestTarget;
use ipmi::number::{BootOptionParameter, CompletionCode};
use ipmi::time::Instant;

use super::change::Who;
use super::pass::Pass;
use super::rare::Rare;
use super::{Context, InFlight, Round, Slot};
use crate::call::{Call, decode};
use crate::contact;
use crate::contact::log::LogStamp;
use crate::convert;
use crate::gate::Stage;
use crate::job;
use crate::plan::{self, GET_SENSOR_READING, Item, Read};
use crate::schedule::Pace;
use crate::script::Script;
use crate::talk::Talk;

/// How often records that could not be read are tried again in one session, before jitter.
pub(super) const RECORDS_AGAIN: Duration = Duration::from_secs(600);

impl Slot {
    /// A node that was not read in this session is read at once, and then at its pace.
    pub(super) fn begin_rounds(&mut self, cx: &mut Context, now: Instant) {
        self.pace = Pace::new(now, self.poll_interval(), self.index, cx.slots);
        self.forget_mutes();
        self.round = Round {
            step: None,
            number: 0,
            contacted: true,
            at_once: true,
            brought: false,
            who: Who::Known,
            classes: self.round.classes,
        };
        self.rare.passes.iter_mut().for_each(Pass::stop);
        self.set_passes(cx, now);
        self.rare.passes.iter_mut().for_each(Pass::hurry);
        self.up(cx, now);
        self.weigh_age();
        self.tell_tightness(cx, now);
    }

    /// Takes the next step of the round, or begins a round that is due.
    pub(super) fn round_turn(&mut self, cx: &mut Context, now: Instant) -> bool {
        let goes_on = self.round.contacted && self.is_in_round();
        if goes_on && !self.enter_again(cx, Stage::Round) {
            return false;
        }
        if self.plan.is_none() || !self.round.contacted {
            return false;
        }
        if let Some(pass) = self.pass_in_turn(now) {
            return self.pass_turn(cx, now, pass);
        }
        let Some(step) = self.round.step else {
            return self.begin_round(cx, now);
        };
        let Some(plan) = &self.plan else {
            return false;
        };
        // MAX_SENSORS at most.
        let items = plan.items.len() as u16;
        // Step 1 is the first sensor. Those that are read at intervals of their own are left out.
        let step = match (1..=items).contains(&step) {
            true => plan.next_of(self.round.classes, step - 1) + 1,
            false => step,
        };
        self.round.step = Some(step + 1);
        self.talked = false;
        // The first round of a session asks for everything. Then event log and boot options are asked for by turns, each
        // in every second round, and each slot has its own turn for what is slow.
        let turn = self.round.number.wrapping_add(self.index);
        let first = self.round.number == 0;
        let slow = first || turn.is_multiple_of(cx.slow_rounds);
        if step == 0 {
            if !self.lacks.chassis {
                self.send(cx, now, &Call::of(&GetChassisStatus), InFlight::Chassis);
            }
        } else if step <= items {
            let item = plan.items[usize::from(step) - 1];
            if slow || !self.is_mute(step - 1) {
                self.ask_sensor(cx, now, step - 1, item);
            }
        } else if step == items + 1 {
            let is_free = self.talk.is_none() && !self.work.as_ref().is_some_and(|w| w.reads_log());
            if (first || turn.is_multiple_of(2)) && !self.lacks.log && is_free {
                self.send(cx, now, &Call::of(&GetSelInfo), InFlight::LogInfo);
            }
        } else if step == items + 2 {
            if (first || !turn.is_multiple_of(2)) && !self.lacks.boot {
                let get = GetSystemBootOptions::new(BootOptionParameter::BOOT_FLAGS);
                self.send(cx, now, &Call::of(&get), InFlight::Boot);
            }
        } else if step == items + 3 {
            if slow && let Some(call) = self.records_call(cx, now) {
                self.send(cx, now, &call, InFlight::Records);
            }
        } else if step == items + 4 {
            if slow && !self.lacks.power_limit {
                self.send(cx, now, &Call::of(&GetPowerLimit), InFlight::PowerLimit);
            }
        } else {
            self.finish_round(cx, now);
        }
        true
    }

    /// Begins a round where one is due; whether it did.
    fn begin_round(&mut self, cx: &mut Context, now: Instant) -> bool {
        // Between rounds, a BMC that put us off is asked again.
        let is_put_off = self.rare.put_off > 0 || self.rare.unmet > 0;
        if is_put_off && self.rare.contact_at <= now && self.talk.is_none() {
            self.round.contacted = false;
            self.leave(cx, Stage::Round);
            return false;
        }
        let interval = self.poll_interval();
        if !self.round.at_once && self.pace.due() > now {
            self.wake_by(self.pace.due());
            self.wake_by_passes();
            return false;
        }
        if !self.enter(cx, Stage::Round) {
            return false;
        }
        if !std::mem::take(&mut self.round.at_once) {
            cx.counters.rounds_skipped += self.pace.advance(now, interval);
            self.round.number = self.round.number.wrapping_add(1);
        }
        self.round.step = Some(0);
        (self.round.brought, self.rare.round_began_at) = (false, now);
        true
    }

    /// Asks for a reading, of the item with this index in the plan, without a call being made for it.
    pub(super) fn ask_sensor(&mut self, cx: &mut Context, now: Instant, index: u16, item: Item) {
        let (netfn, cmd) = GET_SENSOR_READING;
        let target = RequestTarget {
            netfn,
            cmd,
            lun: item.lun,
        };
        self.in_flight = InFlight::Sensor(index);
        (self.sent, self.resent) = (false, false);
        cx.counters.commands += 1;
        self.gave_way();
        let asked = self.session.request_raw(now, target, &[item.number], true);
        if asked.is_err() {
            self.answered(cx, now, None);
        }
    }

    /// Asks whether the records changed; rarely where they could not be read, or the BMC has none.
    fn records_call(&mut self, cx: &mut Context, now: Instant) -> Option<Call> {
        let known = self.rare.known?;
        if known.stamp.is_none() {
            if now < self.rare.records_again_at {
                return None;
            }
            self.rare.records_again_at = now + cx.jitter.around(RECORDS_AGAIN);
        }
        Some(contact::records_call(known))
    }

    fn finish_round(&mut self, cx: &mut Context, now: Instant) {
        self.round.step = None;
        cx.counters.rounds += 1;
        let nothing_to_read = self.plan.as_ref().is_none_or(|plan| plan.items.is_empty());
        let began_at = self.rare.round_began_at;
        let brought = self.round.brought;
        self.rare.round_answering.finish(began_at, brought);
        if brought || nothing_to_read {
            self.note_read(cx, now, self.round.classes);
        }
        self.end_of_round(cx);
        if let Some(work) = &mut self.work {
            work.published(self.page.node().power);
        }
    }

    pub(super) fn sensor_answered(
        &mut self,
        cx: &mut Context,
        index: u16,
        reply: Option<(CompletionCode, &[u8])>,
    ) {
        if reply.is_some() {
            self.sensor_answers(index);
        }
        let Some(plan) = &self.plan else { return };
        let Some(item) = plan.items.get(usize::from(index)) else {
            return;
        };
        let readings = self.page.readings_mut(&mut cx.spares);
        let Some(reading) = readings.get_mut(usize::from(item.place)) else {
            return;
        };
        let class = item.class;
        let read = match reply {
            Some((completion, data)) => plan.read(*item, completion, data, reading),
            None => {
                plan::mark_stale(reading);
                Read::Failed
            }
        };
        if read != Read::Failed {
            self.brought(class);
        }
        match read {
            Read::Ok => cx.counters.readings += 1,
            Read::Unavailable => cx.counters.readings_unavailable += 1,
            Read::Failed => cx.counters.readings_failed += 1,
        }
    }

    /// Nothing was read lately.
    pub(super) fn mark_stale(&mut self, cx: &mut Context) {
        let readings = self.page.readings_mut(&mut cx.spares);
        readings.iter_mut().for_each(plan::mark_stale);
    }

    /// Whether the log is to be read: it changed, or may have and no stamp says so. One that could not be read has its pause.
    fn is_log_due(&self, now: Instant, stamp: LogStamp) -> bool {
        let Rare {
            log,
            log_failures,
            log_again_at,
            ..
        } = &*self.rare;
        let is_time = *log_again_at <= now;
        match log_failures {
            0 => log.is_outdated(stamp) || is_time && log.is_looked_behind_easily(),
            _ => is_time,
        }
    }

    /// Chassis status, boot flags, states of the event log and of the records, the power limit.
    pub(super) fn round_answered(
        &mut self,
        cx: &mut Context,
        now: Instant,
        who: InFlight,
        completion: CompletionCode,
        data: &[u8],
    ) {
        let lacking = matches!(
            completion,
            CompletionCode::INVALID_COMMAND
                | CompletionCode::INVALID_FOR_LUN
                | CompletionCode::INSUFFICIENT_PRIVILEGE
        );
        match who {
            InFlight::Chassis => {
                self.lacks.chassis = lacking;
                if let Ok(status) = decode::<GetChassisStatus>(completion, data) {
                    let node = self.page.node_mut(&mut cx.spares);
                    node.power = job::power_of(&status);
                    node.indicator = job::indicator_of(&status);
                }
            }
            InFlight::Boot => {
                self.lacks.boot = lacking;
                if let Ok(options) = decode::<GetSystemBootOptions>(completion, data) {
                    self.page.node_mut(&mut cx.spares).boot =
                        Some(job::boot_override(&options.parameter));
                }
            }
            InFlight::PowerLimit => {
                let limit = convert::power_limit(completion, data);
                // Without DCMI there is none, whatever the code.
                self.lacks.power_limit = limit.is_none();
                if limit.is_some() {
                    self.page.node_mut(&mut cx.spares).power_limit = limit;
                }
            }
            InFlight::Records => {
                // Other records, other sensors: the BMC is to be got acquainted with anew.
                let known = self.rare.known;
                if known.is_some_and(|known| contact::records_changed(known, completion, data)) {
                    self.round.contacted = false;
                    self.leave(cx, Stage::Round);
                }
            }
            _ => {
                self.lacks.log = lacking;
                let Ok(info) = decode::<GetSelInfo>(completion, data) else {
                    return;
                };
                if self.is_log_due(now, LogStamp::of(&info)) {
                    let since = self.rare.log;
                    let script = Script::new(|line| contact::follow_log(line, since));
                    self.talk = Some(Box::new(Talk::new(script)));
                }
            }
        }
    }
}
