//! Compute fast in f32: fused, on all cores, with the same bits everywhere.
//!
//! One image is S rows. They go through the decoder in groups that fit a cache, the likelihood pass leaves the
//! residuals in place of the logits, the estimator turns the S log-weights into coefficients, and the
//! rows that matter go back. Every number is a sum in an order that the data fix, never the
//! threads: rows do not see each other, and an element of a weight gradient is one sum over all rows.

mod chain;
mod encoder;
mod engine;
mod group;
#[allow(unsafe_code)]
mod kernels;
mod layer;
mod measure;
mod model;
mod prune;
mod score_terms;
mod wave;

pub use engine::{CpuEngine, ThreadPool};
pub use kernels::KernelPath;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub use kernels::bench;
pub use measure::fma_peak;
