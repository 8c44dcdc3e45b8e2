//! When an operation is carried out, and when settings are applied (DSP0266 "Operation apply time", "Settings resource").

use serde::Serialize;

use crate::Reference;
use crate::enumeration::enumeration;
use crate::table::{EnumType, Kind, ObjectType, Property};

const START: Property = Property::new("MaintenanceWindowStartTime", Kind::DateTime)
    .read_write()
    .not_null();

const DURATION: Property = Property::new(
    "MaintenanceWindowDurationInSeconds",
    Kind::integer(Some(1), None),
)
.read_write()
.not_null();

/// `Settings.v1_3_3.MaintenanceWindow`.
static WINDOW: ObjectType = ObjectType::new("MaintenanceWindow", &[START, DURATION]);

/// The words of `Settings.v1_3_3.ApplyTime`.
static APPLY_TIME: EnumType = EnumType {
    name: "ApplyTime",
    members: &[
        "Immediate",
        "OnReset",
        "AtMaintenanceWindowStart",
        "InMaintenanceWindowOnReset",
    ],
    deprecated: &[],
};

/// `Settings.v1_3_3.PreferredApplyTime`.
static PREFERRED: ObjectType = ObjectType::new(
    "PreferredApplyTime",
    &[
        Property::new("ApplyTime", Kind::Enumeration(&APPLY_TIME))
            .read_write()
            .not_null(),
        START,
        DURATION,
    ],
);

/// The annotations that a PATCH may change, as if they were properties: the maintenance window of a resource, and when
/// the content of a settings resource is applied.
static ANNOTATIONS: [Property; 2] = [
    Property::new("@Redfish.MaintenanceWindow", Kind::Object(&WINDOW))
        .by_member()
        .not_null(),
    Property::new("@Redfish.SettingsApplyTime", Kind::Object(&PREFERRED))
        .by_member()
        .not_null(),
];

/// The annotation `name` of a resource, if a PATCH may change it.
pub(crate) fn annotation(name: &str) -> Option<&'static Property> {
    ANNOTATIONS
        .iter()
        .find(|annotation| annotation.name == name)
}

enumeration! {
    /// The words of `Settings.OperationApplyTime`.
    pub enum OperationApplyTime {
        /// Apply immediately.
        Immediate = "Immediate",
        /// Apply on a reset.
        OnReset = "OnReset",
        /// Apply during an administrator-specified maintenance window.
        AtMaintenanceWindowStart = "AtMaintenanceWindowStart",
        /// Apply after a reset but within an administrator-specified maintenance window.
        InMaintenanceWindowOnReset = "InMaintenanceWindowOnReset",
        /// Apply when the `StartUpdate` action of the update service is invoked.
        OnStartUpdateRequest = "OnStartUpdateRequest",
        /// Apply when the target for the operation is reset.
        OnTargetReset = "OnTargetReset",
    }
}

/// What stands in an action, or beside a property, that takes `@Redfish.OperationApplyTime`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OperationApplyTimeSupport {
    #[serde(rename = "@odata.type")]
    odata_type: &'static str,
    /// What a client may ask for.
    pub supported_values: Vec<OperationApplyTime>,
    /// The resource with the `@Redfish.MaintenanceWindow` that counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintenance_window_resource: Option<Reference>,
}

impl OperationApplyTimeSupport {
    /// These words, and no maintenance window.
    #[must_use]
    pub const fn new(supported_values: Vec<OperationApplyTime>) -> Self {
        Self {
            odata_type: "#Settings.v1_3_3.OperationApplyTimeSupport",
            supported_values,
            maintenance_window_resource: None,
        }
    }

    /// At once, or when the maintenance window of the resource at `path` opens.
    #[must_use]
    pub fn in_window_of(path: impl Into<String>) -> Self {
        let words = vec![
            OperationApplyTime::Immediate,
            OperationApplyTime::AtMaintenanceWindowStart,
        ];
        Self {
            maintenance_window_resource: Some(Reference::to(path)),
            ..Self::new(words)
        }
    }
}
