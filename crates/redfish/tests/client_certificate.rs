//! Clients that are somebody by their certificate, over real TLS.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use redfish::{
    Account, ActionCall, Backend, BackendFuture, CertificateOwner, Chain, DEFAULT_TIMEOUT_S,
    Document, Failure, Outcome, Path, Role, RootLink, Service, Settings, StaticFiles, Tls, serve,
};
use redfish_schema::CheckedPatch;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

/// A backend with nothing in it.
struct Nothing;

impl Backend for Nothing {
    fn roots(&self) -> &[RootLink] {
        &[]
    }

    fn get<'a>(&'a self, _: &'a Path) -> BackendFuture<'a, Document> {
        Box::pin(async { Err(Failure::NotFound) })
    }

    fn patch<'a>(&'a self, _: &'a Path, _: &'a CheckedPatch) -> BackendFuture<'a, Outcome> {
        Box::pin(async { Err(Failure::NotChangeable) })
    }

    fn action<'a>(&'a self, _: &'a Path, _: &'a ActionCall) -> BackendFuture<'a, Outcome> {
        Box::pin(async { Err(Failure::NotFound) })
    }
}

type Shown = (CertificateDer<'static>, PrivateKeyDer<'static>);

/// Somebody who signs certificates of clients.
struct Authority {
    certificate: rcgen::Certificate,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let issuer = rcgen::Issuer::new(params, key);
        Self {
            certificate,
            issuer,
        }
    }

    fn client(&self, common_name: &str) -> Shown {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, common_name);
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        (certificate.der().clone(), key)
    }
}

/// A service with the accounts `root` and `reader` that believes `authority`.
async fn start(authority: &Authority) -> (SocketAddr, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let own = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let authorities = redfish::authorities(&authority.certificate.pem()).unwrap();
    let chain = Chain::new(vec![own.clone()], key).unwrap();
    let tls = Arc::new(Tls::new(chain, &authorities).unwrap());
    let account = |name, role| Account::new(name, "correct horse", role).unwrap();
    let settings = Settings {
        uuid: "92384634-2938-2342-8820-489239905423".to_owned(),
        product: "Test".to_owned(),
        vendor: "Nobody".to_owned(),
        accounts: vec![
            account("root", Role::Administrator),
            account("reader", Role::ReadOnly),
        ],
        privileges: redfish::PrivilegeMap::default(),
        session_timeout_s: DEFAULT_TIMEOUT_S,
        static_files: StaticFiles::default(),
        store: redfish::Store::in_memory().unwrap(),
        events: redfish::DestinationSettings::default(),
        images: redfish::DestinationSettings::default(),
        version: "1.2.3".to_owned(),
        host: Arc::new(redfish::UnknownHost),
        tls: Some((Arc::clone(&tls), CertificateOwner::Service)),
    };
    let service = Arc::new(Service::new(settings, Arc::new(Nothing)).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(
        listener,
        tls.config(),
        service,
        std::future::pending(),
    ));
    (address, own)
}

/// The status of one request with these headers. `None` if TLS lets the client in no further.
async fn ask(
    (address, own): &(SocketAddr, CertificateDer<'static>),
    shown: Option<Shown>,
    method: &str,
    headers: &[(&str, &str)],
) -> Option<StatusCode> {
    let mut trusted = RootCertStore::empty();
    trusted.add(own.clone()).unwrap();
    let tls = ClientConfig::builder().with_root_certificates(trusted);
    let tls = match shown {
        Some((certificate, key)) => tls.with_client_auth_cert(vec![certificate], key).unwrap(),
        None => tls.with_no_client_auth(),
    };
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(tls))
        .connect(name, stream)
        .await
        .ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .ok()?;
    tokio::spawn(connection);
    let mut request = Request::builder()
        .method(method)
        .uri("/redfish/v1/AccountService/Accounts/root")
        .header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Empty::<Bytes>::new()).unwrap();
    Some(sender.send_request(request).await.ok()?.status())
}

#[tokio::test]
async fn a_certificate_of_the_authority_is_the_account_that_it_names() {
    let authority = Authority::new();
    let server = start(&authority).await;
    let as_ = |name: &str| Some(authority.client(name));
    assert_eq!(
        ask(&server, as_("root"), "GET", &[]).await,
        Some(StatusCode::OK)
    );
    let reader = ask(&server, as_("reader"), "GET", &[]).await;
    assert_eq!(reader, Some(StatusCode::FORBIDDEN), "his role decides");
    let nobody = ask(&server, None, "GET", &[]).await;
    assert_eq!(nobody, Some(StatusCode::UNAUTHORIZED), "none is needed");
}

#[tokio::test]
async fn a_name_must_fit_to_the_letter_and_a_foreign_authority_vouches_for_nobody() {
    let authority = Authority::new();
    let server = start(&authority).await;
    for name in ["Root", "root ", "root\0", "stranger", ""] {
        let answer = ask(&server, Some(authority.client(name)), "GET", &[]).await;
        assert_eq!(answer, Some(StatusCode::UNAUTHORIZED), "{name:?}");
    }
    let foreign = Authority::new().client("root");
    assert_eq!(ask(&server, Some(foreign), "GET", &[]).await, None);
}

#[tokio::test]
async fn a_wrong_token_is_not_mended_by_a_certificate_and_another_site_changes_nothing() {
    let authority = Authority::new();
    let server = start(&authority).await;
    let root = || Some(authority.client("root"));
    let token = [("x-auth-token", "0000")];
    let answer = ask(&server, root(), "GET", &token).await;
    assert_eq!(answer, Some(StatusCode::UNAUTHORIZED));
    let foreign = [("origin", "https://elsewhere.example")];
    let answer = ask(&server, root(), "DELETE", &foreign).await;
    assert_eq!(answer, Some(StatusCode::FORBIDDEN));
}
