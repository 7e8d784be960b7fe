//! Hold the fast engine against the f64 reference, and against itself.

mod bits;
mod edges;
mod gradients;
mod points;
mod pruning;
mod random;
mod support;
