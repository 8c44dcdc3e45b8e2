//! `@Redfish.OperationApplyTimeSupport`: when an operation can be carried out (DSP0266 "Operation apply time").

use serde::Serialize;

use crate::Reference;
use crate::enumeration::enumeration;
use crate::table::{Kind, ObjectType, Property};

/// The annotation by which a resource shows its maintenance window, and takes another one.
pub(crate) const MAINTENANCE_WINDOW: &str = "@Redfish.MaintenanceWindow";

/// `Settings.v1_3_3.MaintenanceWindow`.
static WINDOW: ObjectType = ObjectType::new(
    "MaintenanceWindow",
    &[
        Property::new("MaintenanceWindowStartTime", Kind::DateTime)
            .read_write()
            .not_null(),
        Property::new(
            "MaintenanceWindowDurationInSeconds",
            Kind::integer(Some(1), None),
        )
        .read_write()
        .not_null(),
    ],
);

/// The annotation as if it was a property.
pub(crate) static WINDOW_PROPERTY: Property =
    Property::new(MAINTENANCE_WINDOW, Kind::Object(&WINDOW))
        .by_member()
        .not_null();

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
