//! What the printer makes of captured datagrams.

use ipmi::print::{Datagram, Value};

use crate::vector::{Vector, header};

/// The fields of a part.
fn part<'a>(datagram: &'a Datagram, name: &str) -> &'a [ipmi::print::Field] {
    let part = datagram.parts.iter().find(|part| part.name == name);
    match part.map(|part| &part.value) {
        Some(Value::Fields(fields)) => fields,
        other => panic!("{name}: {other:?}"),
    }
}

/// What the printer makes of a vector, one line a datagram.
fn lines(name: &str) -> Vec<String> {
    let vector = Vector::named(name);
    let line = |bytes: &[u8]| Datagram::decode(bytes).unwrap().to_string();
    vector.datagrams.iter().map(|d| line(&d.bytes)).collect()
}

#[test]
fn every_captured_datagram_prints_in_one_line_and_in_one_a_field() {
    for vector in Vector::all() {
        for datagram in &vector.datagrams {
            let printed = Datagram::decode(&datagram.bytes).unwrap();
            let (line, lines) = (printed.to_string(), format!("{printed:#}"));
            assert_eq!(line.lines().count(), 1, "{line}");
            assert!(lines.lines().count() > 6, "{lines}");
            // Rust's own way to print values.
            for sign in ["{", "}", "Some(", "None", "Ok(", "Err("] {
                assert!(!lines.contains(sign), "{}: {lines}", vector.name);
            }
            let session_id = header(&datagram.bytes).0.session_id();
            let told = part(&printed, "session");
            let told = told.iter().find(|field| field.name == "session_id");
            assert_eq!(told.unwrap().value, Value::SessionId(session_id));
            assert!(lines.contains(&format!("session id: 0x{session_id:08x}\n")));
        }
    }
}

#[test]
fn a_log_in_prints_with_the_names_of_the_specification() {
    let lines = lines("suite3-get-device-id");
    for (line, start) in lines.iter().zip(STARTS) {
        assert!(line.starts_with(start), "{line}\n{start}");
    }
    assert!(lines.len() > STARTS.len());
}

/// How the first datagrams of a session with cipher suite 3 print.
const STARTS: [&str; 9] = [
    "IPMI 1.5 0x81 > 0x20 seq ",
    "IPMI 1.5 0x20 > 0x81 seq ",
    "RMCP+ Open Session Request: tag 0, privilege ",
    "RMCP+ Open Session Response: tag 0, status no errors (0x00), console session id 0x",
    "RMCP+ RAKP Message 1: tag 0, bmc session id 0x",
    "RMCP+ RAKP Message 2: tag 0, status no errors (0x00), console session id 0x",
    "RMCP+ RAKP Message 3: tag 0, status no errors (0x00), bmc session id 0x",
    "RMCP+ RAKP Message 4: tag 0, status no errors (0x00), console session id 0x",
    "RMCP+ session 0x",
];
