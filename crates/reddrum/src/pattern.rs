//! Names with `*` for any characters.

/// Whether a name fits a pattern, in which `*` stands for any characters. Letters fit in both cases.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut name) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<_> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, behind)) = name.split_once(part) else {
            return false;
        };
        name = behind;
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name) in [
            ("cpu1 temp", "CPU1 Temp"),
            ("CPU*", "CPU1 Temp"),
            ("*Temp", "CPU1 Temp"),
            ("*1*", "CPU1 Temp"),
            ("*", ""),
            ("c*1*t*p", "CPU1 Temp"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("cpu", "CPU1 Temp"), ("*Fan", "CPU1 Temp"), ("a*a", "a")] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }
}
