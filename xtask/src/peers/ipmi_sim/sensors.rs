//! The sensors that ipmi_sim emulates: every linearisation and signed format, and discrete sensors of each record type.
//!
//! Rendered as input for OpenIPMI's own SDR compiler (`sdrcomp`) and as emulator commands. No expected value stands
//! here: what a byte means is for ipmitool and FreeIPMI to say.

use std::fmt::Write as _;

/// A sensor with a number, described by a full record (SDR type 01h).
pub(crate) struct Numeric {
    /// Sensor number.
    number: u8,
    /// Its ID string.
    name: &'static str,
    /// Sensor type (table 42-3).
    sensor_type: u8,
    /// sdrcomp's name of the base unit.
    unit: &'static str,
    /// sdrcomp's name of the analog data format.
    format: &'static str,
    /// sdrcomp's name of the linearisation, or its number: sdrcomp's names are off by one from the square on.
    linearization: &'static str,
    /// Whether the value is a percentage (§43.1, byte 21 bit 0).
    percentage: bool,
    /// M, B, result exponent, B exponent (§36.3).
    factors: (i16, i16, i8, i8),
    /// The byte that Get Sensor Reading answers.
    raw: u8,
    /// Lower non-critical, critical, non-recoverable, then the same upper ones, as bytes.
    thresholds: [Option<u8>; 6],
}

const NONE: [Option<u8>; 6] = [None; 6];

const fn numeric(number: u8, name: &'static str, sensor_type: u8, unit: &'static str) -> Numeric {
    Numeric {
        number,
        name,
        sensor_type,
        unit,
        format: "unsigned",
        linearization: "linear",
        percentage: false,
        factors: (1, 0, 0, 0),
        raw: 0,
        thresholds: NONE,
    }
}

const TEMPERATURE: u8 = 0x01;
const VOLTAGE: u8 = 0x02;
const CURRENT: u8 = 0x03;
const FAN: u8 = 0x04;
const OTHER: u8 = 0x0b;

/// The numeric sensors.
pub(crate) const NUMERIC: [Numeric; 21] = [
    Numeric {
        raw: 0x21,
        thresholds: [
            Some(5),
            Some(2),
            Some(0),
            Some(0x50),
            Some(0x5a),
            Some(0x64),
        ],
        ..numeric(1, "CPU1 Temp", TEMPERATURE, "degrees_C")
    },
    // Two's complement: -12 degrees.
    Numeric {
        format: "2s_complement",
        raw: 0xf4,
        thresholds: [Some(0xf6), Some(0xec), None, Some(0x2d), Some(0x37), None],
        ..numeric(2, "Inlet Temp", TEMPERATURE, "degrees_C")
    },
    // One's complement: FAh = -5.
    Numeric {
        format: "1s_complement",
        raw: 0xfa,
        thresholds: [None, None, None, Some(0x28), None, None],
        ..numeric(3, "Outdoor Temp", TEMPERATURE, "degrees_C")
    },
    Numeric {
        factors: (59, 0, -3, 0),
        raw: 0xcb,
        thresholds: [Some(0xb7), Some(0xb0), None, Some(0xd7), Some(0xe0), None],
        ..numeric(4, "12V rail", VOLTAGE, "Volts")
    },
    // Capitals and digits only: sdrcomp packs such a name as 6-bit ASCII, which neither ipmitool nor FreeIPMI unpacks.
    Numeric {
        factors: (10, 0, -2, 0),
        raw: 0x21,
        thresholds: [None, None, None, Some(0x30), Some(0x40), Some(0x50)],
        ..numeric(5, "P3V3", VOLTAGE, "Volts")
    },
    // A negative M and a positive B with its own exponent: -12 V from a rail measured upside down.
    Numeric {
        factors: (-62, -25, -3, 2),
        raw: 0x98,
        thresholds: [None, Some(0xb0), None, None, Some(0x80), None],
        ..numeric(6, "-12V rail", VOLTAGE, "Volts")
    },
    Numeric {
        factors: (75, 0, 0, 0),
        raw: 0x60,
        thresholds: [Some(0x10), Some(0x0a), None, None, None, None],
        ..numeric(7, "Fan1", FAN, "RPM")
    },
    // 1/x: a tachometer that counts clock ticks a turn.
    Numeric {
        linearization: "1/x",
        factors: (10, 0, -7, 0),
        raw: 0x80,
        thresholds: [None, None, None, Some(0x40), None, None],
        ..numeric(8, "Tach 1/x", FAN, "RPM")
    },
    Numeric {
        linearization: "ln",
        factors: (4, 1, 0, 0),
        raw: 0x32,
        ..numeric(9, "Lin ln", OTHER, "unspecified")
    },
    Numeric {
        linearization: "log10",
        factors: (10, 0, 0, 0),
        raw: 0x64,
        ..numeric(10, "Lin log10", OTHER, "Decibels")
    },
    Numeric {
        linearization: "log2",
        factors: (2, 0, 0, 0),
        raw: 0x40,
        ..numeric(11, "Lin log2", OTHER, "unspecified")
    },
    Numeric {
        linearization: "e",
        factors: (5, 0, -2, 0),
        raw: 0x50,
        ..numeric(12, "Lin e^x", OTHER, "unspecified")
    },
    Numeric {
        linearization: "exp10",
        factors: (2, 0, -2, 0),
        raw: 0x6e,
        ..numeric(13, "Lin 10^x", OTHER, "Hz")
    },
    Numeric {
        linearization: "exp2",
        factors: (1, 0, -1, 0),
        raw: 0x55,
        ..numeric(14, "Lin 2^x", OTHER, "unspecified")
    },
    Numeric {
        linearization: "8",
        factors: (1, 2, 0, 0),
        raw: 0x11,
        thresholds: [Some(0x05), None, None, Some(0x30), Some(0x40), None],
        ..numeric(15, "Lin x^2", OTHER, "Watts")
    },
    Numeric {
        linearization: "9",
        factors: (1, 0, -1, 0),
        raw: 0x2a,
        ..numeric(16, "Lin x^3", OTHER, "CFM")
    },
    Numeric {
        linearization: "10",
        factors: (3, 0, 1, 0),
        raw: 0x19,
        ..numeric(17, "Lin sqrt", OTHER, "Watts")
    },
    Numeric {
        linearization: "11",
        factors: (5, 0, 0, 0),
        raw: 0x40,
        ..numeric(18, "Lin cbrt", OTHER, "CFM")
    },
    // The largest exponents each way: 127 * 10^-3 with B = 500 * 10^-8 and no visible effect.
    Numeric {
        factors: (127, 500, -3, -8),
        raw: 0x14,
        thresholds: [None, None, None, Some(0x28), Some(0x32), None],
        ..numeric(19, "PSU1 Iout", CURRENT, "Amps")
    },
    Numeric {
        factors: (4, 0, 0, 0),
        raw: 0x55,
        thresholds: [None, None, None, Some(0xa0), Some(0xc8), None],
        ..numeric(20, "PSU1 Power", OTHER, "Watts")
    },
    Numeric {
        percentage: true,
        raw: 0x37,
        ..numeric(21, "Fan1 Duty", FAN, "unspecified")
    },
];

/// A sensor with states, described by a compact (02h) or event-only (03h) record.
pub(crate) struct Discrete {
    number: u8,
    name: &'static str,
    sensor_type: u8,
    /// Event/reading type: 6Fh = sensor specific, 02h..0Ch = generic.
    reading_type: u8,
    /// States that hold.
    bits: &'static [u8],
    record: u8,
}

/// The discrete sensors.
pub(crate) const DISCRETE: [Discrete; 7] = [
    discrete(40, "PSU1 Status", 0x08, 0x6f, &[0]),
    discrete(41, "PSU2 Status", 0x08, 0x6f, &[0, 1, 3]),
    discrete(42, "CPU1 Status", 0x07, 0x6f, &[7]),
    discrete(43, "Drive 0", 0x0d, 0x6f, &[0, 1]),
    discrete(44, "PSU Redundancy", 0x09, 0x0b, &[0]),
    discrete(45, "Lid", 0x05, 0x6f, &[0]),
    Discrete {
        record: 3,
        ..discrete(46, "OS Boot", 0x1f, 0x6f, &[])
    },
];

const fn discrete(
    number: u8,
    name: &'static str,
    sensor_type: u8,
    reading_type: u8,
    bits: &'static [u8],
) -> Discrete {
    Discrete {
        number,
        name,
        sensor_type,
        reading_type,
        bits,
        record: 2,
    }
}

/// A sensor with a record and nothing behind it: Get Sensor Reading answers CBh.
pub(crate) const ABSENT: Numeric = numeric(30, "Absent Temp", TEMPERATURE, "degrees_C");

/// The locators of a second FRU device and of the BMC itself (11h and 12h).
const LOCATORS: &str = "\
sdr type 17
 device_access_address 0x20
 fru_device_address 1
 logical_fru true
 private_bus_id 0
 channel_number 0
 device_type 16
 device_type_modifier 0
 fru_entity_id power_supply
 fru_entity_instance 1
 oem 0
 id_string \"Psu1\"
endsdr
sdr type 18
 device_slave_address 0x20
 device_channel_number 0
 entity_id system_management_module
 entity_instance 1
 id_string \"Acme BMC\"
endsdr
";

/// How many numeric sensors have a reading.
pub(crate) const NUMERIC_COUNT: usize = NUMERIC.len();

/// The sensor with the cube root.
pub(crate) const CUBE_ROOT: &str = "Lin cbrt";

/// Whether the sensor of this number has a number as its value.
pub(crate) fn is_numeric(number: u8) -> bool {
    NUMERIC.iter().any(|sensor| sensor.number == number) || number == ABSENT.number
}

/// The ID string as it was written: ipmitool and FreeIPMI print 6-bit ones as rubbish.
pub(crate) fn name_of(number: u8) -> Option<&'static str> {
    let numeric = NUMERIC
        .iter()
        .find(|sensor| sensor.number == number)
        .map(|sensor| sensor.name);
    numeric.or_else(|| {
        DISCRETE
            .iter()
            .find(|sensor| sensor.number == number)
            .map(|sensor| sensor.name)
    })
}

/// The SEL entries: record type and the 13 bytes after it (§32.1).
pub(crate) const EVENTS: [[u8; 14]; 4] = [
    // CPU1 Temp over its upper critical limit: reading 5Bh, limit 5Ah.
    [
        0x02,
        0x00,
        0x10,
        0x20,
        0x67,
        0x20,
        0x00,
        0x04,
        TEMPERATURE,
        1,
        0x01,
        0x59,
        0x5b,
        0x5a,
    ],
    // And back.
    [
        0x02,
        0x30,
        0x10,
        0x20,
        0x67,
        0x20,
        0x00,
        0x04,
        TEMPERATURE,
        1,
        0x81,
        0x59,
        0x50,
        0x5a,
    ],
    // PSU2: failure detected.
    [
        0x02, 0x00, 0x20, 0x20, 0x67, 0x20, 0x00, 0x04, 0x08, 41, 0x6f, 0x01, 0xff, 0xff,
    ],
    // Lid opened.
    [
        0x02, 0x00, 0x30, 0x20, 0x67, 0x20, 0x00, 0x04, 0x05, 45, 0x6f, 0x00, 0xff, 0xff,
    ],
];

/// The input of `sdrcomp`.
pub(crate) fn sdr_source() -> String {
    let mut out = String::new();
    for sensor in &NUMERIC {
        numeric_record(&mut out, sensor);
    }
    numeric_record(&mut out, &ABSENT);
    for sensor in &DISCRETE {
        discrete_record(&mut out, sensor);
    }
    out.push_str(LOCATORS);
    out
}

/// The part of the machine that a sensor of this name looks at: sdrcomp's name of the entity, and its instance.
fn entity(name: &str) -> (&'static str, u8) {
    const ENTITIES: [(&str, &str, u8); 6] = [
        ("PSU1", "power_supply", 1),
        ("PSU2", "power_supply", 2),
        ("CPU1", "processor", 1),
        ("Fan1", "fan_cooling_device", 1),
        // Air Inlet (§43.14); sdrcomp has no name for it.
        ("Inlet", "0x37", 1),
        ("Drive", "disk_or_disk_bay", 1),
    ];
    let found = ENTITIES.iter().find(|(start, ..)| name.starts_with(start));
    found.map_or(("system_board", 1), |(_, entity, instance)| {
        (*entity, *instance)
    })
}

/// What records of all three kinds begin with: kind, number, name, sensor type, event/reading type.
fn record_head(out: &mut String, record: u8, number: u8, name: &str, types: (u8, u8)) {
    let (entity, instance) = entity(name);
    let (sensor_type, reading_type) = types;
    let _ = write!(
        out,
        "sdr type {record}\n sensor_owner_id 0x20\n sensor_owner_lun 0\n channel_number 0\n \
         sensor_number {number}\n entity_id {entity}\n entity_instance {instance}\n \
         sensor_type {sensor_type}\n event_reading_type_code {reading_type}\n sensor_direction input\n"
    );
}

fn numeric_record(out: &mut String, sensor: &Numeric) {
    record_head(out, 1, sensor.number, sensor.name, (sensor.sensor_type, 1));
    let (m, b, r_exp, b_exp) = sensor.factors;
    let settable = if sensor.thresholds == NONE {
        "no"
    } else {
        "settable"
    };
    let _ = write!(
        out,
        " init_scanning true\n default_sensor_scan_on true\n sensor_threshold_access {settable}\n \
         analog_data_format {}\n rate_unit none\n modifier_unit none\n percentage {}\n \
         base_unit {}\n modifier_unit_code unspecified\n linearization {}\n \
         m {m}\n tolerance 0\n b {b}\n accuracy 1\n accuracy_exp 0\n r_exp {r_exp}\n b_exp {b_exp}\n \
         sensor_maximum 255\n sensor_minimum 0\n",
        sensor.format, sensor.percentage, sensor.unit, sensor.linearization
    );
    let names = ["lnc", "lc", "lnr", "unc", "uc", "unr"];
    for (name, value) in names.iter().zip(sensor.thresholds) {
        if let Some(value) = value {
            let _ = writeln!(out, " {name}_thrsh_readable true\n {name}_thresh {value}");
        }
    }
    let _ = writeln!(out, " id_string {:?}\nendsdr\n", sensor.name);
}

fn discrete_record(out: &mut String, sensor: &Discrete) {
    let types = (sensor.sensor_type, sensor.reading_type);
    record_head(out, sensor.record, sensor.number, sensor.name, types);
    if sensor.record == 2 {
        out.push_str(" init_scanning true\n default_sensor_scan_on true\n");
        for bit in 0..15 {
            let _ = writeln!(out, " event{bit}_state_ret true");
        }
    }
    let _ = writeln!(out, " id_string {:?}\nendsdr\n", sensor.name);
}

/// The emulator commands that make the BMC and set every value.
pub(crate) fn emulator_source(fru_file: &str, fru_size: usize) -> String {
    let mut out = String::from(
        "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\n\
         sel_enable 0x20 1000 0x0a\n",
    );
    for sensor in &NUMERIC {
        let Numeric {
            number,
            sensor_type,
            raw,
            ..
        } = sensor;
        let _ = writeln!(out, "sensor_add 0x20 0 {number} {sensor_type:#x} 0x01");
        let _ = writeln!(out, "sensor_set_value 0x20 0 {number} {raw:#x} 0");
        if sensor.thresholds != NONE {
            let _ = write!(out, "sensor_set_threshold 0x20 0 {number} settable ");
            for value in sensor.thresholds.iter().rev() {
                out.push(if value.is_some() { '1' } else { '0' });
            }
            for value in sensor.thresholds.iter().rev() {
                let _ = write!(out, " {:#04x}", value.unwrap_or(0));
            }
            out.push('\n');
        }
        enable_events(&mut out, *number);
    }
    for Discrete {
        number,
        sensor_type,
        reading_type,
        bits,
        record,
        ..
    } in &DISCRETE
    {
        let event_only = if *record == 3 { " event-only" } else { "" };
        let _ = writeln!(
            out,
            "sensor_add 0x20 0 {number} {sensor_type:#x} {reading_type:#x}{event_only}"
        );
        for bit in *bits {
            let _ = writeln!(out, "sensor_set_bit 0x20 0 {number} {bit} 1 0");
        }
        if *record != 3 {
            enable_events(&mut out, *number);
        }
    }
    for device in 0..2 {
        let offset = device * fru_size;
        let _ = writeln!(
            out,
            "mc_add_fru_data 0x20 {device} {fru_size} file {offset} {fru_file:?}"
        );
    }
    for event in &EVENTS {
        out.push_str("sel_add 0x20");
        for byte in event {
            let _ = write!(out, " {byte:#04x}");
        }
        out.push('\n');
    }
    out.push_str("mc_enable 0x20\n");
    out
}

/// Scanning on; no events, so that the SEL holds our entries and no other.
fn enable_events(out: &mut String, number: u8) {
    let none = "000000000000000";
    let _ = writeln!(
        out,
        "sensor_set_event_support 0x20 0 {number} enable scanning per-state {none} {none} {none} {none}"
    );
}
