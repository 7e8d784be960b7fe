//! Ask what the noise would be with other bounds of the same cost.

use std::ops::Range;

use super::error::LiveError;
use super::probe::Probe;
use crate::diagnose::SnrError;
use crate::engine::Engine;
use crate::estimators::{EstimatorSettings, examples};
use crate::model::{Network, ParameterTable};

/// Every estimator with every rule at M·K = `budget` samples, MIWAE and PIWAE at all M that are powers
/// of two beside the one nearest to √T.
pub fn equal_budget(budget: usize) -> Vec<EstimatorSettings> {
    let divides = |m: &usize| budget.is_multiple_of(*m);
    let middle = (1..=budget).take_while(|m| m * m <= budget).filter(divides).last().unwrap_or(1);
    let mut all = examples(middle, budget / middle);
    let powers = (1..usize::BITS).map(|i| 1 << i).take_while(|&m| m < budget).filter(divides);
    for m in powers.filter(|&m| m != middle) {
        all.extend(["miwae", "piwae"].map(|name| EstimatorSettings::new(name, m, budget / m)));
    }
    all
}

/// The encoder's signal and noise for every β of CIWAE at once.
///
/// CIWAE's gradient is β times that at β = 1 plus 1 − β times that at β = 0, draw by draw, so means and
/// variances are quadratic in β and two gradients per draw tell them all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mixture {
    /// ‖E g‖² at β = 1, at β = 0, and the product of both, each without what noise explains.
    signal: [f64; 3],
    /// tr Cov g at β = 1, at β = 0, and of both together.
    noise: [f64; 3],
}

/// Measures the mixture that `settings`, a CIWAE with any β, belongs to.
///
/// # Errors
/// If R < 20, a draw is not finite, or nothing varies.
///
/// # Panics
/// If the settings have no β.
pub fn mixture(
    probe: &Probe<'_>,
    engine: &mut dyn Engine<Real = f32>,
    settings: &EstimatorSettings,
) -> Result<Mixture, LiveError> {
    assert!(settings.beta.is_some(), "only what has a β mixes two bounds");
    probe.check()?;
    let end = |beta| EstimatorSettings { beta: Some(beta), ..settings.clone() };
    let [loose, tight] = [end(1.0), end(0.0)].map(|s| s.build().expect("β lies in [0, 1]"));
    let table = ParameterTable::new(engine.architecture());
    let encoder = table.network_range(Network::Encoder);
    let mut sums = Sums::new(&encoder);
    let (mut at_one, mut at_zero) = (vec![0.0; table.total()], vec![0.0; table.total()]);
    for draw in 0..probe.draws {
        probe.draw(engine, settings, &*loose, draw, &mut at_one)?;
        probe.draw(engine, settings, &*tight, draw, &mut at_zero)?;
        sums.add(&at_one[encoder.clone()], &at_zero[encoder.clone()]);
    }
    let mixture = sums.mixture(f64::from(probe.draws));
    match mixture.noise[..2].iter().any(|&noise| noise <= 0.0) {
        true => Err(LiveError::ratio("encoder", settings, SnrError::ZeroVariance)),
        false => Ok(mixture),
    }
}

impl Mixture {
    /// ‖E g‖ / √tr Cov g of the encoder's gradient at `beta` in [0, 1], without the part of the mean
    /// that noise explains.
    pub fn snr(&self, beta: f64) -> f64 {
        let quadratic = |[one, zero, both]: [f64; 3]| {
            let rest = 1.0 - beta;
            beta * beta * one + rest * rest * zero + 2.0 * beta * rest * both
        };
        (quadratic(self.signal).max(0.0) / quadratic(self.noise)).sqrt()
    }

    /// The smallest β, to a hundredth, whose ratio reaches `target`; `None` if none does.
    pub fn smallest_reaching(&self, target: f64) -> Option<f64> {
        Self::hundredths().find(|&beta| self.snr(beta) >= target)
    }

    /// The β, to a hundredth, of the largest ratio; the smallest of equals, whose bound is the tightest.
    pub fn best(&self) -> f64 {
        let larger = |a: f64, b: f64| if self.snr(b) > self.snr(a) { b } else { a };
        Self::hundredths().reduce(larger).unwrap_or(0.0)
    }

    fn hundredths() -> impl Iterator<Item = f64> {
        (0..=100).map(|i| f64::from(i) / 100.0)
    }
}

/// What the draws of two gradients are reduced to.
#[derive(Debug)]
struct Sums {
    one: Vec<f64>,
    zero: Vec<f64>,
    /// Σ ‖g‖² of both, and Σ of their product.
    squares: [f64; 3],
}

impl Sums {
    fn new(range: &Range<usize>) -> Self {
        let zeros = || vec![0.0; range.len()];
        Self { one: zeros(), zero: zeros(), squares: [0.0; 3] }
    }

    fn add(&mut self, one: &[f32], zero: &[f32]) {
        let sums = self.one.iter_mut().zip(&mut self.zero);
        for ((of_one, of_zero), (&one, &zero)) in sums.zip(one.iter().zip(zero)) {
            let (one, zero) = (f64::from(one), f64::from(zero));
            *of_one += one;
            *of_zero += zero;
            self.squares[0] += one * one;
            self.squares[1] += zero * zero;
            self.squares[2] += one * zero;
        }
    }

    fn mixture(&self, r: f64) -> Mixture {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / (r * r);
        let products =
            [dot(&self.one, &self.one), dot(&self.zero, &self.zero), dot(&self.one, &self.zero)];
        let mut mixture = Mixture { signal: [0.0; 3], noise: [0.0; 3] };
        for (i, product) in products.into_iter().enumerate() {
            let left = self.squares[i] - r * product;
            // Less than the rounding of a sum of squares is no variance.
            let still = i < 2 && left <= r * f64::EPSILON * self.squares[i];
            let noise = if still { 0.0 } else { left / (r - 1.0) };
            mixture.noise[i] = noise;
            mixture.signal[i] = product - noise / r;
        }
        mixture
    }
}
