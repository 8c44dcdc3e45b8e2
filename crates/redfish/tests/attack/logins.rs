//! Logins: too many, and wrong ones.

use crate::talk::request;
use crate::target::{PASSWORD, Target};

#[tokio::test]
async fn who_opens_all_the_sessions_it_can_locks_nobody_else_out() {
    let target = Target::start().await;
    let mut bystander = target.bystander().await;
    let attack = async {
        let mut connection = target.connect().await;
        let mut opened = 0;
        loop {
            let answer = connection.try_log_in("victim", PASSWORD).await;
            match answer.status {
                201 => opened += 1,
                503 => {
                    assert!(answer.body.contains("SessionLimitExceeded"), "{answer:?}");
                    break;
                }
                _ => panic!("{answer:?}"),
            }
            assert!(
                opened <= redfish::MAX_SESSIONS_OF_ACCOUNT,
                "more than the limit"
            );
        }
        opened
    };
    let opened = bystander.is_answered_during(attack).await;
    println!("{opened} sessions of one account");
    // Others log in still.
    let mut other = target.connect().await;
    other.log_in("root", PASSWORD).await;
    drop((other, bystander));
    target.survived("session exhaustion", 32).await;
}

#[tokio::test]
async fn guessing_passwords_opens_nothing_and_holds_up_nobody_else() {
    let target = Target::start().await;
    let mut bystander = target.bystander().await;
    let attack = async {
        let mut guessers = tokio::task::JoinSet::new();
        for guesser in 0..100 {
            let trust = target.trust.clone();
            guessers.spawn(async move {
                let mut statuses = Vec::new();
                let mut connection = trust
                    .connect_from([127, 0, 1, 1], b"http/1.1")
                    .await
                    .unwrap();
                for n in 0..4 {
                    let answer = connection
                        .try_log_in("victim", &format!("guess {guesser} {n}"))
                        .await;
                    assert_eq!(answer.header("x-auth-token"), None);
                    statuses.push(answer.status);
                }
                statuses
            });
        }
        // Somebody at another address waits for few of them at most.
        let mut elsewhere = target
            .trust
            .connect_from([127, 0, 2, 2], b"http/1.1")
            .await
            .unwrap();
        elsewhere.log_in("root", PASSWORD).await;
        guessers.join_all().await.concat()
    };
    let statuses = bystander.is_answered_during(attack).await;
    let refused = statuses
        .iter()
        .filter(|status| matches!(status, 401 | 403 | 429))
        .count();
    let crowded = statuses.iter().filter(|status| **status == 503).count();
    println!("{refused} guesses refused, {crowded} sent away unchecked");
    assert_eq!(refused + crowded, statuses.len(), "{statuses:?}");
    drop(bystander);
    target.survived("brute force", 32).await;
}

#[tokio::test]
async fn credentials_that_are_none_open_nothing() {
    let target = Target::start().await;
    let mut connection = target.connect().await;
    for header in [
        "Authorization: Basic",
        "Authorization: Basic ====",
        "Authorization: Bearer x",
        "Authorization: Basic cm9vdDo=",
        "Authorization: Basic Og==",
        "X-Auth-Token:",
        "X-Auth-Token: 0",
        "Authorization: Negotiate AAAA",
    ] {
        let answer = connection.get("/redfish/v1/Systems", &[header]).await;
        assert_eq!(answer.status, 401, "{header}: {answer:?}");
    }
    let long = "x".repeat(3_000);
    for body in [
        r#"{"UserName":"root","Password":null}"#.to_owned(),
        r#"{"UserName":["root"],"Password":"x"}"#.to_owned(),
        r#"{"UserName":"root","Password":{"$ne":""}}"#.to_owned(),
        format!(r#"{{"UserName":"root","Password":"{long}"}}"#),
        r#"{"UserName":"root\u0000","Password":"correct horse"}"#.to_owned(),
    ] {
        let line = "POST /redfish/v1/SessionService/Sessions";
        let answer = connection.ask(request(line, &[], &body)).await.unwrap();
        assert!(matches!(answer.status, 400 | 401), "{body}: {answer:?}");
        assert_eq!(answer.header("x-auth-token"), None);
    }
    drop(connection);
    target.survived("credentials that are none", 32).await;
}
