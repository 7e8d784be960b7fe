//! Run the real program on tiny settings, as a user would.

mod bad_input;
mod bench;
mod interruption;
mod output;
mod readme;
mod support;
mod toy;
