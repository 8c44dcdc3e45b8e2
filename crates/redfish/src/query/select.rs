//! `$select` and `excerpt`: some properties of a document (DSP0266 "The $select query parameter").

use redfish_schema::{ResourceType, by_odata_type};
use serde_json::value::RawValue;

use super::bad_value;
use super::json::Members;
use crate::error::Error;

/// How many names a `$select` may list.
pub const MAX_SELECTED: usize = 100;

/// Which properties to keep: paths of names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Select(Vec<Vec<String>>);

impl Select {
    /// At most [`MAX_SELECTED`] names separated by commas, with slashes between the names of a path: `Status/Health,PowerState`.
    pub(super) fn parse(value: &str) -> Result<Self, Error> {
        let paths: Vec<Vec<String>> = value
            .split(',')
            .map(|path| path.trim().split('/').map(str::to_owned).collect())
            .collect();
        if paths.len() > MAX_SELECTED || paths.iter().flatten().any(String::is_empty) {
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
        let property = property_of(name);
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
        push_name(name, &mut first, kept);
        if whole {
            kept.push_str(value.get());
        } else {
            keep(value.get(), &deeper, kept);
        }
    }
    kept.push('}');
}

/// `json` with every resource in it cut down to its excerpt: the properties that its schema marks for one. A
/// resource without an excerpt stays as it is, as do the links in it; resources that replaced a link are cut down.
pub(crate) fn excerpt(json: &str) -> String {
    let mut kept = String::with_capacity(json.len() / 2);
    cut_down(json, &mut kept);
    kept
}

fn cut_down(text: &str, kept: &mut String) {
    if text.starts_with('[') {
        kept.push('[');
        let items: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                kept.push(',');
            }
            cut_down(item.get(), kept);
        }
        kept.push(']');
        return;
    }
    let Ok(members) = serde_json::from_str::<Members<'_>>(text) else {
        kept.push_str(text);
        return;
    };
    let odata_type = members.string("@odata.type");
    let kind = odata_type
        .and_then(|odata_type| by_odata_type(&odata_type))
        .filter(|kind| has_excerpt(kind));
    let mut first = true;
    kept.push('{');
    for (name, value) in &members.0 {
        let property = property_of(name);
        let stays = kind.is_none_or(|kind| {
            ALWAYS_KEPT.contains(&&**name)
                || kind.property(property).is_some_and(|known| known.excerpt)
        });
        if stays {
            push_name(name, &mut first, kept);
            cut_down(value.get(), kept);
        }
    }
    kept.push('}');
}

fn has_excerpt(kind: &ResourceType) -> bool {
    kind.properties().iter().any(|property| property.excerpt)
}

/// The property that a member belongs to: an annotation of a property goes with it, `Members@odata.count` with
/// `Members`.
fn property_of(name: &str) -> &str {
    match name.split_once('@') {
        Some((property, _)) if !property.is_empty() => property,
        _ => name,
    }
}

fn push_name(name: &str, first: &mut bool, kept: &mut String) {
    if !*first {
        kept.push(',');
    }
    *first = false;
    // The name stood in JSON, so it is JSON again.
    kept.push_str(&serde_json::to_string(name).unwrap_or_default());
    kept.push(':');
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r##"{"@odata.id":"/a","Name":"n\u00e9","Members":[{"@odata.id":"/b"},{"@odata.id":"/c"}],"Status":{"Health":"OK","State":"Enabled"},"Members@odata.count":2,"Links":{"Chassis":[{"@odata.id":"/d"}],"Oem":{"X":{"@odata.id":"/e"}}},"Embedded":{"@odata.id":"/a#/E","Id":"1"}}"##;

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
    fn the_number_of_selected_names_is_bounded() {
        let many = |count| vec!["Name"; count].join(",");
        assert!(Select::parse(&many(MAX_SELECTED)).is_ok());
        assert!(Select::parse(&many(MAX_SELECTED + 1)).is_err());
    }

    #[test]
    fn an_excerpt_keeps_what_the_schema_marks_wherever_the_resource_stands() {
        let sensor = r##"{"@odata.type":"#Sensor.v1_9_0.Sensor","@odata.id":"/s","Id":"s","Name":"S","Reading":21.5,"ReadingUnits":"Cel","Status":{"Health":"OK"}}"##;
        let short = r##"{"@odata.type":"#Sensor.v1_9_0.Sensor","@odata.id":"/s","Reading":21.5}"##;
        assert_eq!(excerpt(sensor), short);
        let list = |member| format!(r#"{{"Name":"Sensors","Members":[{member}]}}"#);
        assert_eq!(excerpt(&list(sensor)), list(short));
        assert_eq!(excerpt(DOCUMENT), DOCUMENT, "no excerpt is defined for it");
    }
}
