//! Redfish resources and property tables compiled from DMTF's CSDL.

mod collection;
mod enumeration;
mod generated;
mod table;
mod value;

pub use collection::Collection;
pub use generated::typed::*;
pub use table::{
    Action, DynamicProperty, EnumType, Kind, ObjectType, Pattern, Permission, Property,
    ResourceType, SchemaFile, Version, all, by_odata_type, resource_type, schema_files,
};
pub use value::{DateTime, Duration, Nullable, ODataType, Reference, Resource, is_date_time};
