//! Foretell how long cells take, from a short measurement of this machine.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::Instant;

use tightbound::data::{Dataset, shuffled_order};
use tightbound::evaluate::{ScoreOptions, score};
use tightbound::model::ParameterTable;
use tightbound::run::Checkpoint;
use tightbound::settings::Settings;
use tightbound::sweep::{Cell, Plan};
use tightbound::train::{Address, Stepper};

use crate::args::DataFolder;
use crate::machine::Threads;

/// Seconds of measurement for all kinds of cells together.
const MEASURE: f64 = 10.0;

/// How long one training image of each kind of cell takes with one thread, and one of scoring.
#[derive(Clone, Debug, Default)]
pub struct Costs {
    kinds: HashMap<String, Rates>,
}

#[derive(Clone, Copy, Debug)]
struct Rates {
    /// Seconds per image of an epoch.
    train: f64,
    /// Seconds per sample of a scored image.
    score: f64,
    /// Images of an epoch, and of the test part.
    images: (usize, usize),
}

impl Costs {
    /// Costs that are not known: every cell counts the same.
    pub fn unknown() -> Self {
        Self::default()
    }

    /// Trains and scores every kind of cell in `plan` for a moment with one thread.
    ///
    /// # Errors
    /// If data cannot be had, or a kind of cell cannot make a step.
    pub fn measure(plan: &Plan, data: &DataFolder, threads: &Threads) -> anyhow::Result<Self> {
        let mut kinds: Vec<&Settings> = Vec::new();
        for cell in &plan.cells {
            if kinds.iter().all(|known| kind(known) != kind(&cell.settings)) {
                kinds.push(&cell.settings);
            }
        }
        let seconds = MEASURE / kinds.len() as f64;
        let mut costs = Self::default();
        for settings in kinds {
            let dataset = data.load(&settings.data.name)?;
            costs.kinds.insert(kind(settings), measure(settings, &dataset, threads, seconds)?);
        }
        Ok(costs)
    }

    /// Seconds of training and of scoring that `cell` takes on one core.
    pub fn of(&self, plan: &Plan, cell: &Cell) -> (f64, f64) {
        let Some(rates) = self.kinds.get(&kind(&cell.settings)) else { return (1.0, 0.1) };
        let train = &cell.settings.train;
        let passes = (rates.images.0 * train.epochs) as f64;
        let scored = plan.score.images.map_or(rates.images.1, |n| rates.images.1.min(n as usize));
        let samples = f64::from(plan.score.k) * (scored * plan.scored_on(cell).len()) as f64;
        // Scores on the way, at K = eval_k: about as many as the epochs have binary digits.
        let on_the_way = match train.eval_every {
            0 => 2.0 * (train.epochs as f64).log2() + 1.0,
            every => (train.epochs / every) as f64,
        };
        let quick = on_the_way * f64::from(train.eval_k) * rates.images.1 as f64;
        (passes * rates.train + quick * rates.score, samples * rates.score)
    }

    /// Seconds that all cells of `plan` take on `cores` cores.
    pub fn total(&self, plan: &Plan, cores: usize) -> f64 {
        let each = plan.cells.iter().map(|cell| self.of(plan, cell));
        each.map(|(train, score)| train + score).sum::<f64>() / cores as f64
    }
}

/// What tells apart cells that take differently long per image.
fn kind(settings: &Settings) -> String {
    let (data, model, estimator) = (&settings.data, &settings.model, &settings.estimator);
    let train = &settings.train;
    format!("{data:?} {model:?} {estimator:?} {:?} {}", train.update, train.batch)
}

/// Makes steps of a training on `dataset` for most of `seconds`, then scores a few images.
fn measure(
    settings: &Settings,
    dataset: &Dataset,
    threads: &Threads,
    seconds: f64,
) -> anyhow::Result<Rates> {
    let images = &dataset.train;
    let architecture = settings.architecture(images.pixel_count());
    let one = Threads { threads: Some(1), ..*threads };
    let mut engine = one.engine(&architecture)?;
    let table = ParameterTable::new(&architecture);
    let parameters = settings.first_parameters(&architecture, &images.mean_image());
    let estimator = settings.estimator.build()?;
    let mut state = Checkpoint::start(parameters);
    let mut stepper = Stepper::new(settings, images, &table);
    let order = shuffled_order(images.len(), settings.seed, 1);
    let batch = settings.train.batch.min(images.len());
    let mut batches = order.chunks_exact(batch).enumerate().cycle();
    let pool = engine.pool();
    let (mut steps, started) = (0, Instant::now());
    let train = pool.run(|| {
        while steps == 0 || started.elapsed().as_secs_f64() < 0.8 * seconds {
            let (number, positions) = batches.next().expect("there is a whole batch");
            steps += 1;
            let rate = settings.train.rate;
            let at = Address { epoch: 1, batch: number as u32, step: steps, rate };
            stepper.draw(positions, at.epoch);
            stepper.step(&mut engine, &mut state, &*estimator, at)?;
        }
        anyhow::Ok(started.elapsed().as_secs_f64() / (steps as usize * batch) as f64)
    })?;
    let few = dataset.test.select(&(0..dataset.test.len().min(4)).collect::<Vec<_>>());
    let options = ScoreOptions { k: 256, ..ScoreOptions::default() };
    let (mut scored, started) = (0, Instant::now());
    while scored == 0 || started.elapsed().as_secs_f64() < 0.2 * seconds {
        score(
            &mut engine,
            &state.parameters,
            &few,
            options,
            &mut |_, _| ControlFlow::Continue(()),
        )?;
        scored += few.len() * options.k as usize;
    }
    let score = started.elapsed().as_secs_f64() / scored as f64;
    let limit = settings.data.limit.unwrap_or(usize::MAX);
    Ok(Rates { train, score, images: (images.len().min(limit), dataset.test.len()) })
}
