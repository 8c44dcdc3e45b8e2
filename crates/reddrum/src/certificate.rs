//! The service's certificate: the operator's own, or a self-signed one made at the first start.

use std::fs;
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use redfish::{CertificateOwner, Chain, Tls};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::shell::quoted;

/// Name of the certificate in the state folder.
const CERTIFICATE_FILE: &str = "certificate.pem";
/// Name of its private key.
const KEY_FILE: &str = "private_key.pem";
/// How long a self-signed certificate is valid, in days.
const VALID_DAYS: i64 = 825;

/// How often to look whether the operator's files have changed.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// What TLS shows at the start, and who takes care of it.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    chain: Chain,
    /// The operator's files, if it is his.
    files: Option<Files>,
    /// Who vouches for clients; nobody, unless named.
    client_authorities: Vec<CertificateDer<'static>>,
}

/// The operator's files: chain, key, and when they had been changed before they were read.
#[derive(Clone, Debug)]
struct Files {
    chain: PathBuf,
    key: PathBuf,
    seen: Option<(SystemTime, SystemTime)>,
}

/// Makes a folder that only its owner can look into, unless it is there.
pub(crate) fn private_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

/// What is to be told of a folder that others than its owner can look into.
pub(crate) fn open_to_others(folder: &Path) -> Option<String> {
    let mode = fs::metadata(folder).ok()?.mode() & 0o777;
    let name = folder.to_string_lossy();
    (mode & 0o077 != 0).then(|| {
        let quoted = quoted(&name);
        format!("others can look into {name} (mode {mode:04o}), which has secrets; run: chmod 700 {quoted}")
    })
}

impl Certificate {
    /// Makes a self-signed certificate for `host`, `localhost` and the machine's own name.
    pub(crate) fn self_signed(host: IpAddr) -> Result<Self, CertificateError> {
        let (certificate, key) = generate(host)?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let chain = Chain::new(vec![certificate.der().clone()], key);
        let chain = chain.map_err(|e| CertificateError(e.to_string()))?;
        Ok(Self {
            chain,
            files: None,
            client_authorities: Vec::new(),
        })
    }

    /// The operator's PEM files. The key must be readable by its owner only.
    pub(crate) fn load(chain: &Path, key: &Path) -> Result<Self, CertificateError> {
        let files = Files {
            seen: changed_at(chain, key),
            chain: chain.to_owned(),
            key: key.to_owned(),
        };
        Ok(Self {
            chain: read(chain, key)?,
            files: Some(files),
            client_authorities: Vec::new(),
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
        let chain = read(&chain, &key)?;
        Ok(Self {
            chain,
            files: None,
            client_authorities: Vec::new(),
        })
    }

    /// The same, with the certificate authorities in a PEM file: whoever shows a certificate of theirs is the account that
    /// its common name names.
    pub(crate) fn with_client_authorities(mut self, file: &Path) -> Result<Self, CertificateError> {
        let bad = |text: String| CertificateError(format!("{}: {text}", file.display()));
        let text = fs::read_to_string(file).map_err(|e| bad(e.to_string()))?;
        self.client_authorities = redfish::authorities(&text).map_err(|e| bad(e.to_string()))?;
        Ok(self)
    }

    /// TLS that shows it, and who takes care of it from now on.
    pub(crate) fn tls(&self) -> Result<(Arc<Tls>, CertificateOwner), CertificateError> {
        let tls = Tls::new(self.chain.clone(), &self.client_authorities)
            .map_err(|e| CertificateError(e.to_string()))?;
        let owner = if self.files.is_some() {
            CertificateOwner::Operator
        } else {
            CertificateOwner::Service
        };
        Ok((Arc::new(tls), owner))
    }

    /// Shows the operator's files anew whenever they have changed. Never completes.
    pub(crate) async fn follow_files(self, tls: Arc<Tls>) {
        // What changed since the start counts from there: the first look may come late.
        let Some(Files {
            chain,
            key,
            mut seen,
        }) = self.files
        else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(LOOK_INTERVAL).await;
            let now = changed_at(&chain, &key);
            // A file that is being written is looked at again when it is whole.
            if now == seen || now.is_none() {
                continue;
            }
            seen = now;
            let shown = read(&chain, &key).and_then(|chain| {
                tls.replace(chain)
                    .map_err(|e| CertificateError(e.to_string()))
            });
            match shown {
                Ok(()) => {
                    tracing::info!(target: "config", "the new certificate is shown from now on");
                }
                Err(error) => tracing::warn!(%error, "the old certificate stays"),
            }
        }
    }
}

/// When either file was changed last; `None` while one is missing.
fn changed_at(chain: &Path, key: &Path) -> Option<(SystemTime, SystemTime)> {
    let at = |path| fs::metadata(path).and_then(|found| found.modified()).ok();
    Some((at(chain)?, at(key)?))
}

fn read(chain: &Path, key: &Path) -> Result<Chain, CertificateError> {
    let bad = |path: &Path, text: String| CertificateError(format!("{}: {text}", path.display()));
    let mode = fs::metadata(key)
        .map_err(|e| bad(key, e.to_string()))?
        .mode()
        & 0o777;
    if mode & 0o077 != 0 {
        let remedy = format!(
            "others can read it (mode {mode:04o}); run: chmod 600 {}",
            quoted(&key.to_string_lossy())
        );
        return Err(bad(key, remedy));
    }
    let text = fs::read_to_string(chain).map_err(|e| bad(chain, e.to_string()))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|e| bad(key, e.to_string()))?;
    Chain::from_pem(&text, private).map_err(|e| bad(chain, e.to_string()))
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
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_folder_that_others_can_look_into_is_told_with_its_mode_and_the_remedy() {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("state");
        private_folder(&folder).unwrap();
        assert_eq!(open_to_others(&folder), None);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        let told = open_to_others(&folder).unwrap();
        assert!(
            told.contains("(mode 0755)") && told.contains("chmod 700 "),
            "{told}"
        );
    }

    #[test]
    fn the_first_start_makes_a_certificate_and_the_second_one_finds_it() {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("state");
        let host = IpAddr::from([127, 0, 0, 1]);
        Certificate::load_or_create(&folder, host).unwrap();
        let key = fs::read(folder.join(KEY_FILE)).unwrap();
        let second = Certificate::load_or_create(&folder, host).unwrap();
        assert_eq!(fs::read(folder.join(KEY_FILE)).unwrap(), key);
        let mode = fs::metadata(folder.join(KEY_FILE)).unwrap().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        second.tls().unwrap();
    }
}
