//! What a session knows of its BMC.

use super::Session;
use crate::number::CipherSuiteId;
use crate::quirk::Quirks;

impl Session {
    /// The cipher suite in use, once the keys are agreed; `None` in a session of IPMI 1.5, which has none.
    #[must_use]
    pub const fn suite(&self) -> Option<CipherSuiteId> {
        self.suite
    }

    /// The best suite by which this BMC ever logged us in. [`connect`](Self::connect) takes no worse one any more,
    /// since what a BMC offers is not authenticated.
    #[must_use]
    pub const fn proven_suite(&self) -> Option<CipherSuiteId> {
        self.proven
    }

    /// Sets what [`proven_suite`](Self::proven_suite) tells: a suite known from before, or `None` for a BMC that lost
    /// one by a change of its firmware or configuration.
    pub const fn set_proven_suite(&mut self, suite: Option<CipherSuiteId>) {
        self.proven = suite;
    }

    /// What is known of the BMC's deviations: what was given by [`set_quirks`](Self::set_quirks), and what has shown since.
    #[must_use]
    pub const fn quirks(&self) -> Quirks {
        self.quirks
    }

    /// Sets what is known of the BMC: what an earlier session noticed, or an operator said.
    pub const fn set_quirks(&mut self, quirks: Quirks) {
        self.quirks = quirks;
    }

    /// From now on no worse suite will do.
    pub(super) fn remember_suite(&mut self, suite: CipherSuiteId) {
        let rank = |suite| self.login.suites().iter().position(|known| *known == suite);
        let best = self.proven.and_then(rank).unwrap_or(usize::MAX);
        if rank(suite).is_some_and(|rank| rank < best) {
            self.proven = Some(suite);
        }
    }
}
