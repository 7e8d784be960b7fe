//! Score a model honestly: the L_K curve, log p̂ and KL, with standard errors.

pub mod ais;

mod curve;
mod estimate;
mod score;

pub use estimate::{CurvePoint, Estimate};
pub use score::{ScoreError, ScoreOptions, Scores, TestPixels, per_image_curves, score};
