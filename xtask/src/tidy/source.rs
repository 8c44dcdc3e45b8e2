//! A Rust file taken apart far enough for our rules: code, comments, tests, functions.
//!
//! Not a parser: a scanner that knows comments, strings and brackets. That is enough, sees inside macros as well, and needs
//! no dependency.

use std::ops::Range;
use std::path::Path;

use super::Finding;

/// Lines of a file outside its tests, at most. The aim is 500; past this the file wants to be two.
const FILE_LINES_MAX: usize = 600;
/// Lines of a function outside tests, at most. clippy holds 70 of code; this one counts comments and blanks, too.
const FUNCTION_LINES_MAX: usize = 100;

/// A file, scanned.
pub(crate) struct Source<'a> {
    /// Its path, relative to the workspace's root.
    pub(crate) file: &'a Path,
    text: &'a str,
    /// The text with comments and the insides of strings blanked; same length, same lines.
    pub(crate) code: String,
    /// The text with everything but comments blanked; same length, same lines.
    comments: String,
    /// Byte ranges of `#[cfg(test)]` items.
    tests: Vec<Range<usize>>,
}

impl<'a> Source<'a> {
    /// Scans a file.
    pub(crate) fn new(file: &'a Path, text: &'a str) -> Self {
        let (code, comments) = separate(text);
        let tests = test_items(&code);
        Self {
            file,
            text,
            code,
            comments,
            tests,
        }
    }

    /// Whether a generator wrote it.
    fn is_generated(&self) -> bool {
        self.text
            .lines()
            .take(5)
            .any(|line| line.contains("@generated"))
    }

    /// Whether all of it is test, benchmark or example code.
    pub(crate) fn is_test_file(&self) -> bool {
        let folder = |name: &str| self.file.components().any(|part| part.as_os_str() == name);
        folder("tests")
            || folder("benches")
            || folder("examples")
            || self.file.file_name().is_some_and(|n| n == "tests.rs")
    }

    /// Whether this place is test code.
    pub(crate) fn in_tests(&self, offset: usize) -> bool {
        self.is_test_file() || self.tests.iter().any(|range| range.contains(&offset))
    }

    /// The line of a place, counted from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.text.as_bytes()[..offset]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1
    }

    /// A finding at a place in this file.
    pub(crate) fn finding(
        &self,
        offset: usize,
        rule: &'static str,
        what: String,
        remedy: &'static str,
    ) -> Finding {
        Finding {
            file: self.file.to_path_buf(),
            line: self.line(offset),
            rule,
            what,
            remedy,
        }
    }

    /// Every place where `word` stands in the code as a whole word.
    pub(crate) fn words<'s>(&'s self, word: &'s str) -> impl Iterator<Item = usize> + 's {
        whole_words(&self.code, word)
    }

    /// Checks the rules that hold in every Rust file.
    pub(crate) fn check(&self, findings: &mut Vec<Finding>) {
        self.check_unsafe(findings);
        self.check_unfinished(findings);
        self.check_citation(findings);
        if !self.is_generated() {
            self.check_size(findings);
        }
    }

    fn check_unsafe(&self, findings: &mut Vec<Finding>) {
        if self.file.starts_with("crates/udp") {
            return;
        }
        for offset in self.words("unsafe") {
            let remedy =
                "unsafe code lives in crates/udp and nowhere else; find a safe way or put it there";
            findings.push(self.finding(
                offset,
                "unsafe",
                "unsafe code outside udp".to_owned(),
                remedy,
            ));
        }
    }

    fn check_unfinished(&self, findings: &mut Vec<Finding>) {
        let remedy = "do it now, or file an issue and say here what the code does today";
        for word in ["todo", "unimplemented"] {
            for offset in self
                .words(word)
                .filter(|offset| self.code[offset + word.len()..].starts_with('!'))
            {
                findings.push(self.finding(
                    offset,
                    "unfinished",
                    format!("{word}! in the code"),
                    remedy,
                ));
            }
        }
        for word in [
            concat!("TO", "DO"),
            concat!("FIX", "ME"),
            concat!("XX", "X"),
        ] {
            for offset in whole_words(&self.comments, word) {
                findings.push(self.finding(
                    offset,
                    "unfinished",
                    format!("{word} in a comment"),
                    remedy,
                ));
            }
        }
    }

    /// A command's file says which section of the specification it follows.
    fn check_citation(&self, findings: &mut Vec<Finding>) {
        // command/GROUP/NAME.rs; what lies directly in command/ is shared by all commands.
        let commands = Path::new("crates/ipmi/src/command");
        let in_group = self
            .file
            .strip_prefix(commands)
            .is_ok_and(|inner| inner.components().count() > 1);
        let is_folder = self.file.file_name().is_some_and(|name| name == "mod.rs");
        if in_group && !is_folder && !self.comments.contains('§') {
            let what = "no section of the specification is cited".to_owned();
            findings.push(self.finding(0, "citation", what, "name it in the docs, like `§35.14`"));
        }
    }

    fn check_size(&self, findings: &mut Vec<Finding>) {
        if self.is_test_file() {
            return;
        }
        let in_tests: usize = self
            .tests
            .iter()
            .map(|range| self.line(range.end) - self.line(range.start) + 1)
            .sum();
        let lines = self.text.lines().count().saturating_sub(in_tests);
        if lines > FILE_LINES_MAX {
            let what = format!("{lines} lines without tests; at most {FILE_LINES_MAX}");
            findings.push(self.finding(0, "size", what, "split it by what its parts are for"));
        }
        for offset in self.words("fn").filter(|offset| !self.in_tests(*offset)) {
            // Without a name it is the type of a function pointer.
            let name = self.code[offset + 2..].trim_start();
            let name = &name[..name.find(|c| !is_word(c)).unwrap_or(name.len())];
            let Some(body) = body(&self.code, offset).filter(|_| !name.is_empty()) else {
                continue;
            };
            let lines = self.line(body.end) - self.line(offset) + 1;
            if lines > FUNCTION_LINES_MAX {
                let what =
                    format!("function {name} has {lines} lines; at most {FUNCTION_LINES_MAX}");
                findings.push(self.finding(offset, "size", what, "take the steps out by name"));
            }
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Every place where `word` stands in `text` with no word character on either side.
fn whole_words<'s>(text: &'s str, word: &'s str) -> impl Iterator<Item = usize> + 's {
    text.match_indices(word)
        .map(|(offset, _)| offset)
        .filter(move |&offset| {
            let before = text[..offset].chars().next_back();
            let after = text[offset + word.len()..].chars().next();
            !before.is_some_and(is_word) && !after.is_some_and(is_word)
        })
}

/// The braces that follow `from`, where no `;` comes first.
fn body(code: &str, from: usize) -> Option<Range<usize>> {
    let mut depth = 0_usize;
    let mut start = None;
    for (index, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b';' if start.is_none() && depth == 0 => return None,
            b'{' => {
                start.get_or_insert(index);
                depth += 1;
            }
            b'}' => {
                depth = depth.saturating_sub(1);
                if let (0, Some(start)) = (depth, start) {
                    return Some(start..index);
                }
            }
            _ => {}
        }
    }
    None
}

/// The items under `#[cfg(test)]`, attribute included; one without braces (`mod tests;`) up to its end.
fn test_items(code: &str) -> Vec<Range<usize>> {
    const MARK: &str = "#[cfg(test)]";
    code.match_indices(MARK)
        .map(|(start, _)| {
            let from = start + MARK.len();
            let end = match body(code, from) {
                Some(body) => body.end,
                None => code[from..]
                    .find(';')
                    .map_or(code.len(), |length| from + length),
            };
            start..end
        })
        .collect()
}

/// What a scanner is inside of.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    Code,
    LineComment,
    BlockComment { depth: usize },
    Text,
    RawText { hashes: usize },
}

/// Splits a file into code and comments, each with the rest blanked.
fn separate(text: &str) -> (String, String) {
    let mut code = String::with_capacity(text.len());
    let mut comments = String::with_capacity(text.len());
    let mut inside = Inside::Code;
    let mut at = 0;
    while at < text.len() {
        let (length, is_code, is_comment, next) = step(text, at, inside);
        for c in text[at..at + length].chars() {
            push(&mut code, c, is_code);
            push(&mut comments, c, is_comment);
        }
        at += length;
        inside = next;
    }
    (code, comments)
}

/// Keeps the character or puts as many blanks as it has bytes: offsets stay equal in all three texts.
fn push(out: &mut String, c: char, keep: bool) {
    if keep || c == '\n' {
        out.push(c);
    } else {
        out.extend(std::iter::repeat_n(' ', c.len_utf8()));
    }
}

/// One step of the scanner: bytes taken, whether they are code, whether comment, and what comes next.
fn step(text: &str, at: usize, inside: Inside) -> (usize, bool, bool, Inside) {
    let rest = &text[at..];
    let first = rest.chars().next().map_or(1, char::len_utf8);
    match inside {
        Inside::Code => code_step(text, at, first),
        Inside::LineComment if rest.starts_with('\n') => (1, true, false, Inside::Code),
        Inside::BlockComment { depth } if rest.starts_with("/*") => {
            (2, false, true, Inside::BlockComment { depth: depth + 1 })
        }
        Inside::BlockComment { depth: 1 } if rest.starts_with("*/") => {
            (2, false, true, Inside::Code)
        }
        Inside::BlockComment { depth } if rest.starts_with("*/") => {
            (2, false, true, Inside::BlockComment { depth: depth - 1 })
        }
        Inside::LineComment | Inside::BlockComment { .. } => (first, false, true, inside),
        Inside::Text if rest.starts_with('\\') => {
            let escaped = rest[1..].chars().next().map_or(0, char::len_utf8);
            (1 + escaped, false, false, inside)
        }
        Inside::Text if rest.starts_with('"') => (1, true, false, Inside::Code),
        Inside::Text => (first, false, false, inside),
        Inside::RawText { hashes } => {
            let end = rest.starts_with('"')
                && rest[1..].bytes().take_while(|b| *b == b'#').count() >= hashes;
            if end {
                (1 + hashes, true, false, Inside::Code)
            } else {
                (first, false, false, inside)
            }
        }
    }
}

fn code_step(text: &str, at: usize, first: usize) -> (usize, bool, bool, Inside) {
    let rest = &text[at..];
    if rest.starts_with("//") {
        return (2, false, true, Inside::LineComment);
    }
    if rest.starts_with("/*") {
        return (2, false, true, Inside::BlockComment { depth: 1 });
    }
    if rest.starts_with('"') {
        return (1, true, false, Inside::Text);
    }
    let after_word = text[..at].chars().next_back().is_some_and(is_word);
    if !after_word && (rest.starts_with('r') || rest.starts_with("br")) {
        let prefix = if rest.starts_with('b') { 2 } else { 1 };
        let hashes = rest[prefix..]
            .bytes()
            .take_while(|byte| *byte == b'#')
            .count();
        if rest[prefix + hashes..].starts_with('"') {
            return (prefix + hashes + 1, true, false, Inside::RawText { hashes });
        }
    }
    if rest.starts_with('\'') {
        return (
            character_length(rest).unwrap_or(1),
            character_length(rest).is_none(),
            false,
            Inside::Code,
        );
    }
    (first, true, false, Inside::Code)
}

/// The length of a character literal; `None` where the quote begins a lifetime.
fn character_length(rest: &str) -> Option<usize> {
    if let Some(escaped) = rest.strip_prefix("'\\") {
        // The character after the backslash may itself be a quote.
        let skip = escaped.chars().next()?.len_utf8();
        return escaped[skip..].find('\'').map(|end| 2 + skip + end + 1);
    }
    let inner = rest[1..].chars().next()?.len_utf8();
    rest[1 + inner..].starts_with('\'').then_some(inner + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(file: &str, text: &str) -> Vec<String> {
        let mut findings = Vec::new();
        Source::new(Path::new(file), text).check(&mut findings);
        findings
            .into_iter()
            .map(|finding| format!("{}:{}", finding.rule, finding.line))
            .collect()
    }

    #[test]
    fn comments_strings_and_characters_are_told_from_code() {
        let text = "a /* b /* c */ d */ e // f\n\"g // \\\" h\" 'i' r#\"j \" k\"# 'l: '\\'' m";
        let (code, comments) = separate(text);
        assert_eq!(code.len(), text.len());
        let words = |text: &str| {
            text.split(|c: char| !c.is_alphabetic())
                .filter(|w| !w.is_empty())
                .collect::<String>()
        };
        assert_eq!(words(&code), "aerlm");
        assert_eq!(words(&comments), "bcdf");
    }

    #[test]
    fn unsafe_is_allowed_in_udp_only() {
        assert_eq!(
            findings("crates/fleet/src/lib.rs", "fn f() {\n    unsafe { g() }\n}"),
            ["unsafe:2"]
        );
        assert!(findings("crates/udp/src/lib.rs", "fn f() { unsafe { g() } }").is_empty());
        assert!(
            findings(
                "crates/fleet/src/lib.rs",
                "#![forbid(unsafe_code)] // unsafe\n"
            )
            .is_empty()
        );
    }

    #[test]
    fn unfinished_work_is_found_in_code_and_comments_but_not_in_strings() {
        assert_eq!(findings("src/a.rs", "fn f() { todo!() }"), ["unfinished:1"]);
        assert_eq!(
            findings("src/a.rs", concat!("\n// TO", "DO: later\n")),
            ["unfinished:2"]
        );
        assert!(findings("src/a.rs", concat!("const A: &str = \"TO", "DO\";")).is_empty());
    }

    #[test]
    fn a_command_cites_its_section() {
        let file = "crates/ipmi/src/command/app/get_device_id.rs";
        assert_eq!(findings(file, "//! Get Device ID.\n"), ["citation:1"]);
        assert!(findings(file, "//! Get Device ID (§20.1).\n").is_empty());
        assert!(findings("crates/ipmi/src/command/app/mod.rs", "//! Commands.\n").is_empty());
        assert!(findings("crates/ipmi/src/command/check.rs", "//! Shared.\n").is_empty());
    }

    #[test]
    fn tests_do_not_count_towards_the_size_of_a_file() {
        let long = "const A: u8 = 1;\n".repeat(FILE_LINES_MAX + 1);
        assert_eq!(findings("src/a.rs", &long), ["size:1"]);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{long}}}\n");
        assert!(findings("src/a.rs", &tests).is_empty());
        assert!(findings("src/a.rs", &format!("// @generated\n{long}")).is_empty());
    }

    #[test]
    fn a_long_function_is_found_where_it_begins() {
        let long = format!(
            "\nfn f(a: [u8; 2]) {{\n{}}}\n",
            "    g();\n".repeat(FUNCTION_LINES_MAX)
        );
        assert_eq!(findings("src/a.rs", &long), ["size:2"]);
        let table = format!("struct A {{ f: fn(u8) }}\n{}", "A { f };\n".repeat(200));
        assert!(
            findings("src/a.rs", &table).is_empty(),
            "a function pointer has no length"
        );
        assert!(findings("src/a.rs", "trait T {\n    fn f();\n    fn g() {}\n}\n").is_empty());
    }
}
