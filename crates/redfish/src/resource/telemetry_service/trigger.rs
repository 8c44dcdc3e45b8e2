//! One trigger of a client, as a GET shows it (DSP0268 "Triggers").

use redfish_schema::triggers::{
    self as schema, DiscreteTrigger, DiscreteTriggerConditionEnum as Condition, Links,
    MetricTypeEnum as Type, Thresholds, Triggers, Wildcard,
};
use redfish_schema::{Duration, Reference};
use serde_json::Value;

use super::{cut, definition_path, status, trigger_path};
use crate::telemetry::{self, Expected, Level, Rule, Threshold, TriggerState};
use crate::{Document, Failure};

/// The trigger with this `Id`.
pub(super) fn document(id: &str, state: &TriggerState) -> Result<Document, Failure> {
    let trigger = &*state.trigger;
    let path = trigger_path(id);
    let name = trigger.name.clone();
    let mut resource = Triggers::new(&*path, id, name.unwrap_or_else(|| format!("Trigger {id}")));
    resource.description = trigger.description.clone().map(Into::into);
    resource.trigger_enabled = Some(trigger.is_enabled.into());
    resource.trigger_actions = Some(trigger.actions.clone());
    show_rule(&mut resource, &trigger.rule);
    let wildcard = |wildcard: &telemetry::Wildcard| Wildcard {
        name: Some(wildcard.name.clone().into()),
        values: Some(wildcard.values.clone()),
    };
    resource.wildcards = Some(trigger.wildcards.iter().map(wildcard).collect());
    let properties = trigger
        .body
        .get("MetricProperties")
        .and_then(Value::as_array);
    let properties = properties.into_iter().flatten().filter_map(Value::as_str);
    resource.metric_properties = Some(properties.map(str::to_owned).collect());
    let links = state
        .reports
        .iter()
        .map(|id| Reference::to(definition_path(id)));
    resource.links = Some(Links {
        metric_report_definitions: Some(links.collect()),
    });
    resource.status = Some(status(trigger.is_enabled, cut(state.is_cut, &path)));
    Document::of(&resource).map(|document| document.changeable().deletable())
}

fn show_rule(resource: &mut Triggers, rule: &Rule) {
    let (kind, condition) = match rule {
        Rule::Numeric(thresholds) => {
            resource.numeric_thresholds = Some(numeric(thresholds));
            (Type::Numeric, None)
        }
        Rule::Becomes(expected) => {
            resource.discrete_triggers = Some(expected.iter().map(discrete).collect());
            (Type::Discrete, Some(Condition::Specified))
        }
        Rule::Changes => (Type::Discrete, Some(Condition::Changed)),
    };
    resource.metric_type = Some(kind.into());
    resource.discrete_trigger_condition = condition.map(Into::into);
}

fn numeric(thresholds: &[Threshold]) -> Thresholds {
    let mut shown = Thresholds::default();
    for threshold in thresholds {
        let place = match threshold.level {
            Level::UpperWarning => &mut shown.upper_warning,
            Level::UpperCritical => &mut shown.upper_critical,
            Level::LowerWarning => &mut shown.lower_warning,
            Level::LowerCritical => &mut shown.lower_critical,
        };
        *place = Some(schema::Threshold {
            reading: Some(threshold.reading.into()),
            activation: Some(threshold.activation.into()),
            dwell_time: Some(Duration::from_ms(threshold.dwell_ms).into()),
        });
    }
    shown
}

fn discrete(expected: &Expected) -> DiscreteTrigger {
    DiscreteTrigger {
        name: expected.name.clone().map(Into::into),
        value: Some(expected.value.clone().into()),
        dwell_time: Some(Duration::from_ms(expected.dwell_ms).into()),
        severity: expected.severity.map(Into::into),
    }
}
