//! A list or a secret from a server, over HTTP or HTTPS. The operator chose the server, so that it may be anywhere; its
//! certificate is always checked, and redirects aren't followed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HOST};
use http::{HeaderName, HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::authorities;
use crate::config::Secret;

/// How an error begins that is the server's own answer; its status follows.
pub(crate) const ANSWERS: &str = "the server answers ";

/// What is fetched, and how.
pub(crate) struct Fetch<'a> {
    /// `http://` or `https://`.
    pub(crate) url: &'a Uri,
    /// Headers by which the server knows us; they never print.
    pub(crate) headers: &'a [(HeaderName, &'a Secret)],
    /// PEM file of the authorities; `None` = those that this machine trusts.
    pub(crate) ca_file: Option<&'a Path>,
    /// The section of the configuration in which `ca_file` stands.
    pub(crate) section: &'static str,
    /// How long the server may take for the whole.
    pub(crate) time_max: Duration,
    /// The longest answer, in bytes.
    pub(crate) bytes_max: usize,
}

/// Asks for it.
///
/// # Errors
/// What went wrong, and with whom.
pub(crate) async fn fetch(wanted: &Fetch<'_>) -> Result<String, String> {
    let url = wanted.url;
    let all = async {
        let host = url.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let is_tls = url.scheme_str() == Some("https");
        let port = url.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let stream = TcpStream::connect((bare, port)).await;
        let stream = stream.map_err(|e| format!("can't connect to {host}:{port}: {e}"))?;
        if !is_tls {
            return ask(stream, wanted).await;
        }
        let name = ServerName::try_from(bare.to_owned()).map_err(|e| e.to_string())?;
        let tls = TlsConnector::from(Arc::new(client(wanted)?));
        let stream = tls.connect(name, stream).await;
        let stream = stream.map_err(|e| format!("no TLS with {host}:{port}: {e}"))?;
        ask(stream, wanted).await
    };
    let limit = wanted.time_max.as_secs();
    timeout(wanted.time_max, all)
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {limit} s")))
}

fn client(wanted: &Fetch<'_>) -> Result<ClientConfig, String> {
    let authorities: RootCertStore = match wanted.ca_file {
        Some(file) => authorities::of_file(file)
            .map_err(|text| format!("ca_file {}: {text}", file.display()))?,
        None => authorities::of_machine(wanted.section),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?;
    Ok(config
        .with_root_certificates(authorities)
        .with_no_client_auth())
}

async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    wanted: &Fetch<'_>,
) -> Result<String, String> {
    let url = wanted.url;
    let broken = |e: &dyn std::fmt::Display| format!("the connection broke: {e}");
    let (mut sender, connection) = http1::handshake::<_, Empty<Bytes>>(TokioIo::new(stream))
        .await
        .map_err(|e| broken(&e))?;
    let driving = tokio::spawn(connection);
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let authority = url.authority().map_or("", |at| at.as_str());
    let mut request = Request::get(path)
        .header(HOST, authority)
        .header(ACCEPT, "application/json")
        .body(Empty::new())
        .map_err(|e| e.to_string())?;
    for (name, secret) in wanted.headers {
        let mut value = HeaderValue::from_bytes(secret.expose())
            .map_err(|_| format!("the {name} can't stand in a header"))?;
        value.set_sensitive(true);
        request.headers_mut().insert(name, value);
    }
    let answer = sender.send_request(request).await.map_err(|e| broken(&e))?;
    if answer.status() != StatusCode::OK {
        driving.abort();
        return Err(format!("{ANSWERS}{}", answer.status()));
    }
    let body = Limited::new(answer.into_body(), wanted.bytes_max)
        .collect()
        .await;
    driving.abort();
    let bytes = body.map_err(|e| broken(&e))?.to_bytes();
    String::from_utf8(bytes.into()).map_err(|_| "the answer is not UTF-8".to_owned())
}
