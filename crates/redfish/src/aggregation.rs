//! Sources of machines that clients name (DSP0268 "AggregationSource"): what is kept of them, and the seam to whoever
//! reaches the machines. The resources are in `resource/aggregation_service.rs`.
//!
//! A change is the aggregator's to check, then the store's to keep, then the aggregator's to put in force: what anybody hears
//! of is on the disk, and what can't be put in force is taken back from there.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redfish_schema::connection_method::ConnectionMethodType;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::store::{Batch, Store, StoreError, Table};
use crate::{BackendFuture, Failure, Settings};

/// How many sources clients may name.
pub const MAX_AGGREGATION_SOURCES: usize = 65_536;
/// The longest text that a client may give of a source, in bytes.
pub const MAX_SOURCE_TEXT: usize = 256;

/// Sources by their `Id`.
const SOURCES: Table = Table("aggregation-sources");

/// A source of machines that a client has named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// `Id`: the last segment of its path.
    pub id: String,
    /// `Name`, for people.
    pub name: String,
    /// `HostName`, as the client wrote it.
    pub host_name: String,
    /// `Port`, where the client gives it beside the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// `Id` of the [`ConnectionMethod`].
    pub method: String,
    /// How to log in; `None` = as the aggregator does where nothing is said.
    pub login: Option<SourceLogin>,
}

/// How to log in to a source. The password never prints.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceLogin {
    /// `UserName`.
    pub user_name: String,
    /// `Password`.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for SourceLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceLogin")
            .field("user_name", &self.user_name)
            .finish_non_exhaustive()
    }
}

/// A way in which sources are reached (DSP0268 "ConnectionMethod").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionMethod {
    /// `Id`: the last segment of its path.
    pub id: &'static str,
    /// `Name`, for people.
    pub name: &'static str,
    /// The protocol.
    pub kind: ConnectionMethodType,
}

/// A source that somebody else than a client has named: clients can read it and no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredSource {
    /// `HostName`.
    pub host_name: String,
    /// `Id` of the [`ConnectionMethod`].
    pub method: &'static str,
    /// Who has named it, and so where it is to be changed, for `Description`.
    pub origin: String,
}

/// How it is with a source at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whether it is reached.
    pub state: SourceState,
    /// Paths of the resources that are there because of it.
    pub resources: Vec<String>,
}

/// Whether a source is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceState {
    /// Not yet: first contact is under way.
    Starting,
    /// It answers.
    Enabled,
    /// It doesn't answer, or refuses us.
    Offline {
        /// Why, in words for an operator.
        reason: String,
    },
    /// Nobody asks it, since it can't be together with another one.
    Aside {
        /// With which, and what to do.
        reason: String,
    },
}

/// A change of the sources that clients have named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceChange {
    /// One more.
    Add(Source),
    /// The one with this `Id` is so from now on.
    Replace(Source),
    /// The one with this `Id` is gone.
    Remove(String),
}

impl SourceChange {
    /// `Id` of the source.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Add(source) | Self::Replace(source) => &source.id,
            Self::Remove(id) => id,
        }
    }
}

/// Takes up machines behind sources that clients name, and lets them go again.
///
/// What it is told at the start it gets before the service is there, from [`aggregation_sources`].
pub trait Aggregator: Send + Sync + 'static {
    /// The ways in which it reaches sources, the usual one first. At least one.
    fn methods(&self) -> &'static [ConnectionMethod];

    /// `Id`s of the sources that no client has named, in the order in which they are shown. Answers from memory.
    fn configured(&self) -> Vec<String>;

    /// One of them. Answers from memory.
    fn configured_source(&self, id: &str) -> Option<ConfiguredSource>;

    /// How it is with a source, whoever has named it. Answers from memory.
    fn standing(&self, id: &str) -> Standing;

    /// The `Id` of a source with this `HostName` and `Port` to which the client gives none.
    fn id_of(&self, host_name: &str, port: Option<u16>) -> String;

    /// Whether a source is one that could be reached, by what it says itself. Its method is one of [`methods`](Self::methods).
    ///
    /// # Errors
    /// Messages about the properties that are wrong or missing.
    fn check(&self, source: &Source) -> Result<(), Failure>;

    /// Checks a change, has it kept by polling `keep`, and then puts it in force. When this ends well, the change is kept and in
    /// force. When it fails, it is not in force; where it was kept already, the caller takes it back.
    fn change<'a>(
        &'a self,
        change: SourceChange,
        keep: BackendFuture<'static, ()>,
    ) -> BackendFuture<'a, ()>;
}

/// The sources that clients have named, as kept in `store`.
///
/// # Errors
/// [`StoreError`] if they can't be read.
pub fn aggregation_sources(store: &Store) -> Result<Vec<Source>, StoreError> {
    let kept = store.load::<Source>(SOURCES)?;
    Ok(kept.into_iter().map(|(_, source)| source).collect())
}

/// The sources that clients have named, and who reaches them. Clones share it.
#[derive(Clone)]
pub(crate) struct Sources(Arc<Shared>);

struct Shared {
    aggregator: Arc<dyn Aggregator>,
    store: Store,
    held: Mutex<BTreeMap<String, Arc<Held>>>,
}

/// A source as it is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Held {
    #[serde(flatten)]
    pub(crate) source: Source,
    /// Another number after each change, also of what isn't shown.
    #[serde(default)]
    pub(crate) generation: u64,
}

impl Sources {
    /// Takes up what is kept. `None` where nobody reaches any.
    pub(crate) fn load(settings: &Settings) -> Result<Option<Self>, StoreError> {
        let Some(aggregator) = &settings.aggregator else {
            return Ok(None);
        };
        let kept = settings.store.load::<Held>(SOURCES)?.into_iter();
        let held = kept.map(|(_, held)| (held.source.id.clone(), Arc::new(held)));
        Ok(Some(Self(Arc::new(Shared {
            aggregator: Arc::clone(aggregator),
            store: settings.store.clone(),
            held: Mutex::new(held.collect()),
        }))))
    }

    pub(crate) fn aggregator(&self) -> &dyn Aggregator {
        &*self.0.aggregator
    }

    /// The source with this `Id` that a client has named.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<Held>> {
        self.0.held().get(id).cloned()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.held().len()
    }

    /// `Id`s of all of them, sorted.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.0.held().keys().cloned().collect()
    }

    /// Makes a change. Nobody else makes one of the same source meanwhile: its path is locked, and for new ones the collection's.
    pub(crate) async fn change(&self, change: SourceChange) -> Result<(), Failure> {
        let id = change.id().to_owned();
        let before = self.get(&id);
        let keep = self.0.keep(&change)?;
        let changed = self.0.aggregator.change(change, keep).await;
        if changed.is_err() {
            self.0.restore(id, before).await;
        }
        changed
    }
}

impl Shared {
    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Held>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What writes a change, and then shows it.
    fn keep(
        self: &Arc<Self>,
        change: &SourceChange,
    ) -> Result<BackendFuture<'static, ()>, Failure> {
        let held = match change {
            SourceChange::Add(source) | SourceChange::Replace(source) => Some(Arc::new(Held {
                source: source.clone(),
                generation: generation()?,
            })),
            SourceChange::Remove(_) => None,
        };
        let (shared, id) = (Arc::clone(self), change.id().to_owned());
        Ok(Box::pin(async move { shared.write(id, held).await }))
    }

    /// Writes how the source with this `Id` is from now on, if it is there at all, and then shows it.
    async fn write(self: Arc<Self>, id: String, held: Option<Arc<Held>>) -> Result<(), Failure> {
        let mut batch = Batch::default();
        match &held {
            Some(held) => batch.put(SOURCES, &*id, &**held)?,
            None => batch.remove(SOURCES, &*id),
        }
        let shared = Arc::clone(&self);
        let apply = move || {
            match held {
                Some(held) => shared.held().insert(id, held),
                None => shared.held().remove(&id),
            };
        };
        Ok(self.store.commit(batch, apply).await?)
    }

    /// Takes back what was kept but is not in force.
    async fn restore(self: &Arc<Self>, id: String, before: Option<Arc<Held>>) {
        let now = self.held().get(&id).cloned();
        let is_same = match (&now, &before) {
            (Some(now), Some(before)) => Arc::ptr_eq(now, before),
            (None, None) => true,
            _ => false,
        };
        if is_same {
            return;
        }
        if let Err(failure) = Arc::clone(self).write(id.clone(), before).await {
            tracing::error!(
                id,
                %failure,
                "a change of an AggregationSource failed after it was kept, and holds from the next start on"
            );
        }
    }
}

/// A number that no other state of any source has.
fn generation() -> Result<u64, Failure> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(u64::from_ne_bytes(random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_does_not_print() {
        let source = Source {
            id: "n1".to_owned(),
            name: "n1".to_owned(),
            host_name: "10.0.0.1".to_owned(),
            port: None,
            method: "IPMI20".to_owned(),
            login: Some(SourceLogin {
                user_name: "admin".to_owned(),
                password: "geheim".to_owned().into(),
            }),
        };
        let printed = format!("{:?}", SourceChange::Add(source));
        assert!(
            printed.contains("admin") && !printed.contains("geheim"),
            "{printed}"
        );
    }
}
