//! Score a model on held-out images.
//!
//! All bounds come from the *same* samples: L_1 is the mean log-weight, L_2, L_4, L_8 … are means over
//! disjoint groups of so many samples of one image, L_K takes all of them. With them
//!
//! ```text
//! IWAE-64 = L_64        log p̂ = L_K        −KL(Q‖P) = IWAE-64 − log p̂        KL(q‖p) = log p̂ − L_1
//! ```
//!
//! (Rainforth et al. 2018, §5). Pixels are binarised once, frozen by the evaluation's seed, unless
//! told otherwise; the noise depends on that seed alone, so two models are scored on the same draws.

use std::ops::ControlFlow;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::curve::{curve, curve_sizes};
use super::estimate::{CurvePoint, Estimate, Quantiles};
use super::pareto::pareto_k;
use super::pixels::TestPixels;
use crate::data::Images;
use crate::engine::{Batch, Engine, Noise};
use crate::estimators::{effective_sample_size, jackknife};
use crate::random::{Purpose, Stream};

/// Most images whose log-weights are computed together.
const IMAGES_AT_ONCE: usize = 128;

/// Most log-weights that are kept at a time, eight megabytes of them, unless one image has more.
const WEIGHTS_AT_ONCE: usize = 1 << 20;

/// Samples of every image that are computed between two looks at `progress`.
const PIECE: u32 = 512;

/// Above this k̂ an estimate from `samples` weights is not to be relied on: min(1 − 1/log₁₀ S, 0.7)
/// (Vehtari et al. 2024, §3.2.4).
pub fn reliable_k(samples: u32) -> f64 {
    (1.0 - 1.0 / libm::log10(f64::from(samples))).min(0.7)
}

/// What to score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreOptions {
    /// K ≥ 1, samples per image.
    pub k: u32,
    /// Seed of the pixels and of the noise; independent of the training's seed.
    pub seed: u64,
    /// How pixels become binary.
    pub test_pixels: TestPixels,
    /// Number of the first sample: scores with disjoint sample ranges are independent.
    pub first_sample: u32,
}

impl Default for ScoreOptions {
    fn default() -> Self {
        Self { k: 5000, seed: 0, test_pixels: TestPixels::Frozen, first_sample: 0 }
    }
}

/// The scores of one model on one set of images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Number of images.
    pub images: usize,
    /// L_1, L_2, L_4, … and L_K.
    pub l_k: Vec<CurvePoint>,
    /// log p̂ = L_K.
    pub log_p_hat: Estimate,
    /// log p̂ with its bias of order 1/K removed by the jackknife (Nowozin 2018, JVI-1), which is no
    /// bound; none if K = 1, or if an image has a single weight that is not zero.
    pub jackknife: Option<Estimate>,
    /// L_64; none if K < 64.
    pub iwae_64: Option<Estimate>,
    /// IWAE-64 − log p̂, its error from the differences per image; none if K < 64.
    pub minus_kl: Option<Estimate>,
    /// log p̂ − L_1.
    pub kl_q_p: Estimate,
    /// Effective sample size (Σw)²/Σw² of the K weights, over images.
    pub effective_samples: Quantiles,
    /// Shape k̂ of the weights' tail over images; none if no image has a tail long enough to tell.
    pub pareto_k: Option<ParetoK>,
}

/// How heavy the tails of the weights are (Vehtari et al. 2024).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParetoK {
    /// Over images.
    #[serde(flatten)]
    pub quantiles: Quantiles,
    /// Above this k̂, which depends on K, L_K may be far below log p: see [`reliable_k`].
    pub limit: f64,
    /// Fraction of all images whose k̂ is above the limit.
    pub above: f64,
}

/// What the weights of one image say.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageScore {
    /// The image's number in its data set.
    pub id: u32,
    /// L_k for every k of [`curve_sizes`], in nats.
    pub curve: Vec<f64>,
    /// log p̂ without its bias of order 1/K.
    pub jackknife: Option<f64>,
    /// Effective sample size, from 1 to K.
    pub effective_samples: f64,
    /// Shape of the weights' tail.
    pub pareto_k: Option<f64>,
}

/// Scores that cannot be given.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScoreError {
    /// There is nothing to average over.
    #[error("there are no images to score")]
    NoImages,
    /// K is zero.
    #[error("K must be at least 1: a bound without samples has no value")]
    NoSamples,
    /// Sample numbers leave their 32 bits.
    #[error("samples {first} to {first} + {k} are more than can be numbered")]
    TooManySamples {
        /// Number of the first sample.
        first: u32,
        /// K.
        k: u32,
    },
    /// The images do not fit the model.
    #[error("the images have {images} pixels and the model {model}: was it trained on other data?")]
    Pixels {
        /// D of the images.
        images: usize,
        /// D of the model.
        model: usize,
    },
    /// `progress` asked to stop.
    #[error("the scoring was interrupted")]
    Interrupted,
    /// A log-weight is NaN, or all of an image's are −∞.
    #[error("{bound} of image {image} is {value}: the model's parameters may have diverged")]
    NonFinite {
        /// L_1 or L_K.
        bound: &'static str,
        /// The image's number in its data set.
        image: u32,
        /// Its value.
        value: f64,
    },
}

/// Scores `parameters` on `images`; `progress` hears several times a second how many of how many
/// images are done, and may stop the scoring.
pub fn score<E: Engine + ?Sized>(
    engine: &mut E,
    parameters: &[E::Real],
    images: &Images,
    options: ScoreOptions,
    progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Scores, ScoreError> {
    Ok(Scores::of(&score_images(engine, parameters, images, options, progress)?, options.k))
}

/// Scores every image for itself. Memory grows with K: one image's log-weights are kept at least.
pub fn score_images<E: Engine + ?Sized>(
    engine: &mut E,
    parameters: &[E::Real],
    images: &Images,
    options: ScoreOptions,
    progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Vec<ImageScore>, ScoreError> {
    options.check(images, engine.architecture().pixels)?;
    let noise = Noise { stream: Stream::new(options.seed, Purpose::EvaluationNoise), time: 0 };
    let k = options.k as usize;
    let at_once = (WEIGHTS_AT_ONCE / k).clamp(1, IMAGES_AT_ONCE);
    let mut piece = vec![0.0; at_once * k.min(PIECE as usize)];
    let mut log_weights = vec![0.0; at_once * k];
    let mut result = Vec::with_capacity(images.len());
    for start in (0..images.len()).step_by(at_once) {
        let range = start..images.len().min(start + at_once);
        let pixels = options.test_pixels.draw(images, range.clone(), options.seed);
        let batch = Batch { pixels: &pixels, ids: &images.ids[range] };
        let log_weights = &mut log_weights[..batch.ids.len() * k];
        for first in (0..options.k).step_by(PIECE as usize) {
            let samples = first..options.k.min(first + PIECE);
            let columns = first as usize..samples.end as usize;
            let piece = &mut piece[..batch.ids.len() * columns.len()];
            let numbers = options.first_sample + samples.start..options.first_sample + samples.end;
            engine.log_weights(parameters, batch, noise, numbers, piece);
            let rows = log_weights.chunks_exact_mut(k).zip(piece.chunks_exact(columns.len()));
            rows.for_each(|(row, piece)| row[columns.clone()].copy_from_slice(piece));
            // Many images with many samples each take longer than an interruption should wait.
            if progress(result.len(), images.len()).is_break() {
                return Err(ScoreError::Interrupted);
            }
        }
        let rows = log_weights.par_chunks_exact(k).zip(batch.ids);
        let scores: Result<Vec<_>, _> = rows.map(|(row, &id)| ImageScore::new(id, row)).collect();
        result.extend(scores?);
        if progress(result.len(), images.len()).is_break() {
            return Err(ScoreError::Interrupted);
        }
    }
    Ok(result)
}

impl ScoreOptions {
    /// Refuses what cannot be scored by a model of `pixels` pixels.
    pub(super) fn check(&self, images: &Images, pixels: usize) -> Result<(), ScoreError> {
        if images.is_empty() {
            return Err(ScoreError::NoImages);
        }
        if self.k == 0 {
            return Err(ScoreError::NoSamples);
        }
        if self.first_sample.checked_add(self.k).is_none() {
            return Err(ScoreError::TooManySamples { first: self.first_sample, k: self.k });
        }
        if images.pixel_count() != pixels {
            return Err(ScoreError::Pixels { images: images.pixel_count(), model: pixels });
        }
        Ok(())
    }
}

impl ImageScore {
    /// What `log_weights` `[K]` say of image `id`; L_1 and L_K must be finite.
    fn new(id: u32, log_weights: &[f64]) -> Result<Self, ScoreError> {
        let curve = curve(log_weights);
        for (bound, value) in [("L_1", curve[0]), ("L_K", curve[curve.len() - 1])] {
            if !value.is_finite() {
                return Err(ScoreError::NonFinite { bound, image: id, value });
            }
        }
        Ok(Self {
            id,
            curve,
            jackknife: jackknife(log_weights).filter(|bound| bound.is_finite()),
            effective_samples: effective_sample_size(log_weights),
            pareto_k: pareto_k(log_weights),
        })
    }

    /// L_K.
    pub fn log_p_hat(&self) -> f64 {
        self.curve[self.curve.len() - 1]
    }
}

impl Scores {
    /// Means and distributions over `images`, one at least, that were scored with K = `k`.
    pub fn of(images: &[ImageScore], k: u32) -> Self {
        let column = |i: usize| images.iter().map(|image| image.curve[i]).collect::<Vec<f64>>();
        let sizes = curve_sizes(k);
        let l_k = sizes.iter().enumerate();
        let l_k = l_k.map(|(i, &k)| CurvePoint { k, estimate: Estimate::mean(&column(i)) });
        let log_p = column(sizes.len() - 1);
        let l_64 = sizes.iter().position(|&size| size == 64).map(column);
        let corrected: Option<Vec<f64>> = images.iter().map(|image| image.jackknife).collect();
        let effective = images.iter().map(|image| image.effective_samples).collect();
        Self {
            images: images.len(),
            l_k: l_k.collect(),
            log_p_hat: Estimate::mean(&log_p),
            jackknife: corrected.as_deref().map(Estimate::mean),
            minus_kl: l_64.as_ref().map(|l_64| Estimate::mean_difference(l_64, &log_p)),
            iwae_64: l_64.as_deref().map(Estimate::mean),
            kl_q_p: Estimate::mean_difference(&log_p, &column(0)),
            effective_samples: Quantiles::of(effective).expect("there is an image"),
            pareto_k: ParetoK::of(images, reliable_k(k)),
        }
    }
}

impl ParetoK {
    fn of(images: &[ImageScore], limit: f64) -> Option<Self> {
        let values: Vec<f64> = images.iter().filter_map(|image| image.pareto_k).collect();
        let above = values.iter().filter(|&&k| k > limit).count() as f64 / images.len() as f64;
        Some(Self { quantiles: Quantiles::of(values)?, limit, above })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Pixels;
    use crate::engine::cpu::CpuEngine;
    use crate::engine::reference::ReferenceEngine;
    use crate::engine::{Adam, AdamUpdate, Objective, Prune};
    use crate::estimators::EstimatorSettings;
    use crate::model::{Activation, Architecture, Initialisation, OutputBias, Sigma, initialise};

    fn setup(images: usize) -> (Architecture, Vec<f32>, Images) {
        let architecture = Architecture {
            pixels: 36,
            encoder: vec![8],
            latents: 3,
            decoder: vec![9],
            activation: Activation::Tanh,
            sigma: Sigma::Exp,
        };
        let mean = vec![0.4; 36];
        let (kind, bias) = (Initialisation::Pytorch, OutputBias::Default);
        let parameters = initialise(&architecture, kind, bias, &mean, 3);
        let grey = (0..images * 36).map(|i| (i * 37 % 256) as u8).collect();
        let ids = (0..images as u32).map(|i| i + 5).collect();
        let pixels = Pixels::Bytes(grey);
        (architecture, parameters, Images { height: 6, width: 6, pixels, ids, labels: None })
    }

    #[test]
    fn curve_is_nested_and_identities_hold() {
        let (architecture, parameters, images) = setup(140);
        let mut engine = CpuEngine::new(architecture, 2).unwrap();
        let options = ScoreOptions { k: 640, ..ScoreOptions::default() };
        let scores =
            score(
                &mut engine,
                &parameters,
                &images,
                options,
                &mut |_, _| ControlFlow::Continue(()),
            )
            .unwrap();
        let ks: Vec<u32> = scores.l_k.iter().map(|p| p.k).collect();
        assert_eq!(ks, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 640]);
        // As far as the groups of one point are pairs of those of the point before: 640 = 5 · 128.
        let nested = [0, 1, 2, 3, 4, 5, 6, 7, 10].map(|point| scores.l_k[point].estimate.value);
        assert!(nested.windows(2).all(|w| w[0] < w[1]));
        // Whatever IWAE-64 is computed from, it is the point of the curve, not another bound on fewer images.
        assert_eq!((scores.l_k[6].k, scores.iwae_64), (64, Some(scores.l_k[6].estimate)));
        let l_64 = scores.iwae_64.unwrap().value;
        let minus_kl = scores.minus_kl.unwrap();
        // Means of 140 differences against differences of means, in f64.
        assert!((minus_kl.value - (l_64 - scores.log_p_hat.value)).abs() < 1e-11);
        assert!(
            (scores.kl_q_p.value - (scores.log_p_hat.value - scores.l_k[0].estimate.value)).abs()
                < 1e-11
        );
        assert!(minus_kl.se < scores.log_p_hat.se, "the difference is paired");
    }

    /// 300 steps of IWAE-8 on the images, by Adam.
    fn train(engine: &mut CpuEngine, parameters: &mut [f32], images: &Images) {
        let iwae = EstimatorSettings::new("iwae", 1, 8);
        let estimator = &*iwae.build().unwrap();
        let mut buffers = [(); 3].map(|()| vec![0.0; parameters.len()]);
        let [gradient, first_moment, second_moment] = &mut buffers;
        let mut pixels = vec![0; images.len() * images.pixel_count()];
        for step in 1..=300 {
            let stream = Stream::new(1, Purpose::Binarisation);
            for (i, row) in pixels.chunks_exact_mut(images.pixel_count()).enumerate() {
                images.binarise(i, &stream, step, row);
            }
            let batch = Batch { pixels: &pixels, ids: &images.ids };
            let noise = Noise { stream: Stream::new(1, Purpose::Noise), time: step };
            let objective = Objective { estimator, noise, prune: Prune::Lossless };
            engine.gradient(parameters, batch, objective, gradient).unwrap();
            engine.adam(AdamUpdate {
                parameters,
                gradient,
                first_moment,
                second_moment,
                adam: Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
                rate: 0.01,
                step: step.into(),
            });
        }
    }

    /// The trap of slicing batches: L_64 from groups of the 700 samples must be an L_64. Samples
    /// that no group has used give an independent one, on a trained model; 3 standard errors of the paired difference.
    #[test]
    fn grouped_l_64_agrees_with_an_independent_one() {
        let (architecture, mut parameters, images) = setup(300);
        let mut engine = CpuEngine::new(architecture, 2).unwrap();
        train(&mut engine, &mut parameters, &images);
        let mut curves = |k, first_sample| {
            let options = ScoreOptions { k, first_sample, ..ScoreOptions::default() };
            score_images(&mut engine, &parameters, &images, options, &mut |_, _| {
                ControlFlow::Continue(())
            })
            .unwrap()
        };
        let (grouped, independent) = (curves(700, 0), curves(64, 10_000));
        const L_64: usize = 6;
        assert_eq!((curve_sizes(700)[L_64], curve_sizes(64)[L_64]), (64, 64));
        let differences: Vec<f64> =
            grouped.iter().zip(&independent).map(|(g, i)| g.curve[L_64] - i.curve[L_64]).collect();
        let difference = Estimate::mean(&differences);
        assert!(difference.value.abs() < 3.0 * difference.se, "{difference:?}");
        // The check has power: L_8 in its place would be far off.
        let wrong: Vec<f64> =
            grouped.iter().zip(&independent).map(|(g, i)| g.curve[3] - i.curve[L_64]).collect();
        let wrong = Estimate::mean(&wrong);
        assert!(wrong.value.abs() > 3.0 * wrong.se, "{wrong:?}");
    }

    #[test]
    fn both_engines_give_the_same_scores() {
        let (architecture, parameters, images) = setup(7);
        let options = ScoreOptions { k: 70, seed: 4, ..ScoreOptions::default() };
        let mut cpu = CpuEngine::new(architecture.clone(), 1).unwrap();
        let fast =
            score(&mut cpu, &parameters, &images, options, &mut |_, _| ControlFlow::Continue(()))
                .unwrap();
        let parameters: Vec<f64> = parameters.iter().map(|&p| p.into()).collect();
        let mut reference = ReferenceEngine::new(architecture);
        let exact = score(&mut reference, &parameters, &images, options, &mut |_, _| {
            ControlFlow::Continue(())
        })
        .unwrap();
        for (fast, exact) in fast.l_k.iter().zip(&exact.l_k) {
            // 36 pixels rounded to 2⁻²⁴ of terms of order one.
            assert!((fast.estimate.value - exact.estimate.value).abs() < 1e-5);
        }
    }

    /// Three pieces of samples, the first of which ends long before the first image is done.
    #[test]
    fn scoring_can_be_stopped_between_the_samples_of_an_image() {
        let (architecture, parameters, images) = setup(3);
        let mut engine = CpuEngine::new(architecture, 1).unwrap();
        let options = ScoreOptions { k: 2 * PIECE + 1, ..ScoreOptions::default() };
        let mut heard = Vec::new();
        let mut stop_at = |call: usize| {
            heard.clear();
            let stop = &mut |done, of| {
                heard.push((done, of));
                if heard.len() == call { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let scores = score(&mut engine, &parameters, &images, options, stop);
            (scores.map(|scores| scores.images), heard.clone())
        };
        assert_eq!(stop_at(2), (Err(ScoreError::Interrupted), vec![(0, 3); 2]));
        assert_eq!(stop_at(9), (Ok(3), vec![(0, 3), (0, 3), (0, 3), (3, 3)]));
    }

    /// The standard error of one image is NaN, which JSON writes as null.
    #[test]
    fn scores_come_back_from_json_even_those_of_one_image() {
        let (architecture, parameters, images) = setup(2);
        let mut engine = CpuEngine::new(architecture, 1).unwrap();
        let options = ScoreOptions { k: 9, ..ScoreOptions::default() };
        for n in [1, 2] {
            let images = images.select(&[0, 1][..n]);
            let go_on = &mut |_, _| ControlFlow::Continue(());
            let scores = score(&mut engine, &parameters, &images, options, go_on).unwrap();
            let text = serde_json::to_string(&scores).unwrap();
            let back: Scores = serde_json::from_str(&text).unwrap();
            assert_eq!(back.log_p_hat.value, scores.log_p_hat.value);
            assert_eq!(back.l_k[1].estimate.se.is_nan(), n == 1);
            assert_eq!(back.effective_samples, scores.effective_samples);
            assert_eq!(serde_json::to_string(&back).unwrap(), text);
        }
    }

    #[test]
    fn what_cannot_be_scored_is_refused() {
        let (architecture, mut parameters, images) = setup(3);
        let mut engine = CpuEngine::new(architecture, 1).unwrap();
        let mut error = |parameters: &[f32], images: &Images, options| {
            score(&mut engine, parameters, images, options, &mut |_, _| ControlFlow::Continue(()))
                .unwrap_err()
        };
        let options = ScoreOptions { k: 4, ..ScoreOptions::default() };
        let none = ScoreOptions { k: 0, ..options };
        assert_eq!(error(&parameters, &images, none), ScoreError::NoSamples);
        let many = ScoreOptions { k: 2, first_sample: u32::MAX, ..options };
        assert!(matches!(error(&parameters, &images, many), ScoreError::TooManySamples { .. }));
        let narrow = Images { width: 5, ..images.clone() };
        let expected = ScoreError::Pixels { images: 30, model: 36 };
        assert_eq!(error(&parameters, &narrow, options), expected);
        parameters[0] = f32::NAN;
        let nan = error(&parameters, &images, options);
        assert!(matches!(nan, ScoreError::NonFinite { bound: "L_1", image: 5, .. }), "{nan}");
    }
}
