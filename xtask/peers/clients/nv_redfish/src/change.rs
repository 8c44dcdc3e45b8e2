//! Changes what an operator changes, and looks at it from the BMC's side.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use nv_redfish::ServiceRoot;
use nv_redfish::account::{AccountServiceConfig, ManagerAccountCreate, ManagerAccountUpdate};
use nv_redfish::bmc_http::BmcCredentials;
use nv_redfish::computer_system::ComputerSystem;
use nv_redfish::core::ModificationResponse;
use nv_redfish::event_service::EventStreamPayload;
use nv_redfish::schema::computer_system::{
    BootSource, BootSourceOverrideEnabled, BootSourceOverrideMode,
};
use nv_redfish::schema::resource::ResetType;
use nv_redfish::session_service::SessionCreate;

use crate::{Checks, Http, Machine, Outcome, Root, connect, same, there};

/// How long a change may take to show.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Every change.
pub async fn everything(checks: &mut Checks, root: &Root, machine: &Machine, login: (&str, &str)) {
    checks
        .check(
            "create a session, use its token, delete it",
            session(root, login),
        )
        .await;
    for (reset, name, is_on) in [
        (ResetType::ForceOff, "ForceOff", false),
        (ResetType::On, "On", true),
        (ResetType::GracefulShutdown, "GracefulShutdown", false),
        (ResetType::On, "On", true),
    ] {
        checks
            .check(
                &format!("ComputerSystem.Reset {name}"),
                switch(root, machine, reset, is_on),
            )
            .await;
    }
    for (target, enabled, words) in [
        (
            BootSource::Pxe,
            BootSourceOverrideEnabled::Once,
            ["Force PXE", "only next boot"],
        ),
        (
            BootSource::Hdd,
            BootSourceOverrideEnabled::Continuous,
            ["default Hard-Drive", "all future boots"],
        ),
        (
            BootSource::None,
            BootSourceOverrideEnabled::Disabled,
            ["Boot Flag Invalid", "No override"],
        ),
    ] {
        checks
            .check(
                "set_boot_source_override",
                boot(root, machine, target, enabled, &words),
            )
            .await;
    }
    checks
        .check("events of a reset over SSE", events(root, machine))
        .await;
    checks
        .check("create an account, change it, delete it", account(root))
        .await;
    checks
        .check("LogService.ClearLog", clear_log(root, machine))
        .await;
}

/// That a change was done when it was answered, not left to a task.
fn at_once<T>(response: &ModificationResponse<T>) -> Outcome {
    match response {
        ModificationResponse::Task(task) => Err(format!("left to the task {task:?}").into()),
        _ => Ok(()),
    }
}

async fn system(root: &Root, machine: &Machine) -> Outcome<ComputerSystem<Http>> {
    let systems = there(root.systems().await?, "Systems")?.members().await?;
    let mut own = systems
        .into_iter()
        .filter(|system| system.raw().id == machine.name());
    there(own.next(), "system")
}

async fn session(root: &Root, (username, password): (&str, &str)) -> Outcome<String> {
    let service = there(root.session_service().await?, "SessionService")?;
    let sessions = there(service.sessions().await?, "Sessions")?;
    let create = SessionCreate::builder(username.to_owned(), password.to_owned()).build();
    let session = sessions.create_session(&create).await?;
    let token = there(session.auth_token(), "X-Auth-Token")?.to_owned();
    there(session.location(), "Location")?;
    let as_session = ServiceRoot::new(connect(BmcCredentials::token(token))?).await?;
    let seen = there(as_session.systems().await?, "Systems")?
        .members()
        .await?
        .len();
    at_once(&session.delete().await?)?;
    if as_session.systems().await.is_ok() {
        return Err("the token works after its session was deleted".into());
    }
    Ok(format!("{seen} systems with the token, none without"))
}

async fn switch(root: &Root, machine: &Machine, reset: ResetType, is_on: bool) -> Outcome<String> {
    at_once(&system(root, machine).await?.reset(Some(reset)).await?)?;
    let wanted = if is_on {
        "Chassis Power is on"
    } else {
        "Chassis Power is off"
    };
    let end = Instant::now() + PATIENCE;
    loop {
        let said = machine.ipmitool(&["chassis", "power", "status"])?;
        let shown = format!("{:?}", system(root, machine).await?.power_state());
        if said.trim() == wanted && shown == format!("Some({})", if is_on { "On" } else { "Off" }) {
            return Ok(format!("ipmitool says {}", said.trim()));
        }
        if Instant::now() > end {
            return Err(format!("ipmitool says {said:?}, Redfish {shown}").into());
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

async fn boot(
    root: &Root,
    machine: &Machine,
    target: BootSource,
    enabled: BootSourceOverrideEnabled,
    words: &[&str],
) -> Outcome<String> {
    let mode = Some(BootSourceOverrideMode::Uefi);
    let before = system(root, machine).await?;
    at_once(
        &before
            .set_boot_source_override(target, enabled, mode, None)
            .await?,
    )?;
    let after = system(root, machine).await?.raw();
    let boot = there(after.boot.as_ref(), "Boot")?;
    same(
        "target",
        boot.boot_source_override_target.flatten(),
        Some(target),
    )?;
    same(
        "enabled",
        boot.boot_source_override_enabled.flatten(),
        Some(enabled),
    )?;
    let flags = machine.ipmitool(&["chassis", "bootparam", "get", "5"])?;
    match words.iter().find(|word| !flags.contains(**word)) {
        None => Ok(words.join(", ")),
        Some(word) => Err(format!("{word:?} is not in {flags}").into()),
    }
}

/// Listens before it acts, and awaits an event about the machine.
async fn events(root: &Root, machine: &Machine) -> Outcome<String> {
    let service = there(root.event_service().await?, "EventService")?;
    let mut stream = service.events().await?;
    at_once(
        &system(root, machine)
            .await?
            .reset(Some(ResetType::ForceOff))
            .await?,
    )?;
    let origin = format!("/redfish/v1/Systems/{}", machine.name());
    let found = async {
        while let Some(payload) = stream.next().await {
            let EventStreamPayload::Event(event) = payload? else {
                continue;
            };
            for record in &event.events {
                let record = record.get(root.compat().inner().as_ref()).await?;
                let about = record.origin_of_condition.as_ref();
                if about.is_some_and(|link| link.odata_id.to_string() == origin) {
                    return Ok(record.message_id.clone());
                }
            }
        }
        Err("the stream ended".into())
    };
    let found: Outcome<String> = tokio::time::timeout(PATIENCE, found).await?;
    at_once(
        &system(root, machine)
            .await?
            .reset(Some(ResetType::On))
            .await?,
    )?;
    found
}

async fn account(root: &Root) -> Outcome<String> {
    let service = there(
        root.account_service(AccountServiceConfig::standard())
            .await?,
        "AccountService",
    )?;
    let accounts = there(service.accounts().await?, "Accounts")?;
    let create = ManagerAccountCreate::builder(
        "First-Passw0rd".to_owned(),
        "nora".to_owned(),
        "ReadOnly".to_owned(),
    )
    .build();
    let ModificationResponse::Entity(account) = accounts.create_account(create).await? else {
        return Err("the answer has no account".into());
    };
    same("name", account.raw().user_name.as_deref(), Some("nora"))?;
    let operator = ManagerAccountUpdate::builder()
        .with_role_id("Operator".to_owned())
        .build();
    // Each change has another ETag: the next one starts from what the last one answered.
    let ModificationResponse::Entity(account) = account.update(&operator).await? else {
        return Err("the answer has no changed account".into());
    };
    let password = "Second-Passw0rd".to_owned();
    at_once(&account.update_password(password).await?)?;
    let own = BmcCredentials::new("nora".to_owned(), "Second-Passw0rd".to_owned());
    let seen = ServiceRoot::new(connect(own)?).await?.systems().await?;
    let seen = there(seen, "Systems")?.members().await?.len();
    let listed = there(service.accounts().await?, "Accounts")?;
    let listed = listed.all_accounts_data().await?;
    let found = listed
        .iter()
        .find(|one| one.raw().user_name.as_deref() == Some("nora"));
    let role = there(found, "the account")?.raw().role_id.clone();
    same("role", role.as_deref(), Some("Operator"))?;
    at_once(&there(found, "the account")?.delete().await?)?;
    Ok(format!("{seen} systems with its last password"))
}

async fn clear_log(root: &Root, machine: &Machine) -> Outcome<String> {
    let managers = there(root.managers().await?, "Managers")?.members().await?;
    let own = there(
        managers
            .iter()
            .find(|manager| manager.raw().id == machine.name()),
        "manager",
    )?;
    let logs = there(own.log_services().await?, "LogServices")?;
    let log = there(logs.first(), "log")?;
    at_once(&log.clear_log(None).await?)?;
    let said = machine.ipmitool(&["sel", "list"])?;
    same(
        "ipmitool's entries",
        said.lines().filter(|line| line.contains('|')).count(),
        0,
    )?;
    Ok("ipmitool finds it empty".to_owned())
}
