//! Whose turn it is to ask the BMC, and who gets the answer.

use std::sync::Arc;
use std::time::Duration;

use ipmi::console::{RequestTarget, State};
use ipmi::number::CompletionCode;
use ipmi::quirk::{Quirk, Quirks};
use ipmi::time::Instant;

use super::change::Who;
use super::round::RECORDS_AGAIN;
use super::{Context, InFlight, Phase, Slot};
use crate::call::{Call, CallError};
use crate::contact::left_open::LeftOpen;
use crate::contact::log::{LogRead, Since};
use crate::contact::{self, Contacted, Finding, Marks, Shown};
use crate::gate::Stage;
use crate::memory::Contact;
use crate::script::{Answer, Script};
use crate::talk::{Talk, Turn};
use crate::work::Finished;
use crate::{convert, job};

/// The pause before a first contact that failed is tried again in the same session, before jitter. Where the BMC puts us off it is
/// twice as long each time, up to [`RECORDS_AGAIN`].
const CONTACT_PAUSE: Duration = Duration::from_secs(30);

/// How often a log is looked behind its last entry though its stamp is the one of before, before jitter: in a full log an entry that
/// comes in the second of another one changes none (§31.2), nor does any where the clock stands still.
const LOG_LOOK_EVERY: Duration = Duration::from_secs(600);

/// How long an operator command counts as under way after each of its questions: longer than most BMCs take to answer.
const HURRY: Duration = Duration::from_secs(1);

impl Slot {
    /// Asks what is to be asked next, if nothing is in flight, no keep-alive either.
    pub(super) fn proceed(&mut self, cx: &mut Context, now: Instant) {
        self.wake = None;
        if self.phase == Phase::Up && !self.session.keeps_alive() {
            self.ask_next(cx, now);
        }
    }

    /// A keep-alive has waited for its answer in vain: what is due is asked in its place. Only then, for two commands at a time
    /// are too many for some BMCs.
    pub(super) fn goes_before_keep_alive(&mut self, cx: &mut Context, now: Instant) -> bool {
        if self.phase != Phase::Up || !self.session.keeps_alive() {
            return false;
        }
        self.wake = None;
        self.ask_next(cx, now);
        !self.session.keeps_alive()
    }

    fn ask_next(&mut self, cx: &mut Context, now: Instant) {
        // What is asked is chosen when it may be sent: an operator command may come before that.
        if self.rests(cx, now) {
            return;
        }
        while self.phase == Phase::Up
            && self.in_flight == InFlight::Nothing
            && self.session.state() == State::Established
        {
            if self.probe_turn(cx, now) {
                break;
            }
            let talk_first = !self.talked;
            let work_last = self.work.as_ref().is_some_and(|work| work.gives_way());
            let asked = !work_last && self.work_turn(cx, now)
                || talk_first && self.talk_turn(cx, now)
                || self.round_turn(cx, now)
                || self.talk_turn(cx, now)
                || work_last && self.work_turn(cx, now);
            if !asked {
                break;
            }
        }
    }

    pub(super) fn wake_by(&mut self, at: Instant) {
        self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
    }

    /// Something other than a job is asked.
    pub(super) fn gave_way(&mut self) {
        if let Some(work) = &mut self.work {
            work.gave_way();
        }
    }

    pub(super) fn send(&mut self, cx: &mut Context, now: Instant, call: &Call, who: InFlight) {
        let target = RequestTarget {
            netfn: call.netfn,
            cmd: call.cmd,
            lun: call.lun,
        };
        self.in_flight = who;
        (self.sent, self.resent) = (false, false);
        cx.counters.commands += 1;
        if who != InFlight::Job {
            self.gave_way();
        }
        if self
            .session
            .request_raw(now, target, call.data(), call.idempotent)
            .is_err()
        {
            // Longer than this BMC's payload limit: as good as refused, now and ever.
            self.answered(cx, now, Some((CompletionCode::REQUEST_LENGTH_INVALID, &[])));
        }
    }

    /// The question in flight has its answer, or will have none.
    pub(super) fn answered(
        &mut self,
        cx: &mut Context,
        now: Instant,
        reply: Option<(CompletionCode, &[u8])>,
    ) {
        let who = std::mem::replace(&mut self.in_flight, InFlight::Nothing);
        let as_answer = || match reply {
            Some((completion, data)) => Answer::Reply {
                completion,
                data: data.to_vec(),
                at: now,
            },
            None => Answer::Unanswered,
        };
        match who {
            InFlight::Nothing | InFlight::Probe => {}
            InFlight::Sensor(item) => self.sensor_answered(cx, item, reply),
            InFlight::Job => {
                if let Some(work) = &mut self.work {
                    work.answer(as_answer());
                }
            }
            InFlight::Identity => {
                if let Some((completion, data)) = reply {
                    self.identity_answered(now, completion, data);
                }
            }
            InFlight::Talk => {
                if let Some(talk) = &mut self.talk {
                    match reply {
                        Some(_) => talk.answer(as_answer()),
                        None => talk.ask_again(),
                    }
                }
            }
            InFlight::Chassis
            | InFlight::LogInfo
            | InFlight::Boot
            | InFlight::Records
            | InFlight::PowerLimit => {
                if let Some((completion, data)) = reply {
                    self.round_answered(cx, now, who, completion, data);
                }
            }
        }
    }

    fn work_turn(&mut self, cx: &mut Context, now: Instant) -> bool {
        if self.work.as_ref().is_some_and(|work| work.has_questions())
            && let Some(asked) = self.identity_turn(cx, now)
        {
            return asked;
        }
        let Some(work) = &mut self.work else {
            return false;
        };
        let turn = work.turn(now, &self.rare.log);
        if work.reads_log() && self.round.contacted {
            // What a talk of our own reads of the log would be told twice.
            self.talk = None;
        }
        for read in work.take_shown() {
            self.log_read(cx, now, read);
        }
        match turn {
            Some(Turn::Send(call)) => {
                cx.hurried_until = now + HURRY;
                self.send(cx, now, &call, InFlight::Job);
            }
            Some(Turn::Done(finished)) => self.job_done(cx, now, finished),
            Some(Turn::Reopen) => self.reopen(cx, now),
            Some(Turn::Pause(until)) => {
                self.wake_by(until);
                return false;
            }
            None if self.work.as_ref().is_some_and(|work| work.is_empty()) => {
                self.work = None;
                return false;
            }
            None | Some(Turn::Waits) => return false,
        }
        true
    }

    fn job_done(&mut self, cx: &mut Context, now: Instant, mut finished: Finished) {
        match finished.done.outcome {
            Ok(()) => cx.counters.jobs_done += 1,
            Err(_) => cx.counters.jobs_failed += 1,
        }
        let observed = std::mem::take(&mut finished.done.observed);
        let names_changed = observed.network.is_some()
            || observed.asset_tag.is_some()
            || observed.controller_name.is_some();
        let node = self.page.node_mut(&mut cx.spares);
        if let Some(status) = &observed.status {
            node.power = job::power_of(status);
            node.indicator = job::indicator_of(status);
        }
        node.boot = observed.boot.or(node.boot);
        if let Some(mut network) = observed.network {
            let identity = Arc::make_mut(&mut node.identity);
            let before = identity.network.and_then(|network| network.mac);
            network.mac = network.mac.or(before);
            identity.network = Some(network);
        }
        if let Some(tag) = observed.asset_tag {
            Arc::make_mut(&mut node.identity).asset_tag = tag.map(Into::into);
        }
        if let Some(name) = observed.controller_name {
            Arc::make_mut(&mut node.identity).controller_name = name.map(Into::into);
        }
        if let Some(firmware) = observed.firmware {
            let identity = Arc::make_mut(&mut node.identity);
            identity.controller_firmware = Some(firmware.controller);
            identity.firmware = firmware.components;
            // Other firmware may have other records: the BMC is to be got acquainted with anew. It is the same one all the same:
            // by what is known of it that is seen.
            self.rare.read_anew = true;
            self.round.contacted = false;
            self.rare.contact_at = now;
        }
        let power = node.power;
        if names_changed {
            self.remember(cx);
        }
        self.publish(cx);
        let session_ends = finished.done.session_ends;
        let noticed = finished.done.noticed;
        if !noticed.is_empty() {
            self.note_quirks(cx, now, noticed);
        }
        if let Some(work) = &mut self.work {
            work.settle(finished, power);
        }
        if session_ends {
            self.reopen(cx, now);
        } else if !self.round.contacted {
            self.leave(cx, Stage::Round);
        }
    }

    fn talk_turn(&mut self, cx: &mut Context, now: Instant) -> bool {
        if self.talk.is_none() && !self.begin_contact(cx, now) {
            return false;
        }
        // A contact, which holds records in memory.
        if !self.round.contacted && !self.enter_again(cx, Stage::Contact) {
            return false;
        }
        let Some(talk) = &mut self.talk else {
            return false;
        };
        match talk.turn(now) {
            Turn::Send(call) => {
                self.talked = true;
                self.send(cx, now, &call, InFlight::Talk);
            }
            Turn::Done(finding) => {
                let noticed = talk.noticed();
                self.talk = None;
                self.found(cx, now, finding, noticed);
            }
            Turn::Pause(until) => {
                self.wake_by(until);
                return false;
            }
            // No talk of the engine's own restarts its BMC.
            Turn::Waits | Turn::Reopen => return false,
        }
        true
    }

    /// Begins the first contact of a session, where it is still to be made: of a BMC that is known already, a look
    /// whether it is still the same.
    fn begin_contact(&mut self, cx: &mut Context, now: Instant) -> bool {
        if self.round.contacted {
            return false;
        }
        if self.rare.contact_at > now {
            self.wake_by(self.rare.contact_at);
            return false;
        }
        if !self.enter(cx, Stage::Contact) {
            return false;
        }
        let (plans, known) = (Arc::clone(&cx.plans), self.rare.known);
        // Tried once: a BMC may end the session over it.
        let left_open = self.rare.left_open.take().map(|earlier| LeftOpen {
            node: self.page.node().id.clone(),
            earlier,
            own: self.open_session(cx),
        });
        let about = contact::About {
            address: self.address(),
            quirks: self.rare.quirks,
            recalled: self.rare.recalled,
            anew: self.rare.read_anew,
            uuid: self.page.node().identity.uuid,
            marks: known
                .filter(|known| known.is_unsteady)
                .map(|_| Box::new(self.marks())),
            left_open,
            memory: cx.memory.clone(),
            shown: match self.plan {
                None => Shown::Nothing,
                Some(_) if self.rare.is_partial => Shown::Part,
                Some(_) => Shown::All,
            },
            put_off: self.rare.put_off,
            unmet: self.rare.unmet,
        };
        let script = Script::new(|line| contact::contact(line, plans, known, about));
        self.talk = Some(Box::new(Talk::new(script)));
        true
    }

    fn found(&mut self, cx: &mut Context, now: Instant, finding: Finding, noticed: Quirks) {
        self.leave(cx, Stage::Contact);
        match finding {
            Finding::Unchanged => {
                (self.rare.put_off, self.rare.unmet) = (0, 0);
                self.begin_rounds(cx, now);
            }
            Finding::Recognized(mut identity) => {
                (self.rare.put_off, self.rare.unmet) = (0, 0);
                self.keep_told(&mut identity);
                self.rare.recalled = false;
                if *identity != *self.page.node().identity {
                    self.identified(cx, identity);
                    self.remember(cx);
                }
                self.up(cx, now);
                self.publish(cx);
                self.begin_rounds(cx, now);
            }
            Finding::PutOff { same, why } => {
                self.is_put_off(cx, now, &why);
                match same {
                    true => self.begin_rounds_of_unnamed(cx, now),
                    false => self.down(cx, now, &format!("first contact failed: {why}")),
                }
            }
            Finding::Unmet(why) => {
                let times = self.rare.unmet;
                self.rare.unmet = times.saturating_add(1);
                self.ask_again(cx, now, times, &why);
                self.begin_rounds_of_unnamed(cx, now);
            }
            Finding::Contact(contacted) => self.acquainted(cx, now, *contacted, noticed),
            Finding::Log(Ok(log)) => {
                self.log_followed(cx, now, log);
                self.note_quirks(cx, now, noticed);
            }
            Finding::Log(Err(error)) => self.log_failed(cx, now, error),
            Finding::Failed(error) => {
                cx.counters.contacts_failed += 1;
                self.rare.contact_at = now + cx.jitter.around(CONTACT_PAUSE);
                self.down(cx, now, &format!("first contact failed: {error}"));
            }
        }
    }

    /// Whether what was met is certainly another machine's BMC than the one that is known, and whether it is the same one though its
    /// GUID is another.
    fn is_another(&self, met: &Contacted) -> (bool, bool) {
        let Some(known) = self.rare.known else {
            return (false, false);
        };
        let node = self.page.node();
        let before = Marks::of(&node.identity, &node.inventory);
        let now = Marks::of(&met.identity, &met.inventory);
        if known.is_unsteady {
            return (met.is_another_board || before.differ(&now), false);
        }
        if met.known.is_unsteady {
            // It had one that held; unless the operator says that it doesn't, only its board shows that it is the same.
            let is_same = match self.rare.quirks.has(Quirk::GuidUnsteady) {
                true => !before.differ(&now),
                false => before.agree(&now),
            };
            let had_one = contact::set(known.guid).is_some() || node.identity.uuid.is_some();
            return (had_one && !is_same, false);
        }
        let differs = contact::is_another(
            (known.guid, node.identity.uuid),
            (met.known.guid, met.identity.uuid),
        );
        let is_same_board = differs && before.agree(&now);
        (differs && !is_same_board, is_same_board)
    }

    /// All about a BMC is known: of the one that was known before, or of another.
    fn acquainted(
        &mut self,
        cx: &mut Context,
        now: Instant,
        mut contacted: Contacted,
        mut noticed: Quirks,
    ) {
        self.rare.recalled = false;
        self.rare.unmet = 0;
        self.rare.is_partial = contacted.partial;
        match contacted.partial {
            true => self.is_put_off(cx, now, "not all of its records can be read"),
            false => self.rare.put_off = 0,
        }
        if let Some(inventory) = Arc::get_mut(&mut contacted.inventory) {
            cx.texts.inventory(inventory);
        }
        cx.counters.contacts += 1;
        cx.counters.repositories_cut += u64::from(contacted.cut);
        cx.counters.records_ignored += contacted.plan.ignored_records as u64;
        let (is_another, holds_no_guid) = self.is_another(&contacted);
        if holds_no_guid {
            // It has another GUID whenever it starts.
            noticed = noticed.with(Quirk::GuidUnsteady);
            contacted.forget_guid();
        }
        if is_another {
            self.start_over(cx, now);
        }
        // Of another machine nothing of the log is known; of the same one, names in it may have changed.
        self.rare.log = self.rare.log.to_be_read_anew(!is_another);
        self.rare.read_anew = false;
        self.rare.known = Some(contacted.known);
        self.rare.records_again_at = now + cx.jitter.around(RECORDS_AGAIN);
        self.up(cx, now);
        self.keep_told(&mut contacted.identity);
        self.identified(cx, contacted.identity);
        let node = self.page.node_mut(&mut cx.spares);
        let before = std::mem::replace(&mut node.inventory, contacted.inventory);
        // Readings of the same sensors hold until they are read again: nothing has happened to them.
        let stay = !is_another
            && before.sensors == node.inventory.sensors
            && self
                .plan
                .as_ref()
                .is_some_and(|plan| plan.scales == contacted.plan.scales);
        if !stay {
            let sensors = node.inventory.sensors.len();
            self.page.blank_readings(&contacted.plan.scales, sensors);
        }
        self.plan = Some(contacted.plan);
        self.note_quirks(cx, now, noticed);
        self.remember(cx);
        match is_another {
            true => self.publish_another(cx),
            false => self.publish(cx),
        }
        self.begin_rounds(cx, now);
    }

    /// The BMC is polled as the one that it was, though it has not said so.
    fn begin_rounds_of_unnamed(&mut self, cx: &mut Context, now: Instant) {
        self.begin_rounds(cx, now);
        self.round.who = Who::NotAsked;
    }

    /// The BMC is asked again later who it is and what it has.
    fn is_put_off(&mut self, cx: &mut Context, now: Instant, why: &str) {
        let times = self.rare.put_off;
        self.rare.put_off = times.saturating_add(1);
        self.ask_again(cx, now, times, why);
    }

    /// The same where it was put off so often before.
    fn ask_again(&mut self, cx: &mut Context, now: Instant, times: u8, why: &str) {
        cx.counters.contacts_failed += 1;
        let pause = CONTACT_PAUSE * 2_u32.saturating_pow(times.into());
        self.rare.contact_at = now + cx.jitter.around(pause.min(RECORDS_AGAIN));
        let (node, address) = (&self.page.node().id, &self.address);
        tracing::debug!(%node, %address, why, "BMC asks for patience: it is asked again");
    }

    /// The BMC says who it is.
    fn identified(&mut self, cx: &mut Context, mut identity: Arc<hardware::Identity>) {
        if let Some(identity) = Arc::get_mut(&mut identity) {
            cx.texts.identity(identity);
            // Many machines are named alike in all places.
            let id = self.page.node().id.text();
            let named = [
                &mut identity.host_name,
                &mut identity.controller_name,
                &mut identity.asset_tag,
            ];
            for name in named.into_iter().flatten().filter(|name| **name == *id) {
                name.clone_from(id);
            }
        }
        self.page.node_mut(&mut cx.spares).identity = identity;
    }

    /// Sees to it that the next run knows this BMC.
    fn remember(&self, cx: &Context) {
        if self.rare.is_partial {
            return;
        }
        let repository = self.plan.as_ref().and_then(|plan| plan.repository.get());
        if let (Some(memory), Some(repository), Some(known)) =
            (&cx.memory, repository, self.rare.known)
        {
            let node = self.page.node();
            let contact = Contact {
                address: self.address(),
                repository: *repository,
                known,
                suite: self.session.suite(),
                identity: Arc::clone(&node.identity),
                inventory: Arc::clone(&node.inventory),
            };
            memory.remember(&node.id, &contact);
        }
    }

    /// Looked at again when its stamp says so, and now and then in any case.
    fn log_followed(&mut self, cx: &mut Context, now: Instant, read: LogRead) {
        self.rare.log_failures = 0;
        self.rare.log_again_at = now + cx.jitter.around(LOG_LOOK_EVERY);
        self.log_read(cx, now, read);
    }

    /// Told once; tried again after a while, which is twice as long each time.
    fn log_failed(&mut self, cx: &mut Context, now: Instant, error: CallError) {
        cx.counters.logs_failed += 1;
        let pause = CONTACT_PAUSE * 2_u32.saturating_pow(self.rare.log_failures.into());
        self.rare.log_again_at = now + cx.jitter.around(pause.min(LOG_LOOK_EVERY));
        if self.rare.log_failures == 0 && cx.news.log_fails(now) {
            let (node, address) = (&self.page.node().id, &self.address);
            tracing::warn!(%node, %address, %error, "the event log can't be read; it is tried again");
        }
        self.rare.log_failures = self.rare.log_failures.saturating_add(1);
    }

    /// What is new is shown at once. As news it goes into the journal, with how far the log was read.
    fn log_read(&mut self, cx: &mut Context, now: Instant, read: LogRead) {
        cx.counters.log_entries += read.records.len() as u64;
        cx.counters.log_entries_unreadable += u64::from(read.unreadable);
        if read.unreadable > 0 && cx.news.log_fails(now) {
            let (node, address) = (&self.page.node().id, &self.address);
            let (entries, last) = (read.unreadable, read.position.last_unreadable);
            let last = last.map(|id| id.0);
            tracing::warn!(%node, %address, entries, last, "entries of the event log can't be read and are stepped over");
        }
        let before = std::mem::replace(&mut self.rare.log, Since::Read(read.position));
        if let Some(ahead_s) = read.clock.ahead_s(|at| cx.unix_ms(at) / 1_000) {
            self.rare.log_clock_offset_s = i32::try_from(ahead_s).unwrap_or(0);
        }
        // Without a plan, entries name no sensors.
        let plan = self.plan.clone().unwrap_or_default();
        let offset_s = i64::from(self.rare.log_clock_offset_s);
        let node = self.page.node_mut(&mut cx.spares);
        node.log = cx
            .texts
            .log(convert::log(&node.log, &read, offset_s, &plan));
        self.publish(cx);
        // Looked at every few minutes and nothing found: no reason to write to a disk.
        let is_remembered = before.position() == Some(&read.position) && !read.has_news();
        if let Some(memory) = &cx.memory
            && !is_remembered
        {
            // Of a node that is replaced, the one that has its place reads on from what is remembered: no entry is news of both.
            let is_ours = || self.page.is_seen(&cx.board);
            memory.remember_log_if(&self.page.node().id, &read, is_ours);
        }
    }
}
