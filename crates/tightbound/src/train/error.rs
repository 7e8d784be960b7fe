//! Say what can go wrong in a training, where, and what to do.

use crate::diagnose::live::LiveError;
use crate::engine::EngineError;
use crate::estimators::EstimatorError;
use crate::evaluate::ScoreError;
use crate::run::RunError;

/// Why a training stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The settings make no training.
    #[error("{key} {problem}")]
    Settings {
        /// The setting.
        key: &'static str,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// The settings make no estimator.
    #[error(transparent)]
    Estimator(#[from] EstimatorError),
    /// The data do not fit the model.
    #[error("the images have {found} pixels and the model takes {wanted}")]
    Pixels {
        /// D of the images.
        found: usize,
        /// D of the model.
        wanted: usize,
    },
    /// The engine, the run or the checkpoint belong to different models.
    #[error("the {0} belongs to another model than run.toml describes")]
    OtherModel(&'static str),
    /// There is nothing to train on.
    #[error("there are no training images")]
    NoImages,
    /// A number is not finite.
    #[error(
        "stopped at step {step} (epoch {epoch}, minibatch {batch}): {source}; the largest parameter \
         is {largest:.1e}, in `{tensor}`. The last checkpoint is whole. Try a smaller train.rate, or \
         train.non_finite = \"skip\""
    )]
    NonFinite {
        /// The step of Adam that could not be made, from 1.
        step: u64,
        /// The epoch's number, from 1.
        epoch: usize,
        /// The minibatch's number in the epoch, from 1.
        batch: usize,
        /// Which number.
        source: EngineError,
        /// The parameter that is farthest from zero: where a training diverges, it says in which tensor.
        largest: f32,
        /// That tensor's name.
        tensor: String,
    },
    /// An optimiser step made a parameter or moment infinite.
    #[error(
        "stopped after step {step} (epoch {epoch}): {what} of `{tensor}` is no longer finite. The \
         last checkpoint is whole. Try a smaller train.rate"
    )]
    Diverged {
        /// Steps of Adam so far.
        step: u64,
        /// The epoch's number, from 1.
        epoch: usize,
        /// `a parameter`, say.
        what: &'static str,
        /// The tensor's name.
        tensor: String,
    },
    /// No β could be chosen.
    #[error("stopped before epoch {epoch}: β cannot be chosen. The last checkpoint is whole")]
    Beta {
        /// The epoch that β was to be chosen for, from 1.
        epoch: usize,
        /// Why.
        source: BetaError,
    },
    /// Something durable failed.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// Why no β could be chosen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BetaError {
    /// The encoder's gradient has no signal-to-noise ratio.
    #[error(transparent)]
    Snr(#[from] LiveError),
    /// A trial step fails, for every β.
    #[error(transparent)]
    Step(#[from] EngineError),
    /// The held-out images cannot be scored after the trial steps, for every β.
    #[error(transparent)]
    Score(#[from] ScoreError),
}
