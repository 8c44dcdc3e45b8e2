//! The RedDrum program: command line, configuration and wiring.

mod config;

fn main() {}
