//! Take the leading bias out of the log of a mean weight by the jackknife, in time that grows as K.

use super::weights::{maximum, set_largest_apart};

/// The first-order jackknife J_K of L_K = log (1/K) Σ_k w_k over K log-weights, in nats:
///
/// ```text
/// J_K = K L_K − ((K−1)/K) Σ_j L^(−j)                        L^(−j) = log[1/(K−1) Σ_{i≠j} w_i]
///     = L_K + (K−1) [log(1 − 1/K) − (1/K) Σ_j log(1 − v_j)]     v_j = w_j / Σ_i w_i
/// ```
///
/// (Nowozin 2018, JVI with m = 1.) The bias of L_K falls as 1/K, that of J_K as 1/K². It may lie above
/// log p(x): it estimates, and bounds nothing.
///
/// None if K < 2. −∞ where all log-weights are −∞, and +∞ where all but one are: without that one
/// nothing is left. NaN where one is NaN.
pub fn jackknife(log_weights: &[f64]) -> Option<f64> {
    let max = maximum(log_weights);
    if log_weights.len() < 2 || !max.is_finite() {
        return (log_weights.len() >= 2).then_some(max);
    }
    // The second line of the formula: K L_K would lose as many digits as K has.
    let k = log_weights.len() as f64;
    let (largest, high, rest) = set_largest_apart(log_weights, max);
    let total = 1.0 + rest * libm::exp(high - max);
    // 1 − Π (1 − v_j) over all but the largest. They are at most ½ each and 1 together, so it is at most
    // ¾, where log(1 − x) loses no digits; one logarithm does for all of them.
    let mut lost = 0.0;
    for (j, l) in log_weights.iter().enumerate() {
        if j != largest {
            lost += libm::exp(l - max) / total * (1.0 - lost);
        }
    }
    let logs = (high - max) + libm::log(rest / total) + libm::log1p(-lost);
    let correction = (k - 1.0) * (libm::log1p(-1.0 / k) - logs / k);
    Some(max + libm::log(total / k) + correction)
}

#[cfg(test)]
mod tests {
    use super::super::log_mean_exp;
    use super::*;
    use proptest::prelude::*;

    const NONE: f64 = f64::NEG_INFINITY;

    /// The first line of the formula, term by term.
    fn by_definition(log_weights: &[f64]) -> f64 {
        let k = log_weights.len() as f64;
        let without = |j: usize| [&log_weights[..j], &log_weights[j + 1..]].concat();
        let left: f64 = (0..log_weights.len()).map(|j| log_mean_exp(&without(j))).sum();
        k * log_mean_exp(log_weights) - (k - 1.0) / k * left
    }

    proptest! {
        /// Weights of like size, and one that outweighs the others up to e^600 times, where 1 − v is 0.
        #[test]
        fn it_is_what_the_definition_says(
            mut l in proptest::collection::vec(-9.0..3.0f64, 2..40),
            lead in 0.0..600.0f64,
            zero in any::<bool>(),
        ) {
            let place = l.len() / 2;
            l[place] += lead;
            if zero && l.len() > 2 {
                l[0] = NONE;
            }
            // The definition's K terms of up to 600 nats, each rounded to 1e-13, times K < 40.
            let (fast, slow) = (jackknife(&l).unwrap(), by_definition(&l));
            prop_assert!((fast - slow).abs() < 1e-10, "{fast} {slow}");
        }
    }

    #[test]
    fn equal_weights_have_no_bias_to_take_out() {
        for (k, l) in [(2, 0.0), (3, -700.5), (5_000, -88.0), (1_000_000, 12.0)] {
            let j = jackknife(&vec![l; k]).unwrap();
            // K equal terms near 1/K, summed with K roundings.
            assert!((j - l).abs() < 1e-10, "{k}: {j} {l}");
        }
    }

    /// A common factor is its logarithm more, to the precision of the sum: numbers near 1e5 are 1.5e-11
    /// apart. The first line of the formula would be off by up to K times that.
    #[test]
    fn far_from_zero_no_digits_are_lost() {
        // Multiples of ⅛ stay exact when they are shifted.
        let l: Vec<f64> = (0..5_000).map(|i| f64::from(i * i % 61) / 8.0).collect();
        let shifted: Vec<f64> = l.iter().map(|l| l - 1e5).collect();
        let (near, far) = (jackknife(&l).unwrap(), jackknife(&shifted).unwrap());
        assert!((far + 1e5 - near).abs() < 3e-11, "{near} {far}");
    }

    #[test]
    fn edges_are_as_documented() {
        assert_eq!(jackknife(&[]), None);
        assert_eq!(jackknife(&[1.0]), None);
        assert_eq!(jackknife(&[f64::NAN]), None);
        assert_eq!(jackknife(&[NONE; 3]), Some(NONE));
        assert_eq!(jackknife(&[NONE, 2.0, NONE]), Some(f64::INFINITY));
        for place in 0..3 {
            let mut l = [0.0, 1.0, NONE];
            l[place] = f64::NAN;
            assert!(jackknife(&l).unwrap().is_nan());
        }
    }
}
