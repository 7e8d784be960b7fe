//! Average and normalise weights without leaving log space.

/// log[(1/n) Σ exp(log w)], in nats; −∞ if every log-weight is −∞, NaN if any is NaN.
///
/// # Panics
/// If `log_weights` is empty.
pub fn log_mean_exp(log_weights: &[f64]) -> f64 {
    assert!(!log_weights.is_empty(), "a mean needs at least one log-weight");
    let max = maximum(log_weights);
    if max == f64::NEG_INFINITY || max.is_nan() {
        return max;
    }
    let sum: f64 = log_weights.iter().map(|l| libm::exp(l - max)).sum();
    max + libm::log(sum / log_weights.len() as f64)
}

/// Fills `weights` with softmax(log w), which adds up to 1, and returns the log-mean-exp.
///
/// If every log-weight is −∞, or one is NaN, the weights are NaN.
///
/// # Panics
/// If the slices are empty or differ in length.
pub fn normalise(log_weights: &[f64], weights: &mut [f64]) -> f64 {
    assert_eq!(log_weights.len(), weights.len(), "one weight per log-weight");
    assert!(!log_weights.is_empty(), "a mean needs at least one log-weight");
    let max = maximum(log_weights);
    let mut sum = 0.0;
    for (weight, l) in weights.iter_mut().zip(log_weights) {
        *weight = libm::exp(l - max);
        sum += *weight;
    }
    for weight in weights.iter_mut() {
        *weight /= sum;
    }
    if max == f64::NEG_INFINITY || max.is_nan() {
        return max;
    }
    max + libm::log(sum / log_weights.len() as f64)
}

/// Fills `others[k]` with log Σ_{j≠k} w_j, in nats; −∞ where all others are −∞.
///
/// The largest weight is never subtracted from a sum that it dominates: what is left without it is
/// summed afresh, so nothing cancels.
///
/// # Panics
/// If the slices differ in length.
pub(super) fn leave_one_out(log_weights: &[f64], others: &mut [f64]) {
    assert_eq!(log_weights.len(), others.len(), "one sum per log-weight");
    let max = maximum(log_weights);
    if max == f64::NEG_INFINITY || max.is_nan() {
        return others.fill(max);
    }
    let (largest, high, rest) = set_largest_apart(log_weights, max);
    let total = 1.0 + rest * libm::exp(high - max);
    for (other, l) in others.iter_mut().zip(log_weights) {
        // w_k is at most half of the total here.
        *other = max + libm::log(total - libm::exp(l - max));
    }
    others[largest] = high + libm::log(rest);
}

/// The place of the largest log-weight `max`, which must be finite; then the other weights as their own
/// largest log-weight h and Σ exp(log w − h), which is 0 where all others are −∞.
pub(super) fn set_largest_apart(log_weights: &[f64], max: f64) -> (usize, f64, f64) {
    let largest = log_weights.iter().position(|&l| l == max).unwrap_or(0);
    let rest = log_weights.iter().enumerate().filter(|&(k, _)| k != largest).map(|(_, l)| *l);
    let high = rest.clone().fold(f64::NEG_INFINITY, f64::max);
    let no_others = high == f64::NEG_INFINITY;
    let sum = if no_others { 0.0 } else { rest.map(|l| libm::exp(l - high)).sum() };
    (largest, high, sum)
}

/// Effective sample size (Σ w)² / Σ w² of log-weights: from 1, where one sample has all the weight, to
/// their number, where all weigh the same (Kong 1992). NaN where all are −∞, none is given, or one is NaN.
pub fn effective_sample_size(log_weights: &[f64]) -> f64 {
    let max = maximum(log_weights);
    let (mut sum, mut squares) = (0.0, 0.0);
    for l in log_weights {
        let w = libm::exp(l - max);
        sum += w;
        squares += w * w;
    }
    sum * sum / squares
}

/// The largest element, or NaN if there is one.
pub(super) fn maximum(values: &[f64]) -> f64 {
    values.iter().fold(f64::NEG_INFINITY, |m, &v| if v.is_nan() || v > m { v } else { m })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn huge_and_tiny_log_weights_stay_in_range() {
        for shift in [-1e5, 0.0, 1e5] {
            let log_weights = [shift, shift + 2f64.ln()];
            let mut v = [0.0; 2];
            // |shift| · 2⁻⁵² is the rounding of the input itself.
            assert!((normalise(&log_weights, &mut v) - shift - 1.5f64.ln()).abs() < 1e-10);
            assert!((log_mean_exp(&log_weights) - shift - 1.5f64.ln()).abs() < 1e-10);
            assert!((v[0] - 1.0 / 3.0).abs() < 1e-11 && (v[1] - 2.0 / 3.0).abs() < 1e-11);
        }
    }

    #[test]
    fn leaving_one_out_loses_no_digits() {
        // e^-50 beside 1: 1 − v would be 0 in f64.
        let log_weights = [-50.0, 0.0, -51.0, f64::NEG_INFINITY];
        let mut others = [0.0; 4];
        leave_one_out(&log_weights, &mut others);
        let rest = -50.0 + (-1f64).exp().ln_1p();
        // Numbers of order 50 are known to 1e-14.
        assert!((others[1] - rest).abs() < 1e-13);
        for k in [0, 2, 3] {
            assert!(others[k].abs() < 1e-13, "{k}: {others:?}");
        }
        leave_one_out(&[2.0, f64::NEG_INFINITY], &mut others[..2]);
        assert_eq!(others[..2], [f64::NEG_INFINITY, 2.0]);
        leave_one_out(&[f64::NEG_INFINITY; 2], &mut others[..2]);
        assert_eq!(others[..2], [f64::NEG_INFINITY; 2]);
        leave_one_out(&[f64::NAN, 1.0], &mut others[..2]);
        assert!(others[..2].iter().all(|l| l.is_nan()));
    }

    #[test]
    fn effective_samples_count_those_of_equal_weight() {
        let none = f64::NEG_INFINITY;
        // Far beyond what exp can hold: weights never leave log space unscaled.
        assert_eq!(effective_sample_size(&[5e3; 6]), 6.0);
        assert_eq!(effective_sample_size(&[-9e5, none, -9e5, none]), 2.0);
        assert_eq!(effective_sample_size(&[1.0]), 1.0);
        assert_eq!(effective_sample_size(&[0.0, -800.0]), 1.0);
        // (1 + 3)² / (1 + 9), with 3 rounded twice.
        assert!((effective_sample_size(&[0.0, 3f64.ln()]) - 1.6).abs() < 1e-15);
        for undefined in [&[][..], &[none; 2], &[f64::NAN, 1.0], &[1.0, f64::NAN]] {
            assert!(effective_sample_size(undefined).is_nan(), "{undefined:?}");
        }
    }

    #[test]
    fn minus_infinity_is_a_zero_weight_and_nan_is_seen() {
        let mut v = [0.0; 2];
        assert_eq!(normalise(&[f64::NEG_INFINITY, 3.0], &mut v), 3.0 - 2f64.ln());
        assert_eq!(v, [0.0, 1.0]);
        assert_eq!(log_mean_exp(&[f64::NEG_INFINITY; 3]), f64::NEG_INFINITY);
        assert_eq!(normalise(&[f64::NEG_INFINITY; 2], &mut v), f64::NEG_INFINITY);
        for position in 0..3 {
            let mut log_weights = [1.0, 2.0, 3.0];
            log_weights[position] = f64::NAN;
            assert!(log_mean_exp(&log_weights).is_nan());
            assert!(normalise(&log_weights, &mut [0.0; 3]).is_nan());
        }
    }
}
