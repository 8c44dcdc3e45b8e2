//! Checks of what clients send: PATCH bodies, POST bodies that create, action parameters.
//!
//! Each check turns JSON that nobody has looked at into a type that proves it: types, words, ranges
//! and formats are the schema's, and every property in it may be written. What a certain machine
//! supports is not the schema's business; a backend still may refuse.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::apply_time;
use crate::problem::{Fault, Problem, below};
use crate::scalar;
use crate::table::{Action, Kind, ObjectType, Permission, Property, ResourceType};

/// A PATCH body whose every property exists, may be written and has a proper value.
#[derive(Clone)]
pub struct CheckedPatch {
    pub(crate) changes: Map<String, Value>,
    pub(crate) left_out: Vec<Fault>,
}

impl CheckedPatch {
    /// The changes as a JSON object, without annotations and without what is left out.
    #[must_use]
    pub const fn changes(&self) -> &Map<String, Value> {
        &self.changes
    }

    /// The new value at a JSON pointer, `/Boot/BootSourceOverrideTarget`.
    #[must_use]
    pub fn get(&self, pointer: &str) -> Option<&Value> {
        let mut tokens = pointer.strip_prefix('/')?.split('/');
        let first = self.changes.get(tokens.next()?)?;
        tokens.try_fold(first, |value, token| value.get(token))
    }

    /// Every single change: JSON pointer and new value. Objects are entered, arrays are one value.
    #[must_use]
    pub fn leaves(&self) -> Vec<(String, &Value)> {
        let mut leaves = Vec::new();
        collect_leaves("", &self.changes, &mut leaves);
        leaves
    }

    /// Properties of the body that can never be updated, unknown or read-only ones. The rest is
    /// updated all the same, and the response has a message for each of these (DSP0266
    /// "PATCH (update)").
    #[must_use]
    pub fn left_out(&self) -> &[Fault] {
        &self.left_out
    }
}

/// Names only: a value may be a password.
impl std::fmt::Debug for CheckedPatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set()
            .entries(self.leaves().iter().map(|(pointer, _)| pointer))
            .finish()
    }
}

fn collect_leaves<'v>(
    pointer: &str,
    object: &'v Map<String, Value>,
    leaves: &mut Vec<(String, &'v Value)>,
) {
    for (name, value) in object {
        let pointer = below(pointer, name);
        match value {
            Value::Object(inner) => collect_leaves(&pointer, inner, leaves),
            value => leaves.push((pointer, value)),
        }
    }
}

/// Checks the body of a PATCH of a resource.
///
/// OData annotations in the body are ignored. `@Redfish.MaintenanceWindow` and `@Redfish.SettingsApplyTime` are checked
/// like properties; whether the resource has one is not the schema's business.
///
/// # Errors
///
/// All faults, if a value is wrong or if nothing is left that could be updated.
pub fn check_patch(resource: &ResourceType, body: &Value) -> Result<CheckedPatch, Vec<Fault>> {
    let mut check = Check {
        mode: Mode::Patch,
        faults: Vec::new(),
    };
    let body = check.body(body)?;
    let changes = check.object("", resource.object, body);
    if check
        .faults
        .iter()
        .any(|fault| !fault.problem.is_never_updatable() || may_say_when(&fault.pointer))
    {
        return Err(check.faults);
    }
    if changes.is_empty() {
        if check.faults.is_empty() {
            check.fault("", "", Problem::NoChange);
        }
        return Err(check.faults);
    }
    Ok(CheckedPatch {
        changes,
        left_out: check.faults,
    })
}

/// Whether what is at `pointer` may be meant to say when a PATCH takes effect: an annotation of Redfish's own, or a member
/// of one. Left out, it would take effect at another time than the client means. A resource's own `@Redfish.Settings`, and
/// annotations of members, may be in what a client was shown and sends back.
fn may_say_when(pointer: &str) -> bool {
    let Some(rest) = pointer.strip_prefix("/@Redfish.") else {
        return false;
    };
    let (name, member) = rest.split_once('/').unwrap_or((rest, ""));
    name != "Settings" && !member.contains('@')
}

/// A POST body that describes a new resource: complete and proper.
#[derive(Clone)]
pub struct CheckedCreate {
    values: Map<String, Value>,
}

impl CheckedCreate {
    /// All values as a JSON object, without annotations.
    #[must_use]
    pub const fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    /// The value of a property.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// The value of a property that is a string.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }
}

/// Names only: a value may be a password.
impl std::fmt::Debug for CheckedCreate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// Checks the body of a POST that adds a resource of the type `member` to a collection.
///
/// A property may be given if a client can write it, if the schema requires it on creation, or if it is one that is
/// chosen on creation and stays ([`Property::on_create`]).
///
/// # Errors
///
/// All faults.
pub fn check_create(member: &ResourceType, body: &Value) -> Result<CheckedCreate, Vec<Fault>> {
    let mut check = Check {
        mode: Mode::Create,
        faults: Vec::new(),
    };
    let body = check.body(body)?;
    let values = check.object("", member.object, body);
    if check.faults.is_empty() {
        Ok(CheckedCreate { values })
    } else {
        Err(check.faults)
    }
}

/// Parameters of an action, complete and proper.
#[derive(Clone)]
pub struct CheckedParameters {
    values: Map<String, Value>,
}

impl CheckedParameters {
    /// The value of a parameter, if the client gave one that isn't `null`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    /// The value of a parameter that is a string or a word.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// Names of the parameters that the client gave.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

/// Whether a call of the action has to give the parameter.
///
/// In CSDL `Nullable="false"` makes a parameter required. Of an array it speaks of the items (DSP8010's JSON Schemas read
/// it in the same way).
#[must_use]
pub fn is_required_parameter(parameter: &Property) -> bool {
    match parameter.kind {
        Kind::Array { nullable_items, .. } => !nullable_items,
        _ => !parameter.nullable,
    }
}

/// Names only: a value may be a password.
impl std::fmt::Debug for CheckedParameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// Checks the body of a POST to an action's target.
///
/// # Errors
///
/// All faults.
pub fn check_parameters(action: &Action, body: &Value) -> Result<CheckedParameters, Vec<Fault>> {
    let mut check = Check {
        mode: Mode::Action,
        faults: Vec::new(),
    };
    let body = check.body(body)?;
    let mut values = Map::new();
    for (name, value) in body {
        if is_odata(name) {
            continue;
        }
        match action.parameter(name) {
            Some(parameter) => {
                if let Some(value) = check.value(&below("", name), parameter, value) {
                    values.insert(name.clone(), value);
                }
            }
            None => check.fault("", name, Problem::Unknown),
        }
    }
    check.missing("", action.parameters, body, is_required_parameter);
    if check.faults.is_empty() {
        Ok(CheckedParameters { values })
    } else {
        Err(check.faults)
    }
}

/// Whether a name is an OData annotation, which a service ignores in requests (DSP0266
/// "PATCH (update)").
fn is_odata(name: &str) -> bool {
    name.split_once('@')
        .is_some_and(|(_, term)| term.starts_with("odata."))
}

/// A client may write an integer as `5.0` or `5e0` (DSP0266 "Primitive types"); it is 5 from here on.
fn whole<'v>(kind: &Kind, value: &'v Value) -> Cow<'v, Value> {
    /// Integers up to here are exact in a double.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match (kind, value.as_f64()) {
        (Kind::Integer { .. }, Some(number))
            if value.is_f64() && number.fract() == 0.0 && number.abs() <= EXACT =>
        {
            Cow::Owned(Value::from(number as i64))
        }
        _ => Cow::Borrowed(value),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Patch,
    Create,
    Action,
}

/// A check under way.
struct Check {
    mode: Mode,
    faults: Vec<Fault>,
}

impl Check {
    fn fault(&mut self, pointer: &str, name: &str, problem: Problem) {
        let pointer = if name.is_empty() {
            pointer.to_owned()
        } else {
            below(pointer, name)
        };
        self.faults.push(Fault {
            pointer,
            property: name.to_owned(),
            problem,
        });
    }

    fn body<'v>(&mut self, body: &'v Value) -> Result<&'v Map<String, Value>, Vec<Fault>> {
        body.as_object().ok_or_else(|| {
            self.fault(
                "",
                "",
                Problem::WrongType {
                    expected: "an object",
                },
            );
            std::mem::take(&mut self.faults)
        })
    }

    fn missing(
        &mut self,
        pointer: &str,
        properties: &[Property],
        given: &Map<String, Value>,
        is_required: impl Fn(&Property) -> bool,
    ) {
        for property in properties.iter().filter(|property| is_required(property)) {
            if !given.contains_key(property.name) {
                self.fault(pointer, property.name, Problem::Missing);
            }
        }
    }

    /// Checks the members of an object and returns those that may be written.
    fn object(
        &mut self,
        pointer: &str,
        object: &ObjectType,
        given: &Map<String, Value>,
    ) -> Map<String, Value> {
        let mut accepted = Map::new();
        for (name, value) in given {
            if is_odata(name) {
                continue;
            }
            let place = below(pointer, name);
            let property = match object.property(name) {
                None if pointer.is_empty() && self.mode == Mode::Patch => {
                    apply_time::annotation(name)
                }
                property => property,
            };
            let checked = match property {
                Some(property) if self.may_write(property) && !self.removes(property, value) => {
                    self.value(&place, property, value)
                }
                Some(_) => {
                    self.fault(pointer, name, Problem::ReadOnly);
                    None
                }
                None => self.unnamed(pointer, object, name, value),
            };
            if let Some(value) = checked {
                accepted.insert(name.clone(), value);
            }
        }
        if self.mode == Mode::Create {
            self.missing(pointer, object.properties, given, |p| p.required_on_create);
        }
        accepted
    }

    /// A property that the schema doesn't name: one that fits a pattern, or any in an open object.
    fn unnamed(
        &mut self,
        pointer: &str,
        object: &ObjectType,
        name: &str,
        value: &Value,
    ) -> Option<Value> {
        let place = below(pointer, name);
        if let Some(dynamic) = object
            .dynamic
            .iter()
            .find(|dynamic| dynamic.name.matches(name))
        {
            return self.item(&place, name, &dynamic.kind, true, value);
        }
        if object.is_open && !name.contains('@') {
            return Some(value.clone());
        }
        self.fault(pointer, name, Problem::Unknown);
        None
    }

    /// Whether a request may have the property, or something inside it.
    fn may_write(&self, property: &Property) -> bool {
        let by_member = match &property.kind {
            Kind::Object(_) => true,
            Kind::Array { item, .. } => matches!(item, Kind::Object(_)),
            _ => false,
        };
        property.permission.is_writable()
            || by_member
            || self.mode == Mode::Action
            || (self.mode == Mode::Create
                && (property.required_on_create
                    || property.on_create
                    || property.permission == Permission::CreateOnly))
    }

    /// Whether a PATCH would remove elements of an array that is only read, though its elements have members that aren't.
    fn removes(&self, property: &Property, value: &Value) -> bool {
        self.mode == Mode::Patch
            && property.permission == Permission::Read
            && value
                .as_array()
                .is_some_and(|items| items.is_empty() || items.iter().any(Value::is_null))
    }

    fn value(&mut self, place: &str, property: &Property, value: &Value) -> Option<Value> {
        let is_needed = self.mode == Mode::Create && property.required_on_create;
        let nullable = property.nullable && !is_needed;
        self.item(place, property.name, &property.kind, nullable, value)
    }

    /// Checks one value; returns what of it may be written.
    fn item(
        &mut self,
        place: &str,
        name: &str,
        kind: &Kind,
        nullable: bool,
        value: &Value,
    ) -> Option<Value> {
        if value.is_null() {
            if nullable {
                return Some(Value::Null);
            }
            self.at(place, name, Problem::Null);
            return None;
        }
        match kind {
            Kind::Object(object) => match value.as_object() {
                Some(given) => {
                    let accepted = self.object(place, object, given);
                    let is_change = self.mode != Mode::Patch || !accepted.is_empty();
                    is_change.then_some(Value::Object(accepted))
                }
                None => self.refuse(place, name, "an object"),
            },
            Kind::Array { item, .. } => match value.as_array() {
                Some(items) => self.array(place, name, item, items),
                None => self.refuse(place, name, "an array"),
            },
            Kind::Reference(_) => {
                let link = value.get("@odata.id").and_then(Value::as_str);
                if link.is_none() || value.as_object().is_some_and(|object| object.len() > 1) {
                    return self.refuse(place, name, "a link, {\"@odata.id\": \"...\"}");
                }
                Some(value.clone())
            }
            kind => {
                let value = whole(kind, value);
                match scalar::check(kind, &value) {
                    Ok(()) => Some(value.into_owned()),
                    Err(problem) => {
                        self.at(place, name, problem);
                        None
                    }
                }
            }
        }
    }

    /// Checks the items. In a PATCH, `null` removes an element and `{}` leaves one as it is
    /// (DSP0266 "PATCH on array properties").
    fn array(&mut self, place: &str, name: &str, item: &Kind, items: &[Value]) -> Option<Value> {
        let before = self.faults.len();
        let mut accepted = Vec::with_capacity(items.len());
        for (index, value) in items.iter().enumerate() {
            let is_untouched = value.as_object().is_some_and(Map::is_empty);
            if self.mode == Mode::Patch && is_untouched {
                accepted.push(value.clone());
                continue;
            }
            let nullable = self.mode == Mode::Patch;
            let place = below(place, &index.to_string());
            // A left-out element keeps its place, or the others would move.
            let value = self.item(&place, name, item, nullable, value);
            accepted.push(value.unwrap_or_else(|| Value::Object(Map::new())));
        }
        let is_empty_handed = self.faults.len() > before
            && accepted
                .iter()
                .all(|value| value.as_object().is_some_and(Map::is_empty));
        (!is_empty_handed).then_some(Value::Array(accepted))
    }

    fn refuse(&mut self, place: &str, name: &str, expected: &'static str) -> Option<Value> {
        self.at(place, name, Problem::WrongType { expected });
        None
    }

    fn at(&mut self, place: &str, name: &str, problem: Problem) {
        self.faults.push(Fault {
            pointer: place.to_owned(),
            property: name.to_owned(),
            problem,
        });
    }
}
