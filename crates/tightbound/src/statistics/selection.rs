//! Bound a figure that is shown only where others, or itself, came out large enough.

use std::f64::consts::FRAC_1_SQRT_2;

/// How far ends are looked for: nothing that lies so many deviations below a limit passes it, in 10²⁹⁹ trials.
const FURTHEST: f64 = 37.0;

/// A normal figure of deviation 1, measured as 0, that is shown between two ends alone.
///
/// Where the truth lies below a limit, a figure that is shown came out too large, and the usual intervals about such
/// figures hold the truth less often than they say; a little above it, more often. Given that it is shown, a
/// figure's law is the normal one, cut off where a limit would not be passed, what is independent of it in
/// the passing figures being held fixed (Lee, Sun, Sun & Taylor 2016, Exact post-selection inference, with
/// application to the lasso, Lemma 5.1 and Theorem 5.2). The interval holds every mean whose shortest region of
/// 95 % of that law has the figure in it (Weinstein, Fithian & Benjamini 2013, Selection adjusted confidence
/// intervals with more power to determine the sign), so it holds the figure itself; near an end it reaches far
/// beyond that end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Truncated {
    /// The least that would be shown: ≤ 0.
    pub low: f64,
    /// The most that would be shown: ≥ 0.
    pub high: f64,
}

impl Truncated {
    /// A figure that is shown whatever it is.
    pub(super) const NOWHERE: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };

    /// The lower and the upper end of the mean's 95 % interval.
    pub(super) fn interval(self) -> [f64; 2] {
        [-FURTHEST, FURTHEST].map(|furthest| {
            let (mut inside, mut outside) = (0.0, furthest);
            for _ in 0..60 {
                let middle = 0.5 * (inside + outside);
                // Between ends that meet nothing has a share, and everything is inside.
                if self.nearer(middle) > 0.95 { outside = middle } else { inside = middle }
            }
            inside
        })
    }

    /// How often what is shown of a figure of this mean lies nearer to the mean than 0 does. It grows with the
    /// mean's distance from 0, on either side: the law has a monotone likelihood ratio.
    fn nearer(self, mean: f64) -> f64 {
        let [low, high] = [mean - mean.abs(), mean + mean.abs()];
        mass(low.max(self.low) - mean, high.min(self.high) - mean)
            / mass(self.low - mean, self.high - mean)
    }
}

/// How often a normal number lies between `low` and `high`, to a small relative error where both are far out.
fn mass(low: f64, high: f64) -> f64 {
    match low > 0.0 {
        true => above(low) - above(high),
        false => above(-high) - above(-low),
    }
}

/// How often a normal number lies above `x`.
fn above(x: f64) -> f64 {
    0.5 * libm::erfc(x * FRAC_1_SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::super::student::NORMAL_QUANTILE;
    use super::*;
    use crate::random::{Purpose, Stream};

    #[test]
    fn what_is_always_shown_has_the_usual_interval() {
        let [low, high] = Truncated::NOWHERE.interval();
        // Errors of erfc and of its quantile, 2⁻⁵³ each over a density of .06.
        assert!((low + NORMAL_QUANTILE).abs() < 1e-14 && (high - NORMAL_QUANTILE).abs() < 1e-14);
        // An end nine deviations off cuts off 10⁻¹² of the law of means two deviations off, whose density is .06.
        let far = Truncated { low: -9.0, high: 9.0 }.interval();
        assert!((far[0] - low).abs() < 1e-10 && (far[1] - high).abs() < 1e-10, "{far:?}");
    }

    /// From a mean x far below the limit a shown figure lies above it as exponential numbers of rate −x do.
    #[test]
    fn near_the_limit_it_reaches_far_down() {
        let mut before = Truncated::NOWHERE.interval()[0];
        for limit in [-1.5, -0.8, -0.4, -0.2] {
            let [low, high] = Truncated { low: limit, ..Truncated::NOWHERE }.interval();
            assert!(low < before, "{limit}: {low}");
            // At the limit itself all of [0, mean] is nearer: 2 Φ(mean) − 1 of it over Φ(mean) is .95 at 1.668.
            assert!(high > 1.668 && high <= NORMAL_QUANTILE, "{limit}: {high}");
            let mirrored = Truncated { high: -limit, ..Truncated::NOWHERE }.interval();
            assert_eq!(mirrored, [-high, -low]);
            before = low;
        }
        // To 1/15, by which the rate differs from −x.
        assert!((before + 20f64.ln() / 0.2).abs() < 0.07, "{before}");
        assert_eq!(Truncated { low: 0.0, ..Truncated::NOWHERE }.interval()[0], -FURTHEST);
        assert_eq!(Truncated { low: 0.0, high: 0.0 }.interval(), [-FURTHEST, FURTHEST]);
    }

    /// Figures of mean 0 that pass a limit, of 50,000 or as many as are shown.
    #[test]
    fn of_what_is_shown_ninety_five_per_cent_hold_the_truth() {
        let mut figures = vec![0.0f32; 50_000];
        Stream::new(1, Purpose::Diagnosis).normals(0, 0, 0, &mut figures);
        let cases =
            [(-1.0, f64::INFINITY), (0.0, f64::INFINITY), (1.0, f64::INFINITY), (-0.5, 0.5)];
        for (low, high) in cases {
            let shown: Vec<f64> =
                figures.iter().map(|&x| f64::from(x)).filter(|x| (low..high).contains(x)).collect();
            let count = shown.len() as f64;
            let intervals = shown
                .iter()
                .map(|x| Truncated { low: low - x, high: high - x }.interval().map(|end| x + end));
            let intervals: Vec<[f64; 2]> = intervals.collect();
            let held = intervals.iter().filter(|[low, high]| *low <= 0.0 && 0.0 <= *high).count();
            let usual = shown.iter().filter(|x| x.abs() <= NORMAL_QUANTILE).count();
            let [held, usual] = [held, usual].map(|held| held as f64 / count);
            let mut lengths: Vec<f64> = intervals.iter().map(|[low, high]| high - low).collect();
            lengths.sort_by(f64::total_cmp);
            let length = lengths[lengths.len() / 2] / (2.0 * NORMAL_QUANTILE);
            println!(
                "shown from {low} to {high}: {:.2} %, {length:.2} times as long as usual ones, which hold {:.2} %",
                100.0 * held,
                100.0 * usual
            );
            let error = (0.95 * 0.05 / count).sqrt();
            assert!((held - 0.95).abs() < 3.0 * error, "{low}: {held} of {count}");
            // Of mean 0, 1 − .025/.159 of what is above 1 lies within 1.96.
            assert!(low != 1.0 || (usual - 0.842).abs() < 0.02, "{usual}");
        }
    }
}
