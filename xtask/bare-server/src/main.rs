//! The limit that `cargo xtask bench redfish` compares the service with: hyper, rustls and nothing behind them.
//!
//! `bare-server FOLDER` answers GET of `/ready/NAME` with the bytes of FOLDER/NAME.json, and GET of `/serialised/NAME`
//! with the same bytes, which serde writes anew for each request out of a tree in memory. There is no login, no
//! lookup, no ETag and no limit. It listens at free ports of 127.0.0.1 and prints them as one line of JSON; its
//! certificate is FOLDER/certificate.pem with FOLDER/private_key.pem.

#![expect(clippy::print_stdout, reason = "tells its caller where it listens")]

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

type Failure = Box<dyn Error + Send + Sync>;

/// JSON in memory that keeps the order of its properties, so that it is written as it was read.
enum Tree {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_unit(),
            Self::Bool(value) => to.serialize_bool(*value),
            Self::Integer(value) => to.serialize_i64(*value),
            Self::Float(value) => to.serialize_f64(*value),
            Self::Text(value) => to.serialize_str(value),
            Self::Array(values) => {
                let mut array = to.serialize_seq(Some(values.len()))?;
                for value in values {
                    array.serialize_element(value)?;
                }
                array.end()
            }
            Self::Object(fields) => {
                let mut object = to.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    object.serialize_entry(name, value)?;
                }
                object.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Integer(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Tree, E> {
        i64::try_from(value).map(Tree::Integer).map_err(E::custom)
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Tree, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = from.next_element()? {
            values.push(value);
        }
        Ok(Tree::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Tree, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = from.next_entry()? {
            fields.push(field);
        }
        Ok(Tree::Object(fields))
    }
}

/// What is answered at one path.
enum Answer {
    Ready(Bytes),
    Serialised(Tree),
}

type Answers = HashMap<String, Answer>;

fn main() -> Result<(), Failure> {
    let folder = std::env::args().nth(1).ok_or("usage: bare-server FOLDER")?;
    let folder = Path::new(&folder);
    let (answers, tls) = (Arc::new(answers(folder)?), tls(folder)?);
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(serve(answers, tls))
}

fn answers(folder: &Path) -> Result<Answers, Failure> {
    let mut answers = Answers::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        let name = path.file_stem().unwrap_or_default().display().to_string();
        if path.extension().is_none_or(|kind| kind != "json") {
            continue;
        }
        let bytes = fs::read(&path)?;
        let tree: Tree = serde_json::from_slice(&bytes)?;
        if serde_json::to_vec(&tree)? != bytes {
            return Err(format!("{name}: serde writes it in another way than the service").into());
        }
        answers.insert(format!("/serialised/{name}"), Answer::Serialised(tree));
        answers.insert(format!("/ready/{name}"), Answer::Ready(bytes.into()));
    }
    Ok(answers)
}

fn tls(folder: &Path) -> Result<TlsAcceptor, Failure> {
    let chain = CertificateDer::pem_file_iter(folder.join("certificate.pem"))?;
    let key = PrivateKeyDer::from_pem_file(folder.join("private_key.pem"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain.collect::<Result<_, _>>()?, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve(answers: Arc<Answers>, tls: TlsAcceptor) -> Result<(), Failure> {
    let http = TcpListener::bind("127.0.0.1:0").await?;
    let https = TcpListener::bind("127.0.0.1:0").await?;
    let (http_port, https_port) = (http.local_addr()?.port(), https.local_addr()?.port());
    println!("{{\"http\":{http_port},\"https\":{https_port}}}");
    tokio::spawn(accept(http, Arc::clone(&answers), None));
    accept(https, answers, Some(tls)).await
}

async fn accept(
    listener: TcpListener,
    answers: Arc<Answers>,
    tls: Option<TlsAcceptor>,
) -> Result<(), Failure> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (answers, tls) = (Arc::clone(&answers), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => connection(stream, answers).await,
                Some(tls) => connection(tls.accept(stream).await?, answers).await,
            }
        });
    }
}

async fn connection<S>(stream: S, answers: Arc<Answers>) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let respond = service_fn(|request: Request<Incoming>| {
        std::future::ready(Ok::<_, Infallible>(respond(&answers, request.uri().path())))
    });
    let builder = auto::Builder::new(TokioExecutor::new());
    builder
        .serve_connection(TokioIo::new(stream), respond)
        .await
}

fn respond(answers: &Answers, path: &str) -> Response<Full<Bytes>> {
    let body = match answers.get(path) {
        Some(Answer::Ready(bytes)) => Some(bytes.clone()),
        Some(Answer::Serialised(tree)) => serde_json::to_vec(tree).ok().map(Bytes::from),
        None => None,
    };
    let mut response = Response::new(Full::default());
    match body {
        Some(body) => *response.body_mut() = Full::new(body),
        None => *response.status_mut() = StatusCode::NOT_FOUND,
    }
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
