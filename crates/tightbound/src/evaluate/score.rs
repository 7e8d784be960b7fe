//! Score a model on held-out images.
//!
//! All bounds come from the *same* samples: L_1 is the mean log-weight, L_8 and L_64 are means over
//! disjoint groups of 8 and 64 samples of one image, L_K takes all of them. With them
//!
//! ```text
//! IWAE-64 = L_64        log p̂ = L_K        −KL(Q‖P) = IWAE-64 − log p̂        KL(q‖p) = log p̂ − L_1
//! ```
//!
//! (Rainforth et al. 2018, §5). Pixels are binarised once, frozen by the evaluation's seed, unless
//! told otherwise; the noise depends on that seed alone, so two models are scored on the same draws.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::curve::{Curve, GROUPS, PIECE};
use super::estimate::{CurvePoint, Estimate};
use crate::data::Images;
use crate::engine::{Batch, Engine, Noise};
use crate::random::{Purpose, Stream};

/// Images whose log-weights are computed together: 128 · 512 numbers are half a megabyte.
const IMAGES_AT_ONCE: usize = 128;

/// How held-out pixels become binary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TestPixels {
    /// One draw for all evaluations of this seed.
    #[default]
    Frozen,
    /// A draw of its own for every number, as where test pixels are redrawn at each evaluation.
    Redraw(u32),
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
    /// L_1, L_8, L_64 and L_K, as far as K reaches.
    pub l_k: Vec<CurvePoint>,
    /// log p̂ = L_K.
    pub log_p_hat: Estimate,
    /// L_64; none if K < 64.
    pub iwae_64: Option<Estimate>,
    /// IWAE-64 − log p̂, its error from the differences per image; none if K < 64.
    pub minus_kl: Option<Estimate>,
    /// log p̂ − L_1.
    pub kl_q_p: Estimate,
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

/// L_1, L_8, L_64, L_K of one image; bounds that K does not reach are left out.
type ImageCurve = Vec<(u32, f64)>;

/// Scores `parameters` on `images`; `progress` hears several times a second how many of how many
/// images are done, and may stop the scoring.
pub fn score<E: Engine + ?Sized>(
    engine: &mut E,
    parameters: &[E::Real],
    images: &Images,
    options: ScoreOptions,
    progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Scores, ScoreError> {
    let curves = per_image_curves(engine, parameters, images, options, progress)?;
    let column = |i: usize| curves.iter().map(|curve| curve[i].1).collect::<Vec<f64>>();
    let whole = curves[0].len() - 1;
    let l_k = curves[0]
        .iter()
        .enumerate()
        .map(|(i, &(k, _))| CurvePoint { k, estimate: Estimate::mean(&column(i)) });
    let log_p = column(whole);
    let difference = |a: &[f64], b: &[f64]| {
        Estimate::mean(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>())
    };
    let iwae_64 = curves[0].iter().position(|&(k, _)| k == 64).map(column);
    Ok(Scores {
        images: images.len(),
        l_k: l_k.collect(),
        log_p_hat: Estimate::mean(&log_p),
        minus_kl: iwae_64.as_ref().map(|l_64| difference(l_64, &log_p)),
        iwae_64: iwae_64.as_deref().map(Estimate::mean),
        kl_q_p: difference(&log_p, &column(0)),
    })
}

/// The bounds of every image, (k, L_k) in ascending k, in memory that does not grow with K.
pub fn per_image_curves<E: Engine + ?Sized>(
    engine: &mut E,
    parameters: &[E::Real],
    images: &Images,
    options: ScoreOptions,
    progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Vec<ImageCurve>, ScoreError> {
    check(images, engine.architecture().pixels, options)?;
    let d = images.pixel_count();
    let pixel_stream = Stream::new(options.seed, Purpose::TestPixels);
    let pixel_time = match options.test_pixels {
        TestPixels::Frozen => 0,
        TestPixels::Redraw(number) => number.max(1),
    };
    let noise = Noise { stream: Stream::new(options.seed, Purpose::EvaluationNoise), time: 0 };
    let samples = options.first_sample..options.first_sample + options.k;
    let mut pixels = vec![0; IMAGES_AT_ONCE * d];
    let mut log_weights = vec![0.0; IMAGES_AT_ONCE * PIECE];
    let mut result = Vec::with_capacity(images.len());
    for first_image in (0..images.len()).step_by(IMAGES_AT_ONCE) {
        let ids = &images.ids[first_image..images.len().min(first_image + IMAGES_AT_ONCE)];
        let pixels = &mut pixels[..ids.len() * d];
        for (i, row) in pixels.chunks_exact_mut(d).enumerate() {
            images.binarise(first_image + i, &pixel_stream, pixel_time, row);
        }
        let batch = Batch { pixels, ids };
        let mut curves = vec![Curve::new(); ids.len()];
        for first in samples.clone().step_by(PIECE) {
            let piece = first..samples.end.min(first + PIECE as u32);
            let log_weights = &mut log_weights[..ids.len() * piece.len()];
            engine.log_weights(parameters, batch, noise, piece.clone(), log_weights);
            for (curve, row) in curves.iter_mut().zip(log_weights.chunks_exact(piece.len())) {
                curve.add(row);
            }
            // Many images with many samples each take longer than an interruption should wait.
            if progress(result.len(), images.len()).is_break() {
                return Err(ScoreError::Interrupted);
            }
        }
        for (curve, &image) in curves.iter().zip(ids) {
            result.push(points(curve, options.k, image)?);
        }
        if progress(result.len(), images.len()).is_break() {
            return Err(ScoreError::Interrupted);
        }
    }
    Ok(result)
}

/// Refuses what cannot be scored.
fn check(images: &Images, model: usize, options: ScoreOptions) -> Result<(), ScoreError> {
    if images.is_empty() {
        return Err(ScoreError::NoImages);
    }
    if options.k == 0 {
        return Err(ScoreError::NoSamples);
    }
    if options.first_sample.checked_add(options.k).is_none() {
        return Err(ScoreError::TooManySamples { first: options.first_sample, k: options.k });
    }
    if images.pixel_count() != model {
        return Err(ScoreError::Pixels { images: images.pixel_count(), model });
    }
    Ok(())
}

/// The points of one image's curve; all of them must be finite.
fn points(curve: &Curve, k: u32, image: u32) -> Result<ImageCurve, ScoreError> {
    let (elbo, whole) = (curve.elbo(), curve.whole());
    for (bound, value) in [("L_1", elbo), ("L_K", whole)] {
        if !value.is_finite() {
            return Err(ScoreError::NonFinite { bound, image, value });
        }
    }
    let mut points = vec![(1, elbo)];
    for (i, size) in GROUPS.into_iter().enumerate() {
        if let Some(value) = curve.group(i).filter(|_| (size as u32) < k) {
            points.push((size as u32, value));
        }
    }
    if k > 1 {
        points.push((k, whole));
    }
    Ok(points)
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
        let options = ScoreOptions { k: 700, ..ScoreOptions::default() };
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
        assert_eq!(ks, [1, 8, 64, 700]);
        assert!(scores.l_k.windows(2).all(|w| w[0].estimate.value < w[1].estimate.value));
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
            per_image_curves(&mut engine, &parameters, &images, options, &mut |_, _| {
                ControlFlow::Continue(())
            })
            .unwrap()
        };
        let (grouped, independent) = (curves(700, 0), curves(64, 10_000));
        let differences: Vec<f64> = grouped
            .iter()
            .zip(&independent)
            .map(|(g, i)| {
                assert_eq!((g[2].0, i[2].0), (64, 64));
                g[2].1 - i[2].1
            })
            .collect();
        let difference = Estimate::mean(&differences);
        assert!(difference.value.abs() < 3.0 * difference.se, "{difference:?}");
        // The check has power: L_8 in its place would be far off.
        let wrong: Vec<f64> =
            grouped.iter().zip(&independent).map(|(g, i)| g[1].1 - i[2].1).collect();
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
        let options = ScoreOptions { k: 2 * PIECE as u32 + 1, ..ScoreOptions::default() };
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
