//! Heads: requests of two meanings, paths that climb, names and addresses that are somebody else's.

use crate::talk::request;
use crate::target::{PASSWORD, Target};

const SMUGGLED: &str = "GET /redfish/v1/odata HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// What attackers write about the length of a body, with a second request behind one of its two ends.
const LENGTHS: &[(&str, &str)] = &[
    ("CL.TE", "Content-Length: {}\r\nTransfer-Encoding: chunked"),
    ("TE.CL", "Transfer-Encoding: chunked\r\nContent-Length: 4"),
    (
        "TE xchunked",
        "Content-Length: {}\r\nTransfer-Encoding: xchunked",
    ),
    (
        "TE chunked, identity",
        "Content-Length: {}\r\nTransfer-Encoding: chunked, identity",
    ),
    (
        "two TE",
        "Content-Length: {}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x",
    ),
    (
        "TE, a blank, a colon",
        "Content-Length: {}\r\nTransfer-Encoding : chunked",
    ),
    (
        "TE folded",
        "Content-Length: {}\r\nTransfer-Encoding:\r\n chunked",
    ),
    (
        "TE behind a vertical tab",
        "Content-Length: {}\r\nTransfer-Encoding: \x0bchunked",
    ),
    (
        "TE quoted",
        "Content-Length: {}\r\nTransfer-Encoding: \"chunked\"",
    ),
    ("two lengths", "Content-Length: {}\r\nContent-Length: 0"),
    ("a list of lengths", "Content-Length: 0, {}"),
    ("a length with a sign", "Content-Length: +{}"),
    ("a negative length", "Content-Length: -1"),
];

/// Requests whose end can be read in two ways.
fn ambiguous() -> Vec<(&'static str, String)> {
    let post = |lines: &str, body: &str| {
        let line = "POST /redfish/v1/SessionService/Sessions HTTP/1.1\r\nHost: localhost";
        format!("{line}\r\n{lines}\r\n\r\n{body}")
    };
    let body = format!("0\r\n\r\n{SMUGGLED}");
    let length = body.len().to_string();
    let mut all: Vec<_> = LENGTHS
        .iter()
        .map(|(name, lines)| (*name, post(&lines.replace("{}", &length), &body)))
        .collect();
    let chunks = |text: &str| post("Transfer-Encoding: chunked", &format!("{text}{SMUGGLED}"));
    let get =
        |target: &str, lines: &str| format!("GET {target} HTTP/1.1\r\n{lines}\r\n\r\n{SMUGGLED}");
    let old = chunks("0\r\n\r\n").replacen("HTTP/1.1", "HTTP/1.0", 1);
    all.extend([
        (
            "a chunk size beyond 64 bits",
            chunks("10000000000000000\r\n"),
        ),
        ("a chunk size with a sign", chunks("+0\r\n\r\n")),
        ("chunks in HTTP/1.0", old),
        ("a null in a header", get("/", "Host: localhost\r\nX: a\0b")),
        ("a line break in the path", get("/a\rb", "Host: localhost")),
        (
            "a blank before the first header",
            get("/", " Host: localhost"),
        ),
        ("a blank in a name", get("/", "Host: localhost\r\nX y: z")),
    ]);
    all
}

#[tokio::test]
async fn a_request_of_two_meanings_gets_one_refusal_and_ends_the_connection() {
    let target = Target::start().await;
    let mut bystander = target.bystander().await;
    let attack = async {
        for (name, bytes) in ambiguous() {
            let mut connection = target.connect().await;
            connection.send(bytes).await;
            let answers = String::from_utf8_lossy(&connection.rest().await).into_owned();
            assert!(!answers.contains("odata.context"), "{name}: {answers}");
            assert!(
                answers.matches("HTTP/1.1 ").count() <= 1,
                "{name}: {answers}"
            );
            assert!(
                answers.is_empty() || answers.starts_with("HTTP/1.1 4"),
                "{name}: {answers}"
            );
        }
    };
    bystander.is_answered_during(attack).await;
    drop(bystander);
    target.survived("request smuggling", 32).await;
}

#[tokio::test]
async fn no_path_climbs_out_of_the_tree() {
    let target = Target::start().await;
    let mut connection = target.connect().await;
    let token = format!(
        "X-Auth-Token: {}",
        connection.log_in("root", PASSWORD).await
    );
    let up = [
        "../",
        "..%2f",
        "%2e%2e/",
        "%2e%2e%2f",
        "..\\",
        "%2e%2e%5c",
        "..%252f",
        "..;/",
        "%c0%ae%c0%ae/",
        "....//",
        "..%00/",
    ];
    for start in [
        "/",
        "/redfish/v1/",
        "/redfish/v1/JsonSchemas/",
        "/redfish/v1/Registries/",
        "/large/",
    ] {
        for up in up {
            for end in ["etc/passwd", "redfish/v1/Systems", "proc/self/environ"] {
                let path = format!("{start}{}{end}", up.repeat(6));
                let line = format!("GET {path}");
                let mut connection = target.connect().await;
                let answer = connection
                    .ask(request(&line, &[&token], ""))
                    .await
                    .expect("an answer");
                assert!(matches!(answer.status, 400 | 404), "{path}: {answer:?}");
                assert!(!answer.body.contains("root:"), "{path}");
            }
        }
    }
    for path in [
        "/redfish/v1/Systems/%00",
        "/redfish/v1//Systems",
        "//redfish/v1",
        "/redfish/v1/Systems/1%20",
        "/redfish/v1/./Systems",
        "/Redfish/v1",
    ] {
        let answer = connection.get(path, &[&token]).await;
        assert!(matches!(answer.status, 400 | 404), "{path}: {answer:?}");
    }
    drop(connection);
    target.survived("path traversal", 32).await;
}

#[tokio::test]
async fn no_header_is_a_login_and_none_makes_somebody_else_of_a_client() {
    let target = Target::start().await;
    let claims = [
        "X-Forwarded-For: 203.0.113.9",
        "X-Forwarded-Host: localhost",
        "X-Forwarded-Proto: http",
        "X-Forwarded-User: root",
        "Forwarded: for=203.0.113.9;proto=http",
        "X-Real-IP: 203.0.113.9",
        "X-Server-Addr: 127.0.0.1",
        "X-Server-Addr: 203.0.113.9:",
        "X-Original-URL: /redfish/v1/odata",
        "X-Rewrite-URL: /redfish/v1/odata",
        "X-HTTP-Method-Override: GET",
        "Client-IP: 203.0.113.9",
        "Via: 1.1 localhost",
        "Connection: X-Auth-Token, AAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ];
    for claim in claims {
        let mut connection = target
            .trust
            .connect_from([127, 0, 0, 5], b"http/1.1")
            .await
            .unwrap();
        let answer = connection.get("/redfish/v1/Systems", &[claim]).await;
        assert_eq!(answer.status, 401, "{claim}: {answer:?}");
        let body = format!(r#"{{"UserName":"victim","Password":"{PASSWORD}"}}"#);
        let login = request("POST /redfish/v1/SessionService/Sessions", &[claim], &body);
        let answer = connection.ask(login).await.unwrap();
        assert!(
            answer
                .body
                .contains(r#""ClientOriginIPAddress":"127.0.0.5""#),
            "{claim}: {answer:?}"
        );
    }
    for host in [
        "127.0.0.1",
        "169.254.0.17",
        "[::1]",
        "localhost:",
        "evil.example",
    ] {
        let mut connection = target.connect().await;
        let text = format!("GET /redfish/v1/Systems HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let answer = connection.ask(text).await.unwrap();
        assert!(matches!(answer.status, 400 | 401), "{host}: {answer:?}");
        assert!(!answer.head.contains("evil"), "{answer:?}");
    }
    target.survived("header spoofing", 32).await;
}

#[tokio::test]
async fn headers_that_are_too_long_or_too_many_are_refused() {
    let target = Target::start().await;
    let mut bystander = target.bystander().await;
    let attack = async {
        for size in [29, 1_000, 30_000, 64_000, 1_000_000] {
            for name in [
                "Connection",
                "Authorization",
                "X-Auth-Token",
                "Host",
                "If-Match",
                "Accept",
            ] {
                let mut connection = target.connect().await;
                let line = format!("{name}: {}", "A".repeat(size));
                connection
                    .send(request("GET /redfish/v1/Systems", &[&line], ""))
                    .await;
                // A head beyond all limits may be cut off without a word.
                if let Some(answer) = connection.answer().await {
                    assert!(
                        matches!(answer.status, 400 | 401 | 406 | 412 | 431),
                        "{name} {size}: {answer:?}"
                    );
                }
            }
        }
        let many = vec!["A: b"; 5_000];
        let mut connection = target.connect().await;
        connection
            .send(request("GET /redfish/v1/", &many, ""))
            .await;
        if let Some(answer) = connection.answer().await {
            assert_eq!(answer.status, 431, "{answer:?}");
        }
    };
    bystander.is_answered_during(attack).await;
    drop(bystander);
    target.survived("headers without end", 32).await;
}
