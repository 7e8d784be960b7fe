//! Run the `tightbound` command line.
#![forbid(unsafe_code)]
fn main() {}
