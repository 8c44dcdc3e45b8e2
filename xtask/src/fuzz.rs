//! `cargo xtask fuzz`: the fuzz targets of `fuzz/`, guided by what of the code each input reaches.
//!
//! A stable compiler is enough: what cargo-fuzz needs a nightly one for is the address sanitizer, and there is no unsafe
//! code in what is fuzzed. The counters are LLVM's, put in by [`COUNTERS`]; overflow and debug assertions are checked.
//!
//! ```text
//! fuzz/corpus/TARGET.hex      inputs worth keeping, one a line; the laws' ordinary tests read them, too
//! target/fuzz/corpus/TARGET/  the same, and what runs on this machine have added
//! target/fuzz/findings/       what broke a law
//! ```

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Result;
use crate::peers::report::Report;
use crate::process::{command, run, run_shown};
use crate::workspace::Workspace;

/// What `cargo xtask fuzz` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only these targets; all where none is named.
    targets: Vec<String>,
    /// How long each target runs, in seconds.
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u32,
    /// Afterwards put the smallest inputs that reach everything into `fuzz/corpus/`.
    #[arg(long)]
    keep: bool,
}

/// The targets, and what each attacks.
const TARGETS: [(&str, &str); 10] = [
    ("datagram", "all that is read before a login"),
    ("channel", "sealed packets of every cipher suite"),
    ("records", "sensor, event and inventory records"),
    ("commands", "every command, request and answer; SOL packets"),
    ("image", "HPM.1 upgrade images"),
    ("capture", "pcap and pcapng files"),
    (
        "conversation",
        "a console and a BMC, and what the network does",
    ),
    (
        "sol",
        "both ends of a serial line, and what the network does",
    ),
    ("machine", "a virtual BMC, by a console that has logged in"),
    (
        "walks",
        "reading records, logs and inventories, whatever is answered",
    ),
];

/// How LLVM counts what an input reaches, and shows the fuzzer what is compared: the flags of rustc for which cargo-fuzz is
/// made, without a sanitizer.
const COUNTERS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Seconds for each target in `cargo xtask test`.
const SHORT_S: u32 = 4;
/// How long building may take.
const BUILD_LIMIT: Duration = Duration::from_secs(20 * 60);
/// How long a target may take beyond its time: reading a corpus, minimising it.
const GRACE: Duration = Duration::from_secs(120);
/// One input that takes longer is a finding, in seconds: long, for a machine may be busy or paused.
const INPUT_LIMIT_S: u32 = 60;
/// Memory beyond which an input is a finding, in MiB.
const MEMORY_LIMIT_MIB: u32 = 1024;
/// Inputs kept of a target in the repository, at most, and the length of each, in bytes.
const KEPT_MAX: usize = 150;
const KEPT_LEN_MAX: usize = 256;

/// Where everything is.
struct Place {
    /// The built targets.
    programs: PathBuf,
    /// The corpora of this machine.
    corpus: PathBuf,
    findings: PathBuf,
    /// The corpora of the repository.
    kept: PathBuf,
}

/// How a run came out.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    seconds: f64,
    executions: u64,
    /// Edges of the control flow that were reached.
    edges: u64,
    /// Inputs in the corpus.
    corpus: u64,
    /// Files with inputs that broke a law, and what the target said last.
    findings: Vec<PathBuf>,
    last_words: String,
}

/// Builds the targets, runs them one after the other, and prints a table.
///
/// # Errors
/// Where a law was broken, or something can't be built or run.
pub(crate) fn run_command(workspace: &Workspace, arguments: &Arguments) -> Result {
    let targets = chosen(&arguments.targets)?;
    let place = build(workspace)?;
    println!("{}", header());
    let mut broken = Vec::new();
    for name in targets {
        let outcome = fuzz(&place, name, arguments.seconds)?;
        println!("{}", row(name, &outcome));
        if !outcome.findings.is_empty() {
            broken.push(explain(&place, name, &outcome));
        } else if arguments.keep {
            keep(&place, name)?;
        }
    }
    match broken.len() {
        0 => Ok(()),
        _ => Err(broken.join("\n").into()),
    }
}

/// Each target for some seconds, as a step of `cargo xtask test`.
///
/// # Errors
/// Where the targets can't be built or run; what they find is in the report.
pub(crate) fn run_short(workspace: &Workspace, report: &mut Report) -> Result {
    let place = build(workspace)?;
    report.note(&header());
    for (name, what) in TARGETS {
        let outcome = fuzz(&place, name, SHORT_S)?;
        report.note(&row(name, &outcome));
        let found = match outcome {
            Outcome { executions: 0, .. } => Err(format!("nothing ran: {}", outcome.last_words)),
            _ if outcome.findings.is_empty() => Ok(()),
            _ => Err(explain(&place, name, &outcome)),
        };
        report.check(&format!("{name}: {what}"), found.map_err(Into::into));
    }
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<&'static str>> {
    let known = || TARGETS.iter().map(|(name, _)| *name);
    if names.is_empty() {
        return Ok(known().collect());
    }
    let find = |name: &String| known().find(|known| known == name);
    let unknown = |name: &String| {
        let all: Vec<&str> = known().collect();
        format!("no target {name:?}; there are: {}", all.join(", ")).into()
    };
    names
        .iter()
        .map(|name| find(name).ok_or_else(|| unknown(name)))
        .collect()
}

/// Builds every target, with counters; what runs while building (build scripts) has none.
fn build(workspace: &Workspace) -> Result<Place> {
    let folder = workspace.target.join("fuzz");
    let host = host()?;
    let mut cargo = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(&workspace.root)
        .args(["build", "--release", "--locked", "--quiet"])
        .args(["--manifest-path", "fuzz/Cargo.toml", "--target", &host])
        .arg("--target-dir")
        .arg(&folder)
        .env("RUSTFLAGS", COUNTERS);
    run_shown(cargo, BUILD_LIMIT)?;
    Ok(Place {
        programs: folder.join(host).join("release"),
        corpus: folder.join("corpus"),
        findings: folder.join("findings"),
        kept: workspace.path("fuzz/corpus"),
    })
}

/// The compiler's name for this machine.
fn host() -> Result<String> {
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.arg("-vV");
    let said = run(rustc, Duration::from_secs(30))?.expect_success()?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("rustc doesn't say what it runs on")?.to_owned())
}

/// Runs a target once.
fn fuzz(place: &Place, name: &str, seconds: u32) -> Result<Outcome> {
    let corpus = place.corpus.join(name);
    let findings = place.findings.join(name);
    fs::create_dir_all(&findings)?;
    unpack(&place.kept.join(format!("{name}.hex")), &corpus)?;
    let known = files(&findings)?;
    let mut target = Command::new(place.programs.join(name));
    target
        .arg(&corpus)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={INPUT_LIMIT_S}"))
        .arg(format!("-report_slow_units={INPUT_LIMIT_S}"))
        .arg(format!("-rss_limit_mb={MEMORY_LIMIT_MIB}"))
        .arg(format!("-artifact_prefix={}/", findings.display()))
        .arg("-print_final_stats=1");
    let start = Instant::now();
    let finished = run(target, Duration::from_secs(seconds.into()) + GRACE)?;
    let mut outcome = read(&finished.stderr);
    outcome.seconds = start.elapsed().as_secs_f64();
    outcome.findings = files(&findings)?;
    outcome.findings.retain(|file| !known.contains(file));
    if !finished.succeeded() && outcome.findings.is_empty() {
        return Err(finished.describe().into());
    }
    Ok(outcome)
}

/// What libFuzzer says at its end, and what the panic said.
fn read(said: &str) -> Outcome {
    let after = |line: &str, word: &str| -> Option<u64> {
        let mut words = line.split_whitespace().skip_while(|w| *w != word).skip(1);
        let digits = words.next()?.split('/').next()?;
        digits.parse().ok()
    };
    let mut outcome = Outcome::default();
    for line in said.lines() {
        outcome.edges = after(line, "cov:").unwrap_or(outcome.edges);
        outcome.corpus = after(line, "corp:").unwrap_or(outcome.corpus);
        let executed = after(line, "stat::number_of_executed_units:");
        outcome.executions = executed.unwrap_or(outcome.executions);
    }
    let lines: Vec<&str> = said.lines().collect();
    let is_cause = |line: &str| line.contains("panicked at") || line.contains("ERROR: libFuzzer");
    if let Some(at) = lines.iter().position(|line| is_cause(line)) {
        let end = lines.len().min(at + 3);
        outcome.last_words = lines[at..end].join(" ");
    }
    outcome
}

fn header() -> String {
    format!(
        "{:<14}{:>9}{:>14}{:>10}{:>8}{:>8}{:>10}",
        "target", "seconds", "executions", "a second", "edges", "corpus", "findings"
    )
}

fn row(name: &str, outcome: &Outcome) -> String {
    let rate = outcome.executions as f64 / outcome.seconds.max(0.001);
    format!(
        "{name:<14}{:>9.0}{:>14}{rate:>10.0}{:>8}{:>8}{:>10}",
        outcome.seconds,
        outcome.executions,
        outcome.edges,
        outcome.corpus,
        outcome.findings.len()
    )
}

/// What was found, and how it is seen again.
fn explain(place: &Place, name: &str, outcome: &Outcome) -> String {
    let mut text = format!("{name}: {}", outcome.last_words);
    for file in &outcome.findings {
        let program = place.programs.join(name);
        let _ = write!(text, "\n  again: {} {}", program.display(), file.display());
    }
    text
}

/// Puts the kept inputs among those of this machine.
fn unpack(kept: &Path, corpus: &Path) -> Result {
    fs::create_dir_all(corpus)?;
    let Ok(text) = fs::read_to_string(kept) else {
        return Ok(());
    };
    for (number, line) in text.lines().enumerate() {
        let wrong = || format!("{}:{}: no hexadecimal digits", kept.display(), number + 1);
        let bytes: Option<Vec<u8>> = (0..line.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(line.get(at..at + 2)?, 16).ok())
            .collect();
        let bytes = bytes.ok_or_else(wrong)?;
        fs::write(corpus.join(format!("kept-{number:03}")), bytes)?;
    }
    Ok(())
}

/// Reduces the corpus of this machine to what reaches as much, and keeps the smallest of it.
fn keep(place: &Place, name: &str) -> Result {
    let smaller = place.corpus.join(format!("{name}.smaller"));
    if smaller.exists() {
        fs::remove_dir_all(&smaller)?;
    }
    fs::create_dir_all(&smaller)?;
    let mut target = Command::new(place.programs.join(name));
    target
        .arg("-merge=1")
        .arg(&smaller)
        .arg(place.corpus.join(name));
    run(target, GRACE * 5)?.expect_success()?;
    let mut inputs = Vec::new();
    for file in files(&smaller)? {
        inputs.push(fs::read(file)?);
    }
    fs::remove_dir_all(&smaller)?;
    inputs.retain(|input| !input.is_empty() && input.len() <= KEPT_LEN_MAX);
    inputs.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    // All lengths of them: the longest reach farthest.
    let step = inputs.len().div_ceil(KEPT_MAX).max(1);
    let mut text = String::new();
    for input in inputs.iter().rev().step_by(step) {
        input.iter().for_each(|byte| {
            let _ = write!(text, "{byte:02x}");
        });
        text.push('\n');
    }
    fs::create_dir_all(&place.kept)?;
    fs::write(place.kept.join(format!("{name}.hex")), text)?;
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        files.push(entry?.path());
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_fuzzer_says_is_read() {
        let said = "#2\tINITED cov: 12 ft: 13 corp: 1/1b exec/s: 0 rss: 27Mb\n\
                    #900\tDONE   cov: 1234 ft: 5678 corp: 321/12Kb lim: 90 exec/s: 450 rss: 30Mb\n\
                    stat::number_of_executed_units: 900\n";
        let outcome = read(said);
        assert_eq!(
            (outcome.edges, outcome.corpus, outcome.executions),
            (1234, 321, 900)
        );
        assert_eq!(outcome.last_words, "");
    }

    #[test]
    fn a_broken_law_is_named() {
        let said = "thread '<unnamed>' panicked at src/sol.rs:1:2:\ncharacters changed\nnote: run with\nmore\n\
                    ==7== ERROR: libFuzzer: deadly signal\n";
        let words = read(said).last_words;
        assert!(
            words.contains("src/sol.rs:1:2") && words.contains("characters changed"),
            "{words}"
        );
    }

    #[test]
    fn a_target_that_does_not_exist_is_refused_by_name() {
        let error = chosen(&["chanel".to_owned()]).err().unwrap().to_string();
        assert!(
            error.contains("\"chanel\"") && error.contains("conversation"),
            "{error}"
        );
        assert_eq!(chosen(&[]).unwrap().len(), TARGETS.len());
    }

    #[test]
    fn each_target_is_one_of_the_manifest_and_has_kept_inputs() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
        for (name, _) in TARGETS {
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
            assert!(root.join(format!("corpus/{name}.hex")).is_file(), "{name}");
        }
        assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
    }
}
