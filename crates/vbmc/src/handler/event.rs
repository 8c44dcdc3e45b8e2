//! Events, platform event filters and alerts (§29, §30).

use ipmi::bmc::{Request, serve};
use ipmi::command::event::{
    AlertImmediate, AlertImmediateStatus, AlertedEvent, ArmPefPostponeTimer, EventMessage,
    EventReceiver, FilteredEvent, GetEventReceiver, GetLastProcessedEventId, GetPefCapabilities,
    GetPefConfigurationParameters, LastProcessedEventId, PefCapabilities,
    PefConfigurationParameters, PetAcknowledge, PlatformEvent, PostponeTimer, SetEventReceiver,
    SetLastProcessedEventId, SetPefConfigurationParameters,
};
use ipmi::command::{Bytes, Command, Empty};
use ipmi::number::{
    AlertOperation, AlertStatus, ChannelNumber, CompletionCode, EventReadingType, Lun, PefActions,
    PefParameter, SensorType,
};
use ipmi::record::{RecordId, Timestamp};
use ipmi::wire::Writer;

use super::Device;
use crate::controller::{
    Alert, FILTERS, POLICIES, ParameterSpec, STRINGS, read_parameter, write_parameter,
};
use crate::machine::Machine;
use crate::profile::Model;

/// Version of PEF: BCD with the digits swapped (§30.1).
const PEF_VERSION: u8 = 0x51;
/// Revision of the parameters (§30.4).
const PARAMETER_REVISION: u8 = 0x11;
/// Where events of the controller's own bus go from the start: the controller itself.
const EVENT_RECEIVER: (u8, u8) = (0x20, 0);
/// No record.
const NO_RECORD: RecordId = RecordId(0xffff);
/// Alert destinations of the LAN channel.
pub(super) const DESTINATIONS: u8 = 4;

/// The PEF configuration (§30.4, table 30-6).
const PARAMETERS: [ParameterSpec; 13] = [
    ParameterSpec::plain(1, 1, &[0]),
    ParameterSpec::plain(2, 1, &[0]),
    ParameterSpec::plain(3, 1, &[60]),
    ParameterSpec::plain(4, 1, &[60]),
    ParameterSpec::plain(5, 1, &[FILTERS]).read_only(),
    ParameterSpec::sets(6, FILTERS, 21, &[]),
    ParameterSpec::sets(7, FILTERS, 2, &[]),
    ParameterSpec::plain(8, 1, &[POLICIES]).read_only(),
    ParameterSpec::sets(9, POLICIES, 4, &[]),
    ParameterSpec::plain(10, 17, &[]),
    ParameterSpec::plain(11, 1, &[STRINGS]).read_only(),
    ParameterSpec::sets(12, STRINGS, 3, &[]),
    ParameterSpec::blocks(13, STRINGS, 18),
];

pub(super) fn handle(
    device: &mut Device<'_>,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    let lan = ChannelNumber(device.config.channel);
    let machine = &mut *device.machine;
    match request.cmd {
        SetEventReceiver::CMD => serve(request, response, |c: SetEventReceiver| {
            machine.controller_mut().event_receiver = Some((c.address, c.lun.get()));
            Ok(Empty)
        }),
        GetEventReceiver::CMD => serve(request, response, |_: GetEventReceiver| {
            let receiver = machine.controller().event_receiver;
            let (address, lun) = receiver.unwrap_or(EVENT_RECEIVER);
            Ok(EventReceiver {
                address,
                lun: Lun::from_byte(lun),
            })
        }),
        PlatformEvent::CMD => serve(request, response, |c: PlatformEvent| {
            let event = c.event().ok_or(CompletionCode::REQUEST_LENGTH_INVALID)?;
            platform_event(machine, &event)
        }),
        // Filters act on a host, which an enclosure's controller has not.
        _ if machine.profile().model != Model::Node => CompletionCode::INVALID_COMMAND,
        AlertImmediate::CMD => serve(request, response, |c: AlertImmediate| {
            if c.channel != lan && c.channel != ChannelNumber::PRESENT {
                return Err(CompletionCode::INVALID_DATA_FIELD);
            }
            alert_immediate(machine, &c)
        }),
        PetAcknowledge::CMD => serve(request, response, |c: PetAcknowledge| {
            let alerts = &mut machine.controller_mut().pef.alerts;
            let sent = alerts.iter_mut().rev().find(|alert| {
                alert.event.sensor_number == c.sensor_number && alert.event.data == c.data
            });
            sent.ok_or(CompletionCode::NOT_PRESENT)?.acknowledged = true;
            Ok(Empty)
        }),
        _ => filters(machine, request, response),
    }
}

fn filters(
    machine: &mut Machine,
    request: &Request<'_>,
    response: &mut Writer<'_>,
) -> CompletionCode {
    let now_s = machine.at_s();
    match request.cmd {
        GetPefCapabilities::CMD => serve(request, response, |_: GetPefCapabilities| {
            Ok(PefCapabilities {
                version: PEF_VERSION,
                actions: PefActions::ALERT
                    | PefActions::POWER_DOWN
                    | PefActions::RESET
                    | PefActions::POWER_CYCLE
                    | PefActions::DIAGNOSTIC_INTERRUPT,
                filters: FILTERS,
            })
        }),
        ArmPefPostponeTimer::CMD => serve(request, response, |c: ArmPefPostponeTimer| {
            let present = machine.controller_mut().pef.postpone(now_s, c.seconds);
            Ok(PostponeTimer { present })
        }),
        GetPefConfigurationParameters::CMD => {
            serve(request, response, |c: GetPefConfigurationParameters| {
                let parameters = &machine.controller().pef.parameters;
                let key = (c.parameter.0, c.set, c.block);
                let data = read_parameter(parameters, &PARAMETERS, now_s, key)?;
                let data = if c.revision_only {
                    &[]
                } else {
                    data.as_slice()
                };
                Ok(PefConfigurationParameters {
                    revision: PARAMETER_REVISION,
                    data: Bytes::new(data).ok_or(CompletionCode::CANNOT_RETURN_BYTES)?,
                })
            })
        }
        SetPefConfigurationParameters::CMD => {
            serve(request, response, |c: SetPefConfigurationParameters| {
                set_parameter(machine, c.parameter, &c.data)
            })
        }
        SetLastProcessedEventId::CMD => serve(request, response, |c: SetLastProcessedEventId| {
            let pef = &mut machine.controller_mut().pef;
            if c.by_bmc {
                pef.by_bmc = Some(c.record.0);
            } else {
                pef.by_software = Some(c.record.0);
            }
            Ok(Empty)
        }),
        GetLastProcessedEventId::CMD => serve(request, response, |_: GetLastProcessedEventId| {
            Ok(last_event(machine))
        }),
        _ => CompletionCode::INVALID_COMMAND,
    }
}

/// Byte 1 of a filter is a parameter of its own (7), but the same byte.
fn set_parameter(
    machine: &mut Machine,
    parameter: PefParameter,
    data: &[u8],
) -> Result<Empty, CompletionCode> {
    let now_s = machine.at_s();
    let parameters = &mut machine.controller_mut().pef.parameters;
    write_parameter(parameters, &PARAMETERS, now_s, parameter.0, data)?;
    match (parameter, data) {
        (PefParameter::FILTER_TABLE, [number, first, ..]) => {
            let key = (PefParameter::FILTER_DATA_1.0, *number, 0);
            parameters.put(key, &[*first])?;
        }
        (PefParameter::FILTER_DATA_1, [number, first]) => {
            let key = (PefParameter::FILTER_TABLE.0, *number, 0);
            let mut filter = parameters
                .get(key.0, key.1, key.2)
                .map_or_else(|| vec![0; 20], <[u8]>::to_vec);
            filter[0] = *first;
            parameters.put(key, &filter)?;
        }
        _ => {}
    }
    Ok(Empty)
}

fn last_event(machine: &Machine) -> LastProcessedEventId {
    let (log, pef) = (machine.log(), &machine.controller().pef);
    let last = log.entry(NO_RECORD.0);
    let last = last.map_or(NO_RECORD, |(entry, _)| {
        RecordId(u16::from_le_bytes([entry[0], entry[1]]))
    });
    LastProcessedEventId {
        added: log.added_at().map_or(Timestamp::UNSPECIFIED, Timestamp),
        last,
        by_software: pef.by_software.map_or(NO_RECORD, RecordId),
        by_bmc: pef.by_bmc.map_or(RecordId(0), RecordId),
    }
}

/// An event that software reports is logged and filtered like the controller's own.
fn platform_event(machine: &mut Machine, event: &EventMessage) -> Result<Empty, CompletionCode> {
    let clock_s = machine.clock_s();
    let generator = event.generator.unwrap_or(EVENT_RECEIVER.0);
    let mut entry = [0; 16];
    entry[2] = 0x02;
    entry[3..7].copy_from_slice(&clock_s.to_le_bytes());
    entry[7..10].copy_from_slice(&[generator, 0, event.revision.0]);
    entry[10] = event.sensor_type.0;
    entry[11] = event.sensor_number;
    entry[12] = event.event_type.0 | u8::from(event.deasserted) << 7;
    entry[13..].copy_from_slice(&event.data);
    let record = machine.log_mut().append(clock_s, entry);
    let record = record.ok_or(CompletionCode::OUT_OF_SPACE)?;
    let filtered = FilteredEvent {
        generator: generator.into(),
        sensor_type: event.sensor_type,
        sensor_number: event.sensor_number,
        event_type: event.event_type,
        data: event.data,
    };
    machine.filter(record, &filtered);
    Ok(Empty)
}

/// The event of an alert that has none of its own: a platform alert.
const TEST_EVENT: AlertedEvent = AlertedEvent {
    generator: 0x20,
    revision: ipmi::number::EventMessageRevision(0x04),
    sensor_type: SensorType::PLATFORM_ALERT,
    sensor_number: 0,
    deasserted: false,
    event_type: EventReadingType::SENSOR_SPECIFIC,
    data: [0x01, 0xff, 0xff],
};

fn alert_immediate(
    machine: &mut Machine,
    c: &AlertImmediate,
) -> Result<AlertImmediateStatus, CompletionCode> {
    let at_s = machine.at_s();
    let pef = &mut machine.controller_mut().pef;
    let status = match c.operation {
        AlertOperation::INITIATE => {
            if !(1..=DESTINATIONS).contains(&c.destination) || c.string > STRINGS {
                return Err(CompletionCode::PARAMETER_OUT_OF_RANGE);
            }
            let event = c.event.unwrap_or(TEST_EVENT);
            pef.send(Alert {
                at_s,
                channel: c.channel,
                destination: c.destination,
                string: if c.send_string { c.string } else { 0 },
                event: FilteredEvent {
                    generator: event.generator.into(),
                    sensor_type: event.sensor_type,
                    sensor_number: event.sensor_number,
                    event_type: event.event_type,
                    data: event.data,
                },
                acknowledged: false,
            });
            pef.immediate = AlertStatus::NORMAL_END;
            None
        }
        AlertOperation::GET_STATUS => Some(pef.immediate),
        AlertOperation::CLEAR_STATUS => {
            pef.immediate = AlertStatus::NONE;
            None
        }
        _ => return Err(CompletionCode::INVALID_DATA_FIELD),
    };
    Ok(AlertImmediateStatus { status })
}
