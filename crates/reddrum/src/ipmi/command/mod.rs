//! The commands: one file each, a conversation and its report.

mod boot;
mod bootparam;
mod capture;
mod channel;
mod chassis;
mod column;
mod dcmi;
pub(super) mod decode;
mod fan;
mod fru;
mod fru_backup;
mod fru_edit;
mod fru_write;
mod group;
mod hpm;
mod identify;
mod lan;
mod lan_set;
mod lcd;
mod maker;
mod mc;
mod nm;
mod own_user;
mod pef;
mod picmg;
mod power;
pub(super) mod quirks;
mod raw;
mod repository;
mod sdr;
mod sel;
mod sel_entry;
mod sensor;
mod sensor_hint;
mod sensor_thresh;
mod sol;
mod user;
mod watchdog;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use ipmi::bmc::minimum_privilege;
use ipmi::number::{ChannelNumber, NetFn, PrivilegeLevel};

use super::args::{
    ChassisCommand, Connection, FruArgs, FruCommand, IpmiCommand, LanChange, LanCommand, McCommand,
    OnChannel, SensorArgs, SensorCommand, SolCommand,
};
use super::engine::Begin;
use super::report::Reader;
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

/// The channel that the command line names, or that of the session.
fn on(channel: OnChannel) -> ChannelNumber {
    channel
        .channel
        .map_or(ChannelNumber::PRESENT, ChannelNumber)
}

/// Reads a file that the command line names, of a bounded size.
fn read_file(path: &Path, max: u64) -> Result<Vec<u8>, ProgramError> {
    let named = |error: io::Error| ProgramError::Usage(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(named)?;
    let mut bytes = Vec::new();
    let len = file.take(max + 1).read_to_end(&mut bytes).map_err(named)?;
    if len as u64 > max {
        let text = format!("{}: larger than {max} bytes", path.display());
        return Err(ProgramError::Usage(text));
    }
    Ok(bytes)
}

/// How to begin the command for this reader, with these options.
///
/// # Errors
/// An argument can't be used.
pub(super) fn begin(
    command: &IpmiCommand,
    options: &Connection,
    reader: Reader,
) -> Result<Start, ProgramError> {
    let of = options.of;
    Ok(match command.clone() {
        IpmiCommand::Chassis(command) => return of_chassis(command, options, reader),
        IpmiCommand::Power { action } => {
            let level = action.control().map_or(USER, |_| OPERATOR);
            start(level, move |line| power::run(line, action))
        }
        IpmiCommand::Identify { interval } => {
            start(OPERATOR, move |line| identify::run(line, interval))
        }
        IpmiCommand::Boot(args) => start(OPERATOR, move |line| boot::run(line, args)),
        IpmiCommand::Bootparam(command) => bootparam::begin(command)?,
        IpmiCommand::Mc(McCommand::Info) => start(USER, mc::info),
        IpmiCommand::Mc(McCommand::Guid) => start(USER, mc::guid),
        IpmiCommand::Mc(McCommand::Selftest) => start(USER, mc::selftest),
        IpmiCommand::Mc(McCommand::Reset { kind }) => {
            start(ADMINISTRATOR, move |line| mc::reset(line, kind))
        }
        IpmiCommand::Watchdog(command) | IpmiCommand::Mc(McCommand::Watchdog(command)) => {
            watchdog::begin(command)?
        }
        IpmiCommand::Sensor(args) => of_sensors(args, reader)?,
        IpmiCommand::Sdr(command) => {
            let command = Rc::new(command);
            start(USER, move |line| sdr::run(line, Rc::clone(&command)))
        }
        IpmiCommand::Sel(command) => {
            let action = sel::Action::new(&command)?;
            let level = if action.changes() { OPERATOR } else { USER };
            start(level, move |line| sel::run(line, action.clone()))
        }
        IpmiCommand::Fru(args) => of_inventories(args)?,
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
        IpmiCommand::Lan(command) => of_lan(command, options.username.as_deref())?,
        IpmiCommand::User(command) => user::begin(command, options.username.as_deref())?,
        IpmiCommand::Channel(command) => channel::begin(command, options.username.as_deref()),
        IpmiCommand::Session(command) => channel::begin_session(command),
        IpmiCommand::Pef(command) => pef::begin(command),
        IpmiCommand::Dcmi(command) => dcmi::begin(command)?,
        IpmiCommand::Picmg(command) => picmg::begin(command),
        IpmiCommand::Led(command) => picmg::begin_led(command),
        IpmiCommand::Fan(command) => fan::begin(command, of, reader),
        IpmiCommand::Lcd(command) => lcd::begin(command, of)?,
        IpmiCommand::Nm(command) => nm::begin(command, options.target),
        IpmiCommand::Hpm(command) => hpm::begin(command)?,
        IpmiCommand::Discover(_) | IpmiCommand::Quirks | IpmiCommand::Decode { .. } => {
            return Err(ProgramError::Usage("it asks no BMC".to_owned()));
        }
    })
}

/// What stands behind `chassis`: its own commands, and other names for commands
/// that stand for themselves too.
fn of_chassis(
    command: ChassisCommand,
    options: &Connection,
    reader: Reader,
) -> Result<Start, ProgramError> {
    let same = match command {
        ChassisCommand::Status => return Ok(start(USER, chassis::status)),
        ChassisCommand::Policy { policy } => {
            return Ok(start(OPERATOR, move |line| {
                chassis::policy(line, policy.wanted())
            }));
        }
        ChassisCommand::RestartCause => return Ok(start(USER, chassis::restart_cause)),
        ChassisCommand::Poh => return Ok(start(USER, chassis::poh)),
        ChassisCommand::Power { action } => IpmiCommand::Power { action },
        ChassisCommand::Identify { interval } => IpmiCommand::Identify { interval },
        ChassisCommand::Bootdev(args) => IpmiCommand::Boot(args),
        ChassisCommand::Bootparam(command) => IpmiCommand::Bootparam(command),
        ChassisCommand::Selftest => IpmiCommand::Mc(McCommand::Selftest),
    };
    begin(&same, options, reader)
}

fn of_lan(command: LanCommand, username: Option<&str>) -> Result<Start, ProgramError> {
    match command {
        LanCommand::Print(channel) => {
            Ok(start(OPERATOR, move |line| lan::print(line, on(channel))))
        }
        LanCommand::Set {
            channel,
            on: named,
            change,
        } => {
            let channel = channel.or(named);
            let channel = on(OnChannel { channel });
            match change {
                LanChange::Setting(setting) => lan_set::begin(channel, setting),
                LanChange::Access { on, own } => {
                    let guard = own_user::Guard::new(own, username);
                    Ok(channel::begin_lan_access(channel, on, guard))
                }
            }
        }
    }
}

fn of_sensors(args: SensorArgs, reader: Reader) -> Result<Start, ProgramError> {
    let names = match args.command {
        None | Some(SensorCommand::List) => args.names,
        Some(SensorCommand::Reading { names }) => names,
        Some(SensorCommand::Get { names }) => {
            let names: Rc<[String]> = names.into();
            return Ok(start(USER, move |line| {
                sensor::get(line, Rc::clone(&names))
            }));
        }
        Some(SensorCommand::Thresh {
            name,
            threshold,
            values,
        }) => {
            let (name, wanted) = (Rc::from(name), sensor_thresh::wanted(threshold, &values)?);
            return Ok(start(OPERATOR, move |line| {
                sensor_thresh::run(line, Rc::clone(&name), Rc::clone(&wanted))
            }));
        }
    };
    let names: Rc<[String]> = names.into();
    Ok(start(USER, move |line| {
        sensor::run(line, Rc::clone(&names), reader)
    }))
}

fn of_inventories(args: FruArgs) -> Result<Start, ProgramError> {
    /// An inventory has at most so many bytes: its offsets are of 16 bits.
    const INVENTORY_MAX: u64 = 65_535;
    Ok(match args.command {
        None => start(USER, move |line| fru::run(line, args.id)),
        Some(FruCommand::Print { id }) => start(USER, move |line| fru::run(line, id)),
        Some(FruCommand::Read { id, .. }) => start(USER, move |line| fru::save(line, id)),
        Some(FruCommand::Write {
            id,
            file,
            force,
            backup,
        }) => {
            let bytes: Rc<[u8]> = read_file(&file, INVENTORY_MAX)?.into();
            if bytes.is_empty() {
                return Err(ProgramError::Usage(format!("{}: empty", file.display())));
            }
            if !force && let Some(fault) = fru_write::fault(&bytes) {
                let file = file.display();
                return Err(ProgramError::Usage(format!(
                    "{file} is no sound inventory: {fault}; nothing was written; --force writes it as it is"
                )));
            }
            let wanted = fru_write::Wanted {
                id,
                bytes,
                force,
                backup,
            };
            start(OPERATOR, move |line| fru_write::run(line, wanted.clone()))
        }
        Some(FruCommand::Edit {
            id,
            field,
            text,
            backup,
        }) => {
            let edit = fru_edit::Edit {
                id,
                field,
                text: text.into(),
                backup,
            };
            start(OPERATOR, move |line| fru_edit::run(line, edit.clone()))
        }
    })
}
