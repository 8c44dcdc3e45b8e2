//! The commands: one file each, a conversation and its report.

mod boot;
mod chassis;
pub(super) mod decode;
mod fru;
mod identify;
mod lan;
mod mc;
mod power;
mod raw;
mod repository;
mod sel;
mod sensor;
mod sol;

use std::rc::Rc;

use ipmi::bmc::minimum_privilege;
use ipmi::number::{NetFn, PrivilegeLevel};

use super::args::{ChassisCommand, IpmiCommand, LanCommand, McCommand, SolCommand};
use super::engine::Begin;
use super::talk::{Line, Outcome, Talk};
use crate::error::ProgramError;

/// How to begin a command on a host, and the lowest privilege level that it needs (Appendix G).
pub(super) type Start = (PrivilegeLevel, Begin);

const USER: PrivilegeLevel = PrivilegeLevel::USER;
const OPERATOR: PrivilegeLevel = PrivilegeLevel::OPERATOR;
const ADMINISTRATOR: PrivilegeLevel = PrivilegeLevel::ADMINISTRATOR;

/// A conversation that every host has alike.
fn start<F>(level: PrivilegeLevel, talk: impl Fn(Line) -> F + 'static) -> Start
where
    F: Future<Output = Outcome> + 'static,
{
    (level, Box::new(move || Talk::new(&talk)))
}

/// How to begin the command.
///
/// # Errors
/// An argument can't be used.
pub(super) fn begin(command: &IpmiCommand) -> Result<Start, ProgramError> {
    Ok(match command.clone() {
        IpmiCommand::Power { action } | IpmiCommand::Chassis(ChassisCommand::Power { action }) => {
            let level = action.control().map_or(USER, |_| OPERATOR);
            start(level, move |line| power::run(line, action))
        }
        IpmiCommand::Chassis(ChassisCommand::Status) => start(USER, chassis::status),
        IpmiCommand::Identify { interval }
        | IpmiCommand::Chassis(ChassisCommand::Identify { interval }) => {
            start(OPERATOR, move |line| identify::run(line, interval))
        }
        IpmiCommand::Boot(args) | IpmiCommand::Chassis(ChassisCommand::Bootdev(args)) => {
            start(OPERATOR, move |line| boot::run(line, args))
        }
        IpmiCommand::Mc(McCommand::Info) => start(USER, mc::info),
        IpmiCommand::Mc(McCommand::Guid) => start(USER, mc::guid),
        IpmiCommand::Sensor { names } => {
            let names: Rc<[String]> = names.into();
            start(USER, move |line| sensor::run(line, Rc::clone(&names)))
        }
        IpmiCommand::Sel(command) => {
            let action = sel::Action::new(&command)?;
            let level = if action.changes() { OPERATOR } else { USER };
            start(level, move |line| sel::run(line, action))
        }
        IpmiCommand::Fru { id } => start(USER, move |line| fru::run(line, id)),
        IpmiCommand::Raw(args) => {
            let level = minimum_privilege(NetFn(args.netfn), args.cmd, &args.data).max(USER);
            let args = Rc::new(args);
            start(level, move |line| raw::run(line, Rc::clone(&args)))
        }
        IpmiCommand::Sol(args) => {
            let action = sol::Action::new(args.command.unwrap_or(SolCommand::Activate))?;
            let level = if action.changes() {
                ADMINISTRATOR
            } else {
                OPERATOR
            };
            start(level, move |line| sol::run(line, action))
        }
        IpmiCommand::Lan(LanCommand::Print { channel }) => {
            start(OPERATOR, move |line| lan::print(line, channel))
        }
        IpmiCommand::Decode { .. } => {
            return Err(ProgramError::Usage("'decode' asks no BMC".to_owned()));
        }
    })
}
