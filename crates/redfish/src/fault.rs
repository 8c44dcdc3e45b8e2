//! What the schema finds wrong in a request, as messages of the Base registry.

use redfish_schema::{Fault, Problem};
use serde_json::Value;

use crate::error::MAX_MESSAGES;
use crate::message::{self, Message};

/// The most characters of a client's value that a message repeats.
const MAX_SHOWN: usize = 64;

/// Messages about the properties of a PATCH or of a POST that creates, [`MAX_MESSAGES`] of them at most. `resource` is
/// what is changed, as it is shown; `Null` for what is not there yet.
pub(crate) fn patch_messages(faults: &[Fault], body: &Value, resource: &Value) -> Vec<Message> {
    let shown = faults.iter().take(MAX_MESSAGES);
    shown
        .map(|fault| property_message(fault, body, resource))
        .collect()
}

/// Messages about the parameters of `action`, [`MAX_MESSAGES`] of them at most. `offered` is the action as the resource
/// shows it.
pub(crate) fn action_messages(
    faults: &[Fault],
    body: &Value,
    action: &str,
    offered: &Value,
) -> Vec<Message> {
    let shown = faults.iter().take(MAX_MESSAGES);
    shown
        .map(|fault| parameter_message(fault, body, action, offered))
        .collect()
}

/// What a client should do instead: take one of the words that the resource allows.
pub(crate) fn choose_one_of(words: &[&str]) -> String {
    format!("Choose one of: {}.", words.join(", "))
}

/// The words that a resource allows at `pointer`, which are often fewer than the schema's.
pub(crate) fn allowable<'a>(shown: &'a Value, pointer: &str) -> Option<Vec<&'a str>> {
    let words = shown.pointer(&format!("{pointer}@Redfish.AllowableValues"))?;
    Some(words.as_array()?.iter().filter_map(Value::as_str).collect())
}

fn property_message(fault: &Fault, body: &Value, resource: &Value) -> Message {
    let name = fault.property.as_str();
    let value = || shown(fault, body);
    let message = match fault.problem {
        Problem::Unknown => message::property_unknown(name),
        Problem::Missing => message::create_failed_missing_req_properties(name),
        Problem::ReadOnly => message::property_not_writable(name),
        Problem::Null | Problem::WrongType { .. } => {
            message::property_value_type_error(value(), name)
        }
        Problem::NotInList(_) => message::property_value_not_in_list(value(), name),
        Problem::OutOfRange { .. } => message::property_value_out_of_range(value(), name),
        Problem::BadFormat { .. } => message::property_value_format_error(value(), name),
        Problem::NoChange => return nothing_to_do(body),
        Problem::UnknownType
        | Problem::WrongAddress
        | Problem::WrongAnnotation(_)
        | Problem::Secret => message::property_value_error(name),
    };
    with_expectation(message, fault, resource)
}

fn parameter_message(fault: &Fault, body: &Value, action: &str, offered: &Value) -> Message {
    let name = fault.property.as_str();
    let value = || shown(fault, body);
    let message = match fault.problem {
        Problem::Unknown | Problem::ReadOnly => message::action_parameter_unknown(action, name),
        Problem::Missing => message::action_parameter_missing(action, name),
        Problem::Null | Problem::WrongType { .. } => {
            message::action_parameter_value_type_error(value(), name, action)
        }
        Problem::NotInList(_) => message::action_parameter_value_not_in_list(value(), name, action),
        Problem::BadFormat { .. } | Problem::OutOfRange { .. } => {
            message::action_parameter_value_format_error(value(), name, action)
        }
        Problem::NoChange => return nothing_to_do(body),
        Problem::UnknownType
        | Problem::WrongAddress
        | Problem::WrongAnnotation(_)
        | Problem::Secret => message::action_parameter_value_error(name, action),
    };
    with_expectation(message, fault, offered)
}

fn nothing_to_do(body: &Value) -> Message {
    match body.as_object() {
        Some(object) if object.is_empty() => message::empty_json(),
        _ => message::no_operation(),
    }
}

/// Names the property, and says what would have been right where the resource or the schema knows.
fn with_expectation(message: Message, fault: &Fault, shown: &Value) -> Message {
    let message = message.about(&fault.pointer);
    match fault.problem {
        Problem::NotInList(list) => {
            let allowed = allowable(shown, &fault.pointer);
            let words = allowed.unwrap_or_else(|| list.members.to_vec());
            message.with_resolution(choose_one_of(&words))
        }
        Problem::Null
        | Problem::WrongType { .. }
        | Problem::OutOfRange { .. }
        | Problem::BadFormat { .. } => {
            message.with_resolution(format!("The value {}.", fault.problem))
        }
        _ => message,
    }
}

/// The value at fault, shortened. A password is never repeated, not even a wrong one.
fn shown(fault: &Fault, body: &Value) -> String {
    if fault.property.contains("Password") {
        return "******".to_owned();
    }
    let text = match body.pointer(&fault.pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    shorten(text)
}

/// The beginning of a client's text, as far as a message repeats it.
pub(crate) fn shorten(text: String) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The one of these names that a word is most likely meant to be, if it is like any.
pub(crate) fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&lower, &name.to_lowercase());
    let found = names.map(|name| (distance(name), name)).min();
    // What shares less than half its letters is no typo of it.
    let found = found.filter(|(distance, name)| distance * 2 <= name.len().max(word.len()));
    found.map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fault(pointer: &str, problem: Problem) -> Fault {
        let property = pointer.rsplit('/').next().unwrap_or_default().to_owned();
        Fault {
            pointer: pointer.to_owned(),
            property,
            problem,
        }
    }

    #[test]
    fn a_message_repeats_a_bounded_part_of_the_value_and_never_a_password() {
        let body = json!({"A": "x".repeat(1000), "Password": 12345, "B": {"C": [1, 2]}});
        let wrong = Problem::WrongType {
            expected: "a number",
        };
        let faults = [
            fault("/A", wrong.clone()),
            fault("/Password", wrong.clone()),
            fault("/B/C", wrong),
        ];
        let messages = patch_messages(&faults, &body, &Value::Null);
        assert_eq!(messages[0].args()[0].chars().count(), MAX_SHOWN + 1);
        assert_eq!(messages[1].args()[0], "******");
        assert_eq!(messages[2].args(), ["[1,2]", "C"]);
        assert_eq!(messages[2].related_properties(), ["#/B/C"]);
    }

    #[test]
    fn an_empty_body_and_one_of_annotations_are_told_apart() {
        let nothing = [fault("", Problem::NoChange)];
        assert_eq!(
            patch_messages(&nothing, &json!({}), &Value::Null)[0].key(),
            "EmptyJSON"
        );
        let annotations = json!({"@odata.etag": "x"});
        assert_eq!(
            patch_messages(&nothing, &annotations, &Value::Null)[0].key(),
            "NoOperation"
        );
    }
}
