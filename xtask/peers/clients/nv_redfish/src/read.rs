//! Reads every resource that the typed walk reaches.

use nv_redfish::account::AccountServiceConfig;
use nv_redfish::chassis::Chassis;

use crate::{Checks, Http, Machine, Outcome, Root, same, there};

/// How far a temperature may move between two readings, in degrees Celsius.
const DRIFT_CELSIUS: f64 = 15.0;

/// Every service and resource.
pub async fn everything(checks: &mut Checks, root: &Root, machines: &[Machine]) {
    checks
        .check("ServiceRoot", async { service_root(root) })
        .await;
    checks
        .check(
            "ComputerSystem, Processor, Memory, LogService, EthernetInterface",
            systems(root, machines),
        )
        .await;
    checks
        .check(
            "Chassis, Sensor, EnvironmentMetrics, Thermal, Power, PowerSupply",
            chassis(root, machines),
        )
        .await;
    checks
        .check(
            "a Sensor's reading as ipmitool's",
            reading(root, &machines[1]),
        )
        .await;
    checks
        .check(
            "Manager, ManagerNetworkProtocol, EthernetInterface, LogEntry",
            managers(root, machines),
        )
        .await;
    checks
        .check("SessionService, Session", sessions(root))
        .await;
    checks
        .check("AccountService, ManagerAccount", accounts(root))
        .await;
    checks
        .check(
            "TelemetryService, MetricReport, MetricReportDefinition",
            telemetry(root),
        )
        .await;
    checks
        .check("EventService, EventDestination", events(root))
        .await;
    checks.check("TaskService, Task", tasks(root)).await;
    checks
        .check("UpdateService, SoftwareInventory", updates(root))
        .await;
}

fn service_root(root: &Root) -> Outcome<String> {
    let version = there(root.redfish_version(), "RedfishVersion")?;
    let product = there(root.product(), "Product")?;
    there(root.vendor(), "Vendor")?;
    Ok(format!("{product}, Redfish {version}"))
}

async fn systems(root: &Root, machines: &[Machine]) -> Outcome<String> {
    let systems = there(root.systems().await?, "Systems")?.members().await?;
    same("systems", systems.len(), machines.len())?;
    let (mut processors, mut modules) = (0, 0);
    for system in &systems {
        let machine = there(
            machines.iter().find(|m| m.name() == system.raw().id),
            "machine",
        )?;
        let on = machine
            .ipmitool(&["chassis", "power", "status"])?
            .contains("is on");
        same(
            "power state",
            format!("{:?}", system.power_state()),
            format!("Some({})", if on { "On" } else { "Off" }),
        )?;
        there(system.hardware_id().serial_number, "SerialNumber")?;
        processors += system.processors().await?.map_or(0, |found| found.len());
        modules += system
            .memory_modules()
            .await?
            .map_or(0, |found| found.len());
        system.log_services().await?;
        if let Some(found) = system.ethernet_interfaces().await? {
            found.members().await?;
        }
    }
    if processors < machines.len() || modules < machines.len() {
        return Err(format!("only {processors} processors, {modules} memory modules").into());
    }
    Ok(format!(
        "{} systems, {processors} processors, {modules} memory modules",
        systems.len()
    ))
}

async fn chassis(root: &Root, machines: &[Machine]) -> Outcome<String> {
    let chassis = there(root.chassis().await?, "Chassis")?.members().await?;
    if chassis.len() <= machines.len() {
        return Err("the chassis of racks and blocks are missing".into());
    }
    let (mut sensors, mut supplies) = (0, 0);
    for one in &chassis {
        supplies += one.power_supplies().await?.len();
        one.environment_metrics().await?;
        one.power().await?;
        one.thermal().await?;
        one.log_services().await?;
        for link in one.sensor_links().await?.unwrap_or_default() {
            link.fetch().await?;
            sensors += 1;
        }
    }
    if sensors < 20 * machines.len() {
        return Err(format!("only {sensors} sensors").into());
    }
    Ok(format!(
        "{} chassis, {sensors} sensors, {supplies} power supplies",
        chassis.len()
    ))
}

async fn reading(root: &Root, machine: &Machine) -> Outcome<String> {
    let all = there(root.chassis().await?, "Chassis")?.members().await?;
    let own: &Chassis<Http> = there(all.iter().find(|c| c.raw().id == machine.name()), "chassis")?;
    for link in there(own.sensor_links().await?, "Sensors")? {
        let sensor = link.fetch().await?;
        if sensor.name == "CPU1 Temp" {
            let found = there(sensor.reading.flatten(), "Reading")?;
            let expected = machine.sensor("CPU1 Temp")?;
            if (found - expected).abs() > DRIFT_CELSIUS {
                return Err(format!("{found} here, {expected} there").into());
            }
            return Ok(format!("{found} here, {expected} there"));
        }
    }
    Err("no sensor CPU1 Temp".into())
}

async fn managers(root: &Root, machines: &[Machine]) -> Outcome<String> {
    let managers = there(root.managers().await?, "Managers")?.members().await?;
    let (mut entries, mut interfaces) = (0, 0);
    for manager in &managers {
        manager.network_protocol().await?;
        if let Some(found) = manager.ethernet_interfaces().await? {
            interfaces += found.members().await?.len();
        }
        for log in manager.log_services().await?.unwrap_or_default() {
            entries += log.entries().await?.map_or(0, |found| found.len());
        }
    }
    if managers.len() < machines.len() || entries < machines.len() {
        return Err(format!("only {} managers, {entries} log entries", managers.len()).into());
    }
    Ok(format!(
        "{} managers, {entries} log entries, {interfaces} interfaces",
        managers.len()
    ))
}

async fn sessions(root: &Root) -> Outcome<String> {
    let service = there(root.session_service().await?, "SessionService")?;
    let members = there(service.sessions().await?, "Sessions")?
        .members()
        .await?;
    Ok(format!("{} sessions", members.len()))
}

async fn accounts(root: &Root) -> Outcome<String> {
    let service = there(
        root.account_service(AccountServiceConfig::standard())
            .await?,
        "AccountService",
    )?;
    let accounts = there(service.accounts().await?, "Accounts")?
        .all_accounts_data()
        .await?;
    let mut names = accounts
        .iter()
        .map(|account| account.raw().user_name.clone());
    there(
        names.find(|name| name.as_deref() == std::env::var("REDDRUM_USERNAME").ok().as_deref()),
        "own account",
    )?;
    Ok(format!("{} accounts", accounts.len()))
}

async fn telemetry(root: &Root) -> Outcome<String> {
    let service = there(root.telemetry_service().await?, "TelemetryService")?;
    let links = there(service.metric_report_links().await?, "MetricReports")?;
    let mut values = 0;
    for link in &links {
        values += link
            .fetch()
            .await?
            .metric_values
            .as_ref()
            .map_or(0, Vec::len);
    }
    let definitions = service
        .metric_report_definitions()
        .await?
        .map_or(0, |found| found.len());
    if values == 0 {
        return Err("no metric value".into());
    }
    Ok(format!(
        "{} reports with {values} values, {definitions} definitions",
        links.len()
    ))
}

async fn events(root: &Root) -> Outcome<String> {
    match root.event_service().await? {
        Some(service) => Ok(format!(
            "{} subscriptions",
            service.subscriptions().await?.len()
        )),
        None => Ok("not offered".to_owned()),
    }
}

async fn tasks(root: &Root) -> Outcome<String> {
    let Some(service) = root.task_service().await? else {
        return Ok("not offered".to_owned());
    };
    let links = there(service.tasks(), "Tasks")?.member_links().await?;
    for link in &links {
        link.fetch().await?;
    }
    Ok(format!("{} tasks", links.len()))
}

async fn updates(root: &Root) -> Outcome<String> {
    let Some(service) = root.update_service().await? else {
        return Ok("not offered".to_owned());
    };
    let firmware = service
        .firmware_inventories()
        .await?
        .map_or(0, |found| found.len());
    Ok(format!("{firmware} firmware entries"))
}
