//! Say how far a figure is known: intervals, the jackknife, Student's t.

#[cfg(test)]
pub(crate) mod coverage;
mod interval;
mod jackknife;
mod student;

pub use interval::Interval;
pub(crate) use jackknife::standard_error;
pub(crate) use student::t_quantile;
