//! Images on their way to machines.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hardware::{
    ApplyError, Change, Hardware, Installation, InstallationWatch, MAX_IMAGE_BYTES, Observer,
};
use redfish::{BackendFuture, Failure, Installed, Path, Progress, Update, Updater, message};

use crate::HardwareBackend;
use crate::change::{self, Origin};
use crate::inventory::{self, Part};

/// Whether any machine takes firmware over the network. Once one does, that holds for good: a controller forgets nothing
/// that it could.
#[derive(Debug, Default)]
pub(crate) struct TakesFirmware {
    does: AtomicBool,
    /// The machines tell of themselves, and needn't be looked at.
    is_watched: AtomicBool,
}

impl TakesFirmware {
    /// Hears from now on which machines do.
    pub(crate) fn watch(self: &Arc<Self>, hardware: &dyn Hardware) {
        hardware.observe(Arc::clone(self) as Arc<dyn Observer>);
        self.does_any(hardware);
        self.is_watched.store(true, Ordering::Relaxed);
    }

    /// Whether any does. Looks at each machine as long as nobody watches them.
    pub(crate) fn does_any(&self, hardware: &dyn Hardware) -> bool {
        if !self.does.load(Ordering::Relaxed) && !self.is_watched.load(Ordering::Relaxed) {
            let ids = hardware.node_ids();
            let mut nodes = ids.iter().filter_map(|id| hardware.node(id.as_str()));
            if nodes.any(|node| inventory::updateable(&node).is_some()) {
                self.does.store(true, Ordering::Relaxed);
            }
        }
        self.does.load(Ordering::Relaxed)
    }
}

impl Observer for TakesFirmware {
    fn updated(&self, update: &hardware::Update) {
        let node = match update {
            hardware::Update::Changed { before, after }
                if !Arc::ptr_eq(&before.identity, &after.identity) =>
            {
                after
            }
            hardware::Update::Added(node) | hardware::Update::Replaced { after: node, .. } => node,
            _ => return,
        };
        if inventory::updateable(node).is_some() {
            self.does.store(true, Ordering::Relaxed);
        }
    }
}

/// Tells an update how far the machine is.
struct Watch(Progress);

impl InstallationWatch for Watch {
    fn progress(&self, percent: u8) {
        self.0.tell(percent);
    }

    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}

/// What an image can be installed on: firmware of the inventory, or a manager with all of its firmware.
fn target(path: &Path) -> Option<(&str, Part)> {
    match *path.segments() {
        ["UpdateService", "FirmwareInventory", id] => inventory::named(id),
        ["Managers", id] => Some((id, Part::Controller)),
        _ => None,
    }
}

impl Updater for HardwareBackend {
    fn longest_image(&self) -> u64 {
        MAX_IMAGE_BYTES
    }

    fn can_stop(&self) -> bool {
        true
    }

    fn check(&self, targets: &[Path]) -> Result<(), Failure> {
        let cannot = |path: &&Path| {
            let node = target(path).and_then(|(id, part)| Some((self.hardware().node(id)?, part)));
            !node.is_some_and(|(node, part)| part.is_updateable(&node))
        };
        let wrong: Vec<_> = targets
            .iter()
            .filter(cannot)
            .map(|path| {
                let path = path.to_string();
                let wrong = message::property_value_not_in_list(path.as_str(), "Targets");
                let wrong = wrong.about("/Targets");
                wrong.with_resolution(
                    "Name firmware of the inventory that is Updateable, or a manager that has some.",
                )
            })
            .collect();
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(Failure::Messages(wrong))
        }
    }

    fn all(&self) -> Vec<Path> {
        let ids = self.hardware().node_ids();
        let nodes = ids
            .iter()
            .filter_map(|id| self.hardware().node(id.as_str()));
        let paths = nodes.filter_map(|node| inventory::updateable(&node));
        paths.filter_map(|path| Path::parse(&path).ok()).collect()
    }

    fn machine(&self, path: &Path) -> String {
        target(path).map_or_else(|| path.to_string(), |(id, _)| id.to_owned())
    }

    fn update<'a>(&'a self, update: &'a Update) -> BackendFuture<'a, Installed> {
        Box::pin(async move {
            let (node, part) = target(&update.target).ok_or(Failure::NotFound)?;
            let node = self.hardware().node(node).ok_or(Failure::NotFound)?;
            let image = update.image.bytes().await;
            let image = image.map_err(|error| Failure::NotStored {
                reason: format!("the image can't be read: {error}"),
            })?;
            let installation = Installation {
                image,
                component: match part {
                    Part::Component(number) => Some(number),
                    Part::Controller | Part::Bios => None,
                },
                force: update.force,
                watch: Arc::new(Watch(update.progress())),
            };
            let applied = self
                .hardware()
                .apply(&node.id, Change::Firmware(installation));
            match applied.await {
                Ok(()) => Ok(Installed::Done),
                Err(ApplyError::UpToDate) => Ok(Installed::UpToDate),
                Err(ApplyError::Cancelled) => Ok(Installed::Stopped),
                Err(ApplyError::WrongImage { reason }) => Ok(Installed::NotForIt(reason)),
                // Somebody else has taken it up, not through this service: ipmitool does that.
                Err(ApplyError::WrongState { reason }) => Err(Failure::InUse {
                    reason: format!(
                        "{} takes no firmware now: {reason}. Nothing was changed. Send the image again when that is \
                         over.",
                        node.id
                    ),
                }),
                Err(error) => Err(change::failure(error, Origin::Action)),
            }
        })
    }
}
