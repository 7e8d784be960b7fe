//! Attack the reader of NumPy's arrays.
#![no_main]

libfuzzer_sys::fuzz_target!(|file: &[u8]| tightbound_fuzz::attack("npy", file));
