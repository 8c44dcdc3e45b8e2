//! Redfish resources and property tables compiled from DMTF's CSDL.
