//! Move β while the networks are trained: by the bound's own gradient, or by evidence.

mod choice;
mod learned;
mod moving;

pub(super) use choice::{Lookahead, by_snr, by_validation, is_choice_due};
pub use learned::{BETA_RATE, LearnedBeta};
pub(super) use moving::MovingBeta;
