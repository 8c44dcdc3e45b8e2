//! `reddrum demo`: a virtual rack, polled over IPMI as if it were real, served as Redfish.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fleet::{Fleet, Target};
use hardware::{Hardware, Link, NodeKind};
use ipmi::console::Login;
use redfish::{Account, PrivilegeMap, Role, Store};
use tokio::time::{Instant, sleep};
use vbmc::profile::Model;
use vbmc::serve::{Clock, Server};

use crate::announce::Announcement;
use crate::args::DemoArgs;
use crate::authorities::destination_settings;
use crate::certificate::Certificate;
use crate::config::{DestinationsConfig, Secret};
use crate::error::ProgramError;
use crate::fault;
use crate::host::LocalHost;
use crate::metrics::MetricsConfig;
use crate::password;
use crate::vbmc_command::{self, Offers, PASSWORD_LEN, Served, User};
use crate::web::{End, Web, close, ends_or_restarts, random_uuid};

/// The user of the service and of every virtual BMC; the passwords are made for each run.
const USERNAME: &str = "admin";
/// How long to wait until every machine was read once before saying that all is ready.
const FIRST_ROUND_LIMIT: Duration = Duration::from_secs(30);
/// How often to look whether every machine was read once.
const FIRST_ROUND_POLL: Duration = Duration::from_millis(20);
/// Idle Redfish sessions end after half an hour.
const SESSION_TIMEOUT_S: u32 = 1_800;

/// Runs the demo until asked to end.
pub(crate) async fn run(args: &DemoArgs) -> Result<(), ProgramError> {
    let no_randomness = |e| ProgramError::system("random numbers", e);
    let service_password = password::generate(PASSWORD_LEN).map_err(no_randomness)?;
    let bmc_password = password::generate(PASSWORD_LEN).map_err(no_randomness)?;

    let clock = Clock::start();
    let server = vbmc_command::start(
        &args.machines,
        clock,
        &bmc_user(&bmc_password),
        Offers::default(),
    )?;
    let faults = fault::plan(&args.machines.faults, server.bmcs())?;
    let fleet = Arc::new(start_fleet(&server, &bmc_password)?);
    let host = Arc::new(LocalHost::default());
    let certificate = Certificate::self_signed(args.listen.ip())
        .map_err(|e| ProgramError::System(e.to_string()))?;
    let mut web = Web {
        listen: args.listen,
        certificate,
        uuid: random_uuid().map_err(no_randomness)?,
        accounts: vec![account(&service_password)?],
        privileges: PrivilegeMap::default(),
        session_timeout_s: SESSION_TIMEOUT_S,
        front: crate::config::FrontConfig::default(),
        events: destination_settings(&loopback_too(), "[events]")?,
        images: destination_settings(&loopback_too(), "[update]")?,
        store: Store::in_memory().map_err(|e| ProgramError::System(e.to_string()))?,
        host: Arc::clone(&host),
        // Its machines are those of the rack.
        aggregator: None,
        metrics: args.metrics.map(|listen| MetricsConfig {
            listen,
            fleet_only: false,
        }),
        scans: Arc::default(),
    };
    let bound = web.clone().bind(fleet.clone()).await?;
    // After a restart it is found where it was.
    web.listen = bound.address();
    let metrics = bound.metrics_url();
    let announcement = Announcement {
        metrics,
        ..announcement(&server, bound.url(), &service_password, &bmc_password)
    };
    let ready = async {
        let end = ends_or_restarts(&host, &fleet);
        tokio::select! {
            ended = end => return ended,
            () = every_machine_was_read(&*fleet) => {}
        }
        announcement.print(args.json)?;
        fault::begin(faults, server.bmcs(), clock);
        ends_or_restarts(&host, &fleet).await
    };
    let mut ended = Ok(End::Stop);
    bound.serve(async { ended = ready.await }).await;
    // The machines and the state go on while the service starts anew.
    while matches!(ended, Ok(End::Restart)) {
        let bound = web.clone().bind(fleet.clone()).await?;
        let end = async { ended = ends_or_restarts(&host, &fleet).await };
        bound.serve(end).await;
    }

    // Sessions are closed while their BMCs still answer.
    close(fleet).await;
    server
        .stop()
        .map_err(|e| ProgramError::system("the virtual BMCs", e))?;
    match ended {
        Ok(End::Failed) => Err(ProgramError::fleet_failed()),
        ended => ended
            .map(|_| ())
            .map_err(|e| ProgramError::system("the demo", e)),
    }
}

/// Who tries the demo has his receiver of events and his images on the same machine.
fn loopback_too() -> DestinationsConfig {
    let loopback = ["127.0.0.0/8", "::1"].iter();
    DestinationsConfig {
        allow_destinations: loopback.filter_map(|text| text.parse().ok()).collect(),
        allow_clear_text: true,
        ca_file: None,
    }
}

const fn bmc_user(password: &Secret) -> User<'_> {
    User {
        name: USERNAME,
        password,
    }
}

fn start_fleet(server: &Server, bmc_password: &Secret) -> Result<Fleet, ProgramError> {
    let login = Login::new(USERNAME, bmc_password.expose())
        .map_err(|e| ProgramError::Usage(e.to_string()))?;
    let login = Arc::new(login);
    let site = server.bmcs().site();
    let target = |index: u32| {
        let slot = site.slot(index)?;
        let id = hardware::NodeId::new(&slot.name())?;
        let kind = match slot.model {
            Model::Node => NodeKind::Computer,
            Model::Block | Model::PowerBay => NodeKind::EnclosureController,
        };
        let enclosure = hardware::EnclosureId::new(&slot.enclosure());
        let address = Some(SocketAddr::from((site.address(index), server.port())));
        let login = Arc::clone(&login);
        Some(Target {
            id,
            kind,
            address,
            login,
            enclosure,
            labels: Arc::default(),
            treatment: fleet::Treatment::default(),
        })
    };
    let config = fleet::Config {
        topology: Arc::clone(site.topology()),
        ..fleet::Config::new((0..site.len()).filter_map(target).collect())
    };
    Fleet::start(&config).map_err(|e| ProgramError::System(e.to_string()))
}

fn account(password: &Secret) -> Result<Account, ProgramError> {
    let text = String::from_utf8_lossy(password.expose());
    Account::new(USERNAME, &text, Role::Administrator)
        .map_err(|e| ProgramError::System(e.to_string()))
}

/// Waits until every machine was reached and read, or [`FIRST_ROUND_LIMIT`] is over.
async fn every_machine_was_read(fleet: &dyn Hardware) {
    let deadline = Instant::now() + FIRST_ROUND_LIMIT;
    let was_read = |id: &hardware::NodeId| {
        fleet
            .node(id.as_str())
            .is_some_and(|n| n.link == Link::Up && n.read_at_ms != 0)
    };
    while Instant::now() < deadline && !fleet.node_ids().iter().all(was_read) {
        sleep(FIRST_ROUND_POLL).await;
    }
}

fn announcement(
    server: &Server,
    url: String,
    service_password: &Secret,
    bmc_password: &Secret,
) -> Announcement {
    let password = String::from_utf8_lossy(service_password.expose()).into_owned();
    let Served { bmcs, controllers } = Served::of(server, &bmc_user(bmc_password));
    Announcement {
        url,
        metrics: None,
        username: Some(USERNAME.to_owned()),
        password: Some(password),
        bmcs,
        controllers,
    }
}
