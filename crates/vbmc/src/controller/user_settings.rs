//! What a controller keeps about users and its LAN channel, beside who may log in.

use ipmi::number::{ChannelAccessFlags, ChannelAccessMode, PrivilegeLevel, UserAccessFlags};

/// One user on the LAN channel (§22.26, §24.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserSettings {
    /// What they may do.
    pub flags: UserAccessFlags,
    /// Sessions at a time; 0 for no limit of their own. Kept, not enforced.
    pub session_limit: u8,
    /// Standard payloads that are forbidden, bit n for type n.
    pub payloads_forbidden: u16,
    /// OEM payloads that are forbidden.
    pub oem_forbidden: u16,
    /// Callback options (§25.11).
    pub callback: [u8; 5],
}

impl Default for UserSettings {
    fn default() -> Self {
        Self {
            flags: UserAccessFlags::IPMI_MESSAGING,
            session_limit: 0,
            payloads_forbidden: 0,
            oem_forbidden: 0,
            callback: [0, 0, 0xff, 0xff, 0xff],
        }
    }
}

/// Access to a channel (§22.22).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelAccessSettings {
    /// What is switched off.
    pub flags: ChannelAccessFlags,
    /// When the channel may be used.
    pub mode: ChannelAccessMode,
    /// Highest level of its sessions.
    pub limit: PrivilegeLevel,
}

impl Default for ChannelAccessSettings {
    fn default() -> Self {
        Self {
            flags: ChannelAccessFlags::PEF_ALERTING_OFF,
            mode: ChannelAccessMode::ALWAYS_AVAILABLE,
            limit: PrivilegeLevel::ADMINISTRATOR,
        }
    }
}

/// A channel's two copies of that, and its keys' locks.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChannelSettings {
    /// What is loaded at power-up.
    pub non_volatile: ChannelAccessSettings,
    /// What holds now.
    pub volatile: ChannelAccessSettings,
    /// `K_R` and `K_G` are locked.
    pub key_locked: [bool; 2],
}

impl ChannelSettings {
    /// The controller starts: what is kept holds.
    pub const fn start(&mut self) {
        self.volatile = self.non_volatile;
    }
}
