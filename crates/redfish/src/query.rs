//! Query parameters: `$expand`, `$select`, `only` (DSP0266 "Query parameters").
//!
//! Documents are cut and joined as text: what a query doesn't touch is copied byte by byte and keeps its
//! order.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::Error;
use crate::message;
use crate::path::percent_decode;

/// The largest `$levels`, as announced in `ProtocolFeaturesSupported`.
pub const MAX_EXPAND_LEVELS: u8 = 6;
/// How many resources one `$expand` puts into an answer.
pub const MAX_EXPANDED_RESOURCES: usize = 20_000;
/// How many bytes an answer with `$expand` may have.
pub const MAX_EXPANDED_BYTES: usize = 32 * 1024 * 1024;

/// The query of a GET or HEAD.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) expand: Option<Expand>,
    pub(crate) select: Option<Select>,
    pub(crate) only: bool,
}

/// Which links to replace by the resources they lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expand {
    /// Those inside of a `Links` object.
    links: bool,
    /// All others.
    subordinates: bool,
    /// How often.
    pub(crate) levels: u8,
}

/// Which properties to keep: paths of names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Select(Vec<Vec<String>>);

impl Query {
    /// Reads the part of a URI after the question mark. Parameters that we don't know are ignored, unless
    /// they start with `$`.
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, Error> {
        let mut parsed = Self::default();
        let mut others = 0;
        for parameter in query
            .unwrap_or_default()
            .split('&')
            .filter(|text| !text.is_empty())
        {
            let (name, value) = match parameter.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (parameter, None),
            };
            let name = decode(name, name)?;
            match &*name {
                "$expand" => {
                    let expand = Expand::parse(&decode(value.unwrap_or_default(), "$expand")?)?;
                    set_once(&mut parsed.expand, expand)?;
                }
                "$select" => {
                    let select = Select::parse(&decode(value.unwrap_or_default(), "$select")?)?;
                    set_once(&mut parsed.select, select)?;
                }
                "only" => match value {
                    None => parsed.only = true,
                    Some(value) => return Err(bad_value(value, "only")),
                },
                unknown if unknown.starts_with('$') => return Err(Error::UnknownQuery(name)),
                _ => others += 1,
            }
        }
        if parsed.only && (parsed.expand.is_some() || parsed.select.is_some() || others > 0) {
            return Err(message::query_combination_invalid().into());
        }
        Ok(parsed)
    }

    /// Whether a document is answered as it is.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Refuses queries on anything but GET and HEAD. Parameters that we would ignore there are ignored here.
    pub(crate) fn refuse(query: Option<&str>) -> Result<(), Error> {
        if Self::parse(query)?.is_empty() {
            Ok(())
        } else {
            Err(message::query_not_supported_on_operation().into())
        }
    }
}

fn decode(text: &str, parameter: &str) -> Result<String, Error> {
    percent_decode(text).ok_or_else(|| bad_value(text, parameter))
}

fn set_once<T>(slot: &mut Option<T>, value: T) -> Result<(), Error> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(message::query_combination_invalid().into()),
    }
}

fn bad_value(value: &str, parameter: &str) -> Error {
    message::query_parameter_value_format_error(value, parameter).into()
}

impl Expand {
    /// `.`, `*` or `~`, with `($levels=2)` or without.
    fn parse(value: &str) -> Result<Self, Error> {
        let bad = || bad_value(value, "$expand");
        let mut chars = value.chars();
        let (links, subordinates) = match chars.next() {
            Some('.') => (false, true),
            Some('~') => (true, false),
            Some('*') => (true, true),
            _ => return Err(bad()),
        };
        let levels = match chars.as_str() {
            "" => 1,
            option => option
                .strip_prefix("($levels=")
                .and_then(|rest| rest.strip_suffix(')'))
                .filter(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
                .ok_or_else(bad)?
                .parse()
                .unwrap_or(u8::MAX),
        };
        if (1..=MAX_EXPAND_LEVELS).contains(&levels) {
            return Ok(Self {
                links,
                subordinates,
                levels,
            });
        }
        let range = format!("1-{MAX_EXPAND_LEVELS}");
        Err(message::query_parameter_out_of_range(levels.to_string(), "$levels", range).into())
    }

    /// Where in `json` the links are that are to be replaced, and where they lead, in order.
    pub(crate) fn links_in(self, json: &str) -> Vec<(Range<usize>, String)> {
        let mut found = Vec::new();
        if let Ok(members) = serde_json::from_str::<Members<'_>>(json) {
            for (name, value) in members.0 {
                self.collect(json, value, name == "Links", &mut found);
            }
        }
        found
    }

    fn collect(
        self,
        whole: &str,
        value: &RawValue,
        in_links: bool,
        found: &mut Vec<(Range<usize>, String)>,
    ) {
        let text = value.get();
        match text.as_bytes().first() {
            Some(b'{') => {
                let Ok(members) = serde_json::from_str::<Members<'_>>(text) else {
                    return;
                };
                if let Some(target) = members.as_link() {
                    if if in_links {
                        self.links
                    } else {
                        self.subordinates
                    } {
                        let start = text.as_ptr().addr() - whole.as_ptr().addr();
                        found.push((start..start + text.len(), target));
                    }
                    return;
                }
                for (name, value) in members.0 {
                    self.collect(whole, value, in_links || name == "Links", found);
                }
            }
            Some(b'[') => {
                for value in serde_json::from_str::<Vec<&RawValue>>(text).unwrap_or_default() {
                    self.collect(whole, value, in_links, found);
                }
            }
            _ => {}
        }
    }
}

/// Replaces parts of `json`. The ranges are in order and don't overlap.
pub(crate) fn splice(json: &str, parts: &[(Range<usize>, String)]) -> String {
    let added: usize = parts.iter().map(|(_, text)| text.len()).sum();
    let mut joined = String::with_capacity(json.len() + added);
    let mut copied = 0;
    for (range, text) in parts {
        joined.push_str(&json[copied..range.start]);
        joined.push_str(text);
        copied = range.end;
    }
    joined.push_str(&json[copied..]);
    joined
}

/// The link to the only member of a collection, or `None` if it has none or several.
pub(crate) fn only_member(json: &str) -> Option<String> {
    let members: Members<'_> = serde_json::from_str(json).ok()?;
    let (_, list) = members.0.into_iter().find(|(name, _)| name == "Members")?;
    match serde_json::from_str::<Vec<Members<'_>>>(list.get())
        .ok()?
        .as_slice()
    {
        [member] => member.string("@odata.id"),
        _ => None,
    }
}

impl Select {
    /// Names separated by commas, with slashes between the names of a path: `Status/Health,PowerState`.
    fn parse(value: &str) -> Result<Self, Error> {
        let paths: Vec<Vec<String>> = value
            .split(',')
            .map(|path| path.trim().split('/').map(str::to_owned).collect())
            .collect();
        if paths.iter().flatten().any(String::is_empty) {
            return Err(bad_value(value, "$select"));
        }
        Ok(Self(paths))
    }

    /// `json` without the properties that nobody asked for. What identifies a resource always stays.
    pub(crate) fn apply(&self, json: &str) -> String {
        let paths: Vec<&[String]> = self.0.iter().map(Vec::as_slice).collect();
        let mut kept = String::with_capacity(json.len());
        keep(json, &paths, &mut kept);
        kept
    }
}

/// Properties that `$select` never takes away (DSP0266 "Query parameters").
const ALWAYS_KEPT: [&str; 4] = ["@odata.id", "@odata.type", "@odata.context", "@odata.etag"];

fn keep(text: &str, paths: &[&[String]], kept: &mut String) {
    if text.starts_with('[') {
        kept.push('[');
        for (index, item) in serde_json::from_str::<Vec<&RawValue>>(text)
            .unwrap_or_default()
            .into_iter()
            .enumerate()
        {
            if index > 0 {
                kept.push(',');
            }
            keep(item.get(), paths, kept);
        }
        kept.push(']');
        return;
    }
    let Ok(members) = serde_json::from_str::<Members<'_>>(text) else {
        kept.push_str(text);
        return;
    };
    kept.push('{');
    let mut first = true;
    for (name, value) in &members.0 {
        // An annotation of a property goes with it: `Members@odata.count` with `Members`.
        let property = match name.split_once('@') {
            Some((property, _)) if !property.is_empty() => property,
            _ => name,
        };
        let deeper: Vec<&[String]> = paths
            .iter()
            .filter_map(|path| path.split_first())
            .filter(|(head, _)| *head == property || *head == "*")
            .map(|(_, tail)| tail)
            .collect();
        // Its annotations stay also where only a part of it was asked for: without `Members@odata.nextLink`
        // nobody would see that there is more.
        let annotates = property != &**name && !deeper.is_empty();
        let whole = annotates
            || ALWAYS_KEPT.contains(&&**name)
            || deeper.iter().any(|tail| tail.is_empty());
        let nested = value.get().starts_with(['{', '[']) && !deeper.is_empty();
        if !(whole || nested) {
            continue;
        }
        if !first {
            kept.push(',');
        }
        first = false;
        // The name stood in JSON, so it is JSON again.
        kept.push_str(&serde_json::to_string(name).unwrap_or_default());
        kept.push(':');
        if whole {
            kept.push_str(value.get());
        } else {
            keep(value.get(), &deeper, kept);
        }
    }
    kept.push('}');
}

/// The members of a JSON object in their order, with values as text.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl Members<'_> {
    /// Where this leads, if it is a link and nothing else: `{"@odata.id": "..."}`.
    fn as_link(&self) -> Option<String> {
        (self.0.len() == 1)
            .then(|| self.string("@odata.id"))
            .flatten()
    }

    fn string(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(member, _)| member == name)?;
        serde_json::from_str(value.get()).ok()
    }
}

/// A name that borrows from the document where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(16);
                while let Some(Name(name)) = map.next_key()? {
                    members.push((name, map.next_value()?));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(value: &str) -> Expand {
        Expand::parse(value).unwrap()
    }

    #[test]
    fn expand_says_which_links_and_how_deep() {
        let cases = [
            (".", false, true, 1),
            ("~", true, false, 1),
            ("*($levels=6)", true, true, 6),
        ];
        for (value, links, subordinates, levels) in cases {
            assert_eq!(
                expand(value),
                Expand {
                    links,
                    subordinates,
                    levels
                },
                "{value}"
            );
        }
        for bad in [
            "",
            "x",
            ".*",
            ".($levels=)",
            ".($levels=0)",
            ".($levels=7)",
            ".($levels=+1)",
            ".($levels=99999)",
            ".(levels=1)",
            ".($levels=1",
            ". ",
        ] {
            assert!(matches!(Expand::parse(bad), Err(Error::Faults(_))), "{bad}");
        }
    }

    #[test]
    fn an_unknown_dollar_parameter_is_an_error_and_any_other_is_ignored() {
        assert_eq!(Query::parse(None).unwrap(), Query::default());
        assert!(Query::parse(Some("foo=bar&&x")).unwrap().is_empty());
        for unknown in ["$foo", "$filter=x", "%24top=1", "$EXPAND=."] {
            assert!(
                matches!(Query::parse(Some(unknown)), Err(Error::UnknownQuery(_))),
                "{unknown}"
            );
        }
        for clash in [
            "only&$expand=.",
            "only&x=1",
            "$expand=.&$expand=.",
            "only=1",
            "$select=a%",
        ] {
            assert!(
                matches!(Query::parse(Some(clash)), Err(Error::Faults(_))),
                "{clash}"
            );
        }
        let both = Query::parse(Some(
            "%24expand=.%28%24levels%3D2%29&$select=Status/Health,Name",
        ))
        .unwrap();
        assert_eq!(both.expand, Some(expand(".($levels=2)")));
        assert!(both.select.is_some());
    }

    const DOCUMENT: &str = r##"{"@odata.id":"/a","Name":"n\u00e9","Members":[{"@odata.id":"/b"},{"@odata.id":"/c"}],"Status":{"Health":"OK","State":"Enabled"},"Members@odata.count":2,"Links":{"Chassis":[{"@odata.id":"/d"}],"Oem":{"X":{"@odata.id":"/e"}}},"Embedded":{"@odata.id":"/a#/E","Id":"1"}}"##;

    #[test]
    fn expand_finds_links_by_where_they_stand() {
        let targets = |value| {
            let found = expand(value).links_in(DOCUMENT);
            for (range, target) in &found {
                assert_eq!(
                    DOCUMENT[range.clone()],
                    format!("{{\"@odata.id\":\"{target}\"}}")
                );
            }
            found
                .into_iter()
                .map(|(_, target)| target)
                .collect::<Vec<_>>()
        };
        assert_eq!(targets("."), ["/b", "/c"]);
        assert_eq!(targets("~"), ["/d", "/e"]);
        assert_eq!(targets("*"), ["/b", "/c", "/d", "/e"]);
    }

    #[test]
    fn splicing_replaces_the_links_and_keeps_the_rest() {
        let found = expand(".").links_in(DOCUMENT);
        let parts: Vec<_> = found
            .into_iter()
            .filter(|(_, target)| target == "/c")
            .map(|(range, _)| (range, "{\"C\":1}".to_owned()))
            .collect();
        let joined = splice(DOCUMENT, &parts);
        assert_eq!(
            joined,
            DOCUMENT.replace("{\"@odata.id\":\"/c\"}", "{\"C\":1}")
        );
    }

    #[test]
    fn select_keeps_what_was_asked_for_and_what_identifies_a_resource() {
        let kept = |value| Select::parse(value).unwrap().apply(DOCUMENT);
        assert_eq!(
            kept("Name"),
            r#"{"@odata.id":"/a","Name":"né"}"#.replace("né", r"n\u00e9")
        );
        assert_eq!(
            kept("Status/Health"),
            r#"{"@odata.id":"/a","Status":{"Health":"OK"}}"#
        );
        assert_eq!(
            kept("Members"),
            r#"{"@odata.id":"/a","Members":[{"@odata.id":"/b"},{"@odata.id":"/c"}],"Members@odata.count":2}"#
        );
        assert_eq!(
            kept("Members/Name"),
            kept("Members"),
            "a part of the members goes with the annotations of all"
        );
        assert_eq!(kept("Nothing,Name/Below"), r#"{"@odata.id":"/a"}"#);
        assert_eq!(kept("*"), DOCUMENT);
        for bad in ["", "a,,b", "a//b", "/a"] {
            assert!(Select::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_looks_into_a_collection_of_one() {
        let list = |members: &str| format!("{{\"Members\":[{members}]}}");
        let one = r#"{"@odata.id":"/b"}"#;
        assert_eq!(only_member(&list(one)).as_deref(), Some("/b"));
        assert_eq!(only_member(&list(&format!("{one},{one}"))), None);
        assert_eq!(only_member(&list("")), None);
    }
}
