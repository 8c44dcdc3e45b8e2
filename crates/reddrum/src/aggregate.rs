//! The fleet as Redfish's `AggregationService` sees it: which BMCs there are, who has named them, and the way in for more.
//!
//! Changes go to [`Reload`](crate::reload::Reload), which has all BMCs and takes one change after the other, whether an operator
//! or a client asks for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fleet::Fleet;
use hardware::{Hardware, Link, NodeId};
use redfish::{
    Aggregator, BackendFuture, ConfiguredSource, ConnectionMethod, ConnectionMethodType, Failure,
    Source, SourceChange, SourceState, Standing,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::config::AggregationConfig;
use crate::inventory::{Bmc, Clash, Operators, Roll, Step, pushed_id};

/// How many changes may wait. One more is refused with 503.
const ORDERS_MAX: usize = 64;
/// For how long one waits to begin: then it is refused with 503, and nothing becomes of it.
const BEGIN_WITHIN: Duration = Duration::from_secs(3);
/// When to come back then, in seconds.
const RETRY_S: u32 = 5;
/// The port of a BMC that needn't be named.
const PORT: u16 = 623;

/// What there is.
static METHODS: [ConnectionMethod; 1] = [ConnectionMethod {
    id: "IPMI20",
    name: "IPMI 2.0",
    kind: ConnectionMethodType::IPMI20,
}];

/// A change that a client wants.
pub(crate) struct Order {
    /// What.
    pub(crate) change: SourceChange,
    /// Writes it down.
    pub(crate) keep: BackendFuture<'static, ()>,
    /// Told when it begins. Nobody may want it any more.
    pub(crate) begin: oneshot::Sender<()>,
    /// What became of it.
    pub(crate) answer: oneshot::Sender<Result<(), Failure>>,
}

/// All BMCs at this moment.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// The operator's.
    operators: Arc<Operators>,
    /// Those of clients that stand aside.
    aside: BTreeMap<NodeId, Clash>,
    /// Those of them that can't be used, and why.
    unusable: BTreeMap<String, String>,
    /// What clients may name.
    rules: AggregationConfig,
    /// Whether there are credentials for whom brings none.
    has_credentials: bool,
}

impl View {
    /// Of these BMCs.
    pub(crate) fn new(roll: &Roll) -> Self {
        Self {
            operators: Arc::clone(roll.operators()),
            aside: roll.aside().clone(),
            unusable: roll.pushed().unusable().clone(),
            rules: roll.pushed().rules().clone(),
            has_credentials: roll.has_credentials(),
        }
    }

    /// Takes over what a client has changed, that alone: there are very many others.
    pub(crate) fn step(&mut self, roll: &Roll, step: &Step) {
        for id in &step.looked_at {
            match roll.aside().get(id) {
                Some(clash) => self.aside.insert(id.clone(), clash.clone()),
                None => self.aside.remove(id),
            };
        }
        if !roll.pushed().unusable().contains_key(step.id()) {
            self.unusable.remove(step.id());
        }
    }

    /// The place of one of the operator's, where clients don't use the same name.
    fn operators_place(&self, id: &str) -> Option<usize> {
        match self.aside.get(id) {
            Some(Clash::Name) => None,
            _ => self.operators.find(id),
        }
    }
}

/// The newest view, shared by who makes it and who reads it. Nobody has it for long.
#[derive(Clone, Debug, Default)]
pub(crate) struct Views(Arc<Mutex<View>>);

impl Views {
    /// Works on it.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut View) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Changes on their way.
pub(crate) fn orders() -> (mpsc::Sender<Order>, mpsc::Receiver<Order>) {
    mpsc::channel(ORDERS_MAX)
}

/// The seam to the service.
pub(crate) struct Aggregation {
    pub(crate) fleet: Arc<Fleet>,
    pub(crate) orders: mpsc::Sender<Order>,
    pub(crate) views: Views,
}

impl Aggregator for Aggregation {
    fn methods(&self) -> &'static [ConnectionMethod] {
        &METHODS
    }

    fn configured(&self) -> Vec<String> {
        let (operators, hidden) = self.views.with(|view| {
            let hidden = view.aside.iter();
            let hidden = hidden.filter(|(_, clash)| **clash == Clash::Name);
            let hidden: BTreeSet<NodeId> = hidden.map(|(id, _)| id.clone()).collect();
            (Arc::clone(&view.operators), hidden)
        });
        let ids = operators.targets.iter().map(|target| &target.id);
        ids.filter(|id| !hidden.contains(*id))
            .map(ToString::to_string)
            .collect()
    }

    fn configured_source(&self, id: &str) -> Option<ConfiguredSource> {
        self.views.with(|view| {
            let place = view.operators_place(id)?;
            let target = view.operators.targets.get(place)?;
            let mut origins = view.operators.origins.iter();
            let origin = origins.find(|(end, _)| place < *end);
            Some(ConfiguredSource {
                host_name: match (&*target.host, target.treatment.port) {
                    (host, PORT) => host.to_owned(),
                    (host, port) if host.contains(':') => format!("[{host}]:{port}"),
                    (host, port) => format!("{host}:{port}"),
                },
                method: METHODS[0].id,
                origin: origin.map_or_else(String::new, |(_, origin)| {
                    format!("Named by {origin}; change it there.")
                }),
            })
        })
    }

    fn standing(&self, id: &str) -> Standing {
        let reason = self.views.with(|view| {
            let aside = view.aside.get(id).map(ToString::to_string);
            aside.or_else(|| view.unusable.get(id).cloned())
        });
        if let Some(reason) = reason {
            return Standing {
                state: SourceState::Aside { reason },
                resources: Vec::new(),
            };
        }
        let Some(node) = self.fleet.node(id) else {
            return Standing {
                state: SourceState::Starting,
                resources: Vec::new(),
            };
        };
        Standing {
            state: match &node.link {
                Link::Connecting => SourceState::Starting,
                Link::Up => SourceState::Enabled,
                Link::Down { reason, .. } => SourceState::Offline {
                    reason: reason.to_string(),
                },
            },
            resources: redfish_hardware::resources_of(&node),
        }
    }

    fn id_of(&self, host_name: &str, port: Option<u16>) -> String {
        pushed_id(host_name, port)
    }

    fn check(&self, source: &Source) -> Result<(), Failure> {
        let (rules, has_credentials) = self
            .views
            .with(|view| (view.rules.clone(), view.has_credentials));
        Bmc::of(source, &rules)?;
        match source.login.is_none() && !has_credentials {
            true => Err(Clash::NoCredentials.failure(source)),
            false => Ok(()),
        }
    }

    fn change<'a>(
        &'a self,
        change: SourceChange,
        keep: BackendFuture<'static, ()>,
    ) -> BackendFuture<'a, ()> {
        Box::pin(async move {
            let later = Failure::Unavailable {
                retry_after_s: RETRY_S,
            };
            let (begin, mut begun) = oneshot::channel();
            let (answer, answered) = oneshot::channel();
            let order = Order {
                change,
                keep,
                begin,
                answer,
            };
            self.orders.try_send(order).map_err(|_| later.clone())?;
            if timeout(BEGIN_WITHIN, &mut begun).await.is_err() {
                begun.close();
                // It may have begun at this moment.
                begun.try_recv().map_err(|_| later.clone())?;
            }
            // Nobody answers any more where the service ends.
            answered.await.unwrap_or(Err(later))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use tokio::task::JoinSet;
    use tokio::time::{Instant, sleep};

    use super::*;

    async fn remove(aggregation: Arc<Aggregation>) -> Result<(), Failure> {
        let change = SourceChange::Remove("n1".to_owned());
        aggregation.change(change, Box::pin(ready(Ok(())))).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_that_can_not_begin_in_time_is_refused_and_one_that_has_begun_is_awaited() {
        let (orders, mut ordered) = orders();
        let fleet = Fleet::start(&fleet::Config::new(Vec::new())).unwrap();
        let aggregation = Arc::new(Aggregation {
            fleet: Arc::new(fleet),
            orders,
            views: Views::default(),
        });
        let begun = Instant::now();
        let mut waiting = JoinSet::new();
        for _ in 0..=ORDERS_MAX {
            waiting.spawn(remove(Arc::clone(&aggregation)));
        }
        let is_refused = |done| matches!(done, Err(Failure::Unavailable { .. }));
        assert!(is_refused(waiting.join_next().await.unwrap().unwrap()));
        assert!(begun.elapsed() < BEGIN_WITHIN, "it has no place");
        while let Some(done) = waiting.join_next().await {
            assert!(is_refused(done.unwrap()));
        }
        assert!(begun.elapsed() >= BEGIN_WITHIN);
        for _ in 0..ORDERS_MAX {
            let late = ordered.try_recv().unwrap();
            assert!(late.begin.send(()).is_err(), "it was refused");
        }
        assert!(ordered.try_recv().is_err());

        let slow = tokio::spawn(remove(aggregation));
        let order = ordered.recv().await.unwrap();
        order.begin.send(()).unwrap();
        sleep(10 * BEGIN_WITHIN).await;
        order.answer.send(Ok(())).unwrap();
        assert!(slow.await.unwrap().is_ok());
    }
}
