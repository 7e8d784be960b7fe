//! Let the gradients speak while a model is trained: choose β by them, and log how clear they are.

use std::ops::ControlFlow;
use std::time::Instant;

use super::beta::{Lookahead, MovingBeta, by_snr, by_validation, is_choice_due};
use super::error::TrainError;
use super::training::{Session, timing};
use crate::diagnose::live::{LiveError, Probe};
use crate::model::Network;
use crate::run::{Position, Record, SkipRecord, SnrFigures, SnrRecord};
use crate::settings::{BetaObjective, NonFinite, Settings};

/// Gradients per epoch that are monitored: about one per cent of an epoch of MNIST in minibatches of 20.
const MONITORED: u32 = 32;

impl Session<'_> {
    /// Chooses β for the epoch to come, if that is due; a function of the state between two epochs, so
    /// an interrupted choice is made again.
    pub(super) fn choose_beta(&mut self, order: &[u32]) -> Result<ControlFlow<()>, TrainError> {
        let Settings { seed, estimator, train, .. } = self.settings;
        let epoch = self.state.position.epoch + 1;
        if !is_choice_due(train.beta_objective, epoch) {
            return Ok(ControlFlow::Continue(()));
        }
        let batches: Vec<_> = order.chunks(train.batch).collect();
        let chosen = match (train.beta_objective, self.held_out) {
            (BetaObjective::Validation, Some(held_out)) => {
                let lookahead = Lookahead {
                    state: &self.state,
                    stepper: &mut self.stepper,
                    batches,
                    ladder: self.ladder,
                    held_out,
                    seed: *seed,
                    skip: train.non_finite == NonFinite::Skip,
                };
                let observer = &mut *self.observer;
                by_validation(self.engine, lookahead, estimator, &mut || observer.go_on())
            }
            _ => {
                self.stepper.draw(batches[0], epoch as u32);
                let (parameters, batch) = (&self.state.parameters, self.stepper.drawn());
                let wanted = (estimator, train.beta_target);
                by_snr(self.engine, parameters, batch, wanted, (*seed, epoch))
                    .map(ControlFlow::Continue)
            }
        };
        let chosen = match (chosen, self.beta, train.non_finite) {
            (Ok(chosen), ..) => chosen,
            // As a step that fails is left out, so is a choice: β stays, and the log says why.
            (Err(error), Some(_), NonFinite::Skip) => {
                let reason = format!("β is not chosen anew: {}", chain(&error));
                self.append(&Record::Skip(SkipRecord { epoch, batch: 0, reason }))?;
                return Ok(ControlFlow::Continue(()));
            }
            (Err(source), ..) => return Err(TrainError::Beta { epoch, source }),
        };
        let ControlFlow::Continue(record) = chosen else { return Ok(ControlFlow::Break(())) };
        self.beta = Some(MovingBeta::Chosen(record.beta));
        self.append(&Record::Beta(record.clone()))?;
        self.observer.beta_chosen(&record);
        Ok(ControlFlow::Continue(()))
    }

    /// Makes the estimator of a β that moves.
    pub(super) fn follow_beta(&mut self) -> Result<(), TrainError> {
        if let Some(beta) = &self.beta {
            let mut settings = self.settings.estimator.clone();
            settings.beta = Some(beta.value());
            self.estimator = settings.build()?;
        }
        Ok(())
    }

    /// Logs signal and noise of the gradients on the first minibatch of the epoch just completed. A
    /// model whose gradients have none is no reason to end its training: the log says why.
    pub(super) fn monitor(&mut self, order: &[u32]) -> Result<(), TrainError> {
        let started = Instant::now();
        self.follow_beta()?;
        let Position { epoch, step, .. } = self.state.position;
        self.stepper.draw(&order[..order.len().min(self.settings.train.batch)], epoch as u32);
        let (figures, error) = match self.figures() {
            Ok(figures) => (Some(figures), None),
            Err(error) => (None, Some(chain(&error))),
        };
        let record = SnrRecord { epoch, step, figures, error, timing: timing(started, 0) };
        self.append(&Record::Snr(record.clone()))?;
        self.observer.monitored(&record);
        Ok(())
    }

    /// Measures the training's own estimator on the minibatch that was drawn. The noise has a purpose of
    /// its own, so the training goes on as if nobody had looked.
    fn figures(&mut self) -> Result<SnrFigures, LiveError> {
        let probe = Probe {
            parameters: &self.state.parameters,
            batch: self.stepper.drawn(),
            seed: self.settings.seed,
            draws: MONITORED,
        };
        let (settings, estimator) = (&self.settings.estimator, &*self.estimator);
        let report = probe.measure(self.engine, settings, estimator, &mut || ())?;
        Ok(SnrFigures {
            draws: MONITORED,
            encoder: report.network(Network::Encoder).ratio,
            decoder: report.network(Network::Decoder).ratio,
            effective_samples: report.effective_samples,
        })
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
