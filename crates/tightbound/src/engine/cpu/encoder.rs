//! Take images through the encoder, forward and backward.

use std::ops::Deref;

use rayon::prelude::*;

use super::kernels::{
    ActivationBackward, ActivationForward, Buffer, KernelPath, SigmaBackward, SigmaForward, Start,
    pad,
};
use super::layer::PanelRows;
use super::model::PackedModel;

/// Most images of a pass.
const PASS_IMAGES: usize = 16;

/// The encoder's state after a batch, in passes of equally many images.
#[derive(Clone, Debug, Default)]
pub(super) struct Passes {
    passes: Vec<EncoderPass>,
    /// Images per pass; the last may have fewer.
    images: usize,
}

impl Passes {
    /// Encodes `pixels` `[B, D]`, B ≥ 1, on the current thread pool.
    pub(super) fn forward(&mut self, path: KernelPath, model: &PackedModel, pixels: &[u8]) {
        let images = pixels.len() / model.pixels;
        self.images = images.div_ceil(images.div_ceil(PASS_IMAGES));
        let chunks = pixels.par_chunks(self.images * model.pixels);
        self.passes.resize_with(chunks.len(), EncoderPass::default);
        self.passes
            .par_iter_mut()
            .zip(chunks)
            .for_each(|(pass, pixels)| pass.forward(path, model, pixels));
    }

    /// Carries the gradients at μ and σ back, as [`EncoderPass::backward`] does.
    pub(super) fn backward(&mut self, path: KernelPath, model: &PackedModel) {
        self.passes.par_iter_mut().for_each(|pass| pass.backward(path, model));
    }

    /// The pass that holds image `image` of the batch, and its row there.
    pub(super) fn of(&self, image: usize) -> (&EncoderPass, usize) {
        (&self.passes[image / self.images], image % self.images)
    }

    /// The same, to be changed.
    pub(super) fn of_mut(&mut self, image: usize) -> (&mut EncoderPass, usize) {
        (&mut self.passes[image / self.images], image % self.images)
    }

    /// Adds to the gradients at μ and σ of image `image`, `[pad(L)]` each.
    pub(super) fn add(&mut self, image: usize, [d_mean, d_sd]: [&[f32]; 2]) {
        let (pass, position) = self.of_mut(image);
        for (sums, terms) in [(&mut pass.d_mean, d_mean), (&mut pass.d_sd, d_sd)] {
            let own = position * terms.len()..(position + 1) * terms.len();
            for (sum, term) in sums[own].iter_mut().zip(terms) {
                *sum += term;
            }
        }
    }

    /// All passes, in the order of the images.
    pub(super) fn iter(&self) -> impl Iterator<Item = &EncoderPass> {
        self.passes.iter()
    }
}

/// The encoder's state after some images; rows are images, padded to whole vectors.
#[derive(Clone, Debug, Default)]
pub(super) struct EncoderPass {
    /// Inputs of the hidden layers and, last, of the heads; `inputs[0]` are the pixels.
    inputs: Vec<Buffer>,
    /// Output of the σ head, `[images, pad(L)]`.
    sigma_raw: Buffer,
    /// μ, `[images, pad(L)]`, zero beyond L.
    pub(super) mean: Buffer,
    /// σ, `[images, pad(L)]`, positive beyond L.
    pub(super) sd: Buffer,
    /// Gradient at μ, `[images, pad(L)]`.
    pub(super) d_mean: Buffer,
    /// Gradient at σ, `[images, pad(L)]`; after [`backward`](Self::backward) at the σ head's output.
    pub(super) d_sd: Buffer,
    /// Gradients at the outputs of the hidden layers.
    deltas: Vec<Buffer>,
    ones: Vec<f32>,
}

impl EncoderPass {
    /// Pixels of image `i` as floats, `[stride]`, zero beyond D.
    pub(super) fn pixels(&self, i: usize, stride: usize) -> &[f32] {
        &self.inputs[0][i * stride..(i + 1) * stride]
    }

    /// Σ_l log σ of image `i`, the part of log w that all its samples share.
    pub(super) fn log_sd(&self, i: usize, latents: usize) -> f64 {
        let row = &self.sd[i * pad(latents)..];
        row[..latents].iter().map(|&sd| libm::log(f64::from(sd))).sum()
    }

    /// Encodes `pixels` `[images, D]`, and sets the gradients at μ and σ to zero.
    pub(super) fn forward(&mut self, path: KernelPath, model: &PackedModel, pixels: &[u8]) {
        let images = pixels.len() / model.pixels;
        let stride = pad(model.pixels);
        self.ones.clear();
        self.ones.resize(images, 1.0);
        self.inputs.resize(model.encoder.len() + 1, Buffer::default());
        self.inputs[0].resize(images * stride);
        let rows = self.inputs[0].chunks_exact_mut(stride);
        for (to, from) in rows.zip(pixels.chunks_exact(model.pixels)) {
            for (to, &from) in to.iter_mut().zip(from) {
                *to = f32::from(from);
            }
        }
        for (i, layer) in model.encoder.iter().enumerate() {
            let (before, after) = self.inputs.split_at_mut(i + 1);
            let h = &mut after[0];
            h.resize(images * layer.output_stride());
            layer.forward(path, &before[i], h);
            path.run(ActivationForward { activation: model.activation, h });
        }
        let last = &self.inputs[model.encoder.len()];
        for buffer in
            [&mut self.mean, &mut self.sigma_raw, &mut self.sd, &mut self.d_mean, &mut self.d_sd]
        {
            buffer.resize(images * pad(model.latents));
        }
        model.mean_head.forward(path, last, &mut self.mean);
        model.sigma_head.forward(path, last, &mut self.sigma_raw);
        path.run(SigmaForward { sigma: model.sigma, raw: &self.sigma_raw, sd: &mut self.sd });
        self.d_mean.fill(0.0);
        self.d_sd.fill(0.0);
    }

    /// Carries the gradients at μ and σ to the outputs of all layers.
    pub(super) fn backward(&mut self, path: KernelPath, model: &PackedModel) {
        let Self { inputs, sigma_raw, sd, d_mean, d_sd, deltas, .. } = self;
        path.run(SigmaBackward { sigma: model.sigma, raw: sigma_raw, sd, d: d_sd });
        deltas.resize(model.encoder.len(), Buffer::default());
        for i in (0..model.encoder.len()).rev() {
            let h = &inputs[i + 1];
            let (before, after) = deltas.split_at_mut(i + 1);
            let d = &mut before[i];
            d.resize(h.len());
            match after.first() {
                Some(d_next) => model.encoder[i + 1].backward(path, d_next, d),
                None => {
                    model.mean_head.backward(path, d_mean, d);
                    model.sigma_head.backward_from(path, d_sd, Start::Accumulate, d);
                }
            }
            path.run(ActivationBackward { activation: model.activation, h, d });
        }
    }

    /// What the gradient of each layer sums, hidden layers first, then the heads of μ and σ.
    pub(super) fn panel_rows(&self) -> impl Iterator<Item = PanelRows<'_>> {
        let rows = |(delta, scaled_input)| PanelRows { scale: &self.ones, delta, scaled_input };
        let hidden = self.deltas.iter().map(Deref::deref).zip(self.inputs.iter().map(Deref::deref));
        let last = &self.inputs[self.deltas.len()][..];
        hidden.chain([(&self.d_mean[..], last), (&self.d_sd[..], last)]).map(rows)
    }
}
