//! Fixed layouts: a struct whose fields are the specification's bytes in their order, written once for both directions.
//!
//! ```text
//! request! {
//!     /// Sets the limit (§28.9).
//!     pub struct SetLimit: CHASSIS 0x0b "Set Limit", repeatable => Empty {
//!         u8 {                                  one byte that several fields share
//!             pub kind: LimitKind [7:4],        bits 7 to 4
//!             pub on: bool [0],                 bit 0; bits that no field has are reserved and travel as 0
//!         }
//!         reserved 1;                           a byte that is 0 and is not looked at
//!         pub limit: u16,                       two bytes, low byte first
//!         pub note: Option<u8>,                 may be left out
//!     }
//! }
//! ```
//!
//! [`message!`] is the same for answers, `layout!` for what is part of others. Commands whose bytes depend on each other
//! are written by hand.

use crate::command::Bytes;
use crate::number::NetFn;
use crate::wire::{Reader, WireError, WireFault, Writer};

/// A value that takes whole bytes.
pub(crate) trait Field: Sized {
    /// Writes it.
    fn put(&self, w: &mut Writer<'_>);

    /// Reads it; `name` is for the error.
    fn get(r: &mut Reader<'_>, name: &'static str) -> Result<Self, WireError>;
}

/// A value that takes some bits of a byte or word. Bits beyond the type are dropped.
pub(crate) trait Bits: Copy {
    /// As a number.
    fn to_bits(self) -> u32;

    /// From a number.
    fn from_bits(bits: u32) -> Self;
}

/// Network function and the bytes that come before the data of each request and answer of a group (§5.1).
pub(crate) type Function = (NetFn, &'static [u8]);

/// The functions by the names that the macros use.
pub(crate) mod function {
    use super::Function;
    use crate::number::{DefiningBody, NetFn};

    pub(crate) use super::oem::*;

    pub(crate) const CHASSIS: Function = (NetFn::CHASSIS, &[]);
    pub(crate) const SENSOR_EVENT: Function = (NetFn::SENSOR_EVENT, &[]);
    pub(crate) const APP: Function = (NetFn::APP, &[]);
    pub(crate) const STORAGE: Function = (NetFn::STORAGE, &[]);
    pub(crate) const TRANSPORT: Function = (NetFn::TRANSPORT, &[]);
    pub(crate) const PICMG: Function = (NetFn::GROUP_EXTENSION, &[DefiningBody::PICMG.0]);
    pub(crate) const VSO: Function = (NetFn::GROUP_EXTENSION, &[DefiningBody::VSO.0]);
    pub(crate) const DCMI: Function = (NetFn::GROUP_EXTENSION, &[DefiningBody::DCMI.0]);
}

/// The functions of makers.
pub(crate) mod oem {
    use super::Function;
    use crate::number::{DefiningBody, NetFn};

    /// Enterprise number of Intel, low byte first.
    const INTEL: &[u8] = &[0x57, 0x01, 0x00];

    pub(crate) const SUPERMICRO: Function = (NetFn(0x30), &[]);
    pub(crate) const SUPERMICRO_GET_MODE: Function = (NetFn(0x30), &[0x00]);
    pub(crate) const SUPERMICRO_SET_MODE: Function = (NetFn(0x30), &[0x01]);
    pub(crate) const SUPERMICRO_GET_ZONE: Function = (NetFn(0x30), &[0x66, 0x00]);
    pub(crate) const SUPERMICRO_SET_ZONE: Function = (NetFn(0x30), &[0x66, 0x01]);
    pub(crate) const DELL_FAN_MODE: Function = (NetFn(0x30), &[0x01]);
    pub(crate) const DELL_FAN_DUTY: Function = (NetFn(0x30), &[0x02]);
    pub(crate) const DELL_POWER: Function = (NetFn(0x30), &[0x0a, 0x00]);
    pub(crate) const DELL_SET_COOLING: Function = (NetFn(0x30), &[0x00, 0x16, 0x05]);
    pub(crate) const DELL_GET_COOLING: Function = (NetFn(0x30), &[0x01, 0x16, 0x05]);
    pub(crate) const DELL_COOLING: Function = (NetFn(0x30), &[0x16, 0x05]);
    pub(crate) const OEM_3A: Function = (NetFn(0x3a), &[]);
    pub(crate) const NODE_MANAGER: Function = (NetFn::OEM_GROUP, INTEL);
    pub(crate) const SBMR: Function = (NetFn::GROUP_EXTENSION, &[DefiningBody::SBMR.0]);
}

/// Reads the bytes of a group; others are refused.
pub(crate) fn expect_prefix(r: &mut Reader<'_>, prefix: &[u8]) -> Result<(), WireError> {
    let other = r.error("group", WireFault::Invalid);
    if r.take("group", prefix.len())? == prefix {
        Ok(())
    } else {
        Err(other)
    }
}

/// Lowest bit and mask of `[high:low]` or `[bit]`.
pub(crate) const fn span(bits: &[u32]) -> (u32, u32) {
    match *bits {
        [high, low] => (low, u32::MAX >> (31 - (high - low))),
        [bit] => (bit, 1),
        _ => (0, 0),
    }
}

macro_rules! whole_numbers {
    ($($int:ident $take:ident;)*) => { $(
        impl Field for $int {
            fn put(&self, w: &mut Writer<'_>) {
                w.bytes(&self.to_le_bytes());
            }

            fn get(r: &mut Reader<'_>, name: &'static str) -> Result<Self, WireError> {
                r.array(name).map(Self::from_le_bytes)
            }
        }

        impl Bits for $int {
            fn to_bits(self) -> u32 {
                u32::from(self)
            }

            fn from_bits(bits: u32) -> Self {
                let mut bytes = [0; size_of::<Self>()];
                bytes.copy_from_slice(&bits.to_le_bytes()[..size_of::<Self>()]);
                Self::from_le_bytes(bytes)
            }
        }
    )* };
}
whole_numbers! { u8 u8; u16 u16; u32 u32; }

impl Field for i16 {
    fn put(&self, w: &mut Writer<'_>) {
        w.bytes(&self.to_le_bytes());
    }

    fn get(r: &mut Reader<'_>, name: &'static str) -> Result<Self, WireError> {
        r.array(name).map(Self::from_le_bytes)
    }
}

impl Bits for bool {
    fn to_bits(self) -> u32 {
        self.into()
    }

    fn from_bits(bits: u32) -> Self {
        bits & 1 == 1
    }
}

impl<const N: usize> Field for [u8; N] {
    fn put(&self, w: &mut Writer<'_>) {
        w.bytes(self);
    }

    fn get(r: &mut Reader<'_>, name: &'static str) -> Result<Self, WireError> {
        r.array(name)
    }
}

impl<const N: usize> Field for Bytes<N> {
    fn put(&self, w: &mut Writer<'_>) {
        w.bytes(self);
    }

    fn get(r: &mut Reader<'_>, name: &'static str) -> Result<Self, WireError> {
        Self::decode(r, name)
    }
}

impl<T: Field> Field for Option<T> {
    fn put(&self, w: &mut Writer<'_>) {
        if let Some(value) = self {
            value.put(w);
        }
    }

    fn get(r: &mut Reader<'_>, name: &'static str) -> Result<Self, WireError> {
        if r.is_empty() {
            Ok(None)
        } else {
            T::get(r, name).map(Some)
        }
    }
}

/// Bytes of a [`U24`].
pub(crate) const U24_LEN: usize = 3;

/// A number of three bytes: enterprise numbers (§20.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct U24(pub u32);

impl Field for U24 {
    fn put(&self, w: &mut Writer<'_>) {
        w.u24(self.0);
    }

    fn get(r: &mut Reader<'_>, name: &'static str) -> Result<Self, WireError> {
        r.u24(name).map(Self)
    }
}

impl Bits for U24 {
    fn to_bits(self) -> u32 {
        self.0
    }

    fn from_bits(bits: u32) -> Self {
        Self(bits & 0x00ff_ffff)
    }
}

impl Field for crate::command::app::Guid {
    fn put(&self, w: &mut Writer<'_>) {
        w.bytes(&self.0);
    }

    fn get(r: &mut Reader<'_>, name: &'static str) -> Result<Self, WireError> {
        r.array(name).map(Self)
    }
}

macro_rules! record_ids {
    ($($id:ident)*) => { $(
        impl Field for crate::record::$id {
            fn put(&self, w: &mut Writer<'_>) {
                self.0.put(w);
            }

            fn get(r: &mut Reader<'_>, name: &'static str) -> Result<Self, WireError> {
                Field::get(r, name).map(Self)
            }
        }
    )* };
}
record_ids! { RecordId ReservationId Timestamp }

/// Declares a struct with its layout; see the module.
macro_rules! layout {
    ($(#[$meta:meta])* pub struct $name:ident { $($body:tt)* }) => {
        $crate::command::layout::layout!(@parse [$(#[$meta])*] $name [] [] [] $($body)*);
    };
    (@parse $head:tt $name:ident $fields:tt [$($units:tt)*] $names:tt reserved $n:literal; $($rest:tt)*) => {
        $crate::command::layout::layout!(@parse $head $name $fields [$($units)* (reserved $n)] $names $($rest)*);
    };
    (@parse $head:tt $name:ident [$($fields:tt)*] [$($units:tt)*] [$($names:ident)*]
     $int:ident { $($(#[$m:meta])* pub $f:ident: $t:ty [$hi:literal $(: $lo:literal)?]),+ $(,)? } $($rest:tt)*) => {
        $crate::command::layout::layout!(@parse $head $name
            [$($fields)* $($(#[$m])* pub $f: $t,)+]
            [$($units)* (bits $int $($f: $t [$hi $(, $lo)?];)+)]
            [$($names)* $($f)+] $($rest)*);
    };
    (@parse $head:tt $name:ident [$($fields:tt)*] [$($units:tt)*] [$($names:ident)*]
     $(#[$m:meta])* pub $f:ident: $t:ty $(, $($rest:tt)*)?) => {
        $crate::command::layout::layout!(@parse $head $name
            [$($fields)* $(#[$m])* pub $f: $t,]
            [$($units)* (field $f)]
            [$($names)* $f] $($($rest)*)?);
    };
    (@parse [$($head:tt)*] $name:ident [] [] []) => {
        $($head)*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;

        impl $crate::print::Shown for $name {
            fn value(&self) -> $crate::print::Value {
                $crate::print::Value::Fields(alloc::vec::Vec::new())
            }
        }

        impl $crate::command::layout::Field for $name {
            fn put(&self, _: &mut $crate::wire::Writer<'_>) {}

            fn get(_: &mut $crate::wire::Reader<'_>, _: &'static str) -> Result<Self, $crate::wire::WireError> {
                Ok(Self)
            }
        }
    };
    (@parse [$($head:tt)*] $name:ident [] [(reserved $n:literal)] []) => {
        $($head)*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;

        impl $crate::print::Shown for $name {
            fn value(&self) -> $crate::print::Value {
                $crate::print::Value::Fields(alloc::vec::Vec::new())
            }
        }

        impl $crate::command::layout::Field for $name {
            fn put(&self, w: &mut $crate::wire::Writer<'_>) {
                w.bytes(&[0; $n]);
            }

            fn get(r: &mut $crate::wire::Reader<'_>, _: &'static str) -> Result<Self, $crate::wire::WireError> {
                r.take("reserved bytes", $n).map(|_| Self)
            }
        }
    };
    (@parse [$($head:tt)*] $name:ident [$($fields:tt)*] [$($unit:tt)*] [$($f:ident)*]) => {
        $($head)*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name { $($fields)* }

        impl $crate::print::Shown for $name {
            fn value(&self) -> $crate::print::Value {
                $crate::print::Value::Fields(alloc::vec![$(
                    $crate::print::Field::new(stringify!($f), &self.$f)
                ),*])
            }
        }

        impl $crate::command::layout::Field for $name {
            fn put(&self, w: &mut $crate::wire::Writer<'_>) {
                $( $crate::command::layout::layout!(@put self w $unit); )*
            }

            fn get(r: &mut $crate::wire::Reader<'_>, _: &'static str) -> Result<Self, $crate::wire::WireError> {
                $( $crate::command::layout::layout!(@get r $unit); )*
                Ok(Self { $($f),* })
            }
        }
    };
    (@put $s:ident $w:ident (field $f:ident)) => {
        $crate::command::layout::Field::put(&$s.$f, $w);
    };
    (@put $s:ident $w:ident (reserved $n:literal)) => {
        $w.bytes(&[0; $n]);
    };
    (@put $s:ident $w:ident (bits $int:ident $($f:ident: $t:ty [$($b:literal),+];)+)) => {
        let mut word: u32 = 0;
        $(
            let (low, mask) = const { $crate::command::layout::span(&[$($b),+]) };
            word |= ($crate::command::layout::Bits::to_bits($s.$f) & mask) << low;
        )+
        $crate::command::layout::Field::put(&<$int as $crate::command::layout::Bits>::from_bits(word), $w);
    };
    (@get $r:ident (field $f:ident)) => {
        let $f = $crate::command::layout::Field::get($r, stringify!($f))?;
    };
    (@get $r:ident (reserved $n:literal)) => {
        $r.take("reserved bytes", $n)?;
    };
    (@get $r:ident (bits $int:ident $($f:ident: $t:ty [$($b:literal),+];)+)) => {
        let word = $crate::command::layout::Bits::to_bits(
            <$int as $crate::command::layout::Field>::get($r, stringify!($($f),+))?
        );
        $(
            let (low, mask) = const { $crate::command::layout::span(&[$($b),+]) };
            let $f: $t = $crate::command::layout::Bits::from_bits(word >> low & mask);
        )+
    };
}
pub(crate) use layout;

/// Declares a request with its layout; see the module.
macro_rules! request {
    ($($(#[$meta:meta])* pub struct $name:ident: $function:ident $cmd:literal $title:literal, $repeat:ident => $answer:ty
     { $($body:tt)* })+) => { $(
        $crate::command::layout::layout! { $(#[$meta])* pub struct $name { $($body)* } }

        impl $crate::command::Command for $name {
            const NETFN: $crate::number::NetFn = $crate::command::layout::function::$function.0;
            const PREFIX: &'static [u8] = $crate::command::layout::function::$function.1;
            const CMD: u8 = $cmd;
            const NAME: &'static str = $title;
            const IDEMPOTENT: bool = $crate::command::layout::request!(@ $repeat);
            type Response = $answer;

            fn encode(&self, w: &mut $crate::wire::Writer<'_>) {
                w.bytes(Self::PREFIX);
                $crate::command::layout::Field::put(self, w);
            }

            fn decode(r: &mut $crate::wire::Reader<'_>) -> Result<Self, $crate::wire::WireError> {
                $crate::command::layout::expect_prefix(r, Self::PREFIX)?;
                $crate::command::layout::Field::get(r, Self::NAME)
            }
        }
    )+ };
    (@ repeatable) => { true };
    (@ once) => { false };
}
pub(crate) use request;

/// Declares an answer with its layout, for a group with `in GROUP`; see the module.
macro_rules! message {
    ($($(#[$meta:meta])* pub struct $name:ident $(in $function:ident)? { $($body:tt)* })+) => { $(
        $crate::command::layout::layout! { $(#[$meta])* pub struct $name { $($body)* } }

        impl $crate::command::Message for $name {
            fn encode(&self, w: &mut $crate::wire::Writer<'_>) {
                $( w.bytes($crate::command::layout::function::$function.1); )?
                $crate::command::layout::Field::put(self, w);
            }

            fn decode(r: &mut $crate::wire::Reader<'_>) -> Result<Self, $crate::wire::WireError> {
                $( $crate::command::layout::expect_prefix(r, $crate::command::layout::function::$function.1)?; )?
                $crate::command::layout::Field::get(r, "answer")
            }
        }
    )+ };
}
pub(crate) use message;

#[cfg(test)]
#[expect(unreachable_pub, reason = "the macros make public types")]
mod tests {
    use super::*;
    use crate::command::{Command, Empty, check};

    request! {
        /// One of everything.
        pub struct Sample: DCMI 0x7f "Sample", once => Answer {
            u8 {
                /// High bits.
                pub kind: u8 [7:4],
                /// Low bit.
                pub on: bool [0],
            }
            reserved 1;
            u16 {
                /// Over a byte's edge.
                pub wide: u16 [11:3],
            }
            /// Whole.
            pub number: U24,
            /// May be left out.
            pub note: Option<u8>,
        }
        /// Nothing.
        pub struct Nothing: APP 0x7e "Nothing", repeatable => Empty {}
    }

    message! {
        /// An answer of a group.
        pub struct Answer in DCMI {
            /// A number.
            pub number: u32,
        }
    }

    #[test]
    fn fields_travel_in_their_order_and_bits_in_their_places() {
        let sample = Sample {
            kind: 0xa,
            on: true,
            wide: 0x1ff,
            number: U24(0x01_02_03),
            note: Some(5),
        };
        check::request(&sample, &[0xdc, 0xa1, 0, 0xf8, 0x0f, 3, 2, 1, 5], 8);
        check::request(&Nothing, &[], 0);
        check::response(&Answer { number: 7 }, &[0xdc, 7, 0, 0, 0], 5);
        const { assert!(!Sample::IDEMPOTENT && Nothing::IDEMPOTENT) };
    }

    #[test]
    fn another_groups_request_is_invalid() {
        let decoded = Sample::decode(&mut Reader::new(&[0; 9]));
        assert_eq!(decoded.map_err(|e| e.fault), Err(WireFault::Invalid));
    }
}
