//! Run the loop: epochs of steps, with everything durable kept so that any moment may be the last.

use std::ops::ControlFlow;
use std::time::Instant;

use super::beta::MovingBeta;
use super::check::check;
use super::error::TrainError;
use super::ladder::Ladder;
use super::observer::{Observer, Progress, Signal};
use super::step::{Address, Stepper};
use crate::data::{Images, shuffled_order};
use crate::engine::{Engine, StepReport};
use crate::estimators::Estimator;
use crate::model::ParameterTable;
use crate::run::{
    Checkpoint, EpochRecord, EpochSums, EvaluationRecord, MetricsLog, Position, Record, RunFolder,
    SkipRecord, Timing, digest,
};
use crate::settings::{Monitor, NonFinite, Settings};

/// What a training works with, beside the run folder and the state.
pub struct Training<'a> {
    /// The images to train on.
    pub images: &'a Images,
    /// Images to choose β by, where the settings say so.
    pub held_out: Option<&'a Images>,
    /// Who computes.
    pub engine: &'a mut dyn Engine<Real = f32>,
    /// Who watches.
    pub observer: &'a mut dyn Observer,
}

/// How a training ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Whether all epochs are done; otherwise it was interrupted and can be resumed.
    pub complete: bool,
    /// Whether it was complete before it began, so that nothing was done.
    pub was_complete: bool,
    /// Epochs that are complete.
    pub epoch: usize,
    /// Steps of Adam that were made.
    pub step: u64,
    /// Steps that were left out because a number was not finite.
    pub skipped: u64,
    /// Digest of the parameters.
    pub digest: String,
}

/// Trains from `state` to the last epoch that the run's settings ask for, or until the observer
/// stops it.
///
/// `state` is [`RunFolder::latest`]'s checkpoint, or [`Checkpoint::start`] where there is none. The
/// result is a function of the run's settings, the images and the starting parameters: however
/// often the training is interrupted, it ends in the same bits.
///
/// A checkpoint is written at the start, after every epoch, after every score, and when the
/// observer asks. `model.safetensors` is written when the training ends or is stopped.
pub fn train(
    run: &mut RunFolder,
    state: Checkpoint,
    training: Training<'_>,
) -> Result<Outcome, TrainError> {
    let settings = run.description().settings.clone();
    let was_complete =
        state.position.epoch >= settings.train.epochs && !state.position.evaluation_due;
    let Training { images, held_out, engine, observer } = training;
    let training = Training { images, held_out, engine: &mut *engine, observer: &mut *observer };
    let mut session = Session::new(run, &settings, state, training)?;
    let complete = session.run()?.is_continue();
    let Session { run, state, .. } = session;
    run.save_model(state.position.epoch, &state.parameters)?;
    Ok(Outcome {
        complete,
        was_complete,
        epoch: state.position.epoch,
        step: state.position.step,
        skipped: state.position.skipped,
        digest: digest(&state.parameters),
    })
}

/// A training under way. `Break` means that the observer stopped it and all is saved.
pub(super) struct Session<'a> {
    run: &'a mut RunFolder,
    pub(super) settings: &'a Settings,
    table: ParameterTable,
    images: &'a Images,
    pub(super) held_out: Option<&'a Images>,
    pub(super) engine: &'a mut dyn Engine<Real = f32>,
    pub(super) observer: &'a mut dyn Observer,
    pub(super) ladder: Ladder,
    pub(super) stepper: Stepper<'a>,
    log: MetricsLog,
    pub(super) state: Checkpoint,
    pub(super) estimator: Box<dyn Estimator>,
    pub(super) beta: Option<MovingBeta>,
}

impl<'a> Session<'a> {
    fn new(
        run: &'a mut RunFolder,
        settings: &'a Settings,
        state: Checkpoint,
        training: Training<'a>,
    ) -> Result<Self, TrainError> {
        let Training { images, held_out, engine, observer } = training;
        let architecture = run.description().architecture();
        check(settings, images, held_out, architecture.pixels)?;
        if *engine.architecture() != architecture {
            return Err(TrainError::OtherModel("engine"));
        }
        let table = ParameterTable::new(&architecture);
        let Checkpoint { parameters, first_moment, second_moment, position } = &state;
        if [parameters, first_moment, second_moment].iter().any(|b| b.len() != table.total()) {
            return Err(TrainError::OtherModel("checkpoint"));
        }
        let estimator = settings.estimator.build()?;
        let objective = settings.train.beta_objective;
        let beta = match (position.beta, settings.estimator.beta) {
            (Some(beta), _) => MovingBeta::restore(objective, beta),
            (None, Some(beta)) => MovingBeta::start(objective, beta),
            (None, None) => None,
        };
        let log = run.log(position.records)?;
        let stepper = Stepper::new(settings, images, &table);
        let ladder = Ladder::new(&settings.train);
        Ok(Self {
            run,
            settings,
            table,
            images,
            held_out,
            engine,
            observer,
            ladder,
            stepper,
            log,
            state,
            estimator,
            beta,
        })
    }

    fn run(&mut self) -> Result<ControlFlow<()>, TrainError> {
        if self.state.position == Position::default() {
            self.save()?;
        }
        loop {
            if self.state.position.evaluation_due && self.evaluate()?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            if self.state.position.epoch >= self.settings.train.epochs {
                return Ok(ControlFlow::Continue(()));
            }
            if self.epoch()?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }

    /// Makes the rest of the current epoch.
    fn epoch(&mut self) -> Result<ControlFlow<()>, TrainError> {
        let epoch = self.state.position.epoch + 1;
        let order = shuffled_order(self.images.len(), self.settings.seed, epoch as u32);
        let batches = order.len().div_ceil(self.settings.train.batch);
        if self.state.position.batch == 0 && self.choose_beta(&order)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let started = Instant::now();
        let mut images = 0;
        let done = self.state.position.batch;
        for positions in order.chunks(self.settings.train.batch).skip(done) {
            self.minibatch(positions)?;
            images += positions.len();
            let signal = self.observer.step(&self.progress(positions.len(), batches));
            if signal != Signal::Continue {
                self.save()?;
            }
            if signal == Signal::SaveAndStop {
                return Ok(ControlFlow::Break(()));
            }
        }
        self.close_epoch(timing(started, images), &order)?;
        Ok(ControlFlow::Continue(()))
    }

    /// Makes one step, or leaves it out.
    fn minibatch(&mut self, positions: &[u32]) -> Result<(), TrainError> {
        let position = &self.state.position;
        let (epoch, batch) = (position.epoch + 1, position.batch);
        let at = Address {
            epoch: epoch as u32,
            batch: batch as u32,
            step: position.step + 1,
            rate: self.ladder.rate_at(epoch),
        };
        self.follow_beta()?;
        self.stepper.draw(positions, at.epoch);
        let report = self.stepper.step(self.engine, &mut self.state, &*self.estimator, at);
        self.state.position.batch += 1;
        match (report, self.settings.train.non_finite) {
            (Ok(report), _) => self.account(&report, positions.len(), epoch),
            (Err(source), NonFinite::Stop) => {
                let (step, batch) = (at.step, batch + 1);
                let (largest, tensor) = self.largest_parameter();
                return Err(TrainError::NonFinite { step, epoch, batch, source, largest, tensor });
            }
            (Err(source), NonFinite::Skip) => {
                self.state.position.skipped += 1;
                self.state.position.sums.skipped += 1;
                let reason = source.to_string();
                self.append(&Record::Skip(SkipRecord { epoch, batch: batch + 1, reason }))?;
            }
        }
        Ok(())
    }

    /// Counts a step that was made.
    fn account(&mut self, report: &StepReport, images: usize, epoch: usize) {
        let position = &mut self.state.position;
        let n = images as f64;
        position.step += 1;
        position.sums.images += images as u64;
        position.sums.theta += n * report.bound.theta;
        position.sums.phi += n * report.bound.phi;
        position.sums.kept += n * report.kept_fraction;
        if let Some(beta) = &mut self.beta {
            beta.step(report.bound.d_beta, self.ladder.decay_at(epoch));
        }
    }

    /// Logs a complete epoch and moves on to the next.
    fn close_epoch(&mut self, timing: Timing, order: &[u32]) -> Result<(), TrainError> {
        let position = &mut self.state.position;
        let sums = std::mem::take(&mut position.sums);
        position.epoch += 1;
        position.batch = 0;
        let (epoch, step) = (position.epoch, position.step);
        position.evaluation_due = self.ladder.is_evaluation_due(epoch, &self.settings.train);
        let record = EpochRecord {
            epoch,
            step,
            rate: self.ladder.rate_at(epoch),
            bound: mean(sums, sums.theta),
            bound_phi: mean(sums, sums.phi),
            kept: mean(sums, sums.kept),
            beta: self.beta_now(),
            skipped: sums.skipped,
            timing,
        };
        self.append(&Record::Epoch(record.clone()))?;
        if self.settings.train.monitor == Monitor::Snr {
            self.monitor(order)?;
        }
        self.save()?;
        self.observer.epoch(&record);
        Ok(())
    }

    /// Scores the model and logs it.
    fn evaluate(&mut self) -> Result<ControlFlow<()>, TrainError> {
        let (epoch, step) = (self.state.position.epoch, self.state.position.step);
        let started = Instant::now();
        let scores = self.observer.evaluate(self.engine, &self.state.parameters, epoch);
        let Some(scores) = scores else { return Ok(ControlFlow::Break(())) };
        let record = EvaluationRecord { epoch, step, scores, timing: timing(started, 0) };
        self.append(&Record::Evaluation(record.clone()))?;
        self.state.position.evaluation_due = false;
        self.save()?;
        self.observer.evaluated(&record);
        Ok(ControlFlow::Continue(()))
    }

    pub(super) fn append(&mut self, record: &Record) -> Result<(), TrainError> {
        self.log.append(record)?;
        Ok(())
    }

    /// Writes a checkpoint, after making sure of what it counts on.
    fn save(&mut self) -> Result<(), TrainError> {
        self.refuse_diverged()?;
        self.log.sync()?;
        self.state.position.records = self.log.records();
        self.state.position.beta = self.beta.map(|b| b.state());
        self.run.save_checkpoint(&self.state)?;
        Ok(())
    }

    /// Keeps numbers out of the checkpoint from which no training could go on.
    fn refuse_diverged(&self) -> Result<(), TrainError> {
        let buffers = [
            ("a parameter", &self.state.parameters),
            ("a first moment", &self.state.first_moment),
            ("a second moment", &self.state.second_moment),
        ];
        for (what, values) in buffers {
            if let Some((tensor, _)) = self.table.first_non_finite(values) {
                let tensor = tensor.name.clone();
                let position = &self.state.position;
                let epoch = position.epoch + usize::from(position.batch > 0);
                return Err(TrainError::Diverged { step: position.step, epoch, what, tensor });
            }
        }
        Ok(())
    }

    /// The parameter farthest from zero, and the tensor that holds it; NaN is farther than ∞.
    fn largest_parameter(&self) -> (f32, String) {
        let parameters = self.state.parameters.iter().copied().enumerate();
        let largest = parameters.max_by(|(_, a), (_, b)| a.abs().total_cmp(&b.abs()));
        let (index, value) = largest.unwrap_or_default();
        let tensor = self.table.tensor_at(index).map_or("?", |p| &p.name);
        (value, tensor.to_owned())
    }

    fn beta_now(&self) -> Option<f64> {
        self.beta.map(|b| b.value()).or(self.settings.estimator.beta)
    }

    fn progress(&self, images: usize, batches: usize) -> Progress {
        let position = &self.state.position;
        let epoch = position.epoch + 1;
        Progress {
            epoch,
            epochs: self.settings.train.epochs,
            batch: position.batch,
            batches,
            step: position.step,
            images,
            bound: mean(position.sums, position.sums.theta),
            rate: self.ladder.rate_at(epoch),
            beta: self.beta_now(),
            skipped: position.skipped,
        }
    }
}

fn mean(sums: EpochSums, sum: f64) -> Option<f64> {
    (sums.images > 0).then(|| sum / sums.images as f64)
}

pub(super) fn timing(started: Instant, images: usize) -> Timing {
    let seconds = started.elapsed().as_secs_f64();
    let images_per_second = if seconds > 0.0 { images as f64 / seconds } else { 0.0 };
    Timing { seconds, images_per_second }
}
