//! Count how many samples the weights leave.

use crate::estimators::normalise;

/// Effective sample size 1 / Σ_k v_k², averaged over groups of K log-weights: from 1, where one
/// sample has all the weight, to K, where all weigh the same. NaN where a group has no weight at all.
///
/// # Panics
/// If `log_weights` is empty, or no multiple of `k`.
pub fn effective_sample_size(log_weights: &[f64], k: usize) -> f64 {
    assert!(!log_weights.is_empty() && log_weights.len().is_multiple_of(k), "whole groups of {k}");
    let mut v = vec![0.0; k];
    let of_group = |group: &[f64]| {
        normalise(group, &mut v);
        1.0 / v.iter().map(|v| v * v).sum::<f64>()
    };
    let sum: f64 = log_weights.chunks_exact(k).map(of_group).sum();
    sum / (log_weights.len() / k) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_samples_of_equal_weight() {
        let none = f64::NEG_INFINITY;
        assert_eq!(effective_sample_size(&[5.0; 6], 3), 3.0);
        assert_eq!(effective_sample_size(&[0.0, none, none, -9.0, none, -9.0], 3), 1.5);
        assert_eq!(effective_sample_size(&[1.0, 2.0], 1), 1.0);
        assert!(effective_sample_size(&[none; 2], 2).is_nan());
    }
}
