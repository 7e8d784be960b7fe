//! List every parameter tensor: its name, shape and place in the flat buffer.
//!
//! This table is the single source for initialisation, engines, optimiser, checkpoints, gradient
//! checks and parameter counts. Weights are `[out, in]`, row-major, as in `torch.nn.Linear`.

use std::ops::Range;

use super::Architecture;

/// Which of the two networks a tensor belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// φ, the parameters of q(z|x).
    Encoder,
    /// θ, the parameters of p(x|z).
    Decoder,
}

/// One tensor of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The name under which `torch.nn` knows it, such as `encoder.0.weight`.
    pub name: String,
    /// `[out, in]` for a weight, `[out]` for a bias.
    pub shape: Vec<usize>,
    /// Place of the first element in the flat buffer.
    pub offset: usize,
    /// The network it belongs to.
    pub network: Network,
}

impl Parameter {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the tensor has no elements; never true of a valid architecture.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its elements in the flat buffer.
    pub fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.len()
    }

    /// Whether it is a weight; otherwise it is a bias.
    pub fn is_weight(&self) -> bool {
        self.shape.len() == 2
    }
}

/// All tensors of a model, encoder first. Every layer is a weight followed by its bias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterTable {
    entries: Vec<Parameter>,
}

impl ParameterTable {
    /// Lists the tensors of `architecture`.
    ///
    /// Names follow `nn.Sequential(Linear, activation, Linear, …)`: layer i of the encoder's hidden
    /// layers is `encoder.{2i}`, the heads are `mu` and `sigma`, layer i of the decoder (the output
    /// layer last) is `decoder.{2i}`.
    pub fn new(architecture: &Architecture) -> Self {
        let mut entries = Vec::new();
        let mut offset = 0;
        let mut layer = |name: String, inputs: usize, outputs: usize, network: Network| {
            for (suffix, shape) in [("weight", vec![outputs, inputs]), ("bias", vec![outputs])] {
                let parameter =
                    Parameter { name: format!("{name}.{suffix}"), shape, offset, network };
                offset += parameter.len();
                entries.push(parameter);
            }
        };
        let mut inputs = architecture.pixels;
        for (i, &width) in architecture.encoder.iter().enumerate() {
            layer(format!("encoder.{}", 2 * i), inputs, width, Network::Encoder);
            inputs = width;
        }
        layer("mu".into(), inputs, architecture.latents, Network::Encoder);
        layer("sigma".into(), inputs, architecture.latents, Network::Encoder);
        inputs = architecture.latents;
        let outputs = architecture.decoder.iter().chain([&architecture.pixels]);
        for (i, &width) in outputs.enumerate() {
            layer(format!("decoder.{}", 2 * i), inputs, width, Network::Decoder);
            inputs = width;
        }
        Self { entries }
    }

    /// The tensors, in the order of the flat buffer.
    pub fn entries(&self) -> &[Parameter] {
        &self.entries
    }

    /// Number of parameters of the whole model.
    pub fn total(&self) -> usize {
        self.entries.last().map_or(0, |p| p.range().end)
    }

    /// The part of the flat buffer that belongs to `network`.
    pub fn network_range(&self, network: Network) -> Range<usize> {
        let mut own = self.entries.iter().filter(|p| p.network == network);
        let start = own.next().map_or(0, |p| p.offset);
        let end = own.next_back().map_or(start, |p| p.range().end);
        start..end
    }

    /// The tensor that holds element `index` of the flat buffer.
    pub fn tensor_at(&self, index: usize) -> Option<&Parameter> {
        self.entries.iter().find(|p| p.range().contains(&index))
    }

    /// The first of `values` that is not finite, and its tensor; they stand in the order of the table.
    pub fn first_non_finite(&self, values: &[f32]) -> Option<(&Parameter, f32)> {
        let index = values.iter().position(|v| !v.is_finite())?;
        Some((self.tensor_at(index)?, values[index]))
    }

    /// The tensor called `name`.
    pub fn get(&self, name: &str) -> Option<&Parameter> {
        self.entries.iter().find(|p| p.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_parameter_counts() {
        assert_eq!(ParameterTable::new(&Architecture::reference()).total(), 425_284);
        assert_eq!(ParameterTable::new(&Architecture::larger()).total(), 973_624);
    }

    #[test]
    fn tensors_tile_the_buffer_and_the_networks_split_it() {
        let table = ParameterTable::new(&Architecture::reference());
        let mut end = 0;
        for p in table.entries() {
            assert_eq!(p.offset, end, "{}", p.name);
            end = p.range().end;
        }
        let encoder = table.network_range(Network::Encoder);
        let decoder = table.network_range(Network::Decoder);
        assert_eq!((encoder.start, encoder.end, decoder.end), (0, decoder.start, table.total()));
        assert_eq!(table.tensor_at(decoder.start).unwrap().name, "decoder.0.weight");
        let mut values = vec![0.0; table.total()];
        assert_eq!(table.first_non_finite(&values), None);
        values[decoder.start..].fill(f32::NEG_INFINITY);
        let (tensor, value) = table.first_non_finite(&values).unwrap();
        assert_eq!((&*tensor.name, value), ("decoder.0.weight", f32::NEG_INFINITY));
        assert_eq!(table.get("decoder.4.bias").unwrap().shape, [784]);
    }
}
