//! Say how far a figure is known, from what it is with groups of draws left out.

/// The standard error by the delete-a-group jackknife: se² = (G−1)/G Σ (θ₋g − mean)² over the figure
/// with each of G equal groups left out.
pub(crate) fn standard_error(without: &[f64]) -> f64 {
    let g = without.len() as f64;
    let mean = without.iter().sum::<f64>() / g;
    let squares: f64 = without.iter().map(|x| (x - mean).powi(2)).sum();
    ((g - 1.0) / g * squares).sqrt()
}
