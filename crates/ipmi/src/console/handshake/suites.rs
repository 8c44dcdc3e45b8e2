//! Which cipher suite is proposed.

use super::refusal::Refusal;
use super::{Handshake, Next, Step};
use crate::command::Message;
use crate::command::app::CipherSuitesChunk;
use crate::command::app::get_channel_cipher_suites::{CHUNKS_MAX, SuiteRecords};
use crate::console::event::LoginFailure;
use crate::console::login::Login;
use crate::crypto::Algorithms;
use crate::number::{CipherSuiteId, CompletionCode};
use crate::quirk::Quirk;
use crate::wire::Reader;

impl Handshake {
    pub(super) fn algorithms(&self, login: &Login) -> Option<Algorithms> {
        login
            .suites()
            .get(self.suite)
            .and_then(|suite| Algorithms::of(*suite))
    }

    /// Asks for the list of suites.
    pub(super) fn ask_suites(&mut self) -> Next {
        self.ask(Step::ExpectCipherSuites {
            index: 0,
            records: SuiteRecords::default(),
        })
    }

    /// The list is there, or doesn't come: several suites are tried, and one was refused before.
    pub(super) fn suites_known(&mut self, login: &Login) -> Next {
        match login.suites() {
            [_] => {
                let offered = self.offered;
                Next::Fail(LoginFailure::NoCommonSuite { offered })
            }
            _ => self.begin_suites(login),
        }
    }

    /// Tries the login's suites, from the best on.
    pub(super) fn begin_suites(&mut self, login: &Login) -> Next {
        let offered = self.offered;
        self.begin_suite(login, 0, LoginFailure::NoCommonSuite { offered })
    }

    /// Tries the login's suites from position `from` on; with none left log-in fails.
    ///
    /// The BMC's offer is unauthenticated and sometimes wrong: suites outside it are left out only where others of
    /// the login's are in it. Neither an offer nor a refusal leads below a suite that this BMC had before.
    pub(super) fn begin_suite(
        &mut self,
        login: &Login,
        from: usize,
        failure: LoginFailure,
    ) -> Next {
        let offered = |suite: &CipherSuiteId| self.offered.is_some_and(|set| set.contains(*suite));
        let offer_helps = login.suites().iter().any(offered);
        let mut rest = login.suites().iter().skip(from);
        let Some(skipped) = rest.position(|suite| !offer_helps || offered(suite)) else {
            return Next::Fail(failure);
        };
        let suite = from + skipped;
        let position = |had| login.suites().iter().position(|suite| *suite == had);
        if let Some(had) = self.proven
            && position(had).is_some_and(|best| suite > best)
        {
            let offered = self.offered;
            return Next::Fail(LoginFailure::Downgrade { had, offered });
        }
        self.suite = suite;
        self.begin_open_session()
    }

    pub(super) fn on_cipher_suites(
        &mut self,
        login: &Login,
        index: u8,
        mut records: SuiteRecords,
        completion: CompletionCode,
        r: &mut Reader<'_>,
    ) -> Next {
        let chunk = match completion {
            CompletionCode::OK => CipherSuitesChunk::decode(r).ok(),
            _ => None,
        };
        let Some(chunk) = chunk else {
            return self.keep(Refusal::Command(completion));
        };
        records.read(chunk.bytes());
        if !chunk.is_last() && index + 1 < CHUNKS_MAX {
            return self.ask(Step::ExpectCipherSuites {
                index: index + 1,
                records,
            });
        }
        if records.suites.is_empty() {
            self.quirks = self.quirks.with(Quirk::SuiteRecordsBroken);
        }
        if records.is_renumbered() {
            self.quirks = self.quirks.with(Quirk::SuitesCountedFrom1);
        }
        self.offered = (!records.suites.is_empty()).then_some(records.suites);
        self.suites_known(login)
    }
}
