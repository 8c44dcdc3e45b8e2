//! The rules for one value that isn't an object or array, the same in requests and responses.

use serde_json::Value;

use crate::problem::Problem;
use crate::table::{Kind, Pattern};
use crate::value::is_date_time;

static DURATION: Pattern = Pattern::new(r"^P(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$");
static GUID: Pattern =
    Pattern::new("^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$");

/// Checks a value that isn't `null` against a kind that isn't an object, array or reference; those
/// pass.
pub(crate) fn check(kind: &Kind, value: &Value) -> Result<(), Problem> {
    match kind {
        Kind::Boolean if !value.is_boolean() => wrong_type("a Boolean"),
        Kind::Integer { minimum, maximum } => match value.as_i64() {
            Some(number) => in_range(
                minimum.is_none_or(|minimum| number >= minimum)
                    && maximum.is_none_or(|maximum| number <= maximum),
                *minimum,
                *maximum,
            ),
            None => wrong_type("an integer"),
        },
        Kind::Number { minimum, maximum } => match value.as_f64() {
            Some(number) => in_range(
                minimum.is_none_or(|minimum| number >= minimum as f64)
                    && maximum.is_none_or(|maximum| number <= maximum as f64),
                *minimum,
                *maximum,
            ),
            None => wrong_type("a number"),
        },
        Kind::Primitive if value.is_object() || value.is_array() => {
            wrong_type("a string, number or Boolean")
        }
        Kind::String { .. }
        | Kind::Uri
        | Kind::DateTime
        | Kind::Duration
        | Kind::Guid
        | Kind::Enumeration(_) => match value.as_str() {
            Some(text) => check_text(kind, text),
            None => wrong_type("a string"),
        },
        _ => Ok(()),
    }
}

fn wrong_type(expected: &'static str) -> Result<(), Problem> {
    Err(Problem::WrongType { expected })
}

const fn in_range(holds: bool, minimum: Option<i64>, maximum: Option<i64>) -> Result<(), Problem> {
    if holds {
        Ok(())
    } else {
        Err(Problem::OutOfRange { minimum, maximum })
    }
}

fn check_text(kind: &Kind, text: &str) -> Result<(), Problem> {
    let (holds, expected) = match kind {
        Kind::String {
            pattern: Some(pattern),
        } => (pattern.matches(text), pattern.source()),
        Kind::Uri => (is_uri(text), "a URI"),
        Kind::DateTime => (is_date_time(text), "YYYY-MM-DDThh:mm:ssZ"),
        Kind::Duration => {
            // Each part may be absent, but not all of them, nor all of those after the T.
            (
                DURATION.matches(text) && !text.ends_with(['P', 'T']),
                "PnDTnHnMnS",
            )
        }
        Kind::Guid => (GUID.matches(text), "a UUID"),
        Kind::Enumeration(list) if !list.contains(text) => return Err(Problem::NotInList(list)),
        _ => return Ok(()),
    };
    if holds {
        Ok(())
    } else {
        Err(Problem::BadFormat { expected })
    }
}

/// Whether `text` has only characters that a URI reference may have; braces too, since metric
/// properties have wildcards in braces.
fn is_uri(text: &str) -> bool {
    !text.contains(|c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '\\' | '^' | '`' | '|')
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_pattern_of_the_tables_and_of_this_file_compiles() {
        fn patterns(kind: &Kind, found: &mut Vec<&'static Pattern>) {
            match kind {
                Kind::String {
                    pattern: Some(pattern),
                } => found.push(pattern),
                Kind::Array { item, .. } => patterns(item, found),
                Kind::Object(object) => {
                    for property in object.properties {
                        // An object type can hold itself: look only at its own values here.
                        if !matches!(property.kind, Kind::Object(_)) {
                            patterns(&property.kind, found);
                        }
                    }
                    found.extend(object.dynamic.iter().map(|dynamic| dynamic.name));
                }
                _ => {}
            }
        }
        let mut found = vec![&DURATION, &GUID];
        for resource in crate::table::all() {
            for property in resource.properties() {
                patterns(&property.kind, &mut found);
            }
        }
        assert!(found.len() > 10, "the walk reaches patterns");
        for pattern in found {
            assert!(pattern.regex().is_some(), "{pattern:?}");
        }
    }

    #[test]
    fn a_value_of_another_json_type_is_told_apart_from_a_bad_value() {
        let percent = Kind::integer(Some(0), Some(100));
        assert!(check(&percent, &json!(100)).is_ok());
        assert!(matches!(
            check(&percent, &json!(101)),
            Err(Problem::OutOfRange { .. })
        ));
        assert!(matches!(
            check(&percent, &json!(-1)),
            Err(Problem::OutOfRange { .. })
        ));
        assert!(matches!(
            check(&percent, &json!("5")),
            Err(Problem::WrongType { .. })
        ));
        assert!(matches!(
            check(&percent, &json!(5.5)),
            Err(Problem::WrongType { .. })
        ));
        assert!(check(&Kind::NUMBER, &json!(5.5)).is_ok());
        assert!(matches!(
            check(&Kind::Boolean, &json!("true")),
            Err(Problem::WrongType { .. })
        ));
        assert!(matches!(
            check(&Kind::Primitive, &json!([])),
            Err(Problem::WrongType { .. })
        ));
    }

    #[test]
    fn formats_are_those_of_the_specification() {
        for (kind, good, bad) in [
            (Kind::Duration, "P1DT2H3M4.5S", "1 hour"),
            (Kind::Duration, "PT0S", "P"),
            (Kind::Duration, "PT5M", "PT"),
            (Kind::Duration, "P2D", "P1Y"),
            (
                Kind::Guid,
                "38947555-7742-3448-3784-823347823834",
                "38947555",
            ),
            (Kind::DateTime, "2026-01-31T12:00:00+01:00", "2026-01-31"),
            (Kind::Uri, "/redfish/v1/Systems/1#/Boot", "not a URI"),
        ] {
            assert!(check(&kind, &json!(good)).is_ok(), "{good}");
            assert!(
                matches!(check(&kind, &json!(bad)), Err(Problem::BadFormat { .. })),
                "{bad}"
            );
        }
    }
}
