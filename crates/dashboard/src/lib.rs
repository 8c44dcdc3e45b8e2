//! The web pages of the service, embedded as files.
//!
//! Plain ES modules and one style sheet, without a build step: what is in `web/` is what the browser gets. The pages
//! are a Redfish client like any other. They speak only HTTP to the service that serves them, load nothing from
//! elsewhere, and work under `Content-Security-Policy: default-src 'self'`.
//!
//! ```text
//!   app.js ─► view-login.js   the form that opens a session
//!         ├─► view-header.js  totals, filter, legend, freshness
//!         ├─► view-rack.js    one tile a node
//!         ├─► view-node.js    the side panel: facts, sensors, log, actions
//!         ├─► store.js        what is known: one metric report a second
//!         └─► client.js       sessions, requests, errors
//! ```
//!
//! **Invariant:** this crate depends on no other of ours; the binary hands [`FILES`] to the service.

#![forbid(unsafe_code)]

/// One file of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// Absolute path of its URI (`/app.js`); the start page is `/`.
    pub path: &'static str,
    /// Value of `Content-Type`.
    pub content_type: &'static str,
    /// What it holds.
    pub bytes: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! file {
    ($path:literal, $content_type:expr, $name:literal) => {
        File {
            path: $path,
            content_type: $content_type,
            bytes: include_bytes!(concat!("../web/", $name)),
        }
    };
}

/// Every file of the pages; the paths are unique.
pub static FILES: &[File] = &[
    file!("/", HTML, "index.html"),
    file!("/favicon.svg", SVG, "favicon.svg"),
    file!("/style.css", CSS, "style.css"),
    file!("/app.js", SCRIPT, "app.js"),
    file!("/client.js", SCRIPT, "client.js"),
    file!("/dom.js", SCRIPT, "dom.js"),
    file!("/scale.js", SCRIPT, "scale.js"),
    file!("/store.js", SCRIPT, "store.js"),
    file!("/view-header.js", SCRIPT, "view-header.js"),
    file!("/view-login.js", SCRIPT, "view-login.js"),
    file!("/view-node.js", SCRIPT, "view-node.js"),
    file!("/view-rack.js", SCRIPT, "view-rack.js"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn text(file: &File) -> &'static str {
        std::str::from_utf8(file.bytes).unwrap()
    }

    #[test]
    fn every_file_of_the_web_folder_is_embedded_once() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/web");
        let on_disk: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .map(|name| {
                if name == "index.html" {
                    "/".to_owned()
                } else {
                    format!("/{name}")
                }
            })
            .collect();
        let embedded: BTreeSet<String> = FILES.iter().map(|file| file.path.to_owned()).collect();
        assert_eq!(embedded, on_disk);
        assert_eq!(embedded.len(), FILES.len(), "a path occurs twice");
    }

    #[test]
    fn every_import_names_an_embedded_file() {
        for file in FILES.iter().filter(|file| file.content_type == SCRIPT) {
            for line in text(file)
                .lines()
                .filter(|line| line.starts_with("import "))
            {
                let name = line.rsplit('"').nth(1).unwrap().trim_start_matches('.');
                assert!(
                    FILES.iter().any(|other| other.path == name),
                    "{}: {line}",
                    file.path
                );
            }
        }
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere_and_nothing_needs_an_unsafe_content_security_policy() {
        for file in FILES {
            let body = text(file).replace("http://www.w3.org/2000/svg", "");
            for forbidden in [
                "http://",
                "https://",
                "eval(",
                "innerHTML",
                " style=\"",
                "@import",
                "onclick=\"",
            ] {
                assert!(
                    !body.contains(forbidden),
                    "{} contains {forbidden}",
                    file.path
                );
            }
        }
        let page = text(&FILES[0]);
        assert_eq!(
            page.matches("<script").count(),
            page.matches("<script type=\"module\" src=").count()
        );
    }
}
