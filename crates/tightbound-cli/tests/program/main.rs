//! Run the real program on tiny settings, as a user would.

mod ais;
mod attacks;
mod bad_input;
mod bench;
mod certify;
#[cfg(unix)]
mod cluster;
mod interruption;
mod output;
mod readme;
mod report;
mod scores;
mod snr;
mod support;
mod sweep;
mod toy;
