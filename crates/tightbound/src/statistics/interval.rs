//! Bound a figure by how far it moves when some of the draws are left out.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::jackknife::standard_error;
use super::student::t_quantile;

/// A figure and its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The figure from all draws.
    pub value: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
}

impl Interval {
    /// The interval of `value`, from what it is with each of G equal groups left out: the
    /// delete-a-group jackknife with Student's t of G − 1 degrees.
    pub(crate) fn jackknife(value: f64, without: &[f64]) -> Self {
        Self::around(value, standard_error(without) * t_quantile(without.len() as f64 - 1.0))
    }

    /// The interval of the mean of `figures`, by Student's t; without ends (NaN) for one figure.
    pub fn of_mean(figures: &[f64]) -> Self {
        let n = figures.len() as f64;
        let mean = figures.iter().sum::<f64>() / n;
        let variance = figures.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        Self::around(mean, (variance / n).sqrt() * t_quantile(n - 1.0))
    }

    /// Takes square roots of an interval of squares. A square that noise made negative is 0 with the same
    /// width, so that an estimate of 0 has an upper end.
    pub(crate) fn sqrt(self) -> Self {
        let (value, reach) = (self.value.max(0.0), self.high - self.value);
        let low = (self.low).max(0.0).sqrt();
        Self { value: value.sqrt(), low, high: (value + reach).sqrt() }
    }

    fn around(value: f64, reach: f64) -> Self {
        Self { value, low: value - reach, high: value + reach }
    }
}

/// `0.661 [0.629, 0.691]`.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { value, low, high } = self;
        write!(f, "{value:.3} [{low:.3}, {high:.3}]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For a mean the jackknife is the textbook's interval.
    #[test]
    fn of_a_mean_it_is_students() {
        let figures: Vec<f64> = (0..10).map(|i| f64::from(i * i % 7)).collect();
        let sum: f64 = figures.iter().sum();
        let without: Vec<f64> = figures.iter().map(|x| (sum - x) / 9.0).collect();
        let (one, other) = (Interval::jackknife(sum / 10.0, &without), Interval::of_mean(&figures));
        // Numbers near 3, rounded.
        assert!((one.low - other.low).abs() < 1e-12 && (one.high - other.high).abs() < 1e-12);
    }
}
