//! What a log-in makes of a BMC's deviations.

use super::{Handshake, Step};
use crate::console::login::Login;
use crate::number::{CompletionCode, RakpStatus};
use crate::quirk::{Quirk, Quirks};
use crate::wire::rakp::Role;
use crate::wire::{Reader, WireError};

impl Quirks {
    /// The role byte of RAKP Message 1 for a BMC with these quirks.
    pub(super) const fn role(self, login: &Login) -> Role {
        if self.has(Quirk::NameOnlyLookupRefused) {
            Role(login.privilege().0 & 0x0f)
        } else {
            Role::name_only(login.privilege())
        }
    }
}

impl Handshake {
    /// What is known of the BMC, and what has shown meanwhile.
    pub(in crate::console) const fn quirks(&self) -> Quirks {
        self.quirks
    }

    /// The payload that a packet outside a session claims to have, which may be one byte more than there is.
    pub(super) fn payload<'d>(
        &mut self,
        r: &mut Reader<'d>,
        len: usize,
    ) -> Result<&'d [u8], WireError> {
        if len == r.remaining() + 1 && matches!(self.step, Step::ExpectRakp2(_)) {
            self.quirks = self.quirks.with(Quirk::Rakp2LengthOff);
            return Ok(r.rest());
        }
        r.take("payload", len)
    }

    /// Whether RAKP Message 1 is out and asked for the user by name alone.
    pub(super) const fn asked_by_name_only(&self) -> bool {
        matches!(self.step, Step::ExpectRakp2(_)) && !self.quirks.has(Quirk::NameOnlyLookupRefused)
    }

    /// A suite was refused, by this status.
    pub(super) fn note_suite_refused(&mut self, login: &Login, status: RakpStatus) {
        let suite = login.suites().get(self.suite);
        if status.0 >= CompletionCode::NODE_BUSY.0 {
            self.quirks = self.quirks.with(Quirk::CompletionCodeAsStatus);
        }
        if suite.is_some_and(|suite| self.offered.is_some_and(|offered| offered.contains(*suite))) {
            self.quirks = self.quirks.with(Quirk::SuiteOfferedUnusable);
        }
    }
}
