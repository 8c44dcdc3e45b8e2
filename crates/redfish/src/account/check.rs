//! The check of who somebody is.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use redfish_schema::account_service::BasicAuthState;
use ring::hmac;
use zeroize::Zeroizing;

use super::lockout::Lock;
use super::password::{MAX_PASSWORD, PasswordHash, Verdict};
use super::table::Accounts;
use super::{Account, MAX_USER_NAME};
use crate::audit::{Deed, Entry};
use crate::turn::Turn;

/// How many verified Basic credentials are remembered.
pub const MAX_REMEMBERED: usize = 256;

/// Whose credentials they were when they were verified.
#[derive(Debug)]
pub(crate) struct Remembered {
    pub(super) account_id: String,
    pub(super) epoch: u64,
}

/// Why credentials open nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no such account, the password is another, or it opens nothing now. Nobody is told which.
    Wrong {
        /// Whether it goes to the log.
        log: bool,
    },
    /// Too many passwords are waiting to be checked.
    Crowded,
}

impl Refusal {
    /// Whether it goes to the log.
    pub(crate) const fn is_logged(self) -> bool {
        !matches!(self, Self::Wrong { log: false })
    }
}

impl Accounts {
    /// The account that these credentials open.
    pub(crate) async fn verify(
        self: &Arc<Self>,
        user_name: &str,
        password: Zeroizing<String>,
        client: Option<IpAddr>,
    ) -> Result<Arc<Account>, Refusal> {
        let turn = self.turns.take(client).await.ok_or(Refusal::Crowded)?;
        self.check(turn, user_name, password, client).await
    }

    /// Costs tens of milliseconds on a thread for blocking work, whether or not there is such an account and whatever is
    /// the matter with it.
    async fn check(
        self: &Arc<Self>,
        turn: Turn,
        user_name: &str,
        password: Zeroizing<String>,
        client: Option<IpAddr>,
    ) -> Result<Arc<Account>, Refusal> {
        let known = self.by_user_name(user_name);
        let verdict = self.weigh(turn, known.as_deref(), password).await;
        let right = !matches!(verdict, Verdict::Wrong);
        let Some(account) = known else {
            return Err(self.refused(None, client).await);
        };
        // Locked: not even the right password is told from a wrong one, and neither counts.
        if self.is_locked(&account) {
            return Err(self.refused(None, client).await);
        }
        if !right {
            return Err(self.refused(Some(&account), client).await);
        }
        // Of a disabled account, the right password counts as little as a wrong one.
        if !self.admits(&account) {
            return Err(self.refused(None, client).await);
        }
        self.lockouts.forget(account.id());
        if let Verdict::Outdated(hash) = verdict {
            self.upgrade(&account, hash).await;
        }
        Ok(account)
    }

    /// Whether the password is that of the account; never if there is none.
    async fn weigh(
        &self,
        turn: Turn,
        known: Option<&Account>,
        password: Zeroizing<String>,
    ) -> Verdict {
        if password.len() > MAX_PASSWORD {
            return Verdict::Wrong;
        }
        let hash = known.map_or(&self.decoy, |account| &account.kept.password);
        let hash = hash.clone();
        // While any account has a hash of the old kind, all checks take as long as one of those.
        let waste = match hash.outdated_rounds() {
            Some(_) => None,
            None => self.outdated_rounds(),
        };
        let check = move || {
            // The turn lasts as long as the check, even if nobody waits for its result any more.
            let _turn = turn;
            if let Some(rounds) = waste {
                PasswordHash::waste(&password, rounds);
            }
            hash.check(&password)
        };
        let verdict = tokio::task::spawn_blocking(check).await;
        match verdict {
            Ok(verdict) if known.is_some() => verdict,
            _ => Verdict::Wrong,
        }
    }

    fn outdated_rounds(&self) -> Option<u32> {
        let state = self.read();
        let hashes = state.accounts.values().map(|a| &a.kept.password);
        hashes.filter_map(PasswordHash::outdated_rounds).max()
    }

    /// Counts a refusal, and locks the account if it was one too many.
    async fn refused(
        self: &Arc<Self>,
        account: Option<&Account>,
        client: Option<IpAddr>,
    ) -> Refusal {
        let consequence = self
            .lockouts
            .failed(account.map(Account::id), &self.policy());
        if let Some(account) = account
            && consequence.lock != Lock::No
        {
            self.audit.record(&Entry {
                user: Some(account.user_name().to_owned()),
                client,
                deed: Deed::Locked,
            });
            if consequence.lock == Lock::ForGood {
                self.lock_for_good(account.id()).await;
            }
        }
        Refusal::Wrong {
            log: consequence.log,
        }
    }

    /// Whether a caller's own password is this one: asked again before it is changed.
    pub(crate) async fn confirm(
        self: &Arc<Self>,
        account: &Account,
        password: Zeroizing<String>,
        client: Option<IpAddr>,
    ) -> Result<(), Refusal> {
        let confirmed = self.verify(account.user_name(), password, client).await?;
        if confirmed.id() == account.id() {
            Ok(())
        } else {
            Err(Refusal::Wrong { log: true })
        }
    }

    /// Whether a new password is the one that the account has already.
    pub(super) async fn is_present_password(
        &self,
        turn: Turn,
        account: &Account,
        password: Zeroizing<String>,
    ) -> bool {
        !matches!(
            self.weigh(turn, Some(account), password).await,
            Verdict::Wrong
        )
    }

    /// The account that an `Authorization: Basic` header opens. The first time costs as much as
    /// [`verify`](Self::verify); afterwards a keyed digest of the header is looked up.
    pub(crate) async fn basic(
        self: &Arc<Self>,
        header: &[u8],
        client: Option<IpAddr>,
    ) -> Result<Arc<Account>, Refusal> {
        let wrong = Refusal::Wrong { log: true };
        if self.policy().basic_auth == BasicAuthState::Disabled {
            return Err(wrong);
        }
        let encoded = strip_scheme(header).ok_or(wrong)?;
        let digest = self.digest(encoded).ok_or(wrong)?;
        if let Some(account) = self.recall(&digest) {
            return Ok(account);
        }
        let (user_name, password) = decode(encoded).ok_or(wrong)?;
        let turn = self.turns.take(client).await.ok_or(Refusal::Crowded)?;
        // A client that opens many connections at once sends the same on each: one check is enough for all.
        if let Some(account) = self.recall(&digest) {
            return Ok(account);
        }
        let account = self.check(turn, &user_name, password, client).await?;
        let mut remembered = self
            .remembered
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MAX_REMEMBERED {
            // Each entry costs one check to make again; finding the oldest isn't worth a list.
            remembered.clear();
        }
        let entry = Remembered {
            account_id: account.id().to_owned(),
            epoch: account.epoch(),
        };
        remembered.insert(digest, entry);
        Ok(account)
    }

    /// The user name in a Basic header, if it can be read: what somebody claims who isn't let in.
    pub(crate) fn claimed_user_name(header: &[u8]) -> Option<String> {
        let (user_name, _) = decode(strip_scheme(header)?)?;
        Some(user_name.chars().take(MAX_USER_NAME).collect())
    }

    /// The account of credentials that were right before, if they would be now. A locked account's aren't: else a
    /// guesser would learn here what the lock keeps from him.
    fn recall(&self, digest: &Digest) -> Option<Arc<Account>> {
        let remembered = self
            .remembered
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let entry = remembered.get(digest)?;
        let account = self.by_id(&entry.account_id)?;
        let holds =
            account.epoch() == entry.epoch && self.admits(&account) && !self.is_locked(&account);
        holds.then_some(account)
    }

    fn digest(&self, bytes: &[u8]) -> Option<Digest> {
        hmac::sign(&self.key, bytes).as_ref().try_into().ok()
    }
}

/// A keyed digest of Basic credentials.
type Digest = [u8; 32];

/// What follows `Basic `.
fn strip_scheme(header: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = header.split_at_checked(6)?;
    scheme
        .eq_ignore_ascii_case(b"basic ")
        .then(|| rest.trim_ascii())
}

/// User name and password of RFC 7617 credentials.
fn decode(encoded: &[u8]) -> Option<(String, Zeroizing<String>)> {
    if encoded.len() > 4 * (MAX_USER_NAME + MAX_PASSWORD) {
        return None;
    }
    let decoded = Zeroizing::new(BASE64_STANDARD.decode(encoded).ok()?);
    let text = std::str::from_utf8(&decoded).ok()?;
    let (user_name, password) = text.split_once(':')?;
    Some((user_name.to_owned(), Zeroizing::new(password.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::AuditLog;
    use crate::privilege::{PrivilegeMap, Role};
    use crate::session::Sessions;
    use crate::store::Store;

    fn accounts(seeds: Vec<Account>) -> Arc<Accounts> {
        let store = Store::in_memory().unwrap();
        let map = Arc::new(PrivilegeMap::default());
        let audit = Arc::new(AuditLog::load(store.clone()).unwrap());
        let sessions = Arc::new(Sessions::new(60));
        Arc::new(Accounts::load(store, seeds, map, sessions, audit).unwrap())
    }

    fn root(password: &str) -> Arc<Accounts> {
        accounts(vec![
            Account::new("root", password, Role::Administrator).unwrap(),
        ])
    }

    #[tokio::test]
    async fn basic_credentials_are_remembered_only_if_they_are_right() {
        let accounts = root("a:b");
        let header = |text: &str| format!("Basic {}", BASE64_STANDARD.encode(text)).into_bytes();
        for wrong in ["root:a", "root:", "nobody:x", ":", "root", "Root:a:b"] {
            let refused = accounts.basic(&header(wrong), None).await;
            assert!(matches!(refused, Err(Refusal::Wrong { .. })), "{wrong}");
        }
        assert!(accounts.basic(b"Basic !!!", None).await.is_err());
        assert!(accounts.basic(b"Bearer cm9vdDphOmI=", None).await.is_err());
        assert!(accounts.remembered.read().unwrap().is_empty());
        for _ in 0..2 {
            let account = accounts.basic(&header("root:a:b"), None).await.unwrap();
            assert_eq!(account.user_name(), "root");
            assert_eq!(accounts.remembered.read().unwrap().len(), 1);
        }
    }

    #[tokio::test]
    async fn a_check_keeps_its_turn_when_its_request_is_given_up() {
        let accounts = root("secret");
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let password = || Zeroizing::new("wrong".to_owned());
        let mut request = Box::pin(accounts.verify("root", password(), None));
        assert!(request.as_mut().poll(&mut context).is_pending());
        drop(request);
        let mut next = Box::pin(accounts.turns.take(None));
        assert!(next.as_mut().poll(&mut context).is_pending());
        assert!(next.await.is_some(), "the check ends by itself");
    }

    #[tokio::test]
    async fn a_sha_512_crypt_hash_is_replaced_at_the_first_login() {
        const HELLO: &str = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1";
        let accounts = accounts(vec![Account::with_hash("old", HELLO, "Operator").unwrap()]);
        let password = |text: &str| Zeroizing::new(text.to_owned());
        assert!(
            accounts
                .verify("old", password("Hello"), None)
                .await
                .is_err()
        );
        assert_eq!(accounts.outdated_rounds(), Some(5000));
        let opened = accounts.verify("old", password("Hello world!"), None).await;
        assert!(opened.is_ok());
        assert_eq!(accounts.outdated_rounds(), None);
        let again = accounts.verify("old", password("Hello world!"), None).await;
        assert_eq!(again.unwrap().epoch(), opened.unwrap().epoch());
    }
}
