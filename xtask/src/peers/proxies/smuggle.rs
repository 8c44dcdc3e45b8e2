//! Requests that two readers could understand differently: whatever a web server makes of them, no request of an attacker
//! is answered to somebody else.
//!
//! They go to the plain port, where a redirect names the path that the service has read: a smuggled path shows.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::Stand;
use crate::Result;
use crate::peers::report::{Report, none_of};

/// How long an answer is waited for where the connection stays open.
const LIMIT: Duration = Duration::from_secs(3);
/// How many requests of others follow each attack, so that each kept connection to the service is used.
const VICTIMS: usize = 8;

/// What must never be answered to anybody else. It has no end, so the next request on the same connection completes it.
const SMUGGLED: &str = "GET /redfish/v1/SMUGGLED HTTP/1.1\r\nHost: localhost\r\nX-A: ";

/// One attack: its name and its bytes.
type Attack = (&'static str, String);

fn post(lines: &str, body: &str) -> String {
    format!("POST /redfish/v1/attack HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n\r\n{body}")
}

fn attacks() -> Vec<Attack> {
    [two_framings(), lengths(), chunks(), others()].concat()
}

/// `Content-Length` for one reader, `Transfer-Encoding` for the other.
fn two_framings() -> Vec<Attack> {
    let body = format!("0\r\n\r\n{SMUGGLED}");
    let with = |line: &str| post(&format!("Content-Length: {}\r\n{line}", body.len()), &body);
    let short = format!("5c\r\n{SMUGGLED}\r\n0\r\n\r\n");
    let te_first = post("Transfer-Encoding: chunked\r\nContent-Length: 4", &short);
    vec![
        ("CL.TE", with("Transfer-Encoding: chunked")),
        ("TE.CL", te_first),
        ("TE in capitals", with("TRANSFER-ENCODING: CHUNKED")),
        ("TE xchunked", with("Transfer-Encoding: xchunked")),
        (
            "TE chunked, identity",
            with("Transfer-Encoding: chunked, identity"),
        ),
        (
            "two TE",
            with("Transfer-Encoding: chunked\r\nTransfer-Encoding: x"),
        ),
        ("TE behind a tab", with("Transfer-Encoding:\tchunked")),
        ("TE, a blank, a colon", with("Transfer-Encoding : chunked")),
        ("TE folded", with("Transfer-Encoding:\r\n chunked")),
        (
            "TE behind a vertical tab",
            with("Transfer-Encoding: \x0bchunked"),
        ),
        (
            "TE behind a bare line feed",
            with("X: y\nTransfer-Encoding: chunked"),
        ),
        ("TE quoted", with("Transfer-Encoding: \"chunked\"")),
    ]
}

/// Lengths that are none, or two.
fn lengths() -> Vec<Attack> {
    let length = SMUGGLED.len();
    let with = |lines: &str| post(lines, SMUGGLED);
    let get = post(&format!("Content-Length: {length}"), SMUGGLED).replacen("POST", "GET", 1);
    vec![
        (
            "two lengths",
            with(&format!("Content-Length: {length}\r\nContent-Length: 0")),
        ),
        (
            "a list of lengths",
            with(&format!("Content-Length: 0, {length}")),
        ),
        (
            "a length with a sign",
            with(&format!("Content-Length: +{length}")),
        ),
        ("a negative length", with("Content-Length: -1")),
        ("a length in hexadecimal", with("Content-Length: 0x0")),
        ("a GET with a body", get),
    ]
}

/// Chunks whose ends can be read in two ways.
fn chunks() -> Vec<Attack> {
    let with = |chunks: &str| post("Transfer-Encoding: chunked", &format!("{chunks}{SMUGGLED}"));
    let old = with("0\r\n\r\n").replacen("HTTP/1.1", "HTTP/1.0", 1);
    vec![
        ("a chunk size beyond 64 bits", with("10000000000000000\r\n")),
        ("a chunk size with a sign", with("+0\r\n\r\n")),
        ("bare line feeds around chunks", with("1\nZ\n0\n\n")),
        ("a line feed in a chunk extension", with("0;a=\nb\r\n\r\n")),
        ("chunks in HTTP/1.0", old),
    ]
}

fn others() -> Vec<Attack> {
    let get = |target: &str, line: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{line}\r\n")
    };
    vec![
        ("two hosts", get("/redfish/v1/attack", "Host: SMUGGLED\r\n")),
        (
            "a line break in the path",
            get("/redfish/v1/attack\rSMUGGLED", ""),
        ),
        (
            "a null in a header",
            get("/redfish/v1/attack", "X: a\0b\r\n"),
        ),
    ]
}

/// Runs the checks.
///
/// # Errors
/// Where the web server can't be reached.
pub(super) fn run(stand: &Stand, report: &mut Report) -> Result {
    let (mut differences, mut count) = (Vec::new(), 0);
    for (name, bytes) in attacks() {
        count += 1;
        let own = exchange(stand, bytes.as_bytes())?;
        // What is smuggled may be a pipelined request of the attacker's own. It has no end, so nobody may complete it.
        if own.contains("SMUGGLED") {
            differences.push(format!("{name}: the smuggled request was answered: {own}"));
        }
        for victim in 0..VICTIMS {
            let path = format!("/redfish/v1/victim{victim}");
            let request =
                format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            let answer = exchange(stand, request.as_bytes())?;
            if !answer.starts_with("HTTP/1.1 308") || !answer.contains(&path) {
                differences.push(format!("{name}: another client got: {answer}"));
            }
        }
    }
    report.check(
        &format!("{count} ambiguous requests change nothing for other clients"),
        none_of(&differences),
    );
    Ok(())
}

/// Sends bytes and reads what comes until the connection ends or nothing more comes.
fn exchange(stand: &Stand, bytes: &[u8]) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", stand.web.http_port))?;
    stream.set_read_timeout(Some(LIMIT))?;
    // Whoever refuses may have closed already.
    let _ = stream.write_all(bytes);
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        answer.extend_from_slice(&buffer[..count]);
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
