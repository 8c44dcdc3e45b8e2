//! Passwords and keys: from a file that only its owner can read, from the environment, from a program, or from a vault.
//! Never from the command line.

use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::section::{Problems, Section};
use super::vault::Vault;
use crate::shell::quoted;

/// A secret; never prints.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Vec<u8>);

impl Secret {
    /// Wraps bytes.
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes, for the one who needs them.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

/// The longest secret file that is read, in bytes.
const SECRET_LEN_MAX: u64 = 4096;

/// How long a command may take to say a secret.
const COMMAND_MAX: Duration = Duration::from_secs(15);

/// How often it is looked whether it has.
const COMMAND_LOOK: Duration = Duration::from_millis(10);

/// Where secrets come from, besides the environment.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    /// Where relative paths start, and programs are run.
    pub(super) base: &'a Path,
    /// The vault, where there is one.
    pub(super) vault: Option<Vault>,
}

/// Reads the secret that `{stem}_file`, `{stem}_env`, `{stem}_command` or `{stem}_vault` of a section names. `None` where
/// none is there, or where something is wrong with it (reported).
pub(crate) fn read(
    section: &Section<'_, '_>,
    problems: &mut Problems<'_>,
    sources: &Sources<'_>,
    stem: &str,
) -> Option<Secret> {
    let [file_key, env_key, command_key, vault_key] =
        ["file", "env", "command", "vault"].map(|from| format!("{stem}_{from}"));
    let file = section.string(problems, &file_key);
    let variable = section.string(problems, &env_key);
    let command = section.strings(problems, &command_key);
    let in_vault = section.string(problems, &vault_key);
    let given = [
        (&file_key, file.is_some()),
        (&env_key, variable.is_some()),
        (&command_key, !command.is_empty()),
        (&vault_key, in_vault.is_some()),
    ];
    let mut given = given.iter().filter(|(_, is_given)| *is_given);
    let (key, _) = given.next()?;
    if let Some((second, _)) = given.next() {
        section.problem(
            problems,
            second,
            format!("give {key} or {second}, not both"),
        );
        return None;
    }
    let found = if let Some(file) = file {
        from_file(&sources.base.join(file))
    } else if let Some(variable) = variable {
        from_environment(&variable)
    } else if let Some(name) = in_vault {
        let vault = sources.vault.as_ref();
        vault.map_or_else(
            || Err("there is no [vault], or something is wrong with it".to_owned()),
            |vault| vault.secret(&name, stem),
        )
    } else {
        from_command(&command, sources.base)
    };
    found
        .map_err(|text| section.problem(problems, key, text))
        .ok()
}

fn from_environment(variable: &str) -> Result<Secret, String> {
    match std::env::var(variable) {
        Ok(text) if !text.is_empty() => Ok(Secret::new(text)),
        _ => Err(format!(
            "the environment variable {variable} is not set or empty"
        )),
    }
}

/// Reads the first line of a file that nobody but its owner may read.
///
/// # Errors
/// Says what is wrong with the file, and how to mend it.
pub(crate) fn from_file(path: &Path) -> Result<Secret, String> {
    let say = |what: &dyn fmt::Display| format!("{}: {what}", path.display());
    let metadata = fs::metadata(path).map_err(|e| say(&e))?;
    if metadata.mode() & 0o077 != 0 {
        let mode = metadata.mode() & 0o777;
        return Err(say(&format_args!(
            "others can read it (mode {mode:04o}); run: chmod 600 {}",
            quoted(&path.to_string_lossy())
        )));
    }
    if metadata.len() > SECRET_LEN_MAX {
        return Err(say(&format_args!(
            "larger than {SECRET_LEN_MAX} bytes: not a secret"
        )));
    }
    let bytes = Secret::new(fs::read(path).map_err(|e| say(&e))?);
    first_line(&bytes).ok_or_else(|| say(&"its first line is empty"))
}

/// The first line, where there is something in it.
fn first_line(text: &Secret) -> Option<Secret> {
    let line = text.expose().split(|&b| b == b'\n').next()?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    (!line.is_empty()).then(|| Secret::new(line))
}

/// Reads the first line that a program says: the way to vaults and password managers. It gets no input, and no shell is
/// between.
fn from_command(command: &[String], base: &Path) -> Result<Secret, String> {
    let [program, arguments @ ..] = command else {
        return Err("expected a program and its arguments".to_owned());
    };
    let say = |what: &dyn fmt::Display| format!("{program}: {what}");
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(if base.as_os_str().is_empty() {
            Path::new(".")
        } else {
            base
        })
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| say(&e))?;
    let begun = Instant::now();
    // A secret fits into the pipe: the program need not be read from before it has ended.
    let status = loop {
        match child.try_wait().map_err(|e| say(&e))? {
            Some(status) => break status,
            None if begun.elapsed() > COMMAND_MAX => {
                let _ = child.kill();
                let _ = child.wait();
                let seconds = COMMAND_MAX.as_secs();
                return Err(say(&format_args!("it has not ended within {seconds} s")));
            }
            None => std::thread::sleep(COMMAND_LOOK),
        }
    };
    if !status.success() {
        return Err(say(&format_args!("it failed ({status})")));
    }
    // No further than its first line: what the program has left running may keep the pipe open.
    let mut said = Secret::new(Vec::with_capacity(SECRET_LEN_MAX as usize));
    if let Some(output) = child.stdout.take() {
        let mut output = BufReader::with_capacity(1, output.take(SECRET_LEN_MAX));
        let read = output.read_until(b'\n', &mut said.0);
        read.map_err(|e| say(&e))?;
    }
    first_line(&said).ok_or_else(|| say(&"it said nothing in its first line"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(command: &[&str]) -> Result<Secret, String> {
        let command: Vec<_> = command.iter().map(ToString::to_string).collect();
        from_command(&command, Path::new("."))
    }

    #[test]
    fn a_command_says_the_secret_in_its_first_line() {
        let secret = run(&["printf", "%s\\n%s\\n", "hush", "not this"]).unwrap();
        assert_eq!(secret.expose(), b"hush");
    }

    #[test]
    fn a_command_that_leaves_something_running_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("running");
        fs::write(&file, "").unwrap();
        // What goes on has the pipe open for as long as the file is there.
        let script = format!(
            "echo hush; while [ -e '{}' ]; do sleep 0.1; done &",
            file.display()
        );
        let secret = run(&["sh", "-c", &script]);
        assert_eq!(secret.unwrap().expose(), b"hush");
    }

    #[test]
    fn a_command_that_fails_is_missing_or_silent_is_told_without_what_it_said() {
        let failed = run(&["sh", "-c", "echo hush; exit 3"]).unwrap_err();
        assert!(
            failed.contains("exit status: 3") && !failed.contains("hush"),
            "{failed}"
        );
        assert!(
            run(&["/nowhere/at-all"])
                .unwrap_err()
                .contains("No such file")
        );
        assert!(run(&["true"]).unwrap_err().contains("said nothing"));
    }
}
