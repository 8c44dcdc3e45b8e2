//! Which BMCs, and how to treat them.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use hardware::{EnclosureId, Labels, NodeId, NodeKind, SensorIntervals, Topology};
use ipmi::console::{Login, Policy};
use ipmi::quirk::Quirks;

/// One BMC to be polled.
#[derive(Clone, Debug)]
pub struct Target {
    /// The node's name, unique in the fleet.
    pub id: NodeId,
    /// Computer or enclosure controller.
    pub kind: NodeKind,
    /// Where its BMC listens; `None` = not known yet, see [`Fleet::set_address`](crate::Fleet::set_address).
    pub address: Option<SocketAddr>,
    /// How to log in; shared by BMCs with the same credentials.
    pub login: Arc<Login>,
    /// The innermost enclosure it sits in, where known.
    pub enclosure: Option<EnclosureId>,
    /// Where it stands and what else the operator says of it.
    pub labels: Arc<Labels>,
    /// How it is polled.
    pub treatment: Treatment,
}

/// How a BMC is polled, where that differs from the others of its fleet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Treatment {
    /// Deviations from the specification that the operator knows of.
    pub quirks: Quirks,
    /// Its own poll interval in milliseconds, at least [`Config::POLL_INTERVAL_MS_MIN`]; `None` = the fleet's.
    pub poll_interval_ms: Option<u32>,
    /// Its own intervals for classes of sensors, each at least [`Config::POLL_INTERVAL_MS_MIN`]; where it has none, the
    /// fleet's holds, and where that has none either, the poll interval.
    pub sensor_intervals: SensorIntervals,
    /// For so many milliseconds it is left alone after each answer, at most [`Config::GAP_MS_MAX`]: log-in, contact, polling and
    /// commands keep to it. 0 = only as its quirks say ([`Quirk::NeedsGap`](crate::Quirk::NeedsGap)).
    pub gap_ms: u16,
}

/// Shared by all of which the operator says nothing.
static NO_LABELS: LazyLock<Arc<Labels>> = LazyLock::new(Arc::default);

impl Target {
    /// A computer with nothing particular about it.
    #[must_use]
    pub fn new(id: NodeId, address: Option<SocketAddr>, login: &Arc<Login>) -> Self {
        Self {
            id,
            kind: NodeKind::Computer,
            address,
            login: Arc::clone(login),
            enclosure: None,
            labels: Arc::clone(&NO_LABELS),
            treatment: Treatment::default(),
        }
    }
}

/// A fleet.
#[derive(Clone, Debug)]
pub struct Config {
    /// The BMCs; names and addresses are unique.
    pub targets: Vec<Target>,
    /// The enclosures.
    pub topology: Arc<Topology>,
    /// Every sensor is read once in this time, in milliseconds; at least [`Config::POLL_INTERVAL_MS_MIN`].
    pub poll_interval_ms: u32,
    /// But those of these classes in times of their own, in milliseconds; at least as much.
    pub sensor_intervals: SensorIntervals,
    /// Whether the sensor records changed is looked at in every so many rounds; at least 1. Event log and boot options
    /// are looked at in every second round.
    pub slow_rounds: u32,
    /// Timeouts and retries of commands.
    pub policy: Arc<Policy>,
    /// With how many BMCs each thread makes its first contact at a time, at most; at least 1. Each takes two
    /// kilobytes meanwhile, and some twenty more where its records are no known machine's.
    pub contacts_at_once: u32,
    /// How many threads, each with a socket of its own; 1 to [`Config::SHARDS_MAX`].
    pub shards: usize,
    /// Wanted size of each socket's receive buffer, in bytes.
    pub receive_buffer_bytes: usize,
    /// The file in which BMCs are remembered from run to run; `None` = they are not.
    pub memory: Option<PathBuf>,
}

impl Config {
    /// The shortest poll interval, in milliseconds: BMCs need some ten milliseconds for a reading.
    pub const POLL_INTERVAL_MS_MIN: u32 = 100;

    /// The longest gap, in milliseconds: a session must not end for inactivity (60 s, §6.12.15) while its BMC is left alone.
    pub const GAP_MS_MAX: u16 = 10_000;

    /// The most shards.
    pub const SHARDS_MAX: usize = 64;

    /// The most targets of one shard: their number must fit in a console session ID beside its generation.
    pub const TARGETS_PER_SHARD_MAX: usize = 1 << 20;

    /// The retries of a fleet: more and closer together than a lone console's, since one unanswered command holds up
    /// all sensors behind it. Six sendings within 5.5 s; where a tenth of all datagrams is lost each way, one command
    /// in 20,000 stays unanswered. A log-in is begun up to 24 times: where three tenths are lost each way, one try in eight comes to
    /// its end.
    #[must_use]
    pub fn policy() -> Policy {
        Policy {
            attempts: 6,
            longest_retry_ms: 1_000,
            login_attempts: 24,
            ..Policy::default()
        }
    }

    /// A fleet of these BMCs with default settings: every sensor once a second, one shard.
    #[must_use]
    pub fn new(targets: Vec<Target>) -> Self {
        Self {
            targets,
            topology: Arc::default(),
            poll_interval_ms: 1_000,
            sensor_intervals: SensorIntervals::default(),
            slow_rounds: 10,
            policy: Arc::new(Self::policy()),
            contacts_at_once: 1_024,
            shards: 1,
            receive_buffer_bytes: 4 << 20,
            memory: None,
        }
    }

    /// The same without targets: a copy of those of fifty thousand BMCs is some megabytes.
    pub(crate) fn without_targets(&self) -> Self {
        Self {
            targets: Vec::new(),
            topology: Arc::clone(&self.topology),
            policy: Arc::clone(&self.policy),
            memory: self.memory.clone(),
            ..*self
        }
    }

    /// Checks every bound.
    ///
    /// # Errors
    /// The first thing that is out of bounds, with the bound.
    pub fn check(&self) -> Result<(), ConfigError> {
        let of_classes = self.sensor_intervals.iter().map(|(_, ms)| ms);
        let shortest = of_classes.fold(self.poll_interval_ms, u32::min);
        if shortest < Self::POLL_INTERVAL_MS_MIN {
            return Err(ConfigError::PollInterval { ms: shortest });
        }
        if self.slow_rounds == 0 {
            return Err(ConfigError::SlowRounds);
        }
        if !(1..=Self::SHARDS_MAX).contains(&self.shards) {
            return Err(ConfigError::Shards {
                shards: self.shards,
            });
        }
        if self.targets.len() > self.shards.saturating_mul(Self::TARGETS_PER_SHARD_MAX) {
            return Err(ConfigError::TooManyTargets {
                targets: self.targets.len(),
            });
        }
        let mut ids = std::collections::HashSet::new();
        let mut addresses = std::collections::HashMap::new();
        for target in &self.targets {
            if !ids.insert(&target.id) {
                return Err(ConfigError::DuplicateId {
                    id: target.id.clone(),
                });
            }
            let Some(address) = target.address else {
                continue;
            };
            if let Some(first) = addresses.insert(address, &target.id) {
                let (first, second) = (first.clone(), target.id.clone());
                return Err(ConfigError::DuplicateAddress {
                    address,
                    first,
                    second,
                });
            }
        }
        Ok(())
    }
}

/// What is wrong with a [`Config`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// The poll interval is too short.
    PollInterval {
        /// What was asked for.
        ms: u32,
    },
    /// `slow_rounds` is 0.
    SlowRounds,
    /// No shard, or too many.
    Shards {
        /// What was asked for.
        shards: usize,
    },
    /// More targets than the shards can hold.
    TooManyTargets {
        /// How many.
        targets: usize,
    },
    /// Two targets have one name.
    DuplicateId {
        /// The name.
        id: NodeId,
    },
    /// Two targets have one address: their answers could not be told apart.
    DuplicateAddress {
        /// The address.
        address: SocketAddr,
        /// The one.
        first: NodeId,
        /// The other.
        second: NodeId,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PollInterval { ms } => write!(
                f,
                "a poll interval of {ms} ms is too short; the shortest is {} ms",
                Config::POLL_INTERVAL_MS_MIN
            ),
            Self::SlowRounds => f.write_str("slow_rounds must be at least 1"),
            Self::Shards { shards } => {
                write!(
                    f,
                    "{shards} shards asked for; 1 to {} are possible",
                    Config::SHARDS_MAX
                )
            }
            Self::TooManyTargets { targets } => write!(
                f,
                "{targets} targets are too many; a shard holds {}",
                Config::TARGETS_PER_SHARD_MAX
            ),
            Self::DuplicateId { id } => write!(f, "two targets are named {id}; rename one"),
            Self::DuplicateAddress {
                address,
                first,
                second,
            } => {
                write!(f, "{first} and {second} have the same address {address}")
            }
        }
    }
}

impl std::error::Error for ConfigError {}
