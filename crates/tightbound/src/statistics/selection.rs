//! Bound a figure that is shown only where others, or itself, came out large enough.

use std::f64::consts::FRAC_1_SQRT_2;

/// The 97.5 % quantile of a normal number.
pub(super) const NORMAL_QUANTILE: f64 = 1.959963984540054;

/// How far ends are looked for: further out tails are no longer numbers.
const FURTHEST: f64 = 37.0;

/// A figure that must reach a limit for anything to be shown.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    /// From all draws, then without each group of them.
    pub figures: Vec<f64>,
    /// What the first of these has reached.
    pub limit: f64,
}

/// Where a normal figure of deviation 1 that is measured as 0 can lie if it is shown at all.
///
/// A figure that is shown because it came out large came out too large more often than not, so of the usual intervals
/// about such figures less than 95 % hold the truth. Given the selection, the figure's law is the normal one cut
/// off where the selection would fail, with the part of the selecting figures that is independent of it held
/// fixed (Lee, Sun, Sun & Taylor 2016, Exact post-selection inference, Theorem 5.2). The interval holds every
/// mean whose shortest region of 95 % of that law has the figure in it (Weinstein, Fithian & Benjamini 2013,
/// Selection adjusted confidence intervals), so it always holds the figure; near the limit it reaches further down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Selected {
    /// The least that would be shown: ≤ 0.
    pub from: f64,
    /// The most that would be shown: ≥ 0.
    pub to: f64,
}

impl Selected {
    /// The lower and the upper end.
    pub(super) fn ends(self) -> [f64; 2] {
        [-FURTHEST, FURTHEST].map(|furthest| {
            let (mut inside, mut outside) = (0.0, furthest);
            for _ in 0..60 {
                let middle = 0.5 * (inside + outside);
                if self.nearer(middle) <= 0.95 { inside = middle } else { outside = middle }
            }
            inside
        })
    }

    /// How often what is shown of a figure of this mean lies nearer to its mean than 0 does.
    fn nearer(self, mean: f64) -> f64 {
        let [low, high] = [mean - mean.abs(), mean + mean.abs()];
        mass(low.max(self.from) - mean, high.min(self.to) - mean)
            / mass(self.from - mean, self.to - mean)
    }
}

/// How often a normal number lies between `low` and `high`, to a relative error where both are far out.
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
    use super::*;
    use crate::random::{Purpose, Stream};

    const UNSELECTED: Selected = Selected { from: f64::NEG_INFINITY, to: f64::INFINITY };

    #[test]
    fn what_is_always_shown_has_the_usual_interval() {
        let [low, high] = UNSELECTED.ends();
        // Errors of erfc and of its quantile, 2⁻⁵³ each over a density of .06.
        assert!((low + NORMAL_QUANTILE).abs() < 1e-14 && (high - NORMAL_QUANTILE).abs() < 1e-14);
        let far = Selected { from: -9.0, to: 9.0 }.ends();
        assert!((far[0] - low).abs() < 1e-4 && (far[1] - high).abs() < 1e-4, "{far:?}");
    }

    /// From a mean x far below the limit a shown figure lies above it as exponential numbers of rate −x do.
    #[test]
    fn near_the_limit_it_reaches_far_down() {
        let mut before = UNSELECTED.ends()[0];
        for from in [-1.5, -0.8, -0.4, -0.2] {
            let [low, high] = Selected { from, to: f64::INFINITY }.ends();
            assert!(low < before, "{from}: {low}");
            assert!(high > 1.6 && high <= NORMAL_QUANTILE, "{from}: {high}");
            let mirrored = Selected { from: f64::NEG_INFINITY, to: -from }.ends();
            assert_eq!(mirrored, [-high, -low]);
            before = low;
        }
        // log 20 / .2 = 15, to its second order in 1/15.
        assert!((before + 20f64.ln() / 0.2).abs() < 0.2, "{before}");
        assert_eq!(Selected { from: 0.0, to: f64::INFINITY }.ends()[0], -FURTHEST);
    }

    /// Of 100,000 figures, or as many of them as are shown; one standard error of 10,000 is .22 %.
    #[test]
    fn of_what_is_shown_ninety_five_per_cent_hold_the_truth() {
        let mut figures = vec![0.0f32; 100_000];
        Stream::new(1, Purpose::Diagnosis).normals(0, 0, 0, &mut figures);
        for (limit, at_most) in [(-1.0, 9.0), (0.0, 9.0), (1.0, 9.0), (-0.5, 0.5)] {
            let shown =
                figures.iter().map(|&x| f64::from(x)).filter(|x| (limit..at_most).contains(x));
            let (mut all, mut held, mut usual) = (0.0, 0.0, 0.0);
            for x in shown {
                let [low, high] = Selected { from: limit - x, to: at_most - x }.ends();
                all += 1.0;
                held += f64::from(u8::from(low <= -x && -x <= high));
                usual += f64::from(u8::from(x.abs() <= NORMAL_QUANTILE));
            }
            println!(
                "shown from {limit} to {at_most}: {:.2} %, usual {:.2} %",
                100.0 * held / all,
                100.0 * usual / all
            );
            assert!((held / all - 0.95f64).abs() < 0.007, "{limit}: {held} of {all}");
        }
    }
}
