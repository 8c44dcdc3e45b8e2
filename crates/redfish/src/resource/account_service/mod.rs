//! `/redfish/v1/AccountService`: accounts, roles and the rules for them (DSP0266 "Account service overview").

mod account;
pub(crate) mod authority;
mod role;

use std::sync::Arc;

use redfish_schema::account_service::{
    self as schema, BasicAuthState, LocalAccountAuth, MultiFactorAuth,
};
use redfish_schema::manager_account::AccountTypes;
use redfish_schema::{CheckedCreate, CheckedPatch, Reference};
use serde_json::{Map, Value};

use super::{enabled, registries};
use crate::account::{Accounts, MAX_EXPIRATION_DAYS, MAX_FAILURES, MAX_LOCKOUT_S, Policy};
use crate::caller::Caller;
use crate::message;
use crate::part::{Created, Part};
use crate::trust::Trust;
use crate::{ActionCall, BackendFuture, Document, Failure, MAX_PASSWORD, Outcome};

pub(crate) use account::path_of as account_path;

/// Path of the service.
pub(crate) const PATH: &str = "/redfish/v1/AccountService";

const MULTI_FACTOR_AUTH: &str = "MultiFactorAuth";

/// The part of the tree below [`PATH`].
pub(crate) struct AccountService {
    pub(crate) accounts: Arc<Accounts>,
    /// Who vouches for clients with certificates. `None` where the service has no TLS of its own.
    pub(crate) trust: Option<Trust>,
}

impl Part for AccountService {
    fn get(&self, rest: &[&str]) -> Result<Document, Failure> {
        match *rest {
            [] => service(&self.accounts.policy(), self.trust.as_ref()),
            ["Accounts"] => account::collection(&self.accounts),
            ["Accounts", id] => account::member(&self.accounts, id),
            ["Roles"] => role::collection(&self.accounts),
            ["Roles", id] => role::member(&self.accounts, id),
            ["MultiFactorAuth", "ClientCertificate", "Certificates"] => {
                authority::collection(self.trust()?)
            }
            ["MultiFactorAuth", "ClientCertificate", "Certificates", id] => {
                authority::member(self.trust()?, id)
            }
            _ => Err(Failure::NotFound),
        }
    }

    fn patch<'a>(
        &'a self,
        rest: &'a [&'a str],
        patch: &'a CheckedPatch,
        caller: &'a Caller,
    ) -> BackendFuture<'a, Outcome> {
        Box::pin(async move {
            match *rest {
                [] => self.set_policy(patch, caller).await?,
                ["Accounts", id] => account::patch(&self.accounts, id, patch, caller).await?,
                ["Roles", id] => role::patch(&self.accounts, id, patch).await?,
                _ => return Err(Failure::NotChangeable),
            }
            Ok(Outcome::Done)
        })
    }

    fn create<'a>(
        &'a self,
        rest: &'a [&'a str],
        new: &'a CheckedCreate,
        caller: &'a Caller,
    ) -> BackendFuture<'a, Created> {
        Box::pin(async move {
            let path = match *rest {
                ["Accounts"] => account::create(&self.accounts, new, caller).await?,
                ["Roles"] => role::create(&self.accounts, new).await?,
                ["MultiFactorAuth", "ClientCertificate", "Certificates"] => {
                    authority::create(self.trust()?, new, caller).await?
                }
                _ => return Err(Failure::NotChangeable),
            };
            Ok(Created(path))
        })
    }

    fn delete<'a>(&'a self, rest: &'a [&'a str], caller: &'a Caller) -> BackendFuture<'a, ()> {
        Box::pin(async move {
            match *rest {
                ["Accounts", id] => self.accounts.remove(id).await,
                ["Roles", id] => self.accounts.remove_role(id).await,
                ["MultiFactorAuth", "ClientCertificate", "Certificates", id] => {
                    authority::delete(self.trust()?, id, caller).await
                }
                _ => Err(Failure::NotChangeable),
            }
        })
    }

    fn action<'a>(
        &'a self,
        rest: &'a [&'a str],
        call: &'a ActionCall,
        caller: &'a Caller,
    ) -> BackendFuture<'a, Outcome> {
        Box::pin(async move {
            match *rest {
                ["Accounts", id] => {
                    account::change_password(&self.accounts, id, call, caller).await?;
                    Ok(Outcome::Done)
                }
                _ => Err(Failure::NotFound),
            }
        })
    }
}

impl AccountService {
    fn trust(&self) -> Result<&Trust, Failure> {
        self.trust.as_ref().ok_or(Failure::NotFound)
    }

    async fn set_policy(&self, patch: &CheckedPatch, caller: &Caller) -> Result<(), Failure> {
        let mut policy = Policy::clone(&self.accounts.policy());
        let mut changes = patch.changes().clone();
        let factors = changes.remove(MULTI_FACTOR_AUTH);
        for (name, value) in &changes {
            set(&mut policy, name, value)?;
        }
        if let Some(Value::Object(factors)) = factors {
            self.set_factors(factors, caller).await?;
        }
        if changes.is_empty() {
            return Ok(());
        }
        let apply = move |policy: &mut Policy| {
            for (name, value) in &changes {
                // It fits, as was seen just now; on top of what others changed since.
                let _ = set(policy, name, value);
            }
        };
        self.accounts.set_policy(apply).await
    }

    /// Certificates of clients are the one other factor that there is.
    async fn set_factors(
        &self,
        mut factors: Map<String, Value>,
        caller: &Caller,
    ) -> Result<(), Failure> {
        let certificates = factors.remove("ClientCertificate");
        let (None, Some(Value::Object(changes)), Some(trust)) =
            (factors.keys().next(), certificates, &self.trust)
        else {
            let other = factors.keys().next();
            let other = other.map_or("ClientCertificate", String::as_str);
            return Err(not_writable(&format!("{MULTI_FACTOR_AUTH}/{other}")));
        };
        trust.set(&changes, caller.shows_certificate()).await
    }
}

/// Sets one property. The schema has checked type and words.
fn set(policy: &mut Policy, name: &str, value: &Value) -> Result<(), Failure> {
    let number = |least: u32, most: u32| -> Result<u32, Failure> {
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        number
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| {
                let message = message::property_value_out_of_range(value.to_string(), name);
                refused(message, name, &format!("Choose {least} to {most}."))
            })
    };
    // What can be `null` is switched off by it.
    let or_off = |most: u32| {
        if value.is_null() {
            Ok(0)
        } else {
            number(0, most)
        }
    };
    let longest = u32::try_from(MAX_PASSWORD).unwrap_or(u32::MAX);
    match name {
        "MinPasswordLength" => policy.min_password_length = number(1, longest)?,
        "MaxPasswordLength" => policy.max_password_length = number(1, longest)?,
        "AccountLockoutThreshold" => policy.lockout_threshold = or_off(MAX_FAILURES)?,
        "AccountLockoutDuration" => policy.lockout_duration_s = or_off(MAX_LOCKOUT_S)?,
        "AccountLockoutCounterResetAfter" => {
            policy.counter_reset_after_s = number(0, MAX_LOCKOUT_S)?;
        }
        "AccountLockoutCounterResetEnabled" => {
            policy.counter_reset_enabled = value.as_bool().unwrap_or(true);
        }
        "AuthFailureLoggingThreshold" => {
            policy.failure_logging_threshold = number(0, MAX_FAILURES)?;
        }
        "PasswordExpirationDays" if value.is_null() => policy.password_expiration_days = None,
        "PasswordExpirationDays" => {
            policy.password_expiration_days = Some(number(1, MAX_EXPIRATION_DAYS)?);
        }
        "RequireChangePasswordAction" => {
            policy.change_by_action_only = value.as_bool().unwrap_or_default();
        }
        "HTTPBasicAuth" => {
            let word = value.as_str().and_then(BasicAuthState::from_word);
            policy.basic_auth = word.ok_or_else(|| {
                let message = message::property_value_type_error(value.to_string(), name);
                refused(message, name, "Choose Enabled, Unadvertised or Disabled.")
            })?;
        }
        "LocalAccountAuth" => {
            if value.as_str() != Some(LocalAccountAuth::Enabled.as_str()) {
                let word = value.as_str().unwrap_or_default();
                let message = message::property_value_not_in_list(word, name);
                let remedy = "All accounts are local: it stays Enabled.";
                return Err(refused(message, name, remedy));
            }
        }
        _ => return Err(not_writable(name)),
    }
    Ok(())
}

fn refused(message: message::Message, property: &str, remedy: &str) -> Failure {
    let message = message.about(format!("/{property}"));
    Failure::Messages(vec![message.with_resolution(remedy)])
}

fn not_writable(property: &str) -> Failure {
    Failure::PropertyNotWritable {
        pointer: format!("/{property}"),
    }
}

fn service(policy: &Policy, trust: Option<&Trust>) -> Result<Document, Failure> {
    let mut resource = schema::AccountService::new(PATH, "AccountService", "Account Service");
    resource.service_enabled = Some(true.into());
    resource.min_password_length = Some(policy.min_password_length.into());
    resource.max_password_length = Some(policy.max_password_length.into());
    resource.password_expiration_days = Some(policy.password_expiration_days.map(i64::from).into());
    resource.require_change_password_action = Some(policy.change_by_action_only.into());
    resource.account_lockout_threshold = Some(i64::from(policy.lockout_threshold).into());
    resource.account_lockout_duration = Some(i64::from(policy.lockout_duration_s).into());
    resource.account_lockout_counter_reset_after = Some(policy.counter_reset_after_s.into());
    resource.account_lockout_counter_reset_enabled = Some(policy.counter_reset_enabled);
    resource.auth_failure_logging_threshold = Some(policy.failure_logging_threshold.into());
    resource.supported_account_types = Some(vec![AccountTypes::Redfish]);
    resource.local_account_auth = Some(LocalAccountAuth::Enabled);
    resource.http_basic_auth = Some(policy.basic_auth.into());
    resource.multi_factor_auth = Some(
        MultiFactorAuth {
            client_certificate: Some(authority::settings(trust).into()),
        }
        .into(),
    );
    resource.accounts = Some(Reference::to(account::COLLECTION));
    resource.roles = Some(Reference::to(role::COLLECTION));
    resource.privilege_map = Some(Reference::to(registries::privileges_uri()));
    resource.status = Some(enabled());
    Document::of(&resource).map(Document::changeable)
}
