//! Passwords and keys: from a file that only its owner can read, or from the environment. Never from the command line.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::section::{Problems, Section};

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

/// Reads the secret that `{stem}_file` or `{stem}_env` of a section names. `None` where neither is there, or where
/// something is wrong with it (reported).
pub(crate) fn read(
    section: &Section<'_, '_>,
    problems: &mut Problems<'_>,
    base: &Path,
    stem: &str,
) -> Option<Secret> {
    let (file_key, env_key) = (format!("{stem}_file"), format!("{stem}_env"));
    let file = section.string(problems, &file_key);
    let variable = section.string(problems, &env_key);
    match (file, variable) {
        (Some(_), Some(_)) => {
            section.problem(
                problems,
                &env_key,
                format!("give {file_key} or {env_key}, not both"),
            );
            None
        }
        (Some(file), None) => match from_file(&base.join(file)) {
            Ok(secret) => Some(secret),
            Err(text) => {
                section.problem(problems, &file_key, text);
                None
            }
        },
        (None, Some(variable)) => match std::env::var(&variable) {
            Ok(text) if !text.is_empty() => Some(Secret::new(text)),
            _ => {
                let text = format!("the environment variable {variable} is not set or empty");
                section.problem(problems, &env_key, text);
                None
            }
        },
        (None, None) => None,
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
            path.display()
        )));
    }
    if metadata.len() > SECRET_LEN_MAX {
        return Err(say(&format_args!(
            "larger than {SECRET_LEN_MAX} bytes: not a secret"
        )));
    }
    let bytes = fs::read(path).map_err(|e| say(&e))?;
    let line = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Err(say(&"its first line is empty"));
    }
    Ok(Secret::new(line))
}
