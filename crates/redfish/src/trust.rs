//! Who vouches for clients that log in by a certificate: the operator's authorities and those that clients have added
//! (DSP0266 "Client certificate authentication").

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redfish_schema::{CheckedCreate, DateTime};
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::message::{self, Message};
use crate::store::{Batch, Store, StoreError, Table};
use crate::tls::{ChainError, Clients, Facts, Tls, one_authority, pem};
use crate::{Failure, MAX_PEM_BYTES, Settings};

/// How many certificate authorities clients may add.
pub const MAX_CLIENT_AUTHORITIES: usize = 64;

/// Authorities by their number, in PEM form.
const AUTHORITIES: Table = Table("client-authorities");
const SETTINGS: Table = Table("settings");
const SETTINGS_KEY: &str = "ClientCertificate";
/// What the `Id` of an authority begins with that is in the operator's file.
const FILE: &str = "File";

/// Whether clients are asked for certificates, and whether they need one. It counts where there is an authority.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Switches {
    is_enabled: bool,
    needs_certificate: bool,
}

/// Who vouches for clients. Clones share it.
#[derive(Clone)]
pub(crate) struct Trust(Arc<Shared>);

struct Shared {
    tls: Arc<Tls>,
    store: Store,
    held: Mutex<Held>,
    /// One change at a time.
    change: tokio::sync::Mutex<()>,
}

struct Held {
    added: BTreeMap<u32, CertificateDer<'static>>,
    next: u32,
    switches: Switches,
}

/// An authority, for whoever shows it.
pub(crate) struct Authority {
    pub(crate) pem: String,
    pub(crate) facts: Facts,
    /// Whether a client has added it, and one may remove it.
    pub(crate) is_added: bool,
}

/// How the service deals with certificates of clients.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    /// Whether a client may be somebody by its certificate.
    pub(crate) is_enabled: bool,
    /// Whether clients without one are answered.
    pub(crate) answers_others: bool,
}

impl Trust {
    /// Takes up what clients have added. `None` where the service has no TLS of its own.
    pub(crate) fn load(settings: &Settings) -> Result<Option<Self>, StoreError> {
        let Some((tls, _)) = &settings.tls else {
            return Ok(None);
        };
        let mut held = Held {
            added: BTreeMap::new(),
            next: 1,
            switches: Switches {
                is_enabled: true,
                needs_certificate: false,
            },
        };
        let bad = |key: &str, cause: String| StoreError::Entry(format!("{key}: {cause}"));
        for (key, text) in settings.store.load::<String>(AUTHORITIES)? {
            let id: u32 = key.parse().map_err(|_| bad(&key, "no number".to_owned()))?;
            let authority = one_authority(&text).map_err(|e| bad(&key, e.to_string()))?;
            held.added.insert(id, authority);
            held.next = held.next.max(id.saturating_add(1));
        }
        for (key, kept) in settings.store.load::<Value>(SETTINGS)? {
            if key == SETTINGS_KEY {
                let kept = serde_json::from_value(kept);
                held.switches = kept.map_err(|e| bad(&key, e.to_string()))?;
            }
        }
        let trust = Self(Arc::new(Shared {
            tls: Arc::clone(tls),
            store: settings.store.clone(),
            held: Mutex::new(held),
            change: tokio::sync::Mutex::new(()),
        }));
        let in_force = trust.0.put_in_force();
        in_force.map_err(|e| bad("client-authorities", e.to_string()))?;
        Ok(Some(trust))
    }

    /// What is true now.
    pub(crate) fn standing(&self) -> Standing {
        let held = self.0.held();
        let has_some = !held.added.is_empty() || !self.0.tls.authorities().is_empty();
        let is_enabled = has_some && held.switches.is_enabled;
        Standing {
            is_enabled,
            answers_others: !(is_enabled && held.switches.needs_certificate),
        }
    }

    /// The `Id` of each authority, the operator's first.
    pub(crate) fn ids(&self) -> Vec<String> {
        let files = (1..=self.0.tls.authorities().len()).map(|n| format!("{FILE}{n}"));
        let held = self.0.held();
        files.chain(held.added.keys().map(u32::to_string)).collect()
    }

    /// The authority with this `Id`.
    pub(crate) fn get(&self, id: &str) -> Option<Authority> {
        let (der, is_added) = match id.strip_prefix(FILE) {
            Some(number) => {
                let number = number.parse::<usize>().ok();
                let number = number.filter(|n| format!("{FILE}{n}") == id)?;
                let authorities = self.0.tls.authorities();
                (authorities.get(number.checked_sub(1)?)?.clone(), false)
            }
            None => {
                let number = id.parse().ok().filter(|n: &u32| n.to_string() == id)?;
                (self.0.held().added.get(&number)?.clone(), true)
            }
        };
        Some(Authority {
            pem: pem("CERTIFICATE", &der),
            facts: Facts::of(&der)?,
            is_added,
        })
    }

    /// Adds an authority, in force from the next handshake on. Its `Id` is the answer.
    ///
    /// # Errors
    /// Messages about what isn't an authority's certificate in PEM form, or has expired;
    /// [`Failure::AlreadyExists`], [`Failure::LimitReached`].
    pub(crate) async fn add(&self, new: &CheckedCreate) -> Result<String, Failure> {
        if let Some(kind) = new.text("CertificateType").filter(|kind| *kind != "PEM") {
            let message = message::property_value_not_in_list(kind, "CertificateType");
            return Err(refused(
                message,
                "CertificateType",
                "Send one certificate as PEM.",
            ));
        }
        let text = new.text("CertificateString").unwrap_or_default();
        let authority = one_authority(text).map_err(|error| wrong(&error))?;
        let facts = Facts::of(&authority).ok_or_else(|| wrong(&ChainError::NoCertificate))?;
        if facts.not_after.unix_ms() <= DateTime::from(std::time::SystemTime::now()).unix_ms() {
            return Err(wrong(&ChainError::Unusable("it has expired".to_owned())));
        }
        let _change = self.0.change.lock().await;
        let id = {
            let held = self.0.held();
            let mut all = held.added.values().chain(self.0.tls.authorities());
            if all.any(|known| *known == authority) {
                return Err(Failure::AlreadyExists {
                    resource: "Certificate",
                    property: "Fingerprint",
                    value: facts.fingerprint,
                });
            }
            if held.added.len() >= MAX_CLIENT_AUTHORITIES {
                return Err(Failure::LimitReached);
            }
            held.next
        };
        let mut batch = Batch::default();
        batch.put(AUTHORITIES, id.to_string(), &pem("CERTIFICATE", &authority))?;
        self.commit(batch, move |held| {
            held.added.insert(id, authority);
            held.next = id.saturating_add(1);
        })
        .await?;
        Ok(id.to_string())
    }

    /// Removes an authority that a client has added. Nobody is let in by its certificates any more, and who was is
    /// nobody from then on.
    pub(crate) async fn remove(&self, id: &str) -> Result<(), Failure> {
        let _change = self.0.change.lock().await;
        let number: u32 = id.parse().map_err(|_| Failure::NotChangeable)?;
        {
            let held = self.0.held();
            if !held.added.contains_key(&number) {
                return Err(Failure::NotFound);
            }
            let is_last = held.added.len() == 1 && self.0.tls.authorities().is_empty();
            if is_last && held.switches.is_enabled && held.switches.needs_certificate {
                return Err(Failure::InUse {
                    reason: "Clients need a certificate and nobody else vouches for them. Set \
                             RespondToUnauthenticatedClients to true first, or add another authority."
                        .to_owned(),
                });
            }
        }
        let mut batch = Batch::default();
        batch.remove(AUTHORITIES, number.to_string());
        self.commit(batch, move |held| {
            held.added.remove(&number);
        })
        .await
    }

    /// Changes what `MultiFactorAuth.ClientCertificate` lets be changed. What the service can't do otherwise is refused,
    /// and that somebody who shows no certificate himself makes one necessary.
    pub(crate) async fn set(
        &self,
        changes: &Map<String, Value>,
        shows_certificate: bool,
    ) -> Result<(), Failure> {
        let _change = self.0.change.lock().await;
        let (mut switches, has_some) = {
            let held = self.0.held();
            let files = self.0.tls.authorities();
            (held.switches, !held.added.is_empty() || !files.is_empty())
        };
        let needs_some = |name: &str, value: bool| match has_some {
            true => Ok(()),
            false => {
                let text = value.to_string();
                let message = message::property_value_external_conflict(name, text);
                let remedy = "Nobody vouches for clients. Add an authority to Certificates first.";
                Err(refused(message, &place(name), remedy))
            }
        };
        for (name, value) in changes {
            match (name.as_str(), value) {
                ("Enabled", Value::Bool(on)) => {
                    if *on {
                        needs_some(name, *on)?;
                    }
                    switches.is_enabled = *on;
                    // Switched on again later, it must not shut out who was let in meanwhile.
                    switches.needs_certificate &= *on;
                }
                ("RespondToUnauthenticatedClients", Value::Bool(respond)) => {
                    if !respond {
                        needs_some(name, *respond)?;
                    }
                    switches.needs_certificate = !respond;
                }
                ("CertificateMappingAttribute", Value::String(word)) if word == "CommonName" => {}
                ("CertificateMappingAttribute", Value::String(word)) => {
                    let message = message::property_value_not_in_list(word, name);
                    let remedy = "A certificate's common name is the user name: CommonName.";
                    return Err(refused(message, &place(name), remedy));
                }
                (_, Value::Null) => {
                    let message = message::property_value_type_error("null", name);
                    return Err(refused(message, &place(name), "Say what it shall be."));
                }
                _ => {
                    return Err(Failure::PropertyNotWritable {
                        pointer: format!("/{}", place(name)),
                    });
                }
            }
        }
        let demands = changes.get("RespondToUnauthenticatedClients") == Some(&Value::Bool(false));
        if demands && !(switches.is_enabled && shows_certificate) {
            let name = "RespondToUnauthenticatedClients";
            let message = message::property_value_external_conflict(name, "false");
            let remedy = match switches.is_enabled {
                true => {
                    "You would be shut out: send this over a connection that shows a client certificate."
                }
                false => "Nobody is asked for certificates. Set Enabled to true first.",
            };
            return Err(refused(message, &place(name), remedy));
        }
        let mut batch = Batch::default();
        batch.put(SETTINGS, SETTINGS_KEY, &switches)?;
        self.commit(batch, move |held| held.switches = switches)
            .await
    }

    /// Writes a change, makes it in memory, and puts it in force.
    async fn commit(
        &self,
        batch: Batch,
        change: impl FnOnce(&mut Held) + Send + 'static,
    ) -> Result<(), Failure> {
        let shared = Arc::clone(&self.0);
        let apply = move || {
            change(&mut shared.held());
            if let Err(error) = shared.put_in_force() {
                tracing::error!(%error, "certificate authorities of clients are not in force");
            }
        };
        Ok(self.0.store.commit(batch, apply).await?)
    }
}

impl Shared {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_in_force(&self) -> Result<(), ChainError> {
        let held = self.held();
        let added = held.added.values().cloned().collect();
        self.tls.believe(Clients {
            added,
            is_enabled: held.switches.is_enabled,
            needs_certificate: held.switches.needs_certificate,
        })
    }
}

/// Where a property of `ClientCertificate` is in `AccountService`.
fn place(property: &str) -> String {
    format!("MultiFactorAuth/ClientCertificate/{property}")
}

fn wrong(error: &ChainError) -> Failure {
    let remedy = match error {
        ChainError::TooLong => {
            format!("Send one certificate, of at most {MAX_PEM_BYTES} bytes.")
        }
        error => format!("The certificate isn't taken: {error}."),
    };
    let message = message::property_value_error("CertificateString");
    refused(message, "CertificateString", &remedy)
}

fn refused(message: Message, property: &str, remedy: &str) -> Failure {
    let message = message.about(format!("/{property}"));
    Failure::Messages(vec![message.with_resolution(remedy)])
}
