//! Bound a mean by how far its figures spread.

use std::fmt;

use serde::{Deserialize, Serialize};

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
    /// The interval of the mean of `figures`, by Student's t; without ends (NaN) for one figure.
    pub fn of_mean(figures: &[f64]) -> Self {
        let n = figures.len() as f64;
        let mean = mean(figures);
        let variance = figures.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let reach = (variance / n).sqrt() * t_quantile(n - 1.0);
        Self { value: mean, low: mean - reach, high: mean + reach }
    }

    /// The interval of the mean of `figures` that may be skewed, such as lengths: Student's t of a cube of their
    /// t-statistic that has no skewness left (Hall 1992, On the removal of skewness by transformation).
    pub(crate) fn of_skewed_mean(figures: &[f64]) -> Self {
        let n = figures.len() as f64;
        let mean = mean(figures);
        let moment = |power| figures.iter().map(|x| (x - mean).powi(power)).sum::<f64>() / n;
        let error = (moment(2) / (n - 1.0)).sqrt();
        let skew = moment(3) / moment(2).powf(1.5) / n.sqrt();
        // Inverts t + skew t²/3 + skew² t³/27 + skew/6, whose first three terms are a cube less a constant.
        let untransformed = |t: f64| match skew.abs() > 1e-8 {
            true => 3.0 / skew * ((1.0 + skew * (t - skew / 6.0)).cbrt() - 1.0),
            false => t,
        };
        let t = t_quantile(n - 1.0);
        let [low, high] = [t, -t].map(|t| mean - error * untransformed(t));
        Self { value: mean, low, high }
    }
}

fn mean(figures: &[f64]) -> f64 {
    figures.iter().sum::<f64>() / figures.len() as f64
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

    /// A transformed t-statistic at either end of the interval is Student's quantile; figures that lie
    /// alike on both sides have Student's interval.
    #[test]
    fn of_a_skewed_mean_it_is_halls() {
        let figures: Vec<f64> = (0..12).map(|i| f64::from(i * i % 17)).map(|x| x * x).collect();
        let (n, interval) = (12.0, Interval::of_skewed_mean(&figures));
        let variance = figures.iter().map(|x| (x - interval.value).powi(2)).sum::<f64>() / n;
        let third = figures.iter().map(|x| (x - interval.value).powi(3)).sum::<f64>() / n;
        let a = third / variance.powf(1.5) / f64::sqrt(n);
        assert!(a > 0.05, "skewed: {a}");
        let transformed = |end: f64| {
            let t = (interval.value - end) / (variance / (n - 1.0)).sqrt();
            t + a / 3.0 * t * t + a * a / 27.0 * t.powi(3) + a / 6.0
        };
        // Roundings of numbers near 2.
        assert!((transformed(interval.low) - t_quantile(11.0)).abs() < 1e-10);
        assert!((transformed(interval.high) + t_quantile(11.0)).abs() < 1e-10);
        let reach = |i: &Interval| [i.value - i.low, i.high - i.value];
        let [below, above] = reach(&interval);
        assert!(above > below, "lengths reach further up: {interval}");

        let even: Vec<f64> = (0..9).map(f64::from).collect();
        let [one, other] = [Interval::of_skewed_mean(&even), Interval::of_mean(&even)];
        assert!((one.low - other.low).abs() < 1e-12 && (one.high - other.high).abs() < 1e-12);
    }
}
