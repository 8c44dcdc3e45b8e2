//! The shards of a fleet, and which of them has which BMC.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ::hardware::{ApplyError, Node, NodeId, Update};
use ipmi::console::Login;
use ipmi::time::Instant;

use crate::drive::{Clock, Make, Running, Shard, StartError, unix_ms};
use crate::engine::{Coming, Engine, EngineConfig};
use crate::figures::ShardFigures;
use crate::hardware::Changes;
use crate::order::Order;
use crate::peers::Peers;
use crate::publish::Moves;
use crate::shared::Shared;
use crate::target::{Config, ConfigError, Target};
use crate::work::Job;

/// The shards, and where each BMC is.
#[derive(Debug)]
pub(crate) struct Crew {
    shared: Shared,
    /// Without targets.
    config: Config,
    clock: Clock,
    shards: Vec<Member>,
    /// By place.
    seats: Vec<Seat>,
    /// Of BMCs that have a shard: no two may have one.
    addresses: Peers<()>,
    /// Places of those that wait for an address that another one has.
    clashing: BTreeSet<u32>,
    /// The fleet is closed: no shard is started any more.
    is_closed: bool,
}

type Peer = (IpAddr, u16);

const fn peer(address: SocketAddr) -> Peer {
    (address.ip(), address.port())
}

#[derive(Debug)]
struct Member {
    shard: Shard,
    /// Its socket is for IPv6 BMCs, or for IPv4 ones.
    ipv6: bool,
    bmcs: usize,
}

/// Who speaks for a node.
#[derive(Debug)]
enum Seat {
    Vacant,
    /// Nobody yet: its address is not known, or another one has it.
    Waits(Box<Coming>),
    /// This shard.
    Shard(u32, Peer),
    /// This shard, but it can't say anything: another one has the address where its BMC is now.
    Parked(u32, SocketAddr),
}

impl Seat {
    /// Where the BMC is that has the seat, as far as is known.
    fn at(&self) -> Option<Peer> {
        match self {
            Self::Vacant => None,
            Self::Waits(coming) => coming.target.address.map(peer),
            Self::Shard(_, peer) => Some(*peer),
            Self::Parked(_, address) => Some(peer(*address)),
        }
    }
}

/// Who stays in a change.
#[derive(Debug, Default)]
struct Staying {
    nodes: usize,
    /// BMCs that shards have: over IPv4, over IPv6.
    bmcs: [usize; 2],
}

/// A BMC that leaves.
struct Leaver<'a> {
    /// The last snapshot of its node.
    last: &'a Arc<Node>,
    at: Option<Peer>,
}

impl Crew {
    /// No shard yet: they come with their first BMC.
    pub(crate) fn new(config: Config, shared: Shared) -> Self {
        Self {
            shared,
            config,
            clock: Clock::new(),
            shards: Vec::new(),
            seats: Vec::new(),
            addresses: Peers::default(),
            clashing: BTreeSet::new(),
            is_closed: false,
        }
    }

    /// Sees to it that there is a shard for every new BMC whose address is known.
    pub(crate) fn make_room(&mut self, changes: &Changes) -> Result<(), StartError> {
        if self.is_closed {
            return Err(StartError::Closed);
        }
        let staying = self.staying(&changes.remove);
        let targets = staying.nodes + changes.add.len();
        if targets
            > self
                .config
                .shards
                .saturating_mul(Config::TARGETS_PER_SHARD_MAX)
        {
            return Err(ConfigError::TooManyTargets { targets }.into());
        }
        for ipv6 in [false, true] {
            let of_family =
                |target: &&Target| target.address.is_some_and(|at| at.is_ipv6() == ipv6);
            let coming = changes.add.iter().filter(of_family).count();
            if coming > 0 {
                let bmcs = staying.bmcs[usize::from(ipv6)] + coming;
                for _ in self.shards_of(ipv6)..bmcs.min(self.config.shards) {
                    self.start_shard(ipv6)?;
                }
            }
        }
        Ok(())
    }

    /// Who is left when these have gone.
    fn staying(&self, leaving: &[NodeId]) -> Staying {
        let mut left = Staying::default();
        let leaving: HashSet<u32> = leaving
            .iter()
            .filter_map(|id| self.shared.board.place(id.as_str()))
            .collect();
        for (place, seat) in (0..).zip(&self.seats) {
            if leaving.contains(&place) {
                continue;
            }
            left.nodes += usize::from(!matches!(seat, Seat::Vacant));
            if let Seat::Shard(shard, _) | Seat::Parked(shard, _) = seat {
                left.bmcs[usize::from(self.shards[*shard as usize].ipv6)] += 1;
            }
        }
        left
    }

    fn shards_of(&self, ipv6: bool) -> usize {
        let members = self.shards.iter();
        members.filter(|member| member.ipv6 == ipv6).count()
    }

    fn start_shard(&mut self, ipv6: bool) -> Result<(), StartError> {
        if self.is_closed {
            return Err(StartError::Closed);
        }
        let number = self.shards.len();
        let seed = unix_ms().wrapping_add(number as u64);
        let (settings, shared) = (EngineConfig::of(&self.config, seed), self.shared.clone());
        let make: Make = Box::new(move |now| Engine::new(now, unix_ms(), &settings, &shared));
        let shard = Shard::start(
            format!("fleet-{number}"),
            make,
            self.clock,
            ipv6,
            self.config.receive_buffer_bytes,
        )?;
        self.shards.push(Member {
            shard,
            ipv6,
            bmcs: 0,
        });
        Ok(())
    }

    /// Lets shards know who left and who came.
    pub(crate) fn move_all(&mut self, mut moves: Moves, targets: Vec<Target>) {
        let left = std::mem::take(&mut moves.left);
        let before: HashMap<&str, Leaver<'_>> = left
            .iter()
            .map(|(place, last)| {
                let at = self.seats[*place as usize].at();
                (last.id.as_str(), Leaver { last, at })
            })
            .collect();
        for (place, last) in &left {
            let is_replaced = self.shared.board.place(last.id.as_str()).is_some();
            let last = (!is_replaced).then(|| Arc::clone(last));
            self.clashing.remove(place);
            match std::mem::replace(&mut self.seats[*place as usize], Seat::Vacant) {
                seat @ (Seat::Shard(shard, _) | Seat::Parked(shard, _)) => {
                    if let Seat::Shard(_, peer) = seat {
                        self.addresses.remove(peer.into());
                    }
                    let member = &mut self.shards[shard as usize];
                    member.bmcs -= 1;
                    member.shard.order(Order::Remove(*place, last));
                }
                Seat::Waits(_) | Seat::Vacant => {
                    if let Some(last) = last {
                        self.shared.board.tell(&Update::Removed(last));
                    }
                }
            }
        }
        let entered = std::mem::take(&mut moves.entered);
        // Grown bit by bit, they would leave holes of megabytes in memory.
        let share = entered.len().div_ceil(self.shards.len().max(1));
        let share = || Vec::with_capacity(share);
        let mut shares: Vec<Vec<Coming>> = self.shards.iter().map(|_| share()).collect();
        for (place, target) in entered.into_iter().zip(targets) {
            self.announce(place, &target, &before);
            let coming = Coming::of(&mut moves, place, target);
            match coming.target.address.map(|address| self.berth(address)) {
                Some(Ok((shard, peer))) => {
                    // One may have been started for it.
                    shares.resize_with(self.shards.len(), Vec::new);
                    shares[shard as usize].push(coming);
                    self.seat(place, Seat::Shard(shard, peer));
                }
                Some(Err(reason)) => {
                    self.seat(place, Seat::Waits(Box::new(coming)));
                    self.clashing.insert(place);
                    self.tell_unreachable(place, &reason);
                }
                None => self.seat(place, Seat::Waits(Box::new(coming))),
            }
        }
        for (member, share) in self.shards.iter().zip(shares) {
            if !share.is_empty() {
                member.shard.order(Order::Add(share));
            }
        }
        // What left may have had what others wait for.
        self.seat_those_that_wait();
    }

    /// Tells of a node that is new, or that has taken another one's place. A BMC at the same address is the same one, which
    /// is polled in another way; any other may be another machine's.
    fn announce(&self, place: u32, target: &Target, left: &HashMap<&str, Leaver<'_>>) {
        let Some(after) = self.shared.board.spot(place).map(|spot| spot.load_full()) else {
            return;
        };
        self.shared.board.tell(&match left.get(after.id.as_str()) {
            Some(Leaver { last, at }) => {
                let before = Arc::clone(last);
                match at.is_some() && *at == target.address.map(peer) {
                    true => Update::Changed { before, after },
                    false => Update::Replaced { before, after },
                }
            }
            None => Update::Added(after),
        });
    }

    fn seat(&mut self, place: u32, seat: Seat) {
        let place = place as usize;
        if self.seats.len() <= place {
            self.seats.resize_with(place + 1, || Seat::Vacant);
        }
        self.seats[place] = seat;
    }

    /// A shard for a BMC at this address; why there is none.
    fn berth(&mut self, address: SocketAddr) -> Result<(u32, Peer), String> {
        if self.addresses.contains(address) {
            return Err(clash(address));
        }
        let shard = self.shard_for(address)?;
        self.shards[shard as usize].bmcs += 1;
        self.addresses.insert(address, ());
        Ok((shard, peer(address)))
    }

    /// The shard with the fewest BMCs among those with a socket for this address; why there is none. Another one is started while
    /// there may be more and none is idle: BMCs given by name come one by one.
    fn shard_for(&mut self, address: SocketAddr) -> Result<u32, String> {
        let ipv6 = address.is_ipv6();
        let bmcs = |crew: &Self, shard: u32| crew.shards[shard as usize].bmcs;
        let mut shard = self.least_busy(ipv6);
        let is_idle = shard.is_some_and(|shard| bmcs(self, shard) == 0);
        if !is_idle && self.shards_of(ipv6) < self.config.shards {
            match self.start_shard(ipv6) {
                Ok(()) => shard = self.least_busy(ipv6),
                Err(error) if shard.is_none() => {
                    return Err(format!("its address is {address}, but {error}"));
                }
                // The others do, if more slowly.
                Err(error) => tracing::warn!(%error, "the fleet has no further thread"),
            }
        }
        let shard = shard.ok_or("there is no shard")?;
        if bmcs(self, shard) >= Config::TARGETS_PER_SHARD_MAX {
            return Err(format!("its address is {address}, but every shard is full"));
        }
        Ok(shard)
    }

    fn tell_unreachable(&self, place: u32, reason: &str) {
        if let Some(spot) = self.shared.board.spot(place) {
            self.shared.board.tell_unreachable(unix_ms(), &spot, reason);
        }
    }

    fn least_busy(&self, ipv6: bool) -> Option<u32> {
        let members = (0..).zip(&self.shards);
        let of_family = members.filter(|(_, member)| member.ipv6 == ipv6);
        of_family
            .min_by_key(|(_, member)| member.bmcs)
            .map(|(index, _)| index)
    }

    /// What an engine wants to know of the BMC of a place.
    pub(crate) fn order(&mut self, place: u32, order: Order) {
        match (self.seats.get_mut(place as usize), order) {
            (Some(Seat::Shard(shard, _) | Seat::Parked(shard, _)), order) => {
                self.shards[*shard as usize].shard.order(order);
            }
            (Some(Seat::Waits(coming)), Order::Login(_, login)) => coming.target.login = login,
            (Some(Seat::Waits(coming)), Order::Treatment(_, treatment)) => {
                coming.target.treatment = treatment;
                if let Some(remembered) = &mut coming.remembered {
                    remembered.read_anew |= remembered.plan.quirks != treatment.quirks;
                }
            }
            (Some(Seat::Waits(coming)), Order::Labels(_, enclosure, labels)) => {
                let target = &mut coming.target;
                (target.enclosure, target.labels) = (enclosure, labels);
                if let Some(spot) = self.shared.board.spot(place) {
                    let mut node = Node::clone(&spot.load());
                    node.enclosure.clone_from(&target.enclosure);
                    node.labels = Arc::clone(&target.labels);
                    node.revision += 1;
                    self.shared.board.put(&spot, &Arc::new(node));
                }
            }
            _ => {}
        }
    }

    /// Gives the BMC of a place another login.
    pub(crate) fn set_login(&mut self, place: u32, login: &Arc<Login>) {
        self.order(place, Order::Login(place, Arc::clone(login)));
    }

    /// Sends an operator command to the BMC of a place.
    pub(crate) fn submit(&self, place: u32, job: Job) {
        match self.seats.get(place as usize) {
            Some(Seat::Shard(shard, _) | Seat::Parked(shard, _)) => {
                self.shards[*shard as usize].shard.submit(place, job);
            }
            Some(Seat::Waits(_)) => job.outcome.tell(Err(ApplyError::Unreachable {
                reason: "the address of its BMC is not known yet".to_owned(),
            })),
            Some(Seat::Vacant) | None => job.outcome.tell(Err(ApplyError::Absent)),
        }
    }

    /// Seats a BMC whose address is known now, lets one move that has another address by now, or shows why there is none.
    pub(crate) fn set_address(&mut self, place: u32, address: Result<SocketAddr, String>) {
        match (self.seats.get_mut(place as usize), address) {
            (Some(Seat::Waits(coming)), Ok(address)) => {
                coming.target.address = Some(address);
                self.seat_one_that_waits(place);
            }
            (Some(Seat::Waits(_)), Err(reason)) => self.tell_unreachable(place, &reason),
            (Some(Seat::Shard(..) | Seat::Parked(..)), Ok(address)) => {
                self.relocate(place, address);
            }
            // Without a new one, the address that it has holds.
            _ => {}
        }
    }

    /// Gives a BMC that a shard has another address. Where another BMC has that, it leaves its own all the same: who has that
    /// now is another machine.
    fn relocate(&mut self, place: u32, address: SocketAddr) {
        let seat = &self.seats[place as usize];
        let (Seat::Shard(shard, _) | Seat::Parked(shard, _)) = *seat else {
            return;
        };
        if seat.at() == Some(peer(address)) {
            return;
        }
        if let Seat::Shard(_, before) = seat {
            self.addresses.remove((*before).into());
        }
        self.seat(place, Seat::Parked(shard, address));
        if let Err(reason) = self.settle(place, shard, address) {
            self.clashing.insert(place);
            let order = Order::Address(place, Err(reason));
            self.shards[shard as usize].shard.order(order);
        }
        self.seat_those_that_wait();
    }

    /// Lets the BMC of a place go on at this address: with the shard that it has, or with one that has a socket for it, to which
    /// the former hands it over. Why that can't be: another one has the address, or there is no socket.
    fn settle(&mut self, place: u32, from: u32, address: SocketAddr) -> Result<(), String> {
        if self.addresses.contains(address) {
            return Err(clash(address));
        }
        let to = match self.shards[from as usize].ipv6 == address.is_ipv6() {
            true => from,
            false => self.shard_for(address)?,
        };
        self.addresses.insert(address, ());
        self.clashing.remove(&place);
        self.seat(place, Seat::Shard(to, peer(address)));
        if to == from {
            let order = Order::Address(place, Ok(address));
            self.shards[from as usize].shard.order(order);
            return Ok(());
        }
        self.shards[from as usize].bmcs -= 1;
        let new = &mut self.shards[to as usize];
        new.bmcs += 1;
        // What is ordered of it from now on, it is ordered there, and waits there for it.
        new.shard.order(Order::Await(place));
        let order = Order::HandOver(place, address, new.shard.mailbox());
        self.shards[from as usize].shard.order(order);
        Ok(())
    }

    /// Seats those whose address nobody else has any more.
    fn seat_those_that_wait(&mut self) {
        let clashing: Vec<u32> = self.clashing.iter().copied().collect();
        for place in clashing {
            let parked = match &self.seats[place as usize] {
                Seat::Parked(shard, address) => Some((*shard, *address)),
                _ => None,
            };
            match parked {
                None => self.seat_one_that_waits(place),
                Some((shard, address)) => {
                    // Where that can't be yet, it goes on waiting.
                    let _ = self.settle(place, shard, address);
                }
            }
        }
    }

    fn seat_one_that_waits(&mut self, place: u32) {
        let Seat::Waits(coming) = &self.seats[place as usize] else {
            return;
        };
        let Some(address) = coming.target.address else {
            return;
        };
        match self.berth(address) {
            Ok((shard, peer)) => {
                self.clashing.remove(&place);
                let seat = &mut self.seats[place as usize];
                if let Seat::Waits(coming) = std::mem::replace(seat, Seat::Shard(shard, peer)) {
                    let order = Order::Add(vec![*coming]);
                    self.shards[shard as usize].shard.order(order);
                }
            }
            Err(reason) => {
                self.clashing.insert(place);
                self.tell_unreachable(place, &reason);
            }
        }
    }

    /// What the shards' clock says.
    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Whether a shard has ended that nobody has closed.
    pub(crate) fn has_failed(&self) -> bool {
        self.shards.iter().any(|member| member.shard.has_failed())
    }

    /// What each shard did.
    pub(crate) fn figures(&self) -> Vec<ShardFigures> {
        self.shards
            .iter()
            .map(|member| member.shard.figures())
            .collect()
    }

    /// Begins to close every session, and to end the threads: those that nobody waits for yet.
    pub(crate) fn begin_close(&mut self) -> Vec<Running> {
        self.is_closed = true;
        for member in &self.shards {
            member.shard.begin_close();
        }
        let members = self.shards.iter_mut();
        members
            .filter_map(|member| member.shard.take_thread())
            .collect()
    }
}

/// Why a BMC at an address that another one has isn't asked.
fn clash(address: SocketAddr) -> String {
    // Their answers could not be told apart.
    format!("another node has the same address {address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARDS: usize = 3;

    fn targets(
        names: std::ops::Range<u32>,
        address: impl Fn(u32) -> Option<SocketAddr>,
    ) -> Vec<Target> {
        let login = Arc::new(Login::new("admin", b"secret").unwrap());
        names
            .map(|n| Target::new(NodeId::new(&format!("n{n}")).unwrap(), address(n), &login))
            .collect()
    }

    /// The discard port of an address at which nobody is.
    fn at(n: u32) -> SocketAddr {
        let [_, a, b, c] = n.to_be_bytes();
        ([127, 90 + a, b, c + 1], 9).into()
    }

    fn crew() -> Crew {
        let config = Config {
            shards: SHARDS,
            ..Config::new(Vec::new())
        };
        Crew::new(config, Shared::with_memory(None))
    }

    fn change(crew: &mut Crew, remove: &[NodeId], add: Vec<Target>) -> Result<(), StartError> {
        let changes = Changes {
            remove: remove.to_vec(),
            add,
            ..Changes::default()
        };
        crew.make_room(&changes)?;
        let moves = crew.shared.enter(remove, &changes.add, Vec::new());
        crew.move_all(moves, changes.add);
        Ok(())
    }

    fn bmcs(crew: &Crew) -> Vec<usize> {
        crew.shards.iter().map(|member| member.bmcs).collect()
    }

    fn close(mut crew: Crew) {
        crew.begin_close().into_iter().for_each(Running::join);
    }

    #[test]
    fn bmcs_given_by_name_spread_over_all_threads_as_their_addresses_come() {
        let mut crew = crew();
        change(&mut crew, &[], targets(0..7, |_| None)).unwrap();
        assert_eq!(bmcs(&crew), [], "nobody to talk to yet");
        for place in 0..7 {
            crew.set_address(place, Ok(at(place)));
        }
        assert_eq!(bmcs(&crew), [3, 2, 2]);
        close(crew);
    }

    #[test]
    fn bmcs_that_come_one_change_at_a_time_spread_over_all_threads() {
        let mut crew = crew();
        for n in 0..5 {
            change(&mut crew, &[], targets(n..n + 1, |n| Some(at(n)))).unwrap();
        }
        assert_eq!(bmcs(&crew), [2, 2, 1]);
        // Those that leave make room; who stays has its thread.
        let gone: Vec<_> = targets(0..3, |_| None).into_iter().map(|t| t.id).collect();
        change(&mut crew, &gone, targets(5..6, |n| Some(at(n)))).unwrap();
        assert_eq!(bmcs(&crew).iter().sum::<usize>(), 3);
        assert_eq!(crew.shards.len(), SHARDS, "no more than were asked for");
        close(crew);
    }

    #[test]
    fn neither_vacant_places_nor_nodes_that_leave_count_as_taken() {
        let mut crew = crew();
        let all = targets(0..4, |n| (n < 2).then(|| at(n)));
        let ids: Vec<_> = all.iter().map(|target| target.id.clone()).collect();
        change(&mut crew, &[], all).unwrap();
        change(&mut crew, &ids[3..], Vec::new()).unwrap();
        let staying = crew.staying(&ids[..1]);
        assert_eq!((staying.nodes, staying.bmcs), (2, [1, 0]));
        close(crew);
    }
}
