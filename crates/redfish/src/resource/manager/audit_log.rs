//! `LogServices/Audit`: who logged in, was refused or changed something, and from where.

use std::time::SystemTime;

use redfish_schema::log_entry::{self, EventSeverity, LogEntry, LogEntryType, OriginatorTypes};
use redfish_schema::log_service::{
    self, Actions, ClearLogAction, LogEntryTypes, LogPurpose, LogService, OverWritePolicy,
};
use redfish_schema::{Collection, DateTime, Reference};

use crate::audit::{AuditLog, MAX_AUDIT_RECORDS, Record};
use crate::resource::enabled;
use crate::{Document, Failure};

/// The log's `Id`.
pub(crate) const ID: &str = "Audit";

pub(crate) fn services(manager: &str) -> Result<Document, Failure> {
    let path = format!("{manager}/LogServices");
    let members = vec![Reference::to(format!("{path}/{ID}"))];
    let kind = &log_service::COLLECTION;
    Document::of(&Collection::new(kind, path, "Log services", members))
}

pub(crate) fn service(manager: &str) -> Result<Document, Failure> {
    let path = format!("{manager}/LogServices/{ID}");
    let clear = ClearLogAction::new(format!("{path}/Actions/LogService.ClearLog"));
    Document::of(&LogService {
        description: Some("Logins, refusals and changes".into()),
        service_enabled: Some(true.into()),
        max_number_of_records: i64::try_from(MAX_AUDIT_RECORDS).ok(),
        over_write_policy: Some(OverWritePolicy::WrapsWhenFull),
        date_time: Some(DateTime::from(SystemTime::now()).into()),
        date_time_local_offset: Some("+00:00".into()),
        entries: Some(Reference::to(format!("{path}/Entries"))),
        status: Some(enabled()),
        log_entry_type: Some(LogEntryTypes::Event.into()),
        log_purposes: Some(vec![LogPurpose::Security, LogPurpose::Operations]),
        actions: Some(Actions {
            clear_log: Some(clear),
        }),
        ..LogService::new(path.as_str(), ID, "Audit log")
    })
}

pub(crate) fn entries(manager: &str, log: &AuditLog) -> Result<Document, Failure> {
    let path = format!("{manager}/LogServices/{ID}/Entries");
    let members = log.ids().into_iter().filter_map(|id| log.find(id));
    let members = members.map(|record| of(&path, &record)).collect();
    let kind = &log_entry::COLLECTION;
    Document::of(&Collection::new(kind, &*path, "Audit log entries", members))
}

pub(crate) fn entry(manager: &str, log: &AuditLog, id: &str) -> Result<Document, Failure> {
    let number: u64 = id.parse().map_err(|_| Failure::NotFound)?;
    let record = log
        .find(number)
        .filter(|record| record.id.to_string() == id);
    let path = format!("{manager}/LogServices/{ID}/Entries");
    Document::of(&of(&path, &record.ok_or(Failure::NotFound)?))
}

/// The message names the resource. A link would lead nowhere once that is gone.
fn of(path: &str, record: &Record) -> LogEntry {
    let id = record.id.to_string();
    let severity = if record.is_warning {
        EventSeverity::Warning
    } else {
        EventSeverity::OK
    };
    LogEntry {
        severity: Some(severity.into()),
        created: Some(DateTime::from_unix_ms(record.at_ms)),
        message: Some(record.message().into()),
        username: Some(record.user.clone().into()),
        originator_type: Some(OriginatorTypes::Client),
        originator: record.client.clone(),
        ..LogEntry::new(
            format!("{path}/{id}"),
            id,
            format!("Audit record {}", record.id),
            LogEntryType::Event,
        )
    }
}
