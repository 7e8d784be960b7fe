//! Bound log p(x) from both sides by annealed importance sampling.

mod chains;
mod error;
mod run;
mod sandwich;
mod schedule;
mod step_sizes;
mod target;
#[cfg(test)]
mod tests;

pub use error::AisError;
pub use run::{AisOptions, AnnealedImage, forward};
pub use sandwich::{Sandwich, SandwichedImage, Simulated, sandwich, simulate};
pub use schedule::Schedule;
pub use target::{EngineTarget, Target, Values};
