//! The one mapping from hardware facts to Redfish resources.
