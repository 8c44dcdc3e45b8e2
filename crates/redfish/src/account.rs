//! Accounts: who may log in, and the check of a password.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::{hmac, pbkdf2};
use zeroize::Zeroizing;

use crate::privilege::Role;
use crate::turn::{Turn, Turns};

/// Rounds of PBKDF2-HMAC-SHA256 for one check: some tens of milliseconds. The hashes never leave memory;
/// the rounds slow down guessing over the network and from a memory dump.
pub const PASSWORD_ROUNDS: NonZeroU32 = match NonZeroU32::new(100_000) {
    Some(rounds) => rounds,
    None => NonZeroU32::MIN,
};
/// How many verified Basic credentials are remembered.
pub const MAX_REMEMBERED: usize = 256;
/// The longest user name, in bytes.
pub const MAX_USER_NAME: usize = 64;
/// The longest password, in bytes.
pub const MAX_PASSWORD: usize = 256;

/// An account of the service. Its password is kept as a salted hash only.
#[derive(Clone)]
pub struct Account {
    user_name: String,
    role: Role,
    verifier: Verifier,
}

impl Account {
    /// Makes an account. Takes as long as the check of a password.
    ///
    /// # Errors
    /// [`AccountError`] if the name or the password can't be used, or the system gives no random numbers.
    pub fn new(user_name: &str, password: &str, role: Role) -> Result<Self, AccountError> {
        let usable =
            |c: char| c.is_ascii_graphic() && !matches!(c, ':' | '/' | '\\' | '%' | '?' | '#');
        if user_name.is_empty() || user_name.len() > MAX_USER_NAME || !user_name.chars().all(usable)
        {
            return Err(AccountError::UserName);
        }
        if password.is_empty() || password.len() > MAX_PASSWORD {
            return Err(AccountError::Password);
        }
        Ok(Self {
            user_name: user_name.to_owned(),
            role,
            verifier: Verifier::of(password)?,
        })
    }

    /// The name to log in with; also the account's `Id`.
    #[must_use]
    pub fn user_name(&self) -> &str {
        &self.user_name
    }

    /// What the account may do.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("user_name", &self.user_name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// Why an account can't be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountError {
    /// The user name is empty, longer than [`MAX_USER_NAME`], or has a character that a URI or Basic
    /// authentication can't carry.
    UserName,
    /// The password is empty or longer than [`MAX_PASSWORD`].
    Password,
    /// Two accounts have the same user name.
    Duplicate,
    /// The operating system has no random numbers for a salt.
    NoRandomness,
}

impl fmt::Display for AccountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UserName => write!(
                f,
                "a user name has 1 to {MAX_USER_NAME} printable ASCII characters, without space and : / \\ % ? #"
            ),
            Self::Password => write!(f, "a password has 1 to {MAX_PASSWORD} bytes"),
            Self::Duplicate => f.write_str("two accounts have the same user name"),
            Self::NoRandomness => f.write_str("the operating system gives no random numbers"),
        }
    }
}

impl std::error::Error for AccountError {}

impl From<getrandom::Error> for AccountError {
    fn from(_: getrandom::Error) -> Self {
        Self::NoRandomness
    }
}

/// A salted hash of a password.
#[derive(Clone)]
struct Verifier {
    salt: [u8; 16],
    hash: Zeroizing<[u8; 32]>,
}

impl Verifier {
    fn of(password: &str) -> Result<Self, AccountError> {
        let (mut salt, mut hash) = ([0; 16], Zeroizing::new([0; 32]));
        getrandom::fill(&mut salt)?;
        let password = password.as_bytes();
        pbkdf2::derive(ALGORITHM, PASSWORD_ROUNDS, &salt, password, hash.as_mut());
        Ok(Self { salt, hash })
    }

    /// Accepts no password, and takes as long to say so as any other.
    fn of_nothing() -> Result<Self, AccountError> {
        let (mut salt, mut hash) = ([0; 16], Zeroizing::new([0; 32]));
        getrandom::fill(&mut salt)?;
        getrandom::fill(hash.as_mut())?;
        Ok(Self { salt, hash })
    }

    /// Compares in constant time.
    fn accepts(&self, password: &str) -> bool {
        let (salt, hash) = (&self.salt, self.hash.as_slice());
        pbkdf2::verify(ALGORITHM, PASSWORD_ROUNDS, salt, password.as_bytes(), hash).is_ok()
    }
}

static ALGORITHM: pbkdf2::Algorithm = pbkdf2::PBKDF2_HMAC_SHA256;

/// All accounts, and the memory of credentials that have been verified.
pub(crate) struct Accounts {
    accounts: Vec<Arc<Account>>,
    /// Checked in place of an account that doesn't exist, so that both cost the same.
    decoy: Arc<Account>,
    turns: Turns,
    remembered: RwLock<HashMap<Digest, Arc<Account>>>,
    /// Keys the digests in `remembered`; without it they say nothing about a password.
    key: hmac::Key,
}

impl Accounts {
    pub(crate) fn new(accounts: Vec<Account>) -> Result<Self, AccountError> {
        for (index, account) in accounts.iter().enumerate() {
            if accounts[..index]
                .iter()
                .any(|other| other.user_name == account.user_name)
            {
                return Err(AccountError::Duplicate);
            }
        }
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut())?;
        Ok(Self {
            accounts: accounts.into_iter().map(Arc::new).collect(),
            decoy: Arc::new(Account {
                user_name: String::new(),
                role: Role::ReadOnly,
                verifier: Verifier::of_nothing()?,
            }),
            turns: Turns::new(),
            remembered: RwLock::default(),
            key: hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()),
        })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.accounts.iter()
    }

    pub(crate) fn find(&self, user_name: &str) -> Option<&Arc<Account>> {
        self.accounts
            .iter()
            .find(|account| account.user_name == user_name)
    }

    /// The account that these credentials open.
    pub(crate) async fn verify(
        &self,
        user_name: &str,
        password: Zeroizing<String>,
        client: Option<IpAddr>,
    ) -> Result<Arc<Account>, Refusal> {
        let turn = self.turns.take(client).await.ok_or(Refusal::Crowded)?;
        self.check(turn, user_name, password).await
    }

    /// Costs tens of milliseconds on a thread for blocking work, whether or not there is such an account.
    async fn check(
        &self,
        turn: Turn,
        user_name: &str,
        password: Zeroizing<String>,
    ) -> Result<Arc<Account>, Refusal> {
        if password.len() > MAX_PASSWORD {
            return Err(Refusal::Wrong);
        }
        let known = self.find(user_name);
        let candidate = Arc::clone(known.unwrap_or(&self.decoy));
        let check = move || {
            // The turn lasts as long as the check, even if nobody waits for its result any more.
            let _turn = turn;
            candidate.verifier.accepts(&password).then_some(candidate)
        };
        let accepted = tokio::task::spawn_blocking(check).await.ok().flatten();
        accepted.filter(|_| known.is_some()).ok_or(Refusal::Wrong)
    }

    /// The account that an `Authorization: Basic` header opens. The first time costs as much as
    /// [`verify`](Self::verify); afterwards a keyed digest of the header is looked up.
    pub(crate) async fn basic(
        &self,
        header: &[u8],
        client: Option<IpAddr>,
    ) -> Result<Arc<Account>, Refusal> {
        let encoded = strip_scheme(header).ok_or(Refusal::Wrong)?;
        let digest = self.digest(encoded).ok_or(Refusal::Wrong)?;
        if let Some(account) = self.recall(&digest) {
            return Ok(account);
        }
        let (user_name, password) = decode(encoded).ok_or(Refusal::Wrong)?;
        let turn = self.turns.take(client).await.ok_or(Refusal::Crowded)?;
        // A client that opens many connections at once sends the same on each: one check is enough for all.
        if let Some(account) = self.recall(&digest) {
            return Ok(account);
        }
        let account = self.check(turn, &user_name, password).await?;
        let mut remembered = self
            .remembered
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MAX_REMEMBERED {
            // Each entry costs one check to make again; finding the oldest isn't worth a list.
            remembered.clear();
        }
        remembered.insert(digest, Arc::clone(&account));
        Ok(account)
    }

    /// The user name in a Basic header, if it can be read: what somebody claims who isn't let in.
    pub(crate) fn claimed_user_name(header: &[u8]) -> Option<String> {
        let (user_name, _) = decode(strip_scheme(header)?)?;
        Some(user_name.chars().take(MAX_USER_NAME).collect())
    }

    fn recall(&self, digest: &Digest) -> Option<Arc<Account>> {
        self.remembered
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(digest)
            .cloned()
    }

    fn digest(&self, bytes: &[u8]) -> Option<Digest> {
        hmac::sign(&self.key, bytes).as_ref().try_into().ok()
    }
}

/// Why credentials open nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no such account, or the password is another. Nobody is told which.
    Wrong,
    /// Too many passwords are waiting to be checked.
    Crowded,
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

    #[test]
    fn a_verifier_accepts_its_password_only_and_salts_it() {
        let (one, two) = (
            Verifier::of("secret").unwrap(),
            Verifier::of("secret").unwrap(),
        );
        assert!(one.accepts("secret") && two.accepts("secret"));
        assert!(!one.accepts("Secret") && !one.accepts("") && !one.accepts("secret "));
        assert_ne!(one.hash, two.hash);
    }

    #[test]
    fn nothing_of_a_password_prints() {
        let account = Account::new("root", "hunter2", Role::Administrator).unwrap();
        assert_eq!(
            format!("{account:?}"),
            "Account { user_name: \"root\", role: Administrator, .. }"
        );
    }

    #[test]
    fn names_that_a_uri_or_basic_can_not_carry_are_refused() {
        for name in ["", "a:b", "a/b", "a b", "ä", &"a".repeat(65)] {
            let error = Account::new(name, "x", Role::ReadOnly).unwrap_err();
            assert_eq!(error, AccountError::UserName, "{name}");
        }
        assert_eq!(
            Account::new("a", "", Role::ReadOnly).unwrap_err(),
            AccountError::Password
        );
        let two = vec![
            Account::new("a", "x", Role::ReadOnly).unwrap(),
            Account::new("a", "y", Role::ReadOnly).unwrap(),
        ];
        assert_eq!(Accounts::new(two).err(), Some(AccountError::Duplicate));
    }

    #[tokio::test]
    async fn basic_credentials_are_remembered_only_if_they_are_right() {
        let account = Account::new("root", "a:b", Role::Administrator).unwrap();
        let accounts = Accounts::new(vec![account]).unwrap();
        let header = |text: &str| format!("Basic {}", BASE64_STANDARD.encode(text)).into_bytes();
        for wrong in ["root:a", "root:", "nobody:x", ":", "root", "Root:a:b"] {
            let refused = accounts.basic(&header(wrong), None).await;
            assert_eq!(refused.err(), Some(Refusal::Wrong), "{wrong}");
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
        let account = Account::new("root", "secret", Role::Administrator).unwrap();
        let accounts = Accounts::new(vec![account]).unwrap();
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let password = || Zeroizing::new("wrong".to_owned());
        let mut request = Box::pin(accounts.verify("root", password(), None));
        assert!(request.as_mut().poll(&mut context).is_pending());
        drop(request);
        let mut next = Box::pin(accounts.turns.take(None));
        assert!(next.as_mut().poll(&mut context).is_pending());
        assert!(next.await.is_some(), "the check ends by itself");
    }
}
