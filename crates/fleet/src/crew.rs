//! The shards of a fleet, and which of them has which BMC.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ::hardware::{ApplyError, Node, Update};
use ipmi::console::Login;
use ipmi::time::Instant;

use crate::drive::{Clock, Order, Shard, StartError, unix_ms};
use crate::engine::{Coming, Engine, EngineConfig};
use crate::figures::ShardFigures;
use crate::hardware::Changes;
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
    /// Nobody yet: its address is not known.
    Waits(Box<Coming>),
    /// This shard.
    Shard(u32, Peer),
}

impl Seat {
    /// Where the BMC is that has the seat, as far as is known.
    fn at(&self) -> Option<Peer> {
        match self {
            Self::Vacant => None,
            Self::Waits(coming) => coming.target.address.map(peer),
            Self::Shard(_, peer) => Some(*peer),
        }
    }
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
        }
    }

    /// Sees to it that there is a shard for every new BMC.
    pub(crate) fn make_room(&mut self, changes: &Changes) -> Result<(), StartError> {
        let targets = self.seats.len() + changes.add.len();
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
            let count = changes.add.iter().filter(of_family).count();
            let there = self
                .shards
                .iter()
                .filter(|member| member.ipv6 == ipv6)
                .count();
            for _ in there..count.min(self.config.shards) {
                self.start_shard(ipv6)?;
            }
        }
        Ok(())
    }

    fn start_shard(&mut self, ipv6: bool) -> Result<(), StartError> {
        let number = self.shards.len();
        let seed = unix_ms().wrapping_add(number as u64);
        let settings = EngineConfig::of(&self.config, seed);
        let engine = Engine::new(self.clock.now(), unix_ms(), &settings, &self.shared);
        let shard = Shard::start(
            format!("fleet-{number}"),
            engine,
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
            match std::mem::replace(&mut self.seats[*place as usize], Seat::Vacant) {
                Seat::Shard(shard, peer) => {
                    self.addresses.remove(peer.into());
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
                    shares[shard as usize].push(coming);
                    self.seat(place, Seat::Shard(shard, peer));
                }
                Some(Err(reason)) => {
                    self.seat(place, Seat::Waits(Box::new(coming)));
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
            // Their answers could not be told apart.
            return Err(format!("another node has the same address {address}"));
        }
        let ipv6 = address.is_ipv6();
        if self.least_busy(ipv6).is_none() {
            self.start_shard(ipv6)
                .map_err(|error| format!("its address is {address}, but {error}"))?;
        }
        let shard = self.least_busy(ipv6).ok_or("there is no shard")?;
        self.shards[shard as usize].bmcs += 1;
        self.addresses.insert(address, ());
        Ok((shard, peer(address)))
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
            (Some(Seat::Shard(shard, _)), order) => self.shards[*shard as usize].shard.order(order),
            (Some(Seat::Waits(coming)), Order::Login(_, login)) => coming.target.login = login,
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
            Some(Seat::Shard(shard, _)) => self.shards[*shard as usize].shard.submit(place, job),
            Some(Seat::Waits(_)) => job.outcome.tell(Err(ApplyError::Unreachable {
                reason: "the address of its BMC is not known yet".to_owned(),
            })),
            Some(Seat::Vacant) | None => job.outcome.tell(Err(ApplyError::Absent)),
        }
    }

    /// Seats a BMC whose address is known now, or shows why it isn't.
    pub(crate) fn set_address(&mut self, place: u32, address: Result<SocketAddr, String>) {
        let Some(Seat::Waits(_)) = self.seats.get(place as usize) else {
            return;
        };
        let berth = address.and_then(|address| Ok((address, self.berth(address)?)));
        match berth {
            Ok((address, (shard, peer))) => {
                let seat = Seat::Shard(shard, peer);
                if let Seat::Waits(mut coming) =
                    std::mem::replace(&mut self.seats[place as usize], seat)
                {
                    coming.target.address = Some(address);
                    let order = Order::Add(vec![*coming]);
                    self.shards[shard as usize].shard.order(order);
                }
            }
            Err(reason) => self.tell_unreachable(place, &reason),
        }
    }

    /// What the shards' clock says.
    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// What each shard did.
    pub(crate) fn figures(&self) -> Vec<ShardFigures> {
        self.shards
            .iter()
            .map(|member| member.shard.figures())
            .collect()
    }

    /// Closes every session and ends the threads.
    pub(crate) fn close(&mut self) {
        for member in &self.shards {
            member.shard.begin_close();
        }
        for member in &mut self.shards {
            member.shard.join();
        }
    }
}
