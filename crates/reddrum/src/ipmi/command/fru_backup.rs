//! The old content of a FRU device: in a file while a new one takes its place.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ipmi::console::Hop;

use super::fru::Stored;
use super::fru_write::{bytes, fault};
use crate::ipmi::failure::Failure;
use crate::ipmi::talk::Line;
use crate::shell::quoted;

/// The most files with old content of one device; none of them is ever written over.
const BACKUPS_MAX: u32 = 100;

/// The old content of a device, as far as it could be read.
pub(super) struct Backup {
    /// `None` where nothing could be read.
    saved: Option<Saved>,
}

/// A file with old content.
struct Saved {
    path: PathBuf,
    /// How many bytes it has, where the device has more.
    only: Option<usize>,
    /// What puts them back.
    command: String,
}

impl Backup {
    /// Saves it in a file that was not there before: what an earlier write left may be all that is left of the original.
    pub(super) fn write(
        line: &Line,
        id: u8,
        before: &Stored,
        folder: &Path,
    ) -> Result<Self, Failure> {
        let content = before.bytes.as_slice();
        if content.is_empty() {
            return Ok(Self { saved: None });
        }
        let first = folder.join(file_name(line, id));
        for number in 1..=BACKUPS_MAX {
            let path = numbered(&first, number);
            match create(&path, |file| file.write_all(content)) {
                Ok(()) => {
                    return Ok(Self {
                        saved: Some(Saved {
                            only: before.cut().map(|_| content.len()),
                            command: command(line, id, &path, content),
                            path,
                        }),
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    let shown = path.display();
                    return Err(Failure::Unfit {
                        kind: "no_backup",
                        cause: format!(
                            "the old content can't be saved in {shown}: {error}; nothing was written"
                        ),
                        remedy: "name a folder with --backup-dir".to_owned(),
                    });
                }
            }
        }
        Err(Failure::Unfit {
            kind: "backup_exists",
            cause: format!(
                "{} and {BACKUPS_MAX} of its kind are there from earlier writes; nothing was written",
                first.display()
            ),
            remedy: "move those away that are not needed".to_owned(),
        })
    }

    /// How to have the old content back.
    pub(super) fn remedy(&self) -> String {
        let Some(saved) = &self.saved else {
            return "the old content could not be read, and is saved nowhere".to_owned();
        };
        let (path, command) = (saved.path.display(), &saved.command);
        match saved.only {
            None => format!("the old content is in {path}; put it back with: {command}"),
            Some(count) => format!(
                "of the old content only {} could be read, and are in {path}; put them back with: {command}",
                bytes(&(0..count))
            ),
        }
    }

    /// Leaves the file; where it is, if there is one.
    pub(super) fn keep(self) -> Option<PathBuf> {
        self.saved.map(|saved| saved.path)
    }

    /// Removes the file: it is of no use any more.
    pub(super) fn remove(self) {
        if let Some(saved) = self.saved {
            // A backup too many is no harm, and its name says what it is.
            let _ = fs::remove_file(saved.path);
        }
    }
}

/// The name of the file with this number; the first has none.
fn numbered(first: &Path, number: u32) -> PathBuf {
    match number {
        1 => first.to_owned(),
        _ => first.with_extension(format!("before.{number}")),
    }
}

/// The address of the BMC, one of IPv4 as such: it is mapped where others are of IPv6.
fn host(line: &Line) -> Option<SocketAddr> {
    let mut peer = line.peer()?;
    if let IpAddr::V6(v6) = peer.ip()
        && let Some(v4) = v6.to_ipv4_mapped()
    {
        peer.set_ip(v4.into());
    }
    Some(peer)
}

/// The way to the controller, where it is behind the BMC: the options that name each address and its channel, and these.
fn hops(line: &Line) -> Vec<(char, u8, char, u8)> {
    let Some(way) = line.way() else {
        return Vec::new();
    };
    let hop = |hop: Hop, address, channel| (address, hop.address(), channel, hop.channel());
    let transit = way.transit.map(|transit| hop(transit, 'T', 'B'));
    transit
        .into_iter()
        .chain([hop(way.target, 't', 'b')])
        .collect()
}

/// The name of the file: another for each device of each controller.
fn file_name(line: &Line, id: u8) -> String {
    let host = host(line).map_or_else(|| "host".to_owned(), |host| host.to_string());
    let host = host.replace([':', '[', ']', '%'], "_");
    let mut name = format!("fru-{id}-{host}");
    for (to, address, on, channel) in hops(line) {
        name += &format!("-{to}{address:02x}-{on}{channel}");
    }
    name + ".before"
}

/// What puts the file back, login options apart.
fn command(line: &Line, id: u8, path: &Path, content: &[u8]) -> String {
    let mut command = "reddrum ipmi".to_owned();
    if let Some(host) = host(line) {
        command += &format!(" {}", quoted(&host.to_string()));
    }
    for (to, address, on, channel) in hops(line) {
        command += &format!(" -{to} {address:#04x} -{on} {channel}");
    }
    command += &format!(" fru write {id} {}", quoted(&path.to_string_lossy()));
    if fault(content).is_some() {
        command += " --force";
    }
    command
}

/// Makes a file that was not there before, and is on the disk, name and all, with what `fill` puts into it. Where that fails,
/// it is not there: half of the content would pass for all of it.
fn create(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(path)?;
    let done = fill(&mut file)
        .and_then(|()| file.sync_all())
        .and_then(|()| sync_folder(path));
    if done.is_err() {
        // What failed is what the operator needs to know.
        let _ = fs::remove_file(path);
    }
    done
}

/// Makes the name of a file last.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    match File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all() {
        // Some file systems of networks have no such thing.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use ipmi::console::Bridge;

    use super::*;
    use crate::ipmi::report::Report;
    use crate::ipmi::talk::{Talk, play};

    /// File name and command for a BMC, or a controller behind it.
    fn names(host: &str, way: Option<Bridge>) -> (String, String) {
        let talk = Talk::new(|line| async move {
            let name = file_name(&line, 3);
            let command = command(&line, 3, Path::new(&name), b"");
            Ok(Report::line(command, name.into()))
        });
        let talk = talk.with(host.parse().unwrap()).behind(way);
        let report = play::run(talk, |_| None).unwrap();
        let name = report.value.as_str().unwrap().to_owned();
        (name, report.lines[0].clone())
    }

    #[test]
    fn every_controller_has_a_file_of_its_own_and_the_command_names_it() {
        let hop = |channel, address| Hop::new(channel, address).unwrap();
        let near = Bridge::to(hop(7, 0x82));
        let far = Bridge::over(hop(0, 0x20), hop(7, 0x82));
        for (host, way, name, options) in [
            (
                "10.0.0.5:623",
                None,
                "fru-3-10.0.0.5_623.before",
                "10.0.0.5:623",
            ),
            (
                "[::ffff:10.0.0.5]:623",
                Some(near),
                "fru-3-10.0.0.5_623-t82-b7.before",
                "10.0.0.5:623 -t 0x82 -b 7",
            ),
            (
                "[fd00::1]:623",
                Some(far),
                "fru-3-_fd00__1__623-T20-B0-t82-b7.before",
                "'[fd00::1]:623' -T 0x20 -B 0 -t 0x82 -b 7",
            ),
        ] {
            let command = format!("reddrum ipmi {options} fru write 3 {name} --force");
            assert_eq!(names(host, way), (name.to_owned(), command));
        }
    }

    #[test]
    fn a_file_that_can_not_be_filled_does_not_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("content");
        let full = |file: &mut File| -> io::Result<()> {
            file.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        };
        let error = create(&path, full).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(!path.exists());
        create(&path, |file| file.write_all(b"whole")).unwrap();
        // One that was there before is left alone.
        let error = create(&path, full).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"whole");
    }
}
