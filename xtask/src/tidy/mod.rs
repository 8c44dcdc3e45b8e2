//! `cargo xtask tidy`: the rules of this repository that neither the compiler nor clippy checks.
//!
//! Every finding names a place, what is wrong there, and the remedy. The rules have tests of their own beside them.

mod arrows;
mod manifests;
mod sans_io;
mod source;
mod text;

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs};

use crate::Result;
use crate::process::{command, run as run_program};
use crate::workspace::Workspace;
use source::Source;

/// Files larger than this are not read as text: nothing here is written by hand at that size.
const TEXT_MAX: u64 = 4 << 20;

/// What `cargo xtask tidy` takes.
#[derive(Default, clap::Args)]
pub(crate) struct Arguments {
    /// Print the findings as a JSON array of {file, line, rule, what, remedy}.
    #[arg(long)]
    json: bool,
}

/// One place where a rule is broken.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The file, relative to the workspace's root.
    pub(crate) file: PathBuf,
    /// The line, counted from 1.
    pub(crate) line: usize,
    /// The rule's name.
    pub(crate) rule: &'static str,
    /// What is wrong.
    pub(crate) what: String,
    /// What to do.
    pub(crate) remedy: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            rule,
            what,
            remedy,
        } = self;
        write!(
            f,
            "{}:{line}: {rule}: {what}\n    remedy: {remedy}",
            file.display()
        )
    }
}

/// Checks everything and prints what it finds.
///
/// # Errors
/// Where anything is found, or a file can't be read.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result {
    let mut findings = arrows::check(workspace);
    let files = files(&workspace.root)?;
    for file in &files {
        check_file(&workspace.root, file, &mut findings)?;
    }
    findings.sort();
    if arguments.json {
        println!("{}", as_json(&findings));
    } else {
        for finding in &findings {
            println!("{finding}");
        }
    }
    match findings.len() {
        0 => {
            eprintln!("tidy: {} files, nothing to complain about", files.len());
            Ok(())
        }
        count => Err(format!("tidy: {count} finding{}", if count == 1 { "" } else { "s" }).into()),
    }
}

fn as_json(findings: &[Finding]) -> serde_json::Value {
    let entry = |finding: &Finding| {
        serde_json::json!({
            "file": finding.file.display().to_string(),
            "line": finding.line,
            "rule": finding.rule,
            "what": finding.what,
            "remedy": finding.remedy,
        })
    };
    findings.iter().map(entry).collect()
}

/// Every file that is, or is about to be, in the repository.
fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut git = command("git");
    git.arg("-C").arg(root).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let listed = run_program(git, Duration::from_secs(60))?.expect_success()?;
    let mut files: Vec<PathBuf> = listed.split_terminator('\0').map(PathBuf::from).collect();
    // A file deleted but not committed yet is listed and not there.
    files.retain(|file| root.join(file).is_file());
    files.sort();
    files.dedup();
    Ok(files)
}

fn check_file(root: &Path, file: &Path, findings: &mut Vec<Finding>) -> Result {
    let path = root.join(file);
    if fs::metadata(&path)?.len() > TEXT_MAX {
        return Ok(());
    }
    let Ok(text) = fs::read_to_string(&path) else {
        return Ok(()); // Not text: a picture.
    };
    if file.extension().is_some_and(|extension| extension == "rs") {
        let source = Source::new(file, &text);
        source.check(findings);
        sans_io::check(&source, findings);
    } else if file.file_name().is_some_and(|name| name == "Cargo.toml") {
        manifests::check(file, &text, findings)?;
    }
    text::check(file, &text, findings);
    Ok(())
}
