//! Where the name of a BMC may lead.

use std::net::IpAddr;
use std::sync::Arc;

use redfish::{Network, is_refused_destination};

use super::scan::Excluded;

/// To which addresses a name may lead: whoever is there is given a login. Anywhere, where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Networks that it may lead to although such addresses are refused; `None` = anywhere, since the operator has named it.
    pub(crate) allow: Option<Arc<[Network]>>,
    /// Where it may not lead in any case.
    pub(crate) exclude: Option<Arc<Excluded>>,
}

impl Reach {
    /// Whether it may lead to this address.
    pub(crate) fn has(&self, address: IpAddr) -> bool {
        let allow = self.allow.as_deref();
        let exclude = self.exclude.as_deref();
        allow.is_none_or(|allow| !is_refused_destination(address, allow))
            && exclude.is_none_or(|exclude| !exclude.has(address))
    }
}
