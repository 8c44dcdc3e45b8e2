//! Get BMC Global Enables (§22.2).

use crate::command::{Command, Message};
use crate::number::{GlobalEnables, NetFn};
use crate::wire::{Reader, WireError, Writer};

/// Asks what the BMC does with messages and events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetBmcGlobalEnables;

impl Command for GetBmcGlobalEnables {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x2f;
    const NAME: &'static str = "Get BMC Global Enables";
    const IDEMPOTENT: bool = true;
    type Response = GlobalEnables;

    fn encode(&self, _: &mut Writer<'_>) {}

    fn decode(_: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self)
    }
}

impl Message for GlobalEnables {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.0);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        r.u8("BMC global enables").map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn the_answer_is_one_byte_of_flags() {
        check::request(&GetBmcGlobalEnables, &[], 0);
        let enables = GlobalEnables::SYSTEM_EVENT_LOGGING | GlobalEnables::EVENT_BUFFER;
        check::response(&enables, &[0x0c], 1);
        let text = std::format!("{enables:?}");
        assert_eq!(text, "0x0c (event message buffer, system event logging)");
    }
}
