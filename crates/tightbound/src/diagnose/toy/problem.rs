//! Set up the toy problem: Gaussian data, and parameters a little off their optimum.
//!
//! ```text
//! z ~ N(μ, I)    x|z ~ N(z, I)    q(z|x) = N(A x + b, σ² I), σ² = ⅔
//! ```
//!
//! The posterior is N((x + μ)/2, ½ I), so A = ½ I, b = ½ μ, μ = data mean is the optimum.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use crate::diagnose::LinearGaussian;
use crate::random::{Purpose, Stream};

/// σ², the variance of q. It is not the optimal ½, so that weights differ even at the optimum.
pub(super) const VARIANCE: f64 = LinearGaussian::VARIANCE;

/// How far the parameters are from their optimum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Perturbation {
    /// By Gaussian noise of standard deviation 0.01, as after training.
    #[default]
    Near,
    /// By Gaussian noise of standard deviation 0.5, as at the beginning.
    Far,
}

impl Perturbation {
    /// The standard deviation of the noise on every parameter.
    pub fn sd(self) -> f64 {
        match self {
            Self::Near => 0.01,
            Self::Far => 0.5,
        }
    }
}

/// θ = μ and φ = (A, b).
#[derive(Clone, Debug)]
pub(super) struct Parameters {
    /// `[D, D]`.
    pub(super) a: Vec<f64>,
    /// `[D]`.
    pub(super) b: Vec<f64>,
    /// `[D]`.
    pub(super) mu: Vec<f64>,
}

impl Parameters {
    /// The optimum for data of mean `mu`.
    pub(super) fn optimum(mu: Vec<f64>) -> Self {
        let dims = mu.len();
        let a = (0..dims * dims).map(|i| if i % (dims + 1) == 0 { 0.5 } else { 0.0 }).collect();
        Self { a, b: mu.iter().map(|m| m / 2.0).collect(), mu }
    }
}

/// What every draw at one data point needs.
#[derive(Clone, Debug)]
pub(super) struct Point {
    /// The data, `[D]`.
    pub(super) x: Vec<f64>,
    /// ∂z log p(x, z) where ε = 0: x + μ − 2m with m = A x + b, `[D]`.
    pub(super) pull: Vec<f64>,
    /// m − μ, `[D]`.
    pub(super) offset: Vec<f64>,
    /// log w where ε = 0.
    pub(super) log_weight: f64,
}

impl Point {
    pub(super) fn new(x: &[f64], parameters: &Parameters) -> Self {
        let Parameters { a, b, mu } = parameters;
        let dims = x.len();
        let row = |(a, b): (&[f64], &f64)| a.iter().zip(x).map(|(a, x)| a * x).sum::<f64>() + b;
        let means: Vec<f64> = a.chunks_exact(dims).zip(b).map(row).collect();
        let residual = x.iter().zip(&means).map(|(x, m)| x - m);
        let offset: Vec<f64> = means.iter().zip(mu).map(|(m, mu)| m - mu).collect();
        let pull = residual.clone().zip(&offset).map(|(r, o)| r - o).collect();
        let squares =
            residual.map(|r| r * r).sum::<f64>() + offset.iter().map(|o| o * o).sum::<f64>();
        // log N(x; m, I) + log N(m; μ, I) − log N(m; m, σ² I).
        let log_weight = -0.5 * (dims as f64 * (TAU.ln() - VARIANCE.ln()) + squares);
        Self { x: x.to_vec(), pull, offset, log_weight }
    }
}

/// The data points under perturbed parameters.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) points: Vec<Point>,
    /// The noise of all gradients.
    pub(super) stream: Stream,
}

impl Problem {
    /// Draws `count` points of `dims` dimensions from the model, and perturbs its optimum by `sd`.
    pub(super) fn new(dims: usize, count: usize, sd: f64, seed: u64) -> Self {
        let stream = Stream::new(seed, Purpose::Toy);
        let data = data(&stream, dims, count);
        let mut sum = vec![0.0; dims];
        for x in data.chunks_exact(dims) {
            sum.iter_mut().zip(x).for_each(|(sum, x)| *sum += x);
        }
        let mut parameters =
            Parameters::optimum(sum.into_iter().map(|sum| sum / count as f64).collect());
        let noise = normals(&stream, [0, 1], dims * (dims + 2));
        let Parameters { a, b, mu } = &mut parameters;
        for (parameter, noise) in a.iter_mut().chain(b).chain(mu).zip(noise) {
            *parameter += sd * noise;
        }
        let points = data.chunks_exact(dims).map(|x| Point::new(x, &parameters)).collect();
        Self { points, stream }
    }
}

/// x = μ + n + n', `[count, dims]`, with μ ~ N(0, I) of its own.
fn data(stream: &Stream, dims: usize, count: usize) -> Vec<f64> {
    let center = normals(stream, [0, 2], dims);
    let point = |n: usize| {
        let noise = normals(stream, [n as u32, 0], 2 * dims);
        (0..dims).map(|d| center[d] + noise[d] + noise[dims + d]).collect::<Vec<_>>()
    };
    (0..count).flat_map(point).collect()
}

/// Normal numbers at time 0, where no gradient draws its noise.
fn normals(stream: &Stream, [item, sample]: [u32; 2], count: usize) -> Vec<f64> {
    let mut noise = vec![0.0; count];
    stream.normals(0, item, sample, &mut noise);
    noise.into_iter().map(f64::from).collect()
}
