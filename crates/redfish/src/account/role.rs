//! Roles that clients made, beside the predefined ones.

use serde::{Deserialize, Serialize};

use crate::privilege::{PrivilegeMap, Privileges};

/// How many roles a service has at most, the predefined ones included.
pub const MAX_ROLES: usize = 64;

/// Whether a role may have this `Id`: it is a segment of its URI, and `Members` means the collection there.
pub(super) fn is_role_id(id: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=64).contains(&id.len())
        && id.bytes().all(is_plain)
        && !id.bytes().all(|b| b == b'.')
        && id != "Members"
}

/// A role that a client made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CustomRole {
    pub(crate) privileges: Privileges,
}

/// What the store keeps of it: names, since the numbers of an operator's privileges may change with his registry.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeptRole {
    privileges: Vec<String>,
}

impl CustomRole {
    pub(super) fn kept(&self, map: &PrivilegeMap) -> KeptRole {
        let names = map.names(self.privileges).into_iter();
        KeptRole {
            privileges: names.map(str::to_owned).collect(),
        }
    }

    /// A privilege that the registry doesn't name any more is worth nothing.
    pub(super) fn of(id: &str, kept: &KeptRole, map: &PrivilegeMap) -> Self {
        let mut privileges = Privileges::NONE;
        for name in &kept.privileges {
            match map.privilege(name) {
                Some(one) => privileges = privileges.and(one),
                None => tracing::warn!(
                    role = id,
                    privilege = name,
                    "the privilege registry has no such privilege any more"
                ),
            }
        }
        Self { privileges }
    }
}
