//! What goes along where another slot, of this engine or of another one, goes on with a BMC.

use std::net::SocketAddr;
use std::sync::Arc;

use hardware::Link;
use ipmi::time::Instant;

use super::{Context, Phase, Slot};
use crate::memory::Remembered;
use crate::target::{Target, Treatment};

/// What another slot needs to go on with a BMC: as after a restart, but nothing is read from a file.
#[derive(Debug)]
pub(crate) struct Carried {
    pub(crate) target: Target,
    pub(crate) remembered: Option<Box<Remembered>>,
    /// When it is tried again, where it is down.
    pub(crate) not_before: Option<Instant>,
    /// Why nothing is sent to it, where another one has its address.
    pub(crate) silenced: Option<String>,
}

impl Carried {
    /// Of a BMC that begins afresh: nothing but what it is to be asked as.
    pub(crate) const fn afresh(target: Target) -> Self {
        Self {
            target,
            remembered: None,
            not_before: None,
            silenced: None,
        }
    }
}

impl Slot {
    /// As what its BMC is asked.
    pub(crate) fn target(&self) -> Target {
        let node = self.page.node();
        Target {
            id: node.id.clone(),
            kind: node.kind,
            address: Some(self.address()),
            login: Arc::clone(&self.rare.login),
            enclosure: node.enclosure.clone(),
            labels: Arc::clone(&node.labels),
            treatment: Treatment {
                quirks: self.rare.quirks,
                poll_interval_ms: Some(self.rare.pacing.poll_interval_ms),
                sensor_intervals: *self.rare.pacing.intervals,
                gap_ms: u16::try_from(self.session.gap().as_millis()).unwrap_or(u16::MAX),
            },
        }
    }

    /// What another slot needs to go on with its BMC.
    pub(crate) fn carried(&self, cx: &Context) -> Carried {
        let node = self.page.node();
        let own_session = || self.open_session(cx).filter(|_| self.phase == Phase::Up);
        let remembered = self.rare.known.zip(self.plan.as_ref());
        let remembered = remembered.map(|(known, plan)| Remembered {
            address: self.address().ip(),
            known,
            suite: self.session.proven_suite(),
            plan: Arc::clone(plan),
            read_anew: self.rare.read_anew || self.rare.is_partial,
            identity: Arc::clone(&node.identity),
            inventory: Arc::clone(&node.inventory),
            log: self.rare.log.position().copied(),
            session: self.rare.left_open.or_else(own_session),
        });
        let is_parked = self.phase == Phase::Closed && !self.leaves;
        let silenced = self.why_down().filter(|_| is_parked);
        Carried {
            target: self.target(),
            remembered: remembered.map(Box::new),
            not_before: match self.phase {
                Phase::Down { retry_at } => Some(retry_at),
                _ => None,
            },
            silenced: silenced.map(str::to_owned),
        }
    }

    /// Why its BMC is down, as its node shows.
    pub(crate) fn why_down(&self) -> Option<&str> {
        match &self.page.node().link {
            Link::Down { reason, .. } => Some(reason),
            Link::Connecting | Link::Up => None,
        }
    }

    /// Its BMC is at this address now, which is another engine's business: the session is given up, and who waits for it is told.
    pub(crate) fn leave_for(&mut self, cx: &mut Context, now: Instant, address: SocketAddr) {
        self.hang_up(cx, now);
        if let Some(mut work) = self.work.take() {
            cx.counters.jobs_failed += work.unreachable("its BMC has another address now");
        }
        self.address = address.into();
        let node = self.page.node_mut(&mut cx.spares);
        node.address = Some(address.ip());
        if node.identity.controller_port != Some(address.port()) {
            Arc::make_mut(&mut node.identity).controller_port = Some(address.port());
        }
        self.go_stale(cx);
    }

    /// Tells those who wait for commands that nobody goes on with them; how many failed.
    pub(crate) fn break_off(&mut self, reason: &str) -> u64 {
        self.work.take().map_or(0, |work| work.break_off(reason))
    }

    /// Shows that nothing was read lately.
    pub(crate) fn go_stale(&mut self, cx: &mut Context) {
        self.mark_stale(cx);
        self.publish(cx);
    }
}

#[cfg(test)]
mod tests {
    use ipmi::command::app::Guid;

    use super::*;

    impl Slot {
        /// Comes to know its BMC by this, which nobody else hears of.
        pub(crate) fn half_done(&mut self, guid: Guid) {
            if let Some(known) = &mut self.rare.known {
                known.guid = Some(guid);
            }
        }
    }
}
