//! The controller of a block's fans.

use ipmi::number::Linearization;
use ipmi::record::{AnalogFormat, Factors};

use super::{INTAKE, Model, Profile, air, chip, discrete, numeric, rail, upper};
use crate::machine::Quiet;
use crate::scale::Scale;
use crate::sdr::Repository;
use crate::sensor::{Limits, SensorSpec};

const FAN: Limits = Limits::lower(3_000.0, 3_600.0);

pub(super) fn profile() -> Profile {
    let mut sensors = Vec::new();
    sensors.extend(temperatures());
    sensors.extend(fans());
    sensors.extend(power());
    sensors.extend(states());
    Profile {
        model: Model::Block,
        product: "RDV-9000 Block",
        part_number: "RDV9000-BC",
        board: "RDV-9000 Block Controller",
        controller: "Block Controller",
        product_id: 0x9001,
        supplies: 0,
        supply_watts: 0,
        processors: 0,
        modules: 0,
        module_mib: 0,
        sensors,
        sdr: Repository::default(),
        law: None,
        quiet: Quiet::default(),
    }
}

#[rustfmt::skip]
fn temperatures() -> [SensorSpec; 3] {
    numeric! { TEMPERATURE in DEGREES_C:
        0x01 "Inlet Temp"   AIR_INLET 1          Inlet          23.0  air(), INTAKE, 4;
        0x02 "Exhaust Temp" SYSTEM_CHASSIS 1     Exhaust        42.0  chip(), upper(70.0, 76.0), 4;
        0x03 "BC Temp"      MANAGEMENT_MODULE 1  ControllerTemp 37.0  chip(), upper(85.0, 95.0), 4;
    }
}

/// The tachometer counts the time of a turn, so that speed is its inverse.
fn tachometer() -> Scale {
    let factors = Factors {
        m: 15,
        r_exponent: -7,
        ..Factors::default()
    };
    Scale::new(AnalogFormat::Unsigned, Linearization::INVERSE, factors)
}

/// Air flow is the root of the pressure that the transducer measures.
fn transducer() -> Scale {
    let factors = Factors {
        m: 9,
        r_exponent: 3,
        ..Factors::default()
    };
    Scale::new(AnalogFormat::Unsigned, Linearization::SQUARE_ROOT, factors)
}

#[rustfmt::skip]
fn fans() -> Vec<SensorSpec> {
    let mut all = Vec::from(numeric! { FAN in RPM:
        0x20 "Block Fan1" FAN 1  Fan(0) 6_800.0  tachometer(), FAN, 2;
        0x21 "Block Fan2" FAN 2  Fan(1) 6_800.0  tachometer(), FAN, 2;
        0x22 "Block Fan3" FAN 3  Fan(2) 6_800.0  tachometer(), FAN, 2;
        0x23 "Block Fan4" FAN 4  Fan(3) 6_800.0  tachometer(), FAN, 2;
        0x24 "Block Fan5" FAN 5  Fan(4) 6_800.0  tachometer(), FAN, 2;
        0x25 "Block Fan6" FAN 6  Fan(5) 6_800.0  tachometer(), FAN, 2;
    });
    all.extend(numeric! { OTHER_UNITS_BASED in CFM:
        0x28 "Airflow" COOLING_UNIT 1  Airflow 800.0  transducer(), Limits::lower(250.0, 350.0), 1;
    });
    all
}

#[rustfmt::skip]
fn power() -> Vec<SensorSpec> {
    let mut all = Vec::from(numeric! { VOLTAGE in VOLTS:
        0x30 "P12V"     MANAGEMENT_MODULE 1  Rail12      12.0  Scale::linear(6, -2), rail(12.0), 1;
        0x31 "P3V3 AUX" MANAGEMENT_MODULE 1  RailStandby 3.3   Scale::linear(17, -3), rail(3.3), 1;
    });
    all.extend(numeric! { OTHER_UNITS_BASED in WATTS:
        0x40 "Block Power" POWER_UNIT 1  TotalPower 7_200.0  Scale::linear(80, 0), upper(18_000.0, 19_000.0), 2;
    });
    all
}

#[rustfmt::skip]
fn states() -> [SensorSpec; 3] {
    discrete! {
        0x50 "Fan Redundancy" FAN                    COOLING_UNIT 1       FanRedundancy 0x003f redundancy;
        // Cleared, full, almost full.
        0x51 "SEL"            EVENT_LOGGING_DISABLED MANAGEMENT_MODULE 1  EventLog      0x0034;
        0x52 "Watchdog"       WATCHDOG_2             MANAGEMENT_MODULE 1  Watchdog      0x010f;
    }
}
