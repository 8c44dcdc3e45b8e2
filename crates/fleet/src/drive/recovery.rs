//! How a shard goes on whose engine has failed: the rules are those of [`crate::failure`].

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use super::{Driver, Mailbox, unix_ms};
use crate::engine::{Coming, OneByOne, Salvaged};
use crate::failure;
use crate::order::Order;

/// A BMC on its way to the shard with a socket for this address. That one waits for it, and is told in any case that it comes, or
/// that nobody does.
pub(super) struct HandOver {
    pub(super) place: u32,
    pub(super) address: SocketAddr,
    pub(super) coming: Option<Box<Coming>>,
    pub(super) to: Arc<Mailbox>,
}

impl Drop for HandOver {
    fn drop(&mut self) {
        self.to.put(Order::Arrive(self.place, self.coming.take()));
    }
}

impl Driver {
    /// Begins anew; whether that went well. An engine that fails while it takes BMCs up is one more that has failed.
    pub(super) fn recover(&mut self, mut cause: String) -> bool {
        for _ in 0..=failure::ANEW_MAX {
            let anew = panic::catch_unwind(AssertUnwindSafe(|| self.begin_anew(&cause)));
            match anew {
                Ok(goes_on) => return goes_on,
                Err(payload) => cause = failure::cause(&*payload),
            }
        }
        tracing::error!(cause, "a fleet thread failed, can't begin anew and ends");
        false
    }

    /// Takes the BMCs of an engine that has failed to a new one; `false` where that happened too often, and the thread ends.
    fn begin_anew(&mut self, cause: &str) -> bool {
        let now = self.clock.now();
        let node = self.engine.culprit();
        let node = node.as_ref().map_or("none", |node| node.as_str());
        self.engine.break_off(failure::BROKEN_OFF);
        if self.close_by.is_some() {
            tracing::error!(
                cause,
                node,
                "a fleet thread failed while it closed sessions; those left end at their BMCs' timeout"
            );
            return false;
        }
        if !self.failures.may_begin_anew(now) {
            tracing::error!(
                cause,
                node,
                "a fleet thread failed too often and ends; its BMCs are asked no more"
            );
            let coming = self.coming.iter().map(|coming| coming.place);
            let others = coming.chain(self.salvaged.iter().map(Salvaged::place));
            self.engine.give_up(unix_ms(), failure::GIVEN_UP, others);
            return false;
        }
        tracing::error!(
            cause,
            node,
            "a fleet thread failed and begins anew with all its BMCs; the one that it dealt with is left alone for a while"
        );
        self.report.keep(failure::figures_of_failed(&self.engine));
        let mut salvaged: VecDeque<_> = self.engine.salvage().into();
        if let Some(handing) = &mut self.handing {
            let index = salvaged.iter().position(|one| one.place() == handing.place);
            let coming = index.and_then(|index| salvaged.remove(index));
            handing.coming = coming.map(|one| Box::new(one.moved(handing.address)));
        }
        // Those that it has taken up go first: of two with one address, the other was refused.
        salvaged.append(&mut self.salvaged);
        self.salvaged = salvaged;
        self.handing = None;
        let mut engine = (self.make)(now);
        engine.set_port(self.port);
        self.engine = engine;
        self.engine.resume(now, OneByOne(&mut self.salvaged));
        true
    }
}
