//! Integrate between ELBO and log p(x) by a Riemann sum: the thermodynamic variational objective.

use super::EstimatorSettings;
use super::estimator::{Bound, Coefficients, Definition, Estimator, Parameters, SampleRule};
use super::gradient::{Claim, Gradient, Rule};
use super::reference::MASRANI_2019;
use super::weights::normalise;

/// Σ_j Δ_j E_{π_j}[log w] over 0 = β_0 < β_1 < … < 1, Δ_j = β_{j+1} − β_j, π_j ∝ p^β_j q^(1−β_j),
/// by self-normalised weights u_j ∝ w^β_j; with δ_j = log w − Σ u_j log w:
///
/// a = Σ_j Δ_j u_j (1 + β_j δ_j), b = 0, c = Σ_j Δ_j u_j ((1−β_j) δ_j − 1).
#[derive(Debug)]
struct Tvo {
    k: usize,
    partition: Vec<f64>,
}

impl Estimator for Tvo {
    fn m(&self) -> usize {
        1
    }

    fn k(&self) -> usize {
        self.k
    }

    fn evaluate(&self, log_weights: &[f64], coefficients: Coefficients<'_>) -> Bound {
        let Coefficients { theta, path, score } = coefficients;
        theta.fill(0.0);
        path.fill(0.0);
        score.fill(0.0);
        let mut u = vec![0.0; log_weights.len()];
        let mut value = 0.0;
        let ends = self.partition.iter().skip(1).chain(&[1.0]);
        for (&beta, end) in self.partition.iter().zip(ends) {
            // 0 · −∞ would be NaN: every weight counts the same at β = 0.
            let tempered = |&l: &f64| if beta == 0.0 { 0.0 } else { beta * l };
            let tempered: Vec<f64> = log_weights.iter().map(tempered).collect();
            normalise(&tempered, &mut u);
            let mean: f64 = u.iter().zip(log_weights).filter(|(u, _)| **u != 0.0).map(|(u, l)| u * l).sum();
            let width = end - beta;
            value += width * mean;
            for (s, &l) in log_weights.iter().enumerate().filter(|&(s, _)| u[s] != 0.0) {
                let delta = l - mean;
                theta[s] += width * u[s] * (1.0 + beta * delta);
                score[s] += width * u[s] * ((1.0 - beta) * delta - 1.0);
            }
        }
        Bound::single(value)
    }
}

fn build(settings: &EstimatorSettings) -> Box<dyn Estimator> {
    let partition = settings.partition.clone().expect("checked: the estimator needs a partition");
    Box::new(Tvo { k: settings.k, partition })
}

pub(super) static DEFINITION: Definition = Definition {
    name: "tvo",
    title: "thermodynamic variational objective",
    formula: "TVO = Σ_j Δ_j E_{π_j}[log w],  π_j ∝ p^β_j q^(1−β_j),  0 = β_0 < β_1 < … < 1",
    when: "A lower bound between ELBO and log p(x) whose gradients need no reparameterisation. With \
           K samples both value and gradients are biased by self-normalised weights: use a large K.",
    samples: SampleRule::InnerOnly,
    least_k: 2,
    parameters: Parameters { partition: true, ..Parameters::NONE },
    two_targets: false,
    gradients: &[Rule { gradient: Gradient::Covariance, claim: Claim::Biased }],
    refusal: "tvo has one rule of its own, covariance",
    reference: MASRANI_2019,
    equation: "the covariance gradient estimator",
    build,
};
