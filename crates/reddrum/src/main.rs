//! The RedDrum program: command line, configuration and wiring.

mod args;
mod certificate;
mod config;
mod place;

fn main() {}
