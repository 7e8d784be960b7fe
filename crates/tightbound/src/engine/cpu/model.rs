//! Hold a whole model in the layouts of the kernels: parameters going in, gradients coming out.

use rayon::prelude::*;

use super::encoder::Passes;
use super::group::Group;
use super::kernels::{KernelPath, LANES};
use super::layer::{LayerGradient, PackedLayer, Panel};
use crate::model::{Activation, Architecture, Layer, Layers, Sigma};

/// Pieces per thread and layer, in which gradients are written out.
const PIECES_PER_THREAD: usize = 2;

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
        pack_layers(path, parameters, pairs);
    }

    /// Copies the decoder's parameters alone.
    pub(super) fn pack_decoder(&mut self, path: KernelPath, parameters: &[f32]) {
        let Self { decoder, layers, .. } = self;
        pack_layers(path, parameters, decoder.iter_mut().zip(&layers.decoder).collect());
    }
}

fn pack_layers(path: KernelPath, parameters: &[f32], pairs: Vec<(&mut PackedLayer, &Layer)>) {
    pairs.into_par_iter().for_each(|(packed, layer)| {
        let (weight, bias) = (layer.weight.clone(), layer.bias.clone());
        packed.pack(path, &parameters[weight], &parameters[bias]);
    });
}

/// The gradient of a whole model, its layers in the order of the parameter table.
#[derive(Clone, Debug)]
pub(super) struct ModelGradient {
    /// The encoder's layers, then the heads of μ and σ.
    encoder: Vec<LayerGradient>,
    /// The decoder's layers.
    decoder: Vec<LayerGradient>,
    /// Whether nothing has been added to the decoder's layers, so that they hold what is to be
    /// forgotten.
    fresh: bool,
}

impl ModelGradient {
    /// Room for the gradient of `architecture`.
    pub(super) fn new(architecture: &Architecture) -> Self {
        let layers = Layers::new(architecture);
        let heads = [&layers.mean, &layers.sigma];
        Self {
            encoder: layers.encoder.iter().chain(heads).map(LayerGradient::new).collect(),
            decoder: layers.decoder.iter().map(LayerGradient::new).collect(),
            fresh: true,
        }
    }

    /// Forgets everything.
    pub(super) fn restart(&mut self) {
        self.fresh = true;
    }

    /// Adds groups that have gone back to the decoder's gradient, a share on each thread.
    pub(super) fn add(&mut self, path: KernelPath, groups: &[Group]) {
        let fresh = std::mem::replace(&mut self.fresh, false);
        let shares = shares(&mut self.decoder, rayon::current_num_threads());
        shares.into_par_iter().with_max_len(1).for_each(|mut share| {
            for (i, group) in groups.iter().enumerate() {
                for (layer, panel) in &mut share {
                    panel.add(path, group.panel_rows(*layer), fresh && i == 0);
                }
            }
        });
    }

    /// Adds the encoder's images, and writes `scale` times everything into the flat gradient; false
    /// if an element is not finite.
    pub(super) fn finish(
        &mut self,
        path: KernelPath,
        passes: &Passes,
        scale: f32,
        mut out: &mut [f32],
    ) -> bool {
        if self.fresh {
            self.decoder.iter_mut().for_each(LayerGradient::clear);
        }
        let rows: Vec<Vec<_>> = passes.iter().map(|pass| pass.panel_rows().collect()).collect();
        let encoder = self.encoder.len();
        let mut jobs = Vec::new();
        for (i, layer) in self.encoder.iter_mut().chain(&mut self.decoder).enumerate() {
            let (inputs, outputs) = (layer.inputs, layer.outputs);
            let mut weight = out.split_off_mut(..inputs * outputs).expect("the table's size");
            let mut bias = out.split_off_mut(..outputs).expect("the table's size");
            let pieces = PIECES_PER_THREAD * rayon::current_num_threads();
            for (_, panel) in shares(std::slice::from_mut(layer), pieces).into_iter().flatten() {
                let own = panel.outputs();
                let weight = weight.split_off_mut(..own * inputs).expect("weights that are left");
                let bias = bias.split_off_mut(..own).expect("biases that are left");
                jobs.push((i, panel, weight, bias));
            }
        }
        assert!(out.is_empty(), "one gradient per parameter");
        let run = |(i, mut panel, weight, bias): (usize, Panel<'_>, &mut [f32], &mut [f32])| {
            if i < encoder {
                for (pass, rows) in rows.iter().enumerate() {
                    panel.add(path, rows[i], pass == 0);
                }
            }
            panel.write(path, scale, weight, bias)
        };
        jobs.into_par_iter().map(run).reduce(|| true, |a, b| a & b)
    }
}

/// Cuts the gradients of `layers` into about `count` shares of about equal work, each of them panels
/// with the numbers of their layers.
fn shares(layers: &mut [LayerGradient], count: usize) -> Vec<Vec<(usize, Panel<'_>)>> {
    let panels: Vec<Panel<'_>> = layers.iter_mut().map(LayerGradient::whole).collect();
    let work: usize = panels.iter().map(Panel::work).sum();
    let mut shares = vec![Vec::new()];
    let mut done = 0;
    for (i, mut rest) in panels.into_iter().enumerate() {
        while rest.outputs() > 0 {
            let end = work * shares.len() / count;
            let strip = (LANES * rest.work()).div_ceil(rest.outputs());
            let strips = (end.saturating_sub(done) + strip / 2) / strip;
            let (panel, after) = rest.split_at(LANES * strips.max(1));
            done += panel.work();
            shares.last_mut().expect("one share at least").push((i, panel));
            if done + strip / 2 >= end && shares.len() < count {
                shares.push(Vec::new());
            }
            rest = after;
        }
    }
    shares
}
