//! Chassis Identify (§28.5).

use crate::command::{Command, Empty};
use crate::number::NetFn;
use crate::wire::{Reader, WireError, Writer};

/// Makes the machine show itself: a light, a beep.
///
/// Not repeatable blindly: a late repeat lights a lamp that was put out in between, or restarts its interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChassisIdentify {
    /// For 15 seconds; the request has no data.
    Default,
    /// For so many seconds; 0 puts the light out.
    Seconds(u8),
    /// Until told otherwise (IPMI 2.0).
    Indefinitely,
}

impl Command for ChassisIdentify {
    const NETFN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x04;
    const NAME: &'static str = "Chassis Identify";
    const IDEMPOTENT: bool = false;
    type Response = Empty;

    fn encode(&self, w: &mut Writer<'_>) {
        match self {
            Self::Default => {}
            Self::Seconds(seconds) => w.u8(*seconds),
            Self::Indefinitely => w.bytes(&[0, 1]),
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        if r.is_empty() {
            return Ok(Self::Default);
        }
        let seconds = r.u8("identify interval")?;
        let force = !r.is_empty() && r.u8("force identify on")? & 0x01 != 0;
        Ok(if force {
            Self::Indefinitely
        } else {
            Self::Seconds(seconds)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn both_data_bytes_are_optional() {
        check::request(&ChassisIdentify::Default, &[], 0);
        check::request(&ChassisIdentify::Seconds(0), &[0], 0);
        check::request(&ChassisIdentify::Seconds(255), &[255], 0);
        check::request(&ChassisIdentify::Indefinitely, &[0, 1], 0);
    }

    #[test]
    fn an_explicit_zero_force_byte_means_the_interval() {
        let decoded = ChassisIdentify::decode(&mut Reader::new(&[30, 0xfe]));
        assert_eq!(decoded, Ok(ChassisIdentify::Seconds(30)));
    }
}
