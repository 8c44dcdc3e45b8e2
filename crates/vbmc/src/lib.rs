//! Virtual machines with BMCs that answer IPMI over UDP from one seeded machine state.

pub mod curve;
pub mod host;
pub mod log;
pub mod machine;
pub mod physics;
pub mod profile;
pub mod rack;
pub mod scale;
pub mod sensor;
pub mod site;
