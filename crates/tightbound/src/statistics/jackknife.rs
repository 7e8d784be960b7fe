//! Bound a figure of draws by how it changes without each group of them.

use super::interval::Interval;
use super::selection::Truncated;
use super::student::{NORMAL_QUANTILE, t_quantile};

/// A figure θ of n draws in G groups, by the delete-a-group jackknife.
///
/// With θ₋g the figure without group g, of m_g draws, and h_g = n/m_g (Busing, Meijer & van der Leeden 1999,
/// Delete-m jackknife for unequal m; G everywhere where groups are equal):
///
/// ```text
/// pseudo-values   θ̃_g = h_g θ − (h_g − 1) θ₋g
/// unbiased        θ̃ = Σ θ̃_g/h_g
/// variance        1/G Σ (θ̃_g − θ̃)²/(h_g − 1)
/// ```
///
/// What the pseudo-values take from θ is its bias of order 1/n (Quenouille 1956).
#[derive(Clone, Debug)]
pub(crate) struct Jackknife {
    value: f64,
    unbiased: f64,
    /// (θ̃_g − θ̃)/√(G (h_g − 1)): their squares sum to the variance.
    parts: Vec<f64>,
    variance: f64,
}

/// A figure that has passed a limit, without which nothing would be shown.
#[derive(Clone, Debug)]
pub(crate) struct Passed {
    /// Of the same groups.
    pub figure: Jackknife,
    /// What it has reached.
    pub limit: f64,
}

impl Jackknife {
    /// From θ, then θ₋g without each group in turn; none from fewer than two groups.
    ///
    /// # Panics
    /// If there is not one size per group.
    pub(crate) fn new(figures: &[f64], sizes: &[f64]) -> Option<Self> {
        let (&value, without) = figures.split_first()?;
        if without.len() < 2 {
            return None;
        }
        assert_eq!(without.len(), sizes.len(), "one size per group");
        let (groups, draws) = (sizes.len() as f64, sizes.iter().sum::<f64>());
        let rows: Vec<(f64, f64)> =
            without.iter().zip(sizes).map(|(&left, size)| (left, draws / size)).collect();
        // Each pseudo-value less θ, so that nothing is lost to the subtraction of large numbers.
        let moved = |&(left, h): &(f64, f64)| (h - 1.0) * (value - left);
        let bias = -rows.iter().map(|row| moved(row) / row.1).sum::<f64>();
        let part = |row: &(f64, f64)| (moved(row) + bias) / (groups * (row.1 - 1.0)).sqrt();
        let parts: Vec<f64> = rows.iter().map(part).collect();
        let variance = parts.iter().map(|part| part * part).sum();
        Some(Self { value, unbiased: value - bias, parts, variance })
    }

    /// The same of groups that are equally large.
    pub(crate) fn of_equal_groups(figures: &[f64]) -> Option<Self> {
        Self::new(figures, &vec![1.0; figures.len().saturating_sub(1)])
    }

    /// The same where groups in pairs have added `part` to the variance and the jackknife has it twice (Efron &
    /// Stein 1981). The variance has it once at least.
    pub(crate) fn counted_twice(mut self, part: f64) -> Self {
        self.variance = (self.variance - part).max(part);
        self
    }

    /// The 95 % interval of θ if it is shown wherever all of `passed` are: see [`Truncated`], which knows its
    /// deviations; these are measured, and t's quantile of G − 1 degrees of freedom stands for a normal one.
    pub(crate) fn interval(&self, passed: &[Passed]) -> Interval {
        let mut shown = Truncated::NOWHERE;
        for Passed { figure, limit } in passed {
            let products = self.parts.iter().zip(&figure.parts).map(|(own, other)| own * other);
            let with_theta = products.sum::<f64>() / self.variance;
            let at_limit = (limit - figure.value) / with_theta / self.deviation();
            if with_theta > 0.0 {
                shown.low = shown.low.max(at_limit);
            } else if with_theta < 0.0 {
                shown.high = shown.high.min(at_limit);
            }
        }
        self.within(shown)
    }

    /// The 95 % interval of θ if it is shown only from `limit` on.
    pub(crate) fn interval_above(&self, limit: f64) -> Interval {
        let low = (limit - self.value) / self.deviation();
        self.within(Truncated { low, ..Truncated::NOWHERE })
    }

    fn within(&self, shown: Truncated) -> Interval {
        let [low, high] = shown.interval().map(|end| self.unbiased + self.deviation() * end);
        Interval { value: self.value, low, high }
    }

    /// What stands for a normal figure's deviation.
    fn deviation(&self) -> f64 {
        self.variance.sqrt() * t_quantile(self.parts.len() as f64 - 1.0) / NORMAL_QUANTILE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(figures: &[f64], passed: &[Passed]) -> Option<Interval> {
        Jackknife::of_equal_groups(figures).map(|figure| figure.interval(passed))
    }

    /// The square of a mean is too large by the variance of that mean; less its bias by groups of one it is
    /// exactly x̄² − s²/n. Of a mean itself the interval is Student's.
    #[test]
    fn its_middle_has_no_bias() {
        let x: [f64; 4] = [1.0, 2.0, 4.0, 7.0];
        let sum: f64 = x.iter().sum();
        let without = x.map(|left_out| ((sum - left_out) / 3.0).powi(2));
        let figures = [&[(sum / 4.0).powi(2)][..], &without].concat();
        let Interval { value, low, high } = ends(&figures, &[]).unwrap();
        let variance = x.iter().map(|x| (x - sum / 4.0).powi(2)).sum::<f64>() / 3.0;
        // Rounding of a few operations on numbers of order ten; ends are found to 2⁻⁶⁰ of 37 deviations.
        assert!((0.5 * (low + high) - (value - variance / 4.0)).abs() < 1e-12, "{low} {high}");
        assert!(high > low && value == 12.25);

        let means = x.map(|left_out| (sum - left_out) / 3.0);
        let figures = [&[sum / 4.0][..], &means].concat();
        let one = ends(&figures, &[]).unwrap();
        let other = Interval::of_mean(&x);
        assert!((one.low - other.low).abs() < 1e-12 && (one.high - other.high).abs() < 1e-12);
        assert!(ends(&figures[..2], &[]).is_none() && ends(&[], &[]).is_none());
    }

    /// The bias of the square of a mean is exact for groups of any size too: in expectation over draws of variance
    /// σ² it is σ²/n, and each of these draws is the only one that varies.
    #[test]
    fn groups_of_different_sizes_count_by_their_size() {
        let sizes = [1.0, 2.0, 3.0];
        let (mut bias, mut variance) = (0.0, 0.0);
        let groups = [0, 1, 1, 2, 2, 2];
        for varies in 0..6 {
            let mut sums = [0.0; 3];
            sums[groups[varies]] = 1.0;
            let sum: f64 = sums.iter().sum();
            let left = |g: usize, power| f64::powi((sum - sums[g]) / (6.0 - sizes[g]), power);
            let figure = |power| {
                let figures =
                    [f64::powi(sum / 6.0, power), left(0, power), left(1, power), left(2, power)];
                Jackknife::new(&figures, &sizes).unwrap()
            };
            let square = figure(2);
            bias += square.value - square.unbiased;
            let mean = figure(1);
            // A mean is without bias, group by group.
            assert!((mean.unbiased - sum / 6.0).abs() < 1e-15, "{mean:?}");
            variance += mean.variance;
        }
        // Six draws of variance 1: the variance of their mean is 1/6, and so is the bias of its square.
        assert!((variance - 1.0 / 6.0).abs() < 1e-15, "{variance}");
        assert!((bias - 1.0 / 6.0).abs() < 1e-15, "{bias}");
    }

    #[test]
    fn what_is_counted_twice_is_taken_off_once() {
        let figure = Jackknife::of_equal_groups(&[2.0, 1.5, 2.5, 1.0, 3.0]).unwrap();
        let length = |part| {
            let Interval { low, high, .. } = figure.clone().counted_twice(part).interval(&[]);
            (high - low).powi(2) / figure.variance
        };
        let whole = length(0.0);
        // Rounding, and ends to 2⁻⁶⁰ of 37 deviations.
        assert!((length(0.25 * figure.variance) / whole - 0.75).abs() < 1e-12);
        assert!((length(0.75 * figure.variance) / whole - 0.75).abs() < 1e-12, "the part itself");
    }

    /// What rises with a figure and has passed a limit cuts off the figure's law below, what falls with it above,
    /// where a straight line through its figures has the limit; the nearest counts.
    #[test]
    fn it_is_cut_off_where_a_limit_is() {
        let figures = [2.0, 1.5, 2.5, 1.0, 3.0];
        let Interval { low, high, .. } = ends(&figures, &[]).unwrap();
        let deviation = (high - low) / (2.0 * NORMAL_QUANTILE);
        // 3 x − 1 is 5, and passes 4.4 where x is 1.8; −2 x is −4, and passes −5 where x is 2.5.
        let passed = |scale: f64, shift: f64, limit| {
            let line = figures.map(|x| scale * x + shift);
            Passed { figure: Jackknife::of_equal_groups(&line).unwrap(), limit }
        };
        let [below, above, further] =
            [passed(3.0, -1.0, 4.4), passed(-2.0, 0.0, -5.0), passed(1.0, 0.0, 1.0)];
        let expected = |low: f64, high: f64| {
            let shown = Truncated { low: low / deviation, high: high / deviation };
            shown.interval().map(|end| 2.0 + deviation * end)
        };
        let own = Jackknife::of_equal_groups(&figures).unwrap();
        for (interval, expected) in [
            (own.interval(&[below.clone(), further.clone()]), expected(-0.2, f64::INFINITY)),
            (own.interval_above(1.8), expected(-0.2, f64::INFINITY)),
            (own.interval(std::slice::from_ref(&above)), expected(f64::NEG_INFINITY, 0.5)),
            (own.interval(&[further, above.clone(), below]), expected(-0.2, 0.5)),
        ] {
            let Interval { value, low, high } = interval;
            // Rounding, times 37 deviations of 1 at most.
            assert!((low - expected[0]).abs() < 1e-11 && (high - expected[1]).abs() < 1e-11);
            assert!(low < value && value < high && value == 2.0);
        }
    }
}
