//! Get DCMI Capabilities Info, Set and Get DCMI Configuration Parameters (DCMI 1.5 §6.1).

use super::DcmiDone;
use crate::command::Bytes;
use crate::command::layout::{message, request};
use crate::number::{DcmiCapabilityParameter, DcmiDiscovery, DcmiParameter, RollingAverageUnit};

/// Room for the data of one parameter.
pub const DCMI_PARAMETER_MAX: usize = 32;

request! {
    /// Asks what of DCMI there is (DCMI 1.5 §6.1.1). May be asked without a session.
    pub struct GetDcmiCapabilities: DCMI 0x01 "Get DCMI Capabilities Info", repeatable => DcmiCapabilities {
        /// About what.
        pub parameter: DcmiCapabilityParameter,
    }

    /// Sets one configuration parameter (DCMI 1.5 §6.1.2).
    pub struct SetDcmiConfiguration: DCMI 0x12 "Set DCMI Configuration Parameters", repeatable => DcmiDone {
        /// Which parameter.
        pub parameter: DcmiParameter,
        /// Set selector; 0.
        pub set: u8,
        /// Its data.
        pub data: Bytes<DCMI_PARAMETER_MAX>,
    }

    /// Asks for one configuration parameter (DCMI 1.5 §6.1.3).
    pub struct GetDcmiConfiguration: DCMI 0x13 "Get DCMI Configuration Parameters", repeatable => DcmiConfiguration {
        /// Which parameter.
        pub parameter: DcmiParameter,
        /// Set selector; 0.
        pub set: u8,
    }
}

message! {
    /// The answer to [`GetDcmiCapabilities`] (DCMI 1.5 table 6-2).
    pub struct DcmiCapabilities in DCMI {
        /// Major and minor version of DCMI.
        pub version: [u8; 2],
        /// Revision of the parameters: 2.
        pub revision: u8,
        /// The data, by table 6-3.
        pub data: Bytes<DCMI_PARAMETER_MAX>,
    }

    /// The answer to [`GetDcmiConfiguration`] (DCMI 1.5 table 6-5).
    pub struct DcmiConfiguration in DCMI {
        /// Major and minor version of DCMI.
        pub version: [u8; 2],
        /// Revision of the parameters: 1.
        pub revision: u8,
        /// The data, by table 6-6.
        pub data: Bytes<DCMI_PARAMETER_MAX>,
    }
}

impl DcmiCapabilities {
    /// The periods of the enhanced power statistics, each with its unit: the data of parameter 5, a count and then a byte
    /// for each with the unit in bits 7:6 (DCMI 1.5 table 6-3).
    pub fn rolling_averages(&self) -> impl Iterator<Item = (u8, RollingAverageUnit)> {
        let (count, periods) = self.data.split_first().unwrap_or((&0, &[]));
        let count = usize::from(*count).min(periods.len());
        let period = |byte: &u8| (byte & 0x3f, RollingAverageUnit(byte >> 6));
        periods[..count].iter().map(period)
    }
}

impl DcmiConfiguration {
    /// What DHCP sends: the data of parameter 2; `None` where there is none (DCMI 1.5 table 6-6).
    #[must_use]
    pub fn discovery(&self) -> Option<DcmiDiscovery> {
        self.data.first().copied().map(DcmiDiscovery)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn the_groups_byte_leads_every_request_and_answer() {
        let get = GetDcmiCapabilities {
            parameter: DcmiCapabilityParameter::SUPPORTED,
        };
        check::request(&get, &[0xdc, 1], 2);
        let answer = DcmiCapabilities {
            version: super::super::VERSION_1_5,
            revision: 2,
            data: Bytes::from([0, 1, 7]),
        };
        check::response(&answer, &[0xdc, 1, 5, 2, 0, 1, 7], 4);
        let set = SetDcmiConfiguration {
            parameter: DcmiParameter::DISCOVERY,
            set: 0,
            data: Bytes::from([0x81]),
        };
        check::request(&set, &[0xdc, 2, 0, 0x81], 3);
        check::response(&DcmiDone, &[0xdc], 1);
        let get = GetDcmiConfiguration {
            parameter: DcmiParameter::CONTACT_TIMEOUT,
            set: 0,
        };
        check::request(&get, &[0xdc, 4, 0], 3);
        let answer = DcmiConfiguration {
            version: super::super::VERSION_1_5,
            revision: 1,
            data: Bytes::from([120, 0]),
        };
        check::response(&answer, &[0xdc, 1, 5, 1, 120, 0], 4);
    }

    #[test]
    fn periods_of_power_statistics_have_their_unit_in_the_top_bits() {
        let capabilities = DcmiCapabilities {
            version: [1, 5],
            revision: 2,
            data: Bytes::from([2, 0x05, 0x81]),
        };
        let periods: std::vec::Vec<_> = capabilities.rolling_averages().collect();
        let expected = [
            (5, RollingAverageUnit::SECONDS),
            (1, RollingAverageUnit::HOURS),
        ];
        assert_eq!(periods, expected);
        let configuration = DcmiConfiguration {
            version: [1, 5],
            revision: 1,
            data: Bytes::from([0x82]),
        };
        let discovery = DcmiDiscovery::OPTION_60_43 | DcmiDiscovery::RANDOM_BACKOFF;
        assert_eq!(configuration.discovery(), Some(discovery));
    }
}
