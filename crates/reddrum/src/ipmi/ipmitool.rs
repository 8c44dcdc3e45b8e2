//! What somebody is told who types ipmitool's options: which of them are said otherwise here, and how.

use crate::shell::quoted;

/// An option that ipmitool has and that means something else here, or nothing.
struct Foreign {
    letter: char,
    /// Whether a word belongs to it.
    has_value: bool,
    what: What,
}

/// What it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Host,
    Interface,
    Password,
    Key,
    Patience,
}

const fn foreign(letter: char, has_value: bool, what: What) -> Foreign {
    Foreign {
        letter,
        has_value,
        what,
    }
}

const OPTIONS: [Foreign; 10] = [
    foreign('H', true, What::Host),
    foreign('I', true, What::Interface),
    foreign('P', true, What::Password),
    foreign('E', false, What::Password),
    foreign('a', false, What::Password),
    foreign('k', true, What::Key),
    foreign('y', true, What::Key),
    foreign('K', false, What::Key),
    foreign('N', true, What::Patience),
    foreign('R', true, What::Patience),
];

impl What {
    const fn told(self) -> &'static str {
        match self {
            Self::Host => "the BMCs are named before the command",
            Self::Interface => "the interface is always RMCP+, ipmitool's lanplus",
            Self::Password => {
                "the password comes from --password-file FILE (mode 0600), from REDDRUM_IPMI_PASSWORD, IPMI_PASSWORD or \
                 IPMITOOL_PASSWORD, or is asked for on a terminal; it is no argument, where everybody on this machine \
                 could read it"
            }
            Self::Key => "the BMC key comes from IPMI_KGKEY (hexadecimal digits after 0x)",
            Self::Patience => "--timeout-ms MS and --attempts N say how long and how often",
        }
    }
}

/// What to say about the words behind `reddrum ipmi` where they are ipmitool's; `None` where they are not. Tells no password.
pub(crate) fn advice(words: &[String]) -> Option<String> {
    let (mut host, mut kept, mut used) = (None, Vec::new(), Vec::new());
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let mut letters = word.strip_prefix('-').unwrap_or_default().chars();
        let letter = letters.next();
        let Some(option) = OPTIONS.iter().find(|option| Some(option.letter) == letter) else {
            kept.push(word);
            continue;
        };
        let value = match (option.has_value, letters.as_str()) {
            (false, _) => None,
            (true, "") => words.next(),
            (true, behind) => Some(behind),
        };
        if option.what == What::Host {
            // Where the name is missing it is told where it belongs.
            host = Some(value.unwrap_or("HOSTS"));
        }
        used.push(option);
    }
    if used.is_empty() {
        return None;
    }
    let mut names: Vec<_> = used
        .iter()
        .map(|option| format!("-{}", option.letter))
        .collect();
    names.dedup();
    let mut told: Vec<_> = used.iter().map(|option| option.what).collect();
    told.dedup();
    let told: Vec<_> = told.into_iter().map(What::told).collect();
    let command: Vec<_> = host.into_iter().chain(kept).map(quoted).collect();
    Some(format!(
        "ipmitool's {}: here {}. Say: reddrum ipmi {}",
        names.join(", "),
        told.join("; "),
        command.join(" ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> Option<String> {
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        advice(&words)
    }

    #[test]
    fn the_line_is_given_back_in_our_words_and_without_the_password() {
        for line in [
            "-I lanplus -H 10.0.0.5 -U admin -P s3cret chassis power status",
            "-Ilanplus -H10.0.0.5 -U admin -Ps3cret chassis power status",
            "-I lanplus -H 10.0.0.5 -U admin -E chassis power status",
        ] {
            let told = told(line).unwrap();
            let command = "Say: reddrum ipmi 10.0.0.5 -U admin chassis power status";
            assert!(told.ends_with(command), "{told}");
            assert!(told.contains("--password-file") && told.contains("before the command"));
            assert!(!told.contains("s3cret"), "{told}");
        }
        let told = told("10.0.0.5 -k k3y power on").unwrap();
        assert!(
            told.starts_with("ipmitool's -k: here the BMC key comes"),
            "{told}"
        );
        assert!(
            told.ends_with("Say: reddrum ipmi 10.0.0.5 power on"),
            "{told}"
        );
    }

    #[test]
    fn our_own_words_are_left_alone() {
        assert_eq!(told("10.0.0.5 -U admin -p 623 power explode"), None);
        assert_eq!(told("--hosts-file rack -f secret sensor"), None);
    }
}
