//! Bound a mean by how far its figures spread.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::selection::{Passed, Truncated};
use super::student::{NORMAL_QUANTILE, t_quantile};

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

    /// The interval of a figure θ, by the delete-a-group jackknife; none from fewer than two groups.
    ///
    /// `figures` has θ from all draws, then θ₋g without each of G equal groups of them:
    ///
    /// ```text
    /// θ − (G−1) (mean θ₋g − θ) ± t √((G−1)/G Σ (θ₋g − mean)²),  t Student's of G−1 degrees of freedom
    /// ```
    ///
    /// What is taken from θ is its bias of order 1/R (Quenouille 1956). The interval is one of those that are given
    /// where all of `passed` were passed: see [`Truncated`], which knows its deviations; these are measured, and t's
    /// quantile stands for a normal one.
    pub(crate) fn of_jackknife(figures: &[f64], passed: &[Passed]) -> Option<Self> {
        let (&value, without) = figures.split_first()?;
        if without.len() < 2 {
            return None;
        }
        let groups = without.len() as f64;
        let unbiased = value - (groups - 1.0) * (mean(without) - value);
        let variance = jackknife_covariance(without, without);
        let deviation = variance.sqrt() * t_quantile(groups - 1.0) / NORMAL_QUANTILE;
        let mut shown = Truncated::NOWHERE;
        for Passed { figures, limit } in passed {
            let with_theta = jackknife_covariance(&figures[1..], without) / variance;
            let at_limit = (limit - figures[0]) / with_theta / deviation;
            if with_theta > 0.0 {
                shown.low = shown.low.max(at_limit);
            } else if with_theta < 0.0 {
                shown.high = shown.high.min(at_limit);
            }
        }
        let [low, high] = shown.interval().map(|end| unbiased + deviation * end);
        Some(Self { value, low, high })
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

/// The covariance of two figures, each without one of G groups in turn: (G−1)/G Σ (a₋g − mean) (b₋g − mean).
fn jackknife_covariance(a: &[f64], b: &[f64]) -> f64 {
    let (groups, mean_a, mean_b) = (a.len() as f64, mean(a), mean(b));
    let products: f64 = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum();
    (groups - 1.0) / groups * products
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

    /// The square of a mean is too large by the variance of that mean; less its bias by groups of one it is
    /// exactly x̄² − s²/n. Of a mean itself the interval is Student's.
    #[test]
    fn of_a_jackknife_its_middle_has_no_bias() {
        let x: [f64; 4] = [1.0, 2.0, 4.0, 7.0];
        let sum: f64 = x.iter().sum();
        let without = x.map(|left_out| ((sum - left_out) / 3.0).powi(2));
        let figures = [&[(sum / 4.0).powi(2)][..], &without].concat();
        let Interval { value, low, high } = Interval::of_jackknife(&figures, &[]).unwrap();
        let variance = x.iter().map(|x| (x - sum / 4.0).powi(2)).sum::<f64>() / 3.0;
        // Rounding of a few operations on numbers of order ten; ends are found to 2⁻⁶⁰ of 37 deviations.
        assert!((0.5 * (low + high) - (value - variance / 4.0)).abs() < 1e-12, "{low} {high}");
        assert!(high > low && value == 12.25);

        let means = x.map(|left_out| (sum - left_out) / 3.0);
        let figures = [&[sum / 4.0][..], &means].concat();
        let one = Interval::of_jackknife(&figures, &[]).unwrap();
        let other = Interval::of_mean(&x);
        assert!((one.low - other.low).abs() < 1e-12 && (one.high - other.high).abs() < 1e-12);
        assert_eq!(Interval::of_jackknife(&figures[..2], &[]), None);
    }

    /// What rises with a figure and has passed a limit cuts off the figure's law below, what falls with it above,
    /// where a straight line through its figures has the limit; the nearest counts.
    #[test]
    fn of_a_jackknife_it_is_cut_off_where_a_limit_is() {
        let figures = [2.0, 1.5, 2.5, 1.0, 3.0];
        let Interval { low, high, .. } = Interval::of_jackknife(&figures, &[]).unwrap();
        let deviation = (high - low) / (2.0 * NORMAL_QUANTILE);
        // 3 x − 1 is 5, and passes 4.4 where x is 1.8; −2 x is −4, and passes −5 where x is 2.5.
        let passed = |scale: f64, shift: f64, limit| Passed {
            figures: figures.iter().map(|x| scale * x + shift).collect(),
            limit,
        };
        let [below, above, further] =
            [passed(3.0, -1.0, 4.4), passed(-2.0, 0.0, -5.0), passed(1.0, 0.0, 1.0)];
        let ends = |low: f64, high: f64| {
            let shown = Truncated { low: low / deviation, high: high / deviation };
            shown.interval().map(|end| 2.0 + deviation * end)
        };
        for (passed, expected) in [
            (&[below.clone(), further.clone()][..], ends(-0.2, f64::INFINITY)),
            (std::slice::from_ref(&above), ends(f64::NEG_INFINITY, 0.5)),
            (&[further, above.clone(), below], ends(-0.2, 0.5)),
        ] {
            let Interval { value, low, high } = Interval::of_jackknife(&figures, passed).unwrap();
            // Rounding, times 37 deviations of 1 at most.
            assert!((low - expected[0]).abs() < 1e-11 && (high - expected[1]).abs() < 1e-11);
            assert!(low < value && value < high && value == 2.0);
        }
    }

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
