//! Who may do what: privileges, roles, and which privilege an operation needs (DSP0266 "Privilege model").
//!
//! [`map`] decides, by tables that a privilege registry of the operator ([`registry`]) may change. What nobody listed
//! is for administrators.

pub(crate) mod map;
mod registry;
mod role;

use std::fmt;

pub use map::PrivilegeMap;
pub use registry::{MAX_OVERRIDES, MAX_PRIVILEGE_REGISTRY_BYTES, PrivilegeRegistryError};
pub use role::Role;

/// How many privileges of its own (`OEMPrivilegesUsed`) a privilege registry may name.
pub const MAX_OEM_PRIVILEGES: usize = 32;

/// A set of privileges. Those that Redfish names have a bit each; those that an operator's registry names have the
/// bits behind them, in the registry's order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Privileges(u64);

impl Privileges {
    /// None at all: what needs no more is for everybody, also without a login.
    pub const NONE: Self = Self(0);
    /// Log in and read resources.
    pub const LOGIN: Self = Self(1);
    /// Configure managers and the service itself.
    pub const CONFIGURE_MANAGER: Self = Self(1 << 1);
    /// Configure users and their accounts.
    pub const CONFIGURE_USERS: Self = Self(1 << 2);
    /// Configure components of machines: power, boot, indicators.
    pub const CONFIGURE_COMPONENTS: Self = Self(1 << 3);
    /// Change the password of one's own account and end one's own sessions.
    pub const CONFIGURE_SELF: Self = Self(1 << 4);

    /// The five that roles of DSP0266 are made of.
    pub const ALL: Self = Self::LOGIN
        .and(Self::CONFIGURE_MANAGER)
        .and(Self::CONFIGURE_USERS)
        .and(Self::CONFIGURE_COMPONENTS)
        .and(Self::CONFIGURE_SELF);

    /// Words of `PrivilegeType`. The later ones have a meaning only where a registry asks for them.
    const NAMES: [(Self, &'static str); 10] = [
        (Self::LOGIN, "Login"),
        (Self::CONFIGURE_MANAGER, "ConfigureManager"),
        (Self::CONFIGURE_USERS, "ConfigureUsers"),
        (Self::CONFIGURE_COMPONENTS, "ConfigureComponents"),
        (Self::CONFIGURE_SELF, "ConfigureSelf"),
        (Self(1 << 5), "ConfigureCompositionInfrastructure"),
        (Self(1 << 6), "AdministrateSystems"),
        (Self(1 << 7), "OperateSystems"),
        (Self(1 << 8), "AdministrateStorage"),
        (Self(1 << 9), "OperateStorageBackup"),
    ];

    /// The bit of the first privilege that isn't Redfish's own.
    const FIRST_OEM: usize = 16;

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `needed` are in this set.
    #[must_use]
    pub const fn include(self, needed: Self) -> bool {
        self.0 & needed.0 == needed.0
    }

    /// The names by which Redfish calls them (`PrivilegeType`), without those of an operator's registry.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES
            .into_iter()
            .filter(move |(one, _)| self.include(*one))
            .map(|(_, name)| name)
    }

    /// The privilege that Redfish calls so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let found = Self::NAMES.iter().find(|(_, word)| *word == name);
        found.map(|(privilege, _)| *privilege)
    }

    /// Those of the set that Redfish names.
    pub(crate) const fn of_redfish(self) -> Self {
        Self(self.0 & ((1 << Self::FIRST_OEM) - 1))
    }

    /// Those of the set that an operator's registry names.
    pub(crate) const fn of_oem(self) -> Self {
        Self(self.0 & !((1 << Self::FIRST_OEM) - 1))
    }

    /// The privilege at this place of an operator's registry.
    const fn oem(index: usize) -> Option<Self> {
        if index < MAX_OEM_PRIVILEGES {
            Some(Self(1 << (Self::FIRST_OEM + index)))
        } else {
            None
        }
    }
}

impl fmt::Debug for Privileges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let oem = (0..MAX_OEM_PRIVILEGES)
            .filter(|&index| Self::oem(index).is_some_and(|one| self.include(one)))
            .map(|index| format!("Oem{index}"));
        f.debug_set().entries(self.names()).entries(oem).finish()
    }
}

/// What is done to a resource, as privilege registries tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Get,
    Head,
    Patch,
    /// An action of a resource, or a new member of a collection.
    Post,
    Put,
    Delete,
}

impl Operation {
    /// All of them, in the order in which tables have them.
    pub(crate) const ALL: [Self; 6] = [
        Self::Get,
        Self::Head,
        Self::Patch,
        Self::Post,
        Self::Put,
        Self::Delete,
    ];
}
