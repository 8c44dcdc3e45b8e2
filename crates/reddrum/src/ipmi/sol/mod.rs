//! `sol`: the serial console of one machine, in the operator's terminal or in a pipe.
//!
//! ```text
//!   keys ─► escape: `~.` and others ─► console: session, activation, SOL line ─► drive: socket
//!   screen, log ◄─────────────────────────┘ sans-IO                            terminal: raw, and back
//! ```

mod console;
mod drive;
mod escape;
mod terminal;
#[cfg(test)]
mod tests;

use ipmi::number::PrivilegeLevel;

use super::args::{Connection, SolArgs};
use super::{hosts, login};
use crate::error::ProgramError;

/// The longest wait before a request is sent again while a console is open, in milliseconds.
const KEEPALIVE_MS: u32 = 20_000;

/// Shows the console of the one host that the command line names.
///
/// # Errors
/// There is not exactly one host, or its console can't be had, or it ended by itself.
pub(super) fn run(
    names: Vec<String>,
    connection: &Connection,
    args: &SolArgs,
) -> Result<(), ProgramError> {
    let [name] = names.as_slice() else {
        let text = format!("'sol' shows one console; {} hosts are named", names.len());
        return Err(ProgramError::Usage(text));
    };
    let name = name.clone();
    if !connection.v15.is_empty() {
        let text = "serial over LAN goes through sessions of IPMI 2.0 only: leave --v15 out";
        return Err(ProgramError::Usage(text.to_owned()));
    }
    // What a BMC asks for is in its configuration; most want an operator.
    let login = login::login(connection, PrivilegeLevel::OPERATOR)?;
    let policy = ipmi::console::Policy {
        keepalive_ms: KEEPALIVE_MS,
        ..login::policy(connection)
    };
    let failed =
        |failure: super::failure::Failure| ProgramError::Hosts(format!("{name}: {failure}"));
    let mut hosts = hosts::look_up(names, connection.port);
    let host = hosts.pop().map(|host| host.address);
    let address = host
        .ok_or_else(|| ProgramError::Usage("no host".to_owned()))?
        .map_err(failed)?;
    drive::run(address, login, policy, args)?.map_err(failed)
}
