//! Interpolate between the ELBO and the importance-weighted bound.

use super::EstimatorSettings;
use super::estimator::{Bound, Coefficients, Definition, Estimator, Parameters, SampleRule};
use super::gradient::{Gradient, PLAIN_AND_DREG};
use super::reference::RAINFORTH_2018;
use super::weights::normalise;

/// C_K(β) = β ELBO_K + (1−β) L_K, with a = β/K + (1−β) v; plain: b = a and c = −a,
/// dreg: b = β/K + (1−β) v² and c = 0.
///
/// ∂C/∂β = ELBO_K − L_K, which Jensen's inequality keeps at or below zero for every draw.
#[derive(Debug)]
struct Ciwae {
    k: usize,
    beta: f64,
    gradient: Gradient,
}

impl Estimator for Ciwae {
    fn m(&self) -> usize {
        1
    }

    fn k(&self) -> usize {
        self.k
    }

    fn evaluate(&self, log_weights: &[f64], coefficients: Coefficients<'_>) -> Bound {
        let Coefficients { theta, path, score } = coefficients;
        let iwae = normalise(log_weights, theta);
        let elbo = log_weights.iter().sum::<f64>() / self.k as f64;
        let floor = self.beta / self.k as f64;
        let mix = |x: f64| floor + (1.0 - self.beta) * x;
        for ((a, b), c) in theta.iter_mut().zip(path).zip(score) {
            let v = *a;
            *a = mix(v);
            (*b, *c) = match self.gradient {
                Gradient::Dreg => (mix(v * v), 0.0),
                _ => (*a, -*a),
            };
        }
        let value = if self.beta == 0.0 { iwae } else { self.beta * elbo + (1.0 - self.beta) * iwae };
        Bound { theta: value, phi: value, d_beta: elbo - iwae }
    }
}

fn build(settings: &EstimatorSettings) -> Box<dyn Estimator> {
    let beta = settings.beta.expect("checked: the estimator needs a β");
    Box::new(Ciwae { k: settings.k, beta, gradient: settings.gradient })
}

pub(super) static DEFINITION: Definition = Definition {
    name: "ciwae",
    title: "combination importance-weighted auto-encoder",
    formula: "C_K(β) = β ELBO_K + (1−β) L_K,  0 ≤ β ≤ 1",
    when: "A continuous dial between IWAE (β = 0) and VAE (β = 1); a small β already lifts the \
           encoder's signal-to-noise ratio. β cannot be learned by maximising the bound: that ends at 0.",
    samples: SampleRule::InnerOnly,
    least_k: 1,
    parameters: Parameters { beta: true, ..Parameters::NONE },
    two_targets: false,
    gradients: PLAIN_AND_DREG,
    refusal: "stl is biased where dreg is not; rws has no use for β; vimco and ovis know no ELBO",
    reference: RAINFORTH_2018,
    equation: "section “New Estimators”",
    build,
};
