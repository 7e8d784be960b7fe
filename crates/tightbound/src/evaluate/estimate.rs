//! Give a mean its standard error, and a distribution its quantiles.

use serde::{Deserialize, Deserializer, Serialize};

/// A mean over images, in nats, with its standard error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The mean.
    pub value: f64,
    /// Sample standard deviation over images / √images; NaN for one image, which JSON calls null.
    #[serde(deserialize_with = "number_or_null")]
    pub se: f64,
}

/// One point of the L_K curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Samples under one logarithm.
    pub k: u32,
    /// L_k.
    #[serde(flatten)]
    pub estimate: Estimate,
}

/// How a number is spread over images. What is not finite is null in JSON, and NaN when it is read back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// The smallest.
    #[serde(deserialize_with = "number_or_null")]
    pub smallest: f64,
    /// A twentieth of the images lie below.
    #[serde(deserialize_with = "number_or_null")]
    pub q05: f64,
    /// A quarter of the images lie below.
    #[serde(deserialize_with = "number_or_null")]
    pub q25: f64,
    /// Half of the images lie below.
    #[serde(deserialize_with = "number_or_null")]
    pub median: f64,
    /// A quarter of the images lie above.
    #[serde(deserialize_with = "number_or_null")]
    pub q75: f64,
    /// A twentieth of the images lie above.
    #[serde(deserialize_with = "number_or_null")]
    pub q95: f64,
    /// The largest.
    #[serde(deserialize_with = "number_or_null")]
    pub largest: f64,
}

impl Estimate {
    /// The mean of `values` with its standard error.
    pub fn mean(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let value = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - value).powi(2)).sum::<f64>() / (n - 1.0);
        Self { value, se: (variance / n).sqrt() }
    }

    /// The mean of `a − b`, taken image by image, with its standard error.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn mean_difference(a: &[f64], b: &[f64]) -> Self {
        assert_eq!(a.len(), b.len(), "pairs");
        Self::mean(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>())
    }
}

impl Quantiles {
    /// The quantiles of `values`, linear between neighbours (Hyndman & Fan 1996, definition 7, which
    /// NumPy uses too); none of no values.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let at = |fraction: f64| {
            let place = fraction * last as f64;
            let (low, high) = (values[place.floor() as usize], values[place.ceil() as usize]);
            // Infinite neighbours have no difference.
            if low == high { low } else { low + (high - low) * place.fract() }
        };
        Some(Self {
            smallest: at(0.0),
            q05: at(0.05),
            q25: at(0.25),
            median: at(0.5),
            q75: at(0.75),
            q95: at(0.95),
            largest: at(1.0),
        })
    }
}

/// Reads back what JSON makes of NaN.
fn number_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours() {
        let q = Quantiles::of(vec![4.0, 1.0, 3.0, 2.0, 10.0]).unwrap();
        assert_eq!((q.smallest, q.q25, q.median, q.q75, q.largest), (1.0, 2.0, 3.0, 4.0, 10.0));
        // A fifth of the way from 1 to 2, and of the way back from 10 to 4; one rounding each.
        assert!((q.q05 - 1.2).abs() < 1e-15 && (q.q95 - 8.8).abs() < 1e-14);
        let infinite = Quantiles::of(vec![0.5, f64::INFINITY, f64::INFINITY]).unwrap();
        assert_eq!((infinite.median, infinite.q75), (f64::INFINITY, f64::INFINITY));
        assert_eq!(Quantiles::of(Vec::new()), None);
    }

    #[test]
    fn differences_are_taken_in_pairs() {
        let a = [10.0, 21.0, 33.0, 40.0];
        let difference = Estimate::mean_difference(&a, &[9.0, 20.0, 30.0, 39.0]);
        assert_eq!(difference, Estimate { value: 1.5, se: 0.5 });
    }
}
