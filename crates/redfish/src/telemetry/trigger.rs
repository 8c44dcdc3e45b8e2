//! What a client asks of a trigger, checked (DSP0268 "Triggers").

use redfish_schema::resource::Health;
use redfish_schema::triggers::{
    DiscreteTriggerConditionEnum as Condition, MetricTypeEnum as Type,
    ThresholdActivation as Activation, TriggerActionEnum as Action,
};
use serde_json::{Map, Value};

use super::MAX_INTERVAL_MS;
use super::check::{Check, objects, texts};
use super::metric::Wildcard;
use super::resolve::Template;
use super::threshold::{Expected, Level, Threshold};
use crate::{Failure, Path};

/// How many values a discrete trigger waits for at most.
pub const MAX_DISCRETE_TRIGGERS: usize = 64;
/// How many definitions of reports a trigger has made anew at most.
pub const MAX_TRIGGERED_REPORTS: usize = 16;

/// A trigger.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trigger {
    /// What the client gave, from which all else was read: it is stored, and a PATCH changes it.
    pub(crate) body: Map<String, Value>,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) is_enabled: bool,
    pub(crate) actions: Vec<Action>,
    pub(crate) rule: Rule,
    pub(crate) wildcards: Vec<Wildcard>,
    pub(crate) templates: Vec<Template>,
    /// `Id`s of the definitions whose reports are made when the trigger is met.
    pub(crate) reports: Vec<String>,
}

/// What calls it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rule {
    Numeric(Vec<Threshold>),
    /// The value becomes one of these.
    Becomes(Vec<Expected>),
    /// The value becomes another.
    Changes,
}

/// What a client may give.
const KNOWN: [&str; 12] = [
    "Id",
    "Name",
    "Description",
    "MetricType",
    "TriggerActions",
    "NumericThresholds",
    "DiscreteTriggerCondition",
    "DiscreteTriggers",
    "MetricProperties",
    "Wildcards",
    "TriggerEnabled",
    "Links",
];

impl Trigger {
    /// Reads what a client gave.
    ///
    /// # Errors
    /// [`Failure::Messages`] names every property that can't be had.
    pub(crate) fn read(body: Map<String, Value>) -> Result<Self, Failure> {
        let mut check = Check::new(&body);
        check.only(&body, "", &KNOWN);
        let (name, description) = (check.text("Name"), check.text("Description"));
        let wildcards = check.wildcards();
        let given = check.properties(&body, "", &wildcards);
        if texts(&body, "MetricProperties").is_empty() {
            check.refuse("/MetricProperties", "Name the properties to watch.");
        }
        let properties: Vec<_> = given.iter().map(|given| &given.property).collect();
        check.unused(&wildcards, &properties);
        let template = |given: super::check::Given| Template {
            property: given.property,
            id: None,
            place: given.pointer,
        };
        let reports = reports(&mut check);
        let trigger = Self {
            name,
            description,
            is_enabled: check.flag("TriggerEnabled") != Some(false),
            actions: actions(&mut check, &reports),
            rule: rule(&mut check),
            wildcards,
            templates: given.into_iter().map(template).collect(),
            reports,
            body: body.clone(),
        };
        check.end(trigger)
    }
}

fn actions(check: &mut Check<'_>, reports: &[String]) -> Vec<Action> {
    let actions = check.words("TriggerActions", Action::from_word);
    let actions = actions.filter(|actions| !actions.is_empty());
    let actions = actions.unwrap_or_else(|| vec![Action::RedfishEvent]);
    if let Some(index) = actions.iter().position(|a| *a == Action::LogToLogService) {
        let resolution =
            "Choose RedfishEvent or RedfishMetricReport: telemetry has no log service.";
        let word = Action::LogToLogService.as_str();
        check.not_in_list(word, &format!("/TriggerActions/{index}"), resolution);
    }
    if actions.contains(&Action::RedfishMetricReport) && reports.is_empty() {
        let place = "/Links/MetricReportDefinitions";
        check.refuse(place, "Say which metric reports are to be made.");
    }
    actions
}

/// `Links.MetricReportDefinitions`. Whether they are there is looked at later.
fn reports(check: &mut Check<'_>) -> Vec<String> {
    let Some(links) = check.body.get("Links").and_then(Value::as_object) else {
        return Vec::new();
    };
    check.only(links, "/Links", &["MetricReportDefinitions"]);
    let list = objects(links, "MetricReportDefinitions");
    if list.len() > MAX_TRIGGERED_REPORTS {
        let resolution = format!("Give at most {MAX_TRIGGERED_REPORTS} definitions.");
        check.refuse("/Links/MetricReportDefinitions", resolution);
        return Vec::new();
    }
    let mut ids = Vec::with_capacity(list.len());
    for (index, link) in list {
        let text = link
            .get("@odata.id")
            .and_then(Value::as_str)
            .unwrap_or_default();
        match Path::parse(text).ok().filter(super::is_report_definition) {
            Some(path) => ids.push(path.last().to_owned()),
            None => {
                let place = format!("/Links/MetricReportDefinitions/{index}");
                check.refuse(&place, "Link to a metric report definition.");
            }
        }
    }
    ids
}

fn rule(check: &mut Check<'_>) -> Rule {
    let body = check.body;
    let has = |name| body.get(name).is_some_and(|value| !value.is_null());
    let is_discrete = has("DiscreteTriggerCondition") || has("DiscreteTriggers");
    let kind = body.get("MetricType").and_then(Value::as_str);
    let kind = kind.and_then(Type::from_word).unwrap_or(if is_discrete {
        Type::Discrete
    } else {
        Type::Numeric
    });
    match kind {
        Type::Numeric => {
            for name in ["DiscreteTriggerCondition", "DiscreteTriggers"] {
                if has(name) {
                    check.refuse(
                        &format!("/{name}"),
                        "A numeric trigger has NumericThresholds.",
                    );
                }
            }
            Rule::Numeric(thresholds(check))
        }
        Type::Discrete => {
            if has("NumericThresholds") {
                check.refuse(
                    "/NumericThresholds",
                    "A discrete trigger has DiscreteTriggers.",
                );
            }
            discrete(check)
        }
    }
}

fn thresholds(check: &mut Check<'_>) -> Vec<Threshold> {
    let given = check
        .body
        .get("NumericThresholds")
        .and_then(Value::as_object);
    let mut thresholds = Vec::new();
    for (name, level) in Level::ALL {
        let Some(one) = given
            .and_then(|given| given.get(name))
            .and_then(Value::as_object)
        else {
            continue;
        };
        let place = format!("/NumericThresholds/{name}");
        let reading = one.get("Reading").and_then(Value::as_f64);
        if reading.is_none() {
            check.refuse(
                &format!("{place}/Reading"),
                "Give the value of the threshold.",
            );
        }
        let activation = one.get("Activation").and_then(Value::as_str);
        let usual = if matches!(level, Level::UpperWarning | Level::UpperCritical) {
            Activation::Increasing
        } else {
            Activation::Decreasing
        };
        thresholds.push(Threshold {
            level,
            reading: reading.unwrap_or_default(),
            activation: activation.and_then(Activation::from_word).unwrap_or(usual),
            dwell_ms: dwell(check, one, &place),
        });
    }
    if thresholds.is_empty() {
        let names = Level::ALL.map(|(name, _)| name).join(", ");
        check.refuse(
            "/NumericThresholds",
            format!("Give at least one of {names}."),
        );
    }
    thresholds
}

fn dwell(check: &mut Check<'_>, object: &Map<String, Value>, place: &str) -> u64 {
    let dwell_ms = check.duration(object, &format!("{place}/DwellTime"), 0, MAX_INTERVAL_MS);
    dwell_ms.unwrap_or(0)
}

fn discrete(check: &mut Check<'_>) -> Rule {
    let list = objects(check.body, "DiscreteTriggers");
    if list.len() > MAX_DISCRETE_TRIGGERS {
        let resolution = format!("Give at most {MAX_DISCRETE_TRIGGERS} values.");
        check.refuse("/DiscreteTriggers", resolution);
        return Rule::Changes;
    }
    let condition = check
        .body
        .get("DiscreteTriggerCondition")
        .and_then(Value::as_str);
    let condition = condition.and_then(Condition::from_word);
    if condition == Some(Condition::Changed) {
        if !list.is_empty() {
            let resolution = "Every change counts: leave the values out, or choose Specified.";
            check.refuse("/DiscreteTriggers", resolution);
        }
        return Rule::Changes;
    }
    if list.is_empty() {
        check.refuse(
            "/DiscreteTriggers",
            "Give the values that the trigger waits for.",
        );
    }
    let mut expected = Vec::with_capacity(list.len());
    for (index, one) in list {
        let place = format!("/DiscreteTriggers/{index}");
        let text = |name: &str| one.get(name).and_then(Value::as_str).map(str::to_owned);
        let value = text("Value");
        if value.is_none() {
            check.refuse(&format!("{place}/Value"), "Give the value to wait for.");
        }
        expected.push(Expected {
            name: text("Name"),
            value: value.unwrap_or_default(),
            dwell_ms: dwell(check, one, &place),
            severity: text("Severity").and_then(|word| Health::from_word(&word)),
        });
    }
    Rule::Becomes(expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(mut change: Value) -> Result<Trigger, Vec<String>> {
        let mut body = json!({"MetricProperties": ["/redfish/v1/Chassis/1/Sensors/T#/Reading"]});
        if let (Some(body), Some(change)) = (body.as_object_mut(), change.as_object_mut()) {
            body.append(change);
        }
        let Value::Object(body) = body else {
            panic!("no object")
        };
        Trigger::read(body).map_err(|failure| match failure {
            Failure::Messages(messages) => messages
                .iter()
                .map(|m| format!("{}{}", m.key(), m.related_properties()[0]))
                .collect(),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn what_a_client_leaves_out_has_a_sensible_value() {
        let found = read(json!({"NumericThresholds": {
            "UpperCritical": {"Reading": 90}, "LowerWarning": {"Reading": 5, "DwellTime": "PT3S"},
        }}));
        let found = found.unwrap();
        assert_eq!(found.actions, [Action::RedfishEvent]);
        let Rule::Numeric(thresholds) = found.rule else {
            panic!("{:?}", found.rule)
        };
        let facts: Vec<_> = thresholds
            .iter()
            .map(|t| (t.level, t.activation, t.dwell_ms))
            .collect();
        let expected = [
            (Level::UpperCritical, Activation::Increasing, 0),
            (Level::LowerWarning, Activation::Decreasing, 3000),
        ];
        assert_eq!(facts, expected);
        let found = read(json!({"DiscreteTriggers": [{"Value": "Off"}]})).unwrap();
        assert!(matches!(found.rule, Rule::Becomes(values) if values[0].value == "Off"));
        let found = read(json!({"DiscreteTriggerCondition": "Changed"})).unwrap();
        assert_eq!(found.rule, Rule::Changes);
    }

    #[test]
    fn every_fault_is_named_with_its_place() {
        let upper = json!({"UpperCritical": {"Reading": 90}});
        for (change, expected) in [
            (json!({}), "PropertyValueError#/NumericThresholds"),
            (
                json!({"NumericThresholds": {"UpperWarning": {"DwellTime": "PT1S"}}}),
                "PropertyValueError#/NumericThresholds/UpperWarning/Reading",
            ),
            (
                json!({"NumericThresholds": upper, "DiscreteTriggerCondition": "Changed", "MetricType": "Numeric"}),
                "PropertyValueError#/DiscreteTriggerCondition",
            ),
            (
                json!({"NumericThresholds": upper, "TriggerActions": ["LogToLogService"]}),
                "PropertyValueNotInList#/TriggerActions/0",
            ),
            (
                json!({"NumericThresholds": upper, "TriggerActions": ["RedfishMetricReport"]}),
                "PropertyValueError#/Links/MetricReportDefinitions",
            ),
            (
                json!({"NumericThresholds": upper, "HysteresisReading": 1}),
                "PropertyNotWritable#/HysteresisReading",
            ),
            (
                json!({"DiscreteTriggerCondition": "Specified"}),
                "PropertyValueError#/DiscreteTriggers",
            ),
            (
                json!({"DiscreteTriggers": [{"Name": "off"}]}),
                "PropertyValueError#/DiscreteTriggers/0/Value",
            ),
            (
                json!({"NumericThresholds": upper, "MetricProperties": []}),
                "PropertyValueError#/MetricProperties",
            ),
        ] {
            assert_eq!(read(change).unwrap_err(), [expected]);
        }
    }
}
