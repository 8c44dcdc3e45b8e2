//! The configuration of TLS that is in force now.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;

use super::ClientCertificate;

/// The configuration of a listener. Clones share it; where a [`Tls`](super::Tls) is behind it, it may change, and each
/// new connection has that of its moment.
#[derive(Clone)]
pub struct TlsConfig(Arc<ArcSwap<Live>>);

/// A configuration, and who vouches for clients by it.
pub(super) struct Live {
    pub(super) config: Arc<ServerConfig>,
    /// `None` where nobody will ever change it.
    pub(super) verifier: Option<Arc<dyn ClientCertVerifier>>,
}

/// What a client showed when its connection began.
#[derive(Clone)]
pub(crate) struct Presented {
    client: ClientCertificate,
    certificates: Vec<CertificateDer<'static>>,
    live: Arc<Live>,
}

/// A client by its certificate, for what outlives its request.
#[derive(Clone)]
pub(crate) struct Vouched {
    config: TlsConfig,
    shown: Arc<Presented>,
}

impl Vouched {
    pub(crate) const fn new(config: TlsConfig, shown: Arc<Presented>) -> Self {
        Self { config, shown }
    }

    /// Whether somebody still vouches for the client.
    pub(crate) fn is_still(&self) -> bool {
        self.config.client(&self.shown).is_some()
    }
}

impl From<Arc<ServerConfig>> for TlsConfig {
    /// One that stays as it is.
    fn from(config: Arc<ServerConfig>) -> Self {
        let live = Live {
            config,
            verifier: None,
        };
        Self::new(live)
    }
}

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig").finish_non_exhaustive()
    }
}

impl TlsConfig {
    pub(super) fn new(live: Live) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(live)))
    }

    /// From now on this is it. Sessions of TLS that began before can't be resumed.
    pub(super) fn set(&self, live: Live) {
        self.0.store(Arc::new(live));
    }

    /// For a connection that begins now.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.load().config)
    }

    /// What a client has shown that was let in by `config`, if that has a name.
    pub(crate) fn presented(
        &self,
        config: &Arc<ServerConfig>,
        certificates: Option<&[CertificateDer<'_>]>,
    ) -> Option<Presented> {
        let client = ClientCertificate::of(certificates)?;
        let certificates = certificates?.iter().map(|der| der.clone().into_owned());
        let live = self.0.load_full();
        let shown = Presented {
            client,
            certificates: certificates.collect(),
            live: Arc::clone(&live),
        };
        // The configuration may have changed during the handshake.
        let is_current = Arc::ptr_eq(&live.config, config);
        (is_current || live.admits(&shown.certificates)).then_some(shown)
    }

    /// Who the client still is by what it has shown. Whoever is no longer vouched for is nobody from that moment on,
    /// also on a connection that is open.
    pub(crate) fn client<'s>(&self, shown: &'s Presented) -> Option<&'s ClientCertificate> {
        let live = self.0.load();
        let is_same = Arc::ptr_eq(&live, &shown.live);
        (is_same || live.admits(&shown.certificates)).then_some(&shown.client)
    }
}

impl Live {
    /// Whether somebody vouches for these certificates, of which the first is the client's own.
    fn admits(&self, certificates: &[CertificateDer<'_>]) -> bool {
        let (Some(verifier), Some((own, others))) = (&self.verifier, certificates.split_first())
        else {
            return false;
        };
        verifier.offer_client_auth()
            && verifier
                .verify_client_cert(own, others, UnixTime::now())
                .is_ok()
    }
}
