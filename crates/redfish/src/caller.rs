//! Who asks.

use std::net::IpAddr;
use std::sync::Arc;

use crate::account::Account;
use crate::privilege::Privileges;
use crate::session::Session;

/// Somebody who has shown who he is, for the length of one request.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    account: Arc<Account>,
    /// The session whose token came with the request; none with Basic credentials.
    session: Option<Arc<Session>>,
    client: Option<IpAddr>,
}

impl Caller {
    pub(crate) const fn new(
        account: Arc<Account>,
        session: Option<Arc<Session>>,
        client: Option<IpAddr>,
    ) -> Self {
        Self {
            account,
            session,
            client,
        }
    }

    /// The name that he logged in with.
    pub(crate) fn user_name(&self) -> &str {
        self.account.user_name()
    }

    /// What he may do.
    pub(crate) fn privileges(&self) -> Privileges {
        self.account.role().privileges()
    }

    /// His session, if he has one.
    pub(crate) const fn session(&self) -> Option<&Arc<Session>> {
        self.session.as_ref()
    }

    /// Where he asks from.
    pub(crate) const fn client(&self) -> Option<IpAddr> {
        self.client
    }
}
