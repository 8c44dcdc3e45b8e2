//! The controller of a bay of six power supplies.

use ipmi::number::{EntityId as E, SensorType as T, SensorUnit};

use super::{
    Model, Profile, air_scale, analog, chip_scale, discrete, power, redundancy, temperature,
    voltage,
};
use crate::scale::Scale;
use crate::sdr::Repository;
use crate::sensor::{Analog, Condition, Limits, SensorSpec, Signal};

/// Names of one supply's sensors.
struct Names {
    volts: &'static str,
    input: &'static str,
    output: &'static str,
    temp: &'static str,
    status: &'static str,
}

macro_rules! names {
    ($supply:literal) => {
        Names {
            volts: concat!($supply, " Input Volt"),
            input: concat!($supply, " Input Power"),
            output: concat!($supply, " Out Power"),
            temp: concat!($supply, " Temp"),
            status: concat!($supply, " Status"),
        }
    };
}

pub(super) fn profile() -> Profile {
    let none = f64::NAN;
    let controller = (E::MANAGEMENT_MODULE, 1);
    let unit = (E::POWER_UNIT, 1);
    let inlet = Limits([none, 2.0, 5.0, 38.0, 44.0, 49.0]);
    let amps = Analog::new(
        Signal::Current12,
        SensorUnit::AMPS,
        Scale::linear(10, 0),
        1_200.0,
    )
    .with_limits(&Limits::upper(2_000.0, 2_200.0, none), 1);
    let mut sensors = vec![
        temperature(
            0x01,
            "Inlet Temp",
            (E::AIR_INLET, 1),
            (Signal::Inlet, 25.0),
            air_scale(),
            &inlet,
        ),
        temperature(
            0x02,
            "MC Temp",
            controller,
            (Signal::ControllerTemp, 37.0),
            chip_scale(),
            &Limits::upper(85.0, 95.0, none),
        ),
        voltage(
            0x30,
            "Bus Bar",
            unit,
            (Signal::Rail12, 12.2),
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
            "Output Power",
            unit,
            (Signal::TotalPower, 14_500.0),
            Scale::linear(100, 0),
            &Limits::upper(22_000.0, 23_500.0, none),
        ),
        analog(0x41, "Output Current", T::CURRENT, unit, amps),
        redundancy(
            0x50,
            "PSU Redundancy",
            T::POWER_UNIT,
            unit,
            Condition::SupplyRedundancy,
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
    let supplies = [
        names!("PSU1"),
        names!("PSU2"),
        names!("PSU3"),
        names!("PSU4"),
        names!("PSU5"),
        names!("PSU6"),
    ];
    for (i, names) in (0..).zip(supplies) {
        sensors.extend(supply(i, &names));
    }
    Profile {
        model: Model::PowerBay,
        product: "RDV-9000 Power Bay",
        part_number: "RDV9000-PB",
        board: "RDV-9000 Power Bay Controller",
        controller: "Power Bay MC",
        product_id: 0x9002,
        supplies: 6,
        sensors,
        sdr: Repository::default(),
    }
}

fn supply(i: u8, names: &Names) -> [SensorSpec; 5] {
    let none = f64::NAN;
    let entity = (E::POWER_SUPPLY, i + 1);
    let first = 0x60 + 8 * i;
    let limits = Limits::upper(3_800.0, 4_100.0, none);
    let volts = Analog::new(
        Signal::SupplyInputVoltage(i),
        SensorUnit::VOLTS,
        Scale::linear(1, 0),
        230.0,
    )
    .with_limits(&Limits::both(180.0, 195.0, 250.0, 254.0), 1);
    let watts = || Scale::linear(20, 0);
    [
        analog(first, names.volts, T::VOLTAGE, entity, volts),
        power(
            first + 1,
            names.input,
            entity,
            (Signal::SupplyInputPower(i), 2_600.0),
            watts(),
            &limits,
        ),
        power(
            first + 2,
            names.output,
            entity,
            (Signal::SupplyOutputPower(i), 2_400.0),
            watts(),
            &Limits::NONE,
        ),
        temperature(
            first + 3,
            names.temp,
            entity,
            (Signal::SupplyTemp(i), 45.0),
            chip_scale(),
            &Limits::upper(75.0, 82.0, none),
        ),
        discrete(
            first + 4,
            names.status,
            T::POWER_SUPPLY,
            entity,
            Condition::Supply(i),
            0x000f,
        ),
    ]
}
