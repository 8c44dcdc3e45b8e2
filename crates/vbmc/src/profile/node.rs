//! A computer with two processors, four memory groups, four fans and two power supplies.

use ipmi::number::{EntityId as E, Linearization, SensorType as T, SensorUnit};
use ipmi::record::{AnalogFormat, Factors};

use super::{
    Model, Profile, air_scale, analog, chip_scale, discrete, event_only, power, redundancy,
    temperature, voltage, while_on,
};
use crate::scale::Scale;
use crate::sdr::Repository;
use crate::sensor::{Analog, Condition, Limits, SensorSpec, Signal};

const BOARD: (E, u8) = (E::SYSTEM_BOARD, 1);
const CONTROLLER: (E, u8) = (E::MANAGEMENT_MODULE, 1);

pub(super) fn profile() -> Profile {
    let mut sensors = temperatures();
    sensors.extend(fans());
    sensors.extend(voltages());
    sensors.extend(powers());
    sensors.extend(states());
    Profile {
        model: Model::Node,
        product: "RDV-2200 Node",
        part_number: "RDV2200-N4",
        board: "RDV-2200 Board",
        controller: "Node BMC",
        product_id: 0x2200,
        supplies: 2,
        sensors,
        sdr: Repository::default(),
    }
}

fn temperatures() -> Vec<SensorSpec> {
    let none = f64::NAN;
    let cpu = Limits::upper(86.0, 92.0, 98.0);
    let dimm = Limits::upper(82.0, 88.0, none);
    let inlet = Limits([none, 2.0, 5.0, 36.0, 42.0, 47.0]);
    let margin = || Scale::of(AnalogFormat::TwosComplement, 1, 0);
    let margin_limits = Limits::upper(-8.0, -2.0, none);
    let vrm = (E::POWER_MODULE, 1);
    let mut all = vec![
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
            (E::SYSTEM_CHASSIS, 1),
            (Signal::Exhaust, 38.0),
            chip_scale(),
            &Limits::upper(68.0, 74.0, none),
        ),
    ];
    all.extend(while_on([
        temperature(
            0x03,
            "CPU1 Temp",
            (E::PROCESSOR, 1),
            (Signal::CpuTemp(0), 58.0),
            chip_scale(),
            &cpu,
        ),
        temperature(
            0x04,
            "CPU2 Temp",
            (E::PROCESSOR, 2),
            (Signal::CpuTemp(1), 62.0),
            chip_scale(),
            &cpu,
        ),
        temperature(
            0x05,
            "CPU1 Margin",
            (E::PROCESSOR, 1),
            (Signal::CpuMargin(0), -37.0),
            margin(),
            &margin_limits,
        ),
        temperature(
            0x06,
            "CPU2 Margin",
            (E::PROCESSOR, 2),
            (Signal::CpuMargin(1), -33.0),
            margin(),
            &margin_limits,
        ),
        temperature(
            0x07,
            "DIMM A Temp",
            (E::MEMORY_DEVICE, 1),
            (Signal::DimmTemp(0), 36.0),
            chip_scale(),
            &dimm,
        ),
        temperature(
            0x08,
            "DIMM B Temp",
            (E::MEMORY_DEVICE, 2),
            (Signal::DimmTemp(1), 37.0),
            chip_scale(),
            &dimm,
        ),
        temperature(
            0x09,
            "DIMM C Temp",
            (E::MEMORY_DEVICE, 3),
            (Signal::DimmTemp(2), 39.0),
            chip_scale(),
            &dimm,
        ),
        temperature(
            0x0a,
            "DIMM D Temp",
            (E::MEMORY_DEVICE, 4),
            (Signal::DimmTemp(3), 40.0),
            chip_scale(),
            &dimm,
        ),
        temperature(
            0x0b,
            "VRM Temp",
            vrm,
            (Signal::VrmTemp, 52.0),
            chip_scale(),
            &Limits::upper(95.0, 105.0, 115.0),
        ),
        temperature(
            0x0c,
            "PCH Temp",
            BOARD,
            (Signal::PchTemp, 48.0),
            chip_scale(),
            &Limits::upper(85.0, 95.0, none),
        ),
    ]));
    let ones = Scale::of(AnalogFormat::OnesComplement, 1, 0);
    all.push(temperature(
        0x0d,
        "BMC Temp",
        CONTROLLER,
        (Signal::ControllerTemp, 40.0),
        ones,
        &Limits::upper(85.0, 95.0, none),
    ));
    for (i, name) in [(0, "PSU1 Temp"), (1, "PSU2 Temp")] {
        let supply = (E::POWER_SUPPLY, i + 1);
        let limits = Limits::upper(65.0, 72.0, none);
        all.push(temperature(
            0x0e + i,
            name,
            supply,
            (Signal::SupplyTemp(i), 36.0),
            chip_scale(),
            &limits,
        ));
    }
    all
}

fn fans() -> Vec<SensorSpec> {
    let names = ["Fan1", "Fan2", "Fan3", "Fan4"];
    let fan = |(i, name)| {
        let scale = Scale::linear(60, 0);
        let sensor = Analog::new(Signal::Fan(i), SensorUnit::RPM, scale, 5_400.0)
            .with_limits(&Limits::lower(1_200.0, 1_800.0), 2);
        analog(0x20 + i, name, T::FAN, (E::FAN, i + 1), sensor)
    };
    (0..).zip(names).map(fan).collect()
}

fn voltages() -> Vec<SensorSpec> {
    let cpu = || {
        let factors = Factors {
            m: 4,
            b: 12,
            b_exponent: 2,
            r_exponent: -3,
            ..Factors::default()
        };
        Scale::new(AnalogFormat::Unsigned, Linearization::LINEAR, factors)
    };
    let dimm = || Scale::linear(8, -3);
    let mut all: Vec<_> = while_on([
        voltage(
            0x30,
            "P12V",
            BOARD,
            (Signal::Rail12, 12.0),
            Scale::linear(6, -2),
        ),
        voltage(
            0x31,
            "P5V",
            BOARD,
            (Signal::Rail5, 5.0),
            Scale::linear(26, -3),
        ),
        voltage(
            0x32,
            "P3V3",
            BOARD,
            (Signal::Rail3, 3.3),
            Scale::linear(17, -3),
        ),
        voltage(
            0x34,
            "CPU1 VCCIN",
            (E::PROCESSOR, 1),
            (Signal::RailCpu(0), 1.8),
            cpu(),
        ),
        voltage(
            0x35,
            "CPU2 VCCIN",
            (E::PROCESSOR, 2),
            (Signal::RailCpu(1), 1.8),
            cpu(),
        ),
        voltage(
            0x36,
            "VDIMM AB",
            (E::MEMORY_DEVICE, 1),
            (Signal::RailDimm(0), 1.2),
            dimm(),
        ),
        voltage(
            0x37,
            "VDIMM CD",
            (E::MEMORY_DEVICE, 3),
            (Signal::RailDimm(1), 1.2),
            dimm(),
        ),
    ])
    .collect();
    all.push(voltage(
        0x33,
        "P3V3 AUX",
        BOARD,
        (Signal::RailStandby, 3.3),
        Scale::linear(17, -3),
    ));
    let battery = Analog::new(
        Signal::Battery,
        SensorUnit::VOLTS,
        Scale::linear(14, -3),
        3.0,
    )
    .with_limits(&Limits::lower(2.2, 2.5), 1);
    all.push(analog(
        0x38,
        "P3V BAT",
        T::VOLTAGE,
        (E::BATTERY, 1),
        battery,
    ));
    all
}

fn powers() -> Vec<SensorSpec> {
    let none = f64::NAN;
    let supply = Limits::upper(430.0, 480.0, none);
    let input = |i| (Signal::SupplyInputPower(i), 150.0);
    let unit = (E::POWER_UNIT, 1);
    let amps = Analog::new(
        Signal::Current12,
        SensorUnit::AMPS,
        Scale::linear(25, -2),
        24.0,
    )
    .with_limits(&Limits::upper(56.0, 60.0, none), 2);
    let mut all = vec![
        power(
            0x40,
            "PSU1 Input Power",
            (E::POWER_SUPPLY, 1),
            input(0),
            Scale::linear(2, 0),
            &supply,
        ),
        power(
            0x41,
            "PSU2 Input Power",
            (E::POWER_SUPPLY, 2),
            input(1),
            Scale::linear(2, 0),
            &supply,
        ),
        power(
            0x42,
            "Total Power",
            unit,
            (Signal::TotalPower, 300.0),
            Scale::linear(4, 0),
            &Limits::upper(760.0, 840.0, none),
        ),
        analog(0x43, "12V Current", T::CURRENT, unit, amps),
    ];
    for (i, name) in [(0, "CPU1 Power"), (1, "CPU2 Power")] {
        let cpu = (E::PROCESSOR, i + 1);
        let signal = (Signal::CpuPower(i), 85.0);
        let sensor = power(
            0x44 + i,
            name,
            cpu,
            signal,
            Scale::linear(1, 0),
            &Limits::upper(165.0, 180.0, none),
        );
        all.extend(while_on([sensor]));
    }
    all
}

fn states() -> Vec<SensorSpec> {
    let cpu = |i, name| {
        // Thermal trip, configuration error, presence, throttled.
        discrete(
            0x50 + i,
            name,
            T::PROCESSOR,
            (E::PROCESSOR, i + 1),
            Condition::Cpu(i),
            0x04a2,
        )
    };
    let supply = |i, name| {
        // Presence, failure, predictive failure, input lost.
        discrete(
            0x52 + i,
            name,
            T::POWER_SUPPLY,
            (E::POWER_SUPPLY, i + 1),
            Condition::Supply(i),
            0x000f,
        )
    };
    let mut all = vec![
        cpu(0, "CPU1 Status"),
        cpu(1, "CPU2 Status"),
        supply(0, "PSU1 Status"),
        supply(1, "PSU2 Status"),
        discrete(
            0x54,
            "Power Unit",
            T::POWER_UNIT,
            (E::POWER_UNIT, 1),
            Condition::PowerUnit,
            0x0013,
        ),
        discrete(
            0x55,
            "Watchdog",
            T::WATCHDOG_2,
            CONTROLLER,
            Condition::Watchdog,
            0x010f,
        ),
        discrete(
            0x56,
            "SEL",
            T::EVENT_LOGGING_DISABLED,
            CONTROLLER,
            Condition::EventLog,
            0x0034,
        ),
        discrete(
            0x57,
            "Intrusion",
            T::PHYSICAL_SECURITY,
            (E::SYSTEM_CHASSIS, 1),
            Condition::Intrusion,
            0x0001,
        ),
        discrete(
            0x58,
            "ACPI State",
            T::ACPI_POWER_STATE,
            BOARD,
            Condition::AcpiPower,
            0x0021,
        ),
        discrete(
            0x59,
            "Memory",
            T::MEMORY,
            (E::MEMORY_MODULE, 1),
            Condition::Memory,
            0x0062,
        ),
        redundancy(
            0x5a,
            "Fan Redundancy",
            T::FAN,
            (E::COOLING_UNIT, 1),
            Condition::FanRedundancy,
        ),
        redundancy(
            0x5b,
            "PSU Redundancy",
            T::POWER_UNIT,
            (E::POWER_UNIT, 1),
            Condition::SupplyRedundancy,
        ),
        event_only(0x70, "Boot Cause", T::SYSTEM_BOOT_INITIATED, BOARD),
        event_only(0x71, "OS Boot", T::OS_BOOT, (E::OPERATING_SYSTEM, 1)),
        event_only(0x72, "NMI", T::CRITICAL_INTERRUPT, BOARD),
        event_only(0x73, "OS Shutdown", T::OS_STOP, (E::OPERATING_SYSTEM, 1)),
    ];
    // Four drive bays share one compact record.
    for (i, name) in (0..).zip(["Drive1", "Drive2", "Drive3", "Drive4"]) {
        let mut bay = discrete(
            0x60 + i,
            name,
            T::DRIVE_SLOT,
            (E::DISK_DRIVE_BAY, i + 1),
            Condition::Drive(i),
            0x0003,
        );
        bay.sharing = if i == 0 { 4 } else { 0 };
        all.push(bay);
    }
    all
}
