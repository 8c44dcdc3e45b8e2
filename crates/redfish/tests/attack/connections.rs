//! Connections: many, half-closed, slow to ask, slow to read.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::talk::{Connection, request};
use crate::target::{LARGE, Target};

/// How many connections an attacker has, if the system gives it that many files.
const CROWD: usize = 5_000;
/// What a connection costs at most before its first request, in KiB: a TLS record on its way in, one on its way out, and
/// as much again for the connection's own state.
const CONNECTION_KIB: usize = 3 * 16;
/// What is left of a connection at least, if something of it is left, in KiB: half of the smallest buffer that TLS has.
const LEFT_KIB: usize = 2;
/// What this process needs beside them.
const OTHER_FILES: usize = 200;

/// As many as the limit of open files allows, which is raised as far as it goes.
fn crowd() -> usize {
    let pid = std::process::id().to_string();
    let limit = || {
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
        let line = limits
            .lines()
            .find(|line| line.starts_with("Max open files"))
            .unwrap();
        let mut numbers = line
            .split_whitespace()
            .filter_map(|word| word.parse::<usize>().ok());
        (
            numbers.next().unwrap_or(usize::MAX),
            numbers.next().unwrap_or(usize::MAX),
        )
    };
    let (_, hard) = limit();
    // Where prlimit isn't there, the soft limit stays what it is.
    let _ = std::process::Command::new("prlimit")
        .args(["--pid", &pid, &format!("--nofile={hard}:{hard}")])
        .status();
    let count = CROWD.min(limit().0.saturating_sub(OTHER_FILES));
    println!("{count} connections");
    count
}

#[tokio::test]
async fn thousands_of_half_closed_connections_hinder_nobody() {
    let target = Target::start().await;
    let count = crowd();
    let mut bystander = target.bystander().await;
    let mut held = Vec::new();
    let open = async {
        for n in 0..count {
            let mut stream = TcpStream::connect(target.address).await.unwrap();
            // Some say nothing, some begin a handshake.
            if n % 2 == 0 {
                let _ = stream.write_all(b"\x16\x03\x01").await;
            }
            let _ = stream.shutdown().await;
            held.push(stream);
        }
    };
    bystander.is_answered_during(open).await;
    bystander.is_answered(10).await;
    // All that were half-closed are closed by now, although this side holds them still.
    target.settled(40).await;
    drop(held);
    drop(bystander);
    target.survived("half-closed connections", 48).await;
}

#[tokio::test]
async fn connections_that_are_dropped_without_a_word_hinder_nobody() {
    let target = Target::start().await;
    let count = crowd();
    let mut bystander = target.bystander().await;
    let open = async {
        for _ in 0..count {
            let stream = TcpStream::connect(target.address).await.unwrap();
            // A reset in place of a goodbye.
            stream.set_zero_linger().unwrap();
        }
    };
    bystander.is_answered_during(open).await;
    drop(bystander);
    target.survived("dropped connections", 32).await;
}

#[tokio::test]
async fn slowloris_takes_no_place_from_others() {
    let target = Target::start().await;
    let mut bystander = target.bystander().await;
    let mut held: Vec<Connection> = Vec::new();
    // More than there are places, each with a head that never ends.
    let open = async {
        for _ in 0..redfish::MAX_CONNECTIONS + 200 {
            let mut connection = target.connect().await;
            connection
                .send("GET /redfish/v1/ HTTP/1.1\r\nHost: localhost\r\nX: ")
                .await;
            held.push(connection);
        }
    };
    bystander.is_answered_during(open).await;
    let drip = async {
        for connection in &mut held {
            connection.send("y").await;
        }
    };
    bystander.is_answered_during(drip).await;
    bystander.is_answered(10).await;
    drop(held);
    drop(bystander);
    target.survived("slowloris", 192).await;
}

#[tokio::test]
async fn handshakes_that_never_end_take_no_place_from_others() {
    let target = Target::start().await;
    let mut bystander = target.bystander().await;
    let mut resident = Vec::new();
    let count = redfish::MAX_CONNECTIONS + 200;
    for _ in 0..4 {
        let mut held = Vec::new();
        let open = async {
            for _ in 0..count {
                let mut stream = TcpStream::connect(target.address).await.unwrap();
                let _ = stream.write_all(b"\x16\x03\x01\x02\x00\x01").await;
                held.push(stream);
            }
        };
        bystander.is_answered_during(open).await;
        bystander.is_answered(10).await;
        drop(held);
        target.settled(40).await;
        resident.push(target.usage().rss_kib());
    }
    drop(bystander);
    // The allocator keeps what it got, and now and then gets more where the pieces that it has don't fit. Connections
    // of which something is left make the process grow each time.
    let grown = resident
        .windows(2)
        .map(|two| two[1].saturating_sub(two[0]))
        .min();
    assert!(
        grown.is_some_and(|kib| kib < (count * LEFT_KIB) as u64),
        "grows with each attack: {resident:?} KiB"
    );
    let house_mib = (redfish::MAX_CONNECTIONS * CONNECTION_KIB / 1024) as u64;
    target
        .survived("endless handshakes, again and again", house_mib)
        .await;
}

#[tokio::test]
async fn readers_that_do_not_read_cost_no_more_than_their_buffers() {
    let target = Target::start().await;
    let mut bystander = target.bystander().await;
    let mut held: Vec<Connection> = Vec::new();
    let readers = 300;
    let ask = async {
        for _ in 0..readers {
            let mut connection = target.connect().await;
            // Far more than is ever read: many answers of 4 MiB on each connection.
            connection
                .send(request("GET /large", &[], "").repeat(50))
                .await;
            let mut some = [0; 1000];
            connection.stream.read_exact(&mut some).await.unwrap();
            held.push(connection);
        }
    };
    bystander.is_answered_during(ask).await;
    bystander.is_answered(10).await;
    assert!(
        readers * LARGE > 1024 * 1024 * 1024,
        "the answers would be over 1 GiB"
    );
    drop(held);
    drop(bystander);
    target.survived("slow readers", 128).await;
}
