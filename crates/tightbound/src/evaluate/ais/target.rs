//! Say what annealing needs of a model: log p(x|z) and its slope at many points.

use std::ops::Range;

use crate::data::Images;
use crate::engine::{Engine, LikelihoodGradient, Points, Real};
use crate::evaluate::TestPixels;

/// A model with z ~ N(0, I) of L dimensions, and the images it explains.
pub trait Target {
    /// L.
    fn latents(&self) -> usize;

    /// `[N]`: the images' numbers in their data set, which address the random draws.
    fn ids(&self) -> &[u32];

    /// Computes log p(x|z) and its slope for the `images` (positions in [`ids`](Self::ids)) at
    /// `latents` `[B, C, L]`, C chains for each of the B images. A point's values may not depend on
    /// the other points.
    fn log_likelihood(&mut self, images: Range<usize>, latents: &[f64], out: Values<'_>);
}

/// What [`Target::log_likelihood`] writes.
#[derive(Debug)]
pub struct Values<'a> {
    /// log p(x|z), `[B, C]`, in nats.
    pub log_likelihood: &'a mut [f64],
    /// ∂z log p(x|z), `[B, C, L]`.
    pub d_z: &'a mut [f64],
}

/// A model in an engine, and binary images.
///
/// Chains move in f64. The engine sees z rounded to its own type; what it says at the rounded point
/// is the density that is annealed, so rounding takes nothing from the exactness of a transition.
#[derive(Debug)]
pub struct EngineTarget<'a, E: Engine + ?Sized> {
    engine: &'a mut E,
    parameters: &'a [E::Real],
    pixels: Vec<u8>,
    ids: Vec<u32>,
    latents: Vec<E::Real>,
    d_z: Vec<E::Real>,
}

impl<'a, E: Engine + ?Sized> EngineTarget<'a, E> {
    /// Images whose binary pixels are drawn once by `seed`, as scores with frozen pixels draw them.
    ///
    /// # Panics
    /// If the images do not have the pixels that the model takes.
    pub fn new(engine: &'a mut E, parameters: &'a [E::Real], images: &Images, seed: u64) -> Self {
        let d = images.pixel_count();
        assert_eq!(d, engine.architecture().pixels, "D pixels per image");
        let pixels = TestPixels::Frozen.draw(images, 0..images.len(), seed);
        let ids = images.ids.clone();
        Self { engine, parameters, pixels, ids, latents: Vec::new(), d_z: Vec::new() }
    }
}

impl<E: Engine + ?Sized> Target for EngineTarget<'_, E> {
    fn latents(&self) -> usize {
        self.engine.architecture().latents
    }

    fn ids(&self) -> &[u32] {
        &self.ids
    }

    fn log_likelihood(&mut self, images: Range<usize>, latents: &[f64], out: Values<'_>) {
        let d = self.engine.architecture().pixels;
        self.latents.clear();
        self.latents.extend(latents.iter().map(|&z| E::Real::from_f64(z)));
        self.d_z.resize(latents.len(), E::Real::default());
        let pixels = &self.pixels[images.start * d..images.end * d];
        let points = Points { pixels, latents: &self.latents };
        let written = LikelihoodGradient { log_likelihood: out.log_likelihood, d_z: &mut self.d_z };
        self.engine.likelihood_gradient(self.parameters, points, written);
        for (to, &from) in out.d_z.iter_mut().zip(&self.d_z) {
            *to = from.into();
        }
    }
}
