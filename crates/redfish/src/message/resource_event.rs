//! Messages of the ResourceEvent registry: what happens to resources.

use super::{Message, messages};

messages! {
    "ResourceEvent", "1.3", "0", "Resource Event Message Registry";

    /// Properties of the resource have another value, and no other message says which.
    resource_changed(): "ResourceChanged", Ok,
        "One or more resource properties have changed.",
        "None.";

    /// The resource is new.
    resource_created(): "ResourceCreated", Ok,
        "The resource has been created successfully.",
        "None";

    /// Something is wrong with `property`: an error of the kind `error`.
    resource_errors_detected(property, error): "ResourceErrorsDetected", Warning,
        "The resource property %1 has detected errors of type '%2'.",
        "Resolution dependent upon error type.";

    /// `PowerState` has become `Paused`.
    resource_paused(resource): "ResourcePaused", Ok,
        "The resource `%1` has been paused.",
        "None.";

    /// `PowerState` has become `Off`.
    resource_powered_off(resource): "ResourcePoweredOff", Ok,
        "The resource `%1` has powered off.",
        "None.";

    /// `PowerState` has become `On`.
    resource_powered_on(resource): "ResourcePoweredOn", Ok,
        "The resource `%1` has powered on.",
        "None.";

    /// `PowerState` has become `PoweringOff`.
    resource_powering_off(resource): "ResourcePoweringOff", Ok,
        "The resource `%1` is powering off.",
        "None.";

    /// `PowerState` has become `PoweringOn`.
    resource_powering_on(resource): "ResourcePoweringOn", Ok,
        "The resource `%1` is powering on.",
        "None.";

    /// The resource is gone.
    resource_removed(): "ResourceRemoved", Ok,
        "The resource has been removed successfully.",
        "None";

    /// `Status.State` of the resource has changed to `state`.
    resource_state_changed(resource, state): "ResourceStateChanged", Ok,
        "The state of resource `%1` has changed to %2.",
        "None.";

    /// `Status.Health` of the resource has become `Critical`.
    resource_status_changed_critical(resource, health): "ResourceStatusChangedCritical", Critical,
        "The health of resource `%1` has changed to %2.",
        "None.";

    /// `Status.Health` of the resource has become `OK`.
    resource_status_changed_ok(resource, health): "ResourceStatusChangedOK", Ok,
        "The health of resource '%1' has changed to %2.",
        "None.";

    /// `Status.Health` of the resource has become `Warning`.
    resource_status_changed_warning(resource, health): "ResourceStatusChangedWarning", Warning,
        "The health of resource `%1` has changed to %2.",
        "None.";

    /// Somebody asked for an event to see whether it arrives.
    test_message(): "TestMessage", Ok,
        "Test message.",
        "None.";
}
