//! Datagrams are printed, and sessions that were captured are opened with the password.

use std::io::Write as _;
use std::net::UdpSocket;
use std::process::Stdio;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Folder, Node, PASSWORD, program, run, start, told};

/// Stands between the program and a BMC, and keeps what both say in hexadecimal digits, a line each.
fn tap(to: String) -> (u16, Arc<Mutex<Vec<String>>>, mpsc::Sender<()>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    let (port, lines) = (socket.local_addr().unwrap().port(), Arc::default());
    let (stop, stopped) = mpsc::channel();
    let kept: Arc<Mutex<Vec<String>>> = Arc::clone(&lines);
    let bmc = to.parse().unwrap();
    std::thread::spawn(move || {
        let (mut buffer, mut console) = ([0; 2_048], None);
        while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
            let Ok((len, from)) = socket.recv_from(&mut buffer) else {
                continue;
            };
            let digits = buffer[..len].iter().map(|byte| format!("{byte:02x}"));
            kept.lock().unwrap().push(digits.collect());
            if from != bmc {
                console = Some(from);
            }
            let peer = if from == bmc { console } else { Some(bmc) };
            socket.send_to(&buffer[..len], peer.unwrap()).unwrap();
        }
    });
    (port, lines, stop)
}

#[test]
fn a_capture_is_decoded_line_by_line() {
    // libpcap's header; then one packet of raw IP: an ASF ping from 10.0.0.1:1234 to 10.0.0.2:623.
    let mut file = Vec::new();
    for word in [
        0xa1b2_c3d4_u32,
        0x0004_0002,
        0,
        0,
        65_535,
        101,
        5,
        7,
        40,
        40,
    ] {
        file.extend(word.to_le_bytes());
    }
    file.extend([
        0x45, 0, 0, 40, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
    ]);
    file.extend([0x04, 0xd2, 0x02, 0x6f, 0, 20, 0, 0]);
    file.extend([6, 0, 0xff, 6, 0, 0, 0x11, 0xbe, 0x80, 1, 0, 0]);
    let folder = Folder::new("decode");
    let path = folder.file("one.pcap", &file);
    let one = run(program().args(["ipmi", "decode", &path]));
    let said = &one.stdout;
    assert!(one.is_ok() && said.lines().count() == 1, "{said}");
    assert!(
        said.contains("ASF Presence Ping") && said.contains("10.0.0.2"),
        "{said}"
    );
    let cut = folder.file("cut.pcap", &file[..50]);
    let cut = run(program().args(["ipmi", "decode", &cut]));
    assert_eq!(cut.code, Some(2));
}

#[test]
fn what_decode_is_given_is_printed_or_told_to_be_missing() {
    let decode = |args: &[&str]| {
        let run = run(program().args(["ipmi", "decode"]).args(args));
        (run.code, run.stdout, run.stderr)
    };
    let ping = "0600ff06000011be80010000";
    assert_eq!(
        decode(&[ping]),
        (
            Some(0),
            "ASF Presence Ping: tag 1\n".to_owned(),
            String::new()
        )
    );
    let (code, out, _) = decode(&["--json", ping]);
    let object: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &object["asf"]["tag"]), (Some(0), &Value::from(1)));
    let (code, _, told) = decode(&["nowhere.pcap"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("'nowhere.pcap' is no file"), "{told}");
}

#[test]
fn a_session_that_was_captured_with_its_log_in_is_decoded_with_the_password() {
    let node = Node::new();
    for suite in ["17", "3"] {
        let (port, lines, stop) = tap(format!("127.16.0.1:{}", node.rack.server.port()));
        let host = format!("127.0.0.1:{port}");
        let args = [
            "ipmi", &host, "-U", "admin", "-C", suite, "chassis", "status",
        ];
        let asked = run(program().args(args).env("IPMI_PASSWORD", PASSWORD));
        assert!(asked.is_ok(), "{asked:?}");
        stop.send(()).unwrap();
        let lines = lines.lock().unwrap().join("\n");
        let decode = |args: &[&str], password: &str| {
            let mut command = program();
            command
                .args(["ipmi", "decode", "-"])
                .args(args)
                .env("IPMI_PASSWORD", password);
            let mut child = start(command.stdin(Stdio::piped()));
            child
                .stdin
                .take()
                .unwrap()
                .write_all(lines.as_bytes())
                .unwrap();
            let run = told(child.wait_with_output().unwrap());
            assert!(run.is_ok(), "{run:?}");
            (run.stdout, run.stderr)
        };
        let (said, told) = decode(&["--open"], PASSWORD);
        for command in ["Get Chassis Status = ", "Close Session"] {
            assert!(said.contains(command), "{said}");
        }
        assert_eq!(
            (said.contains(" encrypted"), told.as_str()),
            (false, ""),
            "{said}"
        );
        let (said, told) = decode(&["--open"], "wrong");
        assert!(said.contains(" bytes encrypted") && !said.contains("Get Chassis Status"));
        assert!(told.contains("stay encrypted"), "{told}");
        let (said, told) = decode(&[], PASSWORD);
        assert!(
            said.contains(" bytes encrypted") && told.is_empty(),
            "{told}"
        );
    }
}
