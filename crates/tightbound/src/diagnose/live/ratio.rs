//! Estimate ‖E g‖ / √tr Cov g from draws, and bound it where they resolve it.

use super::draws::Products;
use crate::diagnose::SnrError;
use crate::statistics::{Interval, Jackknife, Ratio};

/// How many times the part of the mean's squared length that noise explains the rest of it is, where draws resolve
/// the ratio.
const RESOLVED: f64 = 12.0;

/// The least ratio that so many draws resolve: √(12/n).
///
/// Below, the interval depends on the noise along the true mean, which draws that hardly find that mean do not
/// tell: taken to be that along a random direction, it covers too little where the noise is stronger
/// there.
pub fn least_resolved(draws: f64) -> f64 {
    (RESOLVED / draws).sqrt()
}

/// ‖E g‖ / √tr Cov g, without the part of the mean that noise explains, from sums of draws that vary.
///
/// The interval is that of a jackknife of the ratio itself, whose law is nearly normal where it is resolved. A
/// part of the mean's squared length comes from pairs of draws, and of that the jackknife has the variance
/// twice: 2 tr Σ² / (n (n − 1)) of ‖E g‖², Σ the covariance of one draw.
///
/// # Errors
/// If nothing but rounding varies.
pub(super) fn ratio(products: &Products) -> Result<Ratio, SnrError> {
    let sums = Sums::new(products);
    let value = sums.ratio().ok_or(SnrError::ZeroVariance)?;
    let limit = least_resolved(sums.draws);
    if value < limit {
        // At twice the limit the estimate would have to come out √12 of the mean's deviations too low, even if all noise
        // lay along the mean.
        return Ok(Ratio::Unresolved { value, below: Some(2.0 * limit) });
    }
    let without: Option<Vec<f64>> = sums.without_each(products).map(Sums::ratio).collect();
    // Where one group alone varies, nobody knows by how much another would.
    let Some(without) = without else { return Ok(Ratio::Unresolved { value, below: None }) };
    let figures: Vec<f64> = std::iter::once(value).chain(without).collect();
    let (n, noise) = (sums.draws, sums.noise());
    // Of the root of a square that is estimated: 1/(2r) of its deviation.
    let of_pairs = 2.0 * noise_squared(products, &sums) / (n * (n - 1.0));
    let of_pairs = of_pairs / (2.0 * value * noise).powi(2);
    let figure = Jackknife::new(&figures, &products.sizes).expect("20 groups at least");
    let Interval { value, low, high } = figure.counted_twice(of_pairs).interval_above(limit);
    Ok(Ratio::Resolved(Interval { value, low: low.max(0.0), high }))
}

/// What the ratio of some draws is computed from.
#[derive(Clone, Copy, Debug)]
struct Sums {
    /// n.
    draws: f64,
    /// ‖Σ g‖².
    whole: f64,
    /// Σ ‖g‖².
    squares: f64,
}

impl Sums {
    fn new(products: &Products) -> Self {
        let Products { sizes, inner, lengths, .. } = products;
        Self { draws: sizes.iter().sum(), whole: inner.iter().sum(), squares: lengths.iter().sum() }
    }

    /// Those of all draws but each group's.
    fn without_each(self, products: &Products) -> impl Iterator<Item = Self> {
        products.sizes.iter().zip(&products.lengths).enumerate().map(move |(g, (size, length))| {
            let row = products.row(g);
            Self {
                draws: self.draws - size,
                whole: self.whole - 2.0 * row.iter().sum::<f64>() + row[g],
                squares: self.squares - length,
            }
        })
    }

    /// n (n − 1) times the unbiased estimate of tr Σ; 0 if nothing but rounding varies.
    fn spread(self) -> f64 {
        let Self { draws, whole, squares } = self;
        let left = draws * squares - whole;
        // What is left of a subtraction of f64 sums that started from f32.
        if left <= 1e-12 * draws * squares { 0.0 } else { left }
    }

    /// The unbiased estimate of tr Σ.
    fn noise(self) -> f64 {
        self.spread() / (self.draws * (self.draws - 1.0))
    }

    /// The root of the unbiased estimate of ‖E g‖², which noise can make negative, over that of tr Σ; none without
    /// noise.
    fn ratio(self) -> Option<f64> {
        let spread = self.spread();
        (spread > 0.0).then(|| ((self.whole - self.squares).max(0.0) / spread).sqrt())
    }
}

/// An estimate of tr Σ².
///
/// Of sums of noise of different groups, e_g = s_g − m_g ḡ, E (e_g·e_h)² for normal noise is tr Σ² times
/// m_g m_h ((1 − m_g/n)(1 − m_h/n) + m_g m_h/n²), and (tr Σ)² (m_g m_h/n)² besides.
fn noise_squared(products: &Products, sums: &Sums) -> f64 {
    let Products { sizes, varying, .. } = products;
    let (groups, n, noise) = (sizes.len(), sums.draws, sums.noise());
    let rows: Vec<f64> = (0..groups).map(|g| products.row(g).iter().sum()).collect();
    let (mut products_squared, mut share, mut of_trace) = (0.0, 0.0, 0.0);
    for g in 0..groups {
        for h in (0..groups).filter(|&h| h != g) {
            let (a, b) = (sizes[g], sizes[h]);
            let centred =
                products.row(g)[h] - (b * rows[g] + a * rows[h]) / n + a * b * sums.whole / (n * n);
            products_squared += centred * centred;
            share += a * b * ((1.0 - a / n) * (1.0 - b / n) + a * b / (n * n));
            of_trace += (a * b / n).powi(2);
        }
    }
    // P directions of noise have at least this tr Σ² (Cauchy–Schwarz).
    let least = noise * noise / *varying as f64;
    ((products_squared - noise * noise * of_trace) / share).max(least)
}
