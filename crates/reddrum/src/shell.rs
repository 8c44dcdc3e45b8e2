//! Commands that an operator may copy into a shell.

use std::borrow::Cow;

/// A word of such a command: as it is where a shell reads no more into it, or else in quotes.
pub(crate) fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into();
    }
    // Between these nothing is special but the quote itself.
    format!("'{}'", word.replace('\'', r"'\''")).into()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_reads_the_word_back() {
        let words = [
            "",
            "./fru-0-10.0.0.5_623.before",
            "[fd00::1]:623",
            "two words",
            "it's",
            "$HOME/*.bin;~",
            "a\nb",
            "\"\\`",
        ];
        for word in words {
            let script = format!("printf %s. {}", quoted(word));
            let run = Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(run.stdout).unwrap(), format!("{word}."));
        }
        assert_eq!(quoted(words[1]), words[1], "no quotes without need");
    }
}
