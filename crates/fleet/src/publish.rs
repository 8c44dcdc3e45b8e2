//! Snapshots: how what the engine knows becomes what readers see.
//!
//! Each node has a place on the [`Board`] (one atomic pointer) and a [`Page`] in the engine. During a round the page holds the
//! next snapshot, being written; publishing puts it on the board. The one that it takes the place of becomes a spare
//! ([`Spares`]), in which some other node's round is written, so that a round needs no new one, and between its
//! rounds a node has one snapshot in memory and not two. A snapshot that a reader still holds is left to that reader.
//!
//! Readings are written to a [`Draft`] and copied into the snapshot when it is published. Drafts go from hand to hand: those of
//! the rounds that run now lie in the processor's caches, where snapshots of fifty thousand nodes do not.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use hardware::{Link, Node, NodeId, Observer, PackedReading, Readings, Scales, Update};
use ipmi::memory::{head_of, memory_of};

use crate::memory::Remembered;

/// Where the newest snapshot of one node is.
pub(crate) type Spot = ArcSwap<Node>;

/// The newest snapshot of every node of a fleet, and who wants to hear of new ones. Readers never wait, also while nodes come
/// and go: then the whole index is replaced, and the spots of nodes that stay are in the new one too.
pub(crate) struct Board {
    index: ArcSwap<Index>,
    /// Held while the index is replaced.
    replacing: Mutex<()>,
    observers: ArcSwap<Vec<Arc<dyn Observer>>>,
}

/// Which nodes there are. A place is the number of a node for as long as it is there, and of another one later.
#[derive(Clone, Default)]
struct Index {
    ids: Arc<[NodeId]>,
    places: HashMap<NodeId, u32>,
    spots: Vec<Option<Arc<Spot>>>,
}

/// Who left the board and who came.
#[derive(Clone, Debug, Default)]
pub struct Moves {
    /// The places of those that left, with their last snapshots.
    pub left: Vec<(u32, Arc<Node>)>,
    /// The places of the new ones, in the order in which they were given.
    pub entered: Vec<u32>,
    /// What is remembered of new ones, by place.
    pub(crate) remembered: HashMap<u32, Box<Remembered>>,
}

impl Board {
    /// A board with a place for each of these nodes, in this order.
    pub(crate) fn new(nodes: Vec<Arc<Node>>) -> Self {
        let board = Self {
            index: ArcSwap::default(),
            replacing: Mutex::default(),
            observers: ArcSwap::default(),
        };
        board.change(&[], nodes);
        board
    }

    /// Takes the nodes of these names off, then puts `nodes` on; readers see both at once.
    /// A name that is not there, and a new one that is there already, are left out.
    pub(crate) fn change(&self, leaving: &[NodeId], nodes: Vec<Arc<Node>>) -> Moves {
        let _alone = self
            .replacing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut index = Index::clone(&self.index.load());
        let mut moves = Moves::default();
        for id in leaving {
            let place = index.places.remove(id);
            if let Some(place) = place
                && let Some(spot) = index.spots[place as usize].take()
            {
                moves.left.push((place, spot.load_full()));
            }
        }
        let vacant: Vec<u32> = (0..)
            .zip(&index.spots)
            .filter(|(_, spot)| spot.is_none())
            .map(|(place, _)| place)
            .collect();
        let mut vacant = vacant.into_iter();
        index
            .spots
            .reserve_exact(nodes.len().saturating_sub(vacant.len()));
        index.places.reserve(nodes.len());
        for node in nodes {
            if index.places.contains_key(&node.id) {
                continue;
            }
            let place = vacant.next().unwrap_or_else(|| {
                index.spots.push(None);
                index.spots.len() as u32 - 1
            });
            index.places.insert(node.id.clone(), place);
            index.spots[place as usize] = Some(Arc::new(Spot::new(node)));
            moves.entered.push(place);
        }
        let mut ids: Vec<_> = index.places.keys().cloned().collect();
        ids.sort_by(|a, b| natural_order(a.as_str(), b.as_str()));
        index.ids = ids.into();
        self.index.store(Arc::new(index));
        moves
    }

    /// The names of all nodes, sorted as people expect.
    pub(crate) fn ids(&self) -> Arc<[NodeId]> {
        Arc::clone(&self.index.load().ids)
    }

    /// The place of a node.
    pub(crate) fn place(&self, id: &str) -> Option<u32> {
        self.index.load().places.get(id).copied()
    }

    /// The newest snapshot of a node.
    pub(crate) fn node(&self, id: &str) -> Option<Arc<Node>> {
        let index = self.index.load();
        let place = *index.places.get(id)?;
        Some(index.spots.get(place as usize)?.as_ref()?.load_full())
    }

    /// Where the snapshots of the node at a place are; `None` where it is gone already.
    pub(crate) fn spot(&self, place: u32) -> Option<Arc<Spot>> {
        self.index.load().spots.get(place as usize)?.clone()
    }

    /// Whether the node of this name has its snapshots here: not where it is gone, nor where another one has the name now.
    fn is_at(&self, id: &NodeId, spot: &Arc<Spot>) -> bool {
        let index = self.index.load();
        let place = index.places.get(id).map(|place| *place as usize);
        let there = place.and_then(|place| index.spots.get(place)?.as_ref());
        there.is_some_and(|there| Arc::ptr_eq(there, spot))
    }

    /// Looks at the newest snapshot of every node.
    pub(crate) fn each(&self, mut look: impl FnMut(&Node)) {
        for spot in self.index.load().spots.iter().flatten() {
            look(&spot.load());
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

    /// Tells the observers.
    pub(crate) fn tell(&self, update: &Update) {
        for observer in self.observers.load().iter() {
            observer.updated(update);
        }
    }

    /// Puts `after` in place of the snapshot before and tells the observers. Returns the one before.
    pub(crate) fn put(&self, spot: &Spot, after: &Arc<Node>) -> Arc<Node> {
        self.put_as(spot, after, false)
    }

    fn put_as(&self, spot: &Spot, after: &Arc<Node>, is_another: bool) -> Arc<Node> {
        let before = spot.swap(Arc::clone(after));
        let observers = self.observers.load();
        if !observers.is_empty() {
            let (before, after) = (Arc::clone(&before), Arc::clone(after));
            let update = match is_another {
                true => Update::Replaced { before, after },
                false => Update::Changed { before, after },
            };
            for observer in observers.iter() {
                observer.updated(&update);
            }
        }
        before
    }
}

impl Board {
    /// Shows a node as down of which nothing can be asked, for this reason.
    pub(crate) fn tell_unreachable(&self, unix_ms: u64, spot: &Spot, reason: &str) {
        let before = spot.load_full();
        let since_ms = match &before.link {
            Link::Down { reason: known, .. } if **known == *reason => return,
            Link::Down { since_ms, .. } => *since_ms,
            Link::Connecting | Link::Up => unix_ms,
        };
        let after = Node {
            link: Link::Down {
                reason: reason.into(),
                since_ms,
            },
            revision: before.revision + 1,
            ..Node::clone(&before)
        };
        self.put(spot, &Arc::new(after));
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board")
            .field("nodes", &self.index.load().ids.len())
            .finish_non_exhaustive()
    }
}

/// The most snapshots that are kept to be written anew: as many as rounds run at a time, or nearly.
const SPARES_MAX: usize = 1_024;

/// The most drafts that are kept: as one round ends another begins, so few lie idle.
const DRAFTS_MAX: usize = 64;

/// Bytes of a snapshot that are fetched beforehand: more would take longer than is won.
const NODE_HEAD: usize = 128;

/// Readings being written, and what their bytes stand for.
#[derive(Debug, Default)]
struct Draft {
    scales: Arc<Scales>,
    packed: Box<[PackedReading]>,
}

/// Snapshots that no reader holds any more, and drafts of readings that were published.
#[derive(Debug, Default)]
pub(crate) struct Spares {
    nodes: Vec<Arc<Node>>,
    drafts: Vec<Draft>,
}

impl Spares {
    /// A copy of `node`, which nobody else holds, with any readings.
    fn copy_of(&mut self, node: &Node) -> Arc<Node> {
        while let Some(mut spare) = self.nodes.pop() {
            // A reader may have taken it just before it was replaced.
            if let Some(unique) = Arc::get_mut(&mut spare) {
                copy(node, unique);
                return spare;
            }
        }
        Arc::new(node.clone())
    }

    fn put(&mut self, node: Arc<Node>) {
        if self.nodes.len() < SPARES_MAX && Arc::strong_count(&node) == 1 {
            self.nodes.push(node);
        }
    }

    /// A copy of `readings`.
    fn draft_of(&mut self, readings: &Readings) -> Draft {
        let Some((scales, packed)) = readings.as_packed() else {
            return Draft::default();
        };
        let mut draft = self.drafts.pop().unwrap_or_default();
        if !Arc::ptr_eq(&draft.scales, scales) {
            draft.scales.clone_from(scales);
        }
        if draft.packed.len() == packed.len() {
            draft.packed.copy_from_slice(packed);
        } else {
            draft.packed = packed.into();
        }
        draft
    }

    fn put_draft(&mut self, draft: Draft) {
        if self.drafts.len() < DRAFTS_MAX {
            self.drafts.push(draft);
        }
    }
}

/// The snapshots of one node in the engine: the newest one, and the next one while it is being written.
#[derive(Debug)]
pub(crate) struct Page {
    spot: Arc<Spot>,
    current: Arc<Node>,
    next: Option<Arc<Node>>,
    /// The readings of the next one, where they were touched.
    draft: Option<Draft>,
}

impl Page {
    /// Gives what the next reading needs.
    pub(crate) fn expect(&self, fetch: impl Fn(Range<*const u8>)) {
        match &self.draft {
            Some(draft) => fetch(memory_of(&*draft.packed)),
            None => fetch(head_of(&*self.current, NODE_HEAD)),
        }
        if let Some(next) = &self.next {
            fetch(head_of(&**next, NODE_HEAD));
        }
    }

    /// A page that goes on from the snapshot at a spot of the board.
    pub(crate) fn new(spot: Arc<Spot>) -> Self {
        Self {
            current: spot.load_full(),
            spot,
            next: None,
            draft: None,
        }
    }

    /// Whether readers see what is published here: the node is neither gone nor replaced.
    pub(crate) fn is_seen(&self, board: &Board) -> bool {
        board.is_at(&self.current.id, &self.spot)
    }

    /// What the next snapshot will be, as far as written; but for its readings.
    pub(crate) fn node(&self) -> &Node {
        self.next.as_ref().unwrap_or(&self.current)
    }

    /// The next snapshot, to be written; but for its readings.
    pub(crate) fn node_mut(&mut self, spares: &mut Spares) -> &mut Node {
        let next = self
            .next
            .get_or_insert_with(|| spares.copy_of(&self.current));
        // Never a copy: nobody else knows it yet.
        Arc::make_mut(next)
    }

    /// The readings of the next snapshot, to be written.
    pub(crate) fn readings_mut(&mut self, spares: &mut Spares) -> &mut [PackedReading] {
        let draft = self
            .draft
            .get_or_insert_with(|| spares.draft_of(&self.current.readings));
        &mut draft.packed
    }

    /// The next snapshot has so many readings, none of which was had yet.
    pub(crate) fn blank_readings(&mut self, scales: &Arc<Scales>, count: usize) {
        self.draft = Some(Draft {
            scales: Arc::clone(scales),
            packed: vec![PackedReading::default(); count].into(),
        });
    }

    /// Publishes the page.
    pub(crate) fn publish(&mut self, board: &Board, spares: &mut Spares) {
        self.publish_as(board, spares, false);
    }

    /// Publishes the page as another machine's than the snapshot before.
    pub(crate) fn publish_another(&mut self, board: &Board, spares: &mut Spares) {
        self.publish_as(board, spares, true);
    }

    fn publish_as(&mut self, board: &Board, spares: &mut Spares, is_another: bool) {
        self.node_mut(spares).revision += 1;
        if let Some(mut next) = self.next.take() {
            let readings = &mut Arc::make_mut(&mut next).readings;
            match self.draft.take() {
                Some(draft) => {
                    readings.renew(&draft.scales, &draft.packed);
                    spares.put_draft(draft);
                }
                None => readings.clone_from(&self.current.readings),
            }
            let before = board.put_as(&self.spot, &next, is_another);
            self.current = next;
            spares.put(before);
        }
    }
}

/// Makes `to` equal to `from` but for its readings.
fn copy(from: &Node, to: &mut Node) {
    to.id.clone_from(&from.id);
    to.kind = from.kind;
    to.enclosure.clone_from(&from.enclosure);
    to.labels.clone_from(&from.labels);
    to.address = from.address;
    to.link.clone_from(&from.link);
    to.power = from.power;
    to.boot = from.boot;
    to.indicator = from.indicator;
    to.power_limit = from.power_limit;
    to.inventory.clone_from(&from.inventory);
    to.identity.clone_from(&from.identity);
    to.log.clone_from(&from.log);
    to.read_at_ms = from.read_at_ms;
    to.read_earlier_ms.clone_from(&from.read_earlier_ms);
    to.intervals.clone_from(&from.intervals);
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

    use hardware::{Link, NodeKind, Power, Reading, ThresholdState};

    use super::*;

    /// A byte stands for itself.
    fn scales() -> Arc<Scales> {
        let same = std::array::from_fn(|raw| raw as f64);
        Arc::new(Scales::new(vec![same], [Some(0); 4]))
    }

    pub(crate) fn blank(name: &str, readings: usize) -> Node {
        Node {
            id: NodeId::new(name).unwrap(),
            kind: NodeKind::Computer,
            enclosure: None,
            labels: Arc::default(),
            address: None,
            link: Link::Connecting,
            power: Power::Unknown,
            boot: None,
            indicator: hardware::Indicator::Unknown,
            power_limit: None,
            inventory: Arc::default(),
            identity: Arc::default(),
            readings: Readings::packed(&scales(), &vec![PackedReading::default(); readings]),
            log: Arc::default(),
            read_at_ms: 0,
            read_earlier_ms: None,
            intervals: None,
            revision: 0,
        }
    }

    /// A board with these nodes, a page for each, and no spares yet.
    fn pages(nodes: &[Node]) -> (Board, Vec<Page>, Spares) {
        let nodes: Vec<_> = nodes.iter().cloned().map(Arc::new).collect();
        let board = Board::new(nodes);
        let places = 0..board.ids().len() as u32;
        let pages = places.map(|place| Page::new(board.spot(place).unwrap()));
        let pages = pages.collect();
        (board, pages, Spares::default())
    }

    fn at(board: &Board, place: usize) -> Arc<Node> {
        board.node(["n1", "n2"][place]).unwrap()
    }

    fn write(page: &mut Page, spares: &mut Spares, raw: u8) {
        page.readings_mut(spares)[0] = PackedReading::number(raw, ThresholdState::NONE);
    }

    fn first(node: &Node) -> Option<f64> {
        node.readings.get(0).as_ref().and_then(Reading::number)
    }

    #[test]
    fn a_snapshot_never_changes_once_published_and_each_has_a_higher_revision() {
        let (board, mut pages, mut spares) = pages(&[blank("n1", 2), blank("n2", 2)]);
        let mut held = Vec::new();
        for round in 1..=20_u8 {
            for (place, page) in (0_u8..).zip(&mut pages) {
                write(page, &mut spares, round + place);
                page.publish(&board, &mut spares);
            }
            // A reader that keeps every third snapshot.
            if round % 3 == 0 {
                held.push((round, at(&board, 0)));
            }
            for place in 0..2_u8 {
                let node = at(&board, place.into());
                assert_eq!(first(&node), Some(f64::from(round + place)));
                assert_eq!(node.revision, u64::from(round));
                assert_eq!(node.id.as_str(), ["n1", "n2"][usize::from(place)]);
            }
        }
        for (round, node) in held {
            assert_eq!(first(&node), Some(f64::from(round)));
            assert_eq!(node.revision, u64::from(round));
        }
    }

    #[test]
    fn a_snapshot_that_no_reader_holds_is_written_anew_for_any_node() {
        let (board, mut pages, mut spares) = pages(&[blank("n1", 4), blank("n2", 4)]);
        let readings = |node: &Node| node.readings.as_packed().unwrap().1.as_ptr();
        let mut publish = |place: usize| {
            write(&mut pages[place], &mut spares, 1);
            pages[place].publish(&board, &mut spares);
        };
        let before = readings(&at(&board, 0));
        publish(0);
        publish(1);
        assert_eq!(
            readings(&at(&board, 1)),
            before,
            "the one that was replaced"
        );
        let held = at(&board, 1);
        publish(1);
        publish(0);
        assert_ne!(readings(&at(&board, 0)), readings(&held), "a reader has it");
    }

    #[test]
    fn what_one_round_leaves_alone_is_as_in_the_round_before() {
        let (board, mut pages, mut spares) = pages(&[blank("n1", 1)]);
        let page = &mut pages[0];
        page.node_mut(&mut spares).power = Power::On;
        page.publish(&board, &mut spares);
        write(page, &mut spares, 5);
        page.publish(&board, &mut spares);
        page.publish(&board, &mut spares);
        let seen = at(&board, 0);
        assert_eq!((seen.power, first(&seen)), (Power::On, Some(5.0)));
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
            pages[0].publish(&board, &mut spares);
        }
        assert_eq!(*log.0.lock().unwrap(), [(0, 1), (1, 2), (2, 3)]);
    }

    #[test]
    fn nodes_come_and_go_without_moving_those_that_stay_and_places_are_taken_again() {
        let (board, mut pages, mut spares) = pages(&[blank("n1", 1), blank("n2", 1)]);
        let n3 = Arc::new(blank("n3", 1));
        let id = |name: &str| NodeId::new(name).unwrap();
        let moves = board.change(&[id("n1"), id("nobody")], vec![n3]);
        assert_eq!(moves.entered, [0]);
        assert_eq!((moves.left.len(), moves.left[0].1.id.as_str()), (1, "n1"));
        let ids: Vec<_> = board.ids().iter().map(ToString::to_string).collect();
        assert_eq!(ids, ["n2", "n3"]);
        assert!(board.node("n1").is_none() && board.place("n1").is_none());
        // The page of the one that went writes to nobody's place.
        write(&mut pages[0], &mut spares, 7);
        pages[0].publish(&board, &mut spares);
        assert_eq!(board.node("n3").unwrap().revision, 0);
        pages[1].publish(&board, &mut spares);
        assert_eq!(board.node("n2").unwrap().revision, 1);
        let again = Arc::new(blank("n2", 1));
        assert_eq!(
            board.change(&[], vec![again]).entered,
            [],
            "it is there already"
        );
        assert_eq!(board.node("n2").unwrap().revision, 1);
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
