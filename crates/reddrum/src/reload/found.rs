//! What scans have found joins the fleet, and leaves it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Weak;
use std::time::{SystemTime, UNIX_EPOCH};

use fleet::Fleet;
use hardware::{Hardware, Link, NodeId};
use tokio::task::spawn_blocking;

use super::{Reload, Told};
use crate::config::TargetConfig;
use crate::inventory::{self, ListClash, Named, Step};
use crate::resolve::Names;
use crate::scan::{Ended, Present, Report};

impl Reload {
    /// Takes what a scan has found: who is new joins, and who was silent for too long leaves.
    pub(super) async fn take_scan(&mut self, ended: Ended, fleet: &Weak<Fleet>, names: &Names) {
        let report = fleet
            .upgrade()
            .and_then(|fleet| self.learn(ended, &fleet, names));
        let Some(report) = report else {
            return;
        };
        if let Some(saving) = self.scans.saving() {
            // It fails only where it panicked, which has been reported then.
            let _ = spawn_blocking(saving).await;
        }
        let named = match self.merged() {
            Ok(named) => named,
            Err(clash) => {
                tracing::error!("what a scan has found is left out: {}", clash.text);
                return;
            }
        };
        let is_found = |target: &&TargetConfig| self.scans.have_found(target);
        let operators = self.roll.operators();
        let (before, after) = (operators.targets.iter(), named.targets.iter());
        if before.filter(is_found).eq(after.filter(is_found)) {
            tracing::info!(
                target: "config",
                file = report.what,
                "a scan for BMCs has ended, and the fleet is as it was"
            );
            return;
        }
        let told = Told {
            what: &report.what,
            of_list: None,
            text: "a scan for BMCs has ended, and what it found holds from now on",
        };
        if let Err(error) = self.take(told, named, None, fleet, names).await {
            tracing::error!("what a scan has found is left out: {error}");
        }
    }

    fn learn(&mut self, ended: Ended, fleet: &Fleet, names: &Names) -> Option<Report> {
        let is_up = |id: &NodeId| {
            let node = fleet.node(id.as_str());
            node.is_some_and(|node| matches!(node.link, Link::Up))
        };
        let present = Present {
            at: &self.addresses(fleet, names),
            is_up: &is_up,
            now_s: now_s(),
        };
        self.scans.take(ended, &present)
    }

    /// Which machine is at each address; where several are, the one that is named rather than found. One that waits for its address,
    /// which another one has, is there all the same.
    fn addresses(&self, fleet: &Fleet, names: &Names) -> HashMap<SocketAddr, NodeId> {
        let targets = self.roll.targets();
        let (found, named): (Vec<_>, Vec<_>) = targets
            .iter()
            .partition(|target| self.scans.have_found(target));
        let mut at = HashMap::with_capacity(found.len() + named.len());
        for target in named.into_iter().chain(found) {
            let shown = || fleet.node(target.id.as_str())?.address;
            let looked_up = names.address(&target.id).map(|at| at.ip());
            if let Some(address) = looked_up.or_else(shown) {
                let address = SocketAddr::new(address.to_canonical(), target.treatment.port);
                at.entry(address).or_insert_with(|| target.id.clone());
            }
        }
        at
    }

    /// Lets those who were found make room for whom a client has named, or join where he has made room. Nobody else's change looks at
    /// the whole fleet.
    pub(super) async fn plan_found(&mut self, step: &Step, fleet: &Weak<Fleet>, names: &Names) {
        let makes_room = step.frees(&self.roll) && self.scans.wait_for(step.id());
        if !makes_room && !self.roll.waits_for_found(step) {
            return;
        }
        let told = Told {
            what: step.id(),
            of_list: None,
            text: "what scans have found joins where a client has made room, and leaves where he has named it",
        };
        let taken = match self.merged() {
            Ok(named) => self.take(told, named, None, fleet, names).await,
            Err(clash) => Err(clash.text),
        };
        // What the client has changed holds.
        if let Err(error) = taken {
            tracing::error!("what scans have found stays as it was: {error}");
        }
    }

    /// The BMCs that the operator names, and those that are found where he has them looked for.
    pub(super) fn merged(&mut self) -> Result<Named, ListClash> {
        let mut named = inventory::merged(&self.config, &self.lists)?;
        let scans = self.scans.configs();
        self.scans.join(&scans, &mut named, self.roll.pushed());
        Ok(named)
    }
}

/// The second of the Unix epoch; 0 where the clock stands before it.
fn now_s() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use hardware::{Observer, Update};
    use ipmi::wire::Writer;
    use ipmi::wire::asf::Asf;
    use redfish::{Source, SourceChange, SourceLogin};
    use tempfile::TempDir;
    use tokio::net::UdpSocket;
    use tokio::sync::Notify;

    use super::*;
    use crate::config::{AggregationConfig, Config};
    use crate::inventory::Pushed;
    use crate::{aggregate, serve};

    /// Where the one BMC of these tests is.
    const HOST: &str = "127.16.9.1";

    /// Clients may name machines where these tests have theirs.
    fn rules() -> AggregationConfig {
        AggregationConfig {
            allow_destinations: Arc::from(["127.0.0.0/8".parse().unwrap()]),
            ..AggregationConfig::default()
        }
    }

    /// Answers the pings of every scan.
    async fn bmc() -> u16 {
        let socket = UdpSocket::bind((HOST, 0)).await.unwrap();
        let port = socket.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut ping, mut pong) = ([0; 64], [0; 64]);
            while let Ok((_, from)) = socket.recv_from(&mut ping).await {
                let mut w = Writer::new(&mut pong);
                // RMCP's header has four bytes, and the tag is the sixth behind it.
                Asf::pong(ping[9]).encode(&mut w);
                let _ = socket.send_to(w.written(), from).await;
            }
        });
        port
    }

    /// A service whose configuration has these sections, and where an earlier run has found that BMC.
    async fn found_before(rest: &str, port: u16) -> (TempDir, Reload) {
        found_beside(rest, port, Pushed::of(&[], rules())).await
    }

    /// The same beside what clients have named.
    async fn found_beside(rest: &str, port: u16, pushed: Pushed) -> (TempDir, Reload) {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path();
        let found = format!("reddrum found 1\n{HOST} {port} 7\n");
        fs::write(folder.join("found"), found).unwrap();
        let text = format!(
            "[service]\nstate_dir = {folder:?}\n[credentials.default]\nusername = \"u\"\n\
             password_command = [\"echo\", \"one\"]\n{rest}\
             [[inventory]]\ncredentials = \"default\"\nscan = [{HOST:?}]\nport = {port}\n"
        );
        let config = Config::parse(&text, folder).unwrap();
        let (_orders, ordered) = aggregate::orders();
        let file = folder.join("reddrum.toml");
        let reload = Reload::new(file, config, pushed, ordered);
        let reload = reload.await.unwrap();
        (around, reload)
    }

    fn ids(reload: &Reload) -> Vec<String> {
        let targets = reload.targets();
        targets.iter().map(|target| target.id.to_string()).collect()
    }

    #[derive(Default)]
    struct Notified(Notify);

    impl Observer for Notified {
        fn updated(&self, _: &Update) {
            self.0.notify_one();
        }
    }

    #[tokio::test]
    async fn a_machine_that_is_named_comes_first_also_where_its_name_is_looked_up_later_than_a_scan_has_found_it()
     {
        let port = bmc().await;
        let named = format!("[[target]]\nhosts = \"bmc1\"\nnames = \"named\"\nport = {port}\n");
        let (_folder, mut reload) = found_before(&named, port).await;
        assert_eq!(ids(&reload), ["named", HOST], "its name may be another's");
        let (targets, wanted) = serve::taken(&reload).unwrap();
        let fleet = Arc::new(Fleet::start(&fleet::Config::new(targets)).unwrap());
        let weak = Arc::downgrade(&fleet);
        let notified = Arc::new(Notified::default());
        fleet.observe(Arc::clone(&notified) as Arc<dyn Observer>);
        let until = async |is_so: &dyn Fn() -> bool| {
            let shown = async {
                while !is_so() {
                    notified.0.notified().await;
                }
            };
            let shown = tokio::time::timeout(Duration::from_secs(60), shown).await;
            shown.expect("the fleet never shows it");
        };
        // Its address comes when the scanned one has it already.
        let at: SocketAddr = format!("{HOST}:{port}").parse().unwrap();
        let table = Arc::new(Mutex::new(BTreeMap::from([("bmc1".to_owned(), at)])));
        let names = Arc::new(Names::looked_up_by(Box::new(move |host, _| {
            let found = table.lock().unwrap().get(&host).copied();
            let found = found.map(|at| vec![at]);
            Box::pin(std::future::ready(
                found.ok_or_else(|| "no answer".to_owned()),
            ))
        })));
        names.want(wanted);
        tokio::spawn(Arc::clone(&names).resolve(weak.clone()));
        let node = || fleet.node("named").unwrap();
        until(&|| matches!(&node().link, Link::Down { reason, .. } if reason.contains("same address")))
            .await;

        reload.scans.begin(true);
        let ended = reload.scans.ended().await.unwrap();
        reload.take_scan(ended, &weak, &names).await;
        assert_eq!(ids(&reload), ["named"]);
        until(&|| node().address == Some(at.ip())).await;
        assert!(fleet.node(HOST).is_none());
    }

    fn source(id: &str, host_name: String, password: &str) -> Source {
        Source {
            id: id.to_owned(),
            name: id.to_owned(),
            host_name,
            port: None,
            method: "IPMI20".to_owned(),
            login: Some(SourceLogin {
                user_name: "admin".to_owned(),
                password: password.to_owned().into(),
            }),
        }
    }

    #[tokio::test]
    async fn a_client_may_name_what_a_scan_has_found_and_it_joins_again_when_he_lets_go() {
        let (_folder, mut reload) = found_before("", 623).await;
        let (targets, _) = serve::taken(&reload).unwrap();
        let fleet = Arc::new(Fleet::start(&fleet::Config::new(targets)).unwrap());
        let (weak, names) = (Arc::downgrade(&fleet), Names::default());
        let mut change = async |change: SourceChange| {
            let kept = Box::pin(std::future::ready(Ok(())));
            let looks = reload.roll.looks();
            reload.change(change, kept, &weak, &names).await.unwrap();
            assert!(reload.roll.aside().is_empty());
            (ids(&reload), reload.roll.looks() - looks)
        };
        let elsewhere = source("other", "127.16.9.9".to_owned(), "one");
        let (there, _) = change(SourceChange::Add(elsewhere)).await;
        assert_eq!(there, [HOST, "other"]);
        for (id, host) in [("mine", HOST), (HOST, HOST), (HOST, "127.16.9.8")] {
            let mine = source(id, host.to_owned(), "one");
            let (there, _) = change(SourceChange::Add(mine)).await;
            assert_eq!(there.len(), 2, "{there:?}");
            assert!(there.iter().any(|one| one == id));
            // A password makes no room, nor does who stands in nobody's way: each is looked at alone.
            let mine = source(id, host.to_owned(), "two");
            assert_eq!(change(SourceChange::Replace(mine)).await.1, 1);
            let elsewhere = source("other", "127.16.9.7".to_owned(), "one");
            assert_eq!(change(SourceChange::Replace(elsewhere)).await.1, 1);
            let (there, _) = change(SourceChange::Remove(id.to_owned())).await;
            assert_eq!(there, [HOST, "other"]);
            assert!(fleet.node(HOST).is_some());
        }
    }

    #[tokio::test]
    async fn one_of_a_clients_that_can_not_be_used_keeps_its_name_until_he_mends_it() {
        let unusable = Source {
            method: "nonsense".to_owned(),
            ..source(HOST, "@".to_owned(), "one")
        };
        let pushed = Pushed::of(&[unusable], rules());
        assert_eq!(pushed.unusable().len(), 1);
        let (_folder, mut reload) = found_beside("", 623, pushed).await;
        assert!(ids(&reload).is_empty());
        let fleet = Arc::new(Fleet::start(&fleet::Config::new(Vec::new())).unwrap());
        let (weak, names) = (Arc::downgrade(&fleet), Names::default());
        let mended = SourceChange::Replace(source(HOST, "127.16.9.9".to_owned(), "one"));
        let kept = Box::pin(std::future::ready(Ok(())));
        reload.change(mended, kept, &weak, &names).await.unwrap();
        assert_eq!(ids(&reload), [HOST]);
        assert_eq!(reload.targets()[0].host, "127.16.9.9");
    }
}
