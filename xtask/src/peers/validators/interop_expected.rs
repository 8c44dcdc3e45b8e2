//! Which requirements of the profiles aren't met, and why that is right.

/// Stands for a URI where a requirement is to the service as a whole.
pub(super) const WHOLE: &str = "(any)";

/// A failure that is expected.
pub(super) struct Expected {
    /// The beginning of the profile's file name; empty = every profile.
    pub(super) profile: &'static str,
    /// Where; `*` stands for any one segment.
    pub(super) uri: &'static str,
    /// `/SerialConsole`, or `/HostName (Write)`.
    pub(super) requirement: &'static str,
    pub(super) reason: &'static str,
}

impl Expected {
    /// Whether it is about this profile.
    pub(super) fn is_of(&self, profile: &str) -> bool {
        profile.starts_with(self.profile)
    }

    /// Whether it is about this resource.
    pub(super) fn covers(&self, uri: &str) -> bool {
        let (mut own, mut theirs) = (self.uri.split('/'), uri.split('/'));
        loop {
            match (own.next(), theirs.next()) {
                (None, None) => return true,
                (Some(own), Some(theirs)) if own == "*" || own == theirs => {}
                _ => return false,
            }
        }
    }

    /// Whether it is this failure.
    pub(super) fn is(&self, uri: &str, requirement: &str) -> bool {
        self.requirement == requirement && self.covers(uri)
    }
}

const fn expected(
    profile: &'static str,
    uri: &'static str,
    requirement: &'static str,
    reason: &'static str,
) -> Expected {
    Expected {
        profile,
        uri,
        requirement,
        reason,
    }
}

const SERVER: &str = "OCPServer";
const OWN: &str = "/redfish/v1/Managers/RedDrum";
const OWN_INTERFACE: &str = "/redfish/v1/Managers/RedDrum/EthernetInterfaces/*";
const HOST_NETWORK: &str = "the network of the host is set up by the host's own means; the service runs without the rights for it";

/// At the service itself, which is a manager and no BMC.
pub(super) const MANAGER: [Expected; 5] = [
    expected(
        SERVER,
        OWN,
        "/SerialConsole",
        "a service on a host has no serial console; each machine's own manager has one",
    ),
    expected("", OWN_INTERFACE, "/HostName (Write)", HOST_NETWORK),
    expected("", OWN_INTERFACE, "/FQDN (Write)", HOST_NETWORK),
    expected("", OWN_INTERFACE, "/NameServers (Write)", HOST_NETWORK),
    expected("", OWN_INTERFACE, "/IPv4Addresses (Write)", HOST_NETWORK),
];

/// At the machine behind ipmi_sim, which tells less than the profiles ask for.
pub(super) const SIM: [Expected; 4] = [
    expected(
        "",
        "/redfish/v1/Managers/sim1/LogServices/SEL/Entries/*",
        "/Created",
        "the entries from before the BMC's clock was set have no time",
    ),
    expected(
        SERVER,
        "/redfish/v1/Systems/sim1",
        "/MemorySummary",
        "its FRUs name no memory modules",
    ),
    expected(
        SERVER,
        "/redfish/v1/Systems/sim1",
        "/BiosVersion",
        "IPMI has no command for it, and its FRUs don't name it",
    ),
    expected(
        SERVER,
        WHOLE,
        "/SerialConsole/ConnectTypesSupported",
        "the simulated host has no serial port: serial over LAN is off",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_segment() {
        let known = expected("", "/a/*/c", "/X", "");
        assert!(known.covers("/a/b/c"));
        assert!(!known.covers("/a/b/d") && !known.covers("/a/b") && !known.covers("/a/b/c/d"));
        assert!(known.is("/a/b/c", "/X") && !known.is("/a/b/c", "/Y"));
    }
}
