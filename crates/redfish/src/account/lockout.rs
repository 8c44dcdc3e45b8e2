//! Too many wrong passwords: an account is locked for a while (`AccountService.AccountLockoutThreshold` and so on).
//!
//! The counters are in memory only. Written down, each wrong password of a stranger would be a write to the disk; and a
//! restart, which forgets them, is nothing that a stranger can bring about. Only a lock that lasts until an
//! administrator ends it is written (by [`Accounts`](super::Accounts)).
//!
//! A lock is of one account, for everybody: somebody who sends wrong passwords all the time keeps it locked. That is the
//! price of the rule; it is paid in short times by default. Sessions that are open go on meanwhile, other accounts too,
//! and each client's share of the checks is bounded ([`MAX_CHECKS_WAITING_OF_CLIENT`](crate::MAX_CHECKS_WAITING_OF_CLIENT)).

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Policy;
use super::policy::MAX_LOCKOUT_S;

/// Failures by account; those of names that nobody has are counted together, under no name.
#[derive(Default)]
pub(super) struct Lockouts {
    by_account: Mutex<HashMap<String, Failures>>,
    /// How many entries it has, so that a request looks without a lock while there are none.
    entries: AtomicUsize,
}

struct Failures {
    count: u32,
    last: Instant,
    locked_until: Option<Instant>,
    /// How many since the last one in the log.
    unlogged: u32,
}

/// What a wrong password has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Consequence {
    /// Whether it goes to the log.
    pub(super) log: bool,
    pub(super) lock: Lock,
}

/// Whether an account was locked just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    No,
    ForAWhile,
    /// Until an administrator ends it.
    ForGood,
}

impl Lockouts {
    /// Whether an account is locked at the moment.
    pub(super) fn is_locked(&self, id: &str) -> bool {
        self.entries.load(Ordering::Acquire) > 0
            && self
                .lock()
                .get(id)
                .and_then(|failures| failures.locked_until)
                .is_some_and(|end| Instant::now() < end)
    }

    /// Counts a wrong password. While an account is locked nothing counts, so a lock ends when it should.
    pub(super) fn failed(&self, id: Option<&str>, policy: &Policy) -> Consequence {
        let now = Instant::now();
        let mut by_account = self.lock();
        let failures = by_account
            .entry(id.unwrap_or_default().to_owned())
            .or_insert(Failures {
                count: 0,
                last: now,
                locked_until: None,
                unlogged: 0,
            });
        failures.unlogged = failures.unlogged.saturating_add(1);
        let every = policy.failure_logging_threshold;
        let log = every > 0 && failures.unlogged >= every;
        if log {
            failures.unlogged = 0;
        }
        let lock = if id.is_some() {
            failures.count(now, policy)
        } else {
            Lock::No
        };
        self.entries.store(by_account.len(), Ordering::Release);
        Consequence { log, lock }
    }

    /// Forgets the failures of an account: somebody logged in, or an administrator unlocked it.
    pub(super) fn forget(&self, id: &str) {
        if self.entries.load(Ordering::Acquire) > 0 {
            let mut by_account = self.lock();
            by_account.remove(id);
            self.entries.store(by_account.len(), Ordering::Release);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Failures>> {
        self.by_account
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failures {
    fn count(&mut self, now: Instant, policy: &Policy) -> Lock {
        let seconds = |s: u32| Duration::from_secs(u64::from(s));
        match self.locked_until {
            Some(end) if now < end => return Lock::No,
            Some(_) => (self.locked_until, self.count) = (None, 0),
            None => {}
        }
        let is_old = now.duration_since(self.last) > seconds(policy.counter_reset_after_s);
        if policy.counter_reset_enabled && is_old {
            self.count = 0;
        }
        self.last = now;
        self.count = self.count.saturating_add(1);
        if !policy.locks() || self.count < policy.lockout_threshold {
            return Lock::No;
        }
        self.count = 0;
        if !policy.counter_reset_enabled {
            // The store takes over from here; it may be full.
            self.locked_until = Some(now + seconds(MAX_LOCKOUT_S));
            return Lock::ForGood;
        }
        self.locked_until = Some(now + seconds(policy.lockout_duration_s));
        Lock::ForAWhile
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    fn fail(lockouts: &Lockouts, policy: &Policy, times: u32) -> Lock {
        let fail = |_| lockouts.failed(Some("a"), policy).lock;
        (0..times).map(fail).last().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_wrong_password_locks_and_time_unlocks() {
        let (lockouts, policy) = (Lockouts::default(), Policy::default());
        assert_eq!(fail(&lockouts, &policy, 4), Lock::No);
        assert!(!lockouts.is_locked("a"));
        assert_eq!(fail(&lockouts, &policy, 1), Lock::ForAWhile);
        assert!(lockouts.is_locked("a") && !lockouts.is_locked("b"));
        pass(29).await;
        assert_eq!(fail(&lockouts, &policy, 10), Lock::No, "it is locked");
        assert!(lockouts.is_locked("a"));
        pass(1).await;
        assert!(!lockouts.is_locked("a"), "wrong passwords don't prolong it");
        assert_eq!(fail(&lockouts, &policy, 4), Lock::No);
        assert_eq!(fail(&lockouts, &policy, 1), Lock::ForAWhile);
    }

    #[tokio::test(start_paused = true)]
    async fn the_counter_starts_anew_after_its_time_and_after_a_login() {
        let (lockouts, policy) = (Lockouts::default(), Policy::default());
        fail(&lockouts, &policy, 4);
        pass(31).await;
        assert_eq!(fail(&lockouts, &policy, 4), Lock::No);
        lockouts.forget("a");
        assert_eq!(fail(&lockouts, &policy, 4), Lock::No);
        pass(30).await;
        assert_eq!(fail(&lockouts, &policy, 1), Lock::ForAWhile);
    }

    #[tokio::test(start_paused = true)]
    async fn a_counter_that_never_starts_anew_locks_for_good() {
        let lockouts = Lockouts::default();
        let policy = Policy {
            counter_reset_enabled: false,
            ..Policy::default()
        };
        fail(&lockouts, &policy, 4);
        pass(1_000_000).await;
        assert_eq!(fail(&lockouts, &policy, 1), Lock::ForGood);
        pass(1_000_000).await;
        assert!(lockouts.is_locked("a"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_threshold_or_a_duration_of_nothing_never_locks() {
        let lockouts = Lockouts::default();
        for (threshold, duration) in [(0, 30), (5, 0)] {
            let policy = Policy {
                lockout_threshold: threshold,
                lockout_duration_s: duration,
                ..Policy::default()
            };
            assert_eq!(fail(&lockouts, &policy, 100), Lock::No);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn names_that_nobody_has_take_one_place_and_every_nth_refusal_is_logged() {
        let lockouts = Lockouts::default();
        let policy = Policy {
            failure_logging_threshold: 3,
            ..Policy::default()
        };
        let logged: Vec<bool> = (0..6).map(|_| lockouts.failed(None, &policy).log).collect();
        assert_eq!(logged, [false, false, true, false, false, true]);
        assert_eq!(lockouts.lock().len(), 1);
        let never = Policy {
            failure_logging_threshold: 0,
            ..Policy::default()
        };
        assert!((0..9).all(|_| !lockouts.failed(None, &never).log));
    }
}
