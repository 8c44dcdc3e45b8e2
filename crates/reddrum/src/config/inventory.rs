//! `[[inventory]]`: files and servers that list BMCs, and ranges in which they are looked for.

use std::path::PathBuf;

use super::scan::{self, ScanConfig, Scanned};
use super::secret::{self, Sources};
use super::section::{Problems, Section};
use super::target::{Treatment, read_treatment};
use super::{Secret, keys};

/// The most files, servers and scans that name BMCs.
const INVENTORIES_MAX: usize = 64;

/// How often a server is asked where the file says nothing, in seconds: as Prometheus does.
const REFRESH_DEFAULT_S: u32 = 60;

/// Where BMCs are listed, and how those are treated of which the list says nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InventoryConfig {
    /// Where.
    pub(crate) source: Source,
    /// How it is written.
    pub(crate) format: Format,
    /// How often a server is asked, in seconds.
    pub(crate) refresh_s: u32,
    /// It may come to name no BMC any more.
    pub(crate) allow_empty: bool,
    /// A token to be sent to the server.
    pub(crate) token: Option<Secret>,
    /// The authorities that the server's certificate is checked against; `None` = those of this machine.
    pub(crate) ca_file: Option<PathBuf>,
    /// What holds where the list says nothing else.
    pub(crate) treatment: Treatment,
}

/// Where a list is; written without what may be secret of a URL: a user and the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// In a file.
    File(PathBuf),
    /// At a server.
    Url(http::Uri),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Url(url) => {
                // What follows may be a token.
                let host = url.host().unwrap_or_default();
                write!(f, "{}://{host}", url.scheme_str().unwrap_or_default())?;
                if let Some(port) = url.port() {
                    write!(f, ":{port}")?;
                }
                f.write_str(url.path())?;
                f.write_str(if url.query().is_some() { "?…" } else { "" })
            }
        }
    }
}

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Lines of fields, the first one with their names (RFC 4180).
    Csv,
    /// JSON: entries, or groups as Prometheus writes them.
    Json,
    /// The same as YAML.
    Yaml,
}

impl Format {
    fn of_name(name: &str) -> Option<Self> {
        match name {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }
}

pub(super) fn read_inventories(
    root: &Section<'_, '_>,
    sources: &Sources<'_>,
    problems: &mut Problems<'_>,
) -> (Vec<InventoryConfig>, Vec<ScanConfig>) {
    let (mut all, mut scans) = (Vec::new(), Vec::new());
    let mut scanned = Scanned::default();
    for (table, span) in root.tables(problems, "inventory") {
        let section = Section::open(
            &keys::INVENTORY,
            "[[inventory]]".into(),
            table,
            span,
            problems,
        );
        if all.len() + scans.len() == INVENTORIES_MAX {
            let text = format!("more than {INVENTORIES_MAX} lists and scans");
            section.problem(problems, "file", text);
            break;
        }
        let is_list = section.has("file") || section.has("url");
        match (section.has("scan"), is_list) {
            (true, true) => {
                section.problem(problems, "scan", "give file, url or scan, not several");
            }
            (true, false) => scans.extend(scan::read(root, &section, &mut scanned, problems)),
            (false, _) => all.extend(read_inventory(root, &section, sources, problems)),
        }
    }
    (all, scans)
}

fn read_inventory(
    root: &Section<'_, '_>,
    section: &Section<'_, '_>,
    sources: &Sources<'_>,
    problems: &mut Problems<'_>,
) -> Option<InventoryConfig> {
    let treatment = read_treatment(root, section, problems);
    scan::refuse_keys(section, problems);
    let refresh_s = section.integer(problems, "refresh_s", 5..=86_400, REFRESH_DEFAULT_S);
    let token = secret::read(section, problems, sources, "token");
    let allow_empty = section.flag(problems, "allow_empty");
    let ca_file = section
        .string(problems, "ca_file")
        .map(|file| sources.base.join(file));
    let format = section.string(problems, "format");
    let source = match (
        section.string(problems, "file"),
        section.string(problems, "url"),
    ) {
        (Some(file), None) => Source::File(sources.base.join(file)),
        (None, Some(url)) => Source::Url(read_url(section, &url, problems)?),
        (Some(_), Some(_)) => {
            section.problem(problems, "url", "give file or url, not both");
            return None;
        }
        (None, None) => {
            section.problem(problems, "file", "is missing (or url, or scan)");
            return None;
        }
    };
    if token.is_some() && matches!(&source, Source::Url(url) if url.scheme_str() == Some("http")) {
        let text = "would cross the network readable by anybody: ask by https";
        section.problem(problems, "token_file", text);
    }
    let format = match (&source, format.as_deref()) {
        (_, Some(name)) => Format::of_name(name),
        (Source::File(path), None) => path
            .extension()
            .and_then(|end| end.to_str())
            .and_then(Format::of_name),
        (Source::Url(_), None) => Some(Format::Json),
    };
    let Some(format) = format else {
        section.problem(problems, "format", "expected csv, json or yaml");
        return None;
    };
    Some(InventoryConfig {
        source,
        format,
        refresh_s,
        allow_empty,
        token,
        ca_file,
        treatment,
    })
}

fn read_url(
    section: &Section<'_, '_>,
    url: &str,
    problems: &mut Problems<'_>,
) -> Option<http::Uri> {
    let parsed: Option<http::Uri> = url.parse().ok();
    let fits = parsed.filter(|url| {
        matches!(url.scheme_str(), Some("http" | "https"))
            && url.authority().is_some_and(|at| !at.as_str().contains('@'))
    });
    if fits.is_none() {
        let text = "expected https://HOST/PATH (or http), without a user name";
        section.problem(problems, "url", text);
    }
    fits
}
