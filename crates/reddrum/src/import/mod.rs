//! `reddrum import`: what another service kept becomes our configuration and state.
//!
//! [`files`] finds and reads RedDrum's files, [`conf`], [`accounts`] and [`events`] say what becomes of each, [`report`]
//! tells the operator. Nothing is written before everything was read; nothing that exists is overwritten unasked.

mod accounts;
mod conf;
mod events;
mod files;
mod report;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use redfish::{Import, Store};

use crate::args::ImportArgs;
use crate::certificate::{private_folder, write_new};
use crate::config::{SESSION_TIMEOUT_DEFAULT_S, SESSION_TIMEOUT_LIMITS_S};
use crate::error::ProgramError;
use crate::serve::{STATE_FILE, UUID_FILE};
use files::{File, Files};
use report::Report;

/// What RedDrum's files become.
struct Found {
    import: Import,
    session_timeout_s: u32,
    uuid: Option<String>,
    report: Report,
}

/// Takes over what RedDrum keeps in a folder. The configuration goes to `out` if it goes to no file, the report to `log`.
pub(crate) fn run(
    args: &ImportArgs,
    out: &mut impl Write,
    log: &mut impl Write,
) -> Result<io::Result<()>, ProgramError> {
    let files = Files::find(&args.dir, args.conf.as_deref())?;
    let mut found = read(&files)?;
    if args.check {
        return Ok(write!(out, "{}", found.report));
    }
    let Some(state_dir) = &args.state_dir else {
        let text = "--state-dir says where accounts go; --check only says what would be taken over";
        return Err(ProgramError::Usage(text.to_owned()));
    };
    if let Some(output) = args.output.as_deref().filter(|_| !args.force)
        && output.exists()
    {
        let text = format!("{} exists; --force replaces it", output.display());
        return Err(ProgramError::Usage(text));
    }
    write_state(&mut found, state_dir)?;
    let config = config(&found, &absolute(state_dir)?);
    let written = match &args.output {
        Some(output) => {
            write_new(output, 0o644, config.as_bytes())
                .map_err(|e| ProgramError::system(&output.display().to_string(), e))?;
            Ok(())
        }
        None => out.write_all(config.as_bytes()),
    };
    Ok(written.and_then(|()| write!(log, "{}", found.report)))
}

fn read(files: &Files) -> Result<Found, ProgramError> {
    let mut found = Found {
        import: Import::default(),
        session_timeout_s: SESSION_TIMEOUT_DEFAULT_S,
        uuid: None,
        report: Report::default(),
    };
    for file in File::ALL {
        if !files.has(file) {
            found.report.absent(file.name());
        }
    }
    if let Some(text) = files.read(File::Conf)? {
        conf::read(&text, &mut found.report);
    }
    let owner = accounts::read(files, &mut found.import, &mut found.report)?;
    events::read(
        files,
        owner.as_deref(),
        &mut found.import,
        &mut found.report,
    )?;
    read_session_service(files, &mut found)?;
    read_uuid(files, &mut found)?;
    Ok(found)
}

fn read_session_service(files: &Files, found: &mut Found) -> Result<(), ProgramError> {
    let Some(service) = files.object(File::SessionService)? else {
        return Ok(());
    };
    let Some(value) = service.get("SessionTimeout") else {
        return Ok(());
    };
    let timeout = value.as_u64().and_then(|s| u32::try_from(s).ok());
    match timeout.filter(|s| SESSION_TIMEOUT_LIMITS_S.contains(s)) {
        Some(timeout) => {
            found.session_timeout_s = timeout;
            let text = format!("sessions end after {timeout} s without a request");
            found.report.taken("SessionTimeout", &text);
        }
        None => {
            let text = format!("{value} is not between 30 and 86400 seconds");
            found.report.left("SessionTimeout", &text);
        }
    }
    Ok(())
}

/// Clients know a service by its UUID.
fn read_uuid(files: &Files, found: &mut Found) -> Result<(), ProgramError> {
    let Some(root) = files.object(File::Uuid)? else {
        return Ok(());
    };
    let uuid = root.get("UUID").and_then(|uuid| uuid.as_str());
    match uuid.filter(|uuid| redfish::is_uuid(uuid)) {
        Some(uuid) => {
            found.uuid = Some(uuid.to_owned());
            found.report.taken("UUID", uuid);
        }
        None => found
            .report
            .left("UUID", "it is none; a new one is made at the first start"),
    }
    Ok(())
}

fn write_state(found: &mut Found, folder: &Path) -> Result<(), ProgramError> {
    let path = folder.join(STATE_FILE);
    let failed = |e: &dyn std::fmt::Display| ProgramError::system(&path.display().to_string(), e);
    private_folder(folder).map_err(|e| failed(&e))?;
    let store = Store::open(&path).map_err(|e| failed(&e))?;
    found
        .import
        .write(&store)
        .map_err(|e| ProgramError::Usage(format!("{}: {e}", path.display())))?;
    let Some(uuid) = &found.uuid else {
        return Ok(());
    };
    let path = folder.join(UUID_FILE);
    if path.exists() {
        found
            .report
            .look_at("UUID", "the state folder has one already, which stays");
        return Ok(());
    }
    write_new(&path, 0o600, uuid.as_bytes())
        .map_err(|e| ProgramError::system(&path.display().to_string(), e))
}

fn absolute(folder: &Path) -> Result<PathBuf, ProgramError> {
    fs::canonicalize(folder).map_err(|e| ProgramError::system(&folder.display().to_string(), e))
}

/// The configuration. What RedDrum knew of machines came from its backend; the operator adds the BMCs.
fn config(found: &Found, state_dir: &Path) -> String {
    let state_dir = toml::Value::String(state_dir.display().to_string());
    format!(
        "# Made by `reddrum import reddrum`. `reddrum config keys` explains every key.\n\
         \n\
         [service]\n\
         listen = \"127.0.0.1:8443\"\n\
         state_dir = {state_dir}    # has the accounts, roles and subscriptions\n\
         session_timeout_s = {}\n\
         # A web server in front that asked RedDrum at 127.0.0.1:5001 asks this service there with:\n\
         # listen_proxy = \"127.0.0.1:5001\"\n\
         # trusted_proxies = [\"127.0.0.1\"]\n\
         \n\
         # How to log in to BMCs, and which there are:\n\
         # [credentials.default]\n\
         # username = \"admin\"\n\
         # password_file = \"bmc.password\"\n\
         #\n\
         # [[target]]\n\
         # hosts = \"bmc[001-096].example.org\"\n\
         # names = \"node[001-096]\"\n",
        found.session_timeout_s
    )
}

#[cfg(test)]
mod tests;
