//! Collections that have members of the service and of its backend.

use serde_json::{Value, json};

use crate::{Document, Failure};

/// The collection `own` with the members of `theirs` before its own: what the backend has stays where clients know it.
/// What can be done to the collection is what `own` says.
///
/// # Errors
/// What the backend failed with, unless it has no such collection.
pub(crate) fn joined(
    own: Document,
    theirs: Result<Document, Failure>,
) -> Result<Document, Failure> {
    let theirs = match theirs {
        Ok(document) => document,
        Err(Failure::NotFound) => return Ok(own),
        Err(failure) => return Err(failure),
    };
    let parse = |document: &Document| -> Result<Value, Failure> {
        serde_json::from_slice(document.json()).map_err(|e| Failure::Internal(e.to_string()))
    };
    let (mut json, mut theirs) = (parse(&own)?, parse(&theirs)?);
    if let (Some(own), Some(Value::Array(mut members))) = (
        json.get_mut("Members").and_then(Value::as_array_mut),
        theirs.get_mut("Members").map(Value::take),
    ) {
        members.append(own);
        json["Members@odata.count"] = json!(members.len());
        json["Members"] = Value::Array(members);
    }
    let json = serde_json::to_vec(&json).map_err(|e| Failure::Internal(e.to_string()))?;
    Ok(own.with_json(json.into()))
}
