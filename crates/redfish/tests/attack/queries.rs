//! Queries that are short to ask and long to answer.

use crate::target::{PASSWORD, Target};

/// `path?query`, each with whether a shortened answer is fine; what is refused, is refused with 4xx or 507.
fn bombs() -> Vec<String> {
    let chassis = "/redfish/v1/Chassis";
    let deep = |open: &str, close: &str, depth: usize| {
        format!(
            "{chassis}?$filter={}PowerState%20eq%20'On'{}",
            open.repeat(depth),
            close.repeat(depth)
        )
    };
    let ors = "PowerState%20eq%20'On'%20or%20".repeat(600);
    vec![
        format!("{chassis}?$expand=*($levels=99)"),
        format!("{chassis}?$expand=*($levels=6)"),
        format!("{chassis}?$expand=.($levels=18446744073709551616)"),
        format!("{chassis}?$expand=.($levels=-1)"),
        "/redfish/v1?$expand=*($levels=6)".to_owned(),
        format!("{chassis}?$expand=.&$expand=*"),
        deep("(", ")", 400),
        deep("not%20(", ")", 400),
        deep("(", "", 2_000),
        format!("{chassis}?$filter={ors}PowerState%20eq%20'On'"),
        format!("{chassis}?$filter=Id%20eq%20'{}'", "a".repeat(20_000)),
        format!("{chassis}?$filter={}%20eq%201", "A/".repeat(5_000)),
        format!("{chassis}?$select={}", "A,".repeat(10_000)),
        format!("{chassis}?$select={}", "A/".repeat(10_000)),
        format!("{chassis}?$top=99999999999999999999"),
        format!("{chassis}?$top=2147483647"),
        format!("{chassis}?$skip=18446744073709551615&$top=1"),
        format!("{chassis}?$skip=-1"),
        format!("{chassis}?{}", "a&".repeat(10_000)),
    ]
}

#[tokio::test]
async fn queries_that_are_bombs_are_refused_or_answered_within_bounds() {
    let target = Target::start().await;
    let mut bystander = target.bystander().await;
    let mut connection = target.connect().await;
    let token = connection.log_in("root", PASSWORD).await;
    let attack = async {
        let mut bombers = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let (trust, header) = (target.trust.clone(), format!("X-Auth-Token: {token}"));
            bombers.spawn(async move {
                let mut largest = 0;
                for bomb in bombs() {
                    let mut connection = trust.connect(b"http/1.1").await.unwrap();
                    let answer = connection.get(&bomb, &[&header]).await;
                    let short = &bomb[..bomb.len().min(80)];
                    let fine = matches!(answer.status, 200 | 400 | 414 | 431 | 501 | 503 | 507);
                    assert!(fine, "{short}: {} {}", answer.status, answer.head);
                    assert!(
                        answer.body.len() <= redfish::MAX_EXPANDED_BYTES,
                        "{short}: {} bytes",
                        answer.body.len()
                    );
                    largest = largest.max(answer.body.len());
                }
                largest
            });
        }
        bombers.join_all().await.into_iter().max()
    };
    let largest = bystander.is_answered_during(attack).await;
    println!("largest answer: {} KiB", largest.unwrap_or_default() / 1024);
    drop((connection, bystander));
    target.survived("query bombs", 160).await;
}
