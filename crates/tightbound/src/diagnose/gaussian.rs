//! Define Gaussian models with exact evidence, posterior and ELBO, for the engines' own algorithm.

use std::ops::Range;

use super::normal::Normal;
use crate::engine::reference::{Encoded, LatentModel};

/// A model whose latents are independent normals given x, so that every quantity has a closed form.
pub trait ExactModel: LatentModel {
    /// Where θ lies among the parameters.
    fn theta(&self) -> Range<usize>;

    /// Where φ lies among the parameters.
    fn phi(&self) -> Range<usize>;

    /// log p(x), in nats.
    fn log_evidence(&self, x: &[f64]) -> f64;

    /// p(z|x), latent by latent.
    fn exact_posterior(&self, x: &[f64]) -> Vec<Normal>;

    /// q(z|x), latent by latent.
    fn variational_posterior(&self, x: &[f64]) -> Vec<Normal> {
        let Encoded { mean, sd, .. } = self.encode(x);
        mean.iter().zip(&sd).map(|(&mean, sd)| Normal { mean, variance: sd * sd }).collect()
    }

    /// log p(x) − ELBO = KL(q ‖ p(z|x)), in nats.
    fn elbo_gap(&self, x: &[f64]) -> f64 {
        let pairs = self.variational_posterior(x).into_iter().zip(self.exact_posterior(x));
        pairs.map(|(q, p)| q.kl(&p)).sum()
    }

    /// The ELBO, in nats.
    fn elbo(&self, x: &[f64]) -> f64 {
        self.log_evidence(x) - self.elbo_gap(x)
    }

    /// E_q w² / p(x)², at least 1: how much worse than one independent sample a weight is.
    fn weight_second_moment(&self, x: &[f64]) -> f64 {
        let pairs = self.variational_posterior(x).into_iter().zip(self.exact_posterior(x));
        pairs.map(|(q, p)| p.second_moment_under(&q)).product()
    }
}

/// z ~ N(m, 1), x|z ~ N(W z + d, s²) and q(z|x) = N(μ, σ²), all of one dimension.
///
/// θ is m, W, d, s and φ is μ, σ: every one of them is a parameter itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScalarGaussian {
    parameters: [f64; 6],
}

impl ScalarGaussian {
    /// The model of m, W, d, s, μ, σ.
    ///
    /// # Panics
    /// If s or σ is not above 0.
    pub fn new(parameters: [f64; 6]) -> Self {
        assert!(parameters[3] > 0.0 && parameters[5] > 0.0, "standard deviations are above 0");
        Self { parameters }
    }

    /// m, W, d, s, μ, σ.
    pub fn parameters(&self) -> [f64; 6] {
        self.parameters
    }
}

impl LatentModel for ScalarGaussian {
    type EncoderTrace = ();
    /// The mean of p(x|z).
    type Decoded = f64;

    fn encode(&self, _x: &[f64]) -> Encoded<()> {
        let [.., mu, sigma] = self.parameters;
        Encoded { mean: vec![mu], sd: vec![sigma], trace: () }
    }

    fn encode_backward(
        &self,
        _encoded: &Encoded<()>,
        d_mean: &[f64],
        d_sd: &[f64],
        scale: f64,
        gradient: &mut [f64],
    ) {
        gradient[4] += scale * d_mean[0];
        gradient[5] += scale * d_sd[0];
    }

    fn decode(&self, z: &[f64]) -> f64 {
        let [_, w, d, ..] = self.parameters;
        w * z[0] + d
    }

    fn log_prior(&self, z: &[f64]) -> f64 {
        Normal { mean: self.parameters[0], variance: 1.0 }.log_density(z[0])
    }

    fn log_prior_backward(&self, z: &[f64], a: f64, gradient: &mut [f64], d_z: &mut [f64]) {
        let distance = z[0] - self.parameters[0];
        gradient[0] += a * distance;
        d_z[0] -= distance;
    }

    fn log_likelihood(&self, x: &[f64], decoded: &f64) -> f64 {
        let [_, _, _, s, ..] = self.parameters;
        Normal { mean: *decoded, variance: s * s }.log_density(x[0])
    }

    fn log_likelihood_backward(
        &self,
        x: &[f64],
        z: &[f64],
        decoded: &f64,
        a: f64,
        gradient: &mut [f64],
    ) -> Vec<f64> {
        let [_, w, _, s, ..] = self.parameters;
        let residual = x[0] - decoded;
        let d_mean = residual / (s * s);
        gradient[1] += a * d_mean * z[0];
        gradient[2] += a * d_mean;
        gradient[3] += a * (residual * d_mean - 1.0) / s;
        vec![w * d_mean]
    }
}

impl ExactModel for ScalarGaussian {
    fn theta(&self) -> Range<usize> {
        0..4
    }

    fn phi(&self) -> Range<usize> {
        4..6
    }

    fn log_evidence(&self, x: &[f64]) -> f64 {
        let [m, w, d, s, ..] = self.parameters;
        Normal { mean: w * m + d, variance: w * w + s * s }.log_density(x[0])
    }

    fn exact_posterior(&self, x: &[f64]) -> Vec<Normal> {
        let [m, w, d, s, ..] = self.parameters;
        let variance = 1.0 / (1.0 + (w / s).powi(2));
        vec![Normal { mean: variance * (m + w * (x[0] - d) / (s * s)), variance }]
    }
}

/// z ~ N(μ, I), x|z ~ N(z, I) and q(z|x) = N(A x + b, σ² I) of D dimensions (Rainforth et al. 2018).
///
/// θ is μ and φ is A, b; σ is fixed. The best φ is A = ½I, b = ½μ.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearGaussian {
    dimension: usize,
    /// μ `[D]`, A `[D, D]`, b `[D]`.
    parameters: Vec<f64>,
    sd: f64,
}

impl LinearGaussian {
    /// σ² of the paper's q(z|x); the posterior's variance is ½.
    pub const VARIANCE: f64 = 2.0 / 3.0;

    /// The model of μ `[D]`, A `[D, D]`, b `[D]`, one after the other, and of q's variance σ².
    ///
    /// # Panics
    /// If there are not D + D² + D parameters.
    pub fn new(dimension: usize, parameters: Vec<f64>, variance: f64) -> Self {
        assert_eq!(parameters.len(), dimension * (dimension + 2), "μ, A and b");
        Self { dimension, parameters, sd: variance.sqrt() }
    }

    /// The model of prior mean μ with the best A and b.
    pub fn optimal(mean: &[f64], variance: f64) -> Self {
        let d = mean.len();
        let mut parameters = mean.to_vec();
        parameters.extend((0..d * d).map(|i| if i / d == i % d { 0.5 } else { 0.0 }));
        parameters.extend(mean.iter().map(|m| 0.5 * m));
        Self::new(d, parameters, variance)
    }

    /// μ, A, b.
    pub fn parameters(&self) -> &[f64] {
        &self.parameters
    }

    /// μ.
    fn prior_mean(&self) -> &[f64] {
        &self.parameters[..self.dimension]
    }
}

impl LatentModel for LinearGaussian {
    /// The observation x.
    type EncoderTrace = Vec<f64>;
    /// The mean of p(x|z), which is z.
    type Decoded = Vec<f64>;

    fn encode(&self, x: &[f64]) -> Encoded<Vec<f64>> {
        let d = self.dimension;
        let (matrix, offset) = self.parameters[d..].split_at(d * d);
        let rows = matrix.chunks_exact(d).zip(offset);
        let mean = rows.map(|(row, b)| b + row.iter().zip(x).map(|(a, x)| a * x).sum::<f64>());
        Encoded { mean: mean.collect(), sd: vec![self.sd; d], trace: x.to_vec() }
    }

    /// σ is fixed, so what arrives there goes nowhere.
    fn encode_backward(
        &self,
        encoded: &Encoded<Vec<f64>>,
        d_mean: &[f64],
        _d_sd: &[f64],
        scale: f64,
        gradient: &mut [f64],
    ) {
        let d = self.dimension;
        let (matrix, offset) = gradient[d..].split_at_mut(d * d);
        for ((row, b), d_mean) in matrix.chunks_exact_mut(d).zip(offset).zip(d_mean) {
            for (a, x) in row.iter_mut().zip(&encoded.trace) {
                *a += scale * d_mean * x;
            }
            *b += scale * d_mean;
        }
    }

    fn decode(&self, z: &[f64]) -> Vec<f64> {
        z.to_vec()
    }

    fn log_prior(&self, z: &[f64]) -> f64 {
        log_density_around(self.prior_mean(), z)
    }

    fn log_prior_backward(&self, z: &[f64], a: f64, gradient: &mut [f64], d_z: &mut [f64]) {
        for (((z, mean), d_mean), d_z) in z.iter().zip(self.prior_mean()).zip(gradient).zip(d_z) {
            *d_mean += a * (z - mean);
            *d_z -= z - mean;
        }
    }

    fn log_likelihood(&self, x: &[f64], decoded: &Vec<f64>) -> f64 {
        log_density_around(decoded, x)
    }

    /// p(x|z) has no parameters.
    fn log_likelihood_backward(
        &self,
        x: &[f64],
        z: &[f64],
        _decoded: &Vec<f64>,
        _a: f64,
        _gradient: &mut [f64],
    ) -> Vec<f64> {
        x.iter().zip(z).map(|(x, z)| x - z).collect()
    }
}

/// log N(x; mean, I), in nats.
fn log_density_around(mean: &[f64], x: &[f64]) -> f64 {
    let pairs = mean.iter().zip(x);
    pairs.map(|(&mean, &x)| Normal { mean, variance: 1.0 }.log_density(x)).sum()
}

impl ExactModel for LinearGaussian {
    fn theta(&self) -> Range<usize> {
        0..self.dimension
    }

    fn phi(&self) -> Range<usize> {
        self.dimension..self.parameters.len()
    }

    fn log_evidence(&self, x: &[f64]) -> f64 {
        let pairs = x.iter().zip(self.prior_mean());
        pairs.map(|(&x, &mean)| Normal { mean, variance: 2.0 }.log_density(x)).sum()
    }

    fn exact_posterior(&self, x: &[f64]) -> Vec<Normal> {
        let pairs = x.iter().zip(self.prior_mean());
        pairs.map(|(x, mean)| Normal { mean: 0.5 * (x + mean), variance: 0.5 }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [f64; 3] = [0.7, -1.1, 0.2];

    fn scalar(shift: &[f64]) -> ScalarGaussian {
        let base = [0.3, 0.8, -0.2, 0.9, 0.5, 0.7];
        ScalarGaussian::new(std::array::from_fn(|i| base[i] + shift.get(i).unwrap_or(&0.0)))
    }

    fn linear(shift: &[f64]) -> LinearGaussian {
        let parameters = (0..15).map(|i| f64::from(i * i % 7) / 9.0 - 0.3);
        let shifted = parameters.enumerate().map(|(i, p)| p + shift.get(i).unwrap_or(&0.0));
        LinearGaussian::new(3, shifted.collect(), LinearGaussian::VARIANCE)
    }

    /// log p(x) = log p(x, z) − log p(z|x) at any z (Bayes).
    fn assert_bayes<M: ExactModel>(model: &M, x: &[f64], z: &[f64]) {
        let joint = model.log_joint(x, z, &model.decode(z));
        let posterior = model.exact_posterior(x);
        let posterior: f64 = posterior.iter().zip(z).map(|(p, &z)| p.log_density(z)).sum();
        // A dozen terms of order one, each rounded to 1e-16.
        assert!((joint - posterior - model.log_evidence(x)).abs() < 1e-14);
    }

    #[test]
    fn evidence_and_posterior_obey_bayes() {
        for z in [-2.0, 0.1, 1.7] {
            assert_bayes(&scalar(&[]), &X[..1], &[z]);
            assert_bayes(&linear(&[]), &X, &[z, 0.3 - z, 0.5 * z]);
        }
    }

    /// Central differences against the hand-written derivatives of log p(x, z) and of μ, σ.
    fn assert_derivatives<M: ExactModel>(make: impl Fn(&[f64]) -> M, x: &[f64], z: &[f64]) {
        let model = make(&[]);
        let count = model.phi().end;
        let (d_mean, d_sd) = (vec![0.3; z.len()], vec![-1.2; z.len()]);
        let mut gradient = vec![0.0; count];
        let d_z = model.log_joint_backward(x, z, &model.decode(z), 0.4, &mut gradient);
        model.encode_backward(&model.encode(x), &d_mean, &d_sd, 0.6, &mut gradient);

        let value = |model: &M, z: &[f64]| {
            let Encoded { mean, sd, .. } = model.encode(x);
            let q: f64 =
                mean.iter().chain(&sd).zip(d_mean.iter().chain(&d_sd)).map(|(v, d)| v * d).sum();
            (model.log_joint(x, z, &model.decode(z)), q)
        };
        let h = 1e-5;
        let along = |i: usize, step: f64| {
            let mut shift = vec![0.0; count.max(z.len())];
            shift[i] = step;
            shift
        };
        for (i, g) in gradient.iter().enumerate() {
            let (up, down) = (value(&make(&along(i, h)), z), value(&make(&along(i, -h)), z));
            let slope = (0.4 * (up.0 - down.0) + 0.6 * (up.1 - down.1)) / (2.0 * h);
            // h² times third derivatives of order one, and rounding 1e-15/h.
            assert!((slope - g).abs() < 1e-8, "parameter {i}: {slope} {g}");
        }
        for (l, g) in d_z.iter().enumerate() {
            let at = |step| {
                let z: Vec<f64> = z.iter().zip(along(l, step)).map(|(z, s)| z + s).collect();
                value(&model, &z).0
            };
            let slope = (at(h) - at(-h)) / (2.0 * h);
            assert!((slope - g).abs() < 1e-8, "latent {l}: {slope} {g}");
        }
    }

    #[test]
    fn derivatives_are_those_of_the_densities() {
        assert_derivatives(scalar, &X[..1], &[0.9]);
        // σ is no parameter of this model: its differences see none, and neither may the gradient.
        assert_derivatives(linear, &X, &[0.9, -0.4, 0.1]);
    }

    /// The toy problem's constants, for ⅔ a variance and for ⅔ a standard deviation.
    #[test]
    fn constants_of_the_toy_problem() {
        let mean = [0.4; 20];
        let x: Vec<f64> = (0..20).map(|i| f64::from(i) / 7.0 - 1.0).collect();
        for (variance, gap, moment) in [(2.0 / 3.0, 0.4565, 1.907), (4.0 / 9.0, 0.0667, 1.171)] {
            let toy = LinearGaussian::optimal(&mean, variance);
            // Half a unit of the last digit given.
            assert!((toy.elbo_gap(&x) - gap).abs() < 5e-5, "{}", toy.elbo_gap(&x));
            assert!((toy.weight_second_moment(&x) - moment).abs() < 5e-4);
        }
    }

    #[test]
    fn elbo_is_the_mean_log_weight_and_is_tight_at_the_posterior() {
        let [p] = scalar(&[]).exact_posterior(&X)[..] else { panic!("one latent") };
        let [m, w, d, s, ..] = scalar(&[]).parameters();
        let exact = ScalarGaussian::new([m, w, d, s, p.mean, p.variance.sqrt()]);
        // Rounding of numbers of order one.
        assert!((exact.elbo(&X) - exact.log_evidence(&X)).abs() < 1e-14);
        assert!((exact.weight_second_moment(&X) - 1.0).abs() < 1e-14);
        assert!(scalar(&[]).elbo(&X) < scalar(&[]).log_evidence(&X) - 1e-3);
    }
}
