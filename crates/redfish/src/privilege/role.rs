//! The roles that every service has.

use super::Privileges;

/// The predefined roles (DSP0266 "Roles"). Clients may add others.
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
            Self::Administrator => Privileges::ALL,
            Self::Operator => read.and(Privileges::CONFIGURE_COMPONENTS),
            Self::ReadOnly => read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
