//! Where the `ActionInfo` of an action is.

/// `/redfish/v1/Systems/1/ResetActionInfo` for the target `/redfish/v1/Systems/1/Actions/ComputerSystem.Reset`: below
/// the resource, as the schema's own examples have it. `None` for what is no action's target.
pub(crate) fn uri_for(target: &str) -> Option<String> {
    let (resource, action) = target.rsplit_once("/Actions/")?;
    let (_, short) = action.rsplit_once('.')?;
    Some(format!("{resource}/{short}ActionInfo"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_below_the_resource_and_named_after_the_action() {
        let target = "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset";
        assert_eq!(
            uri_for(target).as_deref(),
            Some("/redfish/v1/Systems/1/ResetActionInfo")
        );
        assert_eq!(uri_for("/redfish/v1/Systems/1"), None);
    }
}
