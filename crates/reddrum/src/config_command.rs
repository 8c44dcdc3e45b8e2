//! `reddrum config`: explain the keys of the configuration file, or check a file.

use std::io::{self, Write};
use std::path::Path;

use crate::config::{Config, SECTIONS};
use crate::error::ProgramError;
use crate::serve;

/// Prints every section and key with its meaning and default.
pub(crate) fn keys(out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "# Configuration of `reddrum serve` (TOML). Paths are relative to the file's folder."
    )?;
    for section in SECTIONS {
        writeln!(out, "\n{}    # {}", section.heading, section.meaning)?;
        for key in section.keys {
            let default = match key.default {
                "" => String::new(),
                default => format!(" Default: {default}."),
            };
            writeln!(
                out,
                "  {:<20} {:<18} {}.{default}",
                key.name, key.kind, key.meaning
            )?;
        }
    }
    Ok(())
}

/// Checks a file as `serve` does, short of the network, and says what it would serve.
pub(crate) fn check(file: &Path, out: &mut impl Write) -> Result<io::Result<()>, ProgramError> {
    let config = Config::load(file)?;
    serve::logins(&config)?;
    serve::accounts(&config.accounts)?;
    serve::privileges(config.service.privilege_registry.as_deref())?;
    let targets = counted(config.targets.len(), "target");
    let accounts = counted(config.accounts.len(), "account");
    Ok(writeln!(
        out,
        "{}: good: {targets}, {accounts}",
        file.display()
    ))
}

fn counted(count: usize, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_explained() {
        let mut out = Vec::new();
        keys(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        for section in SECTIONS {
            assert!(text.contains(section.heading));
            for key in section.keys {
                assert!(text.contains(&format!("  {} ", key.name)), "{}", key.name);
            }
        }
    }
}
