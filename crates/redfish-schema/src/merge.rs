//! A PATCH on what is there: whole arrays in place of edits, and what can't be changed after all.

use serde_json::{Map, Value};

use crate::problem::{Fault, Problem, below};
use crate::request::CheckedPatch;
use crate::table::{Kind, ObjectType, Property, ResourceType};

impl CheckedPatch {
    /// The same patch of a resource that is `present`: every array in it is what the array becomes.
    ///
    /// In the body an array is a list of edits by place: `null` removes the element, `{}` leaves it, an object changes
    /// the members that it names, any other value replaces it; elements past the end are added, and those that a shorter
    /// array doesn't reach are removed (DSP0266 "PATCH on array properties"). Edits come first, then removals, then
    /// additions, so that a removal moves nothing before it is over. Objects outside of arrays stay as they are: only what
    /// they name changes.
    ///
    /// An element of an array keeps of its present members only those that a client may write, so the result needs no
    /// other check than the body did.
    #[must_use]
    pub fn onto(mut self, resource: &ResourceType, present: &Value) -> Self {
        merge_members(resource.object, &mut self.changes, present);
        self
    }

    /// Leaves out the property at `pointer`, which this resource can't change. `false` if the patch has no such property.
    ///
    /// An element of an array has no say of its own: the whole array goes.
    pub fn leave_out(&mut self, pointer: &str) -> bool {
        let Some(tokens) = pointer.strip_prefix('/') else {
            return false;
        };
        let tokens: Vec<&str> = tokens.split('/').collect();
        let Some(removed) = remove(&mut self.changes, &tokens) else {
            return false;
        };
        let kept = &tokens[..removed];
        self.left_out.push(Fault {
            pointer: kept
                .iter()
                .fold(String::new(), |place, token| below(&place, token)),
            property: kept.last().copied().unwrap_or_default().to_owned(),
            problem: Problem::ReadOnly,
        });
        true
    }

    /// Whether nothing is left to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// Removes what `tokens` lead to, with the objects that are empty then. Tells how many tokens it took to get there.
fn remove(object: &mut Map<String, Value>, tokens: &[&str]) -> Option<usize> {
    let (first, rest) = tokens.split_first()?;
    let depth = match object.get_mut(*first)? {
        Value::Object(inner) if !rest.is_empty() => {
            let depth = remove(inner, rest)?;
            if !inner.is_empty() {
                return Some(depth + 1);
            }
            depth
        }
        _ => 0,
    };
    object.remove(*first);
    Some(depth + 1)
}

fn merge_members(object: &ObjectType, changes: &mut Map<String, Value>, present: &Value) {
    for (name, change) in changes.iter_mut() {
        let Some(property) = object.property(name) else {
            continue;
        };
        let present = present.get(name).unwrap_or(&Value::Null);
        match (&property.kind, change) {
            (Kind::Object(inner), Value::Object(changes)) => merge_members(inner, changes, present),
            (Kind::Array { item, .. }, Value::Array(edits)) => {
                let present = present.as_array().map(Vec::as_slice).unwrap_or_default();
                *edits = merge_array(item, std::mem::take(edits), present);
            }
            _ => {}
        }
    }
}

/// What an array becomes. Empty places at its end (`null`, DSP0266 "Array properties") are where additions go.
fn merge_array(item: &Kind, edits: Vec<Value>, present: &[Value]) -> Vec<Value> {
    let place = |index: usize| present.get(index).filter(|value| !value.is_null());
    let merged = edits.into_iter().enumerate();
    merged
        .filter_map(|(index, edit)| match edit {
            Value::Null => None,
            Value::Object(changes) if is_map(item) && !changes.is_empty() => {
                Some(Value::Object(changes))
            }
            Value::Object(changes) => match (place(index), item) {
                (Some(present), Kind::Object(object)) => {
                    Some(Value::Object(merge_element(object, changes, present)))
                }
                (Some(present), _) if changes.is_empty() => Some(present.clone()),
                (None, _) if changes.is_empty() => None,
                _ => Some(Value::Object(changes)),
            },
            value => Some(value),
        })
        .collect()
}

/// Whether it is an object that has names of the client's choice only, as a HTTP header has. Nothing in it stays.
fn is_map(kind: &Kind) -> bool {
    matches!(kind, Kind::Object(object) if object.properties.is_empty())
}

/// One element with its changes: the present members that a client may write, and above them the new ones.
fn merge_element(
    object: &ObjectType,
    mut changes: Map<String, Value>,
    present: &Value,
) -> Map<String, Value> {
    merge_members(object, &mut changes, present);
    let Value::Object(present) = present else {
        return changes;
    };
    let mut merged = writable(object, present);
    lay_over(&mut merged, changes);
    merged
}

/// Sets what `changes` name; objects in both are entered.
fn lay_over(object: &mut Map<String, Value>, changes: Map<String, Value>) {
    for (name, change) in changes {
        match (object.get_mut(&name), change) {
            (Some(Value::Object(inner)), Value::Object(changes)) => lay_over(inner, changes),
            (_, change) => {
                object.insert(name, change);
            }
        }
    }
}

/// The members of an object that a client may write.
fn writable(object: &ObjectType, present: &Map<String, Value>) -> Map<String, Value> {
    let kept = present.iter().filter_map(|(name, value)| {
        let value = match object.property(name) {
            Some(Property {
                kind: Kind::Object(inner),
                ..
            }) if value.is_object() => {
                let inner = writable(inner, value.as_object()?);
                (!inner.is_empty()).then_some(Value::Object(inner))?
            }
            Some(property) => property.permission.is_writable().then(|| value.clone())?,
            None => (!name.contains('@') && !is_closed(object)).then(|| value.clone())?,
        };
        Some((name.clone(), value))
    });
    kept.collect()
}

const fn is_closed(object: &ObjectType) -> bool {
    !object.is_open && object.dynamic.is_empty()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{check_patch, computer_system, ethernet_interface, event_destination};

    /// What `BootOrder` becomes.
    fn boot_order(edits: &Value, present: &Value) -> Vec<Value> {
        let body = json!({"Boot": {"BootOrder": edits}});
        let present = json!({"Boot": {"BootOrder": present}});
        let patch = check_patch(&computer_system::TYPE, &body).unwrap();
        let merged = patch.onto(&computer_system::TYPE, &present);
        merged
            .get("/Boot/BootOrder")
            .unwrap()
            .as_array()
            .unwrap()
            .clone()
    }

    /// Numbers that look random, the same in each run.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, end: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap() % end
        }

        fn words(&mut self, prefix: &str) -> Vec<Value> {
            let length = self.below(7);
            (0..length).map(|n| json!(format!("{prefix}{n}"))).collect()
        }

        fn edits(&mut self) -> Vec<Value> {
            let mut edits = self.words("new");
            for edit in &mut edits {
                match self.below(3) {
                    0 => *edit = json!({}),
                    1 => *edit = Value::Null,
                    _ => {}
                }
            }
            edits
        }
    }

    /// As the specification tells it, in three steps.
    fn in_three_steps(edits: &[Value], present: &[Value]) -> Vec<Value> {
        let known = edits.len().min(present.len());
        let mut array = present.to_vec();
        for (place, edit) in array.iter_mut().zip(edits) {
            if *edit != json!({}) {
                *place = edit.clone();
            }
        }
        array.truncate(known);
        array.retain(|element| !element.is_null());
        let added = edits[known..].iter().filter(|edit| edit.is_string());
        array.extend(added.cloned());
        array
    }

    #[test]
    fn edits_then_removals_then_additions() {
        let present = json!(["Chocolate", "Vanilla", "Mango", "Strawberry", null, null]);
        let edits = json!([{}, null, {}, "Cherry", "Coffee", "Banana"]);
        assert_eq!(
            boot_order(&edits, &present),
            ["Chocolate", "Mango", "Cherry", "Coffee", "Banana"]
        );
    }

    #[test]
    fn for_any_array_and_any_edits_the_result_is_that_of_the_three_steps() {
        let mut numbers = Numbers(20_260);
        for _ in 0..2000 {
            let (present, edits) = (numbers.words("old"), numbers.edits());
            let merged = boot_order(&json!(edits), &json!(present));
            assert_eq!(
                merged,
                in_three_steps(&edits, &present),
                "{edits:?} on {present:?}"
            );
            assert!(merged.len() <= edits.len());
            assert!(
                merged.iter().all(Value::is_string),
                "an edit is left: {merged:?}"
            );
        }
    }

    #[test]
    fn any_array_stays_with_empty_objects_and_goes_with_nulls_and_is_replaced_by_values() {
        let mut numbers = Numbers(7);
        for _ in 0..200 {
            let present = numbers.words("old");
            let as_many = |edit: Value| Value::Array(vec![edit; present.len()]);
            assert_eq!(boot_order(&as_many(json!({})), &json!(present)), present);
            assert!(boot_order(&as_many(Value::Null), &json!(present)).is_empty());
            let new = numbers.words("new");
            assert_eq!(boot_order(&json!(new), &json!(present)), new);
        }
    }

    #[test]
    fn an_object_in_an_array_changes_in_what_is_named_and_keeps_what_a_client_may_write() {
        let kind = &ethernet_interface::TYPE;
        let present = json!({"IPv4StaticAddresses": [{
            "Address": "10.0.0.5", "SubnetMask": "255.0.0.0", "Gateway": null, "AddressOrigin": "Static",
        }]});
        let merged = |edits: Value| {
            let patch = check_patch(kind, &json!({"IPv4StaticAddresses": edits})).unwrap();
            patch.onto(kind, &present).changes()["IPv4StaticAddresses"].clone()
        };
        assert_eq!(
            merged(json!([{"Gateway": "10.0.0.1"}])),
            json!([{"Address": "10.0.0.5", "SubnetMask": "255.0.0.0", "Gateway": "10.0.0.1"}])
        );
        assert_eq!(
            merged(json!([{}, {"Address": "10.0.0.6"}])),
            json!([
                {"Address": "10.0.0.5", "SubnetMask": "255.0.0.0", "Gateway": null},
                {"Address": "10.0.0.6"},
            ])
        );
        assert_eq!(merged(json!([null])), json!([]));
        assert_eq!(merged(json!([])), json!([]));
        assert_eq!(
            merged(json!([null, {}])),
            json!([]),
            "there is nothing to leave as it is"
        );
    }

    #[test]
    fn an_object_of_free_names_is_replaced_as_a_whole() {
        let kind = &event_destination::TYPE;
        let present = json!({"HttpHeaders": [{"X-One": "1"}, {"X-Two": "2"}]});
        let body = json!({"HttpHeaders": [{}, {"X-New": "3"}]});
        let merged = check_patch(kind, &body).unwrap().onto(kind, &present);
        assert_eq!(
            merged.changes()["HttpHeaders"],
            json!([{"X-One": "1"}, {"X-New": "3"}])
        );
    }

    #[test]
    fn objects_outside_of_arrays_stay_partial() {
        let kind = &computer_system::TYPE;
        let body = json!({"AssetTag": "x", "Boot": {"BootSourceOverrideTarget": "Pxe"}});
        let present = json!({"AssetTag": "y", "Boot": {"BootSourceOverrideMode": "UEFI"}});
        let merged = check_patch(kind, &body).unwrap().onto(kind, &present);
        assert_eq!(Value::Object(merged.changes().clone()), body);
    }

    #[test]
    fn what_is_left_out_is_gone_from_the_changes_and_told() {
        let body = json!({
            "AssetTag": "x",
            "Boot": {"BootSourceOverrideTarget": "Pxe", "BootOrder": ["a"]},
        });
        let mut patch = check_patch(&computer_system::TYPE, &body).unwrap();
        assert!(!patch.leave_out("/HostName"));
        assert!(!patch.leave_out(""));
        assert!(patch.leave_out("/Boot/BootOrder/0"));
        assert!(patch.get("/Boot/BootSourceOverrideTarget").is_some());
        assert!(patch.leave_out("/Boot/BootSourceOverrideTarget"));
        assert!(patch.get("/Boot").is_none(), "nothing is left in it");
        assert!(!patch.is_empty());
        assert!(patch.leave_out("/AssetTag"));
        assert!(patch.is_empty());
        let told: Vec<_> = patch.left_out().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "/Boot/BootOrder: read only",
                "/Boot/BootSourceOverrideTarget: read only",
                "/AssetTag: read only",
            ]
        );
    }
}
