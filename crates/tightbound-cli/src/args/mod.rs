//! Define the flags that several subcommands share, so that each means the same everywhere.

mod data;
mod settings;

pub use data::DataFolder;
pub use settings::{SettingsArgs, estimator_names};
