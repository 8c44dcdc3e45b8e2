//! Query parameters of GET and HEAD (DSP0266 "Query parameters").
//!
//! They work in the order of the specification: `$filter`, `$skip` and `$top` choose members of a collection, the
//! service cuts what is left into pages, and then `$expand`, `excerpt` and `$select` shape what is shown.

mod event_query;
mod expand;
mod filter;
mod json;
mod lexer;
mod page;
mod select;

use crate::error::Error;
use crate::fault::shorten;
use crate::message;
use crate::path::percent_decode;

pub use expand::{MAX_EXPAND_LEVELS, MAX_EXPANDED_BYTES, MAX_EXPANDED_RESOURCES};
pub use filter::{MAX_FILTER_BYTES, MAX_FILTER_DEPTH};
pub use page::MAX_PAGE_MEMBERS;
pub use select::MAX_SELECTED;

pub(crate) use event_query::EventQuery;
pub(crate) use expand::Expand;
pub(crate) use filter::{BoundFilter, Filter};
pub(crate) use json::splice;
pub(crate) use page::{Listing, Page, link};
pub(crate) use select::{Select, excerpt};

/// The query of a GET or HEAD.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Query {
    pub(crate) filter: Option<Filter>,
    pub(crate) page: Page,
    pub(crate) expand: Option<Expand>,
    pub(crate) excerpt: bool,
    pub(crate) select: Option<Select>,
    pub(crate) only: bool,
    /// The parameters that the link to a next page repeats, as they were written.
    repeated: Vec<String>,
}

impl Query {
    /// Reads the part of a URI after the question mark. Parameters that we don't know are ignored, unless
    /// they start with `$`.
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, Error> {
        let mut parsed = Self::default();
        let mut others = 0;
        let parameters = query.unwrap_or_default().split('&');
        for parameter in parameters.filter(|text| !text.is_empty()) {
            let (name, value) = match parameter.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (parameter, None),
            };
            if !parsed.take(&decode(name, name)?, value)? {
                others += 1;
            } else if !matches!(decode(name, name)?.as_str(), "$skip" | "$top") {
                parsed.repeated.push(parameter.to_owned());
            }
        }
        let is_alone = parsed.repeated.len() == 1 && parsed.page.is_whole() && others == 0;
        if parsed.only && !is_alone {
            return Err(message::query_combination_invalid().into());
        }
        Ok(parsed)
    }

    /// Takes one parameter, if it is one of ours.
    fn take(&mut self, name: &str, value: Option<&str>) -> Result<bool, Error> {
        let decoded = || decode(value.unwrap_or_default(), name);
        match name {
            "$filter" => {
                // The form of HTML: most clients write spaces in a query as plus signs.
                let spaced = value.unwrap_or_default().replace('+', " ");
                let filter = Filter::parse(&decode(&spaced, name)?)?;
                set_once(&mut self.filter, filter)?;
            }
            "$skip" => set_once(&mut self.page.skip, Page::parse_skip(&decoded()?)?)?,
            "$top" => set_once(&mut self.page.top, Page::parse_top(&decoded()?)?)?,
            "$expand" => set_once(&mut self.expand, Expand::parse(&decoded()?)?)?,
            "$select" => set_once(&mut self.select, Select::parse(&decoded()?)?)?,
            "excerpt" | "only" => {
                let flag = if name == "only" {
                    &mut self.only
                } else {
                    &mut self.excerpt
                };
                match value {
                    None if !*flag => *flag = true,
                    None => return Err(message::query_combination_invalid().into()),
                    Some(value) => return Err(bad_value(value, name)),
                }
            }
            unknown if unknown.starts_with('$') => {
                return Err(Error::UnknownQuery(shorten(unknown.to_owned())));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Whether a document is answered as it is.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it has a parameter that goes with collections only.
    pub(crate) fn chooses_members(&self) -> bool {
        self.only || self.filter.is_some() || !self.page.is_whole()
    }

    /// Where the next page of the collection at `path` is; `rest` is its own `$skip` and `$top`.
    pub(crate) fn next_link(&self, path: &str, rest: &str) -> String {
        let mut link = format!("{path}?");
        for parameter in &self.repeated {
            link.push_str(parameter);
            link.push('&');
        }
        link + rest
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
    let (value, parameter) = (shorten(value.to_owned()), shorten(parameter.to_owned()));
    message::query_parameter_value_format_error(value, parameter).into()
}

fn out_of_range<N: std::fmt::Display>(value: &str, parameter: &str, least: N, most: N) -> Error {
    let value = shorten(value.to_owned());
    let range = format!("{least}-{most}");
    message::query_parameter_out_of_range(value, parameter, range).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_dollar_parameter_is_an_error_and_any_other_is_ignored() {
        assert_eq!(Query::parse(None).unwrap(), Query::default());
        assert!(Query::parse(Some("foo=bar&&x")).unwrap().is_empty());
        for unknown in ["$foo", "$orderby=x", "%24count=true", "$EXPAND=."] {
            assert!(
                matches!(Query::parse(Some(unknown)), Err(Error::UnknownQuery(_))),
                "{unknown}"
            );
        }
        for clash in [
            "only&$expand=.",
            "only&excerpt",
            "only&$top=1",
            "only&x=1",
            "only&only",
            "excerpt&excerpt",
            "excerpt=1",
            "$expand=.&$expand=.",
            "$top=1&$top=1",
            "only=1",
            "$select=a%",
            "%=1",
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
        assert_eq!(both.expand, Some(Expand::parse(".($levels=2)").unwrap()));
        assert!(both.select.is_some());
    }

    #[test]
    fn a_plus_sign_in_a_filter_is_a_space_and_its_escape_a_plus_sign() {
        let filter = |text: &str| Query::parse(Some(text)).unwrap().filter;
        assert_eq!(
            filter("$filter=Name+eq+'a%2Bb'"),
            filter("$filter=Name%20eq%20'a%2Bb'")
        );
        assert_ne!(
            filter("$filter=Name%20eq%20'a+b'"),
            filter("$filter=Name%20eq%20'a%2Bb'")
        );
    }

    #[test]
    fn the_link_to_the_next_page_repeats_all_that_shapes_a_page() {
        let query = "foo=1&$filter=Name%20eq%20'x'&$top=5&$expand=.&$skip=2&excerpt&$select=Name";
        let query = Query::parse(Some(query)).unwrap();
        assert_eq!(
            query.next_link("/redfish/v1/Systems", "$skip=7&$top=3"),
            "/redfish/v1/Systems?$filter=Name%20eq%20'x'&$expand=.&excerpt&$select=Name&$skip=7&$top=3"
        );
        let next = query.next_link("/x", "$skip=7").replace("/x?", "");
        let again = Query::parse(Some(&next)).unwrap();
        assert_eq!(
            (&again.filter, &again.select),
            (&query.filter, &query.select)
        );
    }
}
