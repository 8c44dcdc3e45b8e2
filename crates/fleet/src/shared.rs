//! What the engines of a fleet share: the nodes as readers see them, plans, and what is remembered.

use std::collections::HashSet;
use std::iter::repeat;
use std::sync::Arc;

use hardware::{Indicator, Link, Node, NodeId, Observer, PackedReading, Power, Readings};

use crate::memory::{Memory, Remembered};
use crate::plan::Plans;
use crate::publish::{Board, Moves};
use crate::target::Target;

/// The machines of a fleet as readers see them, shared by its engines.
#[derive(Clone, Debug)]
pub struct Shared {
    pub(crate) board: Arc<Board>,
    pub(crate) plans: Arc<Plans>,
    pub(crate) memory: Option<Arc<Memory>>,
}

impl Shared {
    /// Every target as a node that was not reached yet. Their places are counted from 0, in this order.
    #[must_use]
    pub fn new(targets: &[Target]) -> Self {
        let shared = Self::with_memory(None);
        shared.change(&[], targets);
        shared
    }

    /// No nodes yet, and what is remembered of their BMCs from earlier runs.
    #[must_use]
    pub fn with_memory(memory: Option<Arc<Memory>>) -> Self {
        let board = Arc::new(Board::new(Vec::new()));
        if let Some(memory) = &memory {
            memory.announce_on(&board);
        }
        Self {
            board,
            plans: Arc::default(),
            memory,
        }
    }

    /// The newest snapshot of a node; `None` where there is none of this name.
    #[must_use]
    pub fn node(&self, id: &str) -> Option<Arc<Node>> {
        self.board.node(id)
    }

    /// From now on tells `observer` what happens to nodes.
    pub fn observe(&self, observer: Arc<dyn Observer>) {
        self.board.observe(&observer);
    }

    /// Takes the nodes of these names off and puts `targets` on, each as a node that was not reached yet; readers see both
    /// at once. Engines, which know nodes by their places, are to be told besides: [`Engine::remove`](crate::Engine::remove), [`Engine::add`](crate::Engine::add).
    pub fn change(&self, leaving: &[NodeId], targets: &[Target]) -> Moves {
        let remembered = match &self.memory {
            Some(memory) => {
                forget(memory, leaving.iter(), targets);
                memory.recall(targets, &self.plans)
            }
            None => Vec::new(),
        };
        self.enter(leaving, targets, remembered)
    }

    /// As [`Self::change`], with what is remembered of each of the targets, in their order; of those behind the end nothing is.
    pub(crate) fn enter(
        &self,
        leaving: &[NodeId],
        targets: &[Target],
        remembered: Vec<Option<Remembered>>,
    ) -> Moves {
        let known = remembered.iter().map(Option::as_ref);
        let nodes = unreached(targets).zip(known.chain(repeat(None)));
        let nodes = nodes.map(|(node, remembered)| {
            Arc::new(match remembered {
                Some(remembered) => recalled(node, remembered),
                None => node,
            })
        });
        let mut moves = self.board.change(leaving, nodes.collect());
        let known = moves.entered.iter().zip(remembered);
        let known = known.filter_map(|(place, known)| Some((*place, Box::new(known?))));
        moves.remembered = known.collect();
        self.read_on(leaving, targets, &mut moves);
        moves
    }

    /// Whoever had the name of a node before may have read on in its event log until it left: the new one goes on there.
    fn read_on(&self, leaving: &[NodeId], targets: &[Target], moves: &mut Moves) {
        let Some(memory) = &self.memory else {
            return;
        };
        let leaving: HashSet<&NodeId> = leaving.iter().collect();
        let replaced = moves.entered.iter().zip(targets);
        let replaced = replaced.filter(|(place, target)| {
            leaving.contains(&target.id) && moves.remembered.contains_key(place)
        });
        let (places, ids): (Vec<u32>, Vec<&NodeId>) =
            replaced.map(|(place, target)| (*place, &target.id)).unzip();
        for (place, position) in places.into_iter().zip(memory.positions(&ids)) {
            if let (Some(remembered), Some(_)) = (moves.remembered.get_mut(&place), position) {
                remembered.log = position;
            }
        }
    }
}

/// Forgets those that leave; what is put on again is known already.
pub(crate) fn forget<'a>(
    memory: &Memory,
    leaving: impl Iterator<Item = &'a NodeId>,
    targets: &[Target],
) {
    let staying: HashSet<&NodeId> = targets.iter().map(|target| &target.id).collect();
    for id in leaving.filter(|id| !staying.contains(id)) {
        memory.forget(id);
    }
}

/// As an earlier run knew it: all but its readings.
fn recalled(node: Node, remembered: &Remembered) -> Node {
    let pending = vec![PackedReading::default(); remembered.inventory.sensors.len()];
    Node {
        address: Some(remembered.address),
        identity: Arc::clone(&remembered.identity),
        inventory: Arc::clone(&remembered.inventory),
        readings: Readings::packed(&remembered.plan.scales, &pending),
        ..node
    }
}

/// Nodes of which nothing is known; they share what says so.
fn unreached(targets: &[Target]) -> impl Iterator<Item = Node> {
    let (inventory, identity, log) = (Arc::default(), Arc::default(), Arc::default());
    targets.iter().map(move |target| Node {
        id: target.id.clone(),
        kind: target.kind,
        enclosure: target.enclosure.clone(),
        labels: Arc::clone(&target.labels),
        address: target.address.map(|at| at.ip()),
        link: Link::Connecting,
        power: Power::Unknown,
        boot: None,
        indicator: Indicator::Unknown,
        power_limit: None,
        inventory: Arc::clone(&inventory),
        identity: Arc::clone(&identity),
        readings: Readings::default(),
        log: Arc::clone(&log),
        read_at_ms: 0,
        read_earlier_ms: None,
        intervals: None,
        revision: 0,
    })
}
