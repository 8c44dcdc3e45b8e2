//! Units of IPMI (§43.17) in UCUM notation, and the kind of quantity that goes with them.

use hardware::{Quantity, Unit};
use ipmi::number::{RateUnit, SensorType, SensorUnit};
use ipmi::record::sdr::{UnitRelation, Units};

/// A unit in UCUM notation; where UCUM has none, IPMI's symbol.
pub(crate) fn unit(units: &Units) -> Unit {
    let mut text = String::new();
    if units.is_percentage() {
        text.push('%');
    } else {
        text.push_str(ucum(units.base));
    }
    match units.relation() {
        UnitRelation::None => {}
        UnitRelation::Per => {
            text.push('/');
            text.push_str(ucum(units.modifier));
        }
        UnitRelation::Times => {
            text.push('.');
            text.push_str(ucum(units.modifier));
        }
    }
    text.push_str(match units.rate() {
        RateUnit::PER_MICROSECOND => "/us",
        RateUnit::PER_MILLISECOND => "/ms",
        RateUnit::PER_SECOND => "/s",
        RateUnit::PER_MINUTE => "/min",
        RateUnit::PER_HOUR => "/h",
        RateUnit::PER_DAY => "/d",
        _ => "",
    });
    Unit(text.into())
}

fn ucum(unit: SensorUnit) -> &'static str {
    match unit {
        SensorUnit::DEGREES_C => "Cel",
        SensorUnit::DEGREES_F => "[degF]",
        SensorUnit::DEGREES_K | SensorUnit::COLOR_TEMPERATURE_K => "K",
        SensorUnit::COULOMBS => "C",
        SensorUnit::VOLT_AMPERES => "V.A",
        SensorUnit::NITS => "cd/m2",
        SensorUnit::KILOPASCAL => "kPa",
        SensorUnit::PSI => "[psi]",
        SensorUnit::CFM => "[cft_i]/min",
        SensorUnit::RPM => "{rev}/min",
        SensorUnit::MIL => "[mil_i]",
        SensorUnit::INCHES => "[in_i]",
        SensorUnit::FEET => "[ft_i]",
        SensorUnit::CUBIC_INCHES => "[cin_i]",
        SensorUnit::CUBIC_FEET => "[cft_i]",
        SensorUnit::CUBIC_CENTIMETERS => "cm3",
        SensorUnit::CUBIC_METERS => "m3",
        SensorUnit::LITERS => "L",
        SensorUnit::FLUID_OUNCE => "[foz_us]",
        SensorUnit::REVOLUTIONS => "{rev}",
        SensorUnit::CYCLES => "{cycle}",
        SensorUnit::GRAVITIES => "[g]",
        SensorUnit::OUNCE => "[oz_av]",
        SensorUnit::POUND => "[lb_av]",
        SensorUnit::FOOT_POUND => "[ft_i].[lbf_av]",
        SensorUnit::OUNCE_INCH => "[ozf_av].[in_i]",
        SensorUnit::FARAD => "F",
        SensorUnit::OHMS => "Ohm",
        SensorUnit::PPM => "[ppm]",
        SensorUnit::DECIBELS => "dB",
        SensorUnit::BYTE => "By",
        SensorUnit::KILOBYTE => "kBy",
        SensorUnit::MEGABYTE => "MBy",
        SensorUnit::GIGABYTE => "GBy",
        other => other.symbol(),
    }
}

/// What a numeric sensor measures: its unit says most, its type the rest.
pub(crate) fn quantity(units: &Units, sensor: SensorType) -> Quantity {
    // Watts per hour are no power; a litre in a minute is a flow.
    let plain = units.relation() == UnitRelation::None && units.rate() == RateUnit::NONE;
    if units.is_percentage() {
        return if sensor == SensorType::FAN || sensor == SensorType::COOLING_DEVICE {
            Quantity::FanSpeed
        } else {
            Quantity::Percent
        };
    }
    match units.base {
        SensorUnit::LITERS if !plain && units.rate() != RateUnit::NONE => Quantity::LiquidFlow,
        SensorUnit::REVOLUTIONS if units.rate() == RateUnit::PER_MINUTE => Quantity::FanSpeed,
        _ if !plain => Quantity::Other,
        SensorUnit::DEGREES_C | SensorUnit::DEGREES_F | SensorUnit::DEGREES_K => {
            Quantity::Temperature
        }
        SensorUnit::VOLTS => Quantity::Voltage,
        SensorUnit::AMPS => Quantity::Current,
        SensorUnit::WATTS | SensorUnit::VOLT_AMPERES => Quantity::Power,
        SensorUnit::JOULES => Quantity::Energy,
        SensorUnit::RPM => Quantity::FanSpeed,
        SensorUnit::CFM => Quantity::AirFlow,
        SensorUnit::KILOPASCAL | SensorUnit::PSI => Quantity::Pressure,
        SensorUnit::HERTZ => Quantity::Frequency,
        SensorUnit::UNSPECIFIED => match sensor {
            SensorType::TEMPERATURE => Quantity::Temperature,
            SensorType::VOLTAGE => Quantity::Voltage,
            SensorType::CURRENT => Quantity::Current,
            SensorType::FAN => Quantity::FanSpeed,
            _ => Quantity::Other,
        },
        _ => Quantity::Other,
    }
}

#[cfg(test)]
mod tests {
    use ipmi::record::AnalogFormat;

    use super::*;

    fn plain(base: SensorUnit) -> Units {
        Units::new(AnalogFormat::Unsigned, base)
    }

    #[test]
    fn units_are_written_as_ucum_has_them() {
        let with = |flags: u8, modifier| Units {
            flags,
            modifier,
            ..plain(SensorUnit::WATTS)
        };
        for (units, text) in [
            (plain(SensorUnit::DEGREES_C), "Cel"),
            (plain(SensorUnit::RPM), "{rev}/min"),
            (plain(SensorUnit::UNSPECIFIED), ""),
            (plain(SensorUnit::VOLTS), "V"),
            (with(0x01, SensorUnit::UNSPECIFIED), "%"),
            (with(0x02, SensorUnit::VOLTS), "W/V"),
            (with(0x04, SensorUnit::HOUR), "W.h"),
            (with(0x18, SensorUnit::UNSPECIFIED), "W/s"),
            (plain(SensorUnit(200)), ""),
        ] {
            assert_eq!(&*unit(&units).0, text);
        }
    }

    #[test]
    fn the_quantity_follows_the_unit_and_else_the_type() {
        let percent = Units {
            flags: 0x01,
            ..plain(SensorUnit::UNSPECIFIED)
        };
        let hourly = Units {
            flags: 0x28,
            ..plain(SensorUnit::WATTS)
        };
        for (units, sensor, expected) in [
            (
                plain(SensorUnit::VOLTS),
                SensorType::OTHER_UNITS_BASED,
                Quantity::Voltage,
            ),
            (
                plain(SensorUnit::UNSPECIFIED),
                SensorType::FAN,
                Quantity::FanSpeed,
            ),
            (percent, SensorType::FAN, Quantity::FanSpeed),
            (percent, SensorType::PROCESSOR, Quantity::Percent),
            (hourly, SensorType::OTHER_UNITS_BASED, Quantity::Other),
        ] {
            assert_eq!(quantity(&units, sensor), expected);
        }
    }
}
