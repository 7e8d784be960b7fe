//! Hold annealing against models whose log p(x) is known.

use std::ops::{ControlFlow, Range};

use super::chains::{Chains, Draws, Role, Transition};
use super::*;
use crate::data::{Images, Pixels};
use crate::diagnose::{ExactModel, LinearGaussian, ScalarGaussian};
use crate::engine::cpu::CpuEngine;
use crate::engine::reference::{LatentModel, ReferenceEngine};
use crate::estimators::log_mean_exp;
use crate::evaluate::{Estimate, ScoreOptions, score};
use crate::model::{
    Activation, Architecture, Initialisation, Network, OutputBias, ParameterTable, Sigma,
    initialise,
};
use crate::random::{Purpose, Stream};

/// A Gaussian model as a target: z = μ + u with the prior mean μ, and u ~ N(0, I) is what is walked.
struct Gaussian<M> {
    model: M,
    /// μ, `[L]`.
    mean: Vec<f64>,
    /// x of each image.
    x: Vec<Vec<f64>>,
    ids: Vec<u32>,
}

impl<M: ExactModel> Gaussian<M> {
    fn new(model: M, mean: &[f64], x: Vec<Vec<f64>>) -> Self {
        let ids = (0..x.len() as u32).map(|i| 3 * i + 1).collect();
        Self { model, mean: mean.to_vec(), x, ids }
    }

    /// One draw of p(u|x) per image, from closed forms.
    fn exact(&self, seed: u64) -> Vec<f64> {
        let stream = Stream::new(seed, Purpose::Diagnosis);
        let mut result = Vec::new();
        for (x, &id) in self.x.iter().zip(&self.ids) {
            let mut epsilon = vec![0.0; self.mean.len()];
            stream.normals(0, id, 0, &mut epsilon);
            let posterior = self.model.exact_posterior(x);
            for ((p, e), mean) in posterior.iter().zip(epsilon).zip(&self.mean) {
                result.push(p.mean + p.variance.sqrt() * f64::from(e) - mean);
            }
        }
        result
    }

    /// log p(x) of each image.
    fn log_evidence(&self) -> Vec<f64> {
        self.x.iter().map(|x| self.model.log_evidence(x)).collect()
    }
}

impl<M: LatentModel> Target for Gaussian<M> {
    fn latents(&self) -> usize {
        self.mean.len()
    }

    fn ids(&self) -> &[u32] {
        &self.ids
    }

    fn log_likelihood(&mut self, images: Range<usize>, latents: &[f64], out: Values<'_>) {
        let (l, chains) = (self.mean.len(), out.log_likelihood.len() / images.len());
        // Room for the parameters' gradient, whatever the model.
        let mut unused = vec![0.0; l * (l + 8)];
        for (row, u) in latents.chunks_exact(l).enumerate() {
            let x = &self.x[images.start + row / chains];
            let z: Vec<f64> = u.iter().zip(&self.mean).map(|(u, m)| u + m).collect();
            let decoded = self.model.decode(&z);
            out.log_likelihood[row] = self.model.log_likelihood(x, &decoded);
            let d_z = self.model.log_likelihood_backward(x, &z, &decoded, 0.0, &mut unused);
            out.d_z[row * l..(row + 1) * l].copy_from_slice(&d_z);
        }
    }
}

/// The observation of the scalar model.
const X: f64 = 2.0;

/// x tells little of z, (W/s)² = 0.3: with 1 or more, the weights of few temperatures backwards would have no
/// variance (with one step they are the harmonic mean of likelihoods).
fn scalar() -> ScalarGaussian {
    ScalarGaussian::new([0.3, 0.6, -0.2, 1.1, 0.0, 1.0])
}

/// The same x many times: independent runs, as every image has its own draws.
fn repeated(runs: usize) -> Gaussian<ScalarGaussian> {
    Gaussian::new(scalar(), &[0.3], vec![vec![X]; runs])
}

/// `images` draws of p(x) of the linear-Gaussian model with `d` dimensions.
fn linear(d: usize, images: u32) -> Gaussian<LinearGaussian> {
    let mean: Vec<f64> = (0..d).map(|i| 0.4 - 0.1 * i as f64).collect();
    let stream = Stream::new(8, Purpose::Diagnosis);
    let draw = |image| {
        let mut epsilon = vec![0.0; d];
        stream.normals(1, image, 0, &mut epsilon);
        let pairs = epsilon.iter().zip(&mean);
        pairs.map(|(&e, m)| m + f64::from(e) * std::f64::consts::SQRT_2).collect()
    };
    let x = (0..images).map(draw).collect();
    Gaussian::new(LinearGaussian::optimal(&mean, LinearGaussian::VARIANCE), &mean, x)
}

fn go_on(_: u64, _: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// What is far from tight must still be right on average: with few temperatures and one chain,
/// log w is off by tenths of nats, but E w / p(x) = 1, and E p(x) / w = 1 on the way back.
#[test]
fn weights_are_unbiased_both_ways_however_few_the_temperatures() {
    let options = |steps, leapfrog| AisOptions {
        chains: 1,
        steps,
        leapfrog,
        // Unequal temperatures, so that a wrong one shows.
        schedule: Schedule::Sigmoid,
        seed: 4,
    };
    let mut target = repeated(40_000);
    let log_p = target.log_evidence()[0];
    let exact = target.exact(5);
    for options in [options(1, 1), options(2, 3), options(5, 2)] {
        let Sandwich { images, lower, upper, gap } =
            sandwich(&mut target, &exact, options, &mut go_on).unwrap();
        assert!(gap.value > 0.1, "this is to be a rough estimate: {gap:?}");
        assert!(lower.value < log_p && log_p < upper.value);
        let ratio = |of: &dyn Fn(&SandwichedImage) -> f64| {
            Estimate::mean(&images.iter().map(|i| of(i).exp()).collect::<Vec<_>>())
        };
        let up = ratio(&|i| i.lower.log_p_hat - log_p);
        let down = ratio(&|i| log_p - i.upper);
        for (ratio, way) in [(up, "up"), (down, "down")] {
            // 4 standard errors; each is below 0.02, so that a bias of a tenth would be seen.
            assert!(ratio.se < 0.02, "{way}, {} steps: {ratio:?}", options.steps);
            assert!((ratio.value - 1.0).abs() < 4.0 * ratio.se, "{way}: {ratio:?}");
        }
    }
}

/// With T steps and perfect moves, E log w misses log p(x) by ½ Σ (β_t − β_{t−1})² Var_β log p(x|z) to
/// first order. Here the variance falls from about 2.5 D to 0.4 D on the way, so that a side is about
/// ½ · D · 1.5/T: 0.015 nats at D = 20, T = 1000, and less with 4 chains; some times that for moves that are not
/// perfect.
#[test]
fn the_sandwich_holds_the_exact_answer_and_closes_with_more_temperatures() {
    for d in [5, 20] {
        let mut target = linear(d, 48);
        let exact = target.exact(6);
        let truth = target.log_evidence();
        let [rough, fine] = [4, 1000].map(|steps| {
            let options = AisOptions { chains: 4, steps, leapfrog: 4, ..AisOptions::default() };
            let result = sandwich(&mut target, &exact, options, &mut go_on).unwrap();
            let error = |of: &dyn Fn(&SandwichedImage) -> f64| {
                let pairs = result.images.iter().zip(&truth);
                Estimate::mean(&pairs.map(|(image, truth)| of(image) - truth).collect::<Vec<_>>())
            };
            let below = error(&|image| image.lower.log_p_hat);
            let above = error(&|image| image.upper);
            assert!(below.value - 3.0 * below.se <= 0.0, "D = {d}, T = {steps}: {below:?}");
            assert!(above.value + 3.0 * above.se >= 0.0, "D = {d}, T = {steps}: {above:?}");
            for SandwichedImage { lower, .. } in &result.images {
                assert!((1.0..=4.0).contains(&lower.effective_chains));
                // Aimed at 0.65, and higher while step sizes find their way.
                let aimed = (0.55..0.85).contains(&lower.acceptance);
                assert!(aimed || steps < 1000, "{lower:?}");
            }
            result.gap
        });
        assert!(fine.value < 0.1 && 3.0 * fine.se < 0.1, "D = {d}: {fine:?}");
        assert!(fine.value < 0.5 * rough.value, "D = {d}: {fine:?} {rough:?}");
    }
}

/// Chains that begin with exact draws of f_β have its moments after many moves: 4 standard errors of
/// 20,000 independent chains, for step sizes at which many moves are refused.
#[test]
fn moves_leave_the_density_as_it_is() {
    let runs = 20_000;
    let (beta, [m, w, d, s, ..]) = (0.7, scalar().parameters());
    // p(u) p(x|m + u)^β is normal with this precision and mean.
    let precision = 1.0 + beta * (w / s).powi(2);
    let mean = beta * w * (X - d - w * m) / (s * s) / precision;
    let mut target = repeated(runs);
    let stream = Stream::new(9, Purpose::Diagnosis);
    let start = |_: usize, id: u32, _: u32, z: &mut [f64]| {
        let mut epsilon = [0.0];
        stream.normals(0, id, 0, &mut epsilon);
        z[0] = mean + f64::from(epsilon[0]) / precision.sqrt();
    };
    let mut chains = Chains::begin(&mut target, 0..runs, 1, start).unwrap();
    let before = chains.z().to_vec();
    let mut acceptance = 0.0;
    for number in 1..=6 {
        let draws = Draws::new(10, Role::Forward);
        // Chains draw up to half less; the largest stable step is 2/√precision.
        let step_sizes = &vec![2.3 / precision.sqrt(); runs];
        let transition = Transition { number, beta, step_sizes, leapfrog: 3, draws };
        acceptance += chains.step(&mut target, transition).iter().sum::<f64>() / runs as f64 / 6.0;
    }
    assert!((0.3..0.9).contains(&acceptance), "moves are to be refused: {acceptance}");
    let moved = before.iter().zip(chains.z()).filter(|(a, b)| a != b).count();
    assert!(moved as f64 > 0.9 * runs as f64, "{moved}");
    let standard = chains.z().iter().map(|z| (z - mean) * precision.sqrt());
    for (power, expected) in [(1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0)] {
        let moment = Estimate::mean(&standard.clone().map(|z| z.powi(power)).collect::<Vec<_>>());
        assert!((moment.value - expected).abs() < 4.0 * moment.se, "moment {power}: {moment:?}");
    }
}

fn network() -> (Architecture, Vec<f32>) {
    let architecture = Architecture {
        pixels: 30,
        encoder: vec![8],
        latents: 2,
        decoder: vec![9],
        activation: Activation::Tanh,
        sigma: Sigma::Exp,
    };
    let (kind, bias) = (Initialisation::Pytorch, OutputBias::Default);
    let mut parameters = initialise(&architecture, kind, bias, &[0.4; 30], 3);
    // Larger weights: the images shall depend on z.
    parameters.iter_mut().for_each(|p| *p *= 4.0);
    (architecture, parameters)
}

const QUICK: AisOptions =
    AisOptions { chains: 3, steps: 60, leapfrog: 3, schedule: Schedule::Sigmoid, seed: 2 };

/// On a network with two latents, the mean likelihood of 200,000 draws from the prior is log p(x) to
/// within its own error, and it lies between the bounds.
#[test]
fn a_network_is_held_between_bounds_around_brute_force() {
    let (architecture, parameters) = network();
    let mut engine = CpuEngine::new(architecture, 2).unwrap();
    let simulated = simulate(&mut engine, &parameters, 12, [5, 6], 7);
    assert!(simulated.images.is_binary());
    let mut target = EngineTarget::new(&mut engine, &parameters, &simulated.images, 0);
    let options = AisOptions { steps: 400, ..QUICK };
    let result = sandwich(&mut target, &simulated.latents, options, &mut go_on).unwrap();
    let stream = Stream::new(1, Purpose::Sampling);
    let chains = 20_000;
    let mut z = vec![0.0; 12 * chains * 2];
    for (row, z) in z.chunks_exact_mut(2).enumerate() {
        let mut single = [0.0; 2];
        stream.normals(0, row as u32, 0, &mut single);
        z.copy_from_slice(&single.map(f64::from));
    }
    let (mut values, mut d_z) = (vec![0.0; 12 * chains], vec![0.0; z.len()]);
    let out = Values { log_likelihood: &mut values, d_z: &mut d_z };
    target.log_likelihood(0..12, &z, out);
    let errors = |of: &dyn Fn(&SandwichedImage) -> f64| {
        let brute = values.chunks(chains).map(log_mean_exp);
        let pairs = result.images.iter().zip(brute);
        Estimate::mean(&pairs.map(|(image, brute)| of(image) - brute).collect::<Vec<_>>())
    };
    let (below, above) = (errors(&|i| i.lower.log_p_hat), errors(&|i| i.upper));
    assert!(below.value < 3.0 * below.se && below.value > -0.2, "{below:?}");
    assert!(above.value > -3.0 * above.se && above.value < 0.2, "{above:?}");
}

/// Neither threads nor the images beside an image change a bit; f32 and f64 agree.
#[test]
fn nothing_but_the_seed_and_the_image_matters() {
    let (architecture, parameters) = network();
    let grey = (0..400 * 30).map(|i| (i * 37 % 256) as u8).collect();
    let all = Images::new(5, 6, Pixels::Bytes(grey), None);
    let go = |threads, images: &Images, options| {
        let mut engine = CpuEngine::new(architecture.clone(), threads).unwrap();
        let mut target = EngineTarget::new(&mut engine, &parameters, images, 0);
        forward(&mut target, options, &mut go_on).unwrap()
    };
    // 1024 rows are walked together: 341 images.
    let one = go(1, &all, QUICK);
    assert_eq!(one, go(3, &all, QUICK));
    let some = all.select(&[350, 20]);
    assert_eq!(go(2, &some, QUICK), [one[350].clone(), one[20].clone()]);
    let other = go(2, &some, AisOptions { seed: 3, ..QUICK });
    assert!(other.iter().zip([&one[350], &one[20]]).all(|(a, b)| a.log_p_hat != b.log_p_hat));
    let mut engine = ReferenceEngine::new(architecture.clone());
    let doubles: Vec<f64> = parameters.iter().map(|&p| p.into()).collect();
    let mut target = EngineTarget::new(&mut engine, &doubles, &some, 0);
    let exact = forward(&mut target, AisOptions { steps: 8, ..QUICK }, &mut go_on).unwrap();
    let fast = go(2, &some, AisOptions { steps: 8, ..QUICK });
    for (exact, fast) in exact.iter().zip(fast) {
        // Few moves, so that rounding of 1e-5 nats neither grows much nor turns a decision.
        assert!((exact.log_p_hat - fast.log_p_hat).abs() < 1e-3, "{exact:?} {fast:?}");
    }
}

/// log p(x) from samples of the prior is that from chains which begin there, if both see the same pixels.
#[test]
fn pixels_are_those_of_scores() {
    let (architecture, mut parameters) = network();
    // Without weights the encoder says q(z|x) = p(z).
    parameters[ParameterTable::new(&architecture).network_range(Network::Encoder)].fill(0.0);
    let grey = (0..10 * 30).map(|i| (i * 37 % 256) as u8).collect();
    let images = Images::new(5, 6, Pixels::Bytes(grey), None);
    let mut engine = CpuEngine::new(architecture, 2).unwrap();
    let score_options = ScoreOptions { k: 20_000, seed: 5, ..ScoreOptions::default() };
    let mut go = |_, _| ControlFlow::Continue(());
    let l_k = score(&mut engine, &parameters, &images, score_options, &mut go).unwrap();
    let options = AisOptions { chains: 8, steps: 400, ..QUICK };
    let [same, other] = [5, 6].map(|seed| {
        let mut target = EngineTarget::new(&mut engine, &parameters, &images, seed);
        let annealed = forward(&mut target, options, &mut go_on).unwrap();
        annealed.iter().map(|image| image.log_p_hat).sum::<f64>() / 10.0 - l_k.log_p_hat.value
    });
    // Two lower bounds on one number, both nearly tight with 2 latents; other pixels have another number.
    assert!(same.abs() < 0.3 && other.abs() > 0.6, "{same} {other}");
}

#[test]
fn what_cannot_be_annealed_is_refused() {
    let mut target = linear(2, 3);
    for (options, word) in [
        (AisOptions { chains: 0, ..QUICK }, "chains"),
        (AisOptions { steps: 0, ..QUICK }, "steps"),
        (AisOptions { steps: u32::MAX, ..QUICK }, "steps"),
        (AisOptions { leapfrog: 0, ..QUICK }, "leapfrog"),
    ] {
        let Err(AisError::Count { what, .. }) = forward(&mut target, options, &mut go_on) else {
            panic!("{options:?}")
        };
        assert!(what.contains(word), "{what}");
    }
    let mut stops = |done, _| if done < 70 { go_on(0, 0) } else { ControlFlow::Break(()) };
    assert_eq!(forward(&mut target, QUICK, &mut stops), Err(AisError::Interrupted));
    target.x[1][0] = f64::NAN;
    let broken = forward(&mut target, QUICK, &mut go_on);
    assert!(matches!(broken, Err(AisError::NonFinite { image: 4, chain: 0, .. })), "{broken:?}");
    target.ids.clear();
    assert_eq!(forward(&mut target, QUICK, &mut go_on), Err(AisError::NoImages));
}

/// The last thing that progress hears is that all is done.
#[test]
fn progress_counts_to_the_end() {
    let mut target = linear(2, 3);
    let exact = target.exact(1);
    let mut heard = Vec::new();
    let mut listen = |done, total| {
        heard.push((done, total));
        ControlFlow::Continue(())
    };
    sandwich(&mut target, &exact, QUICK, &mut listen).unwrap();
    assert!(heard.iter().map(|(done, _)| *done).eq(1..=180));
    assert!(heard.iter().all(|(_, total)| *total == 180));
}
