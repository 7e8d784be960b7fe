//! Measure how noisy the gradients of a model are, on one minibatch, as they are in training.
//!
//! The minibatch and its pixels stay fixed; every draw has new latent noise. So what is measured is
//! the noise of the estimator, as in Rainforth et al. 2018, and not that of the choice of images.

#[cfg(test)]
mod coverage;
mod draws;
mod error;
mod finding;
mod probe;
mod ratio;
#[cfg(test)]
mod tests;
mod what_if;

pub use draws::LEAST_DRAWS;
pub use error::LiveError;
pub use finding::{Change, Trend, trend};
pub use probe::{Probe, Scope, ScopeSnr, SnrReport};
pub use ratio::least_resolved;
pub use what_if::{Mixture, equal_budget, mixture};
