//! Machines of the demo that fall ill, for people to watch and to try their alarms on.

use std::sync::Arc;
use std::time::Duration;

use hardware::NodeId;
use ipmi::time::Instant;
use vbmc::bmcs::Bmcs;
use vbmc::fault::Faults;
use vbmc::serve::Clock;

use crate::error::ProgramError;

/// After so many seconds a fault begins where none are named: long enough to have opened the dashboard.
const DEFAULT_AFTER_S: u64 = 10;
/// The longest wait that can be asked for: a day.
const AFTER_MAX_S: u64 = 86_400;
/// How much warmer the air is that enters a machine with `hot`: beyond the critical limit of 42 °C.
const WARMER_C: f32 = 22.0;
/// Of all datagrams of a machine with `lossy`, so many get lost on each way, in thousandths.
const LOST_PERMILLE: u16 = 200;

/// What befalls a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The air that enters is far too warm.
    Hot,
    /// Its first fan stands still.
    Fan,
    /// Its controller answers no more.
    Silent,
    /// Its network loses datagrams.
    Lossy,
}

impl Kind {
    const ALL: [(&'static str, Self); 4] = [
        ("hot", Self::Hot),
        ("fan", Self::Fan),
        ("silent", Self::Silent),
        ("lossy", Self::Lossy),
    ];
}

/// `MACHINE=KIND` or `MACHINE=KIND@SECONDS`, an argument of `--fault`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    machine: String,
    kind: Kind,
    after: Duration,
}

impl std::str::FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (machine, fault) = text
            .split_once('=')
            .ok_or("write MACHINE=KIND, such as Rack1-Block1-Sled1-Node2=hot")?;
        let (kind, after_s) = match fault.split_once('@') {
            Some((kind, seconds)) => (kind, seconds.parse().ok()),
            None => (fault, Some(DEFAULT_AFTER_S)),
        };
        let after_s = after_s
            .filter(|seconds| *seconds <= AFTER_MAX_S)
            .ok_or_else(|| format!("behind '@' stand seconds, at most {AFTER_MAX_S}"))?;
        let known = Kind::ALL.iter().find(|(name, _)| *name == kind);
        let (_, kind) = known.ok_or_else(|| {
            let names = Kind::ALL.map(|(name, _)| name);
            format!("no fault '{kind}'; there are: {}", names.join(", "))
        })?;
        Ok(Self {
            machine: machine.to_owned(),
            kind: *kind,
            after: Duration::from_secs(after_s),
        })
    }
}

/// A fault of a machine that exists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planned {
    index: u32,
    kind: Kind,
    after: Duration,
}

/// Finds the machines.
///
/// # Errors
/// A name that no machine has, or a fault that its machine can't have.
pub(crate) fn plan(faults: &[Fault], bmcs: &Bmcs) -> Result<Vec<Planned>, ProgramError> {
    let planned = |fault: &Fault| {
        let id = NodeId::new(&fault.machine);
        let index = id.and_then(|id| bmcs.site().index_of(&id));
        let Some(index) = index else {
            let name = &fault.machine;
            return Err(ProgramError::Usage(format!(
                "--fault: no machine '{name}'; their names are those of /redfish/v1/Managers"
            )));
        };
        // Blocks and power bays have the air and the fans of their nodes.
        let needs_node = matches!(fault.kind, Kind::Hot | Kind::Fan);
        if needs_node && index >= bmcs.site().nodes() {
            return Err(ProgramError::Usage(format!(
                "--fault: '{}' is no node; of controllers there are the faults silent and lossy",
                fault.machine
            )));
        }
        Ok(Planned {
            index,
            kind: fault.kind,
            after: fault.after,
        })
    };
    faults.iter().map(planned).collect()
}

/// Lets each fault begin when its time has come.
pub(crate) fn begin(planned: Vec<Planned>, bmcs: &Arc<Bmcs>, clock: Clock) {
    for fault in planned {
        let bmcs = Arc::clone(bmcs);
        tokio::spawn(async move {
            tokio::time::sleep(fault.after).await;
            strike(&bmcs, clock.now(), fault.index, fault.kind);
        });
    }
}

/// Makes a machine ill at once, for good.
fn strike(bmcs: &Bmcs, now: Instant, index: u32, kind: Kind) {
    let mut machine = bmcs.site().machine(index, now);
    tracing::info!(machine = %machine.identity().id, ?kind, "fault begins");
    match kind {
        Kind::Hot => machine.warm_air(WARMER_C),
        Kind::Fan => {
            let mut sensors = machine.profile().sensors.iter();
            let fan = sensors.position(|sensor| sensor.name == "Fan1");
            if let Some(fan) = fan.and_then(|fan| u8::try_from(fan).ok()) {
                machine.stick(fan, Some(0));
            }
        }
        Kind::Silent | Kind::Lossy => {
            drop(machine);
            let mute_until = (kind == Kind::Silent).then_some(Instant::from_nanos(u64::MAX));
            let lost = if kind == Kind::Lossy {
                LOST_PERMILLE
            } else {
                0
            };
            let faults = Faults {
                seed: index.into(),
                drop_request_permille: lost,
                drop_reply_permille: lost,
                mute_until,
                ..Faults::default()
            };
            bmcs.set_faults(index, Some(faults));
        }
    }
}

#[cfg(test)]
mod tests {
    use ipmi::bmc;
    use ipmi::command::app::Guid;
    use vbmc::site::{Site, SiteOptions};

    use super::*;

    fn bmcs() -> Arc<Bmcs> {
        let site = Site::new(SiteOptions {
            nodes: 4,
            seed: 1,
            epoch_s: 1_795_000_000,
        });
        let access = bmc::Config::new(vec![], Guid::default());
        Arc::new(Bmcs::new(Arc::new(site.unwrap()), &access))
    }

    fn planned(text: &str) -> Result<Vec<Planned>, ProgramError> {
        plan(&[text.parse().unwrap()], &bmcs())
    }

    #[test]
    fn a_fault_names_machine_kind_and_time() {
        let fault: Fault = "Node1=silent@3".parse().unwrap();
        assert_eq!((fault.kind, fault.after.as_secs()), (Kind::Silent, 3));
        let fault: Fault = "Node1=hot".parse().unwrap();
        assert_eq!(fault.after.as_secs(), DEFAULT_AFTER_S);
        for wrong in [
            "Node1",
            "Node1=cold",
            "Node1=hot@",
            "Node1=hot@-1",
            "Node1=hot@99999999",
        ] {
            assert!(wrong.parse::<Fault>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_machines_that_there_are_fall_ill_and_only_of_what_they_can_have() {
        assert!(planned("Rack1-Block1-Sled1-Node4=hot").is_ok());
        assert!(planned("Rack1-Block1-BC=silent").is_ok());
        assert!(planned("Rack1-Block1-Sled1-Node5=hot").is_err());
        assert!(planned("Rack1-Block1-BC=fan").is_err());
    }

    #[test]
    fn heat_and_a_fan_that_stands_show_in_the_sensors() {
        let bmcs = bmcs();
        let at = |second| Instant::ORIGIN + Duration::from_secs(second);
        let held = |name: &str, second| {
            let machine = bmcs.site().machine(0, at(second));
            let sensors = &machine.profile().sensors;
            let place = sensors.iter().position(|sensor| sensor.name == name);
            machine.samples()[place.unwrap()].held
        };
        assert_eq!((held("Inlet Temp", 10), held("Fan1", 10)), (0, 0));
        strike(&bmcs, at(10), 0, Kind::Hot);
        strike(&bmcs, at(10), 0, Kind::Fan);
        assert!(held("Inlet Temp", 70) != 0 && held("Fan1", 70) != 0);
    }
}
