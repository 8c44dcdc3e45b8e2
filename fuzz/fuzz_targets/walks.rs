#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ipmi::fuzzing::walks(bytes));
