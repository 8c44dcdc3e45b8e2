//! One metric report: what matters of every machine, in one document.
//!
//! A wall display of a hundred racks can't read ten thousand resources a second. The report `Nodes` has five metrics
//! a computer and up to four an enclosure controller, each with the property that it comes from, and is made from the
//! newest snapshots whenever somebody asks for it.

use std::time::SystemTime;

use hardware::{Enclosure, Hardware, Node, NodeKind, SensorClass};
use redfish_schema::metric_definition::{
    self, ImplementationType, MetricDataType, MetricDefinition, MetricType,
};
use redfish_schema::metric_report::{self, MetricReport, MetricValue};
use redfish_schema::metric_report_definition::{
    self, Metric, MetricReportDefinition, MetricReportDefinitionType, ReportActionsEnum,
    ReportUpdatesEnum, Wildcard,
};
use redfish_schema::resource::{Health, PowerState, State};
use redfish_schema::{Collection, DateTime, Duration, Nullable, Reference};

use crate::part::Measurement;
use crate::power_subsystem::draw;
use crate::thermal_subsystem::temperatures;
use crate::tree::Tree;
use crate::unit::Conversion;
use crate::{status, system, uri};

fn words(all: &[impl ToString]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

/// The only report and its definition.
pub(crate) const NODES: &str = "Nodes";

/// What the report tells of a machine.
struct Kind {
    id: &'static str,
    name: &'static str,
    metric_type: MetricType,
    data_type: MetricDataType,
    unit: Option<&'static str>,
    /// All words, for a discrete one.
    words: fn() -> Vec<String>,
    /// Where the values come from; `{Node}` and the others are wildcards.
    properties: &'static [&'static str],
}

const HOTTEST: &str = "HottestTemperature";
const POWER: &str = "PowerConsumption";
const POWER_STATE: &str = "PowerState";
const HEALTH: &str = "Health";
const STATE: &str = "State";

const KINDS: [Kind; 5] = [
    Kind {
        id: HOTTEST,
        name: "Highest temperature in the chassis; the metric property names the sensor",
        metric_type: MetricType::Numeric,
        data_type: MetricDataType::Decimal,
        unit: Some("Cel"),
        words: Vec::new,
        properties: &["/redfish/v1/Chassis/{Chassis}/Sensors/{Sensor}#/Reading"],
    },
    Kind {
        id: POWER,
        name: "Power that the chassis draws",
        metric_type: MetricType::Numeric,
        data_type: MetricDataType::Decimal,
        unit: Some("W"),
        words: Vec::new,
        properties: &["/redfish/v1/Chassis/{Chassis}/EnvironmentMetrics#/PowerWatts/Reading"],
    },
    Kind {
        id: POWER_STATE,
        name: "Power state of the system",
        metric_type: MetricType::Discrete,
        data_type: MetricDataType::Enumeration,
        unit: None,
        words: || words(PowerState::ALL),
        properties: &["/redfish/v1/Systems/{System}#/PowerState"],
    },
    Kind {
        id: HEALTH,
        name: "Worst health of all sensors",
        metric_type: MetricType::Discrete,
        data_type: MetricDataType::Enumeration,
        unit: None,
        words: || words(Health::ALL),
        properties: &[
            "/redfish/v1/Systems/{System}#/Status/Health",
            "/redfish/v1/Chassis/{Chassis}#/Status/Health",
        ],
    },
    Kind {
        id: STATE,
        name: "Whether the machine works; UnavailableOffline where its controller does not answer",
        metric_type: MetricType::Discrete,
        data_type: MetricDataType::Enumeration,
        unit: None,
        words: || words(State::ALL),
        properties: &[
            "/redfish/v1/Systems/{System}#/Status/State",
            "/redfish/v1/Chassis/{Chassis}#/Status/State",
        ],
    },
];

pub(crate) fn reports() -> Collection {
    let members = vec![Reference::to(report_path())];
    Collection::new(
        &metric_report::COLLECTION,
        uri::METRIC_REPORTS,
        "Metric reports",
        members,
    )
}

pub(crate) fn report_definitions() -> Collection {
    let kind = &metric_report_definition::COLLECTION;
    let members = vec![Reference::to(report_definition_path())];
    Collection::new(
        kind,
        uri::METRIC_REPORT_DEFINITIONS,
        "Metric report definitions",
        members,
    )
}

pub(crate) fn definitions() -> Collection {
    let kind = &metric_definition::COLLECTION;
    let members = KINDS
        .iter()
        .map(|kind| Reference::to(definition_path(kind.id)))
        .collect();
    Collection::new(kind, uri::METRIC_DEFINITIONS, "Metric definitions", members)
}

fn report_path() -> String {
    format!("{}/{NODES}", uri::METRIC_REPORTS)
}

fn report_definition_path() -> String {
    format!("{}/{NODES}", uri::METRIC_REPORT_DEFINITIONS)
}

fn definition_path(id: &str) -> String {
    format!("{}/{id}", uri::METRIC_DEFINITIONS)
}

pub(crate) fn definition(hardware: &dyn Hardware, id: &str) -> Option<MetricDefinition> {
    let kind = KINDS.iter().find(|kind| kind.id == id)?;
    let is_hottest = kind.id == HOTTEST;
    let interval = is_hottest.then(|| longest_interval(hardware)).flatten();
    let source = if is_hottest {
        ImplementationType::Synthesized
    } else {
        ImplementationType::DigitalMeter
    };
    Some(MetricDefinition {
        metric_type: Some(kind.metric_type.into()),
        metric_data_type: Some(kind.data_type.into()),
        implementation: kind.unit.map(|_| source.into()),
        units: kind.unit.map(Into::into),
        sensing_interval: interval.map(Into::into),
        discrete_values: Some((kind.words)()).filter(|words| !words.is_empty()),
        ..MetricDefinition::new(definition_path(kind.id), kind.id, kind.name)
    })
}

/// How often temperatures are read where that is done most rarely: who knows nothing else of a machine can tell by it that its
/// temperatures are old.
fn longest_interval(hardware: &dyn Hardware) -> Option<Duration> {
    let ids = hardware.node_ids();
    let intervals = ids.iter().filter_map(|id| {
        let node = hardware.node(id.as_str())?;
        node.intervals.as_ref()?.get(SensorClass::Temperature)
    });
    intervals.max().map(|ms| Duration::from_ms(ms.into()))
}

pub(crate) fn report_definition() -> MetricReportDefinition {
    let metrics = KINDS.iter().map(|kind| Metric {
        metric_id: Some(kind.id.into()),
        metric_properties: Some(kind.properties.iter().map(|&p| p.to_owned()).collect()),
        ..Metric::default()
    });
    let wildcards = ["Chassis", "System", "Sensor"].map(|name| Wildcard {
        name: Some(name.into()),
        values: Some(vec!["*".to_owned()]),
    });
    MetricReportDefinition {
        metric_report_definition_type: Some(MetricReportDefinitionType::OnRequest.into()),
        metric_report_definition_enabled: Some(true.into()),
        report_actions: Some(vec![ReportActionsEnum::LogToMetricReportsCollection]),
        report_updates: Some(ReportUpdatesEnum::Overwrite),
        wildcards: Some(wildcards.into()),
        metrics: Some(metrics.collect()),
        metric_report: Some(Reference::to(report_path())),
        status: Some(status::plain(
            State::Enabled,
            Some(status::health(hardware::Severity::Ok)),
        )),
        ..MetricReportDefinition::new(report_definition_path(), NODES, "All machines at a glance")
    }
}

/// The report as of now.
pub(crate) fn report(hardware: &dyn Hardware, tree: &Tree) -> MetricReport {
    let mut values = Vec::with_capacity(tree.nodes().len() * KINDS.len());
    for node in tree
        .nodes()
        .iter()
        .filter_map(|id| hardware.node(id.as_str()))
    {
        add(&mut values, &node, tree.controlled_by(&node.id));
    }
    MetricReport {
        metric_report_definition: Some(Reference::to(report_definition_path())),
        timestamp: Some(DateTime::from(SystemTime::now()).into()),
        metric_values: Some(values),
        ..MetricReport::new(report_path(), NODES, "All machines at a glance")
    }
}

/// Adds one machine. What isn't known is left out.
fn add(values: &mut Vec<MetricValue>, node: &Node, enclosure: Option<&Enclosure>) {
    let is_computer = node.kind == NodeKind::Computer;
    let chassis_id = match enclosure {
        Some(enclosure) if !is_computer => enclosure.id.as_str(),
        _ => node.id.as_str(),
    };
    let owner = if is_computer {
        uri::system(chassis_id)
    } else {
        uri::chassis(chassis_id)
    };
    let mut put = |id: &str, value: String, property: String, timestamp| {
        values.push(MetricValue {
            metric_id: Some(id.into()),
            metric_value: Some(value.into()),
            timestamp,
            metric_property: Some(property.into()),
            ..MetricValue::default()
        });
    };
    if let Some((measurement, celsius)) = hottest(node) {
        let source = uri::sensor(chassis_id, measurement.sensor);
        put(
            HOTTEST,
            celsius.to_string(),
            format!("{source}#/Reading"),
            Some(status::read_at(node, measurement.sensor)),
        );
    }
    if let Some(watts) = draw(node).and_then(|draw| draw.watts()) {
        let source = uri::chassis(chassis_id);
        put(
            POWER,
            watts.to_string(),
            format!("{source}/EnvironmentMetrics#/PowerWatts/Reading"),
            None,
        );
    }
    if let (true, Nullable::Value(power)) = (is_computer, system::power_state(node)) {
        put(
            POWER_STATE,
            power.to_string(),
            format!("{owner}#/PowerState"),
            None,
        );
    }
    if let Some(severity) = status::node_health(node) {
        put(
            HEALTH,
            status::health(severity).to_string(),
            format!("{owner}#/Status/Health"),
            None,
        );
    }
    let state = if is_computer {
        status::host_state(node)
    } else {
        status::link_state(node)
    };
    put(
        STATE,
        state.to_string(),
        format!("{owner}#/Status/State"),
        None,
    );
}

/// The highest temperature, in degrees Celsius, and who measures it.
fn hottest(node: &Node) -> Option<(Measurement<'_>, f64)> {
    let absolute = |m: &Measurement<'_>| Conversion::of(m.sensor).reading_type.is_some();
    temperatures(node)
        .filter(absolute)
        .filter_map(|m| Some((m, m.value()?)))
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
}
