//! Score a model honestly: the L_K curve, log p̂, KL and SSIM, with errors and what is needed to trust them.

pub mod ais;

mod curve;
mod estimate;
mod evaluation;
mod pareto;
mod per_image;
mod pixels;
mod reconstruction;
mod score;
mod ssim;
mod units;

pub use curve::curve_sizes;
pub use estimate::{CurvePoint, Estimate, Quantiles};
pub use evaluation::{Evaluation, ScoredImages};
pub use pareto::pareto_k;
pub use per_image::{ImageRow, PerImageError, image_rows, read_rows, write_rows};
pub use pixels::TestPixels;
pub use reconstruction::{Code, Examination, Reconstruction, SsimScore, examine, reconstruct};
pub use score::{
    ImageScore, ParetoK, ScoreError, ScoreOptions, Scores, reliable_k, score, score_images,
};
pub use ssim::{Border, Ssim, SsimError};
pub use units::{ACTIVE_VARIANCE, Units};
