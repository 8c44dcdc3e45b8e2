//! Virtual machines with BMCs that answer IPMI over UDP from one seeded machine state.

pub mod bmcs;
pub mod curve;
mod describe;
pub mod fault;
pub mod fru;
pub mod handler;
pub mod hardware;
pub mod host;
pub mod log;
pub mod machine;
pub mod net;
pub mod physics;
pub mod profile;
pub mod rack;
pub mod scale;
pub mod sdr;
pub mod sensor;
pub mod serve;
pub mod site;
