//! How BMCs deviate from the specification: one table for both ends.
//!
//! A [`Quirk`] is one deviation with a stable name. A console notices it, remembers it in its [`Quirks`] and goes on all the
//! same; a virtual BMC shows it where [`Config::defects`](crate::bmc::Config::defects) has it; and each has a test in which
//! one deals with the other. [`Quirk::row`] says where it was met, what it is and what a console does about it.
//!
//! ```
//! use ipmi::quirk::{Handling, Quirk, Quirks};
//!
//! let quirk: Quirk = "sequence-byte-swapped".parse()?;
//! assert_eq!(quirk.row().handling, Handling::Noticed);
//! assert_eq!("endianseq".parse(), Ok(quirk), "FreeIPMI's name for it");
//! let known = Quirks::NONE.with(quirk);
//! assert!(known.has(quirk) && !known.has(Quirk::OftenBusy));
//! # Ok::<(), ipmi::quirk::UnknownQuirk>(())
//! ```

mod name;
mod open;
mod record;
mod row;
mod session;
mod set;
mod setting;

pub use name::{Quirk, UnknownQuirk};
pub use open::{DEVIATIONS, OPEN};
pub use row::{Area, Handling, Row, rows};
pub use set::Quirks;

/// How long a BMC with [`Quirk::NeedsGap`] is left alone after each answer, in milliseconds, where nobody knows better.
pub const GAP_MS: u16 = 100;
