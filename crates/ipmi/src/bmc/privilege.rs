//! Who may do what: the minimum privilege level of each command (Appendix G, table G-1).

use crate::number::{NetFn, PrivilegeLevel};

/// First data byte of PICMG's commands (PICMG 3.0 §3.1).
const PICMG: u8 = 0x00;
/// First data byte of DCMI's commands (DCMI 1.5 §3.1).
const DCMI: u8 = 0xdc;

/// The lowest privilege level that may send this request over a session.
///
/// What is not listed, or is for the system interface alone, takes ADMINISTRATOR.
#[must_use]
pub fn minimum_privilege(netfn: NetFn, cmd: u8, data: &[u8]) -> PrivilegeLevel {
    match netfn {
        NetFn::CHASSIS => chassis(cmd),
        NetFn::SENSOR_EVENT => sensor_event(cmd),
        NetFn::APP => app(cmd),
        NetFn::STORAGE => storage(cmd),
        NetFn::TRANSPORT => transport(cmd),
        NetFn::BRIDGE => bridge(cmd),
        NetFn::GROUP_EXTENSION => match data.first() {
            Some(&PICMG) => picmg(cmd),
            Some(&DCMI) => dcmi(cmd),
            _ => PrivilegeLevel::ADMINISTRATOR,
        },
        _ => PrivilegeLevel::ADMINISTRATOR,
    }
}

const fn chassis(cmd: u8) -> PrivilegeLevel {
    match cmd {
        // Capabilities, status, restart cause, power-on hours.
        0x00 | 0x01 | 0x07 | 0x0f => PrivilegeLevel::USER,
        // Control, reset, identify, power restore policy, boot options.
        0x02 | 0x03 | 0x04 | 0x06 | 0x08 | 0x09 => PrivilegeLevel::OPERATOR,
        _ => PrivilegeLevel::ADMINISTRATOR,
    }
}

const fn sensor_event(cmd: u8) -> PrivilegeLevel {
    match cmd {
        // Event receiver, PEF capabilities, PET acknowledge; device SDRs; reading sensors and their settings.
        0x01 | 0x10 | 0x17 | 0x20..=0x23 | 0x25 | 0x27 | 0x29 | 0x2b | 0x2d | 0x2f => {
            PrivilegeLevel::USER
        }
        // Platform event, PEF configuration (read); changing sensors.
        0x02 | 0x13 | 0x24 | 0x26 | 0x28 | 0x2a | 0x2e | 0x30 => PrivilegeLevel::OPERATOR,
        _ => PrivilegeLevel::ADMINISTRATOR,
    }
}

const fn app(cmd: u8) -> PrivilegeLevel {
    match cmd {
        // Close Session; what needs no session at all: GUID, capabilities, suites.
        0x3c | 0x37 | 0x38 | 0x54 => PrivilegeLevel::CALLBACK,
        // Device ID, self test, ACPI state, device GUID, command discovery; watchdog and global enables (read),
        // Send Message, BT capabilities; session privilege and info, channel access and info (read), payloads,
        // system interface and system info (read).
        0x01
        | 0x04
        | 0x07..=0x0d
        | 0x64
        | 0x25
        | 0x2f
        | 0x34
        | 0x36
        | 0x3b
        | 0x3d
        | 0x41
        | 0x42
        | 0x48..=0x4b
        | 0x4e..=0x50
        | 0x55
        | 0x57
        | 0x59 => PrivilegeLevel::USER,
        // Watchdog, AuthCode, users (read), payload access (read), Master Write-Read.
        0x22 | 0x24 | 0x3f | 0x44 | 0x46 | 0x4d | 0x52 => PrivilegeLevel::OPERATOR,
        _ => PrivilegeLevel::ADMINISTRATOR,
    }
}

const fn storage(cmd: u8) -> PrivilegeLevel {
    match cmd {
        // FRU, SDR and SEL: reading, reserving, clocks.
        0x10 | 0x11 | 0x20..=0x23 | 0x28 | 0x40..=0x43 | 0x48 | 0x5a | 0x5c => PrivilegeLevel::USER,
        // The same: changing.
        0x12 | 0x24..=0x27 | 0x29..=0x2c | 0x44..=0x47 | 0x49 | 0x5d => PrivilegeLevel::OPERATOR,
        _ => PrivilegeLevel::ADMINISTRATOR,
    }
}

const fn transport(cmd: u8) -> PrivilegeLevel {
    match cmd {
        // Statistics, TAP codes, call-back options, SOL configuration (read).
        0x04 | 0x13 | 0x1b | 0x22 => PrivilegeLevel::USER,
        // LAN and serial configuration (read), serial multiplexer.
        0x02 | 0x11 | 0x12 => PrivilegeLevel::OPERATOR,
        _ => PrivilegeLevel::ADMINISTRATOR,
    }
}

const fn bridge(cmd: u8) -> PrivilegeLevel {
    match cmd {
        0x00 | 0x02 | 0x05 | 0x06 | 0x09..=0x0c | 0x11 | 0x13 | 0x30 | 0x34 | 0x35 | 0xff => {
            PrivilegeLevel::USER
        }
        0x01 | 0x03 | 0x04 | 0x08 | 0x10 | 0x12 | 0x14 | 0x20 | 0x21 | 0x31..=0x33 => {
            PrivilegeLevel::OPERATOR
        }
        _ => PrivilegeLevel::ADMINISTRATOR,
    }
}

const fn picmg(cmd: u8) -> PrivilegeLevel {
    match cmd {
        // Properties and capabilities, among them those of firmware upgrade: consoles ask them to find out what
        // they talk to.
        0x00..=0x02 | 0x2e | 0x2f | 0x34 | 0x3e => PrivilegeLevel::USER,
        _ => PrivilegeLevel::ADMINISTRATOR,
    }
}

const fn dcmi(cmd: u8) -> PrivilegeLevel {
    match cmd {
        // Capabilities, power reading and limit, asset tag, sensors, identifier, thermal limit, temperatures,
        // configuration: reading.
        0x01..=0x03 | 0x06 | 0x07 | 0x09 | 0x0c | 0x10 | 0x13 => PrivilegeLevel::USER,
        // Power limit, asset tag, thermal limit: changing.
        0x04 | 0x05 | 0x08 | 0x0b => PrivilegeLevel::OPERATOR,
        _ => PrivilegeLevel::ADMINISTRATOR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_table_g_1() {
        for (netfn, cmd, level) in [
            (NetFn::APP, 0x01, PrivilegeLevel::USER),
            (NetFn::APP, 0x02, PrivilegeLevel::ADMINISTRATOR),
            (NetFn::APP, 0x3c, PrivilegeLevel::CALLBACK),
            (NetFn::APP, 0x47, PrivilegeLevel::ADMINISTRATOR),
            (NetFn::CHASSIS, 0x01, PrivilegeLevel::USER),
            (NetFn::CHASSIS, 0x02, PrivilegeLevel::OPERATOR),
            (NetFn::CHASSIS, 0x05, PrivilegeLevel::ADMINISTRATOR),
            (NetFn::SENSOR_EVENT, 0x2d, PrivilegeLevel::USER),
            (NetFn::SENSOR_EVENT, 0x26, PrivilegeLevel::OPERATOR),
            (NetFn::STORAGE, 0x43, PrivilegeLevel::USER),
            (NetFn::STORAGE, 0x47, PrivilegeLevel::OPERATOR),
            (NetFn::TRANSPORT, 0x01, PrivilegeLevel::ADMINISTRATOR),
            (NetFn::TRANSPORT, 0x02, PrivilegeLevel::OPERATOR),
        ] {
            assert_eq!(
                minimum_privilege(netfn, cmd, &[]),
                level,
                "{netfn:?} {cmd:#04x}"
            );
        }
    }

    #[test]
    fn what_is_not_listed_takes_an_administrator() {
        assert_eq!(
            minimum_privilege(NetFn(0x30), 1, &[]),
            PrivilegeLevel::ADMINISTRATOR
        );
        assert_eq!(
            minimum_privilege(NetFn::APP, 0xee, &[]),
            PrivilegeLevel::ADMINISTRATOR
        );
        let group = NetFn::GROUP_EXTENSION;
        assert_eq!(
            minimum_privilege(group, 2, &[]),
            PrivilegeLevel::ADMINISTRATOR
        );
        assert_eq!(
            minimum_privilege(group, 2, &[0x03]),
            PrivilegeLevel::ADMINISTRATOR
        );
        assert_eq!(minimum_privilege(group, 2, &[DCMI]), PrivilegeLevel::USER);
        assert_eq!(
            minimum_privilege(group, 0x3e, &[PICMG]),
            PrivilegeLevel::USER
        );
        assert_eq!(
            minimum_privilege(group, 0x04, &[PICMG]),
            PrivilegeLevel::ADMINISTRATOR
        );
    }
}
