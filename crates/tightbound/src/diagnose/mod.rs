//! Hold the estimators against models whose answers are known exactly.

mod gaussian;
mod normal;
mod quadrature;

pub use gaussian::{ExactModel, LinearGaussian, ScalarGaussian};
pub use normal::Normal;
pub use quadrature::{GaussHermite, TensorRule};
