//! The RedDrum program: command line, configuration and wiring.

fn main() {}
