//! What becomes of a slot whose BMC has another address, is to be treated in another way, or is another machine's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hardware::{EnclosureId, Identity, Indicator, Labels, Log, Power};
use ipmi::command::app::{GetDeviceGuid, GetSystemGuid, Guid};
use ipmi::console::Login;
use ipmi::number::CompletionCode;
use ipmi::quirk::Quirks;
use ipmi::time::Instant;

use super::session::reopen_pause;
use super::silence::Loss;
use super::{Context, InFlight, Lacks, Phase, Slot};
use crate::call::{Call, decode};
use crate::contact::{self, Marks, Said};
use crate::gate::Stage;
use crate::news;
use crate::schedule::{Breaker, Pace};
use crate::target::Treatment;
use crate::work::Hindrance;

/// Whether the BMC at the other end of a session is the one that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Who {
    /// It was not asked.
    #[default]
    NotAsked,
    /// It is, or nothing speaks against it.
    Known,
    /// It has another GUID or MAC address, or none where one is known. The contact is to find out more.
    Doubted,
}

/// By what a BMC shows that it is the one that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    /// Nothing of the kind is known.
    Nothing,
    /// Its own GUID.
    DeviceGuid(Guid),
    /// The machine's, where it has none of its own.
    SystemGuid(Guid),
    /// Its MAC address, where its GUID doesn't hold.
    Mac([u8; 6]),
    /// The serial numbers on its nameplates, where it tells no MAC address either: the contact of the session reads them.
    Contact,
}

/// The pause before a BMC is asked again who it is, where it didn't say and a command waits for that.
const IDENTITY_PAUSE: Duration = Duration::from_secs(1);

impl Slot {
    /// Shows other labels, and another enclosure, from now on.
    pub(crate) fn set_labels(
        &mut self,
        cx: &mut Context,
        enclosure: Option<EnclosureId>,
        labels: Arc<Labels>,
    ) {
        let node = self.page.node_mut(&mut cx.spares);
        (node.enclosure, node.labels) = (enclosure, labels);
        self.publish(cx);
    }

    /// Logs in with this from now on. A session that is open goes on: its BMC has accepted it. A BMC that can't be
    /// talked to is tried again soon, as if it had never refused.
    pub(crate) fn set_login(&mut self, cx: &mut Context, now: Instant, login: Arc<Login>) {
        self.rare.login = login;
        self.rare.login_is_new = true;
        if let Phase::Down { .. } = self.phase {
            self.try_again_soon(cx, now);
        }
    }

    /// Somebody wants something of it: where it is tried again only later, that is soon now. As often as that happens, it is left
    /// alone for a while after each log-in was begun, and one that an engine failed on for as long as it was to be.
    pub(super) fn hasten(&mut self, cx: &mut Context, now: Instant) {
        if let Phase::Down { retry_at } = self.phase {
            let soon = now.max(self.sent_at + self.rare.breaker.pause_min()) + reopen_pause(cx);
            self.phase = Phase::Down {
                retry_at: retry_at.min(soon),
            };
        }
    }

    /// Spread in time: very many BMCs may have one login.
    pub(super) fn try_again_soon(&mut self, cx: &mut Context, now: Instant) {
        self.rare.breaker = Breaker::default();
        self.phase = Phase::Down {
            retry_at: now + reopen_pause(cx),
        };
    }

    /// Its BMC is at this address from now on: the session that there was is given up, and a new one opened there. That it is the
    /// same BMC is seen by the contact of that session.
    pub(crate) fn set_address(&mut self, cx: &mut Context, now: Instant, address: SocketAddr) {
        self.hang_up(cx, now);
        self.address = address.into();
        self.rare.breaker = Breaker::default();
        // How it was heard there says nothing of how it is heard here.
        (self.rare.heard, self.rare.no_session_since) = (false, now);
        self.loss = Loss::default();
        self.phase = Phase::Down {
            retry_at: now + reopen_pause(cx),
        };
        let node = self.page.node_mut(&mut cx.spares);
        node.address = Some(address.ip());
        if node.identity.controller_port != Some(address.port()) {
            Arc::make_mut(&mut node.identity).controller_port = Some(address.port());
        }
        self.mark_stale(cx);
        self.publish(cx);
    }

    /// Its BMC has no address for now, for this reason: nothing is sent until it has one.
    pub(crate) fn park(&mut self, cx: &mut Context, now: Instant, reason: &str) {
        self.hang_up(cx, now);
        self.phase = Phase::Closed;
        self.down(cx, now, reason);
    }

    /// Gives up the session without a word: at its address is nobody now, or somebody else. Where the BMC still has it, the next
    /// contact closes it.
    pub(super) fn hang_up(&mut self, cx: &mut Context, now: Instant) {
        if self.phase == Phase::Up {
            cx.counters.sessions_left += 1;
            self.rare.left_open = self.rare.left_open.or_else(|| self.open_session(cx));
        }
        self.session.forget();
        self.in_flight = InFlight::Nothing;
        self.talk = None;
        self.wake = None;
        self.silent_since = None;
        self.leave_all(cx);
        if let Some(work) = &mut self.work {
            cx.counters.jobs_failed += work.session_lost(now);
        }
    }

    /// Polls it in this way from now on. What is known of it stays; its records are read again where deviations changed, since
    /// they may say something else with them.
    pub(crate) fn set_treatment(&mut self, cx: &mut Context, now: Instant, treatment: &Treatment) {
        let pacing = cx.pacing(treatment);
        let before = std::mem::replace(&mut self.rare.pacing, pacing);
        if before.poll_interval_ms != self.rare.pacing.poll_interval_ms {
            self.pace = Pace::new(now, self.poll_interval(), self.index, cx.slots);
        }
        if before != self.rare.pacing && self.round.contacted {
            self.set_passes(cx, now);
            self.publish(cx);
        }
        let gap = self.session.gap();
        self.session.set_gap(treatment.gap_ms);
        if before != self.rare.pacing || gap != self.session.gap() {
            self.hasten(cx, now);
        }
        if self.rare.quirks != treatment.quirks {
            self.set_quirks(cx, now, treatment.quirks);
        }
        self.tell_tightness(cx, now);
        self.proceed(cx, now);
    }

    fn set_quirks(&mut self, cx: &mut Context, now: Instant, quirks: Quirks) {
        let shown = self.session.quirks().except(self.rare.quirks);
        self.rare.quirks = quirks;
        self.session.set_quirks(shown.and(quirks));
        self.note_quirks(cx, now, Quirks::NONE);
        self.publish(cx);
        if !self.round.contacted {
            // It began with the others.
            self.talk = None;
        }
        self.rare.read_anew = true;
        self.rare.contact_at = now;
        self.round.contacted = false;
        self.leave(cx, Stage::Round);
        if let Phase::Down { .. } = self.phase {
            self.try_again_soon(cx, now);
        }
    }

    /// An operator's command is for one machine. Until the contact of a session has shown that it is the same one as before, the
    /// BMC is asked for its GUID first, where that is known, or for its MAC address, where that is what holds: whether it was asked
    /// now. `None` = nothing is in doubt.
    pub(super) fn identity_turn(&mut self, cx: &mut Context, now: Instant) -> Option<bool> {
        match self.round.who {
            Who::Known => None,
            Who::Doubted => Some(false),
            Who::NotAsked => {
                let call = match self.proof() {
                    Proof::Nothing => return None,
                    Proof::Contact => return Some(false),
                    Proof::DeviceGuid(_) => Call::of(&GetDeviceGuid),
                    Proof::SystemGuid(_) => Call::of(&GetSystemGuid),
                    Proof::Mac(_) => contact::identity::mac_call(),
                };
                let again_at = self.work.as_ref().and_then(|work| work.identify_at);
                if let Some(at) = again_at.filter(|at| *at > now) {
                    self.wake_by(at);
                    return Some(false);
                }
                self.send(cx, now, &call, InFlight::Identity);
                Some(true)
            }
        }
    }

    /// By what its board is known.
    pub(super) fn marks(&self) -> Marks {
        let node = self.page.node();
        Marks::of(&node.identity, &node.inventory)
    }

    /// By what a BMC shows that it is the one that is known.
    fn proof(&self) -> Proof {
        let Some(known) = self.rare.known else {
            return Proof::Nothing;
        };
        if let Some(guid) = contact::set(known.guid) {
            return Proof::DeviceGuid(guid);
        }
        if !known.is_unsteady {
            let uuid = self.page.node().identity.uuid;
            return uuid.map_or(Proof::Nothing, |uuid| {
                Proof::SystemGuid(Guid::from_rfc_4122(uuid.to_bytes()))
            });
        }
        let marks = self.marks();
        match marks.mac() {
            Some(mac) => Proof::Mac(mac),
            None if marks.are_blank() => Proof::Nothing,
            None => Proof::Contact,
        }
    }

    /// What keeps commands waiting, where any wait.
    pub(super) fn hindrance(&self) -> Hindrance {
        match (self.phase, self.round.who) {
            (Phase::Up, Who::Doubted) => Hindrance::Identity,
            (Phase::Up, Who::NotAsked) if self.proof() != Proof::Nothing => Hindrance::Identity,
            (Phase::Up, _) => Hindrance::Turn,
            _ => Hindrance::Session,
        }
    }

    /// The answer to that. Only what is known of it shows that it is the same machine: one that says none now, or not now, may
    /// be any.
    pub(super) fn identity_answered(
        &mut self,
        now: Instant,
        completion: CompletionCode,
        data: &[u8],
    ) {
        let doubts = |known: Guid, told: Result<Guid, _>| {
            let differs = |told| {
                contact::set(Some(told)).is_none_or(|told| contact::differ(Some(known), Some(told)))
            };
            told.map(differs)
        };
        let doubts = match self.proof() {
            Proof::DeviceGuid(guid) => doubts(guid, decode::<GetDeviceGuid>(completion, data)),
            Proof::SystemGuid(guid) => doubts(guid, decode::<GetSystemGuid>(completion, data)),
            Proof::Mac(mac) => {
                contact::identity::mac_answer(completion, data).map(|told| told != Some(mac))
            }
            // It is known by something else since it was asked.
            Proof::Contact | Proof::Nothing => return,
        };
        self.round.who = match contact::said(doubts) {
            Ok(Said::Told(false)) => Who::Known,
            Ok(Said::Told(true) | Said::HasNone) => Who::Doubted,
            Ok(Said::NotNow(_)) | Err(_) => Who::NotAsked,
        };
        if let Some(work) = &mut self.work {
            work.identify_at = Some(now + IDENTITY_PAUSE);
        }
    }

    /// Another machine answers: what was known was of the one before, and what was wished was meant for that.
    pub(super) fn start_over(&mut self, cx: &mut Context, now: Instant) {
        tracing::warn!(
            target: news::TARGET,
            node = %self.page.node().id,
            address = %self.address(),
            "another machine answers in place of this one: its GUID is another, or its MAC address or serial number where that doesn't hold"
        );
        if let Some(mut work) = self.work.take() {
            cx.counters.jobs_failed += work.session_lost(now);
            cx.counters.jobs_failed += work.unreachable("another machine answers in its place");
        }
        self.session.set_quirks(self.rare.quirks);
        self.lacks = Lacks::default();
        self.rare.log_clock_offset_s = 0;
        if let Some(memory) = &cx.memory {
            memory.forget_log(&self.page.node().id);
        }
        let node = self.page.node_mut(&mut cx.spares);
        node.identity = Arc::new(Identity::default());
        node.log = Arc::new(Log::default());
        (node.power, node.indicator) = (Power::Unknown, Indicator::Unknown);
        (node.boot, node.power_limit) = (None, None);
        node.read_at_ms = 0;
    }
}
