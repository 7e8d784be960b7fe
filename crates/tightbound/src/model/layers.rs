//! View the flat parameter buffer as the layers of the two networks.

use std::ops::Range;

use super::{Architecture, Parameter, ParameterTable};

/// One affine layer y = W x + b inside the flat buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Number of inputs.
    pub inputs: usize,
    /// Number of outputs.
    pub outputs: usize,
    /// W, `[outputs, inputs]`.
    pub weight: Range<usize>,
    /// b, `[outputs]`.
    pub bias: Range<usize>,
}

/// The layers of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layers {
    /// The encoder's hidden layers, from the pixels on.
    pub encoder: Vec<Layer>,
    /// The head of μ.
    pub mean: Layer,
    /// The head of σ, before its transformation.
    pub sigma: Layer,
    /// The decoder's layers, from the latents to the logits; at least one.
    pub decoder: Vec<Layer>,
}

impl Layers {
    /// The layers of `architecture`, in the order of its [`ParameterTable`].
    pub fn new(architecture: &Architecture) -> Self {
        let table = ParameterTable::new(architecture);
        let mut layers = table.entries().chunks_exact(2).map(|pair| layer(&pair[0], &pair[1]));
        let encoder = layers.by_ref().take(architecture.encoder.len()).collect();
        let mean = layers.next().expect("every model has a head of μ");
        let sigma = layers.next().expect("every model has a head of σ");
        Self { encoder, mean, sigma, decoder: layers.collect() }
    }
}

/// The layer of one weight and the bias that follows it.
fn layer(weight: &Parameter, bias: &Parameter) -> Layer {
    Layer {
        inputs: weight.shape[1],
        outputs: weight.shape[0],
        weight: weight.range(),
        bias: bias.range(),
    }
}
