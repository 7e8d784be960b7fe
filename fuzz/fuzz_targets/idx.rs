//! Attack the reader of IDX files.
#![no_main]

libfuzzer_sys::fuzz_target!(|file: &[u8]| tightbound_fuzz::attack("idx", file));
