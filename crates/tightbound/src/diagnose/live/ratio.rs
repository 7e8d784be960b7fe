//! Bound ‖E g‖ / √tr Cov g by the values that the draws do not contradict.

use super::draws::Products;
use crate::statistics::{Interval, t_quantile};

/// What the interval is computed from; Σ is one draw's covariance and μ its mean.
#[derive(Debug)]
struct Estimates {
    /// ‖μ‖², without the part of the mean that noise explains.
    signal: f64,
    /// tr Σ.
    noise: f64,
    /// tr Σ².
    noise_squared: f64,
    /// ‖mean‖², with the part that noise explains.
    length: f64,
    /// Variances per draw of g·mean and ‖g − mean‖², and their covariance.
    along: f64,
    of_squares: f64,
    of_both: f64,
    draws: f64,
    groups: f64,
}

/// The 95 % interval of ‖E g‖ / √tr Cov g, whose estimated square is `square`.
///
/// A value r lies in it if U − r²V, with U and V the unbiased estimates of ‖μ‖² and tr Σ, is not further
/// from 0 than Student's quantile times its standard deviation *at r*, the root of
///
/// ```text
/// 4/n Var(μ·g − r²/2 ‖g − μ‖²) + 2 tr Σ² / (n (n − 1))
/// ```
///
/// (U − r²V is a U-statistic: Hoeffding 1948), where μ has the direction of the measured mean and the length that r
/// gives it. So where nothing is resolved the width is that of noise, which a jackknife takes twice (Efron
/// & Stein 1981). The part of V's own noise is taken at the estimate, which keeps the upper end finite.
pub(super) fn interval(square: f64, products: &Products) -> Interval {
    let estimates = Estimates::new(products);
    let middle = square.max(0.0);
    let quantile = t_quantile(estimates.degrees(middle));
    let excess = |square: f64, sign: f64| {
        let reach = quantile * estimates.deviation(square);
        estimates.signal - square * estimates.noise + sign * reach
    };
    let low = match excess(0.0, -1.0) > 0.0 {
        true => bisect(0.0, middle, |square| excess(square, -1.0)),
        false => 0.0,
    };
    let mut beyond = middle + quantile * estimates.deviation(middle) / estimates.noise;
    while excess(beyond, 1.0) > 0.0 {
        beyond *= 2.0;
    }
    let high = bisect(middle, beyond, |square| excess(square, 1.0));
    Interval { value: middle.sqrt(), low: low.sqrt(), high: high.sqrt() }
}

/// Where `f` falls through 0 between `low` and `high`, to 2⁻⁵⁰ of their distance.
fn bisect(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..50 {
        let middle = 0.5 * (low + high);
        if f(middle) > 0.0 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

impl Estimates {
    fn new(products: &Products) -> Self {
        let Products { sizes, inner, lengths, varying } = products;
        let groups = sizes.len();
        let n: f64 = sizes.iter().sum();
        let row = |g: usize| inner[g * groups..][..groups].iter().sum::<f64>();
        let rows: Vec<f64> = (0..groups).map(row).collect();
        let whole: f64 = rows.iter().sum();
        let squares: f64 = lengths.iter().sum();
        let noise = (squares - whole / n) / (n - 1.0);

        // Sums of noise of different groups, e_g = s_g − m_g ḡ: E (e_g·e_h)² for normal noise is tr Σ² times
        // m_g m_h ((1 − m_g/n)(1 − m_h/n) + m_g m_h/n²), and (tr Σ)² (m_g m_h/n)² besides.
        let (mut products_squared, mut share, mut of_trace) = (0.0, 0.0, 0.0);
        for g in 0..groups {
            for h in (0..groups).filter(|&h| h != g) {
                let (a, b) = (sizes[g], sizes[h]);
                let centred = inner[g * groups + h] - (b * rows[g] + a * rows[h]) / n
                    + a * b * whole / (n * n);
                products_squared += centred * centred;
                share += a * b * ((1.0 - a / n) * (1.0 - b / n) + a * b / (n * n));
                of_trace += (a * b / n).powi(2);
            }
        }
        // P directions of noise have at least this tr Σ² (Cauchy–Schwarz).
        let least = noise * noise / *varying as f64;
        let noise_squared = ((products_squared - noise * noise * of_trace) / share).max(least);

        // A group's sum against the mean of the other groups, and its squared distance from the mean of all.
        let group = |g: usize| {
            let (m, own) = (sizes[g], inner[g * groups + g]);
            let along = (rows[g] - own) / (n - m);
            (along, lengths[g] - 2.0 * rows[g] / n + m * whole / (n * n))
        };
        let pairs: Vec<(f64, f64)> = (0..groups).map(group).collect();
        let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / n;
        let means = (mean(|pair| pair.0), mean(|pair| pair.1));
        let mut moments = [0.0; 3];
        for (&(along, across), &m) in pairs.iter().zip(sizes) {
            let (along, across) = (along - m * means.0, across - m * means.1);
            let products = [along * along, across * across, along * across];
            moments.iter_mut().zip(products).for_each(|(sum, product)| *sum += product / m);
        }
        let [along, of_squares, of_both] = moments.map(|sum| sum / (groups - 1) as f64);
        Self {
            signal: (whole - squares) / (n * (n - 1.0)),
            noise,
            noise_squared,
            length: whole / (n * n),
            along,
            of_squares,
            of_both,
            draws: n,
            groups: groups as f64,
        }
    }

    /// The standard deviation of U − r²V if r² is `square`.
    fn deviation(&self, square: f64) -> f64 {
        self.variances(square).iter().sum::<f64>().sqrt()
    }

    /// Satterthwaite's degrees of freedom of the variance if r² is `square`: its first part is a variance over
    /// groups, its second a mean over pairs of them.
    fn degrees(&self, square: f64) -> f64 {
        let [groups, pairs] = self.variances(square);
        let sum = groups + pairs;
        let g = self.groups;
        sum * sum / (groups * groups / (g - 1.0) + pairs * pairs / (g * (g - 1.0) / 2.0))
    }

    /// The two parts of the variance of U − r²V if r² is `square`.
    fn variances(&self, square: f64) -> [f64; 2] {
        let n = self.draws;
        let estimate = (self.signal / self.noise).max(0.0);
        let scale = match self.length > 0.0 {
            true => (square * self.noise / self.length).sqrt(),
            false => 0.0,
        };
        let linear = scale * scale * self.along - scale * estimate * self.of_both
            + estimate * estimate * self.of_squares / 4.0;
        [4.0 * linear.max(0.0) / n, 2.0 * self.noise_squared / (n * (n - 1.0))]
    }
}
