//! Clients that are somebody by their certificate, over real TLS.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use redfish::{
    Account, ActionCall, Backend, BackendFuture, CertificateOwner, Chain, DEFAULT_TIMEOUT_S,
    Document, Failure, MAX_CLIENT_AUTHORITIES, Outcome, Path, Role, RootLink, Service, Settings,
    StaticFiles, Tls, serve,
};
use redfish_schema::CheckedPatch;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
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
    start_with(Some(authority), redfish::Store::in_memory().unwrap()).await
}

/// The same, with what `store` keeps, or without an authority of the operator's.
async fn start_with(
    authority: Option<&Authority>,
    store: redfish::Store,
) -> (SocketAddr, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let own = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let authorities = authority.map_or(Vec::new(), |authority| {
        redfish::authorities(&authority.certificate.pem()).unwrap()
    });
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
        store,
        events: redfish::DestinationSettings::default(),
        images: redfish::DestinationSettings::default(),
        version: "1.2.3".to_owned(),
        host: Arc::new(redfish::UnknownHost),
        aggregator: None,
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
    let entries = "/redfish/v1/Managers/Test/LogServices/Audit/Entries?$expand=.";
    // The client hears of it before it is written down.
    let told = async {
        while !get(&server, entries)
            .await
            .to_string()
            .contains("client certificate refused")
        {
            tokio::task::yield_now().await;
        }
    };
    let limit = std::time::Duration::from_secs(60);
    tokio::time::timeout(limit, told)
        .await
        .expect("the audit log tells of it");
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

const SERVICE: &str = "/redfish/v1/AccountService";
const CERTIFICATES: &str =
    "/redfish/v1/AccountService/MultiFactorAuth/ClientCertificate/Certificates";

/// An open connection.
struct Line(SendRequest<Full<Bytes>>);

impl Line {
    /// Opens one with this configuration. `None` if the service lets the client in no further.
    async fn open(address: SocketAddr, tls: &Arc<ClientConfig>) -> Option<Self> {
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream);
        let stream = TokioIo::new(stream.await.ok()?);
        let (sender, connection) = hyper::client::conn::http1::handshake(stream).await.ok()?;
        tokio::spawn(connection);
        Some(Self(sender))
    }

    /// Status, `Location` or the whole of an answer. `None` if the connection has ended.
    async fn ask(
        &mut self,
        method: &str,
        uri: &str,
        body: &Value,
    ) -> Option<(u16, Option<String>, Value)> {
        let basic = "Basic cm9vdDpjb3JyZWN0IGhvcnNl";
        let mut request = Request::builder().method(method).uri(uri);
        request = request.header("host", "localhost");
        let text = if body.is_null() {
            String::new()
        } else {
            request = request
                .header("authorization", basic)
                .header("content-type", "application/json");
            body.to_string()
        };
        let request = request.body(Full::from(text)).unwrap();
        let response = self.0.send_request(request).await.ok()?;
        let location = response.headers().get("location");
        let location = location.map(|value| value.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.ok()?.to_bytes();
        let json = serde_json::from_slice(&body).unwrap_or_default();
        Some((status, location, json))
    }
}

/// A client's end of TLS, which resumes sessions.
fn client_of(own: &CertificateDer<'static>, shown: Option<Shown>) -> Arc<ClientConfig> {
    let mut trusted = RootCertStore::empty();
    trusted.add(own.clone()).unwrap();
    let tls = ClientConfig::builder().with_root_certificates(trusted);
    Arc::new(match shown {
        Some((certificate, key)) => tls.with_client_auth_cert(vec![certificate], key).unwrap(),
        None => tls.with_no_client_auth(),
    })
}

/// A request of root's with his password on a connection of its own: status and body.
async fn as_root(
    (address, own): &(SocketAddr, CertificateDer<'static>),
    method: &str,
    uri: &str,
    body: Value,
) -> (u16, Option<String>, Value) {
    let mut line = Line::open(*address, &client_of(own, None)).await.unwrap();
    line.ask(method, uri, &body).await.unwrap()
}

/// A change of the account service by root on a connection that shows this certificate.
async fn with_certificate(
    (address, own): &(SocketAddr, CertificateDer<'static>),
    shown: Option<Shown>,
    body: Value,
) -> (u16, Value) {
    let mut line = Line::open(*address, &client_of(own, shown)).await.unwrap();
    let (status, _, json) = line.ask("PATCH", SERVICE, &body).await.unwrap();
    (status, json)
}

async fn get(server: &(SocketAddr, CertificateDer<'static>), uri: &str) -> Value {
    let (status, _, json) = as_root(server, "GET", uri, json!({})).await;
    assert_eq!(status, 200, "{json}");
    let problems = redfish_schema::validate(&json);
    assert!(problems.is_empty(), "{problems:?} in {json}");
    json
}

fn as_pem(certificate: &rcgen::Certificate) -> Value {
    json!({"CertificateString": certificate.pem(), "CertificateType": "PEM"})
}

fn keys(json: &Value) -> Vec<&str> {
    let messages = json["error"]["@Message.ExtendedInfo"].as_array().unwrap();
    let ids = messages
        .iter()
        .map(|message| message["MessageId"].as_str().unwrap());
    ids.map(|id| id.rsplit('.').next().unwrap()).collect()
}

#[tokio::test]
async fn an_authority_that_is_added_counts_at_once_and_one_that_is_removed_no_more() {
    let (operators, added) = (Authority::new(), Authority::new());
    let server = start(&operators).await;
    let client = client_of(&server.1, Some(added.client("root")));
    assert_eq!(
        ask(&server, Some(added.client("root")), "GET", &[]).await,
        None
    );
    let (status, location, json) =
        as_root(&server, "POST", CERTIFICATES, as_pem(&added.certificate)).await;
    assert_eq!(status, 201, "{json}");
    let uri = location.unwrap();
    assert_eq!(uri, format!("{CERTIFICATES}/1"));
    let accounts = "/redfish/v1/AccountService/Accounts";
    let mut line = Line::open(server.0, &client).await.unwrap();
    assert_eq!(
        line.ask("GET", accounts, &Value::Null).await.unwrap().0,
        200
    );
    let both = [added.client("root"), operators.client("root")];
    for shown in both {
        assert_eq!(
            ask(&server, Some(shown), "GET", &[]).await,
            Some(StatusCode::OK)
        );
    }

    let shown = get(&server, CERTIFICATES).await;
    assert_eq!(shown["Members@odata.count"], 2);
    assert_eq!(
        get(&server, &uri).await["CertificateString"],
        added.certificate.pem().replace("\r", "")
    );
    let locations = get(
        &server,
        "/redfish/v1/CertificateService/CertificateLocations",
    )
    .await;
    assert!(locations.to_string().contains(&uri), "{locations}");

    let (status, _, json) = as_root(&server, "DELETE", &uri, json!({})).await;
    assert_eq!(status, 204, "{json}");
    // An open connection, one that resumes its session, and a new one.
    assert_eq!(
        line.ask("GET", accounts, &Value::Null).await.unwrap().0,
        401
    );
    let resumed = match Line::open(server.0, &client).await {
        Some(mut line) => line.ask("GET", accounts, &Value::Null).await,
        None => None,
    };
    assert!(resumed.is_none(), "{resumed:?}");
    assert_eq!(
        ask(&server, Some(added.client("root")), "GET", &[]).await,
        None
    );
    let still = ask(&server, Some(operators.client("root")), "GET", &[]).await;
    assert_eq!(still, Some(StatusCode::OK));
}

#[tokio::test]
async fn a_stream_of_events_ends_with_its_readers_authority_and_others_go_on() {
    let (operators, added) = (Authority::new(), Authority::new());
    let server = start(&operators).await;
    let made = as_root(&server, "POST", CERTIFICATES, as_pem(&added.certificate)).await;
    assert_eq!(made.0, 201);
    let mut streams = Vec::new();
    for authority in [&added, &operators] {
        let client = client_of(&server.1, Some(authority.client("root")));
        let mut line = Line::open(server.0, &client).await.unwrap();
        let request = Request::builder().uri("/redfish/v1/EventService/SSE");
        let request = request.header("host", "localhost");
        let response = line.0.send_request(request.body(Full::default()).unwrap());
        let response = response.await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        streams.push((line, response.into_body()));
    }
    let (_others_line, mut others) = streams.pop().unwrap();
    let (_own_line, own) = streams.pop().unwrap();
    let uri = made.1.unwrap();
    let removed = as_root(&server, "DELETE", &uri, json!({})).await;
    assert_eq!(removed.0, 204);
    // It ends, and with it its subscription, of which the other stream tells.
    own.collect().await.unwrap();
    let mut told = String::new();
    while !told.contains("Subscriptions/SSE1") {
        let piece = others.frame().await.unwrap().unwrap();
        told += std::str::from_utf8(&piece.into_data().unwrap()).unwrap();
    }
}

#[tokio::test]
async fn added_authorities_survive_a_restart_and_the_operators_stay() {
    let (operators, added) = (Authority::new(), Authority::new());
    let store = redfish::Store::in_memory().unwrap();
    let first = start_with(Some(&operators), store.clone()).await;
    let made = as_root(&first, "POST", CERTIFICATES, as_pem(&added.certificate)).await;
    assert_eq!(made.0, 201);
    let file = format!("{CERTIFICATES}/File1");
    assert_eq!(
        get(&first, &file).await["ValidNotAfter"],
        get(&first, &format!("{CERTIFICATES}/1")).await["ValidNotAfter"]
    );
    let (status, _, json) = as_root(&first, "DELETE", &file, json!({})).await;
    assert_eq!((status, keys(&json)), (405, vec!["OperationNotAllowed"]));

    let second = start_with(Some(&operators), store).await;
    let shown = Some(added.client("root"));
    assert_eq!(ask(&second, shown, "GET", &[]).await, Some(StatusCode::OK));
    assert_eq!(get(&second, CERTIFICATES).await["Members@odata.count"], 2);
}

#[tokio::test]
async fn what_is_no_authority_is_refused_with_its_reason() {
    let operators = Authority::new();
    let server = start(&operators).await;
    let of = |text: String| json!({"CertificateString": text, "CertificateType": "PEM"});
    let mut old = rcgen::CertificateParams::new(Vec::new()).unwrap();
    old.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    old.not_after = rcgen::date_time_ymd(2001, 1, 1);
    old.not_before = rcgen::date_time_ymd(2000, 1, 1);
    let old = old
        .self_signed(&rcgen::KeyPair::generate().unwrap())
        .unwrap();
    let nobody = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let twice = Authority::new().certificate.pem() + &Authority::new().certificate.pem();
    for (text, why) in [
        ("hello".to_owned(), "PEM"),
        (old.pem(), "expired"),
        (nobody.cert.pem(), "CA:TRUE"),
        (twice, "one certificate"),
    ] {
        let (status, _, json) = as_root(&server, "POST", CERTIFICATES, of(text)).await;
        assert_eq!(
            (status, keys(&json)),
            (400, vec!["PropertyValueError"]),
            "{json}"
        );
        let message = &json["error"]["@Message.ExtendedInfo"][0];
        assert_eq!(message["MessageArgs"][0], "CertificateString");
        assert!(
            message["Resolution"].as_str().unwrap().contains(why),
            "{json}"
        );
    }
    let chain =
        json!({"CertificateString": operators.certificate.pem(), "CertificateType": "PEMchain"});
    let (status, _, json) = as_root(&server, "POST", CERTIFICATES, chain).await;
    assert_eq!((status, keys(&json)), (400, vec!["PropertyValueNotInList"]));
    let again = as_pem(&operators.certificate);
    let (status, _, json) = as_root(&server, "POST", CERTIFICATES, again).await;
    assert_eq!((status, keys(&json)), (409, vec!["ResourceAlreadyExists"]));
    assert_eq!(get(&server, CERTIFICATES).await["Members@odata.count"], 1);

    for _ in 0..MAX_CLIENT_AUTHORITIES {
        let one = as_pem(&Authority::new().certificate);
        assert_eq!(as_root(&server, "POST", CERTIFICATES, one).await.0, 201);
    }
    let more = as_pem(&Authority::new().certificate);
    let (_, _, json) = as_root(&server, "POST", CERTIFICATES, more).await;
    assert_eq!(keys(&json), ["CreateLimitReachedForResource"]);
}

#[tokio::test]
async fn certificates_can_be_switched_off_and_made_necessary() {
    let operators = Authority::new();
    let server = start(&operators).await;
    let of =
        |name: &str, value: Value| json!({"MultiFactorAuth": {"ClientCertificate": {name: value}}});
    let shown =
        |json: &Value, name: &str| json["MultiFactorAuth"]["ClientCertificate"][name].clone();
    let root = || Some(operators.client("root"));
    assert_eq!(shown(&get(&server, SERVICE).await, "Enabled"), true);
    let (status, _, json) = as_root(&server, "PATCH", SERVICE, of("Enabled", json!(false))).await;
    assert_eq!((status, shown(&json, "Enabled")), (200, json!(false)));
    assert_eq!(
        ask(&server, root(), "GET", &[]).await,
        Some(StatusCode::UNAUTHORIZED)
    );
    let whole = of("CertificateMappingAttribute", json!("UserPrincipalName"));
    let (status, _, json) = as_root(&server, "PATCH", SERVICE, whole).await;
    assert_eq!((status, keys(&json)), (400, vec!["PropertyValueNotInList"]));
    assert_eq!(
        as_root(&server, "PATCH", SERVICE, of("Enabled", json!(true)))
            .await
            .0,
        200
    );
    assert_eq!(ask(&server, root(), "GET", &[]).await, Some(StatusCode::OK));

    let needed = || of("RespondToUnauthenticatedClients", json!(false));
    let (status, _, json) = as_root(&server, "PATCH", SERVICE, needed()).await;
    assert_eq!(
        (status, keys(&json)),
        (400, vec!["PropertyValueExternalConflict"]),
        "whoever shows none would shut himself out"
    );
    let (status, json) = with_certificate(&server, root(), needed()).await;
    assert_eq!(status, 200, "{json}");
    assert_eq!(shown(&json, "RespondToUnauthenticatedClients"), false);
    assert_eq!(
        ask(&server, None, "GET", &[]).await,
        None,
        "nobody without one gets an answer"
    );
    assert_eq!(ask(&server, root(), "GET", &[]).await, Some(StatusCode::OK));

    // Off and on again, it asks nobody who was answered meanwhile.
    let (status, json) = with_certificate(&server, root(), of("Enabled", json!(false))).await;
    assert_eq!(status, 200, "{json}");
    let both = json!({"MultiFactorAuth": {"ClientCertificate": {
        "Enabled": false, "RespondToUnauthenticatedClients": false,
    }}});
    let (status, _, json) = as_root(&server, "PATCH", SERVICE, both).await;
    assert_eq!(
        (status, keys(&json)),
        (400, vec!["PropertyValueExternalConflict"])
    );
    let (status, _, json) = as_root(&server, "PATCH", SERVICE, of("Enabled", json!(true))).await;
    assert_eq!(status, 200);
    assert_eq!(shown(&json, "RespondToUnauthenticatedClients"), true);
}

#[tokio::test]
async fn where_certificates_are_necessary_the_last_authority_stays() {
    let mine = Authority::new();
    let server = start_with(None, redfish::Store::in_memory().unwrap()).await;
    let (_, location, _) = as_root(&server, "POST", CERTIFICATES, as_pem(&mine.certificate)).await;
    let location = location.unwrap();
    let needed = json!({"MultiFactorAuth": {"ClientCertificate": {
        "RespondToUnauthenticatedClients": false,
    }}});
    let root = || Some(mine.client("root"));
    assert_eq!(with_certificate(&server, root(), needed).await.0, 200);
    let mut line = Line::open(server.0, &client_of(&server.1, root()))
        .await
        .unwrap();
    let (status, _, json) = line.ask("DELETE", &location, &json!({})).await.unwrap();
    assert_eq!((status, keys(&json)), (409, vec!["ResourceInUse"]));
    assert_eq!(
        ask(&server, None, "GET", &[]).await,
        None,
        "still necessary"
    );
}
