//! Intel Node Manager: power policies and statistics (Node Manager 3.0 External Interface Specification; NetFn 2Eh with Intel's
//! number). On real machines it is bridged to the management engine at 2Ch on channel 6.

use crate::command::layout::{message, request};
use crate::number::{NmDomain, NmPolicyExceptions, NmStatisticsMode, NmSwitch, NmTrigger};
use crate::record::Timestamp;

request! {
    /// Switches policies on or off (§3.1).
    pub struct EnableNmPolicy: NODE_MANAGER 0xc0 "Enable/Disable Policy Control", repeatable => NmDone {
        /// What of it.
        pub switch: NmSwitch,
        u8 {
            /// Domain.
            pub domain: NmDomain [3:0],
        }
        /// Policy.
        pub policy: u8,
    }

    /// Adds, changes or removes a policy (§3.2).
    pub struct SetNmPolicy: NODE_MANAGER 0xc1 "Set Policy", repeatable => NmDone {
        u8 {
            /// It holds at once.
            pub enabled: bool [4],
            /// Domain.
            pub domain: NmDomain [3:0],
        }
        /// Policy.
        pub policy: u8,
        u8 {
            /// Processors may be slowed down: 0 automatic, 1 not aggressive, 2 aggressive.
            pub correction: u8 [6:5],
            /// It is added or changed; otherwise removed.
            pub add: bool [4],
            /// When it holds.
            pub trigger: NmTrigger [3:0],
        }
        /// What happens when the limit can't be kept.
        pub exceptions: NmPolicyExceptions,
        /// Power limit, in watts.
        pub limit_w: u16,
        /// For how long power may be above it, in milliseconds.
        pub correction_ms: u32,
        /// Limit of the trigger, in its unit.
        pub trigger_limit: u16,
        /// Over which time statistics go, in seconds.
        pub period_s: u16,
    }

    /// Asks for a policy (§3.3). Completion code 80h: there is no such policy.
    pub struct GetNmPolicy: NODE_MANAGER 0xc2 "Get Policy", repeatable => NmPolicy {
        u8 {
            /// Domain.
            pub domain: NmDomain [3:0],
        }
        /// Policy.
        pub policy: u8,
    }

    /// Asks for statistics (§3.9).
    pub struct GetNmStatistics: NODE_MANAGER 0xc8 "Get Statistics", repeatable => NmStatistics {
        /// Of what.
        pub mode: NmStatisticsMode,
        u8 {
            /// Domain.
            pub domain: NmDomain [3:0],
        }
        /// Policy, for a policy's own.
        pub policy: u8,
    }

    /// Asks for the versions (§3.11).
    pub struct GetNmVersion: NODE_MANAGER 0xca "Get Version", repeatable => NmVersion {}
}

message! {
    /// An answer without data of its own.
    pub struct NmDone in NODE_MANAGER {}

    /// The answer to [`GetNmPolicy`].
    pub struct NmPolicy in NODE_MANAGER {
        u8 {
            /// Node Manager works.
            pub globally_enabled: bool [6],
            /// The domain's policies work.
            pub domain_enabled: bool [5],
            /// The policy is on.
            pub enabled: bool [4],
            /// Domain.
            pub domain: NmDomain [3:0],
        }
        u8 {
            /// How processors may be slowed down.
            pub correction: u8 [6:5],
            /// It is a power policy.
            pub power: bool [4],
            /// When it holds.
            pub trigger: NmTrigger [3:0],
        }
        /// What happens when the limit can't be kept.
        pub exceptions: NmPolicyExceptions,
        /// Power limit, in watts.
        pub limit_w: u16,
        /// For how long power may be above it, in milliseconds.
        pub correction_ms: u32,
        /// Limit of the trigger.
        pub trigger_limit: u16,
        /// Over which time statistics go, in seconds.
        pub period_s: u16,
    }

    /// The answer to [`GetNmStatistics`]. Power in watts, temperatures in degrees Celsius.
    pub struct NmStatistics in NODE_MANAGER {
        /// Now.
        pub current: u16,
        /// Least over the period.
        pub minimum: u16,
        /// Most over the period.
        pub maximum: u16,
        /// Mean over the period.
        pub average: u16,
        /// When it was measured.
        pub at: Timestamp,
        /// Length of the period, in seconds.
        pub period_s: u32,
        u8 {
            /// A policy limits power now.
            pub limiting: bool [7],
            /// It is being measured.
            pub measuring: bool [6],
            /// The policy works.
            pub operational: bool [5],
            /// It is switched on.
            pub enabled: bool [4],
            /// Domain.
            pub domain: NmDomain [3:0],
        }
    }

    /// The answer to [`GetNmVersion`].
    pub struct NmVersion in NODE_MANAGER {
        /// Version of Node Manager: 5 for 3.0.
        pub version: u8,
        /// Version of the interface: 3 for 3.0.
        pub interface: u8,
        /// Patch version.
        pub patch: u8,
        /// Major firmware revision.
        pub major: u8,
        /// Minor firmware revision.
        pub minor: u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn a_policy_of_300_watts() {
        let set = SetNmPolicy {
            enabled: true,
            domain: NmDomain::PLATFORM,
            policy: 7,
            correction: 0,
            add: true,
            trigger: NmTrigger::NONE,
            exceptions: NmPolicyExceptions::ALERT,
            limit_w: 300,
            correction_ms: 6000,
            trigger_limit: 0,
            period_s: 10,
        };
        let bytes = [
            0x57, 1, 0, 0x10, 7, 0x10, 1, 0x2c, 1, 0x70, 0x17, 0, 0, 0, 0, 10, 0,
        ];
        check::request(&set, &bytes, 17);
        check::response(&NmDone, &[0x57, 1, 0], 3);
        let get = GetNmPolicy {
            domain: NmDomain::PLATFORM,
            policy: 7,
        };
        check::request(&get, &[0x57, 1, 0, 0, 7], 5);
        let policy = NmPolicy {
            globally_enabled: true,
            domain_enabled: true,
            enabled: true,
            domain: NmDomain::PLATFORM,
            correction: 0,
            power: true,
            trigger: NmTrigger::NONE,
            exceptions: NmPolicyExceptions::ALERT,
            limit_w: 300,
            correction_ms: 6000,
            trigger_limit: 0,
            period_s: 10,
        };
        let bytes = [
            0x57, 1, 0, 0x70, 0x10, 1, 0x2c, 1, 0x70, 0x17, 0, 0, 0, 0, 10, 0,
        ];
        check::response(&policy, &bytes, 16);
        let enable = EnableNmPolicy {
            switch: NmSwitch::POLICY_ENABLE,
            domain: NmDomain::PLATFORM,
            policy: 7,
        };
        check::request(&enable, &[0x57, 1, 0, 5, 0, 7], 6);
    }

    #[test]
    fn statistics_and_version() {
        let get = GetNmStatistics {
            mode: NmStatisticsMode::GLOBAL_POWER,
            domain: NmDomain::PLATFORM,
            policy: 0,
        };
        check::request(&get, &[0x57, 1, 0, 1, 0, 0], 6);
        let statistics = NmStatistics {
            current: 250,
            minimum: 200,
            maximum: 300,
            average: 240,
            at: Timestamp(0x0102_0304),
            period_s: 600,
            limiting: false,
            measuring: true,
            operational: true,
            enabled: true,
            domain: NmDomain::PLATFORM,
        };
        let bytes = [
            0x57, 1, 0, 250, 0, 200, 0, 44, 1, 240, 0, 4, 3, 2, 1, 0x58, 2, 0, 0, 0x70,
        ];
        check::response(&statistics, &bytes, 20);
        check::request(&GetNmVersion, &[0x57, 1, 0], 3);
        let version = NmVersion {
            version: 5,
            interface: 3,
            patch: 0,
            major: 4,
            minor: 1,
        };
        check::response(&version, &[0x57, 1, 0, 5, 3, 0, 4, 1], 8);
    }
}
