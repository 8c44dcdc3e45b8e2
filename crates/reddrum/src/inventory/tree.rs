//! Lists of BMCs as text: CSV, JSON and YAML become one kind of tree, whose leaves are texts as they are written.

use std::mem;

use yaml_rust2::parser::Parser;
use yaml_rust2::{Event, scanner::Marker};

use crate::config::Format;

/// The most texts, lists and tables in one list of BMCs: some dozen for each of the most targets.
const NODES_MAX: usize = 2_000_000;

/// How deep lists and tables may be nested.
const DEPTH_MAX: usize = 16;

/// What a list of BMCs is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tree {
    /// A text, a number or a truth value, as it is written.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// Names with their values, in the order of the file.
    Table(Vec<(String, Self)>),
}

/// Reads a text.
///
/// # Errors
/// Where it can't be understood and why.
pub(super) fn read(format: Format, text: &str) -> Result<Tree, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match format {
        Format::Csv => csv(text),
        Format::Json => {
            let value: serde_json::Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
            json(value).ok_or_else(|| "there is nothing in it".to_owned())
        }
        Format::Yaml => yaml(text),
    }
}

/// `null` is as good as absent.
fn json(value: serde_json::Value) -> Option<Tree> {
    use serde_json::Value;
    Some(match value {
        Value::Null => return None,
        Value::Bool(flag) => Tree::Text(flag.to_string()),
        Value::Number(number) => Tree::Text(number.to_string()),
        Value::String(text) => Tree::Text(text),
        Value::Array(values) => Tree::List(values.into_iter().filter_map(json).collect()),
        Value::Object(fields) => Tree::Table(
            fields
                .into_iter()
                .filter_map(|(name, value)| Some((name, json(value)?)))
                .collect(),
        ),
    })
}

/// Lines of fields, the first with their names (RFC 4180). An empty field is as good as absent; `label.NAME` is a label, and
/// `quirks` are separated by spaces.
fn csv(text: &str) -> Result<Tree, String> {
    let mut lines = records(text)?.into_iter();
    let (_, names) = lines.next().ok_or("there is nothing in it")?;
    let mut entries = Vec::new();
    for (line, fields) in lines {
        if fields.len() != names.len() {
            let (has, wanted) = (fields.len(), names.len());
            return Err(format!(
                "line {line}: {has} fields, but {wanted} names of fields"
            ));
        }
        let (mut entry, mut labels) = (Vec::new(), Vec::new());
        for (name, field) in names.iter().zip(fields) {
            let (name, field) = (name.trim(), field.trim());
            if field.is_empty() {
                continue;
            }
            let text = Tree::Text(field.to_owned());
            match name.strip_prefix("label.") {
                Some(label) => labels.push((label.to_owned(), text)),
                None => entry.push((name.to_owned(), text)),
            }
        }
        if !labels.is_empty() {
            entry.push(("labels".to_owned(), Tree::Table(labels)));
        }
        entries.push(Tree::Table(entry));
    }
    // Rather a file that is being written, or an export that failed, than a hall without machines.
    if entries.is_empty() {
        return Err("there is nothing in it but the names of fields".to_owned());
    }
    Ok(Tree::List(entries))
}

/// The records of a text, each with the line in which it begins; empty lines are none.
fn records(text: &str) -> Result<Vec<(usize, Vec<String>)>, String> {
    let (mut records, mut fields, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut line, mut begun, mut nodes) = (1, 1, 0_usize);
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    loop {
        let c = chars.next();
        match (c, quoted) {
            (None, true) => return Err(format!("line {begun}: a quote is not closed")),
            (Some('"'), true) if chars.next_if_eq(&'"').is_some() => field.push('"'),
            (Some('"'), true) => quoted = false,
            (Some('"'), false) if field.is_empty() => quoted = true,
            (Some('\r'), false) if chars.peek() == Some(&'\n') => {}
            (Some(',') | Some('\n') | None, false) => {
                fields.push(mem::take(&mut field));
                nodes += 1;
                if nodes > NODES_MAX {
                    return Err(format!("more than {NODES_MAX} fields"));
                }
                if c != Some(',') {
                    let record = mem::take(&mut fields);
                    if record.iter().any(|field| !field.trim().is_empty()) {
                        records.push((begun, record));
                    }
                    begun = line + 1;
                }
            }
            (Some(c), _) => field.push(c),
        }
        match c {
            None => return Ok(records),
            Some('\n') => line += 1,
            Some(_) => {}
        }
    }
}

/// A list or table that is being read.
enum Open {
    List(Vec<Tree>),
    /// With the name whose value comes next.
    Table(Vec<(String, Tree)>, Option<String>),
}

/// YAML, event by event: neither depth nor size of what is made of it is the file's choice. Aliases stand for other parts of the
/// file and could make a small one large; nobody needs them here.
fn yaml(text: &str) -> Result<Tree, String> {
    let mut parser = Parser::new_from_str(text);
    let (mut open, mut nodes): (Vec<Open>, usize) = (Vec::new(), 0);
    loop {
        let (event, at) = parser.next_token().map_err(|e| e.to_string())?;
        let say = |what: &str, at: Marker| format!("line {}: {what}", at.line());
        nodes += 1;
        if nodes > NODES_MAX || open.len() > DEPTH_MAX {
            return Err(say("too much, or too deep", at));
        }
        let done = match event {
            Event::Nothing | Event::StreamStart | Event::DocumentStart | Event::DocumentEnd => None,
            Event::StreamEnd => return Err("there is nothing in it".to_owned()),
            Event::Alias(_) => return Err(say("aliases are not taken", at)),
            Event::Scalar(text, ..) => Some(Tree::Text(text)),
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                None
            }
            Event::MappingStart(..) => {
                open.push(Open::Table(Vec::new(), None));
                None
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().map(|closed| match closed {
                Open::List(list) => Tree::List(list),
                Open::Table(table, _) => Tree::Table(table),
            }),
        };
        let Some(tree) = done else { continue };
        match (open.last_mut(), tree) {
            (None, tree) => return Ok(tree),
            (Some(Open::List(list)), tree) => list.push(tree),
            (Some(Open::Table(table, name)), tree) => match (name.take(), tree) {
                (Some(name), tree) => table.push((name, tree)),
                (None, Tree::Text(text)) => *name = Some(text),
                (None, _) => return Err(say("a name must be a text", at)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Tree {
        Tree::Text(text.to_owned())
    }

    fn entry(fields: &[(&str, &str)]) -> Tree {
        let field = |(name, value): &(&str, &str)| ((*name).to_owned(), text(value));
        Tree::Table(fields.iter().map(field).collect())
    }

    #[test]
    fn the_three_ways_to_write_a_list_say_the_same() {
        let wanted = Tree::List(vec![
            entry(&[("hosts", "10.0.0.7"), ("rack", "R 1")]),
            entry(&[("hosts", "bmc[1-3]"), ("port", "0623")]),
        ]);
        let csv = "hosts,rack,port\r\n10.0.0.7,\"R 1\",\r\n\r\nbmc[1-3],,0623\r\n";
        assert_eq!(read(Format::Csv, csv).unwrap(), wanted);
        let yaml = "- hosts: 10.0.0.7\n  rack: R 1\n- {hosts: 'bmc[1-3]', port: 0623}\n";
        assert_eq!(read(Format::Yaml, yaml).unwrap(), wanted);
        let json = r#"[{"hosts": "10.0.0.7", "rack": "R 1", "sled": null},
                       {"hosts": "bmc[1-3]", "port": "0623"}]"#;
        assert_eq!(read(Format::Json, json).unwrap(), wanted);
    }

    #[test]
    fn quotes_hold_commas_quotes_and_line_ends_and_labels_have_columns() {
        let list = read(Format::Csv, "hosts,label.owner\na,\"x, \"\"y\"\"\nz\"\n").unwrap();
        let Tree::List(entries) = list else { panic!() };
        let labels = ("labels".to_owned(), entry(&[("owner", "x, \"y\"\nz")]));
        assert_eq!(
            entries,
            [Tree::Table(vec![("hosts".to_owned(), text("a")), labels])]
        );
    }

    #[test]
    fn what_can_not_be_understood_is_told_with_its_line() {
        for (format, text, wanted) in [
            (Format::Csv, "a,b\n1,2\n3\n", "line 3: 1 fields"),
            (Format::Csv, "a,b\n1,\"2\n3\n", "line 2: a quote"),
            (Format::Csv, "", "nothing in it"),
            (Format::Csv, "hosts,names\n\n", "nothing in it but"),
            (Format::Json, "[{\"a\": 1,}]", "line 1"),
            (Format::Yaml, "a: b: c\n", "line 1"),
            (Format::Yaml, "- &a x\n- *a\n", "line 2: aliases"),
            (Format::Yaml, "", "nothing in it"),
            (Format::Yaml, "- {[a]: b}\n", "must be a text"),
        ] {
            let error = read(format, text).unwrap_err();
            assert!(error.contains(wanted), "{text:?}: {error}");
        }
        for deep in ["[".repeat(10_000), "- ".repeat(10_000)] {
            assert!(read(Format::Yaml, &deep).is_err());
            assert!(read(Format::Json, &deep).is_err());
        }
    }
}
