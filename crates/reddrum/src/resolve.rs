//! Looks up the host names of BMCs in the background: again and again until each has an address, and now and then after that,
//! since names come to stand for other addresses.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use fleet::{Changes, Fleet};
use hardware::{Hardware, Link, NodeId};
use tokio::sync::Notify;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::Instant;

use crate::config::Reach;

/// The most look-ups at a time: each takes a thread of the runtime while it lasts.
pub(crate) const LOOK_UPS_MAX: usize = 32;
/// How often it is looked which names are due.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The most names that are looked up again at one such look. More wait, those that are due for the longest time first.
const AGAIN_MAX: usize = 512;
/// The first pause before a name that has no address is looked up again; doubled each time. All pauses have jitter.
const PAUSE: Duration = Duration::from_secs(2);
/// The longest such pause.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// How often a name is looked up again that has an address.
const REFRESH: Duration = Duration::from_secs(300);
/// The same while the node is down: its BMC may have moved.
const REFRESH_DOWN: Duration = Duration::from_secs(30);

/// A name to be looked up, and for which node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) id: NodeId,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Where it may lead.
    pub(crate) reach: Reach,
}

/// The address that a host is written as, where it is not a name.
pub(crate) fn literal(host: &str, port: u16) -> Option<SocketAddr> {
    Some(SocketAddr::new(host.parse::<IpAddr>().ok()?, port))
}

/// The addresses that a name stands for, or why there is none.
type Found = Result<Vec<SocketAddr>, String>;

/// How names are looked up.
type LookUp = Box<dyn Fn(String, u16) -> Pin<Box<dyn Future<Output = Found> + Send>> + Send + Sync>;

/// A name, and when it is looked up next.
#[derive(Debug)]
struct Wanted {
    name: Name,
    /// What it stood for last; `None` = nothing yet.
    address: Option<SocketAddr>,
    /// It was looked up before.
    is_known: bool,
    /// The last look-up came to nothing.
    fails: bool,
    /// Before it is looked up again, where it has no address.
    pause: Duration,
    due: Instant,
    /// When it is due already if its node is down.
    due_if_down: Instant,
}

impl Wanted {
    fn new(name: Name) -> Self {
        let now = Instant::now();
        Self {
            name,
            address: None,
            is_known: false,
            fails: false,
            pause: PAUSE,
            due: now,
            due_if_down: now,
        }
    }

    /// Takes note of what a look-up brought, and says what its node is to be told.
    fn found(&mut self, now: Instant, found: Found) -> Option<Result<SocketAddr, String>> {
        let Name { id, host, .. } = &self.name;
        self.is_known = true;
        let permitted = found.and_then(|mut all| {
            let count = all.len();
            all.retain(|address| self.name.reach.has(address.ip()));
            match (all.is_empty(), count) {
                (true, 1..) => Err("none of its addresses is permitted: where a client has named it, [aggregation] allow_destinations can permit some; where a scan has found it, its exclude may have them: put it into a [[target]] if it is meant".to_owned()),
                _ => Ok(all),
            }
        });
        match permitted.map(|all| chosen(&all, self.address)) {
            Ok(Some(address)) => {
                let before = self.address.replace(address);
                (self.fails, self.pause) = (false, PAUSE);
                self.due = now + around(REFRESH);
                self.due_if_down = now + around(REFRESH_DOWN);
                if let Some(before) = before.filter(|before| *before != address) {
                    tracing::info!(node = %id, host, %before, now = %address, "a host name has another address");
                }
                Some(Ok(address))
            }
            failed => {
                let error = failed.err();
                let error = error.unwrap_or_else(|| "the name stands for nothing".to_owned());
                self.due = now + around(self.pause);
                self.due_if_down = self.due;
                self.pause = (2 * self.pause).min(PAUSE_MAX);
                if !std::mem::replace(&mut self.fails, true) {
                    tracing::warn!(node = %id, host, error, "no address for a host name");
                }
                // Where it had one, that holds: servers of names fail, too.
                self.address
                    .is_none()
                    .then(|| Err(format!("the host name {host:?} has no address: {error}")))
            }
        }
    }
}

/// One of the addresses that a name stands for: the one that it was, so that a list in changing order moves nobody; else one of
/// the same family; else the first.
fn chosen(all: &[SocketAddr], was: Option<SocketAddr>) -> Option<SocketAddr> {
    let same = was.filter(|was| all.contains(was));
    let alike = || {
        let is_ipv6 = was?.is_ipv6();
        all.iter().find(|at| at.is_ipv6() == is_ipv6).copied()
    };
    same.or_else(alike).or_else(|| all.first().copied())
}

/// `span` shortened or lengthened by up to a quarter, so that names that came together don't stay together.
fn around(span: Duration) -> Duration {
    let draw = RandomState::new().hash_one(0) % 501;
    span * 3 / 4 + span * u32::try_from(draw).unwrap_or(0) / 1_000
}

/// The names of the fleet's BMCs.
pub(crate) struct Names {
    wanted: Mutex<BTreeMap<NodeId, Wanted>>,
    more: Notify,
    look_up: LookUp,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.wanted().len();
        f.debug_struct("Names").field("names", &names).finish()
    }
}

impl Default for Names {
    /// No names yet; they are looked up as the system does.
    fn default() -> Self {
        Self::looked_up_by(Box::new(|host, port| Box::pin(look_up(host, port))))
    }
}

impl Names {
    pub(crate) fn looked_up_by(look_up: LookUp) -> Self {
        Self {
            wanted: Mutex::default(),
            more: Notify::new(),
            look_up,
        }
    }

    /// Looks these up, too, or once more.
    pub(crate) fn want(&self, names: Vec<Name>) {
        if names.is_empty() {
            return;
        }
        let mut wanted = self.wanted();
        for name in names {
            let mut one = Wanted::new(name);
            // Who may go elsewhere than before stays where he is, if he may.
            let was = wanted.get(&one.name.id).and_then(|was| was.address);
            one.address = was.filter(|at| one.name.reach.has(at.ip()));
            wanted.insert(one.name.id.clone(), one);
        }
        self.more.notify_one();
    }

    /// What the name of a node stood for last.
    pub(crate) fn address(&self, id: &NodeId) -> Option<SocketAddr> {
        self.wanted().get(id).and_then(|one| one.address)
    }

    /// Has the fleet take BMCs up and let others go, and looks up the names of those that come. The names of those that go are
    /// forgotten before: an address that is found meanwhile is the former BMC's, and not the one's that takes its place.
    ///
    /// # Errors
    /// Why the fleet didn't change; then all is as it was.
    pub(crate) async fn change(
        &self,
        fleet: &Arc<Fleet>,
        changes: Changes,
        coming: Vec<Name>,
    ) -> Result<(), String> {
        let forgotten = self.forget(&changes.remove);
        let changing = Arc::clone(fleet);
        // What is remembered of new ones comes from a file.
        let changed = spawn_blocking(move || changing.change(changes)).await;
        let changed = changed
            .map_err(|error| error.to_string())
            .and_then(|changed| changed.map_err(|error| error.to_string()));
        match changed {
            Ok(()) => self.want(coming),
            Err(_) => self.wanted().extend(forgotten),
        }
        changed
    }

    /// Whether all have an address.
    pub(crate) fn are_known(&self) -> bool {
        self.wanted().values().all(|one| one.address.is_some())
    }

    /// Looks those of these nodes up no more. Returns what was known of them.
    fn forget(&self, ids: &[NodeId]) -> Vec<(NodeId, Wanted)> {
        let mut wanted = self.wanted();
        let known = ids.iter().filter_map(|id| wanted.remove_entry(id));
        known.collect()
    }

    fn wanted(&self) -> MutexGuard<'_, BTreeMap<NodeId, Wanted>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks names up and tells the fleet their addresses, for as long as there is a fleet.
    pub(crate) async fn resolve(self: Arc<Self>, fleet: Weak<Fleet>) {
        while fleet.strong_count() > 0 {
            self.once(&fleet).await;
            let has_names = !self.wanted().is_empty();
            tokio::select! {
                () = self.more.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY), if has_names => {}
            }
        }
    }

    /// Which names are due: all that were never looked up, and of the others up to [`AGAIN_MAX`].
    fn due(&self, fleet: &Fleet) -> Vec<Name> {
        let now = Instant::now();
        let is_down = |id: &NodeId| {
            let node = fleet.node(id.as_str());
            node.is_some_and(|node| matches!(node.link, Link::Down { .. }))
        };
        let wanted = self.wanted();
        let (mut due, mut again) = (Vec::new(), Vec::new());
        for (id, one) in &*wanted {
            if !one.is_known {
                due.push(one.name.clone());
            } else if one.due <= now {
                again.push((one.due, &one.name));
            } else if one.due_if_down <= now && is_down(id) {
                again.push((one.due_if_down, &one.name));
            }
        }
        again.sort_by_key(|(at, _)| *at);
        let again = again.into_iter().take(AGAIN_MAX);
        due.extend(again.map(|(_, name)| name.clone()));
        due
    }

    /// Looks each name up that is due.
    async fn once(&self, fleet: &Weak<Fleet>) {
        let due = fleet.upgrade().map(|fleet| self.due(&fleet));
        let (mut names, mut running) = (due.unwrap_or_default().into_iter(), JoinSet::new());
        loop {
            while running.len() < LOOK_UPS_MAX
                && let Some(name) = names.next()
            {
                let finding = (self.look_up)(name.host.clone(), name.port);
                running.spawn(async move { (name, finding.await) });
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

    fn tell(&self, fleet: &Fleet, name: &Name, found: Found) {
        let mut wanted = self.wanted();
        // Where it is another one, it was removed meanwhile, or given another name.
        if let Some(one) = wanted.get_mut(&name.id).filter(|one| one.name == *name)
            && let Some(told) = one.found(Instant::now(), found)
        {
            fleet.set_address(&name.id, told);
        }
    }
}

pub(crate) async fn look_up(host: String, port: u16) -> Found {
    match tokio::net::lookup_host((host, port)).await {
        Ok(found) => Ok(found.collect()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Condvar;

    use fleet::{Config, Target};
    use hardware::{Hardware, Link, Observer, Update};
    use ipmi::console::Login;

    use redfish::Network;

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

    impl Notified {
        fn of(fleet: &Fleet) -> Arc<Self> {
            let notified = Arc::new(Self(Notify::new()));
            fleet.observe(Arc::clone(&notified) as Arc<dyn Observer>);
            notified
        }

        /// Until the fleet, which has clocks and threads of its own, shows this.
        async fn until(&self, is_so: impl Fn() -> bool) {
            let shown = async {
                while !is_so() {
                    self.0.notified().await;
                }
            };
            let shown = tokio::time::timeout(Duration::from_secs(60), shown).await;
            shown.expect("the fleet never shows it");
        }
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_told_as_the_nodes_reason_and_does_not_stop_others() {
        let login = Arc::new(Login::new("admin", b"secret").unwrap());
        let node = |name: &str| Target::new(NodeId::new(name).unwrap(), None, &login);
        let config = Config::new(vec![node("n1"), node("n2")]);
        let fleet = Arc::new(Fleet::start(&config).unwrap());
        let notified = Notified::of(&fleet);
        let name = |id: &str, host: &str| Name {
            id: NodeId::new(id).unwrap(),
            host: host.to_owned(),
            port: 1,
            reach: Reach::default(),
        };
        // RFC 6761 reserves both names.
        let names = Names::default();
        names.want(vec![name("n1", "nowhere.invalid"), name("n2", "localhost")]);
        names.once(&Arc::downgrade(&fleet)).await;
        let has_address: Vec<bool> = names
            .wanted()
            .values()
            .map(|wanted| wanted.address.is_some())
            .collect();
        assert_eq!(has_address, [false, true]);
        assert!(!names.are_known());
        let is_told = || match &fleet.node("n1").unwrap().link {
            Link::Down { reason, .. } => {
                assert!(reason.contains("nowhere.invalid"), "{reason}");
                true
            }
            _ => false,
        };
        notified.until(is_told).await;
    }

    #[test]
    fn a_name_that_a_client_gives_does_not_lead_to_where_its_address_would_be_refused() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let found = |allow: Option<&[Network]>, all: &[&str]| {
            let mut wanted = Wanted::new(Name {
                id: NodeId::new("n1").unwrap(),
                host: "bmc1".to_owned(),
                port: 623,
                reach: Reach {
                    allow: allow.map(Into::into),
                    exclude: None,
                },
            });
            let all = all.iter().map(|text| at(text)).collect();
            wanted.found(Instant::now(), Ok(all)).unwrap()
        };
        let loopback = ["127.0.0.0/8".parse().unwrap()];
        for refused in [
            "127.0.0.1:623",
            "169.254.169.254:623",
            "224.0.0.1:623",
            "[::ffff:224.0.0.1]:623",
        ] {
            let told = found(Some(&[]), &[refused]).unwrap_err();
            assert!(told.contains("allow_destinations"), "{told}");
            assert_eq!(
                found(Some(&[]), &[refused, "10.0.0.1:623"]),
                Ok(at("10.0.0.1:623"))
            );
            assert_eq!(found(None, &[refused]), Ok(at(refused)));
        }
        assert!(found(Some(&loopback), &["127.0.0.1:623"]).is_ok());
    }

    #[test]
    fn a_name_that_a_scan_has_found_does_not_lead_to_where_the_operator_excludes() {
        let text = "[service]\nstate_dir = \"s\"\n[credentials.default]\nusername = \"u\"\n\
                    password_command = [\"echo\", \"one\"]\n[[inventory]]\ncredentials = \"default\"\n\
                    scan = [\"bmc1\"]\nexclude = [\"10.20.0.1\", \"10.20.8.0/24\"]\n";
        let config = crate::config::Config::parse(text, std::path::Path::new("/")).unwrap();
        let name = crate::targets::name(&config.scans[0].candidates[0]).unwrap();
        let mut wanted = Wanted::new(name);
        let mut found = |all: &[&str]| {
            let all = all.iter().map(|text| text.parse().unwrap()).collect();
            wanted.found(Instant::now(), Ok(all))
        };
        // It was the second one that was pinged.
        let allowed = "10.20.0.9:623".parse().unwrap();
        assert_eq!(
            found(&["10.20.0.1:623", "10.20.0.9:623"]),
            Some(Ok(allowed))
        );
        for excluded in ["10.20.8.7:623", "[::ffff:10.20.0.1]:623"] {
            assert_eq!(found(&[excluded]), None, "it stays where it was");
        }
        assert_eq!(wanted.address, Some(allowed));
    }

    #[test]
    fn a_list_of_addresses_in_another_order_moves_nobody() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let all = ["[fe80::1]:623", "10.0.0.1:623", "10.0.0.2:623"].map(at);
        assert_eq!(chosen(&all, Some(all[2])), Some(all[2]));
        assert_eq!(chosen(&all, Some(at("10.0.0.9:623"))), Some(all[1]));
        assert_eq!(chosen(&all, None), Some(all[0]));
        assert_eq!(chosen(&[], Some(all[0])), None);
    }

    /// Names that stand for what the test says; each look-up is counted.
    fn names_of(
        table: &Arc<Mutex<BTreeMap<String, SocketAddr>>>,
        count: &Arc<Mutex<u32>>,
    ) -> Names {
        let (table, count) = (Arc::clone(table), Arc::clone(count));
        Names::looked_up_by(Box::new(move |host, _| {
            *count.lock().unwrap() += 1;
            let found = table.lock().unwrap().get(&host).copied();
            let found = found
                .map(|at| vec![at])
                .ok_or_else(|| "no answer".to_owned());
            Box::pin(std::future::ready(found))
        }))
    }

    #[tokio::test]
    async fn a_name_is_looked_up_again_now_and_then_and_its_node_follows_it() {
        let login = Arc::new(Login::new("admin", b"secret").unwrap());
        let id = NodeId::new("n1").unwrap();
        let config = Config::new(vec![Target::new(id.clone(), None, &login)]);
        let fleet = Arc::new(Fleet::start(&config).unwrap());
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        let table = Arc::new(Mutex::new(BTreeMap::from([(
            "bmc1".to_owned(),
            at("127.9.1.1:9"),
        )])));
        let count = Arc::new(Mutex::new(0));
        let names = names_of(&table, &count);
        names.want(vec![Name {
            id,
            host: "bmc1".to_owned(),
            port: 9,
            reach: Reach::default(),
        }]);
        let (weak, notified) = (Arc::downgrade(&fleet), Notified::of(&fleet));
        let is_at = |ip: &str| {
            let shown = fleet.node("n1").unwrap().address;
            shown == Some(ip.parse().unwrap())
        };
        names.once(&weak).await;
        names.once(&weak).await;
        assert_eq!(*count.lock().unwrap(), 1, "it has an address");
        // The server of names is away: the address holds, and it is asked again soon.
        let moved = table.lock().unwrap().remove("bmc1");
        assert!(moved.is_some());
        let pass = |span: Duration| {
            for one in names.wanted().values_mut() {
                one.due = one.due.checked_sub(span).unwrap();
            }
        };
        pass(REFRESH / 2);
        names.once(&weak).await;
        assert_eq!(*count.lock().unwrap(), 1, "not yet");
        pass(REFRESH);
        names.once(&weak).await;
        assert_eq!(*count.lock().unwrap(), 2);
        assert!(names.wanted().values().all(|one| one.address == moved));
        let now = at("127.9.1.2:9");
        table.lock().unwrap().insert("bmc1".to_owned(), now);
        pass(2 * PAUSE);
        names.once(&weak).await;
        notified.until(|| is_at("127.9.1.2")).await;
    }

    /// Lets a look-up end while the fleet changes: when it tells that a node is another machine's.
    #[derive(Default)]
    struct InTheMiddle {
        go: Notify,
        ended: (Mutex<bool>, Condvar),
    }

    impl Observer for InTheMiddle {
        fn updated(&self, update: &Update) {
            if matches!(update, Update::Replaced { .. }) {
                self.go.notify_one();
                let ended = self.ended.0.lock().unwrap();
                let ended = self.ended.1.wait_while(ended, |ended| !*ended);
                drop(ended.unwrap());
            }
        }
    }

    #[tokio::test]
    async fn an_address_that_is_found_while_its_node_gets_another_one_is_not_that_nodes() {
        let login = Arc::new(Login::new("admin", b"secret").unwrap());
        let id = NodeId::new("n1").unwrap();
        let target = |address| Target::new(id.clone(), address, &login);
        let fleet = Arc::new(Fleet::start(&Config::new(vec![target(None)])).unwrap());
        let (notified, middle) = (Notified::of(&fleet), Arc::new(InTheMiddle::default()));
        fleet.observe(Arc::clone(&middle) as Arc<dyn Observer>);
        let old: SocketAddr = "127.9.2.1:9".parse().unwrap();
        let new: SocketAddr = "127.9.2.2:9".parse().unwrap();
        let held = Arc::clone(&middle);
        let names = Arc::new(Names::looked_up_by(Box::new(move |_, _| {
            let held = Arc::clone(&held);
            Box::pin(async move {
                held.go.notified().await;
                *held.ended.0.lock().unwrap() = true;
                held.ended.1.notify_all();
                Ok(vec![old])
            })
        })));
        names.want(vec![Name {
            id: id.clone(),
            host: "bmc1".to_owned(),
            port: 9,
            reach: Reach::default(),
        }]);
        let weak = Arc::downgrade(&fleet);
        let looking = {
            let names = Arc::clone(&names);
            tokio::spawn(async move { names.once(&weak).await })
        };
        // It is under way.
        tokio::task::yield_now().await;
        let changes = Changes {
            remove: vec![id.clone()],
            add: vec![target(Some(new))],
            ..Changes::default()
        };
        names.change(&fleet, changes, Vec::new()).await.unwrap();
        looking.await.unwrap();
        // What was ordered of its shard before is done when this shows.
        let labels = Arc::new(hardware::Labels::default());
        let changes = Changes {
            labels: vec![(id.clone(), None, Arc::clone(&labels))],
            ..Changes::default()
        };
        fleet.change(changes).unwrap();
        let node = || fleet.node("n1").unwrap();
        notified
            .until(|| Arc::ptr_eq(&node().labels, &labels))
            .await;
        assert_eq!(node().address, Some(new.ip()));
        assert!(names.wanted().is_empty());
    }

    #[tokio::test]
    async fn names_are_looked_up_on_where_the_fleet_can_not_change() {
        let login = Arc::new(Login::new("admin", b"secret").unwrap());
        let id = NodeId::new("n1").unwrap();
        let target = Target::new(id.clone(), None, &login);
        let fleet = Arc::new(Fleet::start(&Config::new(vec![target])).unwrap());
        let names = Names::default();
        names.want(vec![Name {
            id: id.clone(),
            host: "bmc1".to_owned(),
            port: 9,
            reach: Reach::default(),
        }]);
        fleet.close();
        let changes = Changes {
            remove: vec![id.clone()],
            ..Changes::default()
        };
        assert!(names.change(&fleet, changes, Vec::new()).await.is_err());
        assert!(names.wanted().contains_key(&id));
    }
}
