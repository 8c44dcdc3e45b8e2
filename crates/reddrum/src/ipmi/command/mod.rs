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

use std::rc::Rc;

use ipmi::bmc::minimum_privilege;
use ipmi::number::{NetFn, PrivilegeLevel};

use super::args::{ChassisCommand, IpmiCommand, LanCommand, McCommand};
use super::engine::Begin;
use super::talk::Talk;
use crate::error::ProgramError;

/// How to begin the command on a host, and the lowest privilege level that it needs (Appendix G).
///
/// # Errors
/// An argument can't be used.
pub(super) fn begin(command: &IpmiCommand) -> Result<(PrivilegeLevel, Begin), ProgramError> {
    const USER: PrivilegeLevel = PrivilegeLevel::USER;
    const OPERATOR: PrivilegeLevel = PrivilegeLevel::OPERATOR;
    Ok(match command.clone() {
        IpmiCommand::Power { action } | IpmiCommand::Chassis(ChassisCommand::Power { action }) => {
            let level = if action.control().is_some() {
                OPERATOR
            } else {
                USER
            };
            (
                level,
                Box::new(move || Talk::new(|line| power::run(line, action))),
            )
        }
        IpmiCommand::Chassis(ChassisCommand::Status) => {
            (USER, Box::new(|| Talk::new(chassis::status)))
        }
        IpmiCommand::Identify { interval }
        | IpmiCommand::Chassis(ChassisCommand::Identify { interval }) => (
            OPERATOR,
            Box::new(move || Talk::new(|line| identify::run(line, interval))),
        ),
        IpmiCommand::Boot(args) | IpmiCommand::Chassis(ChassisCommand::Bootdev(args)) => (
            OPERATOR,
            Box::new(move || Talk::new(|line| boot::run(line, args))),
        ),
        IpmiCommand::Mc(McCommand::Info) => (USER, Box::new(|| Talk::new(mc::info))),
        IpmiCommand::Mc(McCommand::Guid) => (USER, Box::new(|| Talk::new(mc::guid))),
        IpmiCommand::Sensor { names } => {
            let names: Rc<[String]> = names.into();
            (
                USER,
                Box::new(move || Talk::new(|line| sensor::run(line, Rc::clone(&names)))),
            )
        }
        IpmiCommand::Sel(command) => {
            let action = sel::Action::new(&command)?;
            let level = if action.changes() { OPERATOR } else { USER };
            (
                level,
                Box::new(move || Talk::new(|line| sel::run(line, action))),
            )
        }
        IpmiCommand::Fru { id } => (USER, Box::new(move || Talk::new(|line| fru::run(line, id)))),
        IpmiCommand::Raw(args) => {
            let level = minimum_privilege(NetFn(args.netfn), args.cmd, &args.data).max(USER);
            let args = Rc::new(args);
            (
                level,
                Box::new(move || Talk::new(|line| raw::run(line, Rc::clone(&args)))),
            )
        }
        IpmiCommand::Lan(LanCommand::Print { channel }) => (
            OPERATOR,
            Box::new(move || Talk::new(|line| lan::print(line, channel))),
        ),
        IpmiCommand::Decode { .. } => {
            return Err(ProgramError::Usage("'decode' asks no BMC".to_owned()));
        }
    })
}
