//! A Redfish client made of `curl`: what a person would type, and nothing of ours in it.

use std::time::Duration;

use serde_json::Value;

use crate::Result;
use crate::process::{command, run};

/// How long one request may take.
const LIMIT: Duration = Duration::from_secs(20);

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// Header lines, as received.
    pub(crate) headers: Vec<(String, String)>,
    /// The body; null where there is none or it isn't JSON.
    pub(crate) body: Value,
}

impl Answer {
    /// The first header of this name, any case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body of a request that must have succeeded.
    ///
    /// # Errors
    /// Any status but 2xx, with the body.
    pub(crate) fn expect_success(self, what: &str) -> Result<Value> {
        if (200..300).contains(&self.status) {
            Ok(self.body)
        } else {
            Err(format!("{what}: HTTP {}: {}", self.status, self.body).into())
        }
    }
}

/// A service and, once logged in, a session.
#[derive(Clone)]
pub(crate) struct Client {
    /// `https://127.0.0.1:8443`.
    pub(crate) url: String,
    token: Option<String>,
    /// Where the session is.
    session: Option<String>,
    /// Further options of curl, for every request.
    options: Vec<String>,
}

impl Client {
    /// A client without a session.
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.trim_end_matches('/').to_owned(),
            token: None,
            session: None,
            options: Vec::new(),
        }
    }

    /// The same client with further options of curl.
    pub(crate) fn with_options(mut self, options: &[&str]) -> Self {
        self.options
            .extend(options.iter().map(|option| (*option).to_owned()));
        self
    }

    /// Creates a session; the client uses its token from now on.
    ///
    /// # Errors
    /// Where the service refuses, with its words.
    pub(crate) fn log_in(&mut self, username: &str, password: &str) -> Result {
        let body = serde_json::json!({"UserName": username, "Password": password});
        let answer = self.request("POST", "/redfish/v1/SessionService/Sessions", Some(&body))?;
        let token = answer.header("X-Auth-Token").map(str::to_owned);
        self.session = answer.header("Location").map(str::to_owned);
        answer.expect_success("login")?;
        self.token = Some(token.ok_or("login: no X-Auth-Token header")?);
        Ok(())
    }

    /// Ends the session.
    ///
    /// # Errors
    /// Where there is none, or the service refuses.
    pub(crate) fn log_out(&mut self) -> Result {
        let session = self.session.take().ok_or("no session to end")?;
        self.request("DELETE", &session, None)?
            .expect_success("logout")?;
        self.token = None;
        Ok(())
    }

    /// Reads a resource.
    ///
    /// # Errors
    /// Any status but 2xx.
    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        self.request("GET", path, None)?.expect_success(path)
    }

    /// Any request, with any outcome.
    ///
    /// # Errors
    /// Where curl fails: no connection, no HTTP.
    pub(crate) fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
        self.request_with(method, path, &[], body)
    }

    /// Any request with these headers, `Name: value`.
    ///
    /// # Errors
    /// Where curl fails: no connection, no HTTP.
    pub(crate) fn request_with(
        &self,
        method: &str,
        path: &str,
        headers: &[&str],
        body: Option<&Value>,
    ) -> Result<Answer> {
        let mut curl = command("curl");
        // The certificate is made at first start and signed by itself.
        curl.args([
            "--silent",
            "--show-error",
            "--insecure",
            "--include",
            "--max-time",
            "15",
        ]);
        // curl would wait for the body that a HEAD has none of.
        match method {
            "HEAD" => curl.arg("--head"),
            _ => curl.args(["--request", method]),
        };
        curl.args(&self.options);
        for header in headers {
            curl.args(["--header", header]);
        }
        if let Some(token) = &self.token {
            curl.args(["--header", &format!("X-Auth-Token: {token}")]);
        }
        if let Some(body) = body {
            curl.args([
                "--header",
                "Content-Type: application/json",
                "--data",
                &body.to_string(),
            ]);
        }
        curl.arg(format!("{}{path}", self.url));
        let text = run(curl, LIMIT)?.expect_success()?;
        parse(&text).ok_or_else(|| format!("{method} {path}: no HTTP answer: {text}").into())
    }

    /// Every member of a collection, read one by one.
    ///
    /// # Errors
    /// Where the collection or a member can't be read.
    pub(crate) fn members(&self, path: &str) -> Result<Vec<Value>> {
        let collection = self.get(path)?;
        let members = collection["Members"]
            .as_array()
            .ok_or_else(|| format!("{path} has no Members"))?;
        members
            .iter()
            .map(|member| match member["@odata.id"].as_str() {
                Some(link) if member.as_object().is_some_and(|fields| fields.len() == 1) => {
                    self.get(link)
                }
                _ => Ok(member.clone()),
            })
            .collect()
    }
}

fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split_whitespace().nth(1)?.parse().ok()?;
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    };
    let body = serde_json::from_str(body).unwrap_or(Value::Null);
    Some(Answer {
        status,
        headers: lines.filter_map(header).collect(),
        body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_status_headers_and_body() {
        let answer =
            parse("HTTP/2 201 \r\nx-auth-token: abc\r\nlocation: /x\r\n\r\n{\"Id\":\"1\"}")
                .unwrap();
        assert_eq!(
            (answer.status, answer.header("X-Auth-Token")),
            (201, Some("abc"))
        );
        assert_eq!(answer.body["Id"], "1");
    }

    #[test]
    fn an_error_carries_the_body() {
        let answer = parse("HTTP/1.1 404 Not Found\r\n\r\n{\"error\":{}}").unwrap();
        let error = answer.expect_success("GET /x").unwrap_err().to_string();
        assert_eq!(error, "GET /x: HTTP 404: {\"error\":{}}");
    }
}
