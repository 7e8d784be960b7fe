//! Give a mean its standard error.

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

impl Estimate {
    /// The mean of `values` with its standard error.
    pub(super) fn mean(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let value = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - value).powi(2)).sum::<f64>() / (n - 1.0);
        Self { value, se: (variance / n).sqrt() }
    }
}

/// Reads back what JSON makes of NaN.
fn number_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}
