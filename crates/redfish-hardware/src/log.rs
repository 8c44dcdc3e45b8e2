//! `LogService` and `LogEntry`: a machine's system event log.

use hardware::{LogEntryKind, LogText, Node, Severity};
use redfish_schema::log_entry::{
    self, EventSeverity, LogEntry, LogEntryCode, LogEntryType, SensorType,
};
use redfish_schema::log_service::{
    self, Actions, ClearLogAction, LogEntryTypes, LogService, OverWritePolicy,
};
use redfish_schema::{Collection, DateTime, Reference};

use crate::{status, uri};

/// The record types of IPMI 2.0 table 32-1 whose bytes 8 to 13 are an event of a sensor.
const SYSTEM_EVENT_RECORD: u8 = 0x02;

pub(crate) fn services(node: &Node) -> Collection {
    let id = node.id.as_str();
    let path = format!("{}/LogServices", uri::manager(id));
    let members = vec![Reference::to(uri::log(id))];
    Collection::new(&log_service::COLLECTION, path, "Log services", members)
}

pub(crate) fn service(node: &Node) -> LogService {
    let path = uri::log(node.id.as_str());
    LogService {
        service_enabled: Some(true.into()),
        max_number_of_records: node.log.capacity.map(i64::from),
        over_write_policy: Some(OverWritePolicy::NeverOverWrites),
        entries: Some(Reference::to(format!("{path}/Entries"))),
        status: Some(status::plain(status::link_state(node), None)),
        log_entry_type: Some(LogEntryTypes::SEL.into()),
        overflow: Some(node.log.overflowed),
        actions: Some(Actions {
            clear_log: Some(ClearLogAction::new(format!(
                "{path}/Actions/LogService.ClearLog"
            ))),
        }),
        ..LogService::new(path.as_str(), "SEL", "System event log")
    }
}

/// All entries, oldest first; the service cuts the collection into pages.
pub(crate) fn entries(node: &Node) -> Collection<LogEntry> {
    let path = format!("{}/Entries", uri::log(node.id.as_str()));
    let members = node
        .log
        .entries
        .iter()
        .map(|entry| entry_at(&path, entry))
        .collect();
    Collection::new(
        &log_entry::COLLECTION,
        path,
        "System event log entries",
        members,
    )
}

/// The entry with this number in the machine's own counting.
pub(crate) fn entry(node: &Node, id: &str) -> Option<LogEntry> {
    let number: u32 = id
        .parse()
        .ok()
        .filter(|number: &u32| number.to_string() == id)?;
    let path = format!("{}/Entries", uri::log(node.id.as_str()));
    let entry = node.log.entries.iter().find(|entry| entry.id == number)?;
    Some(entry_at(&path, entry))
}

fn entry_at(path: &str, entry: &hardware::LogEntry) -> LogEntry {
    let text = &entry.text;
    let is_event = text.kind == LogEntryKind::Event;
    let record_type = if is_event {
        LogEntryType::SEL
    } else {
        LogEntryType::Oem
    };
    let created = entry
        .at_s
        .and_then(|s| i64::try_from(s).ok())
        .map(DateTime::from_unix_s);
    let sensor_type = (!text.sensor_type.is_empty()).then(|| sensor_type(&text.sensor_type));
    let code = if text.asserted {
        LogEntryCode::Assert
    } else {
        LogEntryCode::Deassert
    };
    let id = entry.id.to_string();
    let name = format!("Log entry {id}");
    let own = LogEntry::new(format!("{path}/{id}"), id.as_str(), name, record_type);
    LogEntry {
        severity: Some(severity(text.severity).into()),
        created,
        message: Some(message(text).into()),
        entry_code: is_event.then(|| code.into()),
        sensor_type: sensor_type.map(Into::into),
        oem_sensor_type: (sensor_type == Some(SensorType::OEM))
            .then(|| (&*text.sensor_type).into()),
        oem_record_format: (!is_event).then(|| "IPMI SEL OEM record".into()),
        sensor_number: sensor_number(entry).map(Into::into),
        generator_id: generator(entry).map(Into::into),
        message_id: event_data(entry),
        ..own
    }
}

/// What an entry says: of which sensor, and that a condition holds no longer where it tells that.
pub(crate) fn message(text: &LogText) -> String {
    let subject = text
        .sensor
        .as_deref()
        .map(|sensor| format!("{sensor}: "))
        .unwrap_or_default();
    let gone = if text.kind == LogEntryKind::Event && !text.asserted {
        " (no longer)"
    } else {
        ""
    };
    format!("{subject}{}{gone}", text.message)
}

const fn severity(severity: Severity) -> EventSeverity {
    match severity {
        Severity::Ok => EventSeverity::OK,
        Severity::Warning => EventSeverity::Warning,
        Severity::Critical => EventSeverity::Critical,
    }
}

/// Whether the stored record is an IPMI system event record: sources without one leave it empty.
fn is_system_event(entry: &hardware::LogEntry) -> bool {
    entry.raw[2] == SYSTEM_EVENT_RECORD
}

/// Byte 12 of the record (IPMI 2.0 table 32-1).
fn sensor_number(entry: &hardware::LogEntry) -> Option<i64> {
    is_system_event(entry).then(|| i64::from(entry.raw[11]))
}

/// Bytes 8 and 9 of the record: who sent the event, as `0xNNNN`.
fn generator(entry: &hardware::LogEntry) -> Option<String> {
    let id = u16::from_le_bytes([entry.raw[7], entry.raw[8]]);
    is_system_event(entry).then(|| format!("0x{id:04x}"))
}

/// Bytes 13 to 16 of the record, event direction and data, in the form that `LogEntry` wants for `MessageId`.
fn event_data(entry: &hardware::LogEntry) -> Option<String> {
    let [.., kind, one, two, three] = entry.raw;
    is_system_event(entry).then(|| format!("0x{kind:02X}{one:02X}{two:02X}{three:02X}"))
}

/// Redfish's name of an IPMI sensor type. The two lists differ in punctuation and spacing, so those are left out of
/// the comparison; what Redfish has no name for is OEM.
fn sensor_type(words: &str) -> SensorType {
    let squeezed = |text: &str| -> String {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect()
    };
    let wanted = squeezed(words);
    let known = SensorType::ALL.iter().copied();
    known
        .into_iter()
        .find(|known| squeezed(known.as_str()) == wanted)
        .unwrap_or_else(|| {
            let aliases = [
                ("physicalsecurity", SensorType::PhysicalChassisSecurity),
                (
                    "platformsecurity",
                    SensorType::PlatformSecurityViolationAttempt,
                ),
                ("powersupply", SensorType::PowerSupplyConverter),
                ("driveslot", SensorType::DriveSlotBay),
                ("drivebay", SensorType::DriveSlotBay),
                ("button", SensorType::ButtonSwitch),
                ("moduleboard", SensorType::ModuleBoard),
                ("microcontroller", SensorType::MicrocontrollerCoprocessor),
                ("cableinterconnect", SensorType::CableInterconnect),
                ("systemfirmware", SensorType::SystemFirmwareProgress),
                ("systembootinitiated", SensorType::SystemBootRestart),
                ("systemboot", SensorType::SystemBootRestart),
                ("osboot", SensorType::BaseOSBootInstallationStatus),
                ("baseosboot", SensorType::BaseOSBootInstallationStatus),
                ("osstop", SensorType::OSStopShutdown),
                ("oscritical", SensorType::OSStopShutdown),
                ("slotconnector", SensorType::SlotConnector),
                ("otherunits", SensorType::OtherUnitsBasedSensor),
                ("watchdog", SensorType::Watchdog),
                ("managementsubsys", SensorType::ManagementSubsystemHealth),
                ("fru", SensorType::FRUState),
                ("monitorasic", SensorType::MonitorASICIC),
            ];
            let alias = aliases
                .into_iter()
                .find(|(start, _)| wanted.starts_with(start));
            alias.map_or(SensorType::OEM, |(_, known)| known)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipmi_sensor_types_have_the_names_that_redfish_has_for_them() {
        for (ipmi, redfish) in [
            ("Temperature", SensorType::Temperature),
            ("Physical Security", SensorType::PhysicalChassisSecurity),
            ("Power Supply", SensorType::PowerSupplyConverter),
            ("Power Unit", SensorType::PowerUnit),
            ("Watchdog 2", SensorType::Watchdog),
            ("FRU State", SensorType::FRUState),
            ("System ACPI Power State", SensorType::SystemACPIPowerState),
            ("Telekinesis", SensorType::OEM),
        ] {
            assert_eq!(sensor_type(ipmi), redfish, "{ipmi}");
        }
    }
}
