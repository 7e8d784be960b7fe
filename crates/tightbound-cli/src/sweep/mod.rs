//! Run the cells of a sweep: here, or through an engine that has more machines.

pub mod builtin;
mod cell;
mod cluster;
mod estimate;
mod local;
mod overview;

pub use cell::Worker;
pub use cluster::{Cluster, Manager};
pub use estimate::Costs;
pub use local::{Tally, run_here};
pub use overview::{CellProgress, Overview};
