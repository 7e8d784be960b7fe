//! Repeat Rainforth et al.'s toy experiment: how signal and noise of gradients change with K and M.

mod accumulate;
#[cfg(test)]
mod coverage;
mod draw;
mod measure;
mod naming;
mod problem;
mod rates;
mod slope;
mod sweep;
#[cfg(test)]
mod tests;
mod verdict;

pub use accumulate::Part;
pub use measure::{Progress, ToyError, ToyOptions};
pub use naming::label;
pub use problem::Perturbation;
pub use rates::rate;
pub use slope::Slope;
pub use sweep::{Axis, Estimates, Quality, RESOLVED, Row, SlopeRow, Sweep, SweepReport};
pub use verdict::{ASYMPTOTIC, TOLERANCE, Verdict};
