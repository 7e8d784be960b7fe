//! Train without a model: a fast engine that depends on everything an engine may depend on.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Observer, Outcome, Progress, Signal, TrainError, Training, train};
use crate::data::{Images, Pixels};
use crate::engine::{
    AdamUpdate, Batch, Engine, EngineError, LikelihoodGradient, Noise, Objective, Points,
    Posterior, StepReport,
};
use crate::estimators::{Bound, Coefficients};
use crate::model::{Architecture, ParameterTable};
use crate::run::testing::FaultyDisk;
use crate::run::{Checkpoint, Disk, Model, Record, RunDescription, RunFolder, Storage, read_log};

/// Pulls every parameter towards a target that moves with pixels, images, noise and coefficients.
#[derive(Debug)]
pub(super) struct ToyEngine {
    architecture: Architecture,
    /// Calls of `gradient` so far.
    pub calls: u64,
    /// The calls (from 1) that answer that a number is not finite.
    pub broken: Range<u64>,
}

impl ToyEngine {
    pub fn new(architecture: Architecture) -> Self {
        Self { architecture, calls: 0, broken: 0..0 }
    }
}

impl Engine for ToyEngine {
    type Real = f32;

    fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    fn gradient(
        &mut self,
        parameters: &[f32],
        batch: Batch<'_>,
        objective: Objective<'_>,
        gradient: &mut [f32],
    ) -> Result<StepReport, EngineError> {
        self.calls += 1;
        if self.broken.contains(&self.calls) {
            let tensor = "decoder.0.weight".to_owned();
            return Err(EngineError::NonFiniteGradient { tensor });
        }
        let estimator = objective.estimator;
        let samples = estimator.samples();
        let (mut a, mut b, mut c) = (vec![0.0; samples], vec![0.0; samples], vec![0.0; samples]);
        let mut bound = Bound::default();
        gradient.fill(0.0);
        let d = self.architecture.pixels;
        for (row, &id) in batch.pixels.chunks_exact(d).zip(batch.ids) {
            let ink: f32 =
                row.iter().enumerate().map(|(i, &x)| (i + 1) as f32 * f32::from(x)).sum();
            let mut noise = vec![[0.0f32; 1]; samples];
            for (s, out) in noise.iter_mut().enumerate() {
                objective.noise.stream.normals(objective.noise.time, id, s as u32, out);
            }
            let log_weights: Vec<f64> =
                noise.iter().map(|[e]| f64::from(e * parameters[0] - ink)).collect();
            let coefficients = Coefficients { theta: &mut a, path: &mut b, score: &mut c };
            let own = estimator.evaluate(&log_weights, coefficients);
            bound.theta += own.theta / batch.ids.len() as f64;
            bound.phi += own.phi / batch.ids.len() as f64;
            bound.d_beta += own.d_beta / batch.ids.len() as f64;
            let pull: f32 = noise.iter().zip(&a).map(|([e], a)| e * *a as f32).sum();
            for (i, (g, p)) in gradient.iter_mut().zip(parameters).enumerate() {
                *g += pull + ink * 0.1 - p * (1.0 + i as f32);
            }
        }
        Ok(StepReport { bound, kept_fraction: 0.75 })
    }

    fn log_weights(
        &mut self,
        parameters: &[f32],
        _: Batch<'_>,
        _: Noise,
        _: Range<u32>,
        log_weights: &mut [f64],
    ) {
        log_weights.fill(f64::from(parameters.iter().sum::<f32>()));
    }

    fn encode(&mut self, _: &[f32], _: Batch<'_>) -> Posterior<f32> {
        Posterior { mean: Vec::new(), sd: Vec::new() }
    }

    fn decode(&mut self, _: &[f32], _: &[f32]) -> Vec<f32> {
        Vec::new()
    }

    fn likelihood_gradient(
        &mut self,
        _: &[f32],
        _: Points<'_, f32>,
        _: LikelihoodGradient<'_, f32>,
    ) {
        unreachable!("training does not walk in the latent space")
    }

    fn adam(&mut self, update: AdamUpdate<'_, f32>) {
        let AdamUpdate { parameters, gradient, first_moment, second_moment, adam, rate, step } =
            update;
        let t = step as f64;
        for (i, &g) in gradient.iter().enumerate() {
            let g = f64::from(g);
            let m = adam.beta1 * f64::from(first_moment[i]) + (1.0 - adam.beta1) * g;
            let v = adam.beta2 * f64::from(second_moment[i]) + (1.0 - adam.beta2) * g * g;
            first_moment[i] = m as f32;
            second_moment[i] = v as f32;
            let m = m / (1.0 - libm::pow(adam.beta1, t));
            let v = v / (1.0 - libm::pow(adam.beta2, t));
            parameters[i] += (rate * m / (v.sqrt() + adam.epsilon)) as f32;
        }
    }
}

/// Seven grey images of four pixels.
pub(super) fn images() -> Images {
    let pixels = (0..28u32).map(|i| (i * 37 % 256) as u8).collect();
    let ids = vec![10, 11, 12, 13, 14, 15, 16];
    Images { height: 2, width: 2, pixels: Pixels::Bytes(pixels), ids, labels: None }
}

/// Asks for what its test wants at the numbered step, counted over one session from 1.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub save_at: Option<u64>,
    pub stop_at: Option<u64>,
    /// Interrupts the first scoring.
    pub interrupt_scoring: bool,
    /// Interrupts a trial at its step of this number, from 0.
    pub interrupt_trial: Option<u64>,
    pub steps: Vec<Progress>,
    pub scored: Vec<usize>,
}

impl Observer for Script {
    fn go_on(&mut self) -> bool {
        let here = self.interrupt_trial == Some(0);
        self.interrupt_trial = self.interrupt_trial.map(|n| n.saturating_sub(1)).filter(|_| !here);
        !here
    }

    fn step(&mut self, progress: &Progress) -> Signal {
        self.steps.push(*progress);
        let n = Some(self.steps.len() as u64);
        if n == self.stop_at {
            Signal::SaveAndStop
        } else if n == self.save_at {
            Signal::Save
        } else {
            Signal::Continue
        }
    }

    fn evaluate(
        &mut self,
        _: &mut dyn Engine<Real = f32>,
        parameters: &[f32],
        epoch: usize,
    ) -> Option<Value> {
        if std::mem::take(&mut self.interrupt_scoring) {
            return None;
        }
        self.scored.push(epoch);
        Some(json!({ "first": parameters[0], "sum": parameters.iter().sum::<f32>() }))
    }
}

/// Creates or continues the run at `path`, as the command line does.
pub(super) fn go(
    path: &Path,
    description: &RunDescription,
    engine: &mut ToyEngine,
    observer: &mut Script,
) -> Result<Outcome, TrainError> {
    go_on(Arc::new(Disk), path, description, engine, observer)
}

/// The same on any storage.
pub(super) fn go_on(
    storage: Arc<dyn Storage>,
    path: &Path,
    description: &RunDescription,
    engine: &mut ToyEngine,
    observer: &mut Script,
) -> Result<Outcome, TrainError> {
    let mut run = if RunFolder::exists(path) {
        let mut run = RunFolder::open_on(storage, path)?;
        run.continue_as(description)?;
        run
    } else {
        RunFolder::create_on(storage, path, description.clone())?
    };
    let total = ParameterTable::new(&description.architecture()).total();
    let state = match run.latest()? {
        Some(latest) => latest.checkpoint,
        None => Checkpoint::start((0..total).map(|i| i as f32 * 0.01 + 0.3).collect()),
    };
    train(
        &mut run,
        state,
        Training { images: &images(), held_out: Some(&images()), engine, observer },
    )
}

/// Trains without interruption.
pub(super) fn go_through(path: &Path, description: &RunDescription) -> Outcome {
    let disk = Arc::new(FaultyDisk::sound());
    let mut engine = ToyEngine::new(description.architecture());
    go_on(disk, path, description, &mut engine, &mut Script::default()).unwrap()
}

/// Everything that must be equal between two runs of the same training.
#[derive(Debug, PartialEq)]
pub(super) struct Remains {
    checkpoint: Vec<u8>,
    model: Vec<u8>,
    description: Vec<u8>,
    log: Vec<Record>,
}

impl Remains {
    pub fn of(path: &Path) -> Self {
        let read = |name: &str| std::fs::read(path.join(name)).unwrap();
        let log = read_log(&path.join("metrics.jsonl")).unwrap();
        assert_eq!((log.corrupt.len(), log.torn), (0, 0));
        assert_eq!(Model::load(path).unwrap().parameters.len(), 38);
        Self {
            checkpoint: read("checkpoint.safetensors"),
            model: read("model.safetensors"),
            description: read("run.toml"),
            log: log.records.into_iter().map(Record::without_timing).collect(),
        }
    }
}
