//! Who asks.

use serde::{Deserialize, Serialize};
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
    /// Whether his connection has shown a certificate that an authority vouches for.
    shows_certificate: bool,
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
            shows_certificate: false,
        }
    }

    /// The same, on a connection that has shown a certificate, or not.
    pub(crate) const fn with_certificate(mut self, shows: bool) -> Self {
        self.shows_certificate = shows;
        self
    }

    /// Whether his connection has shown a certificate that an authority vouches for, whoever it names.
    pub(crate) const fn shows_certificate(&self) -> bool {
        self.shows_certificate
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

/// Whose a task or a subscription is: the account's, whatever it is called later. It isn't that of an account which is
/// made under the same name after this one was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "KeptOwner")]
pub(crate) struct Owner {
    name: String,
    /// `None` for what was kept before accounts were told apart by `Id`, or came from another service's files.
    account_id: Option<String>,
    /// [`Account::number`]
    account_number: u64,
}

/// What may be in the store: once it was a name.
#[derive(Deserialize)]
#[serde(untagged)]
enum KeptOwner {
    Name(String),
    Account {
        name: String,
        account_id: Option<String>,
        #[serde(default)]
        account_number: u64,
    },
}

impl From<KeptOwner> for Owner {
    fn from(kept: KeptOwner) -> Self {
        match kept {
            KeptOwner::Name(name) => Self::named(name),
            KeptOwner::Account {
                name,
                account_id,
                account_number,
            } => Self {
                name,
                account_id,
                account_number,
            },
        }
    }
}

impl Owner {
    /// Who asks.
    pub(crate) fn of(caller: &Caller) -> Self {
        Self::of_account(caller.account())
    }

    /// Somebody by his account.
    pub(crate) fn of_account(account: &Account) -> Self {
        Self {
            name: account.user_name().to_owned(),
            account_id: Some(account.id().to_owned()),
            account_number: account.number(),
        }
    }

    /// Somebody of whom only the name is known.
    pub(crate) const fn named(name: String) -> Self {
        Self {
            name,
            account_id: None,
            account_number: 0,
        }
    }

    /// What the account was called when it asked.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether both are the same account.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.account_id, &other.account_id) {
            (Some(id), Some(other_id)) => {
                id == other_id && self.account_number == other.account_number
            }
            _ => self.name == other.name,
        }
    }

    /// Whether it is the caller. One of whom only the name is known has a number of 0, as accounts have that came with
    /// him.
    pub(crate) fn is(&self, caller: &Caller) -> bool {
        let is_named = match &self.account_id {
            Some(id) => id == caller.account_id(),
            None => self.name == caller.user_name(),
        };
        is_named && self.account_number == caller.account().number()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_kept_with_his_account_and_was_kept_as_a_name() {
        let owner = Owner {
            name: "anna".to_owned(),
            account_id: Some("7".to_owned()),
            account_number: 9,
        };
        let kept = serde_json::to_string(&owner).unwrap();
        assert_eq!(serde_json::from_str::<Owner>(&kept).unwrap(), owner);
        let older = r#"{"name": "anna", "account_id": "7"}"#;
        let expected = Owner {
            account_number: 0,
            ..owner
        };
        assert_eq!(serde_json::from_str::<Owner>(older).unwrap(), expected);
        let old: Owner = serde_json::from_str("\"anna\"").unwrap();
        assert_eq!(old, Owner::named("anna".to_owned()));
    }
}
