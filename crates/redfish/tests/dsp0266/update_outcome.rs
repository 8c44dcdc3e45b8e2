//! What the task of an update says in the end.

use redfish::Failure;
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::update::{ended, form, push};

/// Texts and remedies of a task's messages.
fn told(task: &Value) -> Vec<(String, String)> {
    let messages = task["Messages"].as_array().unwrap().iter();
    let text = |message: &Value, name: &str| message[name].as_str().unwrap_or_default().to_owned();
    messages
        .map(|message| (text(message, "Message"), text(message, "Resolution")))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn what_runs_already_is_no_update_unless_it_is_forced() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    for targets in [json!(["/redfish/v1/Managers/bmc"]), json!([])] {
        let accepted = push(&client, &form(&json!({"Targets": targets}), "runs already")).await;
        let task = ended(&client, &accepted).await;
        assert_eq!(task["TaskState"], "Completed");
        for (text, remedy) in told(&task) {
            assert_eq!(
                text,
                "No target device will be updated with image 'UpdateFile'."
            );
            assert!(remedy.contains("ForceUpdate"), "{remedy}");
        }
        assert!(!told(&task).is_empty());
    }
    assert!(bench.rack.log().is_empty());
    let forced = json!({"Targets": ["/redfish/v1/Managers/bmc"], "ForceUpdate": true});
    let accepted = push(&client, &form(&forced, "runs already")).await;
    let task = ended(&client, &accepted).await;
    assert!(told(&task)[0].0.contains("successfully updated"));
    assert_eq!(bench.rack.log().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_gets_firmware_already_says_by_which_task() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let whole = form(&json!({"Targets": ["/redfish/v1/Managers/bmc"]}), "x");
    let part = form(&json!({"Targets": ["/redfish/v1/Managers/bmc.1"]}), "x");
    bench.rack.hold();
    let first = push(&client, &whole).await;
    let first_uri = first.json()["@odata.id"].as_str().unwrap().to_owned();
    while client.get(&first_uri).await.json()["PercentComplete"] != 25 {
        tokio::task::yield_now().await;
    }
    let second = push(&client, &part).await;
    let task = ended(&client, &second).await;
    assert_eq!(task["TaskState"], "Exception");
    let (text, remedy) = told(&task)[0].clone();
    assert_eq!(
        text,
        "Installation of image 'UpdateFile' to '/redfish/v1/Managers/bmc.1' failed."
    );
    assert!(
        remedy.contains(&format!("{first_uri} installs")),
        "{remedy}"
    );
    assert!(remedy.contains("send the image again"), "{remedy}");
    let monitor = client.get(second.header("location").unwrap()).await;
    monitor.assert_error(409, &["ResourceInUse"]);
    bench.rack.release();
    assert_eq!(ended(&client, &first).await["TaskState"], "Completed");
    // Afterwards it is nobody's.
    let again = push(&client, &part).await;
    assert_eq!(ended(&client, &again).await["TaskState"], "Completed");
}

#[tokio::test(start_paused = true)]
async fn parts_of_one_machine_get_an_image_one_after_the_other() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let targets =
        ["bmc.0", "bmc.1", "other", "bmc.2"].map(|id| format!("/redfish/v1/Managers/{id}"));
    bench.rack.hold();
    let accepted = push(&client, &form(&json!({"Targets": targets}), "x")).await;
    let uri = accepted.json()["@odata.id"].as_str().unwrap().to_owned();
    let parts = format!("{uri}/SubTasks");
    while client.get(&parts).await.json()["Members@odata.count"] != 2 {
        tokio::task::yield_now().await;
    }
    bench.rack.release();
    let task = ended(&client, &accepted).await;
    assert_eq!(task["TaskState"], "Completed", "{task}");
    let log = bench.rack.log();
    let machines: Vec<_> = log
        .iter()
        .filter_map(|line| line.split(' ').nth(1))
        .collect();
    let of_bmc: Vec<_> = machines
        .iter()
        .filter(|name| name.starts_with("bmc"))
        .collect();
    assert_eq!(
        (machines.len(), of_bmc),
        (4, vec![&"bmc.0", &"bmc.1", &"bmc.2"])
    );
}

#[tokio::test(start_paused = true)]
async fn an_image_that_no_machine_takes_is_refused_for_the_reason_that_they_give() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let accepted = push(&client, &form(&json!({}), "no image")).await;
    let task = ended(&client, &accepted).await;
    assert_eq!(task["TaskState"], "Exception");
    let monitor = client.get(accepted.header("location").unwrap()).await;
    monitor.assert_error(400, &["PropertyValueError"]);
    let remedy = &monitor.json()["error"]["@Message.ExtendedInfo"][0]["Resolution"];
    assert_eq!(*remedy, "Send another image: the file is no image.");
}

#[tokio::test(start_paused = true)]
async fn messages_call_an_image_by_the_name_of_its_file_and_say_why_it_failed() {
    let bench = Bench::new();
    let client = bench.client("root").await;
    let body = form(&json!({"Targets": ["/redfish/v1/Managers/bmc"]}), "x").replace(
        "name=\"UpdateFile\"",
        "name=\"UpdateFile\"; filename=\"../images/bmc.hpm\"",
    );
    bench.rack.fail_next(Failure::Refused {
        reason: "the self test failed".to_owned(),
    });
    let accepted = push(&client, &body).await;
    let (text, remedy) = told(&ended(&client, &accepted).await)[0].clone();
    assert!(text.contains("'bmc.hpm'"), "{text}");
    assert!(remedy.contains("the self test failed"), "{remedy}");
}
