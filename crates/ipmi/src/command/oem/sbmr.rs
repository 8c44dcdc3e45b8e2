//! Arm servers with `OpenBMC`: boot progress codes (Arm SBMR 2.0; group extension AEh, §5.1).

use crate::command::layout::{message, request};

request! {
    /// Reports how far firmware is: from the host.
    pub struct SendBootProgressCode: SBMR 0x02 "Send Boot Progress Code", repeatable => SbmrDone {
        /// Code type, operation and instance as UEFI's status codes have them.
        pub code: [u8; 9],
    }

    /// Asks how far firmware is.
    pub struct GetBootProgressCode: SBMR 0x03 "Get Boot Progress Code", repeatable => BootProgressCode {}
}

message! {
    /// An answer without data of its own.
    pub struct SbmrDone in SBMR {}

    /// The answer to [`GetBootProgressCode`].
    pub struct BootProgressCode in SBMR {
        /// The last code that the host sent.
        pub code: [u8; 9],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn a_code_travels_behind_the_groups_byte() {
        let code = [1, 0, 0, 0, 2, 0x10, 3, 0, 0];
        let bytes = [0xae, 1, 0, 0, 0, 2, 0x10, 3, 0, 0];
        check::request(&SendBootProgressCode { code }, &bytes, 10);
        check::response(&SbmrDone, &[0xae], 1);
        check::request(&GetBootProgressCode, &[0xae], 1);
        check::response(&BootProgressCode { code }, &bytes, 10);
    }
}
