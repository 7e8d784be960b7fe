//! Take images through the encoder, forward and backward.

use super::kernels::{
    ActivationBackward, ActivationForward, KernelPath, SigmaBackward, SigmaForward, Start, pad,
};
use super::layer::PackedLayer;
use super::model::{ModelGradient, PackedModel};

/// The encoder's state after some images; rows are images, padded to whole vectors.
#[derive(Clone, Debug, Default)]
pub(super) struct EncoderPass {
    /// Inputs of the hidden layers and, last, of the heads; `inputs[0]` are the pixels.
    inputs: Vec<Vec<f32>>,
    /// Output of the σ head, `[images, pad(L)]`.
    sigma_raw: Vec<f32>,
    /// μ, `[images, pad(L)]`, zero beyond L.
    pub(super) mean: Vec<f32>,
    /// σ, `[images, pad(L)]`, positive beyond L.
    pub(super) sd: Vec<f32>,
    /// Gradient at μ, `[images, pad(L)]`.
    pub(super) d_mean: Vec<f32>,
    /// Gradient at σ, `[images, pad(L)]`.
    pub(super) d_sd: Vec<f32>,
}

impl EncoderPass {
    /// Pixels of image `i` as floats, `[pad(D)]`, zero beyond D.
    pub(super) fn pixels(&self, i: usize, stride: usize) -> &[f32] {
        &self.inputs[0][i * stride..(i + 1) * stride]
    }

    /// Encodes `pixels` `[images, D]`, and sets the gradients at μ and σ to zero.
    pub(super) fn forward(&mut self, path: KernelPath, model: &PackedModel, pixels: &[u8]) {
        let images = pixels.len() / model.pixels;
        let stride = pad(model.pixels);
        self.inputs.resize(model.encoder.len() + 1, Vec::new());
        resize(&mut self.inputs[0], images * stride);
        let rows = self.inputs[0].chunks_exact_mut(stride);
        for (to, from) in rows.zip(pixels.chunks_exact(model.pixels)) {
            for (to, &from) in to.iter_mut().zip(from) {
                *to = f32::from(from);
            }
        }
        for (i, layer) in model.encoder.iter().enumerate() {
            let (before, after) = self.inputs.split_at_mut(i + 1);
            let h = &mut after[0];
            resize(h, images * layer.output_stride());
            layer.forward(path, &before[i], h);
            path.run(ActivationForward { activation: model.activation, h });
        }
        let last = &self.inputs[model.encoder.len()];
        let points = images * pad(model.latents);
        for buffer in
            [&mut self.mean, &mut self.sigma_raw, &mut self.sd, &mut self.d_mean, &mut self.d_sd]
        {
            resize(buffer, points);
        }
        model.mean_head.forward(path, last, &mut self.mean);
        model.sigma_head.forward(path, last, &mut self.sigma_raw);
        path.run(SigmaForward { sigma: model.sigma, raw: &self.sigma_raw, sd: &mut self.sd });
        self.d_mean.fill(0.0);
        self.d_sd.fill(0.0);
    }

    /// Carries the gradients at μ and σ to the encoder's parameters.
    pub(super) fn backward(
        &mut self,
        path: KernelPath,
        model: &PackedModel,
        gradient: &mut ModelGradient,
    ) {
        let images = self.mean.len() / pad(model.latents);
        let ones = vec![1.0; images];
        path.run(SigmaBackward {
            sigma: model.sigma,
            raw: &self.sigma_raw,
            sd: &self.sd,
            d: &mut self.d_sd,
        });
        let hidden = model.encoder.len();
        let last = &self.inputs[hidden];
        gradient.mean_head.add(path, &ones, &self.d_mean, last);
        gradient.sigma_head.add(path, &ones, &self.d_sd, last);
        if hidden == 0 {
            return;
        }
        let mut d_h = vec![0.0; last.len()];
        model.mean_head.backward(path, &self.d_mean, Start::Zero, &mut d_h);
        model.sigma_head.backward(path, &self.d_sd, Start::Accumulate, &mut d_h);
        for i in (0..hidden).rev() {
            let h = &self.inputs[i + 1];
            path.run(ActivationBackward { activation: model.activation, h, d: &mut d_h });
            gradient.encoder[i].add(path, &ones, &d_h, &self.inputs[i]);
            if i > 0 {
                d_h = backward_rows(path, &model.encoder[i], images, &d_h);
            }
        }
    }
}

/// d_x of a hidden layer in a buffer of its own: a batch has few images, so this is small.
fn backward_rows(path: KernelPath, layer: &PackedLayer, images: usize, d_y: &[f32]) -> Vec<f32> {
    let mut d_x = vec![0.0; images * layer.input_stride()];
    layer.backward(path, d_y, Start::Zero, &mut d_x);
    d_x
}

/// Gives a buffer `length` elements; new ones are zero, old ones keep their values.
fn resize(buffer: &mut Vec<f32>, length: usize) {
    buffer.resize(length, 0.0);
}
