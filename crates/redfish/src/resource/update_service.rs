//! `/redfish/v1/UpdateService`: what firmware there is, and the ways in for another.

use redfish_schema::update_service as schema;
use redfish_schema::{OperationApplyTime, OperationApplyTimeSupport, Reference};
use serde_json::{Value, json};

use super::enabled;
use crate::caller::Caller;
use crate::part::Part;
use crate::task::Order;
use crate::update::Updates;
use crate::{ActionCall, BackendFuture, Document, Failure, Outcome};

/// Path of the service.
pub(crate) const PATH: &str = "/redfish/v1/UpdateService";
/// Path of the inventory, which is the backend's.
pub(crate) const FIRMWARE: &str = "/redfish/v1/UpdateService/FirmwareInventory";
/// Where images are sent to.
pub(crate) const PUSH: &str = "/redfish/v1/UpdateService/update-multipart";
/// The action that has the service fetch an image.
pub(crate) const SIMPLE_UPDATE: &str = "UpdateService.SimpleUpdate";
const START: &str = "UpdateService.StartUpdate";

impl Part for Updates {
    fn get(&self, rest: &[&str]) -> Result<Document, Failure> {
        match *rest {
            [] => service(self),
            _ => Err(Failure::NotFound),
        }
    }

    fn begin<'a>(
        &'a self,
        _rest: &'a [&'a str],
        call: &'a ActionCall,
        order: &'a Order,
    ) -> Option<BackendFuture<'a, u64>> {
        (call.action.name == SIMPLE_UPDATE).then(|| Box::pin(self.fetch(call, order)) as _)
    }

    fn action<'a>(
        &'a self,
        _rest: &'a [&'a str],
        call: &'a ActionCall,
        _caller: &'a Caller,
    ) -> BackendFuture<'a, Outcome> {
        Box::pin(async move {
            if call.action.name != START {
                return Err(Failure::NotFound);
            }
            self.start().await?;
            Ok(Outcome::Done)
        })
    }
}

fn service(updates: &Updates) -> Result<Document, Failure> {
    let can_update = updates.updater().is_some();
    let mut resource = schema::UpdateService {
        service_enabled: Some(can_update.into()),
        firmware_inventory: updates.has_inventory().then(|| Reference::to(FIRMWARE)),
        status: Some(enabled()),
        ..schema::UpdateService::new(PATH, "UpdateService", "Update Service")
    };
    if !can_update {
        return Document::of(&resource);
    }
    resource.max_image_size_bytes = i64::try_from(updates.longest_image()).ok().map(Into::into);
    resource.multipart_http_push_uri = Some(PUSH.to_owned());
    let support = OperationApplyTimeSupport::new(vec![
        OperationApplyTime::Immediate,
        OperationApplyTime::OnStartUpdateRequest,
    ]);
    let mut protocols = vec![schema::TransferProtocolType::HTTPS];
    if updates.may_fetch_clear() {
        protocols.push(schema::TransferProtocolType::HTTP);
    }
    resource.actions = Some(schema::Actions {
        simple_update: Some(schema::SimpleUpdateAction {
            transfer_protocol_allowable_values: Some(protocols),
            operation_apply_time_support: Some(support.clone()),
            ..schema::SimpleUpdateAction::new(format!("{PATH}/Actions/{SIMPLE_UPDATE}"))
        }),
        start_update: Some(schema::StartUpdateAction::new(format!(
            "{PATH}/Actions/{START}"
        ))),
    });
    let document = Document::of(&resource)?;
    let mut json: Value = serde_json::from_slice(document.json())
        .map_err(|error| Failure::Internal(error.to_string()))?;
    json["MultipartHttpPushUri@Redfish.OperationApplyTimeSupport"] = json!(support);
    let json = json.to_string().into_bytes().into();
    Ok(Document::from_json(document.resource(), json))
}
