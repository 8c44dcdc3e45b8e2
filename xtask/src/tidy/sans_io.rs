//! No clock, socket, thread or randomness where the architecture says so.
//!
//! These parts take time and randomness as arguments, so that a simulation can run a thousand machines on virtual time and
//! give the same trace for the same seed. One hidden clock would end that.

use std::path::Path;

use super::Finding;
use super::source::Source;

/// Where a crate is sans-IO.
struct Zone {
    folder: &'static str,
    /// The only files in it that may do IO.
    except: &'static [&'static str],
    /// Whether the crate must be `no_std`.
    no_std: bool,
}

const ZONES: [Zone; 4] = [
    Zone {
        folder: "crates/ipmi/src",
        except: &[],
        no_std: true,
    },
    Zone {
        folder: "crates/hardware/src",
        except: &[],
        no_std: true,
    },
    Zone {
        folder: "crates/fleet/src",
        except: &["drive.rs", "memory/file.rs"],
        no_std: false,
    },
    Zone {
        folder: "crates/vbmc/src",
        except: &["serve.rs"],
        no_std: false,
    },
];

/// A path that a sans-IO file may not name, and why. A path of one word is banned wherever the word stands.
const BANNED: [(&str, &str); 24] = [
    ("std::time::Instant", "a clock"),
    ("Instant::now", "a clock"),
    ("SystemTime", "a clock"),
    ("UNIX_EPOCH", "a clock"),
    ("std::net::UdpSocket", "a socket"),
    ("UdpSocket", "a socket"),
    ("TcpStream", "a socket"),
    ("TcpListener", "a socket"),
    ("UnixStream", "a socket"),
    ("UnixDatagram", "a socket"),
    ("ToSocketAddrs", "a name look-up"),
    ("std::thread", "a thread"),
    ("thread::spawn", "a thread"),
    ("thread::sleep", "a thread"),
    ("std::fs", "a file"),
    ("std::io", "input or output"),
    ("std::env", "the environment"),
    ("std::process", "another program"),
    ("tokio", "an async runtime"),
    ("libc", "the operating system"),
    ("getrandom", "randomness"),
    ("rand", "randomness"),
    ("RandomState", "randomness"),
    ("udp", "sockets"),
];

const REMEDY: &str = "take the time, the bytes or the randomness as an argument, and do the IO in the one file that may \
                      (fleet: drive.rs and memory/file.rs, vbmc: serve.rs)";

/// Checks one file, tests aside.
pub(crate) fn check(source: &Source<'_>, findings: &mut Vec<Finding>) {
    let Some(zone) = ZONES
        .iter()
        .find(|zone| source.file.starts_with(zone.folder))
    else {
        return;
    };
    let inner = source.file.strip_prefix(zone.folder).unwrap_or(source.file);
    if zone.no_std && inner == Path::new("lib.rs") && !source.code.contains("#![no_std]") {
        let what = "the crate is not no_std".to_owned();
        findings.push(source.finding(0, "sans-io", what, "write #![no_std] and use alloc"));
    }
    if zone.except.iter().any(|file| inner == Path::new(file)) {
        return;
    }
    for (offset, path) in paths(&source.code) {
        if source.in_tests(offset) {
            continue;
        }
        for (banned, what) in BANNED {
            if names(&path, banned) {
                findings.push(source.finding(
                    offset,
                    "sans-io",
                    format!("{path} is {what}"),
                    REMEDY,
                ));
                break;
            }
        }
    }
}

/// Whether a path names the banned one: its segments follow each other in it. A banned crate (`libc`, `udp`) is one only as
/// the first of several segments or in an import: a field or a variable may have that name.
fn names(path: &str, banned: &str) -> bool {
    let segments: Vec<&str> = path.split("::").collect();
    let wanted: Vec<&str> = banned.split("::").collect();
    let is_crate_name = wanted.len() == 1 && banned.chars().all(char::is_lowercase);
    if is_crate_name {
        return segments.len() > 1 && segments[0] == banned;
    }
    segments
        .windows(wanted.len())
        .any(|window| window == wanted)
}

/// Every path in the code (`a::b::c`, single words, too), with the braces of `use a::{b, c::d}` multiplied out.
fn paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    // The prefixes that open braces of use trees have put in front.
    let mut prefixes: Vec<String> = Vec::new();
    let mut path = String::new();
    let mut start = 0;
    let bytes = code.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let word = code[at..]
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(code.len() - at);
        if word > 0 {
            if path.is_empty() {
                start = at;
            }
            path.push_str(&code[at..at + word]);
            at += word;
        } else if code[at..].starts_with("::") {
            path.push_str("::");
            at += 2;
        } else {
            let opens_tree = bytes[at] == b'{' && (path.ends_with("::") || !prefixes.is_empty());
            if opens_tree {
                let prefix = format!("{}{path}", prefixes.last().map_or("", String::as_str));
                prefixes.push(prefix);
            } else if !path.is_empty() && !path.ends_with("::") {
                found.push((
                    start,
                    format!("{}{path}", prefixes.last().map_or("", String::as_str)),
                ));
            }
            if bytes[at] == b'}' {
                prefixes.pop();
            }
            path.clear();
            at += code[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, text: &str) -> Vec<usize> {
        let mut findings = Vec::new();
        check(&Source::new(Path::new(file), text), &mut findings);
        findings.into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_clock_a_socket_and_a_thread_are_found_however_they_are_imported() {
        let file = "crates/fleet/src/engine.rs";
        for bad in [
            "let now = std::time::Instant::now();",
            "use std::time::{Duration, Instant};",
            "use std::{net::{SocketAddr, UdpSocket}, mem};",
            "use std::{thread, mem};",
            "std::thread::sleep(x);",
            "use std::collections::hash_map::RandomState;",
            "let x = getrandom::fill(&mut out);",
            "udp::Batch::new();",
        ] {
            assert_eq!(found(file, bad), [1], "{bad}");
        }
    }

    #[test]
    fn plain_data_is_no_io() {
        let file = "crates/fleet/src/engine.rs";
        for good in [
            "use std::net::SocketAddr;",
            "use std::time::Duration;",
            "use ipmi::time::Instant;",
            "let udp = self.udp; // std::thread",
            "let text = \"std::thread\";",
            "fn f() { if a { b::c() } } fn thread() {}",
        ] {
            assert_eq!(found(file, good), [0; 0], "{good}");
        }
    }

    #[test]
    fn the_one_file_that_may_and_the_tests_are_left_alone() {
        assert!(found("crates/fleet/src/drive.rs", "use std::net::UdpSocket;").is_empty());
        assert_eq!(
            found(
                "crates/fleet/src/inner/drive.rs",
                "use std::net::UdpSocket;"
            ),
            [1]
        );
        assert!(
            found(
                "crates/vbmc/src/a.rs",
                "#[cfg(test)]\nmod tests {\n    use std::thread;\n}"
            )
            .is_empty()
        );
        assert!(found("crates/redfish/src/a.rs", "use std::thread;").is_empty());
    }

    #[test]
    fn ipmi_and_hardware_are_no_std() {
        assert_eq!(found("crates/ipmi/src/lib.rs", "pub mod a;\n"), [1]);
        assert!(found("crates/ipmi/src/lib.rs", "#![no_std]\npub mod a;\n").is_empty());
    }
}
