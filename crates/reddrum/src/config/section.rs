//! Reading one table of the file, key by key, and collecting everything that is wrong with it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::SectionKeys;

/// One thing that is wrong with the file: where, what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Line, counted from 1.
    pub(crate) line: usize,
    /// The key concerned, with its section (`[fleet] poll_interval_ms`).
    pub(crate) key: String,
    /// What is wrong and how to mend it.
    pub(crate) text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: {}", self.line, self.key, self.text)
    }
}

/// The problems found so far, and the text to find line numbers in.
#[derive(Debug)]
pub(crate) struct Problems<'t> {
    text: &'t str,
    found: Vec<Problem>,
}

impl<'t> Problems<'t> {
    /// No problem yet with `text`.
    pub(crate) const fn new(text: &'t str) -> Self {
        Self {
            text,
            found: Vec::new(),
        }
    }

    /// Adds a problem with what stands at `span`.
    pub(crate) fn add(&mut self, span: &Range<usize>, key: &str, text: impl Into<String>) {
        let line = line_of(self.text, span.start);
        self.found.push(Problem {
            line,
            key: key.to_owned(),
            text: text.into(),
        });
    }

    /// How many lines end in a part of the text.
    pub(crate) fn line_ends(&self, part: Range<usize>) -> usize {
        let part = self.text.as_bytes().get(part).unwrap_or_default();
        part.iter().filter(|&&byte| byte == b'\n').count()
    }

    /// How many problems there are so far.
    pub(crate) const fn count(&self) -> usize {
        self.found.len()
    }

    /// Everything found, in the order of the file.
    pub(crate) fn finish(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|p| p.line);
        self.found
    }
}

/// The line, counted from 1, in which byte `at` of `text` stands.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    let upto = &text.as_bytes()[..at.min(text.len())];
    1 + upto.iter().filter(|&&b| b == b'\n').count()
}

/// A table of the file together with the keys it may have.
#[derive(Debug)]
pub(crate) struct Section<'a, 'i> {
    heading: Cow<'static, str>,
    table: &'a DeTable<'i>,
    span: Range<usize>,
}

impl<'a, 'i> Section<'a, 'i> {
    /// Opens a table and reports every key that `keys` does not list, with the nearest one that it does.
    pub(crate) fn open(
        keys: &'static SectionKeys,
        heading: Cow<'static, str>,
        table: &'a DeTable<'i>,
        span: Range<usize>,
        problems: &mut Problems<'_>,
    ) -> Self {
        let section = Self {
            heading,
            table,
            span,
        };
        for (key, _) in table {
            let name = key.get_ref().as_ref();
            if !keys.keys.iter().any(|k| k.name == name) {
                let text = unknown_key(name, keys);
                problems.add(&key.span(), &section.name_of(name), text);
            }
        }
        section
    }

    /// Where the section begins.
    pub(crate) const fn span(&self) -> &Range<usize> {
        &self.span
    }

    fn name_of(&self, key: &str) -> String {
        format!("{} {key}", self.heading)
    }

    fn value(&self, key: &str) -> Option<&'a Spanned<DeValue<'i>>> {
        self.table
            .iter()
            .find(|(k, _)| k.get_ref().as_ref() == key)
            .map(|(_, v)| v)
    }

    /// Whether the file says anything of `key`.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Where the value of `key` stands, or the section where it is absent.
    pub(crate) fn span_of(&self, key: &str) -> Range<usize> {
        self.value(key)
            .map_or_else(|| self.span.clone(), Spanned::span)
    }

    /// Reports a problem with the value of `key`.
    pub(crate) fn problem(&self, problems: &mut Problems<'_>, key: &str, text: impl Into<String>) {
        problems.add(&self.span_of(key), &self.name_of(key), text);
    }

    fn wrong_type(
        &self,
        problems: &mut Problems<'_>,
        key: &str,
        wanted: &str,
        found: &DeValue<'_>,
    ) {
        let text = format!("expected {wanted}, found {}", found.type_str());
        self.problem(problems, key, text);
    }

    /// A string; `None` where absent or not one (reported).
    pub(crate) fn string(&self, problems: &mut Problems<'_>, key: &str) -> Option<String> {
        let value = self.value(key)?;
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(problems, key, "a string", value.get_ref());
            return None;
        };
        if text.is_empty() {
            self.problem(problems, key, "must not be empty");
            return None;
        }
        Some(text.to_owned())
    }

    /// A string that must be there.
    pub(crate) fn required(&self, problems: &mut Problems<'_>, key: &str) -> Option<String> {
        if self.value(key).is_none() {
            self.problem(problems, key, "is missing");
            return None;
        }
        self.string(problems, key)
    }

    /// A whole number inside `range`, or `default` where absent or wrong (reported).
    pub(crate) fn integer(
        &self,
        problems: &mut Problems<'_>,
        key: &str,
        range: std::ops::RangeInclusive<u32>,
        default: u32,
    ) -> u32 {
        let Some(value) = self.value(key) else {
            return default;
        };
        let Some(number) = whole_number(value.get_ref()) else {
            self.wrong_type(problems, key, "a whole number", value.get_ref());
            return default;
        };
        match u32::try_from(number) {
            Ok(number) if range.contains(&number) => number,
            _ => {
                let text = format!(
                    "{number} is out of range: {} to {}",
                    range.start(),
                    range.end()
                );
                self.problem(problems, key, text);
                default
            }
        }
    }

    /// A list of small whole numbers; `None` where absent or wrong (reported).
    pub(crate) fn bytes(&self, problems: &mut Problems<'_>, key: &str) -> Option<Vec<u8>> {
        let value = self.value(key)?;
        let numbers: Option<Vec<u8>> = value.get_ref().as_array().and_then(|array| {
            let number = |v: &Spanned<DeValue<'_>>| {
                whole_number(v.get_ref()).and_then(|n| u8::try_from(n).ok())
            };
            array.iter().map(number).collect()
        });
        if numbers.is_none() {
            self.problem(
                problems,
                key,
                "expected a list of whole numbers from 0 to 255",
            );
        }
        numbers
    }

    /// A list of strings; empty where absent or wrong (reported).
    pub(crate) fn strings(&self, problems: &mut Problems<'_>, key: &str) -> Vec<String> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let texts: Option<Vec<String>> = value.get_ref().as_array().and_then(|array| {
            let text = |v: &Spanned<DeValue<'_>>| v.get_ref().as_str().map(str::to_owned);
            array.iter().map(text).collect()
        });
        texts.unwrap_or_else(|| {
            self.problem(problems, key, "expected a list of strings");
            Vec::new()
        })
    }

    /// `true` or `false`; `false` where absent or wrong (reported).
    pub(crate) fn flag(&self, problems: &mut Problems<'_>, key: &str) -> bool {
        let Some(value) = self.value(key) else {
            return false;
        };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.wrong_type(problems, key, "true or false", value.get_ref());
            false
        })
    }

    /// A table inside this one.
    pub(crate) fn table(
        &self,
        problems: &mut Problems<'_>,
        key: &str,
    ) -> Option<(&'a DeTable<'i>, Range<usize>)> {
        let value = self.value(key)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(problems, key, "a table", value.get_ref());
        }
        table.map(|t| (t, value.span()))
    }

    /// A list of tables (`[[key]]`); empty where absent or wrong (reported).
    pub(crate) fn tables(
        &self,
        problems: &mut Problems<'_>,
        key: &str,
    ) -> Vec<(&'a DeTable<'i>, Range<usize>)> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let tables: Option<Vec<_>> = value.get_ref().as_array().and_then(|array| {
            array
                .iter()
                .map(|v| v.get_ref().as_table().map(|t| (t, v.span())))
                .collect()
        });
        tables.unwrap_or_else(|| {
            let text = format!("expected tables, each headed [[{key}]]");
            self.problem(problems, key, text);
            Vec::new()
        })
    }
}

pub(super) fn whole_number(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// The one of these names that a word is most likely meant to be, if it is like any.
pub(super) fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&lower, &name.to_lowercase());
    let found = names.map(|name| (distance(name), name)).min();
    // A word that shares less than half its letters is no typo of it.
    let found = found.filter(|(distance, name)| distance * 2 <= name.len().max(word.len()));
    found.map(|(_, name)| name)
}

fn unknown_key(name: &str, keys: &SectionKeys) -> String {
    let names = || keys.keys.iter().map(|k| k.name);
    match nearest(name, names()) {
        Some(known) => format!("unknown key; did you mean '{known}'?"),
        None => format!(
            "unknown key; valid here: {}",
            names().collect::<Vec<_>>().join(", ")
        ),
    }
}
