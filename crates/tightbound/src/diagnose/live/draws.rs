//! Add up draws of a gradient in groups, element by element, without keeping more of them than that.

use crate::diagnose::Moments;
use crate::model::ParameterTable;

/// As many groups as there are draws, up to this number.
const MOST_GROUPS: usize = 40;

/// The fewest draws: two halves of ten.
pub const LEAST_DRAWS: u32 = 20;

/// Elements of every group that are multiplied at a time: 40 · 1024 doubles stay in a core's cache.
const BLOCK: usize = 1024;

/// Sums over R draws of P elements each: (G + 1)·P numbers, however many draws there are.
#[derive(Debug)]
pub(super) struct Draws<'a> {
    table: &'a ParameterTable,
    expected: usize,
    added: usize,
    /// Σ g of each group, `[G, P]`.
    sums: Vec<Vec<f64>>,
    /// Σ g² of all draws, `[P]`.
    squares: Vec<f64>,
    /// Σ ‖g‖² of each group, by tensor, `[G, tensors]`.
    lengths: Vec<Vec<f64>>,
}

/// Inner products of groups of draws over some elements.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Products {
    /// How many draws each group has.
    pub sizes: Vec<f64>,
    /// The inner products of the groups' sums, `[G, G]`.
    pub inner: Vec<f64>,
    /// Σ ‖g‖² of each group.
    pub lengths: Vec<f64>,
    /// How many elements vary from draw to draw; the others are left out.
    pub varying: usize,
}

impl<'a> Draws<'a> {
    /// Waits for `draws` ≥ [`LEAST_DRAWS`] gradients of the table's parameters.
    pub(super) fn new(draws: usize, table: &'a ParameterTable) -> Self {
        let groups = draws.min(MOST_GROUPS);
        Self {
            table,
            expected: draws,
            added: 0,
            sums: vec![vec![0.0; table.total()]; groups],
            squares: vec![0.0; table.total()],
            lengths: vec![vec![0.0; table.entries().len()]; groups],
        }
    }

    /// Adds the next draw.
    pub(super) fn add(&mut self, gradient: &[f32]) {
        let group = self.added * self.sums.len() / self.expected;
        self.added += 1;
        for (tensor, length) in self.table.entries().iter().zip(&mut self.lengths[group]) {
            let tensor = tensor.range();
            let sums = self.sums[group][tensor.clone()].iter_mut();
            let squares = &mut self.squares[tensor.clone()];
            for ((sum, square), &g) in sums.zip(squares).zip(&gradient[tensor.clone()]) {
                let g = f64::from(g);
                *sum += g;
                *square += g * g;
                *length += g * g;
            }
        }
    }

    /// Σ of the draws so far.
    pub(super) fn sum(&self) -> Vec<f64> {
        let mut sum = vec![0.0; self.table.total()];
        self.sums.iter().for_each(|group| add(&mut sum, group));
        sum
    }

    /// Mean and variance of every element.
    pub(super) fn moments(&self) -> Moments {
        let n = self.added as f64;
        let mean: Vec<f64> = self.sum().iter().map(|s| s / n).collect();
        let variance = mean.iter().zip(&self.squares).map(|(m, s)| variance(n, *m, *s)).collect();
        Moments::of_draws(mean, variance, self.added).expect("20 draws at least")
    }

    /// The inner products over each tensor, whose elements have these `variances`.
    pub(super) fn products(&self, variances: &[f64]) -> Vec<Products> {
        let tensors = 0..self.table.entries().len();
        tensors.map(|tensor| self.products_of(tensor, variances)).collect()
    }

    fn products_of(&self, tensor: usize, variances: &[f64]) -> Products {
        let range = self.table.entries()[tensor].range();
        let variances = &variances[range.clone()];
        let groups = self.sums.len();
        let mut products = Products {
            sizes: (0..groups).map(|g| self.size(g)).collect(),
            inner: vec![0.0; groups * groups],
            lengths: self.lengths.iter().map(|of| of[tensor]).collect(),
            varying: variances.iter().filter(|&&v| v > 0.0).count(),
        };
        for (at, variances) in range.step_by(BLOCK).zip(variances.chunks(BLOCK)) {
            // Zeros fill up the last eight.
            let width = variances.len().next_multiple_of(8);
            let mut block = vec![0.0; groups * width];
            for ((row, sum), g) in block.chunks_exact_mut(width).zip(&self.sums).zip(0..) {
                for ((value, &sum), &variance) in row.iter_mut().zip(&sum[at..]).zip(variances) {
                    match variance > 0.0 {
                        true => *value = sum,
                        false => products.lengths[g] -= sum * sum / products.sizes[g],
                    }
                }
            }
            for g in 0..groups {
                for h in 0..=g {
                    let dot = dot(&block[g * width..][..width], &block[h * width..][..width]);
                    products.inner[g * groups + h] += dot;
                }
            }
        }
        for g in 0..groups {
            for h in 0..g {
                products.inner[h * groups + g] = products.inner[g * groups + h];
            }
        }
        products
    }

    /// Draws of group `g`, as far as they were added.
    fn size(&self, g: usize) -> f64 {
        let first = |g: usize| (g * self.expected).div_ceil(self.sums.len());
        (first(g + 1).min(self.added) - first(g).min(self.added)) as f64
    }
}

impl Products {
    /// The inner products of group `g` with each.
    pub(super) fn row(&self, g: usize) -> &[f64] {
        let groups = self.sizes.len();
        &self.inner[g * groups..][..groups]
    }

    /// Those of the same draws over the elements of all of `parts`.
    pub(super) fn joined(parts: &[Self]) -> Self {
        let mut all = parts[0].clone();
        for part in &parts[1..] {
            add(&mut all.inner, &part.inner);
            add(&mut all.lengths, &part.lengths);
            all.varying += part.varying;
        }
        all
    }
}

fn add(to: &mut [f64], values: &[f64]) {
    to.iter_mut().zip(values).for_each(|(to, value)| *to += value);
}

/// Σ a b in eight parts, so that it can be computed side by side.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut parts = [0.0; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for i in 0..8 {
            parts[i] += a[i] * b[i];
        }
    }
    parts.iter().sum()
}

/// The unbiased variance of `n` draws. Draws are f32 and sums f64, so what the subtraction leaves is
/// good to n·2⁻⁵² of the squares; less than that is no variance.
fn variance(n: f64, mean: f64, squares: f64) -> f64 {
    let left = squares - n * mean * mean;
    if left <= n * f64::EPSILON * squares { 0.0 } else { left / (n - 1.0) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::architecture;
    use super::*;

    /// 23 draws make 23 groups; 97 make 40 of two or three. Each tensor's last element is constant.
    #[test]
    fn sums_and_products_are_those_of_the_draws() {
        let table = ParameterTable::new(&architecture());
        let constant = |i: usize| table.entries().iter().any(|t| t.range().end == i + 1);
        let value =
            |r: usize, i: usize| if constant(i) { 0.1 } else { ((r * r + i * r) % 17) as f32 };
        for (count, groups) in [(23, 23), (97, 40)] {
            let all: Vec<Vec<f32>> =
                (0..count).map(|r| (0..table.total()).map(|i| value(r, i)).collect()).collect();
            let mut draws = Draws::new(count, &table);
            all.iter().for_each(|draw| draws.add(draw));
            let n = count as f64;

            let (moments, sums) = (draws.moments(), draws.sum());
            for i in (0..table.total()).filter(|&i| !constant(i)) {
                let column = || all.iter().map(|draw| f64::from(draw[i]));
                assert_eq!(sums[i], column().sum::<f64>(), "whole numbers");
                let mean = column().sum::<f64>() / n;
                let variance = column().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
                // Numbers of order 100, rounded in f64.
                assert!((moments.mean[i] - mean).abs() < 1e-12);
                assert!((moments.variance[i] - variance).abs() < 1e-11);
                assert!((moments.mean_variance[i] - variance / n).abs() < 1e-12);
            }

            let products = draws.products(&moments.variance);
            for (tensor, products) in table.entries().iter().zip(&products) {
                let varying: Vec<usize> = tensor.range().filter(|&i| !constant(i)).collect();
                assert_eq!(
                    products.varying,
                    varying.len(),
                    "a constant is no noise, rounded or not"
                );
                assert_eq!(products.sizes.iter().sum::<f64>(), n);
                let group = |g| (0..count).filter(move |r| r * groups / count == g);
                let sum = |g, i: usize| group(g).map(|r| f64::from(all[r][i])).sum::<f64>();
                for g in 0..groups {
                    let squares = |r: usize| varying.iter().map(move |&i| (r, i));
                    let length: f64 =
                        group(g).flat_map(squares).map(|(r, i)| f64::from(all[r][i]).powi(2)).sum();
                    // Numbers up to 10⁵, and .01 taken off again.
                    assert!((products.lengths[g] - length).abs() < 1e-9);
                    assert_eq!(products.sizes[g], group(g).count() as f64);
                    for h in 0..groups {
                        let inner: f64 = varying.iter().map(|&i| sum(g, i) * sum(h, i)).sum();
                        assert_eq!(products.inner[g * groups + h], inner, "whole numbers");
                    }
                }
            }
            let joined = Products::joined(&products[1..4]);
            let sum = |of: fn(&Products) -> f64| products[1..4].iter().map(of).sum::<f64>();
            assert_eq!(joined.inner[1], sum(|p| p.inner[1]), "whole numbers");
            assert_eq!(joined.varying as f64, sum(|p| p.varying as f64));
        }
    }
}
