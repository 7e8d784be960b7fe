//! Compute gradients, log-weights, codes and images: the seam between numbers and everything else.
//!
//! An engine offers fused operations at the model's granularity, not a tensor API. `reference` is
//! the truth (f64, plain loops); `cpu` is fast (f32) and tested against it.

pub mod cpu;
pub mod reference;

mod contract;
mod prune;

pub use contract::{
    Adam, AdamUpdate, Batch, Engine, EngineError, LikelihoodGradient, Noise, Objective, Points,
    Posterior, Real, StepReport,
};
pub use prune::{Prune, Threshold, UnknownPrune};
