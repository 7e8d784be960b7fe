//! Describe the two networks of a variational auto-encoder.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The nonlinearity after every hidden layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// tanh(x).
    Tanh,
    /// max(x, 0).
    Relu,
    /// ln(1 + eˣ).
    Softplus,
}

/// How the encoder's σ head becomes the posterior's standard deviation σ > 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sigma {
    /// σ = exp(linear), as in the code of Burda et al. 2016.
    Exp,
    /// σ = ln(1 + exp(linear)), as in the reproduction report's code.
    Softplus,
}

/// A multilayer perceptron on each side of a diagonal Gaussian posterior q(z|x) = N(μ, σ²), a
/// standard normal prior and a Bernoulli likelihood. Dimension letters: D pixels, L latents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// D, pixels of one image.
    pub pixels: usize,
    /// Widths of the encoder's hidden layers, from the pixels on.
    pub encoder: Vec<usize>,
    /// L, dimensions of the latent space.
    pub latents: usize,
    /// Widths of the decoder's hidden layers, from the latents on.
    pub decoder: Vec<usize>,
    /// Nonlinearity of the hidden layers.
    pub activation: Activation,
    /// Transformation of the σ head.
    pub sigma: Sigma,
}

/// Why an architecture makes no model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArchitectureError {
    /// A width is zero.
    #[error("the model's {0} must be at least 1")]
    Zero(&'static str),
    /// There are more parameters than can be numbered.
    #[error(
        "the model has too many parameters, more than {MOST_PARAMETERS}: choose smaller widths"
    )]
    TooLarge,
}

/// Most parameters of a model: the random numbers of the initialisation address them by 32 bits.
const MOST_PARAMETERS: usize = u32::MAX as usize;

impl Architecture {
    /// The reference model of Burda et al. 2016: hidden 200–200, 50 latents (425,284 parameters).
    pub fn reference() -> Self {
        Self {
            pixels: 784,
            encoder: vec![200, 200],
            latents: 50,
            decoder: vec![200, 200],
            activation: Activation::Tanh,
            sigma: Sigma::Exp,
        }
    }

    /// The reproduction report's larger model: hidden 400–400, 20 latents (973,624 parameters).
    pub fn larger() -> Self {
        Self { encoder: vec![400, 400], latents: 20, decoder: vec![400, 400], ..Self::reference() }
    }

    /// Refuses widths of zero, and models of more than 2³² − 1 parameters. No hidden layer at all is
    /// allowed: the network is then linear.
    pub fn validate(&self) -> Result<(), ArchitectureError> {
        if self.pixels == 0 {
            return Err(ArchitectureError::Zero("number of pixels"));
        }
        if self.latents == 0 {
            return Err(ArchitectureError::Zero("number of latents"));
        }
        if self.encoder.contains(&0) || self.decoder.contains(&0) {
            return Err(ArchitectureError::Zero("width of every hidden layer"));
        }
        match self.parameter_count() {
            Some(count) if count <= MOST_PARAMETERS => Ok(()),
            _ => Err(ArchitectureError::TooLarge),
        }
    }

    /// Number of parameters, unless it is too large to count.
    fn parameter_count(&self) -> Option<usize> {
        let layer = |inputs: usize, outputs: usize| inputs.checked_add(1)?.checked_mul(outputs);
        let mut total = 0usize;
        let mut inputs = self.pixels;
        for &width in &self.encoder {
            total = total.checked_add(layer(inputs, width)?)?;
            inputs = width;
        }
        total = total.checked_add(layer(inputs, self.latents)?.checked_mul(2)?)?;
        inputs = self.latents;
        for &width in self.decoder.iter().chain([&self.pixels]) {
            total = total.checked_add(layer(inputs, width)?)?;
            inputs = width;
        }
        Some(total)
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chain = |widths: &[usize]| -> String {
            widths.iter().map(|w| format!("{w}–")).collect::<String>()
        };
        let activation = match self.activation {
            Activation::Tanh => "tanh",
            Activation::Relu => "relu",
            Activation::Softplus => "softplus",
        };
        let sigma = match self.sigma {
            Sigma::Exp => "exp",
            Sigma::Softplus => "softplus",
        };
        write!(
            f,
            "encoder {}–{}μ,σ({}) decoder {}–{}{} {activation}, σ = {sigma}",
            self.pixels,
            chain(&self.encoder),
            self.latents,
            self.latents,
            chain(&self.decoder),
            self.pixels,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ParameterTable;

    #[test]
    fn counting_agrees_with_the_table() {
        let linear = Architecture { encoder: vec![], decoder: vec![], ..Architecture::reference() };
        for architecture in [Architecture::reference(), Architecture::larger(), linear] {
            let total = ParameterTable::new(&architecture).total();
            assert_eq!(architecture.parameter_count(), Some(total));
            assert_eq!(architecture.validate(), Ok(()));
        }
    }

    #[test]
    fn what_makes_no_model_is_refused() {
        let reference = Architecture::reference;
        for zero in [
            Architecture { pixels: 0, ..reference() },
            Architecture { latents: 0, ..reference() },
            Architecture { encoder: vec![9, 0], ..reference() },
            Architecture { decoder: vec![0], ..reference() },
        ] {
            assert!(matches!(zero.validate(), Err(ArchitectureError::Zero(_))), "{zero}");
        }
        for giant in [
            Architecture { latents: usize::MAX / 2, ..reference() },
            Architecture { encoder: vec![1 << 62, 1 << 62], ..reference() },
            Architecture { decoder: vec![1 << 16, 1 << 16], ..reference() },
        ] {
            assert_eq!(giant.validate(), Err(ArchitectureError::TooLarge), "{giant}");
        }
    }
}
