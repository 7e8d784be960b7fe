//! Measure whole training steps: drawing pixels, gradient, update.

use anyhow::bail;
use serde::Serialize;
use tightbound::data::shuffled_order;
use tightbound::engine::Prune;
use tightbound::estimators::EstimatorSettings;
use tightbound::run::Checkpoint;
use tightbound::settings::Update;
use tightbound::train::{Address, Stepper};

use super::command::Measurement;
use super::meter::Speed;
use super::subject::{Common, Facts, Subject};
use crate::args::SettingsArgs;

/// Measure whole training steps: drawing pixels, gradient, update
///
/// The learning rate is 0, so that every step is a step of the same model: pruning depends on it.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: SettingsArgs,

    #[command(flatten)]
    pub common: Common,
}

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    estimator: EstimatorSettings,
    batch: usize,
    prune: Prune,
    /// Of the median step.
    steps_per_s: f64,
    /// Of all steps.
    mean_steps_per_s: f64,
    kept_fraction: f64,
    #[serde(flatten)]
    speed: Speed,
    #[serde(flatten)]
    facts: Facts,
}

impl Measurement for Report {
    fn title(&self) -> String {
        let (name, EstimatorSettings { m, k, .. }) = (self.estimator.label(), &self.estimator);
        format!("{name} {m}×{k}, batches of {}: {}", self.batch, self.facts.describe())
    }

    fn headline(&self) -> String {
        let images = self.steps_per_s * self.batch as f64;
        format!("{:.1} steps/s, {images:.0} images/s", self.steps_per_s)
    }

    fn speed(&self) -> &Speed {
        &self.speed
    }

    fn kept_fraction(&self) -> Option<f64> {
        Some(self.kept_fraction)
    }
}

/// Measures what `args` ask for.
pub fn measure(args: &Args) -> anyhow::Result<Report> {
    let mut subject = Subject::new(&args.settings, &args.common)?;
    let settings = subject.settings.clone();
    let batch = settings.train.batch;
    let images = &subject.dataset.train;
    if batch > images.len() {
        bail!(
            "--batch {batch} is more than the {} training images of {}",
            images.len(),
            subject.facts.data
        );
    }
    let estimator = settings.estimator.build()?;
    let passes = if settings.train.update == Update::Joint { 1.0 } else { 2.0 };
    // Backward is twice forward: gradients of weights, and of inputs.
    let operations = 3.0 * passes * subject.work().forward(batch, estimator.samples());
    let meter = subject.meter(&args.common, operations);

    let order = shuffled_order(images.len(), settings.seed, 1);
    let mut batches = order.chunks_exact(batch).enumerate().cycle();
    let mut state = Checkpoint::start(subject.parameters);
    let mut stepper = Stepper::new(&settings, images, &subject.table);
    let (mut step, mut kept) = (0, 0.0);
    let pool = subject.engine.pool();
    let mut work = || {
        let (number, positions) = batches.next().expect("there is a whole batch");
        step += 1;
        let at = Address { epoch: 1, batch: number as u32, step, rate: 0.0 };
        stepper.draw(positions, at.epoch);
        let report = stepper.step(&mut subject.engine, &mut state, &*estimator, at)?;
        kept += report.kept_fraction;
        Ok(())
    };
    let speed = pool.run(|| meter.measure(&mut work))?;
    Ok(Report {
        estimator: settings.estimator.clone(),
        batch,
        prune: settings.train.prune,
        steps_per_s: 1.0 / speed.median_seconds,
        mean_steps_per_s: 1.0 / speed.mean_seconds,
        kept_fraction: kept / step as f64,
        speed,
        facts: subject.facts,
    })
}
