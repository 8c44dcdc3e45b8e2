//! What is printed once the service serves: for people, or as one line of JSON for scripts.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

/// Where the service is and how to log in.
#[derive(Debug, Serialize)]
pub(crate) struct Announcement {
    /// Base address, without a trailing slash.
    pub(crate) url: String,
    /// Where figures for Prometheus are had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metrics: Option<String>,
    /// Name of an account that may do everything; `None` where the operator knows it already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<String>,
    /// Its password, made for this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<String>,
    /// The virtual machines' BMCs, in the order of the machines.
    pub(crate) bmcs: Vec<Bmc>,
    /// The BMCs of the virtual enclosures: blocks and power bays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) controllers: Vec<Bmc>,
}

/// How to reach one BMC.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Bmc {
    /// Name of its machine in Redfish.
    pub(crate) name: String,
    /// IP address.
    pub(crate) address: String,
    /// UDP port.
    pub(crate) port: u16,
    /// User name.
    pub(crate) username: String,
    /// Password; absent where it came from the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<String>,
}

impl Announcement {
    /// Prints it on standard output.
    pub(crate) fn print(&self, json: bool) -> io::Result<()> {
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
        let url = &self.url;
        writeln!(
            out,
            "\nRedDrum serves Redfish at {url}/redfish/v1/ and its dashboard at {url}/"
        )?;
        if let Some(metrics) = &self.metrics {
            writeln!(
                out,
                "  figures for Prometheus at {metrics} and {metrics}/machines"
            )?;
        }
        let (Some(username), Some(password)) = (&self.username, &self.password) else {
            return Ok(());
        };
        writeln!(out, "  log in as   {username}   password   {password}")?;
        if let [first, .., last] = self.bmcs.as_slice() {
            writeln!(
                out,
                "  {} virtual BMCs answer IPMI at {}..{} port {}, user {} (password with --json)",
                self.bmcs.len(),
                first.address,
                last.address,
                first.port,
                first.username
            )?;
        }
        let Some(node) = self.bmcs.first().map(|bmc| &bmc.name) else {
            return Ok(());
        };
        let login = format!("curl -sk -u {username}:{password}");
        writeln!(out, "\nTry:")?;
        writeln!(out, "  {login} {url}/redfish/v1/Systems")?;
        writeln!(out, "  {login} {url}/redfish/v1/Chassis/{node}/Thermal")?;
        writeln!(
            out,
            "  {login} -X POST -H 'Content-Type: application/json' -d '{{\"ResetType\":\"ForceOff\"}}' \\\n    \
             {url}/redfish/v1/Systems/{node}/Actions/ComputerSystem.Reset"
        )?;
        let events = format!("{url}/redfish/v1/EventService");
        writeln!(out, "  curl -skN -u {username}:{password} {events}/SSE")?;
        if let Some(bmc) = self.bmcs.first() {
            writeln!(
                out,
                "  IPMI_PASSWORD={} ipmitool -I lanplus -C 17 -H {} -p {} -U {} -E chassis power status",
                bmc.password.as_deref().unwrap_or("…"),
                bmc.address,
                bmc.port,
                bmc.username
            )?;
        }
        writeln!(
            out,
            "\nEvents may go to receivers on this machine, also over http: POST to {events}/Subscriptions"
        )?;
        if io::stdout().is_terminal() {
            writeln!(out, "\nCtrl-C ends it.")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announcement() -> Announcement {
        let bmc = |n: u8| Bmc {
            name: format!("node{n}"),
            address: format!("127.16.0.{n}"),
            port: 6230,
            username: "admin".to_owned(),
            password: Some("bmc-secret".to_owned()),
        };
        Announcement {
            url: "https://127.0.0.1:8443".to_owned(),
            metrics: None,
            username: Some("admin".to_owned()),
            password: Some("secret".to_owned()),
            bmcs: vec![bmc(1), bmc(2)],
            controllers: Vec::new(),
        }
    }

    #[test]
    fn json_has_the_fields_that_scripts_rely_on() {
        let value = serde_json::to_value(announcement()).unwrap();
        assert_eq!(value["url"], "https://127.0.0.1:8443");
        assert_eq!(value["username"], "admin");
        assert_eq!(value["password"], "secret");
        assert_eq!(value["bmcs"][1]["name"], "node2");
        assert_eq!(value["bmcs"][1]["address"], "127.16.0.2");
        assert_eq!(value["bmcs"][1]["port"], 6230);
        assert_eq!(value["bmcs"][1]["username"], "admin");
        assert_eq!(value["bmcs"][1]["password"], "bmc-secret");
    }

    #[test]
    fn people_get_three_curl_lines_to_try() {
        let mut out = Vec::new();
        announcement().write_text(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text.matches("curl -sk -u admin:secret").count(),
            3,
            "{text}"
        );
        assert!(text.contains("ResetType"));
    }
}
