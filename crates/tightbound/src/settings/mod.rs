//! Resolve what the user asked for into one complete, checked description of a training.
//!
//! Later layers win: preset → configuration file → `--set key=value` → flags.

mod assignment;
mod command;
mod error;
mod origin;
mod preset;
mod protocol_line;
mod resolve;
#[cfg(test)]
mod tests;
mod types;
mod validate;

pub use assignment::Assignment;
pub(crate) use assignment::Place;
pub use error::SettingsError;
pub use origin::Origin;
pub use protocol_line::{EstimatorLine, ProtocolLine, ScoreProtocol};
pub use resolve::Resolver;
pub use types::{
    BetaObjective, Binarisation, DataSettings, ModelSettings, Monitor, NonFinite, Protocol,
    Settings, TrainSettings, Update,
};
