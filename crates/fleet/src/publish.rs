//! Snapshots: how what the engine knows becomes what readers see.
//!
//! Each node has a place on the [`Board`] (one atomic pointer) and a [`Page`] in the engine. During a round the page holds the
//! next snapshot, being written; publishing puts it on the board. The one that it takes the place of becomes a spare
//! ([`Spares`]), in which some other node's round is written, so that a round allocates nothing, and between its
//! rounds a node has one snapshot in memory and not two. A snapshot that a reader still holds is left to that reader.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use hardware::{Node, NodeId, Observer, Reading, Update};

/// The newest snapshot of every node of a fleet, and who wants to hear of new ones. Readers never wait.
pub(crate) struct Board {
    ids: Arc<[NodeId]>,
    places: HashMap<NodeId, u32>,
    nodes: Box<[ArcSwap<Node>]>,
    observers: ArcSwap<Vec<Arc<dyn Observer>>>,
}

impl Board {
    /// A board with a place for each of these nodes, in this order.
    pub(crate) fn new(nodes: Vec<Arc<Node>>) -> Self {
        let mut ids: Vec<_> = nodes.iter().map(|node| node.id.clone()).collect();
        ids.sort_by(|a, b| natural_order(a.as_str(), b.as_str()));
        let places = nodes.iter().map(|node| node.id.clone()).zip(0..).collect();
        Self {
            ids: ids.into(),
            places,
            nodes: nodes.into_iter().map(ArcSwap::new).collect(),
            observers: ArcSwap::default(),
        }
    }

    /// The names of all nodes, sorted as people expect.
    pub(crate) fn ids(&self) -> Arc<[NodeId]> {
        Arc::clone(&self.ids)
    }

    /// The place of a node.
    pub(crate) fn place(&self, id: &str) -> Option<u32> {
        self.places.get(id).copied()
    }

    /// The newest snapshot at a place.
    pub(crate) fn node(&self, place: u32) -> Arc<Node> {
        self.nodes[place as usize].load_full()
    }

    /// Looks at the newest snapshot of every node.
    pub(crate) fn each(&self, mut look: impl FnMut(&Node)) {
        for node in &self.nodes {
            look(&node.load());
        }
    }

    /// Tells `observer` all that is published from now on.
    pub(crate) fn observe(&self, observer: &Arc<dyn Observer>) {
        self.observers.rcu(|observers| {
            let mut observers = Vec::clone(observers);
            observers.push(Arc::clone(observer));
            observers
        });
    }

    /// Puts `after` in place of the snapshot before and tells the observers. Returns the one before.
    fn put(&self, place: u32, after: &Arc<Node>) -> Arc<Node> {
        let before = self.nodes[place as usize].swap(Arc::clone(after));
        let observers = self.observers.load();
        if !observers.is_empty() {
            let update = Update::Changed {
                before: Arc::clone(&before),
                after: Arc::clone(after),
            };
            for observer in observers.iter() {
                observer.updated(&update);
            }
        }
        before
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board")
            .field("nodes", &self.nodes.len())
            .finish_non_exhaustive()
    }
}

/// The most snapshots that are kept to be written anew: as many as rounds run at a time, or nearly.
const SPARES_MAX: usize = 1_024;

/// Snapshots that no reader holds any more.
#[derive(Debug, Default)]
pub(crate) struct Spares(Vec<Arc<Node>>);

impl Spares {
    /// A copy of `node`, which nobody else holds.
    fn copy_of(&mut self, node: &Node) -> Arc<Node> {
        while let Some(mut spare) = self.0.pop() {
            // A reader may have taken it just before it was replaced.
            if let Some(unique) = Arc::get_mut(&mut spare) {
                copy(node, unique);
                return spare;
            }
        }
        let mut fresh = node.clone();
        fresh.readings = Arc::from(&*node.readings);
        Arc::new(fresh)
    }

    fn put(&mut self, node: Arc<Node>) {
        if self.0.len() < SPARES_MAX && Arc::strong_count(&node) == 1 {
            self.0.push(node);
        }
    }
}

/// The snapshots of one node in the engine: the newest one, and the next one while it is being written.
#[derive(Debug)]
pub(crate) struct Page {
    current: Arc<Node>,
    next: Option<Arc<Node>>,
}

impl Page {
    /// A page that goes on from a snapshot, which is on the board.
    pub(crate) const fn new(node: Arc<Node>) -> Self {
        Self {
            current: node,
            next: None,
        }
    }

    /// What the next snapshot will be, as far as written.
    pub(crate) fn node(&self) -> &Node {
        self.next.as_ref().unwrap_or(&self.current)
    }

    /// The next snapshot, to be written.
    pub(crate) fn node_mut(&mut self, spares: &mut Spares) -> &mut Node {
        let next = self
            .next
            .get_or_insert_with(|| spares.copy_of(&self.current));
        // Never a copy: nobody else knows it yet.
        Arc::make_mut(next)
    }

    /// The readings of the next snapshot, to be written.
    pub(crate) fn readings_mut(&mut self, spares: &mut Spares) -> &mut [Reading] {
        Arc::make_mut(&mut self.node_mut(spares).readings)
    }

    /// Publishes the page.
    pub(crate) fn publish(&mut self, board: &Board, place: u32, spares: &mut Spares) {
        self.node_mut(spares).revision += 1;
        if let Some(next) = self.next.take() {
            let before = board.put(place, &next);
            self.current = next;
            spares.put(before);
        }
    }
}

/// Makes `to` equal to `from`, in place where nobody else looks at its readings.
fn copy(from: &Node, to: &mut Node) {
    match Arc::get_mut(&mut to.readings) {
        Some(readings) if readings.len() == from.readings.len() => {
            readings.copy_from_slice(&from.readings);
        }
        _ => to.readings = Arc::from(&*from.readings),
    }
    to.id.clone_from(&from.id);
    to.kind = from.kind;
    to.enclosure.clone_from(&from.enclosure);
    to.link.clone_from(&from.link);
    to.power = from.power;
    to.boot = from.boot;
    to.indicator = from.indicator;
    to.power_limit = from.power_limit;
    to.inventory.clone_from(&from.inventory);
    to.identity.clone_from(&from.identity);
    to.log.clone_from(&from.log);
    to.read_at_ms = from.read_at_ms;
    to.revision = from.revision;
}

/// Compares names as people do: runs of digits by their value, all else by character.
pub(crate) fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    while let ([x, ..], [y, ..]) = (left, right) {
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (digits_x, digits_y) = (take_number(&mut left), take_number(&mut right));
            digits_x
                .len()
                .cmp(&digits_y.len())
                .then_with(|| digits_x.cmp(digits_y))
        } else {
            (left, right) = (&left[1..], &right[1..]);
            x.cmp(y)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    // Names that differ only in leading zeros still need an order.
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// Takes the run of digits at the front; returns it without leading zeros.
fn take_number<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
    let len = bytes
        .iter()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(bytes.len());
    let (digits, rest) = bytes.split_at(len);
    *bytes = rest;
    let zeros = digits.iter().position(|b| *b != b'0').unwrap_or(len);
    &digits[zeros..]
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex;

    use hardware::{Availability, Link, NodeKind, Power, Reading};

    use super::*;

    pub(crate) fn blank(name: &str, readings: usize) -> Node {
        Node {
            id: NodeId::new(name).unwrap(),
            kind: NodeKind::Computer,
            enclosure: None,
            link: Link::Connecting,
            power: Power::Unknown,
            boot: None,
            indicator: hardware::Indicator::Unknown,
            power_limit: None,
            inventory: Arc::default(),
            identity: Arc::default(),
            readings: vec![Reading::default(); readings].into(),
            log: Arc::default(),
            read_at_ms: 0,
            revision: 0,
        }
    }

    /// A board with these nodes, a page for each, and no spares yet.
    fn pages(nodes: &[Node]) -> (Board, Vec<Page>, Spares) {
        let nodes: Vec<_> = nodes.iter().cloned().map(Arc::new).collect();
        let pages = nodes.iter().map(|node| Page::new(Arc::clone(node)));
        let pages = pages.collect();
        (Board::new(nodes), pages, Spares::default())
    }

    fn write(page: &mut Page, spares: &mut Spares, value: f64) {
        let reading = &mut page.readings_mut(spares)[0];
        (reading.value, reading.availability) = (value, Availability::Available);
    }

    #[test]
    fn a_snapshot_never_changes_once_published_and_each_has_a_higher_revision() {
        let (board, mut pages, mut spares) = pages(&[blank("n1", 2), blank("n2", 2)]);
        let mut held = Vec::new();
        for round in 1..=20_u32 {
            for (place, page) in (0..).zip(&mut pages) {
                write(page, &mut spares, f64::from(round + place));
                page.publish(&board, place, &mut spares);
            }
            // A reader that keeps every third snapshot.
            if round % 3 == 0 {
                held.push((round, board.node(0)));
            }
            for place in 0..2 {
                let node = board.node(place);
                assert_eq!(node.readings[0].number(), Some(f64::from(round + place)));
                assert_eq!(node.revision, u64::from(round));
                assert_eq!(node.id.as_str(), ["n1", "n2"][place as usize]);
            }
        }
        for (round, node) in held {
            assert_eq!(node.readings[0].number(), Some(f64::from(round)));
            assert_eq!(node.revision, u64::from(round));
        }
    }

    #[test]
    fn a_snapshot_that_no_reader_holds_is_written_anew_for_any_node() {
        let (board, mut pages, mut spares) = pages(&[blank("n1", 4), blank("n2", 4)]);
        let readings = |place| board.node(place).readings.as_ptr();
        let first = readings(0);
        pages[0].publish(&board, 0, &mut spares);
        pages[1].publish(&board, 1, &mut spares);
        assert_eq!(readings(1), first, "the one that was replaced");
        let held = board.node(1);
        pages[1].publish(&board, 1, &mut spares);
        pages[0].publish(&board, 0, &mut spares);
        assert_ne!(readings(0), held.readings.as_ptr(), "a reader has it");
    }

    #[test]
    fn what_one_round_leaves_alone_is_as_in_the_round_before() {
        let (board, mut pages, mut spares) = pages(&[blank("n1", 1)]);
        let page = &mut pages[0];
        page.node_mut(&mut spares).power = Power::On;
        page.publish(&board, 0, &mut spares);
        write(page, &mut spares, 5.0);
        page.publish(&board, 0, &mut spares);
        page.publish(&board, 0, &mut spares);
        let seen = board.node(0);
        assert_eq!(
            (seen.power, seen.readings[0].number()),
            (Power::On, Some(5.0))
        );
    }

    #[test]
    fn observers_see_every_change_with_its_before_and_after() {
        struct Log(Mutex<Vec<(u64, u64)>>);
        impl Observer for Log {
            fn updated(&self, update: &Update) {
                if let Update::Changed { before, after } = update {
                    self.0
                        .lock()
                        .unwrap()
                        .push((before.revision, after.revision));
                }
            }
        }
        let (board, mut pages, mut spares) = pages(&[blank("n1", 1)]);
        let log = Arc::new(Log(Mutex::default()));
        board.observe(&(Arc::clone(&log) as Arc<dyn Observer>));
        for _ in 0..3 {
            pages[0].publish(&board, 0, &mut spares);
        }
        assert_eq!(*log.0.lock().unwrap(), [(0, 1), (1, 2), (2, 3)]);
    }

    #[test]
    fn names_sort_as_people_expect() {
        let mut names = [
            "n10", "n9", "n1-b2", "n1-b10", "n01", "n1", "a", "n", "9", "10",
        ];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(
            names,
            [
                "9", "10", "a", "n", "n01", "n1", "n1-b2", "n1-b10", "n9", "n10"
            ]
        );
        let huge = ["x99999999999999999999998", "x99999999999999999999999"];
        assert_eq!(natural_order(huge[0], huge[1]), Ordering::Less);
    }
}
