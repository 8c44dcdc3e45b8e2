//! The Redfish service on its socket, the same for the demo and for real machines.

use std::fmt;
use std::fs;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fleet::Fleet;
use hardware::Hardware;
use redfish::{
    Account, Aggregator, DestinationSettings, Front, PrivilegeMap, Service, Settings, StaticFile,
    StaticFiles, Store,
};
use redfish_hardware::HardwareBackend;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::certificate::{Certificate, CertificateError};
use crate::config::{FrontConfig, ProxyAddress};
use crate::host::{LocalHost, Ports};
use crate::metrics::{Metrics, MetricsConfig};
use crate::scan::Figures;
use crate::ssdp::Announcers;

/// What the service root calls the product.
pub(crate) const PRODUCT: &str = "RedDrum";
/// Who made it.
const VENDOR: &str = "RedDrum";

/// Why the service can't be offered.
#[derive(Debug)]
pub(crate) enum WebError {
    /// The address can't be listened at.
    Listen(SocketAddr, io::Error),
    /// Figures can't be offered at this address.
    Metrics(SocketAddr, io::Error),
    /// The service can't be announced at the interface with this address.
    Ssdp(IpAddr, io::Error),
    /// The Unix socket can't be made.
    Socket(PathBuf, io::Error),
    /// The certificate can't be used.
    Certificate(CertificateError),
    /// There is no account.
    NoAccount,
    /// A setting can't be used.
    Settings(redfish::SettingsError),
}

impl fmt::Display for WebError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(address, error) if error.kind() == io::ErrorKind::AddrInUse => {
                write!(
                    f,
                    "{address} is in use by another program; choose another with --listen or 'listen'"
                )
            }
            Self::Listen(address, error) => write!(f, "can't listen at {address}: {error}"),
            Self::Metrics(address, error) => {
                write!(f, "can't offer metrics at {address} ('[metrics] listen' or --metrics): {error}")
            }
            Self::Ssdp(interface, error) => {
                write!(
                    f,
                    "can't announce the service at {interface} ('ssdp_interfaces'): {error}"
                )
            }
            Self::Socket(path, error) => write!(f, "can't listen at {}: {error}", path.display()),
            Self::Certificate(error) => error.fmt(f),
            Self::NoAccount => f.write_str(
                "there is no account, so nobody could log in: add an [[account]] with the role Administrator to the \
                 configuration, or take over those of an older service with 'reddrum import'",
            ),
            Self::Settings(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for WebError {}

/// Why the service ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The operator asked for it.
    Stop,
    /// A client asked for a restart.
    Restart,
    /// A thread of the fleet has ended by failures of its own.
    Failed,
}

/// How often it is looked whether a thread of the fleet has ended.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What differs between one service and another.
#[derive(Clone)]
pub(crate) struct Web {
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// What to show for TLS.
    pub(crate) certificate: Certificate,
    /// The service's UUID.
    pub(crate) uuid: String,
    /// Who may log in.
    pub(crate) accounts: Vec<Account>,
    /// Which privileges operations need.
    pub(crate) privileges: PrivilegeMap,
    /// Idle sessions end after this, until a client changes it.
    pub(crate) session_timeout_s: u32,
    /// How requests come in beside HTTPS.
    pub(crate) front: FrontConfig,
    /// Where the service keeps what clients change of it.
    pub(crate) store: Store,
    /// Where events may be sent.
    pub(crate) events: DestinationSettings,
    /// Where images of firmware may be fetched from.
    pub(crate) images: DestinationSettings,
    /// The machine that it runs on.
    pub(crate) host: Arc<LocalHost>,
    /// Who takes up BMCs that clients name, where anybody does.
    pub(crate) aggregator: Option<Arc<dyn Aggregator>>,
    /// Where figures for Prometheus are had, if at all.
    pub(crate) metrics: Option<MetricsConfig>,
    /// What scans for BMCs have done.
    pub(crate) scans: Arc<Figures>,
}

/// A service that has its socket but doesn't answer yet.
pub(crate) struct Bound {
    front: Front,
    /// Follows the operator's files, for as long as it is polled.
    certificate: Pin<Box<dyn Future<Output = ()> + Send>>,
    service: Arc<Service>,
    address: SocketAddr,
    /// The Unix socket's file, removed at the end.
    socket: Option<SocketFile>,
    announcers: Announcers,
    metrics: Option<Metrics>,
}

impl Web {
    /// Takes the socket and puts the service in front of `machines`.
    pub(crate) async fn bind(self, machines: Arc<Fleet>) -> Result<Bound, WebError> {
        let (tls, owner) = self.certificate.tls().map_err(WebError::Certificate)?;
        let uuid = self.uuid.clone();
        let settings = Settings {
            uuid: self.uuid,
            product: PRODUCT.to_owned(),
            vendor: VENDOR.to_owned(),
            accounts: self.accounts,
            privileges: self.privileges,
            session_timeout_s: self.session_timeout_s,
            static_files: dashboard_files(),
            store: self.store,
            events: self.events,
            images: self.images,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            host: self.host.clone(),
            aggregator: self.aggregator,
            tls: Some((Arc::clone(&tls), owner)),
        };
        let backend = Arc::new(HardwareBackend::new(
            Arc::clone(&machines) as Arc<dyn Hardware>
        ));
        let service = Arc::new(Service::new(settings, backend).map_err(WebError::Settings)?);
        if !service.has_accounts() {
            return Err(WebError::NoAccount);
        }
        let listener = listen(self.listen).await?;
        let address = listener
            .local_addr()
            .map_err(|error| WebError::Listen(self.listen, error))?;
        self.host.set_ports(Ports {
            https: Some(address.port()),
            http: self.front.listen_redirect.map(|address| address.port()),
        });
        let (front, socket) = open(&self.front, Front::new().https(listener, tls.config())).await?;
        let followed = self.certificate.follow_files(tls);
        let announcers = Announcers::new(&self.front, address, uuid, self.host.ssdp());
        announcers
            .check()
            .map_err(|(interface, error)| WebError::Ssdp(interface, error))?;
        let metrics = match &self.metrics {
            None => None,
            Some(config) => {
                let (service, scans) = (Arc::clone(&service), self.scans);
                let bound = Metrics::bind(config, &machines, service, scans).await;
                Some(bound.map_err(|error| WebError::Metrics(config.listen, error))?)
            }
        };
        Ok(Bound {
            certificate: Box::pin(followed),
            front,
            service,
            address,
            socket,
            announcers,
            metrics,
        })
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, WebError> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| WebError::Listen(address, error))
}

/// Opens the ways in beside HTTPS.
async fn open(config: &FrontConfig, front: Front) -> Result<(Front, Option<SocketFile>), WebError> {
    let mut front = front
        .trusting(config.proxies.clone())
        .hsts_max_age_s(config.hsts_max_age_s);
    if let Some(host) = config
        .public_host
        .as_ref()
        .and_then(|host| host.parse().ok())
    {
        front = front.public_host(host);
    }
    if let Some(address) = config.listen_redirect {
        front = front.redirect(listen(address).await?);
    }
    match &config.listen_proxy {
        None => Ok((front, None)),
        Some(ProxyAddress::Tcp(address)) => Ok((front.proxy(listen(*address).await?), None)),
        Some(ProxyAddress::Unix(path)) => {
            let failed = |error| WebError::Socket(path.clone(), error);
            let (listener, file) = SocketFile::make(path).map_err(failed)?;
            Ok((front.proxy_socket(listener), Some(file)))
        }
    }
}

/// A Unix socket's file. It goes with the service.
struct SocketFile(PathBuf);

impl SocketFile {
    /// Owner and group may open it: the web server is put into the service's group.
    const MODE: u32 = 0o660;

    /// Makes the socket, in place of one that an earlier run has left.
    fn make(path: &Path) -> io::Result<(UnixListener, Self)> {
        let is_left = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
            && StdUnixStream::connect(path).is_err();
        if is_left {
            fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        let file = Self(path.to_owned());
        fs::set_permissions(path, fs::Permissions::from_mode(Self::MODE))?;
        Ok((listener, file))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Where it is gone already, that is what we want.
        let _ = fs::remove_file(&self.0);
    }
}

impl Bound {
    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base address, without a trailing slash.
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Where figures for Prometheus are had.
    pub(crate) fn metrics_url(&self) -> Option<String> {
        let address = self.metrics.as_ref()?.address()?;
        Some(format!("http://{address}/metrics"))
    }

    /// Answers requests until `shutdown` completes, then finishes those that are running.
    pub(crate) async fn serve(self, shutdown: impl Future<Output = ()>) {
        let (close, closing) = watch::channel(());
        let metering = self
            .metrics
            .map(|metrics| tokio::spawn(metrics.serve(closing.clone())));
        let announcing = tokio::spawn(self.announcers.run(closing));
        let serving = self.front.serve(self.service, async {
            shutdown.await;
            drop(close);
        });
        tokio::select! {
            () = serving => {}
            () = self.certificate => {}
        }
        // It fails only where it panicked, which has been reported then.
        let _ = announcing.await;
        if let Some(metering) = metering {
            let _ = metering.await;
        }
        drop(self.socket);
    }
}

fn dashboard_files() -> StaticFiles {
    let file = |file: &'static dashboard::File| StaticFile {
        path: file.path,
        content_type: file.content_type,
        bytes: Bytes::from_static(file.bytes),
    };
    dashboard::FILES.iter().map(file).collect()
}

/// A random UUID (RFC 9562 version 4).
pub(crate) fn random_uuid() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let groups = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    Ok(groups.join("-"))
}

/// Completes when the operator asks the program to end: Ctrl-C, SIGTERM, or SIGHUP, which a terminal sends that is
/// closed.
pub(crate) async fn asked_to_end() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        ended = asked_to_stop() => ended,
        _ = hang_up.recv() => Ok(()),
    }
}

/// Completes at Ctrl-C or SIGTERM.
async fn asked_to_stop() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

/// As [`ends_or_restarts`], for a service to which SIGHUP says something else.
pub(crate) async fn stops_or_restarts(host: &LocalHost, fleet: &Fleet) -> io::Result<End> {
    tokio::select! {
        ended = asked_to_stop() => ended.map(|()| End::Stop),
        () = host.restart_asked() => Ok(End::Restart),
        () = has_failed(fleet) => Ok(End::Failed),
    }
}

/// Completes when the service shall end, and says why.
pub(crate) async fn ends_or_restarts(host: &LocalHost, fleet: &Fleet) -> io::Result<End> {
    tokio::select! {
        ended = asked_to_end() => ended.map(|()| End::Stop),
        () = host.restart_asked() => Ok(End::Restart),
        () = has_failed(fleet) => Ok(End::Failed),
    }
}

/// Completes when a thread of the fleet has ended by failures of its own: a service with a part of its machines is none that
/// anybody watches for, and a new start has a sound state.
async fn has_failed(fleet: &Fleet) {
    while !fleet.has_failed() {
        sleep(LOOK_EVERY).await;
    }
}

/// Closes the fleet's sessions, whoever has it besides; its threads are joined off the runtime's own ones.
pub(crate) async fn close(fleet: Arc<Fleet>) {
    let closing = tokio::task::spawn_blocking(move || fleet.close());
    // It fails only where the closing thread panicked, which has been reported then.
    let _ = closing.await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_uuid_says_that_it_is_random() {
        let uuid = random_uuid().unwrap();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert!(matches!(uuid.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
    }
}
