//! Give the quantile of Student's t that 95 % intervals need.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The 97.5 % quantile of a normal number.
pub(super) const NORMAL_QUANTILE: f64 = 1.959963984540054;

/// The 97.5 % quantile of Student's t; NaN for no degrees of freedom.
pub(super) fn t_quantile(degrees: f64) -> f64 {
    StudentsT::new(0.0, 1.0, degrees).map_or(f64::NAN, |t| t.inverse_cdf(0.975))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_tables() {
        let table = [(1.0, 12.706), (2.0, 4.303), (9.0, 2.262), (15.0, 2.131), (1e6, 1.960)];
        for (degrees, t) in table {
            // Half a unit of the table's last digit.
            assert!((t_quantile(degrees) - t).abs() < 5e-4, "{degrees}: {}", t_quantile(degrees));
        }
        assert!(t_quantile(0.0).is_nan());
    }
}
