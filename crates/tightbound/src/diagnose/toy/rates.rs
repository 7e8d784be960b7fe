//! Say at which rate theory expects the signal-to-noise ratio to change.

use super::accumulate::Part;
use super::sweep::Axis;
use crate::estimators::{EstimatorSettings, Gradient};

/// The exponent of SNR = O(size^rate) as one size grows and the other is fixed; none where there is no
/// theorem for large K.
///
/// ```text
/// θ:             O(√(M K))                 Rainforth et al. 2018, Eq. 10
/// φ of IWAE:     O(√(M/K)), plain rule     Eq. 9
/// φ of CIWAE:    O(√(M K)) for β > 0       section “New Estimators”
/// φ of VR-IWAE:  O(√(M K)) for 0 < α < 1   Daudel et al. 2023
/// φ, stl, dreg and rws: a mean that falls as 1/K (rws: does not fall), noise as 1/K^1.5 (1/√K)
/// ```
pub fn rate(settings: &EstimatorSettings, part: Part, axis: Axis) -> Option<f64> {
    use Gradient::{Dreg, Plain, Rws, RwsDreg, Stl};

    let (rises, falls) = (Some(0.5), Some(-0.5));
    let EstimatorSettings { name, gradient, alpha, beta, .. } = settings;
    // Without an inner average, all samples are outer ones.
    if axis == Axis::M || name == "vae" {
        return rises;
    }
    let averages = ["iwae", "miwae", "piwae", "ciwae", "vr-iwae"].contains(&name.as_str());
    match (part, gradient) {
        _ if !averages => None,
        (Part::Mu, _) | (_, Stl | Dreg | Rws | RwsDreg) => rises,
        (_, Plain) if beta.is_some_and(|beta| beta > 0.0) => rises,
        (_, Plain) if alpha.is_some_and(|alpha| alpha > 0.0) => rises,
        (_, Plain) => falls,
        _ => None,
    }
}
