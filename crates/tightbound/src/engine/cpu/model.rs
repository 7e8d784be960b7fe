//! Hold a whole model in the layouts of the kernels: parameters going in, gradients coming out.

use rayon::prelude::*;

use super::kernels::{KernelPath, SumShards};
use super::layer::{LayerGradient, PackedLayer};
use crate::model::{Activation, Architecture, Layer, Layers, Sigma};

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

    /// The decoder's output layer and the hidden ones before it.
    pub(super) fn decoder_output(&self) -> (&PackedLayer, &[PackedLayer]) {
        self.decoder.split_last().expect("a decoder has a layer")
    }
}

/// The gradient of a whole model, as one shard sums it.
#[derive(Clone, Debug)]
pub(super) struct ModelGradient {
    pub(super) encoder: Vec<LayerGradient>,
    pub(super) mean_head: LayerGradient,
    pub(super) sigma_head: LayerGradient,
    pub(super) decoder: Vec<LayerGradient>,
}

impl ModelGradient {
    /// A gradient of zero.
    pub(super) fn new(architecture: &Architecture) -> Self {
        let layers = Layers::new(architecture);
        Self {
            encoder: layers.encoder.iter().map(LayerGradient::new).collect(),
            mean_head: LayerGradient::new(&layers.mean),
            sigma_head: LayerGradient::new(&layers.sigma),
            decoder: layers.decoder.iter().map(LayerGradient::new).collect(),
        }
    }

    /// The layers in the order of the parameter table.
    fn layers(&self) -> impl Iterator<Item = &LayerGradient> {
        let heads = [&self.mean_head, &self.sigma_head];
        self.encoder.iter().chain(heads).chain(&self.decoder)
    }

    /// The layers in the order of the parameter table.
    pub(super) fn layers_mut(&mut self) -> impl Iterator<Item = &mut LayerGradient> {
        let heads = [&mut self.mean_head, &mut self.sigma_head];
        self.encoder.iter_mut().chain(heads).chain(&mut self.decoder)
    }
}

/// Rows of a weight gradient that one job of [`sum_shards`] adds up.
const ROWS_PER_JOB: usize = 64;

/// Writes `scale` · Σ shards into the flat `gradient`; false if an element is not finite.
pub(super) fn sum_shards(
    path: KernelPath,
    shards: &[ModelGradient],
    scale: f32,
    mut gradient: &mut [f32],
) -> bool {
    let mut jobs = Vec::new();
    let mut layers: Vec<_> = shards.iter().map(|shard| shard.layers()).collect();
    while let Some(same) = layers.iter_mut().map(Iterator::next).collect::<Option<Vec<_>>>() {
        let (inputs, outputs) = (same[0].inputs, same[0].outputs);
        let weight = gradient.split_off_mut(..inputs * outputs).expect("the table's size");
        let weights: Vec<&[f32]> = same.iter().map(|layer| &layer.weight[..]).collect();
        let stride = weights[0].len() / outputs;
        for (block, out) in weight.chunks_mut(ROWS_PER_JOB * inputs).enumerate() {
            let first = block * ROWS_PER_JOB * stride;
            let shards = weights.iter().map(|w| &w[first..]).collect();
            jobs.push(SumJob { shards, stride, out, width: inputs });
        }
        let out = gradient.split_off_mut(..outputs).expect("the table's size");
        let shards = same.iter().map(|layer| &layer.bias[..]).collect();
        jobs.push(SumJob { shards, stride: same[0].bias.len(), out, width: outputs });
    }
    assert!(gradient.is_empty(), "one gradient per parameter");
    jobs.into_par_iter().map(|job| job.run(path, scale)).reduce(|| true, |a, b| a & b)
}

/// A run of rows, padded in the shards and dense in the flat gradient.
struct SumJob<'a> {
    shards: Vec<&'a [f32]>,
    stride: usize,
    out: &'a mut [f32],
    width: usize,
}

impl SumJob<'_> {
    fn run(self, path: KernelPath, scale: f32) -> bool {
        let mut finite = true;
        // Where rows are dense on both sides, they are one long row.
        let (stride, width) = if self.stride == self.width {
            (self.out.len(), self.out.len())
        } else {
            (self.stride, self.width)
        };
        let mut shards = Vec::with_capacity(self.shards.len());
        for (row, out) in self.out.chunks_mut(width).enumerate() {
            let first = row * stride;
            shards.clear();
            shards.extend(self.shards.iter().map(|shard| &shard[first..first + out.len()]));
            finite &= path.run(SumShards { scale, shards: &shards, out });
        }
        finite
    }
}
