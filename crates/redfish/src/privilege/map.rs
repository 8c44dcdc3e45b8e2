//! Which privileges an operation needs, and whether somebody has them. Every decision of the service is made here.

use std::collections::HashMap;

use redfish_schema::ResourceType;

use super::{Operation, Privileges};

/// Sets of privileges, of which one is enough. None at all is nobody.
pub(crate) type Enough = Vec<Privileges>;

/// What each operation needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Operations([Enough; Operation::ALL.len()]);

impl Operations {
    pub(crate) fn of(&self, operation: Operation) -> &Enough {
        &self.0[operation as usize]
    }

    pub(super) fn set(&mut self, operation: Operation, enough: Enough) {
        self.0[operation as usize] = enough;
    }
}

/// Other needs for some properties, URIs or places in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Override {
    /// Names of properties, URIs, or the types of resources above, from the top.
    pub(crate) targets: Vec<String>,
    pub(crate) operations: Operations,
}

/// What the operations on resources of one type need (`PrivilegeRegistry.Mapping`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) operations: Operations,
    pub(crate) properties: Vec<Override>,
    pub(crate) subordinates: Vec<Override>,
    pub(crate) uris: Vec<Override>,
}

/// Which privileges each operation on each type of resource needs (DSP0266 "Operation-to-privilege mapping").
///
/// [`PrivilegeMap::default`] is after DMTF's own registry; [`PrivilegeMap::parse`] changes parts of it.
#[derive(Debug, Clone)]
pub struct PrivilegeMap {
    by_type: HashMap<&'static str, Mapping>,
    /// For a type that has no mapping.
    others: Mapping,
    /// Names of privileges that aren't Redfish's own.
    pub(super) oem: Vec<String>,
}

/// Who asks, as far as privileges go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holder {
    pub(crate) has: Privileges,
    /// Whether it is his own account, session, task or subscription.
    pub(crate) owns: bool,
}

impl Holder {
    /// `ConfigureSelf` is worth something for one's own only.
    pub(crate) fn meets(self, enough: &[Privileges]) -> bool {
        enough.iter().any(|&needed| {
            self.has.include(needed) && (self.owns || !needed.include(Privileges::CONFIGURE_SELF))
        })
    }
}

impl PrivilegeMap {
    /// What the type `kind` needs.
    pub(crate) fn mapping(&self, kind: &str) -> &Mapping {
        self.by_type.get(kind).unwrap_or(&self.others)
    }

    pub(super) fn set_mapping(&mut self, kind: &'static str, mapping: Mapping) {
        self.by_type.insert(kind, mapping);
    }

    /// Whether `holder` may do `operation` to the resource of type `kind` at `path`.
    pub(crate) fn permits(
        &self,
        holder: Holder,
        kind: &str,
        path: &str,
        operation: Operation,
    ) -> bool {
        holder.meets(needs(self.mapping(kind), path).of(operation))
    }

    /// The same for one property of it.
    pub(crate) fn permits_property(
        &self,
        holder: Holder,
        kind: &str,
        path: &str,
        operation: Operation,
        property: &str,
    ) -> bool {
        let mapping = self.mapping(kind);
        let of_property = mapping
            .properties
            .iter()
            .find(|other| other.targets.iter().any(|target| target == property));
        let operations = match of_property {
            Some(other) => &other.operations,
            None => needs(mapping, path),
        };
        holder.meets(operations.of(operation))
    }

    /// Whether `holder` may do `operation` to any property at all of it.
    pub(crate) fn permits_something(
        &self,
        holder: Holder,
        kind: &str,
        path: &str,
        operation: Operation,
    ) -> bool {
        let mapping = self.mapping(kind);
        self.permits(holder, kind, path, operation)
            || mapping
                .properties
                .iter()
                .any(|other| holder.meets(other.operations.of(operation)))
    }

    /// Every type with its mapping, in the order of the schema.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &Mapping)> {
        redfish_schema::all()
            .iter()
            .map(|kind| (kind.name, self.mapping(kind.name)))
    }

    /// The privilege with this name, Redfish's or the operator's.
    pub(crate) fn privilege(&self, name: &str) -> Option<Privileges> {
        Privileges::from_name(name).or_else(|| {
            let index = self.oem.iter().position(|oem| oem == name)?;
            Privileges::oem(index)
        })
    }

    /// Names of all privileges in a set: Redfish's, then the operator's.
    pub(crate) fn names(&self, privileges: Privileges) -> Vec<&str> {
        let mut names: Vec<&str> = privileges.names().collect();
        names.extend(self.oem_names(privileges));
        names
    }

    /// Names of those in a set that are the operator's.
    pub(crate) fn oem_names(&self, privileges: Privileges) -> impl Iterator<Item = &str> {
        let in_set =
            move |index: &usize| Privileges::oem(*index).is_some_and(|one| privileges.include(one));
        let names = self.oem.iter().enumerate();
        names
            .filter(move |(index, _)| in_set(index))
            .map(|(_, name)| name.as_str())
    }

    /// Every privilege that the map asks for anywhere, and the operator's own.
    pub(crate) fn used(&self) -> Privileges {
        let mut used = Privileges::ALL;
        for mapping in self.by_type.values() {
            let overrides = [&mapping.properties, &mapping.subordinates, &mapping.uris];
            let others = overrides.into_iter().flatten().map(|o| &o.operations);
            for operations in others.chain([&mapping.operations]) {
                for needed in operations.0.iter().flatten() {
                    used = used.and(*needed);
                }
            }
        }
        let oem = (0..self.oem.len()).filter_map(Privileges::oem);
        oem.fold(used, Privileges::and)
    }
}

/// The needs of a type at this place: its URI says most, then what it is below of.
fn needs<'m>(mapping: &'m Mapping, path: &str) -> &'m Operations {
    if mapping.uris.is_empty() && mapping.subordinates.is_empty() {
        return &mapping.operations;
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    // What a resource will be needs what the resource needs.
    let path = path.strip_suffix("/Settings").unwrap_or(path);
    let at_uri = mapping
        .uris
        .iter()
        .find(|other| other.targets.iter().any(|target| target == path));
    let below = || {
        let above = types_above(path);
        mapping
            .subordinates
            .iter()
            .find(|other| is_below(&other.targets, &above))
    };
    match at_uri.or_else(below) {
        Some(other) => &other.operations,
        None => &mapping.operations,
    }
}

/// For each resource above `path`, from the top, the types that it can have there.
fn types_above(path: &str) -> Vec<Vec<&'static str>> {
    let ends = path.match_indices('/').map(|(end, _)| end);
    ends.filter(|&end| end > crate::ROOT.len())
        .map(|end| {
            let above = &path[..end];
            let fits = |kind: &&&ResourceType| !kind.uris.is_empty() && kind.may_be_at(above);
            let kinds = redfish_schema::all().iter().filter(fits);
            kinds.map(|kind| kind.name).collect()
        })
        .collect()
}

/// Whether all of `targets` are above, in this order.
fn is_below(targets: &[String], above: &[Vec<&'static str>]) -> bool {
    let mut above = above.iter();
    targets
        .iter()
        .all(|target| above.any(|kinds| kinds.contains(&target.as_str())))
}

/// One line of the table below.
#[derive(Clone, Copy)]
struct Needs {
    read: &'static [Privileges],
    change: &'static [Privileges],
    /// What POST needs, if that is another.
    post: Option<&'static [Privileges]>,
    /// A property that its owner may change, too.
    of_owner: Option<&'static str>,
}

/// A type that isn't listed can be changed by administrators only.
const OTHERS: Needs = Needs {
    read: &[Privileges::LOGIN],
    change: &[Privileges::CONFIGURE_MANAGER],
    post: None,
    of_owner: None,
};

const USERS: Needs = Needs {
    change: &[Privileges::CONFIGURE_USERS],
    ..OTHERS
};

const COMPONENTS: Needs = Needs {
    change: &[Privileges::CONFIGURE_COMPONENTS],
    ..OTHERS
};

/// Users' administrators, and everybody for his own.
const OWN_OR_USERS: &[Privileges] = &[Privileges::CONFIGURE_USERS, Privileges::CONFIGURE_SELF];

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
            read: &[
                Privileges::CONFIGURE_MANAGER,
                Privileges::CONFIGURE_USERS,
                Privileges::CONFIGURE_SELF,
            ],
            // The only action is ChangePassword.
            post: Some(OWN_OR_USERS),
            of_owner: Some("Password"),
            ..USERS
        },
    ),
    (&["AccountService", "ManagerAccountCollection"], USERS),
    (
        &["Session"],
        Needs {
            change: &[Privileges::CONFIGURE_MANAGER, Privileges::CONFIGURE_SELF],
            ..OTHERS
        },
    ),
    (
        &["EventDestination"],
        Needs {
            change: &[Privileges::CONFIGURE_MANAGER, Privileges::CONFIGURE_SELF],
            ..OTHERS
        },
    ),
    (
        &["EventDestinationCollection"],
        Needs {
            post: Some(&[
                Privileges::CONFIGURE_MANAGER,
                Privileges::CONFIGURE_COMPONENTS,
            ]),
            ..OTHERS
        },
    ),
    (
        // What somebody does is not everybody's business.
        &["Task"],
        Needs {
            read: &[Privileges::CONFIGURE_MANAGER, Privileges::CONFIGURE_SELF],
            change: &[Privileges::CONFIGURE_MANAGER, Privileges::CONFIGURE_SELF],
            ..OTHERS
        },
    ),
    (
        &["SessionCollection"],
        Needs {
            post: Some(&[Privileges::NONE]),
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

impl From<Needs> for Mapping {
    fn from(needs: Needs) -> Self {
        let mut operations = Operations::default();
        for operation in Operation::ALL {
            let enough = match operation {
                Operation::Get | Operation::Head => needs.read,
                Operation::Post => needs.post.unwrap_or(needs.change),
                Operation::Patch | Operation::Put | Operation::Delete => needs.change,
            };
            operations.set(operation, enough.to_vec());
        }
        let of_owner = |property: &str| {
            let mut operations = operations.clone();
            operations.set(Operation::Patch, OWN_OR_USERS.to_vec());
            Override {
                targets: vec![property.to_owned()],
                operations,
            }
        };
        Self {
            properties: needs.of_owner.map(of_owner).into_iter().collect(),
            operations,
            ..Self::default()
        }
    }
}

impl Default for PrivilegeMap {
    fn default() -> Self {
        let listed = NEEDS.iter().flat_map(|(kinds, needs)| {
            let mapping = Mapping::from(*needs);
            kinds.iter().map(move |kind| (*kind, mapping.clone()))
        });
        Self {
            by_type: listed.collect(),
            others: OTHERS.into(),
            oem: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::privilege::Role;

    fn may(role: Role, kind: &str, operation: Operation, owns: bool) -> bool {
        let has = role.privileges();
        PrivilegeMap::default().permits(Holder { has, owns }, kind, "/redfish/v1/X", operation)
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
        for operation in [
            Operation::Patch,
            Operation::Post,
            Operation::Put,
            Operation::Delete,
        ] {
            let who: Vec<_> = Role::ALL
                .into_iter()
                .filter(|&role| may(role, "SomethingNew", operation, true))
                .collect();
            assert_eq!(who, [Role::Administrator]);
        }
    }

    #[test]
    fn an_operator_operates_machines_and_nothing_else() {
        let may = |kind| may(Role::Operator, kind, Operation::Patch, false);
        assert!(may("ComputerSystem") && may("Chassis"));
        assert!(!may("Manager") && !may("SessionService") && !may("AccountService"));
        assert!(!may("Role") && !may("RoleCollection"));
    }

    #[test]
    fn everybody_may_see_his_own_account_and_end_his_own_session() {
        for (kind, operation) in [
            ("ManagerAccount", Operation::Get),
            ("ManagerAccount", Operation::Post),
            ("Session", Operation::Delete),
        ] {
            assert!(may(Role::ReadOnly, kind, operation, true), "{kind}");
            assert!(!may(Role::ReadOnly, kind, operation, false), "{kind}");
        }
        for operation in [Operation::Patch, Operation::Delete] {
            assert!(!may(Role::ReadOnly, "ManagerAccount", operation, true));
        }
        assert!(!may(
            Role::ReadOnly,
            "ComputerSystem",
            Operation::Patch,
            true
        ));
    }

    #[test]
    fn of_ones_own_account_the_password_is_all_that_one_may_change() {
        let map = PrivilegeMap::default();
        let may = |role: Role, owns, property| {
            let holder = Holder {
                has: role.privileges(),
                owns,
            };
            map.permits_property(holder, "ManagerAccount", "", Operation::Patch, property)
        };
        assert!(may(Role::ReadOnly, true, "Password"));
        assert!(!may(Role::ReadOnly, false, "Password"));
        assert!(!may(Role::ReadOnly, true, "RoleId"));
        assert!(may(Role::Administrator, false, "Password"));
        assert!(may(Role::Administrator, false, "RoleId"));
    }

    #[test]
    fn nobody_meets_an_empty_list() {
        let holder = Holder {
            has: Privileges::ALL,
            owns: true,
        };
        assert!(!holder.meets(&[]));
        assert!(holder.meets(&[Privileges::NONE]));
    }

    #[test]
    fn the_types_above_a_path_are_those_of_the_schema() {
        let above = types_above("/redfish/v1/Systems/1/LogServices/SEL");
        let names: Vec<bool> = ["ComputerSystemCollection", "ComputerSystem"]
            .iter()
            .zip(&above)
            .map(|(name, kinds)| kinds.contains(name))
            .collect();
        assert_eq!(names, [true, true]);
        let below = |targets: &[&str]| {
            let targets: Vec<String> = targets.iter().map(|&t| t.to_owned()).collect();
            is_below(&targets, &above)
        };
        assert!(below(&["ComputerSystem"]));
        assert!(below(&["ComputerSystem", "LogServiceCollection"]));
        assert!(!below(&["LogServiceCollection", "ComputerSystem"]));
        assert!(!below(&["Manager"]));
    }
}
