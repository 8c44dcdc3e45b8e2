//! HTTP/2 frames that cost the sender nothing and the receiver something.

use crate::talk::Connection;
use crate::target::Target;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// RFC 9113 §4.1.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// `GET path` at `localhost`, in HPACK without its dynamic table (RFC 7541 §6.2.2).
fn get(path: &str) -> Vec<u8> {
    // :method GET, :scheme https, then :path and :authority as literals.
    let mut block = vec![0x82, 0x87, 0x04];
    block.push(u8::try_from(path.len()).unwrap());
    block.extend(path.as_bytes());
    block.extend([0x01, 9]);
    block.extend(b"localhost");
    block
}

async fn open(target: &Target, settings: &[u8]) -> Connection {
    let mut connection = target.trust.connect(b"h2").await.unwrap();
    let mut begin = PREFACE.to_vec();
    begin.extend(frame(SETTINGS, 0, 0, settings));
    connection.send(begin).await;
    connection
}

/// Sends the same again and again until the service has had enough; how often it was taken.
async fn flood(
    connection: &mut Connection,
    times: u32,
    mut next: impl FnMut(u32) -> Vec<u8>,
) -> u32 {
    let mut taken = 0;
    while taken < times && connection.send(next(taken)).await {
        taken += 1;
    }
    taken
}

/// A hundred frames of the same kind at once.
const BATCH: u32 = 100;

#[tokio::test]
async fn rapid_reset_is_cut_off() {
    let target = Target::start().await;
    let mut bystander = target.bystander().await;
    let attack = async {
        for _ in 0..4 {
            let mut connection = open(&target, &[]).await;
            let taken = flood(&mut connection, 1_000, |n| {
                let streams = (n * BATCH..(n + 1) * BATCH).map(|n| 2 * n + 1);
                streams
                    .flat_map(|stream| {
                        let mut both =
                            frame(HEADERS, END_STREAM | END_HEADERS, stream, &get("/large"));
                        both.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
                        both
                    })
                    .collect()
            })
            .await;
            assert!(taken < 1_000, "100,000 resets were taken");
        }
    };
    bystander.is_answered_during(attack).await;
    drop(bystander);
    target.survived("HTTP/2 rapid reset", 48).await;
}

#[tokio::test]
async fn headers_that_go_on_for_ever_are_cut_off() {
    let target = Target::start().await;
    let mut bystander = target.bystander().await;
    let attack = async {
        for payload in [&[][..], &[0x00, 0x01, b'a', 0x01, b'b'].repeat(2_000)] {
            let mut connection = open(&target, &[]).await;
            connection
                .send(frame(HEADERS, END_STREAM, 1, &get("/")))
                .await;
            let taken = flood(&mut connection, 20_000, |_| {
                frame(CONTINUATION, 0, 1, payload)
            })
            .await;
            assert!(
                taken < 20_000,
                "all frames of {} bytes were taken",
                payload.len()
            );
        }
    };
    bystander.is_answered_during(attack).await;
    drop(bystander);
    target.survived("HTTP/2 CONTINUATION flood", 48).await;
}

#[tokio::test]
async fn a_small_block_that_unpacks_to_a_large_head_is_refused() {
    let target = Target::start().await;
    let mut bystander = target.bystander().await;
    let attack = async {
        let mut connection = open(&target, &[]).await;
        // One entry of nearly 4 KiB into the table, then thousands of references of one byte to it.
        let mut block = get("/");
        block.extend([0x40, 0x01, b'a', 0x7f, 0xe1, 0x1e]);
        block.extend([b'x'; 4_000]);
        block.extend([0xbe; 10_000]);
        for n in 0..50 {
            let stream = 2 * n + 1;
            if !connection
                .send(frame(HEADERS, END_STREAM | END_HEADERS, stream, &block))
                .await
            {
                break;
            }
        }
    };
    bystander.is_answered_during(attack).await;
    drop(bystander);
    target.survived("HPACK bomb", 48).await;
}

#[tokio::test]
async fn streams_whose_window_never_opens_cost_little() {
    let target = Target::start().await;
    let mut bystander = target.bystander().await;
    let mut held = Vec::new();
    let attack = async {
        for _ in 0..100 {
            // SETTINGS_INITIAL_WINDOW_SIZE 0: no byte of any answer may be sent.
            let mut connection = open(&target, &[0, 4, 0, 0, 0, 0]).await;
            for n in 0..redfish::MAX_STREAMS {
                let ask = frame(HEADERS, END_STREAM | END_HEADERS, 2 * n + 1, &get("/large"));
                connection.send(ask).await;
            }
            held.push(connection);
        }
    };
    bystander.is_answered_during(attack).await;
    bystander.is_answered(10).await;
    drop(held);
    drop(bystander);
    target.survived("HTTP/2 closed windows", 128).await;
}

#[tokio::test]
async fn pings_and_settings_without_end_fill_no_queue() {
    let target = Target::start().await;
    let mut bystander = target.bystander().await;
    let attack = async {
        for (kind, payload) in [(PING, &[0; 8][..]), (SETTINGS, &[0, 3, 0, 0, 0, 100])] {
            let mut connection = open(&target, &[]).await;
            // Nothing is read: what the service answers has nowhere to go.
            let one = frame(kind, 0, 0, payload).repeat(1_000);
            let sending = flood(&mut connection, 2_000, |_| one.clone());
            // A service that doesn't read on is what is hoped for, so the sender gives up by itself.
            let _ = tokio::time::timeout(std::time::Duration::from_secs(5), sending).await;
        }
    };
    bystander.is_answered_during(attack).await;
    drop(bystander);
    target.survived("HTTP/2 PING and SETTINGS floods", 48).await;
}
