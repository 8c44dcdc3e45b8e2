//! What is proven at each step of an RMCP+ log-in.

use crate::console::event::LoginFailure;
use crate::console::login::Login;
use crate::crypto::ways::{Way, ways};
use crate::crypto::{Algorithms, Channel, Code, Exchange, SessionKey, UserKey};
use crate::number::AuthAlgorithm;
use crate::quirk::{Quirk, Quirks};
use crate::wire::rakp::Rakp2Proof;

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
    /// The password as far as the BMC goes by it.
    password: UserKey,
    /// How the BMC makes its codes.
    pub(super) quirks: Quirks,
}

impl SessionOpened {
    /// Checks the BMC's proof, by the specification first and then by what some BMCs make of it: each way takes the
    /// password, so none lets anybody in who doesn't know it.
    ///
    /// # Errors
    /// [`LoginFailure::WrongPassword`]: what the BMC sent was not made with the user's password.
    pub(super) fn verify(
        &self,
        console_session_id: u32,
        proof: &Rakp2Proof,
        login: &Login,
        known: Quirks,
    ) -> Result<BmcVerified, LoginFailure> {
        let exchange = Exchange {
            algorithm: self.algorithms.auth,
            console_session_id,
            bmc_session_id: self.bmc_session_id,
            console_random: self.console_random,
            bmc_random: proof.bmc_random,
            guid: proof.guid,
            role: known.role(login),
            user_name: *login.user_name(),
        };
        let way = ways(&exchange, login.password())
            .find(|way| way.exchange.rakp2_code(&way.password) == proof.code);
        let Way {
            exchange,
            password,
            quirks,
        } = way.ok_or(LoginFailure::WrongPassword)?;
        let secret = login.kg().unwrap_or(&password);
        Ok(BmcVerified {
            algorithms: self.algorithms,
            rakp3_code: exchange.rakp3_code(&password),
            session_key: exchange.session_key(secret),
            exchange,
            password,
            quirks,
        })
    }
}

impl BmcVerified {
    /// Checks RAKP Message 4: the session's channel, and what showed.
    ///
    /// # Errors
    /// [`LoginFailure::NotAuthentic`]: the code was not made with the session's key.
    pub(super) fn confirm(&self, code: &Code) -> Result<(Channel, Quirks), LoginFailure> {
        let (exchange, key) = (&self.exchange, &self.session_key);
        let quirks = if exchange.rakp4_code(key) == *code {
            Quirks::NONE
        } else if exchange.algorithm == AuthAlgorithm::NONE {
            // There is no key that a code could be checked with.
            Quirks::NONE.with(Quirk::Suite0Code)
        } else if exchange.rakp4_code_whole(key) == *code {
            Quirks::NONE.with(Quirk::Rakp4CodeWhole)
        } else {
            return Err(LoginFailure::NotAuthentic);
        };
        let channel = self.channel().ok_or(LoginFailure::AlgorithmsChanged)?;
        Ok((channel, quirks))
    }

    /// The session's channel, whether or not the BMC confirmed it: to close a session that it may have activated.
    pub(super) fn channel(&self) -> Option<Channel> {
        let Exchange {
            console_session_id,
            bmc_session_id,
            ..
        } = self.exchange;
        Channel::new(
            self.algorithms,
            &self.session_key,
            &self.password,
            console_session_id,
            bmc_session_id,
        )
    }
}
