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
    /// What his role could do when the request came.
    privileges: Privileges,
    /// The session whose token came with the request; none with Basic credentials.
    session: Option<Arc<Session>>,
    client: Option<IpAddr>,
}

impl Caller {
    pub(crate) const fn new(
        account: Arc<Account>,
        privileges: Privileges,
        session: Option<Arc<Session>>,
        client: Option<IpAddr>,
    ) -> Self {
        Self {
            account,
            privileges,
            session,
            client,
        }
    }

    /// The name that he logged in with.
    pub(crate) fn user_name(&self) -> &str {
        self.account.user_name()
    }

    /// `Id` of his account.
    pub(crate) fn account_id(&self) -> &str {
        self.account.id()
    }

    /// His account, as it was when the request came.
    pub(crate) const fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// What he may do.
    pub(crate) const fn privileges(&self) -> Privileges {
        self.privileges
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
