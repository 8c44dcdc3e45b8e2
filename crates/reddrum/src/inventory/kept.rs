//! What servers told last, in the state folder: a service that begins while one of them is away has its list all the same.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use super::{Inventory, LIST_BYTES_MAX};
use crate::certificate;
use crate::config::{InventoryConfig, Source};

/// Name of the folder in the state folder.
const FOLDER: &str = "lists";

/// Where lists of servers are kept, each in a file that is named by what its URL makes (SHA-256): the URL may hold a secret.
#[derive(Clone, Debug)]
pub(crate) struct Kept(PathBuf);

impl Kept {
    /// In this state folder.
    pub(crate) fn new(state_dir: &Path) -> Self {
        Self(state_dir.join(FOLDER))
    }

    fn file(&self, url: &http::Uri) -> PathBuf {
        let name = Sha256::digest(url.to_string());
        let name: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
        self.0.join(name)
    }

    /// Removes lists of servers that are none of these any more.
    pub(crate) fn tidy(&self, inventories: &[InventoryConfig]) {
        let stays: Vec<_> = inventories
            .iter()
            .filter_map(|of_list| match &of_list.source {
                Source::Url(url) => Some(self.file(url)),
                Source::File(_) => None,
            })
            .collect();
        let there = fs::read_dir(&self.0).into_iter().flatten().flatten();
        for path in there.map(|entry| entry.path()) {
            if !stays.contains(&path) {
                // What can't be removed is looked at by nobody.
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Keeps what servers told of lists that were taken since. What was refused is never kept: the next run would begin with it.
    pub(crate) async fn keep(kept: Option<&Self>, lists: &mut [Inventory]) {
        let taken: Vec<_> = lists.iter_mut().filter_map(Inventory::unkept).collect();
        let Some(kept) = kept.filter(|_| !taken.is_empty()).cloned() else {
            return;
        };
        // It fails only where it panicked, which has been reported then.
        let _ = spawn_blocking(move || {
            for (url, text) in taken {
                kept.put(&url, &text);
            }
        })
        .await;
    }

    /// Keeps a list, unless it is kept already.
    pub(super) fn put(&self, url: &http::Uri, text: &str) {
        let file = self.file(url);
        if fs::read(&file).is_ok_and(|kept| kept == text.as_bytes()) {
            return;
        }
        let put = certificate::private_folder(&self.0)
            .and_then(|()| certificate::write_new(&file, 0o600, text.as_bytes()));
        if let Err(error) = put {
            let folder = self.0.display();
            tracing::warn!(%folder, %error, "a list of BMCs can't be kept: without its server, the next run won't have it");
        }
    }

    /// What was kept.
    pub(crate) fn get(&self, url: &http::Uri) -> Option<String> {
        let file = self.file(url);
        let length = fs::metadata(&file).ok()?.len();
        let fits = length <= LIST_BYTES_MAX as u64;
        fits.then(|| fs::read_to_string(file).ok()).flatten()
    }
}
