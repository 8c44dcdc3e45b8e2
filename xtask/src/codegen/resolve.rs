//! Turns CSDL into the model that is emitted: inheritance is flattened, every type is taken at its
//! newest version, and only what the served resources reach is kept.

use std::collections::{BTreeMap, BTreeSet};

use super::csdl::{self, Csdl, Form, Member, Permission};

/// Everything that is emitted.
pub(crate) struct Model {
    /// One module a schema family (`ComputerSystem`), by its name.
    pub modules: BTreeMap<String, Module>,
}

/// The types of one schema family.
#[derive(Default)]
pub(crate) struct Module {
    /// File the family comes from.
    pub file: String,
    /// Versioned namespaces that are used, with the unversioned one first.
    pub namespaces: BTreeSet<String>,
    /// The resource of the same name, when it is served.
    pub resource: Option<Resource>,
    /// `{name}Collection`, when it is served.
    pub collection: Option<Resource>,
    /// Objects by their short name.
    pub objects: BTreeMap<String, Object>,
    /// Enumerations by their short name.
    pub(crate) enumerations: BTreeMap<String, Enumeration>,
}

/// A resource type.
pub(crate) struct Resource {
    /// `ComputerSystem`.
    pub name: String,
    /// `ComputerSystem.v1_28_0.ComputerSystem`.
    pub qualified_name: String,
    /// Capabilities and URIs of the unversioned type.
    pub insertable: bool,
    pub updatable: bool,
    pub deletable: bool,
    pub uris: Vec<String>,
    pub deprecated_uris: Vec<String>,
    /// Short name of the members' resource, for a collection.
    pub member: Option<String>,
}

/// An object type.
pub(crate) struct Object {
    /// Qualified name at the version taken.
    pub qualified_name: String,
    pub description: Option<String>,
    /// An entity has an `@odata.id`.
    pub is_entity: bool,
    /// Accepts properties that the schema doesn't name.
    pub is_open: bool,
    pub properties: Vec<Property>,
    /// Patterns for names, and what such properties hold.
    pub dynamic_properties: Vec<(String, Kind)>,
    /// Actions that are offered in this object.
    pub actions: Vec<Action>,
}

/// An enumeration type.
pub(crate) struct Enumeration {
    pub qualified_name: String,
    pub description: Option<String>,
    pub members: Vec<Member>,
}

/// A property of an object or a parameter of an action.
#[derive(Clone)]
pub(crate) struct Property {
    pub name: String,
    pub kind: Kind,
    pub permission: Option<Permission>,
    pub nullable: bool,
    pub required: bool,
    pub required_on_create: bool,
    /// May be given on creation, though it can't be changed later.
    pub on_create: bool,
    pub deprecated: bool,
    /// Stays in the answer to `?excerpt`.
    pub excerpt: bool,
    pub unit: Option<String>,
    pub description: Option<String>,
}

/// An action.
pub(crate) struct Action {
    /// `ComputerSystem.Reset`.
    pub name: String,
    pub description: Option<String>,
    pub parameters: Vec<Property>,
}

/// A type of the model: module and short name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TypeId {
    pub module: String,
    pub name: String,
}

/// What a property holds.
#[derive(Clone)]
pub(crate) enum Kind {
    Boolean,
    Integer {
        minimum: Option<i64>,
        maximum: Option<i64>,
    },
    Number {
        minimum: Option<i64>,
        maximum: Option<i64>,
    },
    String {
        pattern: Option<String>,
    },
    Uri,
    DateTime,
    Duration,
    Guid,
    Any,
    Enumeration(TypeId),
    Object(TypeId),
    Reference(String),
    Array {
        item: Box<Self>,
        nullable_items: bool,
    },
}

/// Resolves the resources named in `served`; a pair is the name and whether its collection is
/// served as well.
pub(crate) fn resolve(csdl: &Csdl, served: &[(String, bool)]) -> Result<Model, String> {
    let mut resolver = Resolver {
        csdl,
        model: Model {
            modules: BTreeMap::new(),
        },
        pending: Vec::new(),
    };
    for (name, with_collection) in served {
        let resource = resolver.resource(name)?;
        resolver.module(name)?.resource = Some(resource);
        if *with_collection {
            let mut collection = resolver.resource(&format!("{name}Collection"))?;
            collection.member = Some(name.clone());
            resolver.module(name)?.collection = Some(collection);
        }
    }
    while let Some(task) = resolver.pending.pop() {
        resolver.object(task)?;
    }
    Ok(resolver.model)
}

impl Model {
    /// Notes what a client may give when it adds an instance of the resource `name`: the CSDL doesn't say it of
    /// properties that can't be changed later.
    pub(crate) fn on_create(&mut self, name: &str, given: &[String]) -> Result<(), String> {
        let module = self.modules.get_mut(name);
        let objects = &mut module
            .ok_or_else(|| format!("there is no resource {name}"))?
            .objects;
        for wanted in given {
            let (object, wanted) = wanted.split_once('.').unwrap_or((name, wanted));
            let property = objects
                .get_mut(object)
                .and_then(|object| object.properties.iter_mut().find(|p| p.name == wanted))
                .ok_or_else(|| format!("{name}: {object} has no property {wanted}"))?;
            if property.required_on_create || property.permission == Some(Permission::ReadWrite) {
                return Err(format!("{name}.{wanted} is taken on creation anyway"));
            }
            property.on_create = true;
        }
        Ok(())
    }
}

/// An object type that still needs its properties.
struct Task {
    id: TypeId,
    qualified_name: String,
    /// Take only the properties of this excerpt.
    excerpt: Option<String>,
}

struct Resolver<'c> {
    csdl: &'c Csdl,
    model: Model,
    pending: Vec<Task>,
}

impl<'c> Resolver<'c> {
    fn find(&self, name: &str) -> Result<&'c csdl::Type, String> {
        self.csdl
            .find(name)
            .ok_or_else(|| format!("the CSDL has no type {name}"))
    }

    /// Module of a family; `FanCollection` lives in the module of `Fan`.
    fn module(&mut self, family: &str) -> Result<&mut Module, String> {
        let schema = self
            .csdl
            .schema(family)
            .ok_or_else(|| format!("the CSDL has no schema {family}"))?;
        Ok(self
            .model
            .modules
            .entry(
                family
                    .strip_suffix("Collection")
                    .unwrap_or(family)
                    .to_owned(),
            )
            .or_insert_with(|| Module {
                file: schema.file.clone(),
                ..Module::default()
            }))
    }

    fn resource(&mut self, name: &str) -> Result<Resource, String> {
        let top = self.find(&format!("{name}.{name}"))?;
        let newest = self.newest(&top.name);
        self.object_id(&newest, None)?;
        let notes = &top.annotations;
        Ok(Resource {
            name: name.to_owned(),
            qualified_name: newest,
            insertable: notes.insertable,
            updatable: notes.updatable,
            deletable: notes.deletable,
            uris: notes.uris.clone(),
            deprecated_uris: notes.deprecated_uris.clone(),
            member: None,
        })
    }

    /// Whether `name` is `base` or extends it, directly or not.
    fn extends(&self, name: &str, base: &str) -> bool {
        let mut current = Some(name);
        while let Some(name) = current {
            if name == base {
                return true;
            }
            current = self.csdl.find(name).and_then(|t| t.base.as_deref());
        }
        false
    }

    /// The newest type of the same short name that extends `name`, or `name` itself.
    fn newest(&self, name: &str) -> String {
        let short = name.rsplit('.').next().unwrap_or(name);
        self.csdl
            .family(csdl::family_of(name))
            .filter_map(|schema| schema.types.get(short))
            .filter(|candidate| self.extends(&candidate.name, name))
            .max_by_key(|candidate| csdl::version_of(&candidate.name))
            .map_or_else(|| name.to_owned(), |newest| newest.name.clone())
    }

    /// Registers an object and returns its identity in the model.
    fn object_id(&mut self, name: &str, excerpt: Option<&str>) -> Result<TypeId, String> {
        let qualified_name = self.newest(name);
        let short = qualified_name.rsplit('.').next().unwrap_or(name);
        let own_name = excerpt.map_or_else(|| short.to_owned(), |e| format!("{short}{e}Excerpt"));
        let family = csdl::family_of(&qualified_name).to_owned();
        let id = TypeId {
            module: family
                .strip_suffix("Collection")
                .unwrap_or(&family)
                .to_owned(),
            name: own_name.clone(),
        };
        let module = self.module(&family)?;
        if let Some(known) = module.objects.get(&own_name) {
            if known.qualified_name != qualified_name {
                return Err(format!(
                    "{} and {qualified_name} would share a name",
                    known.qualified_name
                ));
            }
            return Ok(id);
        }
        let namespace = qualified_name
            .rsplit_once('.')
            .map_or("", |(namespace, _)| namespace);
        module.namespaces.insert(family);
        module.namespaces.insert(namespace.to_owned());
        module.objects.insert(
            own_name,
            Object {
                qualified_name: qualified_name.clone(),
                description: None,
                is_entity: false,
                is_open: false,
                properties: Vec::new(),
                dynamic_properties: Vec::new(),
                actions: Vec::new(),
            },
        );
        self.pending.push(Task {
            id: id.clone(),
            qualified_name,
            excerpt: excerpt.map(str::to_owned),
        });
        Ok(id)
    }

    fn enumeration_id(&mut self, found: &csdl::Type, members: &[Member]) -> Result<TypeId, String> {
        let family = csdl::family_of(&found.name).to_owned();
        let short = found
            .name
            .rsplit('.')
            .next()
            .unwrap_or(&found.name)
            .to_owned();
        let module = self.module(&family)?;
        module.namespaces.insert(family.clone());
        let known = module
            .enumerations
            .entry(short.clone())
            .or_insert_with(|| Enumeration {
                qualified_name: found.name.clone(),
                description: found.annotations.description.clone(),
                members: members.to_vec(),
            });
        if known.qualified_name != found.name {
            return Err(format!(
                "{} and {} would share a name",
                known.qualified_name, found.name
            ));
        }
        Ok(TypeId {
            module: family,
            name: short,
        })
    }

    /// The type and those it extends, the oldest first.
    fn lineage(&self, name: &str) -> Result<Vec<&'c csdl::Type>, String> {
        let mut lineage = vec![self.find(name)?];
        while let Some(base) = lineage.last().and_then(|t| t.base.as_deref()) {
            lineage.push(self.find(base)?);
        }
        lineage.reverse();
        Ok(lineage)
    }

    fn object(&mut self, task: Task) -> Result<(), String> {
        let lineage = self.lineage(&task.qualified_name)?;
        let mut properties: Vec<Property> = Vec::new();
        let mut dynamic_properties = Vec::new();
        for level in &lineage {
            for source in &level.properties {
                if !in_excerpt(&source.annotations, task.excerpt.as_deref()) {
                    continue;
                }
                let mut property = self.property(source)?;
                // An excerpt has no excerpt of its own.
                property.excerpt &= task.excerpt.is_none();
                properties.retain(|earlier| earlier.name != property.name);
                properties.push(property);
            }
            for (pattern, type_name) in &level.annotations.dynamic_properties {
                dynamic_properties.push((pattern.clone(), self.named_kind(type_name)?));
            }
        }
        order(&mut properties);
        let newest = |read: fn(&csdl::Annotations) -> Option<String>| {
            lineage
                .iter()
                .rev()
                .find_map(|level| read(&level.annotations))
        };
        let description = newest(|notes| notes.description.clone());
        let is_open = lineage
            .iter()
            .rev()
            .find_map(|level| level.annotations.additional_properties)
            .unwrap_or(false);
        let is_entity = task.excerpt.is_none()
            && lineage
                .iter()
                .any(|level| matches!(level.form, Form::Entity))
            && self.has_address(&task.qualified_name);
        let actions = self.actions(&task, &lineage)?;
        let module = self.module(&task.id.module)?;
        let object = module
            .objects
            .get_mut(&task.id.name)
            .ok_or("an unregistered object")?;
        object.description = description;
        object.is_entity = is_entity;
        object.is_open = is_open;
        object.properties = properties;
        object.dynamic_properties = dynamic_properties;
        object.actions = actions;
        Ok(())
    }

    /// Whether instances of a family have an `@odata.id`. A resource without any URI, like `Event`,
    /// is only sent: neither it nor its members can be fetched.
    fn has_address(&self, name: &str) -> bool {
        let family = csdl::family_of(name);
        let top = format!("{family}.{family}");
        !self.extends(&top, "Resource.Resource")
            || self
                .csdl
                .find(&top)
                .is_none_or(|found| !found.annotations.uris.is_empty())
    }

    /// The actions that are bound to a type of `lineage`.
    fn actions(&mut self, task: &Task, lineage: &[&csdl::Type]) -> Result<Vec<Action>, String> {
        let Some(schema) = self.csdl.schema(csdl::family_of(&task.qualified_name)) else {
            return Ok(Vec::new());
        };
        let mut actions = Vec::new();
        for action in &schema.actions {
            if lineage.iter().any(|level| level.name == action.bound_to) {
                let parameters = action
                    .parameters
                    .iter()
                    .map(|parameter| self.property(parameter))
                    .collect::<Result<Vec<_>, _>>()?;
                actions.push(Action {
                    name: format!("{}.{}", schema.namespace, action.name),
                    description: action.annotations.description.clone(),
                    parameters,
                });
            }
        }
        Ok(actions)
    }

    fn property(&mut self, source: &csdl::Property) -> Result<Property, String> {
        let item = self.kind(source)?;
        let notes = &source.annotations;
        let description = notes.description.clone().or_else(|| {
            self.csdl
                .find(&source.type_name)
                .and_then(|t| t.annotations.description.clone())
        });
        Ok(Property {
            name: source.name.clone(),
            kind: if source.is_array {
                Kind::Array {
                    item: Box::new(item),
                    nullable_items: source.nullable,
                }
            } else {
                item
            },
            permission: notes.permission,
            nullable: source.nullable && !source.is_array,
            required: notes.required,
            required_on_create: notes.required_on_create,
            on_create: false,
            deprecated: notes.deprecated,
            excerpt: notes.excerpt.is_some(),
            unit: notes.unit.clone(),
            description,
        })
    }

    /// What one item of the property is.
    fn kind(&mut self, source: &csdl::Property) -> Result<Kind, String> {
        let notes = &source.annotations;
        if let Some(excerpt) = &notes.excerpt_copy {
            return Ok(Kind::Object(
                self.object_id(&source.type_name, Some(excerpt))?,
            ));
        }
        // A parameter of an entity type is a link too, although it isn't a navigation property.
        let is_entity = self
            .csdl
            .find(&source.type_name)
            .is_some_and(|t| matches!(t.form, Form::Entity));
        if (source.is_navigation || is_entity) && !notes.auto_expand {
            let target = source
                .type_name
                .rsplit('.')
                .next()
                .unwrap_or(&source.type_name);
            return Ok(Kind::Reference(target.to_owned()));
        }
        Ok(match self.named_kind(&source.type_name)? {
            Kind::Integer { minimum, maximum } => Kind::Integer {
                minimum: notes.minimum.or(minimum),
                maximum: notes.maximum.or(maximum),
            },
            Kind::Number { minimum, maximum } => Kind::Number {
                minimum: notes.minimum.or(minimum),
                maximum: notes.maximum.or(maximum),
            },
            Kind::String { .. } if notes.is_url => Kind::Uri,
            Kind::String { pattern } => Kind::String {
                pattern: notes.pattern.clone().or(pattern),
            },
            other => other,
        })
    }

    /// What a type name stands for.
    fn named_kind(&mut self, name: &str) -> Result<Kind, String> {
        Ok(match name {
            "Edm.Boolean" => Kind::Boolean,
            "Edm.Int64" => Kind::Integer {
                minimum: None,
                maximum: None,
            },
            "Edm.Decimal" => Kind::Number {
                minimum: None,
                maximum: None,
            },
            "Edm.String" => Kind::String { pattern: None },
            "Edm.DateTimeOffset" => Kind::DateTime,
            "Edm.Duration" => Kind::Duration,
            "Edm.Guid" => Kind::Guid,
            "Edm.PrimitiveType" => Kind::Any,
            _ => {
                let found = self.find(name)?;
                match &found.form {
                    Form::Enumeration(members) => {
                        Kind::Enumeration(self.enumeration_id(found, members)?)
                    }
                    Form::Definition(underlying) => match self.named_kind(underlying)? {
                        Kind::Integer { .. } => Kind::Integer {
                            minimum: found.annotations.minimum,
                            maximum: found.annotations.maximum,
                        },
                        Kind::String { .. } => Kind::String {
                            pattern: found.annotations.pattern.clone(),
                        },
                        other => other,
                    },
                    Form::Entity | Form::Complex => Kind::Object(self.object_id(name, None)?),
                }
            }
        })
    }
}

/// Whether a property belongs to the excerpt that is being made, or to the whole type.
fn in_excerpt(notes: &csdl::Annotations, excerpt: Option<&str>) -> bool {
    match (excerpt, &notes.excerpt) {
        (None, _) => !notes.excerpt_copy_only,
        (Some(_), None) => notes.excerpt_copy_only,
        (Some(_), Some(names)) if names.is_empty() => true,
        (Some(excerpt), Some(names)) => names.iter().any(|name| name == excerpt),
    }
}

/// Identity first, links, actions and OEM properties last, the schema's order between them.
fn order(properties: &mut [Property]) {
    const FIRST: [&str; 4] = ["Id", "MemberId", "Name", "Description"];
    const LAST: [&str; 3] = ["Links", "Actions", "Oem"];
    properties.sort_by_key(|property| {
        let place = |list: &[&str]| list.iter().position(|name| *name == property.name);
        match (place(&FIRST), place(&LAST)) {
            (Some(first), _) => first,
            (_, Some(last)) => FIRST.len() + 1 + last,
            _ => FIRST.len(),
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A resource `A` in two versions. Version 1.10 is newer than 1.9, which text order denies.
    const SCHEMAS: &str = r#"
        <Schema Namespace="Resource">
          <EntityType Name="Resource"><Property Name="Oem" Type="Edm.String"/></EntityType>
        </Schema>
        <Schema Namespace="A">
          <EntityType Name="A" BaseType="Resource.Resource" Abstract="true"/>
        </Schema>
        <Schema Namespace="A.v1_9_0">
          <EntityType Name="A" BaseType="A.A">
            <Property Name="One" Type="A.v1_9_0.Part"/>
            <Property Name="Id" Type="Edm.String"/>
          </EntityType>
          <ComplexType Name="Part"><Property Name="P" Type="Edm.Int64"/></ComplexType>
        </Schema>
        <Schema Namespace="A.v1_10_0">
          <EntityType Name="A" BaseType="A.v1_9_0.A">
            <Property Name="Two" Type="Collection(Edm.String)" Nullable="false"/>
          </EntityType>
          <ComplexType Name="Part" BaseType="A.v1_9_0.Part">
            <Property Name="Q" Type="Edm.Boolean"/>
          </ComplexType>
        </Schema>
        <Schema Namespace="A.v1_11_0">
          <ComplexType Name="Part"><Property Name="Unrelated" Type="Edm.Int64"/></ComplexType>
        </Schema>"#;

    fn resolved(schemas: &str) -> Result<Model, String> {
        resolve(&Csdl::of(schemas)?, &[("A".to_owned(), false)])
    }

    fn names(object: &Object) -> Vec<&str> {
        object.properties.iter().map(|p| p.name.as_str()).collect()
    }

    #[test]
    fn the_newest_version_is_taken_with_all_properties_of_its_bases() {
        let model = resolved(SCHEMAS).unwrap();
        let module = &model.modules["A"];
        assert_eq!(
            module.resource.as_ref().unwrap().qualified_name,
            "A.v1_10_0.A"
        );
        assert_eq!(names(&module.objects["A"]), ["Id", "One", "Two", "Oem"]);
    }

    #[test]
    fn an_object_is_taken_at_the_newest_version_that_extends_it_not_at_another_of_its_name() {
        let model = resolved(SCHEMAS).unwrap();
        let part = &model.modules["A"].objects["Part"];
        assert_eq!(part.qualified_name, "A.v1_10_0.Part");
        assert_eq!(names(part), ["P", "Q"]);
    }

    #[test]
    fn two_types_that_would_share_a_name_and_a_missing_type_are_errors() {
        let clash = SCHEMAS.replace(
            r#"<Property Name="Two" Type="Collection(Edm.String)" Nullable="false"/>"#,
            r#"<Property Name="Two" Type="A.v1_11_0.Part"/>"#,
        );
        assert!(
            resolved(&clash)
                .err()
                .unwrap()
                .contains("would share a name")
        );
        let missing = SCHEMAS.replace("A.v1_9_0.Part\"/>", "B.B\"/>");
        assert_eq!(
            resolved(&missing).err().unwrap(),
            "the CSDL has no type B.B"
        );
    }
}
