//! Add up draws of a gradient in groups, element by element, without keeping the draws.

use std::ops::Range;

use crate::diagnose::{Moments, SnrError};

/// Groups that are left out in turn for intervals.
const GROUPS: usize = 10;

/// The fewest draws: ten groups of two.
pub const LEAST_DRAWS: u32 = 20;

/// Sums over R draws of P elements each: 2·G·P numbers, however many draws there are.
#[derive(Debug)]
pub(super) struct Draws {
    expected: usize,
    added: usize,
    /// Σ g and Σ g² of each group, `[G, P]`.
    groups: Vec<(Vec<f64>, Vec<f64>)>,
}

impl Draws {
    /// Waits for `draws` ≥ [`LEAST_DRAWS`] gradients of `parameters` elements.
    pub(super) fn new(draws: usize, parameters: usize) -> Self {
        let zeros = || vec![0.0; parameters];
        Self {
            expected: draws,
            added: 0,
            groups: (0..GROUPS).map(|_| (zeros(), zeros())).collect(),
        }
    }

    /// Adds the next draw.
    pub(super) fn add(&mut self, gradient: &[f32]) {
        let group = self.added * self.groups.len() / self.expected;
        self.added += 1;
        let (sum, squares) = &mut self.groups[group];
        for ((sum, square), &g) in sum.iter_mut().zip(squares).zip(gradient) {
            let g = f64::from(g);
            *sum += g;
            *square += g * g;
        }
    }

    /// Σ of the draws so far.
    pub(super) fn sum(&self) -> Vec<f64> {
        self.total(None, 0..self.groups[0].0.len()).1
    }

    /// Mean and variance of the elements in `range`: of all draws, then without each group.
    pub(super) fn moments(&self, range: &Range<usize>) -> Result<Vec<Moments>, SnrError> {
        let sets = std::iter::once(None).chain((0..self.groups.len()).map(Some));
        sets.map(|left_out| {
            let (n, sum, squares) = self.total(left_out, range.clone());
            let mean: Vec<f64> = sum.iter().map(|s| s / n as f64).collect();
            let variance = mean.iter().zip(&squares).map(|(m, s)| variance(n as f64, *m, *s));
            let variance = variance.collect();
            Moments::of_draws(mean, variance, n)
        })
        .collect()
    }

    /// Number, sum and sum of squares of the draws, one group left out or none.
    fn total(&self, left_out: Option<usize>, range: Range<usize>) -> (usize, Vec<f64>, Vec<f64>) {
        let (mut sum, mut squares) = (vec![0.0; range.len()], vec![0.0; range.len()]);
        let mut n = 0;
        for (g, (of_group, squares_of_group)) in self.groups.iter().enumerate() {
            if Some(g) == left_out {
                continue;
            }
            n += self.size(g);
            add(&mut sum, &of_group[range.clone()]);
            add(&mut squares, &squares_of_group[range.clone()]);
        }
        (n, sum, squares)
    }

    /// Draws of group `g`, as far as they were added.
    fn size(&self, g: usize) -> usize {
        let first = |g: usize| (g * self.expected).div_ceil(self.groups.len());
        first(g + 1).min(self.added) - first(g).min(self.added)
    }
}

fn add(sum: &mut [f64], values: &[f64]) {
    sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}

/// The unbiased variance of `n` draws. Draws are f32 and sums f64, so what the subtraction leaves is
/// good to n·2⁻⁵² of the squares; less than that is no variance.
fn variance(n: f64, mean: f64, squares: f64) -> f64 {
    let left = squares - n * mean * mean;
    if left <= n * f64::EPSILON * squares { 0.0 } else { left / (n - 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_left_out_whole_and_in_turn() {
        // 23 draws in 10 groups of 2 or 3; the second element is constant.
        let mut draws = Draws::new(23, 2);
        let value = |r: usize| (r * r % 17) as f32;
        (0..23).for_each(|r| draws.add(&[value(r), 0.1]));
        let all = draws.moments(&(0..2)).unwrap();
        assert_eq!(all.len(), 11);
        let mut left_out = 0;
        for (set, moments) in all.iter().enumerate() {
            let kept: Vec<f64> = (0..23)
                .filter(|r| set == 0 || r * 10 / 23 != set - 1)
                .map(|r| f64::from(value(r)))
                .collect();
            let n = kept.len() as f64;
            let mean = kept.iter().sum::<f64>() / n;
            let variance = kept.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
            // Numbers of order 100, rounded in f64.
            assert!((moments.mean[0] - mean).abs() < 1e-12);
            assert!((moments.variance[0] - variance).abs() < 1e-11);
            assert!((moments.mean_variance[0] - variance / n).abs() < 1e-12);
            assert_eq!(moments.variance[1], 0.0, "a constant has no variance, rounded or not");
            left_out += 23 - kept.len();
        }
        assert_eq!(left_out, 23);
        assert_eq!(draws.sum()[0], (0..23).map(|r| f64::from(value(r))).sum::<f64>());
    }
}
