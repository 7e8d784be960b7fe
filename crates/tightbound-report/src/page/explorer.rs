//! Pack a decoder, and images to start from, for the page's script.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;

/// A decoder z ↦ p(x|z) that the reader explores, L latents to D = height · width pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Explorer {
    /// The model's name.
    pub name: String,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// L, dimensions of the latent space.
    pub latents: usize,
    /// From the latents to the D logits of the pixels.
    pub layers: Vec<DenseLayer>,
    /// Nonlinearity after every layer but the last, whose logits the logistic function turns into
    /// probabilities.
    pub nonlinearity: Nonlinearity,
    /// All L units or some, the most informative first: in this order the reader meets them.
    pub units: Vec<Unit>,
    /// Images to start from; the first is shown at first.
    pub examples: Vec<Example>,
}

/// y = W x + b.
#[derive(Clone, Debug, PartialEq)]
pub struct DenseLayer {
    /// Length of x.
    pub inputs: usize,
    /// Length of y.
    pub outputs: usize,
    /// W, `[outputs, inputs]`, row-major, as in `torch.nn.Linear`.
    pub weights: Vec<f32>,
    /// b, `[outputs]`.
    pub biases: Vec<f32>,
}

/// What follows a hidden layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Nonlinearity {
    /// tanh(x).
    Tanh,
    /// max(x, 0).
    Relu,
    /// ln(1 + eˣ).
    Softplus,
}

/// A dimension of the latent space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unit {
    /// Its number, below L.
    pub index: usize,
    /// What is known of it, in a few words such as `KL 3.1 nats`; may be empty.
    pub note: String,
}

/// An image with its place in the latent space.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// What it is, in a word or two.
    pub label: String,
    /// `[L]`, the mean of q(z|x).
    pub mean: Vec<f32>,
    /// `[D]`, grey values in [0, 1].
    pub pixels: Vec<f32>,
}

#[derive(Serialize)]
struct Packed<'a> {
    name: &'a str,
    height: usize,
    width: usize,
    latents: usize,
    layers: Vec<PackedLayer>,
    nonlinearity: Nonlinearity,
    units: &'a [Unit],
    examples: Vec<PackedExample<'a>>,
}

#[derive(Serialize)]
struct PackedLayer {
    inputs: usize,
    outputs: usize,
    weights: String,
    biases: String,
}

#[derive(Serialize)]
struct PackedExample<'a> {
    label: &'a str,
    mean: String,
    pixels: String,
}

/// Little-endian bytes in base64.
fn floats(values: &[f32]) -> String {
    STANDARD.encode(values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())
}

/// A byte for each grey value, in base64.
fn greys(values: &[f32]) -> String {
    let grey = |value: &f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    STANDARD.encode(values.iter().map(grey).collect::<Vec<_>>())
}

impl Explorer {
    /// Panics where the parts do not fit together.
    fn check(&self) {
        let Self { name, height, width, latents, layers, units, examples, .. } = self;
        let mut inputs = *latents;
        for (number, layer) in layers.iter().enumerate() {
            assert_eq!(layer.inputs, inputs, "{name}: inputs of layer {number}");
            let weights = layer.inputs * layer.outputs;
            assert_eq!(layer.weights.len(), weights, "{name}: weights of layer {number}");
            assert_eq!(layer.biases.len(), layer.outputs, "{name}: biases of layer {number}");
            inputs = layer.outputs;
        }
        assert_eq!(inputs, height * width, "{name}: outputs of the last layer");
        assert!(!units.is_empty(), "{name}: no unit to explore");
        for unit in units {
            assert!(unit.index < *latents, "{name}: unit {} of {latents}", unit.index);
        }
        for Example { label, mean, pixels } in examples {
            assert_eq!(mean.len(), *latents, "{name}: mean of {label}");
            assert_eq!(pixels.len(), height * width, "{name}: pixels of {label}");
        }
    }

    fn packed(&self) -> Packed<'_> {
        self.check();
        let layer = |layer: &DenseLayer| PackedLayer {
            inputs: layer.inputs,
            outputs: layer.outputs,
            weights: floats(&layer.weights),
            biases: floats(&layer.biases),
        };
        Packed {
            name: &self.name,
            height: self.height,
            width: self.width,
            latents: self.latents,
            layers: self.layers.iter().map(layer).collect(),
            nonlinearity: self.nonlinearity,
            units: &self.units,
            examples: self.examples.iter().map(Example::packed).collect(),
        }
    }
}

impl Example {
    fn packed(&self) -> PackedExample<'_> {
        let (mean, pixels) = (floats(&self.mean), greys(&self.pixels));
        PackedExample { label: &self.label, mean, pixels }
    }
}

/// All explorers as JSON that may stand inside a `<script>` element: no `<` can end it.
pub(super) fn to_json(explorers: &[Explorer]) -> String {
    let packed: Vec<_> = explorers.iter().map(Explorer::packed).collect();
    serde_json::to_string(&packed).expect("strings and numbers are JSON").replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explorer() -> Explorer {
        let layer =
            DenseLayer { inputs: 1, outputs: 2, weights: vec![1.0, -2.0], biases: vec![0.5, 0.0] };
        Explorer {
            name: "</script><!--".into(),
            height: 1,
            width: 2,
            latents: 1,
            layers: vec![layer],
            nonlinearity: Nonlinearity::Tanh,
            units: vec![Unit { index: 0, note: "all".into() }],
            examples: vec![Example { label: "7".into(), mean: vec![1.0], pixels: vec![1.5, 0.2] }],
        }
    }

    /// 1 is 0x3f800000: its bytes from the last to the first, and 255 and 51, in base64.
    #[test]
    fn numbers_are_packed_in_little_endian_bytes() {
        let json = to_json(&[explorer()]);
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value[0]["examples"][0]["mean"], "AACAPw==");
        assert_eq!(value[0]["examples"][0]["pixels"], "/zM=");
        assert_eq!(value[0]["layers"][0]["weights"], "AACAPwAAAMA=");
        assert_eq!(value[0]["nonlinearity"], "tanh");
    }

    #[test]
    fn no_name_ends_the_script_element() {
        let json = to_json(&[explorer()]);
        assert!(!json.contains('<'), "{json}");
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value[0]["name"], "</script><!--");
    }

    #[test]
    #[should_panic(expected = "inputs of layer 1")]
    fn layers_that_do_not_fit_are_refused() {
        let mut wrong = explorer();
        wrong.layers.push(wrong.layers[0].clone());
        to_json(&[wrong]);
    }
}
