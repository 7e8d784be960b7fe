//! Choose β by what it does: to the encoder's signal-to-noise ratio, or to a held-out bound.
//!
//! Maximising the bound itself cannot choose β, because the bound is largest at β = 0 for any data.

use std::ops::ControlFlow;

use crate::data::Images;
use crate::diagnose::live::{Probe, mixture};
use crate::engine::{Batch, Engine};
use crate::estimators::EstimatorSettings;
use crate::evaluate::{ScoreError, ScoreOptions, score};
use crate::run::{BetaEvidence, BetaRecord, Checkpoint};
use crate::settings::BetaObjective;
use crate::train::error::BetaError;
use crate::train::ladder::Ladder;
use crate::train::step::{Address, Stepper};

/// The β that are tried on held-out images.
const GRID: [f64; 7] = [0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0];
/// Draws of both gradients behind a choice by signal and noise: 64 gradients, a few per cent of an
/// epoch of MNIST.
const DRAWS: u32 = 32;
/// Most steps that are tried with every β of the grid.
const STEPS: usize = 200;
/// Most held-out images that are scored after them.
const SCORED: usize = 500;

/// Whether β is chosen before `epoch` (from 1): by signal and noise before every one, by held-out
/// images before epochs 1, 2, 4, 8, …
pub(in crate::train) fn is_choice_due(objective: BetaObjective, epoch: usize) -> bool {
    match objective {
        BetaObjective::Snr => true,
        BetaObjective::Validation => epoch.is_power_of_two(),
        BetaObjective::Fixed | BetaObjective::Maximise | BetaObjective::Eq16 => false,
    }
}

/// Finds the smallest β, to a hundredth, whose debiased signal-to-noise ratio of the encoder's gradient
/// on `batch` reaches `target`; if none does, the β of the largest ratio.
pub(in crate::train) fn by_snr(
    engine: &mut dyn Engine<Real = f32>,
    parameters: &[f32],
    batch: Batch<'_>,
    (estimator, target): (&EstimatorSettings, f64),
    (seed, epoch): (u64, usize),
) -> Result<BetaRecord, BetaError> {
    let probe = Probe { parameters, batch, seed, draws: DRAWS };
    let mixture = mixture(&probe, engine, estimator)?;
    let reached = mixture.smallest_reaching(target);
    let beta = reached.unwrap_or_else(|| mixture.best());
    let mut tried = GRID.to_vec();
    if !tried.contains(&beta) {
        tried.push(beta);
        tried.sort_by(f64::total_cmp);
    }
    let of = |beta| BetaEvidence { beta, value: Some(mixture.snr(beta)) };
    let evidence = tried.into_iter().map(of).collect();
    Ok(BetaRecord { epoch, beta, target: Some(target), reached: reached.is_some(), evidence })
}

/// What a trial of every β starts from and is made of.
pub(in crate::train) struct Lookahead<'a, 'b> {
    /// The training as it stands; it is not changed.
    pub(in crate::train) state: &'a Checkpoint,
    /// Makes the steps.
    pub(in crate::train) stepper: &'a mut Stepper<'b>,
    /// The minibatches of the epoch to come, as positions of images.
    pub(in crate::train) batches: Vec<&'a [u32]>,
    /// Rates.
    pub(in crate::train) ladder: Ladder,
    /// Held-out images.
    pub(in crate::train) held_out: &'a Images,
    /// Seed of the held-out pixels and noise.
    pub(in crate::train) seed: u64,
    /// Whether steps that fail are left out, as in the training.
    pub(in crate::train) skip: bool,
}

/// Finds the β of the grid with the highest L_64 on held-out images after the first steps, 200 at most,
/// of the epoch to come, made with the very minibatches and noise that the epoch will use. `Break` if
/// `go_on` put an end to it. A β whose steps fail is not chosen.
///
/// # Errors
/// If the steps fail for every β; the last failure is told.
pub(in crate::train) fn by_validation(
    engine: &mut dyn Engine<Real = f32>,
    mut lookahead: Lookahead<'_, '_>,
    estimator: &EstimatorSettings,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<ControlFlow<(), BetaRecord>, BetaError> {
    let epoch = lookahead.state.position.epoch + 1;
    let mut evidence = Vec::new();
    let mut failure = None;
    for beta in GRID {
        let settings = EstimatorSettings { beta: Some(beta), ..estimator.clone() };
        let value = match lookahead.value(engine, &settings, go_on) {
            Err(BetaError::Score(ScoreError::Interrupted)) => return Ok(ControlFlow::Break(())),
            Ok(value) => Some(value),
            Err(error) => {
                failure = Some(error);
                None
            }
        };
        evidence.push(BetaEvidence { beta, value });
    }
    let found = evidence.iter().filter_map(|e| Some((e.beta, e.value?)));
    // The first of equals: the tighter bound.
    let best = found.reduce(|best, next| if next.1 > best.1 { next } else { best });
    match best {
        Some((beta, _)) => {
            let record = BetaRecord { epoch, beta, target: None, reached: true, evidence };
            Ok(ControlFlow::Continue(record))
        }
        None => Err(failure.expect("a grid without a value has failed")),
    }
}

impl Lookahead<'_, '_> {
    /// L_64 of held-out images after the trial steps, in nats.
    fn value(
        &mut self,
        engine: &mut dyn Engine<Real = f32>,
        settings: &EstimatorSettings,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<f64, BetaError> {
        let estimator = settings.build().expect("the grid lies in [0, 1]");
        let mut trial = self.state.clone();
        let epoch = trial.position.epoch + 1;
        for (batch, positions) in self.batches.iter().take(STEPS).enumerate() {
            if !go_on() {
                return Err(ScoreError::Interrupted.into());
            }
            let at = Address {
                epoch: epoch as u32,
                batch: batch as u32,
                step: trial.position.step + 1,
                rate: self.ladder.rate_at(epoch),
            };
            self.stepper.draw(positions, at.epoch);
            match self.stepper.step(engine, &mut trial, &*estimator, at) {
                Ok(_) => trial.position.step += 1,
                Err(_) if self.skip => {}
                Err(error) => return Err(error.into()),
            }
        }
        let positions: Vec<usize> = (0..self.held_out.len().min(SCORED)).collect();
        let images = self.held_out.select(&positions);
        let options = ScoreOptions { k: 64, seed: self.seed, ..ScoreOptions::default() };
        let mut progress = |_, _| match go_on() {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        };
        let scores = score(engine, &trial.parameters, &images, options, &mut progress)?;
        Ok(scores.log_p_hat.value)
    }
}
