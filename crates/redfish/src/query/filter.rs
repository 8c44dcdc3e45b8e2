//! `$filter`: which members of a collection (DSP0266 "The $filter query parameter").
//!
//! ```text
//! expression = both { "or" both }           both    = one { "and" one }
//! one        = "not" negated | "(" expression ")" | property | compared operator compared
//! negated    = "not" negated | "(" expression ")" | property
//! compared   = property | literal           (one of each)
//! ```
//!
//! `not` binds more strongly than a comparison, so a comparison after it needs brackets. A [`Filter`] is only a form;
//! [`Filter::bind`] checks it against the schema of the members, and the [`BoundFilter`] decides.

use std::cmp::Ordering;

use redfish_schema::{DateTime, EnumType, Kind, ObjectType, ResourceType};
use serde_json::Value;
use serde_json::value::RawValue;

use super::json::Members;
use super::lexer::{Lexer, Token};
use crate::error::Error;
use crate::fault::shorten;
use crate::message::{self, Message};

/// The longest `$filter`, in bytes, without percent-encoding.
pub const MAX_FILTER_BYTES: usize = 1000;
/// How deep brackets and `not` of a `$filter` may nest.
pub const MAX_FILTER_DEPTH: usize = 16;

/// An expression whose form is right.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filter(Test);

/// An expression that fits the members of a collection.
#[derive(Debug)]
pub(crate) struct BoundFilter<'a>(&'a Test);

/// What can be true of a member.
#[derive(Debug, Clone, PartialEq)]
enum Test {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    /// A comparison; a property that stands by itself is compared with `true`.
    Compare {
        path: Vec<String>,
        operator: Operator,
        literal: Literal,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Text(String),
    Number(f64),
    Boolean(bool),
    Null,
}

/// What the schema says that a property holds, as far as comparing goes.
#[derive(Clone, Copy)]
enum Holds {
    Text,
    Word(&'static EnumType),
    Time,
    Number,
    Boolean,
    /// An OEM property: anything.
    Anything,
}

impl Operator {
    pub(super) const ALL: [(&'static str, Self); 6] = [
        ("eq", Self::Eq),
        ("ne", Self::Ne),
        ("gt", Self::Gt),
        ("ge", Self::Ge),
        ("lt", Self::Lt),
        ("le", Self::Le),
    ];

    /// Whether it asks for an order and not only for equality.
    const fn orders(self) -> bool {
        !matches!(self, Self::Eq | Self::Ne)
    }

    /// The operator that says the same with both sides exchanged.
    const fn mirrored(self) -> Self {
        match self {
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            same => same,
        }
    }

    const fn accepts(self, ordering: Ordering) -> bool {
        match self {
            Self::Eq => ordering.is_eq(),
            Self::Ne => ordering.is_ne(),
            Self::Gt => ordering.is_gt(),
            Self::Ge => ordering.is_ge(),
            Self::Lt => ordering.is_lt(),
            Self::Le => ordering.is_le(),
        }
    }
}

impl Filter {
    /// Reads the form of an expression.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_FILTER_BYTES {
            let why = format!("Write at most {MAX_FILTER_BYTES} bytes.");
            return Err(malformed(text, &why));
        }
        let mut parser = Parser {
            lexer: Lexer::new(text),
            depth: 0,
        };
        let test = parser.expression()?;
        match parser.lexer.next()? {
            None => Ok(Self(test)),
            Some(token) => Err(parser.unexpected(&token, "'and', 'or' or the end")),
        }
    }

    /// Checks every property and literal against the schema of the members.
    pub(crate) fn bind(&self, member: &'static ResourceType) -> Result<BoundFilter<'_>, Error> {
        check(&self.0, member)?;
        Ok(BoundFilter(&self.0))
    }
}

impl BoundFilter<'_> {
    /// Whether the member with this document is one of those that are asked for.
    pub(crate) fn accepts(&self, json: &str) -> bool {
        let Ok(members) = serde_json::from_str::<Members<'_>>(json) else {
            return false;
        };
        holds(self.0, &members)
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    depth: usize,
}

/// One side of a comparison.
enum Side {
    Path(Vec<String>),
    Literal(Literal),
}

impl Parser<'_> {
    fn expression(&mut self) -> Result<Test, Error> {
        let mut tests = vec![self.both()?];
        while self.lexer.take_word("or")? {
            tests.push(self.both()?);
        }
        Ok(several(tests, Test::Any))
    }

    fn both(&mut self) -> Result<Test, Error> {
        let mut tests = vec![self.one(false)?];
        while self.lexer.take_word("and")? {
            tests.push(self.one(false)?);
        }
        Ok(several(tests, Test::All))
    }

    fn one(&mut self, negated: bool) -> Result<Test, Error> {
        if self.lexer.take_word("not")? {
            self.deeper()?;
            let test = self.one(true)?;
            self.depth -= 1;
            return Ok(Test::Not(Box::new(test)));
        }
        if self.lexer.take(&Token::Open)? {
            self.deeper()?;
            let test = self.expression()?;
            self.depth -= 1;
            return match self.lexer.next()? {
                Some(Token::Close) => Ok(test),
                Some(token) => Err(self.unexpected(&token, "')'")),
                None => Err(self.lexer.malformed("Close every bracket.")),
            };
        }
        let left = self.side()?;
        match (left, self.lexer.take_operator()?) {
            (_, Some(_)) if negated => {
                let why = "Put the comparison after 'not' in brackets: not (Name eq 'x').";
                Err(self.lexer.malformed(why))
            }
            (Side::Path(path), None) => Ok(Test::Compare {
                path,
                operator: Operator::Eq,
                literal: Literal::Boolean(true),
            }),
            (Side::Literal(_), None) => Err(self.lexer.malformed("Compare with a property.")),
            (left, Some(operator)) => match (left, self.side()?) {
                (Side::Path(path), Side::Literal(literal)) => Ok(Test::Compare {
                    path,
                    operator,
                    literal,
                }),
                (Side::Literal(literal), Side::Path(path)) => Ok(Test::Compare {
                    path,
                    operator: operator.mirrored(),
                    literal,
                }),
                _ => {
                    let why = "Compare a property with a literal; text stands in single quotes.";
                    Err(self.lexer.malformed(why))
                }
            },
        }
    }

    fn side(&mut self) -> Result<Side, Error> {
        match self.lexer.next()? {
            Some(Token::Literal(literal)) => Ok(Side::Literal(literal)),
            Some(Token::Word(word)) => {
                if self.lexer.peek()? == Some(&Token::Open) {
                    // A function: OData has them, Redfish doesn't.
                    return Err(Error::UnknownQuery(format!("$filter={word}()")));
                }
                Ok(Side::Path(word.split('/').map(str::to_owned).collect()))
            }
            Some(token) => Err(self.unexpected(&token, "a property or a literal")),
            None => Err(self
                .lexer
                .malformed("A property or a literal is missing at the end.")),
        }
    }

    fn deeper(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_FILTER_DEPTH {
            let why = format!("Nest brackets and 'not' at most {MAX_FILTER_DEPTH} deep.");
            return Err(self.lexer.malformed(&why));
        }
        Ok(())
    }

    fn unexpected(&self, token: &Token<'_>, expected: &str) -> Error {
        let operator = ["has", "in", "add", "sub", "mul", "div", "divby", "mod"];
        match token {
            Token::Word(word) if operator.contains(word) => {
                Error::UnknownQuery(format!("$filter={word}"))
            }
            token => {
                let why = format!("Write {expected} in place of {token}.");
                self.lexer.malformed(&why)
            }
        }
    }
}

fn several(mut tests: Vec<Test>, join: fn(Vec<Test>) -> Test) -> Test {
    match tests.len() {
        1 => tests.remove(0),
        _ => join(tests),
    }
}

/// The error for an expression without the right form.
pub(super) fn malformed(text: &str, why: &str) -> Error {
    let shown = shorten(text.to_owned());
    explained(
        message::query_parameter_value_format_error(shown, "$filter"),
        why,
    )
}

fn explained(message: Message, why: &str) -> Error {
    message.with_resolution(why).into()
}

/// Whether every comparison of `test` can be made with such a member.
fn check(test: &Test, member: &'static ResourceType) -> Result<(), Error> {
    match test {
        Test::All(tests) | Test::Any(tests) => {
            tests.iter().try_for_each(|test| check(test, member))
        }
        Test::Not(test) => check(test, member),
        Test::Compare {
            path,
            operator,
            literal,
        } => fits(find(path, member)?, *operator, literal, path),
    }
}

/// What the property at `path` holds.
fn find(path: &[String], member: &'static ResourceType) -> Result<Holds, Error> {
    let written = path.join("/");
    let wrong = |why: &str| Err(malformed(&written, why));
    let mut object: &'static ObjectType = member.object;
    for (index, name) in path.iter().enumerate() {
        if name.contains('@') {
            return Ok(Holds::Anything);
        }
        let dynamic = || {
            object
                .dynamic
                .iter()
                .find(|dynamic| dynamic.name.matches(name))
        };
        let kind = match (object.property(name), dynamic()) {
            (Some(property), _) => &property.kind,
            (None, Some(dynamic)) => &dynamic.kind,
            (None, None) if object.is_open => return Ok(Holds::Anything),
            (None, None) => {
                let why = format!("{} has no property {}.", object.name, shorten(name.clone()));
                return wrong(&why);
            }
        };
        let is_last = index + 1 == path.len();
        match kind {
            Kind::Object(inner) if !is_last => object = inner,
            Kind::Reference(_) if path.get(index + 1).is_some_and(|next| next == "@odata.id") => {}
            Kind::Object(_) | Kind::Reference(_) => {
                return wrong("Name a property inside of this object, with a slash between them.");
            }
            Kind::Array { .. } => return wrong("An array can't be compared."),
            _ if !is_last => return wrong("What stands before the slash is no object."),
            Kind::Boolean => return Ok(Holds::Boolean),
            Kind::Integer { .. } | Kind::Number { .. } => return Ok(Holds::Number),
            Kind::DateTime => return Ok(Holds::Time),
            Kind::Enumeration(words) => return Ok(Holds::Word(words)),
            Kind::String { .. } | Kind::Uri | Kind::Duration | Kind::Guid => {
                return Ok(Holds::Text);
            }
            Kind::Primitive => return Ok(Holds::Anything),
        }
    }
    wrong("Name a property.")
}

/// Whether a property that holds this can be compared so.
fn fits(holds: Holds, operator: Operator, literal: &Literal, path: &[String]) -> Result<(), Error> {
    let path = path.join("/");
    let mismatch = |why: &str| {
        let shown = shorten(literal.to_string());
        let message = message::query_parameter_value_type_error(shown, "$filter");
        Err(explained(message, &format!("{path}: {why}")))
    };
    match (holds, literal) {
        (_, Literal::Null | Literal::Boolean(_)) if operator.orders() => {
            mismatch("Compare true, false and null with eq or ne.")
        }
        (Holds::Word(_), _) if operator.orders() => {
            mismatch("Compare a word of a list with eq or ne.")
        }
        (Holds::Word(list), Literal::Text(word)) if !list.contains(word) => {
            mismatch(&format!("Choose one of: {}.", list.members.join(", ")))
        }
        (Holds::Time, Literal::Text(time)) if DateTime::parse(time).is_none() => mismatch(
            "Write a time as '2026-01-31T12:34:56Z' or with an offset, whose + is %2B in a URI.",
        ),
        (Holds::Anything, _)
        | (_, Literal::Null)
        | (Holds::Text | Holds::Word(_) | Holds::Time, Literal::Text(_))
        | (Holds::Number, Literal::Number(_))
        | (Holds::Boolean, Literal::Boolean(_)) => Ok(()),
        (Holds::Text | Holds::Word(_) | Holds::Time, _) => mismatch("Write text in single quotes."),
        (Holds::Number, _) => mismatch("Write a number."),
        (Holds::Boolean, _) => mismatch("Write true or false."),
    }
}

fn holds(test: &Test, member: &Members<'_>) -> bool {
    match test {
        Test::All(tests) => tests.iter().all(|test| holds(test, member)),
        Test::Any(tests) => tests.iter().any(|test| holds(test, member)),
        Test::Not(test) => !holds(test, member),
        Test::Compare {
            path,
            operator,
            literal,
        } => {
            let value = path
                .split_first()
                .and_then(|(first, rest)| value_at(member.get(first)?, rest));
            compare(&value.unwrap_or(Value::Null), *operator, literal)
        }
    }
}

/// The value at `path` below `value`; only what lies on the way is read.
fn value_at(value: &RawValue, path: &[String]) -> Option<Value> {
    match path.split_first() {
        None => serde_json::from_str(value.get()).ok(),
        Some((first, rest)) => {
            let members: Members<'_> = serde_json::from_str(value.get()).ok()?;
            value_at(members.get(first)?, rest)
        }
    }
}

/// Compares as OData does: what is absent or null equals null only, and is neither less nor more than anything.
fn compare(value: &Value, operator: Operator, literal: &Literal) -> bool {
    let ordering = match (value, literal) {
        (Value::Null, Literal::Null) => Some(Ordering::Equal),
        (Value::Bool(value), Literal::Boolean(literal)) => Some(value.cmp(literal)),
        (Value::Number(value), Literal::Number(literal)) => {
            value.as_f64().and_then(|value| value.partial_cmp(literal))
        }
        (Value::String(value), Literal::Text(literal)) => {
            match (DateTime::parse(value), DateTime::parse(literal)) {
                (Some(value), Some(literal)) => Some(value.cmp(&literal)),
                _ => Some(value.as_str().cmp(literal)),
            }
        }
        _ => None,
    };
    match ordering {
        Some(ordering) => operator.accepts(ordering),
        None => operator == Operator::Ne,
    }
}

#[cfg(test)]
mod tests {
    use redfish_schema::{computer_system, log_entry};

    use super::*;

    const SYSTEM: &str = r##"{"@odata.id":"/redfish/v1/Systems/1","Name":"Bob's","PowerState":"On",
        "SystemType":"Physical","LocationIndicatorActive":false,"AssetTag":null,
        "ProcessorSummary":{"Count":2},"MemorySummary":{"TotalSystemMemoryGiB":96.5},
        "LastResetTime":"2026-01-31T12:00:00Z","Oem":{"Us":{"Rank":3}}}"##;

    fn accepts(filter: &str) -> bool {
        let parsed = Filter::parse(filter).unwrap_or_else(|error| panic!("{filter}: {error:?}"));
        let bound = parsed.bind(&computer_system::TYPE);
        bound
            .unwrap_or_else(|error| panic!("{filter}: {error:?}"))
            .accepts(SYSTEM)
    }

    /// The message that refuses a filter.
    fn refusal(filter: &str) -> &'static str {
        let bound = Filter::parse(filter).and_then(|filter| {
            let bound = filter.bind(&computer_system::TYPE);
            bound.map(|_| ())
        });
        match bound {
            Err(Error::Faults(messages)) => {
                assert_eq!(messages[0].args().last().unwrap(), "$filter");
                messages[0].key()
            }
            Err(Error::UnknownQuery(_)) => "QueryParameterUnsupported",
            other => panic!("{filter}: {other:?}"),
        }
    }

    #[test]
    fn comparisons_of_every_type_and_operator() {
        for (filter, expected) in [
            ("PowerState eq 'On'", true),
            ("PowerState ne 'On'", false),
            ("'On' eq PowerState", true),
            ("Name eq 'Bob''s'", true),
            ("Name gt 'Boa' and Name lt 'Boc'", true),
            (
                "ProcessorSummary/Count ge 2 and ProcessorSummary/Count le 2",
                true,
            ),
            (
                "ProcessorSummary/Count gt 2 or ProcessorSummary/Count lt 2",
                false,
            ),
            ("3 gt ProcessorSummary/Count", true),
            ("MemorySummary/TotalSystemMemoryGiB eq 9.65e1", true),
            ("LocationIndicatorActive eq false", true),
            ("LocationIndicatorActive", false),
            ("not LocationIndicatorActive", true),
            ("LastResetTime eq '2026-01-31T14:00:00.000+02:00'", true),
            ("LastResetTime gt '2026-01-31T13:59:59+02:00'", true),
            ("Oem/Us/Rank gt 2", true),
            ("@odata.id eq '/redfish/v1/Systems/1'", true),
        ] {
            assert_eq!(accepts(filter), expected, "{filter}");
        }
    }

    #[test]
    fn what_is_absent_equals_null_and_nothing_else() {
        for (filter, expected) in [
            ("AssetTag eq null", true),
            ("AssetTag ne null", false),
            ("Model eq null", true),
            ("Status/Health eq null", true),
            ("Status/Health eq 'OK'", false),
            ("Status/Health ne 'OK'", true),
            ("not (Status/Health eq 'OK')", true),
            ("Model lt 'x'", false),
            ("Model ge ''", false),
            ("PowerState ne null", true),
        ] {
            assert_eq!(accepts(filter), expected, "{filter}");
        }
    }

    #[test]
    fn and_binds_more_strongly_than_or_and_brackets_most() {
        let (yes, no) = ("PowerState eq 'On'", "PowerState eq 'Off'");
        for (filter, expected) in [
            (format!("{yes} or {no} and {no}"), true),
            (format!("({yes} or {no}) and {no}"), false),
            (format!("not ({no}) and {yes}"), true),
            (format!("not ({no} or {yes})"), false),
            (format!("not not ({yes})"), true),
            (format!("((({yes})))"), true),
            (format!("{no} or {no} or {yes}"), true),
        ] {
            assert_eq!(accepts(&filter), expected, "{filter}");
        }
    }

    #[test]
    fn a_filter_without_the_right_form_is_refused() {
        for filter in [
            "",
            "eq",
            "PowerState eq",
            "PowerState eq 'On",
            "PowerState eq 'On' and",
            "PowerState eq 'On')",
            "(PowerState eq 'On'",
            "PowerState eq 'On' 'Off'",
            "PowerState = 'On'",
            "PowerState eq Off",
            "'a' eq 'a'",
            "true",
            "not PowerState eq 'On'",
            "ProcessorSummary/Count eq 2 eq true",
            "ProcessorSummary/Count eq 1.",
            "ProcessorSummary/Count eq 0x2",
            "ProcessorSummary//Count eq 2",
            "/PowerState eq 'On'",
            "PowerState eq \"On\"",
            "()",
        ] {
            assert_eq!(
                refusal(filter),
                "QueryParameterValueFormatError",
                "{filter}"
            );
        }
    }

    #[test]
    fn a_property_that_no_member_can_have_is_refused() {
        for filter in [
            "Powerstate eq 'On'",
            "ProcessorSummary eq 2",
            "ProcessorSummary/Cores/Count eq 2",
            "PowerState/Health eq 'OK'",
            "Links/Chassis eq null",
            "Bios eq null",
        ] {
            assert_eq!(
                refusal(filter),
                "QueryParameterValueFormatError",
                "{filter}"
            );
        }
        assert!(!accepts("Bios/@odata.id eq '/x'"));
    }

    #[test]
    fn a_literal_of_another_type_is_refused() {
        for filter in [
            "PowerState eq 'on'",
            "PowerState eq 1",
            "PowerState gt 'On'",
            "Name eq true",
            "ProcessorSummary/Count eq '2'",
            "ProcessorSummary/Count gt null",
            "LocationIndicatorActive eq 'true'",
            "LocationIndicatorActive gt false",
            "LastResetTime gt 'yesterday'",
            "LastResetTime gt '2026-01-31T12:00:00 02:00'",
            "Name",
        ] {
            assert_eq!(refusal(filter), "QueryParameterValueTypeError", "{filter}");
        }
    }

    #[test]
    fn what_odata_has_and_redfish_does_not_is_unsupported() {
        for filter in [
            "contains(Name,'x')",
            "ProcessorSummary/Count add 1 eq 3",
            "PowerState in ('On','Off')",
        ] {
            assert_eq!(refusal(filter), "QueryParameterUnsupported", "{filter}");
        }
    }

    #[test]
    fn length_and_depth_are_bounded() {
        let nested = |depth| {
            format!(
                "{}PowerState eq 'On'{}",
                "(".repeat(depth),
                ")".repeat(depth)
            )
        };
        assert!(accepts(&nested(MAX_FILTER_DEPTH)));
        assert_eq!(
            refusal(&nested(MAX_FILTER_DEPTH + 1)),
            "QueryParameterValueFormatError"
        );
        let nots = "not ".repeat(MAX_FILTER_DEPTH + 1) + "LocationIndicatorActive";
        assert_eq!(refusal(&nots), "QueryParameterValueFormatError");
        let long = |length: usize| format!("Name eq '{}'", "x".repeat(length - 10));
        assert!(!accepts(&long(MAX_FILTER_BYTES)));
        assert_eq!(
            refusal(&long(MAX_FILTER_BYTES + 1)),
            "QueryParameterValueFormatError"
        );
    }

    #[test]
    fn a_log_is_filtered_by_time_and_severity() {
        let filter = "Created ge '2026-01-01T00:00:00Z' and (Severity eq 'Critical' or Severity eq 'Warning')";
        let filter = Filter::parse(filter).unwrap();
        let bound = filter.bind(&log_entry::TYPE).unwrap();
        let entry = |created, severity| {
            bound.accepts(&format!(
                r#"{{"Created":"{created}","Severity":"{severity}"}}"#
            ))
        };
        assert!(entry("2026-01-01T01:00:00+01:00", "Warning"));
        assert!(!entry("2025-12-31T23:59:59.999Z", "Warning"));
        assert!(!entry("2026-02-01T00:00:00Z", "OK"));
    }
}
