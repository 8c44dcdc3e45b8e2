//! What becomes of the BMCs of a configuration, and what has to change in a running fleet to get to them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use fleet::{Changes, Target};
use hardware::{Labels, Location, NodeId, NodeKind, Topology};
use ipmi::console::Login;

use crate::config::{Credentials, TargetConfig, Treatment};
use crate::place;
use crate::resolve::{self, Name};

/// The enclosures that these BMCs stand in.
pub(crate) fn topology(targets: &[TargetConfig]) -> Topology {
    place::topology(targets.iter().map(|target| &target.treatment.place))
}

/// Logins by the names of their credentials.
pub(crate) type Logins = BTreeMap<String, Arc<Login>>;

/// What becomes of a BMC of the configuration, and the name to be looked up where it is given by one. Those with equal labels
/// share them.
#[derive(Debug, Default)]
pub(crate) struct Maker(HashMap<*const Treatment, Arc<Labels>>);

impl Maker {
    /// The target; `None` without its login.
    pub(crate) fn target(&mut self, config: &TargetConfig, logins: &Logins) -> Option<Target> {
        let treatment = &config.treatment;
        let login = logins.get(&treatment.credentials)?;
        Some(Target {
            kind: NodeKind::Computer,
            enclosure: place::innermost(&treatment.place),
            labels: self.labels(treatment),
            treatment: treatment.polling(),
            ..Target::new(
                config.id.clone(),
                resolve::literal(&config.host, treatment.port),
                login,
            )
        })
    }

    fn labels(&mut self, treatment: &Arc<Treatment>) -> Arc<Labels> {
        let made = self.0.entry(Arc::as_ptr(treatment));
        Arc::clone(made.or_insert_with(|| Arc::new(labels(treatment))))
    }
}

fn labels(treatment: &Treatment) -> Labels {
    let text = |value: &Option<String>| value.as_deref().map(Into::into);
    let place = &treatment.place;
    let others = treatment.labels.iter();
    Labels {
        location: Location {
            site: text(&place.site),
            row: text(&place.row),
            rack: text(&place.rack),
            unit: place.unit,
        },
        others: others
            .map(|(name, value)| (name.as_str().into(), value.as_str().into()))
            .collect(),
    }
}

/// The name to be looked up for a BMC.
pub(crate) fn name(config: &TargetConfig) -> Option<Name> {
    let port = config.treatment.port;
    resolve::literal(&config.host, port)
        .is_none()
        .then(|| Name {
            id: config.id.clone(),
            host: config.host.clone(),
            port,
            reach: config.treatment.reach.clone(),
        })
}

/// How to get from one state of a fleet to another.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// What the fleet is told.
    pub(crate) changes: Changes,
    /// Names to be looked up.
    pub(crate) names: Vec<Name>,
    /// Machines that are logged in to in another way from now on.
    pub(crate) logins: Vec<(NodeId, Arc<Login>)>,
}

/// The way from `before` to `after`, each with its credentials.
pub(crate) fn plan(
    (before, old): (&[TargetConfig], &Credentials),
    (after, new): (&[TargetConfig], &Credentials),
    logins: &Logins,
) -> Plan {
    let (mut plan, mut maker) = (Plan::default(), Maker::default());
    let known: HashMap<&NodeId, &TargetConfig> = before.iter().map(|t| (&t.id, t)).collect();
    let mut moved = before.len() != after.len();
    for target in after {
        let Some(was) = known.get(&target.id) else {
            moved = true;
            plan.names.extend(name(target));
            plan.changes.add.extend(maker.target(target, logins));
            continue;
        };
        let (a, b) = (&was.treatment, &target.treatment);
        if is_another(was, target) {
            plan.changes.remove.push(target.id.clone());
            plan.names.extend(name(target));
            plan.changes.add.extend(maker.target(target, logins));
        } else {
            if a.reach != b.reach {
                plan.names.extend(name(target));
            }
            if a.polling() != b.polling() {
                let treatment = (target.id.clone(), b.polling());
                plan.changes.treatments.push(treatment);
            }
            if old.get(&a.credentials) != new.get(&b.credentials)
                && let Some(login) = logins.get(&b.credentials)
            {
                plan.logins.push((target.id.clone(), Arc::clone(login)));
            }
        }
        if (&a.place, &a.labels) != (&b.place, &b.labels) {
            moved |= a.place != b.place;
            let enclosure = place::innermost(&b.place);
            let labels = (target.id.clone(), enclosure, maker.labels(b));
            plan.changes.labels.push(labels);
        }
    }
    let stays: HashSet<&NodeId> = after.iter().map(|target| &target.id).collect();
    let gone = before.iter().filter(|target| !stays.contains(&target.id));
    plan.changes
        .remove
        .extend(gone.map(|target| target.id.clone()));
    plan.changes.topology = moved.then(|| Arc::new(topology(after)));
    plan
}

/// Whether a machine has another BMC: it is taken up anew.
fn is_another(was: &TargetConfig, is: &TargetConfig) -> bool {
    (&was.host, was.treatment.port) != (&is.host, is.treatment.port)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;
    use crate::serve;

    /// A configuration with the targets that `text` names.
    fn config(text: &str) -> Config {
        // A command says the password: there is no file that others could read.
        let credentials = |name: &str, password: &str| {
            format!(
                "[credentials.{name}]\nusername = \"u\"\npassword_command = [\"echo\", \"{password}\"]\n"
            )
        };
        let text = format!(
            "[service]\nstate_dir = \"s\"\n{}{}{text}",
            credentials("default", "one"),
            credentials("other", "two")
        );
        Config::parse(&text, Path::new("/")).unwrap()
    }

    fn planned(before: &str, after: &str) -> Plan {
        let (before, after) = (config(before), config(after));
        let logins = serve::logins(&after.credentials).unwrap();
        let old = (&*before.targets, &before.credentials);
        plan(old, (&after.targets, &after.credentials), &logins)
    }

    fn ids(ids: &[NodeId]) -> Vec<&str> {
        ids.iter().map(NodeId::as_str).collect()
    }

    #[test]
    fn only_what_differs_is_planned() {
        let plan = planned(
            "[[target]]\nhosts = \"10.0.0.[1-4]\"\nnames = \"n[1-4]\"\n",
            "[[target]]\nhosts = \"10.0.0.[2-4]\"\nnames = \"n[2-4]\"\n[[target]]\nhosts = \"bmc9\"\n",
        );
        assert_eq!(ids(&plan.changes.remove), ["n1"]);
        let added: Vec<_> = plan.changes.add.iter().map(|t| t.id.as_str()).collect();
        assert_eq!(added, ["bmc9"]);
        assert_eq!(plan.names.len(), 1, "it has to be looked up");
        assert!(plan.logins.is_empty() && plan.changes.labels.is_empty());
        let same = "[[target]]\nhosts = \"10.0.0.[1-4]\"\n";
        let plan = planned(same, same);
        assert!(plan.changes.add.is_empty() && plan.changes.remove.is_empty());
        assert!(plan.changes.topology.is_none());
    }

    #[test]
    fn a_name_that_may_lead_elsewhere_is_looked_up_again() {
        let scanned = |exclude: &str| {
            let text = format!(
                "[[inventory]]\ncredentials = \"default\"\nscan = [\"bmc1\", \"10.0.0.1\"]\nnames = \"n[1-2]\"\n{exclude}"
            );
            config(&text)
        };
        let (before, after) = (scanned(""), scanned("exclude = [\"10.0.0.9\"]"));
        let logins = serve::logins(&after.credentials).unwrap();
        let of = |config: &Config| config.scans[0].candidates.clone();
        let names = |from: &Config, to: &Config| {
            let plan = plan(
                (&of(from), &from.credentials),
                (&of(to), &to.credentials),
                &logins,
            );
            assert!(plan.changes.add.is_empty() && plan.changes.remove.is_empty());
            let names = plan.names.iter().map(|name| name.id.to_string());
            names.collect::<Vec<_>>()
        };
        assert_eq!(names(&before, &after), ["n1"]);
        assert!(names(&after, &after).is_empty());
    }

    #[test]
    fn another_address_takes_a_machine_up_anew_another_rack_login_interval_or_quirk_does_not() {
        let target = |host: &str, rest: &str| {
            format!("[[target]]\nhosts = \"{host}\"\nnames = \"n1\"\n{rest}\n")
        };
        let before = target("10.0.0.1", "");
        let plan = planned(&before, &target("10.0.0.2", ""));
        assert_eq!(ids(&plan.changes.remove), ["n1"]);
        assert_eq!(plan.changes.add.len(), 1);
        let plan = planned(&before, &target("10.0.0.1", "credentials = \"other\""));
        assert!(plan.changes.add.is_empty() && plan.changes.remove.is_empty());
        assert_eq!(plan.logins.len(), 1);
        let quirky = "poll_interval_ms = 5000\nquirks = [\"fru-checksums-wrong\"]\n\
                      sensor_intervals_ms = { fan = 9000 }";
        let plan = planned(&before, &target("10.0.0.1", quirky));
        assert!(plan.changes.add.is_empty() && plan.changes.remove.is_empty());
        let (id, treatment) = &plan.changes.treatments[0];
        assert_eq!(
            (id.as_str(), treatment.poll_interval_ms),
            ("n1", Some(5000))
        );
        assert!(treatment.quirks.has(fleet::Quirk::FruChecksumsWrong));
        let of_fans = treatment.sensor_intervals.get(hardware::SensorClass::Fan);
        assert_eq!(of_fans, Some(9000));
        let plan = planned(&before, &target("10.0.0.1", "rack = \"R1\"\nunit = 7"));
        assert!(plan.changes.add.is_empty() && plan.changes.remove.is_empty());
        let (id, enclosure, labels) = &plan.changes.labels[0];
        assert_eq!(id.as_str(), "n1");
        assert_eq!(enclosure.as_ref().unwrap().as_str(), "R1");
        assert_eq!(labels.location.unit, Some(7));
        assert_eq!(plan.changes.topology.unwrap().enclosures.len(), 1);
    }
}
