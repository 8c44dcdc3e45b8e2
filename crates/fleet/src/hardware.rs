//! A fleet as a source of machines: snapshots out, changes in.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::hardware::{
    ApplyError, ApplyFuture, Change, EnclosureId, Hardware, Labels, Link, LogJournal, Node, NodeId,
    Observer, Topology, Update,
};
use arc_swap::ArcSwap;
use ipmi::console::Login;

use crate::counters::Counters;
use crate::crew::Crew;
use crate::drive::{Running, StartError};
use crate::figures::Figures;
use crate::memory::{Memory, Remembered};
use crate::order::Order;
use crate::outcome::outcome;
use crate::shared::{self, Shared};
use crate::target::{Config, Target, Treatment};
use crate::work::Job;

/// Very many IPMI BMCs, polled by threads of its own. Dropped, it is [closed](Self::close).
#[derive(Debug)]
pub struct Fleet {
    shared: Shared,
    topology: ArcSwap<Topology>,
    /// Held while BMCs come and go, beside the crew, which is free for commands while what is remembered is fetched.
    changing: Mutex<()>,
    /// Who knows a node's place knows it for as long as this is held.
    crew: Mutex<Crew>,
}

/// What [`Fleet::change`] changes.
#[derive(Debug, Default)]
pub struct Changes {
    /// BMCs that are part of the fleet no longer.
    pub remove: Vec<NodeId>,
    /// Those of them that only stand aside, and may come back whenever: what is remembered of them stays.
    pub resting: Vec<NodeId>,
    /// BMCs that are part of it from now on. One whose name is removed too takes the place of that one: at the same
    /// address observers are told of a machine that changes, at another one (or one that is not known yet) of another machine
    /// that has the name now.
    pub add: Vec<Target>,
    /// What else machines sit in, and their labels.
    pub labels: Vec<(NodeId, Option<EnclosureId>, Arc<Labels>)>,
    /// Machines that are polled in another way. What is known of them stays, and so do commands that are under way.
    pub treatments: Vec<(NodeId, Treatment)>,
    /// The enclosures, where they change.
    pub topology: Option<Arc<Topology>>,
}

impl Fleet {
    /// Starts to poll.
    ///
    /// # Errors
    /// The configuration is out of bounds, or the system has no socket or thread left.
    pub fn start(config: &Config) -> Result<Self, StartError> {
        config.check()?;
        let memory = config.memory.as_deref().map(Memory::open).transpose()?;
        let shared = Shared::with_memory(memory.map(Arc::new));
        let fleet = Self {
            crew: Mutex::new(Crew::new(config.without_targets(), shared.clone())),
            changing: Mutex::default(),
            shared,
            topology: ArcSwap::new(Arc::clone(&config.topology)),
        };
        fleet.change(Changes {
            add: config.targets.clone(),
            ..Changes::default()
        })?;
        Ok(fleet)
    }

    /// Takes BMCs up and lets others go, without disturbing the rest. Readers see all of it at once; sessions are closed and
    /// opened in the background. A name that isn't there, and a new one that is there already, are left out.
    ///
    /// Blocks: what is remembered of new BMCs comes from a file.
    ///
    /// # Errors
    /// The shards are full, the system has no socket or thread left, or the fleet is closed; then nothing changed.
    pub fn change(&self, mut changes: Changes) -> Result<(), StartError> {
        let _alone = lock(&self.changing);
        let remove: HashSet<&NodeId> = changes.remove.iter().collect();
        let mut names = HashSet::new();
        changes.add.retain(|target| {
            let is_there = self.shared.board.place(target.id.as_str()).is_some();
            (!is_there || remove.contains(&target.id)) && names.insert(target.id.clone())
        });
        let known = self.known(&changes);
        let mut crew = self.crew();
        crew.make_room(&changes)?;
        if let Some(topology) = changes.topology {
            self.topology.store(topology);
            self.shared.board.tell(&Update::Topology);
        }
        if let Some(memory) = &self.shared.memory {
            let resting: HashSet<&NodeId> = changes.resting.iter().collect();
            let leaving = changes.remove.iter().filter(|id| !resting.contains(id));
            shared::forget(memory, leaving, &changes.add);
        }
        let moves = self.shared.enter(&changes.remove, &changes.add, known);
        crew.move_all(moves, changes.add);
        for (id, treatment) in changes.treatments {
            if let Some(place) = self.shared.board.place(id.as_str()) {
                crew.order(place, Order::Treatment(place, treatment));
            }
        }
        for (id, enclosure, labels) in changes.labels {
            if let Some(place) = self.shared.board.place(id.as_str()) {
                crew.order(place, Order::Labels(place, enclosure, labels));
            }
        }
        Ok(())
    }

    /// What is remembered of the BMCs that are to be taken up. A file is read, which commands needn't wait for.
    fn known(&self, changes: &Changes) -> Vec<Option<Remembered>> {
        match &self.shared.memory {
            Some(memory) => memory.recall(&changes.add, &self.shared.plans),
            None => Vec::new(),
        }
    }

    /// Says that all BMCs are part of the fleet that are to be, no list of them is missing: what is remembered of others,
    /// which left while the service was down, is forgotten a day from now, as of those that leave while it runs. Not of those that are
    /// `resting`: they only stand aside.
    ///
    /// Blocks: a file is read.
    pub fn forget_others(&self, resting: impl Fn(&str) -> bool) {
        let _alone = lock(&self.changing);
        if let Some(memory) = &self.shared.memory {
            let board = &self.shared.board;
            memory.forget_others(|id| board.place(id).is_some() || resting(id));
        }
    }

    /// Tells the address of a target that was given without one, or why it can't be found out: then the node is shown
    /// as down for this reason. To be called again until there is an address, and whenever there is another one: then the BMC is
    /// logged in to there, and is the same one unless it says that it isn't. One that another node has is waited for.
    /// A reason why there is none changes nothing where there was one.
    pub fn set_address(&self, id: &NodeId, address: Result<SocketAddr, String>) {
        if let Some((mut crew, place)) = self.seat_of(id) {
            crew.set_address(place, address);
        }
    }

    /// Logs in to a node's BMC with this from now on, without disturbing others. A session that is open goes on, since its
    /// BMC has accepted it; a BMC that refused the login before is tried again within a second.
    pub fn set_login(&self, id: &NodeId, login: &Arc<Login>) {
        if let Some((mut crew, place)) = self.seat_of(id) {
            crew.set_login(place, login);
        }
    }

    fn crew(&self) -> MutexGuard<'_, Crew> {
        lock(&self.crew)
    }

    /// The place of a node, and the crew in whose hands it stays that node's: a change may give it to another one as soon as
    /// the crew is let go of.
    fn seat_of(&self, id: &NodeId) -> Option<(MutexGuard<'_, Crew>, u32)> {
        let crew = self.crew();
        let place = self.shared.board.place(id.as_str())?;
        Some((crew, place))
    }

    /// What the engines did so far, all together.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let mut sum = Counters::default();
        for figures in self.crew().figures() {
            sum += figures.counters;
        }
        sum
    }

    /// Whether a thread of its own has ended by failures, which the log tells: the nodes that it asked are shown as down, and nothing
    /// but a new start of the program asks them again.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.crew().has_failed()
    }

    /// How the fleet is at this moment. Looks at every node's snapshot, on the caller's thread: some milliseconds for
    /// fifty thousand.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let crew = self.crew();
        let (shards, now) = (crew.figures(), crew.now());
        drop(crew);
        let oldest = shards.iter().filter_map(|shard| shard.oldest_reading).min();
        let mut figures = Figures {
            nodes: self.shared.board.ids().len() as u32,
            oldest_ms: oldest.map(|since| now.since(since).as_millis() as u64),
            shards,
            ..Figures::default()
        };
        self.shared.board.each(|node| match node.link {
            Link::Connecting => {}
            Link::Down { .. } => figures.nodes_down += 1,
            Link::Up => figures.nodes_up += 1,
        });
        figures
    }

    /// Closes every session, ends the threads, and lets go of the file in which BMCs are remembered; within seconds also where
    /// BMCs don't answer. Whoever still has the fleet sees the last snapshots, and commands fail. Called again, it does nothing.
    ///
    /// Blocks; but for the fleet's own threads, which observers run on: there it waits for the others only.
    pub fn close(&self) {
        let threads = self.crew().begin_close();
        threads.into_iter().for_each(Running::join);
        if let Some(memory) = &self.shared.memory {
            memory.close();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.close();
    }
}

impl Hardware for Fleet {
    fn node_ids(&self) -> Arc<[NodeId]> {
        self.shared.board.ids()
    }

    fn node(&self, id: &str) -> Option<Arc<Node>> {
        self.shared.board.node(id)
    }

    fn topology(&self) -> Arc<Topology> {
        self.topology.load_full()
    }

    fn apply(&self, id: &NodeId, change: Change) -> ApplyFuture {
        let (sender, outcome) = outcome();
        let job = Job {
            node: id.clone(),
            change,
            outcome: sender,
        };
        match self.seat_of(id) {
            Some((crew, place)) => crew.submit(place, job),
            None => job.outcome.tell(Err(ApplyError::Absent)),
        }
        Box::pin(outcome)
    }

    fn observe(&self, observer: Arc<dyn Observer>) {
        self.shared.board.observe(&observer);
    }

    fn log_journal(&self) -> Option<&dyn LogJournal> {
        let memory = self.shared.memory.as_deref()?;
        Some(memory as &dyn LogJournal)
    }
}

#[cfg(test)]
mod tests;
