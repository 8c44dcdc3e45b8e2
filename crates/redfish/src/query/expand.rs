//! `$expand`: links replaced by what they lead to (DSP0266 "The $expand query parameter").

use std::ops::Range;

use serde_json::value::RawValue;

use super::json::{Members, range_in};
use super::{bad_value, out_of_range};
use crate::error::Error;

/// The largest `$levels`, as announced in `ProtocolFeaturesSupported`.
pub const MAX_EXPAND_LEVELS: u8 = 6;
/// How many resources one `$expand` puts into an answer.
pub const MAX_EXPANDED_RESOURCES: usize = 20_000;
/// How many bytes an answer with `$expand` may have.
pub const MAX_EXPANDED_BYTES: usize = 32 * 1024 * 1024;

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

impl Expand {
    /// `.`, `*` or `~`, with `($levels=2)` or without.
    pub(super) fn parse(value: &str) -> Result<Self, Error> {
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
        Err(out_of_range(
            &levels.to_string(),
            "$levels",
            1,
            MAX_EXPAND_LEVELS,
        ))
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
                        found.push((range_in(whole, value), target));
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

#[cfg(test)]
mod tests {
    use super::super::json::splice;
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
}
