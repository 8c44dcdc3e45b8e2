//! A cap on what a machine draws.

/// What happens when a machine can't stay below its power limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitAction {
    /// Nothing.
    None,
    /// The machine goes off, and its log tells.
    PowerOff,
    /// Its log tells.
    Log,
    /// Something of the maker's own.
    Other,
}

/// A machine's power limit as it tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerLimit {
    /// The limit, in watts; `None` = none is in force.
    pub limit_w: Option<u16>,
    /// What happens when it can't be kept.
    pub action: LimitAction,
    /// Within which time power must come below the limit, in milliseconds.
    pub correction_ms: u32,
}
