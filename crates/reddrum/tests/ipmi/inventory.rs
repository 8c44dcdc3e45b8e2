//! Inventories: what is written is saved before, and how it is put back.

use std::process::Command;
use std::time::Instant;

use vbmc::fault::Faults;

use crate::support::{DEADLINE, Folder, LOOK_AGAIN, Node, PASSWORD, start, told};

#[test]
fn an_interrupted_write_of_an_inventory_tells_how_the_old_one_is_put_back() {
    let node = Node::new();
    let folder = Folder::new("it's old");
    let (saved, other) = (folder.path("saved"), folder.path("other"));
    assert!(node.run(&["fru", "read", "0", &saved]).is_ok());
    let before = std::fs::read(&saved).unwrap();
    let flipped: Vec<u8> = before.iter().map(|byte| !byte).collect();
    std::fs::write(&other, flipped).unwrap();
    let dir = folder.path("backups");
    std::fs::create_dir(&dir).unwrap();

    let slow = Faults {
        delay_ms: 40,
        ..Faults::default()
    };
    node.rack.server.bmcs().set_faults(0, Some(slow));
    let write = ["fru", "write", "0", &other, "--force", "--backup-dir", &dir];
    let mut child = start(&mut node.command(&write));
    let begin = Instant::now();
    // The file is there before the first byte is written.
    while std::fs::read_dir(&dir).unwrap().count() == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        assert!(begin.elapsed() < DEADLINE);
        std::thread::sleep(LOOK_AGAIN);
    }
    let interrupt = ["-INT", &child.id().to_string()];
    assert!(
        Command::new("kill")
            .args(interrupt)
            .status()
            .unwrap()
            .success()
    );
    let run = told(child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(1), "{run:?}");
    let said = run.stderr;
    let (cause, command) = said.split_once("; put it back with: ").unwrap();
    assert!(
        cause.contains("interrupted") && cause.contains("the old content is in "),
        "{said}"
    );

    // What was told is what a shell takes.
    node.rack.server.bmcs().set_faults(0, None);
    let words = command.trim().strip_prefix("reddrum ").unwrap();
    let script = format!(
        "\"$REDDRUM\" {words} -U admin --backup-dir '{}'",
        folder.path("").replace('\'', r"'\''")
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).env("IPMI_PASSWORD", PASSWORD);
    shell
        .env("REDDRUM", env!("CARGO_BIN_EXE_reddrum"))
        .env_remove("HOME");
    let put_back = told(shell.output().unwrap());
    assert!(put_back.is_ok(), "{script}: {put_back:?}");
    assert!(node.run(&["fru", "read", "0", &saved]).is_ok());
    assert_eq!(std::fs::read(&saved).unwrap(), before);
}

#[test]
fn an_inventory_is_written_only_if_it_is_sound_and_the_old_one_is_kept_on_demand() {
    let node = Node::new();
    let folder = Folder::new("fru");
    let (saved, dir) = (folder.file("saved", b""), folder.path(""));
    node.result(&format!("fru read 0 {saved}"));
    let before = std::fs::read(&saved).unwrap();

    let mut damaged = before.clone();
    damaged[9] ^= 0x40;
    let damaged = folder.file("damaged", &damaged);
    let run = node.run(&["fru", "write", "0", &damaged]);
    let told = run.stderr;
    assert_eq!(run.code, Some(2), "{told}");
    assert!(told.contains("is no sound inventory"), "{told}");
    let missing = ["fru", "write", "0", "nowhere.bin"];
    let run = node.run(&missing);
    assert_eq!(run.code, Some(2));

    let edit = format!("fru edit 0 asset-tag T-42 --backup-dir {dir} --keep-backup");
    let edited = node.result(&edit);
    let backup = edited["backup"].as_str().unwrap();
    assert_eq!(std::fs::read(backup).unwrap(), before);
    assert!(node.text(&["fru", "print", "0"]).contains("T-42"));
    // The file of an earlier write is never replaced, and stands in no later one's way: not in that which puts it back.
    let again = node.result(&edit.replace("42", "43"));
    assert_eq!(again["backup"], format!("{backup}.2"));
    assert_eq!(std::fs::read(backup).unwrap(), before);
    node.result(&format!("fru write 0 {backup} --backup-dir {dir}"));
    assert!(!std::path::Path::new(&format!("{backup}.3")).exists());
    assert!(!node.text(&["fru", "print", "0"]).contains("T-4"));
}
