//! The controller of a block's fans.

use ipmi::number::{EntityId as E, Linearization, SensorType as T, SensorUnit};
use ipmi::record::{AnalogFormat, Factors};

use super::{
    Model, Profile, air_scale, analog, chip_scale, discrete, power, redundancy, temperature,
    voltage,
};
use crate::scale::Scale;
use crate::sdr::Repository;
use crate::sensor::{Analog, Condition, Limits, Signal};

pub(super) fn profile() -> Profile {
    let none = f64::NAN;
    let controller = (E::MANAGEMENT_MODULE, 1);
    let chassis = (E::SYSTEM_CHASSIS, 1);
    let inlet = Limits([none, 2.0, 5.0, 36.0, 42.0, 47.0]);
    let mut sensors = vec![
        temperature(
            0x01,
            "Inlet Temp",
            (E::AIR_INLET, 1),
            (Signal::Inlet, 23.0),
            air_scale(),
            &inlet,
        ),
        temperature(
            0x02,
            "Exhaust Temp",
            chassis,
            (Signal::Exhaust, 42.0),
            chip_scale(),
            &Limits::upper(70.0, 76.0, none),
        ),
        temperature(
            0x03,
            "BC Temp",
            controller,
            (Signal::ControllerTemp, 37.0),
            chip_scale(),
            &Limits::upper(85.0, 95.0, none),
        ),
        voltage(
            0x30,
            "P12V",
            controller,
            (Signal::Rail12, 12.0),
            Scale::linear(6, -2),
        ),
        voltage(
            0x31,
            "P3V3 AUX",
            controller,
            (Signal::RailStandby, 3.3),
            Scale::linear(17, -3),
        ),
        power(
            0x40,
            "Block Power",
            (E::POWER_UNIT, 1),
            (Signal::TotalPower, 7_200.0),
            Scale::linear(80, 0),
            &Limits::upper(18_000.0, 19_000.0, none),
        ),
        redundancy(
            0x50,
            "Fan Redundancy",
            T::FAN,
            (E::COOLING_UNIT, 1),
            Condition::FanRedundancy,
        ),
        discrete(
            0x51,
            "SEL",
            T::EVENT_LOGGING_DISABLED,
            controller,
            Condition::EventLog,
            0x0034,
        ),
        discrete(
            0x52,
            "Watchdog",
            T::WATCHDOG_2,
            controller,
            Condition::Watchdog,
            0x010f,
        ),
    ];
    for (i, name) in (0..).zip([
        "Block Fan1",
        "Block Fan2",
        "Block Fan3",
        "Block Fan4",
        "Block Fan5",
        "Block Fan6",
    ]) {
        // The tachometer counts the time of a turn, so that speed is its inverse.
        let factors = Factors {
            m: 15,
            r_exponent: -7,
            ..Factors::default()
        };
        let scale = Scale::new(AnalogFormat::Unsigned, Linearization::INVERSE, factors);
        let fan = Analog::new(Signal::Fan(i), SensorUnit::RPM, scale, 6_800.0)
            .with_limits(&Limits::lower(3_000.0, 3_600.0), 2);
        sensors.push(analog(0x20 + i, name, T::FAN, (E::FAN, i + 1), fan));
    }
    // Air flow is the root of the pressure that the transducer measures.
    let factors = Factors {
        m: 9,
        r_exponent: 3,
        ..Factors::default()
    };
    let scale = Scale::new(AnalogFormat::Unsigned, Linearization::SQUARE_ROOT, factors);
    let flow = Analog::new(Signal::Airflow, SensorUnit::CFM, scale, 800.0)
        .with_limits(&Limits::lower(250.0, 350.0), 1);
    sensors.push(analog(
        0x28,
        "Airflow",
        T::OTHER_UNITS_BASED,
        (E::COOLING_UNIT, 1),
        flow,
    ));
    Profile {
        model: Model::Block,
        product: "RDV-9000 Block",
        part_number: "RDV9000-BC",
        board: "RDV-9000 Block Controller",
        controller: "Block Controller",
        product_id: 0x9001,
        supplies: 0,
        sensors,
        sdr: Repository::default(),
    }
}
