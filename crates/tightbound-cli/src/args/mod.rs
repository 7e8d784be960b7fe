//! Define the flags that several subcommands share, so that each means the same everywhere.

mod data;
mod model;
mod settings;

pub use data::DataFolder;
pub use model::{EVALUATION_SEED, ImageArgs, Loaded, ModelArgs, Part, Shown};
pub use settings::{SettingsArgs, estimator_names};
