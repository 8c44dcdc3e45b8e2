//! `$filter` of a stream of events (DSP0266 "Server-sent events").
//!
//! ```text
//! expression = both { "or" both }      both = one { "and" one }
//! one        = "(" expression ")" | property ( "eq" | "ne" ) value
//! value      = 'text' | word | true | false
//! ```

use redfish_schema::event_destination::EventFormatType;
use redfish_schema::resource_type;

use super::filter::{Literal, MAX_FILTER_BYTES, MAX_FILTER_DEPTH, Operator, malformed};
use super::lexer::{Lexer, Token};
use super::{decode, set_once};
use crate::error::Error;
use crate::event::{Content, MessageRef, is_at};
use crate::fault::shorten;
use crate::message::REGISTRIES;

/// What a stream tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventQuery {
    test: Test,
    /// Whether what is below an `OriginResource` counts too: it holds for the whole expression, wherever it stands.
    below: bool,
    /// Whether metric reports are told of. Who doesn't ask for them gets events only.
    reports: bool,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    All(Vec<Self>),
    Any(Vec<Self>),
    Is {
        property: Property,
        value: String,
        /// `ne`
        negated: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Property {
    EventFormatType,
    EventType,
    MessageId,
    MetricReportDefinition,
    OriginResource,
    RegistryPrefix,
    ResourceType,
    SubordinateResources,
}

impl Property {
    const ALL: [(&'static str, Self); 8] = [
        ("EventFormatType", Self::EventFormatType),
        ("EventType", Self::EventType),
        ("MessageId", Self::MessageId),
        ("MetricReportDefinition", Self::MetricReportDefinition),
        ("OriginResource", Self::OriginResource),
        ("RegistryPrefix", Self::RegistryPrefix),
        ("ResourceType", Self::ResourceType),
        ("SubordinateResources", Self::SubordinateResources),
    ];

    /// Why an event can't have this value, if it can't.
    fn refuses(self, value: &str) -> Option<&'static str> {
        let (fits, why) = match self {
            Self::EventFormatType => (
                EventFormatType::from_word(value).is_some(),
                "EventFormatType is Event or MetricReport.",
            ),
            Self::EventType => (
                redfish_schema::event::EventType::from_word(value).is_some(),
                "EventType is one of the words of the schema Event.",
            ),
            Self::MessageId => (
                MessageRef::of(value).is_known(),
                "No registry of the service has this message: see /redfish/v1/Registries.",
            ),
            Self::MetricReportDefinition => (
                crate::Path::parse(value).is_ok(),
                "MetricReportDefinition is a path, '/redfish/v1/TelemetryService/MetricReportDefinitions/1'.",
            ),
            Self::OriginResource => (
                crate::Path::parse(value).is_ok(),
                "OriginResource is a path, '/redfish/v1/Systems/1'.",
            ),
            Self::RegistryPrefix => (
                REGISTRIES.iter().any(|registry| registry.prefix == value),
                "The service sends no messages of this registry: see /redfish/v1/Registries.",
            ),
            Self::ResourceType => (
                resource_type(value).is_some(),
                "ResourceType is the name of a type without a version, 'Sensor'.",
            ),
            Self::SubordinateResources => (
                matches!(value, "true" | "false"),
                "SubordinateResources is true or false.",
            ),
        };
        (!fits).then_some(why)
    }

    /// Whether what is published has this value. A metric report has no message and no origin.
    fn is(self, value: &str, content: &Content, below: bool) -> bool {
        let record = match content {
            Content::Event(record) => record,
            Content::Report { definition, .. } => {
                return match self {
                    Self::SubordinateResources => true,
                    Self::EventFormatType => value == EventFormatType::MetricReport.as_str(),
                    Self::MetricReportDefinition => definition.as_deref() == Some(value),
                    _ => false,
                };
            }
        };
        match self {
            Self::SubordinateResources => true,
            Self::EventFormatType => value == EventFormatType::Event.as_str(),
            Self::MetricReportDefinition => false,
            Self::EventType => record.event_type == *value,
            Self::MessageId => MessageRef::of(value).is_of(&record.message_id),
            Self::RegistryPrefix => MessageRef::prefix_of(&record.message_id) == Some(value),
            Self::ResourceType => record.resource_type.as_deref() == Some(value),
            Self::OriginResource => {
                let origin = record.origin.as_deref();
                origin.is_some_and(|origin| is_at(origin, value, below))
            }
        }
    }
}

impl EventQuery {
    /// Reads the part of a URI after the question mark: `$filter`, and nothing else that begins with `$`.
    pub(crate) fn parse(query: Option<&str>) -> Result<Option<Self>, Error> {
        let mut found = None;
        for parameter in query
            .unwrap_or_default()
            .split('&')
            .filter(|text| !text.is_empty())
        {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match decode(name, name)?.as_str() {
                "$filter" => {
                    let text = decode(&value.replace('+', " "), "$filter")?;
                    set_once(&mut found, Self::read(text)?)?;
                }
                unknown if unknown.starts_with('$') => {
                    return Err(Error::UnknownQuery(shorten(unknown.to_owned())));
                }
                _ => {}
            }
        }
        Ok(found)
    }

    fn read(text: String) -> Result<Self, Error> {
        if text.len() > MAX_FILTER_BYTES {
            let why = format!("Write at most {MAX_FILTER_BYTES} bytes.");
            return Err(malformed(&text, &why));
        }
        let mut parser = Parser {
            lexer: Lexer::new(&text),
            depth: 0,
            below: false,
            reports: false,
        };
        let test = parser.expression()?;
        if parser.lexer.next()?.is_some() {
            return Err(parser
                .lexer
                .malformed("Write 'and' or 'or' between two comparisons."));
        }
        let (below, reports) = (parser.below, parser.reports);
        Ok(Self {
            test,
            below,
            reports,
            text,
        })
    }

    /// As it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the stream tells of it.
    pub(crate) fn accepts(&self, content: &Content) -> bool {
        (self.reports || content.event().is_some()) && self.test.holds(content, self.below)
    }
}

impl Test {
    /// Whether it chooses nothing.
    fn is_empty(&self) -> bool {
        match self {
            Self::All(tests) | Self::Any(tests) => tests.iter().all(Self::is_empty),
            Self::Is { property, .. } => *property == Property::SubordinateResources,
        }
    }

    fn holds(&self, content: &Content, below: bool) -> bool {
        match self {
            Self::All(tests) => tests.iter().all(|test| test.holds(content, below)),
            Self::Any(tests) => tests.iter().any(|test| test.holds(content, below)),
            Self::Is {
                property,
                value,
                negated,
            } => property.is(value, content, below) != *negated,
        }
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    depth: usize,
    below: bool,
    reports: bool,
}

impl Parser<'_> {
    fn expression(&mut self) -> Result<Test, Error> {
        let mut tests = vec![self.both()?];
        while self.lexer.take_word("or")? {
            tests.push(self.both()?);
        }
        // SubordinateResources chooses nothing: it must not make an "or" true.
        if tests.iter().any(|test| !test.is_empty()) {
            tests.retain(|test| !test.is_empty());
        }
        Ok(Test::Any(tests))
    }

    fn both(&mut self) -> Result<Test, Error> {
        let mut tests = vec![self.one()?];
        while self.lexer.take_word("and")? {
            tests.push(self.one()?);
        }
        tests.retain(|test| !test.is_empty());
        Ok(Test::All(tests))
    }

    fn one(&mut self) -> Result<Test, Error> {
        if !self.lexer.take(&Token::Open)? {
            return self.comparison();
        }
        self.depth += 1;
        if self.depth > MAX_FILTER_DEPTH {
            let why = format!("Nest brackets at most {MAX_FILTER_DEPTH} deep.");
            return Err(self.lexer.malformed(&why));
        }
        let test = self.expression()?;
        self.depth -= 1;
        if self.lexer.take(&Token::Close)? {
            Ok(test)
        } else {
            Err(self.lexer.malformed("Close every bracket."))
        }
    }

    fn comparison(&mut self) -> Result<Test, Error> {
        let names = Property::ALL.map(|(name, _)| name).join(", ");
        let property = match self.lexer.next()? {
            Some(Token::Word(word)) => Property::ALL.iter().find(|(name, _)| *name == word),
            _ => None,
        };
        let Some(&(_, property)) = property else {
            let why = format!("Compare one of these with eq or ne: {names}.");
            return Err(self.lexer.malformed(&why));
        };
        let negated = match self.lexer.take_operator()? {
            Some(Operator::Eq) => false,
            Some(Operator::Ne) => true,
            _ => return Err(self.lexer.malformed("Events are compared with eq and ne.")),
        };
        let value = match self.lexer.next()? {
            Some(Token::Literal(Literal::Text(text))) => text,
            Some(Token::Literal(Literal::Boolean(boolean))) => boolean.to_string(),
            // DSP0266 writes some of its examples without quotes.
            Some(Token::Word(word)) => word.to_owned(),
            _ => return Err(self.lexer.malformed("Text stands in single quotes.")),
        };
        if let Some(why) = property.refuses(&value) {
            return Err(malformed(&value, why));
        }
        if property == Property::SubordinateResources {
            self.below |= (value == "true") != negated;
        }
        self.reports |= matches!(
            property,
            Property::EventFormatType | Property::MetricReportDefinition
        );
        Ok(Test::Is {
            property,
            value,
            negated,
        })
    }
}

#[cfg(test)]
mod tests {
    use redfish_schema::DateTime;

    use super::*;
    use crate::Event;
    use crate::event::Record;
    use crate::message::sensor_event;

    fn hot() -> Content {
        let event = Event {
            message: sensor_event::reading_above_upper_critical_threshold(
                "Inlet", "61", "Cel", "60",
            ),
            origin: Some("/redfish/v1/Chassis/1/Sensors/Inlet".to_owned()),
            resource_type: Some("Sensor"),
        };
        Content::Event(Record::of(&event, DateTime::from_unix_ms(0)))
    }

    fn query(text: &str) -> Result<EventQuery, Error> {
        EventQuery::read(text.to_owned())
    }

    #[test]
    fn each_property_chooses_by_its_value() {
        for (text, expected) in [
            ("RegistryPrefix eq 'SensorEvent'", true),
            ("RegistryPrefix eq ResourceEvent", false),
            ("RegistryPrefix ne 'ResourceEvent'", true),
            (
                "MessageId eq 'SensorEvent.1.0.ReadingAboveUpperCriticalThreshold'",
                true,
            ),
            ("MessageId eq 'SensorEvent.SensorRestored'", false),
            ("ResourceType eq 'Sensor'", true),
            ("ResourceType eq 'Fan'", false),
            ("EventFormatType eq Event", true),
            ("EventType eq 'Alert'", true),
            ("EventType eq 'StatusChange'", false),
            (
                "OriginResource eq '/redfish/v1/Chassis/1/Sensors/Inlet'",
                true,
            ),
            ("OriginResource eq '/redfish/v1/Chassis/1'", false),
            (
                "OriginResource eq '/redfish/v1/Chassis/1' and SubordinateResources eq true",
                true,
            ),
            (
                "(SubordinateResources eq true) and (OriginResource eq '/redfish/v1/Chassis/2')",
                false,
            ),
            (
                "OriginResource eq '/redfish/v1/Chassis/1' and SubordinateResources eq false",
                false,
            ),
            (
                "OriginResource eq '/redfish/v1/Chassis/2' or SubordinateResources eq true",
                false,
            ),
            ("SubordinateResources eq true", true),
        ] {
            assert_eq!(query(text).unwrap().accepts(&hot()), expected, "{text}");
        }
    }

    #[test]
    fn metric_reports_come_to_who_asks_for_them() {
        const POWER: &str = "/redfish/v1/TelemetryService/MetricReportDefinitions/Power";
        let report = Content::Report {
            definition: Some(POWER.to_owned()),
            time_ms: 0,
        };
        let of_power = format!("MetricReportDefinition eq '{POWER}'");
        for (text, is_report, is_event) in [
            ("ResourceType eq 'Sensor'", false, true),
            ("ResourceType ne 'Fan'", false, true),
            ("EventFormatType eq MetricReport", true, false),
            ("EventFormatType ne 'Event'", true, false),
            (
                "EventFormatType eq Event or EventFormatType eq MetricReport",
                true,
                true,
            ),
            (&*of_power, true, false),
            (&format!("{of_power}2"), false, false),
            (
                &format!("{of_power} or ResourceType eq 'Sensor'"),
                true,
                true,
            ),
        ] {
            let text = text.replace("'2", "2'");
            let query = query(&text).unwrap();
            let found = (query.accepts(&report), query.accepts(&hot()));
            assert_eq!(found, (is_report, is_event), "{text}");
        }
    }

    #[test]
    fn and_binds_more_strongly_than_or_and_brackets_decide() {
        let (yes, no) = ("ResourceType eq 'Sensor'", "ResourceType eq 'Fan'");
        for (text, expected) in [
            (format!("{yes} or {no} and {no}"), true),
            (format!("({yes} or {no}) and {no}"), false),
            (format!("{no} or (({yes}) and ({yes}))"), true),
            (format!("{yes} and {no}"), false),
        ] {
            assert_eq!(query(&text).unwrap().accepts(&hot()), expected, "{text}");
        }
    }

    #[test]
    fn what_can_never_be_true_or_has_no_form_is_an_error() {
        let deep = format!("{}ResourceType eq 'Fan'{}", "(".repeat(17), ")".repeat(17));
        for text in [
            "",
            "ResourceType",
            "ResourceType eq",
            "ResourceType gt 'Fan'",
            "ResourceType eq 'Nothing'",
            "ResourceType eq 'Fan' ResourceType eq 'Fan'",
            "(ResourceType eq 'Fan'",
            "Colour eq 'red'",
            "RegistryPrefix eq 'Nothing'",
            "MessageId eq 'Base.1.0.Nothing'",
            "OriginResource eq 'Systems'",
            "EventFormatType eq Metric",
            "MetricReportDefinition eq Power",
            "SubordinateResources eq 1",
            &deep,
            &"x".repeat(MAX_FILTER_BYTES + 1),
        ] {
            assert!(matches!(query(text), Err(Error::Faults(_))), "{text}");
        }
        let unknown = EventQuery::parse(Some("$select=Id"));
        assert!(matches!(unknown, Err(Error::UnknownQuery(_))));
        let twice = "$filter=ResourceType%20eq%20Fan&$filter=ResourceType+eq+Fan";
        assert!(EventQuery::parse(Some(twice)).is_err());
        assert_eq!(EventQuery::parse(Some("a=b")).unwrap(), None);
    }
}
