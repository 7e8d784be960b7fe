//! Train a model: learning-rate ladder, learned β, steps, the loop.

mod beta;
mod check;
mod error;
mod evidence;
mod ladder;
mod observer;
mod step;
#[cfg(test)]
mod storage_tests;
#[cfg(test)]
mod testing;
mod training;

#[cfg(test)]
mod tests;

pub use beta::{BETA_RATE, LearnedBeta};
pub use error::{BetaError, TrainError};
pub use ladder::Ladder;
pub use observer::{Observer, Progress, Signal};
pub use step::{Address, Stepper};
pub use training::{Outcome, Training, train};
