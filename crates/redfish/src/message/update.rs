//! Messages of the Update registry: what becomes of an image. `device` is the path of the resource that it is for.

use super::{Message, messages};

messages! {
    "Update", "1.0", "2", "Update Message Registry";

    /// An image could not be installed.
    apply_failed(image, device): "ApplyFailed", Critical,
        "Installation of image '%1' to '%2' failed.",
        "None.";

    /// Nothing is updated: an image is for something else, or runs already.
    no_targets_determined(image): "NoTargetsDetermined", Ok,
        "No target device will be updated with image '%1'.",
        "None.";

    /// An image can't be fetched. `device` is who should have got it.
    transfer_failed(image, device): "TransferFailed", Critical,
        "Transfer of image '%1' to '%2' failed.",
        "None.";

    /// An image is being fetched.
    transferring_to_component(image, device): "TransferringToComponent", Ok,
        "Image '%1' is being transferred to '%2'.",
        "None.";

    /// An image is installed, and runs.
    update_successful(device, image): "UpdateSuccessful", Ok,
        "Device '%1' successfully updated with image '%2'.",
        "None.";
}
