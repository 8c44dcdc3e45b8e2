//! Checks whole documents of ours against the tables. Tests run every response through it.

use serde_json::{Map, Value};

use crate::generated::table::message::MESSAGE;
use crate::problem::{Problem, Violation, below};
use crate::scalar;
use crate::table::{Action, Kind, ObjectType, Property, ResourceType, by_odata_type};

static MESSAGES: Kind = Kind::array(&Kind::Object(&MESSAGE));

/// Checks a resource as a GET answers it: type, path, every property, required ones, annotations.
///
/// The type is the one that `@odata.type` names. A link may be replaced by the resource itself, as
/// `$expand` does; it is checked by its own `@odata.type` then. OEM objects are open, so their
/// content isn't checked.
#[must_use]
pub fn validate(document: &Value) -> Vec<Violation> {
    let mut check = Check { found: Vec::new() };
    check.resource("", document);
    check.found
}

struct Check {
    found: Vec<Violation>,
}

impl Check {
    fn report(&mut self, pointer: impl Into<String>, problem: Problem) {
        self.found.push(Violation {
            pointer: pointer.into(),
            problem,
        });
    }

    fn resource(&mut self, pointer: &str, document: &Value) {
        let Some(members) = document.as_object() else {
            return self.report(
                pointer,
                Problem::WrongType {
                    expected: "an object",
                },
            );
        };
        let place = below(pointer, "@odata.type");
        let Some(odata_type) = members.get("@odata.type") else {
            return self.report(place, Problem::Missing);
        };
        let Some(resource) = odata_type.as_str().and_then(known_type) else {
            return self.report(place, Problem::UnknownType);
        };
        let path = members.get("@odata.id").and_then(Value::as_str);
        if path.is_some_and(|path| !is_at_home(resource, path.split('#').next().unwrap_or(path))) {
            self.report(below(pointer, "@odata.id"), Problem::WrongAddress);
        }
        if resource.is_collection() && !members.contains_key("Members@odata.count") {
            self.report(below(pointer, "Members@odata.count"), Problem::Missing);
        }
        self.object(pointer, resource.object, members, path.unwrap_or_default());
    }

    /// Checks the members of an object. `path` is that of the resource around it.
    fn object(
        &mut self,
        pointer: &str,
        object: &ObjectType,
        given: &Map<String, Value>,
        path: &str,
    ) {
        if object.is_entity && !given.contains_key("@odata.id") {
            self.report(below(pointer, "@odata.id"), Problem::Missing);
        }
        for property in object
            .properties
            .iter()
            .filter(|property| property.required)
        {
            if !given.contains_key(property.name) {
                self.report(below(pointer, property.name), Problem::Missing);
            }
        }
        for (name, value) in given {
            let place = below(pointer, name);
            if let Some((annotated, term)) = name.split_once('@') {
                self.annotation(&place, object, given, (annotated, term), value);
            } else if let Some(property) = object.property(name) {
                self.property(&place, property, value, path);
            } else if let Some(action) = action_of(object, name) {
                self.action(&place, action, value, path);
            } else if let Some(dynamic) = object.dynamic.iter().find(|d| d.name.matches(name)) {
                self.value(&place, &dynamic.kind, value, path);
            } else if !object.is_open {
                self.report(place, Problem::Unknown);
            }
        }
    }

    fn property(&mut self, place: &str, property: &Property, value: &Value, path: &str) {
        if value.is_null() {
            if !property.nullable {
                self.report(place, Problem::Null);
            }
        } else if !property.permission.is_readable() {
            self.report(place, Problem::Secret);
        } else {
            self.value(place, &property.kind, value, path);
        }
    }

    /// Checks a value that isn't `null`.
    fn value(&mut self, place: &str, kind: &Kind, value: &Value, path: &str) {
        match kind {
            Kind::Object(object) => match value.as_object() {
                // Where a member may be expanded it may also be a link.
                Some(given) if object.is_entity && is_link(given) => self.link(place, value),
                Some(_) if object.is_entity && value.get("@odata.type").is_some() => {
                    self.resource(place, value);
                }
                Some(given) => self.object(place, object, given, path),
                None => self.report(
                    place,
                    Problem::WrongType {
                        expected: "an object",
                    },
                ),
            },
            Kind::Array {
                item,
                nullable_items,
            } => {
                let Some(items) = value.as_array() else {
                    return self.report(
                        place,
                        Problem::WrongType {
                            expected: "an array",
                        },
                    );
                };
                for (index, value) in items.iter().enumerate() {
                    let place = below(place, &index.to_string());
                    match value {
                        Value::Null if *nullable_items => {}
                        Value::Null => self.report(place, Problem::Null),
                        value => self.value(&place, item, value, path),
                    }
                }
            }
            Kind::Reference(_) => match value.as_object() {
                Some(given) if is_link(given) => self.link(place, value),
                // Expanded.
                Some(_) => self.resource(place, value),
                None => self.report(place, Problem::WrongType { expected: "a link" }),
            },
            kind => {
                if let Err(problem) = scalar::check(kind, value) {
                    self.report(place, problem);
                }
            }
        }
    }

    fn link(&mut self, place: &str, value: &Value) {
        // A link may leave the service: a power supply names the outlet of another one's PDU.
        let path = value.get("@odata.id").and_then(Value::as_str);
        if path.is_none_or(|path| !path.starts_with('/') && !path.contains("://")) {
            self.report(
                below(place, "@odata.id"),
                Problem::BadFormat {
                    expected: "an absolute path or URI",
                },
            );
        }
    }

    /// Checks an entry of `Actions`.
    fn action(&mut self, place: &str, action: &Action, value: &Value, path: &str) {
        let Some(given) = value.as_object() else {
            return self.report(
                place,
                Problem::WrongType {
                    expected: "an object",
                },
            );
        };
        let expected = format!("{}/{}", path.trim_end_matches('/'), action.path());
        match given.get("target").and_then(Value::as_str) {
            None => self.report(below(place, "target"), Problem::Missing),
            Some(target) if target != expected => self.report(
                below(place, "target"),
                Problem::BadFormat {
                    expected: "the resource's path, /Actions/ and the name",
                },
            ),
            Some(_) => {}
        }
        for (name, value) in given {
            let place = below(place, name);
            match name.split_once('@') {
                None if name == "target" => {}
                None if name == "title" && value.is_string() => {}
                Some(("", "Redfish.ActionInfo" | "Redfish.OperationApplyTimeSupport")) => {}
                Some((parameter, "Redfish.AllowableValues")) => match action.parameter(parameter) {
                    Some(parameter) => self.allowable(&place, parameter, value),
                    None => self.report(place, Problem::Unknown),
                },
                _ => self.report(place, Problem::Unknown),
            }
        }
    }

    /// Checks `X@Redfish.AllowableValues`: words that X may have.
    fn allowable(&mut self, place: &str, property: &Property, value: &Value) {
        let Some(words) = value.as_array() else {
            return self.report(
                place,
                Problem::WrongType {
                    expected: "an array",
                },
            );
        };
        let kind = match &property.kind {
            Kind::Array { item, .. } => item,
            kind => kind,
        };
        for (index, word) in words.iter().enumerate() {
            let place = below(place, &index.to_string());
            let is_list = matches!(kind, Kind::Enumeration(_));
            let checked = scalar::check(if is_list { kind } else { &Kind::STRING }, word);
            if let Err(problem) = checked {
                self.report(place, problem);
            }
        }
    }

    fn annotation(
        &mut self,
        place: &str,
        object: &ObjectType,
        given: &Map<String, Value>,
        (annotated, term): (&str, &str),
        value: &Value,
    ) {
        let property = object.property(annotated);
        if !annotated.is_empty() && property.is_none() && !object.is_open {
            return self.report(place, Problem::Unknown);
        }
        let text = |problem| {
            if value.is_string() {
                None
            } else {
                Some(problem)
            }
        };
        let problem = match (annotated, term) {
            ("", "odata.id") => match value.as_str() {
                Some(path) if path.starts_with('/') => None,
                _ => Some(Problem::BadFormat {
                    expected: "an absolute path",
                }),
            },
            ("", "odata.type" | "odata.context" | "odata.etag") | (_, "odata.nextLink") => {
                text(Problem::WrongType {
                    expected: "a string",
                })
            }
            (_, "odata.count") if !annotated.is_empty() => count(value, given.get(annotated)),
            (_, "Redfish.AllowableValues") => {
                return match property {
                    Some(property) => self.allowable(place, property, value),
                    None => self.report(place, Problem::Unknown),
                };
            }
            (_, "Message.ExtendedInfo") => return self.messages(place, value),
            (_, term) if term.starts_with("Redfish.") => None,
            _ => Some(Problem::Unknown),
        };
        if let Some(problem) = problem {
            self.report(place, problem);
        }
    }

    fn messages(&mut self, place: &str, value: &Value) {
        self.value(place, &MESSAGES, value, "");
    }
}

/// The table for an `@odata.type`, unless it is of a newer version than the table.
fn known_type(odata_type: &str) -> Option<&'static ResourceType> {
    let resource = by_odata_type(odata_type)?;
    let version = odata_type
        .split('.')
        .nth(1)
        .and_then(|version| version.strip_prefix('v'));
    let Some(ours) = resource.version else {
        return (odata_type == resource.odata_type).then_some(resource);
    };
    let mut numbers = version?.split('_').map(str::parse::<u16>);
    let given = [
        numbers.next()?.ok()?,
        numbers.next()?.ok()?,
        numbers.next()?.ok()?,
    ];
    let is_known = numbers.next().is_none() && given <= [ours.major, ours.minor, ours.errata];
    is_known.then_some(resource)
}

/// A settings resource has the type of the resource above it (DSP0266 "Settings resource").
fn is_at_home(resource: &ResourceType, path: &str) -> bool {
    let above = path.strip_suffix("/Settings");
    resource.may_be_at(path) || above.is_some_and(|above| resource.may_be_at(above))
}

fn is_link(given: &Map<String, Value>) -> bool {
    given.len() == 1 && given.contains_key("@odata.id")
}

/// The action that an entry of `Actions` with the name `#ComputerSystem.Reset` stands for.
fn action_of(object: &ObjectType, name: &str) -> Option<&'static Action> {
    let name = name.strip_prefix('#')?;
    object.actions.iter().find(|action| action.name == name)
}

/// A count is that of all members, so a page may have fewer, but never more.
fn count(value: &Value, counted: Option<&Value>) -> Option<Problem> {
    let Some(count) = value.as_u64() else {
        return Some(Problem::WrongType {
            expected: "an integer",
        });
    };
    match counted.and_then(Value::as_array) {
        None => Some(Problem::WrongAnnotation("a count without an array")),
        Some(items) if count < items.len() as u64 => Some(Problem::WrongAnnotation(
            "the count is smaller than the array",
        )),
        Some(_) => None,
    }
}
