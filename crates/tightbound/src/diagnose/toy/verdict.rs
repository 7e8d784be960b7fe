//! Hold a fitted slope against the rate that theory expects.

use serde::{Deserialize, Serialize};

use super::problem::Perturbation;
use super::slope::Slope;

/// Most that a slope may miss its rate. Rates are limits for large sizes: between 100 and 1000 the
/// slopes of this problem still lie up to 0.02 beside them, and 64 draws leave θ's slope uncertain by
/// 0.03.
pub const TOLERANCE: f64 = 0.06;

/// The smallest size from which on a slope is held against a limit.
pub const ASYMPTOTIC: usize = 100;

/// Whether a slope is what theory expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It lies within [`TOLERANCE`] of its rate.
    Agrees,
    /// It does not.
    Misses,
    /// A rate is known, but no slope could be fitted.
    Unknown,
}

/// The verdict on a slope through `sizes`; none without a rate, where a size is below
/// [`ASYMPTOTIC`], or far from the optimum, where no regime is asymptotic.
pub(super) fn judge(
    slope: Option<Slope>,
    rate: Option<f64>,
    sizes: &[usize],
    perturbation: Perturbation,
) -> Option<Verdict> {
    let asymptotic = sizes.len() >= 2 && sizes.iter().all(|&size| size >= ASYMPTOTIC);
    if !asymptotic || perturbation == Perturbation::Far {
        return None;
    }
    let rate = rate?;
    Some(match slope {
        None => Verdict::Unknown,
        Some(slope) if (slope.value - rate).abs() <= TOLERANCE => Verdict::Agrees,
        Some(_) => Verdict::Misses,
    })
}

#[cfg(test)]
mod tests {
    use super::Perturbation::{Far, Near};
    use super::*;

    #[test]
    fn slopes_are_judged_where_theory_speaks() {
        let slope = |value| Some(Slope { value, interval: None });
        let sizes = [100, 1000];
        for (value, verdict) in
            [(0.5, Verdict::Agrees), (0.45, Verdict::Agrees), (0.57, Verdict::Misses)]
        {
            assert_eq!(judge(slope(value), Some(0.5), &sizes, Near), Some(verdict));
        }
        // What is no number agrees with nothing.
        assert_eq!(judge(slope(f64::NAN), Some(0.5), &sizes, Near), Some(Verdict::Misses));
        assert_eq!(judge(None, Some(0.5), &sizes, Near), Some(Verdict::Unknown));
        assert_eq!(judge(slope(0.5), None, &sizes, Near), None);
        assert_eq!(judge(slope(0.5), Some(0.5), &[99, 1000], Near), None);
        assert_eq!(judge(slope(0.5), Some(0.5), &[100], Near), None);
        assert_eq!(judge(slope(0.5), Some(0.5), &sizes, Far), None);
    }
}
