//! Compressed responses (RFC 9110 §8.4, §12.5.3; DSP0266 "Request headers").

use std::io::Read as _;

use crate::bench::{Answer, Bench, Client};

const SYSTEM: &str = "/redfish/v1/Systems/1";
const METADATA: &str = "/redfish/v1/$metadata";
const SCHEMA: &str = "/redfish/v1/JsonSchemas/RoleCollection/RoleCollection.json";

async fn get(client: &Client<'_>, uri: &str, coding: &str) -> Answer {
    client
        .call("GET", uri, &[("accept-encoding", coding)], "")
        .await
}

fn decoded(answer: &Answer) -> Vec<u8> {
    let (coded, mut bytes) = (&*answer.body, Vec::new());
    match answer.header("content-encoding") {
        Some("gzip") => {
            let mut reader = flate2::read::GzDecoder::new(coded);
            reader.read_to_end(&mut bytes).unwrap();
        }
        Some("zstd") => zstd::stream::copy_decode(coded, &mut bytes).unwrap(),
        Some("br") => {
            let mut reader = brotli::Decompressor::new(coded, 4096);
            reader.read_to_end(&mut bytes).unwrap();
        }
        other => panic!("{other:?}"),
    }
    bytes
}

#[tokio::test]
async fn a_body_is_compressed_in_the_coding_that_the_client_likes_best() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for uri in ["/redfish/v1/", METADATA, SCHEMA, "/redfish/v1/JsonSchemas"] {
        let plain = client.get(uri).await;
        assert!(plain.body.len() >= redfish::MIN_CODED_BYTES, "{uri}");
        assert_eq!(plain.header("content-encoding"), None);
        for (accepted, coding) in [
            ("gzip, deflate", "gzip"),
            ("gzip, deflate, br", "gzip"),
            ("br", "br"),
            ("gzip;q=0.1, zstd", "zstd"),
        ] {
            let answer = get(&client, uri, accepted).await;
            assert_eq!(answer.status, 200, "{uri} {accepted}");
            assert_eq!(answer.header("content-encoding"), Some(coding), "{uri}");
            assert_eq!(answer.header("content-type"), plain.header("content-type"));
            assert!(answer.body.len() < plain.body.len() / 2, "{uri}");
            assert_eq!(decoded(&answer), plain.body, "{uri}");
        }
    }
}

#[tokio::test]
async fn short_bodies_errors_and_logins_are_sent_as_they_are() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let manager = "/redfish/v1/Managers/bmc";
    for uri in ["/redfish", manager, "/redfish/v1/Nothing"] {
        let answer = get(&client, uri, "gzip").await;
        assert!(answer.body.len() < redfish::MIN_CODED_BYTES, "{uri}");
        assert_eq!(answer.header("content-encoding"), None, "{uri}");
    }
    let patch = client
        .call(
            "PATCH",
            SYSTEM,
            &[("accept-encoding", "gzip")],
            r#"{"LocationIndicatorActive":true}"#,
        )
        .await;
    assert_eq!(patch.header("content-encoding"), None);
}

#[tokio::test]
async fn each_coding_has_a_tag_of_its_own_and_caches_are_told_so() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for uri in ["/redfish/v1/", METADATA, "/redfish/v1/JsonSchemas", "/"] {
        let plain = client.get(uri).await;
        assert_eq!(plain.header("vary"), Some("Accept-Encoding"), "{uri}");
    }
    for uri in ["/redfish/v1/", METADATA, "/redfish/v1/JsonSchemas"] {
        let plain = client.get(uri).await.header("etag").unwrap().to_owned();
        let coded = get(&client, uri, "gzip")
            .await
            .header("etag")
            .unwrap()
            .to_owned();
        let other = get(&client, uri, "br")
            .await
            .header("etag")
            .unwrap()
            .to_owned();
        assert!(plain != coded && coded != other && plain != other);
        let with = async |coding, tag: &str| {
            let headers = [("accept-encoding", coding), ("if-none-match", tag)];
            client.call("GET", uri, &headers, "").await
        };
        let same = with("gzip", &coded).await;
        assert_eq!(same.status, 304, "{uri}");
        assert_eq!(same.header("etag"), Some(&*coded));
        assert_eq!(same.header("vary"), Some("Accept-Encoding"));
        assert_eq!(same.header("content-encoding"), None);
        assert!(same.body.is_empty());
        // What it has is in another coding than what it would get.
        assert_eq!(with("gzip", &plain).await.status, 200, "{uri}");
        assert_eq!(with("identity", &coded).await.status, 200, "{uri}");
        assert_eq!(with("identity", &plain).await.status, 304, "{uri}");
    }
}

#[tokio::test]
async fn a_change_may_name_the_state_in_any_coding() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let refusing = [("accept-encoding", "gzip, identity;q=0")];
    let seen = client.call("GET", SYSTEM, &refusing, "").await;
    assert_eq!(
        seen.header("content-encoding"),
        Some("gzip"),
        "short, but asked for"
    );
    let tag = seen.header("etag").unwrap().to_owned();
    assert!(tag.ends_with("-gzip\""));
    let body = r#"{"LocationIndicatorActive":true}"#;
    let change = client
        .call("PATCH", SYSTEM, &[("if-match", &tag)], body)
        .await;
    assert_eq!(change.status, 200);
    let stale = client
        .call("PATCH", SYSTEM, &[("if-match", &tag)], body)
        .await;
    stale.assert_error(412, &["PreconditionFailed"]);
}

#[tokio::test]
async fn head_tells_what_a_compressed_get_has() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for uri in ["/redfish/v1/", METADATA, SCHEMA] {
        let accept = [("accept-encoding", "gzip")];
        let get = client.call("GET", uri, &accept, "").await;
        let head = client.call("HEAD", uri, &accept, "").await;
        assert!(head.body.is_empty());
        let length = get.body.len().to_string();
        assert_eq!(head.header("content-length"), Some(&*length), "{uri}");
        for name in ["content-encoding", "etag", "vary", "content-type"] {
            assert_eq!(head.header(name), get.header(name), "{uri} {name}");
        }
    }
}

#[tokio::test]
async fn who_takes_no_coding_that_there_is_and_nothing_plain_gets_406() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for accepted in ["identity;q=0", "deflate, *;q=0"] {
        let answer = get(&client, SYSTEM, accepted).await;
        answer.assert_error(406, &["HeaderInvalid"]);
    }
}

#[tokio::test]
async fn a_large_answer_is_compressed_too() {
    let bench = Bench::new();
    bench
        .rack
        .chassis
        .store(1000, std::sync::atomic::Ordering::Relaxed);
    let client = bench.client("root").await;
    let uri = "/redfish/v1/Chassis?$expand=.";
    let plain = client.get(uri).await;
    let coded = get(&client, uri, "zstd").await;
    assert!(coded.body.len() < plain.body.len() / 10);
    assert_eq!(decoded(&coded), plain.body);
}
