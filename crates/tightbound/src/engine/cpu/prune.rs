//! Choose the samples that take part in the backward pass.

use crate::engine::Prune;

/// A sample that goes back through the decoder, and its coefficients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pick {
    /// Its row: from [`keep`] among the image's samples, for a group among the group's rows.
    pub(super) row: usize,
    /// a: scales the row where decoder weights are summed.
    pub(super) a: f32,
    /// b: scales the row where its path leaves the decoder at z.
    pub(super) b: f32,
}

/// Largest part of Σ max(|a|, |b|) that may be left out: half a unit in the last place of f32.
const LOSSLESS: f64 = 6e-8;

/// The samples that go back, in ascending order.
///
/// What the lossless rule leaves out changes a gradient by less than the rounding of its largest terms;
/// it keeps one sample at least. `uniform` gives every sample its number in [0, 1) for the roulette.
pub(super) fn keep(prune: Prune, a: &[f64], b: &[f64], uniform: impl Fn(u32) -> f64) -> Vec<Pick> {
    let size = |s: usize| a[s].abs().max(b[s].abs());
    let pick = |row: usize, weight: f64| Pick {
        row,
        a: (weight * a[row]) as f32,
        b: (weight * b[row]) as f32,
    };
    let all = 0..a.len();
    match prune {
        Prune::Off => all.map(|s| pick(s, 1.0)).collect(),
        Prune::Lossless => {
            let budget = LOSSLESS * all.clone().map(size).sum::<f64>();
            let mut kept: Vec<usize> = all.collect();
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
            kept.into_iter().map(|s| pick(s, 1.0)).collect()
        }
        Prune::Roulette(threshold) => {
            let survives = |s: usize| {
                let p = (size(s) / threshold.get()).min(1.0);
                (uniform(s as u32) < p).then(|| pick(s, 1.0 / p))
            };
            all.filter_map(survives).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Threshold;

    fn rows(prune: Prune, a: &[f64], b: &[f64]) -> Vec<usize> {
        let picks = keep(prune, a, b, |_| unreachable!("nothing to draw"));
        for pick in &picks {
            assert_eq!((pick.a, pick.b), (a[pick.row] as f32, b[pick.row] as f32));
        }
        picks.into_iter().map(|pick| pick.row).collect()
    }

    #[test]
    fn the_smallest_go_while_their_sum_is_below_rounding() {
        let a = [1e-8, 0.6, 4e-8, 0.4, 2e-8];
        let b = [0.0; 5];
        // 1e-8 + 2e-8 ≤ 6e-8 < 1e-8 + 2e-8 + 4e-8.
        assert_eq!(rows(Prune::Lossless, &a, &b), [1, 2, 3]);
        assert_eq!(rows(Prune::Off, &a, &b), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn either_coefficient_keeps_a_sample_and_signs_do_not_matter() {
        assert_eq!(rows(Prune::Lossless, &[0.0, 0.0, 1.0], &[0.0, -0.5, 0.0]), [1, 2]);
        assert_eq!(rows(Prune::Lossless, &[0.0; 3], &[0.0; 3]), [2]);
    }

    #[test]
    fn roulette_weighs_the_survivors_of_what_is_below_the_threshold() {
        let prune = Prune::Roulette(Threshold::new(0.5).unwrap());
        // p = 1, ½, ½ and 0.
        let (a, b) = ([-2.0, 0.25, 0.0, 0.0], [1.0, 0.125, -0.25, 0.0]);
        let draws = [0.999, 0.499, 0.5, 0.0];
        let kept = keep(prune, &a, &b, |s| draws[s as usize]);
        let expected = [Pick { row: 0, a: -2.0, b: 1.0 }, Pick { row: 1, a: 0.5, b: 0.25 }];
        assert_eq!(kept, expected);
    }
}
