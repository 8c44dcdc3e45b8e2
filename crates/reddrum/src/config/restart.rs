//! Which keys only hold after a restart: all but the BMCs, their lists and their logins.

use super::{Config, ServiceConfig};
use crate::config::FrontConfig;

impl Config {
    /// The keys that say something else in `new`, and can't change while the service runs.
    pub(crate) fn takes_restart(&self, new: &Self) -> Vec<&'static str> {
        let mut keys = self.service.differs(&new.service);
        keys.extend(differing([
            ("[[account]]", self.accounts != new.accounts),
            ("[events]", self.events != new.events),
            ("[update]", self.update != new.update),
            ("[aggregation]", self.aggregation != new.aggregation),
            (
                "[metrics] listen",
                self.metrics.as_ref().map(|m| m.listen) != new.metrics.as_ref().map(|m| m.listen),
            ),
            (
                "[metrics] fleet_only",
                self.metrics.as_ref().is_some_and(|m| m.fleet_only)
                    != new.metrics.as_ref().is_some_and(|m| m.fleet_only),
            ),
            ("[fleet]", self.fleet != new.fleet),
        ]));
        keys
    }
}

impl ServiceConfig {
    fn differs(&self, new: &Self) -> Vec<&'static str> {
        // By name, so that a new key can't be forgotten here.
        let Self {
            listen,
            state_dir,
            certificate,
            client_authorities,
            privilege_registry,
            session_timeout_s,
            front,
        } = self;
        let FrontConfig {
            public_host,
            hsts_max_age_s,
            listen_redirect,
            listen_proxy,
            proxies,
            ssdp,
        } = front;
        let is = &new.front;
        differing([
            ("[service] listen", *listen != new.listen),
            ("[service] state_dir", *state_dir != new.state_dir),
            (
                "[service] certificate, private_key",
                *certificate != new.certificate,
            ),
            (
                "[service] client_authorities",
                *client_authorities != new.client_authorities,
            ),
            (
                "[service] privilege_registry",
                *privilege_registry != new.privilege_registry,
            ),
            (
                "[service] session_timeout_s",
                *session_timeout_s != new.session_timeout_s,
            ),
            ("[service] public_url", *public_host != is.public_host),
            (
                "[service] hsts_max_age_s",
                *hsts_max_age_s != is.hsts_max_age_s,
            ),
            (
                "[service] listen_redirect",
                *listen_redirect != is.listen_redirect,
            ),
            ("[service] listen_proxy", *listen_proxy != is.listen_proxy),
            (
                "[service] trusted_proxies, forwarded_header",
                *proxies != is.proxies,
            ),
            ("[service] ssdp_interfaces", *ssdp != is.ssdp),
        ])
        .collect()
    }
}

fn differing<const N: usize>(
    keys: [(&'static str, bool); N],
) -> impl Iterator<Item = &'static str> {
    let differing = keys.into_iter().filter(|(_, differs)| *differs);
    differing.map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn config(listen: &str, rest: &str) -> Config {
        let text = format!(
            "[service]\nlisten = \"{listen}\"\nstate_dir = \"s\"\n\
             [credentials.default]\nusername = \"u\"\npassword_command = [\"echo\", \"p\"]\n{rest}"
        );
        Config::parse(&text, Path::new("/")).unwrap()
    }

    #[test]
    fn only_keys_that_changed_and_do_not_hold_at_once_are_named() {
        let before = config("127.0.0.1:1", "[metrics]\nlisten = \"127.0.0.1:3\"\n");
        for (listen, rest, wanted) in [
            (
                "127.0.0.1:1",
                "[metrics]\nlisten = \"127.0.0.1:3\"\n[[target]]\nhosts = \"a\"\n",
                &[][..],
            ),
            (
                "127.0.0.1:2",
                "[metrics]\nlisten = \"127.0.0.1:4\"\n",
                &["[service] listen", "[metrics] listen"],
            ),
            (
                "127.0.0.1:1",
                "[fleet]\npoll_interval_ms = 7000\n[aggregation]\ndefault_login = true\n",
                &["[aggregation]", "[metrics] listen", "[fleet]"],
            ),
        ] {
            let after = config(listen, rest);
            assert_eq!(before.takes_restart(&after), wanted, "{listen} {rest}");
        }
    }
}
