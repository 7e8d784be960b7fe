//! Compute fast in f32: fused, image by image, on all cores, with the same bits everywhere.
//!
//! One image is S rows. They go through the decoder in a cache-sized tile, the likelihood pass
//! leaves the residuals in place of the logits, the estimator turns the S log-weights into
//! coefficients, rows that matter are kept, and when the tile is full one backward pass over it adds
//! to the shard's gradient. A batch is cut into at most four shards by its size alone, and their
//! sums are added in fixed order, so the number of threads cannot change a bit.

mod encoder;
mod engine;
#[allow(unsafe_code)]
mod kernels;
mod layer;
mod model;
mod prune;
mod score_terms;
mod tile;
mod wave;

pub use engine::CpuEngine;
pub use kernels::KernelPath;
