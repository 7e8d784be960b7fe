//! Write numbers together with how well they are known.

use std::fmt;

/// A number and its standard error or standard deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The number.
    pub value: f64,
    /// How far it may be off; not finite where that is unknown.
    pub error: f64,
}

impl Measured {
    /// The mean of `values` with its standard error, which needs two values at least.
    ///
    /// The mean of nothing is NaN.
    pub fn mean(values: &[f64]) -> Self {
        let Self { value, error: sd } = mean_and_sd(values);
        Self { value, error: sd / (values.len() as f64).sqrt() }
    }

    /// The mean of `a − b`, taken pair by pair, with its standard error.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn mean_difference(a: &[f64], b: &[f64]) -> Self {
        assert_eq!(a.len(), b.len(), "pairs");
        Self::mean(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>())
    }
}

/// `-86.11 ± 0.10`; the number alone where the error is unknown. As many decimals as the precision
/// of the format says, two by default.
impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = f.precision().unwrap_or(2);
        write!(f, "{:.decimals$}", self.value)?;
        if self.error.is_finite() {
            write!(f, " ± {:.decimals$}", self.error)?;
        }
        Ok(())
    }
}

/// The mean of `values` and their sample standard deviation, which one value alone does not have.
///
/// Returns NaN as the mean of nothing.
pub fn mean_and_sd(values: &[f64]) -> Measured {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    Measured { value: mean, error: if n > 1.0 { (squares / (n - 1.0)).sqrt() } else { f64::NAN } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_written_where_they_are_known() {
        let measured = Measured { value: -86.114, error: 0.096 };
        assert_eq!(measured.to_string(), "-86.11 ± 0.10");
        assert_eq!(format!("{measured:.3}"), "-86.114 ± 0.096");
        assert_eq!(mean_and_sd(&[2.0]).to_string(), "2.00");
        assert_eq!(mean_and_sd(&[1.0, 2.0, 6.0]).to_string(), "3.00 ± 2.65");
    }

    #[test]
    fn differences_are_taken_in_pairs() {
        let a = [10.0, 21.0, 33.0, 40.0];
        assert_eq!(Measured::mean(&a).to_string(), "26.00 ± 6.62");
        let difference = Measured::mean_difference(&a, &[9.0, 20.0, 30.0, 39.0]);
        assert_eq!(difference, Measured { value: 1.5, error: 0.5 });
    }
}
