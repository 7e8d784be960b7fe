//! Send images through encoder and decoder, and say how much of them comes back.

use std::ops::{ControlFlow, Range};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::score::{ScoreError, ScoreOptions};
use super::ssim::{Border, Ssim};
use super::units::{UnitSums, Units};
use crate::data::Images;
use crate::engine::{Batch, Engine, Posterior};
use crate::random::{Purpose, Stream};

/// Images that go through together.
const IMAGES_AT_ONCE: usize = 128;

/// Images with fewer rows or columns are taken for rows of numbers without a shape.
const SMALLEST_SIDE: usize = 2;

/// From where in q(z|x) an image is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Code {
    /// One draw from the posterior, as the reproduction report does.
    Sample,
    /// The posterior's mean.
    Mean,
}

/// SSIM between binary pixels and the pixel probabilities decoded from their code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SsimScore {
    /// What is decoded.
    pub code: Code,
    /// What happens at the image's border; numbers of different modes must not be compared.
    pub border: Border,
    /// Mean over images.
    pub mean: f64,
    /// Population standard deviation over images, as the reproduction report gives it.
    pub sd: f64,
}

/// A batch of images and what the model makes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconstruction {
    /// The binary pixels that the encoder saw, `[B, D]`.
    pub pixels: Vec<u8>,
    /// q(z|x).
    pub posterior: Posterior<f32>,
    /// Pixel probabilities decoded from one draw of q(z|x), `[B, D]`.
    pub from_sample: Vec<f32>,
    /// Pixel probabilities decoded from the mean of q(z|x), `[B, D]`.
    pub from_mean: Vec<f32>,
}

/// What [`examine`] finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Examination {
    /// The latent units.
    pub units: Units,
    /// SSIM for every code and border mode that the images' shape allows; none where it is unknown.
    pub ssim: Vec<SsimScore>,
    /// The first of `ssim`, a number per image.
    pub per_image: Vec<f64>,
}

/// Sends the images at positions `range` through encoder and decoder. Pixels and posterior draws
/// depend on `options.seed` and the images' numbers alone, so models are shown the same.
pub fn reconstruct(
    engine: &mut dyn Engine<Real = f32>,
    parameters: &[f32],
    images: &Images,
    range: Range<usize>,
    options: ScoreOptions,
) -> Reconstruction {
    let latents = engine.architecture().latents;
    let pixels = options.test_pixels.draw(images, range.clone(), options.seed);
    let ids = &images.ids[range];
    let posterior = engine.encode(parameters, Batch { pixels: &pixels, ids });
    let stream = Stream::new(options.seed, Purpose::Sampling);
    let mut noise = vec![0.0; latents];
    let mut codes = posterior.mean.clone();
    let rows = codes.chunks_exact_mut(latents).zip(posterior.sd.chunks_exact(latents));
    for ((code, sd), &id) in rows.zip(ids) {
        // Time 1 keeps these draws apart from those of the prior.
        stream.normals(1, id, 0, &mut noise);
        for ((z, sd), noise) in code.iter_mut().zip(sd).zip(&noise) {
            *z += sd * noise;
        }
    }
    let from_sample = engine.decode(parameters, &codes);
    let from_mean = engine.decode(parameters, &posterior.mean);
    Reconstruction { pixels, posterior, from_sample, from_mean }
}

/// Says which latent units are used for `images`, and how much of the images comes back (SSIM, Wang
/// et al. 2004). `progress` is asked several times a second whether to go on.
///
/// # Errors
/// [`ScoreError::Interrupted`], or what [`score`](fn@super::score) refuses too.
pub fn examine(
    engine: &mut dyn Engine<Real = f32>,
    parameters: &[f32],
    images: &Images,
    options: ScoreOptions,
    progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Examination, ScoreError> {
    options.check(images, engine.architecture().pixels)?;
    let d = images.pixel_count();
    let mut units = UnitSums::new(engine.architecture().latents);
    let mut modes = modes(images);
    for start in (0..images.len()).step_by(IMAGES_AT_ONCE) {
        let range = start..images.len().min(start + IMAGES_AT_ONCE);
        let back = reconstruct(engine, parameters, images, range.clone(), options);
        units.add(&back.posterior);
        let binary: Vec<f32> = back.pixels.iter().map(|&pixel| f32::from(pixel)).collect();
        for (mode, values) in &mut modes {
            let decoded = match mode.code {
                Code::Sample => &back.from_sample,
                Code::Mean => &back.from_mean,
            };
            let pairs = binary.par_chunks_exact(d).zip(decoded.par_chunks_exact(d));
            values.par_extend(pairs.map(|(image, decoded)| mode.ssim.of(image, decoded)));
        }
        if progress(range.end, images.len()).is_break() {
            return Err(ScoreError::Interrupted);
        }
    }
    let ssim = modes.iter().map(|(mode, values)| mode.score(values)).collect();
    let per_image = modes.into_iter().next().map_or_else(Vec::new, |(_, values)| values);
    Ok(Examination { units: units.finish(), ssim, per_image })
}

/// A code with a border mode.
struct Mode {
    code: Code,
    border: Border,
    ssim: Ssim,
}

impl Mode {
    fn score(&self, values: &[f64]) -> SsimScore {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        SsimScore { code: self.code, border: self.border, mean, sd: variance.sqrt() }
    }
}

/// The modes that the shape of the images allows, the report's first.
fn modes(images: &Images) -> Vec<(Mode, Vec<f64>)> {
    let (height, width) = (images.height, images.width);
    let mut modes = Vec::new();
    if height.min(width) < SMALLEST_SIDE {
        return modes;
    }
    for code in [Code::Sample, Code::Mean] {
        for border in [Border::ZeroPadded, Border::Valid] {
            if let Ok(ssim) = Ssim::new(height, width, border) {
                modes.push((Mode { code, border, ssim }, Vec::new()));
            }
        }
    }
    modes
}
