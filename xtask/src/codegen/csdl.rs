//! Reads CSDL XML (OData CSDL 4.0 with Redfish's annotations) into plain data. Nothing is resolved
//! here: names stay the text that the file has.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use roxmltree::{Document, Node};

/// All schemas of a folder, by namespace (`Fan`, `Fan.v1_6_0`).
pub(crate) struct Csdl {
    schemas: BTreeMap<String, Schema>,
}

impl Csdl {
    /// Names of all resources and their collections, in order.
    pub(crate) fn entities(&self) -> impl Iterator<Item = &str> {
        let unversioned = |(namespace, _): &(&String, &Schema)| !namespace.contains('.');
        let schemas = self.schemas.iter().filter(unversioned);
        let is_entity = |(namespace, schema): (&'_ String, &Schema)| {
            let main = schema.types.get(namespace.as_str());
            main.is_some_and(|found| matches!(found.form, Form::Entity))
        };
        schemas
            .filter(move |(namespace, schema)| is_entity((namespace, schema)))
            .map(|(namespace, _)| namespace.as_str())
    }
}

/// One `Schema` element.
pub(crate) struct Schema {
    /// `ComputerSystem` or `ComputerSystem.v1_28_0`.
    pub namespace: String,
    /// Name of the file that holds it, `ComputerSystem_v1.xml`.
    pub file: String,
    /// Entity, complex, enumeration and definition types by their short name.
    pub types: BTreeMap<String, Type>,
    /// Bound actions; only unversioned namespaces have them.
    pub actions: Vec<Action>,
}

/// What a type is.
pub(crate) enum Form {
    /// `EntityType`: a resource or an addressable array member.
    Entity,
    /// `ComplexType`: an object inside a resource.
    Complex,
    /// `EnumType`, or a `TypeDefinition` with `Redfish.Enumeration`.
    Enumeration(Vec<Member>),
    /// `TypeDefinition` over a primitive type.
    Definition(String),
}

/// A named type.
pub(crate) struct Type {
    /// Qualified name, `Fan.v1_6_0.Fan`.
    pub name: String,
    /// Qualified name of the type that it extends.
    pub base: Option<String>,
    /// What it is.
    pub form: Form,
    /// Own properties, without those of the base.
    pub properties: Vec<Property>,
    /// Its annotations.
    pub annotations: Annotations,
}

/// One value of an enumeration.
#[derive(Clone)]
pub(crate) struct Member {
    /// As in JSON.
    pub name: String,
    /// `OData.Description`.
    pub description: Option<String>,
    /// The newest version says not to use it.
    pub deprecated: bool,
}

/// A property, navigation property or action parameter.
pub(crate) struct Property {
    /// As in JSON.
    pub name: String,
    /// Qualified type name, without `Collection()`.
    pub type_name: String,
    /// Whether the type was `Collection(...)`.
    pub is_array: bool,
    /// `Nullable`; absent means true.
    pub nullable: bool,
    /// A link to a resource and not a value.
    pub is_navigation: bool,
    /// Its annotations.
    pub annotations: Annotations,
}

/// An action.
pub(crate) struct Action {
    /// Short name, `Reset`.
    pub name: String,
    /// Type that it is bound to, `ComputerSystem.v1_0_0.Actions`.
    pub bound_to: String,
    /// Parameters without the binding one.
    pub parameters: Vec<Property>,
    /// Its annotations.
    pub annotations: Annotations,
}

/// Access that `OData.Permissions` grants.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    None,
    Read,
    ReadWrite,
    Write,
}

/// The annotations that we use.
#[derive(Default)]
pub(crate) struct Annotations {
    pub description: Option<String>,
    pub permission: Option<Permission>,
    pub required: bool,
    pub required_on_create: bool,
    pub minimum: Option<i64>,
    pub maximum: Option<i64>,
    pub pattern: Option<String>,
    pub unit: Option<String>,
    pub deprecated: bool,
    pub is_url: bool,
    pub auto_expand: bool,
    /// `Redfish.Excerpt`: names of the excerpts, empty for every excerpt.
    pub excerpt: Option<Vec<String>>,
    /// `Redfish.ExcerptCopy`: name of the excerpt, empty for the unnamed one.
    pub excerpt_copy: Option<String>,
    pub excerpt_copy_only: bool,
    pub additional_properties: Option<bool>,
    /// Pattern and type of `Redfish.DynamicPropertyPatterns`.
    pub dynamic_properties: Vec<(String, String)>,
    pub uris: Vec<String>,
    pub deprecated_uris: Vec<String>,
    pub insertable: bool,
    pub updatable: bool,
    pub deletable: bool,
    enumeration: Vec<Member>,
}

impl Csdl {
    /// Reads every `*.xml` of `folder`.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let entries =
            fs::read_dir(folder).map_err(|e| format!("cannot list {}: {e}", folder.display()))?;
        let mut csdl = Self {
            schemas: BTreeMap::new(),
        };
        for entry in entries {
            let path = entry
                .map_err(|e| format!("cannot list {}: {e}", folder.display()))?
                .path();
            if path.extension().is_none_or(|extension| extension != "xml") {
                continue;
            }
            let text = fs::read_to_string(&path)
                .map_err(|e| format!("cannot read {}: {e}", path.display()))?;
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            csdl.add(&file, &text)?;
        }
        Ok(csdl)
    }

    /// Reads one file's text.
    fn add(&mut self, file: &str, text: &str) -> Result<(), String> {
        let document = Document::parse(text).map_err(|e| format!("{file}: {e}"))?;
        for node in document
            .descendants()
            .filter(|n| n.has_tag_name_local("Schema"))
        {
            let schema = schema(node, file)?;
            self.schemas.insert(schema.namespace.clone(), schema);
        }
        Ok(())
    }

    /// Reads one file of schemas without the elements around them.
    #[cfg(test)]
    pub(crate) fn of(schemas: &str) -> Result<Self, String> {
        let mut csdl = Self {
            schemas: BTreeMap::new(),
        };
        csdl.add("Test_v1.xml", &format!("<Edmx>{schemas}</Edmx>"))?;
        Ok(csdl)
    }

    /// The type with the qualified name `name`.
    pub(crate) fn find(&self, name: &str) -> Option<&Type> {
        let (namespace, short) = name.rsplit_once('.')?;
        self.schemas.get(namespace)?.types.get(short)
    }

    /// The unversioned schema with the name `name`, `ComputerSystem`.
    pub(crate) fn schema(&self, name: &str) -> Option<&Schema> {
        self.schemas.get(name)
    }

    /// The schemas of a family: `Fan`, `Fan.v1_0_0`, … in no particular order.
    pub(crate) fn family<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Schema> {
        self.schemas
            .values()
            .filter(move |schema| family_of(&schema.namespace) == name)
    }
}

/// `Fan` of `Fan.v1_6_0`.
pub(crate) fn family_of(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// `(1, 6, 0)` of `Fan.v1_6_0` or `Fan.v1_6_0.Fan`; `None` when there is no version in the name.
pub(crate) fn version_of(name: &str) -> Option<(u16, u16, u16)> {
    let version = name.split('.').nth(1)?.strip_prefix('v')?;
    let mut numbers = version.split('_').map(str::parse::<u16>);
    Some((
        numbers.next()?.ok()?,
        numbers.next()?.ok()?,
        numbers.next()?.ok()?,
    ))
}

/// Tag comparison that ignores the XML namespace: the files use one prefix consistently.
trait Tag {
    fn has_tag_name_local(&self, name: &str) -> bool;
}

impl Tag for Node<'_, '_> {
    fn has_tag_name_local(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

fn elements<'a, 'i>(node: Node<'a, 'i>, name: &'a str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children()
        .filter(move |child| child.has_tag_name_local(name))
}

fn required_attribute(node: Node<'_, '_>, name: &str, place: &str) -> Result<String, String> {
    node.attribute(name)
        .map(str::to_owned)
        .ok_or_else(|| format!("{place}: element {} has no {name}", node.tag_name().name()))
}

fn schema(node: Node<'_, '_>, file: &str) -> Result<Schema, String> {
    let namespace = required_attribute(node, "Namespace", file)?;
    let mut types = BTreeMap::new();
    let mut actions = Vec::new();
    for child in node.children().filter(Node::is_element) {
        match child.tag_name().name() {
            "EntityType" | "ComplexType" | "EnumType" | "TypeDefinition" => {
                let short = required_attribute(child, "Name", &namespace)?;
                let item = named_type(child, format!("{namespace}.{short}"))?;
                types.insert(short, item);
            }
            "Action" => actions.push(action(child, &namespace)?),
            _ => {}
        }
    }
    Ok(Schema {
        namespace,
        file: file.to_owned(),
        types,
        actions,
    })
}

fn named_type(node: Node<'_, '_>, name: String) -> Result<Type, String> {
    let mut annotations = annotations(node);
    let form = match node.tag_name().name() {
        "EntityType" => Form::Entity,
        "ComplexType" => Form::Complex,
        "EnumType" => Form::Enumeration(elements(node, "Member").filter_map(enum_member).collect()),
        _ if !annotations.enumeration.is_empty() => {
            Form::Enumeration(std::mem::take(&mut annotations.enumeration))
        }
        _ => Form::Definition(required_attribute(node, "UnderlyingType", &name)?),
    };
    let mut properties = Vec::new();
    for child in node.children().filter(Node::is_element) {
        let tag = child.tag_name().name();
        if tag == "Property" || tag == "NavigationProperty" {
            properties.push(property(child, &name)?);
        }
    }
    Ok(Type {
        base: node.attribute("BaseType").map(str::to_owned),
        name,
        form,
        properties,
        annotations,
    })
}

fn enum_member(node: Node<'_, '_>) -> Option<Member> {
    let annotations = annotations(node);
    Some(Member {
        name: node.attribute("Name")?.to_owned(),
        description: annotations.description,
        deprecated: annotations.deprecated,
    })
}

fn property(node: Node<'_, '_>, place: &str) -> Result<Property, String> {
    let type_name = required_attribute(node, "Type", place)?;
    let inner = type_name
        .strip_prefix("Collection(")
        .and_then(|t| t.strip_suffix(')'));
    Ok(Property {
        name: required_attribute(node, "Name", place)?,
        is_array: inner.is_some(),
        nullable: node.attribute("Nullable") != Some("false"),
        is_navigation: node.tag_name().name() == "NavigationProperty",
        annotations: annotations(node),
        type_name: inner.unwrap_or(&type_name).to_owned(),
    })
}

fn action(node: Node<'_, '_>, namespace: &str) -> Result<Action, String> {
    let name = required_attribute(node, "Name", namespace)?;
    let place = format!("{namespace}.{name}");
    let mut parameters = elements(node, "Parameter")
        .map(|parameter| property(parameter, &place))
        .collect::<Result<Vec<_>, _>>()?;
    if parameters.is_empty() {
        return Err(format!("{place}: an action without a binding parameter"));
    }
    let bound_to = parameters.remove(0).type_name;
    Ok(Action {
        name,
        bound_to,
        parameters,
        annotations: annotations(node),
    })
}

fn annotations(node: Node<'_, '_>) -> Annotations {
    let mut found = Annotations::default();
    for child in elements(node, "Annotation") {
        let Some(term) = child.attribute("Term") else {
            continue;
        };
        let text = || child.attribute("String").map(str::to_owned);
        let flag = child.attribute("Bool") != Some("false");
        let number = || child.attribute("Int").and_then(|n| n.parse().ok());
        match term
            .strip_prefix("RedfishExtensions.v1_0_0.")
            .unwrap_or(term)
        {
            "OData.Description" => found.description = text(),
            "OData.Permissions" => found.permission = permission(child.attribute("EnumMember")),
            "OData.IsURL" => found.is_url = flag,
            "OData.AutoExpand" => found.auto_expand = flag,
            "OData.AdditionalProperties" => found.additional_properties = Some(flag),
            "Measures.Unit" => found.unit = text(),
            "Validation.Minimum" => found.minimum = number(),
            "Validation.Maximum" => found.maximum = number(),
            "Validation.Pattern" => found.pattern = text(),
            "Redfish.Required" => found.required = flag,
            "Redfish.RequiredOnCreate" => found.required_on_create = flag,
            "Redfish.Deprecated" | "Deprecated" => found.deprecated = true,
            "Redfish.Revisions" => found.deprecated |= is_deprecated(child),
            "Redfish.Excerpt" => found.excerpt = Some(names(text())),
            "Redfish.ExcerptCopy" => found.excerpt_copy = Some(text().unwrap_or_default()),
            "Redfish.ExcerptCopyOnly" => found.excerpt_copy_only = flag,
            "Redfish.DynamicPropertyPatterns" => found.dynamic_properties = patterns(child),
            "Redfish.Enumeration" => found.enumeration = enumeration(child),
            "Redfish.Uris" => found.uris = strings(child),
            "Redfish.DeprecatedUris" => found.deprecated_uris = strings(child),
            "Capabilities.InsertRestrictions" => found.insertable = capability(child),
            "Capabilities.UpdateRestrictions" => found.updatable = capability(child),
            "Capabilities.DeleteRestrictions" => found.deletable = capability(child),
            _ => {}
        }
    }
    found
}

fn permission(member: Option<&str>) -> Option<Permission> {
    match member?.rsplit('/').next()? {
        "None" => Some(Permission::None),
        "Read" => Some(Permission::Read),
        "ReadWrite" => Some(Permission::ReadWrite),
        "Write" => Some(Permission::Write),
        _ => None,
    }
}

/// The comma-separated names of a string.
fn names(text: Option<String>) -> Vec<String> {
    text.map(|t| t.split(',').map(|name| name.trim().to_owned()).collect())
        .unwrap_or_default()
}

/// The records of `Annotation/Collection/Record`.
fn records<'a, 'i>(annotation: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    annotation
        .descendants()
        .filter(|n| n.has_tag_name_local("Record"))
}

/// Value of a record's property, whatever attribute carries it.
fn record_value<'a>(record: Node<'a, '_>, property: &str) -> Option<&'a str> {
    let value =
        elements(record, "PropertyValue").find(|v| v.attribute("Property") == Some(property))?;
    value
        .attribute("String")
        .or_else(|| value.attribute("EnumMember"))
        .or_else(|| value.attribute("Bool"))
}

fn is_deprecated(annotation: Node<'_, '_>) -> bool {
    records(annotation).any(|r| {
        record_value(r, "Kind").is_some_and(|kind| kind.ends_with("RevisionKind/Deprecated"))
    })
}

fn patterns(annotation: Node<'_, '_>) -> Vec<(String, String)> {
    records(annotation)
        .filter_map(|r| {
            // EventDestination's is escaped as if it stood in JSON; as it stands, no header name could have an s.
            let pattern = record_value(r, "Pattern")?.replace(r"\\", r"\");
            Some((pattern, record_value(r, "Type")?.to_owned()))
        })
        .collect()
}

fn enumeration(annotation: Node<'_, '_>) -> Vec<Member> {
    records(annotation)
        .filter_map(|record| {
            let own = annotations(record);
            Some(Member {
                name: record_value(record, "Member")?.to_owned(),
                description: own.description,
                deprecated: own.deprecated,
            })
        })
        .collect()
}

fn strings(annotation: Node<'_, '_>) -> Vec<String> {
    annotation
        .descendants()
        .filter(|n| n.has_tag_name_local("String"))
        .filter_map(|n| n.text())
        .map(|text| text.trim().to_owned())
        .collect()
}

fn capability(annotation: Node<'_, '_>) -> bool {
    records(annotation).next().is_some_and(|record| {
        elements(record, "PropertyValue")
            .next()
            .is_some_and(|v| v.attribute("Bool") == Some("true"))
    })
}
