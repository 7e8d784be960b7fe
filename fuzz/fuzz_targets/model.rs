//! Attack the reader of model files.
#![no_main]

libfuzzer_sys::fuzz_target!(|file: &[u8]| tightbound_fuzz::attack("model", file));
