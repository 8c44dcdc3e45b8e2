//! Cold Reset and Warm Reset of the management controller (§20.2, §20.3).

use crate::command::{Command, Empty};
use crate::number::NetFn;
use crate::wire::{Reader, WireError, Writer};

/// Restarts the management controller with its power-up defaults; sessions end.
///
/// Not repeatable: a late repeat restarts it again. The answer may not come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ColdReset;

/// Restarts the management controller and keeps its settings; sessions end.
///
/// Not repeatable: a late repeat restarts it again. The answer may not come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WarmReset;

impl Command for ColdReset {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x02;
    const NAME: &'static str = "Cold Reset";
    const IDEMPOTENT: bool = false;
    type Response = Empty;

    fn encode(&self, _: &mut Writer<'_>) {}

    fn decode(_: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self)
    }
}

impl Command for WarmReset {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x03;
    const NAME: &'static str = "Warm Reset";
    const IDEMPOTENT: bool = false;
    type Response = Empty;

    fn encode(&self, _: &mut Writer<'_>) {}

    fn decode(_: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn a_reset_has_no_data_and_is_never_repeated() {
        check::request(&ColdReset, &[], 0);
        check::request(&WarmReset, &[], 0);
        const { assert!(!ColdReset::IDEMPOTENT && !WarmReset::IDEMPOTENT) };
    }
}
