//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ipmi::command::picmg::hpm::FirmwareVersion;
use ipmi::number::AuthType;
use vbmc::controller::OemFamily;
use vbmc::machine::Form;

use crate::defect::Defect;
use crate::fault::Fault;
use crate::ipmi::IpmiArgs;

/// Redfish in front of the machines of a data centre, whatever the machines speak.
#[derive(Debug, Parser)]
#[command(name = "reddrum", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// How much to log to standard error: error, warn, info, debug, trace, or a filter such as warn,fleet=debug.
    ///
    /// At info: 'bmc' tells which BMCs go and come back, 'config' of files that are read again, 'audit' who did what.
    #[arg(
        long,
        global = true,
        env = "REDDRUM_LOG",
        default_value = "warn,bmc=info,config=info",
        value_name = "FILTER"
    )]
    pub(crate) log: String,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a virtual rack of machines with IPMI BMCs, poll them, and serve them as Redfish.
    Demo(DemoArgs),
    /// Serve the BMCs that a configuration file names as Redfish.
    Serve(ServeArgs),
    /// Start virtual machines with IPMI BMCs and nothing else: a fleet to test other programs against.
    Vbmc(VbmcArgs),
    /// Run one command on one or many BMCs, straight over IPMI.
    Ipmi(IpmiArgs),
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Write manual pages into a folder.
    Man {
        /// The folder; it is made where there is none.
        dir: PathBuf,
    },
    /// Explain or check a configuration file.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Take over what another service kept.
    #[command(subcommand)]
    Import(ImportCommand),
}

/// What to do about configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every section and key with its meaning and default.
    Keys,
    /// Check a file and say everything that is wrong with it.
    Check {
        /// The file.
        file: PathBuf,
    },
}

/// What to take over.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Take over the configuration, accounts, roles and subscriptions of RedDrum, the Redfish service written in Python.
    Reddrum(ImportArgs),
}

/// Options of `import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The folder with RedDrum's files: the one above `db`, such as /var/www/rf.
    pub(crate) dir: PathBuf,
    /// RedDrum.conf, where it isn't in that folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) conf: Option<PathBuf>,
    /// The state_dir of the service, where accounts, roles and subscriptions go. One that has some is refused.
    #[arg(long, value_name = "DIR", required_unless_present = "check")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Write the configuration to this file; else it is printed.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Replace that file if there is one.
    #[arg(long, requires = "output")]
    pub(crate) force: bool,
    /// Write nothing; say what would become of everything.
    #[arg(long)]
    pub(crate) check: bool,
}

fn form(name: &str) -> Result<Form, String> {
    Form::of_name(name).ok_or_else(|| {
        let names = Form::ALL.map(|(name, _)| name);
        format!("there are {}", names.join(", "))
    })
}

fn oem_family(name: &str) -> Result<OemFamily, String> {
    OemFamily::of_name(name).ok_or_else(|| {
        let names = OemFamily::ALL.map(|(name, _)| name);
        format!("there are {}", names.join(", "))
    })
}

/// Which virtual machines there are, and what befalls them.
#[derive(Debug, Args)]
pub(crate) struct MachinesArgs {
    /// How many nodes; 96 fill one rack.
    #[arg(long, default_value_t = 96, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub(crate) nodes: u32,
    /// The UDP port at which the virtual BMCs answer, each on its own 127.16.x.y.
    #[arg(long, default_value_t = 6230, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) ipmi_port: u16,
    /// Whose commands the nodes have besides the standard's: none, supermicro, dell, asrock, system-x, node-manager or
    /// sbmr.
    #[arg(long, value_name = "FAMILY", default_value = "none", value_parser = oem_family)]
    pub(crate) oem: OemFamily,
    /// How the nodes are built: server, advanced-tca (PICMG's commands and sensors: FRUs, LEDs, links, fan tray) or vpx
    /// (VITA 46.11's).
    #[arg(long, value_name = "FORM", default_value = "server", value_parser = form)]
    pub(crate) form: Form,
    /// The seed of the machines' behaviour: same seed, same loads and temperatures.
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    pub(crate) seed: u64,
    /// Lets a machine fall ill some seconds (10) after the start, for good; can be given more than once. Kinds: `hot`
    /// (the air that enters is too warm), `fan` (Fan1 stands still), `silent` (its BMC answers no more), `lossy` (a
    /// fifth of its datagrams gets lost each way).
    #[arg(long = "fault", value_name = "MACHINE=KIND[@SECONDS]")]
    pub(crate) faults: Vec<Fault>,
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    pub(crate) machines: MachinesArgs,
    /// Where to serve Redfish over HTTPS; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8443", value_name = "ADDRESS:PORT")]
    pub(crate) listen: SocketAddr,
    /// Where to serve figures for Prometheus (/metrics), in clear text and without a login; not at all without this.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Once it serves, print one line of JSON on standard output instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to do about virtual machines beside starting some.
#[derive(Debug, Subcommand)]
pub(crate) enum VbmcCommand {
    /// Write firmware for virtual nodes: an HPM.1 upgrade image, to try updates with.
    Firmware(FirmwareArgs),
}

/// A component of the firmware of virtual nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FirmwareComponent {
    /// The BMC's own: its version is the one that Get Device ID tells.
    Bmc,
    /// The BMC's boot loader.
    Boot,
}

/// Options of `vbmc firmware`.
#[derive(Debug, Args)]
pub(crate) struct FirmwareArgs {
    /// For which component it is.
    #[arg(long, value_enum, default_value_t = FirmwareComponent::Bmc)]
    pub(crate) component: FirmwareComponent,
    /// Its version: a number up to 127, a dot, two digits.
    #[arg(long, value_name = "MAJOR.MINOR", value_parser = firmware_version)]
    pub(crate) version: FirmwareVersion,
    /// How much of it there is beside what it says of itself.
    #[arg(long, default_value_t = 256, value_name = "KIB", value_parser = clap::value_parser!(u32).range(0..=30_000))]
    pub(crate) size_kib: u32,
    /// The file to write. One that is there is replaced.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

fn firmware_version(text: &str) -> Result<FirmwareVersion, String> {
    let read = |text: &str| {
        let (major, minor) = text.split_once('.')?;
        let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(major) || !is_number(minor) || minor.len() != 2 {
            return None;
        }
        Some(FirmwareVersion {
            major: major.parse().ok().filter(|major: &u8| *major < 128)?,
            // Two decimal digits in BCD.
            minor: u8::from_str_radix(minor, 16).ok()?,
            ..FirmwareVersion::default()
        })
    };
    read(text).ok_or_else(|| "a version is a number up to 127, a dot, two digits: 2.10".to_owned())
}

/// Options of `vbmc`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct VbmcArgs {
    /// Something else than to start machines.
    #[command(subcommand)]
    pub(crate) command: Option<VbmcCommand>,
    #[command(flatten)]
    pub(crate) machines: MachinesArgs,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    /// What is wrong with BMCs on purpose, to see how consoles take it: of every node, or of the machines whose names fit
    /// MACHINE, in which * stands for any characters. `seen-on:WORDS` in place of a name is all that was met on BMCs of that
    /// maker or model. With commas, or given more than once. `--list-defects` tells the names.
    #[arg(long = "defect", value_name = "[MACHINE=]NAME", value_delimiter = ',')]
    pub(crate) defects: Vec<Defect>,
    /// Print what can be wrong with a BMC, and end.
    #[arg(long)]
    pub(crate) list_defects: bool,
    /// The administrator of every BMC.
    #[arg(long, default_value = "admin", value_name = "NAME")]
    pub(crate) username: String,
    /// Read the administrator's password from the first line of a file that only its owner can read; else one is
    /// made and printed.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Cipher suites that the BMCs offer, 0 to 19. Those beside 3 and 17 are weak, and 0 lets anybody in: for testing
    /// consoles. [default: 17,3]
    #[arg(long, value_name = "SUITE", value_delimiter = ',', value_parser = clap::value_parser!(u8).range(0..=19))]
    pub(crate) suites: Vec<u8>,
    /// Take IPMI 1.5 sessions, too, authenticated in these ways. All are weak, `password` sends it in the clear, and `none` lets
    /// anybody in: for testing consoles. [default: no IPMI 1.5]
    #[arg(long, value_enum, value_name = "LIST", value_delimiter = ',')]
    pub(crate) v15: Vec<V15Auth>,
    /// The UDP port at which consoles reach the BMCs, where a relay is in between: BMCs tell it to consoles of SOL,
    /// and those check it.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) told_port: Option<u16>,
    /// Once they answer, print one line of JSON on standard output instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A way to authenticate sessions of IPMI 1.5 (IPMI 2.0 §13.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum V15Auth {
    /// By the digest MD5.
    Md5,
    /// By the digest MD2.
    Md2,
    /// By the password itself, in the clear.
    Password,
    /// Not at all: anybody is let in.
    None,
}

impl From<V15Auth> for AuthType {
    fn from(auth: V15Auth) -> Self {
        match auth {
            V15Auth::Md5 => Self::MD5,
            V15Auth::Md2 => Self::MD2,
            V15Auth::Password => Self::PASSWORD,
            V15Auth::None => Self::NONE,
        }
    }
}

/// How bad the virtual BMCs' network is.
#[derive(Debug, Args)]
pub(crate) struct NetworkArgs {
    /// Of all datagrams, so many get lost on each way.
    #[arg(long, default_value_t = 0.0, value_name = "PERCENT", value_parser = percent)]
    pub(crate) loss: f32,
    /// Of all answers, so many arrive twice.
    #[arg(long, default_value_t = 0.0, value_name = "PERCENT", value_parser = percent)]
    pub(crate) duplicate: f32,
    /// Of all datagrams, so many on each way are held back for 0.7 s, so that later ones overtake them.
    #[arg(long, default_value_t = 0.0, value_name = "PERCENT", value_parser = percent)]
    pub(crate) reorder: f32,
    /// Of all answers, so many arrive damaged.
    #[arg(long, default_value_t = 0.0, value_name = "PERCENT", value_parser = percent)]
    pub(crate) corrupt: f32,
    /// Answers come this much late.
    #[arg(long, default_value_t = 0, value_name = "MS", value_parser = clap::value_parser!(u32).range(0..=60_000))]
    pub(crate) delay_ms: u32,
}

fn percent(text: &str) -> Result<f32, String> {
    let percent: Option<f32> = text.parse().ok();
    percent
        .filter(|percent| (0.0..=100.0).contains(percent))
        .ok_or_else(|| "a share is a number from 0 to 100".to_owned())
}

/// Options of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The configuration file (TOML); `reddrum config keys` explains its keys.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Once it serves, print one line of JSON on standard output instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_network_loses_between_none_and_all() {
        for (loss, parses) in [
            ("0", true),
            ("2.5", true),
            ("100", true),
            ("101", false),
            ("-1", false),
            ("NaN", false),
        ] {
            let cli = Cli::try_parse_from(["reddrum", "vbmc", &format!("--loss={loss}")]);
            assert_eq!(cli.is_ok(), parses, "{loss}");
        }
    }

    #[test]
    fn a_firmware_version_has_two_digits_behind_its_dot() {
        let version = firmware_version("2.10").unwrap();
        assert_eq!((version.major, version.minor), (2, 0x10));
        assert_eq!(version.to_string(), "2.10");
        for wrong in ["2", "2.1", "128.00", "2.1a", "-1.00", "2.100", "2.+1", ""] {
            assert!(firmware_version(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_readme() {
        let Ok(Cli {
            command: Command::Demo(demo),
            ..
        }) = Cli::try_parse_from(["reddrum", "demo"])
        else {
            panic!("'reddrum demo' must parse");
        };
        assert_eq!((demo.machines.nodes, demo.machines.ipmi_port), (96, 6230));
        assert_eq!(demo.listen.to_string(), "127.0.0.1:8443");
    }
}
