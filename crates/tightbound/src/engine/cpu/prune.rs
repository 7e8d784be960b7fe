//! Choose the samples that take part in the backward pass.

use crate::engine::Prune;

/// Largest part of Σ max(|a|, |b|) that may be left out: half a unit in the last place of f32.
const LOSSLESS: f64 = 6e-8;

/// The numbers of the samples to keep, in ascending order; at least one.
///
/// What is left out changes a gradient by less than the rounding of its largest terms.
pub(super) fn keep(prune: Prune, a: &[f64], b: &[f64]) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..a.len()).collect();
    match prune {
        Prune::Off => {}
        Prune::Lossless => {
            let size = |s: usize| a[s].abs().max(b[s].abs());
            let budget = LOSSLESS * kept.iter().map(|&s| size(s)).sum::<f64>();
            // The sort is stable, so equal sizes stay in order.
            kept.sort_by(|&s, &t| size(s).total_cmp(&size(t)));
            let mut left_out = 0.0;
            let dropped = kept.iter().take_while(|&&s| {
                left_out += size(s);
                left_out <= budget
            });
            let dropped = dropped.count().min(kept.len() - 1);
            kept.drain(..dropped);
            kept.sort_unstable();
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_go_while_their_sum_is_below_rounding() {
        let a = [1e-8, 0.6, 4e-8, 0.4, 2e-8];
        let b = [0.0; 5];
        // 1e-8 + 2e-8 ≤ 6e-8 < 1e-8 + 2e-8 + 4e-8.
        assert_eq!(keep(Prune::Lossless, &a, &b), [1, 2, 3]);
        assert_eq!(keep(Prune::Off, &a, &b), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn either_coefficient_keeps_a_sample_and_signs_do_not_matter() {
        assert_eq!(keep(Prune::Lossless, &[0.0, 0.0, 1.0], &[0.0, -0.5, 0.0]), [1, 2]);
        assert_eq!(keep(Prune::Lossless, &[0.0; 3], &[0.0; 3]), [2]);
    }
}
