//! `Status`: whether something works, and how well.

use hardware::{Link, Node, Power, Sensor, Severity};
use redfish_schema::resource::{Condition, Health, State, Status};
use redfish_schema::{DateTime, Nullable};

use crate::part::{Measurement, Part, measurements};
use crate::uri;

/// DMTF's registry of resource events: the resource %1 has errors of type %2.
const ERRORS_DETECTED: &str = "ResourceEvent.1.3.ResourceErrorsDetected";

pub(crate) const fn health(severity: Severity) -> Health {
    match severity {
        Severity::Ok => Health::OK,
        Severity::Warning => Health::Warning,
        Severity::Critical => Health::Critical,
    }
}

/// A status without dependents.
pub(crate) fn plain(state: State, health: Option<Health>) -> Status {
    Status {
        state: Some(state.into()),
        health: Some(health.into()),
        ..Status::default()
    }
}

/// A status whose roll-up equals its health: all that depends on the resource is counted in it.
pub(crate) fn rolled_up(state: State, health: Option<Health>) -> Status {
    Status {
        health_rollup: Some(health.into()),
        ..plain(state, health)
    }
}

/// How well a machine is by its sensors; `None` while it doesn't answer.
pub(crate) fn node_health(node: &Node) -> Option<Severity> {
    (node.link == Link::Up).then(|| {
        measurements(node)
            .map(|m| m.severity())
            .max()
            .unwrap_or_default()
    })
}

/// Of the host: a computer that is off stands by, one that doesn't answer is unavailable.
pub(crate) const fn host_state(node: &Node) -> State {
    match (&node.link, node.power) {
        (Link::Down { .. }, _) => State::UnavailableOffline,
        (Link::Connecting, _) | (Link::Up, Power::PoweringOn) => State::Starting,
        (Link::Up, Power::Off) => State::StandbyOffline,
        (Link::Up, Power::On | Power::PoweringOff | Power::Unknown) => State::Enabled,
    }
}

/// Of what doesn't depend on the host's power: the controller, the chassis.
pub(crate) const fn link_state(node: &Node) -> State {
    match node.link {
        Link::Down { .. } => State::UnavailableOffline,
        Link::Connecting => State::Starting,
        Link::Up => State::Enabled,
    }
}

/// Of the controller itself. One that doesn't answer is critical, and the condition says why.
pub(crate) fn of_controller(node: &Node) -> Status {
    let Link::Down { reason, since_ms } = &node.link else {
        let health = (node.link == Link::Up).then_some(Health::OK);
        return plain(link_state(node), health);
    };
    let origin = uri::manager(node.id.as_str());
    let condition = Condition {
        timestamp: Some(time(*since_ms)),
        message_args: Some(vec![origin, reason.to_string()]),
        message: Some(format!("No contact with the controller: {reason}.")),
        severity: Some(Health::Critical),
        ..Condition::new(ERRORS_DETECTED)
    };
    Status {
        conditions: Some(vec![condition]),
        ..plain(State::UnavailableOffline, Some(Health::Critical))
    }
}

/// Of what works where the controller answers: its interface, its protocols. Their health is not known otherwise.
pub(crate) fn of_reachable(node: &Node) -> Status {
    plain(
        link_state(node),
        (node.link == Link::Up).then_some(Health::OK),
    )
}

/// How much a machine weighs in the health of what it sits in: one that doesn't answer is critical, as its controller
/// is; one that was never reached yet is not known.
pub(crate) fn rolled_up_health(node: &Node) -> Option<Severity> {
    match node.link {
        Link::Down { .. } => Some(Severity::Critical),
        Link::Connecting | Link::Up => node_health(node),
    }
}

/// Of one sensor.
pub(crate) fn of_sensor(measurement: &Measurement<'_>) -> Status {
    if measurement.reading.number().is_none() {
        return plain(State::UnavailableOffline, None);
    }
    plain(State::Enabled, Some(health(measurement.severity())))
}

/// Of a fan or power supply: what its sensors say together.
pub(crate) fn of_part(part: &Part<'_>) -> Status {
    if part.is_absent() {
        return plain(State::Absent, None);
    }
    if part.sensors.is_empty() {
        // A nameplate alone: it is there, and nobody watches how well it is.
        return plain(State::Enabled, None);
    }
    if !part.sensors.iter().any(Measurement::is_known) {
        return plain(State::UnavailableOffline, None);
    }
    let worst = part
        .sensors
        .iter()
        .map(Measurement::severity)
        .max()
        .unwrap_or_default();
    plain(State::Enabled, Some(health(worst)))
}

/// Of a group of sensors: enabled where the machine answers, as healthy as its worst member.
pub(crate) fn of_group<'a>(node: &Node, members: impl Iterator<Item = Measurement<'a>>) -> Status {
    let worst = members.map(|m| m.severity()).max().unwrap_or_default();
    let known = (node.link == Link::Up).then(|| health(worst));
    rolled_up(link_state(node), known)
}

/// Milliseconds since the Unix epoch as a Redfish time.
pub(crate) fn time(unix_ms: u64) -> DateTime {
    DateTime::from_unix_ms(i64::try_from(unix_ms).unwrap_or(i64::MAX))
}

/// When this sensor of a node, or others of its class, were read last; `null` for never.
pub(crate) fn read_at(node: &Node, sensor: &Sensor) -> Nullable<DateTime> {
    let read_at_ms = node.class_read_at_ms(sensor.quantity.class());
    (read_at_ms != 0).then(|| time(read_at_ms)).into()
}
