//! Documents that are asked for again before their machine has a newer snapshot.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use hardware::Node;
use redfish::{Document, Failure, Path};

/// How many documents are kept. Each has one place, given by its path; two that share a place take it from each other.
pub(crate) const MAX_KEPT_DOCUMENTS: usize = 1024;
/// The largest document that is kept, in bytes. All places together hold at most [`MAX_KEPT_DOCUMENTS`] times that,
/// 16 MiB, and once more for each of the three compressed forms, which are made when clients ask for them. A form is
/// longer than its document by a few bytes at most, so that is 65 MiB in all; of JSON it is usually a fraction.
pub(crate) const MAX_KEPT_BYTES: usize = 16 * 1024;

/// The last document made for some paths.
///
/// A snapshot never changes, so a document that is made of one snapshot alone is right as long as that snapshot is the
/// newest. Dashboards and clients that wait for a change ask for the same few documents many times between two snapshots.
pub(crate) struct KeptDocuments {
    places: Box<[Place]>,
    hash: RandomState,
}

type Place = Mutex<Option<Box<Kept>>>;

struct Kept {
    path: Box<str>,
    /// Of what the document was made. As long as this exists nothing else can have its address.
    snapshot: Weak<Node>,
    document: Document,
}

impl Default for KeptDocuments {
    fn default() -> Self {
        Self {
            places: (0..MAX_KEPT_DOCUMENTS).map(|_| Place::default()).collect(),
            hash: RandomState::new(),
        }
    }
}

impl KeptDocuments {
    /// The document at `path`, of `snapshot` and nothing else: the kept one, or what `make` makes.
    ///
    /// # Errors
    /// What `make` says. A failure is not kept.
    pub(crate) fn get(
        &self,
        path: &Path,
        snapshot: &Arc<Node>,
        make: impl FnOnce() -> Result<Document, Failure>,
    ) -> Result<Document, Failure> {
        let path = path.as_str();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "any bits of a hash will do for a place"
        )]
        let index = self.hash.hash_one(path) as usize % MAX_KEPT_DOCUMENTS;
        let Some(place) = self.places.get(index) else {
            return make();
        };
        if let Some(kept) = &*place.lock().unwrap_or_else(PoisonError::into_inner)
            && *kept.path == *path
            && std::ptr::eq(kept.snapshot.as_ptr(), Arc::as_ptr(snapshot))
        {
            return Ok(kept.document.clone());
        }
        let document = make()?;
        if document.json().len() > MAX_KEPT_BYTES {
            return Ok(document);
        }
        let document = document.shared();
        let kept = Kept {
            path: path.into(),
            snapshot: Arc::downgrade(snapshot),
            document: document.clone(),
        };
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(kept));
        Ok(document)
    }
}
