//! Names of Rust items from names of the CSDL.

/// Spellings that are one word although their letters change case.
const WORDS: [&str; 24] = [
    "PCIe",
    "IPv4",
    "IPv6",
    "GiB",
    "MiB",
    "KiB",
    "kWh",
    "kVAh",
    "kVARh",
    "kPa",
    "MHz",
    "GHz",
    "Mbps",
    "Gbps",
    "mm",
    "OAuth2",
    "OAuth",
    "NVMe",
    "iSCSI",
    "OEM",
    "MACsec",
    "BiosSetup",
    "UUIDs",
    "IDs",
];

/// Rust's keywords that the CSDL also uses as names.
const KEYWORDS: [&str; 8] = ["type", "self", "ref", "use", "mod", "in", "static", "final"];

/// Splits `TotalSystemMemoryGiB` into `Total`, `System`, `Memory`, `GiB`.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        if !letters[at].is_alphanumeric() {
            at += 1;
            continue;
        }
        let rest: String = letters[at..].iter().collect();
        let end = special(&rest).map_or_else(|| word_end(&letters, at), |length| at + length);
        words.push(letters[at..end].iter().collect());
        at = end;
    }
    words
}

/// Length of the special word that `rest` starts with.
fn special(rest: &str) -> Option<usize> {
    let word = WORDS
        .iter()
        .filter(|word| rest.starts_with(**word))
        .max_by_key(|w| w.len())?;
    let next = rest[word.len()..].chars().next();
    next.is_none_or(|c| !c.is_lowercase()).then_some(word.len())
}

/// End of the word that starts at `start`: an acronym with its digits, or a capitalised word.
fn word_end(letters: &[char], start: usize) -> usize {
    let is = |at: usize, test: fn(&char) -> bool| letters.get(at).is_some_and(test);
    let upper = |c: &char| c.is_uppercase() || c.is_numeric();
    let mut end = start + 1;
    if letters[start].is_uppercase() && is(end, upper) {
        while is(end, upper) {
            end += 1;
        }
        // The last capital of `LEDState` starts the next word; a trailing `s` is a plural.
        if is(end, |c| c.is_lowercase()) {
            let plural = letters[end] == 's' && !is(end + 1, |c| c.is_lowercase());
            return if plural {
                end + 1
            } else {
                (end - 1).max(start + 1)
            };
        }
        return end;
    }
    while is(end, |c| c.is_lowercase() || c.is_numeric()) {
        let rest: String = letters[end..].iter().collect();
        if special(&rest).is_some() {
            break;
        }
        end += 1;
    }
    end
}

/// `boot_source_override_target`.
pub(crate) fn snake(name: &str) -> String {
    words(name)
        .iter()
        .map(|word| word.to_lowercase())
        .collect::<Vec<_>>()
        .join("_")
}

/// `BOOT_SOURCE`.
pub(crate) fn screaming(name: &str) -> String {
    snake(name).to_uppercase()
}

/// A field name; a keyword gets a trailing underscore.
pub(crate) fn field(name: &str) -> String {
    let snake = snake(name);
    if KEYWORDS.contains(&snake.as_str()) {
        format!("{snake}_")
    } else {
        snake
    }
}

/// A variant name: the member as it is, without what Rust doesn't allow in a name.
pub(crate) fn variant(member: &str) -> String {
    let mut variant = String::new();
    let mut capitalise = true;
    for letter in member.chars() {
        if !letter.is_alphanumeric() {
            // `1_2` keeps its underscore: `12` would be another number.
            if letter == '_' && variant.ends_with(|c: char| c.is_numeric()) {
                variant.push('_');
            }
            capitalise = true;
        } else if capitalise {
            if variant.ends_with('_') && !letter.is_numeric() {
                variant.pop();
            }
            variant.extend(letter.to_uppercase());
            capitalise = false;
        } else {
            variant.push(letter);
        }
    }
    if variant.starts_with(|c: char| c.is_numeric()) {
        format!("N{variant}")
    } else {
        variant
    }
}

/// The name as `serde(rename_all = "PascalCase")` makes it from the field.
pub(crate) fn pascal(field: &str) -> String {
    field
        .split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_uppercase().chain(letters).collect::<String>()
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_names_follow_the_words_of_the_csdl_name() {
        for (name, expected) in [
            ("BootSourceOverrideTarget", "boot_source_override_target"),
            ("UUID", "uuid"),
            ("IndicatorLED", "indicator_led"),
            ("TotalSystemMemoryGiB", "total_system_memory_gib"),
            ("EnergykWh", "energy_kwh"),
            ("PCIeDevices", "pcie_devices"),
            ("IPv4Addresses", "ipv4_addresses"),
            ("LEDState", "led_state"),
            ("MaxIDs", "max_ids"),
            ("SpeedRPM", "speed_rpm"),
            ("Type", "type_"),
        ] {
            assert_eq!(field(name), expected);
        }
    }

    #[test]
    fn variants_keep_the_spelling_that_rust_allows() {
        assert_eq!(variant("ForceOff"), "ForceOff");
        assert_eq!(variant("TPM1_2"), "TPM1_2");
        assert_eq!(
            variant("Lower Non-critical - going low"),
            "LowerNonCriticalGoingLow"
        );
        assert_eq!(variant("802.3"), "N8023");
    }
}
