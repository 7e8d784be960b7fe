//! Measure signal and noise of a trained model's gradients.

mod command;
mod study;
mod text;

pub use command::{Args, keep_snr, run};
