//! Fit a power law, with an interval from leaving draws out.

use serde::{Deserialize, Serialize};

use crate::statistics::{Interval, Jackknife, Passed};

/// The exponent of a power law.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slope {
    /// The least-squares slope of log SNR, debiased, on log size.
    pub value: f64,
    /// The 95 % confidence interval of the exponent, where there are draws enough and all ratios are
    /// [resolved](super::RESOLVED).
    ///
    /// It covers the noise of the draws, given that all ratios are resolved, so that it is longer where one hardly
    /// is; data and parameters are held fixed, and the law is taken to be straight. It comes from the raw
    /// ratios, and its middle need not be `value`: a debiased ratio r of R draws lies low by about 1/(2 R r),
    /// which all parameters share, a resolved raw one by next to nothing.
    pub interval: Option<[f64; 2]>,
}

/// A ratio that is resolved.
#[derive(Clone, Debug)]
pub(super) struct Resolved {
    /// Logarithms of the raw ratio from all draws, then without each group of them.
    pub logs: Vec<f64>,
    /// What shows that it is resolved.
    pub passed: Passed,
}

impl Slope {
    /// Fits the debiased `ratios[i]` at `sizes[i]`; the interval is that of the `resolved[i]`. No slope through
    /// fewer than two sizes, or a ratio that is not positive and finite.
    pub(super) fn fit(
        sizes: &[usize],
        ratios: &[f64],
        resolved: Option<&[Resolved]>,
    ) -> Option<Self> {
        let logs: Vec<f64> = ratios.iter().map(|ratio| ratio.ln()).collect();
        let value = line(sizes, &logs)?;
        let interval = resolved.and_then(|resolved| {
            let column =
                |set: usize| resolved.iter().map(|ratio| ratio.logs[set]).collect::<Vec<f64>>();
            let slopes: Option<Vec<f64>> =
                (0..resolved[0].logs.len()).map(|set| line(sizes, &column(set))).collect();
            let passed: Vec<Passed> = resolved.iter().map(|ratio| ratio.passed.clone()).collect();
            let slope = Jackknife::of_equal_groups(&slopes?)?;
            let Interval { low, high, .. } = slope.interval(&passed);
            Some([low, high])
        });
        Some(Self { value, interval })
    }
}

/// The least-squares slope of log ratios on log size.
fn line(sizes: &[usize], y: &[f64]) -> Option<f64> {
    if sizes.len() < 2 || y.iter().any(|y| !y.is_finite()) {
        return None;
    }
    let n = sizes.len() as f64;
    let x: Vec<f64> = sizes.iter().map(|&size| (size as f64).ln()).collect();
    let (mean_x, mean_y) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let products: f64 = x.iter().zip(y).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
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
        let ratios = sizes.map(|k| 2.0 * (k as f64).powf(-0.5));
        let slope = Slope::fit(&sizes, &ratios, None).unwrap();
        // Rounding of a few operations on numbers of order one.
        assert!((slope.value + 0.5).abs() < 1e-13 && slope.interval.is_none());
        assert!(Slope::fit(&sizes[..1], &[1.0], None).is_none());
        assert!(Slope::fit(&sizes[..2], &[1.0, 0.0], None).is_none());
        let fit = |sets: [&[f64]; 2]| {
            let resolved: Option<Vec<Resolved>> =
                sets.into_iter().map(|ratios| unlimited(ratios.iter().copied())).collect();
            Slope::fit(&sizes[..2], &[1.0, 1.0], resolved.as_deref()).unwrap()
        };
        let none = Slope { value: 0.0, interval: None };
        assert_eq!(fit([&[1.0, 1.0, 1.0], &[1.0, 0.0, 1.0]]), none);
        assert_eq!(fit([&[1.0, 1.0], &[1.0, 1.0]]), none);
        assert_eq!(fit([&[3.0; 3], &[3.0; 3]]), Slope { value: 0.0, interval: Some([0.0; 2]) });
    }

    /// Ratios that would be shown whatever they were; none of fewer than two groups.
    fn unlimited(ratios: impl Iterator<Item = f64>) -> Option<Resolved> {
        let logs: Vec<f64> = ratios.map(f64::ln).collect();
        let figure = Jackknife::of_equal_groups(&logs)?;
        Some(Resolved { passed: Passed { figure, limit: f64::NEG_INFINITY }, logs })
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
            let sets: Vec<Resolved> = sizes
                .iter()
                .zip(noise.chunks_exact(16))
                .map(|(&k, noise)| {
                    let sum: f64 = noise.iter().map(|n| f64::from(*n)).sum();
                    let mean = |sum: f64, n: f64| (k as f64).sqrt() * (sum / n / 10.0).exp();
                    let without = noise.iter().map(|n| mean(sum - f64::from(*n), 15.0));
                    unlimited(std::iter::once(mean(sum, 16.0)).chain(without)).unwrap()
                })
                .collect();
            let all: Vec<f64> = sets.iter().map(|ratio| ratio.logs[0].exp()).collect();
            let [low, high] = Slope::fit(&sizes, &all, Some(&sets)).unwrap().interval.unwrap();
            low < 0.5 && 0.5 < high
        };
        let covered = (0..10_000).filter(|&trial| covers(trial)).count();
        println!("exponent of a power law, jackknife: {covered} of 10,000");
        assert!((9_400..=9_600).contains(&covered), "{covered} of 10,000");
    }
}
