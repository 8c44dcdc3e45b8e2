//! Messages of the Base registry: what becomes of requests.

use super::{Message, messages};

messages! {
    "Base", "1.16", "0", "Base Message Registry";

    /// The resource has no such action.
    action_not_supported(action): "ActionNotSupported", Critical,
        "The action %1 is not supported by the resource.",
        "The action supplied cannot be resubmitted to the implementation.  Perhaps the action was invalid, the wrong resource was the target or the implementation documentation may be of assistance.";

    /// The body lacks a parameter that the action needs.
    action_parameter_missing(action, parameter): "ActionParameterMissing", Critical,
        "The action %1 requires the parameter %2 to be present in the request body.",
        "Supply the action with the required parameter in the request body when the request is resubmitted.";

    /// The schema has this parameter; this resource doesn't support it.
    action_parameter_not_supported(parameter, action): "ActionParameterNotSupported", Warning,
        "The parameter %1 for the action %2 is not supported on the target resource.",
        "Remove the parameter supplied and resubmit the request if the operation failed.";

    /// The schema has no such parameter.
    action_parameter_unknown(action, parameter): "ActionParameterUnknown", Warning,
        "The action %1 was submitted with the invalid parameter %2.",
        "Correct the invalid action parameter and resubmit the request if the operation failed.";

    /// The value can't be had together with other parameters or the state of the resource.
    action_parameter_value_conflict(parameter, value): "ActionParameterValueConflict", Warning,
        "The parameter '%1' with the requested value of '%2' does not meet the constraints of the implementation.",
        "No resolution is required.";

    /// The value is wrong in a way that no other message says.
    action_parameter_value_error(parameter, action): "ActionParameterValueError", Warning,
        "The value for the parameter %1 in the action %2 is invalid.",
        "Correct the value for the parameter in the request body and resubmit the request if the operation failed.";

    /// The value has the right type and the wrong form.
    action_parameter_value_format_error(value, parameter, action): "ActionParameterValueFormatError", Warning,
        "The value '%1' for the parameter %2 in the action %3 is of a different format than the parameter can accept.",
        "Correct the value for the parameter in the request body and resubmit the request if the operation failed.";

    /// The value is none of the enumeration, or none of those that the resource allows.
    action_parameter_value_not_in_list(value, parameter, action): "ActionParameterValueNotInList", Warning,
        "The value '%1' for the parameter %2 in the action %3 is not in the list of acceptable values.",
        "Choose a value from the enumeration list that the implementation can support and resubmit the request if the operation failed.";

    /// The value has the wrong JSON type.
    action_parameter_value_type_error(value, parameter, action): "ActionParameterValueTypeError", Warning,
        "The value '%1' for the parameter %2 in the action %3 is of a different type than the parameter can accept.",
        "Correct the value for the parameter in the request body and resubmit the request if the operation failed.";

    /// A destination of events takes none.
    could_not_establish_connection(uri): "CouldNotEstablishConnection", Critical,
        "The service failed to establish a connection with the URI '%1'.",
        "Ensure that the URI contains a valid and reachable node name, protocol information, and other URI components.";

    /// The body of a create request lacks a property.
    create_failed_missing_req_properties(property): "CreateFailedMissingReqProperties", Critical,
        "The create operation failed because the required property %1 was missing from the request.",
        "Correct the body to include the required property with a valid value and resubmit the request if the operation failed.";

    /// As many members as the service keeps are there.
    create_limit_reached_for_resource(): "CreateLimitReachedForResource", Critical,
        "The create operation failed because the resource has reached the limit of possible resources.",
        "Either delete resources and resubmit the request if the operation failed or do not resubmit the request.";

    /// The body is `{}`.
    empty_json(): "EmptyJSON", Warning,
        "The request body submitted contained an empty JSON object and the service is unable to process it.",
        "Add properties in the JSON object and resubmit the request.";

    /// Events were lost before they could be sent: their reader was too slow, or away for too long.
    event_buffer_exceeded(): "EventBufferExceeded", Warning,
        "Undelivered events may have been lost due to exceeding the event buffer.",
        "None.";

    /// As many subscriptions, or streams of events, are there as the service keeps.
    event_subscription_limit_exceeded(): "EventSubscriptionLimitExceeded", Critical,
        "The event subscription failed due to the number of simultaneous subscriptions exceeding the limit of the implementation.",
        "Reduce the number of other subscriptions before trying to establish the event subscription or increase the limit of simultaneous subscriptions, if supported.";

    /// Several things went wrong, or something that no other message says.
    general_error(): "GeneralError", Critical,
        "A general error has occurred.  See Resolution for information on how to resolve the error, or @Message.ExtendedInfo if Resolution is not provided.",
        "None.";

    /// A header has a value that the service can't take.
    header_invalid(header): "HeaderInvalid", Critical,
        "Header '%1' is invalid.",
        "Resubmit the request with a valid request header.";

    /// A header that the request needs isn't there.
    header_missing(header): "HeaderMissing", Critical,
        "Required header '%1' is missing in the request.",
        "Resubmit the request with the required request header.";

    /// The account's role has none of the privileges that the operation needs.
    insufficient_privilege(): "InsufficientPrivilege", Critical,
        "There are insufficient privileges for the account or credentials associated with the current session to perform the requested operation.",
        "Either abandon the operation or change the associated access rights and resubmit the request if the operation failed.";

    /// The answer would be larger than the service makes.
    insufficient_storage(): "InsufficientStorage", Critical,
        "Insufficent storage or memory available to complete the request.",
        "Increase the free storage space available to the service and resubmit the request.";

    /// A fault of the service itself.
    internal_error(): "InternalError", Critical,
        "The request failed due to an internal service error.  The service is still operational.",
        "Resubmit the request.  If the problem persists, consider resetting the service.";

    /// No resource has this URI.
    invalid_uri(uri): "InvalidURI", Critical,
        "The URI %1 was not found.",
        "Provide a valid URI and resubmit the request.";

    /// The body is no JSON.
    malformed_json(): "MalformedJSON", Critical,
        "The request body submitted was malformed JSON and could not be parsed by the receiving service.",
        "Ensure that the request body is valid JSON and resubmit the request.";

    /// The body has only annotations: there is nothing to change.
    no_operation(): "NoOperation", Warning,
        "The request body submitted contain no data to act upon and no changes to the resource took place.",
        "Add properties in the JSON object and resubmit the request.";

    /// The request carries no valid credentials.
    no_valid_session(): "NoValidSession", Critical,
        "There is no valid session established with the implementation.",
        "Establish a session before attempting any operations.";

    /// What the service asked of something else failed.
    operation_failed(): "OperationFailed", Warning,
        "An error occurred internal to the service as part of the overall request.  Partial results may have been returned.",
        "Resubmit the request.  If the problem persists, consider resetting the service or provider.";

    /// The resource doesn't have this HTTP method.
    operation_not_allowed(): "OperationNotAllowed", Critical,
        "The HTTP method is not allowed on this resource.",
        "None.";

    /// What the service asked of something else had no answer in time.
    operation_timeout(): "OperationTimeout", Warning,
        "A timeout internal to the service occured as part of the request.  Partial results may have been returned.",
        "Resubmit the request.  If the problem persists, consider resetting the service or provider.";

    /// The password of the account that asks has to be changed before anything else.
    password_change_required(uri): "PasswordChangeRequired", Critical,
        "The password provided for this account must be changed before access is granted.  PATCH the Password property for this account located at the target URI '%1' to complete this process.",
        "Change the password for this account using a PATCH to the Password property at the URI provided.";

    /// The body is larger than the service takes.
    payload_too_large(): "PayloadTooLarge", Critical,
        "The supplied payload exceeds the maximum size supported by the service.",
        "Check that the supplied payload is correct and supported by this service.";

    /// `If-Match` names a state that the resource no longer has.
    precondition_failed(): "PreconditionFailed", Critical,
        "The ETag supplied did not match the ETag required to change this resource.",
        "Try the operation again using the appropriate ETag.";

    /// A property stands twice in one object of the body.
    property_duplicate(property): "PropertyDuplicate", Warning,
        "The property %1 was duplicated in the request.",
        "Remove the duplicate property from the request body and resubmit the request if the operation failed.";

    /// The request lacks a property that it needs.
    property_missing(property): "PropertyMissing", Warning,
        "The property %1 is a required property and must be included in the request.",
        "Ensure that the property is in the request body and has a valid value and resubmit the request if the operation failed.";

    /// The property is read-only.
    property_not_writable(property): "PropertyNotWritable", Warning,
        "The property %1 is a read only property and cannot be assigned a value.",
        "Remove the property from the request body and resubmit the request if the operation failed.";

    /// The resource has no such property.
    property_unknown(property): "PropertyUnknown", Warning,
        "The property %1 is not in the list of valid properties for the resource.",
        "Remove the unknown property from the request body and resubmit the request if the operation failed.";

    /// The value is wrong in a way that no other message says.
    property_value_error(property): "PropertyValueError", Warning,
        "The value provided for the property %1 is not valid.",
        "Correct the value for the property in the request body and resubmit the request if the operation failed.";

    /// The value is right and can't be had in the present state or configuration.
    property_value_external_conflict(property, value): "PropertyValueExternalConflict", Warning,
        "The property '%1' with the requested value of '%2' could not be written because the value is not available due to a configuration conflict.",
        "No resolution is required.";

    /// The value has the right type and the wrong form.
    property_value_format_error(value, property): "PropertyValueFormatError", Warning,
        "The value '%1' for the property %2 is of a different format than the property can accept.",
        "Correct the value for the property in the request body and resubmit the request if the operation failed.";

    /// The value is none of the enumeration, or none of those that the resource allows.
    property_value_not_in_list(value, property): "PropertyValueNotInList", Warning,
        "The value '%1' for the property %2 is not in the list of acceptable values.",
        "Choose a value from the enumeration list that the implementation can support and resubmit the request if the operation failed.";

    /// The number is too small or too large.
    property_value_out_of_range(value, property): "PropertyValueOutOfRange", Warning,
        "The value '%1' for the property %2 is not in the supported range of acceptable values.",
        "Correct the value for the property in the request body and resubmit the request if the operation failed.";

    /// The value has the wrong JSON type.
    property_value_type_error(value, property): "PropertyValueTypeError", Warning,
        "The value '%1' for the property %2 is of a different type than the property can accept.",
        "Correct the value for the property in the request body and resubmit the request if the operation failed.";

    /// Two query parameters of the request exclude one another.
    query_combination_invalid(): "QueryCombinationInvalid", Warning,
        "Two or more query parameters in the request cannot be used together.",
        "Remove one or more of the query parameters and resubmit the request if the operation failed.";

    /// Queries go with GET and HEAD only.
    query_not_supported_on_operation(): "QueryNotSupportedOnOperation", Warning,
        "Querying is not supported with the requested operation.",
        "Remove the query parameters and resubmit the request if the operation failed.";

    /// The resource isn't of the kind that the query parameter is for.
    query_not_supported_on_resource(): "QueryNotSupportedOnResource", Warning,
        "Querying is not supported on the requested resource.",
        "Remove the query parameters and resubmit the request if the operation failed.";

    /// The number in a query parameter is too small or too large.
    query_parameter_out_of_range(value, parameter, range): "QueryParameterOutOfRange", Warning,
        "The value '%1' for the query parameter %2 is out of range %3.",
        "Reduce the value for the query parameter to a value that is within range, such as a start or count value that is within bounds of the number of resources in a collection or a page that is within the range of valid pages.";

    /// The service doesn't know the query parameter.
    query_parameter_unsupported(parameter): "QueryParameterUnsupported", Warning,
        "Query parameter '%1' is not supported.",
        "Correct or remove the query parameter and resubmit the request.";

    /// The value of a query parameter has the wrong form.
    query_parameter_value_format_error(value, parameter): "QueryParameterValueFormatError", Warning,
        "The value '%1' for the parameter %2 is of a different format than the parameter can accept.",
        "Correct the value for the query parameter in the request and resubmit the request if the operation failed.";

    /// The value of a query parameter has the wrong type.
    query_parameter_value_type_error(value, parameter): "QueryParameterValueTypeError", Warning,
        "The value '%1' for the query parameter %2 is of a different type than the parameter can accept.",
        "Correct the value for the query parameter in the request and resubmit the request if the operation failed.";

    /// What the client wants to add is there already.
    resource_already_exists(resource, property, value): "ResourceAlreadyExists", Critical,
        "The requested resource of type %1 with the property %2 with the value %3 already exists.",
        "Do not repeat the create operation as the resource has already been created.";

    /// The credentials that came with the request open nothing.
    resource_at_uri_unauthorized(uri, error): "ResourceAtUriUnauthorized", Critical,
        "While accessing the resource at '%1', the service received an authorization error '%2'.",
        "Ensure that the appropriate access is provided for the service in order for it to access the URI.";

    /// The resource is busy with something else.
    resource_in_use(): "ResourceInUse", Warning,
        "The change to the requested resource failed because the resource is in use or in transition.",
        "Remove the condition and resubmit the request if the operation failed.";

    /// Somebody has disabled the service that the request is for.
    service_disabled(service): "ServiceDisabled", Warning,
        "The operation failed because the service at %1 is disabled and cannot accept requests.",
        "Enable the service and resubmit the request if the operation failed.";

    /// The service can't do it now; later it can.
    service_temporarily_unavailable(seconds): "ServiceTemporarilyUnavailable", Critical,
        "The service is temporarily unavailable.  Retry in %1 seconds.",
        "Wait for the indicated retry duration and retry the operation.";

    /// As many sessions are open as the service keeps.
    session_limit_exceeded(): "SessionLimitExceeded", Critical,
        "The session establishment failed due to the number of simultaneous sessions exceeding the limit of the implementation.",
        "Reduce the number of other sessions before trying to establish the session or increase the limit of simultaneous sessions, if supported.";

    /// The service ends a subscription; no event follows.
    subscription_terminated(): "SubscriptionTerminated", Ok,
        "The event subscription was terminated.",
        "None.";

    /// All of what was asked is done.
    success(): "Success", Ok,
        "The request completed successfully.",
        "None.";

    /// The body is in a form that the service can't read.
    unrecognized_request_body(): "UnrecognizedRequestBody", Warning,
        "The service detected a malformed request body that it was unable to interpret.",
        "Correct the request body and resubmit the request if it failed.";

}
