//! Completion codes that commands have of their own, 80h to BEh (§5.2; each command's section).

use super::{CompletionCode, DefiningBody, NetFn, numbers};

numbers! {
    /// Of commands that set or get configuration parameters (§22.14a, §23.1, §25.1, §26.2, §28.12, §30.3).
    pub struct ParameterCompletion(u8) {
        NOT_SUPPORTED = 0x80 => "parameter not supported",
        SET_IN_PROGRESS = 0x81 => "another party's set is in progress",
        READ_ONLY = 0x82 => "parameter is read-only",
        WRITE_ONLY = 0x83 => "parameter is write-only",
    }

    /// Of the commands that set a session up or end it (§22.16 to §22.19).
    pub struct SessionCompletion(u8) {
        INVALID_USER_NAME = 0x81 => "invalid user name, or no session slot available",
        NULL_USER_DISABLED = 0x82 => "null user name not enabled, or no slot available for the user",
        NO_SLOT_FOR_PRIVILEGE = 0x83 => "no slot available at this privilege level",
        SEQUENCE_OUT_OF_RANGE = 0x84 => "session sequence number out of range",
        INVALID_SESSION_ID = 0x85 => "invalid session ID",
        LEVEL_EXCEEDS_LIMIT = 0x86 => "level exceeds the limit of user or channel",
        UNKNOWN_SESSION_ID = 0x87 => "no session with this ID",
        UNKNOWN_SESSION_HANDLE = 0x88 => "no session with this handle",
    }

    /// Of Set User Password (§22.30).
    pub struct PasswordCompletion(u8) {
        DIFFERS = 0x80 => "password differs",
        SIZE_DIFFERS = 0x81 => "password is of the other size",
    }

    /// Of Activate Payload and Deactivate Payload (§24.1, §24.2).
    pub struct PayloadCompletion(u8) {
        ALREADY = 0x80 => "payload is already active, or already inactive",
        DISABLED = 0x81 => "payload type is disabled",
        LIMIT = 0x82 => "limit of instances reached",
        NO_ENCRYPTION = 0x83 => "payload can't be activated with encryption",
        ENCRYPTION_NEEDED = 0x84 => "payload can't be activated without encryption",
    }

    /// Of the commands of the SEL (§31.2, §31.6).
    pub struct SelCompletion(u8) {
        NOT_SUPPORTED = 0x80 => "operation not supported for this record type",
        ERASE_IN_PROGRESS = 0x81 => "erase in progress",
    }

    /// Of commands that add a record in parts, and of Write FRU Data (§31.7, §33.14, §34.3).
    pub struct RecordCompletion(u8) {
        LENGTH_MISMATCH = 0x80 => "record's length differs, or write-protected offset",
        BUSY = 0x81 => "FRU device busy",
    }

    /// Of Get Message, Send Message and Read Event Message Buffer (§22.6 to §22.8).
    pub struct MessageCompletion(u8) {
        EMPTY = 0x80 => "queue or buffer is empty",
        LOST_ARBITRATION = 0x81 => "lost arbitration",
        BUS_ERROR = 0x82 => "bus error",
        NO_ACKNOWLEDGE = 0x83 => "no acknowledgement on write",
    }

    /// Of Reset Watchdog Timer (§27.5).
    pub struct WatchdogCompletion(u8) {
        NEVER_SET = 0x80 => "watchdog was never set up",
    }

    /// Of Alert Immediate (§30.7).
    pub struct AlertCompletion(u8) {
        ALERT_IN_PROGRESS = 0x81 => "an alert is under way",
        MESSAGING_ACTIVE = 0x82 => "IPMI messaging is active on the channel",
        NOT_SUPPORTED = 0x83 => "platform event parameters not supported",
    }

    /// Of DCMI's commands (DCMI 1.5 table 8-1 and each command).
    pub struct DcmiCompletion(u8) {
        NO_LIMIT = 0x80 => "parameter not supported, or no active power limit",
        SET_IN_PROGRESS = 0x81 => "another party's set is in progress",
        READ_ONLY = 0x82 => "parameter is read-only",
        PARAMETER_OUT_OF_RANGE = 0x83 => "parameter out of range",
        LIMIT_OUT_OF_RANGE = 0x84 => "power limit out of range",
        CORRECTION_TIME_OUT_OF_RANGE = 0x85 => "correction time out of range",
        PERIOD_OUT_OF_RANGE = 0x89 => "sampling period out of range",
    }

    /// Of HPM.1's commands (HPM.1 §3).
    pub struct HpmCompletion(u8) {
        IN_PROGRESS = 0x80 => "command in progress",
        NOT_SUPPORTED = 0x81 => "command not supported in this state, or length differs",
        INVALID_COMPONENT = 0x82 => "component invalid, or image differs",
        IMAGE_INVALID = 0x83 => "firmware invalid",
        NONE_AVAILABLE = 0xd5 => "none available",
    }
}

impl CompletionCode {
    /// The name of a code where it answers this command: the command's own codes (80h to BEh) mean something else with each
    /// command. `group` is the group of a group extension.
    ///
    /// ```
    /// use ipmi::number::{CompletionCode, NetFn};
    ///
    /// let code = CompletionCode(0x81);
    /// assert_eq!(code.name(), None);
    /// assert_eq!(code.name_for(NetFn::STORAGE, None, 0x40), Some("erase in progress"));
    /// ```
    #[must_use]
    pub const fn name_for(self, netfn: NetFn, group: Option<u8>, cmd: u8) -> Option<&'static str> {
        if let Some(name) = self.name() {
            return Some(name);
        }
        match (netfn, cmd) {
            (NetFn::CHASSIS, 0x08 | 0x09)
            | (NetFn::SENSOR_EVENT, 0x12 | 0x13)
            | (NetFn::APP, 0x58 | 0x59)
            | (NetFn::TRANSPORT, 0x01 | 0x02 | 0x10 | 0x11 | 0x21 | 0x22) => {
                ParameterCompletion(self.0).name()
            }
            (NetFn::SENSOR_EVENT, 0x16) => AlertCompletion(self.0).name(),
            (NetFn::APP, 0x22) => WatchdogCompletion(self.0).name(),
            (NetFn::APP, 0x33..=0x35 | 0x52) => MessageCompletion(self.0).name(),
            (NetFn::APP, 0x39..=0x3c) => SessionCompletion(self.0).name(),
            (NetFn::APP, 0x47) => PasswordCompletion(self.0).name(),
            (NetFn::APP, 0x48 | 0x49) => PayloadCompletion(self.0).name(),
            (NetFn::STORAGE, 0x40 | 0x42..=0x44 | 0x46 | 0x47) => SelCompletion(self.0).name(),
            (NetFn::STORAGE, 0x11 | 0x12 | 0x25 | 0x45) => RecordCompletion(self.0).name(),
            (NetFn::GROUP_EXTENSION, cmd) => match group {
                Some(group) if group == DefiningBody::DCMI.0 => DcmiCompletion(self.0).name(),
                Some(group) if group == DefiningBody::PICMG.0 && cmd >= 0x2e && cmd <= 0x38 => {
                    HpmCompletion(self.0).name()
                }
                _ => None,
            },
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_means_something_else_with_each_command() {
        let name = |netfn, group, cmd| CompletionCode(0x80).name_for(netfn, group, cmd);
        assert_eq!(name(NetFn::APP, None, 0x47), Some("password differs"));
        assert_eq!(
            name(NetFn::APP, None, 0x22),
            Some("watchdog was never set up")
        );
        assert_eq!(
            name(NetFn::GROUP_EXTENSION, Some(0), 0x32),
            Some("command in progress")
        );
        assert_eq!(name(NetFn::GROUP_EXTENSION, Some(0), 0x00), None);
        assert_eq!(name(NetFn(0x30), None, 0x47), None);
        let busy = CompletionCode::NODE_BUSY;
        assert_eq!(busy.name_for(NetFn::APP, None, 0x47), busy.name());
    }
}
