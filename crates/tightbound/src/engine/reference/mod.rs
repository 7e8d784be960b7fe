//! Compute everything in f64 with plain loops, shaped like the formulae: the truth, kept for ever.
//!
//! Contract: one image at a time, one sample at a time, no blocking, no threads, no shortcuts.
//! [`Prune`](super::Prune) is ignored: every sample takes part. Slow by design; read it to learn
//! what the fast engines compute: [`image_gradient`] for any model, the engine for the networks.

mod affine;
mod engine;
mod latent_model;
mod passes;

pub use engine::ReferenceEngine;
pub use latent_model::{Encoded, LatentModel, image_gradient, image_log_weights};
