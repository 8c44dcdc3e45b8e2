//! The Redfish service: DSP0266 over HTTP, without any knowledge of hardware.
