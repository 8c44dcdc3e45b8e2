//! Web pages of the service: a Redfish client embedded as files.
