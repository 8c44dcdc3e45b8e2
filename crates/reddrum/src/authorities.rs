//! The certificate authorities that servers are checked against: receivers of events, servers of images, lists of BMCs.

use std::path::Path;
use std::sync::Arc;

use redfish::DestinationSettings;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::config::DestinationsConfig;
use crate::error::ProgramError;

/// What the service is told about the servers of a section, `[events]` or `[update]`.
pub(crate) fn destination_settings(
    config: &DestinationsConfig,
    section: &str,
) -> Result<DestinationSettings, ProgramError> {
    let authorities = match &config.ca_file {
        Some(file) => of_file(file).map_err(|text| {
            ProgramError::Usage(format!("{section} ca_file {}: {text}", file.display()))
        })?,
        None => of_machine(section),
    };
    Ok(DestinationSettings {
        allow_destinations: config.allow_destinations.clone(),
        allow_clear_text: config.allow_clear_text,
        authorities: Arc::new(authorities),
    })
}

/// Every authority of a PEM file.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn of_file(file: &Path) -> Result<RootCertStore, String> {
    let certificates =
        CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut store = RootCertStore::empty();
    for certificate in certificates.map_err(|e| e.to_string())? {
        store.add(certificate).map_err(|e| e.to_string())?;
    }
    if store.is_empty() {
        return Err("holds no certificate in PEM form".to_owned());
    }
    Ok(store)
}

/// What the machine trusts. A file of it that can't be read leaves the others.
pub(crate) fn of_machine(section: &str) -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a certificate authority of this machine can't be read");
    }
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(found.certs);
    if store.is_empty() {
        tracing::warn!(
            "this machine trusts no certificate authority, so no certificate of a server can be verified. {section} \
             ca_file names a file of authorities"
        );
    }
    store
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_of_authorities_is_read_and_one_without_any_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let config = DestinationsConfig {
            ca_file: Some(file.clone()),
            ..DestinationsConfig::default()
        };
        assert!(destination_settings(&config, "[events]").is_err());
        fs::write(&file, "nothing\n").unwrap();
        let error = destination_settings(&config, "[events]")
            .unwrap_err()
            .to_string();
        assert!(error.contains("holds no certificate"), "{error}");
        let key = rcgen::KeyPair::generate().unwrap();
        let parameters = rcgen::CertificateParams::new(vec!["ca.example".to_owned()]).unwrap();
        let authority = parameters.self_signed(&key).unwrap();
        fs::write(&file, authority.pem()).unwrap();
        assert_eq!(
            destination_settings(&config, "[events]")
                .unwrap()
                .authorities
                .len(),
            1
        );
    }
}
