//! Bodies: too large, too deep, twice the same name, and numbers that are none.

use crate::talk::request;
use crate::target::{PASSWORD, Target};

const SESSIONS: &str = "POST /redfish/v1/SessionService/Sessions";
const PATCH: &str = "PATCH /redfish/v1/SessionService";

/// What a client may not send, each with why.
fn bombs() -> Vec<(&'static str, String)> {
    let login = |more: &str| format!(r#"{{"UserName":"root","Password":"{PASSWORD}"{more}}}"#);
    vec![
        ("nested arrays", format!("{{\"A\":{}", "[".repeat(3_000))),
        ("nested objects", "{\"A\":".repeat(700)),
        ("a name twice", login(r#","UserName":"admin""#)),
        (
            "a name twice, once escaped",
            login(r#","\u0055serName":"admin""#),
        ),
        (
            "a number without end",
            login(&format!(r#","N":1{}"#, "0".repeat(3_000))),
        ),
        ("an exponent out of the world", login(r#","N":1e999999"#)),
        ("NaN", login(r#","N":NaN"#)),
        ("half a surrogate", login(r#","N":"\ud800""#)),
        ("a byte order mark", format!("\u{feff}{}", login(""))),
        ("something behind", format!("{}{}", login(""), "x")),
        ("two objects", login("").repeat(2)),
        ("a comment", login("/*x*/")),
        ("a null byte", login("\0")),
        ("a control character in a text", login(",\"N\":\"\n\"")),
    ]
}

#[tokio::test]
async fn bodies_that_are_bombs_are_refused_before_and_after_login() {
    let target = Target::start().await;
    let mut bystander = target.bystander().await;
    let attack = async {
        let mut connection = target.connect().await;
        let token = connection.log_in("root", PASSWORD).await;
        let token = format!("X-Auth-Token: {token}");
        for (name, bomb) in bombs() {
            for (line, headers) in [(SESSIONS, &[][..]), (PATCH, &[token.as_str()])] {
                let mut connection = target.connect().await;
                let answer = connection.ask(request(line, headers, &bomb)).await;
                let answer = answer.expect("an answer");
                assert_eq!(answer.status, 400, "{name}: {line}: {answer:?}");
                assert_eq!(answer.header("x-auth-token"), None);
            }
        }
        // A million names fit into no body that is read.
        let names: Vec<_> = (0..6_000).map(|n| format!("\"N{n}\":1")).collect();
        let body = format!("{{{}}}", names.join(","));
        let answer = connection
            .ask(request(PATCH, &[&token], &body))
            .await
            .unwrap();
        assert!((400..500).contains(&answer.status), "{answer:?}");
        assert!(
            answer.body.len() < 64 * 1024,
            "{} bytes of messages",
            answer.body.len()
        );
    };
    bystander.is_answered_during(attack).await;
    drop(bystander);
    target.survived("bodies that are bombs", 32).await;
}

#[tokio::test]
async fn bodies_without_end_are_cut_off_before_they_are_kept() {
    let target = Target::start().await;
    let mut bystander = target.bystander().await;
    let attack = async {
        let mut connection = target.connect().await;
        let token = connection.log_in("root", PASSWORD).await;
        let token = format!("X-Auth-Token: {token}");
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        for (line, header) in [(SESSIONS, "Accept: */*"), (PATCH, token.as_str())] {
            for framing in ["Transfer-Encoding: chunked", "Content-Length: 99999999999"] {
                let mut connection = target.connect().await;
                let head = request(
                    line,
                    &[header, framing, "Content-Type: application/json"],
                    "",
                );
                connection.send(head).await;
                // 64 MiB, unless the service has had enough before.
                let mut sent = 0;
                while sent < 1024 && connection.send(&chunk).await {
                    sent += 1;
                }
                assert!(sent < 1024, "{line} {framing}: all of it was taken");
                // How much of it the kernel has taken meanwhile doesn't matter: the answer comes first.
                if let Some(answer) = connection.answer().await {
                    assert_eq!(answer.status, 413, "{line} {framing}: {answer:?}");
                }
            }
        }
    };
    bystander.is_answered_during(attack).await;
    drop(bystander);
    target.survived("bodies without end", 32).await;
}

#[tokio::test]
async fn a_body_that_is_larger_than_allowed_gets_its_answer() {
    let target = Target::start().await;
    for size in [
        redfish::MAX_LOGIN_BYTES + 1,
        redfish::MAX_BODY_BYTES + 1,
        500_000,
    ] {
        for _ in 0..20 {
            let mut connection = target.connect().await;
            let body = format!("{{\"UserName\":\"{}\"}}", "x".repeat(size));
            let answer = connection.ask(request(SESSIONS, &[], &body)).await;
            assert_eq!(answer.expect("the answer isn't lost").status, 413);
        }
    }
    target.survived("bodies that are too large", 32).await;
}

#[tokio::test]
async fn compressed_bodies_are_not_unpacked() {
    let target = Target::start().await;
    let mut connection = target.connect().await;
    let headers = ["Content-Encoding: gzip"];
    let answer = connection
        .ask(request(SESSIONS, &headers, "\u{1f}\u{8b}\u{8}"))
        .await
        .unwrap();
    assert!(matches!(answer.status, 400 | 415), "{answer:?}");
    drop(connection);
    target.survived("compressed bodies", 32).await;
}
