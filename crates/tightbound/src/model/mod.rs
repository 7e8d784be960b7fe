//! Say what a model is: its architecture, its table of parameters, its first values.

mod architecture;
mod initialise;
mod layers;
mod table;

pub use architecture::{Activation, Architecture, ArchitectureError, Sigma};
pub use initialise::{Initialisation, OutputBias, initialise};
pub use layers::{Layer, Layers};
pub use table::{Network, Parameter, ParameterTable};
