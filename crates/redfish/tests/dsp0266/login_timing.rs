//! How long a refusal takes tells nothing about the account.

use std::time::{Duration, Instant};

use crate::authentication::basic;
use crate::bench::{Bench, PASSWORD};

/// Logins of each kind in one try. The shortest counts: other work on the machine only ever adds.
const SAMPLES: usize = 8;
/// How often a try may fail on a busy machine.
const TRIES: usize = 5;
/// How many times as long the longer of the shortest may take. Without a hash to check, an unknown name would be
/// refused hundreds of times faster.
const MOST: f64 = 1.5;

#[derive(Clone, Copy)]
enum Way {
    Session,
    Basic,
}

async fn refused(bench: &Bench, way: Way, user: &str) -> Duration {
    // Never the same password twice: what was refused before must not be remembered either.
    static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let password = format!("wrong-{number}");
    let begin = Instant::now();
    let status = match way {
        Way::Session => bench.log_in(user, &password).await.status,
        Way::Basic => {
            let header = basic(user, &password);
            let headers = [("authorization", header.as_str())];
            let answer = bench.call("GET", "/redfish/v1/Systems/1", &headers, "");
            answer.await.status
        }
    };
    assert_eq!(status, 401);
    begin.elapsed()
}

/// The shortest refusal of each user, asked in turn.
async fn shortest(bench: &Bench, way: Way, users: &[&str]) -> Vec<f64> {
    let mut shortest = vec![f64::INFINITY; users.len()];
    for _ in 0..SAMPLES {
        for (user, shortest) in users.iter().zip(&mut shortest) {
            let taken = refused(bench, way, user).await.as_secs_f64();
            *shortest = shortest.min(taken);
        }
    }
    shortest
}

#[tokio::test]
async fn a_refusal_takes_as_long_for_a_name_that_nobody_has() {
    let bench = Bench::new();
    let root = bench.client("root").await;
    let service = "/redfish/v1/AccountService";
    root.patch(service, r#"{"AccountLockoutThreshold":0}"#)
        .await;
    let operator = "/redfish/v1/AccountService/Accounts/operator";
    let disabled = root.patch(operator, r#"{"Enabled":false}"#).await;
    assert_eq!(disabled.status, 200);
    assert_eq!(bench.log_in("reader", PASSWORD).await.status, 201);
    let users = ["reader", "nobody-has-this-name", "operator"];
    for way in [Way::Session, Way::Basic] {
        let mut said = Vec::new();
        let is_equal = 'tries: {
            for _ in 0..TRIES {
                let times = shortest(&bench, way, &users).await;
                let longest = times.iter().copied().fold(0.0, f64::max);
                let least = times.iter().copied().fold(f64::INFINITY, f64::min);
                said.push(times);
                if longest / least < MOST {
                    break 'tries true;
                }
            }
            false
        };
        assert!(is_equal, "seconds for {users:?}: {said:?}");
    }
}
