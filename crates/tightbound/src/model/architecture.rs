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

/// The most parameters a model may have: 2³⁰, of which training holds several copies of 4 GiB.
const MOST_PARAMETERS: u128 = 1 << 30;

/// An architecture that no model can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArchitectureError {
    /// A width of zero.
    #[error("the model's {0} must be at least 1")]
    Empty(&'static str),
    /// More parameters than any memory holds.
    #[error(
        "the model would have {parameters} parameters, and {MOST_PARAMETERS} are the most: choose \
         smaller model.encoder, model.latents or model.decoder"
    )]
    TooLarge {
        /// How many.
        parameters: u128,
    },
}

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

    /// Refuses widths of zero, and more parameters than any memory holds. No hidden layer at all is
    /// allowed: the network is then linear.
    pub fn validate(&self) -> Result<(), ArchitectureError> {
        if self.pixels == 0 {
            return Err(ArchitectureError::Empty("number of pixels"));
        }
        if self.latents == 0 {
            return Err(ArchitectureError::Empty("number of latents"));
        }
        if self.encoder.contains(&0) || self.decoder.contains(&0) {
            return Err(ArchitectureError::Empty("width of every hidden layer"));
        }
        let parameters = self.parameters();
        if parameters > MOST_PARAMETERS {
            return Err(ArchitectureError::TooLarge { parameters });
        }
        Ok(())
    }

    /// How many parameters there are: at most `u128::MAX`, whatever the widths.
    fn parameters(&self) -> u128 {
        let network = |input: usize, hidden: &[usize], output: u128| {
            let mut inputs = input as u128;
            let mut sum = 0u128;
            for outputs in hidden.iter().map(|&width| width as u128).chain([output]) {
                sum = sum.saturating_add((inputs + 1).saturating_mul(outputs));
                inputs = outputs;
            }
            sum
        };
        let encoder = network(self.pixels, &self.encoder, 2 * self.latents as u128);
        encoder.saturating_add(network(self.latents, &self.decoder, self.pixels as u128))
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
    fn parameters_are_those_of_the_table() {
        let linear = Architecture { encoder: vec![], decoder: vec![], ..Architecture::reference() };
        for architecture in [Architecture::reference(), Architecture::larger(), linear] {
            let total = ParameterTable::new(&architecture).total();
            assert_eq!(architecture.parameters(), total as u128);
            assert_eq!(architecture.validate(), Ok(()));
        }
    }

    #[test]
    fn sizes_that_no_memory_holds_are_refused() {
        for encoder in [vec![1 << 21], vec![usize::MAX, usize::MAX, 1]] {
            let architecture = Architecture { encoder, ..Architecture::reference() };
            let error = architecture.validate().unwrap_err();
            assert!(matches!(error, ArchitectureError::TooLarge { .. }), "{error}");
        }
    }
}
