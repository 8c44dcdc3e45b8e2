//! Login sessions: tokens, their timeout and their number (DSP0266 "Redfish login sessions").

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime};

use ring::digest::{SHA256, digest};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::account::Account;

/// How many sessions are open at once.
pub const MAX_SESSIONS: usize = 1024;
/// How many of them one account may have, so that a client which never logs out can't lock out the others.
pub const MAX_SESSIONS_OF_ACCOUNT: usize = 512;
/// The shortest `SessionTimeout` in seconds (`SessionService`).
pub const MIN_TIMEOUT_S: u32 = 30;
/// The longest `SessionTimeout` in seconds (`SessionService`).
pub const MAX_TIMEOUT_S: u32 = 86_400;
/// The `SessionTimeout` of a service that isn't told another, in seconds.
pub const DEFAULT_TIMEOUT_S: u32 = 1800;
/// The longest `Context` that a client may give its session, in bytes.
pub const MAX_CONTEXT: usize = 256;

/// Random bytes of a token. In hexadecimal, a token has twice as many characters.
const TOKEN_BYTES: usize = 32;

/// A token as the table knows it: its digest. A token itself is never kept, so neither a memory dump nor
/// the time that a look-up takes tells one.
type TokenDigest = [u8; 32];

/// One login.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    /// `Id` of the account that it is of.
    pub(crate) account_id: String,
    /// The name at the login.
    pub(crate) user_name: String,
    pub(crate) created: SystemTime,
    pub(crate) client: Option<IpAddr>,
    pub(crate) context: Option<String>,
    digest: TokenDigest,
    /// When a request last used it, in milliseconds since `Sessions::start`.
    last_used_ms: AtomicU64,
    /// That of the account at the login: with another one the session is worth nothing.
    epoch: AtomicU64,
}

impl Session {
    /// Compared with its account's.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Lets it go on although its account's credentials have changed: it is the one that changed them.
    pub(crate) fn renew(&self, epoch: u64) {
        self.epoch.store(epoch, Ordering::Release);
    }
}

/// The sessions that are open.
pub(crate) struct Sessions {
    by_token: RwLock<HashMap<TokenDigest, Arc<Session>>>,
    timeout_s: AtomicU32,
    next_id: AtomicU64,
    start: Instant,
}

/// Why a session can't be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenError {
    /// [`MAX_SESSIONS`] or [`MAX_SESSIONS_OF_ACCOUNT`] are open.
    Limit,
    /// The operating system has no random numbers.
    NoRandomness,
}

impl Sessions {
    pub(crate) fn new(timeout_s: u32) -> Self {
        Self {
            by_token: RwLock::default(),
            timeout_s: AtomicU32::new(timeout_s.clamp(MIN_TIMEOUT_S, MAX_TIMEOUT_S)),
            next_id: AtomicU64::new(1),
            start: Instant::now(),
        }
    }

    pub(crate) fn timeout_s(&self) -> u32 {
        self.timeout_s.load(Ordering::Relaxed)
    }

    pub(crate) fn set_timeout_s(&self, timeout_s: u32) {
        self.timeout_s.store(
            timeout_s.clamp(MIN_TIMEOUT_S, MAX_TIMEOUT_S),
            Ordering::Relaxed,
        );
    }

    /// Opens a session and says its token, which nothing else will ever say again.
    pub(crate) fn open(
        &self,
        account: &Account,
        client: Option<IpAddr>,
        context: Option<String>,
    ) -> Result<(Arc<Session>, Zeroizing<String>), OpenError> {
        let token = random_token()?;
        let digest = digest_of(token.as_bytes());
        let session = Arc::new(Session {
            id: self.next_id.fetch_add(1, Ordering::Relaxed).to_string(),
            created: SystemTime::now(),
            client,
            context,
            digest,
            last_used_ms: AtomicU64::new(self.now_ms()),
            account_id: account.id().to_owned(),
            user_name: account.user_name().to_owned(),
            epoch: AtomicU64::new(account.epoch()),
        });
        let mut table = self.write();
        table.retain(|_, session| self.is_alive(session));
        let own = table
            .values()
            .filter(|other| other.account_id == session.account_id)
            .count();
        if table.len() >= MAX_SESSIONS || own >= MAX_SESSIONS_OF_ACCOUNT {
            return Err(OpenError::Limit);
        }
        table.insert(digest, Arc::clone(&session));
        Ok((session, token))
    }

    /// The session that a token opens. Using it starts its timeout anew.
    pub(crate) fn by_token(&self, token: &[u8]) -> Option<Arc<Session>> {
        if token.len() != 2 * TOKEN_BYTES {
            return None;
        }
        let digest = digest_of(token);
        let session = self
            .read()
            .get(&digest)
            .filter(|session| self.is_alive(session))
            .cloned()?;
        session.last_used_ms.store(self.now_ms(), Ordering::Relaxed);
        Some(session)
    }

    /// Says whether a session is open still, and starts its timeout anew: it is in use.
    pub(crate) fn prolong(&self, session: &Session) -> bool {
        let is_open = self.read().contains_key(&session.digest) && self.is_alive(session);
        if is_open {
            session.last_used_ms.store(self.now_ms(), Ordering::Relaxed);
        }
        is_open
    }

    /// The session with this `Id`. Looking at it doesn't prolong it.
    pub(crate) fn by_id(&self, id: &str) -> Option<Arc<Session>> {
        self.read()
            .values()
            .find(|session| session.id == id && self.is_alive(session))
            .cloned()
    }

    /// All sessions that are open, oldest first.
    pub(crate) fn list(&self) -> Vec<Arc<Session>> {
        let mut sessions: Vec<_> = self
            .read()
            .values()
            .filter(|session| self.is_alive(session))
            .cloned()
            .collect();
        // Ids count upwards; by length first, they sort as numbers.
        sessions.sort_by(|a, b| (a.id.len(), &a.id).cmp(&(b.id.len(), &b.id)));
        sessions
    }

    /// Ends a session: its token opens nothing any more.
    pub(crate) fn close(&self, session: &Session) {
        self.write().remove(&session.digest);
    }

    /// Ends the sessions of an account, but for those of this epoch.
    pub(crate) fn close_of(&self, account_id: &str, epoch: Option<u64>) {
        self.write().retain(|_, session| {
            session.account_id != account_id || Some(session.epoch()) == epoch
        });
    }

    fn is_alive(&self, session: &Session) -> bool {
        let idle_ms = self
            .now_ms()
            .saturating_sub(session.last_used_ms.load(Ordering::Relaxed));
        Duration::from_millis(idle_ms) <= Duration::from_secs(u64::from(self.timeout_s()))
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<TokenDigest, Arc<Session>>> {
        self.by_token.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<TokenDigest, Arc<Session>>> {
        self.by_token
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn random_token() -> Result<Zeroizing<String>, OpenError> {
    let mut bytes = Zeroizing::new([0_u8; TOKEN_BYTES]);
    getrandom::fill(bytes.as_mut()).map_err(|_| OpenError::NoRandomness)?;
    let mut token = Zeroizing::new(String::with_capacity(2 * TOKEN_BYTES));
    for byte in bytes.iter() {
        // Writing to a String can't fail.
        let _ = write!(*token, "{byte:02x}");
    }
    Ok(token)
}

fn digest_of(token: &[u8]) -> TokenDigest {
    let mut bytes = TokenDigest::default();
    bytes.copy_from_slice(digest(&SHA256, token).as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg";

    fn account(id: &str) -> Account {
        Account::with_hash(id, HASH, "ReadOnly")
            .unwrap()
            .with_id(id)
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_lives_as_long_as_it_is_used_within_the_timeout() {
        let sessions = Sessions::new(60);
        let (session, token) = sessions.open(&account("a"), None, None).unwrap();
        for _ in 0..3 {
            tokio::time::advance(Duration::from_secs(60)).await;
            assert!(sessions.by_token(token.as_bytes()).is_some());
        }
        tokio::time::advance(Duration::from_secs(40)).await;
        assert!(
            sessions.by_id(&session.id).is_some(),
            "looking at it is no use of it"
        );
        tokio::time::advance(Duration::from_millis(20_001)).await;
        assert!(sessions.by_token(token.as_bytes()).is_none());
        assert!(sessions.by_id(&session.id).is_none());
        assert!(sessions.list().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_sessions_is_bounded_and_expired_ones_make_room() {
        let sessions = Sessions::new(60);
        let (greedy, other) = (account("greedy"), account("other"));
        for _ in 0..MAX_SESSIONS_OF_ACCOUNT {
            sessions.open(&greedy, None, None).unwrap();
        }
        assert_eq!(
            sessions.open(&greedy, None, None).err(),
            Some(OpenError::Limit)
        );
        assert!(sessions.open(&other, None, None).is_ok());
        tokio::time::advance(Duration::from_secs(61)).await;
        assert!(sessions.open(&greedy, None, None).is_ok());
        assert_eq!(sessions.list().len(), 1);
    }

    #[tokio::test]
    async fn a_token_is_long_and_closed_with_its_session() {
        let sessions = Sessions::new(60);
        let (one, first) = sessions.open(&account("a"), None, None).unwrap();
        let (_, second) = sessions.open(&account("a"), None, None).unwrap();
        assert_eq!(first.len(), 64);
        assert_ne!(first, second);
        assert_eq!(sessions.by_token(first.as_bytes()).unwrap().id, one.id);
        sessions.close(&one);
        assert!(sessions.by_token(first.as_bytes()).is_none());
        assert!(sessions.by_token(second.as_bytes()).is_some());
        assert!(sessions.by_token(b"").is_none());
        assert!(sessions.by_token(&[b'0'; 64]).is_none());
    }
}
