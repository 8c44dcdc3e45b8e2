//! Rules for every text file.

use std::path::Path;

use super::Finding;

/// Paths that exist on one person's machine only. Written in two halves so that this file doesn't find itself.
const OWN_PATHS: [&str; 4] = [
    concat!("/wor", "k/"),
    concat!("/ro", "ot/"),
    concat!("/hom", "e/"),
    concat!("/Use", "rs/"),
];

/// File kinds that the scanner for Rust doesn't read, and whose comments are searched whole.
const PROSE: [&str; 10] = [
    "md", "toml", "sh", "js", "mjs", "css", "html", "py", "yaml", "yml",
];

/// Checks one file.
pub(crate) fn check(file: &Path, text: &str, findings: &mut Vec<Finding>) {
    let is_prose = file
        .extension()
        .is_some_and(|kind| PROSE.iter().any(|prose| kind == *prose));
    for (index, line) in text.lines().enumerate() {
        let mut add = |rule, what: String, remedy| {
            findings.push(Finding {
                file: file.to_path_buf(),
                line: index + 1,
                rule,
                what,
                remedy,
            });
        };
        if let Some(path) = OWN_PATHS.iter().find(|path| mentions(line, path)) {
            let remedy = "write a path relative to the repository, or find the place at run time";
            add(
                "own-path",
                format!("{path} is a path of one machine"),
                remedy,
            );
        }
        if line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ") {
            add("merge", "a merge is not finished".to_owned(), "finish it");
        }
        let marks = [concat!("TO", "DO"), concat!("FIX", "ME")];
        if is_prose && let Some(mark) = marks.iter().find(|mark| line.contains(*mark)) {
            add(
                "unfinished",
                format!("{mark} in the text"),
                "do it now, or file an issue",
            );
        }
    }
}

/// Whether the line has `path` at the start of a path, not inside one (`a/home/` is somebody's folder of that name).
fn mentions(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "./_-}>".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(file: &str, text: &str) -> Vec<&'static str> {
        let mut findings = Vec::new();
        check(Path::new(file), text, &mut findings);
        findings.into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn a_path_of_one_machine_is_found() {
        assert_eq!(
            rules("a.rs", concat!("let a = \"/hom", "e/me/x\";")),
            ["own-path"]
        );
        assert!(rules("a.rs", concat!("let a = \"pages/hom", "e/x\";")).is_empty());
    }

    #[test]
    fn unfinished_work_is_found_in_prose() {
        assert_eq!(
            rules("README.md", concat!("- TO", "DO: write\n")),
            ["unfinished"]
        );
    }
}
