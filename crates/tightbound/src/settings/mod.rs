//! Resolve what the user asked for into one complete, checked description of a training.

mod types;

pub use types::{
    BetaObjective, Binarisation, DataSettings, ModelSettings, NonFinite, Protocol, Settings,
    TrainSettings, Update,
};
