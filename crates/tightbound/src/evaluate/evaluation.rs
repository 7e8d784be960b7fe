//! Keep everything that is known of a model on one set of images: the content of `evaluation.json`.

use serde::{Deserialize, Serialize};

use super::reconstruction::SsimScore;
use super::score::{ScoreOptions, Scores};
use super::units::Units;

/// Scores with what is needed to repeat them and to trust them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Epochs that the model's training had completed.
    pub epoch: usize,
    /// The digest of the model's parameters.
    pub digest: String,
    /// The images.
    pub on: ScoredImages,
    /// K, seed and pixels.
    pub options: ScoreOptions,
    /// The short digest of the file of single images that was written beside this one.
    pub per_image: String,
    /// The protocol in one line.
    pub protocol: String,
    /// Bounds, log p̂ and how far they can be relied on.
    #[serde(flatten)]
    pub scores: Scores,
    /// Active units and the KL of each.
    pub units: Units,
    /// How much of an image comes back; empty where the images' shape is not known.
    pub ssim: Vec<SsimScore>,
}

/// Which images were scored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoredImages {
    /// The data set's name.
    pub data: String,
    /// The data set's hash.
    pub hash: String,
    /// `test`, `validation` or `train`.
    pub part: String,
    /// How many images the part has.
    pub of: usize,
}
