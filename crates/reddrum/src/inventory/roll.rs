//! All BMCs: those that the operator names, and those of clients as far as they can be with them.
//!
//! A client's change looks at the BMCs that it can make a difference to, which share a host with it, and not at the fleet: clients push
//! thousands one by one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use hardware::NodeId;

use super::merge::Named;
use super::pushed::{Before, Bmc, Clash, Pushed};
use crate::config::{Credentials, Place, TARGETS_MAX, TargetConfig};
use crate::place;

/// The BMCs that the operator names, and what they take.
#[derive(Debug, Default)]
pub(crate) struct Operators {
    /// First those of the configuration file, then list by list.
    pub(crate) targets: Vec<TargetConfig>,
    /// Who has named them: up to which place, and what it is called.
    pub(crate) origins: Vec<(usize, String)>,
    /// From this place on they were found where the operator has them looked for.
    found_from: usize,
    names: HashMap<NodeId, usize>,
    hosts: HashMap<(String, u16), usize>,
    places: BTreeSet<String>,
}

impl Operators {
    /// Those that have turned out to go together.
    pub(crate) fn new(named: Named) -> Self {
        let Named {
            targets,
            origins,
            found_from,
        } = named;
        let (mut names, mut hosts) = (HashMap::new(), HashMap::new());
        names.reserve(targets.len());
        hosts.reserve(targets.len());
        let mut places = BTreeSet::new();
        let mut last: Option<&Place> = None;
        for (index, target) in targets.iter().enumerate() {
            names.insert(target.id.clone(), index);
            hosts.insert((target.host.clone(), target.treatment.port), index);
            let place = &target.treatment.place;
            // Those of one section come one after the other.
            if last != Some(place) {
                places.extend(place::names(place));
                last = Some(place);
            }
        }
        Self {
            targets,
            origins,
            found_from,
            names,
            hosts,
            places,
        }
    }

    /// The place of the one with this name.
    pub(crate) fn find(&self, id: &str) -> Option<usize> {
        self.names.get(id).copied()
    }

    /// Whether the one at this place was found, and stands aside for whom anybody names.
    const fn is_found(&self, place: usize) -> bool {
        place >= self.found_from
    }
}

/// All BMCs.
#[derive(Debug)]
pub(crate) struct Roll {
    operators: Arc<Operators>,
    pushed: Pushed,
    /// Those of clients that can't be with the others.
    aside: BTreeMap<NodeId, Clash>,
    /// There are credentials for those that bring none.
    has_credentials: bool,
    /// How often it was looked whether a BMC of a client's can be with the others.
    looks: u64,
}

/// How the operator's BMCs and those of clients go together.
#[derive(Debug)]
pub(crate) struct Settled {
    operators: Arc<Operators>,
    aside: BTreeMap<NodeId, Clash>,
    has_credentials: bool,
    /// Those that were found stand aside.
    found_give_way: bool,
}

impl Settled {
    /// Those of clients that can't be with the others.
    pub(crate) const fn aside(&self) -> &BTreeMap<NodeId, Clash> {
        &self.aside
    }
}

/// What a client has changed.
#[derive(Debug)]
pub(crate) struct Step {
    id: String,
    before: Before,
    /// What stood aside before, of those that were looked at.
    aside_before: BTreeMap<NodeId, Clash>,
    /// Those that were looked at.
    pub(crate) looked_at: BTreeSet<NodeId>,
    /// Those among them that were part of the fleet, as they were.
    pub(crate) was: Vec<Bmc>,
    /// Those that are.
    pub(crate) is: Vec<Bmc>,
    /// One that stood aside and is gone for good.
    pub(crate) gone: Option<NodeId>,
}

impl Step {
    /// The name of the one that was changed.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Whether a name or a host is free now.
    pub(crate) fn frees(&self, roll: &Roll) -> bool {
        !self.before.is_as(roll.pushed.get(&self.id))
    }

    /// Whether this one did not stand aside before.
    pub(crate) fn is_new_aside(&self, id: &NodeId) -> bool {
        !self.aside_before.contains_key(id)
    }
}

impl Roll {
    /// Of these.
    pub(crate) fn new(operators: Operators, pushed: Pushed, credentials: &Credentials) -> Self {
        let mut roll = Self {
            operators: Arc::default(),
            pushed,
            aside: BTreeMap::new(),
            has_credentials: false,
            looks: 0,
        };
        let settled = roll.settle(operators, credentials);
        roll.hold(settled);
        roll
    }

    /// The BMCs that the operator names.
    pub(crate) const fn operators(&self) -> &Arc<Operators> {
        &self.operators
    }

    /// The BMCs that clients have named.
    pub(crate) const fn pushed(&self) -> &Pushed {
        &self.pushed
    }

    /// Those of them that can't be with the others, and why.
    pub(crate) const fn aside(&self) -> &BTreeMap<NodeId, Clash> {
        &self.aside
    }

    /// Whether there are credentials for those that bring none.
    pub(crate) const fn has_credentials(&self) -> bool {
        self.has_credentials
    }

    /// How many BMCs are part of the fleet.
    pub(crate) fn count(&self) -> usize {
        self.operators.targets.len() + self.pushed.count() - self.aside.len()
    }

    /// All that are part of the fleet, the operator's first.
    pub(crate) fn targets(&self) -> Vec<TargetConfig> {
        self.targets_with(&self.operators, &self.aside)
    }

    /// The same where the operator's are these.
    pub(crate) fn targets_of(&self, settled: &Settled) -> Vec<TargetConfig> {
        self.targets_with(&settled.operators, &settled.aside)
    }

    fn targets_with(
        &self,
        operators: &Operators,
        aside: &BTreeMap<NodeId, Clash>,
    ) -> Vec<TargetConfig> {
        let fits = |bmc: &&Bmc| !aside.contains_key(bmc.id());
        let pushed = self.pushed.all().filter(fits);
        let pushed = pushed.map(|bmc| bmc.target().clone());
        operators.targets.iter().cloned().chain(pushed).collect()
    }

    /// How all go together where the operator's BMCs and credentials are these.
    pub(crate) fn settle(&mut self, operators: Operators, credentials: &Credentials) -> Settled {
        let mut settled = Settled {
            operators: Arc::new(operators),
            aside: BTreeMap::new(),
            has_credentials: self.pushed.has_default(credentials),
            found_give_way: false,
        };
        let mut count = settled.operators.targets.len();
        for bmc in self.pushed.all() {
            self.looks += 1;
            let clash = settled.clash(bmc, self.pushed.claimants(bmc));
            let clash = clash.or_else(|| (count >= TARGETS_MAX).then_some(Clash::Full));
            match clash {
                Some(clash) => {
                    settled.aside.insert(bmc.id().clone(), clash);
                }
                None => count += 1,
            }
        }
        settled
    }

    /// So it is from now on.
    pub(crate) fn hold(&mut self, settled: Settled) {
        let Settled {
            operators,
            aside,
            has_credentials,
            found_give_way: _,
        } = settled;
        self.operators = operators;
        self.aside = aside;
        self.has_credentials = has_credentials;
    }

    /// Whether the one that a step has named stands aside for one that was found. It is to be the other way round.
    pub(crate) fn waits_for_found(&self, step: &Step) -> bool {
        let other = match self.aside.get_key_value(step.id.as_str()) {
            Some((id, Clash::Name)) => id,
            Some((_, Clash::Host(other))) => other,
            _ => return false,
        };
        let place = self.operators.find(other.as_str());
        place.is_some_and(|place| self.operators.is_found(place))
    }

    /// Why a client can't name this one beside those of the operator and all others of clients, also those that stand aside. Who was
    /// merely found is in nobody's way.
    pub(crate) fn clash(&self, bmc: &Bmc) -> Option<Clash> {
        let alone = Settled {
            operators: Arc::clone(&self.operators),
            aside: BTreeMap::new(),
            has_credentials: self.has_credentials,
            found_give_way: true,
        };
        let others = self.pushed.claimants(bmc).filter(|id| *id != bmc.id());
        let clash = alone.clash_with(bmc, others);
        let is_new = self.pushed.get(bmc.id().as_str()).is_none();
        let count = self.operators.targets.len() + self.pushed.count() + usize::from(is_new);
        clash.or_else(|| (count > TARGETS_MAX && self.is_full(bmc)).then_some(Clash::Full))
    }

    /// Whether so many names are taken that there is no other. Clients may use one of the operator's, too.
    fn is_full(&self, bmc: &Bmc) -> bool {
        let others = self.pushed.all().map(Bmc::id);
        let others = others.filter(|id| *id != bmc.id());
        let others = others.filter(|id| self.operators.find(id.as_str()).is_none());
        self.operators.targets.len() + others.count() >= TARGETS_MAX
    }

    /// From now on this one has the name `id`, or none has.
    pub(crate) fn set(&mut self, id: &str, bmc: Option<Bmc>) -> Step {
        let was = self.pushed.get(id);
        let (mut looked_at, mut of_fleet) = (BTreeSet::new(), Vec::new());
        for one in was.iter().copied().chain(bmc.as_ref()) {
            looked_at.extend(self.pushed.claimants(one).cloned());
            looked_at.insert(one.id().clone());
        }
        if self.operators.targets.len() + self.pushed.count() >= TARGETS_MAX {
            // Somebody leaves or takes the last place: anybody may be the next one.
            looked_at.extend(self.pushed.all().map(Bmc::id).cloned());
        }
        let mut aside_before = BTreeMap::new();
        for one in &looked_at {
            match self.aside.remove_entry(one) {
                Some((id, clash)) => {
                    aside_before.insert(id, clash);
                }
                None => of_fleet.extend(self.pushed.get(one.as_str()).cloned()),
            }
        }
        let is_gone = bmc.is_none();
        let before = self.pushed.set(id, bmc);
        let mut step = Step {
            id: id.to_owned(),
            before,
            gone: None,
            was: of_fleet,
            is: Vec::new(),
            aside_before,
            looked_at,
        };
        // Who had a name of the operator's has left nothing of his own.
        let gone = step.aside_before.get_key_value(id);
        let gone = gone.filter(|(_, clash)| is_gone && **clash != Clash::Name);
        step.gone = gone.map(|(id, _)| id.clone());
        self.look_at(&mut step);
        step
    }

    /// Says of each that a step looks at whether it can be with the others, in their order.
    fn look_at(&mut self, step: &mut Step) {
        let mut settled = Settled {
            operators: Arc::clone(&self.operators),
            aside: std::mem::take(&mut self.aside),
            has_credentials: self.has_credentials,
            found_give_way: false,
        };
        let others = self.pushed.count() - self.pushed.those(&step.looked_at).count();
        let mut count = settled.operators.targets.len() + others - settled.aside.len();
        for bmc in self.pushed.those(&step.looked_at) {
            self.looks += 1;
            let clash = settled.clash(bmc, self.pushed.claimants(bmc));
            let clash = clash.or_else(|| (count >= TARGETS_MAX).then_some(Clash::Full));
            match clash {
                Some(clash) => {
                    settled.aside.insert(bmc.id().clone(), clash);
                }
                None => {
                    count += 1;
                    step.is.push(bmc.clone());
                }
            }
        }
        self.aside = settled.aside;
    }

    /// Takes a step back: all is as it was before it.
    pub(crate) fn undo(&mut self, step: Step) {
        self.pushed.restore(&step.id, step.before);
        for id in &step.looked_at {
            self.aside.remove(id);
        }
        self.aside.extend(step.aside_before);
    }

    /// How often it was looked whether a BMC of a client's can be with the others.
    #[cfg(test)]
    pub(crate) const fn looks(&self) -> u64 {
        self.looks
    }
}

impl Settled {
    /// Why one can't be with the operator's, and with those of these clients who come before it and don't stand aside.
    fn clash<'a>(&self, bmc: &Bmc, claimants: impl Iterator<Item = &'a NodeId>) -> Option<Clash> {
        let earlier = claimants.take_while(|id| *id < bmc.id());
        self.clash_with(bmc, earlier.filter(|id| !self.aside.contains_key(*id)))
    }

    fn clash_with<'a>(
        &self,
        bmc: &Bmc,
        mut others: impl Iterator<Item = &'a NodeId>,
    ) -> Option<Clash> {
        let (operators, target) = (&*self.operators, bmc.target());
        let stays = |place: &&usize| !(self.found_give_way && operators.is_found(**place));
        if operators.names.get(&target.id).filter(stays).is_some() {
            return Some(Clash::Name);
        }
        let host = operators.hosts.get(&bmc.host()).filter(stays);
        let host = host.map(|index| &operators.targets[*index].id);
        if let Some(other) = host.or_else(|| others.next()) {
            return Some(Clash::Host(other.clone()));
        }
        if operators.places.contains(target.id.as_str()) {
            return Some(Clash::Place);
        }
        (bmc.login().is_none() && !self.has_credentials).then_some(Clash::NoCredentials)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use redfish::Source;

    use super::super::merge::merged;
    use super::*;
    use crate::config::{AggregationConfig, Config};

    fn bmc(id: &str, host_name: String) -> Bmc {
        let source = Source {
            id: id.to_owned(),
            name: id.to_owned(),
            host_name,
            port: None,
            method: "IPMI20".to_owned(),
            login: None,
        };
        Bmc::of(&source, &AggregationConfig::default()).unwrap()
    }

    fn config(targets: &str) -> Config {
        let text = format!(
            "[service]\nstate_dir = \"s\"\n[credentials.default]\nusername = \"u\"\n\
             password_command = [\"echo\", \"one\"]\n{targets}"
        );
        Config::parse(&text, Path::new("/")).unwrap()
    }

    fn operators(config: &Config) -> Operators {
        Operators::new(merged(config, &[]).unwrap())
    }

    fn rules() -> AggregationConfig {
        AggregationConfig {
            default_login: true,
            ..AggregationConfig::default()
        }
    }

    /// What is to be equal.
    fn state(roll: &Roll) -> (Vec<TargetConfig>, BTreeMap<NodeId, Clash>) {
        (roll.targets(), roll.aside().clone())
    }

    #[test]
    fn step_by_step_it_comes_to_the_same_as_all_at_once_and_a_step_back_to_what_was() {
        let config =
            config("[[target]]\nhosts = \"10.0.0.[1-2]\"\nnames = \"n[1-2]\"\nrack = \"n3\"\n");
        let pushed = Pushed::of(&[], rules());
        let mut roll = Roll::new(operators(&config), pushed, &config.credentials);
        let mut kept: BTreeMap<String, Bmc> = BTreeMap::new();
        let mut number = 7_u32;
        let mut draw = |most: u32| {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (number >> 16) % most
        };
        for _ in 0..2_000 {
            let id = format!("n{}", draw(9));
            let new = bmc(&id, format!("10.0.0.{}", 1 + draw(6)));
            let new = (draw(3) > 0).then_some(new);
            let before = state(&roll);
            let step = roll.set(&id, new.clone());
            let (was, is): (Vec<_>, Vec<_>) = (
                step.was.iter().map(Bmc::target).collect(),
                step.is.iter().map(Bmc::target).collect(),
            );
            let after = state(&roll);
            let mut stepped: Vec<&TargetConfig> = before
                .0
                .iter()
                .filter(|one| !was.contains(one))
                .chain(is)
                .collect();
            stepped.sort_by_key(|one| (one.at == 0, one.id.clone()));
            let mut all: Vec<&TargetConfig> = after.0.iter().collect();
            all.sort_by_key(|one| (one.at == 0, one.id.clone()));
            assert_eq!(stepped, all, "what the fleet is told leads there");
            if draw(4) == 0 {
                roll.undo(step);
                assert_eq!(state(&roll), before);
                continue;
            }
            match new {
                Some(new) => kept.insert(id, new),
                None => kept.remove(&id),
            };
            let mut pushed = Pushed::of(&[], rules());
            for (id, bmc) in &kept {
                pushed.set(id, Some(bmc.clone()));
            }
            let anew = Roll::new(operators(&config), pushed, &config.credentials);
            assert_eq!(state(&roll), state(&anew));
            assert_eq!(roll.count(), roll.targets().len());
        }
    }

    #[test]
    fn one_that_stood_aside_is_gone_for_good_when_it_is_taken_away() {
        let config = config("[[target]]\nhosts = \"10.0.0.[1-2]\"\nnames = \"n[1-2]\"\n");
        let pushed = Pushed::of(&[], rules());
        let mut roll = Roll::new(operators(&config), pushed, &config.credentials);
        roll.set("n1", Some(bmc("n1", "10.0.0.9".to_owned())));
        roll.set("n3", Some(bmc("n3", "10.0.0.1".to_owned())));
        assert_eq!(roll.aside().len(), 2);
        assert_eq!(
            roll.set("n1", None).gone,
            None,
            "the name is the operator's"
        );
        let gone = roll.set("n3", None).gone;
        assert_eq!(gone, NodeId::new("n3"));
    }
}
