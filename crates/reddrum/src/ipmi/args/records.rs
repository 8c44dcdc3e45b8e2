//! The command line of what a BMC keeps: `sensor`, `sdr`, `sel`, `fru`.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum};
use ipmi::number::Threshold;

use super::parse_byte;

/// Sensors; without a command, those of these names with all that is known of them.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::ipmi) struct SensorArgs {
    /// What to do, if not to read.
    #[command(subcommand)]
    pub(in crate::ipmi) command: Option<SensorCommand>,
    /// Only these; `*` stands for any characters, upper and lower case are alike.
    #[arg(value_name = "NAME")]
    pub(in crate::ipmi) names: Vec<String>,
}

/// What to do with sensors.
#[derive(Clone, Debug, Subcommand)]
pub(in crate::ipmi) enum SensorCommand {
    /// All sensors, a line each.
    List,
    /// All that is known of some.
    Get {
        /// These; `*` stands for any characters, upper and lower case are alike.
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
    },
    /// The same as `sensor NAME`.
    Reading {
        /// These; `*` stands for any characters, upper and lower case are alike.
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
    },
    /// Set a threshold, or all three of a side.
    Thresh {
        /// The sensor.
        name: String,
        /// Which threshold; `lower` stands for lnr, lcr and lnc, `upper` for unc, ucr and unr.
        threshold: Limit,
        /// In the sensor's unit; three of them for `lower` and `upper`.
        #[arg(value_name = "VALUE", required = true, num_args = 1..=3, allow_negative_numbers = true, value_parser = parse_number)]
        values: Vec<f64>,
    },
}

fn parse_number(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| "expected a number, such as 85 or -12.5".to_owned())
}

/// Thresholds, named as ipmitool names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum Limit {
    /// Lower non-recoverable.
    Lnr,
    /// Lower critical.
    Lcr,
    /// Lower non-critical.
    Lnc,
    /// Upper non-critical.
    Unc,
    /// Upper critical.
    Ucr,
    /// Upper non-recoverable.
    Unr,
    /// All lower ones, from the lowest.
    Lower,
    /// All upper ones, from the lowest.
    Upper,
}

impl Limit {
    /// The thresholds that it stands for, from the lowest.
    pub(in crate::ipmi) const fn thresholds(self) -> &'static [Threshold] {
        match self {
            Self::Lnr => &[Threshold::LowerNonRecoverable],
            Self::Lcr => &[Threshold::LowerCritical],
            Self::Lnc => &[Threshold::LowerNonCritical],
            Self::Unc => &[Threshold::UpperNonCritical],
            Self::Ucr => &[Threshold::UpperCritical],
            Self::Unr => &[Threshold::UpperNonRecoverable],
            Self::Lower => &[
                Threshold::LowerNonRecoverable,
                Threshold::LowerCritical,
                Threshold::LowerNonCritical,
            ],
            Self::Upper => &[
                Threshold::UpperNonCritical,
                Threshold::UpperCritical,
                Threshold::UpperNonRecoverable,
            ],
        }
    }
}

/// What to do with the sensor data records.
#[derive(Clone, Debug, Subcommand)]
pub(in crate::ipmi) enum SdrCommand {
    /// All sensors with their readings, in short.
    List {
        /// Only what records of this kind describe; `all` lists what is no sensor, too. [default: sensors with readings]
        kind: Option<SdrKind>,
    },
    /// The same with number, entity and the names of states.
    Elist {
        /// Only what records of this kind describe; `all` lists what is no sensor, too. [default: sensors with readings]
        kind: Option<SdrKind>,
    },
    /// The sensors of a type; without one, or with `list`, the types that there are.
    Type {
        /// Name or number of the type: `Temperature`, 0x01.
        name: Option<String>,
    },
    /// The sensors of an entity, such as 29.1 (the first fan), or of all entities of a kind, such as 29.
    Entity {
        /// The kind by its number (table 43-13), and which of them.
        #[arg(value_name = "ID[.INSTANCE]", value_parser = parse_entity)]
        entity: EntityWanted,
    },
    /// The same as `sensor get`.
    Get {
        /// These; `*` stands for any characters, upper and lower case are alike.
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
    },
    /// Write all records to a file as they are, one behind the other, as `ipmitool sdr dump` does; with several hosts to
    /// FILE.HOST.
    Dump {
        /// The file.
        file: PathBuf,
    },
    /// All records as they are: number, type, name, sensor number.
    Records,
    /// The repository: how many, how much room, when it changed.
    Info,
}

/// Kinds of sensor data records, named as ipmitool names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum SdrKind {
    /// All that have a name.
    All,
    /// Sensors with thresholds and factors.
    Full,
    /// Sensors without, or several alike.
    Compact,
    /// Sensors that only send events.
    Event,
    /// Management controllers.
    Mcloc,
    /// Inventories.
    Fru,
    /// Other devices on buses.
    Generic,
}

/// Entities that are meant (§39.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ipmi) struct EntityWanted {
    /// What kind of thing.
    pub(in crate::ipmi) id: u8,
    /// Which of them; `None` = all.
    pub(in crate::ipmi) instance: Option<u8>,
}

fn parse_entity(text: &str) -> Result<EntityWanted, String> {
    let wrong = |_| "expected an entity, such as 29.1 or 29".to_owned();
    let (id, instance) = match text.split_once('.') {
        Some((id, instance)) => (id, Some(instance.parse().map_err(wrong)?)),
        None => (text, None),
    };
    let id = id.parse().map_err(wrong)?;
    Ok(EntityWanted { id, instance })
}

/// Which entries of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
pub(in crate::ipmi) struct SelPart {
    /// Only some: so many of the oldest (`5` or `first 5`), or of the newest (`last 5`). [default: all]
    #[arg(value_name = "first|last|COUNT", value_parser = EndOrCount, hide_possible_values = true)]
    pub(in crate::ipmi) end: Option<SelEnd>,
    /// How many, behind `first` or `last`.
    #[arg(requires = "end", value_parser = clap::value_parser!(u16).range(1..))]
    pub(in crate::ipmi) count: Option<u16>,
}

/// Ends of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ipmi) enum SelEnd {
    /// The oldest.
    First,
    /// The newest.
    Last,
    /// So many of the oldest: ipmitool has a number alone, too.
    Count(u16),
}

/// Reads a [`SelEnd`]; shells complete its words.
#[derive(Clone, Copy, Debug)]
struct EndOrCount;

impl TypedValueParser for EndOrCount {
    type Value = SelEnd;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<SelEnd, clap::Error> {
        let read = |text: &str| match text {
            "first" => Ok(SelEnd::First),
            "last" => Ok(SelEnd::Last),
            text => match text.parse() {
                Ok(count) if count > 0 => Ok(SelEnd::Count(count)),
                _ => Err("expected first, last, or how many of the oldest"),
            },
        };
        // Functions on texts have the errors that clap words for all arguments.
        TypedValueParser::parse_ref(&read, command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(
            ["first", "last"].into_iter().map(PossibleValue::new),
        ))
    }
}

/// What to do with the system event log.
#[derive(Clone, Debug, Subcommand)]
pub(in crate::ipmi) enum SelCommand {
    /// Entries, oldest first.
    List(SelPart),
    /// Entries, with the names of their sensors: reads the sensor records as well.
    Elist(SelPart),
    /// All that some entries say.
    Get {
        /// Their numbers; 0 is the first, 0xffff the last.
        #[arg(value_name = "ID", required = true, value_parser = parse_record)]
        records: Vec<u16>,
    },
    /// How full it is, when it changed.
    Info,
    /// Erase all entries, and wait until they are gone.
    Clear,
    /// Add an entry.
    Add {
        /// Its 16 bytes, or 10 without number and time: type, generator (2), revision, sensor type, sensor number,
        /// event type, data (3).
        #[arg(value_name = "BYTE", required = true, num_args = 10..=16, value_parser = parse_byte)]
        record: Vec<u8>,
    },
    /// Erase some entries.
    Delete {
        /// Their numbers.
        #[arg(value_name = "ID", required = true, value_parser = parse_record)]
        records: Vec<u16>,
    },
    /// Write all entries to a file, 16 bytes each, as `ipmitool sel writeraw` does; with several hosts to FILE.HOST.
    #[command(alias = "writeraw")]
    Save {
        /// The file.
        file: PathBuf,
    },
    /// The clock that stamps entries.
    Time {
        /// What to do with it.
        #[command(subcommand)]
        action: Option<SelTimeCommand>,
    },
}

/// What to do with the clock of the system event log.
#[derive(Clone, Debug, Subcommand)]
pub(in crate::ipmi) enum SelTimeCommand {
    /// Print it.
    Get,
    /// Set it.
    Set {
        /// `now` (UTC), or `YYYY-MM-DD HH:MM:SS`.
        #[arg(value_name = "TIME")]
        time: String,
    },
}

fn parse_record(text: &str) -> Result<u16, String> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u16::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|_| "expected a record number, such as 18 or 0x12".to_owned())
}

/// Inventories; without a command, print them.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::ipmi) struct FruArgs {
    /// What to do, if not to print.
    #[command(subcommand)]
    pub(in crate::ipmi) command: Option<FruCommand>,
    /// Only this device, by its number; 0 is the BMC's own.
    #[arg(value_name = "ID")]
    pub(in crate::ipmi) id: Option<u8>,
}

/// What to do with inventories.
#[derive(Clone, Debug, Subcommand)]
pub(in crate::ipmi) enum FruCommand {
    /// Print one or all.
    #[command(alias = "list")]
    Print {
        /// Only this device, by its number; 0 is the BMC's own.
        id: Option<u8>,
    },
    /// Write the bytes of an inventory to a file; with several hosts to FILE.HOST.
    Read {
        /// The device.
        id: u8,
        /// The file.
        file: PathBuf,
    },
    /// Write a file to an inventory. A file that is no inventory in IPMI's format, or is too long, is refused.
    Write {
        /// The device.
        id: u8,
        /// The file.
        file: PathBuf,
        /// Write it even if it is no inventory in IPMI's format, or replaces bytes that can't be read and saved.
        #[arg(long)]
        force: bool,
        /// What becomes of the old content.
        #[command(flatten)]
        backup: BackupArgs,
    },
    /// Change one text of an inventory; the rest stays.
    Edit {
        /// The device.
        id: u8,
        /// Which text.
        field: FruText,
        /// The new one.
        text: String,
        /// What becomes of the old content.
        #[command(flatten)]
        backup: BackupArgs,
    },
}

/// What becomes of the content that an inventory had before. It is in a file while the new one is written, and stays there
/// where that fails.
#[derive(Clone, Debug, Args)]
pub(in crate::ipmi) struct BackupArgs {
    /// The folder of the file with the old content, `fru-ID-HOST.before` (`fru-ID-HOST-tADDRESS-bCHANNEL.before` of a
    /// controller behind the BMC).
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(in crate::ipmi) backup_dir: PathBuf,
    /// Keep that file also when all went well.
    #[arg(long)]
    pub(in crate::ipmi) keep_backup: bool,
}

/// Texts of an inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum FruText {
    /// Part number of the chassis.
    ChassisPart,
    /// Serial number of the chassis.
    ChassisSerial,
    /// Maker of the board.
    BoardMaker,
    /// Name of the board.
    BoardProduct,
    /// Serial number of the board.
    BoardSerial,
    /// Part number of the board.
    BoardPart,
    /// Maker of the product.
    ProductMaker,
    /// Name of the product.
    ProductName,
    /// Part number of the product.
    ProductPart,
    /// Version of the product.
    ProductVersion,
    /// Serial number of the product.
    ProductSerial,
    /// Asset tag.
    AssetTag,
}
