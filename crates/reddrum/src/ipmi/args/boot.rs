//! The command line of what a machine boots from: `boot`, `bootparam`.

use clap::{Args, Subcommand, ValueEnum};
use ipmi::number::{BootDevice, BootFlagKeep};

use super::parse_byte;

/// What to boot from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
pub(in crate::ipmi) struct BootArgs {
    /// The device.
    pub(in crate::ipmi) device: Option<Device>,
    /// For every start from now on, not only for the next.
    #[arg(long, requires = "device")]
    pub(in crate::ipmi) persistent: bool,
    /// In UEFI mode, not in PC-compatible mode.
    #[arg(long, requires = "device")]
    pub(in crate::ipmi) uefi: bool,
    /// The same as ipmitool has it: `options=persistent,efiboot`.
    #[arg(value_name = "options=LIST", requires = "device", value_parser = parse_boot_options)]
    pub(in crate::ipmi) options: Option<BootOptions>,
}

impl BootArgs {
    /// Whether every start is meant.
    pub(in crate::ipmi) fn is_persistent(&self) -> bool {
        self.persistent || self.options.is_some_and(|options| options.persistent)
    }

    /// Whether it is to boot in UEFI mode.
    pub(in crate::ipmi) fn is_uefi(&self) -> bool {
        self.uefi || self.options.is_some_and(|options| options.uefi)
    }
}

/// How to boot, in ipmitool's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::ipmi) struct BootOptions {
    persistent: bool,
    uefi: bool,
}

fn parse_boot_options(text: &str) -> Result<BootOptions, String> {
    const WORDS: &str =
        "expected options=persistent, options=efiboot, or both with a comma between";
    let list = text.strip_prefix("options=").ok_or(WORDS)?;
    let mut options = BootOptions::default();
    for word in list.split(',') {
        match word {
            "persistent" => options.persistent = true,
            "efiboot" => options.uefi = true,
            // What a device is set for counts in any case.
            "valid" => {}
            _ => return Err(WORDS.to_owned()),
        }
    }
    Ok(options)
}

/// What to do with boot options by their numbers (IPMI 2.0 table 28-14).
#[derive(Clone, Debug, Subcommand)]
pub(in crate::ipmi) enum BootparamCommand {
    /// Print one.
    Get {
        /// Its number.
        parameter: u8,
        /// Which set of it.
        #[arg(default_value_t = 0)]
        set: u8,
        /// Which block of it.
        #[arg(default_value_t = 0)]
        block: u8,
    },
    /// Set one, or what to boot from.
    Set(BootparamSetArgs),
}

/// A boot option and its bytes.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(in crate::ipmi) struct BootparamSetArgs {
    /// Its number.
    #[arg(required = true)]
    pub(in crate::ipmi) parameter: Option<u8>,
    /// Its bytes.
    #[arg(value_name = "BYTE", required = true, value_parser = parse_byte)]
    pub(in crate::ipmi) data: Vec<u8>,
    /// What else.
    #[command(subcommand)]
    pub(in crate::ipmi) words: Option<BootparamWords>,
}

/// Boot options that have words in ipmitool.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(in crate::ipmi) enum BootparamWords {
    /// What to boot from at the next start, and what clears that before; `boot` says the same and keeps it.
    Bootflag {
        /// The device; ipmitool's names, such as force_pxe, are taken, too.
        device: Device,
        /// What clears it: PEF, timeout, watchdog, reset, power, joined by commas; with `no-` before it, doesn't. [default: as it is]
        #[arg(value_name = "options=LIST", value_parser = parse_clearing)]
        clearing: Option<BootClearing>,
    },
}

/// Which events clear the boot flags from now on, and which don't.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::ipmi) struct BootClearing {
    /// These don't.
    pub(in crate::ipmi) kept: BootFlagKeep,
    /// These do.
    pub(in crate::ipmi) cleared: BootFlagKeep,
}

fn parse_clearing(text: &str) -> Result<BootClearing, String> {
    const WORDS: &str = "expected options= and PEF, timeout, watchdog, reset, power, each with no- before it or not, joined by \
                         commas";
    let list = text.strip_prefix("options=").ok_or(WORDS)?;
    let mut clearing = BootClearing::default();
    for word in list.split(',') {
        let (name, set) = match word.strip_prefix("no-") {
            Some(name) => (name, &mut clearing.kept),
            None => (word, &mut clearing.cleared),
        };
        *set = set.with(
            match name {
                "PEF" | "pef" => BootFlagKeep::PEF,
                "timeout" => BootFlagKeep::TIMEOUT,
                "watchdog" => BootFlagKeep::WATCHDOG,
                "reset" => BootFlagKeep::RESET_BUTTON,
                "power" => BootFlagKeep::POWER_BUTTON,
                _ => return Err(WORDS.to_owned()),
            },
            true,
        );
    }
    Ok(clearing)
}

/// Boot devices, named as ipmitool names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::ipmi) enum Device {
    /// No override: the order that firmware set-up has.
    None,
    /// Network.
    #[value(alias = "force_pxe")]
    Pxe,
    /// Hard drive.
    #[value(alias = "force_disk")]
    Disk,
    /// Hard drive, safe mode.
    #[value(alias = "force_safe")]
    Safe,
    /// Diagnostic partition.
    #[value(alias = "force_diag")]
    Diag,
    /// CD or DVD.
    #[value(aliases = ["cdrom", "force_cdrom"])]
    Cd,
    /// Firmware set-up.
    #[value(aliases = ["setup", "force_bios"])]
    Bios,
    /// Floppy or primary removable media.
    #[value(aliases = ["usb", "force_floppy"])]
    Floppy,
}

impl From<Device> for BootDevice {
    fn from(device: Device) -> Self {
        match device {
            Device::None => Self::NO_OVERRIDE,
            Device::Pxe => Self::PXE,
            Device::Disk => Self::DISK,
            Device::Safe => Self::DISK_SAFE_MODE,
            Device::Diag => Self::DIAGNOSTIC_PARTITION,
            Device::Cd => Self::CD_DVD,
            Device::Bios => Self::BIOS_SETUP,
            Device::Floppy => Self::PRIMARY_REMOVABLE,
        }
    }
}
