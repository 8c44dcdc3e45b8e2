//! Files beside the Redfish tree.

use crate::bench::Bench;

#[tokio::test]
async fn the_start_page_needs_no_login_and_may_load_nothing_from_elsewhere() {
    let bench = Bench::new();
    let page = bench.call("GET", "/", &[("accept", "text/html")], "").await;
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    assert!(!policy.contains("unsafe-inline"));
    let tag = page.header("etag").unwrap();
    let again = bench.call("GET", "/", &[("if-none-match", tag)], "").await;
    assert_eq!(again.status, 304);
    assert!(again.body.is_empty());
}

#[tokio::test]
async fn other_paths_are_not_found_and_files_are_only_read() {
    let bench = Bench::new();
    for uri in ["/favicon.ico", "/../etc/passwd", "/redfishx", "/%2e%2e"] {
        bench
            .call("GET", uri, &[], "")
            .await
            .assert_error(404, &["InvalidURI"]);
    }
    bench
        .call("POST", "/", &[], "{}")
        .await
        .assert_error(405, &["OperationNotAllowed"]);
}
