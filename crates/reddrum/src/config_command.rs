//! `reddrum config`: explain the keys of the configuration file, or check a file.

use std::io::{self, Write};
use std::path::Path;

use crate::config::{Config, InventoryConfig, SECTIONS, ScanConfig, Source};
use crate::error::ProgramError;
use crate::inventory::{self, Files, Gathered};
use crate::serve;
use crate::web::WebError;

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

/// Checks a file and its lists as `serve` does, short of the network, and says what it would serve. Servers with lists aren't
/// asked, and nobody is scanned.
pub(crate) async fn check(
    file: &Path,
    out: &mut impl Write,
) -> Result<io::Result<()>, ProgramError> {
    let mut config = Config::load(file)?;
    serve::logins(&config.credentials)?;
    serve::accounts(&config.accounts)?;
    serve::privileges(config.service.privilege_registry.as_deref())?;
    let inventories = std::mem::take(&mut config.inventories);
    let is_file = |of_list: &InventoryConfig| matches!(of_list.source, Source::File(_));
    let (files, servers): (Vec<_>, Vec<_>) = inventories.into_iter().partition(is_file);
    let gathered = inventory::gather(&config, files, &[], None, &Files::default()).await;
    let gathered =
        gathered.map_err(|text| ProgramError::Usage(format!("{}: {text}", file.display())))?;
    if !gathered.mistakes.is_empty() {
        let texts: Vec<&str> = gathered.mistakes.iter().map(|m| &*m.text).collect();
        return Err(ProgramError::Usage(texts.join("\n")));
    }
    if nobody_could_log_in(&config) {
        return Err(WebError::NoAccount.into());
    }
    let targets = counted(config.targets.len(), "target");
    let lists = lists(&gathered, config.targets.len(), servers.len());
    let scans = scans(&config.scans);
    let accounts = counted(config.accounts.len(), "account");
    Ok(writeln!(
        out,
        "{}: good: {targets}, {lists}{scans}{accounts}",
        file.display()
    ))
}

/// Whether neither the configuration nor its state has an account, as far as that can be known without changing anything.
fn nobody_could_log_in(config: &Config) -> bool {
    let state = config.service.state_dir.as_deref();
    let state = state.map(|folder| folder.join(serve::STATE_FILE));
    config.accounts.is_empty()
        && state.is_none_or(|file| {
            matches!(file.try_exists(), Ok(false)) || redfish::is_known_without_accounts(&file)
        })
}

/// What is said of scans, where there are any. Nobody is asked.
fn scans(scans: &[ScanConfig]) -> String {
    if scans.is_empty() {
        return String::new();
    }
    let addresses = scans.iter().map(|scan| scan.candidates.len()).sum();
    let (scans, addresses) = (counted(scans.len(), "scan"), addressed(addresses));
    format!("{scans} of {addresses} not made, ")
}

fn addressed(count: usize) -> String {
    let ending = if count == 1 { "" } else { "es" };
    format!("{count} address{ending}")
}

/// What is said of lists, where there are any.
fn lists(gathered: &Gathered, of_file: usize, servers: usize) -> String {
    let (lists, machines) = (gathered.lists.len(), gathered.named.targets.len() - of_file);
    let mut text = String::new();
    if lists > 0 {
        let (lists, machines) = (counted(lists, "list"), counted(machines, "machine"));
        text += &format!("{lists} with {machines}, ");
    }
    if servers > 0 {
        text += &format!("{} not asked for a list, ", counted(servers, "server"));
    }
    text
}

fn counted(count: usize, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_configuration_is_not_good_where_nobody_could_log_in() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("reddrum.toml");
        let account = "[[account]]\nusername = \"a\"\nrole = \"Administrator\"\n\
                       password_command = [\"echo\", \"correct horse\"]\n";
        for (text, is_good) in [
            ("[service]\n", false),
            ("[service]\nstate_dir = \"none\"\n", false),
            (account, true),
        ] {
            std::fs::write(&file, text).unwrap();
            let checked = check(&file, &mut Vec::new()).await;
            assert_eq!(checked.is_ok(), is_good, "{text}: {checked:?}");
            if let Err(error) = checked {
                assert!(error.to_string().contains("[[account]]"), "{error}");
            }
        }
        let none = folder.path().join("none");
        assert!(!none.exists(), "a check makes nothing");
    }

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
