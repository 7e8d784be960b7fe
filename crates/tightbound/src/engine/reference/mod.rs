//! Compute everything in f64 with plain loops, shaped like the formulae: the truth, kept for ever.
//!
//! Contract: one image at a time, one sample at a time, no blocking, no threads, no shortcuts.
//! [`Prune`](super::Prune) is ignored: every sample takes part. Slow by design; read it to learn
//! what the fast engines compute.

mod affine;
mod engine;
mod passes;

pub use engine::ReferenceEngine;
