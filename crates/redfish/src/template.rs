//! Where resources may be: the URI templates that are really served.

use crate::Service;

/// One place of the tree: a path with `{Name}` for each segment that differs from resource to resource, spelled as the
/// schema does (`Redfish.Uris`), and what can be done there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    /// The path, `/redfish/v1/Systems/{ComputerSystemId}`.
    pub uri: &'static str,
    /// Name of the resource type, `ComputerSystem`.
    pub kind: &'static str,
    /// Some of these resources can be changed with PATCH.
    pub is_changeable: bool,
    /// POST adds members to some of these collections.
    pub is_insertable: bool,
    /// DELETE removes some of these resources.
    pub is_deletable: bool,
    /// Qualified names of the actions that some of these resources show, `ComputerSystem.Reset`.
    pub actions: &'static [&'static str],
}

impl Template {
    /// Resources of the type `kind` at `uri` that can only be read.
    #[must_use]
    pub const fn new(uri: &'static str, kind: &'static str) -> Self {
        Self {
            uri,
            kind,
            is_changeable: false,
            is_insertable: false,
            is_deletable: false,
            actions: &[],
        }
    }

    /// The same, with PATCH.
    #[must_use]
    pub const fn changeable(mut self) -> Self {
        self.is_changeable = true;
        self
    }

    /// The same, with POST of members.
    #[must_use]
    pub const fn insertable(mut self) -> Self {
        self.is_insertable = true;
        self
    }

    /// The same, with DELETE.
    #[must_use]
    pub const fn deletable(mut self) -> Self {
        self.is_deletable = true;
        self
    }

    /// The same, with these actions.
    #[must_use]
    pub const fn actions(mut self, actions: &'static [&'static str]) -> Self {
        self.actions = actions;
        self
    }

    /// Whether `path` is at this place; a trailing slash is ignored.
    #[must_use]
    pub fn is_at(&self, path: &str) -> bool {
        let mut wanted = self.uri.trim_end_matches('/').split('/');
        let mut given = path.trim_end_matches('/').split('/');
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some(wanted), Some(given))
                    if wanted == given || wanted.starts_with('{') && !given.is_empty() => {}
                _ => return false,
            }
        }
    }
}

impl Service {
    /// Every place at which a resource may be: those of the service itself, then those of its backend. Some are in both.
    pub fn templates(&self) -> impl Iterator<Item = Template> {
        let aggregation = of_aggregation(self.parts.sources.is_some());
        let own = OWN.iter().chain(aggregation);
        own.chain(self.backend.templates()).copied()
    }
}

/// What the service serves where somebody takes up machines that clients name, and nothing where nobody does.
pub(crate) const fn of_aggregation(is_there: bool) -> &'static [Template] {
    if is_there { AGGREGATION } else { &[] }
}

static AGGREGATION: &[Template] = &[
    Template::new("/redfish/v1/AggregationService", "AggregationService"),
    Template::new(
        "/redfish/v1/AggregationService/AggregationSources",
        "AggregationSourceCollection",
    )
    .insertable(),
    Template::new(
        "/redfish/v1/AggregationService/AggregationSources/{AggregationSourceId}",
        "AggregationSource",
    )
    .changeable()
    .deletable(),
    Template::new(
        "/redfish/v1/AggregationService/ConnectionMethods",
        "ConnectionMethodCollection",
    ),
    Template::new(
        "/redfish/v1/AggregationService/ConnectionMethods/{ConnectionMethodId}",
        "ConnectionMethod",
    ),
];

/// What the service serves itself, whatever stands behind it.
pub(crate) static OWN: &[Template] = &[
    Template::new("/redfish/v1/", "ServiceRoot"),
    Template::new("/redfish/v1/AccountService", "AccountService").changeable(),
    Template::new(
        "/redfish/v1/AccountService/Accounts",
        "ManagerAccountCollection",
    )
    .insertable(),
    Template::new(
        "/redfish/v1/AccountService/Accounts/{ManagerAccountId}",
        "ManagerAccount",
    )
    .changeable()
    .deletable()
    .actions(&["ManagerAccount.ChangePassword"]),
    Template::new(
        "/redfish/v1/AccountService/MultiFactorAuth/ClientCertificate/Certificates",
        "CertificateCollection",
    )
    .insertable(),
    Template::new(
        "/redfish/v1/AccountService/MultiFactorAuth/ClientCertificate/Certificates/{CertificateId}",
        "Certificate",
    )
    .deletable(),
    Template::new("/redfish/v1/AccountService/Roles", "RoleCollection").insertable(),
    Template::new("/redfish/v1/AccountService/Roles/{RoleId}", "Role")
        .changeable()
        .deletable(),
    Template::new("/redfish/v1/CertificateService", "CertificateService").actions(&[
        "CertificateService.GenerateCSR",
        "CertificateService.ReplaceCertificate",
    ]),
    Template::new(
        "/redfish/v1/CertificateService/CertificateLocations",
        "CertificateLocations",
    ),
    Template::new("/redfish/v1/EventService", "EventService")
        .changeable()
        .actions(&["EventService.SubmitTestEvent"]),
    Template::new(
        "/redfish/v1/EventService/Subscriptions",
        "EventDestinationCollection",
    )
    .insertable(),
    Template::new(
        "/redfish/v1/EventService/Subscriptions/{EventDestinationId}",
        "EventDestination",
    )
    .changeable()
    .deletable()
    .actions(&[
        "EventDestination.ResumeSubscription",
        "EventDestination.SuspendSubscription",
    ]),
    Template::new("/redfish/v1/JsonSchemas", "JsonSchemaFileCollection"),
    Template::new(
        "/redfish/v1/JsonSchemas/{JsonSchemaFileId}",
        "JsonSchemaFile",
    ),
    Template::new("/redfish/v1/Managers", "ManagerCollection"),
    Template::new("/redfish/v1/Managers/{ManagerId}", "Manager").actions(&["Manager.Reset"]),
    Template::new(
        "/redfish/v1/Managers/{ManagerId}/EthernetInterfaces",
        "EthernetInterfaceCollection",
    ),
    Template::new(
        "/redfish/v1/Managers/{ManagerId}/EthernetInterfaces/{EthernetInterfaceId}",
        "EthernetInterface",
    ),
    Template::new(
        "/redfish/v1/Managers/{ManagerId}/LogServices",
        "LogServiceCollection",
    ),
    Template::new(
        "/redfish/v1/Managers/{ManagerId}/LogServices/{LogServiceId}",
        "LogService",
    )
    .actions(&["LogService.ClearLog"]),
    Template::new(
        "/redfish/v1/Managers/{ManagerId}/LogServices/{LogServiceId}/Entries",
        "LogEntryCollection",
    ),
    Template::new(
        "/redfish/v1/Managers/{ManagerId}/LogServices/{LogServiceId}/Entries/{LogEntryId}",
        "LogEntry",
    ),
    Template::new(
        "/redfish/v1/Managers/{ManagerId}/NetworkProtocol",
        "ManagerNetworkProtocol",
    )
    .changeable(),
    Template::new(
        "/redfish/v1/Managers/{ManagerId}/NetworkProtocol/HTTPS/Certificates",
        "CertificateCollection",
    ),
    Template::new(
        "/redfish/v1/Managers/{ManagerId}/NetworkProtocol/HTTPS/Certificates/{CertificateId}",
        "Certificate",
    ),
    Template::new("/redfish/v1/Registries", "MessageRegistryFileCollection"),
    Template::new(
        "/redfish/v1/Registries/{MessageRegistryFileId}",
        "MessageRegistryFile",
    ),
    Template::new("/redfish/v1/SessionService", "SessionService").changeable(),
    Template::new("/redfish/v1/SessionService/Sessions", "SessionCollection").insertable(),
    Template::new("/redfish/v1/SessionService/Sessions/{SessionId}", "Session").deletable(),
    Template::new("/redfish/v1/TaskService", "TaskService")
        .changeable()
        .actions(&["TaskService.DeleteAllCompletedTasks"]),
    Template::new("/redfish/v1/TaskService/Tasks", "TaskCollection"),
    Template::new("/redfish/v1/TaskService/Tasks/{TaskId}", "Task").deletable(),
    Template::new(
        "/redfish/v1/TaskService/Tasks/{TaskId}/SubTasks",
        "TaskCollection",
    ),
    Template::new(
        "/redfish/v1/TaskService/Tasks/{TaskId}/SubTasks/{TaskId2}",
        "Task",
    )
    .deletable(),
    Template::new("/redfish/v1/TelemetryService", "TelemetryService")
        .changeable()
        .actions(&[
            "TelemetryService.ClearMetricReports",
            "TelemetryService.ResetMetricReportDefinitionsToDefaults",
            "TelemetryService.ResetTriggersToDefaults",
            "TelemetryService.SubmitTestMetricReport",
        ]),
    Template::new(
        "/redfish/v1/TelemetryService/MetricDefinitions",
        "MetricDefinitionCollection",
    ),
    Template::new(
        "/redfish/v1/TelemetryService/MetricReportDefinitions",
        "MetricReportDefinitionCollection",
    )
    .insertable(),
    Template::new(
        "/redfish/v1/TelemetryService/MetricReportDefinitions/{MetricReportDefinitionId}",
        "MetricReportDefinition",
    )
    .changeable()
    .deletable(),
    Template::new(
        "/redfish/v1/TelemetryService/MetricReports",
        "MetricReportCollection",
    ),
    Template::new(
        "/redfish/v1/TelemetryService/MetricReports/{MetricReportId}",
        "MetricReport",
    ),
    Template::new(
        "/redfish/v1/TelemetryService/Triggers",
        "TriggersCollection",
    )
    .insertable(),
    Template::new(
        "/redfish/v1/TelemetryService/Triggers/{TriggersId}",
        "Triggers",
    )
    .changeable()
    .deletable(),
    Template::new("/redfish/v1/UpdateService", "UpdateService")
        .actions(&["UpdateService.SimpleUpdate", "UpdateService.StartUpdate"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_one_of_its_type_and_has_actions_of_its_type() {
        for template in OWN.iter().chain(AGGREGATION) {
            let kind = redfish_schema::resource_type(template.kind);
            let kind = kind.unwrap_or_else(|| panic!("{template:?}"));
            assert!(kind.may_be_at(template.uri), "{template:?}");
            let all = OWN.iter().chain(AGGREGATION);
            assert!(all.filter(|other| other.uri == template.uri).count() == 1);
            for action in template.actions {
                assert!(kind.action(action).is_some(), "{action}");
            }
        }
    }

    #[test]
    fn a_path_is_at_a_place_segment_by_segment() {
        let template = Template::new("/redfish/v1/Systems/{Id}/Memory/{Id2}", "Memory");
        assert!(template.is_at("/redfish/v1/Systems/a/Memory/b"));
        assert!(template.is_at("/redfish/v1/Systems/a/Memory/b/"));
        for other in [
            "/redfish/v1/Systems/a/Memory",
            "/redfish/v1/Systems/a/Memory/b/c",
            "/redfish/v1/Systems//Memory/b",
            "/redfish/v1/Systems/a/Processors/b",
        ] {
            assert!(!template.is_at(other), "{other}");
        }
    }
}
