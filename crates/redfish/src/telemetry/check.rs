//! What definitions and triggers have in common when a client's wishes are read.

use redfish_schema::Duration;
use serde_json::{Map, Value};

use super::metric::{
    ALL, MAX_METRIC_PROPERTIES, MAX_WILDCARD_VALUES, MAX_WILDCARDS, MetricProperty, Wildcard,
};
use crate::Failure;
use crate::fault::shorten;
use crate::message::{self, Message};

/// The longest `Id`, in bytes.
const MAX_ID: usize = 64;
/// The longest text of a client, in bytes.
const MAX_TEXT: usize = 1024;

/// What a client asks for, and what was found wrong in it so far.
pub(super) struct Check<'a> {
    pub(super) body: &'a Map<String, Value>,
    wrong: Vec<Message>,
}

/// Metric properties, each with the place where the client wrote it.
pub(super) struct Given {
    pub(super) property: MetricProperty,
    pub(super) pointer: String,
}

impl<'a> Check<'a> {
    pub(super) const fn new(body: &'a Map<String, Value>) -> Self {
        Self {
            body,
            wrong: Vec::new(),
        }
    }

    /// # Errors
    /// All that was found wrong, if anything was.
    pub(super) fn end<T>(self, found: T) -> Result<T, Failure> {
        if self.wrong.is_empty() {
            Ok(found)
        } else {
            Err(Failure::Messages(self.wrong))
        }
    }

    /// Notes that the value at `pointer` can't be had, and what could.
    pub(super) fn refuse(&mut self, pointer: &str, resolution: impl Into<String>) {
        let name = property_of(pointer);
        let message = message::property_value_error(name).about(pointer);
        self.wrong.push(message.with_resolution(resolution));
    }

    /// Notes that the service doesn't offer this value.
    pub(super) fn not_in_list(
        &mut self,
        value: &str,
        pointer: &str,
        resolution: impl Into<String>,
    ) {
        let value = shorten(value.to_owned());
        let message = message::property_value_not_in_list(value, property_of(pointer));
        let message = message.about(pointer);
        self.wrong.push(message.with_resolution(resolution));
    }

    /// Notes a number or duration beyond its bounds.
    pub(super) fn out_of_range(
        &mut self,
        value: &str,
        pointer: &str,
        resolution: impl Into<String>,
    ) {
        let value = shorten(value.to_owned());
        let message = message::property_value_out_of_range(value, property_of(pointer));
        let message = message.about(pointer);
        self.wrong.push(message.with_resolution(resolution));
    }

    /// Refuses every property but these: the service has no use for it.
    pub(super) fn only(&mut self, object: &Map<String, Value>, place: &str, known: &[&str]) {
        for (name, value) in object {
            if !known.contains(&name.as_str()) && !value.is_null() {
                let pointer = format!("{place}/{name}");
                let message = message::property_not_writable(name.as_str()).about(pointer);
                self.wrong.push(message);
            }
        }
    }

    /// A text of the client.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let text = self.body.get(name)?.as_str()?;
        if text.is_empty() || text.len() > MAX_TEXT || text.chars().any(char::is_control) {
            let resolution = format!("Give 1 to {MAX_TEXT} bytes without control characters.");
            self.refuse(&format!("/{name}"), resolution);
        }
        Some(text.to_owned())
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.body.get(name)?.as_bool()
    }

    /// The words of a list; one that is there twice is noted.
    pub(super) fn words<T>(
        &mut self,
        name: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let words = self.body.get(name)?.as_array()?;
        for (index, word) in words.iter().enumerate() {
            if words[..index].contains(word) {
                self.refuse(&format!("/{name}/{index}"), "Name each word once.");
            }
        }
        Some(words.iter().filter_map(|w| read(w.as_str()?)).collect())
    }

    /// A duration in milliseconds, within bounds.
    pub(super) fn duration(
        &mut self,
        object: &Map<String, Value>,
        pointer: &str,
        least_ms: u64,
        most_ms: u64,
    ) -> Option<u64> {
        let text = object.get(property_of(pointer))?.as_str()?;
        let found = Duration::parse(text).map(Duration::as_ms);
        let found = found.filter(|ms| (least_ms..=most_ms).contains(ms));
        if found.is_none() {
            let [least, most] = [least_ms, most_ms].map(Duration::from_ms);
            self.out_of_range(text, pointer, format!("Give {least} to {most}."));
        }
        found
    }

    /// `Wildcards`, each with a name of its own.
    pub(super) fn wildcards(&mut self) -> Vec<Wildcard> {
        let given = objects(self.body, "Wildcards");
        if given.len() > MAX_WILDCARDS {
            self.refuse(
                "/Wildcards",
                format!("Give at most {MAX_WILDCARDS} wildcards."),
            );
            return Vec::new();
        }
        let mut wildcards: Vec<Wildcard> = Vec::with_capacity(given.len());
        for (index, object) in given {
            let place = format!("/Wildcards/{index}");
            self.only(object, &place, &["Name", "Values"]);
            let name = object
                .get("Name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let is_known = wildcards.iter().any(|wildcard| wildcard.name == name);
            if name.is_empty() || is_known || name.contains(['{', '}', '/']) {
                self.refuse(
                    &format!("{place}/Name"),
                    "Give each wildcard a name of its own, as it stands between the braces.",
                );
            }
            let values = texts(object, "Values");
            if values.is_empty() || values.len() > MAX_WILDCARD_VALUES {
                let resolution =
                    format!("Give 1 to {MAX_WILDCARD_VALUES} values; * stands for all there are.");
                self.refuse(&format!("{place}/Values"), resolution);
            }
            wildcards.push(Wildcard {
                name: name.to_owned(),
                // With all of them, the others are among them.
                values: if values.iter().any(|(_, value)| *value == ALL) {
                    vec![ALL.to_owned()]
                } else {
                    values
                        .into_iter()
                        .map(|(_, value)| value.to_owned())
                        .collect()
                },
            });
        }
        wildcards
    }

    /// The metric properties in the list `object[MetricProperties]`.
    pub(super) fn properties(
        &mut self,
        object: &Map<String, Value>,
        place: &str,
        wildcards: &[Wildcard],
    ) -> Vec<Given> {
        let place = format!("{place}/MetricProperties");
        let list = texts(object, "MetricProperties");
        if list.len() > MAX_METRIC_PROPERTIES {
            let resolution = format!(
                "Give at most {MAX_METRIC_PROPERTIES} properties, and wildcards for what they have in common."
            );
            self.refuse(&place, resolution);
            return Vec::new();
        }
        let mut found = Vec::with_capacity(list.len());
        for (index, text) in list {
            let pointer = format!("{place}/{index}");
            match self.property(text, wildcards) {
                Ok(property) => found.push(Given { property, pointer }),
                Err(resolution) => self.refuse(&pointer, resolution),
            }
        }
        found
    }

    fn property(&self, text: &str, wildcards: &[Wildcard]) -> Result<MetricProperty, String> {
        let property = MetricProperty::parse(text)?;
        let is_unknown = |name: &&str| !wildcards.iter().any(|wildcard| wildcard.name == *name);
        if let Some(name) = property.wildcards().find(is_unknown) {
            let name = shorten(name.to_owned());
            return Err(format!("Say in Wildcards what {{{name}}} stands for."));
        }
        if !property.is_in_schema() {
            return Err(
                "Name a property that such a resource has and that holds one value: no object, no array.".to_owned(),
            );
        }
        Ok(property)
    }

    /// Notes wildcards that no property has. Where a property is wrong, nobody can know.
    pub(super) fn unused(&mut self, wildcards: &[Wildcard], properties: &[&MetricProperty]) {
        if !self.wrong.is_empty() {
            return;
        }
        let given = objects(self.body, "Wildcards");
        for (wildcard, (index, _)) in wildcards.iter().zip(given) {
            let is_used = |p: &&MetricProperty| p.wildcards().any(|name| name == wildcard.name);
            if !properties.iter().any(is_used) {
                let resolution = "Use the wildcard in a metric property, or leave it out.";
                self.refuse(&format!("/Wildcards/{index}/Name"), resolution);
            }
        }
    }
}

/// An `Id` that a client chose.
///
/// # Errors
/// [`Failure::Messages`] says which can be had.
pub(super) fn id(body: &Map<String, Value>) -> Result<Option<String>, Failure> {
    let Some(id) = body.get("Id").and_then(Value::as_str) else {
        return Ok(None);
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if (1..=MAX_ID).contains(&id.len()) && id.chars().all(fits) && !id.starts_with('.') {
        return Ok(Some(id.to_owned()));
    }
    let message = message::property_value_format_error(shorten(id.to_owned()), "Id").about("/Id");
    let resolution = format!("Give at most {MAX_ID} letters, digits, -, _ and dots.");
    Err(Failure::Messages(vec![message.with_resolution(resolution)]))
}

/// The objects in a list, each with its place there: a client may have written `null` between them.
pub(super) fn objects<'v>(
    body: &'v Map<String, Value>,
    name: &str,
) -> Vec<(usize, &'v Map<String, Value>)> {
    elements(body, name, Value::as_object)
}

/// The texts in a list, each with its place there.
pub(super) fn texts<'v>(object: &'v Map<String, Value>, name: &str) -> Vec<(usize, &'v str)> {
    elements(object, name, Value::as_str)
}

fn elements<'v, T: ?Sized>(
    object: &'v Map<String, Value>,
    name: &str,
    of: impl Fn(&'v Value) -> Option<&'v T>,
) -> Vec<(usize, &'v T)> {
    let list = object.get(name).and_then(Value::as_array);
    let places = list.into_iter().flatten().enumerate();
    places
        .filter_map(|(place, value)| Some((place, of(value)?)))
        .collect()
}

/// The property that a pointer leads to, `Values` of `/Wildcards/0/Values` and of `/Wildcards/0/Values/3`.
fn property_of(pointer: &str) -> &str {
    let is_name = |token: &&str| token.parse::<usize>().is_err();
    pointer.rsplit('/').find(is_name).unwrap_or_default()
}

/// `old` after a PATCH with `changes` (DSP0266 "PATCH (update)"): objects are entered, arrays are whole, and `null`
/// removes.
pub(super) fn merge(old: &Map<String, Value>, changes: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = old.clone();
    for (name, change) in changes {
        let new = match (merged.remove(name), change) {
            (_, Value::Null) => continue,
            (Some(Value::Object(old)), Value::Object(changes)) => {
                Value::Object(merge(&old, changes))
            }
            (_, new) => new.clone(),
        };
        merged.insert(name.clone(), new);
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_patch_enters_objects_and_null_removes() {
        let old = map(json!({
            "Schedule": {"RecurrenceInterval": "PT10S", "Name": "A"}, "ReportTimespan": "PT1H",
            "MetricProperties": ["/1", "/2", "/3"],
        }));
        let changes = map(json!({
            "Schedule": {"RecurrenceInterval": "PT20S"}, "ReportTimespan": null,
            "MetricProperties": ["/1"],
        }));
        let expected = json!({
            "Schedule": {"RecurrenceInterval": "PT20S", "Name": "A"},
            "MetricProperties": ["/1"],
        });
        assert_eq!(Value::Object(merge(&old, &changes)), expected);
    }

    #[test]
    fn a_fault_is_told_of_the_element_that_has_it_also_behind_nulls() {
        let body = map(json!({
            "Wildcards": [
                null, {"Name": "A", "Values": [null, "1"]}, null, {"Name": "A", "Values": ["2"]},
                {"Name": "B", "Values": [null]},
            ],
            "MetricProperties": [null, "/redfish/v1/Chassis/{C}#/Name", null, "nothing"],
        }));
        let mut check = Check::new(&body);
        let wildcards = check.wildcards();
        check.properties(&body, "", &wildcards);
        let Err(Failure::Messages(wrong)) = check.end(()) else {
            panic!("nothing is wrong");
        };
        let about: Vec<_> = wrong.iter().flat_map(Message::related_properties).collect();
        let expected = [
            "#/Wildcards/3/Name",
            "#/Wildcards/4/Values",
            "#/MetricProperties/1",
            "#/MetricProperties/3",
        ];
        assert_eq!(about, expected);
    }

    #[test]
    fn a_wildcard_without_use_is_told_of_also_behind_nulls() {
        let body = map(json!({"Wildcards": [null, {"Name": "A", "Values": ["1"]}]}));
        let mut check = Check::new(&body);
        let wildcards = check.wildcards();
        check.unused(&wildcards, &[]);
        let Err(Failure::Messages(wrong)) = check.end(()) else {
            panic!("nothing is wrong");
        };
        let about: Vec<_> = wrong.iter().flat_map(Message::related_properties).collect();
        assert_eq!(about, ["#/Wildcards/1/Name"]);
    }
}
