//! Attack the reader of the files of experiments.
#![no_main]

libfuzzer_sys::fuzz_target!(|file: &[u8]| tightbound_fuzz::attack("experiment", file));
