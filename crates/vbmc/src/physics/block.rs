//! A block: the common fans of several sleds.

use crate::curve::signed_unit;
use crate::physics::{Feed, Place, at};
use crate::sensor::Signal;

/// Slowest and fastest speed of a block fan, in revolutions per minute.
const FAN_RPM: (f32, f32) = (4_800.0, 11_500.0);

/// The physical state of a block: no history of its own, for its nodes' is slow enough.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    inlet_c: f32,
    exhaust_c: f32,
    fan_rpm: [f32; 6],
    flow_cfm: f32,
    power_w: f32,
}

impl Block {
    /// The block around nodes that add up to `feed`.
    #[must_use]
    pub fn around(place: &Place, feed: &Feed) -> Self {
        // The fans follow the hottest air that leaves a node.
        let duty = ((feed.hottest_exhaust_c - 26.0) / 32.0).clamp(0.0, 1.0);
        let mut fan_rpm = [0.0; 6];
        for (fan, rpm) in fan_rpm.iter_mut().enumerate() {
            let made = 1.0 + 0.015 * signed_unit(place.seed, fan as u64);
            *rpm = made * (FAN_RPM.0 + duty * (FAN_RPM.1 - FAN_RPM.0));
        }
        let flow_cfm = 1_400.0 * fan_rpm.iter().sum::<f32>() / (6.0 * FAN_RPM.1);
        // 1 CFM carries 0.56 W for each degree.
        let exhaust_c = feed.inlet_c + 2.0 + feed.warm_w / (0.56 * flow_cfm);
        let fans_w = fan_rpm
            .iter()
            .map(|rpm| 38.0 * (rpm / FAN_RPM.1).powi(3))
            .sum::<f32>();
        Self {
            inlet_c: feed.inlet_c,
            exhaust_c,
            fan_rpm,
            flow_cfm,
            power_w: feed.power_w + fans_w + 14.0,
        }
    }

    /// The present value of a signal.
    #[must_use]
    pub fn signal(&self, signal: Signal) -> Option<f32> {
        Some(match signal {
            Signal::Inlet => self.inlet_c,
            Signal::Exhaust => self.exhaust_c,
            Signal::Fan(i) => at(&self.fan_rpm, i)?,
            Signal::Airflow => self.flow_cfm,
            Signal::TotalPower => self.power_w,
            Signal::ControllerTemp => self.inlet_c + 14.0,
            Signal::Rail12 => 12.15 - 0.000_01 * self.power_w,
            Signal::RailStandby => 3.31,
            _ => return None,
        })
    }
}
