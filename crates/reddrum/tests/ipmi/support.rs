//! What the tests share: virtual machines, the program run on them, folders, images of firmware.

use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use ipmi::bmc::{Config, User};
use ipmi::command::app::Guid;
use ipmi::command::picmg::hpm::FirmwareVersion;
use ipmi::number::PrivilegeLevel;
use ipmi::quirk::{Quirk, Quirks};
use serde_json::Value;
use tempfile::TempDir;
use vbmc::bmcs::Bmcs;
use vbmc::controller::{APPLICATION, OemFamily, upgrade_image};
use vbmc::machine::{Form, Machine};
use vbmc::serve::{Clock, Server};
use vbmc::site::{Site, SiteOptions};

/// Of every user on every BMC.
pub(crate) const PASSWORD: &str = "right";

/// A test that waits for a state longer than this has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Between two looks at what is about to change.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Virtual machines with BMCs at 127.16.0.1 and up. User 1 has no name, 2 is `admin`; where there are several, 3 is `viewer`.
pub(crate) struct Rack {
    pub(crate) server: Server,
    pub(crate) clock: Clock,
}

impl Rack {
    pub(crate) fn new(nodes: u32) -> Self {
        Self::with(nodes, |_| {})
    }

    /// With the way into their BMCs adjusted.
    pub(crate) fn with(nodes: u32, adjust: impl FnOnce(&mut Config)) -> Self {
        let users = [("viewer", PrivilegeLevel::USER)];
        Self::start(nodes, &users, adjust)
    }

    fn start(
        nodes: u32,
        more: &[(&str, PrivilegeLevel)],
        adjust: impl FnOnce(&mut Config),
    ) -> Self {
        let clock = Clock::start();
        let options = SiteOptions {
            nodes,
            seed: 1,
            epoch_s: clock.epoch_s(),
        };
        let site = Arc::new(Site::new(options).unwrap());
        let users = [
            ("", PrivilegeLevel::CALLBACK),
            ("admin", PrivilegeLevel::ADMINISTRATOR),
        ];
        let users = users.iter().chain(more);
        let user = |&(name, level)| User::new(name, PASSWORD.as_bytes(), level).unwrap();
        let mut access = Config::new(users.map(user).collect(), Guid::default());
        adjust(&mut access);
        let bmcs = Arc::new(Bmcs::new(site, &access));
        let server = Server::start(bmcs, clock, 0).unwrap();
        Self { server, clock }
    }

    pub(crate) fn machine(&self, index: u32) -> MutexGuard<'_, Machine> {
        self.server.bmcs().site().machine(index, self.clock.now())
    }

    pub(crate) fn is_on(&self, index: u32) -> bool {
        self.machine(index).host().is_on()
    }

    /// `reddrum ipmi HOSTS ARGS` as admin, with the right password in the environment.
    pub(crate) fn command(&self, hosts: &str, args: &(impl Words + ?Sized)) -> Command {
        self.command_as("admin", hosts, args)
    }

    fn command_as(&self, user: &str, hosts: &str, args: &(impl Words + ?Sized)) -> Command {
        let mut command = program();
        command.env("IPMI_PASSWORD", PASSWORD);
        command.args(["ipmi", hosts, "-U", user, "-p"]);
        command.arg(self.server.port().to_string());
        command.args(args.words());
        command
    }

    pub(crate) fn run(&self, hosts: &str, args: &(impl Words + ?Sized)) -> Run {
        run(&mut self.command(hosts, args))
    }

    /// The same with `--json`: what each host said.
    pub(crate) fn json(&self, hosts: &str, args: &(impl Words + ?Sized)) -> Vec<Value> {
        let run = run(self.command(hosts, args).arg("--json"));
        let lines = run.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The result of a command on the first machine.
    pub(crate) fn result(&self, args: &(impl Words + ?Sized)) -> Value {
        let mut said = self.json("127.16.0.1", args);
        assert_eq!(said.len(), 1);
        assert_eq!(said[0]["ok"], true, "{:?}: {}", args.words(), said[0]);
        said[0]["result"].take()
    }

    /// The lines of a command on the first machine.
    pub(crate) fn lines(&self, args: &(impl Words + ?Sized)) -> Vec<String> {
        let run = self.run("127.16.0.1", args);
        assert!(run.is_ok(), "{run:?}");
        run.stdout.lines().map(str::to_owned).collect()
    }
}

/// One virtual machine with its BMC at 127.16.0.1.
pub(crate) struct Node {
    pub(crate) rack: Rack,
}

impl Node {
    pub(crate) fn new() -> Self {
        let rack = Rack::start(1, &[], |_| {});
        Self { rack }
    }

    pub(crate) fn of_form(form: Form) -> Self {
        let node = Self::new();
        node.rack.machine(0).set_form(form);
        node
    }

    pub(crate) fn of_family(family: OemFamily) -> Self {
        let node = Self::new();
        node.rack.machine(0).set_oem_family(family);
        node
    }

    /// That deviates.
    pub(crate) fn with(quirk: Quirk) -> Self {
        let node = Self::new();
        let defects = Quirks::NONE.with(quirk);
        node.rack.server.bmcs().set_defects(0, defects);
        node
    }

    pub(crate) fn command(&self, args: &(impl Words + ?Sized)) -> Command {
        self.rack.command("127.16.0.1", args)
    }

    pub(crate) fn run(&self, args: &(impl Words + ?Sized)) -> Run {
        run(&mut self.command(args))
    }

    pub(crate) fn run_as(
        &self,
        (user, password): (&str, &str),
        args: &(impl Words + ?Sized),
    ) -> Run {
        let mut command = self.rack.command_as(user, "127.16.0.1", args);
        run(command.env("IPMI_PASSWORD", password))
    }

    /// What the machine said as a whole.
    pub(crate) fn json(&self, args: &(impl Words + ?Sized)) -> Value {
        self.rack.json("127.16.0.1", args).remove(0)
    }

    /// What a command brought.
    pub(crate) fn result(&self, args: &(impl Words + ?Sized)) -> Value {
        self.rack.result(args)
    }

    /// Why a command failed.
    pub(crate) fn failure(&self, args: &(impl Words + ?Sized)) -> Value {
        let mut said = self.json(args);
        assert_eq!(said["ok"], false, "{:?}: {said}", args.words());
        said["error"].take()
    }

    /// What a command printed for people.
    pub(crate) fn text(&self, args: &(impl Words + ?Sized)) -> String {
        let run = self.run(args);
        assert!(run.is_ok(), "{run:?}");
        run.stdout
    }

    /// The same line by line.
    pub(crate) fn lines(&self, args: &(impl Words + ?Sized)) -> Vec<String> {
        self.rack.lines(args)
    }
}

/// Words of a command line: a text with blanks between, or one by one.
pub(crate) trait Words {
    fn words(&self) -> Vec<&str>;
}

impl Words for str {
    fn words(&self) -> Vec<&str> {
        self.split_whitespace().collect()
    }
}

impl Words for String {
    fn words(&self) -> Vec<&str> {
        self.as_str().words()
    }
}

impl Words for [&str] {
    fn words(&self) -> Vec<&str> {
        self.to_vec()
    }
}

impl<const N: usize> Words for [&str; N] {
    fn words(&self) -> Vec<&str> {
        self.to_vec()
    }
}

impl Words for Vec<&str> {
    fn words(&self) -> Vec<&str> {
        self.clone()
    }
}

/// The program, without what the environment of the test may hold.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reddrum"));
    // Without a home nothing is remembered from other runs.
    for variable in [
        "HOME",
        "XDG_CACHE_HOME",
        "REDDRUM_IPMI_PASSWORD",
        "REDDRUM_IPMI_USERNAME",
        "IPMI_PASSWORD",
        "IPMITOOL_PASSWORD",
        "IPMI_KGKEY",
    ] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command
}

/// What a run of the program brought.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn is_ok(&self) -> bool {
        self.code == Some(0)
    }

    pub(crate) fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }
}

pub(crate) fn run(command: &mut Command) -> Run {
    told(command.output().unwrap())
}

pub(crate) fn told(output: Output) -> Run {
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Starts the program; what it says is kept.
pub(crate) fn start(command: &mut Command) -> Child {
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A folder that is gone after the test.
pub(crate) struct Folder(TempDir);

impl Folder {
    /// Its own name begins like this.
    pub(crate) fn new(name: &str) -> Self {
        Self(tempfile::Builder::new().prefix(name).tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// A file in it that only its owner can read.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> String {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }
}

/// An HPM.1 image of the BMC's own firmware for virtual machines; its minor version is two decimal digits.
pub(crate) fn firmware(major: u8, minor: u8) -> Vec<u8> {
    let version = FirmwareVersion {
        major,
        minor,
        auxiliary: [0; 4],
    };
    upgrade_image(APPLICATION, version, 32 << 10)
}
