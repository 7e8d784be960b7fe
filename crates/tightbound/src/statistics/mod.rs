//! Say how far a figure is known: intervals, the jackknife, Student's t.

#[cfg(test)]
pub(crate) mod coverage;
mod interval;
mod student;

pub use interval::Interval;
pub(crate) use student::t_quantile;
