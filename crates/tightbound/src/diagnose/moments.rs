//! Gather mean and variance of many draws of a vector, element by element.

use super::snr::{Moments, SnrError};

/// Means and variances of draws that are shown one at a time (Welford 1962: nothing cancels).
#[derive(Clone, Debug)]
pub struct RunningMoments {
    count: u32,
    mean: Vec<f64>,
    /// Σ (draw − mean)².
    squares: Vec<f64>,
}

impl RunningMoments {
    /// No draws yet, of vectors with `length` elements.
    pub fn new(length: usize) -> Self {
        Self { count: 0, mean: vec![0.0; length], squares: vec![0.0; length] }
    }

    /// Adds one draw.
    pub fn push(&mut self, draw: impl IntoIterator<Item = f64>) {
        self.count += 1;
        let n = f64::from(self.count);
        for ((mean, squares), x) in self.mean.iter_mut().zip(&mut self.squares).zip(draw) {
            let before = x - *mean;
            *mean += before / n;
            *squares += before * (x - *mean);
        }
    }

    /// The means.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The variances of one draw; NaN for fewer than two.
    pub fn variance(&self) -> impl Iterator<Item = f64> {
        let degrees = f64::from(self.count) - 1.0;
        self.squares.iter().map(move |s| if degrees > 0.0 { s / degrees } else { f64::NAN })
    }

    /// The variances of the means.
    pub fn variance_of_mean(&self) -> impl Iterator<Item = f64> {
        let n = f64::from(self.count);
        self.variance().map(move |v| v / n)
    }

    /// What signal-to-noise ratios are made of.
    ///
    /// # Errors
    /// If fewer than two draws were added.
    pub fn finish(self) -> Result<Moments, SnrError> {
        let variance = self.variance().collect();
        Moments::of_draws(self.mean, variance, self.count as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_variance_survive_a_large_offset() {
        let mut moments = RunningMoments::new(2);
        moments.push([1.0, 1e9 + 1.0]);
        assert!(moments.variance().all(f64::is_nan));
        for x in [2.0, 6.0] {
            moments.push([x, 1e9 + x]);
        }
        assert_eq!(moments.mean(), [3.0, 1e9 + 3.0]);
        assert_eq!(moments.variance().collect::<Vec<_>>(), [7.0, 7.0]);
        assert_eq!(moments.variance_of_mean().collect::<Vec<_>>(), [7.0 / 3.0, 7.0 / 3.0]);
    }
}
