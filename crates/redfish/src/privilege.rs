//! Who may do what: privileges, the predefined roles, and which privilege an operation needs (DSP0266 "Privilege model").

use std::fmt;

/// A set of privileges.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Privileges(u8);

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

    /// All of them together.
    pub const ALL: Self = Self::LOGIN
        .and(Self::CONFIGURE_MANAGER)
        .and(Self::CONFIGURE_USERS)
        .and(Self::CONFIGURE_COMPONENTS)
        .and(Self::CONFIGURE_SELF);

    const NAMES: [(Self, &'static str); 5] = [
        (Self::LOGIN, "Login"),
        (Self::CONFIGURE_MANAGER, "ConfigureManager"),
        (Self::CONFIGURE_USERS, "ConfigureUsers"),
        (Self::CONFIGURE_COMPONENTS, "ConfigureComponents"),
        (Self::CONFIGURE_SELF, "ConfigureSelf"),
    ];

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

    /// The names by which Redfish calls them (`PrivilegeType`).
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES
            .into_iter()
            .filter(move |(one, _)| self.include(*one))
            .map(|(_, name)| name)
    }
}

impl fmt::Debug for Privileges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// The roles that every service has (DSP0266 "Roles").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything.
    Administrator,
    /// Reads, and operates machines.
    Operator,
    /// Reads.
    ReadOnly,
}

impl Role {
    /// Every role, in the order in which the collection shows them.
    pub const ALL: [Self; 3] = [Self::Administrator, Self::Operator, Self::ReadOnly];

    /// The role's `Id`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Administrator => "Administrator",
            Self::Operator => "Operator",
            Self::ReadOnly => "ReadOnly",
        }
    }

    /// The role with this `Id`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// What the role may do.
    #[must_use]
    pub const fn privileges(self) -> Privileges {
        let read = Privileges::LOGIN.and(Privileges::CONFIGURE_SELF);
        match self {
            Self::Administrator => read
                .and(Privileges::CONFIGURE_MANAGER)
                .and(Privileges::CONFIGURE_USERS)
                .and(Privileges::CONFIGURE_COMPONENTS),
            Self::Operator => read.and(Privileges::CONFIGURE_COMPONENTS),
            Self::ReadOnly => read,
        }
    }
}

/// What is done to a resource, as far as privileges go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// GET and HEAD.
    Read,
    /// PATCH, actions and DELETE.
    Change,
    /// POST to a collection.
    Create,
}

/// What the operations on resources of one type need. Of several sets, one is enough.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needs {
    pub(crate) read: &'static [Privileges],
    pub(crate) change: &'static [Privileges],
    /// What POST of a new member needs, if that is another.
    pub(crate) create: Option<&'static [Privileges]>,
    /// Somebody with `ConfigureSelf` may read and change what is his own.
    pub(crate) of_owner: bool,
}

/// A type that isn't listed can be changed by administrators only.
const OTHERS: Needs = Needs {
    read: &[Privileges::LOGIN],
    change: &[Privileges::CONFIGURE_MANAGER],
    create: None,
    of_owner: false,
};

const USERS: Needs = Needs {
    change: &[Privileges::CONFIGURE_USERS],
    ..OTHERS
};

const COMPONENTS: Needs = Needs {
    change: &[Privileges::CONFIGURE_COMPONENTS],
    ..OTHERS
};

/// The types that differ from the others, after DMTF's privilege registry (`Redfish_PrivilegeRegistry`).
const NEEDS: [(&[&str], Needs); 9] = [
    (
        &["ServiceRoot"],
        Needs {
            read: &[Privileges::NONE],
            ..OTHERS
        },
    ),
    (
        &["ManagerAccount"],
        Needs {
            read: &[Privileges::CONFIGURE_MANAGER, Privileges::CONFIGURE_USERS],
            of_owner: true,
            ..USERS
        },
    ),
    (
        &[
            "AccountService",
            "ManagerAccountCollection",
            "Role",
            "RoleCollection",
        ],
        USERS,
    ),
    (
        &["Session"],
        Needs {
            of_owner: true,
            ..OTHERS
        },
    ),
    (
        &["EventDestination"],
        Needs {
            of_owner: true,
            ..OTHERS
        },
    ),
    (
        // What somebody does is not everybody's business.
        &["Task"],
        Needs {
            read: &[Privileges::CONFIGURE_MANAGER],
            of_owner: true,
            ..OTHERS
        },
    ),
    (
        &["EventDestinationCollection"],
        Needs {
            create: Some(&[
                Privileges::CONFIGURE_MANAGER,
                Privileges::CONFIGURE_COMPONENTS,
            ]),
            ..OTHERS
        },
    ),
    (
        &["SessionCollection"],
        Needs {
            create: Some(&[Privileges::NONE]),
            ..OTHERS
        },
    ),
    (
        &[
            "ComputerSystem",
            "Chassis",
            "Sensor",
            "Thermal",
            "ThermalSubsystem",
            "Fan",
            "Power",
            "PowerSubsystem",
            "PowerSupply",
            "EnvironmentMetrics",
            "UpdateService",
            "SoftwareInventory",
        ],
        COMPONENTS,
    ),
];

/// What operations on resources of the type `resource` need.
pub(crate) fn needs(resource: &str) -> &'static Needs {
    let listed = NEEDS.iter().find(|(types, _)| types.contains(&resource));
    listed.map_or(&OTHERS, |(_, needs)| needs)
}

/// Whether somebody with the privileges `has` may do `operation` to a resource of type `resource`. `own` is whether
/// it is his own account or session.
pub(crate) fn permits(has: Privileges, resource: &str, operation: Operation, own: bool) -> bool {
    let needs = needs(resource);
    let enough = match operation {
        Operation::Read => needs.read,
        Operation::Change => needs.change,
        Operation::Create => needs.create.unwrap_or(needs.change),
    };
    let as_owner = own && needs.of_owner;
    enough.iter().any(|&privileges| has.include(privileges))
        || (as_owner && has.include(Privileges::CONFIGURE_SELF))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(role: Role, resource: &str, operation: Operation) -> bool {
        permits(role.privileges(), resource, operation, false)
    }

    #[test]
    fn the_predefined_roles_have_the_privileges_of_the_specification() {
        let names = |role: Role| role.privileges().names().collect::<Vec<_>>();
        assert_eq!(names(Role::ReadOnly), ["Login", "ConfigureSelf"]);
        assert_eq!(
            names(Role::Operator),
            ["Login", "ConfigureComponents", "ConfigureSelf"]
        );
        assert_eq!(names(Role::Administrator).len(), 5);
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
        assert_eq!(Role::from_name("ReadOnlyUser"), None);
    }

    #[test]
    fn every_type_is_listed_once_and_by_a_name_that_exists() {
        let listed: Vec<_> = NEEDS.iter().flat_map(|(types, _)| *types).collect();
        for (index, name) in listed.iter().enumerate() {
            assert!(redfish_schema::resource_type(name).is_some(), "{name}");
            assert!(!listed[..index].contains(name), "{name}");
        }
    }

    #[test]
    fn what_nobody_listed_is_for_administrators_to_change() {
        let who: Vec<_> = Role::ALL
            .into_iter()
            .filter(|&r| may(r, "SomethingNew", Operation::Change))
            .collect();
        assert_eq!(who, [Role::Administrator]);
    }

    #[test]
    fn an_operator_operates_machines_and_nothing_else() {
        let may = |resource| may(Role::Operator, resource, Operation::Change);
        assert!(may("ComputerSystem") && may("Chassis"));
        assert!(!may("Manager") && !may("SessionService") && !may("AccountService"));
    }

    #[test]
    fn everybody_may_see_his_own_account_and_end_his_own_session() {
        let has = Role::ReadOnly.privileges();
        for (resource, operation) in [
            ("ManagerAccount", Operation::Read),
            ("Session", Operation::Change),
        ] {
            assert!(permits(has, resource, operation, true));
            assert!(!permits(has, resource, operation, false));
        }
        assert!(!permits(has, "ComputerSystem", Operation::Change, true));
    }
}
