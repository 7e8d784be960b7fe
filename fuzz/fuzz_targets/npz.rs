//! Attack the reader of NumPy's archives.
#![no_main]

libfuzzer_sys::fuzz_target!(|file: &[u8]| tightbound_fuzz::attack("npz", file));
