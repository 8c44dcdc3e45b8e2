//! Host ranges: `bmc[001-096,100].example.org`, `10.0.[0-3].[1-250]`.

/// The most hosts one range may stand for.
pub(crate) const HOSTS_MAX: usize = 65_536;

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

fn split_outside_brackets(text: &str) -> Result<Vec<&str>, String> {
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
}
