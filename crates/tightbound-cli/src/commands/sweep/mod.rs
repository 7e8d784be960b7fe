//! Plan, run, look at and gather a sweep of many trainings.

mod args;
mod command;
mod steps;

pub use args::{ClusterArgs, PlanArgs};
pub use command::{Args, outcome_of, run};
pub use steps::{Failed, Sweep, gather};
