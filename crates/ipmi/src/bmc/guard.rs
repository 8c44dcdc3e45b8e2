//! Wrong passwords: counted, and made to tell nothing.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use zeroize::Zeroize;

use super::config::{Config, USERS_MAX};
use crate::crypto::UserKey;
use crate::crypto::hmac::{Hmac, Sha256};
use crate::entropy::Entropy;
use crate::time::Instant;
use crate::wire::rakp::UserName;

/// Counts wrong passwords by user, and has passwords that nobody knows for users that there are not.
///
/// Takes no memory until the first of either.
#[derive(Debug, Default)]
pub(super) struct Guard {
    failed: u64,
    state: Option<Box<State>>,
}

#[derive(Default)]
struct State {
    /// Drawn once; with it an unknown name has the same password each time, as a known one has.
    secret: Option<[u8; 32]>,
    /// By user ID; at most [`USERS_MAX`].
    failures: Vec<Failures>,
}

impl core::fmt::Debug for State {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("State")
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    user_id: u8,
    count: u8,
    last: Instant,
}

impl Guard {
    /// Log-ins that failed for a wrong password, since the BMC was made.
    pub(super) const fn failed(&self) -> u64 {
        self.failed
    }

    /// Whether a user is locked out now.
    pub(super) fn is_locked(&self, config: &Config, user_id: u8, now: Instant) -> bool {
        let (Some(lockout), Some(state)) = (config.lockout, &self.state) else {
            return false;
        };
        let locked = |found: &Failures| {
            found.count >= lockout.threshold.max(1)
                && (lockout.locked_ms == 0 || now.since(found.last) < ms(lockout.locked_ms))
        };
        let mut failures = state.failures.iter();
        failures.any(|found| found.user_id == user_id && locked(found))
    }

    /// A wrong password. `user_id` 0 stands for a user that there is not.
    pub(super) fn failure(&mut self, config: &Config, user_id: u8, now: Instant) {
        self.failed = self.failed.saturating_add(1);
        let Some(lockout) = config.lockout.filter(|_| user_id != 0) else {
            return;
        };
        let was_locked = self.is_locked(config, user_id, now);
        let failures = &mut self.state.get_or_insert_default().failures;
        let index = failures
            .iter()
            .position(|found| found.user_id == user_id)
            .unwrap_or(failures.len());
        if index == failures.len() && index < USERS_MAX {
            failures.push(Failures {
                user_id,
                count: 0,
                last: now,
            });
        }
        let Some(found) = failures.get_mut(index) else {
            return;
        };
        // A lock that has run out, or a count that is too old, is forgotten.
        let is_old = lockout.reset_ms != 0 && now.since(found.last) >= ms(lockout.reset_ms);
        if !was_locked && (is_old || found.count >= lockout.threshold.max(1)) {
            found.count = 0;
        }
        found.count = found.count.saturating_add(1);
        found.last = now;
    }

    /// The right password: the user's count starts anew.
    pub(super) fn success(&mut self, user_id: u8) {
        if let Some(state) = &mut self.state {
            state.failures.retain(|found| found.user_id != user_id);
        }
    }

    /// Lets everybody in again who was locked out.
    pub(super) fn unlock(&mut self) {
        if let Some(state) = &mut self.state {
            state.failures.clear();
        }
    }

    /// A password that nobody knows, always the same for a name.
    pub(super) fn decoy(&mut self, entropy: &mut dyn Entropy, name: &UserName) -> UserKey {
        let state = self.state.get_or_insert_default();
        let secret = state.secret.get_or_insert_with(|| {
            let mut secret = [0; 32];
            entropy.fill(&mut secret);
            secret
        });
        let code = Hmac::<Sha256>::new(secret).code(name.as_bytes());
        UserKey::new(&code[..20]).unwrap_or_else(UserKey::empty)
    }
}

const fn ms(ms: u32) -> Duration {
    Duration::from_millis(ms as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bmc::Lockout;
    use crate::command::app::Guid;

    fn config(threshold: u8, reset_ms: u32, locked_ms: u32) -> Config {
        Config {
            lockout: Some(Lockout {
                threshold,
                reset_ms,
                locked_ms,
            }),
            ..Config::new(Vec::new(), Guid::default())
        }
    }

    fn at(ms: u64) -> Instant {
        Instant::ORIGIN + Duration::from_millis(ms)
    }

    #[test]
    fn a_user_is_locked_at_the_threshold_and_for_the_time() {
        let config = config(3, 10_000, 5_000);
        let mut guard = Guard::default();
        for now in [0, 100] {
            guard.failure(&config, 2, at(now));
        }
        assert!(!guard.is_locked(&config, 2, at(200)));
        guard.failure(&config, 2, at(200));
        assert!(guard.is_locked(&config, 2, at(5_199)));
        assert!(!guard.is_locked(&config, 3, at(300)), "others are not");
        assert!(!guard.is_locked(&config, 2, at(5_200)));
        guard.failure(&config, 2, at(5_300));
        assert!(
            !guard.is_locked(&config, 2, at(5_300)),
            "the count starts anew"
        );
        assert_eq!(guard.failed(), 4);
    }

    #[test]
    fn time_and_the_right_password_start_the_count_anew() {
        let config = config(2, 1_000, 0);
        let mut guard = Guard::default();
        guard.failure(&config, 2, at(0));
        guard.failure(&config, 2, at(1_000));
        assert!(!guard.is_locked(&config, 2, at(1_000)));
        guard.success(2);
        guard.failure(&config, 2, at(1_100));
        assert!(!guard.is_locked(&config, 2, at(1_100)));
        guard.failure(&config, 2, at(1_200));
        assert!(guard.is_locked(&config, 2, at(100_000_000)), "for good");
        guard.unlock();
        assert!(!guard.is_locked(&config, 2, at(100_000_000)));
    }
}
