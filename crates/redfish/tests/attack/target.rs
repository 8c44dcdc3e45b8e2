//! The service under attack, in a process of its own.

use std::cell::Cell;
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use redfish::{Account, Backend, Role, Service, Settings, StaticFile, Store, serve};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Child;

use crate::bench::{self, Rack};
use crate::talk::{Connection, Trust};

/// Says to this binary that it is to be the service.
const ROLE: &str = "REDFISH_ATTACK_TARGET";
pub(crate) const PASSWORD: &str = "correct horse";
/// How many chassis the backend has.
const CHASSIS: usize = 20_000;
/// Size of the file that slow readers ask for, in bytes.
pub(crate) const LARGE: usize = 4 * 1024 * 1024;
/// How long anything may take before it counts as hung.
pub(crate) const HUNG: Duration = Duration::from_secs(120);

/// Not a test: what [`Target::start`] runs in a process of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the service that the attacks start for themselves"]
async fn the_service_under_attack() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = pair.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(pair.signing_key.serialize_der()).into();
    let mut tls = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let account = |name, role| Account::new(name, PASSWORD, role).unwrap();
    let large = StaticFile {
        path: "/large",
        content_type: "application/octet-stream",
        bytes: vec![b'x'; LARGE].into(),
    };
    let settings = Settings {
        accounts: vec![
            account("root", Role::Administrator),
            account("bystander", Role::Administrator),
            account("victim", Role::Operator),
        ],
        static_files: [large].into_iter().collect(),
        ..bench::settings(Store::in_memory().unwrap())
    };
    let rack = Rack::default();
    rack.chassis.store(CHASSIS, Ordering::Relaxed);
    let backend = Arc::new(rack) as Arc<dyn Backend>;
    let service = Arc::new(Service::new(settings, backend).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // A line of its own, whatever the test runner has printed before.
    let mut out = std::io::stdout();
    writeln!(
        out,
        "\ntarget {address} {}",
        BASE64_STANDARD.encode(&certificate)
    )
    .unwrap();
    out.flush().unwrap();
    // The process ends by being killed with its guard.
    serve(listener, Arc::new(tls), service, std::future::pending()).await;
}

/// A running service. It ends with its guard.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) trust: Trust,
    child: Child,
    start: Usage,
}

/// What the service's process uses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Resident memory, in KiB.
    rss: u64,
    /// The most since [`Target::forget_peak`], in KiB.
    peak: u64,
    /// Open file descriptors.
    files: usize,
}

impl Usage {
    pub(crate) const fn rss_kib(&self) -> u64 {
        self.rss
    }
}

impl Target {
    pub(crate) async fn start() -> Self {
        let own = std::env::current_exe().unwrap();
        // The shell raises the limit of open files to what the system allows.
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "ulimit -n \"$(ulimit -H -n)\"; exec \"$0\" \"$@\""])
            .arg(own)
            .args([
                "--ignored",
                "--exact",
                "target::the_service_under_attack",
                "--nocapture",
            ])
            .env(ROLE, "1")
            // Where each thread has an arena of its own, what one of them has freed is of no use to the others, and
            // figures depend on which thread has served what.
            .env("MALLOC_ARENA_MAX", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut shell = tokio::process::Command::from(shell);
        let mut child = shell.kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = loop {
            let line = lines
                .next_line()
                .await
                .unwrap()
                .expect("the service starts");
            if let Some(said) = line.strip_prefix("target ") {
                break said.to_owned();
            }
        };
        // A test runner writes there when a test takes long; it ends where nobody reads.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let (address, certificate) = said.split_once(' ').unwrap();
        let certificate = CertificateDer::from(BASE64_STANDARD.decode(certificate).unwrap());
        let address = address.parse().unwrap();
        let mut target = Self {
            address,
            trust: Trust::of(address, certificate),
            start: Usage {
                rss: 0,
                peak: 0,
                files: 0,
            },
            child,
        };
        // What the first requests allocate for good belongs to no attack.
        target.bystander().await.is_answered(20).await;
        target.settled(16).await;
        target.start = target.usage();
        target.forget_peak();
        target
    }

    pub(crate) async fn connect(&self) -> Connection {
        self.trust.connect(b"http/1.1").await.unwrap()
    }

    /// Somebody else, logged in.
    pub(crate) async fn bystander(&self) -> Bystander<'_> {
        let mut connection = self.connect().await;
        let token = connection.log_in("bystander", PASSWORD).await;
        Bystander {
            target: self,
            connection,
            token,
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        let pid = self.child.id().expect("the service runs");
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let kib = |name: &str| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap();
            line.trim().trim_end_matches(" kB").parse().unwrap()
        };
        Usage {
            rss: kib("VmRSS:"),
            peak: kib("VmHWM:"),
            files: fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count(),
        }
    }

    fn forget_peak(&self) {
        let pid = self.child.id().expect("the service runs");
        // Without the right to do so the peak is that of the start, which only makes the test stricter.
        let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
    }

    /// Waits until no more than `files` are open: every connection of the attack is gone.
    pub(crate) async fn settled(&self, files: usize) {
        let gone = async {
            while self.usage().files > files {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let settled = tokio::time::timeout(HUNG, gone).await;
        assert!(settled.is_ok(), "sockets are left: {:?}", self.usage());
    }

    /// Ends an attack: its sockets are gone, memory stayed within `bound_mib` of the start, and the service answers.
    pub(crate) async fn survived(&self, attack: &str, bound_mib: u64) {
        self.settled(self.start.files + 2).await;
        let end = self.usage();
        let mib = |kib: u64| kib as f64 / 1024.0;
        println!(
            "{attack}: resident {:.1} MiB before, {:.1} MiB at its peak, {:.1} MiB after; {} files before, {} after",
            mib(self.start.rss),
            mib(end.peak),
            mib(end.rss),
            self.start.files,
            end.files
        );
        let grown = end.peak.saturating_sub(self.start.rss);
        assert!(
            grown <= bound_mib * 1024,
            "{attack}: grew by {:.1} MiB",
            mib(grown)
        );
        self.bystander().await.is_answered(3).await;
    }
}

/// A client that has nothing to do with the attack.
pub(crate) struct Bystander<'a> {
    target: &'a Target,
    connection: Connection,
    token: String,
}

impl Bystander<'_> {
    /// Asks on the connection that it has, and on new ones, and must be answered each time.
    pub(crate) async fn is_answered(&mut self, times: usize) {
        let header = format!("X-Auth-Token: {}", self.token);
        for _ in 0..times {
            for path in ["/redfish/v1/Systems/1", "/redfish/v1/Chassis/7/Sensors/T"] {
                let answer = self.connection.get(path, &[&header]).await;
                assert_eq!(answer.status, 200, "{answer:?}");
            }
            let mut fresh = self.target.connect().await;
            let answer = fresh.get("/redfish/v1/", &[]).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }

    /// Is answered again and again as long as `attack` goes on, and gives what comes of it.
    pub(crate) async fn is_answered_during<T>(&mut self, attack: impl Future<Output = T>) -> T {
        let over = Cell::new(false);
        let attack = async {
            let done = attack.await;
            over.set(true);
            done
        };
        let asking = async {
            let mut rounds = 0;
            while !over.get() || rounds < 3 {
                self.is_answered(1).await;
                rounds += 1;
            }
        };
        tokio::join!(attack, asking).0
    }
}
