//! What an action takes here: its `ActionInfo` (DSP0266 "Action info annotation"), and the refusal of everything else.
//!
//! Both are made from the schema's parameters, the allowable values that the resource shows, and [`LIMITS`]. So what is
//! announced is what is taken.

use redfish_schema::action_info::{self as schema, ActionInfo, ParameterTypes, Parameters};
use redfish_schema::{Action, CheckedParameters, Kind, Property};
use serde_json::{Map, Value};

use crate::action::refuse_not_allowed;
use crate::error::Error;
use crate::fault::{allowable, choose_one_of};
use crate::message::{self, Message};
use crate::{Document, Failure, Path};

/// Where the schema has more of an action than the service.
struct Limit {
    action: &'static str,
    /// Parameters that it doesn't take.
    not_supported: &'static [&'static str],
    /// Parameters that it needs, though the schema doesn't.
    required: &'static [&'static str],
    /// Texts that it takes for a parameter.
    words: &'static [(&'static str, &'static [&'static str])],
}

/// An action that isn't here is taken as the schema has it.
static LIMITS: [Limit; 5] = [
    Limit {
        action: "ComputerSystem.Reset",
        not_supported: &[],
        // Any guess could stop a machine that works.
        required: &["ResetType"],
        words: &[],
    },
    Limit {
        action: "LogService.ClearLog",
        not_supported: &["LogEntriesETag"],
        required: &[],
        words: &[],
    },
    Limit {
        action: "CertificateService.GenerateCSR",
        not_supported: &[
            "ChallengePassword",
            "ContactPerson",
            "Email",
            "GivenName",
            "Initials",
            "KeyBitLength",
            "KeyUsage",
            "Surname",
            "UnstructuredName",
        ],
        required: &[],
        words: &[
            (
                "KeyPairAlgorithm",
                &["TPM_ALG_ECDH", "TPM_ALG_ECDSA", "TPM_ALG_EDDSA"],
            ),
            (
                "KeyCurveId",
                &[
                    "TPM_ECC_NIST_P256",
                    "TPM_ECC_NIST_P384",
                    "TPM_ECC_CURVE_25519",
                ],
            ),
        ],
    },
    Limit {
        action: "CertificateService.ReplaceCertificate",
        not_supported: &["Password"],
        required: &[],
        words: &[],
    },
    Limit {
        action: "UpdateService.SimpleUpdate",
        not_supported: &["ExcludeTargets", "LocalImage", "Stage"],
        required: &[],
        words: &[],
    },
];

impl Limit {
    fn of(action: &Action) -> Option<&'static Self> {
        LIMITS.iter().find(|limit| limit.action == action.name)
    }

    fn words(&self, parameter: &str) -> Option<&'static [&'static str]> {
        let named = self.words.iter().find(|(name, _)| *name == parameter);
        named.map(|(_, words)| *words)
    }
}

/// Refuses parameters that fit the schema, and not this resource or this service.
pub(crate) fn refuse_foreign(
    action: &Action,
    parameters: &CheckedParameters,
    offered: &Value,
) -> Result<(), Error> {
    refuse_not_allowed(parameters, offered, action.name)?;
    let Some(limit) = Limit::of(action) else {
        return Ok(());
    };
    let about = |message: Message, name: &str| message.about(format!("/{name}"));
    let mut refused = Vec::new();
    for name in parameters.names() {
        if limit.not_supported.contains(&name) {
            let message = message::action_parameter_not_supported(name, action.name);
            refused.push(about(message, name));
        }
        if let (Some(words), Some(text)) = (limit.words(name), parameters.text(name))
            && !words.contains(&text)
        {
            let message = message::action_parameter_value_not_in_list(text, name, action.name);
            refused.push(about(message, name).with_resolution(choose_one_of(words)));
        }
    }
    let missing = limit
        .required
        .iter()
        .filter(|name| parameters.get(name).is_none());
    refused.extend(missing.map(|name| {
        let message = message::action_parameter_missing(action.name, *name);
        let words = allowable(offered, &format!("/{name}"));
        let message = about(message, name);
        match words {
            Some(words) => message.with_resolution(choose_one_of(&words)),
            None => message,
        }
    }));
    if refused.is_empty() {
        Ok(())
    } else {
        Err(Error::Faults(refused))
    }
}

/// Whether the resource that `path` may be is an `ActionInfo`.
pub(crate) fn is_one(path: &Path) -> bool {
    path.last().ends_with("ActionInfo")
}

/// The `ActionInfo` at `path`, which the action of `resource` that it is about links to.
pub(crate) fn document(path: &Path, resource: &Document) -> Result<Document, Failure> {
    let internal = |error: serde_json::Error| Failure::Internal(error.to_string());
    let shown: Value = serde_json::from_slice(resource.json()).map_err(internal)?;
    let offered = shown["Actions"].as_object().ok_or(Failure::NotFound)?;
    let (name, offered) = offered
        .iter()
        .find(|(_, offered)| offered["@Redfish.ActionInfo"] == path.as_str())
        .ok_or(Failure::NotFound)?;
    let action = resource.resource().action(name.trim_start_matches('#'));
    let action = action.ok_or(Failure::NotFound)?;
    let info = ActionInfo {
        description: Some(format!("What the action {} takes here", action.name).into()),
        parameters: Some(parameters(action, offered)),
        ..ActionInfo::new(path.last(), format!("Parameters of {}", action.name))
    };
    let mut json = Map::new();
    json.insert("@odata.id".to_owned(), path.as_str().into());
    if let Value::Object(info) = serde_json::to_value(&info).map_err(internal)? {
        json.extend(info);
    }
    let json = serde_json::to_vec(&json).map_err(internal)?;
    Ok(Document::from_json(&schema::TYPE, json.into()))
}

fn parameters(action: &Action, offered: &Value) -> Vec<Parameters> {
    let limit = Limit::of(action);
    let is_supported =
        |one: &&Property| limit.is_none_or(|limit| !limit.not_supported.contains(&one.name));
    let supported = action.parameters.iter().filter(is_supported);
    supported
        .map(|one| parameter(one, limit, offered))
        .collect()
}

fn parameter(one: &Property, limit: Option<&Limit>, offered: &Value) -> Parameters {
    let (item, is_array) = match &one.kind {
        Kind::Array { item, .. } => (*item, true),
        kind => (kind, false),
    };
    let shown = allowable(offered, &format!("/{}", one.name));
    let words = shown.or_else(|| Some(limit?.words(one.name)?.to_vec()));
    let words = words.or_else(|| match item {
        Kind::Enumeration(list) => Some(list.members.to_vec()),
        _ => None,
    });
    let (minimum, maximum) = match item {
        Kind::Integer { minimum, maximum } | Kind::Number { minimum, maximum } => {
            (*minimum, *maximum)
        }
        _ => (None, None),
    };
    let pattern = match item {
        Kind::String { pattern } => pattern.map(|pattern| pattern.source().to_owned()),
        _ => None,
    };
    let needed = limit.is_some_and(|limit| limit.required.contains(&one.name));
    #[expect(
        clippy::cast_precision_loss,
        reason = "bounds of the schema are far below 2^53"
    )]
    let number = |bound: i64| (bound as f64).into();
    Parameters {
        required: Some(needed || redfish_schema::is_required_parameter(one)),
        data_type: data_type(item, is_array).map(Into::into),
        allowable_values: words.map(|words| words.into_iter().map(str::to_owned).collect()),
        minimum_value: minimum.map(number),
        maximum_value: maximum.map(number),
        allowable_pattern: pattern.map(Into::into),
        ..Parameters::new(one.name)
    }
}

/// The JSON type of a parameter. A mixture of types has no word.
const fn data_type(item: &Kind, is_array: bool) -> Option<ParameterTypes> {
    Some(match (item, is_array) {
        (Kind::Boolean, false) => ParameterTypes::Boolean,
        (Kind::Integer { .. } | Kind::Number { .. }, false) => ParameterTypes::Number,
        (Kind::Integer { .. } | Kind::Number { .. }, true) => ParameterTypes::NumberArray,
        (Kind::Object(_) | Kind::Reference(_), false) => ParameterTypes::Object,
        (Kind::Object(_) | Kind::Reference(_), true) => ParameterTypes::ObjectArray,
        (Kind::Boolean, true) | (Kind::Primitive | Kind::Array { .. }, _) => return None,
        (_, false) => ParameterTypes::String,
        (_, true) => ParameterTypes::StringArray,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_is_of_an_action_and_of_parameters_that_the_schema_has() {
        let actions: Vec<&Action> = redfish_schema::all()
            .iter()
            .flat_map(|resource| resource.actions())
            .collect();
        for limit in &LIMITS {
            let action = actions.iter().find(|action| action.name == limit.action);
            let action = action.unwrap_or_else(|| panic!("{}", limit.action));
            let words = limit.words.iter().map(|(name, _)| name);
            for name in limit
                .not_supported
                .iter()
                .chain(limit.required)
                .chain(words)
            {
                assert!(action.parameter(name).is_some(), "{}: {name}", limit.action);
            }
            for name in limit.required {
                assert!(!limit.not_supported.contains(name));
            }
        }
    }
}
