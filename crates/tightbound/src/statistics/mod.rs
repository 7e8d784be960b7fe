//! Say how far a figure is known: intervals, the jackknife, selection, Student's t.

#[cfg(test)]
pub(crate) mod coverage;
mod interval;
mod jackknife;
mod ratio;
mod selection;
mod student;

pub use interval::Interval;
pub(crate) use jackknife::{Jackknife, Passed};
pub use ratio::Ratio;
