//! What holds of every protocol number: counted, used, and total.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use ipmi::number::catalogue::{Carrier, ENUMERATIONS, Facts, types};

/// The sources of the crate, each with whether it is one of those that declare numbers.
fn sources() -> Vec<(bool, String)> {
    fn walk(folder: &Path, all: &mut Vec<(bool, String)>) {
        for entry in std::fs::read_dir(folder).expect("a source folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, all);
            } else {
                let declares = path.components().any(|part| part.as_os_str() == "number");
                all.push((
                    declares,
                    std::fs::read_to_string(&path).expect("a source file"),
                ));
            }
        }
    }
    let mut all = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["ipmi/src", "vbmc/src"] {
        walk(
            &root.parent().expect("the folder of crates").join(folder),
            &mut all,
        );
    }
    all
}

/// Whether a text has a name as a word of its own.
fn has_word(text: &str, name: &str) -> bool {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(name).any(|(at, _)| {
        !is_word(text[..at].chars().next_back()) && !is_word(text[at + name.len()..].chars().next())
    })
}

#[test]
fn at_least_300_of_the_320_enumerations_are_there_each_with_its_own_number() {
    let numbers: Vec<u16> = ENUMERATIONS.iter().map(|row| row.number).collect();
    assert_eq!(numbers, (1..=320).collect::<Vec<_>>());
    let missing = ENUMERATIONS
        .iter()
        .filter(|row| matches!(row.carrier, Carrier::None(_)));
    assert!(missing.count() <= 20);
}

#[test]
fn every_type_is_used_where_something_is_decoded_or_answered() {
    let sources = sources();
    for facts in types() {
        let used = sources.iter().any(|(declares, text)| {
            // A table of states is used by the enumeration over all of them.
            let states = *declares && text.contains("impl State {");
            (!declares || states || text.contains("impl CompletionCode"))
                && has_word(text, facts.name)
        });
        assert!(used, "{} is declared and nowhere used", facts.name);
    }
}

#[test]
fn every_declared_type_is_counted() {
    let counted: HashSet<&str> = types().map(|facts| facts.name).collect();
    for (_, text) in sources() {
        for block in [
            "protocol_number! {",
            "protocol_flags! {",
            "numbers! {",
            "flags! {",
        ] {
            for (at, _) in text.match_indices(&format!("\n{block}\n")) {
                let body = &text[at..];
                let body = &body[..body.find("\n}\n").unwrap_or(body.len())];
                for line in body
                    .lines()
                    .filter(|line| line.starts_with("    pub struct "))
                {
                    let name = line.trim_start_matches("    pub struct ");
                    let name = name.split('(').next().unwrap();
                    assert!(counted.contains(name), "{name} is not in the catalogue");
                }
            }
        }
    }
}

#[test]
fn every_value_prints_and_keeps_its_number_and_every_lookup_finds_the_name() {
    struct Print<'a>(&'a Facts, u32);
    impl fmt::Display for Print<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            (self.0.print)(self.1, f)
        }
    }
    let mut seen = HashSet::new();
    for facts in types() {
        assert!(seen.insert(facts.name), "{} stands twice", facts.name);
        let mut named: HashSet<&str> = HashSet::new();
        for value in (0..=0xff).chain([0x0100, 0x1234, 0xffff, 0x02_a7c0]) {
            if facts.bits < 32 && value >> facts.bits != 0 {
                continue;
            }
            assert_eq!((facts.round_trip)(value), value, "{}", facts.name);
            let text = Print(facts, value).to_string();
            named.extend(
                facts
                    .texts
                    .iter()
                    .copied()
                    .filter(|name| text.contains(name)),
            );
            assert!(text.contains("0x"), "{} {text}", facts.name);
        }
        if facts.bits == 8 {
            assert_eq!(
                named.len(),
                facts.texts.iter().collect::<HashSet<_>>().len(),
                "{}",
                facts.name
            );
        }
    }
}
