//! Who sent a request: by token, Basic credentials or certificate (DSP0266 "Authentication").

use std::net::IpAddr;
use std::sync::Arc;

use http::request::Parts as Head;
use http::{Method, header};

use crate::account::{Account, Accounts, MAX_USER_NAME, Refusal};
use crate::audit::{Deed, Entry};
use crate::caller::Caller;
use crate::error::Error;
use crate::head::is_own_origin;
use crate::resource::account_service;
use crate::service::X_AUTH_TOKEN;
use crate::session::Session;
use crate::tls::ClientCertificate;
use crate::{Path, Service};

impl Service {
    /// The account behind a token or Basic credentials. A bad token isn't mended by good credentials.
    pub(crate) async fn caller(
        &self,
        parts: &Head,
        client: Option<IpAddr>,
    ) -> Result<Caller, Error> {
        let headers = &parts.headers;
        if let Some(token) = headers.get(X_AUTH_TOKEN) {
            let session = self.sessions.by_token(token.as_bytes());
            let session = session.ok_or(Error::Unauthenticated)?;
            let account = self.accounts.of_session(&session);
            let account = account.ok_or(Error::Unauthenticated)?;
            return Ok(self.as_caller(account, Some(session), parts, client));
        }
        let Some(credentials) = headers.get(header::AUTHORIZATION) else {
            return self.by_certificate(parts, client);
        };
        let verified = self.accounts.basic(credentials.as_bytes(), client).await;
        let account = verified.map_err(|refusal| {
            if refusal.is_logged() {
                self.audit().record(&Entry {
                    user: Accounts::claimed_user_name(credentials.as_bytes()),
                    client,
                    deed: Deed::LoginRefused,
                });
            }
            Error::refused(refusal, parts.uri.path())
        })?;
        refuse_foreign_change(parts)?;
        Ok(self.as_caller(account, None, parts, client))
    }

    /// The account whose name the client's certificate has, to the letter.
    fn by_certificate(&self, parts: &Head, client: Option<IpAddr>) -> Result<Caller, Error> {
        let certificate = parts.extensions.get::<ClientCertificate>();
        let certificate = certificate.ok_or(Error::Unauthenticated)?;
        let account = self.accounts.by_user_name(&certificate.common_name);
        let Some(account) = account.filter(|account| self.accounts.admits(account)) else {
            self.audit().record(&Entry {
                user: Some(
                    certificate
                        .common_name
                        .chars()
                        .take(MAX_USER_NAME)
                        .collect(),
                ),
                client,
                deed: Deed::LoginRefused,
            });
            return Err(Error::Unauthenticated);
        };
        refuse_foreign_change(parts)?;
        Ok(self.as_caller(account, None, parts, client))
    }

    fn as_caller(
        &self,
        account: Arc<Account>,
        session: Option<Arc<Session>>,
        parts: &Head,
        client: Option<IpAddr>,
    ) -> Caller {
        let privileges = self.accounts.privileges_of(&account);
        let shows_certificate = parts.extensions.get::<ClientCertificate>().is_some();
        Caller::new(account, privileges, session, client).with_certificate(shows_certificate)
    }

    /// Whether somebody whose password has to be changed may do this: look at his own account, change its password, and
    /// end his sessions (DSP0266 "Password change required handling").
    pub(crate) fn is_open_before_change(
        &self,
        caller: &Caller,
        method: &Method,
        path: &Path,
    ) -> bool {
        let own = caller.account_id();
        match *path.segments() {
            ["AccountService", "Accounts", id] => {
                id == own && matches!(*method, Method::GET | Method::HEAD | Method::PATCH)
            }
            ["AccountService", "Accounts", id, "Actions", action] => {
                id == own && *method == Method::POST && action == "ManagerAccount.ChangePassword"
            }
            ["SessionService", "Sessions", _] => {
                *method == Method::DELETE && self.owns(caller, path)
            }
            _ => false,
        }
    }
}

impl Error {
    /// What somebody gets who asked for `uri` with credentials that open nothing.
    pub(crate) fn refused(refusal: Refusal, uri: &str) -> Self {
        match refusal {
            Refusal::Wrong { .. } => Self::WrongCredentials(uri.to_owned()),
            Refusal::Crowded => Self::Crowded,
        }
    }

    /// What somebody gets who has to change his password first.
    pub(crate) fn password_change_required(caller: &Caller) -> Self {
        Self::PasswordChangeRequired(account_service::account_path(caller.account_id()))
    }
}

/// A browser adds Basic credentials and certificates by itself, also to what a page of another site sends. Reading shows
/// such a page nothing, but a change would be made. Tokens are safe: only our own page knows them.
fn refuse_foreign_change(parts: &Head) -> Result<(), Error> {
    let changes = !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    if changes && !is_own_origin(parts) {
        return Err(Error::ForeignOrigin);
    }
    Ok(())
}
