//! The entries of a list of BMCs, and the groups as Prometheus writes them.
//!
//! ```text
//!   {"hosts": "bmc[001-096]", "names": "node[001-096]", "rack": "R1", "labels": {"owner": "a"}}    an entry: keys of [[target]]
//!   {"targets": ["10.0.0.7:623", "bmc8"], "labels": {"rack": "R1", "owner": "a"}}                  a group: file_sd, http_sd
//! ```

use std::sync::Arc;

use hardware::SensorIntervals;

use super::tree::Tree;
use crate::config::{
    GAP_LIMITS_MS, POLL_INTERVAL_LIMITS_MS, TARGETS_MAX, TargetConfig, Treatment, UNIT_LIMITS,
    check_label, check_place, expand, intervals, read_quirks,
};

/// What an entry may say beside `hosts` (or `host`) and `names` (or `name`). The same as labels of a group.
const KEYS: [&str; 13] = [
    "port",
    "credentials",
    "site",
    "row",
    "rack",
    "block",
    "sled",
    "unit",
    "quirks",
    "poll_interval_ms",
    intervals::KEY,
    "gap_ms",
    "labels",
];

/// The BMCs of a list, where `treatment` holds for what the list says nothing of.
///
/// # Errors
/// Which entry is wrong, and what with it.
pub(super) fn targets(list: Tree, treatment: &Treatment) -> Result<Vec<TargetConfig>, String> {
    let Tree::List(entries) = list else {
        return Err("expected a list of entries".to_owned());
    };
    let mut targets = Vec::new();
    for (number, entry) in (1..).zip(entries) {
        let say = |what: String| format!("entry {number}: {what}");
        let Tree::Table(fields) = entry else {
            return Err(say("expected a table: names with their values".to_owned()));
        };
        let is_group = fields.iter().any(|(name, _)| name == "targets");
        let more = match is_group {
            true => group(fields, treatment),
            false => single(fields, treatment),
        };
        for mut target in more.map_err(say)? {
            target.at = number;
            targets.push(target);
        }
        if targets.len() > TARGETS_MAX {
            return Err(say(format!("more than {TARGETS_MAX} BMCs")));
        }
    }
    Ok(targets)
}

fn single(fields: Vec<(String, Tree)>, treatment: &Treatment) -> Result<Vec<TargetConfig>, String> {
    let mut treatment = treatment.clone();
    let (mut hosts, mut names) = (None, None);
    for (name, value) in fields {
        match name.as_str() {
            "hosts" | "host" => hosts = Some(text(&name, value)?),
            "names" | "name" => names = Some(text(&name, value)?),
            "labels" => {
                let Tree::Table(labels) = value else {
                    return Err("labels: expected names with their values".to_owned());
                };
                for (name, value) in labels {
                    check_label(&name)?;
                    let value = text(&name, value)?;
                    treatment.labels.insert(name, value);
                }
            }
            _ => {
                if !set(&mut treatment, &name, &value)? {
                    return Err(unknown(&name));
                }
            }
        }
    }
    let hosts = hosts.ok_or("hosts is missing")?;
    let names = names.unwrap_or_else(|| hosts.clone());
    finish(&hosts, &names, treatment)
}

/// Labels that mean something here are taken as such; those of Prometheus itself (`__…`) are left out.
fn group(fields: Vec<(String, Tree)>, treatment: &Treatment) -> Result<Vec<TargetConfig>, String> {
    let mut treatment = treatment.clone();
    let mut addresses = Vec::new();
    let mut name = None;
    for (field, value) in fields {
        match (field.as_str(), value) {
            ("targets", Tree::List(list)) => addresses = list,
            ("labels", Tree::Table(labels)) => {
                for (label, value) in labels {
                    if label.starts_with("__") {
                        continue;
                    }
                    if label == "name" {
                        name = Some(text(&label, value)?);
                    } else if !set(&mut treatment, &label, &value)? {
                        check_label(&label)?;
                        let value = text(&label, value)?;
                        treatment.labels.insert(label, value);
                    }
                }
            }
            ("targets" | "labels", _) => {
                return Err(format!(
                    "{field}: expected a list of targets, and a table of labels"
                ));
            }
            _ => return Err(format!("'{field}': a group has targets and labels")),
        }
    }
    if name.is_some() && addresses.len() > 1 {
        return Err("one name for several targets".to_owned());
    }
    let mut targets = Vec::new();
    let whole = Arc::new(treatment);
    for address in addresses {
        let address = text("targets", address)?;
        let (host, port) = host_and_port(&address)?;
        let treatment = match port {
            Some(port) if port != whole.port => Arc::new(Treatment {
                port,
                ..Treatment::clone(&whole)
            }),
            _ => Arc::clone(&whole),
        };
        let name = name.as_deref().unwrap_or(host);
        targets.extend(expanded(host, name, &treatment)?);
    }
    Ok(targets)
}

/// `HOST`, `HOST:PORT` or `[IPV6]:PORT`.
pub(super) fn host_and_port(address: &str) -> Result<(&str, Option<u16>), String> {
    let is_ipv6 = |host: &str| host.parse::<std::net::Ipv6Addr>().is_ok();
    if is_ipv6(address) {
        return Ok((address, None));
    }
    let Some((host, port)) = address.rsplit_once(':') else {
        return Ok((address, None));
    };
    let port = port
        .parse()
        .map_err(|_| format!("'{address}': expected HOST, HOST:PORT or [IPV6]:PORT"))?;
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    Ok((
        bare.filter(|host| is_ipv6(host)).unwrap_or(host),
        Some(port),
    ))
}

/// Takes one field; whether there is such a field.
fn set(treatment: &mut Treatment, name: &str, value: &Tree) -> Result<bool, String> {
    if name == "quirks" {
        let words: Vec<&str> = match value {
            Tree::Text(text) => text
                .split([' ', ','])
                .filter(|word| !word.is_empty())
                .collect(),
            Tree::List(list) => list.iter().filter_map(as_text).collect(),
            Tree::Table(_) => return Err("quirks: expected a list".to_owned()),
        };
        treatment.quirks = read_quirks(words.into_iter())?;
        return Ok(true);
    }
    if name == intervals::KEY {
        treatment.sensor_intervals = read_intervals(value)?.or(treatment.sensor_intervals);
        return Ok(true);
    }
    if !KEYS.contains(&name) || name == "labels" {
        return Ok(false);
    }
    let text = as_text(value).ok_or_else(|| format!("{name}: expected a text or a number"))?;
    let place = &mut treatment.place;
    let own = || Some(text.to_owned());
    match name {
        "port" => treatment.port = number(name, text, &(1..=65_535))?,
        "credentials" => text.clone_into(&mut treatment.credentials),
        "site" => place.site = own(),
        "row" => place.row = own(),
        "rack" => place.rack = own(),
        "block" => place.block = own(),
        "sled" => place.sled = own(),
        "unit" => place.unit = Some(number(name, text, &UNIT_LIMITS)?),
        "gap_ms" => treatment.gap_ms = number(name, text, &GAP_LIMITS_MS)?,
        _ => treatment.poll_interval_ms = Some(number(name, text, &POLL_INTERVAL_LIMITS_MS)?),
    }
    Ok(true)
}

/// A table by class of sensor, or a text: `temperature=10000 voltage=60000`.
fn read_intervals(value: &Tree) -> Result<SensorIntervals, String> {
    let wrong = || {
        let key = intervals::KEY;
        format!("{key}: expected classes of sensors with milliseconds, as temperature=10000")
    };
    let pairs: Option<Vec<(&str, &str)>> = match value {
        Tree::Table(fields) => fields
            .iter()
            .map(|(class, ms)| Some((class.as_str(), as_text(ms)?)))
            .collect(),
        Tree::Text(text) => text
            .split([' ', ','])
            .filter(|word| !word.is_empty())
            .map(|word| word.split_once('='))
            .collect(),
        Tree::List(_) => None,
    };
    let mut all = SensorIntervals::default();
    for (class, ms) in pairs.ok_or_else(wrong)? {
        all = intervals::with(all, class, ms.parse().ok())
            .map_err(|text| format!("{}: {text}", intervals::KEY))?;
    }
    Ok(all)
}

fn number<T: TryFrom<u32>>(
    name: &str,
    text: &str,
    range: &std::ops::RangeInclusive<u32>,
) -> Result<T, String> {
    let number = text
        .parse::<u32>()
        .ok()
        .filter(|number| range.contains(number));
    number
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| {
            let (first, last) = (range.start(), range.end());
            format!("{name}: '{text}' is not a whole number from {first} to {last}")
        })
}

fn as_text(value: &Tree) -> Option<&str> {
    match value {
        Tree::Text(text) => Some(text),
        Tree::List(_) | Tree::Table(_) => None,
    }
}

fn text(name: &str, value: Tree) -> Result<String, String> {
    match value {
        Tree::Text(text) if !text.is_empty() => Ok(text),
        _ => Err(format!("{name}: expected a text")),
    }
}

fn unknown(name: &str) -> String {
    let keys = ["hosts", "names"].into_iter().chain(KEYS);
    let nearest = keys.min_by_key(|key| strsim::damerau_levenshtein(name, key));
    let nearest = nearest.unwrap_or_default();
    format!("unknown key '{name}'; did you mean '{nearest}'? Labels of your own go into labels")
}

fn finish(hosts: &str, names: &str, treatment: Treatment) -> Result<Vec<TargetConfig>, String> {
    expanded(hosts, names, &Arc::new(treatment))
}

fn expanded(
    hosts: &str,
    names: &str,
    treatment: &Arc<Treatment>,
) -> Result<Vec<TargetConfig>, String> {
    let say = |(key, what): (&str, String)| format!("{key}: {what}");
    check_place(&treatment.place).map_err(say)?;
    expand(hosts, names, treatment).map_err(say)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::{Format, Place, Reach};
    use crate::inventory::tree;

    fn defaults() -> Treatment {
        Treatment {
            port: 623,
            credentials: "default".to_owned(),
            place: Place::default(),
            labels: BTreeMap::new(),
            quirks: fleet::Quirks::default(),
            poll_interval_ms: None,
            sensor_intervals: SensorIntervals::default(),
            gap_ms: 0,
            reach: Reach::default(),
        }
    }

    fn read(json: &str) -> Result<Vec<TargetConfig>, String> {
        targets(tree::read(Format::Json, json)?, &defaults())
    }

    #[test]
    fn an_entry_has_the_keys_of_a_target() {
        let list = read(
            r#"[{"hosts": "bmc[08-09]", "names": "n[8-9]", "port": 6230, "rack": "R1", "unit": "12", "site": "Ulm",
                 "quirks": ["assumebmcowner"], "poll_interval_ms": 5000, "gap_ms": 250, "labels": {"owner": "a"}}]"#,
        )
        .unwrap();
        let [first, second] = &*list else {
            panic!("{list:?}")
        };
        assert_eq!((first.host.as_str(), first.id.as_str()), ("bmc08", "n8"));
        assert_eq!((second.host.as_str(), second.id.as_str()), ("bmc09", "n9"));
        assert!(Arc::ptr_eq(&first.treatment, &second.treatment));
        let treatment = &first.treatment;
        assert_eq!((treatment.port, treatment.place.unit), (6230, Some(12)));
        assert_eq!(treatment.place.site.as_deref(), Some("Ulm"));
        assert_eq!(treatment.poll_interval_ms, Some(5000));
        assert_eq!(treatment.gap_ms, 250);
        assert_eq!(treatment.labels["owner"], "a");
        assert!(treatment.quirks.has(fleet::Quirk::SensorOwnerWrong));
    }

    #[test]
    fn intervals_of_classes_are_a_table_or_a_text_and_go_before_those_of_the_section() {
        use hardware::SensorClass::{Fan, Temperature, Voltage};
        let mut section = defaults();
        section.sensor_intervals = SensorIntervals::default().with(Fan, 500).with(Voltage, 600);
        for json in [
            r#"[{"host": "a", "sensor_intervals_ms": {"temperature": 10000, "fan": 30000}}]"#,
            r#"[{"targets": ["a"], "labels": {"sensor_intervals_ms": "temperature=10000, fan=30000"}}]"#,
        ] {
            let list = targets(tree::read(Format::Json, json).unwrap(), &section).unwrap();
            let intervals: Vec<_> = list[0].treatment.sensor_intervals.iter().collect();
            let wanted = [(Temperature, 10_000), (Fan, 30_000), (Voltage, 600)];
            assert_eq!(intervals, wanted, "{json}");
        }
    }

    #[test]
    fn groups_of_prometheus_are_taken_with_their_labels() {
        let list = read(
            r#"[{"targets": ["10.0.0.7", "bmc8:6230", "bmc[1-2]"], "labels": {"rack": "R1", "owner": "a", "__meta_x": "y"}},
                {"targets": ["[fe80::1]:623"], "labels": {"name": "n9"}}]"#,
        )
        .unwrap();
        let found: Vec<_> = list
            .iter()
            .map(|t| (t.id.as_str(), t.host.as_str(), t.treatment.port))
            .collect();
        assert_eq!(
            found,
            [
                ("10.0.0.7", "10.0.0.7", 623),
                ("bmc8", "bmc8", 6230),
                ("bmc1", "bmc1", 623),
                ("bmc2", "bmc2", 623),
                ("n9", "fe80::1", 623),
            ]
        );
        assert_eq!(list[0].treatment.place.rack.as_deref(), Some("R1"));
        let labels: Vec<_> = list[0].treatment.labels.keys().collect();
        assert_eq!(labels, ["owner"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_entry() {
        for (json, wanted) in [
            (
                r#"[{"host": "a"}, {"host": "b", "rak": "R"}]"#,
                "entry 2: unknown key 'rak'; did you mean 'rack'?",
            ),
            (r#"[{"rack": "R"}]"#, "hosts is missing"),
            (
                r#"[{"host": "a", "port": 0}]"#,
                "port: '0' is not a whole number",
            ),
            (r#"[{"host": "a", "sled": "S"}]"#, "rack: is missing"),
            (r#"[{"host": "a", "rack": "R/1"}]"#, "rack: only letters"),
            (r#"[{"host": "a[1-", "rack": "R1"}]"#, "without ']'"),
            (r#"[{"host": "fe80::1"}]"#, "can't name a machine"),
            (
                r#"[{"host": "a", "labels": {"a-b": "c"}}]"#,
                "can't name a label",
            ),
            (r#"[{"host": "a", "quirks": "nosuch"}]"#, "no quirk named"),
            (
                r#"[{"host": "a", "sensor_intervals_ms": {"fans": 1000}}]"#,
                "sensor_intervals_ms: there is no class of sensors 'fans'; did you mean 'fan'?",
            ),
            (
                r#"[{"host": "a", "sensor_intervals_ms": "fan=1"}]"#,
                "fan: expected a whole number of milliseconds from 100 to 3600000",
            ),
            (
                r#"[{"host": "a", "sensor_intervals_ms": ["fan"]}]"#,
                "sensor_intervals_ms: expected classes of sensors",
            ),
            (r#"[{"targets": ["a:b"]}]"#, "expected HOST"),
            (
                r#"[{"targets": ["a", "b"], "labels": {"name": "n"}}]"#,
                "one name for several",
            ),
            (r#"{"hosts": "a"}"#, "expected a list"),
            (r#"["a"]"#, "expected a table"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(wanted), "{json}: {error}");
        }
    }
}
