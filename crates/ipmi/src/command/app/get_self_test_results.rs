//! Get Self Test Results (§20.4).

use crate::command::{Command, Message};
use crate::number::{NetFn, SelfTestFaults, SelfTestResult};
use crate::wire::{Reader, WireError, Writer};

/// Asks how the self test of the controller ended; does not run it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetSelfTestResults;

/// The answer to [`GetSelfTestResults`] (§20.4, table 20-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfTestResults {
    /// How it ended.
    pub result: SelfTestResult,
    /// More about the result; see [`SelfTestResults::faults`].
    pub detail: u8,
}

impl SelfTestResults {
    /// What is corrupt or missing; none unless the result is [`SelfTestResult::CORRUPT`].
    #[must_use]
    pub fn faults(&self) -> SelfTestFaults {
        if self.result == SelfTestResult::CORRUPT {
            SelfTestFaults(self.detail)
        } else {
            SelfTestFaults::NONE
        }
    }
}

impl Command for GetSelfTestResults {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x04;
    const NAME: &'static str = "Get Self Test Results";
    const IDEMPOTENT: bool = true;
    type Response = SelfTestResults;

    fn encode(&self, _: &mut Writer<'_>) {}

    fn decode(_: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self)
    }
}

impl Message for SelfTestResults {
    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.result.0, self.detail]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            result: SelfTestResult(r.u8("self test result")?),
            detail: r.u8("self test detail")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn the_second_byte_names_faults_only_after_57h() {
        check::request(&GetSelfTestResults, &[], 0);
        let passed = SelfTestResults {
            result: SelfTestResult::PASSED,
            detail: 0,
        };
        check::response(&passed, &[0x55, 0x00], 2);
        let corrupt = SelfTestResults {
            result: SelfTestResult::CORRUPT,
            detail: 0xc0,
        };
        assert_eq!(corrupt.faults(), SelfTestFaults::SEL | SelfTestFaults::SDR);
        let fatal = SelfTestResults {
            result: SelfTestResult::FATAL,
            detail: 0xc0,
        };
        assert_eq!(fatal.faults(), SelfTestFaults::NONE);
    }
}
