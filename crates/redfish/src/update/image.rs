//! The image of an update: a file that nobody else sees and that goes with its last user.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

use tokio::sync::{OnceCell, OwnedSemaphorePermit};

/// The largest image that is taken, in bytes.
pub const MAX_IMAGE_BYTES: u64 = 512 * 1024 * 1024;
/// How many images are taken or kept at once. One more is refused with 503.
pub const MAX_IMAGES: usize = 4;
/// How much is collected before it is written, in bytes.
const WRITE_BYTES: usize = 256 * 1024;

/// What is to be installed. Clones share it.
#[derive(Debug, Clone)]
pub struct Image(Arc<Kept>);

#[derive(Debug)]
struct Kept {
    file: File,
    length: u64,
    /// What it is called in messages.
    name: String,
    /// All of it, once somebody has asked for that.
    bytes: OnceCell<Arc<[u8]>>,
    /// Its place among the images that are kept.
    _place: OwnedSemaphorePermit,
}

impl Image {
    /// How long it is, in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.0.length
    }

    /// What it is called in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// All of it, read once for everybody and kept until nobody needs the image any more.
    ///
    /// # Errors
    /// What the file system says.
    pub async fn bytes(&self) -> io::Result<Arc<[u8]>> {
        let read = || async {
            let image = self.clone();
            let read = tokio::task::spawn_blocking(move || image.read()).await;
            read.unwrap_or_else(|e| Err(io::Error::other(e.to_string())))
        };
        self.0.bytes.get_or_try_init(read).await.map(Arc::clone)
    }

    fn read(&self) -> io::Result<Arc<[u8]>> {
        let length = usize::try_from(self.0.length).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        self.0.file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes.into())
    }

    /// Reads from `offset` into `buffer`; how many bytes, 0 at the end. It reads a file: not for the threads of a runtime.
    ///
    /// # Errors
    /// What the file system says.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.file.read_at(buffer, offset)
    }
}

/// An image that is being taken.
pub(crate) struct Intake {
    name: String,
    longest: u64,
    file: Arc<File>,
    waiting: Vec<u8>,
    length: u64,
    place: OwnedSemaphorePermit,
}

/// Why an image can't be taken.
#[derive(Debug)]
pub(crate) enum IntakeError {
    /// It is longer than what the backend takes, this many bytes.
    TooLong(u64),
    /// It can't be written.
    File(io::Error),
}

impl Intake {
    /// A new file in `folder`, which has no name any more, for an image of at most `longest` bytes that messages call
    /// `name`.
    pub(crate) fn new(
        folder: &Path,
        name: &str,
        longest: u64,
        place: OwnedSemaphorePermit,
    ) -> io::Result<Self> {
        let mut random = [0_u8; 8];
        getrandom::fill(&mut random).map_err(|e| io::Error::other(e.to_string()))?;
        let file_name = format!("update-{:016x}.image", u64::from_ne_bytes(random));
        let path = folder.join(file_name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        let file = options.open(&path)?;
        // Open and without a name it is gone after a crash, too.
        std::fs::remove_file(&path)?;
        Ok(Self {
            name: name.to_owned(),
            longest,
            file: Arc::new(file),
            waiting: Vec::new(),
            length: 0,
            place,
        })
    }

    /// The longest that it may be, in bytes.
    pub(crate) const fn longest(&self) -> u64 {
        self.longest
    }

    /// Adds to it.
    pub(crate) async fn push(&mut self, data: &[u8]) -> Result<(), IntakeError> {
        self.length += data.len() as u64;
        if self.length > self.longest {
            return Err(IntakeError::TooLong(self.longest));
        }
        self.waiting.extend_from_slice(data);
        if self.waiting.len() >= WRITE_BYTES {
            self.write().await?;
        }
        Ok(())
    }

    async fn write(&mut self) -> Result<(), IntakeError> {
        let (file, data) = (Arc::clone(&self.file), std::mem::take(&mut self.waiting));
        let written = tokio::task::spawn_blocking(move || (&*file).write_all(&data)).await;
        let written = written.unwrap_or_else(|e| Err(io::Error::other(e.to_string())));
        written.map_err(IntakeError::File)
    }

    /// The whole image.
    pub(crate) async fn finish(mut self) -> Result<Image, IntakeError> {
        self.write().await?;
        let file = Arc::try_unwrap(self.file)
            .map_err(|_| IntakeError::File(io::Error::other("the file is still being written")))?;
        Ok(Image(Arc::new(Kept {
            file,
            length: self.length,
            name: self.name,
            bytes: OnceCell::new(),
            _place: self.place,
        })))
    }
}
