//! The life of the service's certificate: asked for, brought, kept and shown.

use std::sync::{Arc, PoisonError, RwLock};

use redfish_schema::certificate::CertificateType;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::message;
use crate::store::{Batch, Store, StoreError, Table};
use crate::tls::{
    CertificateOwner, Chain, ChainError, CsrRequest, Facts, KeyKind, PendingKey, Tls,
};
use crate::{Failure, Settings};

const CERTIFICATES: Table = Table("certificates");
/// The chain that a client brought, with its key.
const HTTPS: &str = "https";
/// The key of the last signing request.
const PENDING: &str = "https-pending";

/// A chain as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    chain: String,
    key: Zeroizing<String>,
}

/// The service's certificate.
pub(crate) struct Certificates {
    tls: Arc<Tls>,
    owner: CertificateOwner,
    store: Store,
    pending: Arc<RwLock<Option<PendingKey>>>,
}

impl Certificates {
    /// The certificate of a service that has HTTPS of its own.
    pub(crate) fn of(settings: &Settings) -> Result<Option<Arc<Self>>, StoreError> {
        let Some((tls, owner)) = &settings.tls else {
            return Ok(None);
        };
        let loaded = Self::load(Arc::clone(tls), *owner, settings.store.clone())?;
        Ok(Some(Arc::new(loaded)))
    }

    /// Takes up what a client brought, if the certificate is the service's to keep.
    fn load(tls: Arc<Tls>, owner: CertificateOwner, store: Store) -> Result<Self, StoreError> {
        let mut pending = None;
        if owner == CertificateOwner::Service {
            for (key, kept) in store.load::<serde_json::Value>(CERTIFICATES)? {
                let unreadable = |e: serde_json::Error| StoreError::Entry(format!("{key}: {e}"));
                match key.as_str() {
                    PENDING => pending = Some(serde_json::from_value(kept).map_err(unreadable)?),
                    HTTPS => {
                        let kept: Kept = serde_json::from_value(kept).map_err(unreadable)?;
                        let unusable = |e: ChainError| StoreError::Entry(format!("{HTTPS}: {e}"));
                        tls.replace(kept.chain().map_err(unusable)?)
                            .map_err(unusable)?;
                    }
                    _ => {}
                }
            }
        }
        let pending = Arc::new(RwLock::new(pending));
        Ok(Self {
            tls,
            owner,
            store,
            pending,
        })
    }

    /// Whether a client may replace it.
    pub(crate) fn is_replaceable(&self) -> bool {
        self.owner == CertificateOwner::Service
    }

    /// The certificates that TLS shows, in PEM form, and how many.
    pub(crate) fn pem(&self) -> (String, CertificateType) {
        let pem = self.tls.chain().pem();
        let kind = match pem.matches("BEGIN CERTIFICATE").count() {
            1 => CertificateType::PEM,
            _ => CertificateType::PEMchain,
        };
        (pem, kind)
    }

    /// What the service's own certificate says.
    pub(crate) fn facts(&self) -> Option<Facts> {
        Facts::of(self.tls.chain().leaf())
    }

    /// A new key that waits for its certificate, and the request for that in PEM form. It takes the place of the last
    /// one that waited.
    pub(crate) async fn request(
        &self,
        kind: KeyKind,
        request: &CsrRequest,
    ) -> Result<String, Failure> {
        self.refuse_operators()?;
        let (pending, csr) = PendingKey::make(kind, request).map_err(|cause| {
            let message = message::action_parameter_value_error(
                "AlternativeNames",
                "CertificateService.GenerateCSR",
            );
            Failure::Messages(vec![
                message.with_resolution(format!("A signing request can't hold this: {cause}.")),
            ])
        })?;
        let mut batch = Batch::default();
        batch.put(CERTIFICATES, PENDING, &pending)?;
        let waits = Arc::clone(&self.pending);
        let apply = move || {
            *waits.write().unwrap_or_else(PoisonError::into_inner) = Some(pending);
        };
        self.store.commit(batch, apply).await?;
        Ok(csr)
    }

    /// Shows a chain that a client brought, from the next connection on. Its key is in the text, or is that of the last
    /// request, or the present one.
    pub(crate) async fn replace(&self, text: &str) -> Result<(), Failure> {
        self.refuse_operators()?;
        let (chain, is_pending) = self.with_key(text).map_err(|error| wrong(&error))?;
        if let Some(facts) = Facts::of(chain.leaf()) {
            refuse_expired(&facts)?;
        }
        let kept = Kept::of(&chain);
        let mut batch = Batch::default();
        batch.put(CERTIFICATES, HTTPS, &kept)?;
        if is_pending {
            batch.remove(CERTIFICATES, PENDING);
        }
        let (tls, waits) = (Arc::clone(&self.tls), Arc::clone(&self.pending));
        let apply = move || {
            if let Err(error) = tls.replace(chain) {
                tracing::error!(%error, "certificate not shown");
            }
            if is_pending {
                *waits.write().unwrap_or_else(PoisonError::into_inner) = None;
            }
        };
        self.store.commit(batch, apply).await?;
        Ok(())
    }

    /// The chain with the first key that fits, and whether that is the waiting one.
    fn with_key(&self, text: &str) -> Result<(Chain, bool), ChainError> {
        let waiting = self.pending.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = waiting.as_ref().and_then(PendingKey::key) {
            match Chain::from_pem(text, key) {
                Err(ChainError::ForeignKey) => {}
                other => return other.map(|chain| (chain, true)),
            }
        }
        let present = self.tls.chain().key().clone_key();
        Chain::from_pem(text, present).map(|chain| (chain, false))
    }

    fn refuse_operators(&self) -> Result<(), Failure> {
        if self.is_replaceable() {
            return Ok(());
        }
        Err(Failure::InUse {
            reason: "The operator keeps the certificate in files. Replace the files: the service reads them again \
                     by itself."
                .to_owned(),
        })
    }
}

impl Kept {
    fn of(chain: &Chain) -> Self {
        let key = crate::tls::pem("PRIVATE KEY", chain.key().secret_der());
        Self {
            chain: chain.pem(),
            key: Zeroizing::new(key),
        }
    }

    fn chain(&self) -> Result<Chain, ChainError> {
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes());
        let key = key.map_err(|e| ChainError::Pem(e.to_string()))?;
        Chain::from_pem(&self.chain, key)
    }
}

fn wrong(error: &ChainError) -> Failure {
    let message = message::action_parameter_value_error(
        "CertificateString",
        "CertificateService.ReplaceCertificate",
    );
    Failure::Messages(vec![
        message
            .about("/CertificateString")
            .with_resolution(format!("The certificate isn't taken: {error}.")),
    ])
}

fn refuse_expired(facts: &Facts) -> Result<(), Failure> {
    let now = redfish_schema::DateTime::from(std::time::SystemTime::now());
    if facts.not_after.unix_ms() > now.unix_ms() {
        return Ok(());
    }
    Err(wrong(&ChainError::Unusable("it has expired".to_owned())))
}
