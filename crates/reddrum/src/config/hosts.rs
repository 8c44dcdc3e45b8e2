//! Host ranges: `bmc[001-096,100].example.org`, `10.0.[0-3].[1-250]`; and networks where BMCs are looked for: `10.0.0.0/24`.

use std::net::{IpAddr, Ipv4Addr};

/// The most hosts one range may stand for.
pub(crate) const HOSTS_MAX: usize = 65_536;

/// The longest name of a host, in bytes (RFC 1035 §2.3.4).
const HOST_LEN_MAX: usize = 253;

/// Expands a range into its hosts, in order, the last bracket fastest. Leading zeros set the width
/// (`[001-010]`). Several ranges may be joined by commas outside brackets.
///
/// # Errors
/// Says what is wrong with the text: an open bracket, an empty or backward range, too many hosts.
pub(crate) fn expand(text: &str) -> Result<Vec<String>, String> {
    let mut hosts = Vec::new();
    for part in split_outside_brackets(text)? {
        expand_one(part.trim(), &mut hosts)?;
    }
    Ok(hosts)
}

/// The network of `10.0.0.0/24`: its addresses, without the network's own and the broadcast address; `None` where the text is
/// no network.
///
/// # Errors
/// It is no network of IPv4, or too large a one.
pub(crate) fn network(text: &str) -> Result<Option<Vec<String>>, String> {
    let Some((address, length)) = text.split_once('/') else {
        return Ok(None);
    };
    let address: Ipv4Addr = address
        .parse()
        .map_err(|_| "expected a network such as 10.0.0.0/24".to_owned())?;
    let length: u32 = length
        .parse()
        .ok()
        .filter(|length| (1..=32).contains(length))
        .ok_or_else(|| "a network's length is 1 to 32".to_owned())?;
    let count = 1_u64 << (32 - length);
    if count > HOSTS_MAX as u64 {
        return Err("a larger network than /16".to_owned());
    }
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let first = u32::from(address) & !(count - 1);
    let all = (first..=first + (count - 1)).map(|address| Ipv4Addr::from(address).to_string());
    let edges = if count > 2 { 1 } else { 0 };
    let inner = usize::try_from(count - 2 * edges).unwrap_or(0);
    Ok(Some(all.skip(edges as usize).take(inner).collect()))
}

/// Why a text is nobody's name, where it is what other tools take for several.
pub(crate) fn misfit(name: &str) -> Option<String> {
    let is_dashed = || {
        let (first, last) = name.split_once('-')?;
        first.parse::<Ipv4Addr>().ok()?;
        last.chars()
            .all(|c| c.is_ascii_digit() || c == '.')
            .then_some(())
    };
    if name.contains('/') {
        Some(format!(
            "'{name}': networks are for 'discover'; ranges are in brackets, such as 10.0.0.[1-20]"
        ))
    } else if name.contains(char::is_whitespace) {
        Some(format!(
            "'{name}': no name has blanks; put commas between hosts"
        ))
    } else if is_dashed().is_some() {
        Some(format!(
            "'{name}': ranges are in brackets, such as 10.0.0.[1-20]"
        ))
    } else {
        None
    }
}

/// Whether a text can be the address or the name of one host: what ends in a number would be an address (RFC 1123 §2.1), and
/// isn't one.
pub(crate) fn is_host(text: &str) -> bool {
    if text.parse::<IpAddr>().is_ok() {
        return true;
    }
    let is_label = |label: &str| {
        let mut bytes = label.bytes();
        !label.is_empty() && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= HOST_LEN_MAX
        && name.split('.').all(is_label)
        && !last.bytes().all(|b| b.is_ascii_digit())
}

/// Several ranges or networks, taken apart at the commas outside of brackets.
///
/// # Errors
/// Brackets that don't fit.
pub(crate) fn split_outside_brackets(text: &str) -> Result<Vec<&str>, String> {
    let mut parts = Vec::new();
    let (mut start, mut inside) = (0, false);
    for (at, c) in text.char_indices() {
        match (c, inside) {
            ('[', false) => inside = true,
            (']', true) => inside = false,
            ('[', true) | (']', false) => return Err(format!("unexpected '{c}' in '{text}'")),
            (',', false) => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if inside {
        return Err(format!("'[' without ']' in '{text}'"));
    }
    parts.push(&text[start..]);
    Ok(parts)
}

fn expand_one(text: &str, hosts: &mut Vec<String>) -> Result<(), String> {
    if text.is_empty() {
        return Err("an empty host name".to_owned());
    }
    let mut expanded = vec![String::new()];
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        // Brackets are balanced: `split_outside_brackets` has checked them.
        let (inside, tail) = after.split_once(']').unwrap_or((after, ""));
        let numbers = numbers(inside)?;
        let total = expanded.len().saturating_mul(numbers.len());
        bound(hosts.len().saturating_add(total))?;
        expanded = expanded
            .iter()
            .flat_map(|prefix| numbers.iter().map(move |n| format!("{prefix}{before}{n}")))
            .collect();
        rest = tail;
    }
    bound(hosts.len() + expanded.len())?;
    hosts.extend(expanded.into_iter().map(|prefix| prefix + rest));
    Ok(())
}

fn bound(count: usize) -> Result<(), String> {
    if count > HOSTS_MAX {
        return Err(format!("more than {HOSTS_MAX} hosts in one range"));
    }
    Ok(())
}

/// The numbers of one bracket as text, zero-padded as written.
fn numbers(inside: &str) -> Result<Vec<String>, String> {
    let mut numbers = Vec::new();
    for part in inside.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let parse = |text: &str| {
            text.parse::<u32>()
                .map_err(|_| format!("'{part}' in '[{inside}]' is not a number range"))
        };
        let (from, to) = (parse(first)?, parse(last)?);
        if from > to {
            return Err(format!("'{part}' runs backward"));
        }
        bound(numbers.len().saturating_add((to - from) as usize + 1))?;
        let width = if first.starts_with('0') {
            first.len()
        } else {
            1
        };
        numbers.extend((from..=to).map(|n| format!("{n:0width$}")));
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_keeps_its_leading_zeros_and_its_order() {
        assert_eq!(
            expand("node[008-011]").unwrap(),
            ["node008", "node009", "node010", "node011"]
        );
        assert_eq!(expand("a[1,3-4]b").unwrap(), ["a1b", "a3b", "a4b"]);
        assert_eq!(
            expand("10.0.[0-1].[1-2]").unwrap(),
            ["10.0.0.1", "10.0.0.2", "10.0.1.1", "10.0.1.2"]
        );
        assert_eq!(expand("x, y[1-2]").unwrap(), ["x", "y1", "y2"]);
        assert_eq!(expand("plain.example.org").unwrap(), ["plain.example.org"]);
    }

    #[test]
    fn a_bad_range_says_what_is_wrong_with_it() {
        for (text, expected) in [
            ("node[1-", "without ']'"),
            ("node1]", "unexpected ']'"),
            ("node[[1]]", "unexpected '['"),
            ("node[5-1]", "backward"),
            ("node[a-b]", "not a number range"),
            ("node[]", "not a number range"),
            ("a,,b", "empty host name"),
            ("n[0-4294967295]", "more than 65536"),
            ("n[1-300][1-300]", "more than 65536"),
        ] {
            let error = expand(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn a_network_has_its_inner_addresses() {
        let addresses = |text| network(text).map(Option::unwrap_or_default);
        let inner = addresses("10.0.0.77/29").unwrap();
        assert_eq!(inner.len(), 6);
        assert_eq!(
            (inner[0].as_str(), inner[5].as_str()),
            ("10.0.0.73", "10.0.0.78")
        );
        assert_eq!(addresses("10.0.0.7/32").unwrap(), ["10.0.0.7"]);
        assert_eq!(addresses("10.0.0.6/31").unwrap(), ["10.0.0.6", "10.0.0.7"]);
        assert_eq!(addresses("10.9.0.0/16").unwrap().len(), 65_534);
        assert!(network("10.0.0.5").unwrap().is_none());
        for wrong in ["10.0.0.0/8", "10.0.0/24", "10.0.0.0/33", "a/24"] {
            assert!(network(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_host_is_an_address_or_a_name() {
        for text in ["10.0.0.1", "fd00::1", "bmc1", "bmc_1.example.org.", "1a"] {
            assert!(is_host(text), "{text}");
        }
        for text in [
            "",
            "10.0.0.01",
            "10.0.0",
            "10.0.0.1:623",
            "a b",
            "a..b",
            "7",
        ] {
            assert!(!is_host(text), "{text}");
        }
    }
}
