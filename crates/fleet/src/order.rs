//! What other threads want of a shard's engine.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use hardware::{ApplyError, EnclosureId, Labels, Node};
use ipmi::console::Login;

use crate::drive::Mailbox;
use crate::engine::Coming;
use crate::target::Treatment;
use crate::work::Job;

/// What other threads want of an engine, whose nodes they know by their places.
#[derive(Debug)]
pub(crate) enum Order {
    /// An operator command.
    Job(u32, Job),
    /// BMCs to be taken up.
    Add(Vec<Coming>),
    /// A BMC to be let go of, and what observers are told as its last snapshot.
    Remove(u32, Option<Arc<Node>>),
    /// Another login.
    Login(u32, Arc<Login>),
    /// Another address, or why it has none for now.
    Address(u32, Result<SocketAddr, String>),
    /// Another way to be polled.
    Treatment(u32, Treatment),
    /// What a node sits in, and its labels.
    Labels(u32, Option<EnclosureId>, Arc<Labels>),
    /// A BMC that is at this address now, for which another shard has the socket: it is to go there.
    HandOver(u32, SocketAddr, Arc<Mailbox>),
    /// The other shard is told before: a BMC is on its way.
    Await(u32),
    /// There it is; `None` where the shard before didn't have it.
    Arrive(u32, Option<Box<Coming>>),
    /// A failure of the engine itself while it deals with this BMC.
    #[cfg(test)]
    Fail(u32),
}

impl Order {
    /// The place that it is about, where that is one.
    const fn place(&self) -> Option<u32> {
        match self {
            Self::Job(place, _)
            | Self::Remove(place, _)
            | Self::Login(place, _)
            | Self::Address(place, _)
            | Self::Treatment(place, _)
            | Self::Labels(place, ..)
            | Self::HandOver(place, ..) => Some(*place),
            Self::Add(_) | Self::Await(_) | Self::Arrive(..) => None,
            #[cfg(test)]
            Self::Fail(place) => Some(*place),
        }
    }
}

/// BMCs that are on their way here from another shard, and what is ordered of them meanwhile, which waits for them. There is no
/// more of it than the configuration of the fleet has changes.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    waiting: HashMap<u32, Vec<Order>>,
    /// Commands that were not taken.
    jobs_refused: u64,
}

impl Arrivals {
    /// A BMC is on its way.
    pub(crate) fn await_one(&mut self, place: u32) {
        self.waiting.entry(place).or_default();
    }

    /// It is there: what was ordered of it meanwhile.
    pub(crate) fn arrived(&mut self, place: u32) -> Vec<Order> {
        self.waiting.remove(&place).unwrap_or_default()
    }

    /// Commands that were not taken, because their BMC was on its way.
    pub(crate) const fn jobs_refused(&self) -> u64 {
        self.jobs_refused
    }

    /// What of an order can be carried out now. An operator need not wait for a BMC on its way: the command fails.
    pub(crate) fn sift(&mut self, order: Order) -> Option<Order> {
        if self.waiting.is_empty() {
            return Some(order);
        }
        match order {
            // It may have the place of one that is on its way and was removed.
            Order::Add(coming) => {
                let (later, now): (Vec<_>, _) = coming
                    .into_iter()
                    .partition(|coming| self.waiting.contains_key(&coming.place));
                for coming in later {
                    let waiting = self.waiting.entry(coming.place).or_default();
                    waiting.push(Order::Add(vec![coming]));
                }
                Some(Order::Add(now))
            }
            order => {
                let waiting = order.place().and_then(|place| self.waiting.get_mut(&place));
                match (waiting, order) {
                    (None, order) => Some(order),
                    (Some(_), Order::Job(_, job)) => {
                        self.jobs_refused += 1;
                        job.outcome.tell(Err(ApplyError::Busy));
                        None
                    }
                    (Some(waiting), order) => {
                        waiting.push(order);
                        None
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hardware::{Change, NodeId, PowerAction};

    use super::*;
    use crate::outcome::{Outcome, outcome};

    fn job(place: u32) -> (Order, Outcome) {
        let (sender, told) = outcome();
        let job = Job {
            node: NodeId::new("n1").unwrap(),
            change: Change::Power(PowerAction::On),
            outcome: sender,
        };
        (Order::Job(place, job), told)
    }

    #[test]
    fn commands_for_a_bmc_on_its_way_are_refused_and_counted_and_all_else_waits_for_it() {
        let mut arrivals = Arrivals::default();
        arrivals.await_one(1);
        let (order, told) = job(1);
        assert!(arrivals.sift(order).is_none());
        assert_eq!(told.try_take(), Some(Err(ApplyError::Busy)));
        assert_eq!(arrivals.jobs_refused(), 1);
        assert!(arrivals.sift(job(2).0).is_some());
        assert!(arrivals.sift(Order::Remove(1, None)).is_none());
        assert_eq!(arrivals.arrived(1).len(), 1);
        assert!(arrivals.sift(job(1).0).is_some());
        assert_eq!(arrivals.jobs_refused(), 1);
    }
}
