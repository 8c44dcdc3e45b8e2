//! The ways in which BMCs make the codes and keys of a log-in: by the specification, and by what some make of it.

use super::exchange::{Exchange, UserKey};
use crate::quirk::{Quirk, Quirks};
use crate::wire::rakp::Role;

/// What a BMC makes its codes and keys of.
pub(crate) struct Way {
    pub(crate) exchange: Exchange,
    /// The password as far as the BMC goes by it.
    pub(crate) password: UserKey,
    /// Where it deviates.
    pub(crate) quirks: Quirks,
}

/// All ways that a log-in may have gone, that of the specification first. Each takes the password.
pub(crate) fn ways(exchange: &Exchange, password: &UserKey) -> impl Iterator<Item = Way> {
    WAYS.iter().map(move |&quirks| Way {
        exchange: deviating(exchange, quirks),
        password: if quirks.has(Quirk::PasswordCutAt16) {
            password.cut()
        } else {
            password.clone()
        },
        quirks,
    })
}

/// The ways in which BMCs make their codes, that of the specification first.
const WAYS: [Quirks; 8] = {
    const TRAITS: [Quirk; 3] = [
        Quirk::RakpLookupBitLeftOut,
        Quirk::RakpNamePadded,
        Quirk::PasswordCutAt16,
    ];
    let mut ways = [Quirks::NONE; 8];
    let mut way = 0;
    while way < ways.len() {
        let mut bit = 0;
        while bit < TRAITS.len() {
            if way >> bit & 1 == 1 {
                ways[way] = ways[way].with(TRAITS[bit]);
            }
            bit += 1;
        }
        way += 1;
    }
    ways
};

/// The exchange as a BMC with these quirks has it.
fn deviating(exchange: &Exchange, quirks: Quirks) -> Exchange {
    let mut exchange = *exchange;
    if quirks.has(Quirk::RakpLookupBitLeftOut) {
        exchange.role = Role(exchange.role.0 & 0x0f);
    }
    if quirks.has(Quirk::RakpNamePadded) {
        exchange.user_name = exchange.user_name.padded();
    }
    exchange
}
