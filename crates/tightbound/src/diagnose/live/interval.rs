//! Bound a figure by how far it moves when some of the draws are left out.

use serde::{Deserialize, Serialize};

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

/// 97.5 % quantiles of Student's t with 2, 3, … degrees of freedom.
const T: [f64; 8] = [4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622];

impl Interval {
    /// The interval of `value`, from what it is with each of G ≥ 3 equal groups left out: the
    /// delete-a-group jackknife, se² = (G−1)/G Σ (θ₋g − mean)² with Student's t of G − 1 degrees.
    /// Ratios are never below 0, and so is no end.
    ///
    /// # Panics
    /// For fewer than 3 groups or more than 10.
    pub(super) fn jackknife(value: f64, without: &[f64]) -> Self {
        let g = without.len() as f64;
        let mean = without.iter().sum::<f64>() / g;
        let squares: f64 = without.iter().map(|x| (x - mean).powi(2)).sum();
        Self::around(value, ((g - 1.0) / g * squares).sqrt() * T[without.len() - 3])
    }

    /// The interval of a mean of many independent figures ≥ 0 with standard error `se`.
    pub(super) fn of_mean(value: f64, se: f64) -> Self {
        // 97.5 % of the normal distribution.
        Self::around(value, 1.96 * se)
    }

    fn around(value: f64, reach: f64) -> Self {
        Self { value, low: (value - reach).max(0.0), high: value + reach }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For a mean the jackknife is the textbook's interval: of the means of 3 groups, 1, 2 and 6.
    #[test]
    fn of_a_mean_it_is_students() {
        let groups = [1.0, 2.0, 6.0];
        let without = [4.0, 3.5, 1.5];
        let interval = Interval::jackknife(3.0, &without);
        let variance = groups.iter().map(|x| (x - 3.0f64).powi(2)).sum::<f64>() / 2.0;
        let reach = T[0] * (variance / 3.0).sqrt();
        assert_eq!(interval.value, 3.0);
        assert!((interval.high - 3.0 - reach).abs() < 1e-12);
        assert_eq!(interval.low, 0.0, "no ratio is below 0");
    }
}
