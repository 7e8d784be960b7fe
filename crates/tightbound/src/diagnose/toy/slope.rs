//! Fit a power law, with an interval from leaving draws out.

use serde::{Deserialize, Serialize};

use crate::statistics::{standard_error, t_quantile};

/// The exponent of a power law.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slope {
    /// The least-squares slope of log SNR on log size.
    pub value: f64,
    /// Its 95 % confidence interval, where there are draws enough and no SNR is zero.
    ///
    /// From the delete-a-group jackknife over draws, with Student's t of G − 1 degrees of freedom. It
    /// covers the noise of the draws; data and parameters are held fixed, and the law is taken
    /// to be straight. A debiased ratio r lies low by about 1/(2 R r), which steepens falling slopes: with hundreds
    /// of parameters, or where the smallest ratio is below ten standard deviations 1/√R of a mean, it is too
    /// narrow. Close to the floor, where ratios are cut off at zero, it is wide for few parameters.
    pub interval: Option<[f64; 2]>,
}

impl Slope {
    /// Fits `ratios[i]` at `sizes[i]`: the first of them from all draws, the rest without one group
    /// each. No slope through fewer than two sizes, or a ratio that is not positive.
    pub(super) fn fit(sizes: &[usize], ratios: &[&[f64]]) -> Option<Self> {
        let value = line(sizes, ratios, 0)?;
        let groups = ratios[0].len() - 1;
        let without: Option<Vec<f64>> = (1..=groups).map(|i| line(sizes, ratios, i)).collect();
        let interval = without.and_then(|slopes| interval(value, &slopes));
        Some(Self { value, interval })
    }
}

/// The 95 % interval about `value` by the delete-a-group jackknife; none from fewer than two groups.
pub(super) fn interval(value: f64, without: &[f64]) -> Option<[f64; 2]> {
    if without.len() < 2 {
        return None;
    }
    let half = t_quantile(without.len() as f64 - 1.0) * standard_error(without);
    Some([value - half, value + half])
}

/// The slope through column `set` of the ratios.
fn line(sizes: &[usize], ratios: &[&[f64]], set: usize) -> Option<f64> {
    if sizes.len() < 2 || ratios.iter().any(|r| r[set] <= 0.0) {
        return None;
    }
    let n = sizes.len() as f64;
    let x: Vec<f64> = sizes.iter().map(|&size| (size as f64).ln()).collect();
    let y: Vec<f64> = ratios.iter().map(|r| r[set].ln()).collect();
    let (mean_x, mean_y) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let products: f64 = x.iter().zip(&y).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let squares: f64 = x.iter().map(|x| (x - mean_x).powi(2)).sum();
    Some(products / squares)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream};

    #[test]
    fn a_power_law_has_its_exponent() {
        let sizes = [100, 300, 1000];
        let ratios = sizes.map(|k| vec![2.0 * (k as f64).powf(-0.5)]);
        let slope = Slope::fit(&sizes, &ratios.each_ref().map(Vec::as_slice)).unwrap();
        // Rounding of a few operations on numbers of order one.
        assert!((slope.value + 0.5).abs() < 1e-13 && slope.interval.is_none());
        assert!(Slope::fit(&sizes[..1], &[&[1.0]]).is_none());
        assert!(Slope::fit(&sizes[..2], &[&[1.0], &[0.0]]).is_none());
        let cut = Slope::fit(&sizes[..2], &[&[1.0, 1.0, 1.0], &[1.0, 0.0, 1.0]]).unwrap();
        assert_eq!(cut, Slope { value: 0.0, interval: None });
    }

    /// log SNR is a mean of 16 normal numbers per size, so the interval is exact: of 10,000 trials
    /// 95 % must contain the exponent; one per cent is 4.6 standard errors √(.95 · .05/10,000) = .22 %.
    #[test]
    fn intervals_cover_the_exponent() {
        let stream = Stream::new(2, Purpose::Toy);
        let sizes = [100, 300, 1000];
        let covers = |trial: u32| {
            let mut noise = [0.0; 48];
            stream.normals(0, 0, trial, &mut noise);
            let ratios: Vec<Vec<f64>> = sizes
                .iter()
                .zip(noise.chunks_exact(16))
                .map(|(&k, noise)| {
                    let sum: f64 = noise.iter().map(|n| f64::from(*n)).sum();
                    let mean = |sum: f64, n: f64| (k as f64).sqrt() * (sum / n / 10.0).exp();
                    let without = noise.iter().map(|n| mean(sum - f64::from(*n), 15.0));
                    std::iter::once(mean(sum, 16.0)).chain(without).collect()
                })
                .collect();
            let ratios: Vec<&[f64]> = ratios.iter().map(Vec::as_slice).collect();
            let [low, high] = Slope::fit(&sizes, &ratios).unwrap().interval.unwrap();
            low < 0.5 && 0.5 < high
        };
        let covered = (0..10_000).filter(|&trial| covers(trial)).count();
        println!("exponent of a power law, jackknife: {covered} of 10,000");
        assert!((9_400..=9_600).contains(&covered), "{covered} of 10,000");
    }
}
