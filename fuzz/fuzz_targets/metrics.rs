//! Attack the reader of metrics.jsonl.
#![no_main]

libfuzzer_sys::fuzz_target!(|file: &[u8]| tightbound_fuzz::attack("metrics", file));
