//! Commands of makers. Their numbers are the makers' own, so that the same bytes mean something else with each of them: ask Get
//! Device ID first who made the BMC.
//!
//! ```
//! use ipmi::command::oem::supermicro::SetZoneDuty;
//! use ipmi::command::Command;
//! use ipmi::wire::Writer;
//!
//! let set = SetZoneDuty { zone: 0, duty_percent: 40 };
//! let mut bytes = [0; 8];
//! let mut w = Writer::new(&mut bytes);
//! set.encode(&mut w);
//! assert_eq!((SetZoneDuty::NETFN.0, SetZoneDuty::CMD), (0x30, 0x70));
//! assert_eq!(w.written(), [0x66, 0x01, 0, 40]);
//! ```

pub mod dell;
pub mod fans;
pub mod node_manager;
pub mod sbmr;
pub mod supermicro;

use crate::command::Command;
use crate::command::table::Codec;
use crate::number::NetFn;

/// One command of a maker.
#[derive(Clone, Copy, Debug)]
pub struct OemRow {
    /// Whose it is.
    pub family: &'static str,
    /// Network function of the request.
    pub netfn: NetFn,
    /// Command number.
    pub cmd: u8,
    /// The first bytes of each request.
    pub prefix: &'static [u8],
    /// Its name.
    pub name: &'static str,
    /// How it is read.
    pub codec: Codec,
}

macro_rules! rows {
    ($($family:literal { $($command:ty),* $(,)? })*) => {
        /// Every maker's command that has a type, by maker.
        pub static OEM_COMMANDS: &[OemRow] = &[$($(
            OemRow {
                family: $family,
                netfn: <$command as Command>::NETFN,
                cmd: <$command as Command>::CMD,
                prefix: <$command as Command>::PREFIX,
                name: <$command as Command>::NAME,
                codec: Codec::of::<$command>(),
            },
        )*)*];
    };
}

rows! {
    "Supermicro" {
        supermicro::GetFanMode, supermicro::SetFanMode, supermicro::GetZoneDuty,
        supermicro::SetZoneDuty, supermicro::ResetIntrusion,
    }
    "Dell" {
        dell::SetFanControl, dell::SetFanDuty, dell::SetThirdPartyCooling,
        dell::GetThirdPartyCooling, dell::GetPowerConsumption,
    }
    "ASRock Rack" { fans::SetAsrockFanDuties, fans::GetAsrockFanDuties }
    "IBM/Lenovo System x" { fans::SetFanBank, fans::ApplyFanBanks }
    "Intel Node Manager" {
        node_manager::EnableNmPolicy, node_manager::SetNmPolicy, node_manager::GetNmPolicy,
        node_manager::GetNmStatistics, node_manager::GetNmVersion,
    }
    "Arm SBMR (OpenBMC)" { sbmr::SendBootProgressCode, sbmr::GetBootProgressCode }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check::Arbitrary;

    #[test]
    fn every_command_reads_what_it_writes_and_never_panics_on_any_bytes() {
        for (number, row) in OEM_COMMANDS.iter().enumerate() {
            for mut data in Arbitrary::new(500 + number) {
                (row.codec.laws)(&data);
                let len = row.prefix.len().min(data.len());
                data[..len].copy_from_slice(&row.prefix[..len]);
                (row.codec.laws)(&data);
            }
        }
    }
}
