//! Set System Boot Options and Get System Boot Options (§28.12, §28.13).

use super::boot_parameter::BootParameter;
use crate::command::{Command, Empty, Message};
use crate::number::{BootOptionParameter, NetFn, SetInProgress};
use crate::wire::{Reader, WireError, Writer};

/// Bit 7 of the parameter selector: the parameter is marked invalid or locked.
const INVALID_OR_LOCKED: u8 = 0x80;

/// Sets one parameter of the system boot options (§28.12).
///
/// Completion code 80h: no such parameter; 81h: another party has a set in progress; 82h: read-only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetSystemBootOptions {
    /// Marks the parameter invalid or locked.
    pub invalid: bool,
    /// Which parameter, and its data.
    pub parameter: BootParameter,
}

/// Asks for one parameter of the system boot options (§28.13). Completion code 80h: no such parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetSystemBootOptions {
    /// Which parameter; 7 bits.
    pub parameter: BootOptionParameter,
    /// Set selector; 0 where the parameter has none.
    pub set: u8,
    /// Block selector; 0 where the parameter has none.
    pub block: u8,
}

/// The answer to [`GetSystemBootOptions`] (§28.13, table 28-13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemBootOptions {
    /// Parameter version: 1 for this specification.
    pub version: u8,
    /// The parameter is marked invalid or locked.
    pub invalid: bool,
    /// Which parameter, and its data.
    pub parameter: BootParameter,
}

impl GetSystemBootOptions {
    /// Asks for a parameter that has neither sets nor blocks.
    #[must_use]
    pub const fn new(parameter: BootOptionParameter) -> Self {
        Self {
            parameter,
            set: 0,
            block: 0,
        }
    }
}

impl Command for SetSystemBootOptions {
    const NETFN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x08;
    const NAME: &'static str = "Set System Boot Options";
    const IDEMPOTENT: bool = true;
    type Response = Empty;

    /// Beginning a set twice is not: the second is refused with 81h.
    fn is_idempotent(&self) -> bool {
        !matches!(
            self.parameter,
            BootParameter::SetInProgress(SetInProgress::IN_PROGRESS)
        )
    }

    fn encode(&self, w: &mut Writer<'_>) {
        encode_parameter(self.invalid, &self.parameter, w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let (invalid, number) = decode_selector(r)?;
        let parameter = BootParameter::decode_data(number, r)?;
        Ok(Self { invalid, parameter })
    }
}

impl Command for GetSystemBootOptions {
    const NETFN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x09;
    const NAME: &'static str = "Get System Boot Options";
    const IDEMPOTENT: bool = true;
    type Response = SystemBootOptions;

    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.parameter.0 & 0x7f, self.set, self.block]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            parameter: BootOptionParameter(r.u8("parameter selector")? & 0x7f),
            set: r.u8("set selector")?,
            block: r.u8("block selector")?,
        })
    }
}

impl Message for SystemBootOptions {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.version & 0x0f);
        encode_parameter(self.invalid, &self.parameter, w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let version = r.u8("parameter version")? & 0x0f;
        let (invalid, number) = decode_selector(r)?;
        Ok(Self {
            version,
            invalid,
            parameter: BootParameter::decode_answer(number, r),
        })
    }
}

fn encode_parameter(invalid: bool, parameter: &BootParameter, w: &mut Writer<'_>) {
    let flag = if invalid { INVALID_OR_LOCKED } else { 0 };
    w.u8(parameter.number().0 & 0x7f | flag);
    parameter.encode_data(w);
}

fn decode_selector(r: &mut Reader<'_>) -> Result<(bool, BootOptionParameter), WireError> {
    let selector = r.u8("parameter selector")?;
    let number = BootOptionParameter(selector & 0x7f);
    Ok((selector & INVALID_OR_LOCKED != 0, number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Bytes;
    use crate::command::chassis::BootFlags;
    use crate::command::check;
    use crate::number::BootDevice;

    #[test]
    fn a_one_time_network_boot_is_parameter_5_with_five_bytes() {
        let flags = BootFlags {
            valid: true,
            device: BootDevice::PXE,
            ..BootFlags::default()
        };
        let set = SetSystemBootOptions {
            invalid: false,
            parameter: BootParameter::Flags(flags),
        };
        check::request(&set, &[0x05, 0x80, 0x04, 0x00, 0x00, 0x00], 1);
        let get = GetSystemBootOptions::new(BootOptionParameter::BOOT_FLAGS);
        check::request(&get, &[0x05, 0x00, 0x00], 3);
        let response = SystemBootOptions {
            version: 1,
            invalid: true,
            parameter: BootParameter::Flags(flags),
        };
        check::response(&response, &[0x01, 0x85, 0x80, 0x04, 0x00, 0x00, 0x00], 2);
    }

    #[test]
    fn an_answer_may_be_longer_than_its_parameter_and_a_request_may_not() {
        let bytes =
            |len| [&[0x01, 0x05, 0x80, 0x04, 0, 0, 0][..], &[0; 40]].concat()[..len].to_vec();
        for len in [7, 19, 42] {
            let read = SystemBootOptions::decode(&mut Reader::new(&bytes(len))).unwrap();
            let BootParameter::Flags(flags) = read.parameter else {
                panic!("{len} bytes: {read:?}")
            };
            assert_eq!(flags.device, BootDevice::PXE);
        }
        let set = SetSystemBootOptions::decode(&mut Reader::new(&bytes(19)[1..])).unwrap();
        assert!(matches!(set.parameter, BootParameter::Raw { .. }));
        let short = SystemBootOptions::decode(&mut Reader::new(&bytes(6))).unwrap();
        assert!(matches!(short.parameter, BootParameter::Raw { .. }));
    }

    #[test]
    fn beginning_a_set_is_not_done_twice_and_ending_it_may_be() {
        let set = |state| SetSystemBootOptions {
            invalid: false,
            parameter: BootParameter::SetInProgress(state),
        };
        assert!(!set(SetInProgress(1)).is_idempotent());
        assert!(set(SetInProgress(0)).is_idempotent());
    }

    #[test]
    fn an_unknown_parameter_keeps_its_number_and_bytes() {
        let parameter = BootParameter::Raw {
            number: BootOptionParameter(0x61),
            data: Bytes::from([1, 2, 3]),
        };
        let set = SetSystemBootOptions {
            invalid: false,
            parameter,
        };
        check::request(&set, &[0x61, 1, 2, 3], 1);
    }

    #[test]
    fn setting_only_the_lock_bit_sends_no_data() {
        let parameter = BootParameter::Raw {
            number: BootOptionParameter::BOOT_FLAGS,
            data: Bytes::EMPTY,
        };
        let set = SetSystemBootOptions {
            invalid: true,
            parameter,
        };
        check::request(&set, &[0x85], 1);
    }
}
