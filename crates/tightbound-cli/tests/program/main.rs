//! Run the real program on tiny settings, as a user would.

mod ais;
mod attacks;
mod bad_input;
mod bench;
mod certify;
#[cfg(unix)]
mod cluster;
mod diverging;
#[cfg(target_os = "linux")]
mod hostile;
mod interruption;
mod output;
mod readme;
mod report;
mod scores;
mod snr;
mod support;
mod sweep;
mod toy;
#[cfg(target_os = "linux")]
mod writes;
