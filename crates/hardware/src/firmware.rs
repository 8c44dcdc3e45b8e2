//! Firmware that can be replaced, and the wish to do so.

use alloc::sync::Arc;
use core::fmt;

/// The longest image that a source of machines takes, in bytes: it is kept in memory while it is installed.
pub const MAX_IMAGE_BYTES: u64 = 64 * 1024 * 1024;

/// A piece of firmware that can be replaced through the controller of its machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FirmwareComponent {
    /// By which number its controller knows it.
    pub number: u8,
    /// What its controller calls it ("BOOT").
    pub name: Option<Arc<str>>,
    /// The version that runs, as its maker writes it.
    pub version: Option<Arc<str>>,
}

/// Who wants to know how far an installation is. Called on the source's own thread: must return at once.
pub trait InstallationWatch: Send + Sync {
    /// So much is done, in percent; never less than before.
    fn progress(&self, percent: u8);

    /// Whether it should be given up, where that is still possible without harm.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// New firmware for a node.
#[derive(Clone)]
pub struct Installation {
    /// The file as its maker gave it; at most [`MAX_IMAGE_BYTES`]. Clones share it.
    pub image: Arc<[u8]>,
    /// Into this component only; `None` into every component that the image is for.
    pub component: Option<u8>,
    /// Also where that version runs already, and where the machine says that it is too old or has something better to do.
    pub force: bool,
    /// Who is told how far it is.
    pub watch: Arc<dyn InstallationWatch>,
}

impl fmt::Debug for Installation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Installation")
            .field("image_bytes", &self.image.len())
            .field("component", &self.component)
            .field("force", &self.force)
            .finish_non_exhaustive()
    }
}

/// Equal are two that install the same in the same way, whoever watches.
impl PartialEq for Installation {
    fn eq(&self, other: &Self) -> bool {
        (self.component, self.force) == (other.component, other.force) && self.image == other.image
    }
}

impl Eq for Installation {}
