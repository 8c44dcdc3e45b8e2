//! Emits the typed structures: `src/generated/typed/*.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::list::List;
use super::names::{field, pascal, snake, variant};
use super::resolve::{Action, Enumeration, Kind, Model, Object, Property, TypeId};

/// The field of an action that links to its `ActionInfo`.
const ACTION_INFO: &str = "action_info";

/// Suffix in the list that asks for the words a client may use.
const ALLOWABLE: &str = "@Redfish.AllowableValues";

/// The files by module name: first what the list selects, then all that it reaches.
pub(crate) fn modules(
    model: &Model,
    list: &List,
    header: &str,
) -> Result<BTreeMap<String, String>, String> {
    let mut typed = Typed {
        model,
        list,
        done: BTreeSet::new(),
        files: BTreeMap::new(),
    };
    for (name, selected) in &list.resources {
        let file = typed.files.entry(name.clone()).or_default();
        file.exports.insert("TYPE");
        if selected.collection {
            file.exports.insert("COLLECTION");
        }
        if !selected.properties.is_empty() {
            typed.object(&TypeId {
                module: name.clone(),
                name: name.clone(),
            })?;
        }
    }
    for (family, object) in list.objects.keys() {
        let id = TypeId {
            module: family.clone(),
            name: object.clone(),
        };
        if !typed.done.contains(&id) {
            return Err(format!(
                "schemas.toml: no typed structure has an object {family}.{object}"
            ));
        }
    }
    Ok(typed
        .files
        .into_iter()
        .map(|(name, file)| {
            let text = file.finish(&name, header);
            (name, text)
        })
        .collect())
}

/// The file that lists the modules.
pub(crate) fn index(modules: &BTreeMap<String, String>, header: &str) -> String {
    let mut text = format!("{header}//! Typed structures, one module a schema.\n\n");
    for name in modules.keys() {
        let _ = writeln!(text, "pub mod {};", snake(name));
    }
    text
}

/// The types of values that every module may name.
const VALUES: [&str; 5] = ["DateTime", "Duration", "Nullable", "ODataType", "Reference"];

/// The name of an item: the schema's, with its module's in front where it would hide the type of a value. So the
/// enumeration `Resource.Reference` is `ResourceReference`, and `Reference` is a link everywhere.
fn item_name(id: &TypeId) -> String {
    if VALUES.contains(&id.name.as_str()) {
        format!("{}{}", id.module, id.name)
    } else {
        pascal(&id.name)
    }
}

#[derive(Default)]
struct File {
    /// Tables that the module shows.
    exports: BTreeSet<&'static str>,
    /// Items by name, so that their order is stable.
    items: BTreeMap<String, String>,
    /// Other modules that the items name.
    used: BTreeSet<String>,
}

impl File {
    fn finish(self, name: &str, header: &str) -> String {
        let mut body = String::new();
        // The resource first, the rest by name.
        for item in self.items.get(name).into_iter() {
            body.push_str(item);
        }
        for (_, item) in self.items.iter().filter(|(item, _)| *item != name) {
            body.push_str(item);
        }
        let mut text = format!("{header}//! Typed `{name}`.\n\n");
        if body.contains("Serialize)]") {
            text.push_str("use serde::Serialize;\n\n");
        }
        let siblings: Vec<String> = self.used.iter().map(|name| snake(name)).collect();
        if !siblings.is_empty() {
            let _ = writeln!(text, "use super::{{{}}};", siblings.join(", "));
        }
        if body.contains("enumeration! {") {
            text.push_str("use crate::enumeration::enumeration;\n");
        }
        if body.contains("resource_type(&self)") {
            text.push_str("use crate::table::ResourceType;\n");
        }
        // Names in the types of fields; words in comments and enumerations don't count.
        let fields: String = body
            .lines()
            .filter(|line| line.trim_start().starts_with("pub "))
            .collect();
        let mut values: Vec<&str> = VALUES
            .into_iter()
            .filter(|value| uses(&fields, value))
            .collect();
        if body.contains("impl Resource for") {
            values.push("Resource");
        }
        if !values.is_empty() {
            let _ = writeln!(text, "use crate::value::{{{}}};", values.join(", "));
        }
        if !self.exports.is_empty() {
            let exports: Vec<&str> = self.exports.into_iter().collect();
            let _ = writeln!(
                text,
                "\npub use crate::generated::table::{}::{{{}}};",
                snake(name),
                exports.join(", ")
            );
        }
        text + "\n" + &body
    }
}

/// Whether `body` has `name` as a whole word.
fn uses(body: &str, name: &str) -> bool {
    body.split(|c: char| !c.is_alphanumeric())
        .any(|word| word == name)
}

/// One field of a structure.
struct Field {
    doc: String,
    json: String,
    name: String,
    /// The type without `Option`.
    inner: String,
    required: bool,
}

struct Typed<'m> {
    model: &'m Model,
    list: &'m List,
    done: BTreeSet<TypeId>,
    files: BTreeMap<String, File>,
}

impl<'m> Typed<'m> {
    fn source(&self, id: &TypeId) -> Result<&'m Object, String> {
        self.model
            .modules
            .get(&id.module)
            .and_then(|module| module.objects.get(&id.name))
            .ok_or_else(|| format!("schemas.toml: there is no object {}.{}", id.module, id.name))
    }

    /// Emits an object and all that it holds, once.
    fn object(&mut self, id: &TypeId) -> Result<(), String> {
        if !self.done.insert(id.clone()) {
            return Ok(());
        }
        let object = self.source(id)?;
        let is_resource = id.module == id.name && self.list.resources.contains_key(&id.name);
        let mut fields = Vec::new();
        for name in self.selected(id, object)? {
            fields.push(self.selected_field(id, object, &name)?);
        }
        if object.is_entity {
            fields.insert(
                0,
                Field {
                    doc: "Path.".to_owned(),
                    json: "@odata.id".to_owned(),
                    name: "odata_id".to_owned(),
                    inner: "String".to_owned(),
                    required: true,
                },
            );
        }
        if id.name == "Actions" {
            fields.extend(self.action_fields(id, object)?);
        }
        let mut text = doc(object.description.as_deref().unwrap_or(&id.name), "");
        structure(&mut text, &item_name(id), &fields, is_resource);
        if is_resource && object.is_entity {
            let _ = write!(
                text,
                "impl Resource for {} {{\nfn resource_type(&self) -> &'static ResourceType {{\n\
                 &TYPE\n}}\n\nfn odata_id(&self) -> &str {{\n&self.odata_id\n}}\n}}\n\n",
                id.name
            );
        }
        self.files
            .entry(id.module.clone())
            .or_default()
            .items
            .insert(id.name.clone(), text);
        Ok(())
    }

    /// Names of the properties that the structure has.
    fn selected(&self, id: &TypeId, object: &Object) -> Result<Vec<String>, String> {
        if let Some(names) = self.list.objects.get(&(id.module.clone(), id.name.clone())) {
            return Ok(names.clone());
        }
        match self.list.resources.get(&id.module) {
            Some(resource) if id.module == id.name => {
                if resource.properties.is_empty() {
                    return Err(format!(
                        "schemas.toml: {} has no properties to type",
                        id.name
                    ));
                }
                Ok(resource.properties.clone())
            }
            Some(_) if id.name == "Actions" => Ok(Vec::new()),
            _ => Ok(object
                .properties
                .iter()
                .filter(|p| !p.deprecated && p.name != "Oem" && p.name != "Actions")
                .map(|p| p.name.clone())
                .collect()),
        }
    }

    fn selected_field(
        &mut self,
        id: &TypeId,
        object: &Object,
        name: &str,
    ) -> Result<Field, String> {
        let (base, annotation) = name.split_once('@').unwrap_or((name, ""));
        let property = object
            .properties
            .iter()
            .find(|p| p.name == base)
            .ok_or_else(|| {
                format!(
                    "schemas.toml: {}.{} has no property {base}",
                    id.module, id.name
                )
            })?;
        if annotation.is_empty() {
            return self.field(id, property);
        }
        if name.strip_suffix(ALLOWABLE) != Some(base) {
            return Err(format!(
                "schemas.toml: {name}: only {ALLOWABLE} can be typed"
            ));
        }
        self.allowable(id, property)
    }

    /// The words that a client may use for a property or parameter.
    fn allowable(&mut self, id: &TypeId, property: &Property) -> Result<Field, String> {
        let item = match &property.kind {
            Kind::Array { item, .. } => item,
            kind => kind,
        };
        Ok(Field {
            doc: format!("The values that a client may use for `{}`.", property.name),
            json: format!("{}{ALLOWABLE}", property.name),
            name: format!("{}_allowable_values", snake(&property.name)),
            inner: format!("Vec<{}>", self.rust_type(id, item)?),
            required: false,
        })
    }

    fn field(&mut self, id: &TypeId, property: &Property) -> Result<Field, String> {
        let inner = self.rust_type(id, &property.kind)?;
        let nullable = property.nullable && !matches!(property.kind, Kind::Array { .. });
        let mut text = property.description.clone().unwrap_or_default();
        if property.deprecated {
            text.push_str(" Deprecated.");
        }
        if let Some(unit) = &property.unit {
            let _ = write!(text, " Unit: `{unit}`.");
        }
        Ok(Field {
            doc: text.trim().to_owned(),
            json: property.name.clone(),
            name: field(&property.name),
            inner: if nullable {
                format!("Nullable<{inner}>")
            } else {
                inner
            },
            required: property.required,
        })
    }

    fn rust_type(&mut self, place: &TypeId, kind: &Kind) -> Result<String, String> {
        Ok(match kind {
            Kind::Boolean => "bool".to_owned(),
            Kind::Integer { .. } => "i64".to_owned(),
            Kind::Number { .. } => "f64".to_owned(),
            Kind::String { .. } | Kind::Uri | Kind::Guid => "String".to_owned(),
            Kind::DateTime => "DateTime".to_owned(),
            Kind::Duration => "Duration".to_owned(),
            Kind::Any => "serde_json::Value".to_owned(),
            Kind::Reference(_) => "Reference".to_owned(),
            Kind::Array { item, .. } => format!("Vec<{}>", self.rust_type(place, item)?),
            Kind::Enumeration(id) => {
                self.enumeration(id)?;
                self.path(place, id)
            }
            Kind::Object(id) => {
                let object = self.source(id)?;
                if object.properties.is_empty() {
                    return Ok("serde_json::Map<String, serde_json::Value>".to_owned());
                }
                self.object(id)?;
                self.path(place, id)
            }
        })
    }

    fn path(&mut self, place: &TypeId, id: &TypeId) -> String {
        if place.module == id.module {
            return item_name(id);
        }
        self.files
            .entry(place.module.clone())
            .or_default()
            .used
            .insert(id.module.clone());
        format!("{}::{}", snake(&id.module), item_name(id))
    }

    fn enumeration(&mut self, id: &TypeId) -> Result<(), String> {
        if !self.done.insert(id.clone()) {
            return Ok(());
        }
        let enumeration: &Enumeration = self
            .model
            .modules
            .get(&id.module)
            .and_then(|module| module.enumerations.get(&id.name))
            .ok_or("an enumeration that the model lacks")?;
        let title = enumeration
            .description
            .clone()
            .unwrap_or_else(|| format!("The words of `{}`.", enumeration.qualified_name));
        let mut text = format!(
            "enumeration! {{\n{}    pub enum {} {{\n",
            doc(&title, "    "),
            item_name(id)
        );
        for member in &enumeration.members {
            let mut words = member
                .description
                .clone()
                .unwrap_or_else(|| member.name.clone());
            if member.deprecated {
                words.push_str(" Deprecated.");
            }
            let _ = writeln!(
                text,
                "{}        {} = {:?},",
                doc(&words, "        "),
                variant(&member.name),
                member.name
            );
        }
        text.push_str("    }\n}\n\n");
        self.files
            .entry(id.module.clone())
            .or_default()
            .items
            .insert(id.name.clone(), text);
        Ok(())
    }

    /// The fields and structures of the actions that the list selects.
    fn action_fields(&mut self, id: &TypeId, object: &Object) -> Result<Vec<Field>, String> {
        let Some(selected) = self.list.resources.get(&id.module) else {
            return Ok(Vec::new());
        };
        let mut fields = Vec::new();
        for short in &selected.actions {
            let name = format!("{}.{short}", id.module);
            let action = object
                .actions
                .iter()
                .find(|action| action.name == name)
                .ok_or_else(|| format!("schemas.toml: there is no action {name}"))?;
            let structure = format!("{short}Action");
            self.action(id, action, &structure)?;
            fields.push(Field {
                doc: action.description.clone().unwrap_or_default(),
                json: format!("#{name}"),
                name: field(short),
                inner: structure,
                required: false,
            });
        }
        Ok(fields)
    }

    fn action(&mut self, id: &TypeId, action: &Action, name: &str) -> Result<(), String> {
        let mut fields = vec![Field {
            doc: "Where to POST the parameters.".to_owned(),
            json: "target".to_owned(),
            name: "target".to_owned(),
            inner: "String".to_owned(),
            required: true,
        }];
        if !action.parameters.is_empty() {
            fields.push(Field {
                doc: "Where the parameters are described; the service has it for every action that it shows.".to_owned(),
                json: "@Redfish.ActionInfo".to_owned(),
                name: ACTION_INFO.to_owned(),
                inner: "String".to_owned(),
                required: false,
            });
        }
        for parameter in &action.parameters {
            let item = match &parameter.kind {
                Kind::Array { item, .. } => item,
                kind => kind,
            };
            if matches!(item, Kind::Enumeration(_)) {
                fields.push(self.allowable(id, parameter)?);
            }
        }
        fields.push(Field {
            doc: "When the service can carry it out, if not at once only.".to_owned(),
            json: "@Redfish.OperationApplyTimeSupport".to_owned(),
            name: "operation_apply_time_support".to_owned(),
            inner: "crate::OperationApplyTimeSupport".to_owned(),
            required: false,
        });
        let mut text = doc(&format!("How to call `{}`.", action.name), "");
        structure(&mut text, name, &fields, false);
        self.files
            .entry(id.module.clone())
            .or_default()
            .items
            .insert(name.to_owned(), text);
        Ok(())
    }
}

/// A documentation comment; backslashes, brackets and angles stay text.
fn doc(text: &str, indent: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text
        .replace('[', "\\[")
        .replace(']', "\\]")
        .replace('<', "\\<");
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        // A line that starts with a list mark or number would be read as one.
        let is_mark = word.starts_with(|c: char| "-*+#>|".contains(c))
            || (word.ends_with(['.', ')']) && word.starts_with(|c: char| c.is_numeric()));
        if line > 0 && line + 1 + word.chars().count() > 92 - indent.len() && !is_mark {
            lines.push(String::new());
        }
        if let Some(last) = lines.last_mut() {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{indent}/// {line}");
        text
    })
}

/// The structure, its constructor if it has required fields, and its `Resource`.
fn structure(text: &mut String, name: &str, fields: &[Field], is_resource: bool) {
    let required: Vec<&Field> = fields.iter().filter(|field| field.required).collect();
    let default = if required.is_empty() && !is_resource {
        "Default, "
    } else {
        ""
    };
    let _ = write!(
        text,
        "#[derive(Clone, Debug, {default}PartialEq, Serialize)]\n\
         #[serde(rename_all = \"PascalCase\")]\npub struct {name} {{\n"
    );
    if is_resource {
        text.push_str(
            "    /// Type and version.\n    #[serde(rename = \"@odata.type\")]\n    \
             pub odata_type: ODataType,\n",
        );
    }
    for field in fields {
        text.push_str(&doc(&field.doc, "    "));
        let mut serde = Vec::new();
        if pascal(&field.name) != field.json {
            serde.push(format!("rename = {:?}", field.json));
        }
        if !field.required {
            serde.push("skip_serializing_if = \"Option::is_none\"".to_owned());
        }
        if !serde.is_empty() {
            let _ = writeln!(text, "    #[serde({})]", serde.join(", "));
        }
        let inner = &field.inner;
        let full = if field.required {
            inner.clone()
        } else {
            format!("Option<{inner}>")
        };
        let _ = writeln!(text, "    pub {}: {full},", field.name);
    }
    text.push_str("}\n\n");
    if !default.is_empty() {
        return;
    }
    constructor(text, name, fields, &required, is_resource);
}

fn constructor(text: &mut String, name: &str, fields: &[Field], required: &[&Field], typed: bool) {
    let mut arguments = Vec::new();
    for field in required {
        arguments.push(match field.inner.as_str() {
            "String" => format!("{}: impl Into<String>", field.name),
            inner => format!("{}: {inner}", field.name),
        });
    }
    let _ = write!(
        text,
        "impl {name} {{\n    /// With the properties that every instance has; the others are absent.\n\
         #[must_use]\npub fn new({}) -> Self {{\n",
        arguments.join(", ")
    );
    let has_info = fields.iter().any(|field| field.name == ACTION_INFO);
    if has_info {
        text.push_str("let target = target.into();\n");
    }
    text.push_str("Self {\n");
    if typed {
        text.push_str("odata_type: ODataType::of(&TYPE),\n");
    }
    for field in fields {
        let name = &field.name;
        let _ = match (field.required, field.inner.as_str()) {
            _ if name == ACTION_INFO => {
                writeln!(text, "{name}: crate::action_uri::uri_for(&target),")
            }
            (true, "String") if has_info => continue,
            (true, "String") => writeln!(text, "{name}: {name}.into(),"),
            (true, _) => writeln!(text, "{name},"),
            (false, _) => writeln!(text, "{name}: None,"),
        };
    }
    if has_info {
        text.push_str("target,\n");
    }
    text.push_str("}\n}\n}\n\n");
}
