//! Emits the tables: `src/generated/table/*.rs`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::csdl::{Permission, version_of};
use super::names::{screaming, snake};
use super::resolve::{
    Action, Enumeration, Kind, Model, Module, Object, Property, Resource, TypeId,
};

/// Name of the static of a type.
fn static_name(name: &str) -> String {
    screaming(name)
}

/// The file of one module.
pub(crate) fn module(name: &str, module: &Module, header: &str) -> String {
    let mut tables = Tables {
        module: name,
        patterns: BTreeSet::new(),
        used: BTreeSet::new(),
    };
    let mut body = String::new();
    if let Some(resource) = &module.resource {
        resource_type(&mut body, "TYPE", resource);
    }
    if let Some(collection) = &module.collection {
        resource_type(&mut body, "COLLECTION", collection);
    }
    for (name, object) in &module.objects {
        tables.object(&mut body, name, object);
    }
    for (name, enumeration) in &module.enumerations {
        enumeration_type(&mut body, name, enumeration);
    }
    for (number, pattern) in tables.patterns.iter().enumerate() {
        let _ = writeln!(
            body,
            "static PATTERN_{}: Pattern = Pattern::new({pattern:?});",
            number + 1
        );
    }
    // Patterns are numbered in sorted order, which is known only now.
    for (number, pattern) in tables.patterns.iter().enumerate() {
        body = body.replace(
            &format!("&{}", marker(pattern)),
            &format!("&PATTERN_{}", number + 1),
        );
    }
    let names: Vec<&str> = [
        "Action",
        "DynamicProperty",
        "EnumType",
        "Kind",
        "ObjectType",
        "Pattern",
        "Property",
        "ResourceType",
        "Version",
    ]
    .into_iter()
    .filter(|name| uses(&body, name))
    .collect();
    let mut text = format!("{header}//! Tables of `{name}`.\n\n");
    let siblings: Vec<String> = tables.used.iter().map(|name| snake(name)).collect();
    if !siblings.is_empty() {
        let _ = writeln!(text, "use super::{{{}}};", siblings.join(", "));
    }
    let _ = writeln!(text, "use crate::table::{{{}}};\n", names.join(", "));
    text + &body
}

/// Whether `body` has `name` as a whole word.
fn uses(body: &str, name: &str) -> bool {
    body.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|word| word == name)
}

/// Stands for a pattern until the patterns are numbered.
fn marker(pattern: &str) -> String {
    format!("<{pattern}>")
}

/// The file that lists all modules and resources.
pub(crate) fn index(model: &Model, header: &str) -> String {
    let mut text = format!("{header}//! Tables, one module a schema.\n\n");
    let mut resources: Vec<(String, String)> = Vec::new();
    let mut files = String::new();
    for (name, module) in &model.modules {
        let path = snake(name);
        let _ = writeln!(text, "pub(crate) mod {path};");
        if let Some(resource) = &module.resource {
            resources.push((resource.name.clone(), format!("&{path}::TYPE")));
        }
        if let Some(collection) = &module.collection {
            resources.push((collection.name.clone(), format!("&{path}::COLLECTION")));
        }
        for family in module
            .namespaces
            .iter()
            .filter(|namespace| !namespace.contains('.'))
        {
            let namespaces: Vec<&String> = module
                .namespaces
                .iter()
                .filter(|n| *n == family || n.starts_with(&format!("{family}.")))
                .collect();
            let _ = writeln!(
                files,
                "SchemaFile {{ uri: \"http://redfish.dmtf.org/schemas/v1/{family}_v1.xml\", \
                 namespaces: &{namespaces:?} }},",
            );
        }
    }
    resources.sort();
    let paths: Vec<String> = resources.into_iter().map(|(_, path)| path).collect();
    let _ = write!(
        text,
        "\nuse crate::table::{{ResourceType, SchemaFile}};\n\n\
         /// All resource and collection types by name.\n\
         pub(crate) static RESOURCES: &[&ResourceType] = &[{}];\n\n\
         /// All schema files by name.\n\
         pub(crate) static SCHEMA_FILES: &[SchemaFile] = &[{files}];\n",
        paths.join(", ")
    );
    text
}

struct Tables<'m> {
    module: &'m str,
    patterns: BTreeSet<String>,
    /// Other modules that this one names.
    used: BTreeSet<String>,
}

impl Tables<'_> {
    fn object(&mut self, text: &mut String, name: &str, object: &Object) {
        let _ = write!(
            text,
            "/// `{}`.\npub(crate) static {}: ObjectType = ObjectType::new({name:?}, &[\n",
            object.qualified_name,
            static_name(name)
        );
        for property in &object.properties {
            let _ = writeln!(text, "{},", self.property(property));
        }
        text.push_str("])");
        if !object.actions.is_empty() {
            let actions: Vec<String> = object.actions.iter().map(|a| self.action(a)).collect();
            let _ = write!(text, ".actions(&[{}])", actions.join(", "));
        }
        if !object.dynamic_properties.is_empty() {
            text.push_str(".dynamic(&[");
            for (pattern, kind) in &object.dynamic_properties {
                let (pattern, kind) = (self.pattern(pattern), self.kind(kind));
                let _ = write!(text, "DynamicProperty {{ name: {pattern}, kind: {kind} }},");
            }
            text.push_str("])");
        }
        if object.is_open {
            text.push_str(".open()");
        }
        if object.is_entity {
            text.push_str(".entity()");
        }
        text.push_str(";\n\n");
    }

    fn action(&mut self, action: &Action) -> String {
        let parameters: Vec<String> = action.parameters.iter().map(|p| self.property(p)).collect();
        format!(
            "Action::new({:?}, &[{}])",
            action.name,
            parameters.join(", ")
        )
    }

    fn property(&mut self, property: &Property) -> String {
        let mut text = format!(
            "Property::new({:?}, {})",
            property.name,
            self.kind(&property.kind)
        );
        // Without a permission, the members of an object have theirs; anything else is read only.
        let is_object = match &property.kind {
            Kind::Object(_) => true,
            Kind::Array { item, .. } => matches!(**item, Kind::Object(_)),
            _ => false,
        };
        match property.permission {
            Some(Permission::ReadWrite) => text.push_str(".read_write()"),
            Some(Permission::Write) => text.push_str(".write_only()"),
            Some(Permission::None) => text.push_str(".create_only()"),
            None if is_object => text.push_str(".by_member()"),
            Some(Permission::Read) | None => {}
        }
        for (holds, call) in [
            (!property.nullable, ".not_null()"),
            (property.required, ".required()"),
            (property.required_on_create, ".required_on_create()"),
            (property.on_create, ".on_create()"),
            (property.deprecated, ".deprecated()"),
            (property.excerpt, ".excerpt()"),
        ] {
            if holds {
                text.push_str(call);
            }
        }
        if let Some(unit) = &property.unit {
            let _ = write!(text, ".unit({unit:?})");
        }
        text
    }

    fn kind(&mut self, kind: &Kind) -> String {
        match kind {
            Kind::Boolean => "Kind::Boolean".to_owned(),
            Kind::Integer {
                minimum: None,
                maximum: None,
            } => "Kind::INTEGER".to_owned(),
            Kind::Integer { minimum, maximum } => {
                format!("Kind::integer({minimum:?}, {maximum:?})")
            }
            Kind::Number {
                minimum: None,
                maximum: None,
            } => "Kind::NUMBER".to_owned(),
            Kind::Number { minimum, maximum } => format!("Kind::number({minimum:?}, {maximum:?})"),
            Kind::String { pattern: None } => "Kind::STRING".to_owned(),
            Kind::String {
                pattern: Some(pattern),
            } => {
                format!("Kind::matching({})", self.pattern(pattern))
            }
            Kind::Uri => "Kind::Uri".to_owned(),
            Kind::DateTime => "Kind::DateTime".to_owned(),
            Kind::Duration => "Kind::Duration".to_owned(),
            Kind::Guid => "Kind::Guid".to_owned(),
            Kind::Any => "Kind::Primitive".to_owned(),
            Kind::Enumeration(id) => format!("Kind::Enumeration(&{})", self.path(id)),
            Kind::Object(id) => format!("Kind::Object(&{})", self.path(id)),
            Kind::Reference(target) => format!("Kind::Reference({target:?})"),
            Kind::Array {
                item,
                nullable_items: true,
            } => {
                format!("Kind::array_of_nullable(&{})", self.kind(item))
            }
            Kind::Array {
                item,
                nullable_items: false,
            } => {
                format!("Kind::array(&{})", self.kind(item))
            }
        }
    }

    fn pattern(&mut self, pattern: &str) -> String {
        self.patterns.insert(pattern.to_owned());
        format!("&{}", marker(pattern))
    }

    fn path(&mut self, id: &TypeId) -> String {
        if id.module == self.module {
            return static_name(&id.name);
        }
        self.used.insert(id.module.clone());
        format!("{}::{}", snake(&id.module), static_name(&id.name))
    }
}

fn resource_type(text: &mut String, item: &str, resource: &Resource) {
    let version = version_of(&resource.qualified_name).map_or_else(
        || "None".to_owned(),
        |(major, minor, errata)| format!("Some(Version::new({major}, {minor}, {errata}))"),
    );
    let member = resource
        .member
        .as_ref()
        .map_or_else(|| "None".to_owned(), |m| format!("Some({m:?})"));
    let _ = write!(
        text,
        "/// The type `{name}`.\npub static {item}: ResourceType = ResourceType {{\n\
             name: {name:?},\nodata_type: \"#{qualified}\",\nversion: {version},\n\
             object: &{object},\nuris: &{uris:?},\ndeprecated_uris: &{deprecated:?},\n\
             insertable: {insertable},\nupdatable: {updatable},\ndeletable: {deletable},\n\
             member_type: {member},\n}};\n\n",
        name = resource.name,
        qualified = resource.qualified_name,
        object = static_name(&resource.name),
        uris = resource.uris,
        deprecated = resource.deprecated_uris,
        insertable = resource.insertable,
        updatable = resource.updatable,
        deletable = resource.deletable,
    );
}

fn enumeration_type(text: &mut String, name: &str, enumeration: &Enumeration) {
    let names: Vec<&String> = enumeration.members.iter().map(|m| &m.name).collect();
    let deprecated: Vec<&String> = enumeration
        .members
        .iter()
        .filter(|m| m.deprecated)
        .map(|m| &m.name)
        .collect();
    let _ = write!(
        text,
        "/// `{}`.\npub(crate) static {}: EnumType = EnumType {{\n\
             name: {name:?},\nmembers: &{names:?},\ndeprecated: &{deprecated:?},\n}};\n\n",
        enumeration.qualified_name,
        static_name(name)
    );
}
