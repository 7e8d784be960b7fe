//! Measure how fast this machine trains and scores.

mod command;
mod meter;
mod score;
mod step;
mod subject;

pub use command::{Args, run};
