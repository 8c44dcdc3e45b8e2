//! The tables: what the schema says of a resource, as static data.
//!
//! A table is always full: every property of the newest schema version is in it, deprecated ones
//! included, whether or not we serve it. The checks of this crate read the tables and nothing else.

use std::fmt;
use std::sync::OnceLock;

use regex_lite::Regex;

use crate::generated::entities::ENTITIES;

/// Version of a schema, `v1_28_0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Incompatible changes.
    pub major: u16,
    /// Additions.
    pub minor: u16,
    /// Corrections.
    pub errata: u16,
}

impl Version {
    /// A version from its three numbers.
    #[must_use]
    pub const fn new(major: u16, minor: u16, errata: u16) -> Self {
        Self {
            major,
            minor,
            errata,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.errata)
    }
}

/// A resource type or a collection of resources.
#[derive(Debug)]
pub struct ResourceType {
    /// Name without version, `ComputerSystem`.
    pub name: &'static str,
    /// Value of `@odata.type`, `#ComputerSystem.v1_28_0.ComputerSystem` (DSP0266 "Resource type property").
    pub odata_type: &'static str,
    /// Version of the schema. A collection's schema has none.
    pub version: Option<Version>,
    /// The properties.
    pub object: &'static ObjectType,
    /// Where such resources may be, with `{ChassisId}` for one segment (`Redfish.Uris`).
    pub uris: &'static [&'static str],
    /// Where they may be although the schema discourages it (`Redfish.DeprecatedUris`).
    pub deprecated_uris: &'static [&'static str],
    /// A client may add a member with POST, for a collection.
    pub insertable: bool,
    /// PATCH may change at least one property.
    pub updatable: bool,
    /// A client may delete it.
    pub deletable: bool,
    /// Name of the members' type, for a collection.
    pub member_type: Option<&'static str>,
}

impl ResourceType {
    /// Whether it is a collection of resources.
    #[must_use]
    pub const fn is_collection(&self) -> bool {
        self.member_type.is_some()
    }

    /// All properties in schema order.
    #[must_use]
    pub const fn properties(&self) -> &'static [Property] {
        self.object.properties
    }

    /// The property with the name `name`.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&'static Property> {
        self.object.property(name)
    }

    /// The actions of the resource, those in its `Actions` property.
    #[must_use]
    pub fn actions(&self) -> &'static [Action] {
        match self.property("Actions").map(|property| &property.kind) {
            Some(Kind::Object(actions)) => actions.actions,
            _ => &[],
        }
    }

    /// The action with the qualified name `name`, `ComputerSystem.Reset`.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<&'static Action> {
        self.actions().iter().find(|action| action.name == name)
    }

    /// Whether a resource of this type may be at `path`, `/redfish/v1/Systems/1`. A trailing slash
    /// is ignored. A type without any URI template (a message, an event) may be anywhere.
    #[must_use]
    pub fn may_be_at(&self, path: &str) -> bool {
        let mut templates = self.uris.iter().chain(self.deprecated_uris).peekable();
        templates.peek().is_none() || templates.any(|template| matches_template(template, path))
    }

    /// Where DMTF publishes the JSON schema of this type and version, for the `Link` header with
    /// `rel=describedby` (DSP0266 "Link header").
    #[must_use]
    pub fn json_schema_uri(&self) -> String {
        let namespace = self.odata_type.trim_start_matches('#');
        let namespace = namespace
            .rsplit_once('.')
            .map_or(namespace, |(namespace, _)| namespace);
        format!("http://redfish.dmtf.org/schemas/v1/{namespace}.json")
    }
}

fn matches_template(template: &str, path: &str) -> bool {
    let mut wanted = template.trim_end_matches('/').split('/');
    let mut given = path.trim_end_matches('/').split('/');
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given => {}
            (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {}
            _ => return false,
        }
    }
}

/// An object: the body of a resource, or a value inside one.
#[derive(Debug)]
pub struct ObjectType {
    /// Name without namespace, `Boot`. An excerpt has the name of its schema and itself,
    /// `SensorFanExcerpt`.
    pub name: &'static str,
    /// All properties in the order in which we write them.
    pub properties: &'static [Property],
    /// Actions that are offered in this object, as `#ComputerSystem.Reset`.
    pub actions: &'static [Action],
    /// Properties that aren't named but whose name matches a pattern.
    pub dynamic: &'static [DynamicProperty],
    /// Accepts any other property too (`OData.AdditionalProperties`).
    pub is_open: bool,
    /// Has an `@odata.id` of its own: a resource or an addressable array member.
    pub is_entity: bool,
}

impl ObjectType {
    /// A closed object with `properties` and nothing else.
    #[must_use]
    pub const fn new(name: &'static str, properties: &'static [Property]) -> Self {
        Self {
            name,
            properties,
            actions: &[],
            dynamic: &[],
            is_open: false,
            is_entity: false,
        }
    }

    /// The same with actions.
    #[must_use]
    pub const fn actions(mut self, actions: &'static [Action]) -> Self {
        self.actions = actions;
        self
    }

    /// The same with properties named by patterns.
    #[must_use]
    pub const fn dynamic(mut self, dynamic: &'static [DynamicProperty]) -> Self {
        self.dynamic = dynamic;
        self
    }

    /// The same, open for further properties.
    #[must_use]
    pub const fn open(mut self) -> Self {
        self.is_open = true;
        self
    }

    /// The same with an `@odata.id` of its own.
    #[must_use]
    pub const fn entity(mut self) -> Self {
        self.is_entity = true;
        self
    }

    /// The property with the name `name`.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties
            .iter()
            .find(|property| property.name == name)
    }
}

/// Properties whose names match a pattern (`Redfish.DynamicPropertyPatterns`).
#[derive(Debug)]
pub struct DynamicProperty {
    /// What their names look like.
    pub name: &'static Pattern,
    /// What they hold.
    pub kind: Kind,
}

/// A property of an object.
#[derive(Debug)]
pub struct Property {
    /// Name in JSON.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Who may read and write it.
    pub permission: Permission,
    /// May be `null`. Never true for an array: its items are, see [`Kind::Array`].
    pub nullable: bool,
    /// Every instance has it (`Redfish.Required`).
    pub required: bool,
    /// A POST that creates an instance has to give it (`Redfish.RequiredOnCreate`).
    pub required_on_create: bool,
    /// A POST that creates an instance may give it, though PATCH can't change it. The CSDL has no annotation for that:
    /// the descriptions of the properties say it.
    pub on_create: bool,
    /// The schema discourages new uses.
    pub deprecated: bool,
    /// Stays in the answer to `?excerpt` (`Redfish.Excerpt`, DSP0266 "Query parameters").
    pub excerpt: bool,
    /// Unit in UCUM spelling, `Cel`, `W`, `{rev}/min` (`Measures.Unit`).
    pub unit: Option<&'static str>,
}

impl Property {
    /// An optional, nullable property that a client can only read.
    #[must_use]
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            permission: Permission::Read,
            nullable: true,
            required: false,
            required_on_create: false,
            on_create: false,
            deprecated: false,
            excerpt: false,
            unit: None,
        }
    }

    /// The same, also writable.
    #[must_use]
    pub const fn read_write(mut self) -> Self {
        self.permission = Permission::ReadWrite;
        self
    }

    /// The same, writable but never shown.
    #[must_use]
    pub const fn write_only(mut self) -> Self {
        self.permission = Permission::Write;
        self
    }

    /// The same, given only when an instance is created and never shown.
    #[must_use]
    pub const fn create_only(mut self) -> Self {
        self.permission = Permission::CreateOnly;
        self
    }

    /// The same without a permission of its own: the members of the object decide.
    #[must_use]
    pub const fn by_member(mut self) -> Self {
        self.permission = Permission::ByMember;
        self
    }

    /// The same, never `null`.
    #[must_use]
    pub const fn not_null(mut self) -> Self {
        self.nullable = false;
        self
    }

    /// The same, in every instance.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The same, demanded from a POST that creates an instance.
    #[must_use]
    pub const fn required_on_create(mut self) -> Self {
        self.required_on_create = true;
        self
    }

    /// The same, taken from a POST that creates an instance.
    #[must_use]
    pub const fn on_create(mut self) -> Self {
        self.on_create = true;
        self
    }

    /// The same, discouraged.
    #[must_use]
    pub const fn deprecated(mut self) -> Self {
        self.deprecated = true;
        self
    }

    /// The same, part of the excerpt.
    #[must_use]
    pub const fn excerpt(mut self) -> Self {
        self.excerpt = true;
        self
    }

    /// The same with a unit.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = Some(unit);
        self
    }
}

/// Access to a property (`OData.Permissions`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// A client can read it.
    Read,
    /// A client can read and write it.
    ReadWrite,
    /// A client can write it; a response has `null` for it.
    Write,
    /// A client can give it only when it creates an instance; a response has `null` for it
    /// (`OData.Permission/None`, the password of a session).
    CreateOnly,
    /// An object without a permission: each member has its own.
    ByMember,
}

impl Permission {
    /// Whether PATCH may set the property itself.
    #[must_use]
    pub const fn is_writable(self) -> bool {
        matches!(self, Self::ReadWrite | Self::Write)
    }

    /// Whether a response may have its value.
    #[must_use]
    pub const fn is_readable(self) -> bool {
        !matches!(self, Self::Write | Self::CreateOnly)
    }
}

/// What a property holds.
#[derive(Debug)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A JSON number without a fraction (`Edm.Int64`).
    Integer {
        /// Smallest value allowed.
        minimum: Option<i64>,
        /// Largest value allowed.
        maximum: Option<i64>,
    },
    /// A JSON number (`Edm.Decimal`).
    Number {
        /// Smallest value allowed.
        minimum: Option<i64>,
        /// Largest value allowed.
        maximum: Option<i64>,
    },
    /// Text.
    String {
        /// What it looks like.
        pattern: Option<&'static Pattern>,
    },
    /// A URI or a URI reference (`OData.IsURL`).
    Uri,
    /// Date, time and offset from UTC (DSP0266 "Date-Time values").
    DateTime,
    /// ISO 8601 duration in days, hours, minutes and seconds (DSP0266 "Duration values").
    Duration,
    /// A UUID in its text form.
    Guid,
    /// Any string, number or Boolean (`Edm.PrimitiveType`).
    Primitive,
    /// One of a list of words.
    Enumeration(&'static EnumType),
    /// An object.
    Object(&'static ObjectType),
    /// A link, `{"@odata.id": "..."}`, to a resource of the named type. The name `Item` or
    /// `Resource` stands for any resource.
    Reference(&'static str),
    /// An array.
    Array {
        /// What each item holds.
        item: &'static Self,
        /// Whether an item may be `null`.
        nullable_items: bool,
    },
}

impl Kind {
    /// Any integer.
    pub const INTEGER: Self = Self::Integer {
        minimum: None,
        maximum: None,
    };
    /// Any number.
    pub const NUMBER: Self = Self::Number {
        minimum: None,
        maximum: None,
    };
    /// Any text.
    pub const STRING: Self = Self::String { pattern: None };

    /// An array whose items aren't `null`.
    #[must_use]
    pub const fn array(item: &'static Self) -> Self {
        Self::Array {
            item,
            nullable_items: false,
        }
    }

    /// An array whose items may be `null`.
    #[must_use]
    pub const fn array_of_nullable(item: &'static Self) -> Self {
        Self::Array {
            item,
            nullable_items: true,
        }
    }

    /// Text that looks like `pattern`.
    #[must_use]
    pub const fn matching(pattern: &'static Pattern) -> Self {
        Self::String {
            pattern: Some(pattern),
        }
    }

    /// An integer in a range.
    #[must_use]
    pub const fn integer(minimum: Option<i64>, maximum: Option<i64>) -> Self {
        Self::Integer { minimum, maximum }
    }

    /// A number in a range.
    #[must_use]
    pub const fn number(minimum: Option<i64>, maximum: Option<i64>) -> Self {
        Self::Number { minimum, maximum }
    }
}

/// An enumeration.
#[derive(Debug)]
pub struct EnumType {
    /// Name without namespace, `ResetType`.
    pub name: &'static str,
    /// All words, with deprecated ones.
    pub members: &'static [&'static str],
    /// The words among them that the schema discourages.
    pub deprecated: &'static [&'static str],
}

impl EnumType {
    /// Whether `word` is a member. Case matters.
    #[must_use]
    pub fn contains(&self, word: &str) -> bool {
        self.members.contains(&word)
    }
}

/// An action.
#[derive(Debug)]
pub struct Action {
    /// Qualified name without `#`, `ComputerSystem.Reset`.
    pub name: &'static str,
    /// What a caller may give. A parameter is required when it isn't nullable.
    pub parameters: &'static [Property],
}

impl Action {
    /// An action with its parameters.
    #[must_use]
    pub const fn new(name: &'static str, parameters: &'static [Property]) -> Self {
        Self { name, parameters }
    }

    /// The parameter with the name `name`.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&'static Property> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name == name)
    }

    /// Path of the action's target below its resource: `Actions/ComputerSystem.Reset`
    /// (DSP0266 "Action representation").
    #[must_use]
    pub fn path(&self) -> String {
        format!("Actions/{}", self.name)
    }
}

/// A regular expression of the schema, compiled at first use.
pub struct Pattern {
    source: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// A pattern in the syntax of ECMA 262 as far as the schemas use it.
    #[must_use]
    pub const fn new(source: &'static str) -> Self {
        Self {
            source,
            compiled: OnceLock::new(),
        }
    }

    /// The expression.
    #[must_use]
    pub const fn source(&self) -> &'static str {
        self.source
    }

    /// Whether `text` contains a match. An expression that doesn't compile matches everything;
    /// a test proves that all of the tables compile.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.regex().is_none_or(|regex| regex.is_match(text))
    }

    pub(crate) fn regex(&self) -> Option<&Regex> {
        self.compiled
            .get_or_init(|| Regex::new(self.source).ok())
            .as_ref()
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.source).finish()
    }
}

/// A schema file that the tables come from, for a service's `$metadata` document
/// (DSP0266 "OData $metadata").
#[derive(Debug)]
pub struct SchemaFile {
    /// Where DMTF publishes it.
    pub uri: &'static str,
    /// Namespaces to include from it: the unversioned one and those at the versions we use.
    pub namespaces: &'static [&'static str],
}

/// The resource or collection type with the name `name`, `ComputerSystem`.
#[must_use]
pub fn resource_type(name: &str) -> Option<&'static ResourceType> {
    all().iter().copied().find(|resource| resource.name == name)
}

/// Whether Redfish has a resource or collection of this name, served or not: `Volume`.
#[must_use]
pub fn is_entity(name: &str) -> bool {
    ENTITIES.binary_search(&name).is_ok()
}

/// The resource type of an `@odata.type` value, at any version: `#Fan.v1_2_0.Fan`.
#[must_use]
pub fn by_odata_type(odata_type: &str) -> Option<&'static ResourceType> {
    let (namespace, name) = odata_type.strip_prefix('#')?.rsplit_once('.')?;
    let family = namespace.split('.').next()?;
    resource_type(name).filter(|_| family == name)
}

/// All resource and collection types that we have tables for, by name.
#[must_use]
pub fn all() -> &'static [&'static ResourceType] {
    crate::generated::table::RESOURCES
}

/// The schema files behind all tables, by name.
#[must_use]
pub fn schema_files() -> &'static [SchemaFile] {
    crate::generated::table::SCHEMA_FILES
}
