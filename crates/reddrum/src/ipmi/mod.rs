//! `reddrum ipmi`: one command on one or many BMCs, straight over IPMI, without a service in between.
//!
//! ```text
//!   args ─► hosts, login ─► engine: a slot a host, each a session and a conversation ─► output, in the order of hosts
//!                             │ talk     a conversation as straight lines
//!                             │ command  one file a command: the conversation and its report
//!                             └ drive    the one socket
//!   sol: one console in the operator's terminal, with a driver of its own
//! ```

mod args;
mod command;
mod discover;
mod drive;
mod engine;
mod failure;
mod hosts;
mod ipmitool;
mod login;
mod output;
mod report;
mod sdr_cache;
mod sol;
mod talk;

use std::net::SocketAddr;
use std::rc::Rc;

pub(crate) use args::IpmiArgs;
use args::{Connection, IpmiCommand};
use command::decode::Style;
pub(crate) use drive::for_one_socket;
use engine::Engine;
use failure::Failure;
use output::Output;
use report::Reader;
use sdr_cache::SdrCache;
use talk::Memory;

use crate::error::ProgramError;

/// What to say about words that are ipmitool's.
pub(crate) use ipmitool::advice;

/// Prints the table of quirks.
pub(crate) use command::quirks::run as list_quirks;

impl IpmiArgs {
    /// Whether a script reads what is printed.
    pub(crate) const fn is_for_script(&self) -> bool {
        self.connection.json
    }
}

/// Runs one command on all hosts.
///
/// # Errors
/// The command line can't be used, or some host did not do what was asked.
pub(crate) fn run(args: &IpmiArgs) -> Result<(), ProgramError> {
    let connection = &args.connection;
    connection.check()?;
    if let IpmiCommand::Decode {
        datagrams,
        verbose,
        open,
    } = &args.command
    {
        let style = match (connection.json, verbose) {
            (true, _) => Style::Json,
            (false, true) => Style::Fields,
            (false, false) => Style::Line,
        };
        let sessions = match open {
            false => None,
            true => {
                let (password, kg) = login::secrets(connection)?;
                Some(command::decode::sessions(&password, kg.as_ref())?)
            }
        };
        return command::decode::run(datagrams, style, sessions);
    }
    if matches!(args.command, IpmiCommand::Quirks) {
        return command::quirks::run(connection.json);
    }
    if let IpmiCommand::Discover(options) = &args.command {
        let file = connection.hosts_file.as_deref();
        let names = hosts::names_and_networks(args.hosts.as_deref(), file)?;
        return discover::run(names, connection, options);
    }
    let names = names(args)?;
    if let IpmiCommand::Sol(args) = &args.command
        && args.shows()
    {
        if connection.json {
            let text = "a console shows characters; --json is for the other commands";
            return Err(ProgramError::Usage(text.to_owned()));
        }
        return sol::run(names, connection, args);
    }
    ask(args, names)
}

/// Asks these hosts what the command line says.
fn ask(args: &IpmiArgs, names: Vec<String>) -> Result<(), ProgramError> {
    let connection = &args.connection;
    find_folder(args)?;
    if args.command.is_for_one() && names.len() > 1 {
        let text = format!(
            "{} hosts are named, and no two may have the same address: set it on one at a time",
            names.len()
        );
        return Err(ProgramError::Usage(text));
    }
    let reader = if connection.json {
        Reader::Script
    } else {
        Reader::Person
    };
    let (privilege, begin) = command::begin(&args.command, connection, reader)?;
    let login = (
        login::login(connection, privilege)?,
        login::policy(connection),
    );
    let hosts = hosts::look_up(names, connection.port);

    let (numbers, mut addresses): (Vec<usize>, Vec<SocketAddr>) = (0..)
        .zip(&hosts)
        .filter_map(|(number, host)| Some((number, *host.address.as_ref().ok()?)))
        .unzip();
    for_one_socket(&mut addresses);
    let ipv6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let salt = udp::RandomBytes::new().map(|mut random| random.next_u32());
    let salt = salt.map_err(|error| ProgramError::system("random numbers", error))?;
    let fanout = connection.fanout.min(addresses.len());
    let engine = Engine::new(
        numbers.into_iter().zip(addresses),
        fanout,
        login,
        salt,
        begin,
    )
    .over(login::bridge(connection)?)
    .knowing(connection.quirks())
    .remembering(memory(connection)?);

    let names = hosts.iter().map(|host| host.name.clone()).collect();
    let mut output = Output::new(names, connection.json).saving(args.command.file());
    let unreachable = (0..).zip(hosts).filter_map(|(number, host)| {
        let failure: Failure = host.address.err()?;
        Some((number, Err(failure)))
    });
    output.take(unreachable.collect());
    drive::run(engine, ipv6, &mut output)
        .map_err(|error| ProgramError::system("talking with the BMCs", error))?;
    output.end()
}

/// Sees to it that a file can be written where the command line names one.
fn find_folder(args: &IpmiArgs) -> Result<(), ProgramError> {
    if let Some(folder) = args.command.file().and_then(|file| file.parent())
        && !folder.as_os_str().is_empty()
        && !folder.is_dir()
    {
        let text = format!("{}: there is no such folder", folder.display());
        return Err(ProgramError::Usage(text));
    }
    Ok(())
}

/// Where sensor data records are remembered, if they are.
fn memory(connection: &Connection) -> Result<Option<Rc<dyn Memory>>, ProgramError> {
    if connection.no_sdr_cache {
        return Ok(None);
    }
    let behind = login::bridge(connection)?;
    let cache = match connection.sdr_cache.clone() {
        None => SdrCache::default_folder().map(|folder| SdrCache::new(folder, behind)),
        Some(folder) => {
            let named = format!("--sdr-cache {}", folder.display());
            let cache = SdrCache::new(folder, behind);
            let made = cache.make_folder();
            made.map_err(|error| ProgramError::Usage(format!("{named}: {error}")))?;
            Some(cache)
        }
    };
    Ok(cache.map(|cache| Rc::new(cache) as Rc<dyn Memory>))
}

/// The hosts that the command line names.
fn names(args: &IpmiArgs) -> Result<Vec<String>, ProgramError> {
    let file = args.connection.hosts_file.as_deref();
    hosts::names(args.hosts.as_deref(), file)
}
