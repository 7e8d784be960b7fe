//! Keep what came of a cell, and lay the results of many side by side.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::experiment::Scoring;
use super::plan::Cell;
use crate::evaluate::{Estimate, Evaluation, SsimScore};

/// What came of one cell: a function of its settings, its data and the scoring, the same bytes whoever
/// ran it and however often it was interrupted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellResult {
    /// The cell.
    pub id: String,
    /// Epochs of training.
    pub epochs: usize,
    /// Steps of Adam.
    pub steps: u64,
    /// Minibatches left out because a number was not finite.
    pub skipped: u64,
    /// Digest of the weights.
    pub digest: String,
    /// How it was scored.
    pub score: Scoring,
    /// The scores, one per data set.
    pub scores: Vec<DataScores>,
}

/// The scores of a cell's model on one data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataScores {
    /// The data set, by its name in full and its hash.
    pub data: String,
    /// Hash of its files.
    pub hash: String,
    /// Number of images scored.
    pub images: usize,
    /// L_K, in nats.
    pub log_p_hat: Estimate,
    /// L_64; none if K < 64.
    pub iwae_64: Option<Estimate>,
    /// L_64 − L_K; none if K < 64.
    pub minus_kl: Option<Estimate>,
    /// L_K − L_1.
    pub kl_q_p: Estimate,
    /// Latent units that carry something.
    pub active_units: usize,
    /// Similarity of reconstructions.
    pub ssim: Vec<SsimScore>,
}

/// Why a cell cannot go on, though its machine is in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The cell.
    pub id: String,
    /// What happened, with its causes.
    pub message: String,
}

impl CellResult {
    /// Whether it is all that is asked of `cell`.
    pub fn answers(&self, cell: &Cell, score: &Scoring) -> bool {
        self.id == cell.id && self.epochs == cell.settings.train.epochs && self.score == *score
    }
}

impl From<&Evaluation> for DataScores {
    fn from(evaluation: &Evaluation) -> Self {
        let Evaluation { on, scores, units, ssim, .. } = evaluation;
        Self {
            data: on.data.clone(),
            hash: on.hash.clone(),
            images: scores.images,
            log_p_hat: scores.log_p_hat,
            iwae_64: scores.iwae_64,
            minus_kl: scores.minus_kl,
            kl_q_p: scores.kl_q_p,
            active_units: units.active,
            ssim: ssim.clone(),
        }
    }
}

/// One line of the table of results.
#[derive(Serialize)]
struct Line<'a> {
    cell: &'a str,
    trained_on: String,
    estimator: &'a str,
    m: usize,
    k: usize,
    beta: Option<f64>,
    seed: u64,
    epochs: usize,
    digest: &'a str,
    scored_on: &'a str,
    images: usize,
    score_k: u32,
    log_p_hat: f64,
    log_p_hat_se: f64,
    iwae_64: Option<f64>,
    minus_kl: Option<f64>,
    kl_q_p: f64,
    active_units: usize,
}

/// A CSV table of results with a line for every cell and data set, in the order given.
pub fn results_csv(results: &[(&Cell, &CellResult)]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for (cell, result) in results {
        let settings = &cell.settings;
        let data = Path::new(&settings.data.name).file_name().unwrap_or_default();
        for scores in &result.scores {
            let line = Line {
                cell: &cell.id,
                trained_on: data.to_string_lossy().into_owned(),
                estimator: &settings.estimator.name,
                m: settings.estimator.m,
                k: settings.estimator.k,
                beta: settings.estimator.beta,
                seed: settings.seed,
                epochs: result.epochs,
                digest: &result.digest,
                scored_on: &scores.data,
                images: scores.images,
                score_k: result.score.k,
                log_p_hat: scores.log_p_hat.value,
                log_p_hat_se: scores.log_p_hat.se,
                iwae_64: scores.iwae_64.map(|estimate| estimate.value),
                minus_kl: scores.minus_kl.map(|estimate| estimate.value),
                kl_q_p: scores.kl_q_p.value,
                active_units: scores.active_units,
            };
            writer.serialize(line).expect("a vector takes everything");
        }
    }
    writer.into_inner().expect("a vector takes everything")
}
