//! Sum gradients over points: the mean gradient of every draw, and the variances of a draw.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::diagnose::{DirectionalSnr, Moments, Snr, SnrError};

/// Most groups of draws that are left out in turn.
const MOST_GROUPS: usize = 16;

/// The parameters whose gradients are measured together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Part {
    /// b of φ, D parameters.
    #[serde(rename = "b")]
    B,
    /// A of φ, D² parameters.
    #[serde(rename = "A")]
    A,
    /// μ, all of θ, D parameters.
    #[serde(rename = "μ")]
    Mu,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::B, Self::A, Self::Mu];

    /// Whether it belongs to φ, not to θ.
    pub fn is_phi(self) -> bool {
        self != Self::Mu
    }

    /// Its place among all parameters.
    pub(super) fn range(self, dims: usize) -> Range<usize> {
        match self {
            Self::B => 0..dims,
            Self::A => dims..dims * (dims + 1),
            Self::Mu => dims * (dims + 1)..parameters(dims),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::B => "φ b",
            Self::A => "φ A",
            Self::Mu => "θ μ",
        })
    }
}

/// P, the number of all parameters.
fn parameters(dims: usize) -> usize {
    dims * (dims + 2)
}

/// Groups of draws for the jackknife; none where leaving one out would leave no variance.
fn groups(draws: usize) -> usize {
    if draws < 3 { 0 } else { draws.min(MOST_GROUPS) }
}

/// The gradients of one estimator, summed over the points that were added so far.
#[derive(Debug)]
pub(super) struct Accumulator {
    dims: usize,
    draws: usize,
    points: usize,
    /// Σ_n gradient of draw r, `[R, P]`.
    sum: Vec<f64>,
    /// Σ_n Var_n of one draw, `[1 + groups, P]`: from all draws, then without each group.
    variance: Vec<f64>,
}

impl Accumulator {
    pub(super) fn new(dims: usize, draws: usize) -> Self {
        let p = parameters(dims);
        let sets = 1 + groups(draws);
        Self { dims, draws, points: 0, sum: vec![0.0; draws * p], variance: vec![0.0; sets * p] }
    }

    /// How many numbers it holds.
    pub(super) fn numbers(dims: usize, draws: usize) -> u128 {
        ((draws + 1 + groups(draws)) as u128) * parameters(dims) as u128
    }

    /// Whether draw `r` belongs to `set`: all of them to set 0, all but group i to set 1 + i.
    fn belongs(&self, r: usize, set: usize) -> bool {
        set == 0 || r * groups(self.draws) / self.draws != set - 1
    }

    /// Adds the gradients at one point, `[R, 2 D]`: at q's mean, then at μ.
    ///
    /// b has q's mean's gradient, and A has that times xᵀ.
    pub(super) fn add(&mut self, x: &[f64], gradients: &[f64]) {
        let dims = self.dims;
        self.points += 1;
        for (g, sum) in
            gradients.chunks_exact(2 * dims).zip(self.sum.chunks_exact_mut(parameters(dims)))
        {
            spread(g, x, sum);
        }
        let squares: Vec<f64> = x.iter().map(|x| x * x).collect();
        for set in 0..self.variance.len() / parameters(dims) {
            let kept = gradients.chunks_exact(2 * dims).enumerate();
            let kept: Vec<&[f64]> =
                kept.filter(|(r, _)| self.belongs(*r, set)).map(|(_, g)| g).collect();
            let variance = sample_variance(&kept);
            let sum = &mut self.variance[set * parameters(dims)..][..parameters(dims)];
            spread(&variance, &squares, sum);
        }
    }

    /// The mean over points of every draw's gradient, of one part.
    fn draws_of(&self, part: Part) -> Vec<Vec<f64>> {
        let scale = 1.0 / self.points as f64;
        let draw = |sum: &[f64]| sum[part.range(self.dims)].iter().map(|g| g * scale).collect();
        self.sum.chunks_exact(parameters(self.dims)).map(draw).collect()
    }

    /// Element `index` of the part's mean gradient, draw by draw.
    pub(super) fn estimates(&self, part: Part, index: usize) -> Vec<f64> {
        self.draws_of(part).into_iter().map(|draw| draw[index]).collect()
    }

    /// The variance of one draw's mean over points, from the draws of one set.
    pub(super) fn variance_of(&self, part: Part, set: usize) -> Vec<f64> {
        let scale = 1.0 / (self.points as f64).powi(2);
        let all = &self.variance[set * parameters(self.dims)..][part.range(self.dims)];
        all.iter().map(|v| v * scale).collect()
    }

    /// Signal and noise of one part: first from all draws, then without each group of them. The mean
    /// comes from `guide`, a less noisy estimator of the same expectation, or the same estimator.
    pub(super) fn snrs(&self, guide: &Self, part: Part) -> Result<Vec<Snr>, SnrError> {
        if self.draws < 2 {
            return Err(SnrError::TooFewDraws(self.draws));
        }
        let draws = guide.draws_of(part);
        let snr = |set| {
            let kept: Vec<_> = (0..self.draws).filter(|&r| self.belongs(r, set)).collect();
            let count = kept.len() as f64;
            let mean = |i| kept.iter().map(|&r| draws[r][i]).sum::<f64>() / count;
            let mean = (0..draws[0].len()).map(mean).collect();
            let mean_variance = guide.variance_of(part, set).iter().map(|v| v / count).collect();
            Moments { mean, mean_variance, variance: self.variance_of(part, set) }.snr()
        };
        (0..1 + groups(self.draws)).map(snr).collect()
    }

    /// The directional ratio of one part about the direction of `guide`.
    pub(super) fn directional(&self, guide: &Self, part: Part) -> Result<DirectionalSnr, SnrError> {
        DirectionalSnr::measure(&self.draws_of(part), &guide.draws_of(part))
    }
}

/// Adds `at_mean`, `at_mean` xᵀ and `at_mu` to `sum`, where `values` is the first and the last.
fn spread(values: &[f64], x: &[f64], sum: &mut [f64]) {
    let dims = x.len();
    let (at_mean, at_mu) = values.split_at(dims);
    let add = |sum: &mut [f64], values: &[f64]| {
        sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    };
    add(&mut sum[Part::B.range(dims)], at_mean);
    add(&mut sum[Part::Mu.range(dims)], at_mu);
    for (row, value) in sum[Part::A.range(dims)].chunks_exact_mut(dims).zip(at_mean) {
        row.iter_mut().zip(x).for_each(|(sum, x)| *sum += value * x);
    }
}

/// The unbiased variance of every element; of fewer than two draws, NaN.
fn sample_variance(draws: &[&[f64]]) -> Vec<f64> {
    let count = draws.len() as f64;
    let element = |i: usize| {
        let mean = draws.iter().map(|g| g[i]).sum::<f64>() / count;
        draws.iter().map(|g| (g[i] - mean).powi(2)).sum::<f64>() / (count - 1.0)
    };
    draws.first().map_or_else(Vec::new, |first| (0..first.len()).map(element).collect())
}
