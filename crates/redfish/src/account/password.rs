//! Passwords as they are kept: hashes that are costly to try, in the text forms that other programs know too.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Serialize};
use sha_crypt::{PasswordVerifier as _, ShaCrypt};
use zeroize::Zeroize as _;

use super::AccountError;

/// Memory that one check takes, in KiB. With [`PASSWORD_PASSES`] it is one of the pairs that OWASP's Password Storage
/// Cheat Sheet gives for argon2id, all of the same strength; this one needs the least memory. Checks run one after the
/// other ([`MAX_CHECKS_AT_ONCE`](crate::MAX_CHECKS_AT_ONCE)) and give it back, so 7 MiB are all that any
/// number of logins takes, and nothing when nobody logs in.
pub const PASSWORD_MEMORY_KIB: u32 = 7 * 1024;
/// How often a check goes through its memory.
pub const PASSWORD_PASSES: u32 = 5;
/// The longest password, in bytes.
pub const MAX_PASSWORD: usize = 256;

/// The most rounds of a SHA-512-crypt hash that comes from elsewhere: about a second.
const MAX_SHA_CRYPT_ROUNDS: u32 = 500_000;
/// Rounds of a SHA-512-crypt hash that names none.
const SHA_CRYPT_ROUNDS: u32 = 5000;
/// Bytes of a hash that is made here.
const HASH_BYTES: usize = 32;

/// One password is hashed at a time, so that their memory doesn't add up.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
/// Room that is asked for to hash in, in bytes: more than the 32 MiB to which glibc's allocator may raise the size from
/// which it maps a block on its own, so that the block goes back to the system at once, from whatever thread comes
/// by. Pages that are never written take no memory, so a check costs [`PASSWORD_MEMORY_KIB`] and not this.
const MAPPED_BYTES: usize = 33 << 20;

/// What is kept of a password: `$argon2id$…` (PHC string format) or `$6$…` (SHA-512-crypt, from elsewhere).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct PasswordHash(Form);

#[derive(Clone, PartialEq, Eq)]
enum Form {
    Argon2id(Box<Phc>),
    /// The text, and its rounds.
    Sha512Crypt(String, u32),
}

impl PasswordHash {
    /// Hashes a new password. Takes as long as a check.
    pub(crate) fn of(password: &str) -> Result<Self, AccountError> {
        if password.is_empty() || password.len() > MAX_PASSWORD {
            return Err(AccountError::Password);
        }
        Self::argon2id(password)
    }

    /// Accepts no password, and takes as long to say so as any other.
    pub(crate) fn of_nothing() -> Result<Self, AccountError> {
        let mut output = [0; HASH_BYTES];
        getrandom::fill(&mut output)?;
        Self::with(salt()?, &output)
    }

    fn argon2id(password: &str) -> Result<Self, AccountError> {
        let salt = salt()?;
        let mut output = [0; HASH_BYTES];
        hash(&params()?, password, salt.as_ref(), &mut output)?;
        Self::with(salt, &output)
    }

    fn with(salt: Salt, output: &[u8]) -> Result<Self, AccountError> {
        let hash = Phc {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params()?).map_err(|_| AccountError::Hash)?,
            salt: Some(salt),
            hash: Some(Output::new(output).map_err(|_| AccountError::Hash)?),
        };
        Ok(Self(Form::Argon2id(Box::new(hash))))
    }

    /// Reads a hash that was made here or elsewhere.
    pub(crate) fn parse(text: &str) -> Result<Self, AccountError> {
        if let Some(rest) = text.strip_prefix("$6$") {
            return sha_crypt_rounds(rest)
                .map(|rounds| Self(Form::Sha512Crypt(text.to_owned(), rounds)))
                .ok_or(AccountError::Hash);
        }
        let hash = Phc::new(text).map_err(|_| AccountError::Hash)?;
        let params = Params::try_from(&hash).map_err(|_| AccountError::Hash)?;
        let fits = hash.algorithm == Algorithm::Argon2id.ident()
            && hash.version == Some(Version::V0x13.into())
            && params.m_cost() <= PASSWORD_MEMORY_KIB
            && params.t_cost() <= 4 * PASSWORD_PASSES
            && params.p_cost() == 1
            && hash.salt.is_some()
            && hash.hash.is_some();
        if fits {
            Ok(Self(Form::Argon2id(Box::new(hash))))
        } else {
            Err(AccountError::Hash)
        }
    }

    /// Whether `password` is the one.
    pub(crate) fn check(&self, password: &str) -> Verdict {
        match &self.0 {
            Form::Argon2id(phc) if is_right(phc, password) => Verdict::Right,
            Form::Argon2id(_) => Verdict::Wrong,
            Form::Sha512Crypt(text, _) => {
                let right = ShaCrypt::SHA512.verify_password(password.as_bytes(), text.as_str());
                // Hashed anew also if it is wrong: nobody can tell by the time.
                match (right, Self::argon2id(password)) {
                    (Ok(()), Ok(upgraded)) => Verdict::Outdated(upgraded),
                    (Ok(()), Err(_)) => Verdict::Right,
                    (Err(_), _) => Verdict::Wrong,
                }
            }
        }
    }

    /// Rounds of SHA-512-crypt, if it is one.
    pub(crate) const fn outdated_rounds(&self) -> Option<u32> {
        match &self.0 {
            Form::Argon2id(_) => None,
            Form::Sha512Crypt(_, rounds) => Some(*rounds),
        }
    }

    /// Takes as long as a SHA-512-crypt check of so many rounds, for nothing.
    pub(crate) fn waste(password: &str, rounds: u32) {
        if let Ok(params) = sha_crypt::Params::new(rounds) {
            let wasted = sha_crypt::sha512_crypt(password.as_bytes(), b"nobody's salt", params);
            std::hint::black_box(wasted);
        }
    }
}

/// What became of a check.
#[derive(Debug)]
pub(crate) enum Verdict {
    Right,
    /// Right, and this is what to keep from now on.
    Outdated(PasswordHash),
    Wrong,
}

/// The text form.
impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Argon2id(phc) => phc.fmt(f),
            Form::Sha512Crypt(text, _) => f.write_str(text),
        }
    }
}

/// Which kind it is; no more.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Form::Argon2id(_) => "$argon2id$…",
            Form::Sha512Crypt(..) => "$6$…",
        })
    }
}

impl From<PasswordHash> for String {
    fn from(hash: PasswordHash) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for PasswordHash {
    type Error = AccountError;

    fn try_from(text: String) -> Result<Self, AccountError> {
        Self::parse(&text)
    }
}

fn salt() -> Result<Salt, AccountError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Salt::new(&bytes).map_err(|_| AccountError::Hash)
}

fn params() -> Result<Params, AccountError> {
    Params::new(PASSWORD_MEMORY_KIB, PASSWORD_PASSES, 1, Some(HASH_BYTES))
        .map_err(|_| AccountError::Hash)
}

/// Compares in constant time.
fn is_right(phc: &Phc, password: &str) -> bool {
    let (Ok(params), Some(salt), Some(expected)) = (Params::try_from(phc), phc.salt, phc.hash)
    else {
        return false;
    };
    let mut output = vec![0; expected.len()];
    hash(&params, password, salt.as_ref(), &mut output).is_ok()
        && Output::new(&output).is_ok_and(|output| output == expected)
}

fn hash(
    params: &Params,
    password: &str,
    salt: &[u8],
    output: &mut [u8],
) -> Result<(), AccountError> {
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut memory = Vec::with_capacity(MAPPED_BYTES / Block::SIZE);
    memory.resize(params.block_count(), Block::new());
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let hashed =
        argon2.hash_password_into_with_memory(password.as_bytes(), salt, output, &mut memory[..]);
    // What is left in it would make trying passwords cheap.
    memory.iter_mut().for_each(Block::zeroize);
    hashed.map_err(|_| AccountError::Hash)
}

/// Rounds of what follows `$6$`: `[rounds=N$]salt$hash`.
fn sha_crypt_rounds(rest: &str) -> Option<u32> {
    let mut fields = rest.split('$');
    let mut next = fields.next()?;
    let rounds = match next.strip_prefix("rounds=") {
        None => SHA_CRYPT_ROUNDS,
        Some(number) => {
            next = fields.next()?;
            number.parse().ok()?
        }
    };
    let (salt, hash) = (next, fields.next()?);
    let of_crypt = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/'))
    };
    let fits = (sha_crypt::Params::ROUNDS_MIN..=MAX_SHA_CRYPT_ROUNDS).contains(&rounds)
        && (1..=16).contains(&salt.len())
        && hash.len() == 86
        && of_crypt(salt)
        && of_crypt(hash)
        && fields.next().is_none();
    fits.then_some(rounds)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of `Hello world!`, from the specification of SHA-crypt.
    const HELLO: &str = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1";

    fn right(hash: &PasswordHash, password: &str) -> bool {
        !matches!(hash.check(password), Verdict::Wrong)
    }

    #[test]
    fn a_hash_accepts_its_password_only_and_salts_it() {
        let (one, two) = (
            PasswordHash::of("secret").unwrap(),
            PasswordHash::of("secret").unwrap(),
        );
        assert!(right(&one, "secret") && right(&two, "secret"));
        assert!(!right(&one, "Secret") && !right(&one, "") && !right(&one, "secret "));
        assert_ne!(one, two);
        assert!(!right(&PasswordHash::of_nothing().unwrap(), ""));
    }

    #[test]
    fn a_hash_comes_back_from_its_text() {
        let hash = PasswordHash::of("secret").unwrap();
        let text = hash.to_string();
        assert!(text.starts_with("$argon2id$v=19$m=7168,t=5,p=1$"), "{text}");
        let read = PasswordHash::parse(&text).unwrap();
        assert_eq!(read, hash);
        assert!(right(&read, "secret"));
        assert_eq!(format!("{read:?}"), "$argon2id$…");
    }

    #[test]
    fn a_sha_512_crypt_hash_is_accepted_once_and_replaced() {
        let old = PasswordHash::parse(HELLO).unwrap();
        assert_eq!(old.outdated_rounds(), Some(5000));
        assert!(!right(&old, "Hello world"));
        let Verdict::Outdated(new) = old.check("Hello world!") else {
            panic!("right, and outdated");
        };
        assert!(matches!(new.check("Hello world!"), Verdict::Right));
        assert_eq!(new.outdated_rounds(), None);
    }

    #[test]
    fn a_hash_that_would_take_too_long_or_too_much_or_is_none_is_refused() {
        let argon2 = PasswordHash::of("secret").unwrap().to_string();
        for wrong in [
            String::new(),
            "secret".to_owned(),
            "$1$salt$hash".to_owned(),
            "$6$saltstring$tooshort".to_owned(),
            HELLO.replace("$6$", "$6$rounds=999999999$"),
            HELLO.replace("$6$", "$6$rounds=1$"),
            HELLO.replace("saltstring", ""),
            format!("{HELLO}$more"),
            argon2.replace("m=7168", "m=1048576"),
            argon2.replace("t=5", "t=1000"),
            argon2.replace("argon2id", "argon2d"),
            argon2.rsplit_once('$').unwrap().0.to_owned(),
        ] {
            assert_eq!(
                PasswordHash::parse(&wrong).err(),
                Some(AccountError::Hash),
                "{wrong}"
            );
        }
    }
}
