//! Looks up the host names of BMCs in the background, again and again until each has an address.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use fleet::Fleet;
use hardware::NodeId;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// The most look-ups at a time: each takes a thread of the runtime while it lasts.
const LOOK_UPS_MAX: usize = 32;
/// The first pause before names without an address are looked up again; doubled each time.
const PAUSE: Duration = Duration::from_secs(2);
/// The longest such pause.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// A name to be looked up, and for which node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) id: NodeId,
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// The address that a host is written as, where it is not a name.
pub(crate) fn literal(host: &str, port: u16) -> Option<SocketAddr> {
    Some(SocketAddr::new(host.parse::<IpAddr>().ok()?, port))
}

/// The names that have no address yet.
#[derive(Debug, Default)]
pub(crate) struct Names {
    wanted: Mutex<BTreeMap<NodeId, Name>>,
    more: Notify,
}

impl Names {
    /// Looks these up, too.
    pub(crate) fn want(&self, names: Vec<Name>) {
        if !names.is_empty() {
            let named = names.into_iter().map(|name| (name.id.clone(), name));
            self.wanted().extend(named);
            self.more.notify_one();
        }
    }

    /// Looks those of these nodes up no more.
    pub(crate) fn forget(&self, ids: &[NodeId]) {
        let mut wanted = self.wanted();
        for id in ids {
            wanted.remove(id);
        }
    }

    fn wanted(&self) -> MutexGuard<'_, BTreeMap<NodeId, Name>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks names up and tells the fleet their addresses, for as long as there is a fleet.
    pub(crate) async fn resolve(self: Arc<Self>, fleet: Weak<Fleet>) {
        let mut pause = PAUSE;
        while fleet.strong_count() > 0 {
            self.once(&fleet).await;
            let all_found = self.wanted().is_empty();
            tokio::select! {
                () = self.more.notified() => pause = PAUSE,
                () = tokio::time::sleep(pause), if !all_found => pause = (2 * pause).min(PAUSE_MAX),
            }
        }
    }

    /// Looks each name up once.
    async fn once(&self, fleet: &Weak<Fleet>) {
        let names: Vec<Name> = self.wanted().values().cloned().collect();
        let (mut names, mut running) = (names.into_iter(), JoinSet::new());
        loop {
            while running.len() < LOOK_UPS_MAX
                && let Some(name) = names.next()
            {
                running.spawn(async move {
                    let found = look_up(&name.host, name.port).await;
                    (name, found)
                });
            }
            // A look-up that panicked comes to nothing.
            let Some(Ok((name, found))) = running.join_next().await else {
                return;
            };
            let Some(fleet) = fleet.upgrade() else {
                return;
            };
            self.tell(&fleet, &name, found);
        }
    }

    fn tell(&self, fleet: &Arc<Fleet>, name: &Name, found: Result<SocketAddr, String>) {
        let mut wanted = self.wanted();
        if wanted.get(&name.id) != Some(name) {
            // Removed meanwhile, or given another name.
            return;
        }
        match &found {
            Ok(_) => {
                wanted.remove(&name.id);
            }
            Err(error) => {
                tracing::warn!(node = %name.id, host = name.host, error, "no address for a host name");
            }
        }
        let found = found.map_err(|error| {
            let host = &name.host;
            format!("the host name {host:?} has no address: {error}")
        });
        fleet.set_address(&name.id, found);
    }
}

async fn look_up(host: &str, port: u16) -> Result<SocketAddr, String> {
    let mut found = tokio::net::lookup_host((host, port))
        .await
        .map_err(|e| e.to_string())?;
    found
        .next()
        .ok_or_else(|| "the name stands for nothing".to_owned())
}

#[cfg(test)]
mod tests {
    use fleet::{Config, Target};
    use hardware::{Hardware, Link, Observer, Update};
    use ipmi::console::Login;

    use super::*;

    #[test]
    fn addresses_need_no_look_up() {
        let at = |text: &str| literal(text, 623).map(|address| address.to_string());
        assert_eq!(at("10.1.2.3").as_deref(), Some("10.1.2.3:623"));
        assert_eq!(at("fe80::1").as_deref(), Some("[fe80::1]:623"));
        assert_eq!(at("bmc-7.example.net"), None);
    }

    struct Notified(Notify);

    impl Observer for Notified {
        fn updated(&self, _: &Update) {
            self.0.notify_one();
        }
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_told_as_the_nodes_reason_and_does_not_stop_others() {
        let login = Arc::new(Login::new("admin", b"secret").unwrap());
        let node = |name: &str| Target::new(NodeId::new(name).unwrap(), None, &login);
        let config = Config::new(vec![node("n1"), node("n2")]);
        let fleet = Arc::new(Fleet::start(&config).unwrap());
        let notified = Arc::new(Notified(Notify::new()));
        fleet.observe(Arc::clone(&notified) as Arc<dyn Observer>);
        let name = |id: &str, host: &str| Name {
            id: NodeId::new(id).unwrap(),
            host: host.to_owned(),
            port: 1,
        };
        // RFC 6761 reserves both names.
        let names = Names::default();
        names.want(vec![name("n1", "nowhere.invalid"), name("n2", "localhost")]);
        names.once(&Arc::downgrade(&fleet)).await;
        let left: Vec<_> = names.wanted().keys().cloned().collect();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].as_str(), "n1");
        loop {
            if let Link::Down { reason, .. } = &fleet.node("n1").unwrap().link {
                assert!(reason.contains("nowhere.invalid"), "{reason}");
                break;
            }
            notified.0.notified().await;
        }
    }
}
