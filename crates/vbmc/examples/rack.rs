//! Serves a rack of virtual BMCs on loopback, to be tried with any IPMI tool.
//!
//! ```text
//! cargo run -p vbmc --example rack -- [--nodes N] [--port P] [--seed S] [--suites 17,3] [--v15 2,4] [--form atca]
//! ipmitool -I lanplus -C 17 -H 127.16.0.1 -p 6230 -U admin -P PASSWORD sdr elist
//! ```
//!
//! `--form` builds all nodes differently: server, atca (answers PICMG) or vpx (answers VITA 46.11). `--v15` names authentication types of IPMI 1.5 sessions: 0 none, 1 MD2, 2 MD5, 4 straight password.
//!
//! The password is drawn anew at each start and printed.

use std::error::Error;
use std::sync::Arc;

use ipmi::bmc::{Config, User, V15};
use ipmi::command::app::Guid;
use ipmi::number::{AuthType, CipherSuiteId, PrivilegeLevel};
use ipmi::time::Instant;
use vbmc::bmcs::Bmcs;
use vbmc::machine::Form;
use vbmc::serve::{Clock, PORT_DEFAULT, Server};
use vbmc::site::{Site, SiteOptions};

#[expect(clippy::print_stdout, reason = "it is a program for the terminal")]
fn main() -> Result<(), Box<dyn Error>> {
    let clock = Clock::start();
    let mut options = SiteOptions {
        nodes: 96,
        seed: 1,
        epoch_s: clock.epoch_s(),
    };
    let mut port = PORT_DEFAULT;
    let (mut suites, mut v15) = (None, None);
    let mut form = Form::Server;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let value = arguments
            .next()
            .ok_or_else(|| format!("{argument} needs a value"))?;
        match argument.as_str() {
            "--nodes" => options.nodes = value.parse()?,
            "--seed" => options.seed = value.parse()?,
            "--port" => port = value.parse()?,
            "--suites" => suites = Some(numbers(&value)?),
            "--v15" => v15 = Some(numbers(&value)?),
            "--form" => {
                form =
                    form_of(&value).ok_or_else(|| format!("{value} is not server, atca or vpx"))?;
            }
            _ => {
                return Err(format!(
                    "{argument} is not --form, --nodes, --port, --seed, --suites or --v15"
                )
                .into());
            }
        }
    }
    let mut random = [0; 8];
    udp::RandomBytes::new()?.fill(&mut random);
    let password = format!("{:016x}", u64::from_le_bytes(random));
    let admin = User::new("admin", password.as_bytes(), PrivilegeLevel::ADMINISTRATOR)?;
    let watcher = User::new("watcher", password.as_bytes(), PrivilegeLevel::USER)?;
    // User 1 has no name by convention (§6.9); tools expect it so.
    let mut null = User::new("", b"", PrivilegeLevel::CALLBACK)?;
    null.enabled = false;
    let mut config = Config::new(vec![null, admin, watcher], Guid::default());
    if let Some(suites) = suites {
        config.suites = suites.into_iter().map(CipherSuiteId).collect();
    }
    config.v15 = v15.map(|types| V15 {
        auth_types: types.into_iter().map(AuthType).collect(),
        ..V15::default()
    });
    let site = Arc::new(Site::new(options)?);
    for index in 0..site.nodes() {
        site.machine(index, Instant::ORIGIN).set_form(form);
    }
    let server = Server::start(Arc::new(Bmcs::new(Arc::clone(&site), &config)), clock, port)?;
    let last = site.address(site.nodes() - 1);
    println!("{} nodes at {} to {last}", site.nodes(), site.address(0));
    println!(
        "{} controllers from {}",
        site.len() - site.nodes(),
        site.address(site.nodes())
    );
    println!(
        "port {}, users admin and watcher, password {password}",
        server.port()
    );
    println!("Enter ends it.");
    std::io::stdin().read_line(&mut String::new())?;
    println!("{:?}", server.bmcs().counters());
    server.stop()?;
    Ok(())
}

/// Numbers separated by commas.
fn numbers(list: &str) -> Result<Vec<u8>, std::num::ParseIntError> {
    list.split(',').map(str::parse).collect()
}

/// How nodes are built, by its name here.
fn form_of(name: &str) -> Option<Form> {
    match name {
        "server" => Some(Form::Server),
        "atca" => Some(Form::AdvancedTca),
        "vpx" => Some(Form::Vpx),
        _ => None,
    }
}
