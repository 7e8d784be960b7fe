//! Hold a whole model in the layouts of the kernels: parameters going in, gradients coming out.

use rayon::prelude::*;

use super::encoder::EncoderPass;
use super::kernels::KernelPath;
use super::layer::{LayerGradient, PackedLayer, Panel};
use crate::model::{Activation, Architecture, Layer, Layers, Sigma};

/// Panels of weights per thread: enough to even out their sizes.
const PANELS_PER_THREAD: usize = 3;

/// All layers of a model, packed.
#[derive(Clone, Debug)]
pub(super) struct PackedModel {
    pub(super) pixels: usize,
    pub(super) latents: usize,
    pub(super) activation: Activation,
    pub(super) sigma: Sigma,
    pub(super) encoder: Vec<PackedLayer>,
    pub(super) mean_head: PackedLayer,
    pub(super) sigma_head: PackedLayer,
    pub(super) decoder: Vec<PackedLayer>,
    layers: Layers,
}

impl PackedModel {
    /// Room for the parameters of a model.
    pub(super) fn new(architecture: &Architecture) -> Self {
        let layers = Layers::new(architecture);
        Self {
            pixels: architecture.pixels,
            latents: architecture.latents,
            activation: architecture.activation,
            sigma: architecture.sigma,
            encoder: layers
                .encoder
                .iter()
                .enumerate()
                .map(|(i, layer)| PackedLayer::new(layer, i > 0))
                .collect(),
            mean_head: PackedLayer::new(&layers.mean, !layers.encoder.is_empty()),
            sigma_head: PackedLayer::new(&layers.sigma, !layers.encoder.is_empty()),
            decoder: layers.decoder.iter().map(|layer| PackedLayer::new(layer, true)).collect(),
            layers,
        }
    }

    /// Copies the parameters, layers side by side on the current thread pool.
    pub(super) fn pack(&mut self, path: KernelPath, parameters: &[f32]) {
        let Self { encoder, mean_head, sigma_head, decoder, layers, .. } = self;
        let mut pairs: Vec<(&mut PackedLayer, &Layer)> = Vec::new();
        pairs.extend(encoder.iter_mut().zip(&layers.encoder));
        pairs.push((mean_head, &layers.mean));
        pairs.push((sigma_head, &layers.sigma));
        pairs.extend(decoder.iter_mut().zip(&layers.decoder));
        pairs.into_par_iter().for_each(|(packed, layer)| {
            let (weight, bias) = (layer.weight.clone(), layer.bias.clone());
            packed.pack(path, &parameters[weight], &parameters[bias]);
        });
    }
}

/// The gradient of a whole model, its layers in the order of the parameter table.
#[derive(Clone, Debug)]
pub(super) struct ModelGradient {
    /// The encoder's layers, then the heads of μ and σ.
    pub(super) encoder: Vec<LayerGradient>,
    /// The decoder's layers.
    pub(super) decoder: Vec<LayerGradient>,
}

impl ModelGradient {
    /// Room for the gradient of `architecture`.
    pub(super) fn new(architecture: &Architecture) -> Self {
        let layers = Layers::new(architecture);
        let heads = [&layers.mean, &layers.sigma];
        Self {
            encoder: layers.encoder.iter().chain(heads).map(LayerGradient::new).collect(),
            decoder: layers.decoder.iter().map(LayerGradient::new).collect(),
        }
    }

    /// The decoder's gradient cut into panels, each with the number of its layer.
    pub(super) fn decoder_panels(&mut self) -> Vec<(usize, Panel<'_>)> {
        let work = work_per_panel(&self.decoder);
        let layers = self.decoder.iter_mut().enumerate();
        layers.flat_map(|(i, layer)| layer.panels(work).map(move |panel| (i, panel))).collect()
    }

    /// Adds the encoder's images, and writes `scale` times everything into the flat gradient; false
    /// if an element is not finite.
    pub(super) fn finish(
        &mut self,
        path: KernelPath,
        passes: &[EncoderPass],
        scale: f32,
        mut out: &mut [f32],
    ) -> bool {
        let Self { encoder, decoder } = self;
        let rows: Vec<Vec<_>> = passes.iter().map(|pass| pass.panel_rows().collect()).collect();
        let work = work_per_panel(encoder);
        let encoder_layers = encoder.len();
        let mut jobs = Vec::new();
        for (i, layer) in encoder.iter_mut().chain(decoder).enumerate() {
            let (inputs, outputs) = (layer.inputs, layer.outputs);
            let weight = out.split_off_mut(..inputs * outputs).expect("the table's size");
            let bias = out.split_off_mut(..outputs).expect("the table's size");
            let panel_outputs = layer.panel_outputs(work);
            let outs =
                weight.chunks_mut(panel_outputs * inputs).zip(bias.chunks_mut(panel_outputs));
            jobs.extend(layer.panels(work).zip(outs).map(|(panel, out)| (i, panel, out)));
        }
        assert!(out.is_empty(), "one gradient per parameter");
        let run = |(i, mut panel, (weight, bias)): (usize, Panel<'_>, (&mut [f32], &mut [f32]))| {
            if i < encoder_layers {
                for (pass, rows) in rows.iter().enumerate() {
                    panel.add(path, rows[i], pass == 0);
                }
            }
            panel.write(path, scale, weight, bias)
        };
        jobs.into_par_iter().map(run).reduce(|| true, |a, b| a & b)
    }
}

/// Multiplications a row of one panel: small enough to keep all threads of the pool busy.
fn work_per_panel(layers: &[LayerGradient]) -> usize {
    let work: usize = layers.iter().map(|layer| layer.inputs * layer.outputs).sum();
    work.div_ceil(PANELS_PER_THREAD * rayon::current_num_threads())
}
