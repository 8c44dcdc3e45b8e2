//! A BMC that a check talks to.

/// Where a BMC is and how to log in to it.
#[derive(Clone)]
pub(crate) struct Target {
    /// Name of the machine.
    pub(crate) name: String,
    /// IPv4 address.
    pub(crate) address: String,
    /// UDP port.
    pub(crate) port: u16,
    /// User name.
    pub(crate) username: String,
    /// Password.
    pub(crate) password: String,
}

impl Target {
    /// The same BMC with another password.
    pub(crate) fn with_password(&self, password: &str) -> Self {
        Self {
            password: password.to_owned(),
            ..self.clone()
        }
    }
}
