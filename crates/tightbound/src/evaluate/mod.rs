//! Score a model honestly: the L_K curve, log p̂ and KL, with standard errors.

mod curve;
mod estimate;
mod pareto;
mod score;
mod ssim;

pub use estimate::{CurvePoint, Estimate};
pub use pareto::pareto_k;
pub use score::{ScoreError, ScoreOptions, Scores, TestPixels, per_image_curves, score};
pub use ssim::{Border, Ssim, SsimError};
