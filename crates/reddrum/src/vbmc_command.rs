//! `reddrum vbmc`: virtual machines that answer IPMI, in a process of their own; and how the demo starts its machines.

use std::io::{self, Write};
use std::sync::Arc;

use ipmi::bmc;
use ipmi::command::app::Guid;
use ipmi::crypto::v15::V15_PASSWORD_MAX;
use ipmi::number::{CipherSuiteId, PrivilegeLevel};
use ipmi::time::Instant;
use serde::Serialize;
use vbmc::bmcs::Bmcs;
use vbmc::controller::{APPLICATION, BOOT, upgrade_image};
use vbmc::fault::Faults;
use vbmc::serve::{Clock, Server};
use vbmc::site::{Site, SiteOptions};

use crate::announce::Bmc;
use crate::args::{
    FirmwareArgs, FirmwareComponent, MachinesArgs, NetworkArgs, V15Auth, VbmcArgs, VbmcCommand,
};
use crate::config::{Secret, secret};
use crate::defect;
use crate::error::ProgramError;
use crate::fault;
use crate::password;
use crate::web::asked_to_end;

/// Characters of a generated password: 80 random bits, and short enough for IPMI's 20 bytes.
pub(crate) const PASSWORD_LEN: usize = 16;

/// Who may log in to virtual machines.
#[derive(Debug)]
pub(crate) struct User<'a> {
    /// Name, at most 16 bytes.
    pub(crate) name: &'a str,
    /// Password, at most 20 bytes.
    pub(crate) password: &'a Secret,
}

/// What consoles may log in by, as far as it isn't the default.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Offers<'a> {
    /// Cipher suites; none stands for the default ones.
    pub(crate) suites: &'a [u8],
    /// Ways to authenticate sessions of IPMI 1.5; none for no such sessions.
    pub(crate) v15: &'a [V15Auth],
}

/// Serves virtual BMCs until asked to end, or does what else is asked.
pub(crate) async fn run(args: &VbmcArgs) -> Result<(), ProgramError> {
    if let Some(VbmcCommand::Firmware(args)) = &args.command {
        return write_firmware(args);
    }
    if args.list_defects {
        return crate::ipmi::list_quirks(args.json);
    }
    let password = match &args.password_file {
        Some(file) => secret::from_file(file).map_err(ProgramError::Usage)?,
        None => password::generate(PASSWORD_LEN)
            .map_err(|e| ProgramError::system("random numbers", e))?,
    };
    let user = User {
        name: &args.username,
        password: &password,
    };
    let clock = Clock::start();
    let offers = Offers {
        suites: &args.suites,
        v15: &args.v15,
    };
    let server = start(&args.machines, clock, &user, offers)?;
    if let Some(port) = args.told_port {
        server.bmcs().set_port(port);
    }
    let faults = fault::plan(&args.machines.faults, server.bmcs())?;
    defect::apply(&args.defects, server.bmcs())?;
    spoil_network(&args.network, args.machines.seed, server.bmcs());
    let mut served = Served::of(&server, &user);
    if args.password_file.is_some() {
        served.hide_passwords();
    }
    served
        .print(args.json)
        .map_err(|e| ProgramError::system("standard output", e))?;
    fault::begin(faults, server.bmcs(), clock);
    let ended = asked_to_end().await;
    let too_soon = server.bmcs().counters().too_soon;
    if too_soon > 0 {
        tracing::warn!(
            "needs-gap: {too_soon} datagrams came too soon after an answer and were dropped"
        );
    }
    server
        .stop()
        .map_err(|e| ProgramError::system("the virtual BMCs", e))?;
    ended.map_err(|e| ProgramError::system("waiting for a signal", e))
}

/// Writes an upgrade image for virtual nodes.
fn write_firmware(args: &FirmwareArgs) -> Result<(), ProgramError> {
    let component = match args.component {
        FirmwareComponent::Bmc => APPLICATION,
        FirmwareComponent::Boot => BOOT,
    };
    let image = upgrade_image(component, args.version, args.size_kib as usize * 1024);
    let file = args.output.display();
    std::fs::write(&args.output, image).map_err(|e| ProgramError::system(&file.to_string(), e))
}

/// Starts the machines; each answers as soon as this returns.
pub(crate) fn start(
    args: &MachinesArgs,
    clock: Clock,
    user: &User<'_>,
    offers: Offers<'_>,
) -> Result<Server, ProgramError> {
    let options = SiteOptions {
        nodes: args.nodes,
        seed: args.seed,
        epoch_s: clock.epoch_s(),
    };
    let site = Site::new(options).map_err(|e| ProgramError::Usage(e.to_string()))?;
    for index in 0..site.nodes() {
        let mut machine = site.machine(index, Instant::ORIGIN);
        machine.set_form(args.form);
        machine.set_oem_family(args.oem);
    }
    let mut access = bmc::Config::new(users(user)?, Guid::default());
    if !offers.suites.is_empty() {
        access.suites = offers.suites.iter().map(|id| CipherSuiteId(*id)).collect();
    }
    access.v15 = v15(offers.v15, user)?;
    let bmcs = Arc::new(Bmcs::new(Arc::new(site), &access));
    Server::start(bmcs, clock, args.ipmi_port).map_err(|error| {
        let port = args.ipmi_port;
        ProgramError::system(
            &format!("UDP port {port} (choose another with --ipmi-port)"),
            error,
        )
    })
}

/// What BMCs take of IPMI 1.5; `None` for nothing.
fn v15(auth: &[V15Auth], user: &User<'_>) -> Result<Option<bmc::V15>, ProgramError> {
    if auth.is_empty() {
        return Ok(None);
    }
    if user.password.expose().len() > V15_PASSWORD_MAX {
        let text = format!(
            "--v15: the password is longer than the {V15_PASSWORD_MAX} bytes that IPMI 1.5 has"
        );
        return Err(ProgramError::Usage(text));
    }
    Ok(Some(bmc::V15 {
        auth_types: auth.iter().copied().map(Into::into).collect(),
        ..bmc::V15::default()
    }))
}

/// User 1 has no name by convention (IPMI 2.0 §6.9), and is disabled.
fn users(user: &User<'_>) -> Result<Vec<bmc::User>, ProgramError> {
    let unusable = |e: bmc::UserError| ProgramError::Usage(e.to_string());
    let mut nobody = bmc::User::new("", b"", PrivilegeLevel::CALLBACK).map_err(unusable)?;
    nobody.enabled = false;
    let admin = bmc::User::new(
        user.name,
        user.password.expose(),
        PrivilegeLevel::ADMINISTRATOR,
    )
    .map_err(unusable)?;
    Ok(vec![nobody, admin])
}

/// Makes the network of every BMC as bad as asked for.
fn spoil_network(args: &NetworkArgs, seed: u64, bmcs: &Bmcs) {
    let faults = Faults {
        drop_request_permille: permille(args.loss),
        drop_reply_permille: permille(args.loss),
        duplicate_permille: permille(args.duplicate),
        reorder_permille: permille(args.reorder),
        corrupt_permille: permille(args.corrupt),
        delay_ms: args.delay_ms,
        ..Faults::default()
    };
    if faults == Faults::default() {
        return;
    }
    for index in 0..bmcs.site().len() {
        // Different datagrams are hit at each.
        let seed = seed.rotate_left(32) ^ u64::from(index);
        bmcs.set_faults(index, Some(Faults { seed, ..faults }));
    }
}

/// Per cent, of which the command line takes 0 to 100, in thousandths.
fn permille(percent: f32) -> u16 {
    (percent * 10.0).round() as u16
}

/// Where the machines are and how to log in.
#[derive(Debug, Serialize)]
pub(crate) struct Served {
    /// The nodes' BMCs, in the order of the nodes.
    pub(crate) bmcs: Vec<Bmc>,
    /// The BMCs of the enclosures: blocks and power bays.
    pub(crate) controllers: Vec<Bmc>,
}

impl Served {
    /// What a server serves.
    pub(crate) fn of(server: &Server, user: &User<'_>) -> Self {
        let site = server.bmcs().site();
        let password = String::from_utf8_lossy(user.password.expose()).into_owned();
        let bmc = |index: u32| {
            Some(Bmc {
                name: site.slot(index)?.name(),
                address: site.address(index).to_string(),
                port: server.port(),
                username: user.name.to_owned(),
                password: Some(password.clone()),
            })
        };
        Self {
            bmcs: (0..site.nodes()).filter_map(bmc).collect(),
            controllers: (site.nodes()..site.len()).filter_map(bmc).collect(),
        }
    }

    /// Leaves passwords out: who has named one knows it, and wants it in no log.
    fn hide_passwords(&mut self) {
        for bmc in self.bmcs.iter_mut().chain(&mut self.controllers) {
            bmc.password = None;
        }
    }

    fn print(&self, json: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if json {
            serde_json::to_writer(&mut out, self)?;
            writeln!(out)?;
        } else {
            self.write_text(&mut out)?;
        }
        out.flush()
    }

    fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        for (what, bmcs) in [("node", &self.bmcs), ("enclosure", &self.controllers)] {
            if let [first, ..] = bmcs.as_slice()
                && let Some(last) = bmcs.last()
            {
                writeln!(
                    out,
                    "{} {what} BMCs answer IPMI at {}..{} port {}",
                    bmcs.len(),
                    first.address,
                    last.address,
                    first.port
                )?;
            }
        }
        let Some(first) = self.bmcs.first() else {
            return Ok(());
        };
        let (address, port, username) = (&first.address, first.port, &first.username);
        let ours = format!("reddrum ipmi {address}:{port} -U {username}");
        match &first.password {
            Some(password) => {
                writeln!(out, "  log in as {username} password {password}")?;
                writeln!(out, "\nTry:\n  IPMI_PASSWORD={password} {ours} sensor")
            }
            None => {
                writeln!(out, "  log in as {username} with the password of the file")?;
                writeln!(out, "\nTry:\n  {ours} --password-file FILE sensor")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use vbmc::controller::OemFamily;
    use vbmc::machine::Form;

    use super::*;

    fn machines(nodes: u32) -> MachinesArgs {
        MachinesArgs {
            nodes,
            ipmi_port: 0,
            form: Form::Server,
            oem: OemFamily::None,
            seed: 7,
            faults: Vec::new(),
        }
    }

    fn started(nodes: u32) -> (Server, Served) {
        let password = Secret::new(*b"secret");
        let user = User {
            name: "admin",
            password: &password,
        };
        let server = start(&machines(nodes), Clock::start(), &user, Offers::default()).unwrap();
        let served = Served::of(&server, &user);
        (server, served)
    }

    #[test]
    fn every_machine_is_named_with_its_address_once() {
        let (server, served) = started(30);
        assert_eq!(served.bmcs.len(), 30);
        let all = served.bmcs.iter().chain(&served.controllers);
        for (index, bmc) in (0..).zip(all) {
            let address: Ipv4Addr = bmc.address.parse().unwrap();
            assert_eq!(server.bmcs().site().index_at(address), Some(index));
            assert_eq!(bmc.port, server.port());
        }
        let json = serde_json::to_value(&served).unwrap();
        assert_eq!(json["bmcs"][0]["username"], "admin");
        assert_eq!(json["bmcs"][29]["password"], "secret");
        let mut text = Vec::new();
        served.write_text(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.starts_with("30 node BMCs answer IPMI at 127.16.0.1..127.16.0.30"),
            "{text}"
        );
    }

    #[test]
    fn a_password_that_the_operator_named_is_printed_nowhere() {
        let (_server, mut served) = started(2);
        served.hide_passwords();
        let mut text = Vec::new();
        served.write_text(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(
            !text.contains("secret") && text.contains("--password-file"),
            "{text}"
        );
        let json = serde_json::to_string(&served).unwrap();
        assert!(!json.contains("secret") && json.contains("admin"), "{json}");
    }

    #[test]
    fn a_user_that_no_bmc_can_have_is_refused() {
        let password = Secret::new(vec![b'x'; 21]);
        let user = User {
            name: "admin",
            password: &password,
        };
        let refused = start(&machines(1), Clock::start(), &user, Offers::default());
        assert!(matches!(refused, Err(ProgramError::Usage(_))));
    }

    #[test]
    fn shares_of_datagrams_are_taken_in_tenths_of_a_per_cent() {
        assert_eq!([0.0, 0.1, 10.0, 100.0].map(permille), [0, 1, 100, 1_000]);
    }
}
