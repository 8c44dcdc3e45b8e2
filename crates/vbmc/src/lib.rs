//! Virtual machines with BMCs that answer IPMI over UDP from one seeded machine state.
