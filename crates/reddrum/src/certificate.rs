//! The service's certificate: the operator's own, or a self-signed one made at the first start.

use std::fs;
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// Name of the certificate in the state folder.
const CERTIFICATE_FILE: &str = "certificate.pem";
/// Name of its private key.
const KEY_FILE: &str = "private_key.pem";
/// How long a self-signed certificate is valid, in days.
const VALID_DAYS: i64 = 825;

/// A certificate chain with its private key. Debug shows nothing of the key.
pub(crate) struct Certificate {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Clone for Certificate {
    fn clone(&self) -> Self {
        Self {
            chain: self.chain.clone(),
            key: self.key.clone_key(),
        }
    }
}

/// Makes a folder that only its owner can look into, unless it is there.
pub(crate) fn private_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

impl Certificate {
    /// Makes a self-signed certificate for `host`, `localhost` and the machine's own name.
    pub(crate) fn self_signed(host: IpAddr) -> Result<Self, CertificateError> {
        let (certificate, key) = generate(host)?;
        Ok(Self {
            chain: vec![certificate.der().clone()],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        })
    }

    /// Reads PEM files. The key must be readable by its owner only.
    pub(crate) fn load(chain: &Path, key: &Path) -> Result<Self, CertificateError> {
        let bad =
            |path: &Path, text: String| CertificateError(format!("{}: {text}", path.display()));
        let mode = fs::metadata(key)
            .map_err(|e| bad(key, e.to_string()))?
            .mode()
            & 0o777;
        if mode & 0o077 != 0 {
            let remedy = format!(
                "others can read it (mode {mode:04o}); run: chmod 600 {}",
                key.display()
            );
            return Err(bad(key, remedy));
        }
        let certificates: Result<Vec<_>, _> =
            CertificateDer::pem_file_iter(chain).and_then(Iterator::collect);
        let certificates = certificates.map_err(|e| bad(chain, e.to_string()))?;
        if certificates.is_empty() {
            return Err(bad(chain, "holds no certificate in PEM form".to_owned()));
        }
        let private = PrivateKeyDer::from_pem_file(key).map_err(|e| bad(key, e.to_string()))?;
        Ok(Self {
            chain: certificates,
            key: private,
        })
    }

    /// The certificate in the state folder; makes folder and certificate at the first start.
    pub(crate) fn load_or_create(folder: &Path, host: IpAddr) -> Result<Self, CertificateError> {
        let (chain, key) = (folder.join(CERTIFICATE_FILE), folder.join(KEY_FILE));
        if !(chain.exists() && key.exists()) {
            let (certificate, pair) = generate(host)?;
            let write = || {
                private_folder(folder)?;
                // The key first: a certificate without its key would be taken for a complete pair.
                write_new(&key, 0o600, pair.serialize_pem().as_bytes())?;
                write_new(&chain, 0o644, certificate.pem().as_bytes())
            };
            write().map_err(|e| CertificateError(format!("{}: {e}", folder.display())))?;
        }
        Self::load(&chain, &key)
    }

    /// What TLS needs: 1.2 and 1.3, HTTP/2 and HTTP/1.1.
    pub(crate) fn into_server_config(self) -> Result<Arc<ServerConfig>, CertificateError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|e| CertificateError(e.to_string()))?
            .with_no_client_auth()
            .with_single_cert(self.chain, self.key);
        let mut config = config.map_err(|e| CertificateError(e.to_string()))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// Why there is no usable certificate.
#[derive(Debug)]
pub(crate) struct CertificateError(String);

impl std::fmt::Display for CertificateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "certificate: {}", self.0)
    }
}

impl std::error::Error for CertificateError {}

fn generate(host: IpAddr) -> Result<(rcgen::Certificate, rcgen::KeyPair), CertificateError> {
    let failed = |e: rcgen::Error| CertificateError(e.to_string());
    let mut names = vec!["localhost".to_owned(), host.to_string()];
    if let Ok(name) = fs::read_to_string("/proc/sys/kernel/hostname") {
        names.push(name.trim().to_owned());
    }
    names.dedup();
    let mut params = rcgen::CertificateParams::new(names).map_err(failed)?;
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "RedDrum");
    params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let now = time::OffsetDateTime::now_utc();
    params.not_before = now - time::Duration::days(1);
    params.not_after = now + time::Duration::days(VALID_DAYS);
    let key = rcgen::KeyPair::generate().map_err(failed)?;
    let certificate = params.self_signed(&key).map_err(failed)?;
    Ok((certificate, key))
}

/// Writes a file whole or not at all.
pub(crate) fn write_new(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_start_makes_a_certificate_and_the_second_one_finds_it() {
        let folder =
            std::env::temp_dir().join(format!("reddrum-certificate-{}", std::process::id()));
        let host = IpAddr::from([127, 0, 0, 1]);
        let first = Certificate::load_or_create(&folder, host).unwrap();
        let second = Certificate::load_or_create(&folder, host).unwrap();
        assert_eq!(first.chain, second.chain);
        let mode = fs::metadata(folder.join(KEY_FILE)).unwrap().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        fs::remove_dir_all(&folder).unwrap();
        second.into_server_config().unwrap();
    }
}
