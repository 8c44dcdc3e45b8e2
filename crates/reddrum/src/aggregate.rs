//! The fleet as Redfish's `AggregationService` sees it: which BMCs there are, who has named them, and the way in for more.
//!
//! Changes go to [`Reload`](crate::reload::Reload), which has all BMCs and takes one change after the other, whether an operator
//! or a client asks for it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use fleet::Fleet;
use hardware::{Hardware, Link, NodeId};
use redfish::{
    Aggregator, BackendFuture, ConfiguredSource, ConnectionMethod, ConnectionMethodType, Failure,
    Source, SourceChange, SourceState, Standing,
};
use tokio::sync::{mpsc, oneshot};

use crate::config::TargetConfig;
use crate::inventory::{Bmc, Clash, Pushed, pushed_id};

/// How many changes may wait. One more is refused with 503.
const ORDERS_MAX: usize = 64;
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
    /// What became of it.
    pub(crate) answer: oneshot::Sender<Result<(), Failure>>,
}

/// All BMCs at one moment.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// Those of the fleet: the operator's, then clients'.
    targets: Arc<Vec<TargetConfig>>,
    /// Where each of the operator's is, and of those where clients use the same name none.
    places: HashMap<NodeId, usize>,
    /// Who has named the operator's: up to which place, and what it is called.
    origins: Vec<(usize, String)>,
    /// Those of clients that stand aside.
    aside: BTreeMap<NodeId, Clash>,
    /// Whether there are credentials for whom brings none.
    has_credentials: bool,
}

impl View {
    /// Of these BMCs. The operator's are the first ones, as far as `origins` go.
    pub(crate) fn new(
        targets: Arc<Vec<TargetConfig>>,
        origins: Vec<(usize, String)>,
        pushed: &Pushed,
        aside: BTreeMap<NodeId, Clash>,
        has_credentials: bool,
    ) -> Self {
        let operators = origins.last().map_or(0, |(end, _)| *end);
        let places = targets.iter().take(operators).enumerate();
        let places = places
            .filter(|(_, target)| !pushed.has(&target.id))
            .map(|(place, target)| (target.id.clone(), place));
        Self {
            places: places.collect(),
            targets,
            origins,
            aside,
            has_credentials,
        }
    }
}

/// The newest view, shared by who makes it and who reads it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Views(Arc<Mutex<Arc<View>>>);

impl Views {
    /// Takes the place of the one before.
    pub(crate) fn put(&self, view: View) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
    }

    fn get(&self) -> Arc<View> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
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
        let view = self.views.get();
        let operators = view.origins.last().map_or(0, |(end, _)| *end);
        let ids = view.targets.iter().take(operators).map(|target| &target.id);
        ids.filter(|id| view.places.contains_key(*id))
            .map(ToString::to_string)
            .collect()
    }

    fn configured_source(&self, id: &str) -> Option<ConfiguredSource> {
        let view = self.views.get();
        let place = *view.places.get(id)?;
        let target = view.targets.get(place)?;
        let origin = view.origins.iter().find(|(end, _)| place < *end);
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
    }

    fn standing(&self, id: &str) -> Standing {
        if let Some(clash) = self.views.get().aside.get(id) {
            return Standing {
                state: SourceState::Aside {
                    reason: clash.to_string(),
                },
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

    fn id_of(&self, host_name: &str) -> String {
        pushed_id(host_name)
    }

    fn check(&self, source: &Source) -> Result<(), Failure> {
        Bmc::of(source)?;
        match source.login.is_none() && !self.views.get().has_credentials {
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
            let (answer, answered) = oneshot::channel();
            let order = Order {
                change,
                keep,
                answer,
            };
            self.orders.try_send(order).map_err(|_| later.clone())?;
            // Nobody answers any more where the service ends.
            answered.await.unwrap_or(Err(later))
        })
    }
}
