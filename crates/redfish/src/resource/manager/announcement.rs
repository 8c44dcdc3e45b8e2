//! `ManagerNetworkProtocol.SSDP`: how the service is announced, as clients set it.

use std::sync::{Arc, Mutex, PoisonError};

use redfish_schema::CheckedPatch;
use redfish_schema::manager_network_protocol::{NotifyIPv6Scope, SSDProtocol};
use serde_json::Value;

use crate::host::Host;
use crate::ssdp::{
    MAX_SSDP_NOTIFY_INTERVAL_S, MIN_SSDP_NOTIFY_INTERVAL_S, SSDP_PORT, SsdpScope, SsdpSettings,
};
use crate::store::{Batch, Store, StoreError, Table};
use crate::{Failure, Outcome, message};

/// Where the settings are kept.
const SETTINGS: Table = Table("settings");
const SETTINGS_KEY: &str = "SSDP";
/// Where they are in the resource.
const POINTER: &str = "/SSDP/";

/// How the service is announced, and who does it.
pub(super) struct Announcement {
    /// What is so now; `None` where the host can't announce anything.
    settings: Arc<Mutex<Option<SsdpSettings>>>,
    host: Arc<dyn Host>,
    store: Store,
}

impl Announcement {
    /// Takes up what clients have set, in place of what the host was told at the start.
    pub(super) fn load(host: Arc<dyn Host>, store: Store) -> Result<Self, StoreError> {
        let mut settings = host.facts().ssdp;
        for (key, kept) in store.load::<Value>(SETTINGS)? {
            if key == SETTINGS_KEY && settings.is_some() {
                let kept: SsdpSettings =
                    serde_json::from_value(kept).map_err(|e| StoreError::Entry(e.to_string()))?;
                host.announce(kept);
                settings = Some(kept);
            }
        }
        Ok(Self {
            settings: Arc::new(Mutex::new(settings)),
            host,
            store,
        })
    }

    fn settings(&self) -> Option<SsdpSettings> {
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether clients can change it.
    pub(super) fn is_changeable(&self) -> bool {
        self.settings().is_some()
    }

    pub(super) fn resource(&self) -> SSDProtocol {
        let settings = self.settings().unwrap_or_default();
        let scope = match settings.ipv6_scope {
            SsdpScope::Link => NotifyIPv6Scope::Link,
            SsdpScope::Site => NotifyIPv6Scope::Site,
            SsdpScope::Organization => NotifyIPv6Scope::Organization,
        };
        SSDProtocol {
            protocol_enabled: Some(settings.is_enabled.into()),
            port: Some(i64::from(SSDP_PORT).into()),
            notify_multicast_interval_seconds: Some(i64::from(settings.notify_interval_s).into()),
            notify_ttl: Some(i64::from(settings.ttl).into()),
            notify_ipv6_scope: Some(scope.into()),
        }
    }

    /// Changes what a client asks for. `SSDP` is all of the resource that can be changed.
    pub(super) async fn patch(&self, patch: &CheckedPatch) -> Result<Outcome, Failure> {
        let mut new = self.settings().ok_or(Failure::NotChangeable)?;
        for (pointer, value) in patch.leaves() {
            set(&mut new, &pointer, value)?;
        }
        let mut batch = Batch::default();
        batch.put(SETTINGS, SETTINGS_KEY, &new)?;
        let (settings, host) = (Arc::clone(&self.settings), Arc::clone(&self.host));
        let apply = move || {
            *settings.lock().unwrap_or_else(PoisonError::into_inner) = Some(new);
            host.announce(new);
        };
        self.store.commit(batch, apply).await?;
        Ok(Outcome::Done)
    }
}

fn set(settings: &mut SsdpSettings, pointer: &str, value: &Value) -> Result<(), Failure> {
    let not_writable = || Failure::PropertyNotWritable {
        pointer: pointer.to_owned(),
    };
    let out_of_range = || {
        let name = pointer.rsplit('/').next().unwrap_or_default();
        let message = message::property_value_out_of_range(value.to_string(), name);
        Failure::Messages(vec![message.about(pointer)])
    };
    match pointer.strip_prefix(POINTER).ok_or_else(not_writable)? {
        "ProtocolEnabled" => {
            let enabled = value.as_bool();
            settings.is_enabled = enabled.ok_or_else(out_of_range)?;
        }
        "NotifyMulticastIntervalSeconds" => {
            let bounds = MIN_SSDP_NOTIFY_INTERVAL_S..=MAX_SSDP_NOTIFY_INTERVAL_S;
            let seconds = value.as_u64().and_then(|seconds| seconds.try_into().ok());
            let fits = seconds.filter(|seconds| bounds.contains(seconds));
            settings.notify_interval_s = fits.ok_or_else(out_of_range)?;
        }
        "NotifyTTL" => {
            let hops = value.as_u64().and_then(|hops| u8::try_from(hops).ok());
            let fits = hops.filter(|hops| *hops > 0);
            settings.ttl = fits.ok_or_else(out_of_range)?;
        }
        "NotifyIPv6Scope" => {
            settings.ipv6_scope = match value.as_str() {
                Some("Link") => SsdpScope::Link,
                Some("Site") => SsdpScope::Site,
                Some("Organization") => SsdpScope::Organization,
                _ => return Err(out_of_range()),
            }
        }
        _ => return Err(not_writable()),
    }
    Ok(())
}
