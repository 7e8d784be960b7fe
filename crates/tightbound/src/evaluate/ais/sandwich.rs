//! Hold log p(x) between two bounds, on images that the model draws itself.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::chains::{Draws, Role};
use super::error::AisError;
use super::run::{AisOptions, AnnealedImage, Walk};
use super::target::Target;
use crate::data::{Images, Pixels};
use crate::engine::{Engine, Real};
use crate::estimators::log_mean_exp;
use crate::evaluate::Estimate;

/// log p(x) of one image, from below and from above.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SandwichedImage {
    /// From below, by chains that begin at the prior.
    #[serde(flatten)]
    pub lower: AnnealedImage,
    /// From above, by chains that begin at the point that drew the image, in nats.
    pub upper: f64,
}

/// Means over images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sandwich {
    /// Every image.
    pub images: Vec<SandwichedImage>,
    /// Mean of the lower bounds.
    pub lower: Estimate,
    /// Mean of the upper bounds.
    pub upper: Estimate,
    /// Upper − lower, image by image: neither bound's mean is further from that of log p(x), but for
    /// the error given.
    pub gap: Estimate,
}

/// Images that a model drew, with the latents that drew them.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulated {
    /// The images, every pixel 0 or 255, numbered from 0.
    pub images: Images,
    /// z, `[N, L]`: each an exact draw of p(z|x) of its image.
    pub latents: Vec<f64>,
}

/// Draws `count` images of `height` · `width` pixels: z ~ p(z), then x ~ p(x|z).
///
/// # Panics
/// If the model has another number of pixels.
pub fn simulate<E: Engine + ?Sized>(
    engine: &mut E,
    parameters: &[E::Real],
    count: u32,
    [height, width]: [usize; 2],
    seed: u64,
) -> Simulated {
    let (d, l) = (engine.architecture().pixels, engine.architecture().latents);
    assert_eq!(height * width, d, "height · width pixels");
    let draws = Draws::new(seed, Role::Simulation);
    let mut latents = vec![0.0; count as usize * l];
    for (image, z) in (0..).zip(latents.chunks_exact_mut(l)) {
        draws.normals(0, image, 0, z);
    }
    let rounded: Vec<_> = latents.iter().map(|&z| E::Real::from_f64(z)).collect();
    let probabilities = engine.decode(parameters, &rounded);
    let pixels = probabilities.iter().enumerate().map(|(i, &p)| {
        let u = draws.uniform(1, (i / d) as u32, 0, (i % d) as u32);
        if u < p.into() { 255 } else { 0 }
    });
    let images = Images::new(height, width, Pixels::Bytes(pixels.collect()), None);
    Simulated { images, latents }
}

/// Bounds log p(x) of every image of `target` from both sides (bidirectional Monte Carlo: Grosse et al.
/// 2015; Wu et al. 2017, §4). `exact` `[N, L]` is one draw of p(z|x) for each image.
///
/// The lower bound is log of the mean of C weights, the upper −log of the mean of C inverse weights. Their
/// *means* over draws enclose log p(x); of one image, noise may turn them round. `progress` as in
/// [`forward`](super::forward).
///
/// # Errors
/// [`AisError`] for nothing to do, a density that is not finite, or a stop.
///
/// # Panics
/// If `exact` does not hold one point per image.
pub fn sandwich<T: Target + ?Sized>(
    target: &mut T,
    exact: &[f64],
    options: AisOptions,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<Sandwich, AisError> {
    assert_eq!(exact.len(), target.ids().len() * target.latents(), "one point per image");
    let mut walk = Walk::new(target, options, 3, progress)?;
    let mut images = Vec::with_capacity(target.ids().len());
    for block in walk.blocks() {
        let sizes = walk.tune(target, block.clone())?;
        let below = walk.up(target, block.clone(), &sizes)?;
        let above = walk.down(target, block, &sizes, exact)?;
        let above = above.chunks_exact(options.chains as usize).map(|row| {
            let inverse: Vec<f64> = row.iter().map(|log_w| -log_w).collect();
            -log_mean_exp(&inverse)
        });
        let pairs = below.into_iter().zip(above);
        images.extend(pairs.map(|(lower, upper)| SandwichedImage { lower, upper }));
    }
    let mean = |of: &dyn Fn(&SandwichedImage) -> f64| {
        Estimate::mean(&images.iter().map(of).collect::<Vec<f64>>())
    };
    Ok(Sandwich {
        lower: mean(&|image| image.lower.log_p_hat),
        upper: mean(&|image| image.upper),
        gap: mean(&|image| image.upper - image.lower.log_p_hat),
        images,
    })
}
