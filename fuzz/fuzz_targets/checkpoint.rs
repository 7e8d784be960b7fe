//! Attack the reader of checkpoints.
#![no_main]

libfuzzer_sys::fuzz_target!(|file: &[u8]| tightbound_fuzz::attack("checkpoint", file));
