//! Draw the samples of one gradient at one point, and pull an estimator's coefficients back.

use super::problem::{Point, VARIANCE};
use crate::engine::Noise;
use crate::engine::cpu::KernelPath;
use crate::estimators::{Coefficients, Estimator};
use crate::random::Stream;

/// Accumulators side by side in a sum, so that it fills vector registers.
const LANES: usize = 8;

/// The S samples z_s = A x + b + σ ε_s of one draw. Every estimator sees the same ones.
#[derive(Debug)]
pub(super) struct Samples {
    kernels: KernelPath,
    /// As drawn, `[D, S]`.
    noise: Vec<f32>,
    /// ε, `[D, S]`.
    epsilon: Vec<f64>,
    /// log w, `[S]`.
    log_weights: Vec<f64>,
    /// a, b, c of the estimator at hand, `[S]` each; b and c then make way for what ε is weighted with.
    theta: Vec<f64>,
    path: Vec<f64>,
    score: Vec<f64>,
}

impl Samples {
    /// Room for S = `count` samples of `dims` latents.
    pub(super) fn new(dims: usize, count: usize) -> Self {
        let zeros = || vec![0.0; count];
        Self {
            kernels: KernelPath::fastest(),
            noise: vec![0.0; dims * count],
            epsilon: vec![0.0; dims * count],
            log_weights: zeros(),
            theta: zeros(),
            path: zeros(),
            score: zeros(),
        }
    }

    /// Draws number `draw` at the point number `item`; the number of samples is the time.
    pub(super) fn draw(&mut self, stream: &Stream, point: &Point, item: u32, draw: u32) {
        let count = self.log_weights.len();
        let noise = Noise { stream: *stream, time: count as u32 };
        self.kernels.normals(noise, item, draw, &mut self.noise);
        for (epsilon, &noise) in self.epsilon.iter_mut().zip(&self.noise) {
            *epsilon = f64::from(noise);
        }
        self.weigh(point);
    }

    /// log w = log w(ε = 0) + Σ_d ε_d (σ pull_d + (½ − σ²) ε_d): log p is a parabola in ε, log q too.
    fn weigh(&mut self, point: &Point) {
        self.log_weights.fill(point.log_weight);
        let rows = self.epsilon.chunks_exact(self.log_weights.len());
        for (pull, epsilon) in point.pull.iter().zip(rows) {
            let slope = VARIANCE.sqrt() * pull;
            for (l, e) in self.log_weights.iter_mut().zip(epsilon) {
                *l += e * (slope + (0.5 - VARIANCE) * e);
            }
        }
    }

    /// The gradient under `estimator`, `[2 D]`: at q's mean A x + b, then at μ.
    ///
    /// ```text
    /// q's mean:  Σ_s b (g + ε/σ) + c ε/σ,  g = ∂z log p(x, z) = pull − 2 σ ε
    /// μ:         Σ_s a (z − μ)
    /// ```
    pub(super) fn gradient(&mut self, point: &Point, estimator: &dyn Estimator, out: &mut [f64]) {
        let Self { epsilon, log_weights, theta, path, score, .. } = self;
        estimator.evaluate(log_weights, Coefficients { theta, path, score });
        let sd = VARIANCE.sqrt();
        let (sum_theta, sum_path) = (theta.iter().sum::<f64>(), path.iter().sum::<f64>());
        for (b, c) in path.iter_mut().zip(score.iter()) {
            *b = *b * (1.0 / sd - 2.0 * sd) + c / sd;
        }
        let (at_mean, at_mu) = out.split_at_mut(point.x.len());
        let rows = epsilon.chunks_exact(log_weights.len());
        for (d, epsilon) in rows.enumerate() {
            let [along_path, along_theta] = dots([path, theta], epsilon);
            at_mean[d] = sum_path * point.pull[d] + along_path;
            at_mu[d] = sum_theta * point.offset[d] + sd * along_theta;
        }
    }
}

/// Σ u ε and Σ v ε, summed in lanes that are the same on every machine.
fn dots([u, v]: [&[f64]; 2], epsilon: &[f64]) -> [f64; 2] {
    let (mut sum_u, mut sum_v) = ([0.0; LANES], [0.0; LANES]);
    let ((u, u_rest), (v, v_rest)) = (u.as_chunks::<LANES>(), v.as_chunks::<LANES>());
    let (epsilon, rest) = epsilon.as_chunks::<LANES>();
    for ((u, v), epsilon) in u.iter().zip(v).zip(epsilon) {
        for lane in 0..LANES {
            sum_u[lane] += u[lane] * epsilon[lane];
            sum_v[lane] += v[lane] * epsilon[lane];
        }
    }
    let tail = |rest_of: &[f64]| rest_of.iter().zip(rest).map(|(u, e)| u * e).sum::<f64>();
    [sum_u.iter().sum::<f64>() + tail(u_rest), sum_v.iter().sum::<f64>() + tail(v_rest)]
}

#[cfg(test)]
mod tests {
    use super::super::problem::{Parameters, Problem};
    use super::*;
    use crate::estimators::{EstimatorSettings, Gradient, examples};

    const DIMS: usize = 3;

    fn parameters() -> Parameters {
        let mut parameters = Parameters::optimum(vec![0.3, -1.2, 0.8]);
        for (i, a) in parameters.a.iter_mut().enumerate() {
            *a += 0.05 * (i as f64 - 3.5);
        }
        parameters.b[1] += 0.4;
        parameters.mu[0] -= 0.3;
        parameters
    }

    /// Samples whose noise was drawn once and for all, as finite differences need.
    fn samples(count: usize, point: &Point) -> Samples {
        let mut samples = Samples::new(DIMS, count);
        samples.draw(&Problem::new(DIMS, 1, 0.0, 4).stream, point, 0, 0);
        samples
    }

    /// A plain gradient is the derivative of its bound by A, b and μ at fixed noise.
    #[test]
    fn plain_gradients_are_the_derivatives_of_the_bounds() {
        let x = [1.1, -0.4, 2.0];
        let plain = examples(3, 4).into_iter().filter(|s| s.gradient == Gradient::Plain);
        for settings in plain {
            let estimator = settings.build().unwrap();
            let mut samples = samples(12, &Point::new(&x, &parameters()));
            let mut bounds = |parameters: &Parameters| {
                samples.weigh(&Point::new(&x, parameters));
                let Samples { log_weights, theta, path, score, .. } = &mut samples;
                estimator.evaluate(log_weights, Coefficients { theta, path, score })
            };
            let h = 1e-5;
            let mut slope = |change: &dyn Fn(&mut Parameters, f64)| {
                let [up, down] = [h, -h].map(|step| {
                    let mut moved = parameters();
                    change(&mut moved, step);
                    bounds(&moved)
                });
                [(up.phi - down.phi) / (2.0 * h), (up.theta - down.theta) / (2.0 * h)]
            };
            let by_b: Vec<f64> = (0..DIMS).map(|i| slope(&|p, h| p.b[i] += h)[0]).collect();
            let by_mu: Vec<f64> = (0..DIMS).map(|i| slope(&|p, h| p.mu[i] += h)[1]).collect();
            let by_a: Vec<f64> = (0..9).map(|i| slope(&|p, h| p.a[i] += h)[0]).collect();
            let point = Point::new(&x, &parameters());
            let mut gradient = [0.0; 2 * DIMS];
            samples.weigh(&point);
            samples.gradient(&point, &*estimator, &mut gradient);
            // h²/6 times third derivatives of order 10, and rounding of bounds near 10 over h.
            let close =
                |a: f64, b: f64| assert!((a - b).abs() < 2e-8, "{}: {a} {b}", settings.name);
            for i in 0..DIMS {
                close(by_b[i], gradient[i]);
                close(by_mu[i], gradient[DIMS + i]);
                (0..DIMS).for_each(|j| close(by_a[DIMS * i + j], gradient[i] * x[j]));
            }
        }
    }

    /// At the optimum, D = 20: log p(x) − ELBO = 20 KL(N(0, ⅔)‖N(0, ½)) = 0.4565 nats, and
    /// E w²/Z² = ((σ_q/σ_p²) / √(2/σ_p² − 1/σ_q²))²⁰ = 1.907; were ⅔ a standard deviation: 0.0667 and 1.171.
    #[test]
    fn two_thirds_is_a_variance() {
        let problem = Problem::new(20, 40, 0.0, 1);
        let (draws, count) = (40, 100);
        let mut samples = Samples::new(20, count);
        let (mut gaps, mut squares) = (Vec::new(), Vec::new());
        let mut center = vec![0.0; 20];
        for point in &problem.points {
            center.iter_mut().zip(&point.x).for_each(|(c, x)| *c += x / 40.0);
        }
        for (n, point) in problem.points.iter().enumerate() {
            // log N(x; μ, 2 I).
            let distance: f64 = point.x.iter().zip(&center).map(|(x, c)| (x - c).powi(2)).sum();
            let log_p = -0.5 * (20.0 * (2.0 * std::f64::consts::TAU).ln() + distance / 2.0);
            for draw in 0..draws {
                samples.draw(&problem.stream, point, n as u32, draw);
                let gap = samples.log_weights.iter().map(|l| log_p - l).sum::<f64>();
                gaps.push(gap / count as f64);
                let square: f64 =
                    samples.log_weights.iter().map(|l| (2.0 * (l - log_p)).exp()).sum();
                squares.push(square / count as f64);
            }
        }
        for (values, exact) in [(gaps, 0.4565), (squares, 1.907)] {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let variance =
                values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64;
            let se = (variance / values.len() as f64).sqrt();
            // 4 standard errors, and the rounding of the exact value to four digits.
            assert!((mean - exact).abs() < 4.0 * se + 5e-4, "{mean} ± {se}, not {exact}");
        }
    }

    #[test]
    fn sums_in_lanes_leave_nothing_out() {
        for n in [1, 7, 8, 9, 40, 41] {
            let values: Vec<f64> = (0..n).map(f64::from).collect();
            let ones = vec![1.0; values.len()];
            let sum: f64 = values.iter().sum();
            let squares: f64 = values.iter().map(|v| v * v).sum();
            assert_eq!(dots([&ones, &values], &values), [sum, squares]);
        }
    }

    /// One estimator must not see what another left behind.
    #[test]
    fn the_order_of_estimators_does_not_matter() {
        let point = Point::new(&[1.0, 0.0, -1.0], &parameters());
        let mut samples = samples(4, &point);
        let mut gradient = |name: &str| {
            let estimator = EstimatorSettings::new(name, 1, 4).build().unwrap();
            let mut out = [f64::NAN; 2 * DIMS];
            samples.gradient(&point, &*estimator, &mut out);
            out
        };
        let alone = gradient("iwae");
        assert_ne!(gradient("ciwae"), alone);
        assert_eq!(gradient("iwae"), alone);
    }
}
