//! A list from a server, over HTTP or HTTPS. The operator chose the server, so that it may be anywhere; its certificate is
//! always checked, and redirects aren't followed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, HOST};
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::LIST_BYTES_MAX;
use crate::authorities;
use crate::config::Secret;

/// How long a server may take for the whole.
const FETCH_MAX: Duration = Duration::from_secs(30);

/// Asks `url` for its list, with a token where the server wants one.
///
/// # Errors
/// What went wrong, and with whom.
pub(super) async fn fetch(
    url: &Uri,
    token: Option<&Secret>,
    ca_file: Option<&Path>,
) -> Result<String, String> {
    let all = async {
        let host = url.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let is_tls = url.scheme_str() == Some("https");
        let port = url.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let stream = TcpStream::connect((bare, port)).await;
        let stream = stream.map_err(|e| format!("can't connect to {host}:{port}: {e}"))?;
        if !is_tls {
            return ask(stream, url, token).await;
        }
        let name = ServerName::try_from(bare.to_owned()).map_err(|e| e.to_string())?;
        let tls = TlsConnector::from(Arc::new(client(ca_file)?));
        let stream = tls.connect(name, stream).await;
        let stream = stream.map_err(|e| format!("no TLS with {host}:{port}: {e}"))?;
        ask(stream, url, token).await
    };
    let limit = FETCH_MAX.as_secs();
    timeout(FETCH_MAX, all)
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {limit} s")))
}

fn client(ca_file: Option<&Path>) -> Result<ClientConfig, String> {
    let authorities: RootCertStore = match ca_file {
        Some(file) => authorities::of_file(file)
            .map_err(|text| format!("ca_file {}: {text}", file.display()))?,
        None => authorities::of_machine("[[inventory]]"),
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
    url: &Uri,
    token: Option<&Secret>,
) -> Result<String, String> {
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
    if let Some(token) = token {
        let bearer = [b"Bearer ", token.expose()].concat();
        let mut value = HeaderValue::from_bytes(&bearer)
            .map_err(|_| "the token can't stand in a header".to_owned())?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    let answer = sender.send_request(request).await.map_err(|e| broken(&e))?;
    if answer.status() != StatusCode::OK {
        driving.abort();
        return Err(format!("the server answers {}", answer.status()));
    }
    let body = Limited::new(answer.into_body(), LIST_BYTES_MAX)
        .collect()
        .await;
    driving.abort();
    let bytes = body.map_err(|e| broken(&e))?.to_bytes();
    String::from_utf8(bytes.into()).map_err(|_| "the list is not UTF-8".to_owned())
}
