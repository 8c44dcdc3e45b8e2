//! What is proven at each step of an RMCP+ log-in.

use crate::console::event::LoginFailure;
use crate::console::login::Login;
use crate::crypto::{Algorithms, Channel, Code, Exchange, SessionKey};
use crate::wire::rakp::{Rakp2Proof, Role};

/// The BMC agreed to algorithms and named its session; nothing is proven.
#[derive(Clone, Copy, Debug)]
pub(super) struct SessionOpened {
    pub(super) bmc_session_id: u32,
    pub(super) algorithms: Algorithms,
    pub(super) console_random: [u8; 16],
}

/// Proof that the BMC knows the user's key: only [`SessionOpened::verify`] makes it, and RAKP Message 3 can't be
/// written without it.
#[derive(Debug)]
pub(super) struct BmcVerified {
    pub(super) algorithms: Algorithms,
    pub(super) exchange: Exchange,
    pub(super) rakp3_code: Code,
    pub(super) session_key: SessionKey,
}

impl SessionOpened {
    pub(super) fn verify(
        &self,
        console_session_id: u32,
        proof: &Rakp2Proof,
        login: &Login,
    ) -> Result<BmcVerified, LoginFailure> {
        let exchange = Exchange {
            algorithm: self.algorithms.auth,
            console_session_id,
            bmc_session_id: self.bmc_session_id,
            console_random: self.console_random,
            bmc_random: proof.bmc_random,
            guid: proof.guid,
            role: Role::name_only(login.privilege()),
            user_name: *login.user_name(),
        };
        if exchange.rakp2_code(login.password()) != proof.code {
            return Err(LoginFailure::WrongPassword);
        }
        Ok(BmcVerified {
            algorithms: self.algorithms,
            rakp3_code: exchange.rakp3_code(login.password()),
            session_key: exchange.session_key(login.session_secret()),
            exchange,
        })
    }
}

impl BmcVerified {
    /// The session's channel, once RAKP Message 4 confirms that the BMC made the same key.
    pub(super) fn confirm(&self, code: &Code, login: &Login) -> Result<Channel, LoginFailure> {
        if self.exchange.rakp4_code(&self.session_key) != *code {
            return Err(LoginFailure::NotAuthentic);
        }
        self.channel(login).ok_or(LoginFailure::AlgorithmsChanged)
    }

    /// The session's channel, whether or not the BMC confirmed it: to close a session that it may have activated.
    pub(super) fn channel(&self, login: &Login) -> Option<Channel> {
        let Exchange {
            console_session_id,
            bmc_session_id,
            ..
        } = self.exchange;
        Channel::new(
            self.algorithms,
            &self.session_key,
            login.password(),
            console_session_id,
            bmc_session_id,
        )
    }
}
