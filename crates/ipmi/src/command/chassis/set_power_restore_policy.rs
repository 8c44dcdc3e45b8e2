//! Set Power Restore Policy (§28.8).

use crate::command::{Command, Message};
use crate::number::{NetFn, PowerRestorePolicy};
use crate::wire::{Reader, WireError, Writer};

/// Sets what the machine does when mains power comes back; [`PowerRestorePolicy::UNKNOWN`] changes nothing and asks
/// which policies there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetPowerRestorePolicy {
    /// The new policy; 3 bits.
    pub policy: PowerRestorePolicy,
}

/// The answer to [`SetPowerRestorePolicy`]: which policies the chassis supports (§28.8, table 28-9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerRestorePolicySupport(pub u8);

impl PowerRestorePolicySupport {
    /// All three policies.
    pub const ALL: Self = Self(0x07);

    /// Whether `policy` is supported: the bit of its number.
    #[must_use]
    pub const fn supports(self, policy: PowerRestorePolicy) -> bool {
        policy.0 < 3 && self.0 >> policy.0 & 1 == 1
    }
}

impl Command for SetPowerRestorePolicy {
    const NETFN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x06;
    const NAME: &'static str = "Set Power Restore Policy";
    const IDEMPOTENT: bool = true;
    type Response = PowerRestorePolicySupport;

    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.policy.0 & 0x07);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            policy: PowerRestorePolicy(r.u8("power restore policy")? & 0x07),
        })
    }
}

impl Message for PowerRestorePolicySupport {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.0);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        r.u8("power restore policy support").map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn the_answer_has_one_bit_for_each_policy_number() {
        let policy = PowerRestorePolicy::ALWAYS_ON;
        check::request(&SetPowerRestorePolicy { policy }, &[0x02], 1);
        let support = PowerRestorePolicySupport(0x05);
        check::response(&support, &[0x05], 1);
        assert!(support.supports(PowerRestorePolicy::ALWAYS_ON));
        assert!(!support.supports(PowerRestorePolicy::PREVIOUS));
        assert!(!PowerRestorePolicySupport(0xff).supports(PowerRestorePolicy::UNKNOWN));
    }
}
