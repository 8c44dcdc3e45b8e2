//! `cargo xtask test`: everything that must hold, in one command; the same that CI runs.

mod cargo;
pub(crate) mod tools;

use std::time::{Duration, Instant};

use crate::Result;
use crate::peers::report::Report;
use crate::peers::{
    browser, cli_checks, clients, demo, proxies, sim_checks, sol_checks, suites, tshark_checks,
    validators, virtual_bmc,
};
use crate::workspace::Workspace;
use crate::{codegen, fuzz, tidy};
use tools::Need;
pub(crate) use tools::{ansible_home, bmcs_home, clients_home, node_home, python_home};

/// What `cargo xtask test` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only these steps, by name; can be given more than once.
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    only: Vec<String>,
    /// Every step but these, by name; can be given more than once. Without `build`, the program is tested that is there.
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    skip: Vec<String>,
    /// Say which steps there are.
    #[arg(long)]
    list: bool,
}

/// One step.
struct Step {
    name: &'static str,
    /// What it shows, for `--list`.
    what: &'static str,
    /// What must be installed first.
    needs: &'static [Need],
    run: fn(&Workspace, &mut Report) -> Result,
    /// Whether it runs only where `--only` names it: too long for every day.
    on_request: bool,
}

/// The step that makes the program; those behind it talk to that program.
const BUILD: &str = "build";

/// Every step, in the order in which they run: the quick ones that fail often come first.
const STEPS: [Step; 31] = [
    step("fmt", "the code is formatted", &[], cargo::format),
    step(
        "tidy",
        "the rules of this repository hold",
        &[],
        |workspace, report| {
            report.check(
                "no finding",
                tidy::run(workspace, &tidy::Arguments::default()),
            );
            Ok(())
        },
    ),
    step("clippy", "no warning anywhere", &[], cargo::clippy),
    step(
        "codegen",
        "the generated code is what the generator makes",
        &[],
        |workspace, report| {
            report.check("generated files are fresh", codegen::run(workspace, true));
            Ok(())
        },
    ),
    step("unit", "every test of the workspace", &[], cargo::tests),
    step(
        "doc",
        "documentation builds without a warning, its examples run",
        &[],
        cargo::documentation,
    ),
    step(
        "fuzz",
        "each fuzz target for some seconds",
        &[],
        fuzz::run_short,
    ),
    step(BUILD, "the release build", &[], cargo::release),
    step(
        "ipmi_sim",
        "a BMC that others wrote, as Redfish",
        &[Need::Ipmi, Need::Curl],
        sim_checks::run,
    ),
    step(
        "vbmc",
        "ipmitool and FreeIPMI with our virtual BMC",
        &[Need::Ipmi],
        virtual_bmc::run,
    ),
    step(
        "suites",
        "every cipher suite 0 to 19 both ways, as a table",
        &[Need::Ipmi, Need::Bmcs],
        suites::run,
    ),
    step(
        "sol",
        "a mebibyte of a virtual node's console over a network that loses a tenth, by three programs",
        &[Need::Ipmi],
        sol_checks::run,
    ),
    step(
        "cli",
        "our command line says of other people's BMCs what ipmitool says",
        &[Need::Ipmi, Need::Bmcs],
        cli_checks::run,
    ),
    step(
        "tshark",
        "Wireshark reads our datagrams as meant",
        &[Need::Ipmi, Need::Tshark],
        tshark_checks::run,
    ),
    step(
        "demo",
        "the demo with plain curl",
        &[Need::Ipmi, Need::Curl],
        demo::run,
    ),
    step(
        "proxies",
        "Apache, nginx, HAProxy and Caddy in front, as packaging/ configures them",
        &[Need::Curl, Need::WebServers],
        proxies::run,
    ),
    step(
        "service-validator",
        "DMTF's Service Validator over a small demo's whole tree",
        &[Need::Python],
        validators::service,
    ),
    on_request(step(
        "service-validator-rack",
        "the same over the tree of all 96 nodes; a quarter of an hour, only on request",
        &[Need::Python],
        validators::service_rack,
    )),
    step(
        "service-validator-sim",
        "the same over the tree of a machine whose BMC others wrote",
        &[Need::Python, Need::Ipmi, Need::Curl],
        validators::service_sim,
    ),
    step(
        "protocol-validator",
        "DMTF's Protocol Validator",
        &[Need::Python],
        validators::protocol,
    ),
    step(
        "protocol-validator-sim",
        "the same on a machine whose BMC others wrote, with SSDP and redirects",
        &[Need::Python, Need::Ipmi, Need::Curl],
        validators::protocol_sim,
    ),
    step(
        "interop-validator",
        "DMTF's Interop Validator with OCP's profiles for hardware and for servers",
        &[Need::Python],
        validators::interop,
    ),
    step(
        "interop-validator-sim",
        "the same on a machine whose BMC others wrote",
        &[Need::Python, Need::Ipmi, Need::Curl],
        validators::interop_sim,
    ),
    step(
        "sushy",
        "OpenStack's Redfish library does what Ironic does",
        &[Need::Ipmi, Need::Clients],
        clients::sushy,
    ),
    step(
        "redfishtool",
        "DMTF's redfishtool, subcommand by subcommand",
        &[Need::Ipmi, Need::Clients],
        clients::redfishtool,
    ),
    step(
        "redfish-utilities",
        "DMTF's everyday scripts",
        &[Need::Ipmi, Need::Clients],
        clients::redfish_utilities,
    ),
    step(
        "redfish-library",
        "DMTF's Python library",
        &[Need::Ipmi, Need::Clients],
        clients::redfish_library,
    ),
    step(
        "maas",
        "the requests of MAAS's power driver",
        &[Need::Ipmi, Need::Clients],
        clients::maas,
    ),
    step(
        "ansible",
        "Ansible's redfish_info and redfish_command in a playbook",
        &[Need::Ipmi, Need::Clients, Need::Ansible],
        clients::ansible,
    ),
    step(
        "nv-redfish",
        "a strict client in Rust reads and changes everything that it knows",
        &[Need::Ipmi],
        clients::nv_redfish,
    ),
    step(
        "browser",
        "the dashboard in a browser",
        &[Need::Browser],
        browser::run,
    ),
];

const fn step(
    name: &'static str,
    what: &'static str,
    needs: &'static [Need],
    run: fn(&Workspace, &mut Report) -> Result,
) -> Step {
    Step {
        name,
        what,
        needs,
        run,
        on_request: false,
    }
}

/// A step that runs only where `--only` names it.
const fn on_request(step: Step) -> Step {
    Step {
        on_request: true,
        ..step
    }
}

/// Installs what is missing, runs the steps and prints the summary.
///
/// # Errors
/// Where any check failed or a peer can't be installed.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result {
    if arguments.list {
        STEPS
            .iter()
            .for_each(|step| println!("{:<20} {}", step.name, step.what));
        return Ok(());
    }
    let steps = chosen(arguments)?;
    let mut report = Report::default();
    let mut times: Vec<(&str, Duration)> = Vec::new();
    let start = Instant::now();
    println!("== tools");
    tools::install(workspace, steps.iter().flat_map(|step| step.needs))?;
    times.push(("tools", start.elapsed()));
    for step in steps {
        println!("== {}: {}", step.name, step.what);
        report.begin(step.name);
        let start = Instant::now();
        if let Err(error) = (step.run)(workspace, &mut report) {
            report.check("the step itself", Err(error));
        }
        println!("   {:.1} s", start.elapsed().as_secs_f64());
        times.push((step.name, start.elapsed()));
    }
    println!("== times");
    for (name, time) in times {
        println!("{name:<20} {:>7.1} s", time.as_secs_f64());
    }
    println!("{:<20} {:>7.1} s", "all", start.elapsed().as_secs_f64());
    report.print_summary();
    match report.failed() {
        0 => Ok(()),
        count => Err(format!("{count} of the checks above failed").into()),
    }
}

fn chosen(arguments: &Arguments) -> Result<Vec<&'static Step>> {
    let known = |name: &String| STEPS.iter().any(|step| step.name == name);
    if let Some(name) = arguments
        .only
        .iter()
        .chain(&arguments.skip)
        .find(|name| !known(name))
    {
        let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        return Err(format!("no step {name:?}; there are: {}", names.join(", ")).into());
    }
    let is = |names: &[String], step: &Step| names.iter().any(|name| name == step.name);
    let wanted = |step: &&Step| {
        let named = is(&arguments.only, step);
        (named || arguments.only.is_empty() && !step.on_request) && !is(&arguments.skip, step)
    };
    let mut steps: Vec<&'static Step> = STEPS.iter().filter(wanted).collect();
    // The steps behind it talk to the program it makes: a stale one would say nothing about the code of now.
    let place = |name: &str| STEPS.iter().position(|step| step.name == name);
    let talks = |step: &&Step| place(step.name) > place(BUILD);
    if let (Some(build), Some(first)) = (place(BUILD), steps.iter().position(talks))
        && !steps.iter().any(|step| step.name == BUILD)
        && !is(&arguments.skip, &STEPS[build])
    {
        steps.insert(first, &STEPS[build]);
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_does_not_exist_is_refused_by_name() {
        let arguments = Arguments {
            only: vec!["brwoser".into()],
            skip: vec![],
            list: false,
        };
        let error = chosen(&arguments).err().unwrap().to_string();
        assert!(
            error.contains("\"brwoser\"") && error.contains("browser"),
            "{error}"
        );
    }

    #[test]
    fn only_and_skip_choose_steps() {
        let names = |only: &[&str], skip: &[&str]| -> Vec<&str> {
            let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let arguments = Arguments {
                only: own(only),
                skip: own(skip),
                list: false,
            };
            chosen(&arguments)
                .unwrap()
                .iter()
                .map(|step| step.name)
                .collect()
        };
        assert_eq!(names(&["tidy", "fmt"], &[]), ["fmt", "tidy"]);
        assert_eq!(names(&["tidy", "fmt"], &["fmt"]), ["tidy"]);
        assert!(!names(&[], &[]).contains(&"service-validator-rack"));
        assert_eq!(
            names(&["service-validator-rack"], &[]),
            ["build", "service-validator-rack"],
            "a stale program is not tested"
        );
        assert_eq!(names(&["tidy", "demo"], &[]), ["tidy", "build", "demo"]);
        assert_eq!(names(&["demo"], &["build"]), ["demo"]);
    }
}
