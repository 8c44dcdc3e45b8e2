//! A computer with two processors, four memory groups, four fans and two power supplies.

use ipmi::number::{EntityId, Linearization, SensorType};
use ipmi::record::{AnalogFormat, Factors};

use super::{
    INTAKE, Model, Profile, air, chip, discrete, event_only, numeric, ones_complement, rail,
    signed, upper, while_on,
};
use crate::machine::Quiet;
use crate::scale::Scale;
use crate::sdr::Repository;
use crate::sensor::{Limits, SensorSpec};

/// A processor slows down at 95 °C and switches off at 100.
const CPU: Limits = Limits::upper(86.0, 92.0, 98.0);
const DIMM: Limits = upper(82.0, 88.0);
const FAN: Limits = Limits::lower(1_200.0, 1_800.0);

pub(super) fn profile() -> Profile {
    let mut sensors = Vec::new();
    sensors.extend(temperatures());
    sensors.extend(while_on(host_temperatures()));
    sensors.extend(fans());
    sensors.extend(while_on(host_voltages()));
    sensors.extend(standby_voltages());
    sensors.extend(power());
    sensors.extend(states());
    sensors.extend(drives());
    sensors.extend(events());
    Profile {
        model: Model::Node,
        product: "RDV-2200 Node",
        part_number: "RDV2200-N4",
        board: "RDV-2200 Board",
        controller: "Node BMC",
        product_id: 0x2200,
        supplies: 2,
        supply_watts: 500,
        processors: 2,
        modules: 4,
        module_mib: 16 * 1_024,
        sensors,
        sdr: Repository::default(),
        law: None,
        quiet: Quiet::default(),
    }
}

#[rustfmt::skip]
fn temperatures() -> [SensorSpec; 5] {
    numeric! { TEMPERATURE in DEGREES_C:
        0x01 "Inlet Temp"   AIR_INLET 1          Inlet          23.0  air(), INTAKE, 4;
        0x02 "Exhaust Temp" SYSTEM_CHASSIS 1     Exhaust        38.0  chip(), upper(68.0, 74.0), 4;
        0x0d "BMC Temp"     MANAGEMENT_MODULE 1  ControllerTemp 40.0  ones_complement(), upper(85.0, 95.0), 2;
        0x0e "PSU1 Temp"    POWER_SUPPLY 1       SupplyTemp(0)  36.0  chip(), upper(65.0, 72.0), 4;
        0x0f "PSU2 Temp"    POWER_SUPPLY 2       SupplyTemp(1)  36.0  chip(), upper(65.0, 72.0), 4;
    }
}

#[rustfmt::skip]
fn host_temperatures() -> [SensorSpec; 10] {
    numeric! { TEMPERATURE in DEGREES_C:
        0x03 "CPU1 Temp"   PROCESSOR 1      CpuTemp(0)    58.0  chip(), CPU, 4;
        0x04 "CPU2 Temp"   PROCESSOR 2      CpuTemp(1)    62.0  chip(), CPU, 4;
        0x05 "CPU1 Margin" PROCESSOR 1      CpuMargin(0) -37.0  signed(), upper(-8.0, -2.0), 2;
        0x06 "CPU2 Margin" PROCESSOR 2      CpuMargin(1) -33.0  signed(), upper(-8.0, -2.0), 2;
        0x07 "DIMM A Temp" MEMORY_DEVICE 1  DimmTemp(0)   36.0  chip(), DIMM, 4;
        0x08 "DIMM B Temp" MEMORY_DEVICE 2  DimmTemp(1)   37.0  chip(), DIMM, 4;
        0x09 "DIMM C Temp" MEMORY_DEVICE 3  DimmTemp(2)   39.0  chip(), DIMM, 4;
        0x0a "DIMM D Temp" MEMORY_DEVICE 4  DimmTemp(3)   40.0  chip(), DIMM, 4;
        0x0b "VRM Temp"    POWER_MODULE 1   VrmTemp       52.0  chip(), Limits::upper(95.0, 105.0, 115.0), 4;
        0x0c "PCH Temp"    SYSTEM_BOARD 1   PchTemp       48.0  chip(), upper(85.0, 95.0), 4;
    }
}

#[rustfmt::skip]
fn fans() -> [SensorSpec; 4] {
    numeric! { FAN in RPM:
        0x20 "Fan1" FAN 1  Fan(0) 5_400.0  Scale::linear(60, 0), FAN, 2;
        0x21 "Fan2" FAN 2  Fan(1) 5_400.0  Scale::linear(60, 0), FAN, 2;
        0x22 "Fan3" FAN 3  Fan(2) 5_400.0  Scale::linear(60, 0), FAN, 2;
        0x23 "Fan4" FAN 4  Fan(3) 5_400.0  Scale::linear(60, 0), FAN, 2;
    }
}

/// A processor's input: 4 mV a step from 1.2 V on.
fn vccin() -> Scale {
    let factors = Factors {
        m: 4,
        b: 12,
        b_exponent: 2,
        r_exponent: -3,
        ..Factors::default()
    };
    Scale::new(AnalogFormat::Unsigned, Linearization::LINEAR, factors)
}

#[rustfmt::skip]
fn host_voltages() -> [SensorSpec; 7] {
    numeric! { VOLTAGE in VOLTS:
        0x30 "P12V"       SYSTEM_BOARD 1   Rail12      12.0  Scale::linear(6, -2), rail(12.0), 1;
        0x31 "P5V"        SYSTEM_BOARD 1   Rail5       5.0   Scale::linear(26, -3), rail(5.0), 1;
        0x32 "P3V3"       SYSTEM_BOARD 1   Rail3       3.3   Scale::linear(17, -3), rail(3.3), 1;
        0x34 "CPU1 VCCIN" PROCESSOR 1      RailCpu(0)  1.8   vccin(), rail(1.8), 1;
        0x35 "CPU2 VCCIN" PROCESSOR 2      RailCpu(1)  1.8   vccin(), rail(1.8), 1;
        0x36 "VDIMM AB"   MEMORY_DEVICE 1  RailDimm(0) 1.2   Scale::linear(8, -3), rail(1.2), 1;
        0x37 "VDIMM CD"   MEMORY_DEVICE 3  RailDimm(1) 1.2   Scale::linear(8, -3), rail(1.2), 1;
    }
}

#[rustfmt::skip]
fn standby_voltages() -> [SensorSpec; 2] {
    numeric! { VOLTAGE in VOLTS:
        0x33 "P3V3 AUX" SYSTEM_BOARD 1  RailStandby 3.3  Scale::linear(17, -3), rail(3.3), 1;
        0x38 "P3V BAT"  BATTERY 1       Battery     3.0  Scale::linear(14, -3), Limits::lower(2.2, 2.5), 1;
    }
}

#[rustfmt::skip]
fn power() -> Vec<SensorSpec> {
    let mut all = Vec::from(numeric! { OTHER_UNITS_BASED in WATTS:
        0x40 "PSU1 Input Power" POWER_SUPPLY 1  SupplyInputPower(0) 150.0  Scale::linear(2, 0), upper(430.0, 480.0), 2;
        0x41 "PSU2 Input Power" POWER_SUPPLY 2  SupplyInputPower(1) 150.0  Scale::linear(2, 0), upper(430.0, 480.0), 2;
        0x42 "Total Power"      POWER_UNIT 1    TotalPower          300.0  Scale::linear(4, 0), upper(760.0, 840.0), 2;
    });
    all.extend(numeric! { CURRENT in AMPS:
        0x43 "12V Current" POWER_UNIT 1  Current12 24.0  Scale::linear(25, -2), upper(56.0, 60.0), 2;
    });
    all.extend(while_on(numeric! { OTHER_UNITS_BASED in WATTS:
        0x44 "CPU1 Power" PROCESSOR 1  CpuPower(0) 85.0  Scale::linear(1, 0), upper(165.0, 180.0), 2;
        0x45 "CPU2 Power" PROCESSOR 2  CpuPower(1) 85.0  Scale::linear(1, 0), upper(165.0, 180.0), 2;
    }));
    all
}

#[rustfmt::skip]
fn states() -> [SensorSpec; 12] {
    discrete! {
        // Thermal trip, configuration error, presence, throttled.
        0x50 "CPU1 Status"    PROCESSOR              PROCESSOR 1          Cpu(0)           0x04a2;
        0x51 "CPU2 Status"    PROCESSOR              PROCESSOR 2          Cpu(1)           0x04a2;
        // Presence, failure, predictive failure, input lost.
        0x52 "PSU1 Status"    POWER_SUPPLY           POWER_SUPPLY 1       Supply(0)        0x000f;
        0x53 "PSU2 Status"    POWER_SUPPLY           POWER_SUPPLY 2       Supply(1)        0x000f;
        // Off, power cycle, AC lost.
        0x54 "Power Unit"     POWER_UNIT             POWER_UNIT 1         PowerUnit        0x0013;
        0x55 "Watchdog"       WATCHDOG_2             MANAGEMENT_MODULE 1  Watchdog         0x010f;
        // Cleared, full, almost full.
        0x56 "SEL"            EVENT_LOGGING_DISABLED MANAGEMENT_MODULE 1  EventLog         0x0034;
        0x57 "Intrusion"      PHYSICAL_SECURITY      SYSTEM_CHASSIS 1     Intrusion        0x0001;
        // S0, S5.
        0x58 "ACPI State"     ACPI_POWER_STATE       SYSTEM_BOARD 1       AcpiPower        0x0021;
        // Uncorrectable error, logging limit, presence.
        0x59 "Memory"         MEMORY                 MEMORY_MODULE 1      Memory           0x0062;
        0x5a "Fan Redundancy" FAN                    COOLING_UNIT 1       FanRedundancy    0x003f redundancy;
        0x5b "PSU Redundancy" POWER_UNIT             POWER_UNIT 1         SupplyRedundancy 0x003f redundancy;
    }
}

/// Four drive bays that share one compact record. States: presence, fault.
#[rustfmt::skip]
fn drives() -> [SensorSpec; 4] {
    let mut drives = discrete! {
        0x60 "Drive1" DRIVE_SLOT DISK_DRIVE_BAY 1  Drive(0) 0x0003;
        0x61 "Drive2" DRIVE_SLOT DISK_DRIVE_BAY 2  Drive(1) 0x0003;
        0x62 "Drive3" DRIVE_SLOT DISK_DRIVE_BAY 3  Drive(2) 0x0003;
        0x63 "Drive4" DRIVE_SLOT DISK_DRIVE_BAY 4  Drive(3) 0x0003;
    };
    for (i, drive) in drives.iter_mut().enumerate() {
        drive.sharing = if i == 0 { 4 } else { 0 };
    }
    drives
}

fn events() -> [SensorSpec; 4] {
    let board = (EntityId::SYSTEM_BOARD, 1);
    let system = (EntityId::OPERATING_SYSTEM, 1);
    [
        event_only(0x70, "Boot Cause", SensorType::SYSTEM_BOOT_INITIATED, board),
        event_only(0x71, "OS Boot", SensorType::OS_BOOT, system),
        event_only(0x72, "NMI", SensorType::CRITICAL_INTERRUPT, board),
        event_only(0x73, "OS Shutdown", SensorType::OS_STOP, system),
    ]
}
