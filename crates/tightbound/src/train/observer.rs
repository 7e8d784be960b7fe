//! Let the caller watch a training, score it, and stop it.

use serde_json::Value;

use crate::engine::Engine;
use crate::run::{BetaRecord, EpochRecord, EvaluationRecord, SnrRecord};

/// Where a training stands after a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// The number of the epoch that is under way, from 1.
    pub epoch: usize,
    /// Epochs in all.
    pub epochs: usize,
    /// Minibatches of this epoch that are done.
    pub batch: usize,
    /// Minibatches of one epoch.
    pub batches: usize,
    /// Steps of Adam so far.
    pub step: u64,
    /// Images of this minibatch.
    pub images: usize,
    /// Mean bound (θ's) of this epoch so far, in nats; absent if every step was left out.
    pub bound: Option<f64>,
    /// The learning rate.
    pub rate: f64,
    /// β now, for estimators that have one.
    pub beta: Option<f64>,
    /// Steps that were left out so far.
    pub skipped: u64,
}

/// What a training is to do after a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signal {
    /// Go on.
    #[default]
    Continue,
    /// Write a checkpoint and go on.
    Save,
    /// Write a checkpoint and the weights, and stop.
    SaveAndStop,
}

/// Who watches a training. Nothing it does changes a bit of the result.
pub trait Observer {
    /// Is told of every step, and may ask for a checkpoint or the end.
    fn step(&mut self, progress: &Progress) -> Signal;

    /// Scores the model after `epoch` epochs; the answer goes into the log. `None` says that the
    /// scoring was interrupted: the training stops, and scores again when it is resumed.
    ///
    /// The score must be a function of the parameters alone. A checkpoint was written just before,
    /// so nothing is lost however long this takes.
    fn evaluate(
        &mut self,
        engine: &mut dyn Engine<Real = f32>,
        parameters: &[f32],
        epoch: usize,
    ) -> Option<Value>;

    /// Is told of every complete epoch.
    fn epoch(&mut self, record: &EpochRecord) {
        let _ = record;
    }

    /// Whether to go on with a long trial between two steps; if not, the training stops, and makes the
    /// trial again when it is resumed.
    fn go_on(&mut self) -> bool {
        true
    }

    /// Is told of every β that was chosen.
    fn beta_chosen(&mut self, record: &BetaRecord) {
        let _ = record;
    }

    /// Is told of signal and noise, where they are monitored.
    fn monitored(&mut self, record: &SnrRecord) {
        let _ = record;
    }

    /// Is told of every score.
    fn evaluated(&mut self, record: &EvaluationRecord) {
        let _ = record;
    }
}
