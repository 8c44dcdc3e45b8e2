//! FRU control and activation (PICMG 3.0 §3.2.4, §3.2.5).

use super::PicmgDone;
use crate::command::Bytes;
use crate::command::layout::{message, request};
use crate::number::{ActivationPolicy, FruActivation, FruControlAction, FruControlSupport};

request! {
    /// Resets or reboots a FRU's payload.
    pub struct FruControl: PICMG 0x04 "FRU Control", once => FruControlDone {
        /// FRU.
        pub fru_id: u8,
        /// What to do.
        pub action: FruControlAction,
    }

    /// Asks what of this the FRU can.
    pub struct GetFruControlCapabilities: PICMG 0x1e "FRU Control Capabilities", repeatable => FruControlCapabilities {
        /// FRU.
        pub fru_id: u8,
    }

    /// Locks a FRU in its state.
    pub struct SetFruActivationPolicy: PICMG 0x0a "Set FRU Activation Policy", repeatable => PicmgDone {
        /// FRU.
        pub fru_id: u8,
        /// Locks that are to change.
        pub mask: ActivationPolicy,
        /// What they are to be.
        pub set: ActivationPolicy,
    }

    /// Asks for a FRU's locks.
    pub struct GetFruActivationPolicy: PICMG 0x0b "Get FRU Activation Policy", repeatable => FruActivationPolicy {
        /// FRU.
        pub fru_id: u8,
    }

    /// Activates a FRU, or deactivates it.
    pub struct SetFruActivation: PICMG 0x0c "Set FRU Activation", repeatable => PicmgDone {
        /// FRU.
        pub fru_id: u8,
        /// Which of it.
        pub activation: FruActivation,
    }
}

message! {
    /// The answer to [`FruControl`].
    pub struct FruControlDone in PICMG {
        /// The maker's own.
        pub data: Bytes<16>,
    }

    /// The answer to [`GetFruControlCapabilities`].
    pub struct FruControlCapabilities in PICMG {
        /// What it can, beside a cold reset.
        pub support: FruControlSupport,
    }

    /// The answer to [`GetFruActivationPolicy`].
    pub struct FruActivationPolicy in PICMG {
        /// Its locks.
        pub policy: ActivationPolicy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn what_ipmitool_sends_for_picmg_frucontrol_and_activate() {
        let control = FruControl {
            fru_id: 1,
            action: FruControlAction::GRACEFUL_REBOOT,
        };
        check::request(&control, &[0, 1, 2], 3);
        check::response(&FruControlDone { data: Bytes::EMPTY }, &[0], 1);
        check::request(&GetFruControlCapabilities { fru_id: 1 }, &[0, 1], 2);
        let support = FruControlSupport(0x0e);
        check::response(&FruControlCapabilities { support }, &[0, 0x0e], 2);
        let set = SetFruActivationPolicy {
            fru_id: 1,
            mask: ActivationPolicy::DEACTIVATION_LOCKED,
            set: ActivationPolicy::NONE,
        };
        check::request(&set, &[0, 1, 2, 0], 4);
        check::request(&GetFruActivationPolicy { fru_id: 1 }, &[0, 1], 2);
        let policy = ActivationPolicy::ACTIVATION_LOCKED;
        check::response(&FruActivationPolicy { policy }, &[0, 1], 2);
        let activate = SetFruActivation {
            fru_id: 1,
            activation: FruActivation::ACTIVATE,
        };
        check::request(&activate, &[0, 1, 1], 3);
        check::response(&PicmgDone, &[0], 1);
    }
}
