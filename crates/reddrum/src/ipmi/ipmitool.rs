//! What somebody is told who types ipmitool's options: which of them are said otherwise here, and how.

use crate::shell::quoted;

/// An option of one letter that ipmitool has.
struct Letter {
    /// With its hyphen.
    name: &'static str,
    /// Whether a word belongs to it.
    has_value: bool,
    what: What,
}

/// What it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// It is here what it is there.
    Same,
    Host,
    Interface,
    Password,
    Key,
    Patience,
    Table,
    Cache,
    /// Nothing here.
    Nothing,
}

const fn letter(name: &'static str, has_value: bool, what: What) -> Letter {
    Letter {
        name,
        has_value,
        what,
    }
}

/// Where `-P` is among the letters.
const PASSWORD: usize = 0;

const LETTERS: [Letter; 36] = [
    letter("-P", true, What::Password),
    letter("-U", true, What::Same),
    letter("-p", true, What::Same),
    letter("-f", true, What::Same),
    letter("-C", true, What::Same),
    letter("-L", true, What::Same),
    letter("-t", true, What::Same),
    letter("-b", true, What::Same),
    letter("-T", true, What::Same),
    letter("-B", true, What::Same),
    letter("-H", true, What::Host),
    letter("-I", true, What::Interface),
    letter("-A", true, What::Interface),
    letter("-E", false, What::Password),
    letter("-a", false, What::Password),
    letter("-k", true, What::Key),
    letter("-y", true, What::Key),
    letter("-K", false, What::Key),
    letter("-Y", false, What::Key),
    letter("-N", true, What::Patience),
    letter("-R", true, What::Patience),
    letter("-c", false, What::Table),
    letter("-S", true, What::Cache),
    letter("-v", false, What::Nothing),
    letter("-o", true, What::Nothing),
    letter("-O", true, What::Nothing),
    letter("-d", true, What::Nothing),
    letter("-D", true, What::Nothing),
    letter("-e", true, What::Nothing),
    letter("-g", false, What::Nothing),
    letter("-l", true, What::Nothing),
    letter("-m", true, What::Nothing),
    letter("-s", false, What::Nothing),
    letter("-z", true, What::Nothing),
    letter("-4", false, What::Nothing),
    letter("-6", false, What::Nothing),
];

impl What {
    const fn told(self) -> &'static str {
        match self {
            Self::Same => "said alike",
            Self::Host => "the BMCs are named before the command",
            Self::Interface => {
                "sessions are RMCP+, ipmitool's lanplus, unless --v15 md5 says otherwise, its lan"
            }
            Self::Password => {
                "the password comes from --password-file FILE (mode 0600), from REDDRUM_IPMI_PASSWORD, IPMI_PASSWORD or \
                 IPMITOOL_PASSWORD, or is asked for on a terminal; it is no argument, where everybody on this machine \
                 could read it"
            }
            Self::Key => {
                "the BMC key comes from IPMI_KGKEY, as text or as hexadecimal digits after 0x"
            }
            Self::Patience => "--timeout-ms MS and --attempts N say how long and how often",
            Self::Table => "--json prints what programs read",
            Self::Cache => {
                "sensor records are kept without being told to, in the folder of --sdr-cache FOLDER"
            }
            Self::Nothing => "what has no counterpart is left out",
        }
    }
}

/// Options of ours that may stand behind a word that is not told.
const OUTPUT: &str = "--json";

/// Whether a long option looks like one for the password itself, which nobody has.
fn takes_password(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or(word).to_ascii_lowercase();
    name.starts_with("--") && name.contains("pass") && !name.ends_with("-file")
}

/// A line in ipmitool's words as one in ours.
#[derive(Default)]
struct Line<'w> {
    host: Option<&'w str>,
    /// What is said alike, in its order.
    kept: Vec<&'w str>,
    /// Words of the command among them.
    command: Vec<&'w str>,
    /// Options of ipmitool's that are said otherwise, each once.
    used: Vec<&'static Letter>,
}

impl<'w> Line<'w> {
    fn read(words: &'w [String]) -> Self {
        let mut line = Self::default();
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            if takes_password(word) {
                line.note(&LETTERS[PASSWORD]);
                if !word.contains('=') {
                    words.next();
                }
                continue;
            }
            match word.strip_prefix('-') {
                Some(letters) if line.options(letters, &mut words) => {}
                Some(_) if !line.is_cut() || word == OUTPUT => line.kept.push(word),
                Some(_) => {}
                None => {
                    if !line.is_cut() {
                        line.kept.push(word);
                    }
                    line.command.push(word);
                }
            }
        }
        line
    }

    /// Takes a word of options without its hyphen; whether it is one.
    fn options(&mut self, letters: &'w str, words: &mut impl Iterator<Item = &'w str>) -> bool {
        let mut found = Vec::new();
        for (at, letter) in letters.char_indices() {
            // Behind the command these are numbers.
            let is_number = letter.is_ascii_digit() && !self.command.is_empty();
            let option = LETTERS.iter().find(|option| option.name.ends_with(letter));
            let Some(option) = option.filter(|_| !is_number) else {
                return false;
            };
            let behind = &letters[at + letter.len_utf8()..];
            found.push((option, behind));
            if option.has_value {
                break;
            }
        }
        let is_option = !found.is_empty();
        for (option, behind) in found {
            let value = match (option.has_value, behind) {
                (false, _) => None,
                (true, "") => words.next(),
                (true, behind) => Some(behind),
            };
            match option.what {
                What::Same => {
                    self.kept.push(option.name);
                    self.kept.extend(value);
                    continue;
                }
                // Where the name is missing it is told where it belongs.
                What::Host => self.host = Some(value.unwrap_or("HOSTS")),
                _ => {}
            }
            self.note(option);
        }
        is_option
    }

    fn note(&mut self, option: &'static Letter) {
        if !self.used.iter().any(|used| used.name == option.name) {
            self.used.push(option);
        }
    }

    /// Whether the next word of the command may be a password, a community string or a key.
    fn is_cut(&self) -> bool {
        (0..self.command.len()).any(|at| {
            let words = &self.command[at..];
            let is = |place: usize, names: &[&str]| {
                let word = words.get(place).copied().unwrap_or_default();
                names.iter().any(|name| word.eq_ignore_ascii_case(name))
            };
            if is(0, &["user"]) {
                return is(1, &["set"]) && is(2, &["password"]) && words.len() >= 4
                    || is(1, &["test"]) && words.len() >= 3;
            }
            if is(0, &["lan"]) && is(1, &["set"]) {
                return (2..words.len()).any(|place| is(place, &["password", "snmp"]));
            }
            // Set User Password (22.30) and Set Channel Security Keys (22.25), byte by byte.
            let number = |place: usize| words.get(place).and_then(|word| byte(word));
            is(0, &["raw"]) && number(1) == Some(0x06) && matches!(number(2), Some(0x47 | 0x56))
                || is(0, &["setkg"])
        })
    }
}

fn byte(word: &str) -> Option<u8> {
    match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(digits) => u8::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

/// What to say about the words behind `reddrum ipmi` where they are ipmitool's; `None` where they are not. Tells no password,
/// wherever ipmitool has it.
pub(crate) fn advice(words: &[String]) -> Option<String> {
    let Line {
        host,
        kept,
        command,
        used,
    } = Line::read(words);
    // It has a `-v` of its own.
    if used.is_empty() || command.first() == Some(&"decode") {
        return None;
    }
    let names: Vec<_> = used.iter().map(|one| one.name).collect();
    let mut told = Vec::new();
    for option in &used {
        let text = option.what.told();
        if !told.contains(&text) {
            told.push(text);
        }
    }
    let line: Vec<_> = host.into_iter().chain(kept).map(quoted).collect();
    Some(format!(
        "ipmitool's {}: here {}. Say: reddrum ipmi {}",
        names.join(", "),
        told.join("; "),
        line.join(" ")
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
    fn no_password_is_told_wherever_ipmitool_has_it() {
        for (line, said) in [
            ("-H h -vP s3cret power status", "h power status"),
            ("-H h -vPs3cret power status", "h power status"),
            ("-H h --password s3cret power status", "h power status"),
            ("-H h --password=s3cret power status", "h power status"),
            (
                "-H h -U a -P x user set password 2 s3cret 20",
                "h -U a user set password 2",
            ),
            (
                "user set password 2 s3cret -H h --json",
                "h user set password 2 --json",
            ),
            ("-H h user set password 2 -9s3cret", "h user set password 2"),
            ("-H h user test 2 16 s3cret", "h user test 2"),
            ("-H h lan set 1 password s3cret", "h lan set 1 password"),
            ("-H h LAN set 1 snmp s3cret", "h LAN set 1 snmp"),
            ("-H h channel setkg plain s3cret 1", "h channel setkg"),
            ("-H h raw 0x06 0x47 2 2 s3cret", "h raw 0x06 0x47"),
        ] {
            let told = told(line).unwrap();
            assert!(!told.contains("s3cret"), "{told}");
            assert!(
                told.ends_with(&format!("Say: reddrum ipmi {said}")),
                "{line}: {told}"
            );
        }
        let ours = "-H h user set password 2 --json";
        assert!(
            told(ours)
                .unwrap()
                .ends_with(ours.trim_start_matches("-H "))
        );
    }

    #[test]
    fn the_line_in_our_words_has_only_what_is_ours() {
        for (line, said) in [
            ("-I lanplus -H h -vvv -c sdr list", "h sdr list"),
            (
                "-H h -A MD5 -o intelplus -e ~ -l 0 -Y sel list",
                "h sel list",
            ),
            (
                "-4 -H h -LUSER -t 0x72 sel list",
                "h -L USER -t 0x72 sel list",
            ),
            (
                "-H h sensor thresh Fan lnr -6",
                "h sensor thresh Fan lnr -6",
            ),
        ] {
            let told = told(line).unwrap();
            assert!(
                told.ends_with(&format!("Say: reddrum ipmi {said}")),
                "{line}: {told}"
            );
        }
        // Each option and each remark once.
        let told = told("-v -P a -H h -v -E -k k3y power status").unwrap();
        let begin = "ipmitool's -v, -P, -H, -E, -k: here what has no counterpart is left out; the password comes";
        assert!(told.starts_with(begin), "{told}");
        assert_eq!(told.matches("the password comes").count(), 1, "{told}");
        assert!(told.contains("IPMI_KGKEY, as text or as hexadecimal digits after 0x"));
    }

    #[test]
    fn our_own_words_are_left_alone() {
        assert_eq!(told("decode -v --opn 0600"), None);
        assert_eq!(told("10.0.0.5 -U admin -p 623 power explode"), None);
        assert_eq!(told("--hosts-file rack -f secret sensor"), None);
    }
}
