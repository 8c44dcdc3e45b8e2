//! What scans have found joins the fleet, and leaves it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Weak;
use std::time::{SystemTime, UNIX_EPOCH};

use fleet::Fleet;
use hardware::{Hardware, Link, NodeId};
use tokio::task::spawn_blocking;

use super::{Reload, Told};
use crate::config::TargetConfig;
use crate::inventory::{self, ListClash, Named};
use crate::resolve::Names;
use crate::scan::{Ended, Present, Report};

impl Reload {
    /// Takes what a scan has found: who is new joins, and who was silent for too long leaves.
    pub(super) async fn take_scan(&mut self, ended: Ended, fleet: &Weak<Fleet>, names: &Names) {
        let report = fleet.upgrade().and_then(|fleet| self.learn(ended, &fleet));
        let Some(report) = report else {
            return;
        };
        if let Some(saving) = self.scans.saving() {
            // It fails only where it panicked, which has been reported then.
            let _ = spawn_blocking(saving).await;
        }
        let named = match self.merged() {
            Ok(named) => named,
            Err(clash) => {
                tracing::error!("what a scan has found is left out: {}", clash.text);
                return;
            }
        };
        let is_found = |target: &&TargetConfig| self.scans.have_found(target);
        let operators = self.roll.operators();
        let (before, after) = (operators.targets.iter(), named.targets.iter());
        if before.filter(is_found).eq(after.filter(is_found)) {
            tracing::info!(
                target: "config",
                file = report.what,
                "a scan for BMCs has ended, and the fleet is as it was"
            );
            return;
        }
        let told = Told {
            what: &report.what,
            text: "a scan for BMCs has ended, and what it found holds from now on",
        };
        if let Err(error) = self.take(told, named, None, fleet, names).await {
            tracing::error!("what a scan has found is left out: {error}");
        }
    }

    fn learn(&mut self, ended: Ended, fleet: &Fleet) -> Option<Report> {
        let is_up = |id: &NodeId| {
            let node = fleet.node(id.as_str());
            node.is_some_and(|node| matches!(node.link, Link::Up))
        };
        let present = Present {
            at: &self.addresses(fleet),
            is_up: &is_up,
            now_s: now_s(),
        };
        self.scans.take(ended, &present)
    }

    /// Which machine is at each address; where several are, the one that is named rather than found.
    fn addresses(&self, fleet: &Fleet) -> HashMap<SocketAddr, NodeId> {
        let targets = self.roll.targets();
        let (found, named): (Vec<_>, Vec<_>) = targets
            .iter()
            .partition(|target| self.scans.have_found(target));
        let mut at = HashMap::with_capacity(found.len() + named.len());
        for target in named.into_iter().chain(found) {
            let node = fleet.node(target.id.as_str());
            if let Some(address) = node.and_then(|node| node.address) {
                let address = SocketAddr::new(address.to_canonical(), target.treatment.port);
                at.entry(address).or_insert_with(|| target.id.clone());
            }
        }
        at
    }

    /// The BMCs that the operator names, and those that are found where he has them looked for.
    pub(super) fn merged(&mut self) -> Result<Named, ListClash> {
        let mut named = inventory::merged(&self.config, &self.lists)?;
        let scans = self.scans.configs();
        self.scans.join(&scans, &mut named, self.roll.pushed());
        Ok(named)
    }
}

/// The second of the Unix epoch; 0 where the clock stands before it.
fn now_s() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}
