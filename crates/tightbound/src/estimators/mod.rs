//! Turn the log-weights of one image into a bound and three coefficients per sample.
//!
//! One image with S = M·K samples has log-weights log w\[s\] = log p(x, z_s) − log q(z_s|x), with
//! s = m·K + k. An estimator is a pure function from these to a bound and the coefficients
//!
//! ```text
//! gradient for θ:  Σ_s a[s] ∇θ log p(x, z_s)
//! gradient for φ:  Σ_s b[s] (∂z log w[s]) (∂z_s/∂φ)  +  Σ_s c[s] ∇φ log q(z_s|x) at fixed z_s
//! ```
//!
//! Estimation is per image by type, so images cannot be pooled before the logarithm.

/// Declares one module per estimator and collects their definitions, in the order of the docs.
macro_rules! registry {
    ($($module:ident)*) => {
        $(mod $module;)*

        /// All estimators. Tests, help texts, tables and sweeps iterate over this.
        pub fn registry() -> &'static [&'static Definition] {
            static REGISTRY: &[&Definition] = &[$(&$module::DEFINITION),*];
            REGISTRY
        }
    };
}

// A new estimator is one file and one line here.
registry! {
    vae
    iwae
    miwae
    piwae
    ciwae
    vr_iwae
    jvi
    tvo
}

mod estimator;
mod gradient;
mod jackknife;
#[cfg(test)]
mod laws;
mod log_mean;
mod reference;
mod settings;
mod weights;

pub use estimator::{Bound, Coefficients, Definition, Estimator, Parameters, SampleRule};
pub use gradient::{Claim, Gradient, PLAIN, Rule, UnknownGradient};
pub use jackknife::jackknife;
pub use reference::Reference;
pub(crate) use settings::variants;
pub use settings::{EstimatorError, EstimatorSettings, examples, find};
pub use weights::{effective_sample_size, log_mean_exp, normalise};
