//! Get Device SDR Info (§35.2).

use crate::command::{Command, Message};
use crate::number::NetFn;
use crate::wire::{Reader, WireError, Writer};

/// Asks how many sensors or SDRs the addressed LUN of a sensor device has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetDeviceSdrInfo {
    /// Counts SDRs, not sensors. The byte is left out for `None`, which counts sensors.
    pub count_sdrs: Option<bool>,
}

/// The answer to [`GetDeviceSdrInfo`] (§35.2, table 35-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceSdrInfo {
    /// Sensors or SDRs.
    pub count: u8,
    /// One bit for each LUN that has sensors, bit 0 for LUN 0.
    pub luns: u8,
    /// For a population that can change: a number that changes with it. `None` for a static one.
    pub population_change: Option<u32>,
}

impl Command for GetDeviceSdrInfo {
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x20;
    const NAME: &'static str = "Get Device SDR Info";
    const IDEMPOTENT: bool = true;
    type Response = DeviceSdrInfo;

    fn encode(&self, w: &mut Writer<'_>) {
        if let Some(count_sdrs) = self.count_sdrs {
            w.u8(count_sdrs.into());
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            count_sdrs: r
                .u8("operation")
                .ok()
                .map(|operation| operation & 0x01 != 0),
        })
    }
}

/// Bit 7 of the flags byte: the sensor population is dynamic.
const DYNAMIC: u8 = 0x80;

impl Message for DeviceSdrInfo {
    fn encode(&self, w: &mut Writer<'_>) {
        let dynamic = if self.population_change.is_some() {
            DYNAMIC
        } else {
            0
        };
        w.bytes(&[self.count, self.luns & 0x0f | dynamic]);
        if let Some(change) = self.population_change {
            w.u32(change);
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let count = r.u8("number of sensors")?;
        let flags = r.u8("flags")?;
        let population_change = if flags & DYNAMIC == 0 {
            None
        } else {
            Some(r.u32("sensor population change indicator")?)
        };
        Ok(Self {
            count,
            luns: flags & 0x0f,
            population_change,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn only_a_dynamic_population_has_a_change_indicator() {
        check::request(&GetDeviceSdrInfo::default(), &[], 0);
        check::request(
            &GetDeviceSdrInfo {
                count_sdrs: Some(true),
            },
            &[1],
            0,
        );
        let still = DeviceSdrInfo {
            count: 12,
            luns: 0x01,
            population_change: None,
        };
        check::response(&still, &[12, 0x01], 2);
        let dynamic = DeviceSdrInfo {
            count: 3,
            luns: 0x05,
            population_change: Some(0x0403_0201),
        };
        check::response(&dynamic, &[3, 0x85, 1, 2, 3, 4], 6);
    }
}
