//! What the fields of messages hold, ready to be printed: for a person as text, for a program as a tree.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::command::layout::{Bits, U24};
use crate::command::{Bytes, Secret};

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing: the field may be left out, and is.
    Absent,
    /// Yes or no.
    Bool(bool),
    /// A number that counts or measures: prints in decimal.
    Number(i64),
    /// A protocol number: prints its name, and itself in hexadecimal digits.
    Code {
        /// The number.
        number: u32,
        /// How wide it is, in hexadecimal digits.
        digits: usize,
        /// The specification's name for it; `None` where it has none.
        name: Option<&'static str>,
    },
    /// A set of bits: prints in hexadecimal digits, with the names of those that are set.
    Flags {
        /// All bits.
        number: u32,
        /// How wide it is, in hexadecimal digits.
        digits: usize,
        /// The specification's names of those that are set and have one.
        names: Vec<&'static str>,
    },
    /// A session ID: prints as eight hexadecimal digits.
    SessionId(u32),
    /// Bytes: print as two hexadecimal digits each.
    Bytes(Vec<u8>),
    /// One of the specification's names, without a number of its own.
    Name(&'static str),
    /// Text, or what is best read as one: times, GUIDs, versions. Prints in quotes.
    Text(String),
    /// So many bytes that may be or hold a password, a key or an SNMP community: they are not printed.
    Secret(usize),
    /// Fields of its own.
    Fields(Vec<Field>),
    /// Several of a kind.
    List(Vec<Self>),
}

/// A field with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name: the specification's in lower case, words joined by `_`. It doesn't change between versions.
    pub name: &'static str,
    /// What it holds.
    pub value: Value,
}

/// Something whose fields can be printed.
pub trait Shown {
    /// What it holds.
    fn value(&self) -> Value;
}

impl Field {
    /// A field. The number in it counts, unless the name says that it's a session ID, an address or a set of bits.
    #[must_use]
    pub fn new(name: &'static str, shown: &(impl Shown + ?Sized)) -> Self {
        let value = match shown.value() {
            Value::Number(number) if name.ends_with("session_id") => {
                Value::SessionId(u32::try_from(number).unwrap_or(0))
            }
            Value::Number(number) if is_code(name) => {
                let number = u32::try_from(number).unwrap_or(0);
                let digits = if number > 0xff { 4 } else { 2 };
                Value::Code {
                    number,
                    digits,
                    name: None,
                }
            }
            value => value,
        };
        Self { name, value }
    }
}

/// A field whose value is known.
pub(super) const fn field(name: &'static str, value: Value) -> Field {
    Field { name, value }
}

/// Whether a number of this name is read in hexadecimal digits.
fn is_code(name: &str) -> bool {
    ["address", "mask", "states", "assertion", "deassertion"]
        .iter()
        .any(|end| name.ends_with(end))
}

impl Value {
    /// A protocol number of so many bits.
    #[must_use]
    pub const fn code(number: u32, bits: u32, name: Option<&'static str>) -> Self {
        Self::Code {
            number,
            digits: digits(bits),
            name,
        }
    }

    /// A set of so many bits.
    #[must_use]
    pub fn flags(number: u32, bits: u32, names: impl Iterator<Item = &'static str>) -> Self {
        Self::Flags {
            number,
            digits: digits(bits),
            names: names.collect(),
        }
    }

    /// Whether there is nothing to print.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Fields(fields) => fields.iter().all(|field| field.value.is_empty()),
            _ => false,
        }
    }

    /// Its fields that hold something.
    fn present(fields: &[Field]) -> impl Iterator<Item = &Field> {
        fields.iter().filter(|field| !field.value.is_empty())
    }

    /// Writes its fields, one a line, `depth` times four blanks from the left; nothing where it has none.
    ///
    /// # Errors
    /// The formatter's.
    pub fn write_lines(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let Self::Fields(fields) = self else {
            return Ok(());
        };
        for Field { name, value } in Self::present(fields) {
            write!(f, "\n{:1$}{2}", "", depth * 4, Spaced(name))?;
            match value {
                Self::Fields(_) => value.write_lines(f, depth + 1)?,
                value => write!(f, ": {value}")?,
            }
        }
        Ok(())
    }
}

/// Hexadecimal digits of so many bits: two, four or eight.
const fn digits(bits: u32) -> usize {
    match bits {
        0..=8 => 2,
        9..=16 => 4,
        _ => 8,
    }
}

/// A field's name for people.
struct Spaced<'a>(&'a str);

impl fmt::Display for Spaced<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, word) in self.0.split('_').enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(word)?;
        }
        Ok(())
    }
}

impl fmt::Display for Value {
    /// In one line: `sensor number 17, flags 0xc0 (scanning enabled)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("none"),
            Self::Bool(yes) => f.write_str(if *yes { "yes" } else { "no" }),
            Self::Number(number) => write!(f, "{number}"),
            Self::Code {
                number,
                digits,
                name,
            } => match name {
                Some(name) => write!(f, "{name} (0x{number:0digits$x})"),
                None => write!(f, "0x{number:0digits$x}"),
            },
            Self::Flags {
                number,
                digits,
                names,
            } => {
                write!(f, "0x{number:0digits$x}")?;
                match names.as_slice() {
                    [] => Ok(()),
                    names => write!(f, " ({})", names.join(", ")),
                }
            }
            Self::SessionId(id) => write!(f, "0x{id:08x}"),
            Self::Bytes(bytes) if bytes.is_empty() => f.write_str("no bytes"),
            Self::Bytes(bytes) => joined(f, " ", bytes, |f, byte| write!(f, "{byte:02x}")),
            Self::Name(name) => f.write_str(name),
            Self::Text(text) => write!(f, "\"{}\"", text.escape_debug()),
            Self::Secret(len) => write!(f, "{len} bytes, not shown"),
            Self::Fields(fields) => {
                let present: Vec<_> = Self::present(fields).collect();
                joined(f, ", ", &present, |f, Field { name, value }| match value {
                    Self::Fields(_) => write!(f, "{} ({value})", Spaced(name)),
                    value => write!(f, "{} {value}", Spaced(name)),
                })
            }
            Self::List(values) => {
                f.write_str("[")?;
                joined(f, "; ", values, |f, value| write!(f, "{value}"))?;
                f.write_str("]")
            }
        }
    }
}

fn joined<T>(
    f: &mut fmt::Formatter<'_>,
    between: &str,
    items: &[T],
    write: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            f.write_str(between)?;
        }
        write(f, item)?;
    }
    Ok(())
}

macro_rules! shown_numbers {
    ($($int:ident)*) => { $(
        impl Shown for $int {
            fn value(&self) -> Value {
                Value::Number(i64::from(*self))
            }
        }
    )* };
}
shown_numbers! { u8 u16 u32 i8 i16 }

impl Shown for bool {
    fn value(&self) -> Value {
        Value::Bool(*self)
    }
}

impl Shown for U24 {
    fn value(&self) -> Value {
        Value::Number(self.to_bits().into())
    }
}

impl Shown for [u8] {
    fn value(&self) -> Value {
        Value::Bytes(self.to_vec())
    }
}

impl<const N: usize> Shown for [u8; N] {
    fn value(&self) -> Value {
        self.as_slice().value()
    }
}

impl<const N: usize> Shown for Bytes<N> {
    fn value(&self) -> Value {
        self.as_slice().value()
    }
}

impl<const N: usize> Shown for Secret<N> {
    fn value(&self) -> Value {
        Value::Secret(self.as_slice().len())
    }
}

impl<T: Shown> Shown for Option<T> {
    fn value(&self) -> Value {
        self.as_ref().map_or(Value::Absent, Shown::value)
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;
    use std::vec;

    use super::*;
    use crate::number::{PrivilegeLevel, ReadingFlags};

    fn fields() -> Value {
        let flags = ReadingFlags::SCANNING;
        let inner = vec![Field::new("m", &-3_i16), Field::new("note", &None::<u8>)];
        Value::Fields(vec![
            Field::new("bmc_session_id", &7_u32),
            Field::new("fru_address", &0x20_u8),
            Field::new("privilege", &PrivilegeLevel(9)),
            Field::new("flags", &flags),
            Field {
                name: "factors",
                value: Value::Fields(inner),
            },
            Field::new("data", &[1_u8, 0xab]),
            Field::new("key", &Secret::<20>::new(b"secret").unwrap()),
        ])
    }

    #[test]
    fn fields_print_in_one_line_or_in_one_each() {
        assert_eq!(
            fields().to_string(),
            "bmc session id 0x00000007, fru address 0x20, privilege 0x09, flags 0x40 (scanning enabled), \
             factors (m -3), data 01 ab, key 6 bytes, not shown"
        );
        struct Lines(Value);
        impl fmt::Display for Lines {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.write_lines(f, 1)
            }
        }
        let lines = Lines(fields()).to_string();
        let lines: Vec<_> = lines.lines().collect();
        assert_eq!(lines[1], "    bmc session id: 0x00000007");
        assert_eq!(lines[5..7], ["    factors", "        m: -3"]);
    }

    #[test]
    fn what_is_absent_is_not_printed() {
        let empty = Value::Fields(vec![Field::new("note", &None::<u8>)]);
        assert!(empty.is_empty());
        assert_eq!(empty.to_string(), "");
    }
}
