//! The controller of a bay of six power supplies.

use super::{INTAKE, Model, Profile, air, chip, discrete, numeric, rail, upper};
use crate::machine::Quiet;
use crate::scale::Scale;
use crate::sdr::Repository;
use crate::sensor::{Limits, SensorSpec};

const MAINS: Limits = Limits::both(180.0, 195.0, 250.0, 254.0);
const INPUT: Limits = upper(3_800.0, 4_100.0);
const SUPPLY_TEMP: Limits = upper(75.0, 82.0);

pub(super) fn profile() -> Profile {
    let mut sensors = Vec::new();
    sensors.extend(temperatures());
    sensors.extend(bay());
    sensors.extend(bay_states());
    sensors.extend(supply_inputs());
    sensors.extend(supply_power());
    sensors.extend(supply_temperatures());
    sensors.extend(supply_states());
    Profile {
        model: Model::PowerBay,
        product: "RDV-9000 Power Bay",
        part_number: "RDV9000-PB",
        board: "RDV-9000 Power Bay Controller",
        controller: "Power Bay MC",
        product_id: 0x9002,
        supplies: 6,
        supply_watts: 4_000,
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
fn temperatures() -> [SensorSpec; 2] {
    numeric! { TEMPERATURE in DEGREES_C:
        0x01 "Inlet Temp" AIR_INLET 1          Inlet          25.0  air(), INTAKE, 4;
        0x02 "MC Temp"    MANAGEMENT_MODULE 1  ControllerTemp 37.0  chip(), upper(85.0, 95.0), 4;
    }
}

#[rustfmt::skip]
fn bay() -> Vec<SensorSpec> {
    let mut all = Vec::from(numeric! { VOLTAGE in VOLTS:
        0x30 "Bus Bar"  POWER_UNIT 1         Rail12      12.2  Scale::linear(6, -2), rail(12.2), 1;
        0x31 "P3V3 AUX" MANAGEMENT_MODULE 1  RailStandby 3.3   Scale::linear(17, -3), rail(3.3), 1;
    });
    all.extend(numeric! { OTHER_UNITS_BASED in WATTS:
        0x40 "Output Power" POWER_UNIT 1  TotalPower 14_500.0  Scale::linear(100, 0), upper(22_000.0, 23_500.0), 2;
    });
    all.extend(numeric! { CURRENT in AMPS:
        0x41 "Output Current" POWER_UNIT 1  Current12 1_200.0  Scale::linear(10, 0), upper(2_000.0, 2_200.0), 1;
    });
    all
}

#[rustfmt::skip]
fn bay_states() -> [SensorSpec; 3] {
    discrete! {
        0x50 "PSU Redundancy" POWER_UNIT             POWER_UNIT 1         SupplyRedundancy 0x003f redundancy;
        // Cleared, full, almost full.
        0x51 "SEL"            EVENT_LOGGING_DISABLED MANAGEMENT_MODULE 1  EventLog         0x0034;
        0x52 "Watchdog"       WATCHDOG_2             MANAGEMENT_MODULE 1  Watchdog         0x010f;
    }
}

#[rustfmt::skip]
fn supply_inputs() -> [SensorSpec; 6] {
    numeric! { VOLTAGE in VOLTS:
        0x60 "PSU1 Input Volt" POWER_SUPPLY 1  SupplyInputVoltage(0) 230.0  Scale::linear(1, 0), MAINS, 1;
        0x61 "PSU2 Input Volt" POWER_SUPPLY 2  SupplyInputVoltage(1) 230.0  Scale::linear(1, 0), MAINS, 1;
        0x62 "PSU3 Input Volt" POWER_SUPPLY 3  SupplyInputVoltage(2) 230.0  Scale::linear(1, 0), MAINS, 1;
        0x63 "PSU4 Input Volt" POWER_SUPPLY 4  SupplyInputVoltage(3) 230.0  Scale::linear(1, 0), MAINS, 1;
        0x64 "PSU5 Input Volt" POWER_SUPPLY 5  SupplyInputVoltage(4) 230.0  Scale::linear(1, 0), MAINS, 1;
        0x65 "PSU6 Input Volt" POWER_SUPPLY 6  SupplyInputVoltage(5) 230.0  Scale::linear(1, 0), MAINS, 1;
    }
}

#[rustfmt::skip]
fn supply_power() -> [SensorSpec; 12] {
    numeric! { OTHER_UNITS_BASED in WATTS:
        0x70 "PSU1 Input Power" POWER_SUPPLY 1  SupplyInputPower(0)  2_600.0  Scale::linear(20, 0), INPUT, 1;
        0x71 "PSU2 Input Power" POWER_SUPPLY 2  SupplyInputPower(1)  2_600.0  Scale::linear(20, 0), INPUT, 1;
        0x72 "PSU3 Input Power" POWER_SUPPLY 3  SupplyInputPower(2)  2_600.0  Scale::linear(20, 0), INPUT, 1;
        0x73 "PSU4 Input Power" POWER_SUPPLY 4  SupplyInputPower(3)  2_600.0  Scale::linear(20, 0), INPUT, 1;
        0x74 "PSU5 Input Power" POWER_SUPPLY 5  SupplyInputPower(4)  2_600.0  Scale::linear(20, 0), INPUT, 1;
        0x75 "PSU6 Input Power" POWER_SUPPLY 6  SupplyInputPower(5)  2_600.0  Scale::linear(20, 0), INPUT, 1;
        0x78 "PSU1 Out Power"   POWER_SUPPLY 1  SupplyOutputPower(0) 2_400.0  Scale::linear(20, 0), Limits::NONE, 0;
        0x79 "PSU2 Out Power"   POWER_SUPPLY 2  SupplyOutputPower(1) 2_400.0  Scale::linear(20, 0), Limits::NONE, 0;
        0x7a "PSU3 Out Power"   POWER_SUPPLY 3  SupplyOutputPower(2) 2_400.0  Scale::linear(20, 0), Limits::NONE, 0;
        0x7b "PSU4 Out Power"   POWER_SUPPLY 4  SupplyOutputPower(3) 2_400.0  Scale::linear(20, 0), Limits::NONE, 0;
        0x7c "PSU5 Out Power"   POWER_SUPPLY 5  SupplyOutputPower(4) 2_400.0  Scale::linear(20, 0), Limits::NONE, 0;
        0x7d "PSU6 Out Power"   POWER_SUPPLY 6  SupplyOutputPower(5) 2_400.0  Scale::linear(20, 0), Limits::NONE, 0;
    }
}

#[rustfmt::skip]
fn supply_temperatures() -> [SensorSpec; 6] {
    numeric! { TEMPERATURE in DEGREES_C:
        0x80 "PSU1 Temp" POWER_SUPPLY 1  SupplyTemp(0) 45.0  chip(), SUPPLY_TEMP, 4;
        0x81 "PSU2 Temp" POWER_SUPPLY 2  SupplyTemp(1) 45.0  chip(), SUPPLY_TEMP, 4;
        0x82 "PSU3 Temp" POWER_SUPPLY 3  SupplyTemp(2) 45.0  chip(), SUPPLY_TEMP, 4;
        0x83 "PSU4 Temp" POWER_SUPPLY 4  SupplyTemp(3) 45.0  chip(), SUPPLY_TEMP, 4;
        0x84 "PSU5 Temp" POWER_SUPPLY 5  SupplyTemp(4) 45.0  chip(), SUPPLY_TEMP, 4;
        0x85 "PSU6 Temp" POWER_SUPPLY 6  SupplyTemp(5) 45.0  chip(), SUPPLY_TEMP, 4;
    }
}

/// States: presence, failure, predictive failure, input lost.
#[rustfmt::skip]
fn supply_states() -> [SensorSpec; 6] {
    discrete! {
        0x90 "PSU1 Status" POWER_SUPPLY POWER_SUPPLY 1  Supply(0) 0x000f;
        0x91 "PSU2 Status" POWER_SUPPLY POWER_SUPPLY 2  Supply(1) 0x000f;
        0x92 "PSU3 Status" POWER_SUPPLY POWER_SUPPLY 3  Supply(2) 0x000f;
        0x93 "PSU4 Status" POWER_SUPPLY POWER_SUPPLY 4  Supply(3) 0x000f;
        0x94 "PSU5 Status" POWER_SUPPLY POWER_SUPPLY 5  Supply(4) 0x000f;
        0x95 "PSU6 Status" POWER_SUPPLY POWER_SUPPLY 6  Supply(5) 0x000f;
    }
}
