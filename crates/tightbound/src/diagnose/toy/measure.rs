//! Draw gradients at every point, on all cores, with sums whose order no thread changes.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::accumulate::Accumulator;
use super::draw::Samples;
use super::problem::{Perturbation, Point, Problem};
use crate::diagnose::SnrError;
use crate::estimators::{Estimator, EstimatorError, EstimatorSettings};

/// Gradients that are held at once before they are summed, in numbers of eight bytes.
const HELD: usize = 4 << 20;

/// Memory that a measurement may take, in bytes.
const MOST_MEMORY: u128 = 4 << 30;

/// The experiment: its size, and how far the parameters are from the optimum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ToyOptions {
    /// D, dimensions of data and latents: ≥ 2.
    pub dims: usize,
    /// N, data points: ≥ 2.
    pub points: usize,
    /// R, gradients drawn at every point: ≥ 2.
    pub draws: usize,
    /// Near or far.
    pub perturbation: Perturbation,
    /// Of data, parameters and gradients.
    pub seed: u64,
}

impl Default for ToyOptions {
    fn default() -> Self {
        Self { dims: 20, points: 1024, draws: 64, perturbation: Perturbation::Near, seed: 1 }
    }
}

/// How far a measurement has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The M or K at hand.
    pub size: usize,
    /// Points that are done.
    pub done: usize,
    /// All points.
    pub of: usize,
}

/// An experiment that cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ToyError {
    /// A size is too small.
    #[error("the toy problem needs {what} of at least {least}, not {given}")]
    TooSmall {
        /// Which size.
        what: &'static str,
        /// The smallest that is allowed.
        least: usize,
        /// What was given.
        given: usize,
    },
    /// A size is too large to number.
    #[error("the toy problem takes {what} of at most {most}, not {given}")]
    TooLarge {
        /// Which size.
        what: &'static str,
        /// The largest that is allowed.
        most: usize,
        /// What was given.
        given: usize,
    },
    /// The sums would not fit.
    #[error(
        "the toy problem would take about {needed} MiB of memory, more than {most} MiB: choose fewer \
         draws, dimensions, points or estimators"
    )]
    TooMuchMemory {
        /// What it would take, in MiB.
        needed: u64,
        /// What it may take, in MiB.
        most: u64,
    },
    /// There is nothing to measure.
    #[error("no {0} is given: there is nothing to measure")]
    Nothing(&'static str),
    /// A size stands twice.
    #[error("{what} = {size} is given twice")]
    Repeated {
        /// M or K.
        what: &'static str,
        /// The size.
        size: usize,
    },
    /// No estimator is called so.
    #[error("the toy problem has no estimator `{name}`; it has: {known}")]
    NoSuchEstimator {
        /// What was asked for.
        name: String,
        /// All labels, separated by commas.
        known: String,
    },
    /// Draws without a variance.
    #[error(transparent)]
    Snr(#[from] SnrError),
    /// Settings that make no estimator.
    #[error(transparent)]
    Estimator(#[from] EstimatorError),
}

impl ToyOptions {
    /// Refuses sizes without a measurement.
    pub(super) fn check(&self) -> Result<(), ToyError> {
        let Self { dims, points, draws, .. } = *self;
        if draws < 2 {
            return Err(SnrError::TooFewDraws(draws).into());
        }
        for (what, given, most) in
            [("dimensions", dims, 1000), ("points", points, 1 << 24), ("draws", draws, 100_000)]
        {
            if given < 2 {
                return Err(ToyError::TooSmall { what, least: 2, given });
            }
            if given > most {
                return Err(ToyError::TooLarge { what, most, given });
            }
        }
        Ok(())
    }

    /// Refuses what would not fit memory with `estimators` of M·K = `size` samples.
    pub(super) fn check_memory(&self, estimators: usize, size: usize) -> Result<(), ToyError> {
        let wide = |n: usize| n as u128;
        let threads = wide(rayon::current_num_threads());
        let (dims, points, draws) = (wide(self.dims), wide(self.points), wide(self.draws));
        let sums = wide(estimators) * Accumulator::numbers(self.dims, self.draws);
        let data = 3 * points * dims;
        let per_point = wide(estimators) * draws * 2 * dims;
        let held = wide(HELD).max(threads * per_point).min(points * per_point);
        // Noise is held as f32 and as f64.
        let samples = threads * wide(size) * (dims * 3 / 2 + 4);
        let needed = 8 * (sums + data + held + samples);
        if needed <= MOST_MEMORY {
            return Ok(());
        }
        let mebibytes = |bytes: u128| u64::try_from(bytes >> 20).unwrap_or(u64::MAX);
        let (needed, most) = (mebibytes(needed), mebibytes(MOST_MEMORY));
        Err(ToyError::TooMuchMemory { needed, most })
    }

    /// Data and perturbed parameters.
    pub(super) fn problem(&self) -> Problem {
        Problem::new(self.dims, self.points, self.perturbation.sd(), self.seed)
    }
}

/// Draws R gradients of every estimator at every point. All estimators have the same M·K and see the
/// same samples.
pub(super) fn accumulate(
    problem: &Problem,
    estimators: &[EstimatorSettings],
    draws: usize,
    progress: &mut dyn FnMut(usize),
) -> Result<Vec<Accumulator>, ToyError> {
    let built = estimators.iter().map(EstimatorSettings::build).collect::<Result<Vec<_>, _>>()?;
    let dims = problem.points[0].x.len();
    let mut sums: Vec<_> = built.iter().map(|_| Accumulator::new(dims, draws)).collect();
    let per_point = built.len() * draws * 2 * dims;
    // The size of a block changes memory alone: points are added in their order.
    let block = (HELD / per_point).max(rayon::current_num_threads());
    for (number, points) in problem.points.chunks(block).enumerate() {
        let first = number * block;
        let gradients: Vec<_> = points
            .par_iter()
            .enumerate()
            .map(|(i, point)| at_point(problem, point, (first + i) as u32, &built, draws))
            .collect();
        sums.par_iter_mut().enumerate().for_each(|(e, sum)| {
            for (point, gradients) in points.iter().zip(&gradients) {
                sum.add(&point.x, &gradients[e]);
            }
        });
        progress(first + points.len());
    }
    Ok(sums)
}

/// The gradients at one point, `[R, 2 D]` for every estimator.
fn at_point(
    problem: &Problem,
    point: &Point,
    item: u32,
    estimators: &[Box<dyn Estimator>],
    draws: usize,
) -> Vec<Vec<f64>> {
    let dims = point.x.len();
    let mut samples = Samples::new(dims, estimators[0].samples());
    let mut gradients: Vec<_> = estimators.iter().map(|_| vec![0.0; draws * 2 * dims]).collect();
    for draw in 0..draws {
        samples.draw(&problem.stream, point, item, draw as u32);
        for (estimator, gradients) in estimators.iter().zip(&mut gradients) {
            let out = &mut gradients[draw * 2 * dims..][..2 * dims];
            samples.gradient(point, &**estimator, out);
        }
    }
    gradients
}
