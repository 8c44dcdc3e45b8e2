//! What a validator looks at: a demo, or the service in front of OpenIPMI's simulator.

use std::net::{IpAddr, TcpListener, UdpSocket};
use std::time::Duration;

use super::front_door::FrontDoor;
use crate::Result;
use crate::peers::ipmi_sim::{self, IpmiSim};
use crate::peers::program::{self, Program, eventually};
use crate::peers::redfish::Client;
use crate::peers::report::Report;
use crate::peers::sim_checks::{self, PASSWORD, USERNAME};
use crate::workspace::Workspace;

/// How long the first complete reading of all nodes may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The suite that ipmi_sim has.
const SUITE: u8 = 3;

/// A running service whose every machine has been read once.
pub(super) struct Subject {
    /// Names its files.
    pub(super) name: &'static str,
    /// Where validators find it.
    pub(super) url: String,
    pub(super) program: Program,
    /// Whether plain HTTP at the same port redirects.
    pub(super) redirects: bool,
    /// Whether it announces itself where a validator searches.
    pub(super) is_announced: bool,
    _sim: Option<IpmiSim>,
    _door: Option<FrontDoor>,
}

impl Subject {
    /// A demo with that many nodes, as it is without any configuration.
    ///
    /// # Errors
    /// Where it doesn't start or a node isn't read.
    pub(super) fn demo(workspace: &Workspace, name: &'static str, nodes: u32) -> Result<Self> {
        let program = program::demo(workspace, name, nodes)?;
        let client = program.client()?;
        let last = program.bmcs.last().ok_or("the demo names no BMC")?;
        eventually(PATIENCE, "reading of the last node", || {
            let sensors = client.members(&format!("/redfish/v1/Chassis/{}/Sensors", last.name))?;
            Ok(sensors
                .iter()
                .any(|sensor| sensor["Reading"].is_number())
                .then_some(()))
        })?;
        Ok(Self {
            name,
            url: program.url.clone(),
            program,
            redirects: false,
            is_announced: false,
            _sim: None,
            _door: None,
        })
    }

    /// `reddrum serve` in front of ipmi_sim, with what a demo has switched off: plain HTTP that redirects, and SSDP.
    ///
    /// # Errors
    /// Where either doesn't start or the machine isn't read.
    pub(super) fn sim(workspace: &Workspace, name: &'static str) -> Result<Self> {
        let folder = workspace.target.join("peers").join(name);
        let sim = IpmiSim::start(workspace, &folder)?;
        let target = sim.target();
        ipmi_sim::fill_event_log(&target, SUITE)?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("https://{}", listener.local_addr()?);
        // Another program may take it before ours does; then the start fails and says so.
        let redirect = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut service = format!(
            "listen = \"127.0.0.1:0\"\nlisten_redirect = \"{redirect}\"\npublic_url = \"{url}\"\n"
        );
        let network = multicast_address();
        if let Some(address) = network {
            service.push_str(&format!("ssdp_interfaces = [\"{address}\"]\n"));
        }
        let config = sim_checks::write_config(&folder, &target, &service)?;
        let mut program = program::serve(workspace, name, &config)?;
        program.username = USERNAME.to_owned();
        program.password = PASSWORD.to_owned();
        let https = program.url.trim_start_matches("https://").parse()?;
        let door = FrontDoor::open(listener, https, redirect);
        let mut client = Client::new(&url);
        sim_checks::log_in(&mut client)?;
        eventually(PATIENCE, "complete reading", || {
            sim_checks::complete_reading(&client)
        })?;
        Ok(Self {
            name,
            url,
            program,
            redirects: true,
            is_announced: network.is_some(),
            _sim: Some(sim),
            _door: Some(door),
        })
    }

    /// Ends the service. One that ended under the validator would be the reason for whatever it found.
    pub(super) fn end(self, report: &mut Report) {
        report.check("the service lived through it", self.program.interrupt());
    }
}

/// The address of this machine from which a search by multicast goes; `None` without a network.
fn multicast_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("239.255.255.250:1900").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback()).then_some(address)
}
