//! Score a model honestly: the L_K curve, log p̂ and KL, with standard errors.

mod curve;
mod score;

pub use score::{
    CurvePoint, Estimate, ScoreError, ScoreOptions, Scores, TestPixels, per_image_curves, score,
};
