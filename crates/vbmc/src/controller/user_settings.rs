//! What a controller keeps about users and its LAN channel, beside who may log in.

use ipmi::number::{ChannelAccessMode, PrivilegeLevel};

/// One user on the LAN channel (§22.26, §24.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserSettings {
    /// May only be called back.
    pub callback_only: bool,
    /// Name and password serve link authentication.
    pub link_authentication: bool,
    /// May send IPMI messages.
    pub ipmi_messaging: bool,
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
            callback_only: false,
            link_authentication: false,
            ipmi_messaging: true,
            session_limit: 0,
            payloads_forbidden: 0,
            oem_forbidden: 0,
            callback: [0, 0, 0xff, 0xff, 0xff],
        }
    }
}

/// Access to the LAN channel (§22.22).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelAccessSettings {
    /// Alerts are off.
    pub pef_alerting_disabled: bool,
    /// Packets of IPMI 1.5 are not authenticated one by one.
    pub per_message_disabled: bool,
    /// Commands at level USER are not authenticated.
    pub user_level_disabled: bool,
    /// When the channel may be used.
    pub mode: ChannelAccessMode,
    /// Highest level of its sessions.
    pub limit: PrivilegeLevel,
}

impl Default for ChannelAccessSettings {
    fn default() -> Self {
        Self {
            pef_alerting_disabled: true,
            per_message_disabled: false,
            user_level_disabled: false,
            mode: ChannelAccessMode::ALWAYS_AVAILABLE,
            limit: PrivilegeLevel::ADMINISTRATOR,
        }
    }
}

/// The LAN channel's two copies of that, and its keys' locks.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChannelSettings {
    /// What is loaded at power-up.
    pub non_volatile: ChannelAccessSettings,
    /// What holds now.
    pub volatile: ChannelAccessSettings,
    /// `K_R` and `K_G` are locked.
    pub key_locked: [bool; 2],
}
