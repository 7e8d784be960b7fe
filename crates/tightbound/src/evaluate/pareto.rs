//! Judge importance weights by the tail of a generalised Pareto distribution.

use crate::estimators::normalise;

/// Fewer weights than these make no tail to fit.
const LEAST_TAIL: usize = 5;
/// Weight of the prior k = ½, in samples (Vehtari et al. 2024).
const PRIOR_SAMPLES: f64 = 10.0;
const PRIOR_SHAPE: f64 = 0.5;

/// k̂, the shape of the generalised Pareto distribution that fits the largest importance weights
/// (Vehtari et al. 2024, algorithm 1, with r_eff = 1): weights have about 1/k̂ finite moments. Sums of
/// them can be trusted below k̂ = min(1 − 1/log₁₀ S, 0.7), and not above 1 with any S.
///
/// Of S weights the M = ⌈min(S/5, 3√S)⌉ largest make the tail, less those that tie with the next one. The
/// excesses over that next weight are fitted by the posterior mean of Zhang & Stephens 2009, drawn to ½ as
/// k ← (M k + 10 · ½) / (M + 10). Weights below 2⁻¹⁰²² of the largest count as none, those of log-weight
/// −∞ among them.
///
/// +∞ if fewer than five weights are left by that: a handful of samples is all there is. None if the tail
/// has fewer than five weights for another reason (S ≤ 20, or ties: equal weights have no tail), if it
/// cannot be told from the weight below it in f64, or if a log-weight is NaN or +∞. In all these cases
/// `psislw` of ArviZ, with which the figure agrees elsewhere, has +∞ or NaN.
pub fn pareto_k(log_weights: &[f64]) -> Option<f64> {
    let count = log_weights.len() as f64;
    let length = (count / 5.0).min(3.0 * count.sqrt()).ceil() as usize;
    if length < LEAST_TAIL {
        return None;
    }
    let max = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut scaled: Vec<f64> = log_weights.iter().map(|l| l - max).collect();
    // NaN is a difference of infinities or was there before; it would be sorted above the largest.
    if scaled.iter().any(|l| l.is_nan()) {
        return None;
    }
    let next = scaled.len() - 1 - length;
    let (_, &mut next, tail) = scaled.select_nth_unstable_by(next, f64::total_cmp);
    let least = libm::log(f64::MIN_POSITIVE);
    let cutoff = next.max(least);
    let mut excesses: Vec<f64> = tail.iter().copied().filter(|&l| l > cutoff).collect();
    if excesses.len() < LEAST_TAIL {
        return (next < least).then_some(f64::INFINITY);
    }
    excesses.sort_unstable_by(f64::total_cmp);
    let base = libm::exp(cutoff);
    for l in &mut excesses {
        *l = libm::exp(*l) - base;
    }
    let n = excesses.len() as f64;
    let k = shape(&excesses);
    let k = (n * k + PRIOR_SAMPLES * PRIOR_SHAPE) / (n + PRIOR_SAMPLES);
    k.is_finite().then_some(k)
}

/// The shape k of the generalised Pareto distribution of scale σ, in its form with θ = −k/σ, from which
/// `excesses`, ascending, came; not finite where it cannot be told.
///
/// θ is its mean under the profile likelihood n [log(−θ/k(θ)) − k(θ) − 1], k(θ) = mean log(1 − θ x), on a
/// grid over quantiles of a prior that the data set (Zhang & Stephens 2009).
fn shape(excesses: &[f64]) -> f64 {
    let n = excesses.len();
    let points = 30 + (n as f64).sqrt() as usize;
    let quartile = excesses[(n as f64 / 4.0 + 0.5) as usize - 1];
    let largest = excesses[n - 1];
    let grid: Vec<f64> = (1..=points)
        .map(|i| {
            let quantile = 1.0 - (points as f64 / (i as f64 - 0.5)).sqrt();
            1.0 / largest + quantile / (3.0 * quartile)
        })
        .collect();
    let profile = |theta: f64| {
        let k = mean_log(excesses, theta);
        n as f64 * (libm::log(-theta / k) - k - 1.0)
    };
    let profile: Vec<f64> = grid.iter().map(|&theta| profile(theta)).collect();
    let mut weights = vec![0.0; points];
    normalise(&profile, &mut weights);
    let theta = grid.iter().zip(&weights).map(|(theta, w)| theta * w).sum();
    mean_log(excesses, theta)
}

/// mean log(1 − θ x)
fn mean_log(excesses: &[f64], theta: f64) -> f64 {
    excesses.iter().map(|x| libm::log1p(-theta * x)).sum::<f64>() / excesses.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: f64 = f64::NEG_INFINITY;

    /// Log-weights with tails of shape `k`: quantiles of a Pareto distribution, the largest first.
    fn pareto(k: f64, samples: usize) -> Vec<f64> {
        (1..=samples).map(|i| -k * ((i as f64 - 0.5) / samples as f64).ln() - 90.0).collect()
    }

    /// Excesses of an exact Pareto tail have its shape; 10 of M + 10 = 223 samples say ½ instead.
    #[test]
    fn it_is_the_shape_of_the_tail_drawn_to_a_half() {
        for k in [0.2, 0.7, 1.0, 2.0] {
            let figure = pareto_k(&pareto(k, 5_000)).unwrap();
            let expected = (213.0 * k + 5.0) / 223.0;
            // An estimate from 213 samples has a standard error of (1 + k)/√213; quantiles spread far less.
            let error = (1.0 + k) / 213f64.sqrt();
            assert!((figure - expected).abs() < 0.5 * error, "{k}: {figure} {expected}");
        }
    }

    /// Exactly: what counts is sorted, by then.
    #[test]
    fn the_order_does_not_matter() {
        let falling = pareto(0.8, 1_234);
        let rising: Vec<f64> = falling.iter().rev().copied().collect();
        let mixed: Vec<f64> = (0..1_234).map(|i| falling[i * 35 % 1_234]).collect();
        let k = pareto_k(&falling).unwrap();
        assert_eq!([pareto_k(&rising), pareto_k(&mixed)], [Some(k); 2]);
    }

    #[test]
    fn no_tail_is_no_figure() {
        assert_eq!(pareto_k(&[]), None);
        assert_eq!(pareto_k(&pareto(0.8, 20)), None);
        assert!(pareto_k(&pareto(0.8, 21)).unwrap().is_finite());
        // All equal, and all but the four largest.
        assert_eq!(pareto_k(&[-90.0; 100]), None);
        let mut tied = vec![-90.0; 100];
        tied[..4].copy_from_slice(&[-89.0, -88.0, -87.0, -86.0]);
        assert_eq!(pareto_k(&tied), None);
        tied[4] = -85.0;
        assert!(pareto_k(&tied).unwrap().is_finite());
        // Apart as log-weights, and the same as weights in f64.
        let close: Vec<f64> = (0..100).map(|i| f64::from(i) * 1e-18).collect();
        assert_eq!(pareto_k(&close), None);
    }

    #[test]
    fn a_handful_of_weights_among_zeros_is_infinitely_heavy() {
        for below in [NONE, -2_000.0] {
            let mut l = vec![below; 100];
            l[..4].copy_from_slice(&[0.0, -1.0, -2.0, -3.0]);
            assert_eq!(pareto_k(&l), Some(f64::INFINITY));
            l[50] = -4.0;
            assert!(pareto_k(&l).unwrap().is_finite());
        }
    }

    #[test]
    fn what_is_no_weight_is_no_figure() {
        assert_eq!(pareto_k(&[NONE; 100]), None);
        for wrong in [f64::NAN, -f64::NAN, f64::INFINITY] {
            for place in [0, 60, 99] {
                let mut l = pareto(0.8, 100);
                l[place] = wrong;
                assert_eq!(pareto_k(&l), None, "{wrong} at {place}");
            }
        }
    }
}
