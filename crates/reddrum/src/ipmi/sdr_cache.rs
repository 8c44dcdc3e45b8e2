//! Remembers the sensor data records of BMCs between runs, in files: to read them takes longer than to read the sensors.
//!
//! ```text
//!   FOLDER/HOST   one file a BMC (and a controller behind it), named by a digest of how it is reached
//!     magic | SHA-256 of the stamp and the records | records, each after its length in two bytes
//! ```
//!
//! The stamp is what the BMC says of itself at the beginning of each run: its Device ID answer (§20.1) and its SDR
//! Repository Info (§33.9) with the times of the last change. Records count only under the very stamp that they were read
//! under: a file of another stamp, a damaged one and one of another format are as good as none. So is a folder that can't
//! be used: what is remembered only saves time.

use std::cell::Cell;
use std::fs::{self, DirBuilder, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use sha2::{Digest, Sha256};

use super::talk::Memory;
use crate::config::hosts::HOSTS_MAX;

/// What files begin with. The number is that of the format.
const MAGIC: &[u8] = b"reddrum sdr 1\n";

/// Bytes of the digest behind it.
const DIGEST_LEN: usize = 32;

/// The largest file, in bytes: some of the field's largest chassis have 2,000 records.
const FILE_LEN_MAX: usize = 1 << 20;

/// The most files that are left where a run begins to keep some: the oldest go. A run has no more hosts, so that there are never
/// more than twice as many.
const FILES_MAX: usize = HOSTS_MAX;

/// Permissions of others to write.
const OTHERS_WRITE: u32 = 0o022;

/// The folder of remembered records.
#[derive(Clone, Debug)]
pub(super) struct SdrCache {
    folder: PathBuf,
    /// What is asked behind the BMCs, for the names of files; empty for BMCs themselves.
    behind: String,
    /// It was seen to in this run that there are not too many files.
    is_bounded: Cell<bool>,
}

/// Whether it belongs to whom we run as, and nobody else may write to it: what others have put there is neither read nor
/// written to.
fn is_ours(metadata: &Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & OTHERS_WRITE == 0
}

impl SdrCache {
    /// The folder that is used unless another one is named: `$XDG_CACHE_HOME/reddrum/sdr`, or that of `~/.cache`. None where
    /// that is somebody else's, as it may be with `sudo`.
    pub(super) fn default_folder() -> Option<PathBuf> {
        let named = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let base = named("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(named("HOME")?).join(".cache")))?;
        base.is_absolute().then(|| base.join("reddrum").join("sdr"))
    }

    /// Records in this folder, of what is reached by `behind` from each BMC.
    pub(super) fn new(folder: PathBuf, behind: impl std::fmt::Debug) -> Self {
        Self {
            folder,
            behind: format!("{behind:?}"),
            is_bounded: Cell::new(false),
        }
    }

    /// Sees to it that there is the folder.
    ///
    /// # Errors
    /// It can't be made, or it is not ours alone.
    pub(super) fn make_folder(&self) -> io::Result<()> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)?;
        if is_ours(&fs::metadata(&self.folder)?) {
            Ok(())
        } else {
            let text = "the folder belongs to somebody else, or others may write to it";
            Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
        }
    }

    fn path(&self, address: SocketAddr) -> PathBuf {
        let name = Sha256::new()
            .chain_update(SocketAddr::new(address.ip().to_canonical(), address.port()).to_string())
            .chain_update("\n")
            .chain_update(&self.behind)
            .finalize();
        let hex: String = name[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.folder.join(hex)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut options = OpenOptions::new();
        // Neither a link to elsewhere nor a pipe that never has anything.
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32);
        let file = options.read(true).open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() || !is_ours(&metadata) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let mut bytes = Vec::new();
        file.take((FILE_LEN_MAX + 1) as u64)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn write(&self, path: &Path, stamp: &[u8], records: &[u8]) -> io::Result<()> {
        if MAGIC.len() + DIGEST_LEN + records.len() > FILE_LEN_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.make_folder()?;
        if !self.is_bounded.replace(true) {
            self.drop_oldest(FILES_MAX)?;
        }
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        // Of several runs at a time each writes a file of its own; the last one to rename it wins.
        let temporary = path.with_extension(format!("{:016x}", u64::from_ne_bytes(random)));
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        let written = file
            .write_all(MAGIC)
            .and_then(|()| file.write_all(&digest_of(stamp, records)))
            .and_then(|()| file.write_all(records))
            .and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    /// Removes the files that were not written for the longest time where there are more than `max`: a quarter of those that
    /// may be, too, so that it is seldom done.
    fn drop_oldest(&self, max: usize) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            files.push((entry.metadata()?.modified()?, entry.path()));
        }
        if files.len() <= max {
            return Ok(());
        }
        files.sort_unstable();
        for (_, path) in &files[..files.len() - max * 3 / 4] {
            fs::remove_file(path)?;
        }
        Ok(())
    }
}

impl Memory for SdrCache {
    fn recall(&self, address: SocketAddr, stamp: &[u8]) -> Option<Vec<u8>> {
        let bytes = self.read(&self.path(address)).ok()?;
        let rest = bytes.strip_prefix(MAGIC)?;
        let (digest, records) = rest.split_at_checked(DIGEST_LEN)?;
        (digest == digest_of(stamp, records)).then(|| records.to_vec())
    }

    fn keep(&self, address: SocketAddr, stamp: &[u8], records: &[u8]) {
        let path = self.path(address);
        if let Err(error) = self.write(&path, stamp, records) {
            tracing::debug!(path = %path.display(), %error, "sensor data records are not remembered");
        }
    }
}

fn digest_of(stamp: &[u8], records: &[u8]) -> [u8; DIGEST_LEN] {
    // The stamp's length keeps the border between both.
    Sha256::new()
        .chain_update((stamp.len() as u64).to_le_bytes())
        .chain_update(stamp)
        .chain_update(records)
        .finalize()
        .into()
}

/// Adds a record to those that are kept.
pub(super) fn append(records: &mut Vec<u8>, record: &[u8]) {
    let len = u16::try_from(record.len()).unwrap_or(u16::MAX);
    records.extend(len.to_le_bytes());
    records.extend(&record[..usize::from(len)]);
}

/// The records of those that were kept, one by one.
pub(super) fn records(mut kept: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (len, rest) = kept.split_first_chunk::<2>()?;
        let (record, rest) = rest.split_at_checked(u16::from_le_bytes(*len).into())?;
        kept = rest;
        Some(record)
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tempfile::TempDir;

    use super::*;

    /// A folder that is removed at the end.
    struct Folder(TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn cache(&self) -> SdrCache {
            SdrCache::new(self.0.path().join("deep").join("down"), ())
        }
    }

    const ADDRESS: SocketAddr =
        SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 623);

    #[test]
    fn records_are_recalled_under_the_stamp_and_of_the_bmc_that_they_were_kept_of() {
        let folder = Folder::new();
        let cache = folder.cache();
        assert_eq!(cache.recall(ADDRESS, b"stamp"), None);
        cache.keep(ADDRESS, b"stamp", b"records");
        assert_eq!(cache.recall(ADDRESS, b"stamp"), Some(b"records".to_vec()));
        assert_eq!(cache.recall(ADDRESS, b"stampr"), None);
        let other = SocketAddr::new(ADDRESS.ip(), 624);
        assert_eq!(cache.recall(other, b"stamp"), None);
        let behind = SdrCache::new(cache.folder.clone(), "82h on channel 7");
        assert_eq!(behind.recall(ADDRESS, b"stamp"), None);
        cache.keep(ADDRESS, b"later", b"others");
        assert_eq!(cache.recall(ADDRESS, b"stamp"), None);
        assert_eq!(cache.recall(ADDRESS, b"later"), Some(b"others".to_vec()));
    }

    #[test]
    fn a_file_that_is_damaged_anywhere_counts_as_none() {
        let folder = Folder::new();
        let cache = folder.cache();
        cache.keep(ADDRESS, b"stamp", b"records");
        let path = cache.path(ADDRESS);
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            fs::write(&path, &bad).unwrap();
            assert_eq!(cache.recall(ADDRESS, b"stamp"), None, "byte {at}");
            fs::write(&path, &good[..at]).unwrap();
            assert_eq!(cache.recall(ADDRESS, b"stamp"), None, "{at} bytes");
        }
    }

    #[test]
    fn only_the_owner_can_read_and_no_temporary_file_is_left() {
        let folder = Folder::new();
        let cache = folder.cache();
        cache.keep(ADDRESS, b"stamp", b"records");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&cache.folder), 0o700);
        assert_eq!(mode(&cache.path(ADDRESS)), 0o600);
        assert_eq!(fs::read_dir(&cache.folder).unwrap().count(), 1);
    }

    #[test]
    fn what_others_put_in_its_place_is_neither_read_nor_written_to() {
        let folder = Folder::new();
        let cache = folder.cache();
        cache.keep(ADDRESS, b"stamp", b"records");
        let (path, elsewhere) = (cache.path(ADDRESS), folder.0.path().join("elsewhere"));
        // A link is replaced, and what it leads to stays as it is.
        fs::rename(&path, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        assert_eq!(cache.recall(ADDRESS, b"stamp"), None);
        cache.keep(ADDRESS, b"stamp", b"new ones");
        assert_eq!(cache.recall(ADDRESS, b"stamp"), Some(b"new ones".to_vec()));
        assert!(fs::read(&elsewhere).unwrap().ends_with(b"records"));
        // So is what others may write to.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o622)).unwrap();
        assert_eq!(cache.recall(ADDRESS, b"stamp"), None);
        fs::set_permissions(&cache.folder, fs::Permissions::from_mode(0o777)).unwrap();
        cache.keep(ADDRESS, b"stamp", b"newer ones");
        assert_eq!(cache.recall(ADDRESS, b"stamp"), None);
    }

    #[test]
    fn the_oldest_files_go_where_there_are_too_many() {
        let folder = Folder::new();
        let cache = folder.cache();
        for port in 1..=10 {
            let address = SocketAddr::new(ADDRESS.ip(), port);
            cache.keep(address, b"stamp", b"records");
            let file = fs::File::options().write(true).open(cache.path(address));
            let age = std::time::Duration::from_secs(100 - u64::from(port));
            let at = std::time::SystemTime::now() - age;
            file.unwrap().set_modified(at).unwrap();
        }
        let left = || {
            let has = |port: &u16| {
                let address = SocketAddr::new(ADDRESS.ip(), *port);
                cache.recall(address, b"stamp").is_some()
            };
            (1..=10).filter(has).collect::<Vec<_>>()
        };
        cache.drop_oldest(10).unwrap();
        assert_eq!(left().len(), 10);
        cache.drop_oldest(8).unwrap();
        assert_eq!(left(), [5, 6, 7, 8, 9, 10]);
    }

    #[test]
    fn what_cannot_be_kept_is_no_error() {
        let cache = SdrCache::new(PathBuf::from("/proc/none"), ());
        cache.keep(ADDRESS, b"stamp", b"records");
        assert_eq!(cache.recall(ADDRESS, b"stamp"), None);
        let folder = Folder::new();
        let cache = folder.cache();
        cache.keep(ADDRESS, b"stamp", &vec![0; FILE_LEN_MAX]);
        assert_eq!(cache.recall(ADDRESS, b"stamp"), None);
    }

    #[test]
    fn records_come_back_as_they_were_appended() {
        let mut kept = Vec::new();
        let given: [&[u8]; 4] = [b"one", b"", &[7; 300], b"four"];
        for record in given {
            append(&mut kept, record);
        }
        assert_eq!(records(&kept).collect::<Vec<_>>(), given);
        // Cut short, the rest is not made up.
        assert_eq!(records(&kept[..kept.len() - 1]).count(), 3);
    }
}
