//! Walks the service with `nv-redfish`, whose types are compiled from DMTF's CSDL: a required property that is
//! missing, a wrong type or an unknown word is an error of its parser, and so of the check.
//!
//! Started with the environment that `checks.py` beside this folder describes; prints the same lines and leaves with
//! the same codes.

mod change;
mod read;

use std::env;
use std::fmt::Display;
use std::future::Future;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use nv_redfish::ServiceRoot;
use nv_redfish::bmc_http::reqwest::{Client, ClientParams};
use nv_redfish::bmc_http::{BmcCredentials, CacheSettings, HttpBmc};
use serde_json::{Value, json};
use url::Url;

/// Any error, as text.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;
/// The transport: reqwest over rustls.
pub type Http = HttpBmc<Client>;
/// What everything begins with.
pub type Root = ServiceRoot<Http>;

/// Prints checks, and remembers whether one failed.
#[derive(Default)]
pub struct Checks {
    failed: bool,
}

impl Checks {
    /// One check; what it returns is shown with its name.
    pub async fn check<T: Display>(&mut self, name: &str, body: impl Future<Output = Outcome<T>>) {
        let line = match body.await {
            Ok(seen) => json!({"check": format!("{name}: {seen}"), "error": null}),
            Err(error) => {
                self.failed = true;
                json!({"check": name, "error": error.to_string()})
            }
        };
        println!("{line}");
    }
}

/// Fails with both values where they differ.
///
/// # Errors
/// As said.
pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Outcome {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{what}: found {found:?}, expected {expected:?}").into())
    }
}

/// The value, or an error that names what is missing.
///
/// # Errors
/// As said.
pub fn there<T>(value: Option<T>, what: &str) -> Outcome<T> {
    value.ok_or_else(|| format!("{what} is missing").into())
}

/// One machine's BMC.
pub struct Machine {
    facts: Value,
}

impl Machine {
    fn fact(&self, key: &str) -> String {
        match &self.facts[key] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// The machine's name.
    pub fn name(&self) -> String {
        self.fact("name")
    }

    /// What ipmitool prints.
    ///
    /// # Errors
    /// Its own words, where it fails.
    pub fn ipmitool(&self, arguments: &[&str]) -> Outcome<String> {
        let mut ipmitool = Command::new("ipmitool");
        ipmitool
            .args(["-I", "lanplus", "-C", "17", "-H", &self.fact("address")])
            .args(["-p", &self.fact("port"), "-U", &self.fact("username"), "-E"])
            .args(arguments)
            .env("IPMI_PASSWORD", self.fact("password"));
        let output = ipmitool.output()?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into())
        }
    }

    /// The reading of one sensor.
    ///
    /// # Errors
    /// Where ipmitool knows none of this name.
    pub fn sensor(&self, name: &str) -> Outcome<f64> {
        let said = self.ipmitool(&["sensor", "reading", name])?;
        let (_, value) = there(said.split_once('|'), name)?;
        Ok(value.trim().parse()?)
    }
}

/// A connection with these credentials. The certificate is made at the first start and signed by itself.
///
/// # Errors
/// Where the client can't be made.
pub fn connect(credentials: BmcCredentials) -> Outcome<Arc<Http>> {
    let params = ClientParams::new().accept_invalid_certs(true);
    let url = Url::parse(&env::var("REDDRUM_URL")?)?;
    let client = Client::with_params(params)?;
    Ok(Arc::new(HttpBmc::new(
        client,
        url,
        credentials,
        CacheSettings::default(),
    )))
}

async fn visit(checks: &mut Checks) -> Outcome {
    let (username, password) = (env::var("REDDRUM_USERNAME")?, env::var("REDDRUM_PASSWORD")?);
    let machines: Vec<Value> = serde_json::from_str(&env::var("REDDRUM_BMCS")?)?;
    let machines: Vec<Machine> = machines
        .into_iter()
        .map(|facts| Machine { facts })
        .collect();
    let bmc = connect(BmcCredentials::new(username.clone(), password.clone()))?;
    let root = ServiceRoot::new(Arc::clone(&bmc)).await?;
    read::everything(checks, &root, &machines).await;
    change::everything(checks, &root, &machines[0], (&username, &password)).await;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut checks = Checks::default();
    if let Err(error) = visit(&mut checks).await {
        eprintln!("{error}");
        return ExitCode::from(2);
    }
    ExitCode::from(u8::from(checks.failed))
}
