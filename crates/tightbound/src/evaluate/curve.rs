//! Compute the whole curve L_1, L_2, L_4, … L_K of one image from one set of samples.

use crate::estimators::log_mean_exp;

/// The K of the curve: the powers of two below `k`, and `k` itself.
pub fn curve_sizes(k: u32) -> Vec<u32> {
    let powers = (0..u32::BITS).map(|power| 1 << power);
    powers.take_while(|&size| size < k).chain([k]).collect()
}

/// L_g for every g of [`curve_sizes`]: the mean of log-mean-exp over the ⌊K/g⌋ disjoint groups of g
/// neighbouring samples. What is grouped are samples of one image, never images.
///
/// Groups of 2g are pairs of groups of g, so the whole curve costs K exponentials, not K for each point.
pub(super) fn curve(log_weights: &[f64]) -> Vec<f64> {
    let k = log_weights.len();
    // log-mean-exp of the whole groups of the present size.
    let mut groups = log_weights.to_vec();
    let mut points = Vec::new();
    let mut size = 1;
    while size < k {
        points.push(groups.iter().sum::<f64>() / groups.len() as f64);
        let pairs = groups.len() / 2;
        for pair in 0..pairs {
            groups[pair] = log_mean_exp_of_two(groups[2 * pair], groups[2 * pair + 1]);
        }
        groups.truncate(pairs);
        size *= 2;
    }
    points.push(log_mean_exp(log_weights));
    points
}

/// log((exp a + exp b) / 2).
fn log_mean_exp_of_two(a: f64, b: f64) -> f64 {
    let (high, low) = if a >= b { (a, b) } else { (b, a) };
    if high == f64::NEG_INFINITY {
        return high;
    }
    high + libm::log1p(libm::exp(low - high)) - std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grouped(log_weights: &[f64], size: usize) -> f64 {
        let groups: Vec<f64> = log_weights.chunks_exact(size).map(log_mean_exp).collect();
        groups.iter().sum::<f64>() / groups.len() as f64
    }

    /// Every point, with groups that leave a remainder, against its definition.
    #[test]
    fn agrees_with_the_definitions() {
        let log_weights: Vec<f64> = (0..1_234)
            .map(|i| -90.0 + 7.0 * (f64::from(i) * 0.7).sin() - f64::from(i) * 1e-3)
            .collect();
        for k in [1, 2, 3, 7, 64, 1_234] {
            let (sizes, points) = (curve_sizes(k), curve(&log_weights[..k as usize]));
            assert_eq!(sizes.len(), points.len());
            for (size, point) in sizes.into_iter().zip(points) {
                let expected = grouped(&log_weights[..k as usize], size as usize);
                // Sums of 1,234 numbers near 90 in f64, and ten roundings on the way up.
                assert!((point - expected).abs() < 1e-10, "{size} of {k}: {point} {expected}");
            }
        }
    }

    #[test]
    fn sizes_are_powers_of_two_and_the_last() {
        assert_eq!(curve_sizes(1), [1]);
        assert_eq!(curve_sizes(5), [1, 2, 4, 5]);
        assert_eq!(curve_sizes(64), [1, 2, 4, 8, 16, 32, 64]);
    }

    /// Weights of zero count as samples; weights that are all zero give −∞, never NaN.
    #[test]
    fn weights_of_zero() {
        let none = f64::NEG_INFINITY;
        let points = curve(&[none, none, 0.0]);
        assert_eq!(points[1], none);
        // One rounding of log 3.
        assert!((points[2] + 3f64.ln()).abs() < 1e-15);
        assert!(curve(&[none; 5]).iter().all(|&point| point == none));
    }
}
