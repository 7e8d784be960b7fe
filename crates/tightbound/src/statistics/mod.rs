//! Say how far a figure is known: intervals, the jackknife, selection, Student's t.

#[cfg(test)]
pub(crate) mod coverage;
mod interval;
mod selection;
mod student;

pub use interval::Interval;
pub(crate) use selection::Passed;
pub(crate) use student::t_quantile;
