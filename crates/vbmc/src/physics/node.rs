//! A computer with two processors.

use crate::controller::Drive;
use crate::curve::{hash, signed_unit, smooth};
use crate::physics::{Place, approach, at, efficiency};
use crate::sensor::Signal;

/// What a node takes while its host is off: controller and network chip, in W.
const STANDBY_W: f32 = 11.0;
/// Top speed of a node's fan, in revolutions per minute.
const FAN_RPM_MAX: f32 = 12_600.0;
/// What one fan takes at top speed, in W.
const FAN_W_MAX: f32 = 9.0;
/// The temperature at which a processor slows down, in °C.
const CPU_LIMIT_C: f32 = 95.0;
/// The fans turn no slower than this share of their top speed while the host runs.
const DUTY_MIN: f32 = 0.28;
/// The least share of its load that a capped node carries.
const THROTTLE_MIN: f32 = 0.1;
/// So far below its cap a node speeds up again, in W.
const CAP_MARGIN_W: f32 = 12.0;
/// Steps after which a node that was never looked at has found its balance.
const SETTLING_STEPS: u64 = 60;

/// What the host does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostLoad {
    /// Nothing: power is off.
    Off,
    /// Power-on self test: busy on one processor.
    Booting,
    /// The operating system runs and follows its load curve.
    Running,
}

/// The physical state of a computer.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    inlet_c: f32,
    exhaust_c: f32,
    load: [f32; 2],
    cpu_w: [f32; 2],
    cpu_c: [f32; 2],
    dimm_c: [f32; 4],
    vrm_c: f32,
    pch_c: f32,
    controller_c: f32,
    supply_c: [f32; 2],
    duty: f32,
    fan_rpm: [f32; 4],
    /// Delivered by the power supplies.
    output_w: f32,
    /// Taken by the power supplies.
    power_w: f32,
    /// `power_w` as the enclosure around it has warmed up so far.
    warm_w: f32,
    on: bool,
    /// What consoles make it do.
    drive: Drive,
    /// How much of its load it carries, 0 to 1: less while its power is capped.
    throttle: f32,
}

impl Node {
    /// A node in balance at `at_s` after having done `load` for long.
    #[must_use]
    pub fn settled(place: &Place, at_s: u64, load: HostLoad) -> Self {
        let mut node = Self {
            inlet_c: 22.0,
            exhaust_c: 30.0,
            load: [0.0; 2],
            cpu_w: [0.0; 2],
            cpu_c: [45.0; 2],
            dimm_c: [35.0; 4],
            vrm_c: 40.0,
            pch_c: 40.0,
            controller_c: 38.0,
            supply_c: [35.0; 2],
            duty: DUTY_MIN,
            fan_rpm: [DUTY_MIN * FAN_RPM_MAX; 4],
            output_w: 200.0,
            power_w: 220.0,
            warm_w: 220.0,
            on: load != HostLoad::Off,
            drive: Drive::default(),
            throttle: 1.0,
        };
        for before in (0..SETTLING_STEPS).rev() {
            node.step(place, at_s.saturating_sub(before), load, 0.0);
        }
        node
    }

    /// Has it do what consoles want from now on.
    pub const fn drive(&mut self, drive: Drive) {
        self.drive = drive;
    }

    /// One second passes.
    pub fn step(&mut self, place: &Place, at_s: u64, load: HostLoad, warmer_c: f32) {
        self.on = load != HostLoad::Off;
        // The room breathes over minutes; racks are warmer at the top.
        self.inlet_c =
            21.5 + place.height_c + 0.8 * smooth(place.seed ^ 0x17, at_s, 420) + warmer_c;
        self.step_load(place, at_s, load);
        self.step_fans(place);
        self.step_power();
        self.step_temperatures();
    }

    fn step_load(&mut self, place: &Place, at_s: u64, load: HostLoad) {
        for (cpu, value) in self.load.iter_mut().enumerate() {
            let seed = hash(place.seed, cpu as u64);
            *value = match load {
                HostLoad::Off => 0.0,
                HostLoad::Booting => {
                    if cpu == 0 {
                        0.35
                    } else {
                        0.05
                    }
                }
                HostLoad::Running => {
                    let base = 0.42 + 0.22 * signed_unit(place.seed, 2);
                    let jobs = 0.22 * smooth(seed, at_s, 240) + 0.14 * smooth(seed ^ 1, at_s, 45);
                    (base + jobs + 0.08 * smooth(seed ^ 2, at_s, 8)).clamp(0.03, 1.0)
                }
            };
        }
        // Power above the cap slows the processors down within seconds; below it they speed up again.
        let over = self
            .drive
            .cap_w
            .is_some_and(|cap_w| self.power_w > f32::from(cap_w));
        let near = self
            .drive
            .cap_w
            .is_some_and(|cap_w| self.power_w > f32::from(cap_w) - CAP_MARGIN_W);
        self.throttle = match (over, near) {
            (true, _) => (self.throttle - 0.1).max(THROTTLE_MIN),
            (false, true) => self.throttle,
            (false, false) => (self.throttle + 0.02).min(1.0),
        };
        for (watts, load) in self.cpu_w.iter_mut().zip(self.load) {
            let load = load * self.throttle;
            let target = if self.on { 32.0 + 118.0 * load } else { 0.0 };
            approach(watts, target, 0.8);
        }
    }

    fn step_fans(&mut self, place: &Place) {
        let hottest = self.cpu_c[0].max(self.cpu_c[1]);
        let wanted = if self.on {
            (DUTY_MIN + (hottest - 44.0) * 0.021).clamp(DUTY_MIN, 1.0)
        } else {
            0.0
        };
        // The loop is slow upwards and slower downwards, so that it does not hunt; off is off.
        let change = wanted - self.duty;
        self.duty = if self.on {
            self.duty + change.clamp(-0.03, 0.06)
        } else {
            0.0
        };
        for (fan, rpm) in self.fan_rpm.iter_mut().enumerate() {
            let made = 1.0 + 0.02 * signed_unit(place.seed ^ 0xfa, fan as u64);
            // Driven, a fan is quick; without power it runs down.
            let share = if self.on { 0.45 } else { 0.3 };
            let duty = match self.drive.fans.get(fan).copied().flatten() {
                Some(duty) if self.on => duty,
                _ => self.duty,
            };
            approach(rpm, duty * made * FAN_RPM_MAX, share);
            if !self.on && *rpm < 100.0 {
                *rpm = 0.0;
            }
        }
    }

    fn step_power(&mut self) {
        let load = (self.load[0] + self.load[1]) / 2.0;
        let board = if self.on { 48.0 + 42.0 * load } else { 0.0 };
        let fans: f32 = self
            .fan_rpm
            .iter()
            .map(|rpm| FAN_W_MAX * (rpm / FAN_RPM_MAX).powi(3))
            .sum();
        let wanted =
            STANDBY_W + board + self.cpu_w[0] + self.cpu_w[1] + if self.on { fans } else { 0.0 };
        approach(&mut self.output_w, wanted, 0.75);
        let power_w = self.output_w / efficiency(self.output_w / 800.0);
        self.power_w = power_w;
        approach(&mut self.warm_w, power_w, 0.04);
    }

    fn step_temperatures(&mut self) {
        let inlet = self.inlet_c;
        let flow = self.flow();
        let load = (self.load[0] + self.load[1]) / 2.0;
        // A heat sink's resistance falls with the root of the air flow.
        let resistance = 0.23 / flow.sqrt();
        for (cpu, (temp, watts)) in self.cpu_c.iter_mut().zip(self.cpu_w).enumerate() {
            // The second processor sits in the first one's warm air.
            let air = inlet
                + if cpu == 0 {
                    2.0
                } else {
                    2.0 + 0.018 * self.cpu_w[0] / flow
                };
            approach(
                temp,
                air + watts * resistance,
                if self.on { 0.12 } else { 0.05 },
            );
        }
        let warm = if self.on { 1.0 } else { 0.0 };
        for (dimm, temp) in self.dimm_c.iter_mut().enumerate() {
            let behind = 1.0 + 1.4 * dimm as f32;
            approach(
                temp,
                inlet + warm * (behind + (5.0 + 9.0 * load) / flow.sqrt()),
                0.03,
            );
        }
        approach(
            &mut self.vrm_c,
            inlet + warm * (8.0 + 0.075 * (self.cpu_w[0] + self.cpu_w[1]) / flow.sqrt()),
            0.06,
        );
        approach(
            &mut self.pch_c,
            inlet + 3.0 + warm * (11.0 + 6.0 / flow),
            0.025,
        );
        approach(
            &mut self.controller_c,
            inlet + 9.0 + warm * (4.0 + 2.0 / flow),
            0.025,
        );
        approach(
            &mut self.exhaust_c,
            inlet + 1.0 + self.power_w / (34.0 * flow),
            0.07,
        );
        for (supply, temp) in self.supply_c.iter_mut().enumerate() {
            approach(
                temp,
                inlet + 3.0 + 0.5 * supply as f32 + 0.03 * self.power_w / flow.sqrt(),
                0.035,
            );
        }
    }

    /// Air flow as a share of the greatest; convection remains when the fans stand.
    fn flow(&self) -> f32 {
        let mean: f32 = self.fan_rpm.iter().sum::<f32>() / 4.0;
        0.12 + 0.88 * mean / FAN_RPM_MAX
    }

    /// What it takes from its supply, in W.
    #[must_use]
    pub const fn power_w(&self) -> f32 {
        self.power_w
    }

    /// The same, followed as slowly as the enclosure around it warms up, in W.
    #[must_use]
    pub const fn warm_w(&self) -> f32 {
        self.warm_w
    }

    /// Air that leaves it, in °C.
    #[must_use]
    pub const fn exhaust_c(&self) -> f32 {
        self.exhaust_c
    }

    /// Air that enters it, in °C.
    #[must_use]
    pub const fn inlet_c(&self) -> f32 {
        self.inlet_c
    }

    /// The present value of a signal.
    #[must_use]
    pub fn signal(&self, signal: Signal) -> Option<f32> {
        let amps = self.output_w / 12.0;
        Some(match signal {
            Signal::Inlet => self.inlet_c,
            Signal::Exhaust => self.exhaust_c,
            Signal::CpuTemp(i) => at(&self.cpu_c, i)?,
            Signal::CpuMargin(i) => at(&self.cpu_c, i)? - CPU_LIMIT_C,
            Signal::CpuPower(i) => at(&self.cpu_w, i)?,
            Signal::DimmTemp(i) => at(&self.dimm_c, i)?,
            Signal::VrmTemp => self.vrm_c,
            Signal::PchTemp => self.pch_c,
            Signal::ControllerTemp => self.controller_c,
            Signal::SupplyTemp(i) => at(&self.supply_c, i)?,
            Signal::Fan(i) => at(&self.fan_rpm, i)?,
            Signal::Rail12 => 12.18 - 0.0075 * amps,
            Signal::Rail5 => 5.06 - 0.0011 * amps,
            Signal::Rail3 => 3.34 - 0.0009 * amps,
            Signal::RailStandby => 3.32 - 0.0002 * amps,
            Signal::RailCpu(i) => 1.82 - 0.0006 * at(&self.cpu_w, i)?,
            Signal::RailDimm(i) => 1.215 - 0.022 * at(&self.load, i)?,
            Signal::Battery => 3.06,
            // The two supplies share the load almost evenly.
            Signal::SupplyInputPower(0) => 0.51 * self.power_w,
            Signal::SupplyInputPower(1) => 0.49 * self.power_w,
            Signal::TotalPower => self.power_w,
            Signal::Current12 => amps,
            Signal::SupplyInputVoltage(_)
            | Signal::SupplyInputPower(_)
            | Signal::SupplyOutputPower(_)
            | Signal::Airflow => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place {
        seed: 7,
        height_c: 1.0,
    };

    #[test]
    fn a_running_node_stays_within_plausible_bounds_for_an_hour() {
        for seed in 0..50 {
            let place = Place {
                seed,
                height_c: 2.5,
            };
            let mut node = Node::settled(&place, 0, HostLoad::Running);
            for second in 0..3_600 {
                node.step(&place, second, HostLoad::Running, 0.0);
                assert!(
                    (30.0..90.0).contains(&node.cpu_c[0]),
                    "{seed} {second} {node:?}"
                );
                assert!(
                    (30.0..90.0).contains(&node.cpu_c[1]),
                    "{seed} {second} {node:?}"
                );
                assert!(
                    (100.0..600.0).contains(&node.power_w),
                    "{seed} {second} {node:?}"
                );
                assert!(node.exhaust_c > node.inlet_c, "{seed} {second} {node:?}");
                assert!(
                    (3_000.0..13_000.0).contains(&node.fan_rpm[0]),
                    "{seed} {second} {node:?}"
                );
            }
        }
    }

    #[test]
    fn without_power_the_fans_run_down_the_draw_falls_to_standby_and_heat_leaves() {
        let mut node = Node::settled(&PLACE, 0, HostLoad::Running);
        let running = node.clone();
        for second in 0..5 {
            node.step(&PLACE, second, HostLoad::Off, 0.0);
        }
        assert!(node.fan_rpm[0] < running.fan_rpm[0] / 2.0 && node.fan_rpm[0] > 0.0);
        assert!(
            node.power_w < 0.1 * running.power_w,
            "{} {}",
            node.power_w,
            running.power_w
        );
        for second in 5..600 {
            node.step(&PLACE, second, HostLoad::Off, 0.0);
        }
        assert_eq!(node.fan_rpm, [0.0; 4]);
        assert!(node.cpu_c[0] - node.inlet_c < 4.0, "{node:?}");
        assert!((9.0..16.0).contains(&node.power_w), "{}", node.power_w);
    }

    #[test]
    fn warmer_air_makes_the_fans_faster_and_the_processors_hotter() {
        let mut cool = Node::settled(&PLACE, 0, HostLoad::Running);
        let mut warm = cool.clone();
        for second in 0..300 {
            cool.step(&PLACE, second, HostLoad::Running, 0.0);
            warm.step(&PLACE, second, HostLoad::Running, 15.0);
        }
        assert!(warm.fan_rpm[0] > cool.fan_rpm[0] + 500.0);
        assert!(warm.cpu_c[0] > cool.cpu_c[0] + 1.0);
    }
}
