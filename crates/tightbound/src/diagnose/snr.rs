//! Divide a gradient's mean by its noise: per parameter, over all, and along its mean direction.

use std::f64::consts::PI;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Mean and variance of a gradient, one element per parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// The measured mean.
    pub mean: Vec<f64>,
    /// The variance of that measured mean: how far it may be off.
    pub mean_variance: Vec<f64>,
    /// The variance of one gradient.
    pub variance: Vec<f64>,
}

/// Signal-to-noise ratios over a group of parameters.
///
/// ```text
/// SNR_i = |E g_i| / sd g_i
/// ```
///
/// A mean of R draws is never exactly zero, so the raw ratio has a floor: what pure noise shows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snr {
    /// Mean over parameters of |mean| / sd.
    pub raw: f64,
    /// What `raw` would be on average if every true mean were zero: mean over parameters of
    /// √(2/π · mean_variance/variance), which is √(2/(πR)) for a mean of R draws.
    pub floor: f64,
    /// Mean over parameters of √max(0, (mean² − mean_variance)/variance).
    pub debiased: f64,
    /// ‖E g‖ / √tr Cov g over all parameters at once: √max(0, Σ(mean² − mean_variance) / Σ variance).
    pub ratio: f64,
}

/// E ‖g∥‖/‖g⊥‖, the part of a gradient along the mean direction beside the part across it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DirectionalSnr {
    /// The mean over draws.
    pub value: f64,
    /// What it is for pure noise of the same variance in each of P directions:
    /// Γ(P/2 − 1) / (√π Γ((P−1)/2)), about √(2/(πP)); infinite for P = 2.
    pub floor: f64,
}

/// Moments or draws that have no signal-to-noise ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnrError {
    /// One draw has no variance.
    #[error(
        "{0} gradient draw(s) per point: a signal-to-noise ratio needs a variance, so 2 draws at least"
    )]
    TooFewDraws(usize),
    /// Nothing varies.
    #[error("no parameter's gradient varies from draw to draw: there is no noise to compare with")]
    ZeroVariance,
    /// A moment is NaN or infinite.
    #[error("the gradient of parameter {0} is not a finite number")]
    NotFinite(usize),
    /// A single parameter leaves nothing across.
    #[error("a directional ratio needs 2 parameters at least: one alone has no direction across")]
    OneParameter,
}

impl Moments {
    /// The moments of `draws` gradients whose mean and (unbiased) variance are known.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn of_draws(mean: Vec<f64>, variance: Vec<f64>, draws: usize) -> Result<Self, SnrError> {
        assert_eq!(mean.len(), variance.len(), "one variance per mean");
        if draws < 2 {
            return Err(SnrError::TooFewDraws(draws));
        }
        let mean_variance = variance.iter().map(|v| v / draws as f64).collect();
        Ok(Self { mean, mean_variance, variance })
    }

    /// Those of the parameters in `range`.
    pub(crate) fn of(&self, range: &Range<usize>) -> Self {
        let [mean, mean_variance, variance] = [&self.mean, &self.mean_variance, &self.variance]
            .map(|values| values[range.clone()].to_vec());
        Self { mean, mean_variance, variance }
    }

    /// The ratios; parameters of zero variance are left out.
    pub fn snr(&self) -> Result<Snr, SnrError> {
        let Self { mean, mean_variance, variance } = self;
        let rows = mean.iter().zip(mean_variance).zip(variance);
        let (mut raw, mut floor, mut debiased) = (0.0, 0.0, 0.0);
        let (mut signal, mut noise, mut counted) = (0.0, 0.0, 0.0);
        for (i, ((&mean, &mean_variance), &variance)) in rows.enumerate() {
            if ![mean, mean_variance, variance].into_iter().all(f64::is_finite) {
                return Err(SnrError::NotFinite(i));
            }
            if variance == 0.0 {
                continue;
            }
            let squared = mean * mean - mean_variance;
            raw += mean.abs() / variance.sqrt();
            floor += (2.0 / PI * mean_variance / variance).sqrt();
            debiased += (squared.max(0.0) / variance).sqrt();
            signal += squared;
            noise += variance;
            counted += 1.0;
        }
        if counted == 0.0 {
            return Err(SnrError::ZeroVariance);
        }
        Ok(Snr {
            raw: raw / counted,
            floor: floor / counted,
            debiased: debiased / counted,
            ratio: (signal / noise).max(0.0).sqrt(),
        })
    }
}

impl DirectionalSnr {
    /// The directional ratio of `draws` about the mean of `guides`, draws of the same expectation.
    ///
    /// The first half of the draws is held against the mean of the second half of the guides, and
    /// the other way round, so no draw helps to make the direction that it is held against. Where
    /// the guides' own noise turns the direction, noise that is alike in all directions makes the ratio
    /// too small; noise along few directions may turn the guide into them.
    ///
    /// # Panics
    /// If the draws differ in length.
    pub fn measure<V: AsRef<[f64]>>(draws: &[V], guides: &[V]) -> Result<Self, SnrError> {
        let few = draws.len().min(guides.len());
        if few < 2 {
            return Err(SnrError::TooFewDraws(few));
        }
        let parameters = draws[0].as_ref().len();
        if parameters < 2 {
            return Err(SnrError::OneParameter);
        }
        let (first, second) = draws.split_at(draws.len() / 2);
        let (guides_first, guides_second) = guides.split_at(guides.len() / 2);
        let mut sum = 0.0;
        for (draws, guides) in [(first, guides_second), (second, guides_first)] {
            let direction = direction(guides)?;
            for draw in draws {
                sum += along_over_across(draw.as_ref(), &direction)?;
            }
        }
        Ok(Self { value: sum / draws.len() as f64, floor: isotropic(parameters) })
    }
}

/// The unit vector along the mean of `draws`.
fn direction<V: AsRef<[f64]>>(draws: &[V]) -> Result<Vec<f64>, SnrError> {
    let mut sum = vec![0.0; draws[0].as_ref().len()];
    for draw in draws {
        let draw = draw.as_ref();
        assert_eq!(draw.len(), sum.len(), "draws of one gradient");
        for (sum, g) in sum.iter_mut().zip(draw) {
            *sum += g;
        }
    }
    if let Some(i) = sum.iter().position(|g| !g.is_finite()) {
        return Err(SnrError::NotFinite(i));
    }
    let norm = sum.iter().map(|g| g * g).sum::<f64>().sqrt();
    if norm == 0.0 {
        return Err(SnrError::ZeroVariance);
    }
    Ok(sum.into_iter().map(|g| g / norm).collect())
}

/// ‖g∥‖/‖g⊥‖.
fn along_over_across(g: &[f64], direction: &[f64]) -> Result<f64, SnrError> {
    if let Some(i) = g.iter().position(|g| !g.is_finite()) {
        return Err(SnrError::NotFinite(i));
    }
    let along: f64 = g.iter().zip(direction).map(|(g, u)| g * u).sum();
    // Subtracted element by element: ‖g‖² − ‖g∥‖² would lose what is small.
    let across: f64 = g.iter().zip(direction).map(|(g, u)| (g - along * u).powi(2)).sum();
    if across == 0.0 {
        return Err(SnrError::ZeroVariance);
    }
    Ok(along.abs() / across.sqrt())
}

/// E |n_1| / ‖(n_2 … n_P)‖ of independent standard normal numbers.
fn isotropic(parameters: usize) -> f64 {
    let half = parameters as f64 / 2.0;
    libm::exp(libm::lgamma(half - 1.0) - libm::lgamma(half - 0.5)) / PI.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    /// `count` vectors of P normal numbers around `mean`.
    fn normal_draws(count: u32, mean: &[f64]) -> Vec<Vec<f64>> {
        let stream = Stream::new(3, Purpose::Toy);
        let mut noise = vec![0.0; mean.len()];
        let mut draw = |r| {
            stream.normals(0, 0, r, &mut noise);
            mean.iter().zip(&noise).map(|(m, n)| m + f64::from(*n)).collect()
        };
        (0..count).map(&mut draw).collect()
    }

    fn moments(draws: &[Vec<f64>]) -> Moments {
        let r = draws.len() as f64;
        let column = |i: usize| draws.iter().map(move |d| d[i]);
        let means: Vec<f64> = (0..draws[0].len()).map(|i| column(i).sum::<f64>() / r).collect();
        let spread = |(i, m): (usize, &f64)| column(i).map(|g| (g - m).powi(2)).sum::<f64>();
        let variances = means.iter().enumerate().map(|p| spread(p) / (r - 1.0)).collect();
        Moments::of_draws(means, variances, draws.len()).unwrap()
    }

    #[test]
    fn ratios_are_what_their_formulae_say() {
        // R = 4; the third parameter does not vary and is left out; the second lies under its floor.
        let moments = Moments::of_draws(vec![3.0, -0.5, 7.0], vec![4.0, 16.0, 0.0], 4).unwrap();
        let snr = moments.snr().unwrap();
        assert_eq!(snr.raw, (1.5 + 0.125) / 2.0);
        assert!((snr.floor - (2.0 / (4.0 * PI)).sqrt()).abs() < 1e-15);
        assert!((snr.debiased - (9.0 / 4.0 - 0.25f64).sqrt() / 2.0).abs() < 1e-15);
        assert!((snr.ratio - ((9.0 - 1.0 + 0.25 - 4.0) / 20f64).sqrt()).abs() < 1e-15);
    }

    /// Pure noise shows the floor; the relative standard error of a mean of 5,000 |normal| / sd is
    /// √(π/2 − 1) / √5000 = 0.011, and a variance of 20 draws inflates 1/sd by 4 %.
    #[test]
    fn noise_alone_reaches_the_floor_and_no_more() {
        let snr = moments(&normal_draws(20, &[0.0; 5000])).snr().unwrap();
        assert!((snr.raw / snr.floor / 1.04 - 1.0).abs() < 0.04, "{snr:?}");
        // Σ(mean² − variance/R) / Σ variance is zero with sd √(2/5000)/20 = 0.001.
        assert!(snr.ratio.powi(2) < 0.004, "{snr:?}");
    }

    #[test]
    fn a_signal_above_the_floor_is_found() {
        let snr = moments(&normal_draws(50, &[2.0; 400])).snr().unwrap();
        // Per parameter the sd is √(1/50 + 2²/(2·49)) = 0.25, over 400 parameters 0.012; E 1/sd
        // adds 0.03.
        assert!((snr.debiased - 2.0).abs() < 0.08, "{snr:?}");
        assert!((snr.ratio - 2.0).abs() < 0.05, "{snr:?}");
    }

    /// E|n_1|/‖rest‖ for P = 3 is √(2/π) E 1/χ_2 = 1, for P = 4 √(2/π) E 1/χ_3 = 2/π.
    #[test]
    fn the_directional_floor_is_that_of_noise() {
        // The log-gamma function is good to 1e-14.
        assert!((isotropic(3) - 1.0).abs() < 1e-13 && (isotropic(4) - 2.0 / PI).abs() < 1e-13);
        assert_eq!(isotropic(2), f64::INFINITY);
        let draws = normal_draws(4000, &[0.0; 20]);
        let measured = DirectionalSnr::measure(&draws, &draws).unwrap();
        // Relative sd of one ratio about 0.8: 0.013 for the mean of 4,000.
        assert!((measured.value / measured.floor - 1.0).abs() < 0.05, "{measured:?}");
    }

    #[test]
    fn a_direction_is_found_from_the_other_half() {
        let draws = normal_draws(400, &[5.0; 16]);
        let value = DirectionalSnr::measure(&draws, &draws).unwrap().value;
        // Along: 5·√16 = 20. Across: E 1/χ_15 = Γ(7)/(√2 Γ(7.5)).
        let expected = 20.0 * (libm::lgamma(7.0) - libm::lgamma(7.5)).exp() / 2f64.sqrt();
        // One ratio has a relative sd of 0.2: 0.01 for the mean of 400.
        assert!((value / expected - 1.0).abs() < 0.04, "{value} {expected}");
    }

    #[test]
    fn what_has_no_ratio_is_refused_by_name() {
        for draws in [0, 1] {
            let refused = Moments::of_draws(vec![1.0], vec![1.0], draws);
            assert_eq!(refused, Err(SnrError::TooFewDraws(draws)));
        }
        let snr = |mean, variance| Moments::of_draws(mean, variance, 8).unwrap().snr();
        assert_eq!(snr(vec![1.0, 2.0], vec![0.0; 2]), Err(SnrError::ZeroVariance));
        assert_eq!(snr(vec![1.0, f64::NAN], vec![1.0; 2]), Err(SnrError::NotFinite(1)));
        assert_eq!(snr(vec![1.0, 1.0], vec![f64::INFINITY, 1.0]), Err(SnrError::NotFinite(0)));
        let directional = |draws: &[&[f64]]| DirectionalSnr::measure(draws, draws).unwrap_err();
        assert_eq!(directional(&[&[1.0, 2.0]]), SnrError::TooFewDraws(1));
        assert_eq!(directional(&[&[1.0], &[2.0]]), SnrError::OneParameter);
        assert_eq!(directional(&[&[0.0, 0.0], &[0.0, 0.0]]), SnrError::ZeroVariance);
        assert_eq!(directional(&[&[1.0, 0.0], &[2.0, 0.0]]), SnrError::ZeroVariance);
        assert_eq!(directional(&[&[1.0, f64::NAN], &[2.0, 0.0]]), SnrError::NotFinite(1));
    }
}
