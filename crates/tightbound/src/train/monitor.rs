//! Look at signal and noise of the gradients while a model is trained.

use crate::diagnose::live::{LiveError, Probe};
use crate::engine::{Batch, Engine};
use crate::estimators::{Estimator, EstimatorSettings};
use crate::model::Network;
use crate::run::SnrFigures;

/// Gradients per epoch: about one per cent of an epoch of MNIST in minibatches of 20.
const DRAWS: u32 = 32;

/// Measures the training's own estimator on one minibatch. The noise has a purpose of its own, so the
/// training goes on as if nobody had looked.
pub(super) fn figures(
    engine: &mut dyn Engine<Real = f32>,
    parameters: &[f32],
    batch: Batch<'_>,
    (settings, estimator): (&EstimatorSettings, &dyn Estimator),
    seed: u64,
) -> Result<SnrFigures, LiveError> {
    let probe = Probe { parameters, batch, seed, draws: DRAWS };
    let report = probe.measure(engine, settings, estimator, &mut || ())?;
    Ok(SnrFigures {
        draws: DRAWS,
        encoder: report.network(Network::Encoder).ratio,
        decoder: report.network(Network::Decoder).ratio,
        effective_samples: report.effective_samples,
    })
}
