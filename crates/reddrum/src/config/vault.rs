//! Secrets from a vault: `[vault]`, the HTTP API of HashiCorp Vault and OpenBao, engine "key/value" of version 1 and 2.
//!
//! A secret is named `PATH#FIELD`, the path as the API has it behind `/v1/`: `secret/data/bmc/hall2#password`. Each path is
//! asked for once each time the file is read, so at the start and at SIGHUP.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, Uri};
use serde::Deserialize;

use super::keys;
use super::secret::{self, Secret, Sources};
use super::section::{Problems, Section};
use crate::fetch::{ANSWERS, Fetch, fetch};

/// How long the vault may take for one answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// The longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// The most paths that are asked for each time.
const PATHS_MAX: usize = 256;

const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");
const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");

/// A vault, and what it has said since the file was begun to be read.
#[derive(Debug)]
pub(super) struct Vault {
    /// `https://HOST:PORT`, without a path.
    address: String,
    token: Secret,
    namespace: Option<Secret>,
    ca_file: Option<PathBuf>,
    said: RefCell<BTreeMap<String, Result<Secret, String>>>,
    /// Why it can't be reached: it isn't waited for again for every path.
    silence: RefCell<Option<String>>,
}

/// Reads `[vault]`; `None` where it is absent, or where something is wrong with it (reported).
pub(super) fn read(
    root: &Section<'_, '_>,
    sources: &Sources<'_>,
    problems: &mut Problems<'_>,
) -> Option<Vault> {
    let (table, span) = root.table(problems, "vault")?;
    let section = Section::open(&keys::VAULT, "[vault]".into(), table, span, problems);
    let before = problems.count();
    let token = secret::read(&section, problems, sources, "token");
    if token.is_none() && problems.count() == before {
        section.problem(
            problems,
            "token_file",
            "is missing (or token_env, or token_command)",
        );
    }
    let address = section.required(problems, "address");
    let address = address.and_then(|text| {
        let checked = check_address(&text);
        checked
            .map_err(|what| section.problem(problems, "address", what))
            .ok()
    });
    let namespace = section.string(problems, "namespace").map(Secret::new);
    let ca_file = section.string(problems, "ca_file");
    Some(Vault {
        address: address?,
        token: token?,
        namespace,
        ca_file: ca_file.map(|file| sources.base.join(file)),
        said: RefCell::default(),
        silence: RefCell::default(),
    })
}

/// The address without a slash at its end. In clear text only to this machine, where an agent may listen.
fn check_address(text: &str) -> Result<String, &'static str> {
    const WANTED: &str = "expected https://HOST:PORT, without a path";
    let url: Uri = text.parse().map_err(|_| WANTED)?;
    let host = url.host().unwrap_or_default();
    let is_plain = matches!(url.path(), "" | "/") && url.query().is_none();
    let has_user = url.authority().is_none_or(|at| at.as_str().contains('@'));
    if !is_plain || has_user {
        return Err(WANTED);
    }
    match url.scheme_str() {
        Some("https") => {}
        Some("http") if matches!(host, "localhost" | "127.0.0.1" | "[::1]") => {}
        Some("http") => {
            return Err(
                "the token and every secret would cross the network readable by anybody: ask by https",
            );
        }
        _ => return Err(WANTED),
    }
    Ok(text.trim_end_matches('/').to_owned())
}

impl Vault {
    /// The secret that `PATH#FIELD` names; without a field, the field `stem`.
    ///
    /// # Errors
    /// Why there is none. Never says what the vault answered.
    pub(super) fn secret(&self, name: &str, stem: &str) -> Result<Secret, String> {
        let (path, field) = name.split_once('#').unwrap_or((name, stem));
        let path = path.trim_matches('/');
        let path = path.strip_prefix("v1/").unwrap_or(path);
        let is_clean = |text: &str| {
            text.bytes()
                .all(|b| b.is_ascii_graphic() && !b"?#%".contains(&b))
        };
        if path.is_empty()
            || field.is_empty()
            || !is_clean(path)
            || path.split('/').any(|part| part == "..")
        {
            return Err("expected PATH#FIELD, such as secret/data/bmc/hall2#password".to_owned());
        }
        let mut said = self.said.borrow_mut();
        if !said.contains_key(path) {
            if said.len() == PATHS_MAX {
                return Err(format!("more than {PATHS_MAX} paths are asked for"));
            }
            said.insert(path.to_owned(), self.ask(path));
        }
        let answer = said
            .get(path)
            .map_or_else(|| Err(String::new()), Clone::clone)?;
        field_of(answer.expose(), field).map_err(|what| format!("{path}: {what}"))
    }

    /// Asks in a thread of its own: the file is read where there is a runtime, and where there is none.
    fn ask(&self, path: &str) -> Result<Secret, String> {
        if let Some(why) = &*self.silence.borrow() {
            return Err(why.clone());
        }
        let url: Uri = format!("{}/v1/{path}", self.address)
            .parse()
            .map_err(|_| format!("{path} can't stand in a URL"))?;
        let mut headers = vec![(TOKEN, &self.token)];
        headers.extend(self.namespace.as_ref().map(|name| (NAMESPACE, name)));
        let wanted = Fetch {
            url: &url,
            headers: &headers,
            ca_file: self.ca_file.as_deref(),
            section: "[vault]",
            time_max: ANSWER_MAX,
            bytes_max: ANSWER_BYTES_MAX,
        };
        let asking = || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.map_err(|e| e.to_string())?.block_on(fetch(&wanted))
        };
        let answer = std::thread::scope(|scope| scope.spawn(asking).join());
        let answer = answer.unwrap_or_else(|_| Err("asking failed".to_owned()));
        answer.map(Secret::new).map_err(|what| {
            let what = format!("{url}: {what}");
            let Some((_, status)) = what.split_once(ANSWERS) else {
                self.silence.replace(Some(what.clone()));
                return what;
            };
            let hint = match status.get(..3) {
                Some("403") => "the token holds no longer, or its policy doesn't let it read that path",
                Some("404") => "nothing is there; a version 2 engine has data/ behind its mount, as in secret/data/…",
                Some("503") => "the vault is sealed or on standby",
                _ => return what,
            };
            format!("{what}: {hint}")
        })
    }
}

/// What the vault answers. Version 2 of the engine has the fields one level further down, beside what it knows of them.
#[derive(Deserialize)]
struct Answer {
    data: Fields,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Fields {
    Versioned {
        data: BTreeMap<String, serde_json::Value>,
        #[serde(rename = "metadata")]
        _metadata: serde::de::IgnoredAny,
    },
    Plain(BTreeMap<String, serde_json::Value>),
}

fn field_of(answer: &[u8], field: &str) -> Result<Secret, String> {
    let answer: Answer = serde_json::from_slice(answer)
        .map_err(|_| "the answer is none of a key/value engine".to_owned())?;
    let (Fields::Versioned {
        data: mut fields, ..
    }
    | Fields::Plain(mut fields)) = answer.data;
    match fields.remove(field) {
        Some(serde_json::Value::String(text)) if !text.is_empty() => Ok(Secret::new(text)),
        Some(_) => Err(format!("its field '{field}' is no text, or empty")),
        None => {
            let names: Vec<_> = fields.into_keys().take(8).collect();
            Err(format!(
                "it has no field '{field}'; there are: {}",
                names.join(", ")
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::path::Path;
    use std::sync::mpsc;

    use crate::config::Config;

    /// What a vault answers to a path.
    fn answer(path: &str) -> (&'static str, &'static str) {
        match path {
            "/v1/secret/data/bmc" => (
                "200 OK",
                r#"{"lease_id":"","data":{"data":{"password":"hush","kg":"0102","n":7},"metadata":{"version":3}}}"#,
            ),
            "/v1/old/bmc" => ("200 OK", r#"{"data":{"password":"old hush","data":"x"}}"#),
            "/v1/secret/data/closed" => ("403 Forbidden", r#"{"errors":["permission denied"]}"#),
            _ => ("404 Not Found", r#"{"errors":[]}"#),
        }
    }

    /// A vault on a port of its own; says which paths it was asked for, with the token.
    fn vault() -> (String, mpsc::Receiver<(String, String)>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (told, asked) = mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let first = lines.next().unwrap().unwrap();
                let path = first.split(' ').nth(1).unwrap().to_owned();
                let head: Vec<_> = lines
                    .map(Result::unwrap)
                    .take_while(|l| !l.is_empty())
                    .collect();
                let token = head.iter().find_map(|l| l.strip_prefix("x-vault-token: "));
                let (status, body) = answer(&path);
                let _ = told.send((path, token.unwrap_or_default().to_owned()));
                let length = body.len();
                write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}"
                )
                .unwrap();
            }
        });
        (address, asked)
    }

    fn config(address: &str, credentials: &str) -> Result<Config, Vec<String>> {
        let text = format!(
            "[service]\n[vault]\naddress = \"{address}\"\ntoken_command = [\"echo\", \"s.token\"]\n\
             [[account]]\nusername = \"a\"\npassword_command = [\"echo\", \"p\"]\n{credentials}"
        );
        Config::parse(&text, Path::new("."))
            .map_err(|found| found.iter().map(ToString::to_string).collect())
    }

    fn credentials(name: &str, keys: &str) -> String {
        format!("[credentials.{name}]\nusername = \"root\"\n{keys}\n")
    }

    #[test]
    fn secrets_come_from_engines_of_both_versions_and_each_path_is_asked_for_once() {
        let (address, asked) = vault();
        let all = [
            credentials(
                "a",
                "password_vault = \"secret/data/bmc#password\"\nkg_vault = \"secret/data/bmc\"",
            ),
            credentials("b", "password_vault = \"/v1/old/bmc\""),
        ];
        let config = config(&address, &all.concat()).unwrap();
        let of = |name: &str| &config.credentials[name];
        assert_eq!(of("a").password.expose(), b"hush");
        assert_eq!(of("a").kg.as_ref().unwrap().expose(), [1, 2]);
        assert_eq!(of("b").password.expose(), b"old hush");
        let asked: Vec<_> = asked.try_iter().collect();
        let paths: Vec<_> = asked.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["/v1/secret/data/bmc", "/v1/old/bmc"]);
        assert!(asked.iter().all(|(_, token)| token == "s.token"));
    }

    #[test]
    fn what_the_vault_refuses_or_lacks_is_told_with_the_remedy_and_without_secrets() {
        let (address, _asked) = vault();
        for (keys, expected) in [
            (
                "password_vault = \"secret/data/closed\"",
                "403 Forbidden: the token holds no longer",
            ),
            (
                "password_vault = \"secret/bmc\"",
                "a version 2 engine has data/ behind its mount",
            ),
            (
                "password_vault = \"secret/data/bmc#pass\"",
                "no field 'pass'; there are: kg, n, password",
            ),
            (
                "password_vault = \"secret/data/bmc#n\"",
                "its field 'n' is no text",
            ),
            (
                "password_vault = \"secret/../sys/raw\"",
                "expected PATH#FIELD",
            ),
            (
                "password_vault = \"secret/data/bmc\"\npassword_env = \"HOME\"",
                "give password_env or password_vault, not both",
            ),
        ] {
            let found = config(&address, &credentials("a", keys)).unwrap_err();
            assert!(
                found.len() == 1 && found[0].contains(expected),
                "{keys}: {found:?}"
            );
            assert!(
                !found[0].contains("hush") && !found[0].contains("s.token"),
                "{found:?}"
            );
        }
    }

    #[test]
    fn a_vault_that_does_not_answer_is_asked_once_and_one_in_clear_text_elsewhere_never() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let two = [
            credentials("a", "password_vault = \"secret/data/one\""),
            credentials("b", "password_vault = \"secret/data/two\""),
        ];
        let found = config(&address, &two.concat()).unwrap_err();
        assert_eq!(found.len(), 2);
        assert!(
            found
                .iter()
                .all(|text| text.contains("secret/data/one: can't connect")),
            "{found:?}"
        );
        let found = config("http://vault.example:8200", &two[0]).unwrap_err();
        assert!(found[0].contains("ask by https"), "{found:?}");
    }
}
