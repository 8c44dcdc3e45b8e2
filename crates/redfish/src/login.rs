//! The login: POST to the collection of sessions (DSP0266 "Session login").

use std::net::IpAddr;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::request::Parts as Head;
use http::{Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use redfish_schema::{check_create, session as session_type};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::Failure;
use crate::account::{Account, MAX_USER_NAME};
use crate::audit::{Deed, Entry};
use crate::body::{MAX_LOGIN_BYTES, read_object};
use crate::change::with_annotations;
use crate::error::Error;
use crate::fault::{patch_messages, shorten};
use crate::message::{self, Message};
use crate::query::Query;
use crate::resource::account_service::account_path;
use crate::resource::session_service;
use crate::respond::respond;
use crate::service::{LoggedIn, Service, X_AUTH_TOKEN};
use crate::session::{MAX_CONTEXT, OpenError};

impl Service {
    /// POST to the collection of sessions: a login (DSP0266 "Session login").
    pub(crate) async fn log_in<B>(
        &self,
        parts: &Head,
        body: B,
        client: Option<IpAddr>,
    ) -> Result<Response<Full<Bytes>>, Error>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Query::refuse(parts.uri.query())?;
        let mut body = read_object(&parts.headers, body, MAX_LOGIN_BYTES).await?;
        let context = take_context(&mut body)?;
        let body = Value::Object(body);
        let login = check_create(&session_type::TYPE, &body)
            .map_err(|faults| Error::Faults(patch_messages(&faults, &body, &Value::Null)))?;
        let user_name = login.text("UserName").unwrap_or_default();
        let password = Zeroizing::new(login.text("Password").unwrap_or_default().to_owned());
        let verified = self.accounts().verify(user_name, password, client).await;
        let claimed = || Some(user_name.chars().take(MAX_USER_NAME).collect());
        let account = verified.map_err(|refusal| {
            if refusal.is_logged() {
                self.audit().record(&Entry {
                    user: claimed(),
                    client,
                    deed: Deed::LoginRefused,
                });
            }
            Error::refused(refusal, session_service::SESSIONS)
        })?;
        let uri = || session_service::SESSIONS.to_owned();
        let internal = |cause: &str| Error::Backend(Failure::Internal(cause.to_owned()), uri());
        let (session, token) =
            self.sessions()
                .open(&account, client, context)
                .map_err(|e| match e {
                    OpenError::Limit => Error::SessionLimit,
                    OpenError::NoRandomness => {
                        internal("the operating system gives no random numbers")
                    }
                })?;
        self.audit().record(&Entry {
            user: claimed(),
            client,
            deed: Deed::LoggedIn(session.id.clone()),
        });
        let document = session_service::member(&session, self.accounts())
            .map_err(|failure| Error::Backend(failure, uri()))?;
        let mut response = respond(&document);
        if account.must_change_password() {
            *response.body_mut() = Full::new(with_annotations(&document, &to_change(&account)));
        }
        *response.status_mut() = StatusCode::CREATED;
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let location = HeaderValue::from_str(&session_service::path_of(&session));
        headers.insert(
            header::LOCATION,
            location.map_err(|_| internal("location"))?,
        );
        let mut token = HeaderValue::from_str(&token).map_err(|_| internal("token"))?;
        token.set_sensitive(true);
        headers.insert(X_AUTH_TOKEN, token);
        response.extensions_mut().insert(LoggedIn);
        Ok(response)
    }
}

/// What a login says to somebody whose password has to be changed before anything else (DSP0266 "Password change
/// required handling").
fn to_change(account: &Account) -> Map<String, Value> {
    let message = message::password_change_required(account_path(account.id()));
    let messages = serde_json::to_value([message]).unwrap_or_default();
    Map::from_iter([("@Message.ExtendedInfo".to_owned(), messages)])
}

/// The `Context` of a login. The schema calls it read-only, and yet it is the client who gives it, here only.
fn take_context(body: &mut Map<String, Value>) -> Result<Option<String>, Error> {
    let wrong = |message: Message| Error::from(message.about("/Context"));
    match body.remove("Context") {
        None => Ok(None),
        Some(Value::String(context)) if context.len() <= MAX_CONTEXT => Ok(Some(context)),
        Some(Value::String(_)) => {
            let long = message::property_value_error("Context");
            Err(wrong(long.with_resolution(format!(
                "Give at most {MAX_CONTEXT} bytes."
            ))))
        }
        Some(other) => {
            let shown = shorten(other.to_string());
            Err(wrong(message::property_value_type_error(shown, "Context")))
        }
    }
}
