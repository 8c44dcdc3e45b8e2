//! How time passes for a machine: a second at a time, when somebody looks.

use ipmi::time::Instant;

use super::{CATCH_UP_S, Identify, Machine, seconds};
use crate::host::{Activity, HostEvent};
use crate::physics::{Body, HostLoad};
use crate::profile::Model;

impl Machine {
    /// Moves a computer to `now`. Does nothing when it is there already, and nothing to an enclosure: see
    /// [`Self::advance_fed`].
    pub fn advance(&mut self, now: Instant) {
        let target_s = seconds(now);
        if target_s <= self.at_s || self.profile.model != Model::Node {
            return;
        }
        self.at_s = self.at_s.max(target_s.saturating_sub(CATCH_UP_S));
        while self.at_s < target_s {
            self.at_s += 1;
            self.step();
            if self.at_s == target_s || !self.is_quiet() {
                self.measure();
            }
            self.expire_identify();
        }
    }

    /// A second of it, all but its sensors.
    fn step(&mut self) {
        let mut events = Events::default();
        self.host.tick(self.at_s, &mut |event| events.push(event));
        self.report(&events);
        self.watch();
        let drive = self.controller().oem.drive();
        if let Body::Node(node) = &mut self.body {
            node.drive(drive);
            let load = match self.host.activity() {
                Activity::Off | Activity::Cycling { .. } => HostLoad::Off,
                Activity::Booting { .. } => HostLoad::Booting,
                Activity::Running | Activity::ShuttingDown { .. } => HostLoad::Running,
            };
            node.step(&self.identity.place, self.at_s, load, self.warmer_c);
        }
        self.power.note(self.at_s, self.power_w());
    }

    pub(super) fn expire_identify(&mut self) {
        if let Identify::Until(at_s) = self.identify
            && self.at_s >= at_s
        {
            self.identify = Identify::Off;
        }
    }
}

/// What the host did in one step, at most three things.
#[derive(Default)]
pub(super) struct Events(pub(super) [Option<HostEvent>; 4]);

impl Events {
    pub(super) fn push(&mut self, event: HostEvent) {
        if let Some(free) = self.0.iter_mut().find(|slot| slot.is_none()) {
            *free = Some(event);
        }
    }
}
