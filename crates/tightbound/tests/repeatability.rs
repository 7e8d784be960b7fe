//! Train all six systems with the real engine: the same bits for any number of threads, and after
//! an interruption.

use std::path::Path;

use serde_json::Value;
use tempfile::tempdir;
use tightbound::data::{Images, Pixels};
use tightbound::engine::cpu::{CpuEngine, KernelPath};
use tightbound::engine::{Adam, Engine, Prune};
use tightbound::estimators::EstimatorSettings;
use tightbound::model::{
    Activation, Initialisation, OutputBias, ParameterTable, Sigma, initialise,
};
use tightbound::random::{Purpose, Stream};
use tightbound::run::{Checkpoint, Identity, MODEL, Machine, RunDescription, RunFolder, verify};
use tightbound::settings::{
    BetaObjective, Binarisation, DataSettings, ModelSettings, Monitor, NonFinite, Protocol,
    Settings, TrainSettings, Update,
};
use tightbound::train::{Observer, Progress, Signal, Training, train};

const HEIGHT: usize = 6;
const WIDTH: usize = 5;
/// Eleven minibatches of 20 and one of 10.
const IMAGES: u32 = 230;
/// 204 steps.
const EPOCHS: usize = 17;

/// A system of the papers: estimator, M, K, β, what moves β, how the networks are updated.
type System = (&'static str, usize, usize, Option<f64>, BetaObjective, Update);

const SYSTEMS: [System; 8] = [
    ("vae", 6, 1, None, BetaObjective::Fixed, Update::Joint),
    ("iwae", 1, 9, None, BetaObjective::Fixed, Update::Joint),
    ("miwae", 2, 3, None, BetaObjective::Fixed, Update::Random),
    ("ciwae", 1, 6, Some(0.5), BetaObjective::Fixed, Update::Joint),
    ("ciwae", 1, 6, Some(0.3), BetaObjective::Eq16, Update::Joint),
    ("ciwae", 1, 4, Some(0.5), BetaObjective::Snr, Update::Joint),
    ("ciwae", 1, 4, Some(0.5), BetaObjective::Validation, Update::Joint),
    ("piwae", 3, 2, None, BetaObjective::Fixed, Update::EncoderFirst),
];

fn description((name, m, k, beta, beta_objective, update): System) -> RunDescription {
    let settings = Settings {
        protocol: Protocol::Paper,
        seed: 3,
        data: DataSettings {
            name: "made-up".into(),
            limit: None,
            validation: 0,
            binarisation: Binarisation::Dynamic,
        },
        model: ModelSettings {
            encoder: vec![17, 9],
            latents: 5,
            decoder: vec![12, 19],
            activation: Activation::Tanh,
            sigma: Sigma::Exp,
            initialisation: Initialisation::Glorot,
            output_bias: OutputBias::TrainMean,
        },
        estimator: EstimatorSettings { beta, ..EstimatorSettings::new(name, m, k) },
        train: TrainSettings {
            epochs: EPOCHS,
            batch: 20,
            rate: 1e-3,
            stages: 8,
            update,
            beta_objective,
            beta_target: 0.5,
            monitor: Monitor::Off,
            prune: Prune::Lossless,
            non_finite: NonFinite::Stop,
            eval_every: 0,
            eval_k: 64,
        },
        adam: Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-4 },
    };
    let mut description = RunDescription {
        settings,
        identity: Identity {
            version: tightbound::VERSION.into(),
            data: "made-up".into(),
            pixels: HEIGHT * WIDTH,
            parameters: 0,
            sources: Vec::new(),
            from: None,
        },
        machine: Machine::default(),
    };
    description.identity.parameters = ParameterTable::new(&description.architecture()).total();
    description
}

fn images() -> Images {
    let stream = Stream::new(1, Purpose::Glyphs);
    let pixels = (0..IMAGES)
        .flat_map(|i| (0..(HEIGHT * WIDTH) as u32).map(move |d| (i, d)))
        .map(|(i, d)| stream.below(256, 0, i, 0, d) as u8)
        .collect();
    let ids = (0..IMAGES).collect();
    Images { height: HEIGHT, width: WIDTH, pixels: Pixels::Bytes(pixels), ids, labels: None }
}

/// Stops after the steps left to it.
struct Until(u64);

impl Observer for Until {
    fn step(&mut self, _: &Progress) -> Signal {
        self.0 -= 1;
        if self.0 == 0 { Signal::SaveAndStop } else { Signal::Continue }
    }

    fn evaluate(&mut self, _: &mut dyn Engine<Real = f32>, _: &[f32], _: usize) -> Option<Value> {
        Some(Value::Null)
    }
}

/// Begins or continues the run at `path` for at most `steps` steps; says whether it is complete.
fn go(path: &Path, system: System, (threads, kernels): (usize, KernelPath), steps: u64) -> bool {
    let description = description(system);
    let architecture = description.architecture();
    let mut run = if RunFolder::exists(path) {
        RunFolder::open(path).unwrap()
    } else {
        RunFolder::create(path, description).unwrap()
    };
    let state = match run.latest().unwrap() {
        Some(latest) => latest.checkpoint,
        None => {
            let (rule, bias) = (Initialisation::Glorot, OutputBias::TrainMean);
            let mean = vec![0.5; HEIGHT * WIDTH];
            Checkpoint::start(initialise(&architecture, rule, bias, &mean, 3))
        }
    };
    let mut engine = CpuEngine::with_path(architecture, threads, kernels).unwrap();
    let mut observer = Until(steps);
    let images = images();
    let training = Training {
        images: &images,
        held_out: Some(&images),
        engine: &mut engine,
        observer: &mut observer,
    };
    train(&mut run, state, training).unwrap().complete
}

#[test]
fn threads_kernels_and_interruptions_change_no_bit_of_the_weights() {
    let folder = tempdir().unwrap();
    let fastest = KernelPath::fastest();
    for (s, system) in SYSTEMS.into_iter().enumerate() {
        let weights = |path: &Path| std::fs::read(path.join(MODEL)).unwrap();
        let one = folder.path().join(format!("{s}-1"));
        assert!(go(&one, system, (1, fastest), u64::MAX));
        let others = KernelPath::available()
            .into_iter()
            .flat_map(|kernels| (1..=3).map(move |threads| (threads, kernels)));
        for machine in others.chain([(5, fastest)]) {
            let path = folder.path().join(format!("{s}-{machine:?}"));
            assert!(go(&path, system, machine, u64::MAX));
            assert!(weights(&path) == weights(&one), "{system:?}, {machine:?}");
        }
        let pieces = folder.path().join(format!("{s}-pieces"));
        assert!(!go(&pieces, system, (2, fastest), 77));
        assert!(!go(&pieces, system, (1, fastest), 1));
        assert!(go(&pieces, system, (3, fastest), u64::MAX));
        assert!(weights(&pieces) == weights(&one), "{system:?}, interrupted");
        assert!(verify(&pieces).unwrap().whole);
    }
}
