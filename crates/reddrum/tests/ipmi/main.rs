//! `reddrum ipmi` as operators run it, against virtual BMCs on loopback.

#![expect(clippy::unwrap_used, reason = "test code, helpers too")]

mod decode;
mod deviating;
mod discover;
mod everyday;
mod families;
mod hpm;
mod inventory;
mod line;
mod makers;
mod records;
mod settings;
mod support;
mod v15;
