//! What a service is told when it starts, and why it may not.

use std::fmt;
use std::sync::Arc;

use crate::DestinationSettings;
use crate::account::{Account, AccountError, LoadError};
use crate::aggregation::Aggregator;
use crate::host::Host;
use crate::privilege::PrivilegeMap;
use crate::static_files::StaticFiles;
use crate::store::{Store, StoreError};
use crate::tls::{CertificateOwner, Tls};

/// What a service is told when it starts.
pub struct Settings {
    /// The service's UUID, in the form of RFC 9562. It is the same after a restart.
    pub uuid: String,
    /// The product's name, for `ServiceRoot.Product`.
    pub product: String,
    /// Who made it, for `ServiceRoot.Vendor`. Clients switch their work-arounds by it.
    pub vendor: String,
    /// Who may log in at first. Each is added once: what clients change of it afterwards stays.
    pub accounts: Vec<Account>,
    /// Which privileges operations need.
    pub privileges: PrivilegeMap,
    /// After how many seconds an unused session ends, from [`MIN_TIMEOUT_S`](crate::MIN_TIMEOUT_S) to
    /// [`MAX_TIMEOUT_S`](crate::MAX_TIMEOUT_S).
    pub session_timeout_s: u32,
    /// Files to serve outside of `/redfish`.
    pub static_files: StaticFiles,
    /// Where the service keeps what clients change of it.
    pub store: Store,
    /// Where events may be sent.
    pub events: DestinationSettings,
    /// Where images of firmware may be fetched from.
    pub images: DestinationSettings,
    /// The program's version, for the service's own manager.
    pub version: String,
    /// The machine that the service runs on.
    pub host: Arc<dyn Host>,
    /// Who takes up machines that clients name; without one there is no `AggregationService`.
    pub aggregator: Option<Arc<dyn Aggregator>>,
    /// What the service's own HTTPS shows, and who takes care of it; none where a proxy has all of TLS.
    pub tls: Option<(Arc<Tls>, CertificateOwner)>,
}

impl Settings {
    /// Whether a service can start with them, as far as they say it themselves.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        if !is_uuid(&self.uuid) {
            return Err(SettingsError::Uuid);
        }
        if !(crate::MIN_TIMEOUT_S..=crate::MAX_TIMEOUT_S).contains(&self.session_timeout_s) {
            return Err(SettingsError::SessionTimeout);
        }
        Ok(())
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("uuid", &self.uuid)
            .field("product", &self.product)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Why a service can't start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingsError {
    /// The UUID isn't 32 hexadecimal digits in the usual five groups.
    Uuid,
    /// The session timeout is out of range.
    SessionTimeout,
    /// An account can't be used.
    Account(AccountError),
    /// The service root has no property for a link of the backend.
    Root(String),
    /// The service's state can't be read.
    Store(StoreError),
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid => {
                f.write_str("the UUID doesn't have the form 8-4-4-4-12 hexadecimal digits")
            }
            Self::SessionTimeout => {
                f.write_str("the session timeout is not between 30 and 86400 seconds")
            }
            Self::Account(error) => error.fmt(f),
            Self::Root(cause) => f.write_str(cause),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SettingsError {}

impl From<LoadError> for SettingsError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Account(error) => Self::Account(error),
            LoadError::Store(error) => Self::Store(error),
        }
    }
}

impl From<StoreError> for SettingsError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Whether a text is a UUID as `ServiceRoot` has it: `92384634-2938-2342-8820-489239905423`.
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    let mut groups = text.split('-');
    let fits = [8, 4, 4, 4, 12].into_iter().all(|length| {
        groups.next().is_some_and(|group| {
            group.len() == length && group.bytes().all(|b| b.is_ascii_hexdigit())
        })
    });
    fits && groups.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_five_groups_of_hexadecimal_digits() {
        assert!(is_uuid("92384634-2938-2342-8820-489239905423"));
        for bad in [
            "",
            "92384634-2938-2342-8820-48923990542",
            "92384634293823428820489239905423",
            "92384634-2938-2342-8820-489239905423-",
            "g2384634-2938-2342-8820-489239905423",
        ] {
            assert!(!is_uuid(bad), "{bad}");
        }
    }
}
