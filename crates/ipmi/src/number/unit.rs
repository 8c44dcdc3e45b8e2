//! Units of sensor readings (§43.17).

use super::protocol_number;

protocol_number! {
    /// Unit of a reading (§43.17, table 43-15).
    pub struct SensorUnit(u8) {
        /// Not specified.
        UNSPECIFIED = 0 => "unspecified",
        /// Degree Celsius.
        DEGREES_C = 1 => "degrees C",
        /// Degree Fahrenheit.
        DEGREES_F = 2 => "degrees F",
        /// Kelvin.
        DEGREES_K = 3 => "degrees K",
        /// Volt.
        VOLTS = 4 => "Volts",
        /// Ampere.
        AMPS = 5 => "Amps",
        /// Watt.
        WATTS = 6 => "Watts",
        /// Joule.
        JOULES = 7 => "Joules",
        /// Coulomb.
        COULOMBS = 8 => "Coulombs",
        /// Volt-ampere.
        VOLT_AMPERES = 9 => "VA",
        /// Nit.
        NITS = 10 => "Nits",
        /// Lumen.
        LUMEN = 11 => "lumen",
        /// Lux.
        LUX = 12 => "lux",
        /// Candela.
        CANDELA = 13 => "Candela",
        /// Kilopascal.
        KILOPASCAL = 14 => "kPa",
        /// Pound per square inch.
        PSI = 15 => "PSI",
        /// Newton.
        NEWTON = 16 => "Newton",
        /// Cubic foot per minute.
        CFM = 17 => "CFM",
        /// Revolution per minute.
        RPM = 18 => "RPM",
        /// Hertz.
        HERTZ = 19 => "Hz",
        /// Microsecond.
        MICROSECOND = 20 => "microsecond",
        /// Millisecond.
        MILLISECOND = 21 => "millisecond",
        /// Second.
        SECOND = 22 => "second",
        /// Minute.
        MINUTE = 23 => "minute",
        /// Hour.
        HOUR = 24 => "hour",
        /// Day.
        DAY = 25 => "day",
        /// Week.
        WEEK = 26 => "week",
        /// Thousandth of an inch.
        MIL = 27 => "mil",
        /// Inch.
        INCHES = 28 => "inches",
        /// Foot.
        FEET = 29 => "feet",
        /// Cubic inch.
        CUBIC_INCHES = 30 => "cu in",
        /// Cubic foot.
        CUBIC_FEET = 31 => "cu feet",
        /// Millimetre.
        MILLIMETERS = 32 => "mm",
        /// Centimetre.
        CENTIMETERS = 33 => "cm",
        /// Metre.
        METERS = 34 => "m",
        /// Cubic centimetre.
        CUBIC_CENTIMETERS = 35 => "cu cm",
        /// Cubic metre.
        CUBIC_METERS = 36 => "cu m",
        /// Litre.
        LITERS = 37 => "liters",
        /// Fluid ounce.
        FLUID_OUNCE = 38 => "fluid ounce",
        /// Radian.
        RADIANS = 39 => "radians",
        /// Steradian.
        STERADIANS = 40 => "steradians",
        /// Revolution.
        REVOLUTIONS = 41 => "revolutions",
        /// Cycle.
        CYCLES = 42 => "cycles",
        /// Standard gravity.
        GRAVITIES = 43 => "gravities",
        /// Ounce.
        OUNCE = 44 => "ounce",
        /// Pound.
        POUND = 45 => "pound",
        /// Foot-pound.
        FOOT_POUND = 46 => "ft-lb",
        /// Ounce-inch.
        OUNCE_INCH = 47 => "oz-in",
        /// Gauss.
        GAUSS = 48 => "gauss",
        /// Gilbert.
        GILBERTS = 49 => "gilberts",
        /// Henry.
        HENRY = 50 => "henry",
        /// Millihenry.
        MILLIHENRY = 51 => "millihenry",
        /// Farad.
        FARAD = 52 => "farad",
        /// Microfarad.
        MICROFARAD = 53 => "microfarad",
        /// Ohm.
        OHMS = 54 => "ohms",
        /// Siemens.
        SIEMENS = 55 => "siemens",
        /// Mole.
        MOLE = 56 => "mole",
        /// Becquerel.
        BECQUEREL = 57 => "becquerel",
        /// Part per million.
        PPM = 58 => "PPM",
        /// Reserved.
        RESERVED = 59 => "reserved",
        /// Decibel.
        DECIBELS = 60 => "Decibels",
        /// Decibel, A-weighted.
        DBA = 61 => "DbA",
        /// Decibel, C-weighted.
        DBC = 62 => "DbC",
        /// Gray.
        GRAY = 63 => "gray",
        /// Sievert.
        SIEVERT = 64 => "sievert",
        /// Colour temperature in kelvin.
        COLOR_TEMPERATURE_K = 65 => "color temp deg K",
        /// Bit.
        BIT = 66 => "bit",
        /// Kilobit.
        KILOBIT = 67 => "kilobit",
        /// Megabit.
        MEGABIT = 68 => "megabit",
        /// Gigabit.
        GIGABIT = 69 => "gigabit",
        /// Byte.
        BYTE = 70 => "byte",
        /// Kilobyte.
        KILOBYTE = 71 => "kilobyte",
        /// Megabyte.
        MEGABYTE = 72 => "megabyte",
        /// Gigabyte.
        GIGABYTE = 73 => "gigabyte",
        /// Word.
        WORD = 74 => "word",
        /// Double word.
        DWORD = 75 => "dword",
        /// Quad word.
        QWORD = 76 => "qword",
        /// Memory line.
        LINE = 77 => "line",
        /// Hit.
        HIT = 78 => "hit",
        /// Miss.
        MISS = 79 => "miss",
        /// Retry.
        RETRY = 80 => "retry",
        /// Reset.
        RESET = 81 => "reset",
        /// Overrun or overflow.
        OVERFLOW = 82 => "overflow",
        /// Underrun.
        UNDERRUN = 83 => "underrun",
        /// Collision.
        COLLISION = 84 => "collision",
        /// Packet.
        PACKETS = 85 => "packets",
        /// Message.
        MESSAGES = 86 => "messages",
        /// Character.
        CHARACTERS = 87 => "characters",
        /// Error.
        ERROR = 88 => "error",
        /// Correctable error.
        CORRECTABLE_ERROR = 89 => "correctable error",
        /// Uncorrectable error.
        UNCORRECTABLE_ERROR = 90 => "uncorrectable error",
        /// Fatal error.
        FATAL_ERROR = 91 => "fatal error",
        /// Gram.
        GRAMS = 92 => "grams",
    }
}

impl SensorUnit {
    /// The symbol to print behind a number; empty for an unspecified, reserved or unknown unit.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        if (self.0 as usize) < SYMBOLS.len() {
            SYMBOLS[self.0 as usize]
        } else {
            ""
        }
    }
}

/// Symbols in the order of the unit numbers.
const SYMBOLS: [&str; 93] = [
    "",
    "C",
    "F",
    "K",
    "V",
    "A",
    "W",
    "J",
    "Cb",
    "VA",
    "nt",
    "lm",
    "lx",
    "cd",
    "kPa",
    "PSI",
    "N",
    "CFM",
    "RPM",
    "Hz",
    "us",
    "ms",
    "s",
    "min",
    "h",
    "d",
    "wk",
    "mil",
    "in",
    "ft",
    "cu in",
    "cu ft",
    "mm",
    "cm",
    "m",
    "cu cm",
    "cu m",
    "l",
    "fl oz",
    "rad",
    "sr",
    "rev",
    "cycles",
    "g",
    "oz",
    "lb",
    "ft lb",
    "oz in",
    "G",
    "Gb",
    "H",
    "mH",
    "F",
    "uF",
    "ohm",
    "S",
    "mol",
    "Bq",
    "PPM",
    "",
    "dB",
    "dBA",
    "dBC",
    "Gy",
    "Sv",
    "K",
    "bit",
    "kbit",
    "Mbit",
    "Gbit",
    "B",
    "kB",
    "MB",
    "GB",
    "word",
    "dword",
    "qword",
    "line",
    "hits",
    "misses",
    "retries",
    "resets",
    "overflows",
    "underruns",
    "collisions",
    "packets",
    "messages",
    "characters",
    "errors",
    "correctable errors",
    "uncorrectable errors",
    "fatal errors",
    "g",
];

protocol_number! {
    /// Per which time a unit is meant, 3 bits (§43.1, table 43-1, byte 21).
    pub struct RateUnit(u8) {
        /// No rate.
        NONE = 0 => "",
        /// Per microsecond.
        PER_MICROSECOND = 1 => "per microsecond",
        /// Per millisecond.
        PER_MILLISECOND = 2 => "per millisecond",
        /// Per second.
        PER_SECOND = 3 => "per second",
        /// Per minute.
        PER_MINUTE = 4 => "per minute",
        /// Per hour.
        PER_HOUR = 5 => "per hour",
        /// Per day.
        PER_DAY = 6 => "per day",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_93_units_and_numbers_stand_where_table_43_15_has_them() {
        assert_eq!(SensorUnit::NAMED.len(), 93);
        for (number, unit) in [
            (1, SensorUnit::DEGREES_C),
            (4, SensorUnit::VOLTS),
            (6, SensorUnit::WATTS),
            (18, SensorUnit::RPM),
            (54, SensorUnit::OHMS),
            (60, SensorUnit::DECIBELS),
            (73, SensorUnit::GIGABYTE),
            (92, SensorUnit::GRAMS),
        ] {
            assert_eq!(unit.0, number);
        }
        assert_eq!(SensorUnit(18).symbol(), "RPM");
        assert_eq!(SensorUnit(92).symbol(), "g");
        assert_eq!(SensorUnit(93).symbol(), "");
    }
}
