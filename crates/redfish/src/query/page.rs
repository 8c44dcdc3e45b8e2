//! `$filter`, `$skip` and `$top`, `only`: some members of a collection (DSP0266 "Resource collection requests").

use serde_json::value::RawValue;

use super::json::{Members, range_in, splice};
use super::{bad_value, out_of_range};
use crate::error::Error;

/// How many members an answer has. A larger collection comes in pages, each with a `Members@odata.nextLink` to the
/// next.
pub const MAX_PAGE_MEMBERS: usize = 1000;

/// Fewer bytes no member takes: `{"@odata.id":""},`.
const MIN_MEMBER_BYTES: usize = 17;

/// Which of the members that there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// How many to leave out at the beginning.
    pub(super) skip: Option<u32>,
    /// How many to show at most.
    pub(super) top: Option<u32>,
}

impl Page {
    pub(super) fn parse_skip(value: &str) -> Result<u32, Error> {
        Self::number(value, "$skip", 0)
    }

    pub(super) fn parse_top(value: &str) -> Result<u32, Error> {
        Self::number(value, "$top", 1)
    }

    fn number(value: &str, parameter: &str, least: u32) -> Result<u32, Error> {
        if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(bad_value(value, parameter));
        }
        let number = value.parse().ok().filter(|number| *number >= least);
        number.ok_or_else(|| out_of_range(value, parameter, least, u32::MAX))
    }

    /// Whether it leaves out nothing by itself.
    pub(crate) fn is_whole(self) -> bool {
        self == Self::default()
    }
}

/// A collection's document, taken apart.
pub(crate) struct Listing<'a> {
    json: &'a str,
    list: &'a RawValue,
    count: Option<&'a RawValue>,
    members: Vec<&'a RawValue>,
}

impl<'a> Listing<'a> {
    /// Takes apart what is a collection. `None` for anything else.
    pub(crate) fn of(json: &'a str) -> Option<Self> {
        let top: Members<'a> = serde_json::from_str(json).ok()?;
        let list = top.get("Members")?;
        Some(Self {
            json,
            list,
            count: top.get("Members@odata.count"),
            members: serde_json::from_str(list.get()).ok()?,
        })
    }

    /// The same if it has more members than an answer may have. Costs nothing for a document that is too short for
    /// that.
    pub(crate) fn of_large(json: &'a str) -> Option<Self> {
        let may_be_large = json.len() > MAX_PAGE_MEMBERS * MIN_MEMBER_BYTES;
        let listing = may_be_large.then(|| Self::of(json)).flatten()?;
        (listing.members.len() > MAX_PAGE_MEMBERS).then_some(listing)
    }

    /// The members in order.
    pub(crate) fn members(&self) -> &[&'a RawValue] {
        &self.members
    }

    /// Keeps the members for which `keeps` has `true`, and counts only those.
    pub(crate) fn retain(&mut self, keeps: &[bool]) {
        let mut keeps = keeps.iter();
        self.members.retain(|_| keeps.next() == Some(&true));
    }

    /// Where the only member is, or `None` if there are none or several.
    pub(crate) fn only(&self) -> Option<String> {
        match *self.members {
            [member] => serde_json::from_str::<Members<'_>>(member.get())
                .ok()?
                .string("@odata.id"),
            _ => None,
        }
    }

    /// The document with the members of this page. `next` makes a URI with such a `$skip` and `$top`, `$skip=20`.
    pub(crate) fn page(&self, page: Page, next: impl FnOnce(&str) -> String) -> String {
        let index = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let total = self.members.len();
        let start = page.skip.map_or(0, index).min(total);
        let wanted = page.top.map_or(total, index).min(total - start);
        let shown = wanted.min(MAX_PAGE_MEMBERS);
        let members = &self.members[start..start + shown];
        let bytes: usize = members.iter().map(|member| member.get().len() + 1).sum();
        let mut list = String::with_capacity(bytes + 200);
        list.push('[');
        for (index, member) in members.iter().enumerate() {
            if index > 0 {
                list.push(',');
            }
            list.push_str(member.get());
        }
        list.push(']');
        if shown < wanted {
            let rest = match page.top {
                Some(_) => format!("$skip={}&$top={}", start + shown, wanted - shown),
                None => format!("$skip={}", start + shown),
            };
            list.push_str(",\"Members@odata.nextLink\":");
            list.push_str(&serde_json::to_string(&next(&rest)).unwrap_or_default());
        }
        let mut parts = vec![(range_in(self.json, self.list), list)];
        if let Some(count) = self.count {
            parts.push((range_in(self.json, count), total.to_string()));
        }
        parts.sort_by_key(|(range, _)| range.start);
        splice(self.json, &parts)
    }
}

/// Where a member leads that is a link, and nothing if it is a whole resource.
pub(crate) fn link(member: &RawValue) -> Option<String> {
    serde_json::from_str::<Members<'_>>(member.get())
        .ok()?
        .as_link()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collection(members: usize) -> String {
        let list: Vec<_> = (0..members)
            .map(|n| format!("{{\"@odata.id\":\"/{n}\"}}"))
            .collect();
        format!(
            "{{\"Name\":\"All\",\"Members@odata.count\":{members},\"Members\":[{}],\"Z\":1}}",
            list.join(",")
        )
    }

    fn page(json: &str, skip: Option<u32>, top: Option<u32>) -> serde_json::Value {
        let listing = Listing::of(json).unwrap();
        let text = listing.page(Page { skip, top }, |rest| format!("/all?{rest}"));
        serde_json::from_str(&text).unwrap()
    }

    fn shown(page: &serde_json::Value) -> (usize, String, String) {
        let members = page["Members"].as_array().unwrap();
        let id = |member: Option<&serde_json::Value>| {
            member.map_or_else(String::new, |m| m["@odata.id"].as_str().unwrap().to_owned())
        };
        (members.len(), id(members.first()), id(members.last()))
    }

    #[test]
    fn a_page_has_its_members_the_count_of_all_and_the_rest_of_the_document() {
        let json = collection(10);
        let third = page(&json, Some(3), Some(2));
        assert_eq!(shown(&third), (2, "/3".to_owned(), "/4".to_owned()));
        assert_eq!(third["Members@odata.count"], 10);
        assert_eq!((&third["Name"], &third["Z"]), (&"All".into(), &1.into()));
        assert!(
            third.get("Members@odata.nextLink").is_none(),
            "it is what was asked for"
        );
        assert_eq!(
            shown(&page(&json, Some(9), None)),
            (1, "/9".into(), "/9".into())
        );
        assert_eq!(shown(&page(&json, Some(10), None)).0, 0);
        assert_eq!(shown(&page(&json, Some(u32::MAX), Some(u32::MAX))).0, 0);
        assert_eq!(
            shown(&page(&json, None, Some(1))),
            (1, "/0".into(), "/0".into())
        );
    }

    #[test]
    fn a_chain_of_pages_has_every_member_once() {
        let json = collection(2 * MAX_PAGE_MEMBERS + 5);
        let mut ids = Vec::new();
        let (mut skip, mut pages) = (None, 0);
        loop {
            let page = page(&json, skip, None);
            pages += 1;
            let members = page["Members"].as_array().unwrap();
            ids.extend(
                members
                    .iter()
                    .map(|m| m["@odata.id"].as_str().unwrap().to_owned()),
            );
            match page.get("Members@odata.nextLink") {
                Some(next) => {
                    let next = next.as_str().unwrap().strip_prefix("/all?$skip=").unwrap();
                    skip = Some(next.parse().unwrap());
                }
                None => break,
            }
        }
        assert_eq!(pages, 3);
        assert_eq!(ids.len(), 2 * MAX_PAGE_MEMBERS + 5);
        assert!(ids.iter().enumerate().all(|(n, id)| *id == format!("/{n}")));
    }

    #[test]
    fn a_page_longer_than_an_answer_goes_on_with_what_is_left_of_it() {
        let json = collection(3 * MAX_PAGE_MEMBERS);
        let first = page(&json, Some(5), Some(1500));
        assert_eq!(first["Members@odata.nextLink"], "/all?$skip=1005&$top=500");
        let second = page(&json, Some(1005), Some(500));
        assert_eq!(shown(&second), (500, "/1005".into(), "/1504".into()));
        assert!(second.get("Members@odata.nextLink").is_none());
    }

    #[test]
    fn only_a_collection_beyond_the_bound_is_large() {
        assert!(Listing::of_large(&collection(MAX_PAGE_MEMBERS)).is_none());
        assert!(Listing::of_large(&collection(MAX_PAGE_MEMBERS + 1)).is_some());
        let shortest = vec![r#"{"@odata.id":""}"#; MAX_PAGE_MEMBERS + 1].join(",");
        assert!(Listing::of_large(&format!("{{\"Members\":[{shortest}]}}")).is_some());
        assert!(Listing::of("{\"Name\":1}").is_none());
    }

    #[test]
    fn numbers_are_whole_and_in_range() {
        assert_eq!(Page::parse_skip("0").ok(), Some(0));
        assert_eq!(Page::parse_top("4294967295").ok(), Some(u32::MAX));
        for bad in ["", "-1", "+1", "1.5", "0x1", "a", " 1"] {
            assert!(
                Page::parse_skip(bad).is_err() && Page::parse_top(bad).is_err(),
                "{bad}"
            );
        }
        for far in ["4294967296", &"9".repeat(100)] {
            assert!(
                Page::parse_skip(far).is_err() && Page::parse_top(far).is_err(),
                "{far}"
            );
        }
        assert!(Page::parse_top("0").is_err());
    }

    #[test]
    fn only_looks_into_a_collection_of_one() {
        let only = |count| Listing::of(&collection(count)).unwrap().only();
        assert_eq!(only(1).as_deref(), Some("/0"));
        assert_eq!((only(0), only(2)), (None, None));
    }
}
