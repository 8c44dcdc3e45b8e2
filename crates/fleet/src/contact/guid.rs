//! The GUIDs by which a BMC is told from others, and whether they hold.

use std::sync::Arc;

use hardware::{Identity, Uuid};
use ipmi::command::app::{GetDeviceGuid, GetSystemGuid, Guid, GuidFormat};
use ipmi::quirk::Quirk;

use super::{About, Contacted, Known, Said, optional, said};
use crate::call::CallError;
use crate::script::Line;

/// The GUID, where it is one: makers leave it blank.
pub(crate) fn set(guid: Option<Guid>) -> Option<Guid> {
    guid.filter(|guid| guid.0 != [0; 16] && guid.0 != [0xff; 16])
}

/// Whether it is certain that two GUIDs are of two machines: both are ones, and they differ in whichever order their bytes
/// go, which other firmware of the same BMC may have changed.
pub(crate) fn differ(before: Option<Guid>, now: Option<Guid>) -> bool {
    const ORDERS: [GuidFormat; 3] = [GuidFormat::Ipmi, GuidFormat::Rfc4122, GuidFormat::Smbios];
    let (Some(before), Some(now)) = (set(before), set(now)) else {
        return false;
    };
    let now = ORDERS.map(|order| now.to_rfc_4122(order));
    let before = ORDERS.map(|order| before.to_rfc_4122(order));
    !before.iter().any(|before| now.contains(before))
}

/// Whether it is certain that a BMC is another machine's than the one before, by its own GUID and the machine's UUID: the former
/// decides, unless neither has one.
pub(crate) fn is_another(
    (before, uuid_before): (Option<Guid>, Option<Uuid>),
    (now, uuid_now): (Option<Guid>, Option<Uuid>),
) -> bool {
    let as_guid = |uuid: Uuid| Guid::from_rfc_4122(uuid.to_bytes());
    match (set(before), set(now)) {
        (None, None) => differ(uuid_before.map(as_guid), uuid_now.map(as_guid)),
        (before, now) => differ(before, now),
    }
}

impl Contacted {
    /// Its GUID doesn't hold: it is neither known by it, nor is it shown.
    pub(crate) fn forget_guid(&mut self) {
        let controller = self.identity.controller_uuid;
        let identity = Arc::make_mut(&mut self.identity);
        identity.controller_uuid = None;
        // Without the system's own it stands for that, too, or that is what doesn't hold.
        identity.uuid = identity
            .uuid
            .filter(|uuid| controller.is_some_and(|own| own != *uuid));
        (self.known.guid, self.known.is_unsteady) = (None, true);
    }
}

/// What a BMC says to be its own GUID, and whether it has one that doesn't hold. Where none is known, or another one is, it is asked
/// twice.
pub(super) async fn of_device(
    line: &Line,
    known: Option<Known>,
    about: &About,
) -> Result<(Said<Guid>, bool), CallError> {
    let guid = said(line.call(&GetDeviceGuid).await)?;
    let told = guid.told();
    let in_doubt = known.is_none_or(|known| differ(known.guid, told));
    let is_unsteady =
        if known.is_some_and(|known| known.is_unsteady) || about.quirks.has(Quirk::GuidUnsteady) {
            true
        } else if in_doubt && set(told).is_some() {
            differ(told, optional(line.call(&GetDeviceGuid).await)?)
        } else {
            false
        };
    if is_unsteady {
        line.note(Quirk::GuidUnsteady);
        return Ok((Said::HasNone, true));
    }
    Ok((guid, false))
}

/// Where a BMC has no GUID of its own, that of the system tells it from others of its kind; and whether that doesn't hold.
/// Where none is known, or another one is, it is asked twice. `None` = it wasn't asked.
pub(super) async fn of_system(
    line: &Line,
    own: Option<Guid>,
    known: Option<Guid>,
) -> Result<(Option<Option<Guid>>, bool), CallError> {
    if set(own).is_some() {
        return Ok((None, false));
    }
    let told = optional(line.call(&GetSystemGuid).await)?;
    if set(told).is_some() && (known.is_none() || differ(known, told)) {
        let again = optional(line.call(&GetSystemGuid).await)?;
        if differ(told, again) {
            line.note(Quirk::GuidUnsteady);
            return Ok((Some(None), true));
        }
    }
    Ok((Some(told), false))
}

/// Shows the UUID of a machine whose BMC has a GUID that doesn't hold only where it is the one that was shown before; of one
/// that is new, and whose system's own held twice, that.
pub(super) fn keep_what_held(
    identity: &mut Identity,
    known: Known,
    shown: Option<Uuid>,
    is_new: bool,
) {
    if !known.is_unsteady {
        return;
    }
    identity.uuid = identity
        .uuid
        .filter(|uuid| shown.map_or(is_new, |shown| shown == *uuid));
}
