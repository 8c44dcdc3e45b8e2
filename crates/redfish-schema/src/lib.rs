//! Redfish resources and property tables compiled from DMTF's CSDL.
//!
//! The crate has two views of the same schemas, both made by `cargo xtask codegen`:
//!
//! - **Tables** ([`ResourceType`] and what it holds) say what the newest version of a schema says:
//!   every property with its type, range, permission and whether it is required. They are full.
//!   [`validate`] checks a response against them, [`check_patch`], [`check_create`] and
//!   [`check_parameters`] check a request.
//! - **Typed structures**, one module a schema ([`computer_system`], [`sensor`], …), write responses.
//!   They have the properties that `schemas.toml` lists: those that we serve.
//!
//! # Absent, `null` and values
//!
//! A field's type says what the schema allows:
//!
//! | type                  | absent | `null` |                                              |
//! |-----------------------|--------|--------|----------------------------------------------|
//! | `T`                   | never  | never  | required; an argument of `new`               |
//! | `Nullable<T>`         | never  | yes    | required, but may not be known               |
//! | `Option<T>`           | `None` | never  |                                              |
//! | `Option<Nullable<T>>` | `None` | yes    | absent: not supported; `null`: not known now |
//!
//! A structure with required properties has no `Default`; its `new` takes them, so none can be
//! forgotten. `@odata.type` is set by `new` and can't be wrong. Order in JSON: `@odata` properties,
//! `Id`, `Name`, then as listed.
//!
//! ```
//! use redfish_schema::computer_system::{Boot, BootSource, ComputerSystem};
//! use redfish_schema::resource::{PowerState, Status};
//! use redfish_schema::{Nullable, validate};
//!
//! let serial_number: Option<String> = None;
//! let system = ComputerSystem {
//!     // Supported and known.
//!     power_state: Some(PowerState::On.into()),
//!     // Supported, but not known now.
//!     host_name: Some(Nullable::Null),
//!     // `null` while nothing is known.
//!     model: Some(None.into()),
//!     // Absent while nothing is known.
//!     serial_number: serial_number.map(Into::into),
//!     // An object without required properties has a `Default`: all absent.
//!     boot: Some(Boot {
//!         boot_source_override_target: Some(BootSource::Pxe.into()),
//!         ..Boot::default()
//!     }),
//!     status: Some(Status::default()),
//!     ..ComputerSystem::new("/redfish/v1/Systems/1", "1", "Node 1")
//! };
//! let json = serde_json::to_value(&system)?;
//! assert_eq!(json["PowerState"], "On");
//! assert!(json["HostName"].is_null());
//! assert!(json.get("SerialNumber").is_none());
//! assert!(validate(&json).is_empty());
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! # Requests
//!
//! ```
//! use redfish_schema::{check_parameters, check_patch, computer_system};
//! use serde_json::json;
//!
//! let system = &computer_system::TYPE;
//! let patch = check_patch(system, &json!({"Boot": {"BootSourceOverrideTarget": "Pxe"}})).unwrap();
//! assert_eq!(patch.get("/Boot/BootSourceOverrideTarget").unwrap(), "Pxe");
//!
//! let faults = check_patch(system, &json!({"Boot": {"BootSourceOverrideTarget": "pxe"}})).unwrap_err();
//! assert_eq!(faults[0].pointer, "/Boot/BootSourceOverrideTarget");
//!
//! let reset = system.action("ComputerSystem.Reset").unwrap();
//! assert!(check_parameters(reset, &json!({"ResetType": "Explode"})).is_err());
//! ```

mod action_uri;
mod apply_time;
mod collection;
mod enumeration;
mod generated;
mod merge;
mod problem;
mod request;
mod scalar;
mod table;
mod validate;
mod value;

pub use apply_time::{OperationApplyTime, OperationApplyTimeSupport};
pub use collection::Collection;
pub use generated::typed::*;
pub use problem::{Fault, Problem, Violation};
pub use request::{
    CheckedCreate, CheckedParameters, CheckedPatch, check_create, check_parameters, check_patch,
    is_required_parameter,
};
pub use table::{
    Action, DynamicProperty, EnumType, Kind, ObjectType, Pattern, Permission, Property,
    ResourceType, SchemaFile, Version, all, by_odata_type, is_entity, resource_type, schema_files,
};
pub use validate::validate;
pub use value::{DateTime, Duration, Nullable, ODataType, Reference, Resource, is_date_time};
