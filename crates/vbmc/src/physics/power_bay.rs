//! A power bay: a shelf of supplies that feeds nodes over a 12 V bus bar.

use crate::curve::{signed_unit, smooth};
use crate::physics::{Feed, Place, at, efficiency};
use crate::sensor::Signal;

/// Power supplies in a bay.
const SUPPLIES: usize = 6;
/// What one of them can deliver, in W.
const SUPPLY_W_MAX: f32 = 4_000.0;

/// The physical state of a power bay.
#[derive(Clone, Debug, PartialEq)]
pub struct PowerBay {
    inlet_c: f32,
    output_w: f32,
    supply_output_w: [f32; SUPPLIES],
    supply_input_w: [f32; SUPPLIES],
    supply_c: [f32; SUPPLIES],
    input_v: f32,
}

impl PowerBay {
    /// The bay that feeds nodes which add up to `feed`, at `at_s`. What it delivers is what they take.
    #[must_use]
    pub fn feeding(place: &Place, at_s: u64, feed: &Feed) -> Self {
        let inlet_c = feed.inlet_c + 1.5;
        let (mut supply_output_w, mut supply_input_w) = ([0.0; SUPPLIES], [0.0; SUPPLIES]);
        let mut supply_c = [0.0; SUPPLIES];
        let shares: [f32; SUPPLIES] =
            std::array::from_fn(|i| 1.0 + 0.02 * signed_unit(place.seed, i as u64));
        let shares_sum: f32 = shares.iter().sum();
        for (i, share) in shares.iter().enumerate() {
            supply_output_w[i] = feed.power_w * share / shares_sum;
            supply_input_w[i] =
                supply_output_w[i] / efficiency(supply_output_w[i] / SUPPLY_W_MAX) + 6.0;
            supply_c[i] = inlet_c + 4.0 + 0.008 * feed.warm_w * share / shares_sum;
        }
        let input_v = 231.0 + 2.2 * smooth(place.seed, at_s, 90) - 0.000_08 * feed.power_w;
        Self {
            inlet_c,
            output_w: feed.power_w,
            supply_output_w,
            supply_input_w,
            supply_c,
            input_v,
        }
    }

    /// The present value of a signal.
    #[must_use]
    pub fn signal(&self, signal: Signal) -> Option<f32> {
        Some(match signal {
            Signal::Inlet => self.inlet_c,
            Signal::TotalPower => self.output_w,
            Signal::Current12 => self.output_w / 12.2,
            Signal::Rail12 => 12.25 - 0.000_004 * self.output_w,
            Signal::SupplyInputVoltage(i) if usize::from(i) < SUPPLIES => self.input_v,
            Signal::SupplyInputPower(i) => at(&self.supply_input_w, i)?,
            Signal::SupplyOutputPower(i) => at(&self.supply_output_w, i)?,
            Signal::SupplyTemp(i) => at(&self.supply_c, i)?,
            Signal::ControllerTemp => self.inlet_c + 12.0,
            Signal::RailStandby => 3.3,
            _ => return None,
        })
    }
}
