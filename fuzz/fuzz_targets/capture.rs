#![no_main]
//! Capture files: any file is refused or read, and what is read lies in it.

#[allow(dead_code, reason = "the program prints what is only read here")]
#[path = "../../crates/reddrum/src/ipmi/command/capture.rs"]
mod capture;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(datagrams) = capture::datagrams(bytes) {
        let read: usize = datagrams.iter().map(|one| one.payload.len() + 8).sum();
        assert!(read <= bytes.len(), "more was read than is there");
    }
});
