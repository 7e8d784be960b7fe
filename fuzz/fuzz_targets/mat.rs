//! Attack the reader of MATLAB files.
#![no_main]

libfuzzer_sys::fuzz_target!(|file: &[u8]| tightbound_fuzz::attack("mat", file));
